"""Max unpooling: what max pooling took, put back where it stood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symconv import checks
from symconv.algebras import as_array
from symconv.errors import GeometryError, ParameterError, ShapeError, located
from symconv.layers.base import Size, store
from symconv.layers.windows import WindowLayer
from symconv.maxpool import Array
from symconv.selection import max_unpool

__all__ = ["MaxUnpool"]


@dataclass(frozen=True, repr=False)
class MaxUnpool(WindowLayer):
    """The partial inverse of `MaxPool`: its values where its indices say, zeros elsewhere.

    The size is the smallest one that the pooling takes to the input's, or one that is stated.
    Receptive fields hold for indices that the pooling itself made.

    Parameters
    ----------
    kernel_size : tuple of int
    stride : int or tuple, default kernel_size
    padding : int, tuple or pairs, default 0
        Of the max pooling that is undone.

    Examples
    --------
    >>> import symconv as sc
    >>> values, places = sc.MaxPool1d(2).operator((5,)).apply([1, 5, 7, 2, 9], return_indices=True)
    >>> layer = MaxUnpool((2,))
    >>> layer.unpool(values, places), layer.unpool(values, places, target_size=(5,))
    (array([0, 5, 7, 0]), array([0, 5, 7, 0, 0]))
    >>> layer.output_size((2,)), layer.input_sizes((4,))
    ((4,), ((2,),))

    References
    ----------
    M. D. Zeiler, R. Fergus, *Visualizing and understanding convolutional networks* (2014);
    PyTorch, documentation of ``torch.nn.MaxUnpool2d``.
    """

    kernel_size: Any
    stride: Any = field(default=None, kw_only=True)
    padding: Any = field(default=0, kw_only=True)

    #: Windows are whole runs of samples, as in PyTorch and ONNX.
    dilation = 1

    is_transposed = True

    #: Where the values go is in the indices, which are another input.
    is_linear = False

    def __post_init__(self) -> None:
        with located(self.describe):
            if self.stride is None:
                store(self, "stride", self.kernel_size)
            if isinstance(self.padding, str):
                raise ParameterError(
                    f"padding must be integers or (lo, hi) pairs for unpooling, got "
                    f"{checks.shown(self.padding)}"
                )
            self._normalise_window()

    def _output_on(self, axis: int, n_in: Any) -> Any:
        return self.relation(axis).input_size(n_in)

    def _least_input(self, axis: int) -> int:
        return 1

    def output_size(self, input_size: Sequence[Any], target_size: Any = None) -> Size:
        """``s·(n − 1) + K − p_lo − p_hi``, or a `target_size` less than s away from it.

        Parameters
        ----------
        input_size : sequence of int or SymPy expressions
        target_size : sequence of int, optional
            PyTorch's ``output_size``: one entry per axis.

        Raises
        ------
        GeometryError
            If a size would be below 1, or `target_size` is s or more away (PyTorch's rule).

        Examples
        --------
        >>> MaxUnpool((3,), stride=2).output_size((4,)), MaxUnpool((2,)).output_size((4,), (7,))
        ((9,), (7,))
        """
        if target_size is None:
            return super().output_size(input_size)
        with located(self.describe):
            given = self._checked_size("input_size", input_size)
            wanted = self._checked_size("target_size", target_size)
            for axis, (n_in, n) in enumerate(zip(given, wanted, strict=True)):
                self._check_target(axis, n_in, n)
            return wanted

    def _check_target(self, axis: int, n_in: Any, wanted: Any) -> None:
        usual = checks.concrete("input_size", self._output_on(axis, n_in))
        stride = checks.concrete("stride", self.stride[axis])
        n = checks.concrete("target_size", wanted)
        if n_in < 1:
            raise GeometryError(f"input size must be >= 1 on axis {axis}, got {n_in}")
        if n < 1 or not abs(n - usual) < stride:
            raise GeometryError(
                f"target_size must be {max(usual - stride + 1, 1)} … {usual + stride - 1} on axis "
                f"{axis}, got {n}"
            )

    def unpool(self, y: Any, indices: Any, target_size: Any = None) -> Array:
        """The values of `y` at their flat positions in planes of zeros: `symconv.max_unpool`.

        Parameters
        ----------
        y : array_like, shape (*leading, *size)
            Pooled values, of any number type.
        indices : array_like of int, the same shape
            As max pooling gives them with ``return_indices=True``.
        target_size : sequence of int, optional
            See `output_size`.

        Returns
        -------
        numpy.ndarray, shape (*leading, *output size)

        Raises
        ------
        ParameterError
            If an index lies outside the plane.
        """
        with located(self.describe):
            array, _ = as_array("y", y)
            if array.ndim < self.rank:
                raise ShapeError(
                    f"y must have at least {self.rank} axes, (*leading, *size), got {array.shape}"
                )
            size = self.output_size(array.shape[array.ndim - self.rank :], target_size)
            return max_unpool(array, indices, size)

    def latex(self) -> str:
        at = ", ".join(f"i_{{{axis}}}" for axis in range(self.rank))
        return rf"y_{{p_{{{at}}}}} = x_{{{at}}},\quad y = 0 \text{{ elsewhere}}"
