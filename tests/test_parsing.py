"""Texts become layers, sizes and arrays, and hostile ones become errors."""

from __future__ import annotations

import dataclasses
import re
import time
from fractions import Fraction

import numpy as np
import pytest

import symconv as sc
from symconv import layers, parsing
from symconv.errors import ParameterError, ParameterTypeError, ParseError, SymconvError
from symconv.parsing import LAYERS, parse_array, parse_layer, parse_size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Conv2d(1, 1, 3, stride=2, padding=((0, 1), (1, 1)))",
            sc.Conv2d(1, 1, 3, stride=2, padding=((0, 1), (1, 1))),
        ),
        ("Conv(3, 8, (3, 3), bias=False)", sc.Conv(3, 8, (3, 3), bias=False)),
        ("Conv(3, 8, [3, 3])", sc.Conv(3, 8, (3, 3))),
        ("  Conv1d(1,1,3,padding='same')\n", sc.Conv1d(1, 1, 3, padding="same")),
        ("Conv1d(1, 1, 3, padding=-1)", sc.Conv1d(1, 1, 3, padding=-1)),
        ("Conv1d(1, 1, 3, padding=+1)", sc.Conv1d(1, 1, 3, padding=1)),
        ("Conv1d(kernel_size=3, in_channels=1, out_channels=2)", sc.Conv1d(1, 2, 3)),
        ("Conv3d(1, 1, 4/2)", sc.Conv3d(1, 1, 2)),
        (
            "Conv1d(1, 1, 3, padding_mode='constant', padding_value=-1/2)",
            sc.Conv1d(1, 1, 3, padding_mode="constant", padding_value=Fraction(-1, 2)),
        ),
        (
            "ConvTranspose2d(1, 1, 3, stride=2, output_padding=1)",
            sc.ConvTranspose2d(1, 1, 3, stride=2, output_padding=1),
        ),
        ("AvgPool2d(2, divisor_override=None)", sc.AvgPool2d(2)),
        ("AvgPool((2,), ceil_mode=True)", sc.AvgPool((2,), ceil_mode=True)),
        ("Pad(((1, 2),), padding_mode='reflect')", sc.Pad(((1, 2),), padding_mode="reflect")),
        ("Unfold((2, 2))", sc.Unfold((2, 2))),
        ("Fold((3,), (2,))", sc.Fold((3,), (2,))),
    ],
)
def test_layers_are_read(text, expected):
    assert parse_layer(text) == expected


def test_every_public_layer_has_a_name():
    public = {name for name in vars(layers) if name[0].isupper()} - {"Layer"}
    assert set(LAYERS) == public
    for name, (make, described) in LAYERS.items():
        assert make is getattr(sc, name)
        assert dataclasses.is_dataclass(described)


