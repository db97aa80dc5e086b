"""The gallery's figures: each a function whose body is the call that the page shows.

Every picture is drawn from a layer and a size alone. `number` is that of the figure in V. Dumoulin,
F. Visin, *A guide to convolution arithmetic for deep learning* (2016), arXiv:1603.07285; figures
without one show what the guide leaves out.
"""

# ruff: noqa: D103 - a figure is described by its declaration

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import symconv as sc

#: The numbers of the guide's figures 1.1, 1.2, 1.5 and 1.6.
SAMPLES = [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
KERNEL = [[0, 1, 2], [2, 2, 0], [0, 1, 2]]


@dataclass(frozen=True)
class Figure:
    """One figure: its name, the guide's number, what it shows, and the call that draws it."""

    name: str
    number: str
    caption: str
    make: Callable[[], sc.Drawing]
    frame: int

    @property
    def call(self) -> str:
        """The Python expression that draws it."""
        body = inspect.getsource(self.make).partition("return ")[2]
        return textwrap.dedent("       " + body).strip()


FIGURES: dict[str, Figure] = {}


def figure(name: str, caption: str, number: str = "", frame: int = 0) -> Callable[..., None]:
    """Enter a function into the gallery; `frame` is the step that stands on the page."""

    def enter(make: Callable[[], sc.Drawing]) -> None:
        FIGURES[name] = Figure(name, number, caption, make, frame)

    return enter


# Chapter 1: discrete convolutions and pooling


@figure(
    "numbers",
    "A 3×3 kernel slides over 5×5 samples; each output is the sum of nine products.",
    "1.1",
)
def numbers() -> sc.Drawing:
    return sc.draw(
        sc.Conv2d(1, 1, 3, bias=False), input_size=(5, 5), x=[SAMPLES], weight=[[KERNEL]]
    )


@figure(
    "numbers-padded",
    "The same kernel and samples with stride 2 and a border of one zero.",
    "1.2",
)
def numbers_padded() -> sc.Drawing:
    return sc.draw(
        sc.Conv2d(1, 1, 3, stride=2, padding=1, bias=False),
        input_size=(5, 5),
        x=[SAMPLES],
        weight=[[KERNEL]],
    )


@figure(
    "channels",
    "Two input channels and three output channels: every output channel reads both inputs, each "
    "through a kernel of its own.",
    "1.3",
)
def channels() -> sc.Drawing:
    return sc.draw(sc.Conv2d(2, 3, 3), input_size=(5, 5), channels=True)


@figure("stride-steps", "Stride 2: the kernel moves by two samples.", "1.4 left", frame=1)
def stride_steps() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, stride=2), input_size=(5, 5))


@figure(
    "stride-kept",
    "The same outputs with stride 1, of which every second one is kept "
    "(theorem polyphase.outputs).",
    "1.4 right",
    frame=1,
)
def stride_kept() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3), input_size=(5, 5), steps=(0, 2, 6, 8))


@figure("average", "Average pooling, 3×3 with stride 1: the means of nine samples.", "1.5")
def average() -> sc.Drawing:
    return sc.draw(sc.AvgPool2d(3, stride=1), input_size=(5, 5), x=SAMPLES)


@figure("maximum", "Max pooling, 3×3 with stride 1: the largest of nine samples.", "1.6")
def maximum() -> sc.Drawing:
    return sc.draw(sc.MaxPool2d(3, stride=1), input_size=(5, 5), x=SAMPLES)


# Chapter 2: convolutions


@figure("no-padding", "No padding, stride 1: i = 4, k = 3, s = 1, p = 0.", "2.1")
def no_padding() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3), input_size=(4, 4))


@figure("arbitrary-padding", "Two zeros on every side: i = 5, k = 4, s = 1, p = 2.", "2.2")
def arbitrary_padding() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 4, padding=2), input_size=(5, 5))


@figure("half-padding", 'Half ("same") padding: i = 5, k = 3, s = 1, p = 1.', "2.3")
def half_padding() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, padding="same"), input_size=(5, 5))


@figure("full-padding", "Full padding: i = 5, k = 3, s = 1, p = 2.", "2.4")
def full_padding() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, padding="full"), input_size=(5, 5))


@figure("stride", "Stride 2 without padding: i = 5, k = 3, s = 2, p = 0.", "2.5")
def stride() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, stride=2), input_size=(5, 5))


@figure("padding-stride", "Stride 2 with one zero: i = 5, k = 3, s = 2, p = 1.", "2.6", frame=4)
def padding_stride() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, stride=2, padding=1), input_size=(5, 5))


@figure(
    "padding-stride-odd",
    "One sample more and the same size of output: i = 6, k = 3, s = 2, p = 1. No window reaches "
    "the last row and column of zeros.",
    "2.7",
    frame=8,
)
def padding_stride_odd() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, stride=2, padding=1), input_size=(6, 6))


@figure(
    "positions",
    "Counting positions: two steps of one to the end, and the first position, are three.",
    "2.8 (a)",
    frame=2,
)
def positions() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3), input_size=(5, 5))


