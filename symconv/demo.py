"""The demonstration: exact operators run over a photograph and checked against other libraries.

Each `Case` states a layer, integer weights and what to filter. `compute` runs it through symconv
twice, by the explicit sparse matrix and without it; `peers` computes the same numbers with SciPy
and, where it is installed, torch, from the layer's parameters alone; `compare` demands equality of
every integer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ParameterError
from symconv.files import grey
from symconv.kernels import named_kernel
from symconv.layers import AvgPool, Conv, Conv1d, Conv2d, ConvTranspose, ConvTranspose2d
from symconv.operator import Operator
from symconv.peers import peers

__all__ = ["Case", "Computed", "Outcome", "cases", "compare", "compute", "run", "small"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Case:
    """One thing to compute.

    Attributes
    ----------
    name, geometry : str
        What it is, and its parameters in a line.
    layer : Conv or ConvTranspose
        Without bias.
    weight : numpy.ndarray of int64
        Of the layer's weight shape.
    source : str
        What it filters: "grey", "colour", or the name of an earlier case.
    signed : bool
        Whether the values lie around zero, for the picture.
    """

    name: str
    geometry: str
    layer: Conv | ConvTranspose
    weight: Array
    source: str = "grey"
    signed: bool = False


@dataclass(frozen=True, eq=False)
class Computed:
    """symconv's two answers, with what they took."""

    operator: Operator
    by_matrix: Array
    by_apply: Array
    n_bytes: int
    seconds: dict[str, float]


