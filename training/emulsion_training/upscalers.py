"""SPAN and SRVGG (Real-ESRGAN general, fast) as modules for export, filled from ncnn weights."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from .ncnn import Layer
from .padding import pad_input_channels

SPAN_BLOCKS = 6


def _conv(layer: Layer) -> nn.Conv2d:
    weight = torch.from_numpy(layer.weights["weight"])
    if weight.shape[1] % 4:
        weight = pad_input_channels(weight)
    kernel = weight.shape[2]
    conv = nn.Conv2d(weight.shape[1], weight.shape[0], kernel, 1, kernel // 2)
    conv.weight.data = weight
    conv.bias.data = torch.from_numpy(layer.weights["bias"])  # type: ignore[union-attr]
    return conv


def _four_channels(image: Tensor) -> Tensor:
    """RGB and a copy of R, which meets zero weights."""
    return torch.cat([image, image[:, :1]], 1)


class SpanBlock(nn.Module):
    """Three convolutions; the last one also gates the residual: (f + x) · (sigmoid(f) − ½)."""

    def __init__(self, layers: list[Layer]) -> None:
        super().__init__()
        self.c1, self.c2, self.c3 = (_conv(layer) for layer in layers)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The block's output and its first activation (which the last block passes on)."""
        first = self.c1(x)
        first = first * torch.sigmoid(first)
        second = self.c2(first)
        third = self.c3(second * torch.sigmoid(second))
        return (third + x) * (torch.sigmoid(third) - 0.5), first


class Span(nn.Module):
    """SPAN with 48 channels: image [1,3,H,W] RGB 0…1 to [1,3,H·s,W·s]."""

    def __init__(self, layers: list[Layer]) -> None:
        super().__init__()
        convs = [layer for layer in layers if layer.kind == "Convolution"]
        if len(convs) != 1 + 3 * SPAN_BLOCKS + 3:
            raise ValueError(f"SPAN: expected {1 + 3 * SPAN_BLOCKS + 3} convolutions, got {len(convs)}")
        mean = next(layer for layer in layers if layer.kind == "MemoryData").weights["data"]
        self.mean = nn.Parameter(torch.from_numpy(mean).reshape(1, 3, 1, 1))
        self.scale = next(layer for layer in layers if layer.kind == "PixelShuffle").integer(0)
        self.first = _conv(convs[0])
        self.blocks = nn.ModuleList([SpanBlock(convs[1 + 3 * i : 4 + 3 * i]) for i in range(SPAN_BLOCKS)])
        self.last, self.fuse, self.up = (_conv(layer) for layer in convs[-3:])

    def forward(self, image: Tensor) -> Tensor:
        """Upscales; any H and W."""
        first = self.first(_four_channels((image - self.mean) * 255.0))
        x, blocks, inner = first, [], first
        for block in self.blocks:
            x, inner = block(x)
            blocks.append(x)
        fused = self.fuse(torch.cat([first, self.last(x), blocks[0], inner], 1))
        return functional.pixel_shuffle(self.up(fused), self.scale)


class Srvgg(nn.Module):
    """Real-ESRGAN general x4 v3: image [1,3,H,W] RGB 0…1 to [1,3,4H,4W].

    PReLU stays one operator: the CPU has a kernel for it, and for WebGPU onnxruntime inlines the operator's
    function body (Less, Mul, Where).
    """

    scale = 4

    def __init__(self, layers: list[Layer]) -> None:
        super().__init__()
        self.convs = nn.ModuleList([_conv(layer) for layer in layers if layer.kind == "Convolution"])
        slopes = [layer.weights["slope"] for layer in layers if layer.kind == "PReLU"]
        if len(self.convs) != len(slopes) + 1:
            raise ValueError(f"SRVGG: {len(self.convs)} convolutions with {len(slopes)} activations")
        self.slopes = nn.ParameterList([torch.from_numpy(slope) for slope in slopes])

    def forward(self, image: Tensor) -> Tensor:
        """Upscales; any H and W."""
        x = _four_channels(image)
        for index, conv in enumerate(self.convs):
            x = conv(x)
            if index < len(self.slopes):
                x = functional.prelu(x, self.slopes[index])
        base = functional.interpolate(image, scale_factor=4.0, mode="nearest")
        return functional.pixel_shuffle(x, 4) + base
