"""How often a layer uses each sample and writes each output: multiplicities, and when they agree.

A triple (o, k, i) of the incidence is one use of input i and one contribution to output o. A
transposed convolution whose outputs collect from unequally many products draws checkerboards; a
pooling whose windows overlap reads some samples more often than others. Both are one count, read
from either end. Only positions are counted: each pair of channels that a kernel joins has these
counts.

Far from the ends position j, on the side where the stride steps over positions, is met once for
each tap k with d·k ≡ j + p (mod s). These residues occur equally often, and all positions inside
are met equally often, iff s divides K and gcd(s, d) = 1.

References
----------
A. Odena, V. Dumoulin, C. Olah, *Deconvolution and checkerboard artifacts*, Distill (2016).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv import checks
from symconv.boundary import OUTSIDE
from symconv.errors import ParameterError, ParameterTypeError, TooLargeError
from symconv.geometry import Axis
from symconv.incidence import MAX_TABLE, Incidence, Windows
from symconv.layers import Layer
from symconv.memory import require
from symconv.operator import Operator
from symconv.relation import AxisRelation
from symconv.rendering import counts_png, counts_svg, html_summary
from symconv.verdict import Verdict, proved, refuted, undecided

__all__ = [
    "SIDES",
    "Multiplicities",
    "multiplicities",
    "multiplicities_of",
    "uniform_inside",
    "windows_of",
]

IntArray = npt.NDArray[np.int64]

#: What may be counted: how often each input is used, or how many products each output collects.
SIDES = ("input", "output")

ALL_SIZES = "all sizes"


def uniform_inside(relation: AxisRelation, side: str = "input") -> Verdict:
    """Whether far from the ends all positions of one axis are in equally many triples.

    Inputs b·i are read through the taps with d·k ≡ b·i + p (mod s), outputs read through those
    with d·k ≡ p − s·o (mod b): which tap meets a sample depends on a residue only.

    Parameters
    ----------
    relation : AxisRelation
        Of a convolution or a pooling; of a transposed layer, of the convolution it transposes,
        whose inputs are that layer's outputs.
    side : {"input", "output"}

    Returns
    -------
    Verdict
        For all sizes; REFUTED with two positions, up to multiples of the period, whose counts
        differ.

    Examples
    --------
    >>> print(uniform_inside(AxisRelation(4, stride=2)))
    PROVED (all sizes): 2 taps for each residue modulo 2
    >>> uniform_inside(AxisRelation(3, stride=2)).counterexample
    {'position': 0, 'count': 2, 'other': 1, 'other count': 1}
    >>> bool(uniform_inside(AxisRelation(4, stride=2, dilation=2)))
    False
    """
    if not isinstance(relation, AxisRelation):
        raise ParameterTypeError(f"relation must be an AxisRelation, got {type(relation).__name__}")
    s, d, b, p, n_taps = (
        checks.concrete(name, checks.integer(name, getattr(relation, name), least))
        for name, least in (
            ("stride", 1),
            ("dilation", 1),
            ("input_dilation", 1),
            ("pad_lo", None),
            ("n_taps", 1),
        )
    )
    if n_taps > MAX_TABLE:
        raise TooLargeError(f"n_taps must be at most {MAX_TABLE} to be counted, got {n_taps}")
    if checks.choice("side", side, SIDES) == "input":
        step, modulus, offset = b, s, p
    else:
        step, modulus, offset = -s, b, p
    common = math.gcd(step, modulus)
    n_classes = modulus // common
    # step·position ≡ residue: solved by the inverse of step/common, where common divides it.
    solved = pow(step // common, -1, n_classes)
    residues = ((d * k - offset) % modulus for k in range(n_taps))
    taps = Counter(r // common * solved % n_classes for r in residues if r % common == 0)
    first = taps[0]
    if not first and taps.total():
        other = min(position for position, count in taps.items() if count)
    else:
        # With more classes than taps one of the first n_taps + 1 has none.
        positions = range(1, min(n_classes, n_taps + 1))
        other = next((position for position in positions if taps[position] != first), 0)
    if other:
        case = {"position": 0, "count": first, "other": other, "other count": taps[other]}
        return refuted(ALL_SIZES, case, f"residues modulo {modulus} have unequal taps")
    return proved(ALL_SIZES, f"{first} tap{'s' * (first != 1)} for each residue modulo {modulus}")


@dataclass(frozen=True, eq=False)
class Multiplicities:
    """How many triples each input and each output of a layer is in, at one size.

    Made by `multiplicities`.

    Attributes
    ----------
    axis_inputs, axis_outputs : tuple of numpy.ndarray of int
        The counts of each axis alone; those of a position are their product.
    overlap_side : {"input", "output"}
        The side on which windows overlap: the inputs, of a transposed layer the outputs.
    """

    axis_inputs: tuple[IntArray, ...]
    axis_outputs: tuple[IntArray, ...]
    overlap_side: str
    _described: str
    _axes: tuple[Axis, ...]
    _is_open: bool

    @cached_property
    def per_input(self) -> IntArray:
        """Triples that use each input, of shape input_size."""
        return _product(self.axis_inputs)

    @cached_property
    def per_output(self) -> IntArray:
        """Triples that each output collects, of shape output_size."""
        return _product(self.axis_outputs)

    def counts(self, side: str | None = None) -> IntArray:
        """`per_input` or `per_output`, by default that of `overlap_side`."""
        return self.per_input if self._side(side) == "input" else self.per_output

    @property
    def total(self) -> int:
        """All triples: the multiplications with a stored sample, for a pair of channels."""
        return math.prod(int(counts.sum()) for counts in self.axis_outputs)

    def interior(self, side: str | None = None) -> tuple[range, ...] | None:
        """Per axis the positions that no border takes a triple from.

        On an endless axis a position of it would be in the same triples; the ones next to it
        would be in more. None where windows are no affine relation (adaptive pooling) or where
        the boundary reads samples again.

        Examples
        --------
        >>> import symconv as sc
        >>> found = multiplicities(sc.ConvTranspose1d(1, 1, 3, stride=2), (4,))
        >>> found.per_output, found.interior()
        (array([1, 1, 2, 1, 2, 1, 2, 1, 1]), (range(1, 8),))
        """
        if not self._axes or not self._is_open:
            return None
        is_read = self._side(side) == self.overlap_side
        return tuple(map(_read_interior if is_read else _reading_interior, self._axes))

    def is_uniform(self, side: str | None = None, *, interior: bool = False) -> Verdict:
        """Whether all positions of one side have the same count, at this size.

        Parameters
        ----------
        side : {"input", "output"}, optional
            By default `overlap_side`.
        interior : bool, default False
            Whether to leave the borders out (see `interior`).

        Returns
        -------
        Verdict
            REFUTED with the first position whose count is not that of the first one.

        Examples
        --------
        >>> import symconv as sc
        >>> found = multiplicities(sc.ConvTranspose1d(1, 1, 4, stride=2), (4,))
        >>> print(found.is_uniform(interior=True))
        PROVED (all 6 interior outputs): each is in 2 triples
        >>> found.is_uniform().counterexample
        {'position': (0,), 'count': 1, 'other': (2,), 'other count': 2}
        """
        chosen, counts = self._side(side), self.counts(side)
        starts = (0,) * counts.ndim
        if checks.flag("interior", interior):
            ranges = self.interior(side)
            if ranges is None:
                raise ParameterError("interior must be False: these windows have none")
            counts = counts[tuple(slice(found.start, found.stop) for found in ranges)]
            starts = tuple(found.start for found in ranges)
        kind = f"{'interior ' * interior}{chosen}s"
        scope = f"all {counts.size} {kind}"
        if not counts.size:
            return undecided(scope, f"there are no {kind}")
        flat = counts.ravel()
        differing = np.flatnonzero(flat != flat[0])
        if not len(differing):
            return proved(scope, f"each is in {flat[0]} triple{'' if flat[0] == 1 else 's'}")
        place = np.unravel_index(differing[0], counts.shape)
        other = tuple(int(at) + start for at, start in zip(place, starts, strict=True))
        case = {
            "position": starts,
            "count": int(flat[0]),
            "other": other,
            "other count": int(flat[differing[0]]),
        }
        return refuted(scope, case, "counts differ")

    def is_uniform_inside(self, side: str | None = None) -> Verdict:
        """Whether the positions far from the ends have the same count, for all sizes.

        Examples
        --------
        >>> import symconv as sc
        >>> found = multiplicities(sc.ConvTranspose2d(1, 1, (4, 3), stride=2), (4, 4))
        >>> found.is_uniform_inside().counterexample
        {'axis': 1, 'position': 0, 'count': 2, 'other': 1, 'other count': 1}
        """
        own = "input" if self._side(side) == self.overlap_side else "output"
        if not self._axes:
            return undecided(ALL_SIZES, "the windows are no affine relation")
        verdicts = [uniform_inside(axis.relation, own) for axis in self._axes]
        for number, verdict in enumerate(verdicts):
            if not verdict:
                case = {"axis": number, **verdict.counterexample}
                return refuted(ALL_SIZES, case, verdict.reason)
        return proved(ALL_SIZES, " × ".join(verdict.reason for verdict in verdicts))

    def _side(self, side: str | None) -> str:
        return self.overlap_side if side is None else checks.choice("side", side, SIDES)

    def panels(self, side: str | None = None) -> list[tuple[str, IntArray]]:
        """What the pictures show: the counts on one or two axes, of more each axis alone."""
        chosen = self._side(side)
        axes = self.axis_inputs if chosen == "input" else self.axis_outputs
        said = {"input": "times each input is used", "output": "products in each output"}[chosen]
        if len(axes) <= 2:
            return [(said, self.counts(chosen))]
        return [(f"{said}, axis {number}", counts) for number, counts in enumerate(axes)]

    def svg(self, side: str | None = None) -> str:
        """The counts as a picture with alternative text: bars, a heat map, or bars per axis.

        Examples
        --------
        >>> import symconv as sc
        >>> multiplicities(sc.ConvTranspose2d(1, 1, 3, stride=2), (2, 2)).svg().count("<rect")
        25
        """
        return str(counts_svg(self.panels(side), title=self._described))

    def png(self, side: str | None = None) -> bytes:
        """The same as a PNG, drawn by Matplotlib (the extra ``draw``)."""
        return bytes(counts_png(self.panels(side), title=self._described))

    def describe(self) -> str:
        """The layer and its size in a line."""
        return self._described

    def __repr__(self) -> str:
        return f"<Multiplicities, {self.total} triples: {self._described}>"

    def _repr_html_(self) -> str:
        return html_summary(repr(self), None, self.svg())


def multiplicities(layer: Layer, input_size: Sequence[int]) -> Multiplicities:
    """How often a layer uses each input and how many products each output collects.

    Parameters
    ----------
    layer : Layer
        Any with windows: convolutions, transposed ones, poolings, padding, patches.
    input_size : sequence of int
        Samples per axis.

    Raises
    ------
    ParameterTypeError
        If `layer` is no layer.
    GeometryError
        If the layer has no output at this size.

    Examples
    --------
    The checkerboard of a transposed convolution of three taps and stride 2, and how often
    overlapping windows read each sample:

    >>> import symconv as sc
    >>> multiplicities(sc.ConvTranspose2d(1, 1, 3, stride=2), (2, 2)).per_output
    array([[1, 1, 2, 1, 1],
           [1, 1, 2, 1, 1],
           [2, 2, 4, 2, 2],
           [1, 1, 2, 1, 1],
           [1, 1, 2, 1, 1]])
    >>> multiplicities(sc.MaxPool1d(3, stride=2), (7,)).per_input
    array([1, 1, 2, 1, 2, 1, 1])
    """
    if not isinstance(layer, Layer):
        raise ParameterTypeError(f"layer must be a layer, got {type(layer).__name__}")
    return multiplicities_of(layer.operator(input_size))


def windows_of(operator: Any) -> tuple[Windows, bool]:
    """The windows of an operator, and whether it goes from their outputs to what they read.

    Examples
    --------
    >>> import symconv as sc
    >>> op = sc.Conv1d(1, 1, 3, stride=2).operator((7,))
    >>> windows_of(op.T)[0].output_size, windows_of(op)[1], windows_of(op.T)[1]
    ((3,), False, True)
    """
    if isinstance(operator, Operator):
        return operator.oriented.linear.incidence, operator.oriented.transposed
    windows: Windows = operator.windows
    return windows, False


def multiplicities_of(operator: Any) -> Multiplicities:
    """The same of an operator; of a transposed one, inputs and outputs change places.

    Examples
    --------
    >>> import symconv as sc
    >>> op = sc.Conv1d(1, 1, 3, stride=2).operator((7,))
    >>> multiplicities_of(op).per_input, multiplicities_of(op.T).per_output
    (array([1, 1, 2, 1, 2, 1, 1]), array([1, 1, 2, 1, 2, 1, 1]))
    """
    windows, is_turned = windows_of(operator)
    read, reading = [], []
    for table, n_in in zip(windows.reads, windows.input_size, strict=True):
        stored = table != OUTSIDE
        read.append(np.bincount(table[stored], minlength=n_in))
        reading.append(stored.sum(axis=1))
    axes: tuple[Axis, ...] = ()
    is_open = False
    if isinstance(windows, Incidence):
        found = windows.geometry.axes
        # Adaptive windows of different sizes are no affine relation.
        axes = found if all(isinstance(axis.relation, AxisRelation) for axis in found) else ()
        is_open = not windows.boundary.needs_samples
    inputs, outputs = tuple(read), tuple(reading)
    if is_turned:
        inputs, outputs = outputs, inputs
    side = "output" if is_turned else "input"
    return Multiplicities(inputs, outputs, side, operator.describe(), axes, is_open)


def _product(axes: tuple[IntArray, ...]) -> IntArray:
    """The counts of all positions from those of the axes."""
    require(
        8 * math.prod(len(counts) for counts in axes),
        f"counts of {' × '.join(str(len(counts)) for counts in axes)} positions",
        "read axis_inputs and axis_outputs, whose products they are",
    )
    most = math.prod(int(counts.max(initial=0)) for counts in axes)
    if most >= 2**63:
        raise TooLargeError(
            f"counts must be below 2**63, got {most}; read axis_inputs and axis_outputs, whose "
            f"products they are"
        )
    product = np.ones((), dtype=np.int64)
    for counts in axes:
        product = np.multiply.outer(product, counts)
    return np.asarray(product)


def _within(first: int, last: int, n: int) -> range:
    """The positions from first to last that an axis of n has."""
    start = max(first, 0)
    return range(start, max(min(last + 1, n), start))


def _read_interior(axis: Axis) -> range:
    """Inputs all of whose windows exist: from E − s to s·n_out − 1 on the padded axis."""
    relation = axis.relation
    # −1 and n_out are the first outputs that do not exist.
    first = relation.position(-1, relation.n_taps - 1) + 1
    last = min(relation.position(axis.n_out, 0), relation.end(axis.n_in)) - 1
    spread = relation.input_dilation
    return _within(-(-first // spread), last // spread, axis.n_in)


def _reading_interior(axis: Axis) -> range:
    """Outputs whose windows lie in the input and before what cropping cuts off."""
    relation = axis.relation
    end = min(relation.spread_size(axis.n_in), relation.end(axis.n_in))
    first = -(relation.position(0, 0) // relation.stride)
    last = (end - 1 - relation.position(0, relation.n_taps - 1)) // relation.stride
    return _within(first, last, axis.n_out)
