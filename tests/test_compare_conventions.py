"""Where conventions differ: each stated condition, its near miss, and the evaluator."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy
from sympy import And, Eq, Max, Mod, Ne, Or

from symconv.compare import where_conventions_differ
from symconv.compare.differences import DILATION as D, N_IN as N, N_TAPS as K, STRIDE as S
from symconv.compare.evaluate import truth
from symconv.compare.stated import STATED
from symconv.conventions import (
    JaxConvTranspose,
    KerasConv,
    KerasConvTranspose,
    OnnxConv,
    OnnxConvTranspose,
    OnnxPool,
    TorchConv,
    TorchConvTranspose,
    TorchPool,
    TruncatedConv,
    XlaConv,
)
from symconv.errors import ParameterError, ParameterTypeError, TooLargeError

P, Q, A, B = sympy.symbols("p q a b", integer=True, nonnegative=True)
E = D * (K - 1) + 1
UPPER, LOWER = OnnxConvTranspose("SAME_UPPER"), OnnxConvTranspose("SAME_LOWER")
SIGNED_UPPER = OnnxConvTranspose("SAME_UPPER", negative_total="signed")
SIGNED_LOWER = OnnxConvTranspose("SAME_LOWER", negative_total="signed")
SAME = Max(E - 1 - Mod(N - 1, S), 0)
SHORT = Mod(E - N - 2 * P, S)

#: first, second, a near miss of the condition, and (size, taps, stride, dilation) of the smallest
#: example (None: they never differ).
CASES = [
    (OnnxConv("SAME_UPPER"), OnnxConv("SAME_LOWER"), Eq(Mod(E - S, 2), 1), (1, 2, 1, 1)),
    (KerasConv("same"), XlaConv("SAME_LOWER"), Eq(Mod(E - 1, 2), 1), (1, 2, 1, 1)),
    (TorchConv("same"), KerasConv("same"), Eq(Mod(E, 2), 0), None),
    (TorchConv("same"), OnnxConv("SAME_LOWER"), Eq(Mod(K, 2), 0), (1, 2, 1, 1)),
    (TorchConv(P), KerasConv("same"), Ne(2 * P, E - 1), (1, 1, 1, 1)),
    (OnnxConv(pads=(A, B)), KerasConv("same"), Ne(A + B, SAME), (1, 1, 1, 1)),
    (TorchConv(P), OnnxConv(pads=(A, B)), Ne(2 * P, A + B), (1, 1, 1, 1)),
    (TorchPool(P, True), TorchPool(P), SHORT > 0, (1, 2, 2, 1)),
    (
        OnnxPool(pads=(A, B), ceil_mode=True),
        OnnxPool(pads=(A, B)),
        # What holds for PyTorch's paddings fails where hi >= E.
        And(Mod(E - N - A - B, S) > 0, Mod(E - N - A - B, S) < E - B),
        (1, 1, 1, 1),
    ),
    (
        OnnxPool(pads=(A, B), ceil_mode=True, opset=21),
        OnnxPool(pads=(A, B)),
        Ne(Mod(N + A + B, S), 0),
        (1, 1, 2, 1),
    ),
    (
        OnnxPool(pads=(A, B), ceil_mode=True, opset=21),
        OnnxPool(pads=(A, B), ceil_mode=True),
        Mod(E - N - A - B, S) > E - B,
        (1, 1, 1, 1),
    ),
    (OnnxPool(pads=(P, P), ceil_mode=True, opset=12), TorchPool(P, True), SHORT >= E, (2, 1, 2, 1)),
    (TorchPool(P, True, "before 46558"), TorchPool(P, True), Eq(P, 0), (2, 1, 2, 1)),
    (TorchPool(P, True, "before 46558"), TorchPool(P), SHORT > 0, (1, 2, 2, 1)),
    (
        OnnxPool(pads=(P, P), ceil_mode=True, opset=12),
        TorchPool(P, True, "before 46558"),
        SHORT >= E - P,
        (1, 2, 2, 1),
    ),
    (TruncatedConv((P, P)), TorchConv(P), N + 2 * P <= E, (1, 2, 2, 1)),
    (UPPER, LOWER, Eq(Mod(E - S, 2), 1), (1, 2, 1, 1)),
    (SIGNED_UPPER, SIGNED_LOWER, And(E > S, Eq(Mod(E - S, 2), 1)), (1, 1, 2, 1)),
    (UPPER, SIGNED_UPPER, K < S, (1, 1, 2, 1)),
    (LOWER, SIGNED_LOWER, E <= S, (1, 1, 2, 1)),
    (KerasConvTranspose("same"), UPPER, K < S, (1, 1, 2, 1)),
    (JaxConvTranspose("SAME"), SIGNED_UPPER, E <= S, (1, 1, 2, 1)),
    (KerasConvTranspose("same"), LOWER, E < S, (1, 1, 2, 1)),
    (KerasConvTranspose("same"), JaxConvTranspose("SAME"), E < S, None),
    (KerasConvTranspose("valid"), JaxConvTranspose("VALID"), E < S, None),
    (
        JaxConvTranspose((A, B)),
        JaxConvTranspose((A, B), use_consistent_padding=True),
        Ne(A + B, E - 1),
        (1, 1, 1, 1),
    ),
    (JaxConvTranspose((P, P)), TorchConvTranspose(P, Q), Ne(2 * P, E - 1), (1, 1, 1, 1)),
    (JaxConvTranspose((P, P), True), TorchConvTranspose(P, Q), Q > 1, (1, 1, 1, 2)),
    (
        TorchConvTranspose(P, Q),
        KerasConvTranspose("same"),
        Ne(2 * P - Q, E - S),
        (1, 1, 1, 1),
    ),
]


@pytest.mark.parametrize(("first", "second", "miss", "smallest"), CASES, ids=str)
def test_condition_is_proved_and_its_near_miss_refuted(first, second, miss, smallest):
    found = where_conventions_differ(first, second)
    assert found.verdict, str(found)
    assert found.n_settings > 100
    if smallest is None:
        assert found.example is None
        assert found.condition == sympy.false
    else:
        assert tuple(found.example[name] for name in "nKsd") == smallest
        assert found.example["first"] != found.example["second"]
    near = where_conventions_differ(first, second, condition=miss)
    assert near.verdict.status == "REFUTED"
    assert near.source == "given"
    assert near.n_differ == found.n_differ
    case = near.verdict.counterexample
    wrong = bool(
        miss.subs({N: case["n"], K: case["K"], S: case["s"], D: case["d"]}).subs(
            {symbol: case.get(symbol.name, 0) for symbol in (P, Q, A, B)}
        )
    )
    assert wrong == (case["first"] == case["second"])


def test_every_stated_pair_is_tested():
    tested = {frozenset((first.spelling, second.spelling)) for first, second, *_ in CASES}
    assert tested >= {frozenset(pair) for pair in STATED} - {
        frozenset(("same torch", "same upper"))  # both are "never", tested by its own case
    }


@pytest.mark.parametrize(("first", "second", "miss", "smallest"), CASES, ids=str)
@pytest.mark.parametrize("by", ["windows", "size"])
def test_other_readings_are_proved_too(first, second, miss, smallest, by):
    found = where_conventions_differ(first, second, by=by)
    assert found.verdict, str(found)
    assert found.n_differ <= where_conventions_differ(first, second).n_differ
    assert where_conventions_differ(second, first, by=by).n_differ == found.n_differ


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (TorchPool(P, True), TorchPool(Q)),
        (KerasConv("causal"), KerasConv("same")),
        (KerasConv("valid"), TorchConv("same")),
        (XlaConv((A, B), 2), XlaConv((A, B))),
        (XlaConv((0, 0), 3), OnnxConv("SAME_LOWER")),
        (OnnxPool("SAME_UPPER", ceil_mode=True), TorchPool(P, True)),
        (OnnxConvTranspose(pads=(A, B)), TorchConvTranspose(P, Q)),
        (OnnxConvTranspose("SAME_UPPER", output_padding=Q), KerasConvTranspose("same")),
        (OnnxConvTranspose("VALID"), KerasConvTranspose("valid")),
        (OnnxConvTranspose(output_shape=sympy.Symbol("m", integer=True)), UPPER),
        (KerasConvTranspose("same", Q), KerasConvTranspose("same")),
        (KerasConvTranspose("valid", 0), TorchConvTranspose(P)),
    ],
    ids=str,
)
@pytest.mark.parametrize("by", ["padding", "windows", "size"])
def test_derived_conditions_hold_as_well(first, second, by):
    """Where no entry is stated, the conventions' own formulas make the condition."""
    box = {"m": range(1, 9)} if "output_shape=m" in str(first) else None
    found = where_conventions_differ(first, second, by=by, box=box)
    assert found.source == "derived"
    assert found.verdict, str(found)


