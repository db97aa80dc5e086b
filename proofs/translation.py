"""Translation of a whole small network: its convolutional part moves along, its head may stand.

The convolutional part is made of convolutions, ReLUs and poolings; S is the product of its
strides. Values are not computed: each gets the name of the expression that it is, equal
expressions one name, so equal names are equal values for all inputs and weights. Where names
differ, numbers are put in, and the verdict is that of the numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

import symconv as sc
from symconv.incidence import Incidence
from symconv.proving import Trace, all_sizes, all_values, axis, between
from symconv.reach import interior
from symconv.receptive import AxisField
from symconv.verdict import Verdict, proved, refuted, undecided

Array = npt.NDArray[Any]

GOODFELLOW = "I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), chapter 9"


@all_sizes(
    "translation.one-more-layer",
    words="If what a stack of layers reads for position m + t is what it reads for m, moved by "
    "J·t, then with one more layer of stride s it reads for o + t what it reads for o, moved by "
    "J·s·t. True of no layers, so by induction of any stack, on an endless axis: moving the input "
    "by S·t moves every feature map by t, S the product of the strides.",
    latex=r"R(m+t)=R(m)+Jt\;\Rightarrow\; R(s(o+t)+dk-p)=R(so+dk-p)+Js\,t",
    source=f"symconv; equivariance to translation: {GOODFELLOW}",
    near_miss="moved by J·t still",
    concludes="fields",
)
def one_more_layer(t: Trace) -> None:
    layer, _ = axis(t)
    size, jump, padding, o, k, x, by = t.integers("R J P o k x t")
    t.assume(size >= 1, jump >= 1)
    before = AxisField(size, jump, padding)
    after = before.then(AxisField.of(layer))
    # Any sample x that the field of an intermediate starts x places before.
    read = before.at(layer.position(o, k)).start + x
    moved = before.at(layer.position(o + by, k)).start + x
    t.show(AxisField.identity().at(o + by).start == AxisField.identity().at(o).start + by)
    t.show(moved == read + after.jump * by)
    t.instead(moved == read + jump * by)


@all_sizes(
    "translation.on-a-circle",
    words="On a circle of n = s·m samples a layer of stride s has m outputs, and output o + t, "
    "counted round their circle, reads what o reads, moved by s·t round the circle of the samples.",
    latex=r"n=s\,m:\quad s\,((o+t)\bmod m)+dk-p \equiv (so+dk-p)+s\,t \pmod n",
    source="symconv; circular padding",
    near_miss="the same where s does not divide n",
    concludes="fields",
)
def on_a_circle(t: Trace) -> None:
    layer, n = axis(t)
    m, o, k, by = t.integers("m o k t")
    t.assume(m >= 1, n >= 1, between(0, o, m), s_fits(layer.stride, m, n))
    t.given(n == layer.stride * m)
    turns, place = divmod(o + by, m)
    t.show(layer.position(place, k) == layer.position(o, k) + layer.stride * by - n * turns)


def s_fits(stride: Any, m: Any, n: Any) -> Any:
    """The windows that start on the circle: m of them, the last before its end."""
    return between(stride * (m - 1) + 1, n, stride * m + 1)


@all_sizes(
    "translation.head",
    words="Moving m features round their circle visits each once: what only depends on which "
    "features there are, as their maximum and their mean do, stays.",
    latex=r"0\le o<m:\quad 0\le (o+t)\bmod m<m,\quad ((o+t)\bmod m - t)\bmod m = o",
    source=f"symconv; invariance to translation by global pooling: {GOODFELLOW}",
    near_miss="moving them along and keeping what meets the end there",
    concludes="fields",
)
def head(t: Trace) -> None:
    m, o, by = t.integers("m o t")
    t.assume(m >= 1, between(0, o, m))
    turns, place = divmod(o + by, m)
    back, found = divmod(place - by, m)
    t.show(between(0, place, m), place - by == o - m * turns)
    t.hint(back + turns, back + turns - 1, back + turns + 1)
    t.show(found == o)
    t.instead(min(o + by, m - 1) - by == o)


def around(lo: int, hi: int) -> dict[str, Any]:
    """Circular padding of one axis, and no bias."""
    return {"padding": ((lo, hi),), "padding_mode": "circular", "bias": False}


RELU = "ReLU"
#: Name → (layers, input shape), every axis a circle.
CIRCLES: dict[str, tuple[tuple[Any, ...], tuple[int, ...]]] = {
    "conv, ReLU, max": (
        (sc.Conv(1, 2, (3,), **around(1, 1)), RELU, sc.MaxPool((2,))),
        (1, 6),
    ),
    "strided conv, ReLU, max, conv": (
        (
            sc.Conv(1, 2, (3,), stride=2, **around(1, 0)),
            RELU,
            sc.MaxPool((2,)),
            sc.Conv(2, 1, (2,), **around(0, 1)),
        ),
        (1, 8),
    ),
    "conv, ReLU, mean, grouped conv, ReLU, max over overlaps": (
        (
            sc.Conv(2, 2, (2,), dilation=2, **around(2, 0)),
            RELU,
            sc.AvgPool((2,)),
            sc.Conv(2, 2, (3,), groups=2, **around(1, 1)),
            RELU,
            sc.Pad(((0, 1),), padding_mode="circular"),
            sc.MaxPool((3,), stride=2),
        ),
        (2, 8),
    ),
    "two axes": (
        (
            sc.Conv(1, 1, (2, 3), padding=((0, 1), (1, 1)), padding_mode="circular", bias=False),
            RELU,
            sc.MaxPool((2, 1)),
        ),
        (1, 4, 3),
    ),
}
#: Name → (layers, input shape), zeros outside.
PADDED: dict[str, tuple[tuple[Any, ...], tuple[int, ...]]] = {
    "conv, ReLU, max": (
        (sc.Conv(1, 1, (3,), padding=1, bias=False), RELU, sc.MaxPool((2,))),
        (1, 12),
    ),
    "conv, ReLU, padded max, conv": (
        (
            sc.Conv(1, 2, (3,), padding=((2, 1),), bias=False),
            RELU,
            sc.MaxPool((3,), stride=2, padding=1),
            sc.Conv(2, 1, (2,), padding=((1, 0),), bias=False),
        ),
        (1, 15),
    ),
    "strided conv, ReLU, mean": (
        (sc.Conv(1, 1, (3,), stride=2, padding=2, bias=False), RELU, sc.AvgPool((2,))),
        (1, 17),
    ),
}


class Names:
    """Expressions by name: the same expression, the same name."""

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}
        #: Of the names of maxima, what they are maxima of.
        self._maxima: dict[int, frozenset[int]] = {}

    def __call__(self, expression: Hashable) -> int:
        """The name of an expression."""
        return self._known.setdefault(expression, len(self._known))

    def largest(self, names: Iterable[int]) -> int:
        """The name of a maximum; a maximum of maxima is one of all that they are of."""
        members = frozenset().union(*(self._maxima.get(n, frozenset({n})) for n in names))
        name = self(("max", members)) if len(members) > 1 else next(iter(members))
        self._maxima.setdefault(name, members)
        return name

    def array(self, expressions: Iterable[Hashable], shape: tuple[int, ...]) -> Array:
        """The names of some expressions."""
        return np.array([self(each) for each in expressions], dtype=np.int64).reshape(shape)

    def features(self, layers: tuple[Any, ...], x: Array) -> Array:
        """What the layers make of named inputs (channels, *size), weights being symbols."""
        for number, layer in enumerate(layers):
            if layer == RELU:
                x = self.array((("relu", name) for name in x.ravel().tolist()), x.shape)
            elif isinstance(layer, sc.Conv):
                x = self._convolved(number, layer, x)
            else:
                x = np.stack([self._windowed(layer, plane) for plane in x])
        return x

    def _convolved(self, number: int, layer: sc.Conv, x: Array) -> Array:
        geometry = layer.geometry(x.shape[1:])
        triples = list(zip(*(a.tolist() for a in Incidence(geometry).triples()), strict=True))
        within, per_group = x.shape[0] // layer.groups, layer.out_channels // layer.groups
        planes = x.reshape(x.shape[0], -1).tolist()
        # Per output the products of a weight and a value; which weight is said by its place.
        sums: list[list[tuple[Any, ...]]] = [
            [] for _ in range(layer.out_channels * int(np.prod(geometry.output_size)))
        ]
        n_out = int(np.prod(geometry.output_size))
        for out in range(layer.out_channels):
            for channel in range(within):
                plane = planes[out // per_group * within + channel]
                for o, k, i in triples:
                    sums[out * n_out + o].append((number, out, channel, k, plane[i]))
        return self.array((("sum", tuple(sorted(each))) for each in sums), geometry.output_shape)

    def _windowed(self, layer: Any, plane: Array) -> Array:
        """A pooling or a padding of one channel."""
        operator, flat = layer.operator(plane.shape), plane.ravel().tolist()
        if isinstance(layer, sc.MaxPool):
            read: list[set[int]] = [set() for _ in range(operator.shape[0])]
            rows, columns, _ = operator.support().arrays()
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
                read[row].add(flat[column])
            named = [self.largest(window) for window in read]
            return np.array(named, dtype=np.int64).reshape(operator.output_shape)
        forms: list[Counter[int]] = [Counter() for _ in range(operator.shape[0])]
        for (row, column), value in operator.exact().todok().items():
            forms[row][flat[column]] += value
        # A single value times 1 is itself.
        named = [
            next(iter(form)) if [*form.values()] == [1] else self(("form", frozenset(form.items())))
            for form in forms
        ]
        return np.array(named, dtype=np.int64).reshape(operator.output_shape)


def computed(layers: tuple[Any, ...], x: Array) -> Array:
    """The same in numbers, with weights 1, 2, 3, …."""
    for layer in layers:
        if layer == RELU:
            x = np.maximum(x, 0)
            continue
        operator = layer.operator(x.shape[1:])
        shape = operator.weight_shape
        x = operator.apply(
            x, None if shape is None else np.arange(1, np.prod(shape) + 1).reshape(shape)
        )
    return x


def stride_of(layers: tuple[Any, ...], on: int) -> int:
    """The product of the strides on one axis."""
    return int(np.prod([layer.stride[on] for layer in layers if hasattr(layer, "stride")]))


def inputs(shape: tuple[int, ...]) -> Iterable[Array]:
    """Inputs that tell feature maps apart: one bright sample, then two values everywhere."""
    for place in np.ndindex(*shape):
        x = np.zeros(shape, dtype=np.int64)
        x[place] = 1
        yield x
    n = int(np.prod(shape))
    for values in product((0, 1), repeat=min(n, 8)):
        yield np.resize(np.array(values), n).reshape(shape)


def moved_alike(network: str, t: int, extra: int, *, keeps: bool = False) -> Verdict:
    """Whether moving the input by S·t + extra round an axis moves the features by t, or keeps them.

    Every axis is tried.
    """
    layers, shape = CIRCLES[network]
    names = Names()
    x = names.array((("x", place) for place in np.ndindex(*shape)), shape)
    for on in range(1, len(shape)):
        stride = stride_of(layers, on - 1)
        by, after = stride * t + extra, 0 if keeps else t
        left = names.features(layers, np.roll(x, by, axis=on))
        if np.array_equal(left, np.roll(names.features(layers, x), after, axis=on)):
            continue
        for sample in inputs(shape):
            one = computed(layers, np.roll(sample, by, axis=on))
            other = np.roll(computed(layers, sample), after, axis=on)
            if not np.array_equal(one, other):
                case = {"x": sample.tolist(), "axis": on - 1, "moved by": by}
                return refuted("the stated network", case, "features differ")
        return undecided("the stated network", "expressions differ, and no input that shows it")
    return proved("the stated network", "the features are the same expressions")


@all_values(
    "translation.equivariant-on-a-circle",
    words="Moving the input of convolutions, ReLUs and poolings round a circle by S·t samples "
    "moves their features by t, for all inputs and weights (every axis; S divides its samples).",
    latex=r"f(x(\cdot-S\,t)) = f(x)(\cdot-t),\quad S=\textstyle\prod_\ell s_\ell",
    source=f"symconv; {GOODFELLOW}",
    near_miss="the same for a shift by S·t + 1",
    box={"network": tuple(CIRCLES), "t": (0, 1, 2, -1)},
    concludes="values",
)
def equivariant_on_a_circle(network: str, t: int) -> Verdict:
    return moved_alike(network, t, 0)


@equivariant_on_a_circle.near_miss_claim()
def not_by_less_than_the_stride(network: str, t: int) -> Verdict:
    return moved_alike(network, t, 1)


def headed(network: str, kind: str) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """A network with a head on top of its features."""
    layers, shape = CIRCLES[network]
    size = computed(layers, np.zeros(shape, dtype=np.int64)).shape
    heads = {
        "max": sc.MaxPool(size[1:]),
        "mean": sc.AvgPool(size[1:]),
        # A fully connected layer is a convolution with a kernel as large as the map.
        "dense": sc.Conv(size[0], 2, size[1:], bias=False),
    }
    return (*layers, heads[kind]), shape


def unmoved(network: str, head_kind: str, t: int, extra: int) -> Verdict:
    """Whether the outputs of a network with a head stay when the input is moved by S·t + extra."""
    layers, shape = headed(network, head_kind)
    part = CIRCLES[network][0]
    names = Names()
    x = names.array((("x", place) for place in np.ndindex(*shape)), shape)
    for on in range(1, len(shape)):
        by = stride_of(part, on - 1) * t + extra
        left = names.features(layers, np.roll(x, by, axis=on))
        if np.array_equal(left, names.features(layers, x)):
            continue
        for sample in inputs(shape):
            one, other = computed(layers, np.roll(sample, by, axis=on)), computed(layers, sample)
            if not np.array_equal(one, other):
                case = {"x": sample.tolist(), "axis": on - 1, "moved by": by}
                return refuted("the stated network", case, "outputs differ")
        return undecided("the stated network", "expressions differ, and no input that shows it")
    return proved("the stated network", "the outputs are the same expressions")


@all_values(
    "translation.invariant-head",
    words="With global max or average pooling on top, the outputs do not change at all when the "
    "input moves round its circle by multiples of S, for all inputs and weights.",
    latex=r"h(f(x(\cdot-S\,t))) = h(f(x)),\quad h=\max_o \text{ or } \tfrac1m\textstyle\sum_o",
    source=f"symconv; {GOODFELLOW}; M. Lin, Q. Chen, S. Yan (2014), Network in network, "
    "arXiv:1312.4400, for global average pooling",
    near_miss="the same for a shift by S·t + 1",
    box={"network": tuple(CIRCLES), "head": ("max", "mean"), "t": (0, 1, 2)},
    concludes="values",
    remark="Some outputs stay for other shifts too: where all strides are those of max poolings "
    "whose windows leave no gap, a global maximum is one of the whole circle.",
)
def invariant_head(network: str, head: str, t: int) -> Verdict:
    return unmoved(network, head, t, 0)


@invariant_head.near_miss_claim()
def not_by_other_shifts(network: str, head: str, t: int) -> Verdict:
    return unmoved(network, head, t, 1)


@all_values(
    "translation.dense-head",
    words="A network that ends in a fully connected layer on its flattened features does not "
    "change its outputs when the input moves round its circle by multiples of S.",
    latex=r"W\,\mathrm{vec}(f(x(\cdot-S\,t))) = W\,\mathrm{vec}(f(x))",
    source="folklore: convolutional networks are called translation-invariant",
    box={"network": tuple(CIRCLES), "t": (0, 1)},
    concludes="values",
    expected="REFUTED",
    remark="The features move (translation.equivariant-on-a-circle), and a fully connected layer "
    "weighs each place differently. With global pooling in its place the outputs stay: "
    "translation.invariant-head.",
)
def dense_head(network: str, t: int) -> Verdict:
    return unmoved(network, "dense", t, 0)


def pairs_inside(network: str, t: int) -> tuple[list[tuple[bool, bool]], list[int]]:
    """Per position o: whether o and o + t read no padding, and whether f(y)(o+t) = f(x)(o).

    y is x moved by S·t, new samples coming in. The positions are those for which o + t exists.
    """
    layers, shape = PADDED[network]
    names, by = Names(), stride_of(layers, 0) * t
    x = names.array((("x", place) for place in np.ndindex(*shape)), shape)
    y = names.array((("x", (c, i - by)) for c, i in np.ndindex(*shape)), shape)
    one, other = names.features(layers, x), names.features(layers, y)
    n_out = one.shape[1]
    stack = [layer.relation(0) for layer in layers if layer != RELU]
    first, last = interior(stack, shape[1])
    found, positions = [], []
    for o in range(max(0, -t), n_out - max(0, t)):
        inside = first <= min(o, o + t) and max(o, o + t) <= last
        found.append((inside, bool((one[:, o] == other[:, o + t]).all())))
        positions.append(o)
    return found, positions


@all_values(
    "translation.away-from-borders",
    words="With zeros around the input, moving it by S·t ≠ 0 samples (others come in) moves the "
    "feature at o to o + t, for all inputs and weights, exactly when the field of neither o nor "
    "o + t meets padding at any level.",
    latex=r"f(y)(o+t)=f(x)(o)\;\forall x,w \iff o,\,o+t\in[o_{\min},o_{\max}],\quad "
    r"y_{i}=x_{i-S\,t}",
    source="symconv; O. S. Kayhan, J. C. van Gemert (2020), On translation invariance in CNNs, "
    "arXiv:2003.07064, on what borders do",
    near_miss="it moves everywhere",
    box={"network": tuple(PADDED), "t": (1, 2, -1)},
    concludes="values",
)
def away_from_borders(network: str, t: int) -> bool:
    found, _ = pairs_inside(network, t)
    return any(inside for inside, _ in found) and all(a == b for a, b in found)


@away_from_borders.near_miss_claim()
def up_to_the_borders(network: str, t: int) -> bool:
    found, _ = pairs_inside(network, t)
    return all(same for _, same in found)
