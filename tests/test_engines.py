"""Engines: other libraries agree with the exact operator, or are refused or refuted by name."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
from importlib.util import find_spec

import numpy as np
import pytest

import symconv as sc
from symconv.adapters.engines import ENGINES, Engine, base, engine
from symconv.conventions import OnnxPool
from symconv.errors import MissingExtraError, ParameterError, SymconvError
from symconv.verifying import UnsupportedError, verify

#: Engines with the package that each needs.
PACKAGES = {
    "torch": "torch",
    "torch-channels-last": "torch",
    "torch-modules": "torch",
    "onnxruntime": "onnxruntime",
    "onnxruntime-constant": "onnxruntime",
    "onnxruntime-unoptimised": "onnxruntime",
    "onnx-reference": "onnx",
    "jax": "jax",
    "jax-consistent": "jax",
    "keras": "keras",
    "scipy-correlate": "scipy",
    "scipy-correlate2d": "scipy",
    "scipy-fftconvolve": "scipy",
    "scipy-oaconvolve": "scipy",
    "scipy-ndimage": "scipy",
}

#: Compiled anew for every geometry and batch size: fewer of them.
SLOW = ("jax", "jax-consistent", "keras")

QUICK = {"shrink": False, "name": False, "threads": False, "layouts": ("strided",)}


def made(name, **options):
    if find_spec(PACKAGES[name]) is None:
        pytest.skip(f"{PACKAGES[name]} is not installed")
    return engine(name, **options)


def random_layer(rng):
    """A geometry with different parameters on each axis, or None where it has no output."""
    rank = rng.choice([1, 2, 2, 3])

    def axes(low, high):
        return tuple(rng.randint(low, high) for _ in range(rank))

    size, kernel, stride, dilation = axes(1, 6), axes(1, 3), axes(1, 3), axes(1, 2)
    even = tuple((p, p) for p in axes(0, 1))
    padding = rng.choice([even, even, tuple(zip(axes(0, 2), axes(0, 2), strict=True))])
    groups = rng.choice([1, 1, 2])
    channels = groups * rng.randint(1, 2), groups * rng.randint(1, 2), kernel
    given = {"stride": stride, "padding": padding}
    shared = {"dilation": dilation, "groups": groups, "bias": rng.random() < 0.5}
    pooled = {"ceil_mode": rng.random() < 0.5, "dilation": rng.choice([1, dilation])}
    named = rng.choice([padding, padding, "same_upper", "same_lower", "valid", "full"])
    try:
        layer = rng.choice(
            [
                lambda: sc.Conv(*channels, **given | shared | {"padding": named}),
                lambda: sc.ConvTranspose(*channels, **given, **shared, output_padding=axes(0, 1)),
                lambda: sc.AvgPool(kernel, **given, **pooled, count_include_pad=rng.random() < 0.5),
                lambda: sc.MaxPool(kernel, **given, **pooled),
                lambda: rng.choice([sc.AdaptiveAvgPool, sc.AdaptiveMaxPool])(axes(1, 3)),
                rng.choice([sc.GlobalAvgPool, sc.GlobalMaxPool]),
            ]
        )()
        layer.operator(size)
    except SymconvError:
        return None
    return layer, size


def image_layer(rng):
    """What SciPy has: one step, no dilation, the border of its modes."""
    kernel = rng.randint(1, 3), rng.randint(1, 4)
    mode = rng.choice(["zeros", "constant", "circular", "reflect", "symmetric", "replicate"])
    low = tuple(rng.randint(0, k - 1) for k in kernel)
    exact = tuple((lo, k - 1 - lo) for lo, k in zip(low, kernel, strict=True))
    centred = tuple((k // 2, (k - 1) // 2) for k in kernel)
    padding = rng.choice([exact, centred, tuple(pad[::-1] for pad in centred), 0, "full"])
    groups = rng.choice([1, 2])
    layer = sc.Conv(groups, groups * rng.randint(1, 2), kernel, padding=padding, groups=groups,
                    bias=rng.random() < 0.5, padding_mode=mode,
                    padding_value=3 if mode == "constant" else 0)  # fmt: skip
    return layer, (rng.randint(4, 6), rng.randint(4, 6))


#: What engines get wrong: engine, layer, size, how it fails, the mistake's name if one fits.
FINDINGS = [
    ("onnx-reference", sc.ConvTranspose(2, 2, (1,), groups=2), (2,), "values",
     ("bias of the first channel added to all",)),
    ("onnx-reference", sc.ConvTranspose(4, 2, (1,), groups=2, bias=False), (1,), "raises", ()),
    ("onnx-reference", sc.ConvTranspose(1, 1, (1,), output_padding=1, dilation=2, bias=False),
     (1,), "raises", ()),
    ("onnx-reference", sc.MaxPool((2,), stride=1, padding=((0, 1),)), (2,), "shape", ()),
    ("onnx-reference", sc.MaxPool((2,), stride=1, padding=((1, 0),), ceil_mode=True), (2,),
     "values", ()),
    ("onnx-reference", sc.MaxPool((3,), stride=1, padding=1), (2,), "raises", ()),
    ("onnx-reference", sc.GlobalMaxPool(), (2, 3, 2), "shape", ()),
    ("torch", sc.AvgPool((1, 1, 2), stride=1, padding=((0, 0), (0, 0), (1, 1))), (1, 1, 1),
     "raises", ()),
]  # fmt: skip


def is_known(name, layer, size):
    """Whether a difference of this engine is of a kind that `FINDINGS` states."""
    kind = type(layer).__name__
    if name.startswith("torch"):
        return kind == "AvgPool" and layer.rank == 3
    if name != "onnx-reference":
        return False
    if kind == "ConvTranspose":
        return layer.groups > 1 or any(layer.output_padding)
    pooled = kind in ("AvgPool", "MaxPool")
    uneven = pooled and any(lo != hi for lo, hi in layer.padding)
    wide = pooled and any(layer.relation(axis, n).extent > n for axis, n in enumerate(size))
    return kind == "GlobalMaxPool" or uneven or wide or (pooled and layer.ceil_mode)


@pytest.mark.parametrize("name", [name for name in PACKAGES if "scipy" not in name])
def test_random_geometries_agree_or_are_refused_with_a_reason(name):
    implementation = made(name)
    rng = random.Random(8)
    wanted = 6 if name in SLOW else 24
    agreed = refused = 0
    while agreed < wanted and agreed + refused < 20 * wanted:
        drawn = random_layer(rng)
        if drawn is None:
            continue
        verdict = verify(implementation, *drawn, **QUICK)
        if verdict.kind == "unsupported":
            assert name in verdict.reason
            assert "must be" in verdict.reason
            assert verdict.status == "UNDECIDED"
            refused += 1
            continue
        assert verdict.agrees or is_known(name, *drawn), (drawn, verdict)
        agreed += 1
    assert refused
    assert agreed == wanted


@pytest.mark.parametrize("name", [name for name in PACKAGES if "scipy" in name])
def test_images_agree_with_scipy(name):
    implementation = made(name)
    rng = random.Random(3)
    agreed = 0
    for _ in range(80):
        layer, size = image_layer(rng)
        growth = implementation.growth(layer, size)
        verdict = verify(implementation, layer, size, growth=growth, **QUICK)
        assert verdict.agrees or verdict.kind == "unsupported", (layer, size, verdict)
        agreed += verdict.agrees
    assert agreed > 4


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: f"{finding[0]} {finding[1]}")
def test_findings_are_still_there(finding):
    name, layer, size, kind, mistakes = finding
    verdict = verify(made(name), layer, size, shrink=False,
                     name=not isinstance(layer, sc.GlobalMaxPool))  # fmt: skip
    assert verdict.status == "REFUTED"
    assert verdict.kind == kind
    assert verdict.mistakes == mistakes


def test_scipy_centres_even_kernels_in_two_ways():
    before = sc.Conv2d(1, 1, 2, padding=((1, 0), (1, 0)), bias=False)
    after = sc.Conv2d(1, 1, 2, padding=((0, 1), (0, 1)), bias=False)
    assert verify(engine("scipy-correlate"), before, (3, 4))
    assert verify(engine("scipy-correlate2d"), after, (3, 4))
    assert verify(engine("scipy-correlate"), after, (3, 4)).kind == "unsupported"


REFUSED = [
    ("torch", sc.Conv((1), 1, (2, 2, 2, 2)), (2, 2, 2, 2), "spatial axes must be at most 3"),
    ("torch", sc.Conv1d(1, 1, 2, input_dilation=2), (4,), "input_dilation must be 1"),
    ("torch", sc.Conv1d(1, 1, 3, padding=3, padding_mode="reflect"), (3,), "padding must be at m"),
    ("torch", sc.Conv1d(1, 1, 3, padding=1, padding_mode="symmetric"), (3,), "padding_mode must"),
    ("torch", sc.Conv1d(1, 1, 3, padding=-1, padding_mode="circular"), (6,), "padding must be >="),
    ("torch", sc.ConvTranspose1d(1, 1, 3, stride=2, output_padding=2), (3,), "max.stride, dilat"),
    ("torch", sc.ConvTranspose1d(1, 1, 3, padding=-1), (3,), "padding must be >= 0"),
    ("torch", sc.AvgPool1d(3, padding=2), (6,), "at most half of the kernel"),
    ("torch", sc.AvgPool1d(3, padding=((1, 0),)), (6,), "one amount >= 0 for both sides"),
    ("torch", sc.AvgPool1d(2, dilation=2), (6,), "dilation must be 1"),
    ("torch", sc.AvgPool1d(2, divisor_override=3), (6,), "divisor_override must be left out"),
    ("torch", sc.MaxPool1d(3, padding=((1, 0),), ceil_mode=True), (6,), "one amount >= 0"),
    ("torch", sc.Unfold((2,)), (4,), "layer must be one of Conv"),
    ("torch-modules", sc.Conv1d(1, 1, 3, padding=((1, 0),)), (4,), "one amount >= 0 for both"),
    ("torch-modules", sc.Conv1d(1, 1, 3, padding_mode="constant", padding_value=1), (4,), "mode"),
    ("torch-modules", sc.MaxPool1d(3, padding=((1, 0),)), (4,), "one amount up to half"),
    ("torch-channels-last", sc.Conv1d(1, 1, 3), (4,), "spatial axes must be 2 or 3"),
    ("onnxruntime", sc.Conv1d(1, 1, 2, padding=-1), (6,), "padding must be >= 0"),
    ("onnxruntime", sc.Conv1d(1, 1, 2, padding=1, padding_mode="circular"), (6,), "padding_mode"),
    ("onnxruntime", sc.Conv1d(1, 1, 2, padding="same_upper", dilation=2), (6,), "auto_pad SAME"),
    ("onnxruntime", sc.ConvTranspose1d(1, 1, 3, dilation=2, output_padding=1), (6,), "below the s"),
    ("onnxruntime", sc.ConvTranspose1d(1, 1, 3, padding=-1), (6,), "padding must be >= 0"),
    ("onnxruntime", sc.MaxPool1d(2, padding=((0, 2),), ceil_mode=True), (5,), "below the kernel"),
    ("onnxruntime", sc.AvgPool1d(2, divisor_override=3), (5,), "divisor_override"),
    ("onnx-reference", sc.ConvTranspose1d(1, 1, 3, output_padding=2), (6,), "max.stride, dilation"),
    ("onnx-reference", sc.MaxPool1d(2, padding=((0, -1),)), (6,), "padding must be >= 0"),
    ("jax", sc.Conv1d(1, 1, 2, padding=1, padding_mode="circular"), (6,), "padding_mode must be"),
    ("jax", sc.ConvTranspose1d(2, 2, 2, groups=2), (6,), "groups must be 1"),
    ("keras", sc.Conv1d(1, 1, 3, padding=((2, 1),)), (6,), "amounts of valid or same or causal"),
    ("keras", sc.Conv1d(1, 1, 3, stride=2, dilation=2), (6,), "stride must be 1 together"),
    ("keras", sc.ConvTranspose1d(1, 1, 3, output_padding=1, stride=2), (6,), "valid or same"),
    ("keras", sc.AvgPool1d(3, padding="same_upper"), (7,), "count_include_pad must be False"),
    ("keras", sc.AvgPool1d(3, divisor_override=2), (6,), "divisor_override must be left out"),
    ("keras", sc.MaxPool1d(2, ceil_mode=True), (5,), "ceil_mode must be False"),
    ("scipy-correlate", sc.Conv1d(1, 1, 3, padding=3), (6,), "padding must be that of valid"),
    ("scipy-correlate2d", sc.Conv1d(1, 1, 3), (6,), "spatial axes must be 2"),
    ("scipy-ndimage", sc.Conv1d(1, 1, 3, padding=((3, -1),)), (6,), ">= 0 and 2 in total"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "layer", "size", "match"), REFUSED, ids=lambda value: str(value)[:40]
)
def test_limits_are_refused_and_undecided(name, layer, size, match):
    implementation = made(name)
    with pytest.raises(UnsupportedError, match=match):
        implementation.build(layer, size)
    verdict = verify(implementation, layer, size)
    assert verdict.status == "UNDECIDED"
    assert verdict.kind == "unsupported"
    assert not verdict.agrees


NEAR = [
    ("torch", sc.Conv1d(1, 1, 3, padding=2, padding_mode="reflect"), (3,)),
    ("torch", sc.Conv1d(1, 1, 3, padding=((2, -1),), padding_mode="constant", padding_value=2),
     (4,)),
    ("torch", sc.Conv1d(1, 2, 4, padding="same", dilation=3), (5,)),
    ("torch", sc.ConvTranspose1d(1, 1, 3, stride=2, output_padding=1), (3,)),
    ("torch", sc.ConvTranspose1d(1, 1, 3, stride=2, padding=((2, 1),)), (3,)),
    ("torch", sc.MaxPool1d(3, padding=((0, 2),)), (6,)),
    ("torch", sc.MaxPool1d(2, stride=3, padding=OnnxPool("SAME_LOWER")), (7,)),
    ("torch-modules", sc.Conv2d(1, 2, 3, padding=(1, 2), padding_mode="circular"), (3, 4)),
    ("onnxruntime", sc.AvgPool1d(3, padding=OnnxPool("SAME_LOWER"), stride=2), (6,)),
    ("onnxruntime", sc.AvgPool1d(3, stride=2, ceil_mode=True, padding=((0, 2),)), (6,)),
    ("onnxruntime", sc.AvgPool1d(2, dilation=2), (6,)),
    ("jax", sc.Conv1d(1, 1, 2, padding=((-1, 3),), input_dilation=2, stride=2), (4,)),
    ("jax", sc.AvgPool1d(2, padding=((0, 1),), stride=1, ceil_mode=True), (3,)),
    ("keras", sc.Conv1d(2, 2, 3, padding="causal", dilation=2), (4,)),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize(("name", "layer", "size"), NEAR, ids=lambda value: str(value)[:40])
def test_what_lies_just_within_the_limits_agrees(name, layer, size):
    verdict = verify(made(name), layer, size, **QUICK)
    assert verdict.status == "PROVED", verdict


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_types_are_those_of_the_arguments(dtype):
    layer = sc.Conv2d(2, 2, (2, 3), padding=1)
    for name in ("torch", "jax"):
        verdict = verify(made(name), layer, (3, 4), dtype=dtype, **QUICK)
        assert verdict.status == "PROVED", verdict


def test_a_type_without_a_kernel_is_unsupported():
    verdict = verify(made("onnxruntime"), sc.Conv1d(1, 1, 2), (4,), dtype="int64", **QUICK)
    assert verdict.status != "PROVED"
    assert verdict.kind in ("unsupported", "raises")


@pytest.mark.parametrize("name", ["torch", "onnxruntime", "scipy-ndimage"])
def test_a_planted_defect_is_refuted_and_named(name):
    kind = type(made(name))

    class Swapped(kind):
        """Puts the padding on the other side."""

        def conv(self, layer, size):
            pads = tuple(pair[::-1] for pair in base.pads_of(layer, size))
            return super().conv(type(layer)(**vars(layer) | {"padding": pads}), size)

    layer = sc.Conv2d(2, 3, (3, 4), padding=((2, 0), (1, 2)))
    verdict = verify(Swapped(), layer, (6, 7))
    assert verdict.status == "REFUTED"
    assert any("padding" in mistake for mistake in verdict.mistakes), verdict
    assert max(verdict.counterexample.input_size) <= 4
    assert verify(kind(), layer, (6, 7), **QUICK).agrees


def test_jax_pads_of_the_wrong_meaning_are_refuted():
    kind = type(made("jax"))

    class Confused(kind):
        """Takes the padding of the spread input for that of the forward convolution."""

        use_consistent_padding = True

        def conv_transpose(self, layer, size):
            self.use_consistent_padding = False
            fn = super().conv_transpose(layer, size)
            self.use_consistent_padding = True
            return fn

    layer = sc.ConvTranspose1d(1, 1, 3, stride=2, bias=False)
    assert verify(Confused(), layer, (3,), **QUICK).kind in ("shape", "values")


def test_old_operator_sets_keep_every_window_or_say_so():
    layer = sc.MaxPool1d(1, stride=2, ceil_mode=True)
    old = made("onnx-reference", opset=21)
    with pytest.raises(UnsupportedError, match="padding must be a rule"):
        old.build(sc.MaxPool1d(2, stride=1, padding=((0, 2),), ceil_mode=True), (2,))
    assert verify(old, layer, (3,), **QUICK)
    for opset, match in ((9, "padding must be a rule"), (18, "1 before operator set 19")):
        pooled = sc.AvgPool1d(2, stride=2, dilation=2 if opset > 9 else 1, ceil_mode=opset == 9)
        with pytest.raises(UnsupportedError, match=match):
            made("onnx-reference", opset=opset).build(pooled, (5,))
    with pytest.raises(UnsupportedError, match="before operator set 10"):
        made("onnx-reference", opset=9).build(sc.MaxPool1d(2, dilation=2), (5,))


def test_the_table_is_whole_and_says_what_it_takes():
    assert set(PACKAGES) | {"torch-compile"} == set(ENGINES)
    for name in PACKAGES:
        implementation = made(name)
        assert implementation.name == name
        assert isinstance(implementation, Engine)
        assert not callable(implementation)
        assert repr(implementation) == f"engine({name!r})"
        assert implementation.version[0].isdigit()
        table = implementation.supported()
        assert all(kind in table for kind in implementation.takes)
        assert max(map(len, table.splitlines())) <= 100
        assert set(implementation.takes) <= set(Engine.METHODS)


def test_bad_names_and_options():
    with pytest.raises(ParameterError, match="engine must be one of 'torch'"):
        engine("tensorrt")
    with pytest.raises(ParameterError, match="options of scipy-correlate must be among none"):
        engine("scipy-correlate", opset=3)
    pytest.importorskip("onnx")
    with pytest.raises(ParameterError, match="opset must be >= 1"):
        engine("onnx-reference", opset=0)


def test_a_missing_library_names_the_extra(monkeypatch):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(base, "import_module", missing)
    with pytest.raises(
        MissingExtraError, match=r"torch needs torch: pip install .symconv\[torch\]"
    ):
        engine("torch")
    with pytest.raises(MissingExtraError, match=r"symconv\[peers\]"):
        engine("jax")


def test_importing_the_table_imports_no_library():
    code = textwrap.dedent(
        """
        import sys
        import symconv.adapters.engines
        libraries = ("torch", "jax", "onnx", "onnxruntime", "keras")
        print([name for name in libraries if name in sys.modules])
        """
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_stored_weights_are_stored():
    implementation = made("onnxruntime-constant")
    fn = implementation.build(sc.Conv1d(1, 1, 2, bias=False), (3,))
    x = np.ones((1, 1, 3), np.float32)
    for value in (1, 2):
        assert fn(x, np.full((1, 1, 2), value, np.float32)).tolist() == [[[2 * value] * 2]]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_compiled():
    pytest.importorskip("torch")
    try:
        implementation = engine("torch-compile")
    except MissingExtraError as error:
        pytest.skip(str(error))
    for layer, size in [
        (sc.Conv2d(2, 3, (2, 3), padding=(1, 0), stride=(2, 1)), (4, 5)),
        (sc.AvgPool1d(2, stride=2, ceil_mode=True), (5,)),
    ]:
        assert verify(implementation, layer, size, **QUICK).status == "PROVED"
    assert verify(implementation, sc.AvgPool1d(2, dilation=2), (5,)).kind == "unsupported"


def test_compiling_without_a_compiler_says_so(monkeypatch):
    builder = pytest.importorskip("torch._inductor.cpp_builder")

    def none():
        raise RuntimeError("no compiler")

    monkeypatch.setattr(builder, "get_cpp_compiler", none)
    with pytest.raises(MissingExtraError, match=r"needs a C\+\+ compiler: no compiler"):
        engine("torch-compile")


@pytest.mark.parametrize("name", ["scipy-correlate", "scipy-oaconvolve", "scipy-ndimage"])
def test_engines_of_images_take_none(name):
    layer = sc.Conv2d(2, 3, 3, padding=1, bias=False)
    run = engine(name).conv(layer, (5, 6))
    assert run(np.zeros((0, 2, 5, 6)), np.ones((3, 2, 3, 3))).shape == (0, 3, 5, 6)
