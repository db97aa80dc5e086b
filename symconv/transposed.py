"""A transposed convolution four ways, each built on its own; that they agree is a theorem.

1. *Scatter and add*: every input sample sends x·w into its slice of the output.
2. *Zero insertion*: zeros between the samples, a border, and an ordinary convolution of stride 1
   with the kernel flipped and its channels exchanged.
3. *The transpose* of the matrix of the convolution with padding (lo, hi − op).
4. *The gradient* of ⟨y, conv(x)⟩ by x.

None of them calls another or the operator of `ConvTranspose`; the exact matrices are compared
in the tests. They are for deriving and teaching: ``layer.operator(size)`` is the fast way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import sympy

from symconv import checks
from symconv.errors import ParameterTypeError, TooLargeError, located
from symconv.geometry import by_axis
from symconv.incidence import check_table
from symconv.layers import Conv, ConvTranspose
from symconv.matrices import symbols

__all__ = ["WAYS", "transposed_matrix"]

#: Products that a derivation writes out.
MAX_PRODUCTS = 10**6

Matrix: TypeAlias = sympy.ImmutableSparseMatrix


def _symbol(*index: int) -> sympy.Symbol:
    return sympy.Symbol("_".join(map(str, ("w", *index))))


def scatter(layer: ConvTranspose, size: tuple[int, ...]) -> Matrix:
    """Column by column: where each input sample lands through each tap."""
    out_size = layer.output_size(size)
    per_group_in = layer.in_channels // layer.groups
    per_group_out = layer.out_channels // layer.groups
    shape = (layer.out_channels * math.prod(out_size), layer.in_channels * math.prod(size))
    entries: dict[tuple[int, int], Any] = {}
    relations = [layer.relation(axis) for axis in range(layer.rank)]
    for channel in range(layer.in_channels):
        first = channel // per_group_in * per_group_out
        for position in np.ndindex(*size):
            column = np.ravel_multi_index((channel, *position), (layer.in_channels, *size))
            for tap in np.ndindex(*layer.kernel_size):
                # The place that input i of a transposed convolution reaches is the place that
                # output i of its convolution reads.
                target = [
                    r.position(i, k) for r, i, k in zip(relations, position, tap, strict=True)
                ]
                if any(not 0 <= t < n for t, n in zip(target, out_size, strict=True)):
                    continue
                for offset in range(per_group_out):
                    place = (first + offset, *target)
                    row = np.ravel_multi_index(place, (layer.out_channels, *out_size))
                    key = int(row), int(column)
                    entries[key] = entries.get(key, 0) + _symbol(channel, offset, *tap)
    return Matrix(*shape, entries)


def zero_insertion(layer: ConvTranspose, size: tuple[int, ...]) -> Matrix:
    """C·Z: Z spreads the samples and sets or cuts the border, C slides the flipped kernel."""
    axes = [layer.relation(axis).adjoint() for axis in range(layer.rank)]
    framed = [relation.padded_size(n) for relation, n in zip(axes, size, strict=True)]
    insertion: dict[tuple[int, int], int] = {}
    for channel in range(layer.in_channels):
        for position in np.ndindex(*size):
            column = np.ravel_multi_index((channel, *position), (layer.in_channels, *size))
            place = [r.padded_place(i) for r, i in zip(axes, position, strict=True)]
            if all(0 <= t < n for t, n in zip(place, framed, strict=True)):
                row = np.ravel_multi_index((channel, *place), (layer.in_channels, *framed))
                insertion[int(row), int(column)] = 1
    rows = layer.in_channels * math.prod(framed)
    spreading = Matrix(rows, layer.in_channels * math.prod(size), insertion)
    conv = Conv(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        dilation=layer.dilation,
        groups=layer.groups,
        bias=False,
    )
    per_group_in = layer.in_channels // layer.groups
    per_group_out = layer.out_channels // layer.groups
    operator = conv.operator(framed)
    weight = np.empty(operator.weight_shape or (), dtype=object)
    for index in np.ndindex(*weight.shape):
        out, within, *tap = index
        group, offset = divmod(out, per_group_out)
        flipped = [n - 1 - k for n, k in zip(layer.kernel_size, tap, strict=True)]
        weight[index] = _symbol(group * per_group_in + within, offset, *flipped)
    return Matrix(operator.exact(weight) * spreading)


def transpose(layer: ConvTranspose, size: tuple[int, ...]) -> Matrix:
    """The transpose of a convolution's matrix: padding (lo, hi − op), on this layer's output."""
    return _convolution(layer).operator(layer.output_size(size)).exact().T


def gradient(layer: ConvTranspose, size: tuple[int, ...]) -> Matrix:
    """SymPy's gradient of ⟨y, conv(x)⟩ by x, read off as the coefficients of y."""
    out_size = layer.output_size(size)
    x = symbols("x", (layer.out_channels, *out_size))
    y = symbols("y", (layer.in_channels, *size))
    operator = _convolution(layer).operator(out_size)
    product = operator.apply(x, operator.weight_symbols())
    pairing = sympy.expand(sum(a * b for a, b in zip(y.ravel(), product.ravel(), strict=True)))
    entries: dict[tuple[int, int], Any] = {}
    for row, sample in enumerate(x.ravel()):
        derivative = sympy.diff(pairing, sample)
        for column, sent in enumerate(y.ravel()):
            entry = derivative.coeff(sent)
            if entry != 0:
                entries[row, column] = entry
    return Matrix(x.size, y.size, entries)


