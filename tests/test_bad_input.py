"""Bad input, everywhere: each mistake is named, with the rule, the value and the geometry.

The tables list what people pass; every entry must be refused with a `SymconvError` that is also
the fitting builtin, and never with a traceback from inside NumPy, SciPy or SymPy.
"""

from __future__ import annotations

import re
import signal
import tracemalloc
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy

import symconv as sc
from symconv import errors
from symconv.errors import (
    DTypeError,
    GeometryError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    SymconvError,
    TooLargeError,
)

n = sympy.Symbol("n", integer=True, positive=True)

BUILTIN = {
    ParameterError: ValueError,
    ParameterTypeError: TypeError,
    GeometryError: ValueError,
    ShapeError: ValueError,
    DTypeError: TypeError,
    TooLargeError: MemoryError,
    errors.ParseError: ValueError,
    errors.FileError: OSError,
    errors.MissingExtraError: ImportError,
    errors.ClusterError: ConnectionError,
}

#: How a message about a layer or an operator ends.
GEOMETRY = re.compile(
    r" \((Conv|ConvTranspose|AvgPool|Pad|Unfold|Fold)\(.*\)"
    r"( on [^()]*| on \(.*\))?(, transposed)?\)$",
    re.DOTALL,
)


@contextmanager
def refuses(kind, match, located=True):
    """The block raises `kind`, with a message that matches and ends with the geometry."""
    with pytest.raises(SymconvError, match=match) as caught:
        yield
    error = caught.value
    assert type(error) is kind
    assert isinstance(error, BUILTIN[kind])
    if located:
        assert GEOMETRY.search(str(error)), f"no geometry at the end: {error}"


@contextmanager
def at_once(seconds=20, peak=2**26):
    """The block ends soon and holds little memory meanwhile: refused before it allocates."""

    def stop(number, frame):
        raise AssertionError(f"no answer within {seconds} s")

    if hasattr(signal, "SIGALRM"):
        previous = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    tracemalloc.start()
    try:
        yield
        highest = tracemalloc.get_traced_memory()[1]
        assert highest < peak, f"{highest} bytes allocated on the way to the refusal"
    finally:
        tracemalloc.stop()
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)


def table(*rows):
    """Rows (id, *arguments) as parameters with readable ids."""
    return [pytest.param(*row[1:], id=row[0]) for row in rows]


def entries(values, skip=()):
    """A dictionary of named values as parameters."""
    return [pytest.param(value, id=name) for name, value in values.items() if name not in skip]


@pytest.mark.parametrize("kind", BUILTIN, ids=lambda kind: kind.__name__)
def test_every_kind_is_also_the_fitting_builtin(kind):
    assert issubclass(kind, SymconvError)
    assert issubclass(kind, BUILTIN[kind])


def test_the_table_of_kinds_is_complete():
    kinds = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, SymconvError) and value is not SymconvError
    }
    assert kinds == set(BUILTIN)


# Single parameters of layers

BASES = {
    sc.Conv: {"in_channels": 1, "out_channels": 1, "kernel_size": (1,)},
    sc.ConvTranspose: {"in_channels": 1, "out_channels": 1, "kernel_size": (1,)},
    sc.AvgPool: {"kernel_size": (1,)},
    sc.Unfold: {"kernel_size": (1,)},
    sc.Fold: {"target_size": (3,), "kernel_size": (1,)},
}

#: (layer, parameter, least value); None where any integer is legal.
INTEGERS = [
    (sc.Conv, "in_channels", 1),
    (sc.Conv, "out_channels", 1),
    (sc.Conv, "groups", 1),
    (sc.Conv, "stride", 1),
    (sc.Conv, "dilation", 1),
    (sc.Conv, "input_dilation", 1),
    (sc.Conv, "padding", None),
    (sc.ConvTranspose, "in_channels", 1),
    (sc.ConvTranspose, "out_channels", 1),
    (sc.ConvTranspose, "groups", 1),
    (sc.ConvTranspose, "stride", 1),
    (sc.ConvTranspose, "dilation", 1),
    (sc.ConvTranspose, "padding", None),
    (sc.ConvTranspose, "output_padding", 0),
    (sc.AvgPool, "stride", 1),
    (sc.AvgPool, "dilation", 1),
    (sc.AvgPool, "padding", None),
    (sc.AvgPool, "divisor_override", 1),
    (sc.Unfold, "stride", 1),
    (sc.Unfold, "dilation", 1),
    (sc.Unfold, "padding", None),
    (sc.Fold, "stride", 1),
    (sc.Fold, "dilation", 1),
    (sc.Fold, "padding", None),
    (sc.Fold, "target_size", 0),
]

PER_AXIS = {
    "stride",
    "dilation",
    "input_dilation",
    "padding",
    "output_padding",
    "kernel_size",
    "target_size",
}

#: What is no integer, whatever it looks like.
NO_INTEGER = {
    "bool": True,
    "numpy bool": np.True_,
    "0-d bool": np.array(True),
    "float": 1.0,
    "numpy float": np.float64(1),
    "0-d float": np.array(1.0),
    "nan": float("nan"),
    "inf": float("inf"),
    "complex": 1j,
    "Decimal": Decimal(1),
    "Fraction": Fraction(1),
    "SymPy half": sympy.Rational(1, 2),
    "SymPy float": sympy.Float(1),
    "SymPy infinity": sympy.oo,
    "SymPy nan": sympy.nan,
    "SymPy true": sympy.true,
    "None": None,
    "bytes": b"1",
    "dict": {},
    "set": {1},
    "function": len,
    "type": int,
}


def made(layer, name, value):
    return layer(**{**BASES[layer], name: value})


def label(value):
    if isinstance(value, type):
        return value.__name__
    return str(value) if value is None or isinstance(value, (str, int)) else None


@pytest.mark.parametrize("bad", entries(NO_INTEGER))
@pytest.mark.parametrize(("layer", "name", "least"), INTEGERS, ids=label)
def test_what_is_no_integer_is_refused_by_name(layer, name, least, bad):
    if bad is None and name in ("stride", "divisor_override") and layer is sc.AvgPool:
        assert made(layer, name, None) == layer(**BASES[layer])
        return
    with refuses(ParameterTypeError, rf"^{name} must be an integer.*, got "):
        made(layer, name, bad)


@pytest.mark.parametrize("bad", entries(NO_INTEGER))
@pytest.mark.parametrize(
    ("layer", "name"), [row[:2] for row in INTEGERS if row[1] in PER_AXIS], ids=label
)
def test_what_is_no_integer_is_refused_inside_a_tuple(layer, name, bad):
    with refuses(ParameterTypeError, rf"^{name} must be an integer.*, got "):
        made(layer, name, (bad,))


@pytest.mark.parametrize("bad", entries({**NO_INTEGER, "string": "1", "nested": [[1]]}))
@pytest.mark.parametrize("layer", BASES, ids=label)
def test_kernel_size_entries_are_integers(layer, bad):
    with refuses(ParameterTypeError, r"^kernel_size must be an integer >= 1, got "):
        made(layer, "kernel_size", (bad,))


@pytest.mark.parametrize(
    "bad", entries({**NO_INTEGER, "int": 3, "numpy int": np.int8(3), "symbol": n})
)
@pytest.mark.parametrize("layer", BASES, ids=label)
def test_kernel_size_is_a_tuple(layer, bad):
    with refuses(ParameterTypeError, r"^kernel_size must be a tuple with one entry per axis, got "):
        made(layer, "kernel_size", bad)


def test_an_int_as_kernel_size_names_the_aliases():
    with refuses(ParameterTypeError, "Conv1d, 2d and 3d accept an int"):
        sc.Conv(1, 1, 3)
    with refuses(ParameterTypeError, "ConvTranspose1d, 2d and 3d accept an int"):
        sc.ConvTranspose(1, 1, 3)


@pytest.mark.parametrize("bad", ["1", "", "3x3"])
@pytest.mark.parametrize(
    ("layer", "name", "least"), [row for row in INTEGERS if row[1] != "padding"], ids=label
)
def test_a_string_is_no_integer(layer, name, least, bad):
    with refuses(ParameterTypeError, rf"^{name} must be an integer.*, got str '{bad}'"):
        made(layer, name, bad)


@pytest.mark.parametrize("below", [1, 2, 2**70])
@pytest.mark.parametrize(
    ("layer", "name", "least"), [row for row in INTEGERS if row[2] is not None], ids=label
)
def test_the_least_value_is_stated(layer, name, least, below):
    with refuses(ParameterError, rf"^{name} must be >= {least}, got {least - below} "):
        made(layer, name, least - below)


@pytest.mark.parametrize(
    ("layer", "name", "least"), [row for row in INTEGERS if row[2] is not None], ids=label
)
def test_a_symbol_known_to_be_too_small_is_refused(layer, name, least):
    with refuses(ParameterError, rf"^{name} must be an integer >= {least}, got the symbolic -n "):
        made(layer, name, -n)


def test_a_symbol_known_to_be_no_integer_is_refused():
    fraction = sympy.Symbol("q", integer=False)
    with refuses(ParameterError, "^stride must be an integer >= 1, got the symbolic q "):
        sc.Conv1d(1, 1, 1, stride=fraction)


@pytest.mark.parametrize("layer", BASES, ids=label)
@pytest.mark.parametrize("bad", [0, -1])
def test_kernel_size_is_at_least_one(layer, bad):
    with refuses(ParameterError, rf"^kernel_size must be >= 1, got {bad} "):
        made(layer, "kernel_size", (bad,))
    with refuses(ParameterError, r"^kernel_size must name at least one axis, got \(\) "):
        made(layer, "kernel_size", ())


LEGAL_ONES = {
    "numpy int8": np.int8(1),
    "numpy uint64": np.uint64(1),
    "0-d array": np.array(1),
    "SymPy integer": sympy.Integer(1),
}


@pytest.mark.parametrize("one", entries(LEGAL_ONES))
@pytest.mark.parametrize(("layer", "name", "least"), INTEGERS, ids=label)
def test_integers_of_every_kind_become_python_ints(layer, name, least, one):
    made_of_int, made_of_other = made(layer, name, 1), made(layer, name, one)
    assert made_of_other == made_of_int
    assert hash(made_of_other) == hash(made_of_int)
    assert repr(made_of_other) == repr(made_of_int)


