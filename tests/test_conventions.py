"""Conventions against the frameworks themselves, the regression threads, and bad input."""

from __future__ import annotations

import itertools
import os

import numpy as np
import oracles
import pytest
import sympy

from symconv.conventions import (
    AMOUNTS,
    JaxConvTranspose,
    KerasConv,
    KerasConvTranspose,
    OnnxConv,
    OnnxConvTranspose,
    OnnxPool,
    TorchConv,
    TorchConvTranspose,
    TorchPool,
    TruncatedConv,
    XlaConv,
    onnx_pads,
    padding_amount,
    resolve_axes,
    translate,
)
from symconv.errors import GeometryError, ParameterError, ParameterTypeError, SymconvError
from symconv.relation import AxisRelation

#: n, K, s, d: every combination.
SMALL = tuple(itertools.product((1, 2, 3, 4, 7), (1, 2, 3, 4), (1, 2, 3), (1, 2)))


def kernel(n_taps):
    return np.array([7**k for k in range(n_taps)], dtype=np.int64)


def samples(n_in):
    return np.arange(1, n_in + 1, dtype=np.int64)


def convolved(resolved, stride, dilation, n_taps):
    """What the resolved axis gives on 1, 2, …: naive loops of the oracles, exact."""
    lo, hi = int(resolved.pad_lo), int(resolved.pad_hi)
    x = samples(resolved.n_in)[None, None]
    w = kernel(n_taps)[None, None]
    spread = resolved.relation.input_dilation
    y = oracles.conv(x, w, [stride], [dilation], [(lo, hi)], input_dilation=[spread])
    return [int(value) for value in y[0, 0]]


def transposed(resolved, stride, dilation, n_taps):
    x = samples(resolved.n_in)[None, None]
    w = kernel(n_taps)[None, None]
    pads = [(int(resolved.pad_lo), int(resolved.pad_hi))]
    op = [int(resolved.output_padding)]
    y = oracles.conv_transpose(x, w, [stride], [dilation], pads, op)
    return [int(value) for value in y[0, 0]]


def resolved_or_none(convention, *axis):
    try:
        return convention.resolve(*axis)
    except GeometryError:
        return None


# PyTorch


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_torch_convolution():
    torch = pytest.importorskip("torch")
    for n, k, s, d in SMALL:
        for padding in (0, 1, 2, "same", "valid"):
            found = None
            try:
                y = torch.nn.functional.conv1d(
                    torch.tensor(samples(n))[None, None].double(),
                    torch.tensor(kernel(k))[None, None].double(),
                    stride=s,
                    dilation=d,
                    padding=padding,
                )
                found = [int(value) for value in y[0, 0]]
            except RuntimeError:
                pass
            try:
                mine = convolved(TorchConv(padding).resolve(n, k, s, d), s, d, k)
            except SymconvError:
                mine = None
            assert mine == found, (n, k, s, d, padding)


def test_torch_pooling_sizes_by_pytorch_2():
    torch = pytest.importorskip("torch")
    for (n, k, s, d), padding, ceil in itertools.product(SMALL, (0, 1, 2, 3), (False, True)):
        try:
            found = torch.nn.functional.max_pool2d(
                torch.zeros(1, n, 8), (k, 1), (s, 1), (padding, 0), (d, 1), ceil_mode=ceil
            ).shape[1]
        except RuntimeError:
            found = None
        try:
            mine = TorchPool(padding, ceil).resolve(n, k, s, d).output_size
        except SymconvError:
            mine = None
        assert mine == found, (n, k, s, d, padding, ceil)


def test_torch_transposed_convolution():
    torch = pytest.importorskip("torch")
    for (n, k, s, d), p, op in itertools.product(SMALL, (0, 1, 2), (0, 1, 2)):
        try:
            y = torch.nn.functional.conv_transpose1d(
                torch.tensor(samples(n))[None, None].double(),
                torch.tensor(kernel(k))[None, None].double(),
                stride=s,
                padding=p,
                output_padding=op,
                dilation=d,
            )
            found = [int(value) for value in y[0, 0]]
        except RuntimeError:
            found = None
        try:
            mine = transposed(TorchConvTranspose(p, op).resolve(n, k, s, d), s, d, k)
        except SymconvError:
            mine = None
        assert mine == found, (n, k, s, d, p, op)


