"""Closed forms of sizes: floors in canonical form, and the inverse questions as exact answers.

A floor ⌊a/m⌋ is rewritten with a = q·m + r, never solved: whole multiples of m leave the floor,
common factors cancel, a floor of a floor becomes one floor, and a floor that is subtracted becomes
one that is added. For an integer m, two forms ⌊(a·n + c)/m⌋ + b·n + k that are equal as functions
of the integer n then print alike.

The sizes themselves come from `AxisRelation`; nothing here states them a second time.
"""

from __future__ import annotations

import math
from typing import Any

import sympy

from symconv.errors import ParameterTypeError
from symconv.relation import AxisRelation

__all__ = [
    "canonical",
    "enlarging_padding",
    "floor_quotient",
    "input_interval",
    "padding_interval",
]


def floor_quotient(numerator: Any, divisor: Any) -> Any:
    """⌊numerator / divisor⌋ in canonical form.

    Parameters
    ----------
    numerator : int or SymPy expression
        A polynomial in symbols declared integer, and floors of such, with integer coefficients;
        anything else stays in the floor as it is.
    divisor : int or SymPy expression, positive

    Examples
    --------
    >>> n, s = sympy.symbols("n s", integer=True, positive=True)
    >>> floor_quotient(n + 5, 2), floor_quotient(n - 1, 2), floor_quotient(6 * n + 3, 4)
    (floor(n/2 + 1/2) + 2, floor(n/2 + 1/2) - 1, n + floor(n/2 + 1/2))
    >>> floor_quotient(floor_quotient(n + 1, 2) + 3, 4)
    floor(n/8 + 7/8)
    >>> floor_quotient(n * s + 2, s)
    n + floor(2/s)
    """
    try:
        # Strict: a text is refused, where SymPy would evaluate it.
        numerator = sympy.expand(sympy.sympify(numerator, strict=True))
        divisor = sympy.sympify(divisor, strict=True)
    except sympy.SympifyError as error:
        raise ParameterTypeError(
            f"numerator and divisor must be integers or SymPy expressions, got {error}"
        ) from None
    if divisor.is_Integer:
        return _by_integer(numerator, int(divisor))
    # Terms that contain the divisor as a factor leave the floor: division with remainder.
    whole = rest = sympy.S.Zero
    for term in sympy.Add.make_args(numerator):
        quotient = sympy.cancel(term / divisor)
        if quotient.is_integer and quotient.is_polynomial(*quotient.free_symbols):
            whole += quotient
        else:
            rest += term
    return whole if rest == 0 else whole + sympy.floor(rest / divisor)


def _by_integer(numerator: Any, divisor: int) -> Any:
    whole = varying = sympy.S.Zero
    constant, common = 0, divisor
    for term in sympy.Add.make_args(numerator):
        coefficient, unknown = term.as_coeff_Mul()
        if not (coefficient.is_Integer and unknown.is_integer):
            return sympy.floor(numerator / divisor)
        quotient, remainder = divmod(int(coefficient), divisor)
        whole += quotient * unknown
        if unknown == 1:
            constant = remainder
        else:
            varying += remainder * unknown
            common = math.gcd(common, remainder)
    if varying == 0:
        return whole
    # ⌊(g·a + c)/(g·m)⌋ = ⌊(a + ⌊c/g⌋)/m⌋ for an integer a.
    reduced, m, c = sympy.expand(varying / common), divisor // common, constant // common
    if isinstance(reduced, sympy.floor):
        # ⌊(⌊a/b⌋ + c)/m⌋ = ⌊(a + c·b)/(b·m)⌋.
        top, bottom = sympy.fraction(sympy.together(reduced.args[0]))
        if bottom.is_Integer:
            return whole + _by_integer(sympy.expand(top + c * bottom), int(bottom) * m)
    return whole + sympy.floor(reduced / m + sympy.Rational(c, m))