@pytest.mark.parametrize(
    "ones",
    [(1, 1), [1, 1], range(1, 3), np.array([1, 2]), (np.int8(1), sympy.Integer(2))],
    ids=repr,
)
@pytest.mark.parametrize("name", ["stride", "dilation", "padding", "output_padding"])
def test_sequences_of_every_kind_are_legal(name, ones):
    layer = sc.ConvTranspose(1, 1, (2, 2), **{name: ones})
    assert layer == sc.ConvTranspose(1, 1, (2, 2), **{name: tuple(int(one) for one in ones)})


@pytest.mark.parametrize("bad", [(), (1,), (1, 1, 1), np.ones(3, dtype=int), [[1, 1, 1]]], ids=repr)
@pytest.mark.parametrize("name", ["stride", "dilation", "padding", "input_dilation"])
def test_one_entry_per_axis(name, bad):
    with refuses(ParameterError, rf"^{name} must have one entry per axis \(2\), got {len(bad)}: "):
        sc.Conv2d(1, 1, 1, **{name: bad})


@pytest.mark.parametrize(
    "bad",
    [((0, 1), 1), (1, (1,)), [[1], [1, 2]], ({}, (1, 2)), (None, (1, 2)), [[[1], [1, 2]], 1]],
    ids=repr,
)
@pytest.mark.parametrize("name", ["stride", "dilation", "input_dilation", "kernel_size"])
def test_ragged_nonsense_is_refused(name, bad):
    with refuses(ParameterTypeError, rf"^{name} must be an integer >= 1, got "):
        sc.Conv(**{"in_channels": 1, "out_channels": 1, "kernel_size": (1, 1), name: bad})


@pytest.mark.parametrize("bad", [0, 1, -1, "True", None, 1.0, [], np.array(1), sympy.true, "zeros"])
@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (sc.Conv, "bias"),
        (sc.ConvTranspose, "bias"),
        (sc.AvgPool, "ceil_mode"),
        (sc.AvgPool, "count_include_pad"),
    ],
    ids=label,
)
def test_flags_are_booleans(layer, name, bad):
    if name == "count_include_pad" and bad is None:
        pytest.skip("left out, it is what the framework counts")
    with refuses(ParameterTypeError, rf"^{name} must be True or False, got "):
        made(layer, name, bad)


@pytest.mark.parametrize("alias", [sc.Conv1d, sc.ConvTranspose1d], ids=lambda alias: alias.__name__)
@pytest.mark.parametrize("bad", entries({**NO_INTEGER, "string": "3"}))
def test_aliases_refuse_kernels_with_the_geometry(alias, bad):
    with refuses(ParameterTypeError, "^kernel_size must be an integer >= 1, got "):
        alias(1, 1, bad)


@pytest.mark.parametrize(
    ("alias", "rank"),
    [
        (sc.Conv1d, 1),
        (sc.Conv2d, 2),
        (sc.Conv3d, 3),
        (sc.ConvTranspose1d, 1),
        (sc.ConvTranspose2d, 2),
        (sc.ConvTranspose3d, 3),
    ],
    ids=label,
)
def test_aliases_refuse_kernels_of_another_rank(alias, rank):
    wrong = (2,) * (rank + 1)
    match = rf"^kernel_size must have one entry per axis \({rank}\), got {rank + 1}: "
    with refuses(ParameterError, match):
        alias(1, 1, wrong)
    with refuses(ParameterError, "^kernel_size must be >= 1, got 0"):
        alias(1, 1, 0)


@pytest.mark.parametrize(
    ("alias", "rank"), [(sc.AvgPool1d, 1), (sc.AvgPool2d, 2), (sc.AvgPool3d, 3)], ids=label
)
def test_pool_aliases_refuse_kernels_of_another_rank(alias, rank):
    match = rf"^kernel_size must have one entry per axis \({rank}\), got {rank + 1}: "
    with refuses(ParameterError, match):
        alias((2,) * (rank + 1))
    with refuses(ParameterError, "^kernel_size must be >= 1, got -2"):
        alias(-2)


# Channels and groups


@pytest.mark.parametrize("layer", [sc.Conv1d, sc.ConvTranspose1d], ids=lambda layer: layer.__name__)
@pytest.mark.parametrize(
    ("inputs", "outputs", "groups", "name"),
    [
        (3, 4, 2, "in_channels"),
        (4, 3, 2, "out_channels"),
        (1, 1, 2, "in_channels"),
        (n, 3, 2, "out_channels"),
        (3, n, 2, "in_channels"),
    ],
)
def test_groups_divide_the_channels(layer, inputs, outputs, groups, name):
    odd = inputs if name == "in_channels" else outputs
    with refuses(ParameterError, rf"^groups must divide {name}, got groups {groups}, {odd} "):
        layer(inputs, outputs, 3, groups=groups)


# Padding

PADDING_FORMS = table(
    ("one amount", 2, ((2, 2), (2, 2))),
    ("one negative amount", -1, ((-1, -1), (-1, -1))),
    ("one per axis", (1, 2), ((1, 1), (2, 2))),
    ("list", [1, 2], ((1, 1), (2, 2))),
    ("pairs", ((1, 2), (3, 4)), ((1, 2), (3, 4))),
    ("lists of lists", [[1, 2], [3, 4]], ((1, 2), (3, 4))),
    ("array of pairs", np.array([[1, 2], [3, 4]]), ((1, 2), (3, 4))),
    ("array", np.array([1, 2], dtype=np.uint8), ((1, 1), (2, 2))),
    ("0-d array", np.array(1), ((1, 1), (1, 1))),
    ("an amount and a pair", (1, (2, 3)), ((1, 1), (2, 3))),
    ("a pair and an amount", ((2, 3), -1), ((2, 3), (-1, -1))),
    ("pairs as arrays", (np.array([1, 2]), (3, 4)), ((1, 2), (3, 4))),
    ("symbols", (n, (0, n)), ((n, n), (0, n))),
)


@pytest.mark.parametrize(("padding", "expected"), PADDING_FORMS)
def test_legal_forms_of_padding(padding, expected):
    assert sc.Conv2d(1, 1, 3, padding=padding).padding == expected
    assert sc.ConvTranspose2d(1, 1, 3, padding=padding).padding == expected
    assert sc.AvgPool2d(3, padding=padding).padding == expected
    assert sc.Unfold((3, 3), padding=padding).padding == expected
    if np.ndim(np.asarray(padding, dtype=object)):
        assert sc.Pad(padding).padding == expected


@pytest.mark.parametrize("layer", [sc.Conv1d, sc.ConvTranspose1d], ids=lambda layer: layer.__name__)
@pytest.mark.parametrize("pair", [(0, 1), [0, 1], np.array([0, 1])], ids=repr)
def test_a_pair_for_one_axis_is_ambiguous_and_the_hint_helps(layer, pair):
    hint = (
        r"^padding must have one entry per axis \(1\), got 2: .*; for one axis write \(\(0, 1\),\) "
    )
    with refuses(ParameterError, hint):
        layer(1, 1, 3, padding=pair)
    assert layer(1, 1, 3, padding=((0, 1),)).padding == ((0, 1),)


def test_two_pairs_for_one_axis_get_no_hint_that_nests_them():
    match = r"^padding must have one entry per axis \(1\), got 2: "
    with pytest.raises(ParameterError, match=match) as caught:
        sc.Conv1d(1, 1, 3, padding=((0, 1), (1, 0)))
    assert "write (((" not in str(caught.value)


BAD_PADDING = table(
    ("none at all", (), ParameterError, r"must have one entry per axis \(2\), got 0"),
    ("empty list", [], ParameterError, r"must have one entry per axis \(2\), got 0"),
    ("one entry", (1,), ParameterError, r"must have one entry per axis \(2\), got 1"),
    ("torch's flat list", (1, 1, 2, 2), ParameterError, r"one entry per axis \(2\), got 4"),
    ("three numbers on an axis", ((0, 1), (1, 2, 3)), ParameterError, r"must give \(lo, hi\)"),
    ("one number in a pair", ((0, 1), (1,)), ParameterError, r"must give \(lo, hi\) per axis"),
    ("empty pair", ((0, 1), ()), ParameterError, r"must give \(lo, hi\) per axis, got \(\)"),
    ("float in a pair", ((0, 1), (0, 1.5)), ParameterTypeError, "must be an integer, got float"),
    ("bool in a pair", ((0, 1), (0, True)), ParameterTypeError, "must be an integer, got the bool"),
    ("None in a pair", ((0, None), (0, 1)), ParameterTypeError, "must be an integer, got NoneType"),
    ("pair of pairs", (((0, 1), (0, 1)), 0), ParameterTypeError, "must be an integer, got tuple"),
    ("float array", np.ones((2, 2)), ParameterTypeError, "must be an integer, got float64"),
    ("bool array", np.ones(2, dtype=bool), ParameterTypeError, "must be an integer, got the bool"),
    ("a string inside", ("1", 1), ParameterTypeError, "must be an integer, got str '1'"),
    ("names per axis", ("same", "same"), ParameterTypeError, "must be an integer, got str 'same'"),
    ("dict", {"lo": 1}, ParameterTypeError, "must be an integer, got dict"),
)


@pytest.mark.parametrize(("padding", "kind", "match"), BAD_PADDING)
@pytest.mark.parametrize(
    "layer",
    [
        lambda padding: sc.Conv2d(1, 1, 3, padding=padding),
        lambda padding: sc.ConvTranspose2d(1, 1, 3, padding=padding),
        lambda padding: sc.AvgPool2d(3, padding=padding),
        lambda padding: sc.Unfold((3, 3), padding=padding),
        lambda padding: sc.Fold((5, 5), (3, 3), padding=padding),
    ],
    ids=["Conv", "ConvTranspose", "AvgPool", "Unfold", "Fold"],
)
def test_illegal_forms_of_padding(layer, padding, kind, match):
    with refuses(kind, f"^padding .*{match}"):
        layer(padding)


@pytest.mark.parametrize("bad", [1, n, None, "same", 1.5, True, {1}], ids=repr)
def test_pad_takes_a_tuple(bad):
    with refuses(ParameterTypeError, "^padding must be a tuple with one entry per axis, got "):
        sc.Pad(bad)


def test_pad_takes_at_least_one_axis():
    with refuses(ParameterError, r"^padding must name at least one axis, got \(\) "):
        sc.Pad(())


@pytest.mark.parametrize("name", ["SAME", "Same", "", "zeros", "half", "same ", "same_center"])
@pytest.mark.parametrize(
    "layer",
    [
        lambda padding: sc.Conv1d(1, 1, 3, padding=padding),
        lambda padding: sc.AvgPool1d(3, padding=padding),
        lambda padding: sc.Unfold((3,), padding=padding),
    ],
    ids=["Conv", "AvgPool", "Unfold"],
)
def test_unknown_padding_names_list_the_known_ones(layer, name):
    listed = "'valid', 'full', 'same', 'same_upper', 'same_lower', 'causal'"
    with refuses(ParameterError, rf"^padding must be one of {listed}, got '{name}' "):
        layer(name)


