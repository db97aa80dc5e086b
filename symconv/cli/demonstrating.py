"""``symconv demo``: exact matrices shown, then run over a photograph and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from symconv import demo as room
from symconv.cli.matrices import matrix_lines
from symconv.errors import FileError, MissingExtraError, ParameterError
from symconv.files import read_image, resized, write_atomically
from symconv.memory import readable

__all__ = ["demo"]

Array = npt.NDArray[Any]

#: Columns where nobody says how many there are, and the longer side of --quick.
WIDTH = 100
QUICK = 160


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("symconv-demo"),
    show_default=True,
    metavar="DIR",
    help="Folder for the picture demo.png; made if missing.",
)
@click.option(
    "--image",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Your own image, 8 bits per sample, instead of Matplotlib's photograph.",
)
@click.option(
    "--size",
    type=click.IntRange(32, 8192),
    metavar="N",
    help="Scale the image first: N pixels along its longer side.",
)
@click.option("--quick", is_flag=True, help=f"The same as --size {QUICK}.")
def demo(out: Path, image: Path | None, size: int | None, quick: bool) -> None:
    """Show exact matrices, run them over a photograph, and check every integer.

    Each result is computed by the explicit sparse matrix and without it, and compared with SciPy
    and, where it is installed, torch. The exit status is 1 if any integer differs.
    """
    if quick and size is not None:
        raise ParameterError("size must be given once: either --size or --quick")
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    colour = _photograph(image, QUICK if quick else size)
    picture = _picture_file(out)
    holds = _show_small(console)
    outcomes = _run(colour)
    _show_results(console, outcomes, image)
    write_atomically(picture, lambda file: room.draw(file, colour, outcomes))
    failed = [outcome for outcome in outcomes if not outcome.is_equal]
    for outcome in failed:
        console.print(f"{outcome.case.name}: {outcome.verdict}", style="bold red", markup=False)
    n_values = sum(outcome.computed.by_matrix.size for outcome in outcomes)
    if not failed:
        console.print(
            f"All {len(outcomes)} results, {n_values:,} integers, equal those of "
            f"{' and '.join(outcomes[0].peers)}.",
            style="bold green",
        )
    console.print(f"Picture: {picture}", markup=False, soft_wrap=True)
    if failed or not holds:
        raise click.exceptions.Exit(1)


def _photograph(image: Path | None, size: int | None) -> Array:
    """The image as uint8 (3, height, width)."""
    try:
        from matplotlib.cbook import get_sample_data  # noqa: PLC0415 - slow, optional
    except ImportError as error:
        raise MissingExtraError(
            f'the demonstration needs Matplotlib: pip install "symconv[demo]" ({error})'
        ) from None
    if image is None:
        image = Path(get_sample_data("grace_hopper.jpg", asfileobj=False))
    samples = read_image(image)
    if samples.dtype != np.uint8:
        raise FileError(f"image must have 8 bits per sample, got {samples.dtype} in {image}")
    if samples.ndim == 2:
        samples = np.stack([samples] * 3)
    return samples if size is None else resized(samples, size)


def _picture_file(folder: Path) -> Path:
    """Where the picture goes; the folder is made now, so that the work is not done in vain."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"folder must be writable, got {folder}: {error.strerror}") from None
    return folder / "demo.png"


def _show_small(console: Console) -> bool:
    """Print the small exact matrices; whether what is claimed of them holds."""
    examples = room.small()
    console.print("Exact matrices", style="bold")
    console.print(
        "Rows are outputs, columns inputs; w01 is the weight w_0_0_0_1 of tap (0, 1) from input "
        "channel 0 to output channel 0."
    )
    for example in examples:
        console.print(f"\n{example.call}", style="cyan", markup=False)
        text, _ = matrix_lines(example.operator, None, 4096, console.width)
        console.print(text, markup=False, soft_wrap=True)
        if example.claim:
            console.print(f"{'true' if example.holds else 'FALSE'}: {example.claim}")
    console.print()
    return all(example.holds for example in examples)


def _run(colour: Array) -> list[room.Outcome]:
    """All outcomes, with a bar on stderr while they come in."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar.disable = not bar.console.is_terminal
    outcomes = []
    with bar:
        task = bar.add_task("filtering and checking", total=room.n_cases())
        for outcome in room.run(colour):
            outcomes.append(outcome)
            bar.update(task, advance=1, description=outcome.case.name)
    return outcomes


def _show_results(console: Console, outcomes: list[room.Outcome], image: Path | None) -> None:
    name = "Matplotlib's photograph of Grace Hopper" if image is None else str(image)
    results = Table(
        box=box.SIMPLE_HEAD,
        title=Text(f"Layers over {name}"),
        title_justify="left",
        title_style="bold",
    )
    for heading, justify in (
        ("layer", "left"),
        ("input → output", "left"),
        ("matrix", "right"),
        ("entries, CSR", "right"),
        ("verdict", "left"),
    ):
        results.add_column(heading, justify=justify)  # type: ignore[arg-type]
    times = Table(
        box=box.SIMPLE_HEAD, title="Milliseconds", title_justify="left", title_style="bold"
    )
    times.add_column("layer")
    clocks = ("assemble", "product", "apply", *outcomes[0].peers)
    for clock in clocks:
        times.add_column(clock, justify="right")
    for outcome in outcomes:
        case, computed = outcome.case, outcome.computed
        operator = computed.operator
        verdict = outcome.verdict.replace(" to ", " to\n")
        verdict = f"[green]{verdict}[/]" if outcome.is_equal else "[bold red]DIFFERS,\nsee below[/]"
        results.add_row(
            f"{case.name}\n[dim]{case.geometry}[/]",
            f"{_shape(operator.input_shape)}\n→ {_shape(operator.output_shape)}",
            f"{operator.shape[0]}\n× {operator.shape[1]}",
            f"{operator.nnz:,}\n{readable(computed.n_bytes)}",
            verdict,
        )
        times.add_row(case.name, *(f"{1000 * outcome.seconds[clock]:.1f}" for clock in clocks))
    console.print(results)
    console.print(
        "Each result is the sparse int64 matrix times the image; op.apply without a matrix, and "
        "the other libraries from the layer's parameters alone, must give the same integers.\n"
    )
    console.print(times)


def _shape(shape: tuple[int, ...]) -> str:
    """(channels, *size), one channel left out."""
    return "×".join(map(str, shape[1:] if shape[0] == 1 else shape))