def _convolution(layer: ConvTranspose) -> Conv:
    """The convolution whose transpose the layer is."""
    relations = [layer.relation(axis) for axis in range(layer.rank)]
    return Conv(
        layer.out_channels,
        layer.in_channels,
        layer.kernel_size,
        stride=layer.stride,
        padding=[(relation.pad_lo, relation.pad_hi) for relation in relations],
        dilation=layer.dilation,
        groups=layer.groups,
        bias=False,
    )


#: Name → construction of the exact matrix of a `ConvTranspose` at an input size.
WAYS: dict[str, Callable[[ConvTranspose, tuple[int, ...]], Matrix]] = {
    "scatter": scatter,
    "zero_insertion": zero_insertion,
    "transpose": transpose,
    "gradient": gradient,
}


def transposed_matrix(layer: ConvTranspose, input_size: Sequence[int], way: str) -> Matrix:
    """The exact matrix of a transposed convolution, built one of four ways.

    Parameters
    ----------
    layer : ConvTranspose
    input_size : sequence of int
    way : {"scatter", "zero_insertion", "transpose", "gradient"}

    Returns
    -------
    sympy.ImmutableSparseMatrix
        Rows (out channel, *position), columns (in channel, *position), entries ``w_i_o_k…``.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.ConvTranspose1d(1, 1, 2, stride=2, output_padding=1)
    >>> transposed_matrix(layer, (2,), "scatter")
    Matrix([
    [w_0_0_0,       0],
    [w_0_0_1,       0],
    [      0, w_0_0_0],
    [      0, w_0_0_1],
    [      0,       0]])
    >>> len({transposed_matrix(layer, (2,), way) for way in WAYS})
    1
    """
    if not isinstance(layer, ConvTranspose):
        raise ParameterTypeError(f"layer must be a ConvTranspose, got {type(layer).__name__}")
    build = WAYS[checks.choice("way", way, WAYS)]
    with located(layer.describe):
        size = checks.per_axis(
            "input_size", checks.sequence("input_size", input_size), layer.rank, 1
        )
    geometry = layer.geometry(size)
    with located(lambda: f"{layer.describe()} on {by_axis(size)}"):
        for axis in geometry.axes:
            check_table(axis)
        # These derive and teach: loops over every product.
        n_products = math.prod(geometry.output_shape) * geometry.products_per_output
        n_numbers = n_products + math.prod(geometry.input_shape)
        if n_numbers > MAX_PRODUCTS:
            raise TooLargeError(
                f"{n_numbers} products are above the limit of {MAX_PRODUCTS} for a derivation; "
                f"layer.operator(size) is the fast way"
            )
        return build(layer, size)