@pytest.mark.parametrize("stride", [2, (1, 2), n], ids=repr)
def test_same_wants_stride_one_and_names_the_way_out(stride):
    with refuses(ParameterError, "^stride must be 1 for padding 'same'.*'same_upper'"):
        sc.Conv2d(1, 1, 3, stride=stride, padding="same")


def test_same_of_a_window_wants_stride_one():
    with refuses(ParameterError, "^stride must be 1 for padding 'same'"):
        sc.AvgPool2d(3, padding="same")
    with refuses(ParameterError, "^stride must be 1 for padding 'same'"):
        sc.Unfold((3,), stride=2, padding="same")


@pytest.mark.parametrize("name", ["same", "valid", "full", "same_upper", "nonsense"])
def test_transposed_convolutions_take_no_padding_name(name):
    match = rf"^padding must be integers or \(lo, hi\) pairs for a transposed .*, got '{name}' "
    with refuses(ParameterError, match):
        sc.ConvTranspose1d(1, 1, 3, padding=name)


WITH_BOUNDARY = [
    lambda **options: sc.Conv1d(1, 1, 3, padding=1, **options),
    lambda **options: sc.Unfold((3,), padding=1, **options),
    lambda **options: sc.Pad((1,), **options),
]


@pytest.mark.parametrize("layer", WITH_BOUNDARY, ids=["Conv", "Unfold", "Pad"])
@pytest.mark.parametrize(
    "bad", ["zero", "Zeros", "wrap", "", None, 0, True, ["zeros"], n], ids=repr
)
def test_unknown_padding_modes_list_the_known_ones(layer, bad):
    listed = "'zeros', 'constant', 'circular', 'reflect', 'symmetric', 'replicate'"
    with refuses(ParameterError, rf"^padding_mode must be one of {listed}, got "):
        layer(padding_mode=bad)


@pytest.mark.parametrize("layer", WITH_BOUNDARY, ids=["Conv", "Unfold", "Pad"])
@pytest.mark.parametrize("mode", ["zeros", "circular", "reflect", "symmetric", "replicate"])
@pytest.mark.parametrize(
    "value",
    [
        1,
        -1,
        0.5,
        Fraction(1, 2),
        n,
        True,
        False,
        "0",
        None,
        float("nan"),
        [0],
        [],
        np.array([0, 0]),
        np.array([[1, 2]]),
    ],
    ids=repr,
)
def test_padding_value_is_for_the_constant_mode(layer, mode, value):
    match = "^padding_value must be 0 unless padding_mode is 'constant', got "
    with refuses(ParameterError, match):
        layer(padding_mode=mode, padding_value=value)


BAD_PADDING_VALUES = table(
    ("bool", True, DTypeError),
    ("numpy bool", np.True_, DTypeError),
    ("string", "1", DTypeError),
    ("None", None, DTypeError),
    ("Decimal", Decimal(1), DTypeError),
    ("half precision", np.float16(1), DTypeError),
    ("long double", np.longdouble(1), DTypeError),
    ("SymPy float", sympy.Float(0.5), DTypeError),
    ("SymPy nan", sympy.nan, DTypeError),
    ("SymPy infinity", sympy.oo, DTypeError),
    ("SymPy minus infinity", -sympy.oo, DTypeError),
    ("set", {1}, DTypeError),
    ("ragged", [[1], [1, 2]], ShapeError),
    ("list", [1], ParameterError),
    ("empty", [], ParameterError),
    ("array", np.ones((1, 1)), ParameterError),
    ("nan", float("nan"), ParameterError),
    ("inf", float("inf"), ParameterError),
    ("minus inf", np.float32("-inf"), ParameterError),
    ("complex inf", complex("inf"), ParameterError),
    ("complex nan", complex(0, float("nan")), ParameterError),
)


@pytest.mark.parametrize("layer", WITH_BOUNDARY, ids=["Conv", "Unfold", "Pad"])
@pytest.mark.parametrize(("value", "kind"), BAD_PADDING_VALUES)
def test_padding_value_is_one_finite_number(layer, value, kind):
    with refuses(kind, "^padding_value must "):
        layer(padding_mode="constant", padding_value=value)


@pytest.mark.parametrize(
    "value",
    [
        0,
        7,
        -(2**100),
        0.5,
        np.float64(0.5),
        np.int8(3),
        np.array(3),
        np.array(0.5),
        Fraction(1, 3),
        sympy.Integer(2),
        sympy.Rational(1, 3),
        n,
        n**2 / 3,
        1j,
        np.complex64(1j),
    ],
    ids=repr,
)
def test_layers_with_any_legal_padding_value_are_hashable(value):
    layer = sc.Conv1d(1, 1, 1, padding=1, padding_mode="constant", padding_value=value, bias=False)
    same = sc.Conv1d(1, 1, 1, padding=1, padding_mode="constant", padding_value=value, bias=False)
    assert hash(layer) == hash(same)
    assert layer == same
    assert hash(layer.operator((2,))) == hash(same.operator((2,)))


def test_constant_padding_with_input_dilation_is_ambiguous():
    layer = sc.Conv1d(1, 1, 1, input_dilation=2, padding_mode="constant", padding_value=1)
    with refuses(ParameterError, "^padding_mode must not be 'constant' with input_dilation > 1"):
        layer.operator((3,))


# Sizes and shapes

LAYERS = {
    "Conv": sc.Conv1d(1, 1, 1, bias=False),
    "ConvTranspose": sc.ConvTranspose1d(1, 1, 1, bias=False),
    "AvgPool": sc.AvgPool1d(1),
    "Pad": sc.Pad((0,)),
    "Unfold": sc.Unfold((1,)),
    "Fold": sc.Fold((1,), (1,)),
}
READINGS = {
    "output_size": "input_size",
    "input_sizes": "output_size",
    "operator": "input_size",
    "geometry": "input_size",
    "mac_count": "input_size",
}


def readings():
    return list(each_reading())


def each_reading():
    for name, layer in LAYERS.items():
        for method, parameter in READINGS.items():
            if hasattr(layer, method):
                yield pytest.param(getattr(layer, method), parameter, id=f"{name}.{method}")


@pytest.mark.parametrize("bad", entries({**NO_INTEGER, "string": "1", "nested": [1]}))
@pytest.mark.parametrize(("reading", "parameter"), readings())
def test_size_entries_are_integers(reading, parameter, bad):
    with refuses(ParameterTypeError, rf"^{parameter} must be an integer >= \d, got "):
        reading((bad,))


@pytest.mark.parametrize("bad", entries({**NO_INTEGER, "int": 1, "string": "1", "symbol": n}))
@pytest.mark.parametrize(("reading", "parameter"), readings())
def test_sizes_are_tuples(reading, parameter, bad):
    with refuses(
        ParameterTypeError, rf"^{parameter} must be a tuple with one entry per axis, got "
    ):
        reading(bad)


@pytest.mark.parametrize("bad", [(), (1, 1), [1, 1, 1], np.ones(2, dtype=int)], ids=repr)
@pytest.mark.parametrize(("reading", "parameter"), readings())
def test_sizes_have_one_entry_per_axis(reading, parameter, bad):
    with refuses(ShapeError, rf"^{parameter} must have 1 entries, one per axis, got "):
        reading(bad)


@pytest.mark.parametrize(("reading", "parameter"), readings())
def test_sizes_are_not_negative(reading, parameter):
    with refuses(ParameterError, rf"^{parameter} must be >= \d, got -1 "):
        reading((-1,))


@pytest.mark.parametrize("layer", entries(LAYERS))
@pytest.mark.parametrize(
    ("bad", "kind", "match"),
    [
        (1, ParameterTypeError, "^input_shape must be a tuple"),
        ("11", ParameterTypeError, "^input_shape must be a tuple"),
        (None, ParameterTypeError, "^input_shape must be a tuple"),
        (
            (),
            ShapeError,
            r"^input_shape must be \(channels, \*size\) with 1 spatial axes, got \(\)",
        ),
        ((1,), ShapeError, r"^input_shape must be \(channels, \*size\) with 1 spatial axes"),
        ((1, 1, 1), ShapeError, r"^input_shape must be \(channels, \*size\) with 1 spatial axes"),
        ((1.0, 1), ParameterTypeError, "^input channels must be an integer >= 0, got float 1.0"),
        ((True, 1), ParameterTypeError, "^input channels must be an integer >= 0, got the boolean"),
        ((-1, 1), ParameterError, "^input channels must be >= 0, got -1"),
        ((1, "1"), ParameterTypeError, "^input_size must be an integer >= 0, got str '1'"),
        ((1, -1), ParameterError, "^input_size must be >= 0, got -1"),
    ],
    ids=repr,
)
def test_shapes(layer, bad, kind, match):
    with refuses(kind, match):
        layer.output_shape(bad)


@pytest.mark.parametrize("layer", [sc.Conv1d(2, 4, 1), sc.ConvTranspose1d(2, 4, 1)], ids=repr)
def test_input_channels_are_the_layers(layer):
    with refuses(ShapeError, "^input channels must be 2, got 3"):
        layer.output_shape((3, 8))


def test_patches_come_in_whole_channels():
    with refuses(ShapeError, "^input channels must be a multiple of 4 taps, got 6"):
        sc.Fold((3, 3), (2, 2)).output_shape((6, 2, 2))


NO_OUTPUT = table(
    ("Conv", sc.Conv1d(1, 1, 5), (4,), 0),
    ("Conv far below", sc.Conv2d(1, 1, (1, 3), dilation=4), (4, 4), -4),
    ("Conv cropped", sc.Conv1d(1, 1, 1, padding=((-2, -2),)), (4,), 0),
    ("ConvTranspose", sc.ConvTranspose1d(1, 1, 3, padding=3), (4,), 0),
    ("AvgPool", sc.AvgPool1d(5), (4,), 0),
    ("AvgPool ceil", sc.AvgPool1d(9, stride=2, ceil_mode=True), (4,), -1),
    ("Pad", sc.Pad(((-2, -2),)), (4,), 0),
    ("Unfold", sc.Unfold((5,)), (4,), 0),
)