@figure(
    "positions-stride",
    "Counting positions: one step of two to the end, and the first position, are two.",
    "2.8 (b)",
    frame=1,
)
def positions_stride() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, stride=2), input_size=(5, 5))


# Chapter 4: transposed convolutions, as the guide draws them: an ordinary one over spread samples


@figure(
    "transposed",
    "The transpose of 2.1: k = 3 over 2×2 samples with p′ = 2.",
    "4.1",
)
def transposed() -> sc.Drawing:
    return sc.draw(sc.ConvTranspose2d(1, 1, 3), input_size=(2, 2), way="zero_insertion")


@figure(
    "transposed-arbitrary",
    "The transpose of 2.2: k = 4 over 6×6 samples with p′ = 1.",
    "4.2",
)
def transposed_arbitrary() -> sc.Drawing:
    return sc.draw(sc.ConvTranspose2d(1, 1, 4, padding=2), input_size=(6, 6), way="zero_insertion")


@figure(
    "transposed-half",
    "The transpose of 2.3: half padding again, p′ = 1 over 5×5 samples.",
    "4.3",
)
def transposed_half() -> sc.Drawing:
    return sc.draw(sc.ConvTranspose2d(1, 1, 3, padding=1), input_size=(5, 5), way="zero_insertion")


@figure(
    "transposed-full",
    "The transpose of 2.4: no padding, p′ = 0 over 7×7 samples.",
    "4.4",
)
def transposed_full() -> sc.Drawing:
    return sc.draw(sc.ConvTranspose2d(1, 1, 3, padding=2), input_size=(7, 7), way="zero_insertion")


@figure(
    "transposed-stride",
    "The transpose of 2.5: a zero between the samples, p′ = 2 over 2×2 samples.",
    "4.5",
    frame=12,
)
def transposed_stride() -> sc.Drawing:
    return sc.draw(sc.ConvTranspose2d(1, 1, 3, stride=2), input_size=(2, 2), way="zero_insertion")


@figure(
    "transposed-padding-stride",
    "The transpose of 2.6: a zero between the samples, p′ = 1 over 3×3 samples.",
    "4.6",
    frame=6,
)
def transposed_padding_stride() -> sc.Drawing:
    return sc.draw(
        sc.ConvTranspose2d(1, 1, 3, stride=2, padding=1), input_size=(3, 3), way="zero_insertion"
    )


@figure(
    "transposed-padding-stride-odd",
    "The transpose of 2.7: as before, with a = 1 more row and column at the end, which is the "
    "output padding. (The guide's caption says 2×2 samples; its i′ = 3 is right.)",
    "4.7",
    frame=35,
)
def transposed_padding_stride_odd() -> sc.Drawing:
    return sc.draw(
        sc.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1),
        input_size=(3, 3),
        way="zero_insertion",
    )


# Chapter 5: dilation


@figure("dilated", "Dilation 2: i = 7, k = 3, d = 2, s = 1, p = 0.", "5.1", frame=4)
def dilated() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, dilation=2), input_size=(7, 7))


# What the guide leaves out


@figure(
    "line",
    "One axis: an output above reads the samples below. Reversed, the same lines are the "
    "transposed convolution.",
    frame=1,
)
def line() -> sc.Drawing:
    return sc.draw(sc.Conv1d(1, 1, 3, stride=2, padding=1), input_size=(7,))


@figure(
    "causal",
    "A causal dilated convolution in one dimension: all padding lies before the first sample.",
    frame=4,
)
def causal() -> sc.Drawing:
    return sc.draw(sc.Conv1d(1, 1, 3, dilation=2, padding="causal"), input_size=(7,))


@figure(
    "asymmetric",
    "Asymmetric padding: two rows above, none below; one column on the right only.",
)
def asymmetric() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, padding=((2, 0), (0, 1))), input_size=(4, 4))


@figure("cropped", "Negative padding crops: the first row and column are never read.")
def cropped() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, padding=((-1, 0), (-1, 0))), input_size=(5, 5))


@figure(
    "same-even",
    'An even kernel with "same" padding cannot be symmetric: the odd zero is put at the end.',
    frame=3,
)
def same_even() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 2, padding="same_upper"), input_size=(4, 4))


@figure("circular", "Circular padding repeats samples of the other side.")
def circular() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, padding=1, padding_mode="circular"), input_size=(4, 4))


@figure("reflect", "Reflection repeats samples of the same side, the border left out.")
def reflect() -> sc.Drawing:
    return sc.draw(sc.Conv1d(1, 1, 5, padding=2, padding_mode="reflect"), input_size=(5,))


@figure("groups", "Two groups: an output channel reads the input channels of its own group only.")
def groups() -> sc.Drawing:
    return sc.draw(sc.Conv2d(4, 2, 3, groups=2), input_size=(4, 4), channels=True)


@figure("depthwise", "Depthwise: as many groups as channels.")
def depthwise() -> sc.Drawing:
    return sc.draw(sc.Conv1d(3, 3, 3, groups=3), input_size=(5,), channels=True)


