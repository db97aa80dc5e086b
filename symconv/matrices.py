"""The explicit matrices of an oriented map: exact, SciPy sparse, or one exact row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
import sympy

from symconv.algebras import Algebra, integers_over_denominator, magnitude
from symconv.checks import choice, concrete, integer, shown
from symconv.errors import DTypeError, ParameterError
from symconv.evaluation import Number, Oriented, scipy_csr
from symconv.exact import ENTRY_BYTES, ROW_BYTES, domain_elements, domain_matrix, to_sympy
from symconv.execute.csr import Entries, estimated_bytes
from symconv.maps import ONE, ConvolutionMap, PatchMap, reciprocals
from symconv.memory import require
from symconv.rendering import (
    MAX_CELLS,
    MAX_DRAWN,
    bin_entries,
    bin_pattern,
    density_png,
    density_svg,
    spy_png,
    spy_svg,
)

__all__ = [
    "check_exact_size",
    "exact",
    "exact_entries",
    "exact_row",
    "integer_entries",
    "raveled",
    "sparse",
    "spy",
    "symbols",
]

Array = npt.NDArray[Any]

#: Memory of one named symbol, measured.
SYMBOL_BYTES = 500

#: Entries that a picture of patches lists; larger ones show the taps' blocks overlaid.
LISTED_ENTRIES = 2**21


def _named(oriented: Oriented, what: str) -> str:
    rows, columns = oriented.shape
    return f"{what} {rows}×{columns} with {oriented.linear.nnz} entries"


def check_exact_size(oriented: Oriented, what: str, factor: int = 1) -> None:
    """Refuse an exact matrix that memory cannot hold."""
    require(
        factor * ENTRY_BYTES * oriented.linear.nnz + ROW_BYTES * max(oriented.shape),
        _named(oriented, what),
        "use sparse(weight), a smaller input, or apply(x, weight), which needs no matrix",
    )


def exact_entries(oriented: Oriented, weight: Number) -> tuple[Entries, Any]:
    """CSR entries over ZZ, QQ or EXRAW, with the domain."""
    linear = oriented.linear
    array, algebra = weight
    divisor = linear.divisor
    if divisor is not None:
        algebra = max(algebra, Algebra.RATIONAL)
    elements, domain = domain_elements(array, algebra)
    entries = linear.entries(elements, oriented.transposed)
    if divisor is not None:
        inverse, _ = domain_elements(reciprocals(divisor.ravel()), Algebra.RATIONAL)
        entries.data[:] = entries.data * inverse[_outputs(oriented, entries)]
    return entries, domain


def integer_entries(oriented: Oriented, weight: Number) -> tuple[Entries, int]:
    """CSR entries over ZZ and the positive integer that divides them all.

    Data are int64, or Python integers where int64 might not hold them.
    """
    linear = oriented.linear
    if not weight[1] <= Algebra.RATIONAL:
        raise DTypeError(
            f"weight must hold integers or Fractions, got {_kind(weight)}; Fraction(value) states "
            f"a float's exact value, and a symbol needs a number first"
        )
    require(
        16 * linear.nnz + 8 * max(oriented.shape),
        _named(oriented, "the integer matrix"),
        'use a smaller input, or deconvolve(..., method="lsqr"), which needs no matrix',
    )
    array, denominator = integers_over_denominator(weight[0])
    divisor = linear.divisor
    common = 1 if divisor is None else math.lcm(*map(int, np.unique(divisor)))
    # Several taps can meet on one entry.
    fits = magnitude(array) * common * linear.incidence.pattern.most_taps < 2**63
    entries = linear.entries(array.astype(np.int64 if fits else object), oriented.transposed)
    if divisor is not None:
        scale = (common // divisor.astype(object)).ravel().astype(np.int64 if fits else object)
        entries.data[:] *= scale[_outputs(oriented, entries)]
    return entries, denominator * common


def _outputs(oriented: Oriented, entries: Entries) -> Array:
    """For each entry, the output of the untransposed map that it belongs to."""
    return entries.indices if oriented.transposed else entries.rows


def exact(oriented: Oriented, weight: Number) -> sympy.ImmutableSparseMatrix:
    """The matrix with exact entries; `check_exact_size` comes first, before any symbols exist."""
    return to_sympy(domain_matrix(*exact_entries(oriented, weight)))


def exact_row(oriented: Oriented, weight: Number, at: int) -> sympy.ImmutableSparseMatrix:
    """Row `at`, computed alone, as an exact 1×columns matrix."""
    linear = oriented.linear
    array, algebra = weight
    is_divided = linear.divisor_at(np.zeros(1, dtype=np.int64)) is not None
    if is_divided:
        algebra = max(algebra, Algebra.RATIONAL)
    elements, domain = domain_elements(array, algebra)
    columns, data = linear.row(elements, at, oriented.transposed)
    if is_divided:
        outputs = columns if oriented.transposed else np.full(len(columns), at)
        divisors = np.asarray(linear.divisor_at(outputs))
        data = data * domain_elements(reciprocals(divisors), Algebra.RATIONAL)[0]
    ends = np.array([0, len(columns)])
    return to_sympy(domain_matrix(Entries(data, columns, ends, (1, oriented.shape[1])), domain))


def sparse(
    oriented: Oriented, weight: Number, dtype: Any, memory_limit: int | None
) -> scipy.sparse.csr_array[Any, tuple[int, int]]:
    """The matrix as a SciPy CSR array of `dtype`."""
    linear = oriented.linear
    dtype = _numeric_dtype(dtype)
    values = _as_dtype(weight, dtype, oriented)
    require(
        estimated_bytes(oriented.shape, linear.nnz, dtype.itemsize),
        _named(oriented, "the sparse matrix"),
        "use apply(x, weight) or linear_operator(weight), which need no matrix",
        memory_limit,
    )
    entries = linear.entries(values, oriented.transposed)
    if linear.divisor is not None:
        entries.data[:] /= linear.divisor.ravel().astype(dtype)[_outputs(oriented, entries)]
    return scipy_csr(entries)


def _numeric_dtype(value: Any) -> np.dtype[Any]:
    try:
        dtype: np.dtype[Any] | None = np.dtype(value)
    except (TypeError, ValueError):
        dtype = None
    if dtype is None or dtype.kind not in "iufc":
        given = value if dtype is None else dtype
        raise DTypeError(f"dtype must be an integer, floating or complex type, got {shown(given)}")
    return dtype


def _as_dtype(weight: Number, dtype: np.dtype[Any], oriented: Oriented) -> Array:
    """The weights in the entries' type, refused where the type does not hold them."""
    array, algebra = weight
    if algebra is Algebra.SYMBOLIC:
        raise DTypeError("weight must be numeric for a sparse matrix, got SymPy expressions")
    if dtype.kind in "iu":
        if algebra is not Algebra.INTEGER:
            raise DTypeError(f"weight must hold integers for dtype {dtype}, got {_kind(weight)}")
        if oriented.linear.divisor is not None:
            raise DTypeError(f"dtype must be floating: averages are fractions, got {dtype}")
        # Several taps can meet on one entry; their sum must fit as well.
        limits, most = np.iinfo(dtype), oriented.linear.incidence.pattern.most_taps
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        if min(low, most * low) < limits.min or max(high, most * high) > limits.max:
            raise DTypeError(
                f"dtype must hold every entry, got {dtype} for weights {low} … {high}"
                + (f" of which up to {most} meet on one entry" if most > 1 else "")
            )
    if algebra is Algebra.COMPLEX and dtype.kind != "c":
        raise DTypeError(f"dtype must be complex for complex weights, got {dtype}")
    try:
        with np.errstate(over="ignore"):
            values = array.astype(dtype)
        fits = dtype.kind in "iu" or bool(np.all(np.isfinite(values) | ~_finite(array)))
    except OverflowError:
        fits = False
    if not fits:
        raise DTypeError(f"dtype must hold every weight, got {dtype} for larger ones")
    return values