@pytest.mark.parametrize(("layer", "size", "got"), NO_OUTPUT)
def test_an_output_size_below_one_is_refused(layer, size, got):
    axis = len(size) - 1
    match = rf"^output size must be >= 1 on axis {axis}, got {got}"
    with refuses(GeometryError, match):
        layer.output_size(size)
    with refuses(GeometryError, match):
        layer.output_shape((1, *size))
    with refuses(GeometryError, match):
        layer.operator(size)
    for count in ("per_tap", "inside"):
        if hasattr(layer, "mac_count"):
            with refuses(GeometryError, match):
                layer.mac_count(size, count)


def test_fold_refuses_a_target_without_patches():
    with refuses(GeometryError, "^output size must be >= 1 on axis 0, got 0"):
        sc.Fold((4,), (5,))
    with refuses(ParameterError, r"^target_size must have one entry per axis \(1\), got 2"):
        sc.Fold((4, 4), (2,))
    with refuses(ShapeError, r"^input_size must be \(3,\), the patches of \(4,\), got \(4,\)"):
        sc.Fold((4,), (2,)).output_size((4,))


def test_a_window_without_a_cell_to_count_is_refused():
    with refuses(GeometryError, "^padding must leave a cell to count in every window, got none"):
        sc.AvgPool((1,), padding=1, count_include_pad=False).operator((2,))


@pytest.mark.parametrize("bad", ["taps", "PER_TAP", None, 1, ["inside"]], ids=repr)
@pytest.mark.parametrize(
    "layer", [LAYERS["Conv"], LAYERS["ConvTranspose"]], ids=["Conv", "ConvTranspose"]
)
def test_mac_count_names_its_counts(layer, bad):
    with refuses(ParameterError, "^count must be one of 'per_tap', 'inside', got "):
        layer.mac_count((3,), bad)


# Empty inputs

MODES = ("zeros", "constant", "circular", "reflect", "symmetric", "replicate")


def padded(mode):
    value = {"padding_value": 7} if mode == "constant" else {}
    options = {"padding": ((1, 2),), "padding_mode": mode, **value}
    return {
        "Conv": sc.Conv(2, 3, (2,), bias=False, **options),
        "Unfold": sc.Unfold((2,), **options),
        "Pad": sc.Pad(**options),
    }


@pytest.mark.parametrize("mode", ["circular", "reflect", "symmetric", "replicate"])
@pytest.mark.parametrize("kind", ["Conv", "Unfold", "Pad"])
def test_modes_that_read_samples_refuse_an_empty_input(kind, mode):
    layer = padded(mode)[kind]
    for reading in (layer.output_size, layer.operator):
        with refuses(GeometryError, "^input size must be >= 1 on axis 0, got 0"):
            reading((0,))


@pytest.mark.parametrize(
    "layer",
    [sc.ConvTranspose1d(1, 1, 3), sc.Conv1d(1, 1, 1, input_dilation=2, padding=3)],
    ids=repr,
)
def test_a_spread_axis_needs_a_sample(layer):
    for reading in (layer.output_size, layer.operator):
        with refuses(GeometryError, "size must be >= 1"):
            reading((0,))


@pytest.mark.parametrize("plan", ["taps", "sparse"])
@pytest.mark.parametrize("mode", ["zeros", "constant"])
@pytest.mark.parametrize("kind", ["Conv", "Unfold", "Pad", "AvgPool"])
def test_an_empty_input_is_all_padding(kind, mode, plan):
    layer = (
        sc.AvgPool((2,), stride=1, padding=((1, 2),)) if kind == "AvgPool" else padded(mode)[kind]
    )
    op = layer.operator((0,))
    fill = 7 if mode == "constant" and kind != "AvgPool" else 0
    weight = np.arange(12).reshape(3, 2, 2) if kind == "Conv" else None
    x = np.zeros((5, *op.input_shape), dtype=int)
    y = op.apply(x, weight, plan=plan)
    assert y.shape == (5, *op.output_shape)
    if kind == "Conv":
        assert np.array_equal(y, np.broadcast_to(fill * weight.sum(axis=(1, 2))[:, None], y.shape))
    else:
        assert np.all(y == fill)
    assert op.nnz == 0
    assert op.exact().shape == op.shape == (int(np.prod(op.output_shape)), 0)
    assert op.T.exact().shape == (0, op.shape[0])
    assert op.jacobian(weight).shape == op.shape
    assert op.sparse(weight).shape == op.shape
    assert op.row(*(0 for _ in op.output_shape)).shape == (1, 0)
    back = op.T.apply(y, weight, plan=plan)
    assert back.shape == x.shape
    if kind == "Conv":
        assert op.weight_gradient(x, y).shape == op.weight_shape
    with refuses(ParameterError, "^column index must lie inside shape"):
        op.column(*(0 for _ in op.input_shape))


@pytest.mark.parametrize("kind", ["Conv", "Unfold", "Pad", "AvgPool"])
def test_a_linear_operator_on_an_empty_input(kind):
    layer = sc.AvgPool((2,), stride=1, padding=1) if kind == "AvgPool" else padded("zeros")[kind]
    op = layer.operator((0,))
    linear = op.linear_operator(np.ones((3, 2, 2)) if kind == "Conv" else None)
    rows = op.shape[0]
    assert np.array_equal(linear.rmatvec(np.ones(rows)), np.zeros(0))
    assert np.array_equal(linear.matvec(np.zeros(0)), np.zeros(rows))
    assert np.array_equal(linear.matmat(np.zeros((0, 3))), np.zeros((rows, 3)))


# Symbols: closed forms where they exist, a clear refusal where numbers are needed


def symbolic_layers():
    conv = {"in_channels": 4, "out_channels": 6, "kernel_size": (3,), "bias": False}
    for layer in (sc.Conv, sc.ConvTranspose):
        names = ["in_channels", "out_channels", "groups", "stride", "dilation", "padding"]
        names += ["input_dilation"] if layer is sc.Conv else ["output_padding"]
        for name in names:
            yield pytest.param(layer(**{**conv, name: n}), name, id=f"{layer.__name__}-{name}")
        taps = layer(**{**conv, "kernel_size": (n,)})
        yield pytest.param(taps, "kernel_size", id=f"{layer.__name__}-kernel_size")
    for layer in (sc.AvgPool, sc.Unfold):
        for name in ("stride", "dilation", "padding"):
            yield pytest.param(layer((3,), **{name: n}), name, id=f"{layer.__name__}-{name}")
        yield pytest.param(layer((n,)), "kernel_size", id=f"{layer.__name__}-kernel_size")
    yield pytest.param(sc.Pad((n,)), "padding", id="Pad-padding")


SYMBOLIC = list(symbolic_layers())


@pytest.mark.parametrize(("layer", "name"), SYMBOLIC)
def test_an_operator_wants_numbers_and_names_the_symbolic_parameter(layer, name):
    match = rf"^{name} must be a concrete integer here, got the symbolic n; substitute a number"
    with refuses(ParameterTypeError, match):
        layer.operator((8,))


@pytest.mark.parametrize(("layer", "name"), [case for case in SYMBOLIC if "Conv" in case.id])
def test_macs_inside_are_a_closed_form_but_for_input_dilation(layer, name):
    if name == "input_dilation":
        with refuses(ParameterTypeError, "^input_dilation must be a concrete integer here"):
            layer.mac_count((8,), "inside")
        return
    form = layer.mac_count((8,), "inside")
    fields = {field: getattr(layer, field) for field in layer.__dataclass_fields__}
    for value in (1, 2):

        def substituted(entry, value=value):
            if isinstance(entry, tuple):
                return tuple(substituted(part) for part in entry)
            return entry.subs(n, value) if isinstance(entry, sympy.Basic) else entry

        number = type(layer)(**{field: substituted(entry) for field, entry in fields.items()})
        assert form.subs(n, value).doit() == number.mac_count((8,), "inside")


@pytest.mark.parametrize(("layer", "name"), SYMBOLIC)
def test_the_inverse_is_a_closed_form_or_wants_numbers(layer, name):
    if name in ("in_channels", "out_channels", "groups"):
        (sizes,) = layer.input_sizes((8,))
        assert [layer.output_size((size,)) for size in sizes] == [(8,)] * len(sizes)
        return
    if isinstance(layer, sc.ConvTranspose):
        match = rf"^{name} must be a concrete integer here, got the symbolic"
        with refuses(ParameterTypeError, match):
            layer.input_sizes((8,))
        return
    (sizes,) = layer.input_sizes((8,))
    fields = {field: getattr(layer, field) for field in layer.__dataclass_fields__}
    for value in (1, 2, 3):

        def substituted(entry, value=value):
            if isinstance(entry, tuple):
                return tuple(substituted(part) for part in entry)
            return entry.subs(n, value) if isinstance(entry, sympy.Basic) else entry

        number = type(layer)(**{field: substituted(entry) for field, entry in fields.items()})
        expected = tuple(size for size in map(int, sizes.subs(n, value)) if size >= 1)
        assert tuple(size for size in number.input_sizes((8,))[0] if size >= 1) == expected


@pytest.mark.parametrize("layer", entries(LAYERS, skip=["Fold"]))
def test_a_symbolic_size_wants_a_number_for_the_operator(layer):
    match = "^input_size must be a concrete integer here, got the symbolic n"
    with refuses(ParameterTypeError, match):
        layer.operator((n,))
    if isinstance(layer, sc.ConvTranspose):
        with refuses(ParameterTypeError, "^output_size must be a concrete integer here"):
            layer.input_sizes((n,))


@pytest.mark.parametrize(("layer", "name"), SYMBOLIC)
@pytest.mark.parametrize("value", [1, 2])
def test_closed_forms_of_a_symbolic_layer_hold_at_its_values(layer, name, value):
    """Substituting a number into the closed form gives what the layer with that number gives."""
    fields = {field: getattr(layer, field) for field in layer.__dataclass_fields__}

    def substituted(entry):
        if isinstance(entry, tuple):
            return tuple(substituted(part) for part in entry)
        return entry.subs(n, value) if isinstance(entry, sympy.Basic) else entry

    number = type(layer)(**{field: substituted(entry) for field, entry in fields.items()})
    size = (9,)
    (n_out,) = layer.output_size(size)
    assert (sympy.sympify(n_out).subs(n, value),) == number.output_size(size)
    if hasattr(layer, "mac_count"):
        assert sympy.sympify(layer.parameter_count()).subs(n, value) == number.parameter_count()
        assert sympy.sympify(layer.mac_count(size)).subs(n, value) == number.mac_count(size)


@pytest.mark.parametrize("layer", [sc.Conv, sc.ConvTranspose], ids=label)
def test_symbolic_groups_divide_without_a_floor(layer):
    """A valid layer's groups divide both channel numbers: 4·6·3/n weights, not a floor of them."""
    made_with = layer(4, 6, (3,), groups=n, bias=False)
    assert sympy.expand(made_with.parameter_count() * n) == 72


