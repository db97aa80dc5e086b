"""What implementations may do besides being wrong: each is a verdict, and symconv never fails."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, strategies as st
from planted import Reference
from strategies import conv_cases, examples, pool_cases, transpose_cases

import symconv as sc
from symconv.verifying import FORMATS, Factory, verify
from symconv.verifying.columns import colours, column_probes
from symconv.verifying.examining import Settings, opened
from symconv.verifying.probes import Draws
from symconv.verifying.problems import forward, input_gradient, weight_gradient

LAYER = sc.Conv(2, 3, (2, 2), padding=((1, 0), (0, 1)), stride=(2, 1))
SIZE = (4, 3)
OPERATOR = LAYER.operator(SIZE)


def right(*arguments):
    """Exact, in the type of the arguments."""
    return OPERATOR.apply(*arguments).astype(arguments[0].dtype)


def mutating(x, w, b):
    y = right(x, w, b)
    x *= 2
    return y


def late(x, w, b):
    time.sleep(30)
    return right(x, w, b)


def noisy(x, w, b, calls=[0]):  # noqa: B006
    calls[0] += 1
    return right(x, w, b) + (1 if calls[0] % 2 else 0)


def at_layout(x, w, b):
    # As if the memory were what a kernel in C expects.
    flat = np.lib.stride_tricks.as_strided(x, x.shape, np.zeros(x.shape, x.dtype).strides)
    return right(flat if x.flags.c_contiguous else np.zeros_like(x), w, b)


def threaded(x, w, b):
    info = importlib.import_module("threadpoolctl").threadpool_info()
    libraries = [each for each in info if each["user_api"] == "blas"]
    return right(x, w, b) + all(each["num_threads"] == 1 for each in libraries)


class NoArray:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("still on the device")


class Tensor:
    """Speaks DLPack only."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


