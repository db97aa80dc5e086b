"""Convolutions of real networks, forward and transposed, beside PyTorch and image libraries.

Every engine runs in a process of its own and they take turns; all answers must be the same
integers. Prints the table of ``symconv bench``, the geometric means, and which of the project's
targets hold on this machine.

    python benchmarks/convolution.py [--rounds N] [--threads N] [--only PART]
"""

from __future__ import annotations

import argparse
import math

from symconv.benching import CASES, IMAGES, Measurement, bench

#: (type, transposed, engine) → largest geometric mean of time over torch's, largest single ratio.
TARGETS = {
    ("float64", False, "symconv"): (0.35, 1.05),
    ("float64", True, "symconv"): (0.30, 1.05),
    ("float32", False, "symconv"): (1.0, 1.6),
    ("float32", True, "symconv"): (0.85, 1.6),
    ("float32", False, "bound"): (0.85, 1.6),
    ("float32", True, "bound"): (0.7, 1.6),
}


def line(one: Measurement) -> str:
    times = "".join(
        f"  {engine} {'–' if seconds is None else f'{1000 * seconds:.2f}'}"
        for engine, seconds in one.seconds.items()
    )
    direction = "transposed" if one.transposed else "forward"
    return f"{one.case:20} {one.dtype} {direction:10}{times}"


def ratios(found: list[Measurement], engine: str, peer: str) -> list[float]:
    return [ratio for one in found if (ratio := one.ratio(engine, peer)) is not None]


def mean(values: list[float]) -> float:
    return math.exp(math.fsum(map(math.log, values)) / len(values))


def networks(rounds: int, threads: int | None) -> None:
    found = bench(
        ["symconv", "bound", "torch"], CASES, rounds=rounds, threads=threads,
        on_measurement=lambda one: print(line(one), flush=True),
    )  # fmt: skip
    assert all(one.agree for one in found), "an answer differs"
    for (dtype, transposed, engine), (most, worst) in TARGETS.items():
        chosen = [one for one in found if (one.dtype, one.transposed) == (dtype, transposed)]
        got = ratios(chosen, engine, "torch")
        verdict = "holds" if mean(got) <= most and max(got) <= worst else "MISSED"
        print(
            f"{engine} / torch, {dtype}, {'transposed' if transposed else 'forward'}: geometric "
            f"mean {mean(got):.2f} (target {most}), largest {max(got):.2f} ({worst}): {verdict}"
        )


def integers(rounds: int, threads: int | None) -> None:
    """Exact int32 data beside float64 data."""
    floats = bench(["symconv"], CASES, dtypes=["float64"], rounds=rounds, threads=threads)
    exact = bench(["symconv"], CASES, dtypes=["int32"], rounds=rounds, threads=threads)
    assert all(one.agree for one in exact)
    slower = []
    for one, other in zip(exact, floats, strict=True):
        mine, peer = one.seconds["symconv"], other.seconds["symconv"]
        assert mine is not None
        assert peer is not None
        slower.append(mine / peer)
        direction = "transposed" if one.transposed else "forward"
        print(f"{one.case:20} {direction:10} int32 {1000 * mine:.2f}  / float64 {slower[-1]:.2f}")
    print(f"int32 / float64: geometric mean {mean(slower):.2f}, largest {max(slower):.2f} (2)")


def images(rounds: int, threads: int | None) -> None:
    """One image and one kernel, beside the libraries of signal processing."""
    peers = ["scipy.signal", "scipy.ndimage", "pylops"]
    found = bench(
        ["symconv", *peers], IMAGES, directions=["forward"], rounds=rounds, threads=threads,
        on_measurement=lambda one: print(line(one), flush=True),
    )  # fmt: skip
    assert all(one.agree for one in found), "an answer differs"
    for peer in peers:
        got = ratios(found, "symconv", peer)
        print(f"symconv / {peer}: geometric mean {mean(got):.3f}, largest {max(got):.2f} (1)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--only", choices=["networks", "integers", "images"])
    chosen = parser.parse_args()
    for part in (networks, integers, images):
        if chosen.only in (None, part.__name__):
            part(chosen.rounds, chosen.threads)


if __name__ == "__main__":
    main()
