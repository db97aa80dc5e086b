"""Layers, sizes and exact arrays from text: read as literals, never run.

The text is split into Python's syntax tree and the tree is read by a whitelist: calls of layers,
integers, fractions, strings, booleans, None, tuples and lists. Everything else is refused, and
so are texts, numbers and nestings larger than any layer needs.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from dataclasses import MISSING, fields
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv import layers
from symconv.errors import ParseError, SymconvError

__all__ = ["LAYERS", "parse_array", "parse_layer", "parse_size"]

#: Longest text, deepest nesting of brackets and signs, most digits of one number, most axes.
MAX_LENGTH = 1000
MAX_DEPTH = 12
MAX_DIGITS = 40
MAX_AXES = 8

#: Name → what makes the layer, and the class whose fields it takes.
LAYERS: dict[str, tuple[Callable[..., layers.Layer], type[Any]]] = {
    "AvgPool": (layers.AvgPool, layers.AvgPool),
    "AvgPool1d": (layers.AvgPool1d, layers.AvgPool),
    "AvgPool2d": (layers.AvgPool2d, layers.AvgPool),
    "AvgPool3d": (layers.AvgPool3d, layers.AvgPool),
    "MaxPool": (layers.MaxPool, layers.MaxPool),
    "MaxPool1d": (layers.MaxPool1d, layers.MaxPool),
    "MaxPool2d": (layers.MaxPool2d, layers.MaxPool),
    "MaxPool3d": (layers.MaxPool3d, layers.MaxPool),
    "LpPool": (layers.LpPool, layers.LpPool),
    "LpPool1d": (layers.LpPool1d, layers.LpPool),
    "LpPool2d": (layers.LpPool2d, layers.LpPool),
    "LpPool3d": (layers.LpPool3d, layers.LpPool),
    "MaxUnpool": (layers.MaxUnpool, layers.MaxUnpool),
    "MaxUnpool1d": (layers.MaxUnpool1d, layers.MaxUnpool),
    "MaxUnpool2d": (layers.MaxUnpool2d, layers.MaxUnpool),
    "MaxUnpool3d": (layers.MaxUnpool3d, layers.MaxUnpool),
    "AdaptiveAvgPool": (layers.AdaptiveAvgPool, layers.AdaptiveAvgPool),
    "AdaptiveAvgPool1d": (layers.AdaptiveAvgPool1d, layers.AdaptiveAvgPool),
    "AdaptiveAvgPool2d": (layers.AdaptiveAvgPool2d, layers.AdaptiveAvgPool),
    "AdaptiveAvgPool3d": (layers.AdaptiveAvgPool3d, layers.AdaptiveAvgPool),
    "AdaptiveMaxPool": (layers.AdaptiveMaxPool, layers.AdaptiveMaxPool),
    "AdaptiveMaxPool1d": (layers.AdaptiveMaxPool1d, layers.AdaptiveMaxPool),
    "AdaptiveMaxPool2d": (layers.AdaptiveMaxPool2d, layers.AdaptiveMaxPool),
    "AdaptiveMaxPool3d": (layers.AdaptiveMaxPool3d, layers.AdaptiveMaxPool),
    "GlobalAvgPool": (layers.GlobalAvgPool, layers.GlobalAvgPool),
    "GlobalMaxPool": (layers.GlobalMaxPool, layers.GlobalMaxPool),
    "GlobalLpPool": (layers.GlobalLpPool, layers.GlobalLpPool),
    "Conv": (layers.Conv, layers.Conv),
    "Conv1d": (layers.Conv1d, layers.Conv),
    "Conv2d": (layers.Conv2d, layers.Conv),
    "Conv3d": (layers.Conv3d, layers.Conv),
    "ConvTranspose": (layers.ConvTranspose, layers.ConvTranspose),
    "ConvTranspose1d": (layers.ConvTranspose1d, layers.ConvTranspose),
    "ConvTranspose2d": (layers.ConvTranspose2d, layers.ConvTranspose),
    "ConvTranspose3d": (layers.ConvTranspose3d, layers.ConvTranspose),
    "Dilation": (layers.Dilation, layers.Dilation),
    "Erosion": (layers.Erosion, layers.Erosion),
    "Fold": (layers.Fold, layers.Fold),
    "Pad": (layers.Pad, layers.Pad),
    "Unfold": (layers.Unfold, layers.Unfold),
}

#: Endings of the aliases.
RANKS = ("1d", "2d", "3d")

#: How messages call what a whitelist refused.
_KINDS = {
    ast.Attribute: "attribute access",
    ast.BinOp: "arithmetic",
    ast.Call: "a call",
    ast.Dict: "a dictionary",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.IfExp: "a condition",
    ast.JoinedStr: "an f-string",
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.Name: "a name",
    ast.NamedExpr: "an assignment",
    ast.Set: "a set",
    ast.SetComp: "a comprehension",
    ast.Starred: "a starred entry",
    ast.Subscript: "a subscript",
    ast.UnaryOp: "an operator",
}

_ALLOWED = "integers, fractions such as 1/2, strings, True, False, None, tuples and lists"
_NUMBERS = "integers and fractions such as 1/3 in nested lists"


def parse_layer(text: str) -> layers.Layer:
    """The layer that a text spells, as in ``Conv2d(1, 1, 3, stride=2)``.

    Parameters
    ----------
    text : str
        A call of a public layer or alias with literals: integers, fractions, strings, booleans,
        None, tuples and lists; at most 1000 characters.

    Returns
    -------
    Layer

    Raises
    ------
    ParseError
        If the text is no such call. Nothing in it is run.
    SymconvError
        If the layer itself refuses the values (see the layer).

    Examples
    --------
    >>> parse_layer("Conv2d(1, 1, 3, stride=2, padding=((0, 1), (1, 1)))")
    Conv(1, 1, (3, 3), stride=(2, 2), padding=((0, 1), (1, 1)))
    """
    node = _tree("layer", text)
    example = "one call such as Conv2d(1, 1, 3, stride=2)"
    if not isinstance(node, ast.Call):
        raise ParseError(f"layer must be {example}, got {_kind(node)}: {_cut(text)}")
    if not isinstance(node.func, ast.Name):
        raise ParseError(
            f"layer must be {example} with the plain name of a layer, got {_kind(node.func)}: "
            f"{_cut(text)}"
        )
    name = node.func.id
    if name not in LAYERS:
        # The aliases, 1d, 2d and 3d, would make the list three times as long.
        listed = ", ".join(known for known in LAYERS if known[-2:] not in RANKS)
        raise ParseError(
            f"layer must be one of {listed}, with 1d, 2d or 3d after most of these names, "
            f"got {_cut(name)}"
        )
    make, described = LAYERS[name]
    arguments, options = _arguments(name, node, described)
    try:
        return make(*arguments, **options)
    except SymconvError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise ParseError(f"layer must have fitting values, got {_cut(text)}: {error}") from None


def _arguments(name: str, node: ast.Call, described: type[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Positional and named values of a call, checked against the fields of the layer."""
    known = fields(described)
    positional = [item.name for item in known if not item.kw_only]
    if len(node.args) > len(positional):
        raise ParseError(
            f"{name} takes at most {len(positional)} values without a name "
            f"({', '.join(positional)}), got {len(node.args)}"
        )
    arguments = [
        _value(f"{name}: {field}", argument)
        for field, argument in zip(positional, node.args, strict=False)
    ]
    options: dict[str, Any] = {}
    names = [item.name for item in known]
    given = set(positional[: len(arguments)])
    for keyword in node.keywords:
        if keyword.arg is None:
            raise ParseError(f"{name} must name its parameters one by one, got **")
        if keyword.arg not in names:
            raise ParseError(
                f"{name} has the parameters {', '.join(names)}, got {_cut(keyword.arg)}"
            )
        if keyword.arg in given:
            raise ParseError(f"{name} must be given each parameter once, got {keyword.arg} twice")
        given.add(keyword.arg)
        options[keyword.arg] = _value(f"{name}: {keyword.arg}", keyword.value)
    missing = [item.name for item in known if item.default is MISSING and item.name not in given]
    if missing:
        raise ParseError(f"{name} must be given {', '.join(missing)}, got neither value nor name")
    return arguments, options