# Arrays


def symbols(shape):
    array = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        array[index] = sympy.Symbol("s_" + "_".join(map(str, index)))
    return array


def filled(value, shape):
    array = np.empty(shape, dtype=object)
    array.fill(value)
    return array


#: Name → (array of a shape, kind of the refusal).
BAD_ARRAYS = {
    "bool": (lambda shape: np.ones(shape, dtype=bool), DTypeError),
    "float16": (lambda shape: np.ones(shape, dtype=np.float16), DTypeError),
    "longdouble": (lambda shape: np.ones(shape, dtype=np.longdouble), DTypeError),
    "clongdouble": (lambda shape: np.ones(shape, dtype=np.clongdouble), DTypeError),
    "string": (lambda shape: np.full(shape, "1"), DTypeError),
    "bytes": (lambda shape: np.full(shape, b"1"), DTypeError),
    "datetime": (lambda shape: np.zeros(shape, dtype="M8[s]"), DTypeError),
    "timedelta": (lambda shape: np.zeros(shape, dtype="m8[s]"), DTypeError),
    "structured": (lambda shape: np.zeros(shape, dtype=[("a", int)]), DTypeError),
    "objects: float": (lambda shape: filled(1.5, shape), DTypeError),
    "objects: numpy float": (lambda shape: filled(np.float64(1.5), shape), DTypeError),
    "objects: complex": (lambda shape: filled(1j, shape), DTypeError),
    "objects: bool": (lambda shape: filled(True, shape), DTypeError),
    "objects: string": (lambda shape: filled("1", shape), DTypeError),
    "objects: None": (lambda shape: filled(None, shape), DTypeError),
    "objects: Decimal": (lambda shape: filled(Decimal(1), shape), DTypeError),
    "objects: SymPy float": (lambda shape: filled(sympy.Float(1.5), shape), DTypeError),
    "objects: float times symbol": (lambda shape: filled(1.5 * n, shape), DTypeError),
    "objects: SymPy nan": (lambda shape: filled(sympy.nan, shape), DTypeError),
    "objects: SymPy infinity": (lambda shape: filled(sympy.oo, shape), DTypeError),
    "objects: SymPy minus infinity": (lambda shape: filled(-sympy.oo, shape), DTypeError),
    "objects: complex infinity": (lambda shape: filled(sympy.zoo, shape), DTypeError),
    "objects: SymPy bool": (lambda shape: filled(sympy.true, shape), DTypeError),
    "objects: relation": (lambda shape: filled(n > 3, shape), DTypeError),
    "objects: one bad among many": (
        lambda shape: np.array([1] * (int(np.prod(shape)) - 1) + [None], dtype=object).reshape(
            shape
        ),
        DTypeError,
    ),
    "lists: bools": (lambda shape: np.ones(shape, dtype=bool).tolist(), DTypeError),
    "lists: one bool among integers": (
        lambda shape: (
            np.array([True] + [2] * (int(np.prod(shape)) - 1), dtype=object).reshape(shape).tolist()
        ),
        DTypeError,
    ),
    "lists: Fraction and float": (
        lambda shape: (
            np.array([Fraction(1, 2)] + [0.5] * (int(np.prod(shape)) - 1), dtype=object)
            .reshape(shape)
            .tolist()
        ),
        DTypeError,
    ),
    "masked array": (lambda shape: np.ma.masked_array(np.ones(shape), mask=True), DTypeError),
    "a word": (lambda shape: "abc", DTypeError),
    "dict": (lambda shape: {}, DTypeError),
    "set": (lambda shape: {1}, DTypeError),
    "generator": (lambda shape: (i for i in range(3)), DTypeError),
    "function": (lambda shape: len, DTypeError),
    "ragged lists": (lambda shape: [[1], [1, 2]], ShapeError),
    "a number": (lambda shape: 3, ShapeError),
    "nothing": (lambda shape: [], ShapeError),
    "last axis longer": (lambda shape: np.ones((*shape[:-1], shape[-1] + 1)), ShapeError),
    "axis missing": (lambda shape: np.ones(shape[:-1]), ShapeError),
    "transposed": (lambda shape: np.ones((*shape[1:], shape[0] + 7)), ShapeError),
}

OPERATOR = sc.Conv2d(4, 6, (2, 3), groups=2).operator((4, 5))
POOL = sc.AvgPool2d((2, 3)).operator((4, 6))
WEIGHT = np.arange(72).reshape(OPERATOR.weight_shape)
X = np.arange(80).reshape(OPERATOR.input_shape)
Y = np.arange(54).reshape(OPERATOR.output_shape)
BIAS = np.arange(6)

#: Name → (what takes the array, the parameter's name, its shape).
TAKERS = {
    "weight of apply": (lambda a: OPERATOR.apply(X, a, BIAS), "weight", WEIGHT.shape),
    "weight of apply_linear": (lambda a: OPERATOR.apply_linear(X, a), "weight", WEIGHT.shape),
    "weight of T.apply": (lambda a: OPERATOR.T.apply(Y, a), "weight", WEIGHT.shape),
    "weight of H.apply": (lambda a: OPERATOR.H.apply(Y, a), "weight", WEIGHT.shape),
    "weight of exact": (OPERATOR.exact, "weight", WEIGHT.shape),
    "weight of T.exact": (OPERATOR.T.exact, "weight", WEIGHT.shape),
    "weight of jacobian": (OPERATOR.jacobian, "weight", WEIGHT.shape),
    "weight of sparse": (OPERATOR.sparse, "weight", WEIGHT.shape),
    "weight of row": (lambda a: OPERATOR.row(0, 0, 0, weight=a), "weight", WEIGHT.shape),
    "weight of column": (lambda a: OPERATOR.column(0, 0, 0, weight=a), "weight", WEIGHT.shape),
    "weight of offset": (lambda a: OPERATOR.offset(a, BIAS), "weight", WEIGHT.shape),
    "weight of bind": (lambda a: OPERATOR.bind(a, BIAS), "weight", WEIGHT.shape),
    "weight of linear_operator": (OPERATOR.linear_operator, "weight", WEIGHT.shape),
    "bias of apply": (lambda a: OPERATOR.apply(X, WEIGHT, a), "bias", BIAS.shape),
    "bias of bind": (lambda a: OPERATOR.bind(WEIGHT, a), "bias", BIAS.shape),
    "bias of offset": (lambda a: OPERATOR.offset(WEIGHT, a), "bias", BIAS.shape),
    "x of apply": (lambda a: OPERATOR.apply(a, WEIGHT, BIAS), "x", X.shape),
    "x of apply by csr": (lambda a: OPERATOR.apply(a, WEIGHT, BIAS, "sparse"), "x", X.shape),
    "x of T.apply": (lambda a: OPERATOR.T.apply(a, WEIGHT), "x", Y.shape),
    "x of weight_gradient": (lambda a: OPERATOR.weight_gradient(a, Y), "x", X.shape),
    "y of weight_gradient": (lambda a: OPERATOR.weight_gradient(X, a), "y", Y.shape),
    "x of bound.apply": (lambda a: OPERATOR.bind(WEIGHT, BIAS).apply(a), "x", X.shape),
    "x of bound @": (lambda a: OPERATOR.bind(WEIGHT, BIAS) @ a, "x", X.shape),
    "x of a pool": (POOL.apply, "x", POOL.input_shape),
}


@pytest.mark.parametrize("bad", BAD_ARRAYS)
@pytest.mark.parametrize("taker", TAKERS)
def test_bad_arrays_are_refused_by_name(taker, bad):
    take, name, shape = TAKERS[taker]
    make, kind = BAD_ARRAYS[bad]
    with refuses(kind, rf"^{name} must "):
        take(make(shape))


@pytest.mark.parametrize("taker", [name for name, row in TAKERS.items() if row[1] == "x"])
def test_x_of_none_is_refused(taker):
    with refuses(DTypeError, "^x must hold .* got NoneType None"):
        TAKERS[taker][0](None)


@pytest.mark.parametrize(
    "taker",
    [
        "weight of apply",
        "weight of apply_linear",
        "weight of T.apply",
        "weight of sparse",
        "weight of offset",
        "weight of bind",
        "weight of linear_operator",
    ],
)
def test_a_missing_weight_is_asked_for_with_its_shape(taker):
    with refuses(ParameterError, r"^weight must be given, an array of shape \(6, 2, 2, 3\) "):
        TAKERS[taker][0](None)


@pytest.mark.parametrize("taker", ["bias of apply", "bias of bind", "bias of offset"])
def test_a_missing_bias_is_asked_for_with_its_shape(taker):
    with refuses(
        ParameterError, r"^bias must be given, shape \(6,\); a layer made with bias=False"
    ):
        TAKERS[taker][0](None)


NO_BIAS = sc.Conv1d(1, 1, 1, bias=False).operator((3,))
UNWANTED = table(
    ("apply", lambda: NO_BIAS.apply([[1, 2, 3]], [[[1]]], [1]), "bias"),
    ("bind", lambda: NO_BIAS.bind([[[1]]], [1]), "bias"),
    ("offset", lambda: NO_BIAS.offset([[[1]]], [1]), "bias"),
    ("T.apply", lambda: OPERATOR.T.apply(Y, WEIGHT, BIAS), "bias"),
    ("H.apply", lambda: OPERATOR.H.apply(Y, WEIGHT, BIAS), "bias"),
    ("pool bias", lambda: POOL.apply(np.ones((4, 6)), None, [1]), "bias"),
    ("pool weight", lambda: POOL.apply(np.ones((4, 6)), np.ones((1, 1, 2, 3))), "weight"),
    ("pool exact", lambda: POOL.exact([1]), "weight"),
    ("pool sparse", lambda: POOL.sparse([1]), "weight"),
    ("pool bind", lambda: POOL.bind([1]), "weight"),
    ("pool row", lambda: POOL.row(0, 0, weight=1), "weight"),
    ("pool jacobian", lambda: POOL.jacobian([1]), "weight"),
    ("pool linear_operator", lambda: POOL.linear_operator([1.0]), "weight"),
    ("Pad", lambda: sc.Pad((1,)).operator((3,)).apply([1, 2, 3], [1]), "weight"),
    ("Unfold", lambda: sc.Unfold((2,)).operator((3,)).apply([1, 2, 3], [1]), "weight"),
)


@pytest.mark.parametrize(("call", "name"), UNWANTED)
def test_weights_and_biases_that_nothing_takes_are_refused(call, name):
    with refuses(ParameterError, f"^{name} must be left out: this operator has n"):
        call()