# ONNX


class Onnx:
    """One operator on one axis: shape inference, reference evaluator, onnxruntime."""

    def __init__(self, operator, opset, n_in, n_taps=None, **attributes):
        import onnx  # noqa: PLC0415
        from onnx import TensorProto, helper  # noqa: PLC0415

        inputs = [("x", (1, 1, n_in))] + ([("w", (1, 1, n_taps))] if n_taps else [])
        self.onnx = onnx
        self.feed = {"x": samples(n_in)[None, None].astype(np.float32)}
        if n_taps:
            self.feed["w"] = kernel(n_taps)[None, None].astype(np.float32)
        infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs]
        node = helper.make_node(operator, [name for name, _ in inputs], ["y"], **attributes)
        output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        graph = helper.make_graph([node], "g", infos, [output])
        self.model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        self.model.ir_version = 8

    def inferred(self):
        model = self.onnx.shape_inference.infer_shapes(self.model, strict_mode=True)
        return model.graph.output[0].type.tensor_type.shape.dim[2].dim_value

    def evaluated(self):
        from onnx.reference import ReferenceEvaluator  # noqa: PLC0415

        return [int(v) for v in ReferenceEvaluator(self.model).run(None, self.feed)[0][0, 0]]

    def run(self):
        runtime = pytest.importorskip("onnxruntime")
        runtime.set_default_logger_severity(4)
        session = runtime.InferenceSession(self.model.SerializeToString())
        return [int(value) for value in session.run(None, self.feed)[0][0, 0]]


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
def test_onnx_convolution(mode):
    pytest.importorskip("onnx")
    for n, k, s, d in SMALL:
        pads = (2, 1) if mode == "NOTSET" else None
        resolved = resolved_or_none(OnnxConv(mode, pads), n, k, s, d)
        if resolved is None:
            continue
        given = {"pads": list(pads)} if pads else {"auto_pad": mode}
        node = Onnx("Conv", 22, n, k, strides=[s], dilations=[d], **given)
        assert node.inferred() == resolved.output_size
        mine = convolved(resolved, s, d, k)
        assert node.evaluated() == mine, (n, k, s, d)
        # onnxruntime 1.31 computes no SAME with dilation, and wrongly for a negative total.
        if d == 1 and k >= s and mode != "NOTSET":
            assert node.run() == mine, (n, k, s, d)


@pytest.mark.parametrize(("operator", "opset"), [("MaxPool", 12), ("MaxPool", 22)])
def test_onnx_ceil_mode_by_opset(operator, opset):
    """Shape inference changed at 22; onnxruntime applies the new rule to every opset."""
    pytest.importorskip("onnx")
    runtime_checks = 0
    for (n, k, s, d), lo, hi in itertools.product(SMALL, (0, 1), (0, 1)):
        if k < 2:
            lo = hi = 0  # noqa: PLW2901 - onnxruntime wants padding below the kernel size
        convention = OnnxPool(pads=(lo, hi), ceil_mode=True, opset=opset)
        new = OnnxPool(pads=(lo, hi), ceil_mode=True)
        if n + lo + hi < d * (k - 1) + 1:
            continue
        node = Onnx(
            operator,
            opset,
            n,
            kernel_shape=[k],
            strides=[s],
            dilations=[d],
            pads=[lo, hi],
            ceil_mode=1,
        )
        assert node.inferred() == convention.resolve(n, k, s, d).output_size, (n, k, s, d, lo, hi)
        if n < 5:
            assert len(node.run()) == new.resolve(n, k, s, d).output_size
            runtime_checks += 1
    assert runtime_checks > 100


