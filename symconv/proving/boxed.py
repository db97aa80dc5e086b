"""Theorems decided case by case: every value at stated sizes, or every setting of a stated box."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from symconv.errors import ParameterError
from symconv.proving.boxes import order
from symconv.proving.theorem import ALL_VALUES, BOX, Decision, Theorem
from symconv.verdict import PROVED, UNDECIDED, Verdict, proved, refuted, undecided

__all__ = ["Boxed", "all_values", "exhaustive"]

#: What a claim answers at one setting: None where it says nothing.
Answer = bool | Verdict | None
Box = Mapping[str, Sequence[Any]]

#: Settings of a grid that are evaluated together, and at most in all.
CHUNK = 1 << 18
MAX_SETTINGS = 50_000_000


@dataclass
class Boxed:
    """A claim about each setting of a box, evaluated one by one or as arrays.

    Attributes
    ----------
    claim : callable
        Takes the settings by name; True, False, a Verdict, or None where it says nothing. On a
        grid it takes arrays and gives an array, or (where it says something, where it holds).
    box : mapping
        Name → values, smallest first.
    scope : str
        `ALL_VALUES` when the claim compares canonical forms of symbolic entries, else `BOX`.
    grid : bool
        Whether the claim takes arrays.
    """

    claim: Callable[..., Any]
    box: Box
    scope: str
    grid: bool = False
    near: tuple[Callable[..., Any], Box] | None = field(default=None)
    name = "cases"

    def decide(self, theorem: Theorem) -> Decision:
        verdict = self.judged(self.claim, self.box)
        if verdict.status != PROVED or self.near is None:
            return Decision(verdict)
        return Decision(verdict, self.judged(*self.near))

    def judged(self, claim: Callable[..., Any], box: Box) -> Verdict:
        """The verdict on a claim over a box; a counterexample is the first in order."""
        n_settings = int(np.prod([len(values) for values in box.values()], dtype=object))
        if n_settings > MAX_SETTINGS:
            raise ParameterError(f"box must have at most {MAX_SETTINGS} settings, got {n_settings}")
        return (self._on_grid if self.grid else self._one_by_one)(claim, box)

    def _one_by_one(self, claim: Callable[..., Any], box: Box) -> Verdict:
        counted = 0
        for setting in ordered(box):
            answer: Answer = claim(**setting)
            if answer is None:
                continue
            if not isinstance(answer, (bool, np.bool_, Verdict)):
                raise ParameterError(f"a claim answers a truth, a Verdict or None, got {answer!r}")
            counted += 1
            if isinstance(answer, Verdict) and answer.status == UNDECIDED:
                return undecided(self.scope, f"at {setting}: {answer.reason}")
            if not answer:
                case = dict(setting)
                if isinstance(answer, Verdict):
                    case["differs"] = answer.counterexample
                # Run once more, so that nothing left over from another setting speaks.
                again = claim(**setting)
                if again is None or bool(again):
                    return undecided(self.scope, f"the answer at {setting} changes")
                return refuted(self.scope, case, f"the first of {described(box)} in order")
        return self._held(counted, box)

    def _on_grid(self, claim: Callable[..., Any], box: Box) -> Verdict:
        names = list(box)
        counted, best = 0, None
        axes = [np.asarray(box[name], dtype=np.int64) for name in names]
        shape = tuple(len(axis) for axis in axes)
        total = int(np.prod(shape))
        for begin in range(0, total, CHUNK):
            flat = np.arange(begin, min(begin + CHUNK, total))
            places = np.unravel_index(flat, shape)
            columns = {n: a[p] for n, a, p in zip(names, axes, places, strict=True)}
            domain, holds = _answer(claim(**columns), len(flat))
            counted += int(domain.sum())
            for row in np.flatnonzero(domain & ~holds).tolist():
                values = [int(columns[name][row]) for name in names]
                key = order(values)
                if best is None or key < best[0]:
                    best = key, values
        if best is None:
            return self._held(counted, box)
        setting = dict(zip(names, best[1], strict=True))
        single = {name: np.array([value]) for name, value in setting.items()}
        domain, holds = _answer(claim(**single), 1)
        if not domain[0] or holds[0]:
            return undecided(self.scope, f"the answer at {setting} changes")
        return refuted(self.scope, setting, f"the smallest in {described(box)}")

    def _held(self, counted: int, box: Box) -> Verdict:
        if not counted:
            return undecided(self.scope, f"the claim says nothing about {described(box)}")
        return proved(self.scope, f"{described(box)}: {counted} settings")


def _answer(answer: Any, length: int) -> tuple[Any, Any]:
    domain, holds = answer if isinstance(answer, tuple) else (True, answer)
    if any(np.asarray(part).dtype != bool for part in (domain, holds)):
        raise ParameterError("a claim on a grid answers truths, or (where it speaks, truths)")
    return np.broadcast_to(domain, (length,)), np.broadcast_to(holds, (length,))


def ordered(box: Box) -> Iterable[dict[str, Any]]:
    """The settings of a box, smallest first: by `order` of the values' places or of integers."""
    names = list(box)
    numeric = all(type(value) is int for values in box.values() for value in values)

    def key(places: tuple[int, ...]) -> Any:
        return order(
            [box[name][place] for name, place in zip(names, places, strict=True)]
            if numeric
            else places
        )

    places = sorted(product(*(range(len(box[name])) for name in names)), key=key)
    for chosen in places:
        yield {name: box[name][place] for name, place in zip(names, chosen, strict=True)}