def _finite(array: Array) -> Array:
    """Where the weights are finite; exact ones always are."""
    finite = np.ones(array.shape, dtype=bool) if array.dtype == object else np.isfinite(array)
    return np.asarray(finite)


def _kind(weight: Number) -> str:
    return f"{weight[1].name.lower()} entries"


def spy(oriented: Oriented, format: str, title: str) -> str | bytes:  # noqa: A002
    """Where the matrix has entries, as SVG text or PNG bytes, from a bounded number of entries."""
    as_svg = choice("format", format, ("svg", "png")) == "svg"
    linear, shape = oriented.linear, oriented.shape
    if linear.nnz <= MAX_DRAWN and max(shape) <= MAX_CELLS:
        rows, columns, labels = _labelled(oriented)
        return (spy_svg if as_svg else spy_png)(rows, columns, shape, labels, title=title)
    if isinstance(linear, PatchMap) and linear.nnz <= LISTED_ENTRIES:
        entries = linear.entries(ONE, oriented.transposed)
        grid = bin_entries(entries.rows, entries.indices, shape)
    else:
        pattern, channels = linear.incidence.pattern, (1, 1, 1)
        if isinstance(linear, ConvolutionMap):
            groups = linear.geometry.groups
            outs, ins = (n[0] // groups for n in (linear.range_shape, linear.domain_shape))
            channels = (groups, ins, outs) if oriented.transposed else (groups, outs, ins)
        if isinstance(linear, PatchMap):
            title += " (the blocks of all taps, overlaid)"
            n_rows, n_columns = pattern.n_rows, pattern.n_columns
            shape = (n_columns, n_rows) if oriented.transposed else (n_rows, n_columns)
        grid = bin_pattern(pattern.T if oriented.transposed else pattern, channels)
    return (density_svg if as_svg else density_png)(grid, shape, title=title)


def _labelled(oriented: Oriented) -> tuple[Array, Array, list[str]]:
    """Rows, columns and taps of all entries."""
    linear, geometry = oriented.linear, oriented.linear.geometry
    taps = [",".join(map(str, tap)) for tap in np.ndindex(*geometry.kernel_size)]
    if isinstance(linear, PatchMap):
        entries = linear.entries(ONE, oriented.transposed)
        patch = entries.indices if oriented.transposed else entries.rows
        met = [[int(at)] for at in patch // math.prod(geometry.output_size)]
    else:
        # A weight that is a power of two per tap: an entry's bits are the taps that meet there.
        bits = np.array([1 << at for at in range(len(taps))], dtype=object)
        weight = np.broadcast_to(bits.reshape(geometry.kernel_size), geometry.weight_shape)
        entries = ConvolutionMap(geometry).entries(weight, oriented.transposed)
        met = [[at for at in range(len(taps)) if bits >> at & 1] for bits in entries.data]
    labels = ["tap " + " + ".join(taps[at] for at in several) for several in met]
    return entries.rows, entries.indices, labels


def symbols(letter: str, shape: tuple[int, ...], kind: type = sympy.Symbol) -> Array:
    """One plain symbol per index, named ``letter_i_j…``."""
    n_symbols = math.prod(shape)
    require(SYMBOL_BYTES * n_symbols, f"{n_symbols} symbols", "use a smaller layer or numbers")
    symbols = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        symbols[index] = kind("_".join(map(str, (letter, *index))))
    return symbols


def raveled(name: str, index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """Flat number of an index that must lie inside `shape`."""
    if len(index) != len(shape):
        raise ParameterError(f"{name} takes {len(shape)} indices for shape {shape}, got {index}")
    checked = tuple(concrete(f"{name} index", integer(f"{name} index", at, 0)) for at in index)
    if any(at >= n for at, n in zip(checked, shape, strict=True)):
        raise ParameterError(f"{name} index must lie inside shape {shape}, got {index}")
    return int(np.ravel_multi_index(checked, shape))