@pytest.mark.parametrize("opset", [18, 19, 22])
def test_onnx_average_pool_ceil_mode_changed_at_22_too(opset):
    pytest.importorskip("onnx")
    node = Onnx("AveragePool", opset, 1, kernel_shape=[2], strides=[2], pads=[1, 1], ceil_mode=1)
    convention = OnnxPool(pads=(1, 1), ceil_mode=True, opset=opset)
    assert node.inferred() == convention.resolve(1, 2, 2).output_size == (1 if opset == 22 else 2)
    assert len(node.run()) == 1


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_onnx_transposed_auto_pad(mode):
    """Inference and onnxruntime clamp a negative total; the reference evaluator does not."""
    pytest.importorskip("onnx")
    for n, k, s, d in SMALL:
        node = Onnx("ConvTranspose", 22, n, k, strides=[s], dilations=[d], auto_pad=mode)
        clamped = OnnxConvTranspose(mode).resolve(n, k, s, d)
        assert node.inferred() == clamped.output_size
        assert node.run() == transposed(clamped, s, d, k), (n, k, s, d)
        signed = OnnxConvTranspose(mode, negative_total="signed").resolve(n, k, s, d)
        assert node.evaluated() == transposed(signed, s, d, k), (n, k, s, d)


def test_onnx_transposed_pads_output_padding_and_output_shape():
    pytest.importorskip("onnx")
    for n, k, s, d in SMALL[:96]:
        extent = d * (k - 1) + 1
        common = {"strides": [s], "dilations": [d]}
        for op in range(min(max(s, d), 2)):
            pads = OnnxConvTranspose(pads=(0, 1), output_padding=op)
            resolved = resolved_or_none(pads, n, k, s, d)
            if resolved is not None:
                node = Onnx("ConvTranspose", 22, n, k, pads=[0, 1], output_padding=[op], **common)
                assert node.inferred() == resolved.output_size
                if op < s:
                    assert node.run() == transposed(resolved, s, d, k), (n, k, s, d, op)
            full = s * (n - 1) + extent + op
            for wanted in range(max(full - 3, 1), full + 1):
                for mode in ("SAME_UPPER", "SAME_LOWER"):
                    convention = OnnxConvTranspose(mode, output_padding=op, output_shape=wanted)
                    resolved = convention.resolve(n, k, s, d)
                    assert resolved.output_size == wanted
                    node = Onnx(
                        "ConvTranspose",
                        22,
                        n,
                        k,
                        auto_pad=mode,
                        output_padding=[op],
                        output_shape=[wanted],
                        **common,
                    )
                    # Shape inference says nothing about a size below the input's, and the
                    # reference evaluator refuses op >= s.
                    assert wanted < n or node.inferred() == wanted
                    if op < s:
                        mine = transposed(resolved, s, d, k)
                        assert node.evaluated() == mine, (n, k, s, d, wanted)


def test_onnx_split_of_version_1_is_the_other_way_round():
    new = OnnxConvTranspose("SAME_UPPER").resolve(2, 2, 1)
    old = OnnxConvTranspose("SAME_UPPER", opset=10).resolve(2, 2, 1)
    assert (new.pad_lo, new.pad_hi) == (0, 1)
    assert (old.pad_lo, old.pad_hi) == (1, 0)


# XLA and Keras


@pytest.fixture(scope="module")
def lax():
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    return pytest.importorskip("jax.lax")


def jax_size(lax, function, n, k):
    import jax  # noqa: PLC0415

    x, w = (jax.ShapeDtypeStruct((1, 1, size), np.float32) for size in (n, k))
    return jax.eval_shape(function, x, w).shape[2]


def test_xla_convolution_sizes(lax):
    paddings = ("VALID", "SAME", "SAME_LOWER", (0, 1), (2, -1))
    for (n, k, s, d), padding, spread in itertools.product(SMALL[:72], paddings, (1, 2)):
        if isinstance(padding, str) and spread > 1:
            continue
        resolved = resolved_or_none(XlaConv(padding, spread), n, k, s, d)
        if resolved is None:
            continue
        given = padding if isinstance(padding, str) else [padding]
        found = jax_size(
            lax,
            lambda x, w, s=s, d=d, given=given, spread=spread: lax.conv_general_dilated(
                x, w, (s,), given, (spread,), (d,)
            ),
            n,
            k,
        )
        assert found == resolved.output_size, (n, k, s, d, padding, spread)


