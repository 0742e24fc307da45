"""A reader for ncnn's text graphs (`.param`) and flat weight files (`.bin`), and a plain PyTorch interpreter of them.

The interpreter is the *original* that exported networks are compared with: it executes the graph
layer by layer exactly as the file states it, and knows nothing of the modules written for export.

Weight file, in graph order: a convolution's blob starts with a 4-byte tag (0x01306B47: float16, padded
to 4 bytes; 0: float32), then come the weights (out, in, kh, kw) and the bias in float32. PReLU
slopes and MemoryData are bare float32. The whole file has to be consumed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

MAGIC = "7767517"
TAG_FLOAT16 = 0x01306B47
TAG_FLOAT32 = 0


class NcnnFormatError(ValueError):
    """A `.param` or `.bin` file that this reader cannot read faithfully."""


@dataclass
class Layer:
    """One line of a `.param` file with the weights it owns."""

    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    params: dict[int, float]
    weights: dict[str, np.ndarray] = field(default_factory=dict)

    def integer(self, key: int, default: int = 0) -> int:
        """An integer parameter by ncnn's numeric key."""
        return int(self.params.get(key, default))


def parse_param(text: str) -> list[Layer]:
    """The layers of a `.param` text, in file order (which is the order of execution and of the weights)."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != [MAGIC]:
        raise NcnnFormatError(f"magic number: expected {MAGIC}, got {lines[0] if lines else 'nothing'}")
    if len(lines) < 2 or len(lines[1]) != 2:
        raise NcnnFormatError("second line: expected layer and blob counts")
    layer_count, blob_count = (int(word) for word in lines[1])
    layers = [_parse_layer(words) for words in lines[2:]]
    if len(layers) != layer_count:
        raise NcnnFormatError(f"layers: header says {layer_count}, file has {len(layers)}")
    blobs = [name for layer in layers for name in layer.outputs]
    if len(set(blobs)) != blob_count:
        raise NcnnFormatError(f"blobs: header says {blob_count}, file has {len(set(blobs))}")
    known: set[str] = set()
    for layer in layers:
        missing = [name for name in layer.inputs if name not in known]
        if missing:
            raise NcnnFormatError(f"layer {layer.name}: unknown inputs {missing}")
        known.update(layer.outputs)
    return layers


def _parse_layer(words: list[str]) -> Layer:
    try:
        kind, name = words[0], words[1]
        n_in, n_out = int(words[2]), int(words[3])
        names = words[4 : 4 + n_in + n_out]
        params = {int(key): float(value) for key, value in (word.split("=") for word in words[4 + n_in + n_out :])}
    except (ValueError, IndexError) as error:
        raise NcnnFormatError(f"layer line {' '.join(words)!r}: {error}") from error
    if len(names) != n_in + n_out:
        raise NcnnFormatError(f"layer {name}: expected {n_in + n_out} blob names, got {len(names)}")
    return Layer(kind, name, names[:n_in], names[n_in:], params)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.offset = 0

    def take(self, count: int, dtype: str) -> np.ndarray:
        size = count * np.dtype(dtype).itemsize
        if self.offset + size > len(self.data):
            raise NcnnFormatError(f"weights end at byte {len(self.data)}, {self.offset + size} wanted")
        values = np.frombuffer(self.data, dtype=dtype, count=count, offset=self.offset)
        self.offset += size
        return values.astype(np.float32) if dtype != "<u4" else values

    def tagged(self, count: int) -> np.ndarray:
        tag = int(self.take(1, "<u4")[0])
        if tag == TAG_FLOAT32:
            return self.take(count, "<f4")
        if tag != TAG_FLOAT16:
            raise NcnnFormatError(f"weight tag at byte {self.offset - 4}: got 0x{tag:08X}")
        values = self.take(count, "<f2")
        self.offset += self.offset % 4
        return values


def read_weights(layers: list[Layer], data: bytes) -> None:
    """Fills `Layer.weights` from a `.bin` file. The file must be consumed exactly."""
    reader = _Reader(data)
    for layer in layers:
        if layer.kind == "Convolution":
            out, kernel, count = layer.integer(0), layer.integer(1), layer.integer(6)
            if count % (out * kernel * kernel):
                raise NcnnFormatError(f"layer {layer.name}: {count} weights do not fill {out}×?×{kernel}×{kernel}")
            layer.weights["weight"] = reader.tagged(count).reshape(out, -1, kernel, kernel)
            if layer.integer(5):
                layer.weights["bias"] = reader.take(out, "<f4")
        elif layer.kind == "PReLU":
            layer.weights["slope"] = reader.take(layer.integer(0), "<f4")
        elif layer.kind == "MemoryData":
            # ncnn's order is (w, h, c); the tensor's is (c, h, w).
            width, height, channels = (layer.integer(key) for key in (0, 1, 2))
            layer.weights["data"] = reader.take(width * height * channels, "<f4").reshape(channels, height, width)
    if reader.offset != len(data):
        raise NcnnFormatError(f"weights: {len(data) - reader.offset} bytes left over")


def load_ncnn(param: Path, weights: Path) -> list[Layer]:
    """Reads a graph and its weights from disk."""
    layers = parse_param(param.read_text(encoding="utf-8"))
    read_weights(layers, weights.read_bytes())
    return layers


class NcnnNetwork(nn.Module):
    """Executes an ncnn graph in PyTorch: one input blob `data`, one output blob `output`, RGB 0…1."""

    def __init__(self, layers: list[Layer]) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, image: Tensor) -> Tensor:
        """Runs the graph on an image [1, 3, H, W]."""
        blobs: dict[str, Tensor] = {}
        for layer in self.layers:
            if layer.kind == "Input":
                blobs[layer.outputs[0]] = image
                continue
            results = self._run(layer, [blobs[name] for name in layer.inputs])
            blobs.update(zip(layer.outputs, results, strict=True))
        return blobs["output"]

    def _run(self, layer: Layer, args: list[Tensor]) -> list[Tensor]:
        match layer.kind:
            case "MemoryData":
                return [torch.from_numpy(layer.weights["data"]).unsqueeze(0)]
            case "Split":
                return [args[0]] * len(layer.outputs)
            case "Convolution":
                return [_convolution(layer, args[0])]
            case "Swish":
                return [args[0] * torch.sigmoid(args[0])]
            case "Sigmoid":
                return [torch.sigmoid(args[0])]
            case "PReLU":
                return [functional.prelu(args[0], torch.from_numpy(layer.weights["slope"]))]
            case "Concat":
                return [torch.cat(args, 1)]
            case "PixelShuffle":
                return [functional.pixel_shuffle(args[0], layer.integer(0))]
            case "BinaryOp":
                return [_binary(layer, args)]
            case "Interp":
                if layer.integer(0) != 1:
                    raise NcnnFormatError(f"layer {layer.name}: only nearest Interp is known")
                return [functional.interpolate(args[0], scale_factor=layer.params[1], mode="nearest")]
            case _:
                raise NcnnFormatError(f"layer {layer.name}: unknown kind {layer.kind}")


def _convolution(layer: Layer, image: Tensor) -> Tensor:
    weight = torch.from_numpy(layer.weights["weight"])
    bias = torch.from_numpy(layer.weights["bias"]) if "bias" in layer.weights else None
    stride, dilation = layer.integer(3, 1), layer.integer(2, 1)
    return functional.conv2d(image, weight, bias, stride=stride, dilation=dilation, padding=layer.integer(4))


def _binary(layer: Layer, args: list[Tensor]) -> Tensor:
    other = args[1] if len(args) == 2 else layer.params.get(2, 0.0)
    operation = layer.integer(0)
    if operation == 0:
        return args[0] + other
    if operation == 1:
        return args[0] - other
    if operation == 2:
        return args[0] * other
    raise NcnnFormatError(f"layer {layer.name}: unknown BinaryOp {operation}")
