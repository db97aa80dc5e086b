"""``symconv prove`` and ``symconv check``: the ledger, and certificates by themselves."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from symconv.cli.options import scheduler_option
from symconv.cluster import connected
from symconv.errors import FileError
from symconv.files import check_writable, write_atomically
from symconv.proving import checker
from symconv.proving.certified import Certified
from symconv.proving.collecting import chosen
from symconv.proving.ledger import Ledger, prove as decide
from symconv.proving.report import report_html
from symconv.proving.rows import Row
from symconv.proving.store import certificate_paths, write_certificate
from symconv.proving.tracing import lift
from symconv.verdict import PROVED

__all__ = ["check", "prove"]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@click.command()
@click.argument("identifiers", nargs=-1, metavar="[ID]…")
@click.option("--subject", metavar="S", help="Only the theorems of one subject.")
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the ledger as JSON.",
)
@click.option(
    "--html",
    "html_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the ledger as one page that opens in any browser.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), default=_cores, help="Processes; one a core."
)
@scheduler_option
@click.option("--fresh", is_flag=True, help="Do not go on where an interrupted run stopped.")
@click.option("--find", is_flag=True, help="First find the certificates anew (extra: find).")
@click.option("--quiet", is_flag=True, help="Print the summary alone.")
@click.pass_context
def prove(
    ctx: click.Context,
    identifiers: tuple[str, ...],
    subject: str | None,
    json_path: Path | None,
    html_path: Path | None,
    workers: int,
    scheduler: str | None,
    fresh: bool,
    find: bool,
    quiet: bool,
) -> None:
    """Decide theorems and print the ledger: all of them, or those with an ID.

    The exit status is 1 when a verdict is not the expected one. An interrupted run goes on where
    it stopped when it is started again.
    """
    # Before the work, not after it.
    for path in (json_path, html_path):
        if path is not None:
            check_writable(path)
    ids = identifiers or None
    if find:
        _find(ids, subject)
    journal = _journal(fresh)
    with _progress() as progress:
        task = progress.add_task("theorems", total=None)

        def on_row(row: Row, done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, description=row.identifier)

        shared = contextlib.nullcontext() if scheduler is None else connected(scheduler)
        with shared as client:
            ledger = decide(
                ids,
                subject=subject,
                workers=workers if client is None else 1,
                client=client,
                journal=journal,
                on_row=on_row,
            )
    _write(ledger, json_path, html_path)
    click.echo(ledger.summary() if quiet else str(ledger))
    ctx.exit(0 if ledger else 1)


def _progress() -> Progress:
    """Progress on stderr, and none where that is no terminal."""
    console = Console(stderr=True)
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _journal(fresh: bool) -> Path | None:
    """The file that an interrupted run leaves; None where the home cannot be written."""
    path = Path(click.get_app_dir("symconv")) / "ledger.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            path.unlink(missing_ok=True)
    except OSError:
        return None
    return path if os.access(path.parent, os.W_OK) else None


def _find(ids: tuple[str, ...] | None, subject: str | None) -> None:
    """Find and store the certificates of the chosen theorems for all sizes."""
    # SciPy's optimisers and z3, which nothing else needs.
    from symconv.proving import finder  # noqa: PLC0415

    for theorem in chosen(ids, subject):
        method = theorem.method
        if not isinstance(method, Certified) or theorem.expected != PROVED:
            continue
        try:
            document = finder.find(theorem.identifier, lift(method.define))
        except finder.NotFoundError as error:
            click.echo(f"not found: {theorem.identifier}: {error}", err=True)
            continue
        write_certificate(document)
        click.echo(f"found: {theorem.identifier}", err=True)


def _write(ledger: Ledger, json_path: Path | None, html_path: Path | None) -> None:
    if json_path is not None:
        data = ledger.json().encode()
        write_atomically(json_path, lambda file: file.write(data))
    if html_path is not None:
        page = report_html(ledger.data()).encode()
        write_atomically(html_path, lambda file: file.write(page))


@click.command()
@click.argument("certificates", nargs=-1, type=click.Path(), metavar="[CERTIFICATE]…")
@click.pass_context
def check(ctx: click.Context, certificates: tuple[str, ...]) -> None:
    """Check CERTIFICATE files, or all that come with symconv.

    The checker is one file that needs nothing but Python:
    python -I -S symconv/proving/checker.py CERTIFICATE.json
    """
    paths: list[Any] = list(certificates) or certificate_paths()
    if not paths:
        raise FileError("there are no certificates to check")
    ctx.exit(checker.main([str(path) for path in paths]))