@pytest.mark.parametrize("padding", ["SAME", "SAME_LOWER"])
def test_xla_named_padding(lax, padding):
    for n, k, s, d in SMALL:
        extent = d * (k - 1) + 1
        found = lax.padtype_to_pads((n,), (extent,), (s,), padding)
        resolved = XlaConv(padding).resolve(n, k, s, d)
        assert tuple(map(int, found[0])) == (resolved.pad_lo, resolved.pad_hi)


@pytest.mark.parametrize(
    ("padding", "consistent"),
    [("SAME", False), ("VALID", False), ((1, 2), False), ((1, 2), True), ((1, -1), True)],
)
def test_jax_transposed_convolution(lax, padding, consistent):
    for n, k, s, d in ((3, 1, 2, 1), (2, 3, 2, 1), (3, 2, 3, 2), (4, 4, 1, 1), (2, 4, 3, 1)):
        given = padding if isinstance(padding, str) else [padding]
        resolved = resolved_or_none(JaxConvTranspose(padding, consistent), n, k, s, d)
        if resolved is None:
            continue
        # Flipping makes it the gradient; the kernel here is (H, in, out).
        y = lax.conv_transpose(
            samples(n).astype(np.float32)[None, :, None],
            kernel(k).astype(np.float32)[:, None, None],
            (s,),
            given,
            rhs_dilation=(d,),
            transpose_kernel=True,
            use_consistent_padding=consistent,
        )
        assert [int(v) for v in y[0, :, 0]] == transposed(resolved, s, d, k), (n, k, s, d)


def test_keras_convolution_sizes():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    pytest.importorskip("jax")
    pytest.importorskip("keras")
    utils = pytest.importorskip("keras.src.ops.operation_utils")
    for (n, k, s, d), name in itertools.product(SMALL, ("valid", "same", "causal")):
        try:
            found = utils.compute_conv_output_shape((1, n, 1), 1, (k,), s, name, dilation_rate=d)[1]
        except ValueError:
            found = None
        resolved = resolved_or_none(KerasConv(name), n, k, s, d)
        assert found == (resolved and resolved.output_size), (n, k, s, d, name)


def test_keras_transposed_convolution():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    pytest.importorskip("jax")
    pytest.importorskip("keras")
    utils = pytest.importorskip("keras.src.backend.common.backend_utils")
    for (n, k, s, d), name, op in itertools.product(SMALL, ("valid", "same"), (None, 0, 1, 2)):
        extent = d * (k - 1) + 1
        if op is not None and (op >= s or (name == "same" and extent % 2 + op < 1)):
            with pytest.raises(ParameterError, match="output_padding must be"):
                KerasConvTranspose(name, op).resolve(n, k, s, d)
            continue
        resolved = KerasConvTranspose(name, op).resolve(n, k, s, d)
        size = utils.compute_conv_transpose_output_shape(
            (1, n, 1), (k,), 1, (s,), name, op, "channels_last", d
        )[1]
        border = utils.compute_conv_transpose_padding_args_for_jax(
            (1, n, 1), (k, 1, 1), (s,), name, op, d
        )[0]
        assert size == resolved.output_size
        assert tuple(border) == (extent - 1 - resolved.pad_lo, extent - 1 - resolved.net_hi)


# The threads of section 5 of the facts


