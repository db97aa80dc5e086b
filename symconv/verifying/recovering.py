"""The implementation's matrix, entry by entry: all pairs of basis vectors, or a search.

Recovered responses are arrays (weight basis vectors, input basis vectors and 0, *output): all a
bilinear map is. A large map is searched instead: of a wrong output, the input is halved while it
stays wrong, then the weights, until one coefficient is left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.verifying.calling import Failure, MisbehaviourError
from symconv.verifying.comparing import wrong
from symconv.verifying.sampling import Session

__all__ = [
    "Coefficient",
    "Responses",
    "Row",
    "coefficients_of",
    "fits",
    "narrowed",
    "recovered",
    "rows_that_differ",
    "unit_probes",
]

Array = npt.NDArray[Any]

#: Probes with their results.
Responses = list[tuple[tuple[Array, ...], Array]]

#: Entries of all responses together, a call counted as so many: up to here maps are recovered.
MAX_ENTRIES = 2**22
CALL_ENTRIES = 2**13

#: Wrong outputs that are shown.
MAX_ROWS = 3


@dataclass(frozen=True, order=True)
class Coefficient:
    """``value · weight · input`` in one output; None for an argument that takes no part."""

    weight: tuple[int, ...] | None
    input: tuple[int, ...] | None
    value: float

    def written(self, names: tuple[str, ...]) -> str:
        """As ``2·w[0,0,1]·x[0,3]``; a bias or a constant alone as it is."""
        parts = []
        second = names[1] if len(names) > 1 else ""
        for name, index in ((second, self.weight), (names[0], self.input)):
            if index is not None:
                parts.append(f"{name}[{','.join(map(str, index))}]")
        size = abs(self.value)
        number = f"{int(size)}" if size.is_integer() else f"{size:.6g}"
        body = "·".join(parts if size == 1 and parts else [number, *parts])
        return body if self.value >= 0 else f"−{body}"


@dataclass(frozen=True)
class Row:
    """One output: the coefficients that are right and those that were found."""

    output: tuple[int, ...]
    right: tuple[Coefficient, ...]
    found: tuple[Coefficient, ...]

    def written(self, names: tuple[str, ...]) -> str:
        """As a sentence."""
        texts = []
        for coefficients in (self.right, self.found):
            shown = " + ".join(each.written(names) for each in coefficients[:6])
            more = f" + … ({len(coefficients)} terms)" if len(coefficients) > 6 else ""
            texts.append((shown or "0") + more)
        return f"output {list(self.output)} is {texts[1]}; it must be {texts[0]}"


def fits(session: Session) -> bool:
    """Whether the problem is small enough to be recovered."""
    problem = session.problem
    sizes = [math.prod(shape) for shape in problem.shapes[:2]]
    if problem.is_summed:
        calls = math.prod(sizes)
        return calls * (CALL_ENTRIES + math.prod(problem.output_shape)) <= MAX_ENTRIES
    outputs = (sizes[0] + 1) * math.prod(problem.output_shape)
    calls = sizes[1] if len(sizes) > 1 else 1
    per_call = math.ceil((sizes[0] + 1) / session.batch) if session.fixed_batch else 1
    return calls * (outputs + per_call * CALL_ENTRIES) <= MAX_ENTRIES


def unit_probes(session: Session) -> Iterator[tuple[Array, ...]]:
    """Arguments that show every coefficient: the inputs' basis and 0 along the batch.

    One for each basis vector of the second argument; with a bias, one more for each of its.
    """
    problem, draws = session.problem, session.draws
    n_first = math.prod(problem.shapes[0])
    dtype = draws.number.dtype
    if problem.is_maximum:
        # One sample stands out above a low background: where it shows it is read, and a zero of
        # the padding would show above the background.
        basis = np.full((n_first, n_first), -2, dtype=dtype)
        np.fill_diagonal(basis, -1)
        yield (basis.reshape(n_first, *problem.shapes[0]),)
        return
    basis = np.zeros((n_first + 1, n_first), dtype=dtype)
    np.fill_diagonal(basis, draws.scale)
    first = basis.reshape(n_first + 1, *problem.shapes[0])
    if not problem.has_second:
        yield (first,)
        return
    rest = [np.zeros(shape, dtype=dtype) for shape in problem.shapes[1:]]
    n_second = rest[0].size
    if problem.is_summed:
        for sample in first[:-1]:
            for at in range(n_second):
                unit = np.zeros(problem.shapes[1], dtype=dtype)
                unit.flat[at] = 1
                yield sample[None], unit[None]
        return
    for at in range(n_second):
        second = rest[0].copy()
        second.flat[at] = 1
        yield (first, second, *rest[1:])
    for at in range(rest[1].size if problem.has_bias else 0):
        bias = rest[1].copy()
        bias[at] = 1
        yield first[-1:], rest[0], bias
    yield (first, *rest)


def recovered(session: Session) -> Responses:
    """Every unit probe with its result; a problem is recovered when all are right.

    Raises
    ------
    MisbehaviourError
        If a call fails otherwise than by its values.
    """
    found = []
    for arguments in unit_probes(session):
        parts = []
        for chunk, kept in _chunks(session, arguments):
            result = session.observe(chunk)
            if isinstance(result, Failure):
                raise MisbehaviourError(result)
            parts.append(result if session.problem.is_summed else result[:kept])
        found.append((arguments, parts[0] if len(parts) == 1 else np.concatenate(parts)))
    return found


def _chunks(session: Session, arguments: Any) -> Iterator[tuple[tuple[Array, ...], int]]:
    """The arguments in batches of the one size that may be used, the last filled with zeros."""
    first, *rest = arguments
    if not session.fixed_batch or session.problem.is_summed:
        yield arguments, len(first)
        return
    for start in range(0, len(first), session.batch):
        part = first[start : start + session.batch]
        missing = session.batch - len(part)
        filled = np.concatenate([part, np.zeros((missing, *part.shape[1:]), dtype=part.dtype)])
        yield (filled, *rest), len(part)


def rows_that_differ(session: Session, found: Responses) -> tuple[tuple[Row, ...], int]:
    """The first outputs whose coefficients differ, and how many outputs do.

    Every wrong output is counted once, whatever the probes that show it.
    """
    problem, rules = session.problem, session.rules
    lead = 0 if problem.is_summed else 1
    wrongs = np.zeros(problem.output_shape, dtype=bool)
    for arguments, result in found:
        mask, _ = wrong(result, problem, rules, arguments)
        wrongs |= mask.any(axis=0) if lead else mask
    rows = []
    for place in np.argwhere(wrongs)[:MAX_ROWS]:
        output = tuple(int(n) for n in place)
        right, got = (coefficients_of(session, found, output, side) for side in (True, False))
        rows.append(Row(output, right, got))
    return tuple(rows), int(wrongs.sum())


def coefficients_of(
    session: Session, found: Responses, output: tuple[int, ...], right: bool
) -> tuple[Coefficient, ...]:
    """The coefficients of one output, as they must be or as they were found."""
    listed: list[Coefficient] = []
    for arguments, result in found:
        values = session.problem.run(*arguments) if right else result
        place: Any = (..., *output)
        entries = np.atleast_1d(values[place])
        listed.extend(_coefficients(session, arguments, entries))
    return _collected(listed)


def _coefficients(
    session: Session, arguments: tuple[Array, ...], entries: Array
) -> Iterator[Coefficient]:
    """What one output shows for one probe: an entry per sample."""
    problem = session.problem
    background = -2 if problem.is_maximum else 0
    scale = 1 if problem.is_maximum else session.draws.scale
    weight = None
    for argument in arguments[1:]:
        if argument.any():
            first = int(np.flatnonzero(argument)[0])
            shape = argument.shape[1:] if problem.is_summed else argument.shape
            weight = tuple(int(n) for n in np.unravel_index(first, shape))
    units = arguments[0].reshape(len(arguments[0]), -1)
    for unit, entry in zip(units, entries, strict=True):
        at = np.flatnonzero(unit != background)
        if entry == background and problem.is_maximum:
            continue
        place = None
        if len(at):
            place = tuple(int(n) for n in np.unravel_index(int(at[0]), problem.shapes[0]))
        value = float(entry) / scale
        if problem.is_maximum:
            value = 1.0 if entry == -1 else float(entry)
        yield Coefficient(weight, place, value)


def _collected(coefficients: list[Coefficient]) -> tuple[Coefficient, ...]:
    """The terms that add up to what the probes showed.

    A probe of one weight and one sample shows their product with what either adds by itself and
    with the constant; each of these is listed once.
    """
    shown = {(each.weight, each.input): each.value for each in coefficients}
    kept = []
    for each in coefficients:
        value = each.value
        if each.input is not None:
            value -= shown.get((each.weight, None), 0.0)
        if each.weight is not None:
            value -= shown.get((None, each.input), 0.0)
        if each.input is not None and each.weight is not None:
            value += shown.get((None, None), 0.0)
        if value:
            kept.append(Coefficient(each.weight, each.input, value))
    return tuple(kept)


def narrowed(session: Session, arguments: tuple[Array, ...]) -> Row | None:
    """One coefficient that is wrong, found by halving the arguments of a wrong result.

    Of a bilinear map one half at least stays wrong; None where neither does.
    """
    problem = session.problem
    result = session.observe(arguments)
    if isinstance(result, Failure) or problem.is_maximum:
        return None
    mask, _ = wrong(result, problem, session.rules, arguments)
    if not mask.any():
        return None
    at = tuple(int(n) for n in np.unravel_index(int(np.argmax(mask)), mask.shape))
    if not problem.is_summed and not session.fixed_batch:
        arguments, at = session.alone(arguments, at[0]), (0, *at[1:])
    for number in range(len(arguments)):
        arguments = _halved_while_wrong(session, arguments, number, at)
    result = session.observe(arguments)
    if isinstance(result, Failure):
        return None
    places = []
    scale = 1.0
    for argument, batched in zip(arguments, problem.batched, strict=True):
        nonzero = np.argwhere(argument)
        if len(nonzero) > 1:
            return None
        if len(nonzero):
            scale *= float(argument[tuple(nonzero[0])])
        place = tuple(int(n) for n in nonzero[0][int(batched) :]) if len(nonzero) else None
        places.append(place)
    exact = problem.run(*arguments)
    weight = next((place for place in places[1:] if place is not None), None)
    right, got = (
        tuple(
            Coefficient(weight, places[0], float(value)) for value in [array[at] / scale] if value
        )
        for array in (exact, result)
    )
    return Row(at if problem.is_summed else at[1:], right, got)


def _halved_while_wrong(
    session: Session, arguments: tuple[Array, ...], number: int, at: tuple[int, ...]
) -> tuple[Array, ...]:
    """The arguments with one of them zero but for as few entries as keep output `at` wrong."""

    def is_wrong(places: Array) -> bool:
        nonlocal arguments
        part = np.zeros_like(arguments[number])
        part.flat[places] = arguments[number].flat[places]
        changed = (*arguments[:number], part, *arguments[number + 1 :])
        result = session.observe(changed)
        if isinstance(result, Failure):
            return False
        if not wrong(result, session.problem, session.rules, changed)[0][at]:
            return False
        arguments = changed
        return True

    places = np.flatnonzero(arguments[number])
    if is_wrong(places[:0]):
        return arguments
    while len(places) > 1:
        half = len(places) // 2
        if is_wrong(places[:half]):
            places = places[:half]
        elif is_wrong(places[half:]):
            places = places[half:]
        else:
            break
    return arguments
