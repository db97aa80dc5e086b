"""Mutants of a module: each place changed once; and a mutant beside its original, case by case."""

from __future__ import annotations

import ast
import copy
import importlib.util
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """One changed place: ``name`` is the function and the statement as changed."""

    module: str
    name: str
    before: str
    source: str


def source_of(module: str) -> Path:
    """The file of a module of symconv, which is not imported for it."""
    spec = importlib.util.find_spec("symconv")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name(f"{module}.py")


SWAPS = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add,), ast.Mult: (ast.Add,), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.FloorDiv,), ast.Lt: (ast.LtE,), ast.LtE: (ast.Lt,),
    ast.Gt: (ast.GtE,), ast.GtE: (ast.Gt,), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.And: (ast.Or,), ast.Or: (ast.And,),
}  # fmt: skip
FIELDS = {"pad_lo": "pad_hi", "pad_hi": "pad_lo", "stride": "dilation", "dilation": "stride"}


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that may stand in place of this one."""
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            for other in SWAPS.get(type(op), ()):
                yield ast.BinOp(left, other(), right)
            if isinstance(op, ast.FloorDiv):
                # The ceiling.
                negated = ast.BinOp(ast.UnaryOp(ast.USub(), left), op, right)
                yield ast.UnaryOp(ast.USub(), negated)
        case ast.AugAssign(target=target, op=op, value=value):
            for other in SWAPS.get(type(op), ()):
                yield ast.AugAssign(target, other(), value)
            yield ast.Pass()
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(SWAPS[type(op)][0](), values)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for place, op in enumerate(ops):
                for other in SWAPS[type(op)]:
                    yield ast.Compare(left, [*ops[:place], other(), *ops[place + 1 :]], comparators)
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=bool(truth)):
            yield ast.Constant(not truth)
        case ast.Constant(value=int(number)):
            yield ast.Constant(number + 1)
            yield ast.Constant(number - 1)
        case ast.Attribute(value=value, attr=name, ctx=ast.Load()) if name in FIELDS:
            yield ast.Attribute(value, FIELDS[name], ast.Load())
        case ast.If(test=test, body=body, orelse=orelse):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), body, orelse)


def places(node: ast.AST, qualname: str = "", statement: ast.AST | None = None) -> Iterator[tuple]:
    """Each node that may change, with the function that it is in and the statement."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        qualname = f"{qualname}.{node.name}".lstrip(".")
    if isinstance(node, ast.stmt):
        statement = node
    yield node, qualname, statement
    for name, field in ast.iter_fields(node):
        # Annotations, decorators and the words of errors are not what is computed.
        if name in ("annotation", "returns", "decorator_list") or isinstance(node, ast.Raise):
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.AST):
                yield from places(child, qualname, statement)


def line(statement: ast.AST) -> str:
    """A statement in one line, without what is nested in it."""
    bare = copy.copy(statement)
    if isinstance(bare, ast.FunctionDef):
        return f"def {bare.name}({ast.unparse(bare.args)})"
    if not hasattr(bare, "body"):
        return ast.unparse(bare)
    bare.body, bare.orelse = [ast.Pass()], []
    return ast.unparse(bare).removesuffix("pass").strip()


def mutants(module: str, source: str) -> list[Mutant]:
    """All mutants of a source, each once."""
    tree = ast.parse(source)
    original = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    for node, qualname, statement in places(tree):
        for changed in changes(node):
            # A memo makes one pass of copying exchange the node, wherever it stands.
            memo = {id(node): ast.copy_location(changed, node)}
            mutated = ast.fix_missing_locations(copy.deepcopy(tree, memo))
            after = memo[id(node)] if statement is node else memo[id(statement)]
            text = ast.unparse(mutated)
            name = f"{module}.{qualname}: {line(after)}"
            while name in found and found[name].source != text:
                # Two statements of a function that read alike.
                name += " (again)"
            if text != original:
                found[name] = Mutant(module, name, line(statement), text)
    return list(found.values())


def module_from(module: str, source: str) -> types.ModuleType:
    """A module made of a source, apart from the one that is imported."""
    made = types.ModuleType("symconv._mutant")
    made.__package__ = "symconv"
    sys.modules[made.__name__] = made  # Dataclasses look themselves up there.
    exec(compile(source, f"<{module}>", "exec"), made.__dict__)  # noqa: S102 - our own source
    return made


def _result(function: Callable[..., object], *arguments: object) -> str:
    try:
        return repr(function(*arguments))
    except Exception as error:
        return type(error).__name__


