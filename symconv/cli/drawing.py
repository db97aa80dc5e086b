"""``symconv draw``: a layer, a stack or a network as a picture or an animation."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from symconv.adapters.onnx import from_onnx
from symconv.cli.options import chosen_weight, kernel_option, size_option, weight_option
from symconv.drawing import VIEWS, Drawing, draw
from symconv.drawing.saving import check_path, save
from symconv.drawing.themes import THEMES
from symconv.errors import ParameterError
from symconv.filtering import fitted_weight
from symconv.layers import Layer
from symconv.parsing import parse_layer, parse_size
from symconv.separable import separate

__all__ = ["draw_command"]

#: Views of a stack of layers; the others show one layer.
STACKS = ("receptive_field", "gridding")
#: Most layers of a stack.
MAX_LAYERS = 256


@click.command("draw")
@click.argument("layers", metavar="LAYER…|NAME.onnx", nargs=-1, required=True)
@size_option(help="Size of the layer's input; of a network, channels and size: 3x224x224.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True,
    help="The file: .svg, .png (one frame), .gif, .mp4, .html (all frames).",
)  # fmt: skip
@click.option(
    "--view", type=click.Choice([*VIEWS]),
    help="What to draw: of one layer its steps unless said, of several their receptive field, of "
    "an ONNX file the network; terms are those of the layer's kernel.",
)  # fmt: skip
@click.option("--theme", type=click.Choice(THEMES), help="Colours; light unless said.")
@click.option(
    "--way", type=click.Choice(["scatter", "zero_insertion"]),
    help="How the steps of a transposed convolution are drawn.",
)  # fmt: skip
@click.option(
    "--direction", type=click.Choice(["forward", "transposed"]),
    help="Whether steps go over the outputs, which read, or over the inputs, which write.",
)  # fmt: skip
@click.option("--channels", is_flag=True, help="Draw every channel of the steps, with its group.")
@kernel_option
@weight_option
@click.option("--transpose", is_flag=True, help="The transposed operator.")
@click.option("--position", metavar="0,3", help="The output of receptive_field and gridding.")
@click.option("--axis", type=click.IntRange(0), help="The axis of receptive_field.")
@click.option("--side", type=click.Choice(["input", "output"]), help="What overlap counts.")
@click.option("--frame", type=int, default=0, show_default=True, help="The step of .svg and .png.")
@click.option("--scale", type=float, help="Pixels per unit; 2 unless said, less for animations.")
@click.option("--seconds-per-frame", type=float, default=0.5, show_default=True)
def draw_command(
    layers: tuple[str, ...],
    size: tuple[int, ...] | None,
    out: Path,
    view: str | None,
    theme: str | None,
    way: str | None,
    direction: str | None,
    channels: bool,
    kernel: str | None,
    weight: Any,
    transpose: bool,
    position: str | None,
    axis: int | None,
    side: str | None,
    frame: int,
    scale: float | None,
    seconds_per_frame: float,
) -> None:
    """Draw LAYER, a stack of LAYERs (the first is next to the input), or the network of a file.

    \b
    symconv draw "Conv2d(1, 1, 3, stride=2)" --input 5x5 --out figure.gif
    symconv draw "ConvTranspose2d(1, 1, 3, stride=2)" --input 3x3 --way zero_insertion --out t.html
    symconv draw "Conv1d(1, 1, 3, dilation=2)" "Conv1d(1, 1, 3, dilation=2)" --view gridding \\
        --out gridding.svg
    """  # noqa: D301 - click's mark for text that keeps its lines
    # A name that cannot be written is reported before the work.
    check_path(out)
    numbers, divisor = chosen_weight(kernel, weight)
    if divisor != 1:
        numbers = numbers.astype(object) * Fraction(1, divisor)
    given = {
        "way": way,
        "direction": direction,
        "channels": channels or None,
        "position": None if position is None else parse_size(position),
        "axis": axis,
        "side": side,
        "weight": numbers,
    }
    options = {name: value for name, value in given.items() if value is not None}
    drawing = _drawn(layers, view, size, options, transpose=transpose)
    save(drawing, out, theme=theme, frame=frame, scale=scale, seconds_per_frame=seconds_per_frame)
    frames = "" if drawing.n_frames == 1 else f", {drawing.n_frames} frames"
    click.echo(f"{out}: {drawing.title}{frames}")


def _drawn(
    texts: tuple[str, ...],
    view: str | None,
    size: tuple[int, ...] | None,
    options: dict[str, Any],
    *,
    transpose: bool,
) -> Drawing:
    is_file = any(text.lower().endswith(".onnx") for text in texts)
    if is_file and len(texts) > 1:
        raise ParameterError(f"layer must be the only one beside a file, got {len(texts)}")
    if len(texts) > MAX_LAYERS:
        raise ParameterError(f"layers must number at most {MAX_LAYERS}, got {len(texts)}")
    chosen = view or ("network" if is_file else "receptive_field" if len(texts) > 1 else "steps")
    if transpose and (is_file or chosen in (*STACKS, "terms", "network")):
        raise ParameterError(f"transpose must be left out for the view {chosen}")
    if is_file:
        network = from_onnx(Path(texts[0]), size)
        return draw(network, chosen, **options, **({} if size is None else {"input_shape": size}))
    if chosen == "network":
        raise ParameterError("view network needs the name of a file that ends in .onnx")
    stack = [parse_layer(text) for text in texts]
    if chosen in STACKS:
        return _of_stack(stack, chosen, size, options)
    if len(stack) > 1:
        raise ParameterError(f"layer must be one for the view {chosen}, got {len(stack)}")
    return _of_layer(stack[0], chosen, size, options, transpose=transpose)


def _of_stack(
    stack: list[Layer], view: str, size: tuple[int, ...] | None, options: dict[str, Any]
) -> Drawing:
    if view == "receptive_field" and "position" in options:
        options["position"] = _one_axis(options, stack[0].rank)
    return draw(stack, view, **options, **({} if size is None else {"input_size": size}))


def _of_layer(
    layer: Layer,
    view: str,
    size: tuple[int, ...] | None,
    options: dict[str, Any],
    *,
    transpose: bool,
) -> Drawing:
    if view == "terms":
        if "weight" not in options:
            raise ParameterError("weight or kernel must be given for the view terms")
        return draw(separate(options.pop("weight")), view, **options)
    if size is None:
        raise ParameterError(f"input must be given for the view {view}, such as --input 5x5")
    operator: Any = layer.operator(size)
    if "weight" in options:
        options["weight"] = fitted_weight(options["weight"], operator)
    if transpose and not hasattr(operator, "T"):
        raise ParameterError(f"transpose must be left out for {layer.describe()}")
    return draw(operator.T if transpose else operator, view, **options)


def _one_axis(options: dict[str, Any], rank: int) -> int:
    """The position on the one axis that the pyramid shows."""
    position: tuple[int, ...] = options["position"]
    if len(position) not in (1, rank):
        raise ParameterError(f"position must have 1 or {rank} entries, got {len(position)}")
    return position[0] if len(position) == 1 else position[min(options.get("axis", 0), rank - 1)]