BAD = {
    "raises": lambda x, w, b: x.undefined,
    "shape": lambda x, w, b: right(x, w, b)[:, :, :-1],
    "dtype": lambda x, w, b: right(x, w, b).astype(np.float64),
    "nan": lambda x, w, b: right(x, w, b) * np.nan,
    "mutation": mutating,
    "determinism": noisy,
    "layout": at_layout,
    "batch": lambda x, w, b: right(x, w, b) + (x[:1].max() if len(x) > 1 else 0),
    "bilinearity": lambda x, w, b: right(np.maximum(x, 0), w, b),
    "values": lambda x, w, b: right(x, -w, b),
    "hangs": late,
    "result": lambda x, w, b: right(x, w, b).tolist(),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_implementations_are_refuted_with_their_kind(kind):
    verdict = verify(BAD[kind], LAYER, SIZE, time_limit=0.5 if kind == "hangs" else 60)
    assert verdict.status == "REFUTED"
    assert verdict.kind == kind
    assert not verdict
    assert not verdict.agrees
    assert str(verdict)
    assert verdict._repr_html_()


@pytest.mark.parametrize(
    ("fn", "kind", "reason"),
    [
        (lambda x, w, b: None, "result", "returns NoneType, not an array"),
        (lambda x, w, b: (right(x, w, b), 1), "result", "returns int"),
        (lambda x, w, b: (right(x, w, b),) * 2, "result", "returns a pair"),
        (lambda x, w, b: NoArray(), "result", "still on the device"),
        (lambda x, w, b: right(x, w, b).astype(complex), "dtype", "complex128"),
        (lambda x, w, b: np.full((2, 3, 2, 3), "a"), "dtype", "<U1"),
        (lambda x, w, b: right(x, w, b).astype(object), "dtype", "object"),
        (lambda x, w, b: np.broadcast_to(np.float32(0), (2**40, 2**20)), "shape", "1048576"),
        (lambda x, w, b: np.float32(3), "shape", r"\(\)"),
        (lambda x, w: x, "raises", "TypeError"),
        (lambda x, w, b: sys.exit(3), "raises", "SystemExit"),
        (lambda x, w, b: right(x, w, b)[::-1], "batch", "each sample alone is right"),
    ],
)
def test_bad_results_are_refuted(fn, kind, reason):
    verdict = verify(fn, LAYER, SIZE)
    assert (verdict.status, verdict.kind) == ("REFUTED", kind)
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(verdict.reason)


@pytest.mark.skipif(importlib.util.find_spec("threadpoolctl") is None, reason="needs threadpoolctl")
@pytest.mark.skipif(os.cpu_count() == 1, reason="needs two threads")
def test_results_that_depend_on_the_threads_are_refuted():
    # Whatever limits earlier tests have left.
    with importlib.import_module("threadpoolctl").threadpool_limits(2):
        assert verify(threaded, LAYER, SIZE).kind == "threads"
        assert verify(threaded, LAYER, SIZE, threads=False)


def test_failing_builds_are_verdicts():
    def make(layer, size):
        raise RuntimeError("no such kernel")

    verdict = verify(Factory(make), LAYER, SIZE)
    assert (verdict.status, verdict.kind) == ("REFUTED", "raises")
    assert verify(Factory(lambda layer, size: 3), LAYER, SIZE).kind == "result"


def test_raising_is_shrunk_apart_from_wrong_values():
    def make(layer, size):
        def fn(x, w, b=None):
            if layer.stride[0] > 1:
                raise NotImplementedError("strides")
            return Reference("flip").build(layer, size)(x, w, *(() if b is None else (b,)))

        return fn

    verdict = verify(Factory(make), LAYER, SIZE)
    assert verdict.kind == verdict.counterexample.kind == "raises"
    smallest = verdict.counterexample
    assert repr(smallest.layer) == "Conv(1, 1, (1,), stride=(2,), bias=False)"
    assert smallest.input_size == (1,)


def test_a_function_that_hangs_leaves_no_thread_that_keeps_python_alive():
    before = set(threading.enumerate())
    verify(late, LAYER, SIZE, time_limit=0.1)
    left = set(threading.enumerate()) - before
    # Threads of a pool end with Python.
    assert all(thread.daemon or thread.name.startswith("symconv_") for thread in left)


def test_results_through_dlpack_and_reused_buffers():
    assert verify(lambda x, w, b: Tensor(right(x, w, b)), LAYER, SIZE)
    buffers = {}

    def reusing(x, w, b):
        buffer = buffers.setdefault(len(x), np.zeros((len(x), *OPERATOR.output_shape), "f4"))
        buffer[:] = right(x, w, b)
        return buffer

    assert verify(reusing, LAYER, SIZE)


def test_what_is_callable_is_the_function_of_one_geometry():
    class Module:
        def build(self, input_shape):
            raise RuntimeError("another kind of build")

        def __call__(self, *given):
            return right(*given)

    assert verify(Module(), LAYER, SIZE)


def test_one_batch_size_only():
    def only_three(x, w, b):
        assert len(x) == 3
        return right(x, w, b)

    assert verify(only_three, LAYER, SIZE, batch=3, fixed_batch=True)
    assert verify(only_three, LAYER, SIZE, batch=3).kind == "raises"
    wrong = verify(lambda x, w, b: right(x, w, 2 * b), LAYER, SIZE, batch=3, fixed_batch=True)
    # One geometry does not tell the two apart: there are two input channels.
    assert wrong.mistakes == ("bias added twice", "bias added for every input channel")
    assert wrong.counterexample.wrong_outputs == 18


@pytest.mark.parametrize("layer", [LAYER, sc.MaxPool2d(2), sc.AvgPool2d(2)])
def test_an_empty_batch_where_it_is_asked_for(layer):
    def fn(*given):
        return layer.operator(SIZE).apply(*given).astype("f4")

    def none_empty(*given):
        if not len(given[0]):
            raise ValueError("empty batch")
        return fn(*given)

    assert verify(fn, layer, SIZE, empty_batch=True)
    assert verify(none_empty, layer, SIZE)
    assert verify(none_empty, layer, SIZE, empty_batch=True).kind == "raises"
    assert "a batch of no samples (sampled)" in map(
        str, verify(fn, layer, SIZE, empty_batch=True).checks
    )


# Gradients


def test_gradients_must_be_the_transposes():
    def backward(y, w):
        return OPERATOR.T.apply(y, w).astype(y.dtype)

    def weights(x, y):
        return OPERATOR.weight_gradient(x, y).astype(x.dtype)

    assert verify(right, LAYER, SIZE, input_gradient=backward, weight_gradient=weights).agrees
    flipped = verify(right, LAYER, SIZE, input_gradient=lambda y, w: backward(y, w[..., ::-1]))
    assert flipped.status == "REFUTED"
    assert "input gradient" in flipped.scope
    assert "y[" in str(flipped.counterexample)
    first = verify(right, LAYER, SIZE, weight_gradient=lambda x, y: weights(x[:1], y[:1]))
    assert first.status == "REFUTED"
    assert "weight gradient" in first.scope
    shape = verify(right, LAYER, SIZE, weight_gradient=lambda x, y: weights(x, y)[0])
    assert shape.kind == "shape"


def test_small_weight_gradients_are_proved():
    layer = sc.Conv1d(1, 1, 2, bias=False)
    operator = layer.operator((4,))
    verdict = verify(operator.apply, layer, (4,), weight_gradient=operator.weight_gradient)
    assert verdict
    wrong = verify(
        operator.apply,
        layer,
        (4,),
        weight_gradient=lambda x, y: operator.weight_gradient(x, y)[..., ::-1],
    )
    assert wrong.counterexample.wrong_outputs == 2


def test_gradients_of_a_maximum_are_refused():
    with pytest.raises(sc.SymconvError, match="input_gradient must be left out: a maximum"):
        verify(lambda x: x, sc.MaxPool1d(1), (3,), input_gradient=lambda y: y)
    with pytest.raises(sc.SymconvError, match="weight_gradient must be left out"):
        verify(lambda x: x, sc.AvgPool1d(1), (3,), weight_gradient=lambda x, y: y)


def test_gradients_of_an_average():
    operator = sc.AvgPool1d(3, stride=2, padding=1).operator((5,))

    def backward(y):
        return operator.T.apply(y).astype(y.dtype)

    layer = sc.AvgPool1d(3, stride=2, padding=1)
    assert verify(operator.apply, layer, (5,), input_gradient=backward)
    assert not verify(operator.apply, layer, (5,), input_gradient=lambda y: backward(y)[..., ::-1])


# Number formats


@given(st.data(), st.sampled_from(sorted(FORMATS)))
@examples(60)
def test_probes_stay_exact(data, name):
    """Whatever the order of the sum: its terms' magnitudes add up to what the format holds."""
    number = FORMATS[name]
    layer, size = data.draw(
        st.one_of(conv_cases(bias=st.booleans()), transpose_cases(), pool_cases())
    )
    problem = forward(layer, size)
    problems = [problem, input_gradient(problem)]
    if problem.has_second:
        problems.append(weight_gradient(problem))
    for each in problems:
        draws = Draws(each, number, np.random.default_rng(0))
        probes = [draws.random(3), draws.zeros(2)]
        if not each.is_summed:
            probes.append(draws.largest(2))
        for arguments in probes:
            for array in arguments:
                assert array.dtype == number.dtype
                assert np.array_equal(array, np.rint(array))
                assert np.abs(array.astype(float)).max(initial=0) <= number.operand
            # A mean's sum is as large as its largest divisor times the mean.
            total = each.magnitudes(*(array.astype(float) for array in arguments))
            assert (
                total.max(initial=0) * max(each.divisors) <= number.total * (1 + 1e-12)
                or max(each.divisors) > each.terms
            )


def test_probes_of_many_terms_are_thinned_out():
    problem = forward(sc.Conv2d(64, 2, 3, bias=False), (3, 3))
    draws = Draws(problem, FORMATS["bfloat16"], np.random.default_rng(0))
    arguments, missed = draws.weighed(2)
    assert problem.magnitudes(*arguments).max() <= 256
    assert arguments[0].any()
    assert 0.3 < missed <= 1
    many = Draws(forward(sc.Conv1d(2**17, 1, 1, bias=False), (1,)), FORMATS["bfloat16"], _Ones())
    with pytest.raises(sc.SymconvError, match="dtype must hold the sums of 131072 products"):
        many.random(1)


class _Ones:
    """Draws nothing but ones, so that no thinning helps."""

    def integers(self, low, high, size):
        return np.ones(size, dtype=np.int64)

    def random(self, size):
        return np.zeros(size)


@pytest.mark.parametrize("dtype", ["float64", "float32", "tf32", "float16", "bfloat16"])
def test_formats_are_verified_in_their_own_precision(dtype):
    def fn(x, w, b):
        # Products and sums in the format itself, one after the other: every partial sum is rounded.
        bits = {"float64": 53, "float32": 24, "tf32": 24, "float16": 11, "bfloat16": 8}[dtype]
        y = np.zeros((len(x), *OPERATOR.output_shape))
        for channel in range(2):
            for k in np.ndindex(2, 2):
                part, only = np.zeros_like(w, dtype=float), np.array(x, dtype=float)
                part[(slice(None), channel, *k)] = w[(slice(None), channel, *k)]
                y = rounded(y + OPERATOR.apply(only, part, np.zeros(3)), bits)
        return rounded(y + b.reshape(-1, 1, 1).astype(float), bits).astype(x.dtype)

    assert verify(fn, LAYER, SIZE, dtype=dtype)


def rounded(array, bits):
    mantissa, exponent = np.frexp(array)
    return np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)


