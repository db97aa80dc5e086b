"""``symconv apply``: images and arrays, what can be wrong with them, and nothing left behind."""

from __future__ import annotations

import os
from fractions import Fraction

import numpy as np
import pytest
from scipy.signal import correlate2d

from symconv import files
from symconv.kernels import named_kernel

pytest.importorskip("click")
pytest.importorskip("rich")

from commands import CONV, HOSTILE, refuse, run


@pytest.fixture
def image():
    pytest.importorskip("PIL")
    return np.random.default_rng(0).integers(0, 256, (9, 12), dtype=np.uint8)


@pytest.fixture
def colours():
    pytest.importorskip("PIL")
    return np.random.default_rng(1).integers(0, 256, (9, 12, 3), dtype=np.uint8)


def image_module():
    return pytest.importorskip("PIL.Image")


def save(path, samples, **options):
    image_module().fromarray(samples).save(path, **options)
    return path


def load(path):
    with image_module().open(path) as opened:
        return np.array(opened)


def test_apply_to_an_array_is_exact(tmp_path, image):
    save(tmp_path / "in.png", image)
    code, output = run(
        "apply", CONV, tmp_path / "in.png", tmp_path / "out.npy", "--kernel", "sobel_x"
    )
    assert (code, output) == (0, "")
    kernel = named_kernel("sobel_x").array()
    result = np.load(tmp_path / "out.npy")
    assert result.dtype == np.int64
    assert np.array_equal(result, correlate2d(image.astype(int), kernel, "same")[None])


@pytest.mark.parametrize("scale", ["clip", "rescale", "abs"])
def test_apply_to_an_image(tmp_path, image, scale):
    save(tmp_path / "in.png", image)
    code, output = run(
        "apply", CONV, tmp_path / "in.png", tmp_path / "out.png", "--kernel", "sobel_x",
        "--scale", scale,
    )  # fmt: skip
    assert code == 0
    assert ("were outside 0…255 and were cut" in output) == (scale == "clip")
    y = correlate2d(image.astype(int), named_kernel("sobel_x").array(), "same")
    span = Fraction(255, int(y.max() - y.min()))
    expected = {
        "clip": np.clip(y, 0, 255),
        "abs": np.clip(abs(y), 0, 255),
        "rescale": [[int((v - y.min()) * span + Fraction(1, 2)) for v in row] for row in y],
    }
    assert np.array_equal(load(tmp_path / "out.png"), expected[scale])


def test_apply_divides_once_and_rounds_halves_upwards(tmp_path):
    pytest.importorskip("PIL")
    save(tmp_path / "in.png", np.array([[1, 2, 4, 5]], dtype=np.uint8))
    layer = "Conv2d(1, 1, (1, 2))"
    for options, expected in (
        (("--weight", "[[1/2, 1/2]]"), [[2, 3, 5]]),
        (("--weight", "[[1/4, 1/4]]", "--bias", "1/4"), [[1, 2, 3]]),
        (("--weight", "[[1/2, 1/2]]", "--bias", "-1/2"), [[1, 3, 4]]),
    ):
        assert run("apply", layer, tmp_path / "in.png", tmp_path / "o.png", *options)[0] == 0
        assert load(tmp_path / "o.png").tolist() == expected


