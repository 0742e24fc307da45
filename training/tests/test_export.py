"""The export: float16 storage, and the check that refuses what WebGPU would not run rightly."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from emulsion_training.export import ExportRequest, Port, check_for_webgpu, export, gflop, operators, opset


class Small(nn.Module):
    """A convolution, wide enough to be stored as float16, then what the test wants to see refused or passed."""

    def __init__(self, channels: int, after: str = "relu") -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 64, 3, padding=1)
        self.after = after

    def forward(self, image: Tensor) -> Tensor:
        """Convolves, then rounds or rectifies."""
        x = self.conv(image)
        return torch.round(x) if self.after == "round" else torch.relu(x)


def request(module: nn.Module, channels: int) -> ExportRequest:
    """A request with dynamic size."""
    image = Port("image", [1, channels, "H", "W"], "", "")
    out = Port("out", [1, 64, "H", "W"], "", "")
    return ExportRequest(module, (torch.rand(1, channels, 8, 8),), [image], [out], {"id": "x"})


def test_a_fit_model_passes_and_repeats() -> None:
    module = Small(4)
    first, second = export(request(module, 4)), export(request(module, 4))
    assert check_for_webgpu(first) == []
    assert opset(first) == 17
    assert operators(first) == {"Cast": 1, "Conv": 1, "Relu": 1}
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)
    names = [dim.dim_param or dim.dim_value for dim in first.graph.input[0].type.tensor_type.shape.dim]
    assert names == [1, 4, "H", "W"]


def test_weights_are_half_and_biases_are_exact() -> None:
    module = Small(4)
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in export(request(module, 4)).graph.initializer}
    assert stored["conv.weight.f16"].dtype == np.float16
    assert np.array_equal(stored["conv.bias"], module.conv.bias.detach().numpy())  # type: ignore[union-attr]


def test_weights_beyond_half_precision_are_refused() -> None:
    module = Small(4)
    module.conv.weight.data[0, 0, 0, 0] = 1e6
    with pytest.raises(ValueError, match="float16"):
        export(request(module, 4))


def test_what_webgpu_gets_wrong_is_named() -> None:
    assert "15 input channels" in check_for_webgpu(export(request(Small(15), 15)))[0]
    assert "operator Round" in check_for_webgpu(export(request(Small(4, "round"), 4)))[0]
    newer = export(request(Small(4), 4))
    newer.opset_import[0].version = 20
    assert "opset 20" in check_for_webgpu(newer)[0]
    wide = export(request(Small(4), 4))
    wide.graph.initializer.append(numpy_helper.from_array(np.zeros(5000, np.float32), "left.single"))
    assert "left.single" in check_for_webgpu(wide)[0]


def test_cost_is_counted() -> None:
    model: onnx.ModelProto = export(request(Small(4), 4))
    assert gflop(model, {"image": (1, 4, 10, 20)}) == pytest.approx(2 * 200 * 64 * 4 * 9 / 1e9)