def test_tf32_is_seen_where_float32_is_claimed():
    def tensor_core(x, w, b):
        return right(*(rounded(part, 11).astype("f4") for part in (x, w)), b)

    verdict = verify(tensor_core, LAYER, SIZE)
    assert verdict.mistakes == ("operands rounded",)
    assert verify(tensor_core, LAYER, SIZE, dtype="tf32")


def test_integers():
    def integral(x, w, b):
        return OPERATOR.apply(x.astype(np.int32), w.astype(np.int32), b.astype(np.int32)).astype(
            np.int32
        )

    assert verify(integral, LAYER, SIZE, dtype="int8")
    assert verify(integral, LAYER, SIZE, dtype="int32")
    wrapping = verify(lambda *a: integral(*a).astype(np.int8), LAYER, SIZE, dtype="int8",
                      result_dtype="any")  # fmt: skip
    assert wrapping.status == "REFUTED"
    with pytest.raises(sc.SymconvError, match="dtype must be a floating type for a mean"):
        verify(lambda x: x, sc.AvgPool1d(2), (4,), dtype="int8")


# Rounding


def test_a_mean_may_multiply_by_a_rounded_reciprocal():
    layer = sc.AvgPool1d(3, stride=1)

    rounded_third = np.float32(1) / np.float32(3)

    def reciprocal(x, third=rounded_third):
        return (x[..., :-2] + x[..., 1:-1] + x[..., 2:]) * third

    assert verify(reciprocal, layer, (6,))
    assert verify(lambda x: sum(part * (np.float32(1) / np.float32(3)) for part in
                                (x[..., :-2], x[..., 1:-1], x[..., 2:])), layer, (6,))  # fmt: skip
    off = np.float32(1) / np.float32(3) * (1 + np.float32(2.0**-20))
    assert verify(lambda x: reciprocal(x, off), layer, (6,)).status == "REFUTED"