def test_conditions_read_as_in_the_books():
    upper_lower = where_conventions_differ(OnnxConv("SAME_UPPER"), OnnxConv("SAME_LOWER"))
    assert upper_lower.condition == Eq(Mod(SAME, 2), 1)
    assert r"\bmod" in upper_lower.latex()
    assert upper_lower._repr_latex_().startswith("$")
    assert "differ iff" in str(upper_lower)
    assert "smallest example: {'n': 1, 'K': 2" in str(upper_lower)
    sizes = where_conventions_differ(OnnxConv("SAME_UPPER"), OnnxConv("SAME_LOWER"), by="size")
    assert sizes.condition == sympy.false
    assert "never differ" in str(sizes)
    torch_keras = where_conventions_differ(TorchConv("same"), KerasConv("same"))
    assert torch_keras.domain.subs({S: 2}) == sympy.false


def test_smallest_example_of_truncation_is_the_published_one():
    found = where_conventions_differ(TruncatedConv((P, P)), TorchConv(P))
    assert found.example == {
        "n": 1,
        "K": 2,
        "s": 2,
        "d": 1,
        "p": 0,
        "first": (0, 0, 1),
        "second": (0, 0, 0),
    }


def test_torch_padding_and_keras_same_have_one_size_and_other_windows():
    """The known trap: K = 3, s = 2, p = 1 gives TensorFlow's sizes, shifted by one sample."""
    box = {"K": [3], "s": [2], "d": [1]}
    sizes = where_conventions_differ(TorchConv(1), KerasConv("same"), by="size", box=box)
    assert sizes.n_differ == 0
    windows = where_conventions_differ(
        TorchConv(1), KerasConv("same"), by="windows", box=box, condition=Eq(Mod(N, 2), 0)
    )
    assert windows.verdict
    assert windows.example == {"n": 2, "K": 3, "s": 2, "d": 1, "first": (1, 1), "second": (0, 1)}


