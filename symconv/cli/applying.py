"""``symconv apply``: a layer over an image or an array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from symconv.cli.options import (
    chosen_weight,
    kernel_option,
    layer_argument,
    numbers_from,
    parsed,
    size_option,
    transpose_option,
    weight_option,
)
from symconv.errors import FileError
from symconv.files import image_format, read_array, read_image, write_atomically, write_image
from symconv.filtering import SCALES, run_layer

__all__ = ["apply"]


@click.command(short_help="Run LAYER over an image or an array.")
@layer_argument
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUTPUT", type=click.Path(path_type=Path))
@kernel_option
@weight_option
@click.option(
    "--bias",
    type=parsed("numbers", numbers_from("bias")),
    metavar="TEXT|FILE.npy",
    help="One number per output channel; zeros if left out.",
)
@transpose_option
@size_option(help="With --transpose: size of the layer's input, where several have this output.")
@click.option(
    "--scale",
    type=click.Choice(SCALES),
    default="clip",
    show_default=True,
    help="Values in an output image. clip: cut at 0 and 255; rescale: least to 0, greatest to "
    "255; abs: drop the signs, then cut.",
)
def apply(
    layer: Any,
    source: Path,
    target: Path,
    kernel: str | None,
    weight: Any,
    bias: Any,
    transpose: bool,
    size: tuple[int, ...] | None,
    scale: str,
) -> None:
    """Run LAYER over INPUT and write OUTPUT: images, or arrays in .npy files, by suffix.

    An image becomes grey for a layer of one input channel and colours for one of three; layers
    without weights take its channels one by one. Arrays are (*batch, channels, *size).

    Integers with integer or fractional weights are computed exactly: one division at the end. In
    an image the result is rounded to the nearest integer, halves upwards; in a .npy file integers
    stay int64 and quotients become float64.
    """
    is_image = source.suffix.lower() != ".npy"
    to_image = target.suffix.lower() != ".npy"
    if to_image:
        # A name that cannot be written is reported before the work.
        image_format(target)
    numbers, divisor = chosen_weight(kernel, weight)
    filtered = run_layer(
        layer,
        read_image(source) if is_image else read_array(source),
        is_image=is_image,
        transpose=transpose,
        input_size=size,
        weight=numbers,
        divisor=divisor,
        bias=None if bias is None else np.atleast_1d(bias),
    )
    if not to_image:
        array = filtered.numbers()
        write_atomically(target, lambda file: np.save(file, array, allow_pickle=False))
        return
    samples = _image_samples(filtered.samples(scale))
    write_image(target, samples)
    share = filtered.outside()
    if scale == "clip" and share:
        click.echo(
            f"note: {share:.1%} of the values were outside 0…255 and were cut; "
            f"see --scale rescale and abs",
            err=True,
        )


def _image_samples(samples: Any) -> Any:
    if samples.ndim == 3 and samples.shape[0] == 1:
        samples = samples[0]
    if samples.size and (samples.ndim == 2 or (samples.ndim == 3 and samples.shape[0] == 3)):
        return samples
    raise FileError(
        f"output must have 1 or 3 channels for an image, got shape {samples.shape}; "
        f"write a .npy file"
    )
