"""The command line: ``symconv`` or ``python -m symconv``."""

from __future__ import annotations

import sys

__all__ = ["main"]

#: Exit status after Ctrl-C, as shells count it: 128 + SIGINT.
INTERRUPTED = 130


def main() -> int:
    """Run the command line; the exit status is 0, 1 for a refuted comparison, 2 for an error."""
    try:
        # The command line needs packages that the library does not.
        from symconv.cli import commands  # noqa: PLC0415
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("click", "rich"):
            raise
        print(
            f'error: the command line needs {package}: pip install "symconv[cli]"',
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    for stream in (sys.stdout, sys.stderr):
        # A terminal without × prints ? there; it does not crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        commands(prog_name="symconv")
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