@pytest.mark.parametrize(
    "op",
    [POOL, sc.Pad((1,)).operator((3,)), sc.Unfold((2,)).operator((3,))],
    ids=["AvgPool", "Pad", "Unfold"],
)
def test_what_needs_free_weights_is_refused_without_them(op):
    with refuses(ParameterError, "^weight gradient does not exist: there are no free weights"):
        op.weight_gradient(np.ones(op.input_shape), np.ones(op.output_shape))
    with refuses(ParameterError, "^weight symbols do not exist"):
        op.weight_symbols()


def test_a_conjugated_map_has_no_weight_gradient():
    with refuses(ParameterError, "^weight gradient does not exist: conjugation is not linear"):
        OPERATOR.H.weight_gradient(Y, X)


def test_gradient_arguments_share_their_batch_axes():
    with refuses(ShapeError, r"^x and y must have the same batch axes, got \(2, 4, .*\(3, 6, "):
        OPERATOR.weight_gradient(np.stack([X] * 2), np.stack([Y] * 3))
    with refuses(ShapeError, "^x and y must have the same batch axes"):
        OPERATOR.weight_gradient(X[None], Y)


def test_batches_of_a_flat_vector_are_refused():
    with refuses(ShapeError, r"^x must have shape \(\*batch, 4, 4, 5\), got \(2, 80\)"):
        OPERATOR.bind(WEIGHT, BIAS) @ np.ones((2, 80))
    with refuses(ShapeError, r"^x must have shape \(\*batch, 4, 4, 5\), got \(80,\)"):
        OPERATOR.apply(X.ravel(), WEIGHT, BIAS)


# Number systems that do not meet


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize(
    "call",
    [
        OPERATOR.exact,
        OPERATOR.H.exact,
        OPERATOR.jacobian,
        lambda w: OPERATOR.row(0, 0, 0, weight=w),
        lambda w: OPERATOR.column(0, 0, 0, weight=w),
        lambda w: OPERATOR.bind(w, BIAS).exact(),
        lambda w: OPERATOR.bind(w, BIAS).row(0, 0, 0),
    ],
    ids=["exact", "H.exact", "jacobian", "row", "column", "bound.exact", "bound.row"],
)
def test_exact_readings_refuse_floats_and_say_how_to_convert(call, dtype):
    match = (
        "^weight must be exact .* got dtype .*; Fraction\\(value\\) states a float's exact value"
    )
    with refuses(DTypeError, match):
        call(WEIGHT.astype(dtype))


@pytest.mark.parametrize("exact", [Fraction(1, 2), n / 3, sympy.sqrt(2)], ids=repr)
@pytest.mark.parametrize("plan", ["taps", "sparse"])
def test_exact_numbers_never_meet_floats(exact, plan):
    system = "rational" if isinstance(exact, Fraction) else "symbolic"
    weight, x = filled(exact, WEIGHT.shape), filled(exact, X.shape)
    with refuses(DTypeError, rf"^weight is exact \({system}\) and x holds floats; convert one of"):
        OPERATOR.apply(X.astype(float), weight, BIAS, plan)
    with refuses(DTypeError, rf"^x is exact \({system}\) and weight holds floats; convert one of"):
        OPERATOR.apply(x, WEIGHT.astype(np.float32), BIAS, plan)
    with refuses(DTypeError, rf"^bias is exact \({system}\) and x holds floats; convert one of"):
        OPERATOR.apply(X.astype(float), WEIGHT, filled(exact, 6), plan)
    with refuses(DTypeError, rf"^y is exact \({system}\) and x holds floats; convert one of"):
        OPERATOR.weight_gradient(X.astype(float), filled(exact, Y.shape))
    layer = sc.Pad((1,), padding_mode="constant", padding_value=exact)
    with refuses(DTypeError, rf"^padding_value is exact \({system}\) and x holds floats"):
        layer.operator((2,)).apply([0.5, 1.5], plan=plan)


