"""Text of a report: escaped, formulas as MathML, certificates' formulas as people write them."""

from __future__ import annotations

import json
import re
from html import escape, unescape
from importlib import import_module
from typing import Any

from symconv.errors import MissingExtraError
from symconv.proving.checker import Atom
from symconv.proving.terms import written

__all__ = ["attribute", "fact", "formula_lines", "mathml", "plain", "pretty", "shown"]

#: MathML elements that draw, and the attributes that are kept on them. No links, no styles.
_ELEMENTS = """
    math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle mpadded mphantom msub msup msubsup
    munder mover munderover mmultiscripts mprescripts mtable mtr mtd
"""
_ATTRIBUTES = """
    display displaystyle scriptlevel mathvariant mathsize mathcolor mathbackground form fence
    separator stretchy symmetric largeop movablelimits accent accentunder lspace rspace minsize
    maxsize width height depth voffset linethickness columnalign rowalign rowspan columnspan
    rowspacing columnspacing
"""
ELEMENTS, ATTRIBUTES = frozenset(_ELEMENTS.split()), frozenset(_ATTRIBUTES.split())
#: Names of widths in older MathML, which browsers read as 0.
WIDTHS = {
    f"{sign}{name}mathspace": f"{'-' if sign else ''}{width}em"
    for sign in ("", "negative")
    for name, width in {"thin": "0.167", "medium": "0.222", "thick": "0.278"}.items()
}

_NOT_TEXT = re.compile(
    r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]"
)
_COMPARISON = re.compile(r"(.+?) (>=|<=|==|!=|<|>) (.+)\Z", re.S)
_ARROW = re.compile("[\u2190-\u21ff\u27f0-\u27ff\u2900-\u297f]")
_SIGNS = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠"}
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def plain(value: object) -> str:
    """Text between tags: markup escaped, characters that HTML cannot hold replaced."""
    return escape(_NOT_TEXT.sub("�", str(value)), quote=False)


def attribute(value: object) -> str:
    """Text between the quotes of an attribute."""
    return escape(_NOT_TEXT.sub("�", str(value)), quote=True)


def _converter() -> Any:
    try:
        return import_module("latex2mathml.converter")
    except ImportError:
        raise MissingExtraError(
            "formulas are converted by latex2mathml, which is not installed: "
            'pip install "symconv[cli]"'
        ) from None


def mathml(latex: str) -> str:
    r"""A formula as MathML of known elements and attributes; as it stands where none comes out.

    Raises
    ------
    MissingExtraError
        If latex2mathml is not installed.

    Examples
    --------
    >>> print(mathml(r"\href{javascript:x}{a} < b"))  # doctest: +SKIP
    <math display="block"><mrow><mrow><mrow><mi>a</mi></mrow></mrow><mo>&lt;</mo><mi>b</mi>…
    """
    convert = _converter().convert_to_element
    try:
        tree = convert(latex, display="block")
    except Exception:  # Each of its errors derives from Exception directly.
        return f"<code>{plain(latex)}</code>"
    return _emitted(tree)


def _emitted(element: Any) -> str:
    """An element written anew, so that nothing but what is listed above gets into the page."""
    name = element.tag if element.tag in ELEMENTS else "mrow"
    # The converter writes characters as entities inside its texts.
    inner = plain(unescape(element.text or ""))
    if name == "mi" and _ARROW.fullmatch(inner):
        # Long arrows come out as identifiers, which have no space around them.
        name = "mo"
    kept = "".join(
        f' {key}="{attribute(WIDTHS.get(value, value))}"'
        for key, value in element.items()
        if key in ATTRIBUTES
    )
    inner += "".join(_emitted(child) + plain(unescape(child.tail or "")) for child in element)
    return f"<{name}{kept}>{inner}</{name}>"


def shown(value: Any) -> str:
    """A value of a counterexample as text: numbers with a minus sign, what is nested as JSON.

    Examples
    --------
    >>> shown(-3), shown("half-pixel"), shown([1, None])
    ('−3', 'half-pixel', '[1, null]')
    """
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value).replace("-", "−")
    return json.dumps(value, ensure_ascii=False)


