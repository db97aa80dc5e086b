"""PyTorch modules as networks: shapes, parameters and errors against PyTorch itself."""

from __future__ import annotations

import random
import sys

import pytest

import symconv as sc
from symconv.errors import (
    GeometryError,
    MissingExtraError,
    ParameterError,
    ParameterTypeError,
    SymconvError,
)
from symconv.network import ChannelShuffle, Network

torch = pytest.importorskip("torch")
nn = torch.nn
functional = nn.functional

from symconv.adapters.torch import from_torch  # noqa: E402

#: avg_pool3d alone compares the kernel with the input before padding: a limit, not arithmetic.
LIMIT = "smaller than kernel size"


def torch_shape(module, shape):
    """The output shape by PyTorch's own forward, None where it refuses or gives nothing.

    Of a transposed convolution PyTorch returns empty outputs, which symconv refuses.
    """
    try:
        with torch.inference_mode():
            found = tuple(module.eval()(torch.zeros(2, *shape)).shape[1:])
            return found if all(found) else None
    except RuntimeError as error:
        return LIMIT if LIMIT in str(error) else None


def our_shape(module, shape):
    try:
        return from_torch(module).output_shape(shape)
    except (GeometryError, ParameterError, sc.SymconvError):
        return None


def random_layer(rng, rank, channels):
    def amount(low, high):
        return tuple(rng.randint(low, high) for _ in range(rank))

    kind = rng.choice(["Conv", "Conv", "ConvTranspose", "MaxPool", "AvgPool", "BatchNorm", "ReLU"])
    make = getattr(nn, kind if kind == "ReLU" else f"{kind}{rank}d")
    kernel = amount(1, 3)
    if kind == "Conv":
        stride = amount(1, 3)
        mode = rng.choice(["zeros", "zeros", "circular", "replicate"])
        padding = rng.choice(["valid", amount(0, 2), amount(0, 2)])
        if rng.random() < 0.2:
            stride, padding = 1, "same"
        out = rng.choice([2, 4, 6])
        layer = make(
            channels, out, kernel, stride, padding, amount(1, 2), rng.choice([1, 2]),
            bool(rng.getrandbits(1)), mode,
        )  # fmt: skip
        return layer, out
    if kind == "ConvTranspose":
        stride, dilation, out = amount(1, 3), amount(1, 2), rng.choice([2, 4])
        extra = tuple(rng.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True))
        layer = make(channels, out, kernel, stride, amount(0, 2), extra, 2, True, dilation)
        return layer, out
    if kind in ("MaxPool", "AvgPool"):
        stride = rng.choice([None, amount(1, 3)])
        padding = tuple(rng.randint(0, k // 2) for k in kernel)
        return make(kernel, stride, padding, ceil_mode=bool(rng.getrandbits(1))), channels
    return (make(channels) if kind == "BatchNorm" else make()), channels


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_random_models_have_torchs_shapes_and_errors(rank):
    rng = random.Random(rank)
    refused = 0
    for _ in range(200):
        layers, channels = [], 2
        for _ in range(rng.randint(1, 4)):
            layer, channels = random_layer(rng, rank, channels)
            layers.append(layer)
        module = nn.Sequential(*layers)
        shape = (2, *(rng.randint(2, 12) for _ in range(rank)))
        expected = torch_shape(module, shape)
        refused += expected is None
        if expected != LIMIT:
            assert our_shape(module, shape) == expected, (module, shape)
        count = sum(parameter.numel() for parameter in module.parameters())
        assert from_torch(module).parameter_count() == count
    assert refused > 5


@pytest.mark.parametrize("module", [
    nn.ZeroPad2d((1, 2, 3, 4)), nn.ConstantPad2d((1, 0, 2, 0), 3.5), nn.ReflectionPad2d(2),
    nn.ReplicationPad2d((0, 1, 2, 3)), nn.CircularPad2d((1, 2, 0, 0)), nn.ZeroPad2d(-1),
    nn.AdaptiveAvgPool2d(1), nn.AdaptiveAvgPool2d((2, 3)), nn.AdaptiveAvgPool2d((None, 4)),
    nn.AdaptiveMaxPool2d(3), nn.AdaptiveAvgPool2d((5, 20)), nn.AdaptiveMaxPool2d((4, 7)),
    nn.LPPool2d(2, 3), nn.LPPool2d(float("inf"), (2, 5), 2, ceil_mode=True),
    nn.LocalResponseNorm(3), nn.ChannelShuffle(2), nn.Softmax(1),
    nn.Softmax2d(), nn.LogSoftmax(-1), nn.Flatten(), nn.Flatten(2), nn.Flatten(1, 2),
    nn.Flatten(-2), nn.Dropout2d(), nn.Identity(), nn.PReLU(4), nn.GELU(), nn.Linear(12, 5),
    nn.BatchNorm2d(4, affine=False), nn.SyncBatchNorm(4), nn.Sequential(nn.Sequential(nn.ReLU())),
    nn.MaxPool2d(3), nn.AvgPool2d(2, divisor_override=3), nn.Hardswish(),
])  # fmt: skip
def test_every_module_of_the_table(module):
    net = from_torch(module)
    assert net.output_shape((4, 6, 12)) == torch_shape(module, (4, 6, 12))
    assert net.parameter_count() == sum(p.numel() for p in module.parameters())


def test_values_of_parameters_arrive():
    module = nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 3), 2, False, "reflect")
    assert from_torch(module).steps[0].node == sc.Conv(
        4, 6, (3, 2), stride=(2, 1), padding=((1, 1), (0, 0)), dilation=(1, 3), groups=2,
        bias=False, padding_mode="reflect",
    )  # fmt: skip
    pool = from_torch(nn.AvgPool2d(3, 2, 1, True, False, 5)).steps[0].node
    assert pool == sc.AvgPool(
        (3, 3), stride=2, padding=1, ceil_mode=True, count_include_pad=False, divisor_override=5
    )
    pads = from_torch(nn.ZeroPad2d((1, 2, 3, 4))).steps[0].node
    assert pads == sc.Pad(((3, 4), (1, 2)))