def test_ceil_mode_can_have_fewer_windows_than_floor():
    """Since opset 22, where the padding at the end is as long as the window."""
    found = where_conventions_differ(
        OnnxPool(pads=(0, 1), ceil_mode=True), OnnxPool(pads=(0, 1)), by="size", box={"K": [1]}
    )
    assert found.example["first"] < found.example["second"]


def test_enumeration_agrees_with_resolve_one_by_one():
    first, second = TorchPool(1, True), OnnxPool(pads=(1, 1), ceil_mode=True, opset=12)
    box = {"n": range(1, 8), "K": (2, 3), "s": (1, 2, 3), "d": (1, 2)}
    found = where_conventions_differ(first, second, box=box)
    counted = 0
    for axis in itertools.product(*box.values()):
        sizes = []
        for convention in (first, second):
            try:
                sizes.append(convention.resolve(*axis).output_size)
            except ValueError:
                sizes.append(None)
        counted += sizes[0] != sizes[1]
    assert counted == found.n_differ > 0


# The evaluator


def test_evaluation_is_exact_beyond_floats():
    x, y = sympy.symbols("x y", integer=True, positive=True)
    big = 2**60 + 1
    arrays = {x: np.array([big, big - 1]), y: np.array([2, 2])}
    assert list(truth(Eq(sympy.floor(x / y) * y, x), arrays)) == [False, True]
    assert list(truth(Eq(sympy.ceiling(x / 2) * 2, x), arrays)) == [False, True]
    assert list(truth(Or(Eq(Mod(x, 2), 1), sympy.false), arrays)) == [True, False]


