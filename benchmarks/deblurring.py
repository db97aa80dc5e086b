"""A photograph blurred by a 5×5 binomial kernel and restored: exactly on crops, then whole.

Asserted: the exact solutions are the original crops, integer by integer; the iterations at full
size reach a small residual, come nearer to the original than the blurred image is, and their
certificates hold. With a file name as argument the picture is written there.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.cbook import get_sample_data

from symconv.deblurring import Restored, draw, restore, restore_exactly
from symconv.files import grey, read_image

#: First row and column of the crops, and what the picture shows of the regularised images.
CORNER = 60, 170
DETAIL = slice(130, 290), slice(170, 330)
IMAGES = ("original", "blurred", "restored")


def show(name: str, result: Restored) -> None:
    certificate = result.found.certificate
    rows, columns = result.original.shape
    error = "no bound" if certificate.error is None else f"{certificate.error:.1e}"
    print(
        f"{name:<34} {rows}×{columns}  {result.seconds:6.2f} s  "
        f"{result.found.iterations:4d} steps  rms error "
        f"{result.blurred_error:6.3f} → {result.error:.3g} grey levels  "
        f"‖Ax − y‖ ≤ {certificate.residual[1]:.3g}  ‖gradient‖ ≤ {certificate.gradient[1]:.1e}  "
        f"‖x − x*‖ ≤ {error}"
    )


def main() -> None:
    path = Path(get_sample_data("grace_hopper.jpg", asfileobj=False))
    image = np.rint(grey(read_image(path))).astype(np.int64)
    results = []
    for side in (32, 64, 128):
        exact = restore_exactly(image, CORNER, side)
        assert np.array_equal(exact.restored, exact.original)
        assert exact.found.certificate.residual == (0.0, 0.0)
        assert exact.blurred_error > 1
        show("exact over QQ", exact)
    results.append(exact)
    plain = restore(image, rounded=False, regularization=0.0, iterations=200)
    assert plain.found.certificate.residual[1] / np.sqrt(image.size) < 0.01
    assert plain.error < 0.4 * plain.blurred_error
    show("lsqr, exact data", plain)
    for strength in (1e-3, 1e-2):
        smooth = restore(image, rounded=True, regularization=strength)
        assert smooth.error < 0.7 * smooth.blurred_error
        assert smooth.found.certificate.error < 1e-3
        show(f"lsqr, data rounded, λ = {strength:g}", smooth)
        # Whole, the differences do not show.
        images = {name: getattr(smooth, name)[DETAIL] for name in IMAGES}
        results.append(replace(smooth, **images))
    results.insert(1, plain)
    if len(sys.argv) > 1:
        with Path(sys.argv[1]).open("wb") as file:
            draw(file, results)


if __name__ == "__main__":
    main()
