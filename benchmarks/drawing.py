"""Animations of 200 frames, and pictures of matrices with 4096² entries and of 4096² images.

The limits are the seconds that a reader waits for: 20 for an animation, 2 for a matrix. Answers are
asserted: every frame is read back and its marked cells have their colours; the bins of the matrix
add up to its entries.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import av
import numpy as np
from common import best, finish, report
from PIL import Image, ImageSequence

import symconv as sc
from symconv.drawing import draw
from symconv.drawing.saving import moving_scale
from symconv.rendering import bin_pattern

FRAMES, ANIMATION, MATRIX = 200, 20.0, 2.0


def frames_of(path: Path) -> list[np.ndarray]:
    if path.suffix == ".gif":
        with Image.open(path) as image:
            return [np.asarray(f.convert("RGB")) for f in ImageSequence.Iterator(image)]
    with av.open(path) as container:
        return [
            frame.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()
            for frame in container.decode(video=0)
        ]


def animations(folder: Path) -> list[bool]:
    within = []
    for said, layer, size in (
        ("Conv2d 3×3 on 10×20", sc.Conv2d(1, 1, 3, padding=1), (10, 20)),
        ("ConvTranspose2d 4×4 to 20×10", sc.ConvTranspose2d(1, 1, 4, stride=2, padding=1), (10, 5)),
    ):
        way = {"way": "zero_insertion"} if layer.is_transposed else {}
        drawing = draw(layer, input_size=size, **way)
        assert drawing.n_frames == FRAMES
        for suffix in ("gif", "mp4"):
            path = folder / f"steps.{suffix}"
            seconds, _ = best(lambda p=path, d=drawing: d.save(p), 1)
            shown = frames_of(path)
            assert len(shown) == FRAMES
            for number in (0, FRAMES // 2, FRAMES - 1):
                png = drawing.png(number, scale=moving_scale(drawing.svg()))
                whole = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
                height, width = whole.shape[:2]
                apart = np.abs(shown[number][:height, :width] - whole).max(axis=2)
                assert (apart <= 64).mean() > 0.97
            name = f"{said}, {FRAMES} frames, .{suffix}"
            within.append(report(name, seconds, "limit", ANIMATION, 1))
    return within


def matrices() -> list[bool]:
    within = []
    for n in (64, 4096):
        layer = sc.Conv2d(1, 1, 3, padding=1)
        op = layer.operator((n, n))
        assert int(bin_pattern(op.oriented.linear.incidence.pattern).sum()) == (3 * n - 2) ** 2
        for kind in ("svg", "png"):
            make = {"svg": lambda d: d.svg(), "png": lambda d: d.png()}[kind]
            seconds, picture = best(lambda op=op, make=make: make(draw(op, "matrix")), 3)
            assert f"{n**2}×{n**2} matrix with {(3 * n - 2) ** 2} entries" in (
                picture if kind == "svg" else draw(op, "matrix").alt
            )
            within.append(report(f"matrix of {n}² pixels, .{kind}", seconds, "limit", MATRIX, 1))
    return within


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        results = [*matrices(), *animations(Path(folder))]
    finish(results)


if __name__ == "__main__":
    main()
