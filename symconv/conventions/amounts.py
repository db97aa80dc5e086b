"""Padding amounts: how frameworks spell "same", "full" and the like, as per-axis (lo, hi).

Each convention is one function of the axis: number of taps, stride, dilation and, where the
amount depends on it, the input size. To add one, write its function and a line in `AMOUNTS`.

References
----------
PyTorch, documentation of ``torch.nn.Conv2d`` (``padding='valid'``, ``'same'``); TensorFlow,
"Notes on padding" of ``tf.nn``; ONNX operator ``Conv``, attribute ``auto_pad``
(``SAME_UPPER``, ``SAME_LOWER``); Keras, ``Conv1D`` (``padding="causal"``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symconv.conventions.elementwise import maximum
from symconv.errors import ParameterError
from symconv.relation import AxisRelation

__all__ = ["AMOUNTS", "SIZE_DEPENDENT", "padding_amount"]

Pair = tuple[Any, Any]


def _valid(axis: AxisRelation, n_in: Any) -> Pair:
    return 0, 0


def _full(axis: AxisRelation, n_in: Any) -> Pair:
    """Every window that meets the input at all."""
    return axis.extent - 1, axis.extent - 1


def _same(axis: AxisRelation, n_in: Any) -> Pair:
    """PyTorch's: d(K−1) in total whatever the size, the odd unit at the end, stride 1 only."""
    if axis.stride != 1:
        raise ParameterError(
            f"stride must be 1 for padding 'same' (PyTorch's), got {axis.stride}; "
            f"'same_upper' and 'same_lower' are TensorFlow's and ONNX's for any stride"
        )
    total = axis.extent - 1
    return total // 2, total - total // 2


def _same_total(axis: AxisRelation, n_in: Any) -> Any:
    """The least padding that gives ⌈n/s⌉ outputs, n being the spread size."""
    n = axis.spread_size(n_in)
    n_out = -(-n // axis.stride)
    # The input that n_out windows need, against the one that is there.
    missing = axis.input_size(n_out) - n
    return maximum(missing, 0)


def _same_upper(axis: AxisRelation, n_in: Any) -> Pair:
    total = _same_total(axis, n_in)
    return total // 2, total - total // 2


def _same_lower(axis: AxisRelation, n_in: Any) -> Pair:
    total = _same_total(axis, n_in)
    return total - total // 2, total // 2


def _causal(axis: AxisRelation, n_in: Any) -> Pair:
    """No output reads an input after its own position."""
    return axis.extent - 1, 0


#: Name → the (lo, hi) of one axis, given the relation without padding and the input size.
AMOUNTS: dict[str, Callable[[AxisRelation, Any], Pair]] = {
    "valid": _valid,
    "full": _full,
    "same": _same,
    "same_upper": _same_upper,
    "same_lower": _same_lower,
    "causal": _causal,
}

#: The conventions whose amount depends on the input size.
SIZE_DEPENDENT = frozenset({"same_upper", "same_lower"})


def padding_amount(name: str, axis: AxisRelation, n_in: Any) -> Pair:
    """(lo, hi) in samples that convention `name` gives to `axis` (a relation without padding).

    Examples
    --------
    >>> padding_amount("same_upper", AxisRelation(3, stride=2), 6)
    (0, 1)
    >>> padding_amount("same_lower", AxisRelation(3, stride=2), 6)
    (1, 0)
    """
    return AMOUNTS[name](axis, n_in)
