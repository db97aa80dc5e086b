"""``symconv audit``: every convolution and pooling of an ONNX file against the exact operator."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from symconv.adapters.engines import ENGINES
from symconv.auditing import audit
from symconv.auditing.page import html
from symconv.cli.options import json_option, scheduler_option, symbolic_size_option
from symconv.cluster import connected
from symconv.files import write_atomically

__all__ = ["audit_command"]


@click.command("audit")
@click.argument("model", metavar="MODEL.onnx", type=click.Path(path_type=Path))
@click.option(
    "--engine", "engines", multiple=True, type=click.Choice(list(ENGINES)),
    default=["onnxruntime"], show_default=True, help="Run on this one; repeat for several.",
)  # fmt: skip
@symbolic_size_option(
    "--input",
    "input_shape",
    help="Channels and size, as 3x224x224, where the file leaves any open.",
)
@click.option(
    "--max-macs", type=click.IntRange(min=1), default=2**28, show_default=True,
    help="Multiply-accumulates per sample from which a map is probed at a smaller size.",
)  # fmt: skip
@click.option(
    "--node-limit", type=click.FloatRange(min=0, min_open=True, max=10**6, max_open=True),
    default=60.0, show_default=True, help="Seconds for a node on an engine.",
)  # fmt: skip
@scheduler_option
@json_option
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path),
    help="Write the table as a page to this file.",
)
def audit_command(
    model: Path,
    engines: tuple[str, ...],
    input_shape: Any,
    max_macs: int,
    node_limit: float,
    scheduler: str | None,
    as_json: bool,
    page: Path | None,
) -> None:
    """Verify every convolution and pooling of MODEL at its real parameters.

    The nodes run one by one with probe weights, compared with the exact operator. The exit status
    is 1 if one is refuted; what cannot be run is listed with the reason.
    """
    console = Console(stderr=True, highlight=False)
    shared = nullcontext() if scheduler is None else connected(scheduler)
    with console.status("reading", spinner="line") as status, shared as client:
        found = audit(
            model,
            engines,
            input_shape=input_shape,
            max_macs=max_macs,
            node_limit=node_limit,
            client=client,
            on_row=lambda row: status.update(f"{row.node[:60]}: {row.status}", spinner="line"),
        )
    if page is not None:
        write_atomically(page, lambda file: file.write(html(found).encode()))
    click.echo(found.json() if as_json else str(found))
    if found.refuted:
        raise SystemExit(1)