class Residual(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.down = nn.Conv2d(channels, out, 1, stride) if stride > 1 else None

    def forward(self, x):
        y = self.conv2(self.relu(self.norm(self.conv1(x))))
        y += x if self.down is None else self.down(x)
        return self.relu(y)


class Branching(nn.Module):
    """Functions, methods and sizes of the usual kinds."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Residual(3, 8, 2), Residual(8, 8, 1))
        self.side = nn.ModuleList([nn.Conv2d(8, 4, 1), nn.Conv2d(8, 4, 3, padding=1)])
        self.shared = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8 * 4 * 4, 10)

    def forward(self, x):
        x = self.blocks(x)
        x = torch.cat([conv(x) for conv in self.side], dim=1)
        b, c, h, w = x.shape
        x = x.view(b, 2, c // 2, h, w).transpose(1, 2).contiguous().view(b, c, h, w)
        x = functional.relu(self.shared(self.shared(x))) * 0.5 + 1
        x = functional.max_pool2d(x, 2, stride=2)
        x = functional.pad(functional.avg_pool2d(x, 3, 1), (1, 1, 1, 1))
        x = functional.dropout(x, training=self.training)
        return functional.softmax(self.head(x.view(x.size(0), -1)), dim=1)


def test_traced_modules():
    module = Branching()
    net = from_torch(module, (3, 16, 16))
    assert net.output_shape() == torch_shape(module, (3, 16, 16)) == (10,)
    assert net.parameter_count() == sum(p.numel() for p in module.parameters())
    rows = {row["name"]: row for row in net.table().rows}
    assert rows["blocks.0.conv1"]["output_shape"] == (8, 8, 8)
    assert rows["shared"]["parameters"] == 584
    assert rows["shared#2"]["parameters"] == 0
    assert rows["shared#2"]["field"] == (27, 27)
    with pytest.raises(ParameterError, match="input_shape must be given"):
        from_torch(module)


def test_shapes_of_traced_modules_equal_torchs_step_by_step():
    module = Branching().eval()
    seen = {}
    for name, inner in module.named_modules():
        if not list(inner.children()):
            inner.register_forward_hook(
                lambda m, i, o, name=name: seen.update({name: tuple(o.shape[1:])})
            )
    module(torch.zeros(2, 3, 16, 16))
    shapes = from_torch(module, (3, 16, 16)).shapes()
    assert seen
    assert all(shapes[name] == shape for name, shape in seen.items())


class Mean(nn.Module):
    def forward(self, x):
        return x.mean([2, 3])


def test_mean_over_positions():
    net = from_torch(Mean(), (3, 4, 5))
    assert net.output_shape() == (3,)
    assert [type(step.node).__name__ for step in net.steps] == ["GlobalAvgPool", "Flatten"]


def test_weights_tied_between_modules_count_once():
    first, second = nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)
    second.weight = first.weight
    module = nn.Sequential(first, second)
    assert from_torch(module).parameter_count() == sum(p.numel() for p in module.parameters())


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.function(self, x)


@pytest.mark.parametrize(("function", "words"), [
    (lambda m, x: torch.fft.fft(x).abs(), "operation must be one that symconv follows"),
    (lambda m, x: x if x.sum() > 0 else -x, "traceable by torch.fx"),
    (lambda m, x: functional.interpolate(x, scale_factor=2), "follows, got 'interpolate'"),
    (lambda m, x: x * m.weight, "must not use a parameter on its own, got 'weight'"),
    (lambda m, x: (x, x), "must return one tensor"),
    (lambda m, x: x, "one without layers"),
    (lambda m, x: x.flatten(), "start_dim must be an axis after the batch, got 0"),
    (lambda m, x: torch.cat([x, x]), "dim must be an axis after the batch, got 0"),
    (lambda m, x: x.permute(1, 0, 2, 3), "order must keep the batch first"),
    (lambda m, x: torch.relu(x).view(3, -1), "must begin with the batch size"),
    (lambda m, x: functional.max_pool2d(x, 2, padding=2), "at most half of kernel_size"),
    (lambda m, x: functional.max_pool2d(x, x.mean()), "must be"),
])  # fmt: skip
def test_what_cannot_be_followed_is_named(function, words):
    with pytest.raises(ParameterError, match=words):
        from_torch(Function(function), (3, 8, 8))


def test_modules_that_are_refused():
    with pytest.raises(ParameterTypeError, match=r"module must be a torch\.nn\.Module, got int 3"):
        from_torch(3)
    with pytest.raises(ParameterError, match="return_indices must be False"):
        from_torch(nn.MaxPool2d(2, return_indices=True))
    with pytest.raises(ParameterError, match="output_padding must be smaller"):
        from_torch(nn.ConvTranspose2d(1, 1, 3, stride=2, output_padding=2))
    with pytest.raises(SymconvError, match="LSTM"):
        from_torch(nn.LSTM(3, 4))
    with pytest.raises(ParameterError, match="norm_type must be even, and ceil_mode False"):
        from_torch(nn.LPPool2d(3, 2))
    with pytest.raises(ParameterError, match="norm_type must be even, and ceil_mode False"):
        from_torch(nn.LPPool1d(2, 2, ceil_mode=True))
    with pytest.raises(ParameterError, match="return_indices must be False"):
        from_torch(nn.AdaptiveMaxPool1d(3, return_indices=True))

    class Doubled(nn.Conv2d):
        def forward(self, x):
            return super().forward(super().forward(x))

    # A subclass may compute anything: it is traced, never taken for its base.
    with pytest.raises(ParameterError, match="must not use a parameter on its own"):
        from_torch(Doubled(3, 3, 3))


def test_deep_nesting_is_no_recursion():
    module = nn.ReLU()
    for _ in range(3000):
        module = nn.Sequential(module)
    assert len(from_torch(module)) == 1


def test_channel_shuffle_arrives():
    assert isinstance(from_torch(nn.ChannelShuffle(2)).steps[0].node, ChannelShuffle)
    assert isinstance(from_torch(nn.ReLU()), Network)


def test_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"symconv\[torch\]"):
        from_torch(object())
