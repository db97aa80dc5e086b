"""Summaries of ResNet-50 against torchinfo and fvcore, answers asserted, and of 1,000 layers.

The model is ResNet-50 (He et al. 2016, arXiv:1512.03385, table 1, with the stride in the 3×3
convolution) written out below, since torchvision is not needed for anything else. All three start
from the same `torch.nn.Module`; torchinfo runs it on a tensor: on the meta
device, where no number is computed, and on the CPU, its default. fvcore traces it on the CPU (its
tracing does not run on the meta device with PyTorch 2.13). The limits are 1: at least as fast.

The definitions differ in this: torchinfo's multiply-adds count one per parameter of a batch
normalisation and one per entry of the fully connected layer's bias; fvcore counts the elements of
batch normalisations and adaptive pooling as operations of their own. Convolutions and the matrix
product are compared exactly, and torchinfo's difference is computed and asserted too.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import onnx
import torch
import torchinfo
from common import best, finish, report
from fvcore.nn import FlopCountAnalysis, parameter_count
from torch import nn

import symconv as sc
from symconv.adapters.onnx import from_onnx
from symconv.adapters.torch import from_torch
from symconv.network import Network

SHAPE = (3, 224, 224)
PARAMETERS, MACS = 25_557_032, 4_089_184_256


class Bottleneck(nn.Module):
    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or channels != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


class ResNet50(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        stages, channels = [], 64
        for depth, width, stride in ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2)):
            blocks = []
            for at in range(depth):
                blocks.append(Bottleneck(channels, width, 1 if at else stride))
                channels = 4 * width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2048, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = torch.flatten(self.avgpool(self.stages(x)), 1)
        return self.fc(x)


def against_torchinfo(model: nn.Module, ours: float, read: float) -> list[bool]:
    results = []
    for device in ("meta", "cpu"):
        placed = model.to(device) if device == "meta" else ResNet50().eval()
        time, summary = best(
            lambda placed=placed, device=device: torchinfo.summary(
                placed, (1, *SHAPE), verbose=0, device=device
            ),
            3,
        )
        norms = sum(p.numel() for m in placed.modules() if isinstance(m, nn.BatchNorm2d)
                    for p in m.parameters())  # fmt: skip
        assert summary.total_params == PARAMETERS
        assert summary.total_mult_adds == MACS + norms + placed.fc.bias.numel()
        results.append(report("ResNet-50 from PyTorch", ours, f"torchinfo, {device}", time, 1))
        results.append(
            report("ResNet-50 from its ONNX file", read, f"torchinfo, {device}", time, 1)
        )
    return results


def against_fvcore(ours: float) -> bool:
    model = ResNet50().eval()
    logging.getLogger("fvcore").setLevel(logging.ERROR)

    def run() -> tuple[int, dict[str, int]]:
        analysis = FlopCountAnalysis(model, torch.zeros(1, *SHAPE))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        return parameter_count(model)[""], dict(analysis.by_operator())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        time, (parameters, operations) = best(run, 3)
    assert parameters == PARAMETERS
    assert operations["conv"] + operations["linear"] == MACS
    return report("ResNet-50 from PyTorch", ours, "fvcore, cpu", time, 1)


def from_file() -> float:
    path = Path(onnx.__file__).parent / "backend/test/data/light/light_resnet50.onnx"
    time, table = best(lambda: from_onnx(path).table())
    assert table.totals == {"parameters": PARAMETERS, "macs": MACS}
    return time


def thousand_layers() -> bool:
    layers = [sc.Conv2d(16, 16, 3, padding=1) for _ in range(1000)]

    def run() -> str:
        table = Network(layers).table((16, 64, 64))
        assert table.totals["parameters"] == 1000 * (16 * 16 * 9 + 16)
        assert table.rows[-1]["field"] == (2001, 2001)
        return str(table)

    time, _ = best(run)
    return report("1000 convolutions, table and text", time, "one second", 1.0, 1)


def main() -> None:
    model = ResNet50().eval()
    ours, table = best(lambda: from_torch(model).table(SHAPE))
    assert table.totals == {"parameters": PARAMETERS, "macs": MACS}
    text, _ = best(lambda: str(table))
    print(f"{len(table.rows)} layers; the text of the table takes {text * 1e3:.2f} ms more")
    ours += text
    read = from_file() + text
    finish([*against_torchinfo(model, ours, read), against_fvcore(ours), thousand_layers()])


if __name__ == "__main__":
    main()
