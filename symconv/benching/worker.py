"""One engine in a process of its own: ``python -m symconv.benching.worker ENGINE THREADS``.

Libraries keep thread pools that spin for a while after each call and slow down whoever computes
next, so that engines are measured in processes that take turns. Lines of JSON come in and go out.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from typing import Any

import numpy as np

from symconv.benching.cases import CASES, IMAGES, data
from symconv.benching.engines import make

__all__ = ["main"]


def digest(answer: Any) -> str:
    """A fingerprint of an array of integers, whatever their type."""
    array = np.asarray(answer)
    rounded = np.rint(array).astype(np.int64)
    if not np.array_equal(rounded, array):
        # Transforms round: their answers are integers only after rounding.
        if np.abs(rounded - array).max() > 2**-4:
            return "no integers"
        array = rounded
    whole = np.ascontiguousarray(rounded.reshape(-1))
    return hashlib.sha256(whole.tobytes()).hexdigest()


class Kept:
    """What is timed, made once per question."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.key: tuple[Any, ...] | None = None
        self.run: Any = None

    def ready(self, name: str, dtype: str, transposed: bool) -> Any:
        """The function that is timed."""
        if self.key != (name, dtype, transposed):
            self.run = None
            case = {**CASES, **IMAGES}[name]
            self.run = make(self.engine, case, *data(case, dtype, transposed), transposed)
            self.key = name, dtype, transposed
        return self.run


def main(engine: str, threads: str) -> int:
    """Answer questions until there are no more."""
    kept = Kept(engine)
    if engine == "torch":
        import torch  # noqa: PLC0415 - this process alone

        torch.set_num_threads(int(threads))
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        asked = json.loads(line)
        run = kept.ready(asked["case"], asked["dtype"], asked["transposed"])
        answer: dict[str, Any] = {"seconds": None, "digest": None}
        if run is not None:
            if asked["first"]:
                answer["digest"] = digest(run())
            best = float("inf")
            for _ in range(asked["repeats"]):
                begin = time.perf_counter()
                run()
                best = min(best, time.perf_counter() - begin)
            answer["seconds"] = best
        print(json.dumps(answer), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    sys.exit(main(sys.argv[1], sys.argv[2]))