def test_colours(tmp_path, image, colours):
    source, out = save(tmp_path / "in.png", colours), tmp_path / "out.npy"
    kernel = named_kernel("laplacian3").array()
    per_colour = np.stack(
        [correlate2d(colours[..., c].astype(int), kernel, "same") for c in range(3)]
    )
    three = "Conv2d(3, 3, 3, padding=1, groups=3)"
    run("apply", three, source, out, "--kernel", "laplacian3")
    assert np.array_equal(np.load(out), per_colour)
    summed = "Conv2d(3, 1, 3, padding=1)"
    run("apply", summed, source, out, "--kernel", "laplacian3")
    assert np.array_equal(np.load(out), per_colour.sum(axis=0)[None])
    run("apply", CONV, source, out, "--kernel", "identity")
    luma = image_module().fromarray(colours).convert("L")
    assert np.array_equal(np.load(out)[0], np.array(luma))
    # A grey image for a layer of three channels.
    run("apply", three, save(tmp_path / "grey.png", image), out, "--kernel", "identity")
    assert np.array_equal(np.load(out), np.stack([image] * 3))
    # Layers without weights take every channel as it comes.
    assert run("apply", "AvgPool2d(3)", source, tmp_path / "pool.png")[0] == 0
    means = colours.reshape(3, 3, 4, 3, 3).sum(axis=(1, 3), dtype=int)
    assert np.array_equal(load(tmp_path / "pool.png"), (2 * means + 9) // 18)
    assert run("apply", "Pad((1, 2))", source, tmp_path / "pad.png")[0] == 0
    assert np.array_equal(load(tmp_path / "pad.png"), np.pad(colours, [(1, 1), (2, 2), (0, 0)]))
    output = refuse("apply", "Conv2d(4, 1, 3)", source, out, "--kernel", "box3")
    assert "layer must take 1 or 3 channels for an image, got 4" in output


def test_transposed(tmp_path, image):
    layer = "Conv2d(1, 1, 2, stride=2)"
    source, out = save(tmp_path / "in.png", image), tmp_path / "out.npy"
    arguments = ("apply", layer, source, out, "--weight", "[[1, 2], [3, 4]]", "--transpose")
    assert "18 or 19 × 24 or 25" in refuse(*arguments)
    assert not out.exists()
    assert run(*arguments, "--input", "19x24")[0] == 0
    expected = np.zeros((19, 24), dtype=int)
    expected[:18] = np.kron(image, [[1, 2], [3, 4]])
    assert np.array_equal(np.load(out)[0], expected)


def test_arrays_of_every_kind(tmp_path):
    source, out = tmp_path / "in.npy", tmp_path / "out.npy"
    x = np.arange(12).reshape(3, 4)
    for values, dtype in (
        (x, np.int64), (x.astype(np.uint8), np.int64), (x / 3, np.float64),
        (x.astype(np.float32), np.float32), (x * 1j, np.complex128),
    ):  # fmt: skip
        np.save(source, values)
        assert (
            run("apply", CONV, source, out, "--weight", "[[0, 0, 0], [0, 2, 0], [0, 0, 0]]")[0] == 0
        )
        assert np.load(out).dtype == dtype
        assert np.array_equal(np.load(out), 2 * values)
    np.save(source, x[None, None])
    assert run("apply", CONV, source, out, "--kernel", "identity", "--bias", "5")[0] == 0
    assert np.array_equal(np.load(out), x[None, None] + 5)
    # Quotients are floats, and integers beyond int64 are refused.
    assert run("apply", CONV, source, out, "--kernel", "box3")[0] == 0
    assert np.load(out).dtype == np.float64
    np.save(source, np.full((3, 3), 2**62))
    before = out.read_bytes()
    output = refuse("apply", CONV, source, out, "--weight", "[[1,1,1],[1,1,1],[1,1,1]]")
    assert "output must hold integers of int64" in output
    assert out.read_bytes() == before


def damaged(tmp_path):
    """Name → a file that is not what it claims."""
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "folder.png").mkdir()
    np.save(tmp_path / "objects.npy", np.array([[1, None]]), allow_pickle=True)
    np.save(tmp_path / "flags.npy", np.ones((4, 4), dtype=bool))
    np.save(tmp_path / "text-entries.npy", np.full((4, 4), "a"))
    np.save(tmp_path / "flat.npy", np.ones(4, dtype=int))
    np.save(tmp_path / "channels.npy", np.ones((2, 4, 4), dtype=int))
    np.save(tmp_path / "good.npy", np.ones((4, 4), dtype=int))
    whole = (tmp_path / "good.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-8])
    (tmp_path / "bomb.npy").write_bytes(whole.replace(b"(4, 4), }      ", b"(99999, 99999)}"))
    np.savez(tmp_path / "several.npz", a=np.ones(3))
    (tmp_path / "archive.npy").write_bytes((tmp_path / "several.npz").read_bytes())
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    for name in ("cut.png", "cut.jpg"):
        content = save(tmp_path / name, noise).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.png", "file must exist, got"),
        ("missing.npy", "file must exist, got"),
        ("folder.png", "file must be a regular file"),
        ("text.png", "file must be an image"),
        ("empty.png", "file must be an image"),
        ("cut.png", "image must be readable"),
        ("cut.jpg", "image must be readable"),
        ("text.npy", "file must be a .npy array"),
        ("empty.npy", "file must be a .npy array"),
        ("archive.npy", "file must be a .npy array"),
        ("cut.npy", "array must be complete, got 120 of 128 bytes"),
        ("bomb.npy", "array must be complete, got 128 of 79998400008 bytes"),
        ("objects.npy", "array must hold plain numbers, got Python objects"),
        ("flags.npy", "input must hold numbers, got booleans"),
        ("text-entries.npy", "must hold integers"),
        ("flat.npy", "data must have at least 2 axes, got shape (4,)"),
        ("channels.npy", "x must have shape (*batch, 1, 4, 4), got (2, 4, 4)"),
    ],
)
@pytest.mark.parametrize("target", ["out.png", "out.npy"])
def test_damaged_inputs(tmp_path, name, message, target, image):
    damaged(tmp_path)
    before = sorted(os.listdir(tmp_path))
    arguments = ("apply", CONV, tmp_path / name, tmp_path / target, "--kernel", "sobel_x")
    output = refuse(*arguments)
    assert message in output
    assert sorted(os.listdir(tmp_path)) == before


