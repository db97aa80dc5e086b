"""``symconv bench``: how fast, beside other libraries, on this machine."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import click
from rich import box
from rich.console import Console
from rich.table import Table

from symconv.benching import CASES, ENGINES, IMAGES, Measurement, bench
from symconv.benching.engines import is_installed
from symconv.cli.options import json_option

__all__ = ["bench_command"]

#: Columns where nobody says how many there are.
WIDTH = 110


@click.command("bench", epilog=f"Cases: {'; '.join([*CASES, *IMAGES])}.")
@click.argument("cases", nargs=-1, metavar="[CASE]…")
@click.option(
    "--engine", "engines", multiple=True, type=click.Choice(list(ENGINES)),
    help="Measure this one; repeat for several. Without it symconv, and torch where installed.",
)  # fmt: skip
@click.option(
    "--dtype", "dtypes", multiple=True, type=click.Choice(["float64", "float32", "int32"]),
    help="Without it float64 and float32.",
)  # fmt: skip
@click.option("--images", is_flag=True, help="The single images of signal processing instead.")
@click.option("--threads", type=click.IntRange(min=1), help="Without it all processors.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@json_option
def bench_command(
    cases: tuple[str, ...],
    engines: tuple[str, ...],
    dtypes: tuple[str, ...],
    images: bool,
    threads: int | None,
    rounds: int,
    as_json: bool,
) -> None:
    """Time convolutions by several libraries in turns, and compare every answer.

    Times are milliseconds, the best of all rounds; ratios are to the first engine's peer, below 1
    where the first engine is faster. The exit status is 1 if any answer differs.
    """
    default = ("symconv", *(("scipy.signal", "scipy.ndimage") if images else ()))
    chosen = engines or (*default, *(["torch"] if is_installed("torch") else []))
    names = cases or tuple(IMAGES if images else CASES)
    directions = ("forward",) if images else ("forward", "transposed")
    console = Console(stderr=True, highlight=False)
    with console.status("measuring") as status:
        found = bench(
            chosen,
            names,
            dtypes=dtypes or ("float64", "float32"),
            directions=directions,
            rounds=rounds,
            threads=threads,
            on_measurement=lambda one: status.update(f"measured {one.case}, {one.dtype}"),
        )
    if as_json:
        click.echo(json.dumps([asdict(measured) for measured in found], ensure_ascii=False))
    else:
        _show(found, chosen)
    if not all(measured.agree for measured in found):
        raise SystemExit(1)


def _show(found: list[Measurement], engines: tuple[str, ...]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("case", "type", "direction"):
        table.add_column(heading)
    first, *others = engines
    for engine in engines:
        table.add_column(f"{engine} ms", justify="right")
    for other in others:
        table.add_column(f"/ {other}", justify="right")
    table.add_column("answers")
    for one in found:
        direction = "transposed" if one.transposed else "forward"
        times = [_number(one.seconds[engine], 1000) for engine in engines]
        beside = [_number(one.ratio(first, other)) for other in others]
        verdict = "equal" if one.agree else "DIFFER"
        table.add_row(one.case, one.dtype, direction, *times, *beside, verdict)
    console.print(table)
    for dtype in dict.fromkeys(one.dtype for one in found):
        for transposed in (False, True):
            for other in others:
                rows = [one for one in found if (one.dtype, one.transposed) == (dtype, transposed)]
                ratios = [ratio for one in rows if (ratio := one.ratio(first, other)) is not None]
                if ratios:
                    mean = math.exp(math.fsum(map(math.log, ratios)) / len(ratios))
                    console.print(
                        f"{first} / {other}, {dtype}, {'transposed' if transposed else 'forward'}: "
                        f"geometric mean {mean:.2f}, largest {max(ratios):.2f}"
                    )


def _number(value: float | None, scale: float = 1.0) -> str:
    return "–" if value is None else f"{scale * value:.2f}"