def parse_size(text: str, *, symbols: bool = False) -> tuple[Any, ...]:
    """A size from text: one number per axis, between them ``x``, ``×`` or ``,``.

    Parameters
    ----------
    text : str
        At most 8 axes.
    symbols : bool, default False
        Whether a single letter other than x is a positive integer symbol.

    Returns
    -------
    tuple of int (and SymPy symbols)

    Raises
    ------
    ParseError
        If the text is no size.

    Examples
    --------
    >>> parse_size("4x4"), parse_size("600 × 512"), parse_size("4,4"), parse_size("7")
    ((4, 4), (600, 512), (4, 4), (7,))
    >>> parse_size("n x 32", symbols=True)
    (n, 32)
    """
    _check_text("size", text)
    entries = [entry.strip() for entry in re.split("[xX×,]", text)]
    if len(entries) > MAX_AXES:
        raise ParseError(f"size must have at most {MAX_AXES} axes, got {len(entries)}")
    allowed = "[0-9]+|[a-wyzA-WYZ]" if symbols else "[0-9]+"
    if not all(re.fullmatch(allowed, entry) for entry in entries):
        rule = (
            "whole numbers or letters such as 4x4 or nxn"
            if symbols
            else ("whole numbers such as 4x4 or 4,4")
        )
        raise ParseError(f"size must be {rule}, got {_cut(text)}")
    return tuple(
        int(entry) if entry.isdigit() else sympy.Symbol(entry, integer=True, positive=True)
        for entry in entries
    )


