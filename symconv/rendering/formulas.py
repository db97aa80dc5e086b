"""Layers as formulas, printed from the index relation itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symconv.relation import AxisRelation
from symconv.rendering.text import expression_latex as _latex

__all__ = ["relation_latex"]


def _affine(expression: Any, variables: Sequence[sympy.Symbol]) -> str:
    """An affine expression in the order of `variables`, which SymPy would sort by name."""
    rest, text = sympy.expand(expression), ""
    for variable in variables:
        factor = rest.coeff(variable)
        rest = sympy.expand(rest - factor * variable)
        written = rf"\left({_latex(factor)}\right)" if factor.is_Add else _latex(factor)
        text += (" + " if text else "") + f"{written} {_latex(variable)}".removeprefix("1 ")
    if rest == 0:
        return text
    last = _latex(rest)
    return f"{text} - {last[1:].lstrip()}" if last.startswith("-") else f"{text} + {last}"


def _axis_formula(axis: int, relation: AxisRelation, transposed: bool) -> tuple[str, str, str, str]:
    """The sum over the taps of one axis, and the indices of y, x and w there."""
    # Dummies stay apart from whatever symbols the relation holds; they print by their names.
    i, k = sympy.Dummy(f"i_{axis}"), sympy.Dummy(f"k_{axis}")
    single = relation.n_taps == 1
    at, tap, there = _latex(i), "0" if single else _latex(k), f"j_{{{axis}}}"
    read = relation.position(o=i, k=0 if single else k)
    position = _affine(read, [i] if single else [i, k])
    spread = "" if relation.input_dilation == 1 else _latex(relation.input_dilation)
    over_taps = rf"^{{{_latex(relation.n_taps - 1)}}} "
    if transposed:
        target = f"{spread} {there}".lstrip()
        meets = rf"\sum_{{{at} :\, {position} = {target}}} "
        return ("" if single else rf"\sum_{{{tap}=0}}{over_taps}") + meets, there, at, tap
    if not spread:
        return ("" if single else rf"\sum_{{{tap}=0}}{over_taps}"), at, position, tap
    # A spread axis has samples only where b divides the position.
    divides = rf"{spread} \mid {position}"
    below = rf"\substack{{{tap}=0 \\ {divides}}}"
    total = rf"\sum_{{{divides}}} " if single else rf"\sum_{{{below}}}{over_taps}"
    return total, at, rf"\frac{{{position}}}{{{spread}}}", tap


def _channel_formula(
    channels: tuple[Any, Any, Any] | None, transposed: bool
) -> tuple[str, str, list[str]]:
    """The sum over input channels, the channel of x and the two channels of w."""
    if channels is None:
        return r"\sum_{c} ", "c", ["c", "o"] if transposed else ["o", "c"]
    given, made = (sympy.sympify(number, strict=True) / channels[2] for number in channels[:2])
    o, c = (sympy.Dummy(name, integer=True) for name in "oc")
    c = sympy.Integer(0) if given == 1 else c
    # Output channel o belongs to group ⌊o / made⌋, whose input channels follow one another.
    group = sympy.Integer(0) if channels[2] == 1 else sympy.floor(o / made)
    read = _latex(given * group + c)
    total = "" if c == 0 else rf"\sum_{{c=0}}^{{{_latex(given - 1)}}} "
    return total, read, [read, _latex(o - made * group)] if transposed else ["o", _latex(c)]


def relation_latex(
    relations: Sequence[AxisRelation],
    *,
    transposed: bool = False,
    weighted: bool = True,
    patches: bool = False,
    channels: tuple[Any, Any, Any] | None = None,
    bias: bool = False,
    factor: str = "",
    padding_mode: str = "",
) -> str:
    r"""The formula of a layer; what each axis reads is printed from `AxisRelation.position`.

    Parameters
    ----------
    relations : sequence of AxisRelation
        One per axis, with integers or SymPy expressions.
    transposed : bool
        Sum over what the relation sends to one position: `relations` are the convolution's.
    weighted : bool
        Whether there are weights and channels; without, the layer acts on each channel alone.
    patches : bool
        Without weights: the taps index y instead of being summed (x when transposed).
    channels : (in, out, groups), optional
        Of the layer; left out, the sum runs over c.
    bias : bool
        Whether to add b_o.
    factor : str
        LaTeX before the sums: one over the divisor of an average, say.
    padding_mode : str
        Said after the formula: what positions outside x read.

    Examples
    --------
    >>> print(relation_latex([AxisRelation(3, stride=2, pad_lo=1)], bias=True))
    y_{o, i_{0}} = b_{o} + \sum_{c} \sum_{k_{0}=0}^{2} w_{o, c, k_{0}} x_{c, 2 i_{0} + k_{0} - 1}
    """
    parts = [_axis_formula(axis, each, transposed) for axis, each in enumerate(relations)]
    sums, target, source, taps = (list(part) for part in zip(*parts, strict=True))
    if patches:
        target, source = (target, taps + source) if transposed else (taps + target, source)
        sums = sums if transposed else []
    offset, total = "b_{o} + " if bias else "", factor + "".join(sums)
    if weighted:
        summed, read, pair = _channel_formula(channels, transposed)
        target, source = ["o", *target], [read, *source]
        total = f"{factor}{summed}{''.join(sums)}w_{{{', '.join(pair + taps)}}} "
    outside = {"": "", "zeros": r",\quad x = 0 \text{ outside}"}
    said = outside.get(padding_mode, rf",\quad x \text{{ extended: {padding_mode}}}")
    return f"y_{{{', '.join(target)}}} = {offset}{total}x_{{{', '.join(source)}}}{said}"
