"""The relation on ints, arrays and symbols; sizes, inverses and composition against enumeration."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys

import numpy as np
import oracles
import pytest
import sympy

from symconv.relation import AxisRelation

BOX = list(itertools.product(range(1, 4), range(1, 4), range(1, 4), range(-1, 3), range(-1, 3)))


def relations():
    for taps, s, d, lo, hi in BOX:
        yield AxisRelation(taps, s, d, lo, hi)


def test_output_size_counts_the_windows_that_fit():
    for relation, n, b in itertools.product(relations(), range(1, 7), (1, 2)):
        r = dataclasses.replace(relation, input_dilation=b)
        counted = oracles.conv_size(
            n, r.n_taps, r.stride, r.dilation, r.pad_lo, r.pad_hi, input_dilation=b
        )
        assert max(0, r.output_size(n)) == counted


def test_floor_is_not_truncation():
    """C's division would give one output here, and there is none."""
    relation = AxisRelation(2, stride=2)
    assert relation.output_size(1) == 0
    assert int((relation.padded_size(1) - relation.extent) / 2) + 1 == 1


def test_exactly_stride_input_sizes_share_an_output_size():
    for r in relations():
        for n_out in range(1, 5):
            sharing = [n for n in range(-20, 40) if r.output_size(n) == n_out]
            given = [r.input_size(n_out, op) for op in range(r.stride)]
            assert sharing == given


def test_positions_and_their_inverse():
    for plain, b in itertools.product(relations(), (1, 2, 3)):
        r = dataclasses.replace(plain, input_dilation=b)
        for o, k in itertools.product(range(4), range(r.n_taps)):
            position = r.position(o, k)
            if position % b == 0:
                assert r.output_numerator(position // b, k) == r.stride * o


def test_tap_slices_are_the_positions_counted_from_the_padding():
    for r in relations():
        for k, n_out in itertools.product(range(r.n_taps), range(1, 4)):
            line = np.arange(50) - r.pad_lo
            assert line[r.tap_slice(k, n_out)].tolist() == [r.position(o, k) for o in range(n_out)]


def test_adjoint_relation_reads_what_the_relation_writes():
    for r in relations():
        back = r.adjoint()
        for o, k in itertools.product(range(4), range(r.n_taps)):
            j = r.position(o, k)
            # Output j of the adjoint reads spread input s·o through the flipped tap.
            assert back.position(j, r.n_taps - 1 - k) == r.stride * o
        assert back.adjoint() == r
        for op in range(4):
            padded = r.adjoint(op)
            assert padded.output_size(3) == r.input_size(3, op)


def test_then_composes_the_readings():
    first, second = AxisRelation(3, 2, 1, 1, 1), AxisRelation(2, 3, 2, 2, 0)
    jump, padding = first.then(second)
    for o, k2, k1 in itertools.product(range(4), range(2), range(3)):
        through = first.position(second.position(o, k2), k1)
        inner = first.stride * second.dilation * k2 + first.dilation * k1
        assert through == jump * o + inner - padding


def test_ceil_mode_drops_the_window_that_starts_past_the_input():
    for r in relations():
        if r.pad_lo < 0 or r.pad_hi < 0:
            continue
        for n in range(1, 8):
            n_out, drops = r.ceil_output_size(n)
            counted = oracles.pool_size(
                n, r.n_taps, r.stride, r.dilation, r.pad_lo, r.pad_hi, ceil_mode=True
            )
            assert max(0, n_out - drops) == counted
    assert AxisRelation(1, 2).ceil_output_size(2) == (2, True)


def test_the_same_code_runs_on_arrays_and_symbols():
    names = "K s d p q b n o k j"
    symbols = sympy.symbols(names, integer=True, positive=True)
    taps, s, d, lo, hi, b, n, o, k, j = symbols
    general = AxisRelation(taps, s, d, lo, hi, b)
    readings = (
        general.position(o, k), general.output_size(n), general.input_size(n, j),
        general.output_numerator(j, k), general.padded_size(n), general.padded_place(j),
    )  # fmt: skip
    for values in itertools.islice(itertools.product((1, 2, 3), repeat=6), 0, None, 7):
        here = AxisRelation(*values)
        at = dict(zip(symbols, (*values, 5, 2, 1, 3), strict=True))
        expected = (
            here.position(2, 1), here.output_size(5), here.input_size(5, 3),
            here.output_numerator(3, 1), here.padded_size(5), here.padded_place(3),
        )  # fmt: skip
        assert tuple(int(reading.subs(at)) for reading in readings) == expected
        outputs, indices = np.arange(4), np.arange(3)
        table = here.position(outputs[:, None], indices)
        assert table.tolist() == [[here.position(a, c) for c in range(3)] for a in range(4)]
        sizes = here.output_size(np.arange(1, 9)).tolist()
        assert sizes == [here.output_size(m) for m in range(1, 9)]


def test_relation_needs_no_third_party_module():
    code = (
        "import sys, importlib.util as u; "
        "spec = u.spec_from_file_location('relation', sys.argv[1]); "
        "m = u.module_from_spec(spec); sys.modules['relation'] = m; spec.loader.exec_module(m); "
        "assert m.AxisRelation(3).output_size(5) == 3; "
        "assert not {'numpy', 'sympy', 'scipy'} & set(sys.modules)"
    )
    path = sys.modules["symconv.relation"].__file__
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code, path], check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("heavy", ["sympy", "scipy", "numpy", "numba", "torch", "matplotlib"])
def test_importing_symconv_loads_nothing_heavy(heavy):
    code = f"import sys, symconv; dir(symconv); sys.exit({heavy!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
