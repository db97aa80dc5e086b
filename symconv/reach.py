"""The exact sets of inputs that output positions of a stack read, level by level.

A receptive field (`symconv.receptive`) says how far a stack sees. This room says what it reads
there: through gaps (dilation, strides, transposed layers) and up to the ends of a finite input.
Stacks are sequences of `AxisRelation`, as in that room.

References
----------
P. Wang et al., *Understanding convolution for semantic segmentation*, WACV (2018), equation 2.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy

from symconv.checks import concrete, integer, is_symbolic, sequence, shown
from symconv.errors import GeometryError, ParameterError, TooLargeError
from symconv.receptive import AxisField, checked_stack, concrete_stack, level_sizes
from symconv.relation import AxisRelation
from symconv.verdict import Verdict, proved, refuted

__all__ = [
    "Trace",
    "covers",
    "hybrid_dilated_rule",
    "interior",
    "missing_offsets",
    "period",
    "phase_fields",
    "reads",
    "trace",
]

#: An int, a Fraction or a SymPy expression.
Number = Any

#: Most pairs of one layer that are listed.
MAX_LISTED = 2**20


def _links(
    relation: AxisRelation, outputs: Collection[int], n_in: int | None
) -> Iterable[tuple[int, int]]:
    """The pairs (o, i) of one layer; with `n_in`, of stored samples only."""
    spread = relation.input_dilation
    for o in outputs:
        for k in range(relation.n_taps):
            i, gap = divmod(relation.position(o, k), spread)
            stored = n_in is None or (0 <= i < n_in and relation.inside_padded(o, k, n_in))
            if not gap and stored:
                yield o, i


@dataclass(frozen=True)
class Trace:
    """All that one output position reads, level by level.

    Attributes
    ----------
    levels : tuple of tuple of int
        Positions read at each level, ascending: of the input first, the output position last.
    links : tuple of tuple of (int, int)
        Per layer the distinct pairs (o, i): position o after the layer reads position i before.
    places : tuple of tuple of int or Fraction
        Per level, where the field of each position is centred on the input axis.
    sizes : tuple of int or None
        Samples at each level; None for the unbounded axis.
    """

    levels: tuple[tuple[int, ...], ...]
    links: tuple[tuple[tuple[int, int], ...], ...]
    places: tuple[tuple[Number, ...], ...]
    sizes: tuple[int, ...] | None = None


def trace(
    relations: Iterable[AxisRelation],
    position: int,
    n_in: int | None = None,
    *,
    sizes: Sequence[int] | None = None,
) -> Trace:
    """What one output position reads at every level of a stack.

    Parameters
    ----------
    relations : iterable of AxisRelation
        The stack, the layer next to the input first.
    position : int
        The output position.
    n_in : int, optional
        Input samples: what falls into zero padding, of the input or of an intermediate, is then
        left out (the truncated field). Without it the axis has no ends (the theoretical field).
    sizes : sequence of int, optional
        The sizes of all levels, input first, where they do not follow the floor rule (ceil mode).

    Examples
    --------
    >>> same = AxisRelation(3, pad_lo=1, pad_hi=1)
    >>> trace([same, same], 0, 4).levels
    ((0, 1, 2), (0, 1), (0,))
    """
    stack = concrete_stack(relations)
    place, bounds = concrete("position", integer("position", position)), _bounds(stack, n_in, sizes)
    if bounds and not 0 <= place < bounds[-1]:
        raise ParameterError(f"position must be from 0 to {bounds[-1] - 1}, got {place}")
    levels: list[tuple[int, ...]] = [(place,)]
    links: list[tuple[tuple[int, int], ...]] = []
    for number in reversed(range(len(stack))):
        relation = stack[number]
        if len(levels[-1]) * relation.n_taps > MAX_LISTED:
            raise TooLargeError(
                f"a level of {len(levels[-1])} positions read through {relation.n_taps} taps is "
                f"above the limit of {MAX_LISTED}; field_of gives sizes without a limit"
            )
        pairs = set(_links(relation, levels[-1], bounds[number] if bounds else None))
        links.append(tuple(sorted(pairs)))
        levels.append(tuple(sorted({i for _, i in pairs})))
    levels.reverse()
    places, field = [levels[0]], AxisField.identity()
    for relation, level in zip(stack, levels[1:], strict=True):
        field = field.then(AxisField.of(relation))
        places.append(tuple(field.at(o).centre for o in level))
    return Trace(tuple(levels), tuple(reversed(links)), tuple(places), bounds)


def _bounds(
    stack: Sequence[AxisRelation], n_in: int | None, sizes: Sequence[int] | None
) -> tuple[int, ...] | None:
    """The sizes of all levels, or None for the unbounded axis."""
    if sizes is not None:
        levels = [integer("sizes", size, 0) for size in sequence("sizes", sizes)]
        if len(levels) != len(stack) + 1 or n_in not in (None, levels[0]):
            raise ParameterError(
                f"sizes must give the input and every layer ({len(stack) + 1}), starting with "
                f"n_in, got {shown(sizes)} with n_in {n_in}"
            )
    elif n_in is None:
        return None
    else:
        levels = level_sizes(stack, concrete("n_in", integer("n_in", n_in, 0)))
    for size in levels[1:]:
        if size < 1:
            raise GeometryError(f"output size must be >= 1 after every layer, got {levels}")
    return tuple(concrete("sizes", size) for size in levels)


def reads(
    relations: Iterable[AxisRelation],
    position: int,
    n_in: int | None = None,
    *,
    sizes: Sequence[int] | None = None,
) -> tuple[int, ...]:
    """The exact set of inputs that one output position reads, ascending (see `trace`).

    Examples
    --------
    Two layers with dilation 2 read every other sample; the field itself has 9:

    >>> stack = [AxisRelation(3, dilation=2, pad_lo=2, pad_hi=2)] * 2
    >>> reads(stack, 0), reads(stack, 0, 6)
    ((-4, -2, 0, 2, 4), (0, 2, 4))
    """
    return trace(relations, position, n_in, sizes=sizes).levels[0]


def period(relations: Iterable[AxisRelation]) -> tuple[int, int]:
    """After how many outputs the sets repeat, and by how many inputs they have then moved.

    Without transposed layers every output is like the next one, moved by the jump.

    Examples
    --------
    >>> up, down = AxisRelation(3, stride=2).adjoint(), AxisRelation(3, stride=2)
    >>> period([up]), period([down, up]), period([up, down])
    ((2, 1), (2, 2), (1, 1))
    """
    outputs = move = 1
    for relation in reversed(concrete_stack(relations)):
        # o moves by a multiple that makes s·o move by whole input samples, each b apart.
        step = relation.position(move, 0) - relation.position(0, 0)
        times = relation.input_dilation // math.gcd(step, relation.input_dilation)
        outputs, move = outputs * times, step * times // relation.input_dilation
    return outputs, move


def phase_fields(relations: Iterable[AxisRelation]) -> tuple[AxisField | None, ...]:
    """The exact field of each output phase; one entry where no layer is transposed.

    Entry r is about the outputs r, r + T, r + 2T, … for the `period` T: the q-th of them reads
    from ``jump·q − padding`` on, `size` samples up to the last one. None where nothing is read.

    Examples
    --------
    >>> phase_fields([AxisRelation(3, stride=2).adjoint()])
    (AxisField(size=2, jump=1, padding=1), AxisField(size=1, jump=1, padding=0))
    """
    stack = concrete_stack(relations)
    outputs, move = period(stack)
    fields = []
    for phase in range(outputs):
        inputs = reads(stack, phase)
        fields.append(AxisField(inputs[-1] - inputs[0] + 1, move, -inputs[0]) if inputs else None)
    return tuple(fields)


def interior(
    relations: Iterable[AxisRelation], n_in: Number, phase: int = 0
) -> tuple[Number, Number]:
    """First and last output whose field is not truncated: it reads no padding at any level.

    `n_in` may be symbolic, and so may the result. No such output exists where last < first. With
    transposed layers the answer is q for the outputs ``phase + T·q`` (see `phase_fields`).

    Examples
    --------
    >>> n = sympy.Symbol("n", integer=True, positive=True)
    >>> same = AxisRelation(3, pad_lo=1, pad_hi=1)
    >>> interior([same, same], n), interior([same, same], 16)
    ((2, n - 3), (2, 13))
    """
    stack = concrete_stack(relations)
    sizes = level_sizes(stack, integer("n_in", n_in, 0))
    outputs, _ = period(stack)
    if not 0 <= concrete("phase", integer("phase", phase)) < outputs:
        raise ParameterError(f"phase must be from 0 to {outputs - 1}, got {phase}")
    levels = trace(stack, phase).levels
    # A padding position of an intermediate reads padding itself, at its first or last tap, unless
    # some layer crops or leaves out taps: then only do the levels after the input matter.
    simple = all(
        relation.input_dilation == 1 and relation.pad_lo >= 0 and relation.pad_hi >= 0
        for relation in stack
    )
    firsts, lasts = [], []
    step = outputs
    for level in reversed(range(len(levels))):
        if levels[level] and (level == 0 or not simple):
            firsts.append(-(levels[level][0] // step))
            lasts.append((sizes[level] - 1 - levels[level][-1]) // step)
        if level:
            relation = stack[level - 1]
            moved = relation.position(step, 0) - relation.position(0, 0)
            step = moved // relation.input_dilation
    if is_symbolic(sizes[0]):
        return max(firsts), sympy.Min(*lasts)
    return max(firsts), min(lasts)


def covers(relations: Iterable[AxisRelation]) -> Verdict:
    """Whether every position between the first and the last that an output reads is read.

    Over the layers with two taps or more, sorted by effective dilation D (the jump so far times
    the dilation), a stack covers its field iff each ``D ≤ 1 + Σ D'(K' − 1)`` over the earlier
    ones: if so, each layer extends a gapless run without a gap; if not, the sum plus one is
    missed, as every later layer reaches beyond it (`missing_offsets` lists all). With transposed
    layers the sets of all output phases are listed.

    Examples
    --------
    >>> print(covers([AxisRelation(3, dilation=2), AxisRelation(3, dilation=3)]))
    REFUTED (all output positions): effective dilation 2 is above 1; counterexample {'offset': 1}
    """
    stack, scope = concrete_stack(relations), "all output positions"
    if any(relation.input_dilation != 1 for relation in stack):
        return _covers_phases(stack, scope)
    reach = 1
    for step, more_taps in sorted(_steps(stack)):
        if step > reach:
            return refuted(scope, {"offset": reach}, f"effective dilation {step} is above {reach}")
        reach += step * more_taps
    return proved(scope, f"each effective dilation extends the run of {reach} offsets gaplessly")


def missing_offsets(relations: Iterable[AxisRelation]) -> tuple[int, ...]:
    """Offsets between the first and the last position of a field that are not read, ascending.

    For stacks without transposed layers (of those, `reads` lists each phase).

    Examples
    --------
    >>> missing_offsets([AxisRelation(3, dilation=2), AxisRelation(3, dilation=3)])
    (1, 9)
    """
    steps = _steps(checked_stack(concrete_stack(relations), plain=True))
    size = 1 + sum(step * more_taps for step, more_taps in steps)
    if size > MAX_LISTED:
        raise TooLargeError(
            f"a field of {size} positions is above the limit of {MAX_LISTED}; covers decides "
            f"without a limit whether offsets are missing, and names the first"
        )
    # Bit i of the set says that offset i is read.
    found = 1
    for step, more_taps in steps:
        before = found
        for taps in range(1, more_taps + 1):
            found |= before << step * taps
    return tuple(offset for offset in range(size) if not found >> offset & 1)


def _steps(stack: Sequence[AxisRelation]) -> list[tuple[int, int]]:
    """Effective dilation and taps after the first, of the layers with two taps or more."""
    steps, jump = [], 1
    for relation in stack:
        if relation.n_taps > 1:
            tap = relation.position(0, 1) - relation.position(0, 0)
            steps.append((jump * tap, relation.n_taps - 1))
        jump *= relation.stride
    return steps


def _covers_phases(stack: Sequence[AxisRelation], scope: str) -> Verdict:
    outputs, _ = period(stack)
    for phase in range(outputs):
        inputs = reads(stack, phase)
        if not inputs:
            return refuted(scope, {"phase": phase}, f"outputs of phase {phase} read nothing")
        for before, after in pairwise(inputs):
            if after - before > 1:
                case = {"phase": phase, "offset": before + 1 - inputs[0]}
                return refuted(scope, case, f"outputs of phase {phase} leave gaps")
    return proved(scope, f"the sets of all {outputs} output phases have no gap")


def hybrid_dilated_rule(n_taps: int, dilations: Sequence[int]) -> bool:
    """What the published rule says of stride-1 layers of `n_taps` taps: neither ⇐ nor ⇒ coverage.

    With M of the last layer its dilation, ``M_i = max(M_{i+1} − 2r_i, 2r_i − M_{i+1}, r_i)``, and
    the rule asks for M_2 ≤ K (Wang et al. 2018, equation 2; stated for two layers or more). It is
    here to be compared with `covers`, which is exact.

    Examples
    --------
    >>> hybrid_dilated_rule(3, (2, 3)), hybrid_dilated_rule(5, (1, 1, 8))
    (True, False)
    >>> [bool(covers([AxisRelation(K, dilation=d) for d in ds]))
    ...  for K, ds in ((3, (2, 3)), (5, (1, 1, 8)))]
    [False, True]
    """
    taps = concrete("n_taps", integer("n_taps", n_taps, 1))
    rates = [concrete("dilations", integer("dilations", rate, 1)) for rate in dilations]
    if len(rates) < 2:
        raise ParameterError(f"dilations must give two layers or more, got {shown(dilations)}")
    most = rates[-1]
    for rate in reversed(rates[1:-1]):
        most = max(most - 2 * rate, 2 * rate - most, rate)
    return most <= taps
