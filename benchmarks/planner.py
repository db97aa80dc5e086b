"""The planner's choice against every plan, timed, on random geometries.

For each geometry all plans that can run are timed, their answers are compared, and the time of the
chosen one is divided by that of the fastest. The target: at most 1.2 in at least 90 % of 200.

    python benchmarks/planner.py [--count N] [--seed N] [--fit]

With --fit the estimates are printed beside the times, plan by plan, to set `execute/speeds.py`.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import time
from collections import Counter

import numpy as np

import symconv as sc
from symconv.errors import SymconvError
from symconv.execute.planner import PLANS

TARGET, SHARE = 1.2, 0.9

#: Products of one call at most, so that 200 geometries take minutes.
MOST_PRODUCTS = 4e8


def geometry(rng: random.Random) -> tuple[sc.Layer, tuple[int, ...], int, type, bool] | None:
    """A layer, a size, a batch, a type and a direction."""
    rank = rng.choice([1, 2, 2, 2, 3])
    groups = rng.choice([1, 1, 1, 2, 4, 32])
    depthwise = rng.random() < 0.15
    inward, outward = (rng.choice([1, 3, 4, 16, 32, 64, 128]) for _ in range(2))
    if depthwise:
        inward = outward = groups = rng.choice([8, 32, 96])
    else:
        inward, outward = groups * max(inward // groups, 1), groups * max(outward // groups, 1)
    taps = rng.choice([1, 2, 3, 3, 3, 5, 7, 11] if rank < 3 else [1, 2, 3])
    side = {1: [64, 500, 4000, 50000], 2: [7, 14, 28, 56, 112, 224], 3: [7, 14, 28]}[rank]
    size = tuple(rng.choice(side) for _ in range(rank))
    stride = rng.choice([1, 1, 1, 2, 2, 3])
    dilation = rng.choice([1, 1, 1, 2])
    try:
        layer = sc.Conv(
            inward, outward, (taps,) * rank, stride=stride, dilation=dilation,
            padding=rng.choice([0, dilation * (taps - 1) // 2]), groups=groups, bias=False,
            padding_mode=rng.choice(["zeros"] * 8 + ["circular", "reflect"]),
        )  # fmt: skip
        operator = layer.operator(size)
    except SymconvError:
        return None
    batch = rng.choice([1, 2, 8])
    products = math.prod(operator.output_shape) * math.prod(operator.weight_shape[1:]) * batch
    if not 1e4 < products < MOST_PRODUCTS:
        return None
    return layer, size, batch, rng.choice([np.float32, np.float64]), rng.random() < 0.5


def best(run: object, least: float = 0.05) -> float:
    """The least time of at least three calls and `least` seconds."""
    found, spent = math.inf, 0.0
    count = 0
    while count < 3 or spent < least:
        begin = time.perf_counter()
        run()
        taken = time.perf_counter() - begin
        found, spent, count = min(found, taken), spent + taken, count + 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fit", action="store_true")
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)  # noqa: S311 - geometries, no secrets
    data = np.random.default_rng(chosen.seed)
    losses: list[float] = []
    picked: Counter[str] = Counter()
    quotients: dict[str, list[float]] = {plan.name: [] for plan in PLANS}
    # The compiled loops load once, before anything is timed.
    warm = sc.Conv2d(1, 1, 3, bias=False).operator((8, 8))
    for dtype in (np.float32, np.float64):
        warm.apply(np.ones((1, 1, 8, 8), dtype), np.ones((1, 1, 3, 3), dtype), plan="implicit")
    while len(losses) < chosen.count:
        drawn = geometry(rng)
        if drawn is None:
            continue
        layer, size, batch, dtype, transposed = drawn
        operator = layer.operator(size)
        operator = operator.T if transposed else operator
        x = data.integers(-2, 3, (batch, *operator.input_shape)).astype(dtype)
        weight = data.integers(-2, 3, operator.weight_shape).astype(dtype)
        choice = operator.explain(dtype, batch=batch)
        times, answer = {}, None
        for offer in choice.offers:
            # Plans that are said to be far slower are not waited for.
            least = min(one.seconds for one in choice.offers)
            if offer.refusal or offer.seconds > 30 * least:
                continue
            y = operator.apply(x, weight, plan=offer.name)
            answer = y if answer is None else answer
            assert np.array_equal(np.rint(y), answer), offer.name
            times[offer.name] = best(
                lambda name=offer.name, op=operator, x=x, w=weight: op.apply(x, w, plan=name)
            )
            quotients[offer.name].append(offer.seconds / times[offer.name])
        fastest = min(times, key=times.__getitem__)
        losses.append(times[choice.name] / times[fastest])
        picked[choice.name] += 1
        if chosen.fit or losses[-1] > TARGET:
            shown = "  ".join(
                f"{offer.name} {1000 * times[offer.name]:.2f} (said {1000 * offer.seconds:.2f})"
                for offer in choice.offers
                if offer.name in times
            )
            direction = "transposed" if transposed else "forward"
            print(f"{losses[-1]:.2f} {layer} on {size}, batch {batch}, {dtype.__name__}, "
                  f"{direction}: {choice.name}, not {fastest}; {shown}", flush=True)  # fmt: skip
    for name, found in quotients.items():
        if found:
            low, middle, high = np.quantile(found, [0.1, 0.5, 0.9])
            print(
                f"{name:10} estimate / time: {low:.2f} … {middle:.2f} … {high:.2f} ({len(found)})"
            )
    within = sum(loss <= TARGET for loss in losses) / len(losses)
    print(f"picked: {dict(picked)}; loss median {statistics.median(losses):.3f}")
    verdict = "holds" if within >= SHARE else "MISSED"
    print(f"{100 * within:.0f} % within {TARGET} of the fastest ({100 * SHARE:.0f} %): {verdict}")


if __name__ == "__main__":
    main()
