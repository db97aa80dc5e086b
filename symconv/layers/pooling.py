"""Poolings: the mean or the largest value of each window, per channel."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy

from symconv import checks
from symconv.boundary import OUTSIDE, ZEROS
from symconv.conventions import SIZE_DEPENDENT, Convention, Resolved
from symconv.errors import GeometryError, ParameterError, ParameterTypeError, located
from symconv.geometry import Axis, by_axis
from symconv.incidence import Incidence, axis_reads, check_table
from symconv.layers.base import any_size, store
from symconv.layers.windows import WindowLayer
from symconv.maps import WindowMap
from symconv.maxpool import PoolOperator
from symconv.operator import Operator
from symconv.relation import AxisRelation
from symconv.rendering import relation_latex

__all__ = ["AvgPool", "MaxPool"]

#: Divisors are below this, so that a float holds every one.
MAX_DIVISOR = 2**1023


class PoolLayer(WindowLayer):
    """Base of the poolings: windows, and the size rule of ceil mode or of a convention."""

    ceil_mode: bool

    def _normalise_pool(self) -> None:
        if self.stride is None:
            store(self, "stride", self.kernel_size)
        store(self, "ceil_mode", checks.flag("ceil_mode", self.ceil_mode))
        spelled = self.padding
        if not _is_spelled(spelled):
            self._normalise_window()
            return
        store(self, "padding", 0)
        self._normalise_window()
        store(self, "padding", _checked_spelling(spelled, self.rank))
        if self.ceil_mode:
            raise ParameterError("ceil_mode must be left to the convention given as padding")
        for axis in range(self.rank):
            resolved = self._resolved(axis, 1)
            if resolved is not None and resolved.is_transposed:
                raise ParameterError(
                    f"padding must be a convention of pooling, got {self._convention(axis)}"
                )

    def _convention(self, axis: int) -> Any:
        """The framework's spelling of one axis, or symconv's own padding."""
        if isinstance(self.padding, tuple):
            return self.padding[axis]
        return self.padding

    def _resolved(self, axis: int, n_in: Any) -> Resolved | None:
        """One axis by its convention, within the framework's limits; None without a convention."""
        convention = self._convention(axis)
        if not isinstance(convention, Convention):
            return None
        bare = AxisRelation(self.kernel_size[axis], self.stride[axis], self.dilation[axis])
        convention.check(bare, n_in)
        return convention.rule(bare, n_in)

    def relation(self, axis: int, n_in: Any = None) -> AxisRelation:
        size = any_size(axis) if n_in is None else n_in
        resolved = self._resolved(axis, size)
        if resolved is None:
            return super().relation(axis, n_in)
        if n_in is None:
            pads = sympy.Tuple(resolved.pad_lo, resolved.pad_hi)
            if size in pads.free_symbols:
                raise ParameterError(
                    f"input size must be given: padding {self._convention(axis)} depends on it"
                )
        return resolved.relation

    @property
    def _has_floor_rule(self) -> bool:
        plain = not self.ceil_mode and not _is_spelled(self.padding)
        return plain and super()._has_floor_rule

    def _output_on(self, axis: int, n_in: Any) -> Any:
        resolved = self._resolved(axis, n_in)
        if resolved is not None:
            name = self._convention(axis).spelling.replace(" ", "_")
            if checks.is_symbolic(n_in) and name in SIZE_DEPENDENT:
                # As for symconv's names: one window for each start inside the bare input.
                return replace(resolved.relation, pad_lo=0).windows_starting_inside(n_in)
            return resolved.output_size
        return self._plain_output_on(axis, n_in)

    def _plain_output_on(self, axis: int, n_in: Any) -> Any:
        """Output size by the floor rule, or by PyTorch 2's ceil mode."""
        if not self.ceil_mode:
            return super()._output_on(axis, n_in)
        relation = self.relation(axis, n_in)
        n_out, starts_outside = relation.ceil_output_size(n_in)
        if isinstance(starts_outside, bool):
            return n_out - starts_outside
        slack = relation.pad_hi + relation.stride - relation.extent
        if all(isinstance(number, int) for number in (relation.pad_hi, relation.extent, slack)):
            if slack <= 0:
                # The last window starts inside whatever the size is.
                return n_out
            if relation.pad_hi <= relation.extent:
                return relation.windows_starting_inside(n_in)
        return n_out - sympy.Piecewise((1, starts_outside), (0, True))