#: F(4, 3) of Winograd, points 0, ±1, ±2, ∞ (A. Lavin, S. Gray, 2015).
B = [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0],
     [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]]  # fmt: skip
G = [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6],
     [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]]  # fmt: skip
A = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
WINOGRAD = [np.array(part, dtype="f4") for part in (A, B, G)]
GROWTH = float(np.prod([np.abs(part).sum(axis=1).max() for part in WINOGRAD]))


def winograd(x, w):
    a, b, g = WINOGRAD
    return np.einsum("ij,ncj,ocj->noi", a, x @ b.T, w @ g.T).astype("f4")


def test_fast_algorithms_are_held_to_a_derived_bound():
    layer = sc.Conv1d(3, 2, 3, bias=False)
    assert verify(winograd, layer, (6,)).status == "REFUTED"
    verdict = verify(winograd, layer, (6,), growth=GROWTH)
    assert (verdict.status, verdict.agrees) == ("UNDECIDED", True)
    assert "within the bound" in verdict.scope
    wrong = verify(lambda x, w: winograd(x, w[..., ::-1]), layer, (6,), growth=GROWTH)
    assert wrong.status == "REFUTED"
    # One tap missing in one output is far beyond the bound as well.
    wrong = verify(lambda x, w: winograd(x, w * (w != w[0, 0, 0])), layer, (6,), growth=GROWTH)
    assert wrong.status == "REFUTED"


