"""Receptive fields of one axis: size, jump and padding, composed layer after layer.

The field of a stack is the index relation of its layers composed: an affine map from output
positions to input positions. Which inputs *inside* the field are read, and which of them a finite
input has, is answered by exact sets (`reads`, `covers`, `interior`).

A stack is a sequence of `AxisRelation`, the layer next to the input first. A transposed layer
reads by the `AxisRelation.adjoint` of the convolution it transposes.

References
----------
A. Araujo, W. Norris, J. Sim, *Computing receptive fields of convolutional neural networks*,
Distill (2019), section "Single-path networks" (sizes, effective strides, effective paddings).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from symconv.checks import concrete, integer, is_symbolic, shown
from symconv.errors import GeometryError, ParameterError, ParameterTypeError
from symconv.relation import AxisRelation
from symconv.verdict import Verdict, proved, refuted, undecided

__all__ = [
    "AxisField",
    "aligned",
    "checked_stack",
    "composed",
    "concrete_stack",
    "field_of",
    "level_sizes",
    "ratio",
    "relative_field",
]

#: An int, a Fraction or a SymPy expression.
Number = Any


def ratio(numerator: Number, denominator: Number) -> Number:
    """The exact quotient: an int where it is whole, a Fraction, or a SymPy expression.

    Examples
    --------
    >>> ratio(6, 3), ratio(2, 4), ratio(sympy.Symbol("n"), 2)
    (2, Fraction(1, 2), n/2)
    """
    if isinstance(numerator, sympy.Basic) or isinstance(denominator, sympy.Basic):
        return sympy.sympify(numerator, strict=True) / denominator
    if denominator == 1:
        # Also for the unknown integers that theorems are about (`symconv.proving`).
        return _plain(numerator)
    return _plain(Fraction(numerator) / denominator)


def _plain(value: Number) -> Number:
    """One form for each number: whole Fractions as ints, expressions expanded."""
    if isinstance(value, sympy.Basic):
        return sympy.expand(value)
    if isinstance(value, Fraction) and value.denominator == 1:
        return value.numerator
    return value


@dataclass(frozen=True, slots=True)
class AxisField:
    """The receptive field of one axis after some layers.

    Output position ``o`` sees the input positions from ``jump·o − padding`` on, `size` of them.
    Through transposed layers the three are fractions: they then describe the hull of what the
    outputs read, and each output sees whole positions of its hull only (see `symconv.reach`).

    Parameters
    ----------
    size : int, Fraction or SymPy expression
        Input samples from the first to the last, both included.
    jump : int, Fraction or SymPy expression
        Input samples between the fields of neighbouring outputs.
    padding : int, Fraction or SymPy expression
        Effective low padding: the field of output 0 starts at ``−padding``.

    Examples
    --------
    >>> conv = AxisField.of(AxisRelation(11, stride=4))
    >>> conv.then(AxisField.of(AxisRelation(3, stride=2)))
    AxisField(size=19, jump=8, padding=0)
    """

    size: Number
    jump: Number
    padding: Number

    @classmethod
    def identity(cls) -> AxisField:
        """The field before any layer: each position sees itself."""
        return cls(1, 1, 0)

    @classmethod
    def of(cls, relation: AxisRelation) -> AxisField:
        """The field of one layer.

        A transposed layer reads by the `AxisRelation.adjoint` of the convolution it transposes:
        pass that one.

        Examples
        --------
        >>> AxisField.of(AxisRelation(3, stride=2, pad_lo=1).adjoint())
        AxisField(size=2, jump=Fraction(1, 2), padding=Fraction(1, 2))
        """
        first, spread = relation.position(0, 0), relation.input_dilation
        return cls(
            ratio(relation.extent - 1, spread) + 1,
            ratio(relation.position(1, 0) - first, spread),
            ratio(-first, spread),
        )

    def then(self, later: AxisField) -> AxisField:
        """The field of these layers followed by `later` ones: associative, `identity` neutral."""
        return AxisField(
            _plain(self.size + self.jump * (later.size - 1)),
            _plain(self.jump * later.jump),
            _plain(self.padding + self.jump * later.padding),
        )

    def at(self, position: Number) -> AxisField:
        """The same field counted from output `position` on, as if that were output 0."""
        return AxisField(self.size, self.jump, _plain(self.padding - self.jump * position))

    @property
    def start(self) -> Number:
        """Where the field of output 0 starts, ``−padding``."""
        return -self.padding

    @property
    def end(self) -> Number:
        """The last position of the field of output 0."""
        return _plain(self.start + self.size - 1)

    @property
    def centre(self) -> Number:
        """The middle of the field of output 0; half a sample off where the size is even.

        Examples
        --------
        >>> AxisField.of(AxisRelation(3, dilation=2)).centre
        2
        """
        return ratio(self.start + self.end, 2)


def checked_stack(
    relations: Iterable[AxisRelation], *, plain: bool = False
) -> tuple[AxisRelation, ...]:
    """The relations as a tuple, checked; `plain` refuses transposed layers."""
    stack = tuple(relations)
    for relation in stack:
        if not isinstance(relation, AxisRelation):
            raise ParameterTypeError(f"relations must hold AxisRelation, got {shown(relation)}")
        if plain and relation.input_dilation != 1:
            raise ParameterError(
                f"relations must have input_dilation 1 here, got {relation.input_dilation}"
            )
    return stack


def concrete_stack(relations: Iterable[AxisRelation]) -> tuple[AxisRelation, ...]:
    """The relations as a tuple, where symbolic ones cannot do."""
    stack = checked_stack(relations)
    for relation in stack:
        for name in relation.__slots__:
            concrete(name, getattr(relation, name))
    return stack


def field_of(relations: Iterable[AxisRelation]) -> AxisField:
    """The field of a whole stack.

    Examples
    --------
    >>> K, s = sympy.symbols("K s", integer=True, positive=True)
    >>> field_of([AxisRelation(K, stride=s), AxisRelation(K)])
    AxisField(size=K*s + K - s, jump=s, padding=0)
    """
    field = AxisField.identity()
    for relation in checked_stack(relations):
        field = field.then(AxisField.of(relation))
    return field


def composed(relations: Iterable[AxisRelation]) -> AxisRelation:
    """One dense relation with the field and, at every input size, the output size of the stack.

    Its taps are the whole field; with it the nested floors of the sizes become one, since
    ⌊(⌊x/s⌋ + c)/t⌋ = ⌊(x + s·c)/(s·t)⌋, and `pad_hi` is the effective high padding. (As operators
    the two differ where padding truncates an intermediate.) For stacks without transposed layers.

    Examples
    --------
    >>> composed([AxisRelation(3, 2, pad_lo=1, pad_hi=1), AxisRelation(3, 2, pad_lo=1, pad_hi=1)])
    AxisRelation(n_taps=7, stride=4, dilation=1, pad_lo=3, pad_hi=3, input_dilation=1)
    """
    stack = checked_stack(relations, plain=True)
    field, pad_hi = AxisField.identity(), 0
    for relation in stack:
        pad_hi = _plain(pad_hi + field.jump * relation.pad_hi)
        field = field.then(AxisField.of(relation))
    return AxisRelation(field.size, field.jump, 1, field.padding, pad_hi)


def relative_field(relations: Iterable[AxisRelation], n_in: Number) -> Number:
    """Receptive field over the size of the output map, as an exact ratio.

    Examples
    --------
    A kernel of 3 with dilation 2 keeping the map, against stride 2, at 16 samples:

    >>> relative_field([AxisRelation(3, dilation=2, pad_lo=2, pad_hi=2)], 16)
    Fraction(5, 16)
    >>> relative_field([AxisRelation(3, stride=2, pad_lo=1, pad_hi=1)], 16)
    Fraction(3, 8)
    """
    stack = checked_stack(relations)
    n_out = level_sizes(stack, integer("n_in", n_in, 0))[-1]
    if not is_symbolic(n_out) and n_out < 1:
        raise GeometryError(f"output size must be >= 1, got {n_out} for input size {n_in}")
    return ratio(field_of(stack).size, n_out)


def aligned(fields: Iterable[AxisField]) -> Verdict:
    """Whether parallel branches, joined by add or concat, see the same centres with one jump.

    Both must agree: equal jumps keep equal centres equal at every output position.

    Examples
    --------
    >>> same, valid = AxisRelation(3, pad_lo=1, pad_hi=1), AxisRelation(3)
    >>> bool(aligned([AxisField.identity(), AxisField.of(same)]))
    True
    >>> aligned([AxisField.identity(), AxisField.of(valid)]).counterexample
    {'branch': 1, 'jump': 0, 'centre': 1}
    """
    branches = tuple(fields)
    if not branches or not all(isinstance(field, AxisField) for field in branches):
        raise ParameterTypeError(f"fields must hold one AxisField or more, got {shown(branches)}")
    scope = "all output positions"
    for number, field in enumerate(branches[1:], 1):
        jump = _difference(field.jump, branches[0].jump)
        centre = _difference(field.centre, branches[0].centre)
        if jump == 0 and centre == 0:
            continue
        case = {"branch": number, "jump": jump, "centre": centre}
        said = f"branch {number} differs from branch 0 by {jump} in jump and {centre} in centre"
        # A rational function that is not 0 is not 0 somewhere; with floors that is not so.
        if not all(
            sympy.sympify(part, strict=True).is_rational_function() for part in (jump, centre)
        ):
            return undecided(scope, f"{said}, which may vanish")
        if is_symbolic(jump) or is_symbolic(centre):
            said += "; aligned exactly where both are 0"
        return refuted(scope, case, said)
    return proved(scope, f"{len(branches)} branches have one jump and one centre")


def _difference(one: Number, other: Number) -> Number:
    gap = _plain(one - other)
    return sympy.cancel(gap) if isinstance(gap, sympy.Basic) else gap


def level_sizes(stack: Sequence[AxisRelation], n_in: Number) -> list[Number]:
    """Sizes of all levels, the input first."""
    sizes = [n_in]
    for relation in stack:
        sizes.append(relation.output_size(sizes[-1]))
    return sizes