@pytest.mark.parametrize(
    ("thread", "convention", "axis", "size"),
    [
        ("keras#16930", KerasConv("valid"), (136, 3, 2, 3), 65),
        ("keras#16314", KerasConv("same"), (14, 3, 2, 3), 7),
        ("keras#16314", KerasConv("same"), (14, 3, 2, 1), 7),
        ("onnxruntime#2518", OnnxConvTranspose(pads=(4, 4)), (50, 3, 2, 3), 97),
        ("onnxruntime#4086", OnnxConvTranspose("SAME_UPPER"), (2, 3, 1), 2),
        ("coreai-torch#57", TorchConvTranspose(0, 3), (5, 16, 8), 4 * 8 + 16 + 3),
        ("pytorch#1565", TorchConvTranspose(1, 1), (6, 3, 2, 2), 14),
        ("pytorch#45357", TorchPool(0, True), (6, 1, 2), 3),
        ("pytorch#45357", TorchPool(0, True), (7, 1, 2), 4),
        ("pytorch#45357, before", TorchPool(0, True, "before 46558"), (6, 1, 2), 4),
        ("pytorch#57178", TorchPool(0, True), (32, 1, 2), 16),
        ("pytorch#116420", TorchPool(2, True), (9, 4, 4), 3),
        ("pytorch#183528", TorchPool(1, True), (4, 3, 2), 3),
        ("burn#5791", TorchPool(1, True), (5, 2, 2), 3),
        ("tvm#18641", TorchPool(1, True), (17, 2, 2), 9),
        ("onnxruntime PR#29631", OnnxPool(pads=(0, 3), ceil_mode=True), (9, 7, 3), 3),
        ("coremltools PR#2844", TorchPool(0, True), (7, 2, 3), 3),
        ("jax#32267", JaxConvTranspose((1, 1)), (8, 4, 2), 14),
        ("jax#32267, consistent", JaxConvTranspose((1, 1), True), (8, 4, 2), 16),
        ("truncation", TruncatedConv(), (1, 2, 2), 1),
    ],
)
def test_threads(thread, convention, axis, size):
    assert convention.resolve(*axis).output_size == size, thread


def test_truncation_invents_an_output_where_floor_has_none():
    with pytest.raises(GeometryError, match="output size must be >= 1, got 0"):
        OnnxConv().resolve(1, 2, 2)


# Arrays, symbols, axes


BOTH_WAYS = [
    KerasConv("same"),
    KerasConv("causal"),
    TorchConv(1),
    OnnxConv("SAME_LOWER"),
    TorchPool(0, True),
    TorchPool(0, True, "before 46558"),
    OnnxPool(pads=(1, 2), ceil_mode=True, opset=12),
    TruncatedConv((1, 0)),
    XlaConv((3, 2), 2),
    TorchConvTranspose(0, 0),
    KerasConvTranspose("same"),
    KerasConvTranspose("valid"),
    OnnxConvTranspose("SAME_UPPER"),
    OnnxConvTranspose("SAME_LOWER", negative_total="signed"),
    JaxConvTranspose("SAME"),
    JaxConvTranspose((1, 2)),
]


@pytest.mark.parametrize("convention", BOTH_WAYS, ids=str)
def test_integers_arrays_and_symbols_agree(convention):
    box = [axis for axis in SMALL if resolved_or_none(convention, *axis) is not None]
    columns = [np.array(column) for column in zip(*box, strict=True)]
    names = ("pad_lo", "pad_hi", "output_size", "output_padding", "net_hi", "overhang")
    together = convention.resolve(*columns)
    symbols = sympy.symbols("n K s d", integer=True, positive=True)
    formula = convention.resolve(*symbols)
    for position, axis in enumerate(box):
        alone = convention.resolve(*axis)
        for name in names:
            value = getattr(alone, name)
            if value is None:
                continue
            column = np.broadcast_to(getattr(together, name), len(box))
            assert int(column[position]) == value, (axis, name)
            if position % 7 == 0:
                closed = sympy.sympify(getattr(formula, name))
                assert closed.subs(dict(zip(symbols, axis, strict=True))) == value, (axis, name)


def test_named_amounts_of_arrays():
    sizes = np.arange(1, 9)
    lo, hi = padding_amount("same_upper", AxisRelation(3, stride=2), sizes)
    assert [(int(a), int(b)) for a, b in zip(lo, hi, strict=True)] == [(1, 1), (0, 1)] * 4
    assert set(AMOUNTS) == {"valid", "full", "same", "same_upper", "same_lower", "causal"}