@pytest.mark.parametrize("layer", [sc.Conv2d(3, 6, 3, groups=3), sc.AvgPool((2, 3))])
def test_what_a_layer_prints_is_read_back(layer):
    assert parse_layer(repr(layer)) == layer


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "layer must not be empty"),
        ("   ", "layer must not be empty"),
        ("Conv2d", "layer must be one call such as .*got a name: 'Conv2d'"),
        ("Conv2d(1, 1, 3", "layer must be a well-formed expression"),
        ("Conv2d(1, 1, 3))", "layer must be a well-formed expression"),
        ("Conv2d(1, 1, 3); x", "layer must be a well-formed expression"),
        ("x = Conv2d(1, 1, 3)", "layer must be a well-formed expression"),
        ("import os", "layer must be a well-formed expression"),
        ("Conv2d(1, 1, 3)\0", "layer must be a well-formed expression"),
        ("Conv2d(1, 1, '\ud800')", "layer must be a well-formed expression"),
        ("Conv9d(1, 1, 3)", "layer must be one of AvgPool, .*, got 'Conv9d'"),
        ("Layer()", "layer must be one of"),
        ("Operator(1, 2)", "layer must be one of"),
        ("eval('1')", "layer must be one of .*, got 'eval'"),
        ("__import__('os')", "layer must be one of .*, got '__import__'"),
        ("__import__('os').system('id')", "plain name of a layer, got attribute access"),
        ("sc.Conv2d(1, 1, 3)", "plain name of a layer, got attribute access"),
        ("(lambda: 1)()", "plain name of a layer, got a lambda"),
        ("[Conv2d][0](1, 1, 3)", "plain name of a layer, got a subscript"),
        ("[Conv2d(1, 1, 3)]", "one call such as .*got list"),
        ("lambda: Conv2d(1, 1, 3)", "one call such as .*got a lambda"),
        ("Conv2d(1, 1, 3) if 1 else 2", "one call such as .*got a condition"),
        ("Conv2d(1, 1, __import__('os'))", "Conv2d: kernel_size must be made of .*got a call"),
        ("Conv2d(1, 1, kernel)", "Conv2d: kernel_size must be made of .*got a name"),
        ("Conv2d(1, 1, (3).real)", "kernel_size must be made of .*got attribute access"),
        ("Conv2d(1, 1, ().__class__)", "kernel_size must be made of .*got attribute access"),
        ("Conv2d(1, 1, [k for k in (3, 3)])", "kernel_size must be made of .*got a comprehension"),
        ("Conv2d(1, 1, {3: 3})", "kernel_size must be made of .*got a dictionary"),
        ("Conv2d(1, 1, {3})", "kernel_size must be made of .*got a set"),
        ("Conv2d(1, 1, 3, padding=f'same')", "padding must be made of .*got an f-string"),
        ("Conv2d(1, 1, 3, padding=f'{1}')", "padding must be made of .*got an f-string"),
        ("Conv2d(1, 1, 3, padding=b'same')", "padding must be made of .*got bytes"),
        ("Conv2d(1, 1, 3, padding=...)", "padding must be made of .*got ellipsis"),
        ("Conv2d(1, 1, 3, padding=1j)", "padding must be made of .*got complex"),
        ("Conv2d(1, 1, 3, padding=0.5)", "got float 0.5; write decimals as fractions"),
        ("Conv2d(1, 1, 3, padding=1 + 1)", "padding must be made of .*got arithmetic"),
        ("Conv2d(1, 1, 3, padding=9**9)", "padding must be made of .*got arithmetic"),
        ("Conv2d(1, 1, 3, padding=True / 2)", "padding must be made of .*got arithmetic"),
        ("Conv2d(1, 1, 3, padding=~1)", "padding must be made of .*got an operator"),
        ("Conv2d(1, 1, 3, padding=not 1)", "padding must be made of .*got an operator"),
        ("Conv2d(1, 1, 3, padding=1/0)", "padding must have denominators other than 0"),
        ("Conv2d(1, 1, 3, padding=(p := 1))", "padding must be made of .*got an assignment"),
        ("Conv2d(*(1, 1, 3))", "in_channels must be made of .*got a starred entry"),
        ("Conv2d(1, 1, (*[3, 3],))", "kernel_size must be made of .*got a starred entry"),
        ("Conv2d(1, 1, 3, **{})", r"Conv2d must name its parameters one by one, got \*\*"),
        ("Conv2d(1, 1, 3, strides=2)", "Conv2d has the parameters .*stride.*, got 'strides'"),
        ("Conv2d(1, 1, 3, stride=2, stride=2)", "Conv2d must be given .* once, got stride twice"),
        ("Conv2d(1, 1, 3, kernel_size=3)", "given each parameter once, got kernel_size twice"),
        ("Conv2d(1, 1, 3, 2)", "Conv2d takes at most 3 values without a name"),
        ("Conv2d(1, 1)", "Conv2d must be given kernel_size"),
        ("Conv2d()", "Conv2d must be given in_channels, out_channels, kernel_size"),
        ("Conv2d(1, 1, " + "9" * 41 + ")", "layer must have numbers of at most 40 digits"),
        ("Conv2d(1, 1, " + "1_" * 40 + "1)", "layer must have numbers of at most 40 digits"),
        ("Conv2d(1, 1, 0x" + "f" * 300 + ")", "kernel_size must have at most 40 digits"),
        ("Conv2d(1, 1, " + "(" * 50 + "3" + ")" * 50 + ")", "layer must nest at most 12 brackets"),
        ("Conv2d(1, 1, " + "-" * 500 + "3)", "kernel_size must nest at most 12 levels"),
        ("Conv2d(1, 1, " + "not " * 200 + "3)", "kernel_size must be made of"),
        ("Conv2d(1, 1, 3" + "/1" * 400 + ")", "kernel_size must nest at most 12 levels"),
        ("Conv2d(1, 1, 3" + " " * 1000 + ")", "layer must have at most 1000 characters, got 1015"),
        ("Conv2d(1, 1, 1or 2)", "kernel_size must be made of .*got boolop"),
        (r"Conv2d(1, 1, 3, padding='\d')", "padding must be one of"),
    ],
)
def test_hostile_layers_are_refused(text, message):
    begun = time.perf_counter()
    with pytest.raises(SymconvError, match=message) as caught:
        parse_layer(text)
    assert time.perf_counter() - begun < 1
    if "must be one of" not in message:
        assert isinstance(caught.value, ParseError)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("text", [None, 3, b"Conv2d(1, 1, 3)", ["Conv2d(1, 1, 3)"]])
