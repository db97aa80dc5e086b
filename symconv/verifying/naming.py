"""Naming the mistake: the hypothesis that predicts all that the implementation was seen to do.

A name is given only where its prediction equals what came back entry by entry: on all basis
vectors of the smallest failing geometry, at the geometry asked for, and at other geometries around
it where the implementation can be built there. A variant (which axis, which side) must be the same
throughout, but for the smallest geometry, whose axes are others. Names that nothing seen tells
apart are all given; where none is left, no known mistake fits.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import SymconvError
from symconv.layers import Layer
from symconv.verifying.calling import Failure
from symconv.verifying.mistakes import MISTAKES, Case
from symconv.verifying.mistakes.base import Predictor
from symconv.verifying.recovering import fits, unit_probes
from symconv.verifying.sampling import Session

__all__ = ["Scene", "explained", "neighbours", "observed"]

Array = npt.NDArray[Any]
Seen = list[tuple[tuple[Array, ...], Array]]


@dataclass(frozen=True, eq=False)
class Scene:
    """What an implementation was seen to do at one geometry."""

    case: Case
    seen: Seen
    gamma: float
    rounds: bool

    def shows(self, predict: Predictor) -> bool:
        """Whether a prediction equals everything seen."""
        for arguments, result in self.seen:
            try:
                with np.errstate(all="ignore"):
                    predicted = np.asarray(predict(*map(_double, arguments)))
                    if predicted.shape != result.shape:
                        return False
                    bound: Any = 0.0
                    rounds = predicted != np.rint(predicted)
                    if self.rounds or rounds.any():
                        sizes = predict(*(np.abs(_double(argument)) for argument in arguments))
                        bound = self.gamma * np.abs(sizes) * (self.rounds | rounds)
            except (SymconvError, ValueError, IndexError):
                # A prediction that these arguments do not admit explains nothing.
                return False
            # Not "> bound": a prediction that is NaN equals nothing.
            if not (np.abs(predicted - result) <= bound).all():
                return False
        return True


def _double(array: Array) -> Array:
    return np.asarray(array, dtype=np.float64)


def observed(
    session: Session, case: Case, failing: Seen | None = None, *, everything: bool = False
) -> Scene | None:
    """What the implementation gives for random arguments, and for all basis vectors if small.

    `failing` is what was seen to fail: it is looked at only where nothing else shows it, since a
    wrong map need not be exact on it. None where there is nothing to predict: it raises, or its
    result is too large.
    """
    # Wrong maps may add up more than the right one does, and must stay exact as well.
    number = session.draws.number
    number = replace(number, total=number.total // (64 if number.total >= 2**20 else 4))
    draws = replace(session.draws, number=number)
    batch = session.batch if session.fixed_batch else session.batch + 1
    probes = [draws.random(session.batch), draws.random(batch)]
    if not session.problem.is_maximum:
        probes.append(session.draws.largest(session.batch, headroom=8))
    else:
        probes.append((draws.ordered(session.batch, -1),))
    if everything and fits(session) and not session.fixed_batch:
        probes.extend(unit_probes(session))
    seen: Seen = []
    for arguments in probes:
        result = session.observe(arguments)
        if isinstance(result, Failure):
            if result.got is None or result.kind != "shape":
                return None
            result = result.got
        seen.append((arguments, result))
    rules = session.rules
    gamma = rules.gamma(2 * session.problem.terms + 8)
    scene = Scene(case, seen, gamma, not rules.is_exact(session.problem))
    if failing and scene.shows(case.problem.run):
        return replace(scene, seen=[*failing, *seen])
    return scene


def explained(
    smallest: Scene, others: Sequence[Callable[[], Scene | None]], time_limit: float
) -> tuple[str, ...]:
    """The names of the mistakes that explain every scene, in the order of the table.

    Parameters
    ----------
    smallest : Scene
        Of the smallest failing geometry.
    others : sequence of callables
        Each gives another scene, made only while something is left to tell apart.
    time_limit : float
        Seconds; where they do not suffice nothing is named.
    """
    deadline = time.monotonic() + time_limit
    left: dict[str, set[str] | None] = {}
    if smallest.shows(smallest.case.problem.run):
        # What is seen is right: every mistake that changes nothing here would explain it.
        return ()
    for name, find in MISTAKES.items():
        if any(smallest.shows(predict) for _, predict in _variants(find, smallest.case)):
            left[name] = None
    for make in others:
        if not left:
            break
        if time.monotonic() > deadline:
            return ()
        scene = make()
        if scene is None:
            continue
        for name, before in list(left.items()):
            kept = _still(scene, name, before)
            if kept is not None and not kept:
                del left[name]
            else:
                left[name] = kept
    return tuple(left)


def _still(scene: Scene, name: str, before: set[str] | None) -> set[str] | None:
    """The variants of a mistake that explain a scene as well; None for any, where none exists.

    A variant that is no layer here, or that changes nothing, must see the right result.
    """
    variants = dict(_variants(MISTAKES[name], scene.case))
    right = scene.shows(scene.case.problem.run)
    if before is None and not variants:
        return None if right else set()
    tried = set(variants) if before is None else before
    return {each for each in tried if (scene.shows(variants[each]) if each in variants else right)}


def _variants(find: Any, case: Case) -> Iterator[tuple[str, Predictor]]:
    try:
        yield from find(case)
    except SymconvError:
        return


def neighbours(
    layer: Layer, size: tuple[int, ...], rng: np.random.Generator
) -> Iterator[tuple[Layer, tuple[int, ...]]]:
    """Small geometries of the same kind and rank, the parameters of each axis chosen anew.

    What the layer does not have it does not get: no bias, no groups, no other padding mode; a
    pooling gets the other ways of rounding and counting.
    """
    given: Any = layer
    rank = layer.rank
    for _ in itertools.repeat(None, 200):
        changes: dict[str, Any] = {}
        for name, options in CHOICES.items():
            value = getattr(given, name, None)
            if isinstance(value, tuple) and len(value) == rank:
                plain = set(value) == {options[0]}
                few = options[:1] if plain and name in SELDOM else options
                changes[name] = tuple(int(rng.choice(few)) for _ in range(rank))
        if isinstance(getattr(given, "padding", None), tuple):
            asymmetric = any(lo != hi for lo, hi in given.padding)
            changes["padding"] = tuple(
                _pair(rng, changes.get("kernel_size", (2,) * rank)[axis], asymmetric, given)
                for axis in range(rank)
            )
        for flag in ("ceil_mode", "count_include_pad"):
            if hasattr(given, flag):
                changes[flag] = bool(rng.integers(2))
        if getattr(given, "divisor_override", None) is not None:
            changes["divisor_override"] = int(rng.integers(1, 8))
        if hasattr(given, "groups"):
            groups = given.groups if given.groups <= 3 else 2
            per = rng.integers(1, 4 if rank < 3 else 3, size=2)
            changes |= {
                "groups": groups,
                "in_channels": int(groups * per[0]),
                "out_channels": int(groups * per[1]),
            }
        smaller = tuple(int(n) for n in rng.integers(2, 8 if rank < 3 else 5, size=rank))
        try:
            other = replace(given, **changes)
            other.operator(smaller)
        except (SymconvError, TypeError):
            continue
        yield other, smaller


#: What the parameters of an axis are chosen from, the plain value first.
CHOICES = {
    "kernel_size": (2, 1, 3),
    "stride": (1, 2, 3),
    "dilation": (1, 2, 3),
    "input_dilation": (1, 2),
    "output_padding": (0, 1, 2),
}

#: Parameters that many implementations do not take: left plain where they are plain.
SELDOM = ("dilation", "input_dilation", "output_padding")


def _pair(rng: np.random.Generator, kernel: int, asymmetric: bool, layer: Any) -> tuple[int, int]:
    """Padding of an axis: equal at both ends unless the layer's is not."""
    most = kernel // 2 if hasattr(layer, "ceil_mode") else 2
    lo, hi = (int(n) for n in rng.integers(0, most + 1, size=2))
    return (lo, hi) if asymmetric else (lo, lo)