def test_all_axes_and_the_list_of_pads():
    pads = onnx_pads([1, 2, 3, 4], 2)
    axes = resolve_axes([OnnxConv(pads=pair) for pair in pads], (8, 9), (3, 2), (1, 2))
    assert [(r.pad_lo, r.pad_hi, r.output_size) for r in axes] == [(1, 3, 10), (2, 4, 7)]


def test_large_integers_are_exact():
    big = 10**30
    assert KerasConv("same").resolve(big + 1, 3, 2).output_size == big // 2 + 1


# Translation


def means_the_same(convention, translation, n, k, s, d):
    wanted = convention.resolve(n, k, s, d)
    inner = translation.convention
    if wanted.is_transposed:
        full = transposed(inner.resolve(n, k, s, d), s, d, k)
        lo, hi = translation.crop
        found = [0] * -lo + full[max(lo, 0) : len(full) - max(hi, 0)] + [0] * -hi
        return found == transposed(wanted, s, d, k)
    lo, hi = translation.pad
    within = inner.resolve(n + lo + hi, k, s, d)
    reads = [
        (o, t, int(wanted.relation.position(o, t)))
        for o in range(wanted.output_size)
        for t in range(k)
    ]
    shifted = [
        (o, t, int(within.relation.position(o, t)) - lo)
        for o in range(within.output_size)
        for t in range(k)
    ]
    return reads == shifted


@pytest.mark.parametrize("framework", ["torch", "keras", "onnx", "xla"])
@pytest.mark.parametrize(
    "convention",
    [
        TorchConv(2),
        KerasConv("same"),
        KerasConv("causal"),
        OnnxConv("SAME_LOWER"),
        XlaConv((2, -1)),
        TorchPool(1, True),
        OnnxPool(pads=(0, 3), ceil_mode=True),
        OnnxPool(pads=(1, 0), ceil_mode=True, opset=12),
        TorchConvTranspose(1, 1),
        KerasConvTranspose("same"),
        KerasConvTranspose("valid"),
        OnnxConvTranspose("SAME_LOWER"),
        OnnxConvTranspose("SAME_UPPER", negative_total="signed"),
        JaxConvTranspose((0, 5)),
    ],
    ids=str,
)
def test_translations_mean_the_same(convention, framework):
    checked = 0
    for axis in SMALL:
        try:
            convention.resolve(*axis)
        except SymconvError:
            continue
        translation = translate(convention, framework, *axis)
        assert translation.is_direct == (not translation.reason)
        try:
            assert means_the_same(convention, translation, *axis), (axis, str(translation))
        except GeometryError:
            # Cropping may leave no stored sample at all: nothing to run on.
            assert axis[0] + sum(translation.pad) < 1
        checked += 1
    assert checked > 20


def test_a_negative_output_padding_is_a_crop():
    """Keras's 'same' with K = 3, s = 2 needs output padding −1 in PyTorch."""
    translation = translate(KerasConvTranspose("same"), "torch", 4, 3, 2)
    assert (translation.convention, translation.crop) == (TorchConvTranspose(), (0, 1))
    assert "output_padding -1" in translation.reason
    assert translate(KerasConvTranspose("same"), "onnx", 4, 3, 2).is_direct


def test_asymmetric_padding_is_a_pad_of_its_own_in_torch():
    translation = translate(KerasConv("same"), "torch", 8, 3, 2)
    assert (translation.convention, translation.pad) == (TorchConv(), (0, 1))
    assert "pads both sides alike, not (0, 1)" in str(translation)