@pytest.mark.parametrize(
    ("dtype", "limit"),
    [(np.float32, 2**24), (np.float64, 2**53), (np.complex64, 2**24), (np.complex128, 2**53)],
    ids=["float32", "float64", "complex64", "complex128"],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_integers_too_large_for_the_floats_are_refused(dtype, limit, sign):
    op = sc.Conv1d(1, 1, 1).operator((2,))
    one = np.ones((1, 1, 1), dtype=dtype)
    fits, beyond = sign * limit, sign * (limit + 1)
    assert op.apply([[fits, 0]], one, [0])[0, 0] == fits
    match = rf"holds {limit + 1}, beyond {limit}, up to which .* holds every integer"
    with refuses(DTypeError, f"^x {match}"):
        op.apply([[beyond, 0]], one, [0])
    with refuses(DTypeError, f"^weight {match}"):
        op.apply(np.ones((1, 2), dtype=dtype), [[[beyond]]], [0])
    with refuses(DTypeError, f"^bias {match}"):
        op.apply(np.ones((1, 2), dtype=dtype), one, [beyond])
    with refuses(DTypeError, f"^y {match}"):
        op.weight_gradient(np.ones((1, 2), dtype=dtype), [[beyond, 0]])
    with refuses(DTypeError, "^x holds"):
        op.apply([[sign * 2**200, 0]], one, [0])


@pytest.mark.parametrize("plan", ["taps", "sparse"])
def test_nan_is_a_legal_float(plan):
    op = sc.Conv1d(1, 1, 2, bias=False).operator((4,))
    y = op.apply(np.array([[1.0, np.nan, 3.0, 4.0]]), [[[1.0, 1.0]]], plan=plan)
    assert np.array_equal(y, [[np.nan, np.nan, 7.0]], equal_nan=True)
    weighted = op.apply([[1.0, 2.0, 3.0, 4.0]], [[[np.nan, 0.0]]], plan=plan)
    assert np.isnan(weighted).all()
    assert np.isnan(op.sparse([[[np.nan, 1.0]]]).toarray()[0, 0])


# sparse, plans, indices

BAD_DTYPES = table(
    ("bool", bool),
    ("object", object),
    ("string", "S3"),
    ("datetime", "M8[s]"),
    ("unknown name", "nope"),
    ("number", 3),
    ("structured", [("a", int)]),
    ("symbol", n),
    ("a type that is none", Fraction),
    ("array", np.ones(2)),
)


@pytest.mark.parametrize("dtype", BAD_DTYPES)
def test_sparse_refuses_types_that_hold_no_numbers(dtype):
    with refuses(DTypeError, "^dtype must be an integer, floating or complex type, got "):
        OPERATOR.sparse(WEIGHT, dtype)


@pytest.mark.parametrize(
    ("weight", "dtype", "match"),
    [
        (WEIGHT.astype(float), int, "^weight must hold integers for dtype int64, got real"),
        (
            filled(Fraction(1, 2), WEIGHT.shape),
            np.int8,
            "^weight must hold integers for dtype int8",
        ),
        (symbols(WEIGHT.shape), float, "^weight must be numeric for a sparse matrix, got SymPy"),
        (WEIGHT * 1j, float, "^dtype must be complex for complex weights, got float64"),
        (WEIGHT * 1j, int, "^weight must hold integers for dtype int64, got complex"),
        (
            filled(Fraction(10) ** 400, WEIGHT.shape),
            float,
            "^dtype must hold every weight, got float",
        ),
        (filled(10**400, WEIGHT.shape), float, "^dtype must hold every weight, got float64"),
    ],
    ids=[
        "floats",
        "fractions",
        "symbols",
        "complex",
        "complex in int",
        "huge Fraction",
        "huge int",
    ],
)
def test_sparse_refuses_weights_that_the_type_does_not_hold(weight, dtype, match):
    with refuses(DTypeError, match):
        OPERATOR.sparse(weight, dtype)


def test_sparse_refuses_averages_as_integers():
    with refuses(DTypeError, "^dtype must be floating: averages are fractions, got int64"):
        POOL.sparse(dtype=int)


@pytest.mark.parametrize("bad", ["1", True, 1.5, float("nan"), n, [1], -1], ids=repr)
def test_a_memory_limit_is_a_number_of_bytes(bad):
    with pytest.raises(
        (ParameterError, ParameterTypeError), match=r"^memory_limit must be "
    ) as caught:
        OPERATOR.sparse(WEIGHT, memory_limit=bad)
    assert GEOMETRY.search(str(caught.value))


def test_a_memory_limit_is_kept_to_the_byte():
    needed = OPERATOR.nnz * (8 + 4) + (OPERATOR.shape[0] + 1) * 4
    assert OPERATOR.sparse(WEIGHT, memory_limit=needed).nnz == OPERATOR.nnz
    match = rf"^the sparse matrix 54×80 with {OPERATOR.nnz} entries would take .* use apply\(x, "
    with refuses(TooLargeError, match):
        OPERATOR.sparse(WEIGHT, memory_limit=needed - 1)
    with refuses(TooLargeError, match):
        OPERATOR.sparse(WEIGHT, memory_limit=0)


@pytest.mark.parametrize(
    "plan", ["fft", "", "AUTO", None, 1, ("taps",), ["sparse"], True], ids=repr
)
@pytest.mark.parametrize(
    "call",
    [
        lambda plan: OPERATOR.apply(X, WEIGHT, BIAS, plan),
        lambda plan: OPERATOR.T.apply_linear(Y, WEIGHT, plan),
        lambda plan: OPERATOR.bind(WEIGHT, BIAS).apply(X, plan),
        lambda plan: OPERATOR.linear_operator(WEIGHT, plan),
        lambda plan: POOL.apply(np.ones((4, 6)), plan=plan),
        lambda plan: POOL.linear_operator(plan=plan),
        lambda plan: OPERATOR.bind(WEIGHT, BIAS).linear_operator(plan),
    ],
    ids=[
        "apply",
        "T.apply_linear",
        "bound.apply",
        "linear_operator",
        "pool",
        "pool linear_operator",
        "bound.linear_operator",
    ],
)
def test_an_unknown_plan_lists_the_known_ones(call, plan):
    with refuses(
        ParameterError, "^plan must be one of 'auto', .*'taps', .*'sparse', 'separable', got "
    ):
        call(plan)


BAD_INDICES = table(
    ("none", (), ParameterError, "takes 3 indices for shape"),
    ("too few", (0, 0), ParameterError, "takes 3 indices for shape"),
    ("too many", (0, 0, 0, 0), ParameterError, "takes 3 indices for shape"),
    ("a tuple", ((0, 0, 0),), ParameterError, "takes 3 indices for shape"),
    ("negative", (-1, 0, 0), ParameterError, "index must be >= 0, got -1"),
    ("outside", (0, 99, 0), ParameterError, "index must lie inside shape"),
    ("far outside", (2**70, 0, 0), ParameterError, "index must lie inside shape"),
    ("float", (0.0, 0, 0), ParameterTypeError, "index must be an integer >= 0, got float 0.0"),
    ("bool", (True, 0, 0), ParameterTypeError, "index must be an integer >= 0, got the boolean"),
    ("None", (None, 0, 0), ParameterTypeError, "index must be an integer >= 0, got NoneType"),
    ("string", ("0", 0, 0), ParameterTypeError, "index must be an integer >= 0, got str '0'"),
    ("slice", (slice(None), 0, 0), ParameterTypeError, "index must be an integer >= 0, got slice"),
    ("symbol", (n, 0, 0), ParameterTypeError, "index must be a concrete integer here, got the sym"),
)


@pytest.mark.parametrize(("index", "kind", "match"), BAD_INDICES)
@pytest.mark.parametrize("name", ["row", "column"])
def test_row_and_column_indices(name, index, kind, match):
    with refuses(kind, f"^{name} {match}"):
        getattr(OPERATOR, name)(*index)
    with refuses(kind, f"^{name} {match}"):
        getattr(OPERATOR.bind(WEIGHT, BIAS), name)(*index)


def test_rows_of_other_integer_kinds():
    assert OPERATOR.row(np.int8(1), np.array(0), sympy.Integer(2)) == OPERATOR.row(1, 0, 2)


def test_linear_operators_refuse_exact_objects():
    for weight in (filled(Fraction(1, 2), WEIGHT.shape), symbols(WEIGHT.shape)):
        with refuses(DTypeError, "^weight must be numeric for a LinearOperator"):
            OPERATOR.linear_operator(weight)


# Too large: refused before anything is allocated

LONG = 2**40
W3 = [[[1, 2, 3]]]


def long_axis():
    return sc.Conv1d(1, 1, 3, bias=False).operator((LONG,))


def wide():
    """A few inputs and 2⁴⁰ outputs, no axis of which is too long."""
    return sc.ConvTranspose2d(1, 1, 1, stride=2**20, bias=False).operator((2, 2))


def stretched():
    return sc.ConvTranspose1d(1, 1, 1, stride=LONG, bias=False).operator((2,))


def large():
    return sc.Conv2d(64, 64, 3, bias=False).operator((256, 256))


def sea():
    """More patches than memory holds, from a picture of a megapixel."""
    return sc.Unfold((2**9, 2**9)).operator((2**10, 2**10))


ONES = np.ones((1, 2, 2), dtype=int)
TOO_LARGE = table(
    ("exact of a long axis", lambda: long_axis().exact()),
    ("exact of a long axis, with weights", lambda: long_axis().exact(W3)),
    ("sparse of a long axis", lambda: long_axis().sparse(W3)),
    ("row of a long axis", lambda: long_axis().row(0, 0)),
    ("column of a long axis", lambda: long_axis().column(0, 0)),
    ("jacobian of a long axis", lambda: long_axis().jacobian()),
    ("entries of a long axis", lambda: long_axis().nnz),
    ("offset of a long axis", lambda: long_axis().offset(W3)),
    ("transposed exact of a long axis", lambda: long_axis().T.exact(W3)),
    (
        "circular long axis",
        lambda: (
            sc.Conv1d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
            .operator((LONG,))
            .exact()
        ),
    ),
    ("long kernel", lambda: sc.Conv1d(1, 1, LONG, padding=LONG, bias=False).operator((5,)).exact()),
    ("long padding", lambda: sc.Conv1d(1, 1, 3, padding=LONG, bias=False).operator((5,)).exact()),
    ("exact of a large layer", lambda: large().exact()),
    (
        "exact of a large layer, with weights",
        lambda: large().exact(np.ones((64, 64, 3, 3), dtype=int)),
    ),
    ("jacobian of a large layer", lambda: large().jacobian()),
    ("jacobian of a middling layer", lambda: sc.Conv2d(16, 16, 3).operator((64, 64)).jacobian()),
    ("sparse with a limit", lambda: large().sparse(np.ones((64, 64, 3, 3)), memory_limit=2**20)),
    ("pool over a long axis", lambda: sc.AvgPool1d(3).operator((LONG,)).exact()),
    ("pool over an endless axis", lambda: sc.AvgPool1d(3).operator((2**100,)).exact()),
    (
        "pool over a long axis, data only",
        lambda: sc.AvgPool1d(3, count_include_pad=False).operator((LONG,)).exact(),
    ),
    (
        "pool over a long axis, one divisor",
        lambda: sc.AvgPool1d(3, divisor_override=2).operator((LONG,)).exact(),
    ),
    ("pool over a large picture", lambda: sc.AvgPool2d(1).operator((2**18, 2**18)).exact()),
    ("pad of a long axis", lambda: sc.Pad((1,)).operator((LONG,)).exact()),
    ("sparse pad of a long axis", lambda: sc.Pad((1,)).operator((LONG,)).sparse()),
    ("patches of a long axis", lambda: sc.Unfold((3,)).operator((LONG,)).exact()),
    ("fold to a long axis", lambda: sc.Fold((LONG,), (3,)).operator((LONG - 2,)).exact()),
    ("exact patches", lambda: sea().exact()),
    ("sparse patches", lambda: sea().sparse()),
    ("jacobian of patches", lambda: sea().jacobian()),
    ("patches of a picture", lambda: sea().apply(np.ones((2**10, 2**10), dtype=np.int8))),
    ("apply that stretches", lambda: stretched().apply([[1, 1]], [[[1]]])),
    ("exact that stretches", lambda: stretched().exact()),
    ("offset that stretches", lambda: stretched().offset([[[1]]])),
    ("apply to a wide output", lambda: wide().apply(ONES, [[[[1]]]])),
    ("apply to a wide output, floats", lambda: wide().apply(ONES * 0.5, [[[[1]]]])),
    ("apply to a wide output by csr", lambda: wide().apply(ONES, [[[[1]]]], plan="sparse")),
    ("exact of a wide output", lambda: wide().exact()),
    ("sparse of a wide output", lambda: wide().sparse([[[[1]]]])),
    ("jacobian of a wide output", lambda: wide().jacobian()),
    ("offset of a wide output", lambda: wide().offset([[[[1]]]])),
    (
        "output padding that no window reads",
        lambda: (
            sc.ConvTranspose2d(1, 1, 1, output_padding=2**22, bias=False)
            .operator((2, 2))
            .apply([[[1, 2], [3, 4]]], [[[[1]]]])
        ),
    ),
    ("pad to a wide output", lambda: sc.Pad((2**18, 2**18)).operator((1, 1)).apply([[1]])),
    ("exact pad to a wide output", lambda: sc.Pad((2**18, 2**18)).operator((1, 1)).exact()),
    (
        "exact of many channels",
        lambda: sc.Conv1d(2**20, 2**20, 3, bias=False).operator((8,)).exact(),
    ),
    (
        "exact of 4096 channels",
        lambda: sc.Conv1d(2**12, 2**12, 3, bias=False).operator((8,)).exact(),
    ),
    (
        "symbols of many channels",
        lambda: sc.Conv1d(2**20, 2**20, 3).operator((8,)).weight_symbols(),
    ),
    ("same_operator", lambda: sc.same_operator(large(), large())),
    ("same_operator of a long axis", lambda: sc.same_operator(long_axis(), long_axis())),
    ("convolution_matrix", lambda: sc.convolution_matrix([1, 2], LONG)),
    ("convolution_matrix, exact", lambda: sc.convolution_matrix([1, 2], LONG, exact=True)),
    ("convolution_matrix, endless", lambda: sc.convolution_matrix([1, 2], 2**100)),
    (
        "convolution_matrix of a large picture",
        lambda: sc.convolution_matrix(np.ones((9, 9)), (2**14, 2**14)),
    ),
)


@pytest.mark.parametrize("call", TOO_LARGE)
def test_what_does_not_fit_is_refused_before_it_allocates(call):
    with at_once(), refuses(TooLargeError, r"above the limit of|would take .* may be used"):
        call()


@pytest.mark.parametrize("way", ["scatter", "zero_insertion", "transpose", "gradient"])
@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (sc.ConvTranspose1d(1, 1, 3), (LONG,)),
        (sc.ConvTranspose1d(1, 1, 3, stride=LONG), (2,)),
        (sc.ConvTranspose1d(LONG, 1, 3), (2,)),
    ],
    ids=["long", "stretched", "many channels"],
)
def test_transposed_matrices_too_large_are_refused(layer, size, way):
    with at_once(), refuses(TooLargeError, r"above the limit of|would take .* may be used"):
        sc.transposed_matrix(layer, size, way)


def test_too_many_products_of_symbols_are_refused():
    op = sc.Conv1d(1, 1, 20_000, bias=False).operator((100_000,))
    x, weight = np.ones((1, 100_000), dtype=int), filled(n, (1, 1, 20_000))
    with at_once(), refuses(TooLargeError, r"^1600020000 products .* above the limit of 500000000"):
        op.apply(x, weight)


@pytest.mark.parametrize(
    "layer",
    [sc.Conv1d(1, 1, 1, stride=LONG), sc.AvgPool1d(1, stride=LONG), sc.Unfold((1,), stride=LONG)],
    ids=repr,
)
def test_too_many_input_sizes_are_refused(layer):
    with at_once(), refuses(TooLargeError, "."):
        layer.input_sizes((3,))


@pytest.mark.parametrize(
    "make", [long_axis, wide, stretched, large, sea], ids=lambda make: make.__name__
)
def test_large_operators_are_described_all_the_same(make):
    with at_once():
        op = make()
        assert "Operator " in repr(op)
        assert op == op.T.T
        assert hash(op.T.T) == hash(op)
        assert op.T.shape == op.shape[::-1]


def test_binding_allocates_no_output():
    weight = np.ones((1, 1, 3))
    for size in (2**24, LONG):
        op = sc.Conv1d(1, 1, 3).operator((size,))
        with at_once():
            bound = op.bind(weight, [1.0])
            assert bound.shape == (size - 2, size)


def test_one_row_of_a_large_operator_costs_little():
    with at_once():
        assert sea().row(5, 1, 2).nnz() == 1
        assert large().row(0, 5, 5, weight=np.ones((64, 64, 3, 3), dtype=int)).nnz() == 64 * 9
        assert wide().row(0, 0, 0).nnz() == 1