@dataclass(frozen=True, eq=False)
class Outcome:
    """A case with its answer, the times of everyone, and the differences found.

    Attributes
    ----------
    differences : dict of str to str
        Name of a peer → where it differs; empty when all are equal.
    """

    case: Case
    computed: Computed
    peers: tuple[str, ...]
    seconds: dict[str, float]
    differences: dict[str, str] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Whether every answer agreed in every integer."""
        return not self.differences

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        if self.is_equal:
            return f"equal to {', '.join(self.peers)}"
        return "; ".join(f"DIFFERS from {name} {how}" for name, how in self.differences.items())


def cases(size: tuple[int, int]) -> tuple[Case, ...]:
    """The cases for an image of (height, width).

    Examples
    --------
    >>> for case in cases((600, 512))[4:6]:
    ...     print(case.layer.output_size((600, 512) if case.source == "grey" else (299, 171)))
    (299, 171)
    (600, 512)
    """
    sobel, gaussian = named_kernel("sobel_x").array(), named_kernel("gaussian5").array()
    log, emboss = named_kernel("log5").array(), named_kernel("emboss").array()
    stride, padding = (2, 3), ((0, 2), (2, 3))
    strided = Conv2d(1, 1, 5, stride=stride, padding=padding, bias=False)
    # What the floor of the strided convolution cut off: the transposed one gives it back.
    left_over = tuple(
        (n + sum(pads) - 5) % s for n, pads, s in zip(size, padding, stride, strict=True)
    )
    back = ConvTranspose2d(
        1, 1, 5, stride=stride, padding=padding, output_padding=left_over, bias=False
    )
    # Each colour gives two channels, its derivatives to the right and downwards.
    both = np.stack([sobel, sobel.T] * 3)[:, None]
    one = (1, 1)
    return (
        Case(
            "Sobel x",
            "3×3, padding 1",
            Conv2d(1, 1, 3, padding=1, bias=False),
            sobel.reshape(*one, 3, 3),
            signed=True,
        ),
        Case(
            "Gaussian",
            "5×5, padding 2, reflect",
            Conv2d(1, 1, 5, padding=2, padding_mode="reflect", bias=False),
            gaussian.reshape(*one, 5, 5),
        ),
        Case(
            "Laplacian of Gaussian",
            "5×5, padding 2",
            Conv2d(1, 1, 5, padding=2, bias=False),
            log.reshape(*one, 5, 5),
            signed=True,
        ),
        Case(
            "Dilated Sobel y",
            "3×3, dilation 3×2, padding 3×2",
            Conv2d(1, 1, 3, dilation=(3, 2), padding=(3, 2), bias=False),
            sobel.T.reshape(*one, 3, 3),
            signed=True,
        ),
        Case(
            "Strided Gaussian",
            f"5×5, stride 2×3, padding {padding[0]}×{padding[1]}",
            strided,
            gaussian.reshape(*one, 5, 5),
        ),
        Case(
            "Transposed back",
            f"the strided one's transpose, output padding {left_over[0]}×{left_over[1]}",
            back,
            gaussian.reshape(*one, 5, 5),
            source="Strided Gaussian",
        ),
        Case(
            "Gradients per colour",
            "3→6 channels, groups 3, 3×3, padding 1",
            Conv2d(3, 6, 3, groups=3, padding=1, bias=False),
            both,
            source="colour",
            signed=True,
        ),
        Case(
            "Emboss",
            "3×3, padding 24, circular",
            Conv2d(1, 1, 3, padding=24, padding_mode="circular", bias=False),
            emboss.reshape(*one, 3, 3),
            signed=False,
        ),
    )


def compute(case: Case, x: Array) -> Computed:
    """The two answers of symconv for integers `x` of shape (channels, *size)."""
    start = perf_counter()
    operator = case.layer.operator(x.shape[1:])
    matrix = operator.sparse(case.weight, dtype=np.int64)
    assembled = perf_counter()
    by_matrix = (matrix @ x.ravel()).reshape(operator.output_shape)
    multiplied = perf_counter()
    by_apply = operator.apply(x, case.weight)
    applied = perf_counter()
    return Computed(
        operator,
        by_matrix,
        by_apply,
        int(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes),
        {
            "assemble": assembled - start,
            "product": multiplied - assembled,
            "apply": applied - multiplied,
        },
    )


def compare(case: Case, x: Array, computed: Computed) -> Outcome:
    """Hold symconv's answers against each other and against every peer.

    The peers get the case's layer, weights and image, and compute everything else themselves.
    """
    seconds, differences, others = dict(computed.seconds), {}, peers()
    if not np.array_equal(computed.by_matrix, computed.by_apply):
        differences["its own apply"] = _difference(computed.by_matrix, computed.by_apply)
    for name, answer in others.items():
        start = perf_counter()
        expected = answer(case.layer, case.weight, x)
        seconds[name] = perf_counter() - start
        if not np.array_equal(computed.by_matrix, expected):
            differences[name] = _difference(computed.by_matrix, expected)
    return Outcome(case, computed, tuple(others), seconds, differences)


def _difference(ours: Array, theirs: Array) -> str:
    """Where two answers part, in words."""
    if ours.shape != theirs.shape:
        return f"in shape: {ours.shape} and {theirs.shape}"
    at = np.argwhere(ours != theirs)
    first = tuple(int(index) for index in at[0])
    return f"at {len(at)} of {ours.size}, first at {first}: {ours[first]} and {theirs[first]}"


def run(colour: Array) -> Iterator[Outcome]:
    """Every case on a colour image (3, height, width) of integers, one after the other."""
    if colour.ndim != 3 or colour.shape[0] != 3 or min(colour.shape[1:]) < 32:
        raise ParameterError(
            f"image must have three colours and at least 32×32 pixels, got shape {colour.shape}"
        )
    images = {"colour": colour.astype(np.int64), "grey": grey(colour).astype(np.int64)[None]}
    for case in cases(colour.shape[1:]):
        x = images[case.source]
        outcome = compare(case, x, compute(case, x))
        images[case.name] = outcome.computed.by_matrix
        yield outcome


@dataclass(frozen=True, eq=False)
class Small:
    """A small exact matrix to print, and a claim about it that was checked."""

    call: str
    operator: Operator
    claim: str = ""
    holds: bool = True


def small() -> tuple[Small, ...]:
    """Small layers whose exact matrices are worth looking at.

    Examples
    --------
    >>> [(example.operator.shape, example.holds) for example in small()]
    [((3, 5), True), ((4, 16), True), ((4, 16), True), ((16, 4), True), ((2, 5), True)]
    """
    strided = Conv1d(1, 1, 3, stride=2, padding=1, bias=False)
    plain = Conv2d(1, 1, 3, bias=False)
    halving = Conv2d(1, 1, 3, stride=2, padding=1, bias=False).operator((4, 4))
    doubling = ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1, bias=False).operator(
        (2, 2)
    )
    pool = AvgPool((3,), stride=2).operator((5,))
    return (
        Small("Conv1d(1, 1, 3, stride=2, padding=1) on 5", strided.operator((5,))),
        Small("Conv2d(1, 1, 3) on 4×4", plain.operator((4, 4))),
        Small("Conv2d(1, 1, 3, stride=2, padding=1) on 4×4", halving),
        Small(
            "ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1) on 2×2",
            doubling,
            "it is the transpose of the matrix before, entry by entry",
            doubling.exact() == halving.exact().T,
        ),
        Small("AvgPool1d(3, stride=2) on 5", pool),
    )


def n_cases() -> int:
    """How many cases `run` goes through."""
    return len(cases((64, 64)))


def panels(colour: Array, outcomes: list[Outcome]) -> list[tuple[str, Array, bool]]:
    """(title, image, whether values lie around zero) for the picture, original first."""
    result = [(f"original\n{_times(colour.shape[1:])}", np.moveaxis(colour, 0, -1), False)]
    for outcome in outcomes:
        case, y = outcome.case, outcome.computed.by_matrix
        title = f"{case.name}\n{case.geometry}\n{_times(y.shape[1:])}"
        if len(y) == 1:
            result.append((title, y[0], case.signed))
            continue
        # Two derivatives per colour: their length, as a colour image.
        length = np.hypot(y[0::2].astype(float), y[1::2].astype(float))
        bright = np.clip(length / (np.percentile(length, 99) or 1.0), 0, 1)
        result.append((title, np.moveaxis(bright, 0, -1), False))
    return result


def _times(size: tuple[int, ...]) -> str:
    return "×".join(map(str, size))


def draw(file: Any, colour: Array, outcomes: list[Outcome]) -> None:
    """Write the contact sheet as PNG to an open file."""
    # Matplotlib is optional and slow to import; only the picture needs it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    shown = panels(colour, outcomes)
    columns = 3
    rows = math.ceil(len(shown) / columns)
    figure = Figure(figsize=(3.6 * columns, 4.7 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for number, (title, image, signed) in enumerate(shown):
        axes = figure.add_subplot(rows, columns, number + 1)
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
        low, high = (float(value) for value in np.percentile(image, (0.5, 99.5)))
        if signed:
            # Zero is the middle grey.
            high = max(-low, high, 1.0)
            low = -high
        # Limits count for greys only; Matplotlib shows colours as they are.
        axes.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation="antialiased")
    figure.savefig(file, format="png", dpi=110)