def pretty(text: str) -> str:
    """A polynomial or comparison in the checker's language, with the signs of print.

    Examples
    --------
    >>> pretty("-d*k + 2*s*s*q_1 >= lo")
    '−d·k + 2·s²·q₁ ≥ lo'
    """
    text = re.sub(
        r"\b([A-Za-z]\w*)((?:\*\1\b)+)",
        lambda m: m[1] + str(m[2].count("*") + 1).translate(_SUPERSCRIPTS),
        text,
    )
    text = re.sub(r"\b([A-Za-z]+)_(\d+)", lambda m: m[1] + m[2].translate(_SUBSCRIPTS), text)
    text = re.sub(">=|<=|==|!=", lambda m: _SIGNS[m[0]], text)
    return text.replace("*", "·").replace("-", "−")


def fact(atom: Atom) -> str:
    """A fact of the checker.

    Examples
    --------
    >>> fact(("ge", {("n",): 1, (): -1}))
    'n − 1 ≥ 0'
    """
    kind, polynomial = atom
    return f"{pretty(written(polynomial))} {'≥' if kind == 'ge' else '='} 0"


def formula_lines(formula: Any) -> list[str]:
    """A formula of the checker's language on a few lines.

    Examples
    --------
    >>> formula_lines({"iff": [{"all": ["i >= 0", "i < n", "s*i == y"]}, {"not": "y != 0"}]})
    ['0 ≤ i < n ∧ s·i = y', '⇔ ¬(y ≠ 0)']
    """
    if isinstance(formula, dict):
        ((kind, parts),) = formula.items()
        if kind in ("if", "iff"):
            sign = "⇒" if kind == "if" else "⇔"
            return [_said(parts[0], 2), f"{sign} {_said(parts[1], 2)}"]
        if kind == "any":
            first, *others = parts
            return [_said(first, 2), *(f"∨ {_said(part, 2)}" for part in others)]
    return [_said(formula, 0)]


def _said(formula: Any, tightness: int) -> str:
    """On one line; in parentheses where its sign binds no tighter than what is around it."""
    if isinstance(formula, str):
        return pretty(formula)
    ((kind, parts),) = formula.items()
    if kind == "not":
        return f"¬({_said(parts, 0)})"
    if kind == "all":
        return " ∧ ".join(_conjuncts(parts))
    if kind == "any":
        return _parenthesised(" ∨ ".join(_said(part, 3) for part in parts), tightness > 2)
    sign = " ⇒ " if kind == "if" else " ⇔ "
    return _parenthesised(sign.join(_said(part, 2) for part in parts), tightness > 0)


def _parenthesised(text: str, needed: bool) -> str:
    return f"({text})" if needed else text


def _conjuncts(parts: list[Any]) -> list[str]:
    """What holds together: nested lists as one, a lower and an upper bound as one."""
    flat: list[Any] = []
    waiting = list(reversed(parts))
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict) and "all" in part:
            waiting.extend(reversed(part["all"]))
        else:
            flat.append(part)
    said: list[str] = []
    at = 0
    while at < len(flat):
        both = _between(flat[at], flat[at + 1]) if at + 1 < len(flat) else None
        said.append(both or _said(flat[at], 3))
        at += 2 if both else 1
    return said


def _between(lower: Any, upper: Any) -> str | None:
    """``a <= x`` and ``x < b`` as one chain."""
    if not (isinstance(lower, str) and isinstance(upper, str)):
        return None
    one, other = _COMPARISON.match(lower), _COMPARISON.match(upper)
    if one is None or other is None or other[2] not in ("<", "<="):
        return None
    left, sign, right = one.groups()
    low, middle = (right, left) if sign == ">=" else (left, right)
    if sign not in (">=", "<=") or middle != other[1]:
        return None
    return pretty(f"{low} <= {middle} {other[2]} {other[3]}")