@pytest.mark.parametrize(
    "expression",
    [
        sympy.floor(K / S - sympy.Rational(1, 2)) + sympy.ceiling(N / S),
        Max(N - K * D, S, 3) - sympy.Min(N, K),
        Mod(N * K - 7, S) + Mod(N / 2, S),
        sympy.Piecewise((N, N > K), (K * D, Eq(S, 2)), (D, True)),
        (N - K) / S + D,
    ],
)
def test_evaluation_agrees_with_sympy(expression):
    grid = list(itertools.product((1, 2, 5), (1, 3, 4), (1, 2, 3), (1, 2)))
    columns = [np.array(column) for column in zip(*grid, strict=True)]
    arrays = dict(zip((N, K, S, D), columns, strict=True))
    condition = expression > 2
    expected = [bool(condition.subs(dict(zip((N, K, S, D), row, strict=True)))) for row in grid]
    assert truth(condition, arrays).tolist() == expected
    assert truth(~condition, arrays).tolist() == [not value for value in expected]


# Bad input


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((TorchConv(), TorchConvTranspose()), {}, "second must be a transposed convolution"),
        ((TorchConv(), KerasConv()), {"by": "value"}, "by must be one of 'padding', 'windows'"),
        ((TorchConv(), KerasConv()), {"box": {"z": [1]}}, "box must name the parameters n, K, s"),
        ((TorchConv(), KerasConv()), {"box": {"n": []}}, "must list different integers"),
        ((TorchConv(), KerasConv()), {"box": {"n": [0]}}, r"box\['n'\] must be >= 1, got 0"),
        ((TorchConv(), KerasConv()), {"box": {"n": [2**40]}}, "must list different integers up"),
        ((TorchConv(), KerasConv()), {"box": {"n": [1], "K": [2]}}, "box must hold a setting"),
        ((TorchConv(), KerasConv()), {"condition": Eq(sympy.Symbol("z"), 1)}, "symbols of the box"),
        ((TorchConv(), KerasConv()), {"condition": sympy.sqrt(N) > 1}, "must be built of integers"),
        ((TorchConv(), KerasConv()), {"condition": sympy.Xor(N > 1, K > 1)}, "must be built of"),
        ((TorchConv(), KerasConv()), {"condition": N**2 > 1}, "must be built of integers"),
        ((TorchConv(), KerasConv()), {"condition": 1 / (N - K) > 1}, "divide by positive numbers"),
        ((TorchConv(), KerasConv()), {"condition": Mod(N, S - K) > 1}, "remainders by positive"),
        (
            (TorchConv(), KerasConv()),
            {"condition": sympy.Piecewise((N, N > 3), (K, S > 2)) > 1},
            "must be built of integers",
        ),
        ((TorchConv(P + 1), KerasConv()), {}, "padding must be an integer or a plain symbol"),
        ((TorchConv(sympy.Symbol("n", integer=True)), KerasConv()), {}, "must not be called n, K"),
        ((TorchConv(P), KerasConv()), {"box": {"p": [-1]}}, r"box\['p'\] must be >= 0, got -1"),
        (
            (TorchConv(sympy.Symbol("p", integer=True)), KerasConv()),
            {"box": {"p": [-1]}},
            "padding must be >= 0, got -1",
        ),
    ],
)
def test_bad_values(arguments, options, message):
    with pytest.raises(ParameterError, match=message):
        where_conventions_differ(*arguments, **options)


def test_the_box_respects_what_symbols_assume():
    positive = sympy.Symbol("p", integer=True, positive=True)
    assert where_conventions_differ(TorchConv(positive), KerasConv()).box["p"] == (1, 2, 3)
    assert where_conventions_differ(TorchConv(P), KerasConv()).box["p"] == (0, 1, 2, 3)


def test_bad_types_and_sizes():
    with pytest.raises(ParameterTypeError, match="first must be a convention, got str"):
        where_conventions_differ("same", KerasConv())
    with pytest.raises(ParameterTypeError, match="condition must be a SymPy condition, got str"):
        where_conventions_differ(TorchConv(), KerasConv(), condition="n > 1")
    with pytest.raises(TooLargeError, match="box must hold up to 2000000 settings"):
        where_conventions_differ(TorchConv(), KerasConv(), box={"n": range(1, 10**9)})
    with pytest.raises(TooLargeError, match="box must hold up to 2000000 settings, got 6000000"):
        where_conventions_differ(TorchConv(), KerasConv(), box={"n": range(1, 100001)})