def test_one_row_of_a_large_pool_costs_little():
    with at_once():
        op = sc.AvgPool2d(2).operator((2**18, 2**18))
        assert dict(op.row(3, 4).todok()) == {
            (0, i * 2**18 + j): sympy.Rational(1, 4) for i in (6, 7) for j in (8, 9)
        }
        assert dict(op.column(6, 9).todok()) == {(3 * 2**17 + 4, 0): sympy.Rational(1, 4)}


#: Parameters beyond 64 bits: legal, and rare; right or refused, never an overflow.
ENORMOUS = table(
    (
        "stride",
        lambda: sc.Conv1d(1, 1, 1, stride=2**70, bias=False).operator((3,)).exact([[[5]]]),
        [[5, 0, 0]],
    ),
    (
        "dilation of one tap",
        lambda: sc.Conv1d(1, 1, 1, dilation=2**70, bias=False).operator((1,)).exact([[[5]]]),
        [[5]],
    ),
    (
        "padding",
        lambda: (
            sc.Conv1d(1, 1, 1, padding=((2**70, -(2**70)),), bias=False)
            .operator((2,))
            .exact([[[5]]])
        ),
        [[0, 0], [0, 0]],
    ),
    (
        "circular padding",
        lambda: (
            sc.Conv1d(1, 1, 1, padding=((2**70, -(2**70)),), padding_mode="circular", bias=False)
            .operator((2,))
            .exact([[[5]]])
        ),
        [[5, 0], [0, 5]],
    ),
    (
        "cropping",
        lambda: (
            sc.Conv1d(1, 1, 1, padding=((-(2**70), 2**70 - 1),), bias=False)
            .operator((2,))
            .exact([[[5]]])
        ),
        [[0, 0]],
    ),
    (
        "input dilation",
        lambda: sc.Conv1d(1, 1, 1, input_dilation=2**70, bias=False).operator((1,)).exact([[[5]]]),
        [[5]],
    ),
    ("pool stride", lambda: sc.AvgPool1d(1, stride=2**70).operator((2,)).exact(), [[1, 0]]),
    (
        "pool divisor",
        lambda: sc.AvgPool1d(1, divisor_override=2**70).operator((1,)).exact(),
        [[sympy.Rational(1, 2**70)]],
    ),
    (
        "pool apply",
        lambda: sympy.Matrix(sc.AvgPool1d(1, divisor_override=2**70).operator((1,)).apply([3])),
        [[sympy.Rational(3, 2**70)]],
    ),
    ("pad", lambda: sc.Pad(((2**70, -(2**70)),)).operator((2,)).exact(), [[0, 0], [0, 0]]),
)


@pytest.mark.parametrize(("call", "expected"), ENORMOUS)
def test_parameters_beyond_64_bits_are_right_or_refused(call, expected):
    try:
        answer = call()
    except TooLargeError as refusal:
        message = str(refusal)
    else:
        assert answer == sympy.Matrix(expected)
        return
    assert GEOMETRY.search(message)


# Functions

BAD_KERNELS = table(
    ("scalar", 3, ShapeError, "must have at least one axis and one tap"),
    ("empty", [], ShapeError, "must have at least one axis and one tap"),
    ("no taps", [[]], ShapeError, "must have at least one axis and one tap"),
    ("ragged", [[1], [1, 2]], ShapeError, "must be a rectangular array of numbers"),
    ("bool", [True], DTypeError, "must hold numbers, got booleans"),
    ("string", ["a"], DTypeError, "must hold"),
    ("None", None, DTypeError, "must hold"),
    ("half precision", np.ones(2, dtype=np.float16), DTypeError, "must hold"),
    ("objects of floats", np.array([1.5, 2], dtype=object), DTypeError, "must hold"),
    ("symbol and float", [1.5, n], DTypeError, "must hold"),
)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("kernel", "kind", "match"), BAD_KERNELS)
def test_convolution_matrix_kernels(kernel, kind, match, exact):
    with refuses(kind, f"^kernel {match}", located=False):
        sc.convolution_matrix(kernel, 3, exact=exact)


@pytest.mark.parametrize(
    ("size", "kind", "match"),
    [
        (-1, ParameterError, "must be >= 0, got -1"),
        (1.5, ParameterTypeError, "must be an integer"),
        (True, ParameterTypeError, "must be an integer"),
        (None, ParameterTypeError, "must be an integer"),
        ("3", ParameterTypeError, "must be an integer"),
        ((3, 3), ParameterError, "one entry per axis"),
        ((), ParameterError, "one entry per axis"),
        ([[3]], ParameterTypeError, "must be an integer"),
        ([[3], [3, 3]], ParameterError, "one entry per axis"),
        (float("nan"), ParameterTypeError, "must be an integer"),
        ({}, ParameterTypeError, "must be"),
    ],
    ids=repr,
)
def test_convolution_matrix_sizes(size, kind, match):
    with refuses(kind, f"^size .*{match}", located=False):
        sc.convolution_matrix([1, 2], size)


def test_convolution_matrix_modes_and_numbers():
    for mode in ("Full", "", None, 0, ["full"]):
        with refuses(ParameterError, "^mode must be one of 'full', 'same', 'valid', got ", False):
            sc.convolution_matrix([1, 2], 3, mode)
    for flag in (0, 1, "yes", None):
        with refuses(ParameterTypeError, "^exact must be True or False, got ", False):
            sc.convolution_matrix([1, 2], 3, exact=flag)
    with refuses(GeometryError, "^output size must be >= 1 on axis 0"):
        sc.convolution_matrix([1, 2, 3], 2, "valid")
    with refuses(DTypeError, "^weight must be exact"):
        sc.convolution_matrix([1.5, 2], 3, exact=True)
    with refuses(DTypeError, "^weight must be numeric for a sparse matrix"):
        sc.convolution_matrix([n, 2], 3)
    with refuses(ParameterTypeError, "must be a concrete integer here, got the symbolic n"):
        sc.convolution_matrix([1, 2], n)


@pytest.mark.parametrize(
    "bad", [1, None, "op", np.eye(2), LAYERS["Conv"], [[1]], n], ids=lambda bad: type(bad).__name__
)
def test_same_operator_takes_operators_and_matrices(bad):
    op = NO_BIAS
    match = "must be an Operator, a BoundOperator or a SymPy matrix, got "
    with refuses(ParameterTypeError, f"^first {match}", located=False):
        sc.same_operator(bad, op)
    with refuses(ParameterTypeError, f"^second {match}", located=False):
        sc.same_operator(op, bad)


def test_same_operator_refuses_float_weights():
    with refuses(DTypeError, "^weight must be exact"):
        sc.same_operator(NO_BIAS.bind([[[1.5]]]), NO_BIAS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sympy.sqrt(5 + 2 * sympy.sqrt(6)), sympy.sqrt(2) + sympy.sqrt(3)),
        (sympy.sin(1) ** 2 + sympy.cos(1) ** 2, 1),
        (n * sympy.sqrt(5 + 2 * sympy.sqrt(6)), n * (sympy.sqrt(2) + sympy.sqrt(3))),
        (sympy.sin(n) ** 2 + sympy.cos(n) ** 2, 1),
        ((n**2 - 1) / (n - 1), n + 1),
    ],
    ids=[
        "nested roots",
        "sine and cosine of 1",
        "roots times a symbol",
        "sine and cosine",
        "quotient",
    ],
)
def test_same_operator_never_refutes_equals_that_it_cannot_decide(one, other):
    verdict = sc.same_operator(sympy.Matrix([[one]]), sympy.Matrix([[other]]))
    assert verdict.status == "UNDECIDED"
    with pytest.raises(ValueError, match="the verdict is UNDECIDED, neither true nor false"):
        bool(verdict)


def test_same_operator_proves_nothing_about_nan():
    nan = sympy.Matrix([[sympy.nan]])
    assert sc.same_operator(nan, nan).status == "UNDECIDED"


TRANSPOSED = sc.ConvTranspose1d(1, 1, 3)


@pytest.mark.parametrize(
    ("size", "kind", "match"),
    [
        (5, ParameterTypeError, "input_size must be a tuple"),
        (None, ParameterTypeError, "input_size must be a tuple"),
        ("3", ParameterTypeError, "input_size must be a"),
        ((0,), SymconvError, "size must be >= 1"),
        ((-1,), ParameterError, "input_size must be >= 1"),
        ((1.0,), ParameterTypeError, "must be an integer"),
        ((True,), ParameterTypeError, "must be an integer"),
        ((1, 1), ValueError, "one"),
        ((), ValueError, "one"),
        ((n,), ParameterTypeError, "must be a concrete integer"),
        (((3,),), ParameterTypeError, "must be an integer"),
    ],
    ids=repr,
)
def test_transposed_matrix_sizes(size, kind, match):
    with pytest.raises(kind, match=match) as caught:
        sc.transposed_matrix(TRANSPOSED, size, "scatter")
    assert isinstance(caught.value, SymconvError)
    assert GEOMETRY.search(str(caught.value)), f"no geometry at the end: {caught.value}"


def test_transposed_matrix_layers_and_ways():
    for bad in (LAYERS["Conv"], None, 3, "ConvTranspose", NO_BIAS):
        with refuses(ParameterTypeError, "^layer must be a ConvTranspose, got ", located=False):
            sc.transposed_matrix(bad, (2,), "scatter")
    listed = "'scatter', 'zero_insertion', 'transpose', 'gradient'"
    for bad in ("x", None, 1, ["scatter"]):
        with refuses(ParameterError, f"^way must be one of {listed}, got ", located=False):
            sc.transposed_matrix(TRANSPOSED, (2,), bad)
    with refuses(ParameterTypeError, "^stride must be a concrete integer here"):
        sc.transposed_matrix(sc.ConvTranspose1d(1, 1, 3, stride=n), (2,), "scatter")
    with refuses(GeometryError, "^output size must be >= 1"):
        sc.transposed_matrix(sc.ConvTranspose1d(1, 1, 3, padding=9), (2,), "scatter")


def test_unknown_public_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="module 'symconv' has no attribute 'Convolution'"):
        sc.Convolution  # noqa: B018


def test_messages_stay_short():
    """A long value is cut, so that one can read what is wrong."""
    with pytest.raises(ParameterTypeError) as caught:
        sc.Conv1d(1, 1, 3, stride="x" * 10_000)
    assert len(str(caught.value)) < 400
    with pytest.raises(ShapeError) as shape:
        OPERATOR.apply([[0] * 10_000, [0]], WEIGHT, BIAS)
    assert len(str(shape.value)) < 500
