"""Max and average pooling of a float32 batch 8×64×112×112 against PyTorch, answers asserted.

3×3 stride 2 with padding 1, and 2×2 stride 2: values, indices and gradients, each at most 1.5×
PyTorch's time, both with two threads. The gradient of max pooling is found from its input, so
that PyTorch's side is forward and backward; of average pooling it is the backward alone. The two
run in programs of their own, in turns: thread pools that spin would slow each other down.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
from common import best, finish, report

SHAPE = (8, 64, 112, 112)
SETTINGS = {"3×3 stride 2, padding 1": (3, 2, 1), "2×2 stride 2": (2, 2, 0)}
ROUNDS = 4


def batch() -> np.ndarray:
    """Small integers: every sum is exact in float32, whatever its order."""
    return np.random.default_rng(0).integers(-99, 100, SHAPE).astype(np.float32)


def arriving(shape: tuple[int, ...]) -> np.ndarray:
    """What arrives at an output: multiples of 36, which every divisor here divides."""
    return 36 * np.random.default_rng(2).integers(-99, 100, shape).astype(np.float32)


def runs(engine: str) -> dict[str, Any]:
    """Name → call, for one engine."""
    x = batch()
    calls: dict[str, Any] = {}
    if engine == "symconv":
        import symconv as sc  # noqa: PLC0415 - one engine per program

        for name, (kernel, stride, padding) in SETTINGS.items():
            largest = sc.MaxPool2d(kernel, stride=stride, padding=padding).operator(SHAPE[2:])
            mean = sc.AvgPool2d(kernel, stride=stride, padding=padding).operator(SHAPE[2:])
            y = arriving((*SHAPE[:2], *mean.output_shape))
            calls |= {
                f"MaxPool {name}": lambda op=largest: op.apply(x),
                f"AvgPool {name}": lambda op=mean: op.apply(x),
                f"MaxPool {name}, indices": lambda op=largest: op.apply(x, return_indices=True)[1],
                f"MaxPool {name}, gradient": lambda op=largest, y=y: op.gradient(x, y),
                f"AvgPool {name}, gradient": lambda op=mean, y=y: op.T.apply(y),
            }
        return calls
    import torch  # noqa: PLC0415

    torch.set_num_threads(2)
    functional, tensor = torch.nn.functional, torch.from_numpy(x)
    tracked = torch.from_numpy(x.copy()).requires_grad_()
    for name, setting in SETTINGS.items():
        mean = functional.avg_pool2d(tracked, *setting)
        y = torch.from_numpy(arriving(tuple(mean.shape)))

        def indices(setting: Any = setting) -> Any:
            return functional.max_pool2d(tensor, *setting, return_indices=True)[1].numpy()

        def largest_gradient(setting: Any = setting, y: Any = y) -> Any:
            z = functional.max_pool2d(tracked, *setting)
            return torch.autograd.grad(z, tracked, y)[0].numpy()

        def mean_gradient(mean: Any = mean, y: Any = y) -> Any:
            return torch.autograd.grad(mean, tracked, y, retain_graph=True)[0].numpy()

        calls |= {
            f"MaxPool {name}": lambda s=setting: functional.max_pool2d(tensor, *s).numpy(),
            f"AvgPool {name}": lambda s=setting: functional.avg_pool2d(tensor, *s).numpy(),
            f"MaxPool {name}, indices": indices,
            f"MaxPool {name}, gradient": largest_gradient,
            f"AvgPool {name}, gradient": mean_gradient,
        }
    return calls


def measured(engine: str) -> dict[str, tuple[float, float]]:
    """Name → (seconds, checksum), from a program of its own."""
    command = [sys.executable, __file__, "--engine", engine]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {name: tuple(pair) for name, pair in json.loads(done.stdout).items()}


def checksum(y: np.ndarray) -> float:
    """A sum in which every place counts differently, exact enough to tell arrays apart."""
    weights = np.random.default_rng(1).integers(1, 1000, y.shape)
    # Ninths and quarters become whole numbers, up to the rounding of the one division.
    return float((np.rint(36 * y.astype(np.float64)) * weights).sum())


def main() -> None:
    times: dict[str, dict[str, list[float]]] = {"symconv": {}, "torch": {}}
    sums: dict[str, set[float]] = {}
    for _ in range(ROUNDS):
        for engine, found in times.items():
            for name, (seconds, total) in measured(engine).items():
                found.setdefault(name, []).append(seconds)
                sums.setdefault(name, set()).add(total)
    assert all(len(totals) == 1 for totals in sums.values()), "the engines' values differ"
    results = [
        report(name, min(ours), "PyTorch, two threads", min(times["torch"][name]), 1.5)
        for name, ours in times["symconv"].items()
    ]
    finish(results)


if __name__ == "__main__":
    if "--engine" in sys.argv:
        answers = {}
        for name, call in runs(sys.argv[-1]).items():
            seconds, y = best(call, 9)
            answers[name] = (seconds, checksum(y))
        print(json.dumps(answers))
    else:
        main()