# Large maps


LARGE = sc.Conv2d(16, 24, 3, padding=1, stride=(1, 2), bias=False)
LARGE_SIZE = (20, 17)


def test_large_maps_are_never_called_proved():
    verdict = verify(LARGE.operator(LARGE_SIZE).apply, LARGE, LARGE_SIZE)
    assert (verdict.status, verdict.agrees) == ("UNDECIDED", True)
    assert verdict.error_probability <= 2.0**-20
    assert "error probability" in verdict.scope
    with pytest.raises(ValueError, match="no difference found"):
        bool(verdict)
    closer = verify(LARGE.operator(LARGE_SIZE).apply, LARGE, LARGE_SIZE, error_exponent=40)
    assert closer.error_probability <= 2.0**-40


def test_one_wrong_coefficient_of_a_large_map_is_found():
    operator = LARGE.operator(LARGE_SIZE)

    def fn(x, w):
        y = operator.apply(x, w)
        # Output (5, 10, 3) reads input (7, 11, 5) through the wrong weight.
        y[:, 5, 10, 3] += (w[5, 7, 0, 0] - w[5, 7, 2, 0]) * x[:, 7, 11, 5]
        return y

    verdict = verify(fn, LARGE, LARGE_SIZE)
    assert verdict.status == "REFUTED"
    (row,) = verdict.counterexample.rows
    assert row.output == (5, 10, 3)
    (found,) = row.found or row.right
    assert found.input == (7, 11, 5)
    assert found.weight in ((5, 7, 0, 0), (5, 7, 2, 0))
    assert verdict.mistakes == ()


def test_a_large_wrong_map_is_named_at_its_own_geometry():
    operator = LARGE.operator(LARGE_SIZE)
    verdict = verify(lambda x, w: operator.apply(x, np.swapaxes(w, 2, 3)), LARGE, LARGE_SIZE)
    assert verdict.mistakes == ("axes of the kernel exchanged",)


@given(st.one_of(conv_cases(), transpose_cases(), pool_cases()))
@examples(40)
def test_columns_of_one_colour_never_meet(case):
    layer, size = case
    problem = forward(layer, size)
    with opened(problem.run, problem, Settings(FORMATS["float64"])) as session:
        found = colours(session)
    support = [np.abs(table) for table in _supports(problem)]
    for matrix, distance in zip(support, found[1:], strict=True):
        for residue in range(distance):
            assert (matrix[:, residue::distance].astype(bool).sum(axis=1) <= 1).all()


@given(st.one_of(conv_cases(), transpose_cases(), pool_cases()))
@examples(30)
def test_the_colours_together_are_every_column_once(case):
    layer, size = case
    problem = forward(layer, size)
    with opened(problem.run, problem, Settings(FORMATS["float64"])) as session:
        total, probes = column_probes(session, 10**6)
        count = sum(arguments[0].sum(axis=0) / session.draws.scale for arguments in probes)
    assert total == np.prod(colours(session))
    assert (count == 1).all()