# Bad input


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TorchConv(-1), "padding must be >= 0, got -1"),
        (lambda: TorchConv("same").resolve(8, 3, 2), "stride must be 1 for padding 'same'"),
        (lambda: TorchConv("full"), "padding must be one of 'valid', 'same', got 'full'"),
        (
            lambda: TorchPool(2).resolve(8, 3),
            "padding must be at most half of the kernel in PyTorch, 1",
        ),
        (lambda: TorchPool(0, False, "before 46558"), "ceil_rule needs ceil_mode=True"),
        (lambda: TorchPool(0, True, "1"), "ceil_rule must be one of"),
        (lambda: TorchConvTranspose(0, 2).resolve(4, 3, 2), "must be below max"),
        (lambda: KerasConv("full"), "padding must be one of 'valid', 'same', 'causal'"),
        (lambda: KerasConvTranspose("causal"), "padding must be one of 'valid', 'same'"),
        (lambda: KerasConvTranspose("same", 2).resolve(4, 3, 2), "below the stride, 2, in Keras"),
        (lambda: KerasConvTranspose("same", 0).resolve(4, 2, 2), "with an even extent"),
        (lambda: OnnxConv("SAME"), "auto_pad must be one of 'NOTSET'"),
        (lambda: OnnxConv("SAME_UPPER", (0, 0)), "pads must be None with auto_pad"),
        (lambda: OnnxConv(pads=(0, -1)), "pads must be >= 0, got -1"),
        (lambda: OnnxConv(pads=(0, 1, 2)), "pads must be \\(lo, hi\\) of one axis"),
        (lambda: OnnxPool("VALID", ceil_mode=True), "ceil_mode must be False with auto_pad"),
        (lambda: OnnxPool(ceil_mode=True, opset=9), "opset must be >= 10 for ceil_mode"),
        (lambda: OnnxConvTranspose(pads=(0, 0), output_shape=4), "pads must be None with"),
        (
            lambda: OnnxConvTranspose(output_shape=9).resolve(2, 3, 2),
            "output_shape must be at most the full size, 5, got 9",
        ),
        (lambda: OnnxConvTranspose(negative_total="zero"), "negative_total must be one of"),
        (lambda: XlaConv("SAME", 2), "input_dilation must be 1 with padding 'SAME'"),
        (lambda: JaxConvTranspose("SAME_LOWER"), "padding must be one of 'SAME', 'VALID'"),
        (lambda: KerasConv().resolve(0, 3), "n_in must be >= 1, got 0"),
        (lambda: KerasConv().resolve(8, 3, 0), "stride must be >= 1, got 0"),
        (lambda: KerasConv().resolve(np.array([3, 0]), 1), "n_in must be >= 1, got 0"),
        (lambda: KerasConv().resolve(np.array([2**40]), 1), "n_in must hold entries up to"),
        (lambda: KerasConv().resolve(2, 3), "output size must be >= 1, got 0 \\(KerasConv"),
        (lambda: onnx_pads([1, 2, 3], 2), "pads must have a begin and an end for each of 2 axes"),
        (lambda: resolve_axes([KerasConv()], (4, 4), (1, 1)), "conventions must have one entry"),
        (lambda: translate(KerasConv(), "caffe", 4, 1), "framework must be one of 'torch'"),
        (
            lambda: translate(XlaConv((0, 0), 2), "torch", 4, 1),
            "input_dilation must be 1 for a convolution in PyTorch, got 2: insert the zeros",
        ),
    ],
)
def test_bad_values(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TorchConv(1.0), "padding must be an integer >= 0, got float"),
        (lambda: TorchPool(0, 1), "ceil_mode must be True or False"),
        (lambda: KerasConv().resolve(np.array([4.0]), 1), "n_in must hold integers, got an array"),
        (lambda: KerasConv().resolve(True, 1), "n_in must be an integer >= 1, got the boolean"),
        (lambda: XlaConv(1), "padding must be a tuple"),
        (lambda: translate("same", "torch", 4, 1), "convention must be a convention, got str"),
        (lambda: resolve_axes(["same"], (4,), (1,)), "conventions must be conventions, got str"),
        (
            lambda: translate(KerasConv(), "torch", sympy.Symbol("n", integer=True), 1),
            "n_in must be a concrete integer here",
        ),
    ],
)
def test_bad_types(build, message):
    with pytest.raises(ParameterTypeError, match=message):
        build()