def test_only_text_is_read(text):
    with pytest.raises(ParseError, match="layer must be a text, got"):
        parse_layer(text)


def test_the_layer_itself_refuses_values():
    with pytest.raises(ParameterError, match="stride must be >= 1, got 0"):
        parse_layer("Conv2d(1, 1, 3, stride=0)")
    with pytest.raises(ParameterTypeError, match=r"stride must be an integer >= 1.*Fraction"):
        parse_layer("Conv2d(1, 1, 3, stride=1/2)")
    with pytest.raises(ParameterTypeError, match="bias must be True or False"):
        parse_layer("Conv2d(1, 1, 3, bias=1)")


def test_ragged_values_are_a_symconv_error():
    with pytest.raises(SymconvError):
        parse_layer("Conv2d(1, 1, 3, stride=((1, 2), 3))")


def test_other_failures_of_a_layer_are_reported(monkeypatch):
    def fail(*arguments, **options):
        raise TypeError("odd")

    monkeypatch.setitem(parsing.LAYERS, "Conv2d", (fail, sc.Conv))
    with pytest.raises(ParseError, match=r"layer must have fitting values, got .*: odd"):
        parse_layer("Conv2d(1, 1, 3)")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4x4", (4, 4)),
        ("4X4", (4, 4)),
        ("4×4", (4, 4)),
        ("4,4", (4, 4)),
        (" 600 x 512 ", (600, 512)),
        ("7", (7,)),
        ("0", (0,)),
        ("1x2x3", (1, 2, 3)),
    ],
)
def test_sizes_are_read(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "size must not be empty"),
        ("x", "size must be whole numbers"),
        ("4x", "size must be whole numbers such as 4x4 or 4,4, got '4x'"),
        ("-4x4", "size must be whole numbers"),
        ("4.0", "size must be whole numbers"),
        ("1e3", "size must be whole numbers"),
        ("٤x٤", "size must be whole numbers"),
        ("4 4", "size must be whole numbers"),
        ("(4, 4)", "size must be whole numbers"),
        ("1_0", "size must be whole numbers"),
        ("1x" * 8 + "1", "size must have at most 8 axes, got 9"),
        ("9" * 41, "size must have numbers of at most 40 digits"),
        ("1" + " " * 1000, "size must have at most 1000 characters"),
    ],
)
def test_bad_sizes_are_refused(text, message):
    with pytest.raises(ParseError, match=message):
        parse_size(text)


def test_arrays_are_exact():
    array = parse_array("[[1, 2], [3, 4]]")
    assert array.dtype == np.int64
    assert array.tolist() == [[1, 2], [3, 4]]
    assert parse_array("1,2,1").tolist() == [1, 2, 1]
    assert parse_array("5").shape == ()
    assert parse_array("-5")[()] == -5
    assert parse_array("()").shape == (0,)
    thirds = parse_array("(1/3, 2/2), [-1/2, 4]")
    assert thirds.dtype == object
    assert thirds.tolist() == [[Fraction(1, 3), 1], [Fraction(-1, 2), 4]]
    large = parse_array("9223372036854775807, 9223372036854775808")
    assert large.dtype == object
    assert large.tolist() == [2**63 - 1, 2**63]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[1, 2], [3]]", "weight must have rows of one length"),
        ("[1, [2]]", "weight must have rows of one length"),
        ("[True]", "weight must be made of integers and fractions .*got bool True"),
        ("[None]", "weight must be made of .*got None None"),
        ("['1']", "weight must be made of .*got str '1'"),
        ("[0.5]", "got float 0.5; write decimals as fractions, 1/2 for 0.5"),
        ("[1e9]", "got float"),
        ("nan", "weight must be made of .*got a name"),
        ("[1/0]", "denominators other than 0, got 1/0"),
        ("[1/2/3]", "weight must be made of .*got arithmetic"),
        ("[2**9]", "weight must be made of .*got arithmetic"),
        ("[w for w in range(9)]", "weight must be made of .*got a comprehension"),
        ("open('x')", "weight must be made of .*got a call"),
        ("[[1, 2]", "weight must be a well-formed expression"),
        ("1 2 1", "weight must be a well-formed expression"),
        ("[" * 13 + "1" + "]" * 13, "weight must nest at most 12 brackets"),
        ("1," * 501, "weight must have at most 1000 characters"),
    ],
)
def test_bad_arrays_are_refused(text, message):
    with pytest.raises(ParseError, match=message):
        parse_array(text, "weight")


def test_nothing_that_runs_text_is_called():
    with open(parsing.__file__, encoding="utf-8") as file:
        source = file.read()
    for name in ("eval", "exec", "literal_eval", "sympify", "compile", "__import__", "getattr"):
        assert not re.search(rf"\b{name}\(", source)