@figure(
    "scatter",
    "The transposed convolution of 4.6 as what it is: each sample writes a window of the output, "
    "and windows overlap.",
    frame=4,
)
def scatter() -> sc.Drawing:
    return sc.draw(
        sc.ConvTranspose2d(1, 1, 3, stride=2, padding=1), input_size=(3, 3), way="scatter"
    )


@figure(
    "dilated-transposed",
    "A dilated transposed convolution: stride 2 between the samples, dilation 2 in the kernel.",
    frame=16,
)
def dilated_transposed() -> sc.Drawing:
    return sc.draw(
        sc.ConvTranspose2d(1, 1, 2, stride=2, dilation=2), input_size=(3, 3), way="zero_insertion"
    )


@figure(
    "output-padding-beyond",
    "Output padding beyond the stride: the last outputs are written by nobody. It still transposes "
    "a convolution, but not the one with the same padding.",
    frame=1,
)
def output_padding_beyond() -> sc.Drawing:
    return sc.draw(sc.ConvTranspose1d(1, 1, 3, stride=2, output_padding=3), input_size=(3,))


@figure(
    "ceil-mode",
    "Ceil mode: the last window hangs over the end and takes what there is.",
    frame=8,
)
def ceil_mode() -> sc.Drawing:
    return sc.draw(sc.MaxPool2d(2, ceil_mode=True), input_size=(5, 5))


@figure(
    "adaptive",
    "Adaptive pooling from 7 to 3: windows of different places, which overlap.",
    frame=1,
)
def adaptive() -> sc.Drawing:
    return sc.draw(sc.AdaptiveAvgPool1d(3), input_size=(7,))


@figure("volume", "Three axes, plane by plane.", frame=3)
def volume() -> sc.Drawing:
    return sc.draw(sc.Conv3d(1, 1, (2, 3, 3)), input_size=(3, 4, 4))


# Other views of the same triples


@figure(
    "matrix",
    "The matrix of 2.1: block Toeplitz with Toeplitz blocks, coloured by tap (section 4.1 of the "
    "guide).",
)
def matrix() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3), "matrix", input_size=(4, 4))


@figure("matrix-stride", "Stride keeps every second row of each block.")
def matrix_stride() -> sc.Drawing:
    return sc.draw(sc.Conv2d(1, 1, 3, stride=2, padding=1), "matrix", input_size=(5, 5))


@figure("matrix-circular", "Circular padding makes it block circulant.")
def matrix_circular() -> sc.Drawing:
    return sc.draw(
        sc.Conv2d(1, 1, 3, padding=1, padding_mode="circular"), "matrix", input_size=(5, 5)
    )


@figure(
    "checkerboard",
    "How many products each output of a transposed convolution collects: unequal counts are the "
    "checkerboard.",
)
def checkerboard() -> sc.Drawing:
    return sc.draw(sc.ConvTranspose2d(1, 1, 3, stride=2), "overlap", input_size=(5, 5))


@figure("pyramid", "What one output of three layers reads.")
def pyramid() -> sc.Drawing:
    return sc.draw([sc.Conv1d(1, 1, 3), sc.MaxPool1d(2), sc.Conv1d(1, 1, 3)], "receptive_field")


@figure("gridding", "Two layers of dilation 2 leave every second sample unread.")
def gridding() -> sc.Drawing:
    return sc.draw([sc.Conv2d(1, 1, 3, dilation=2), sc.Conv2d(1, 1, 3, dilation=2)], "gridding")


@figure("terms", "A kernel of rank 1 is one column times one row.")
def terms() -> sc.Drawing:
    return sc.draw(sc.separate([[1, 2, 1], [2, 4, 2], [1, 2, 1]]))


@figure("network", "A network with its shapes.")
def network() -> sc.Drawing:
    return sc.draw(
        sc.Network([sc.Conv2d(3, 8, 3, padding=1), sc.MaxPool2d(2), sc.Conv2d(8, 16, 3)]),
        input_shape=(3, 32, 32),
    )


# Pages with sliders


def explorers() -> dict[str, str]:
    """Pages with a slider for each parameter, by their file names."""
    square = sc.explorer_page(
        sc.Conv2d(1, 1, 3),
        (6, 6),
        kernel_size=(2, 3),
        stride=(1, 2, 3),
        dilation=(1, 2),
        padding_lo=(0, 1, 2),
        padding_hi=(0, 1, 2),
    )
    transposed = sc.explorer_page(
        sc.ConvTranspose1d(1, 1, 3),
        (4,),
        kernel_size=(2, 3),
        stride=(1, 2, 3),
        dilation=(1, 2),
        padding_lo=(0, 1),
        padding_hi=(0, 1),
        output_padding=(0, 1, 2),
        way=("scatter", "zero_insertion"),
    )
    return {"explore-convolution.html": square, "explore-transposed.html": transposed}


if __name__ == "__main__":
    # The README's picture.
    SHOWN = FIGURES["transposed-padding-stride"]
    SHOWN.make().save("docs/picture.svg", frame=SHOWN.frame, theme="auto")
