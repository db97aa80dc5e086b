"""What every convention is: a rule from one axis to (lo, hi) and a size, with its own limits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symconv import checks
from symconv.conventions.elementwise import all_of, index, is_false, maximum
from symconv.errors import GeometryError, ParameterError, ParameterTypeError, located
from symconv.relation import AxisRelation

__all__ = ["Convention", "Limit", "Resolved", "pair", "resolve_axes", "transposed_to_size"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """One axis of a layer in symconv's terms.

    Attributes
    ----------
    relation : AxisRelation
        With the padding (lo, hi): of the convolution or pooling itself, or, for a transposed
        convolution, as `symconv.ConvTranspose` takes it, output padding apart.
    n_in, output_size : int, integer array or symbolic integer
    output_padding : int, integer array, symbolic integer or None
        None unless transposed.
    """

    relation: AxisRelation
    n_in: Any
    output_size: Any
    output_padding: Any = None

    @property
    def pad_lo(self) -> Any:
        """Samples added before the input; cut from the start of the output if transposed."""
        return self.relation.pad_lo

    @property
    def pad_hi(self) -> Any:
        """Samples added after the input; cut from the end of the output if transposed."""
        return self.relation.pad_hi

    @property
    def is_transposed(self) -> bool:
        """Whether this is a transposed convolution."""
        return self.output_padding is not None

    @property
    def net_hi(self) -> Any:
        """The high padding of the convolution itself, or of the one transposed: hi − op."""
        return self.pad_hi - self.output_padding if self.is_transposed else self.pad_hi

    @property
    def overhang(self) -> Any:
        """Samples that the last window reads past the padding (ceil mode); 0 if transposed."""
        if self.is_transposed:
            return 0
        reach = self.relation.reach(self.output_size)
        return maximum(reach - self.relation.padded_size(self.n_in), 0)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a framework demands beyond the mathematics: a condition and the rule in words."""

    holds: Any
    rule: str


@dataclass(frozen=True)
class Convention(ABC):
    """One framework's spelling of one axis.

    A subclass says in `rule` what its parameters mean, and in `limits` what its framework
    refuses. Both run on integers, integer arrays and SymPy expressions, so that one statement
    serves a single layer, an exhaustive box and a formula.
    """

    @property
    @abstractmethod
    def spelling(self) -> str:
        """Which rule this is, the same in every framework that shares it."""

    @abstractmethod
    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """The axis in symconv's terms; `axis` carries no padding. Nothing is checked here."""

    def limits(self, axis: AxisRelation, n_in: Any) -> tuple[Limit, ...]:
        """What the framework refuses on this axis."""
        return ()

    def counts_padding(self, stated: bool | None, dilation: Sequence[Any]) -> bool:
        """Whether an average counts the explicit padding: as stated, or as the framework does.

        Parameters
        ----------
        stated : bool or None
            What the user said, None for nothing.
        dilation : sequence of int
            One per axis.

        Raises
        ------
        ParameterError
            If the framework has no such average.
        """
        return True if stated is None else stated

    def allows(self, axis: AxisRelation, n_in: Any) -> Any:
        """Whether the framework takes this axis: a truth value, array of them, or condition."""
        return all_of(True, *(limit.holds for limit in self.limits(axis, n_in)))

    def check(self, axis: AxisRelation, n_in: Any) -> None:
        """Refuse, with a `ParameterError`, what the framework refuses."""
        for limit in self.limits(axis, n_in):
            if is_false(limit.holds):
                raise ParameterError(limit.rule)

    def resolve(self, n_in: Any, n_taps: Any, stride: Any = 1, dilation: Any = 1) -> Resolved:
        """The axis in symconv's terms, checked.

        Parameters
        ----------
        n_in, n_taps, stride, dilation : int, integer array or symbolic integer
            All >= 1.

        Returns
        -------
        Resolved

        Raises
        ------
        ParameterError
            If the framework refuses these parameters.
        GeometryError
            If no output exists.
        """
        with located(lambda: f"{self} on n_in={n_in}, n_taps={n_taps}, {stride=}, {dilation=}"):
            size = index("n_in", n_in, 1)
            axis = AxisRelation(
                index("n_taps", n_taps, 1),
                index("stride", stride, 1),
                index("dilation", dilation, 1),
            )
            self.check(axis, size)
            resolved = self.rule(axis, size)
            if is_false(resolved.output_size >= 1):
                raise GeometryError(f"output size must be >= 1, got {resolved.output_size}")
            return resolved


def pair(name: str, value: Any, minimum: int | None = None) -> tuple[Any, Any]:
    """(lo, hi) of one axis."""
    entries = checks.sequence(name, value)
    if len(entries) != 2:
        raise ParameterError(f"{name} must be (lo, hi) of one axis, got {checks.shown(value)}")
    return index(name, entries[0], minimum), index(name, entries[1], minimum)


def transposed_to_size(axis: AxisRelation, n_in: Any, pad_lo: Any, size: Any) -> Resolved:
    """The transposed convolution that cuts `pad_lo` samples first and ends at `size`.

    A high padding below 0 is written as output padding, which is the same thing.
    """
    bare = AxisRelation(axis.n_taps, axis.stride, axis.dilation)
    net_hi = bare.input_size(n_in) - pad_lo - size
    pad_hi = maximum(net_hi, 0)
    relation = AxisRelation(axis.n_taps, axis.stride, axis.dilation, pad_lo, pad_hi)
    return Resolved(relation, n_in, size, pad_hi - net_hi)


def resolve_axes(
    conventions: Convention | Sequence[Convention],
    input_size: Sequence[Any],
    kernel_size: Sequence[Any],
    stride: Any = 1,
    dilation: Any = 1,
) -> tuple[Resolved, ...]:
    """All axes: one convention for every axis, or one per axis.

    Examples
    --------
    >>> from symconv.conventions import KerasConv
    >>> [r.output_size for r in resolve_axes(KerasConv("same"), (14, 14), (3, 3), 2, (3, 1))]
    [7, 7]
    """
    size = checks.sequence("input_size", input_size)
    rank = len(size)
    kernel = checks.per_axis("kernel_size", checks.sequence("kernel_size", kernel_size), rank, 1)
    strides = checks.per_axis("stride", stride, rank, 1)
    dilations = checks.per_axis("dilation", dilation, rank, 1)
    if isinstance(conventions, Convention):
        conventions = (conventions,) * rank
    each = checks.sequence("conventions", conventions)
    if len(each) != rank:
        raise ParameterError(f"conventions must have one entry per axis ({rank}), got {len(each)}")
    for convention in each:
        if not isinstance(convention, Convention):
            raise ParameterTypeError(
                f"conventions must be conventions, got {type(convention).__name__}"
            )
    axes = zip(each, size, kernel, strides, dilations, strict=True)
    return tuple(convention.resolve(n, k, s, d) for convention, n, k, s, d in axes)
