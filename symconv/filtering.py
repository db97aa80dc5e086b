"""A layer run over an image or an array: channels, weights, one division at the end, rounding.

Weights that are integers or fractions become integers over one divisor, so that an image of
integers is filtered in integers; the divisor is applied last, and nothing is rounded twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import as_array, integers_over_denominator, magnitude
from symconv.checks import choice
from symconv.errors import DTypeError, ParameterError, ParameterTypeError, ShapeError
from symconv.files import MAX_PIXELS, grey
from symconv.layers import AvgPool, Layer
from symconv.operator import Operator

__all__ = ["SCALES", "Filtered", "fitted_weight", "operator_for", "run_layer"]

Array = npt.NDArray[Any]

#: What becomes of values outside 0 … 255 in an image.
SCALES = ("clip", "rescale", "abs")


@dataclass(frozen=True, eq=False)
class Filtered:
    """Values with the divisor that they still wait for: integers over it, or floats over 1.

    Examples
    --------
    >>> Filtered(np.array([[-3, 1, 5, 600]]), 2).samples("clip")
    array([[  0,   1,   3, 255]], dtype=uint8)
    >>> Filtered(np.array([[-3, 1, 5, 600]]), 2).numbers()
    array([[ -1.5,   0.5,   2.5, 300. ]])
    """

    values: Array
    divisor: int = 1

    @property
    def is_exact(self) -> bool:
        """Whether the values are integers over the divisor."""
        return self.values.dtype.kind in "iuO"

    def numbers(self) -> Array:
        """An array to store: int64 where every value is an integer, else floats as computed."""
        if not self.is_exact:
            return self.values
        if self.divisor != 1:
            return np.asarray(self.values / self.divisor, dtype=np.float64)
        if magnitude(self.values) > 2**63 - 1:
            raise DTypeError(
                "output must hold integers of int64, got larger ones; pass floats for an "
                "approximate result"
            )
        return self.values.astype(np.int64)

    def outside(self) -> float:
        """Share of the values that an image cannot show as they are: below 0 or above 255."""
        if not self.values.size:
            return 0.0
        rounded = self._rounded(self.values)
        return float(np.mean(((rounded < 0) | (rounded > 255)).astype(bool)))

    def samples(self, scale: str) -> Array:
        """Values of an image, uint8: to the nearest integer, halves upwards.

        Parameters
        ----------
        scale : {"clip", "rescale", "abs"}
            "clip" cuts at 0 and 255; "rescale" takes the least value to 0 and the greatest to
            255; "abs" drops the signs and cuts at 255.
        """
        choice("scale", scale, SCALES)
        values = self.values
        if values.dtype.kind == "c":
            raise DTypeError("image must have real values, got complex ones; write a .npy file")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise DTypeError(
                "image must have finite values, got infinity or not-a-number; write a .npy file"
            )
        if scale == "rescale":
            return self._stretched().astype(np.uint8)
        rounded = self._rounded(abs(values) if scale == "abs" else values)
        return np.clip(rounded, 0, 255).astype(np.uint8)

    def _rounded(self, values: Array) -> Array:
        if not self.is_exact:
            return np.asarray(np.floor(values.real + 0.5))
        return _divided(values, self.divisor)

    def _stretched(self) -> Array:
        low, high = self.values.min(), self.values.max()
        if low == high:
            return np.zeros(self.values.shape, dtype=np.int64)
        if not self.is_exact:
            # Dividing first keeps the difference of large floats finite.
            span = high / 2 - low / 2
            return np.asarray(np.floor((self.values / 2 - low / 2) / span * 255 + 0.5))
        # The divisor is in both differences and cancels.
        values, span = self.values, int(high) - int(low)
        if values.dtype == object or 255 * span >= 2**63:
            values = values.astype(object)
        return _divided((values - low) * 255, span)


def _divided(values: Array, divisor: int) -> Array:
    """Integers divided, to the nearest, halves upwards."""
    if divisor == 1:
        return values
    if divisor >= 2**62:
        values = values.astype(object)
    quotient = values // divisor
    rest = values - quotient * divisor
    return np.asarray(quotient + (2 * rest >= divisor))


def fitted_weight(weight: Array, operator: Operator) -> Array:
    """The weights in the operator's shape; one kernel without channels serves every pair of them.

    Examples
    --------
    >>> import symconv as sc
    >>> op = sc.Conv1d(3, 3, 2, groups=3, bias=False).operator((4,))
    >>> fitted_weight(np.array([1, 2]), op).shape
    (3, 1, 2)
    """
    shape = operator.weight_shape
    if shape is None:
        raise ParameterError("weight must be left out: this layer has no free weights")
    if weight.shape == shape:
        return weight
    if weight.shape == shape[2:]:
        return np.broadcast_to(weight, shape)
    raise ShapeError(
        f"weight must have shape {shape}, or {shape[2:]} for one kernel in every channel, "
        f"got {weight.shape}"
    )


def operator_for(
    layer: Layer, size: Sequence[int], *, transpose: bool, input_size: Sequence[int] | None
) -> Operator:
    """The operator that takes data of spatial `size`.

    Parameters
    ----------
    layer : Layer
    size : sequence of int
        Of the data.
    transpose : bool
        Whether the data is what the layer puts out, and its transpose is asked.
    input_size : sequence of int, optional
        Of the layer's input, where `transpose` leaves several.
    """
    if not transpose:
        if input_size is not None and tuple(input_size) != tuple(size):
            raise ShapeError(
                f"input must be the size of the data, {tuple(size)}, got {tuple(input_size)}"
            )
        return layer.operator(size)
    if not layer.is_linear:
        raise ParameterTypeError(f"layer must be linear to be transposed, got {layer!r}")
    if input_size is None:
        possible = layer.input_sizes(size)
        if not all(possible):
            raise ShapeError(f"data must be what {layer!r} puts out, got size {tuple(size)}")
        if any(len(sizes) > 1 for sizes in possible):
            listed = " × ".join(" or ".join(map(str, sizes)) for sizes in possible)
            raise ParameterError(
                f"input must say which size the transposed layer gives back: {listed}"
            )
        input_size = [sizes[0] for sizes in possible]
    return layer.operator(input_size).T


def channels_for(operator: Operator, image: Array) -> Array:
    """An image with the channels that the operator takes."""
    if operator.weight_shape is None:
        return image
    wanted = operator.input_shape[0]
    if wanted == 1:
        return (grey(image) if image.ndim == 3 else image)[None]
    if wanted == 3:
        return image if image.ndim == 3 else np.stack([image] * 3)
    raise ShapeError(f"layer must take 1 or 3 channels for an image, got {wanted}; use a .npy file")


def run_layer(
    layer: Layer,
    data: Array,
    *,
    is_image: bool,
    transpose: bool = False,
    input_size: Sequence[int] | None = None,
    weight: Array | None = None,
    divisor: int = 1,
    bias: Array | None = None,
) -> Filtered:
    """`layer` over `data`, exactly if everything is exact.

    Parameters
    ----------
    layer : Layer
    data : numpy.ndarray
        An image, (height, width) or (3, height, width), or any array that ends with the axes
        that the operator takes; its single channel may be left out.
    is_image : bool
        Whether channels may be made to fit: grey from colours and colours from grey.
    transpose, input_size
        See `operator_for`.
    weight : numpy.ndarray, optional
        Of the weight shape, or one kernel for every channel (see `fitted_weight`).
    divisor : int, default 1
        Divides the weights; applied at the end.
    bias : numpy.ndarray, optional
        One number per output channel; zeros where the layer has a bias and none is given.
    """
    if data.ndim < layer.rank:
        raise ShapeError(f"data must have at least {layer.rank} axes, got shape {data.shape}")
    if is_image and layer.rank != 2:
        raise ShapeError(f"layer must have 2 axes for an image, got {layer.rank} in {layer!r}")
    operator = operator_for(
        layer, data.shape[-layer.rank :], transpose=transpose, input_size=input_size
    )
    without_channel = False
    if is_image:
        data = channels_for(operator, data)
    elif operator.weight_shape is not None and data.ndim == layer.rank:
        data, without_channel = data[None], True
    if operator.weight_shape is not None:
        if weight is None:
            raise ParameterError(
                f"weight must be given, shape {operator.weight_shape}, or a kernel's name"
            )
        weight = fitted_weight(weight, operator)
    elif weight is not None:
        raise ParameterError(f"weight must be left out: {layer!r} has no free weights")
    if bias is not None and not operator.has_bias:
        direction = " transposed" if transpose else ""
        raise ParameterError(f"bias must be left out: {layer!r}{direction} has none")
    if bias is None and operator.has_bias:
        bias = np.zeros(operator.output_shape[0], dtype=np.int64)
    filtered = _applied(layer, operator, data, weight, divisor, bias)
    if without_channel and operator.output_shape[0] == 1:
        return Filtered(filtered.values[0], filtered.divisor)
    return filtered


def _applied(
    layer: Layer,
    operator: Operator,
    data: Array,
    weight: Array | None,
    divisor: int,
    bias: Array | None,
) -> Filtered:
    exact = all(
        as_array(name, value)[1].is_exact
        for name, value in (("input", data), ("weight", weight), ("bias", bias))
        if value is not None
    )
    if not exact:
        if weight is not None and divisor != 1:
            weight = weight / divisor
        return Filtered(operator.apply(_floats(data), _floats(weight), _floats(bias)))
    if isinstance(layer, AvgPool) and data.dtype.itemsize <= 4 and data.size <= 3 * MAX_PIXELS:
        # Sums of such integers are exact in float64, and so is one rounded division; a mean that
        # is not half an integer stays clear of it by far more than that rounding.
        return Filtered(operator.apply(data.astype(np.float64)))
    below = divisor
    if weight is not None:
        weight, denominator = integers_over_denominator(weight)
        below *= denominator
    if bias is not None:
        bias, denominator = integers_over_denominator(bias)
        # w/p · x + b/q = (w·m/p · x + b·m/q) / m with m the least common multiple.
        common = math.lcm(below, denominator)
        if weight is not None and common != below:
            weight = weight.astype(object) * (common // below)
        bias = bias.astype(object) * (common // denominator)
        below = common
    values, denominator = integers_over_denominator(operator.apply(data, weight, bias))
    return Filtered(values, below * denominator)


def _floats(value: Array | None) -> Array | None:
    """Fractions as float64, anything else as it is."""
    return value.astype(np.float64) if value is not None and value.dtype == object else value
