"""``import symconv`` in a fresh interpreter, beside Python's own start and SciPy's import."""

from __future__ import annotations

import subprocess
import sys

from common import best, finish, report


def run(code: str) -> float:
    return best(lambda: subprocess.run([sys.executable, "-c", code], check=True), 5)[0]


def main() -> None:
    start = run("pass")
    light = run("import symconv, sys; assert 'numba' not in sys.modules")
    whole = run("import symconv; symconv.Conv2d(1, 1, 3).operator((4, 4))")
    peer = run("import scipy.sparse.linalg, sympy")
    print(f"Python alone {start * 1e3:.0f} ms, import symconv {(light - start) * 1e3:.0f} ms more")
    finish(
        [
            report("import symconv", light, "importing SciPy and SymPy", peer, 0.5),
            report("import and a first operator", whole, "importing SciPy and SymPy", peer, 2),
        ]
    )


if __name__ == "__main__":
    main()
