"""The base of all layers, and the parameter rules that several of them share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symconv import checks
from symconv.algebras import as_array
from symconv.boundary import MODES, ZEROS, Boundary
from symconv.conventions import AMOUNTS, SIZE_DEPENDENT, padding_amount
from symconv.counts import joined_pairs
from symconv.errors import (
    GeometryError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
    located,
)
from symconv.geometry import Geometry, check_groups, least_samples
from symconv.operator import Operator
from symconv.relation import AxisRelation
from symconv.rendering import html_summary
from symconv.shapes import canonical, input_interval

__all__ = ["Layer"]

Size = tuple[Any, ...]

#: Parameters that may be symbolic where closed forms are asked for.
SYMBOLIC_PARAMETERS = (
    "in_channels",
    "out_channels",
    "groups",
    "kernel_size",
    "stride",
    "padding",
    "output_padding",
    "dilation",
    "input_dilation",
    "target_size",
)

#: Input sizes per axis that `input_sizes` lists.
MAX_SIZES = 10**6


class Layer:
    """Base of all layers: sizes, shapes and their inverses, read from the axis relations."""

    #: Whether the layer reads its relation backward, from output to input.
    is_transposed = False

    #: Whether the layer is a linear map plus a constant.
    is_linear = True

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        raise TypeError("a layer has kernel_size or padding per axis")

    def relation(self, axis: int, n_in: Any = None) -> AxisRelation:
        """The index relation on one axis; `n_in` matters where padding depends on the size."""
        raise ParameterTypeError(f"layer must have one relation per axis, got {self.describe()}")

    def _output_on(self, axis: int, n_in: Any) -> Any:
        """Output size on one axis, below 1 where no window fits."""
        if checks.is_symbolic(n_in) and getattr(self, "padding", 0) in SIZE_DEPENDENT:
            # "same" pads until ⌈n/s⌉ windows fit, one for each start inside the bare input; the
            # padding itself would put a maximum into every later size.
            return replace(self.relation(axis, n_in), pad_lo=0).windows_starting_inside(n_in)
        return self.relation(axis, n_in).output_size(n_in)

    def _boundary(self) -> Boundary:
        """What lies outside the input: zeros, unless the layer has a padding_mode."""
        if not hasattr(self, "padding_mode"):
            return ZEROS
        return Boundary(self.padding_mode, getattr(self, "padding_value", 0))

    def _least_input(self, axis: int) -> int:
        """The smallest legal input size on one axis."""
        return least_samples(self._boundary(), self.relation(axis, 1))

    def _geometry(self, input_size: Sequence[int], **channels: int) -> Geometry:
        """The validated geometry at one input size."""
        with located(lambda: f"{self.describe()} on {input_size}"):
            size = self._checked_size("input_size", input_size)
            size = tuple(checks.concrete("input_size", n) for n in size)
            self._check_concrete()
            return Geometry.of(
                [self.relation(axis, n) for axis, n in enumerate(size)],
                size,
                output_size=[self._output_on(axis, n) for axis, n in enumerate(size)],
                boundary=self._boundary(),
                **channels,
            )

    def output_size(self, input_size: Sequence[Any]) -> Size:
        """Spatial output size; SymPy sizes give the closed form.

        Parameters
        ----------
        input_size : sequence of int or SymPy expressions
            Samples per axis, without channels.

        Raises
        ------
        GeometryError
            If an output size would be below 1.

        Examples
        --------
        >>> import sympy, symconv as sc
        >>> layer = sc.Conv2d(3, 8, 3, stride=2, padding=1)
        >>> layer.output_size((32, 32))
        (16, 16)
        >>> n = sympy.Symbol("n", integer=True, positive=True)
        >>> layer.output_size((n, 32))
        (floor(n/2 + 1/2), 16)
        """
        with located(self.describe):
            size = self._checked_size("input_size", input_size)
            result = tuple(canonical(self._output_on(axis, n)) for axis, n in enumerate(size))
            for axis, (n_in, n_out) in enumerate(zip(size, result, strict=True)):
                if isinstance(n_in, int) and n_in < self._least_input(axis):
                    raise GeometryError(
                        f"input size must be >= {self._least_input(axis)} on axis {axis}, "
                        f"got {n_in}"
                    )
                if isinstance(n_out, (int, sympy.Integer)) and n_out < 1:
                    raise GeometryError(
                        f"output size must be >= 1 on axis {axis}, got {n_out} "
                        f"for input size {n_in}"
                    )
            return result

    def output_shape(self, input_shape: Sequence[Any]) -> Size:
        """(channels, *size) of the output for (channels, *size) of the input."""
        with located(self.describe):
            shape = checks.sequence("input_shape", input_shape)
            if len(shape) != self.rank + 1:
                raise ShapeError(
                    f"input_shape must be (channels, *size) with {self.rank} spatial axes, "
                    f"got {shape}"
                )
            channels = checks.integer("input channels", shape[0], 0)
            return (self._channels_out(channels), *self.output_size(shape[1:]))

    def _channels_out(self, channels: Any) -> Any:
        return channels

    def input_sizes(self, output_size: Sequence[Any]) -> tuple[Any, ...]:
        """Per axis, every input size that gives this output size, ascending.

        A symbolic size (or a symbolic stride, kernel, …) gives the closed form as a SymPy `Range`
        for layers of the floor rule: s consecutive integers, one per output padding 0 … s−1.

        Examples
        --------
        >>> import sympy, symconv as sc
        >>> layer = sc.Conv2d(3, 8, 3, stride=2, padding=1)
        >>> layer.input_sizes((16, 16))
        ((31, 32), (31, 32))
        >>> m = sympy.Symbol("m", integer=True, positive=True)
        >>> layer.input_sizes((m, 16))
        (Range(2*m - 1, 2*m + 1, 1), (31, 32))
        """
        with located(self.describe):
            size = self._checked_size("output_size", output_size)
            return tuple(self._inputs_on(axis, n) for axis, n in enumerate(size))

    def _inputs_on(self, axis: int, n_out: Any) -> Any:
        if not self._has_floor_rule:
            checks.concrete("output_size", n_out)
            self._check_concrete(skip=("in_channels", "out_channels", "groups"))
        elif checks.is_symbolic(n_out) or self._is_symbolic(axis):
            least, most = map(sympy.expand, input_interval(self.relation(axis, None), n_out))
            return sympy.Range(least, most + 1)
        return self._inverse_on(axis, n_out)

    @property
    def _has_floor_rule(self) -> bool:
        """Whether the output size is the floor formula with padding that no size changes."""
        return not self.is_transposed and getattr(self, "padding", 0) not in SIZE_DEPENDENT

    def _is_symbolic(self, axis: int) -> bool:
        """Whether the relation on one axis has symbols in it."""
        relation = self.relation(axis, None)
        return any(checks.is_symbolic(getattr(relation, name)) for name in relation.__slots__)

    def _inverse_on(self, axis: int, n_out: int) -> tuple[int, ...]:
        """All n with this output size on `axis`: it is monotone in n, so bisection finds them."""
        low, high = _first_reaching(self, axis, n_out), _first_reaching(self, axis, n_out + 1)
        if n_out < 1:
            return ()
        if high - low > MAX_SIZES:
            raise TooLargeError(
                f"{high - low} input sizes on axis {axis} are above the limit of {MAX_SIZES}; "
                f"they are {low} … {high - 1}"
            )
        return tuple(range(low, high))

    def _check_concrete(self, skip: tuple[str, ...] = ()) -> None:
        """Refuse symbolic parameters where numbers are needed, by the layer's own names."""
        for item in fields(self):  # type: ignore[arg-type]
            if item.name in SYMBOLIC_PARAMETERS and item.name not in skip:
                for entry in np.ravel(np.array(getattr(self, item.name), dtype=object)):
                    if checks.is_symbolic(entry):
                        checks.concrete(item.name, entry)

    def parameter_count(self) -> Any:
        """Number of weights and biases."""
        return 0

    def operator(self, input_size: Sequence[int]) -> Operator:
        """The linear map at one input size.

        Raises
        ------
        GeometryError
            If no output exists at this size.
        """
        raise ParameterTypeError(
            f"layer must be linear to have a matrix over numbers, got {self.describe()}"
        )

    def describe(self) -> str:
        """The geometry in a line, for messages: long values are cut."""
        return self._spelled(checks.shown)

    def _checked_size(self, name: str, value: Any) -> Size:
        size = checks.sequence(name, value)
        if len(size) != self.rank:
            raise ShapeError(f"{name} must have {self.rank} entries, one per axis, got {size}")
        return tuple(checks.integer(name, n, 0) for n in size)

    def __repr__(self) -> str:
        return self._spelled(repr)

    def _spelled(self, spell: Callable[[Any], str]) -> str:
        shown = []
        for item in fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if item.default is MISSING:
                shown.append(spell(value) if not item.kw_only else f"{item.name}={spell(value)}")
            elif not _is_default(value, item.default):
                shown.append(f"{item.name}={spell(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def latex(self) -> str:
        r"""The layer as a formula, each subscript printed from the index relation.

        Examples
        --------
        >>> import symconv as sc
        >>> print(sc.Pad((1,), padding_mode="circular").latex())
        y_{i_{0}} = x_{i_{0} - 1},\quad x \text{ extended: circular}
        """
        raise TypeError("a layer defines its formula")

    def _repr_html_(self) -> str:
        return html_summary(repr(self), self._repr_latex_())

    def _repr_latex_(self) -> str:
        return f"$${self.latex()}$$"


def _is_default(value: Any, default: Any) -> bool:
    """Whether a normalised value is what the default normalises to."""
    if isinstance(value, tuple) and not isinstance(default, tuple):
        return bool(value) and all(_is_default(entry, default) for entry in value)
    return type(value) is type(default) and bool(value == default)


def _first_reaching(layer: Layer, axis: int, n_out: int) -> int:
    """Smallest legal n whose output size on `axis` is at least `n_out`."""
    low = layer._least_input(axis)
    high = low + 1
    while layer._output_on(axis, high) < n_out:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        if layer._output_on(axis, middle) >= n_out:
            high = middle
        else:
            low = middle + 1
    return low


def checked_layers(layers: Any) -> tuple[Layer, ...]:
    """At least one layer, and nothing else."""
    given = checks.sequence("layers", layers)
    if not given:
        raise ParameterError("layers must name at least one layer, got none")
    for layer in given:
        if not isinstance(layer, Layer):
            raise ParameterTypeError(f"layers must hold layers, got {type(layer).__name__}")
    return given


def store(layer: Any, name: str, value: Any) -> None:
    """Set a field of a frozen layer while it is being made."""
    object.__setattr__(layer, name, value)


def normalise_convolution(layer: Any) -> None:
    """Check the parameters that `Conv` and `ConvTranspose` share and store them per axis."""
    kernel = layer.kernel_size
    if isinstance(kernel, int) or checks.is_symbolic(kernel):
        raise ParameterTypeError(
            f"kernel_size must be a tuple with one entry per axis, got "
            f"{type(kernel).__name__} {checks.shown(kernel)}; "
            f"{type(layer).__name__}1d, 2d and 3d accept an int"
        )
    rank = len(checks.sequence("kernel_size", kernel))
    if rank == 0:
        raise ParameterError("kernel_size must name at least one axis, got ()")
    for name in ("in_channels", "out_channels", "groups"):
        store(layer, name, checks.integer(name, getattr(layer, name), 1))
    for name in ("kernel_size", "stride", "dilation"):
        store(layer, name, checks.per_axis(name, getattr(layer, name), rank, 1))
    store(layer, "bias", checks.flag("bias", layer.bias))
    check_groups(layer.in_channels, layer.out_channels, layer.groups)


def checked_padding(value: Any, rank: int) -> Any:
    """Padding as a convention's name or as (lo, hi) pairs."""
    if isinstance(value, str):
        return checks.choice("padding", value, AMOUNTS)
    return checks.pairs("padding", value, rank)


def padded_relation(relation: AxisRelation, padding: Any, n_in: Any) -> AxisRelation:
    """`relation` with the padding of a convention at size `n_in`, or with the given pair."""
    if n_in is None and padding in SIZE_DEPENDENT:
        raise ParameterError(f"input size must be given: padding {padding!r} depends on it")
    lo, hi = padding_amount(padding, relation, n_in) if isinstance(padding, str) else padding
    return AxisRelation(
        relation.n_taps, relation.stride, relation.dilation, lo, hi, relation.input_dilation
    )


def convolution_parameters(layer: Any) -> Any:
    """Weights (in·out/groups·taps) and, with a bias, one more per output channel."""
    weights = channel_pairs(layer) * math.prod(layer.kernel_size)
    return weights + (layer.out_channels if layer.bias else 0)


def channel_pairs(layer: Any) -> Any:
    """Pairs (input channel, output channel) that the layer's kernel joins."""
    return joined_pairs(layer.in_channels, layer.out_channels, layer.groups)


def check_boundary(layer: Any) -> None:
    """Check `padding_mode` and `padding_value` of a layer."""
    mode = checks.choice("padding_mode", layer.padding_mode, MODES)
    value = layer.padding_value
    if mode != "constant":
        is_number = isinstance(value, (int, float, Fraction, np.number, sympy.Number))
        if isinstance(value, bool) or not is_number or value != 0:
            raise ParameterError(
                f"padding_value must be 0 unless padding_mode is 'constant', got "
                f"{checks.shown(value)}"
            )
        store(layer, "padding_value", 0)
        return
    array, _ = as_array("padding_value", value)
    if array.ndim or (array.dtype.kind in "fc" and not np.isfinite(array)):
        raise ParameterError(f"padding_value must be one finite number, got {checks.shown(value)}")
    # A Python number, a Fraction or a SymPy expression: hashable, and it prints as it is made.
    plain = array.item()
    store(layer, "padding_value", plain)


def any_size(axis: int) -> Any:
    """A size that is not known: padding that depends on it stays a formula."""
    return sympy.Symbol(f"n_{axis}", integer=True, positive=True)