def _plain(answer: object) -> object:
    return answer.tolist() if hasattr(answer, "tolist") else answer


def _asked(axis: object, n: object, m: object, made: types.ModuleType) -> Iterator[object]:
    """Every method of an axis, on arrays of sizes and places."""
    yield from (axis.position(n, m), axis.extent, axis.spread_size(n), axis.padded_place(n))
    yield from (axis.padded_size(n), axis.output_size(n), axis.end(n), axis.reach(n))
    yield from (*axis.ceil_output_size(n), axis.windows_starting_inside(n))
    yield from (axis.inside_padded(n, m, i) for i in range(-1, 4))
    yield from (axis.input_size(n), axis.input_size(n, m), axis.output_numerator(n, m))
    yield from (axis.tap_slice(k, o) for k in range(3) for o in range(1, 4))
    yield from (axis.adjoint(), *map(axis.adjoint, range(-1, 4)))
    later = product((1, 2, 3), range(-1, 3))
    yield from (axis.then(made.AxisRelation(2, s, 1, p)) for s, p in later)


def relation_box(made: types.ModuleType) -> Iterator[str]:
    """Everything that an axis answers: K, s, d, b 1…3, paddings −1…2, the rest −1…4."""
    import numpy as np  # noqa: PLC0415 - the script decides how NumPy is loaded

    n, m = np.meshgrid(np.arange(-1, 5), np.arange(-1, 5))
    for K, s, d, b in product(*[range(1, 4)] * 4):
        for lo, hi in product(range(-1, 3), range(-1, 3)):
            axis = made.AxisRelation(K, s, d, lo, hi, b)
            yield _result(lambda axis=axis: [_plain(x) for x in _asked(axis, n, m, made)])
    for K in range(1, 4):
        yield _result(made.AxisRelation, K)


def shapes_box(made: types.ModuleType) -> Iterator[str]:
    """Floors of linear forms and of floors, coefficients −3…3, divisors > 0; intervals of axes."""
    import sympy  # noqa: PLC0415

    from symconv.relation import AxisRelation  # noqa: PLC0415

    n, m, s = sympy.symbols("n m s", integer=True, positive=True)
    x = sympy.Symbol("x")
    quotient, canonical = partial(_result, made.floor_quotient), partial(_result, made.canonical)
    for a, e, divisor in product(range(-3, 4), range(-3, 4), range(1, 7)):
        yield quotient(a * n + e, divisor)
        yield canonical(e - 2 * sympy.floor((a * n + e) / divisor))
    for a, e, t in product((-1, 2), (-1, 0, 3), (1, 2, 4)):
        for top in ((a * n + e) / 2, (n + a * m) / 3, n / s):
            inner = sympy.floor(top)
            for outer in (inner**2, (inner + 1) * (inner - n), (2 * inner + n * e) / 3):
                yield canonical(outer)
                yield canonical(n - sympy.floor(outer / t))
            for c in (-2, 0, 1, 3):
                yield quotient(c * inner + c * n + e * m, t)
                yield quotient(e * inner + m + c, t)
        for numerator in (a * n * s + e, a * s + e * n, n * s**2 + a * s + e, x * s + a * n + e):
            for divisor in (s, t * s, s * m, sympy.Rational(3, 2), x):
                yield quotient(numerator, divisor)
            yield canonical(e - sympy.floor(numerator / s))
    for number in (5, -5, sympy.Rational(7, 2), 2.5):
        yield quotient(number, 3)
        yield canonical(number)
    for K, t, d, b, lo, hi in product((1, 2, 3), (1, 2, 3), (1, 2), (1, 2, 3), (-1, 2), (0, 1)):
        axis = AxisRelation(K, t, d, lo, hi, b)
        for size in range(-2, 8):
            yield _result(made.input_interval, axis, size)
            yield _result(made.enlarging_padding, axis, size)
            for i in (0, 1, 4):
                yield _result(made.padding_interval, axis, i, size)


BOXES = {"relation": relation_box, "shapes": shapes_box}


@cache
def _original(module: str) -> list[str]:
    source = source_of(module).read_text(encoding="utf-8")
    return list(BOXES[module](module_from(module, source)))


def same(mutant: Mutant) -> str:
    """Run a mutant and the original on the whole box; the first difference, or ""."""
    changed = BOXES[mutant.module](module_from(mutant.module, mutant.source))
    for number, (one, other) in enumerate(zip(_original(mutant.module), changed, strict=True)):
        if one != other:
            return f"case {number}: {one} becomes {other}"
    return ""
