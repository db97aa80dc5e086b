"""Running the command line inside the tests; click must be there."""

from __future__ import annotations

from click.testing import CliRunner

from symconv.cli import commands

CONV = "Conv2d(1, 1, 3, padding=1)"
HOSTILE = "__import__('os').system('echo run')"


def run(*arguments):
    """Exit status and everything printed."""
    result = CliRunner().invoke(commands, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def refuse(*arguments, status=2):
    code, output = run(*arguments)
    assert code == status
    assert "error: " in output.lower()
    return output
