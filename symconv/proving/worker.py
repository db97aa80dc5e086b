"""A process that decides theorems for another: identifiers in by line, rows out as JSON lines.

Started as ``python -m symconv.proving.worker``. Plain pipes work wherever symconv is called from:
the process pools of the standard library run the caller's main program again in each worker.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from symconv.proving.sharing import decided_by_name

__all__ = ["main"]


def main() -> int:
    """Decide what comes in, until nothing does."""
    answers, sys.stdout = sys.stdout, sys.stderr
    try:
        for line in sys.stdin:
            row = decided_by_name(line.strip())
            print(json.dumps(asdict(row)), file=answers, flush=True)
    except (KeyboardInterrupt, BrokenPipeError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