def parse_array(text: str, name: str = "array") -> npt.NDArray[Any]:
    """An exact array from text: integers and fractions in nested lists.

    Parameters
    ----------
    text : str
        As in ``[[1, 2], [3, 4]]``, ``1, 2, 1`` or ``1/3``; at most 1000 characters.
    name : str, default "array"
        What messages call it.

    Returns
    -------
    numpy.ndarray
        int64 where every entry is an integer that fits, else Python ints and Fractions.

    Raises
    ------
    ParseError
        If the text is no rectangular array of such numbers.

    Examples
    --------
    >>> parse_array("[[1, 2], [3, 4]]")
    array([[1, 2],
           [3, 4]])
    >>> parse_array("1/3, 1, -1/2")
    array([Fraction(1, 3), 1, Fraction(-1, 2)], dtype=object)
    """
    node = _tree(name, text)
    value = _value(name, node, numbers_only=True)
    shape = _shape(name, value, text)
    entries = _flat(value)
    if all(isinstance(entry, int) and -(2**63) <= entry < 2**63 for entry in entries):
        return np.array(entries, dtype=np.int64).reshape(shape)
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    return array.reshape(shape)


def _shape(name: str, value: Any, text: str) -> tuple[int, ...]:
    if not isinstance(value, tuple):
        return ()
    shapes = {_shape(name, entry, text) for entry in value}
    if len(shapes) > 1:
        raise ParseError(f"{name} must have rows of one length, got {_cut(text)}")
    return (len(value), *(shapes.pop() if shapes else ()))


def _flat(value: Any) -> list[Any]:
    if not isinstance(value, tuple):
        return [value]
    return [number for entry in value for number in _flat(entry)]


def _check_text(name: str, text: Any) -> None:
    """Limits that hold before anything reads the text."""
    if not isinstance(text, str):
        raise ParseError(f"{name} must be a text, got {type(text).__name__}")
    if not text.strip():
        raise ParseError(f"{name} must not be empty, got {text[:20]!r}")
    if len(text) > MAX_LENGTH:
        raise ParseError(f"{name} must have at most {MAX_LENGTH} characters, got {len(text)}")
    if re.search(f"[0-9]{{{MAX_DIGITS + 1}}}", text.replace("_", "")):
        raise ParseError(f"{name} must have numbers of at most {MAX_DIGITS} digits, got more")
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth > MAX_DEPTH:
            raise ParseError(f"{name} must nest at most {MAX_DEPTH} brackets, got more")


def _tree(name: str, text: str) -> ast.expr:
    """Python's syntax tree of one expression."""
    _check_text(name, text)
    try:
        # The tokeniser warns of odd literals ("1or 2") on its way to an error or a refused tree.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        raise ParseError(
            f"{name} must be a well-formed expression, got {_cut(text)}: {reason}"
        ) from None


def _value(name: str, node: ast.expr, *, numbers_only: bool = False, depth: int = 0) -> Any:
    """The value of a literal; lists become tuples."""
    allowed = _NUMBERS if numbers_only else _ALLOWED
    if depth > MAX_DEPTH:
        raise ParseError(f"{name} must nest at most {MAX_DEPTH} levels, got more")
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(
            _value(name, entry, numbers_only=numbers_only, depth=depth + 1) for entry in node.elts
        )
    number = _number(name, node, depth)
    if number is not None:
        return number
    if isinstance(node, ast.Constant):
        value = node.value
        is_literal = value is None or isinstance(value, (bool, str))
        if is_literal and not numbers_only:
            return value
        hint = "; write decimals as fractions, 1/2 for 0.5" if isinstance(value, float) else ""
        kind = type(value).__name__ if value is not None else "None"
        raise ParseError(f"{name} must be made of {allowed}, got {kind} {_cut(value)}{hint}")
    raise ParseError(f"{name} must be made of {allowed}, got {_kind(node)}")


def _number(name: str, node: ast.expr, depth: int) -> int | Fraction | None:
    """An integer or a fraction, with signs; None for anything else."""
    if depth > MAX_DEPTH:
        raise ParseError(f"{name} must nest at most {MAX_DEPTH} levels, got more")
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            # Hexadecimal digits slip through the look at the text.
            if value >= 10**MAX_DIGITS:
                raise ParseError(f"{name} must have at most {MAX_DIGITS} digits, got more")
            return value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            number = _number(name, operand, depth + 1)
            return -number if number is not None and isinstance(sign, ast.USub) else number
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            above, below = _number(name, left, depth + 1), _number(name, right, depth + 1)
            if not isinstance(above, int) or not isinstance(below, int):
                return None
            if below == 0:
                raise ParseError(f"{name} must have denominators other than 0, got {above}/0")
            quotient = Fraction(above, below)
            return int(quotient) if quotient.denominator == 1 else quotient
    return None


def _kind(node: ast.expr) -> str:
    return _KINDS.get(type(node), type(node).__name__.lower())


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