def _is_spelled(padding: Any) -> bool:
    """Whether padding is a framework's convention, or has one in it."""
    entries = padding if isinstance(padding, (tuple, list)) else (padding,)
    return any(isinstance(entry, Convention) for entry in entries)


def _checked_spelling(padding: Any, rank: int) -> Any:
    """One convention, or one per axis where they differ."""
    given = padding if isinstance(padding, (tuple, list)) else (padding,) * rank
    if len(given) != rank:
        raise ParameterError(
            f"padding must have one convention per axis ({rank}), got {len(given)}"
        )
    for entry in given:
        if not isinstance(entry, Convention):
            raise ParameterTypeError(
                f"padding must be a convention on every axis or on none, got {checks.shown(entry)}"
            )
        try:
            hash(entry)
        except TypeError:
            raise ParameterTypeError(
                f"padding must be one convention per axis, none with arrays, got "
                f"{checks.shown(entry)}"
            ) from None
    return given[0] if len(set(given)) == 1 else tuple(given)


@dataclass(frozen=True, repr=False)
class MaxPool(PoolLayer):
    """The largest value of each window, per channel.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode : as for `AvgPool`
        Padding never is the largest value: a window that reads nothing else is refused.

    Examples
    --------
    >>> from symconv.conventions import OnnxPool
    >>> last = MaxPool((2,), stride=2, padding=OnnxPool("SAME_LOWER"))
    >>> last.operator((3,)).apply([5, 3, 4]).tolist()
    [5, 4]
    >>> MaxPool((3, 3), stride=2, padding=1).output_size((112, 112))
    (56, 56)
    >>> print(MaxPool((2,)).operator((4,)).exact())
    [ 0   0  −∞  −∞]
    [−∞  −∞   0   0]

    References
    ----------
    PyTorch, documentation of ``torch.nn.MaxPool2d``.
    """

    kernel_size: Any
    stride: Any = field(default=None, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)
    ceil_mode: bool = field(default=False, kw_only=True)

    #: It has a matrix, but over (max, +).
    is_linear = False

    def __post_init__(self) -> None:
        with located(self.describe):
            self._normalise_pool()

    def latex(self) -> str:
        relations = [self.relation(axis, any_size(axis)) for axis in range(self.rank)]
        return relation_latex(relations, weighted=False).replace(r"\sum", r"\max")

    def operator(self, input_size: Sequence[int]) -> PoolOperator:  # type: ignore[override]
        geometry = self._geometry(input_size)
        name = f"{self.describe()} on {by_axis(geometry.input_size)}"
        with located(lambda: name):
            for axis in geometry.axes:
                check_table(axis)
        return PoolOperator(Incidence(geometry), name)


