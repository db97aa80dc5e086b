"""``symconv sweep``: an engine searched for defects at many small geometries."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from symconv.adapters.engines import ENGINES
from symconv.cli.options import json_option
from symconv.files import check_writable, write_atomically
from symconv.lattice import KINDS
from symconv.sweeping import Sweep, sweep
from symconv.verifying import FORMATS

__all__ = ["sweep_command"]


@click.command("sweep", epilog=f"Engines: {', '.join(ENGINES)}.")
@click.argument("engine")
@click.option("--kind", type=click.Choice(KINDS), default="all", show_default=True)
@click.option(
    "--budget",
    type=float,
    metavar="SECONDS",
    default=60.0,
    show_default=True,
    help="What is under way then is finished.",
)
@click.option("--count", type=click.IntRange(min=0), help="Geometries at most.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep what is done in this file, and go on after it.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Other geometries.")
@click.option(
    "--dtype",
    "dtypes",
    multiple=True,
    type=click.Choice(list(FORMATS)),
    help="Repeat for several; float32 without it.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Try the geometries on a Dask cluster.")
@json_option
@click.option(
    "--html",
    "html_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one page that opens in any browser.",
)
@click.pass_context
def sweep_command(
    ctx: click.Context,
    engine: str,
    kind: str,
    budget: float,
    count: int | None,
    journal: Path | None,
    seed: int,
    dtypes: tuple[str, ...],
    scheduler: str | None,
    as_json: bool,
    html_path: Path | None,
) -> None:
    """Search ENGINE for defects at small geometries until the budget is spent.

    Each distinct defect is reported once: shrunk, named where a known mistake fits, and computed
    again by integer loops that share no code with symconv. The exit status is 1 if there is one.
    With --journal, an interrupted sweep goes on where it stopped, and a spent one with a new
    budget.
    """
    if html_path is not None:
        # Before the work, not after it.
        check_writable(html_path)
    console = Console(stderr=True, highlight=False)
    with console.status("starting") as status:

        def show(so_far: Sweep) -> None:
            status.update(so_far.summary())

        found = sweep(
            engine,
            kind=kind,
            budget=budget,
            count=count,
            seed=seed,
            dtypes=dtypes or ("float32",),
            journal=journal,
            scheduler=scheduler,
            on_point=show,
        )
    if html_path is not None:
        page = found.html().encode()
        write_atomically(html_path, lambda file: file.write(page))
    click.echo(found.json() if as_json else str(found), nl=not as_json)
    ctx.exit(0 if found else 1)