def _supports(problem):
    """Per axis the 0/1 matrix (output, input), from the triples."""
    oriented = problem.operator.oriented
    for table, n in zip(oriented.linear.incidence.reads, problem.operator.oriented.linear
                        .incidence.input_size, strict=True):  # fmt: skip
        matrix = np.zeros((len(table), n), dtype=int)
        for o, k in np.ndindex(*table.shape):
            if table[o, k] >= 0:
                matrix[o, table[o, k]] = 1
        yield matrix.T if oriented.transposed else matrix


# Poolings


def test_indices_of_a_maximum_are_compared():
    layer = sc.MaxPool1d(3, stride=2, padding=1)
    operator = layer.operator((7,))

    def fn(x, shift=0):
        values, places = operator.apply(x, return_indices=True)
        return values, places + shift

    assert verify(fn, layer, (7,))
    verdict = verify(lambda x: fn(x, 1), layer, (7,))
    assert (verdict.status, verdict.kind) == ("REFUTED", "values")
    assert "index of output" in verdict.reason


def test_zero_padding_shows_in_a_maximum_over_negative_values():
    layer = sc.MaxPool1d(2, stride=1, padding=1)

    def fn(x):
        x = np.pad(x, ((0, 0), (0, 0), (1, 1)))
        return np.maximum(x[..., :-1], x[..., 1:])

    verdict = verify(fn, layer, (4,))
    assert verdict.mistakes == ("padding counts as 0 in the maximum",)


def test_what_is_neither_linear_nor_a_maximum_is_refused():
    layer = sc.Dilation((0, 1), padding=0)
    with pytest.raises(sc.SymconvError, match="must be a linear map or a maximum"):
        verify(lambda x: x, layer, (4,))


# Parameters


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "half"}, "dtype must be one of"),
        ({"batch": 0}, "batch must be >= 1"),
        ({"channels": 3}, "channels must be left out or 2"),
        ({"layouts": ("C",)}, "layouts must be one of"),
        ({"time_limit": 0}, "time_limit must be above 0"),
        ({"time_limit": "1"}, "time_limit must be a number"),
        ({"growth": 0.5}, "growth must be >= 1"),
        ({"growth": True}, "growth must be a number"),
        ({"growth": 2, "dtype": "int8"}, "growth must be left out"),
        ({"shrink": 1}, "shrink must be True or False"),
        ({"error_exponent": 0}, "error_exponent must be >= 1"),
        ({"seed": -1}, "seed must be >= 0"),
    ],
)
def test_parameters(options, message):
    with pytest.raises(sc.SymconvError, match=message):
        verify(right, LAYER, SIZE, **options)


def test_what_is_given_must_be_callable_and_a_layer():
    with pytest.raises(sc.SymconvError, match="fn must be callable"):
        verify(3, LAYER, SIZE)
    with pytest.raises(sc.SymconvError, match="layer must be a layer"):
        verify(right, OPERATOR, SIZE)


# Real implementations


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
def test_torch_is_not_refuted():
    import torch  # noqa: PLC0415
    from torch.nn import functional as F  # noqa: PLC0415

    def tensors(*arrays):
        return [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]

    conv = sc.Conv2d(4, 6, (2, 3), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2)

    def forwards(x, w, b):
        return F.conv2d(*tensors(x, w, b), (2, 1), (1, 2), (1, 2), 2)

    def backward(y, w):
        return torch.nn.grad.conv2d_input(
            (len(y), 4, 5, 6), *tensors(w, y), (2, 1), (1, 2), (1, 2), 2
        )

    def weights(x, y):
        shape = (6, 2, 2, 3)
        return torch.nn.grad.conv2d_weight(
            tensors(x)[0], shape, *tensors(y), (2, 1), (1, 2), (1, 2), 2
        )

    verdict = verify(forwards, conv, (5, 6), input_gradient=backward, weight_gradient=weights)
    assert verdict.agrees, verdict
    average = sc.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)
    assert verify(lambda x: F.avg_pool2d(*tensors(x), 3, 2, 1, True, False), average, (6, 7))
    largest = sc.MaxPool2d(3, stride=2, padding=1)
    assert verify(
        lambda x: F.max_pool2d(*tensors(x), 3, 2, 1, return_indices=True), largest, (6, 7)
    )