def test_image_limits(tmp_path, image, monkeypatch):
    source, out = save(tmp_path / "in.png", image), tmp_path / "out.png"
    arguments = ("apply", CONV, source, out, "--kernel", "box3")
    with monkeypatch.context() as patch:
        patch.setattr(files, "MAX_PIXELS", 107)
        assert "image must have at most 107 pixels" in refuse(*arguments)
    with monkeypatch.context() as patch:
        patch.setattr(files, "MAX_SIDE", 11)
        assert "and 11 along one side, got 9×12" in refuse(*arguments)
    with monkeypatch.context() as patch:
        patch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 50)
        assert "image is too large" in refuse(*arguments)
    output = refuse("apply", "Conv2d(1, 1, 3, padding=100000)", source, out, "--kernel", "box3")
    assert "would take" in output
    assert sorted(os.listdir(tmp_path)) == ["in.png"]


@pytest.mark.parametrize(
    ("layer", "target", "options", "message"),
    [
        (HOSTILE, "o.png", (), "got attribute access"),
        (CONV, "o.png", (), "weight must be given"),
        (CONV, "o.png", ("--kernel", "box9"), "kernel must be one of"),
        (CONV, "o.png", ("--weight", "[[1, 2]]"), "weight must have shape (1, 1, 3, 3), or (3, 3)"),
        (CONV, "o.png", ("--weight", "[[1, 2], [3]]"), "rows of one length"),
        (CONV, "o.png", ("--kernel", "box3", "--bias", "1, 2"), "bias must have shape (1,)"),
        (
            "Conv2d(1, 1, 3, bias=False)",
            "o.png",
            ("--kernel", "box3", "--bias", "1"),
            "bias must be left out",
        ),
        (CONV, "o.png", ("--kernel", "box3", "--scale", "wrap"), "'wrap' is not one of"),
        (CONV, "o.png", ("--kernel", "box3", "--input", "3x3"), "input must be the size of"),
        (CONV, "o.png", ("--kernel", "box3", "--input", "x"), "size must be whole numbers"),
        (CONV, "o.xyz", ("--kernel", "box3"), "file name must end in .npy or a format"),
        (CONV, "o", ("--kernel", "box3"), "file name must end in .npy or a format"),
        (CONV, "none/o.png", ("--kernel", "box3"), "folder must exist"),
        (CONV, "none/o.npy", ("--kernel", "box3"), "folder must exist"),
        (CONV, "folder.png", ("--kernel", "box3"), "file must be a regular file or new"),
        ("Conv1d(1, 1, 3)", "o.png", ("--weight", "1,1,1"), "layer must have 2 axes for an image"),
        ("Conv2d(1, 1, 3)", "o.png", ("--kernel", "gaussian5"), "or (3, 3) for one kernel"),
        ("Conv2d(1, 1, 13)", "o.png", ("--weight", "1"), "output size must be >= 1"),
        ("Conv2d(1, 2, 3)", "o.png", ("--kernel", "box3"), "1 or 3 channels for an image"),
        ("Unfold((2, 2))", "o.png", (), "1 or 3 channels for an image"),
        ("AvgPool2d(2)", "o.png", ("--kernel", "box3"), "has no free weights"),
        ("AvgPool2d(2)", "o.png", ("--bias", "1"), "bias must be left out"),
        ("Conv2d(1, 1, 3, stride=5)", "o.png", ("--kernel", "box3", "--transpose"), "which size"),
        ("Pad((6, 6))", "o.png", ("--transpose",), "data must be what"),
    ],
)
def test_apply_refusals(tmp_path, image, layer, target, options, message):
    source = save(tmp_path / "in.png", image[:8, :8])
    (tmp_path / "folder.png").mkdir()
    assert message in refuse("apply", layer, source, tmp_path / target, *options)
    assert sorted(os.listdir(tmp_path)) == ["folder.png", "in.png"]
    assert os.listdir(tmp_path / "folder.png") == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[np.nan, 1.0]]), "image must have finite values"),
        (np.array([[np.inf, 1.0]]), "image must have finite values"),
        (np.array([[1j, 1.0]]), "image must have real values"),
    ],
)
def test_arrays_that_are_no_images(tmp_path, values, message):
    pytest.importorskip("PIL")
    np.save(tmp_path / "in.npy", values)
    arguments = ("Conv2d(1, 1, 1)", tmp_path / "in.npy", tmp_path / "o.png", "--weight", "[[1]]")
    assert message in refuse("apply", *arguments)
    assert os.listdir(tmp_path) == ["in.npy"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission(tmp_path, image):
    source = save(tmp_path / "in.png", image)
    (tmp_path / "locked").mkdir(mode=0o500)
    output = refuse("apply", CONV, source, tmp_path / "locked/o.png", "--kernel", "box3")
    assert "file must be writable" in output


def test_failing_write_leaves_the_old_file(tmp_path, image, monkeypatch):
    source, out = save(tmp_path / "in.png", image), tmp_path / "out.png"
    out.write_text("old")

    def fail(self, file, *arguments, **options):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", fail)
    output = refuse("apply", CONV, source, out, "--kernel", "box3")
    assert "No space left on device" in output
    assert out.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["in.png", "out.png"]
