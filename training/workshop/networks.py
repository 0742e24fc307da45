"""The networks that the workshop trains."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from emulsion_training.ffdnet import LAYERS
from emulsion_training.originals import load_state

from .paths import CACHE


class DegrainNet(nn.Module):
    """FFDNet (color) with the published state's names: 13 input channels (12 of the unshuffled picture, the noise map).

    The importer's `Ffdnet` takes this state as it is and restates it for WebGPU, so that a trained network exports as the
    pretrained one does and has its ports.
    """

    def __init__(self, features: int = 96) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for index in range(LAYERS):
            last = index == LAYERS - 1
            parts += [nn.Conv2d(features if index else 13, 12 if last else features, 3, 1, 1), nn.Identity() if last else nn.ReLU()]
        self.model = nn.Sequential(*parts)

    def forward(self, image: Tensor, sigma: Tensor) -> Tensor:
        """Image [B, 3, H, W] and noise map [B, 1, H/2, W/2], both in codes 0…1; H and W even."""
        x = torch.cat([functional.pixel_unshuffle(image, 2), sigma], 1)
        return functional.pixel_shuffle(self.model(x), 2)


def pretrained_degrain() -> DegrainNet:
    """With the published weights, which the importer fetches."""
    net = DegrainNet()
    net.load_state_dict(load_state(CACHE / "ffdnet_color.pth"))
    return net


def run_any_size(net: nn.Module, image: Tensor, sigma: Tensor | float) -> Tensor:
    """Runs on a picture of any size; `sigma` is a number or a map of the picture's size."""
    height, width = image.shape[-2:]
    padded = functional.pad(image, (0, width % 2, 0, height % 2), mode="replicate")
    if isinstance(sigma, Tensor):
        level = functional.avg_pool2d(functional.pad(sigma, (0, width % 2, 0, height % 2), mode="replicate").pow(2), 2).sqrt()
    else:
        level = torch.full((image.shape[0], 1, padded.shape[2] // 2, padded.shape[3] // 2), sigma, device=image.device)
    with torch.no_grad():
        return cast(Tensor, net(padded, level))[..., :height, :width]