def described(box: Box) -> str:
    """A box in words.

    Examples
    --------
    >>> described({"K": (1, 2, 3), "d": (1, 3), "mode": ("zeros",)})
    'K 1…3, d 1, 3, mode zeros'
    """
    parts = []
    for name, values in box.items():
        numeric = all(type(value) is int for value in values)
        if numeric and len(values) > 2 and tuple(values) == (*range(values[0], values[-1] + 1),):
            parts.append(f"{name} {values[0]}…{values[-1]}")
            continue
        listed = ", ".join(map(str, values[:6])) + (f", … ({len(values)})" * (len(values) > 6))
        parts.append(f"{name} {listed}")
    return ", ".join(parts)


class Declared(Theorem):
    """A theorem whose near miss is declared by a decorator after it."""

    def near_miss_claim(self, box: Box | None = None) -> Callable[[Callable[..., Any]], Any]:
        """Declare the near miss: a claim over the same box, or its own, that must be refuted."""

        def declare(claim: Callable[..., Any]) -> Callable[..., Any]:
            method = self.method
            assert isinstance(method, Boxed)  # noqa: S101 - only these are declared so
            method.near = claim, box or method.box
            return claim

        return declare


def _declared(
    identifier: str, scope: str, box: Box, grid: bool, described_as: dict[str, Any]
) -> Callable[[Callable[..., Any]], Declared]:
    def declare(claim: Callable[..., Any]) -> Declared:
        method = Boxed(claim, {name: tuple(values) for name, values in box.items()}, scope, grid)
        return Declared(identifier, method=method, definition=claim, **described_as)

    return declare


def all_values(
    identifier: str, *, box: Box, **described_as: Any
) -> Callable[[Callable[..., Any]], Declared]:
    """Declare a theorem for all values of weights and inputs, at each setting of `box`.

    The decorated function takes one setting by name and compares canonical forms of symbolic
    entries (`symconv.same_operator`, polynomials), never samples. Its near miss is declared with
    ``@theorem.near_miss_claim()``.
    """
    return _declared(identifier, ALL_VALUES, box, False, described_as)


def exhaustive(
    identifier: str, *, box: Box, grid: bool = False, **described_as: Any
) -> Callable[[Callable[..., Any]], Declared]:
    """Declare a theorem about numbers, at each setting of `box`; with `grid`, on arrays of them."""
    return _declared(identifier, BOX, box, grid, described_as)
