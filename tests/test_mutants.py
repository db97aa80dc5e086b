"""Every check can fail: planted mistakes in the relation, the axes, the groups and the flip.

Each mutant is put in place of the real function; the checks that pass in `test_operator` must
then fail on at least one geometry of a fixed catalogue.
"""

from __future__ import annotations

import numpy as np
import pytest
from checking import check_exact, check_gradient, check_numeric

import symconv as sc
from symconv import maps, transposed
from symconv.boundary import MODES
from symconv.execute import csr, taps
from symconv.incidence import Pattern
from symconv.relation import AxisRelation

CATALOGUE = [
    (sc.Conv((2), 4, (2, 3), stride=(2, 1), padding=((1, 0), (0, 2)), dilation=(1, 2), groups=2,
             bias=False), (4, 5)),
    (sc.Conv(1, 2, (3,), stride=2, padding=((2, 1),), dilation=2, bias=False,
             padding_mode="circular"), (4,)),
    (sc.Conv(1, 1, (3,), padding=((2, 3),), bias=False, padding_mode="reflect"), (3,)),
    (sc.Conv(1, 1, (2,), input_dilation=2, bias=False), (3,)),
    (sc.ConvTranspose(4, 2, (2, 3), stride=(2, 1), padding=((1, 0), (0, 1)), dilation=(1, 2),
                      output_padding=(1, 2), groups=2, bias=False), (3, 2)),
]  # fmt: skip


def check_everything():
    for layer, size in CATALOGUE:
        check_exact(layer, size)
        check_numeric(layer, size)
        check_gradient(layer, size)


def test_the_catalogue_passes_unmutated():
    check_everything()
    assert len(CATALOGUE) == 5


RELATION = {
    "sign of p": ("position", lambda r, o, k: r.stride * o + r.dilation * k + r.pad_lo),
    "dropped p": ("position", lambda r, o, k: r.stride * o + r.dilation * k),
    "dropped d": ("position", lambda r, o, k: r.stride * o + k - r.pad_lo),
    "dropped s": ("position", lambda r, o, k: o + r.dilation * k - r.pad_lo),
    "s and d exchanged": ("position", lambda r, o, k: r.dilation * o + r.stride * k - r.pad_lo),
    "high pad for low": ("position", lambda r, o, k: r.stride * o + r.dilation * k - r.pad_hi),
    "flipped kernel": (
        "position",
        lambda r, o, k: r.stride * o + r.dilation * (r.n_taps - 1 - k) - r.pad_lo,
    ),
    "one output too few": (
        "output_size",
        lambda r, n: (r.padded_size(n) - r.extent) // r.stride,
    ),
    "ceil for floor": (
        "output_size",
        lambda r, n: -((r.extent - r.padded_size(n)) // r.stride) + 1,
    ),
    "high padding added": (
        "input_size",
        lambda r, n, op=0: r.stride * (n - 1) + r.extent + op - r.pad_lo + r.pad_hi,
    ),
    "dilation off by one": ("position", lambda r, o, k: (
        r.stride * o + (r.dilation + 1) * k - r.pad_lo
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", RELATION)
def test_mutant_of_the_relation_is_caught(name, monkeypatch):
    method, mutant = RELATION[name]
    monkeypatch.setattr(AxisRelation, method, mutant)
    with pytest.raises((AssertionError, sc.SymconvError, IndexError, ValueError)):
        check_everything()


def swapped_axes(pattern, weight):
    swapped = np.swapaxes(weight, -1, -2) if len(pattern.axes) == 2 else weight
    return ORIGINAL_MERGED(pattern, swapped.reshape(weight.shape))


def interleaved_groups(self, weight, transposed):
    pattern, blocks = ORIGINAL_BLOCKS(self, weight, transposed)
    shape = blocks.shape
    return pattern, blocks.reshape(shape[1], shape[0], *shape[2:]).swapaxes(0, 1)


ORIGINAL_MERGED = Pattern.merged
ORIGINAL_BLOCKS = maps.ConvolutionMap._blocks
ORIGINAL_FORWARD = taps.forward


def forward_with_groups_exchanged(incidence, x, weight, fill=0):
    return ORIGINAL_FORWARD(incidence, x[:, ::-1], weight, fill)


def forward_flipped(incidence, x, weight, fill=0):
    spatial = tuple(range(2, weight.ndim))
    return ORIGINAL_FORWARD(incidence, x, np.flip(weight, spatial), fill)


def first_tap_only(pattern, weight):
    """Several taps that meet on one entry: only one of them kept."""
    for axis in pattern.axes:
        if axis.merge is not None:
            axis.merge[:] = np.minimum(axis.merge, np.cumsum(axis.merge, axis=1) == 1)
    return ORIGINAL_MERGED(pattern, weight)


OTHERS = {
    "axes exchanged": (Pattern, "merged", swapped_axes),
    "groups interleaved": (maps.ConvolutionMap, "_blocks", interleaved_groups),
    "channels reversed": (taps, "forward", forward_with_groups_exchanged),
    "kernel flipped": (taps, "forward", forward_flipped),
    "one of several taps kept": (Pattern, "merged", first_tap_only),
}


@pytest.mark.parametrize("name", OTHERS)
def test_mutant_of_the_assembly_is_caught(name, monkeypatch):
    room, attribute, mutant = OTHERS[name]
    monkeypatch.setattr(room, attribute, mutant)
    with pytest.raises(AssertionError):
        check_everything()


@pytest.mark.parametrize(("mode", "other"), [("circular", "replicate"), ("reflect", "symmetric")])
def test_mutant_of_a_boundary_is_caught(mode, other, monkeypatch):
    monkeypatch.setitem(MODES, mode, MODES[other])
    with pytest.raises(AssertionError):
        check_everything()


def test_unsorted_columns_are_caught(monkeypatch):
    block = csr._block

    def reversed_block(*arguments):
        columns, source = block(*arguments)
        return columns[::-1], source[::-1]

    monkeypatch.setattr(csr, "_block", reversed_block)
    with pytest.raises(AssertionError):
        check_everything()


def test_a_missing_flip_in_zero_insertion_is_caught(monkeypatch):
    layer = sc.ConvTranspose1d(1, 1, 3, stride=2)
    symbol = transposed._symbol
    monkeypatch.setattr(transposed, "_symbol", lambda o, c, k: symbol(o, c, 2 - k))
    assert sc.transposed_matrix(layer, (2,), "zero_insertion") != layer.operator((2,)).exact()