@dataclass(frozen=True, repr=False)
class AvgPool(PoolLayer):
    """The mean of each window, per channel.

    Parameters
    ----------
    kernel_size : tuple of int
    stride : int or tuple, default kernel_size
    padding : as for `Conv`, zeros outside; or a convention
        A framework's own spelling, one for all axes or one per axis: `symconv.TorchPool`,
        `OnnxPool`, `KerasConv`, `XlaConv`. It says the padding, ceil mode, and which windows are
        kept at each size, and refuses what the framework refuses.
    dilation : as for `Conv`
    ceil_mode : bool, default False
        Round the output size up; a last window that would start at or after n + p_lo is dropped
        (PyTorch 2's rule). What a window reads past the explicit padding is the overhang: it
        never counts.
    count_include_pad : bool, optional
        Whether positions in the explicit padding count in the divisor. Left out, as the
        convention's framework does: True in PyTorch and without a convention, False in ONNX,
        always False in Keras and TensorFlow.
    divisor_override : int, optional
        Divide by this, below 2**1023, instead of the number of cells.

    Raises
    ------
    GeometryError
        By `operator`, where a window has no cell to count. A window of padding that counts has
        the average 0, as in PyTorch: a row of zeros.

    Examples
    --------
    >>> AvgPool((2,), padding=1, count_include_pad=False).operator((4,)).exact()
    Matrix([
    [1,   0,   0, 0],
    [0, 1/2, 1/2, 0],
    [0,   0,   0, 1]])

    Keras's ``AveragePooling1D(2, 2, "same")``, and ONNX's ceil mode before operator set 22, which
    keeps a last window that sees nothing but padding:

    >>> from symconv.conventions import KerasConv, OnnxPool
    >>> AvgPool((2,), padding=KerasConv("same")).operator((3,)).apply([2, 4, 7]).tolist()
    [Fraction(3, 1), Fraction(7, 1)]
    >>> for opset in (21, 22):
    ...     rule = OnnxPool(pads=(1, 1), ceil_mode=True, opset=opset)
    ...     AvgPool((2,), padding=rule, count_include_pad=True).operator((1,)).exact()
    Matrix([
    [1/2],
    [  0]])
    Matrix([[1/2]])

    References
    ----------
    PyTorch, documentation of ``torch.nn.AvgPool2d``; ONNX, operator ``AveragePool`` (versions 1 to
    22); TensorFlow, documentation of ``tf.nn.avg_pool``.
    """

    kernel_size: Any
    stride: Any = field(default=None, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)
    ceil_mode: bool = field(default=False, kw_only=True)
    count_include_pad: Any = field(default=None, kw_only=True)
    divisor_override: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        with located(self.describe):
            self._normalise_pool()
            stated = self.count_include_pad
            # Open until it is known, also in messages.
            store(self, "count_include_pad", None)
            if stated is not None:
                stated = checks.flag("count_include_pad", stated)
            answers = self._counted(stated)
            if len(answers) > 1:
                raise ParameterError(
                    "count_include_pad must be given where the axes' frameworks do not agree on it"
                )
            store(self, "count_include_pad", answers.pop())
            if self.divisor_override is not None:
                divisor = checks.integer("divisor_override", self.divisor_override, 1)
                divisor = checks.concrete("divisor_override", divisor)
                if divisor >= MAX_DIVISOR:
                    raise ParameterError("divisor_override must be below 2**1023, as floats are")
                store(self, "divisor_override", divisor)

    def _counted(self, stated: bool | None) -> set[bool]:
        """Whether padding counts, as stated or else by the conventions of the axes."""
        if not _is_spelled(self.padding):
            return {stated is None or stated}
        rules = [self._convention(axis) for axis in range(self.rank)]
        return {rule.counts_padding(stated, self.dilation) for rule in rules}

    def _spelled(self, spell: Callable[[Any], str]) -> str:
        text = super()._spelled(spell)
        counted = self.count_include_pad
        if counted is None or self._counted(None) != {counted}:
            return text
        # It is what leaving it out gives.
        return text.replace(f", count_include_pad={spell(counted)}", "")

    def latex(self) -> str:
        relations = [self.relation(axis, any_size(axis)) for axis in range(self.rank)]
        divisor = self.divisor_override
        fixed = not self.ceil_mode and not _is_spelled(self.padding)
        if divisor is None and self.count_include_pad and fixed:
            divisor = math.prod(self.kernel_size)
        if divisor is None:
            # The cells that count differ from window to window.
            below = f"N_{{{', '.join(f'i_{{{axis}}}' for axis in range(self.rank))}}}"
        else:
            below = sympy.latex(sympy.sympify(divisor, strict=True))
        factor = rf"\frac{{1}}{{{below}}} "
        return relation_latex(relations, weighted=False, factor=factor, padding_mode="zeros")

    def operator(self, input_size: Sequence[int]) -> Operator:
        geometry = self._geometry(input_size)
        name = f"{self.describe()} on {by_axis(geometry.input_size)}"
        with located(lambda: name):
            for axis in geometry.axes:
                check_table(axis)
        if self.divisor_override is not None:
            return Operator(WindowMap(geometry, int(self.divisor_override)), name)
        with located(lambda: name):
            divisors = tuple(
                self._counts(number, axis) for number, axis in enumerate(geometry.axes)
            )
        return Operator(WindowMap(geometry, divisors), name)

    def _counts(self, number: int, axis: Axis) -> tuple[int, ...]:
        """Cells that count in each window of one axis."""
        if self.count_include_pad:
            padded = axis.relation.inside_padded(
                np.arange(axis.n_out)[:, None], np.arange(axis.n_taps)[None, :], axis.n_in
            )
        else:
            padded = axis_reads(axis, ZEROS) != OUTSIDE
        counts = tuple(int(count) for count in padded.sum(axis=1))
        if 0 in counts:
            remedy = "divisor_override"
            if not self.count_include_pad:
                remedy = f"count_include_pad=True or {remedy}"
            raise GeometryError(
                f"padding must leave a cell to count in every window, got none in window "
                f"{counts.index(0)} of axis {number}; {remedy} divides by a constant"
            )
        return counts
