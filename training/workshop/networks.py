"""The networks that the workshop trains, and how they are run on whole pictures."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from emulsion_training.ffdnet import TrainableFfdnet
from emulsion_training.originals import load_state

from .paths import CACHE, need


def pretrained_degrain() -> TrainableFfdnet:
    """FFDNet with its published weights, which the importer fetches."""
    net = TrainableFfdnet()
    path = need(CACHE / "ffdnet_color.pth", "run training/import.sh once, which fetches the published weights")
    net.load_state_dict(load_state(path))
    return net


def run_any_size(net: nn.Module, image: Tensor, sigma: Tensor | float) -> Tensor:
    """Runs a denoiser on [B, 3, H, W] of any size; `sigma` is a number or a map [B, 1, H, W]."""
    height, width = image.shape[-2:]
    edge = (0, width % 2, 0, height % 2)
    padded = functional.pad(image, edge, mode="replicate")
    if isinstance(sigma, Tensor):
        level = functional.avg_pool2d(functional.pad(sigma, edge, mode="replicate").pow(2), 2).sqrt()
    else:
        level = torch.full((image.shape[0], 1, padded.shape[2] // 2, padded.shape[3] // 2), sigma, device=image.device)
    with torch.no_grad():
        return cast(Tensor, net(padded, level))[..., :height, :width]
