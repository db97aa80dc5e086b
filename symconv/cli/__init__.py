"""The command line: exact matrices, layers over images, and the demonstration."""

from __future__ import annotations

import click

from symconv import __version__
from symconv.cli.applying import apply
from symconv.cli.auditing import audit_command
from symconv.cli.benching import bench_command
from symconv.cli.demonstrating import demo
from symconv.cli.drawing import draw_command
from symconv.cli.exploring import explore_command
from symconv.cli.matrices import matrix
from symconv.cli.numbers import count, receptive_field
from symconv.cli.options import Commands
from symconv.cli.overlapping import overlap
from symconv.cli.pooling import pool
from symconv.cli.proving import check, prove
from symconv.cli.separating import separate_command
from symconv.cli.sizes import shape
from symconv.cli.summarising import summary
from symconv.cli.sweeping import sweep_command
from symconv.cli.vectors import vectors

__all__ = ["commands"]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="symconv")
def commands() -> None:
    """Convolutions as exact sparse matrices.

    LAYER is a call such as "Conv2d(1, 1, 3, stride=2, padding=((0, 1), (1, 1)))", with the names
    and parameters of the Python package; nothing in it is run.
    """


commands.add_command(prove)
commands.add_command(check)
commands.add_command(matrix)
commands.add_command(apply)
commands.add_command(pool)
commands.add_command(demo)
commands.add_command(shape)
commands.add_command(count)
commands.add_command(overlap)
commands.add_command(receptive_field)
commands.add_command(summary)
commands.add_command(separate_command)
commands.add_command(bench_command)
commands.add_command(audit_command)
commands.add_command(sweep_command)
commands.add_command(vectors)
commands.add_command(draw_command)
commands.add_command(explore_command)
