"""A reference implementation in plain NumPy, and the mistakes that can be planted in it.

This module never imports symconv: a layer is read by the names of its parameters. Sizes, borders
and windows are computed here a second time, one tap after the other; a transposed convolution
scatters. Each defect is a line of the code that it breaks, marked by ``has("…")``.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

PAD_MODES = {"zeros": "constant", "circular": "wrap", "reflect": "reflect",
             "symmetric": "symmetric", "replicate": "edge"}  # fmt: skip


class Reference:
    """``build(layer, size)`` gives the function of one geometry, with the planted defects."""

    def __init__(self, *defects):
        self.defects = frozenset(defects)

    def build(self, layer, size):
        kind = type(layer).__name__
        run = {"Conv": self._conv, "ConvTranspose": self._transposed,
               "AvgPool": self._pool, "MaxPool": self._pool}[kind]  # fmt: skip

        def fn(*arguments):
            dtype = arguments[0].dtype
            given = [np.array(a, dtype=np.float64) for a in arguments]
            return run(layer, *given).astype(dtype)

        return fn

    def has(self, *names):
        return any(name in self.defects for name in names)

    # What layers share

    def _parameters(self, layer):
        rank = len(layer.kernel_size)
        stride, dilation = list(layer.stride), list(layer.dilation)
        pads = [tuple(p) for p in layer.padding]
        has = self.has
        if has("stride_swapped"):
            stride.reverse()
        if has("stride_of_first"):
            stride = [stride[0]] * rank
        if has("dilation_swapped"):
            dilation.reverse()
        if has("padding_swapped"):
            pads.reverse()
        if has("dilation_plus"):
            dilation = [d + 1 for d in dilation]
        if has("dilation_minus"):
            dilation = [max(d - 1, 1) for d in dilation]
        if has("dilation_ignored"):
            dilation = [1] * rank
        if has("stride_ignored"):
            stride = [1] * rank
        if has("pad_sides"):
            pads = [(hi, lo) for lo, hi in pads]
        if has("pad_low_twice"):
            pads = [(lo, lo) for lo, _ in pads]
        if has("pad_more"):
            pads = [(lo + 1, hi + 1) for lo, hi in pads]
        if has("pad_ignored"):
            pads = [(0, 0)] * rank
        if has("pad_at_start"):
            pads = [(lo + hi, 0) for lo, hi in pads]
        if has("shift"):
            pads = [(lo - 1, hi + 1) for lo, hi in pads]
        return stride, dilation, pads

    def _finish(self, y, bias):
        has = self.has
        rank = y.ndim - 2
        if bias is not None and not has("bias_forgotten"):
            times = 2 if has("bias_twice") else 1
            y = y + times * bias.reshape(-1, *(1,) * rank)
        if has("last_window_missing"):
            y = y[..., :-1]
        if has("last_window_zero"):
            y[..., -1] = 0
        if has("batch_first_only"):
            y[1:] = 0
        if has("batch_repeats_first"):
            y[:] = y[:1].copy()
        if has("batch_reversed"):
            y = y[::-1]
        if has("batch_last_missing"):
            y[max(len(y) - 1, 1) :] = 0
        if has("channels_last"):
            y = np.moveaxis(y, 1, -1)
        if has("result_swapped") and rank > 1:
            y = np.swapaxes(y, -1, -2)
        if has("corner_wrong") and y.size:
            y[(slice(None), 0, *(0,) * rank)] += 1 + y[(slice(None), 0, *(0,) * rank)]
        return y

    def _weights(self, w, rank):
        has = self.has
        axes = tuple(range(2, 2 + rank))
        if has("flip"):
            w = np.flip(w, axes)
        if has("flip_first_axis"):
            w = np.flip(w, 2)
        if has("kernel_swapped") and rank > 1:
            w = np.swapaxes(w, -1, -2)
        if has("last_tap"):
            w = w.copy()
            w[..., -1] = 0
        if has("first_tap_doubled"):
            w = w.copy()
            w[(..., *(0,) * rank)] *= 2
        if has("low_precision"):
            m, e = np.frexp(w)
            w = np.ldexp(np.rint(np.ldexp(m, 11)), e - 11)
        return w

    # Convolution

    def _conv(self, layer, x, w, bias=None):
        has, rank = self.has, len(layer.kernel_size)
        stride, dilation, pads = self._parameters(layer)
        w = self._weights(w, rank)
        groups = layer.groups
        if has("batch_summed"):
            x = np.repeat(x.sum(axis=0, keepdims=True), len(x), axis=0)
        if has("relu"):
            x = np.maximum(x, 0)
        mode = layer.padding_mode
        for name in PAD_MODES:
            if has(f"border_{name}"):
                mode = name
        if has("size_rounded_up"):
            for axis in range(rank):
                lo, hi = pads[axis]
                room = x.shape[2 + axis] + lo + hi - dilation[axis] * (w.shape[2 + axis] - 1) - 1
                pads[axis] = (lo, hi + (-room) % stride[axis])
        padded = _pad(x, pads, mode)
        per_in, per_out = x.shape[1] // groups, len(w) // groups
        size = [(n - d * (k - 1) - 1) // s + 1 for n, d, k, s in
                zip(padded.shape[2:], dilation, w.shape[2:], stride, strict=True)]  # fmt: skip
        if min(size) < 1:
            raise ValueError("no output")
        y = np.zeros((len(x), len(w), *size))
        if has("weights_io"):
            # The memory read as (group, in, out).
            w = np.stack([part.reshape(per_in, per_out, *w.shape[2:]).swapaxes(0, 1)
                          for part in w.reshape(groups, -1)]).reshape(w.shape)  # fmt: skip
        for out in range(len(w)):
            group = out // per_out
            if has("groups_interleaved_out"):
                group = out % groups
            for c in range(per_in):
                source = group * per_in + c
                if has("groups_interleaved_in"):
                    source = c * groups + group
                if has("groups_first_input"):
                    source = c
                if has("one_channel") and c > 0:
                    continue
                kernel = w[out % per_out if has("groups_first_weights") else out, c]
                for tap in itertools.product(*map(range, kernel.shape)):
                    at = tuple(slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, n, s in
                               zip(tap, dilation, size, stride, strict=True))  # fmt: skip
                    y[:, out] += kernel[tap] * padded[(slice(None), source, *at)]
        return self._finish(y, bias)

    # Transposed convolution

    def _transposed(self, layer, x, w, bias=None):
        has, rank = self.has, len(layer.kernel_size)
        stride, dilation, pads = self._parameters(layer)
        extra = list(layer.output_padding)
        w = self._weights(w, rank)
        groups = layer.groups
        per_in, per_out = x.shape[1] // groups, w.shape[1]
        if has("batch_summed"):
            x = np.repeat(x.sum(axis=0, keepdims=True), len(x), axis=0)
        if has("op_swapped"):
            extra.reverse()
        zeros = extra if has("op_zeros") else [0] * rank
        low = extra if has("op_low") else [0] * rank
        if has("op_zeros", "op_low", "op_ignored"):
            extra = [0] * rank
        full = [s * (n - 1) + d * (k - 1) + 1 for n, s, d, k in
                zip(x.shape[2:], stride, dilation, w.shape[2:], strict=True)]  # fmt: skip
        y = np.zeros((len(x), groups * per_out, *full))
        for source in range(x.shape[1]):
            group = source // per_in
            if has("groups_interleaved_in"):
                group = source % groups
            for c in range(per_out):
                target = group * per_out + c
                if has("groups_interleaved_out"):
                    target = c * groups + group
                for tap in itertools.product(*map(range, w.shape[2:])):
                    at = tuple(slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, n, s in
                               zip(tap, dilation, x.shape[2:], stride, strict=True))  # fmt: skip
                    part = w[(source, c, *tap)] * x[:, source]
                    if has("overwritten"):
                        y[(slice(None), target, *at)] = part
                    else:
                        y[(slice(None), target, *at)] += part
        each = zip(low, extra, pads, strict=True)
        cut = [(n - lo, op - hi) for n, op, (lo, hi) in each]
        y = _pad(y, cut, "zeros")
        if 0 in y.shape[2:]:
            raise ValueError("no output")
        y = self._finish(y, bias)
        return np.pad(y, [(0, 0), (0, 0), *((0, n) for n in zeros)]) if any(zeros) else y

    # Pooling

    def _pool(self, layer, x):
        has = self.has
        stride, dilation, pads = self._parameters(layer)
        is_max = type(layer).__name__ == "MaxPool"
        ceil = layer.ceil_mode != has("size_rounded_other_way")
        counted = not is_max and layer.count_include_pad != has("count_other_way")
        axes = zip(x.shape[2:], layer.kernel_size, stride, dilation, pads, strict=True)
        size = [_pool_size(n, k, s, d, pad, ceil) for n, k, s, d, pad in axes]
        if min(size) < 1:
            raise ValueError("no output")
        y = np.zeros((*x.shape[:2], *size))
        for o in itertools.product(*map(range, size)):
            cells, padded = [], 0
            for tap in itertools.product(*map(range, layer.kernel_size)):
                at = [s * i + d * k - lo for s, i, d, k, (lo, _) in
                      zip(stride, o, dilation, tap, pads, strict=True)]  # fmt: skip
                ends = [n + hi for n, (_, hi) in zip(x.shape[2:], pads, strict=True)]
                over = any(j >= end for j, end in zip(at, ends, strict=True))
                if not over and all(0 <= j < n for j, n in zip(at, x.shape[2:], strict=True)):
                    cells.append(tuple(at))
                elif not over or has("overhang_counted"):
                    padded += 1
            if not cells:
                continue  # nothing but padding: the mean is 0, and no maximum has such a window
            seen = np.stack([x[(slice(None), slice(None), *at)] for at in cells], -1)
            where = (slice(None), slice(None), *o)
            if is_max and not has("mean_for_max"):
                best = seen.min(-1) if has("min_for_max") else seen.max(-1)
                y[where] = np.maximum(best, 0) if padded and has("max_padding_zero") else best
                continue
            divisor = len(cells) + (
                padded if counted or has("overhang_counted", "mean_for_max") else 0
            )
            if has("mean_for_max"):
                divisor = len(cells) + padded
            override = None if is_max else layer.divisor_override
            if override is not None and not has("override_ignored"):
                divisor = override
            if has("whole_kernel"):
                divisor = math.prod(layer.kernel_size)
            if has("not_divided"):
                divisor = 1
            y[where] = seen.sum(-1) / divisor
        return self._finish(y, None)


def _pad(x, pads, mode):
    """Padding; a negative amount crops."""
    width = [(0, 0), (0, 0), *((max(lo, 0), max(hi, 0)) for lo, hi in pads)]
    crop = tuple(slice(max(-lo, 0), n + min(hi, 0) if hi < 0 else None)
                 for n, (lo, hi) in zip(x.shape[2:], pads, strict=True))  # fmt: skip
    x = x[(slice(None), slice(None), *crop)]
    return np.pad(x, width, mode=PAD_MODES[mode])


def _pool_size(n, kernel, stride, dilation, pad, ceil):
    lo, hi = pad
    room = n + lo + hi - dilation * (kernel - 1) - 1
    if room < 0 and not ceil:
        return 0
    size = -(-room // stride) + 1 if ceil else room // stride + 1
    if ceil and (size - 1) * stride >= n + lo:
        size -= 1
    return size


#: Defect → (layers that can have it, the mistake's name, or None where no known one fits).
DEFECTS = {
    "flip": ("conv transposed", "kernel flipped"),
    "flip_first_axis": ("conv transposed", "kernel flipped"),
    "kernel_swapped": ("conv2", "axes of the kernel exchanged"),
    "last_tap": ("conv transposed", "last tap left out"),
    "stride_swapped": ("conv2 transposed2 max2", "stride of the axes exchanged"),
    "stride_of_first": ("conv2 transposed2", "stride of one axis used for every axis"),
    "dilation_swapped": ("conv2 transposed2 max2", "dilation of the axes exchanged"),
    "padding_swapped": ("conv2 transposed2 max2", "padding of the axes exchanged"),
    "op_swapped": ("transposed2", "output padding of the axes exchanged"),
    "dilation_plus": ("conv transposed max", "dilation off by one"),
    "dilation_minus": ("conv transposed max", "dilation off by one"),
    "dilation_ignored": ("conv transposed max", "dilation ignored"),
    "stride_ignored": ("conv transposed max", "stride ignored"),
    "groups_interleaved_in": ("grouped", "groups interleaved"),
    "groups_interleaved_out": ("grouped", "groups interleaved"),
    "groups_first_input": ("groupedconv", "every group reads the first group's channels"),
    "groups_first_weights": ("groupedconv", "every group has the first group's weights"),
    "pad_sides": ("conv transposed max", "padding split on the wrong side"),
    "pad_low_twice": ("conv transposed max", "padding of the low end used at both ends"),
    "pad_more": ("conv transposed max", "padding of the wrong amount"),
    "pad_ignored": ("conv transposed max", "padding ignored"),
    "pad_at_start": ("conv transposed max", "all padding at the start"),
    "shift": ("conv transposed max", "shifted by one sample"),
    "border_circular": ("conv", "border read as circular"),
    "border_reflect": ("conv", "border read as reflect"),
    "border_replicate": ("conv", "border read as replicate"),
    "size_rounded_up": ("conv", "output size rounded the other way"),
    "size_rounded_other_way": ("avg max", "output size rounded the other way"),
    "last_window_missing": ("conv transposed avg max", "last window left out"),
    "last_window_zero": ("conv transposed avg max", "last window not computed"),
    "batch_first_only": ("conv transposed avg max", "only the first sample of the batch computed"),
    "batch_repeats_first": ("conv transposed max", "only the first sample of the batch computed"),
    "batch_reversed": ("conv transposed avg max", "samples of the batch out of order"),
    "batch_last_missing": ("conv avg", "last sample of the batch not computed"),
    "batch_summed": ("conv transposed", "samples of the batch added up"),
    "weights_io": ("conv", "input and output channels of the weights exchanged"),
    "one_channel": ("conv", "only one input channel of each group read"),
    "bias_forgotten": ("biased", "bias forgotten"),
    "bias_twice": ("biased", "bias added twice"),
    "channels_last": ("conv transposed avg", "channels at the end of the result"),
    "result_swapped": ("conv2 transposed2", "axes of the result exchanged"),
    "op_zeros": ("transposed", "output padding appended as zeros"),
    "op_low": ("transposed", "output padding at the low end"),
    "op_ignored": ("transposed", "output padding ignored"),
    "low_precision": ("conv transposed", "operands rounded"),
    "count_other_way": ("avg", "padding counted in the divisor the other way"),
    "whole_kernel": ("avg", "divisor is the whole kernel in every window"),
    "overhang_counted": ("avg", "divisor is the whole kernel in every window"),
    "not_divided": ("avg", "not divided"),
    "override_ignored": ("avg", "divisor_override ignored"),
    "max_padding_zero": ("max", "padding counts as 0 in the maximum"),
    "min_for_max": ("max", "minimum instead of maximum"),
    "mean_for_max": ("max", "mean instead of maximum"),
    "first_tap_doubled": ("conv transposed", None),
    "corner_wrong": ("conv transposed avg max", None),
    "overwritten": ("transposed", None),
    "relu": ("conv", None),
}