def canonical(expression: Any) -> Any:
    """An expression with every floor in it rewritten by `floor_quotient`, innermost first.

    Integers and expressions without floors come back as they are.

    Examples
    --------
    >>> n = sympy.Symbol("n", integer=True, positive=True)
    >>> canonical(sympy.floor((n - 1) / 2) + 1) == canonical(sympy.floor((n + 1) / 2))
    True
    """
    if not isinstance(expression, sympy.Basic) or not expression.has(sympy.floor):
        return expression
    rewritten = _rebuilt(expression)
    # Expanded around the floors: inside them it would take their fractions apart again.
    names = {floor: sympy.Dummy(integer=True) for floor in rewritten.atoms(sympy.floor)}
    opened = sympy.expand(rewritten.xreplace(names))
    for floor, name in names.items():
        coefficient = opened.coeff(name)
        if coefficient.is_Integer and coefficient < 0:
            opened += coefficient * (-_negated(floor) - name)
    return opened.xreplace({name: floor for floor, name in names.items()})


def _rebuilt(node: Any) -> Any:
    """The expression with its floors rewritten from the inside out.

    By hand: SymPy's own replacement rebuilds an outer floor first, pulls integers out of it, and
    then finds a sum where it looks for a floor.
    """
    if not node.has(sympy.floor):
        return node
    parts = [_rebuilt(part) for part in node.args]
    return _of_floor(parts[0]) if isinstance(node, sympy.floor) else node.func(*parts)


def _negated(floor: sympy.floor) -> Any:
    """−⌊a/m⌋ with a floor of positive sign: −⌊a/m⌋ = ⌈−a/m⌉ = ⌊(−a + m − 1)/m⌋."""
    numerator, denominator = sympy.fraction(sympy.together(floor.args[0]))
    if not denominator.is_Integer:
        return -floor
    return floor_quotient(-numerator + denominator - 1, denominator)


def _of_floor(argument: Any) -> Any:
    numerator, denominator = sympy.fraction(sympy.together(argument))
    return floor_quotient(numerator, denominator)


def input_interval(relation: AxisRelation, n_out: Any) -> tuple[Any, Any]:
    """First and last input size with `n_out` outputs (none when first > last).

    For input dilation 1 these are s consecutive integers, one per output padding 0 … s−1.

    Examples
    --------
    >>> input_interval(AxisRelation(3, 2, pad_lo=1, pad_hi=1), 16)
    (31, 32)
    >>> s, m = sympy.symbols("s m", integer=True, positive=True)
    >>> input_interval(AxisRelation(3, s, pad_lo=1, pad_hi=1), m)
    (s*(m - 1) + 1, s*(m - 1) + s)
    """
    least = relation.input_size(n_out)
    most = relation.input_size(n_out, relation.stride - 1)
    if relation.input_dilation == 1:
        return least, most
    # The spread size b(n−1)+1 lies between them: n−1 between the quotients by b.
    b = relation.input_dilation
    return -((1 - least) // b) + 1, (most - 1) // b + 1


def padding_interval(relation: AxisRelation, n_in: Any, n_out: Any) -> tuple[Any, Any]:
    """Least and largest total padding p_lo + p_hi for which `n_in` samples have `n_out` outputs.

    The padding of `relation` itself plays no part; a negative total crops.

    Examples
    --------
    >>> padding_interval(AxisRelation(3, 2), 32, 16)
    (1, 2)
    """
    bare = AxisRelation(
        relation.n_taps, relation.stride, relation.dilation, input_dilation=relation.input_dilation
    )
    least = bare.input_size(n_out) - bare.spread_size(n_in)
    return least, least + relation.stride - 1


def enlarging_padding(relation: AxisRelation, n_in: Any) -> Any:
    """The least total padding at which there are more outputs than the `n_in` inputs.

    "Can any convolution enlarge its input?" Exactly when p_lo + p_hi is at least this:
    E + (s−1)·n for input dilation 1.

    Examples
    --------
    >>> enlarging_padding(AxisRelation(3), 2)
    3
    >>> n, s, d, K = sympy.symbols("n s d K", integer=True, positive=True)
    >>> sympy.expand(enlarging_padding(AxisRelation(K, s, d), n))
    K*d - d + n*s - n + 1
    """
    return padding_interval(relation, n_in, n_in + 1)[0]
