"""FFDNet (color) in the form that runs wholly on WebGPU: the unshuffle by strided slices, 13 input channels as 16."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

LAYERS = 12


class Ffdnet(nn.Module):
    """The exported denoiser: image [1,3,H,W] and sigma [1,1,H/2,W/2] (noise σ / 255) to image [1,3,H,W]."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        convs: list[nn.Conv2d] = []
        for index in range(LAYERS):
            weight, bias = state[f"model.{2 * index}.weight"], state[f"model.{2 * index}.bias"]
            if index == 0:
                weight = reorder_first(weight)
            conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3, 1, 1)
            conv.weight.data, conv.bias.data = weight, bias  # type: ignore[union-attr]
            convs.append(conv)
        self.convs = nn.ModuleList(convs)

    def forward(self, image: Tensor, sigma: Tensor) -> Tensor:
        """Denoises; H and W even."""
        parts = [image[:, :, dy::2, dx::2] for dy in (0, 1) for dx in (0, 1)]
        x = torch.cat([*parts, sigma, sigma, sigma, sigma], 1)
        for index, conv in enumerate(self.convs):
            x = conv(x)
            if index < LAYERS - 1:
                x = functional.relu(x)
        return functional.pixel_shuffle(x, 2)


class TrainableFfdnet(nn.Module):
    """The same network under the published state's names, with 13 input channels: the form in which it is trained on."""

    def __init__(self, features: int = 96) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for index in range(LAYERS):
            last = index == LAYERS - 1
            parts += [nn.Conv2d(features if index else 13, 12 if last else features, 3, 1, 1), nn.Identity() if last else nn.ReLU()]
        self.model = nn.Sequential(*parts)

    def forward(self, image: Tensor, sigma: Tensor) -> Tensor:
        """Image [B,3,H,W] and sigma [B,1,H/2,W/2] to image [B,3,H,W]; H and W even."""
        x = torch.cat([functional.pixel_unshuffle(image, 2), sigma], 1)
        return functional.pixel_shuffle(self.model(x), 2)


def published(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """An exported net's weights (of `Ffdnet`) under the published names, in the published order: what `TrainableFfdnet` loads."""
    result = {f"model.{2 * index}.{kind}": state[f"convs.{index}.{kind}"] for index in range(LAYERS) for kind in ("weight", "bias")}
    # What `reorder_first` did, undone.
    back = [phase * 3 + color for color in range(3) for phase in range(4)] + [12]
    result["model.0.weight"] = result["model.0.weight"][:, back]
    return result


def reorder_first(weight: Tensor) -> Tensor:
    """The first weight [96,13,3,3] for the slices' channel order, with three zero channels after the noise map.

    The original's unshuffle orders channels as (color, dy, dx); slices give (dy, dx, color).
    """
    order = [color * 4 + phase for phase in range(4) for color in range(3)] + [12]
    zeros = torch.zeros(weight.shape[0], 3, *weight.shape[2:], dtype=weight.dtype)
    return torch.cat([weight[:, order], zeros], 1)
