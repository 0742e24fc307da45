"""The feed-forward net of `deblur`, for what no kernel describes: copies, scans, codecs, decades in the can.

FFDNet's body (Zhang et al. 2018: twelve convolutions on the picture's 2×2 pixels as channels), which starts from published weights.
What it gives is what is to be added to the picture, 0 at first: whatever the net does not know how to better stays as it was, grain
above all. It is told which causes acted and how strongly.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from emulsion_training.ffdnet import LAYERS, reorder_first

CAUSES = ("storage", "duplication", "digitization", "compression")
"""In film order: the order of the port `causes`."""
UNKNOWN = -1.0
"""Told for a cause that acted, and nobody knows how strongly; a share of it for a cause that acted with that probability."""
BLIND = UNKNOWN / len(CAUSES)
"""Told for every cause where nothing is known."""
FEATURES = 96
TOLD_AGAIN = 5
"""The layer at which the causes are told a second time: the first layers see too little to act on them."""
WARM_SIGMA = 5 / 255
"""Noise that FFDNet's body is made to believe in at the start."""


class DeblurNet(nn.Module):
    """Picture [B, 3, H, W] (H and W even, codes 0…1) and causes [B, 4, 1, 1] to the sharper picture [B, 3, H, W].

    A cause is 0 (did not act), up to 1 (its strength as `degradation.chain` draws it), or −p (acted with probability p, strength unknown).
    """

    def __init__(self, features: int = FEATURES) -> None:
        super().__init__()
        gates = 1 + 2 * len(CAUSES)
        widths = [12, *[features] * (LAYERS - 1), 12 * gates]
        self.convs = nn.ModuleList([nn.Conv2d(a, b, 3, 1, 1) for a, b in zip(widths, widths[1:], strict=False)])
        self.told = nn.Conv2d(2 * len(CAUSES), features, 1, bias=False)
        self.told_again = nn.Conv2d(2 * len(CAUSES), features, 1, bias=False)
        # Each thing that can be told has a last layer of its own: theirs are added up by how much of each is told, the first one always.
        self.gate = nn.Conv2d(2 * len(CAUSES), 12 * gates, 1)
        self.total = nn.Conv2d(12 * gates, 12, 1, bias=False)
        which = torch.arange(12 * gates) // 12
        assert self.gate.bias is not None
        self.gate.weight.data = (which[:, None] == 1 + torch.arange(2 * len(CAUSES))).float()[..., None, None]
        self.gate.bias.data = (which == 0).float()
        self.total.weight.data = (torch.arange(12)[:, None] == torch.arange(12 * gates) % 12).float()[..., None, None]
        for fixed in (self.gate.weight, self.gate.bias, self.total.weight):
            fixed.requires_grad_(False)
        last = self.convs[-1]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        for weight in (self.told.weight, self.told_again.weight):
            nn.init.normal_(weight, 0, 1e-3)
        for weight in (last.weight, last.bias):
            nn.init.zeros_(weight)

    def features(self, image: Tensor, said: Tensor) -> Tensor:
        """What the last layers see, [B, features, H/2, W/2]; `said` is `said_of` of the causes."""
        x = torch.cat([image[:, :, dy::2, dx::2] for dy in (0, 1) for dx in (0, 1)], 1)
        for index, conv in enumerate(list(self.convs)[:-1]):
            x = conv(x)
            if index == 0:
                x = x + self.told(said)
            elif index == TOLD_AGAIN:
                x = x + self.told_again(said)
            x = functional.relu(x)
        return x

    def forward(self, image: Tensor, causes: Tensor) -> Tensor:
        """Sharpens."""
        said = said_of(causes)
        added = self.total(self.convs[-1](self.features(image, said)) * self.gate(said))
        return image + functional.pixel_shuffle(added, 2)


def said_of(causes: Tensor) -> Tensor:
    """[B, 8, 1, 1] from causes [B, 4, 1, 1]: strengths, then what is unknown, which is not a strength below 0 but another statement."""
    return torch.cat([functional.relu(causes), functional.relu(causes * -1.0)], 1)


def warm(net: DeblurNet, state: dict[str, Tensor], sigma: float = WARM_SIGMA) -> DeblurNet:
    """Fills the body from FFDNet's published state, told one strength of noise; the last layers stay 0."""
    for index, conv in enumerate(list(net.convs)[:-1]):
        assert isinstance(conv, nn.Conv2d) and conv.bias is not None
        weight, bias = state[f"model.{2 * index}.weight"], state[f"model.{2 * index}.bias"]
        if index == 0:
            bias = bias + sigma * weight[:, 12].sum((1, 2))
            weight = reorder_first(weight)[:, :12]
        conv.weight.data, conv.bias.data = weight.clone(), bias.clone()
    return net


def told(causes: dict[str, float]) -> Tensor:
    """The port `causes` [1, 4, 1, 1] from strengths by name; what is not named did not act."""
    unknown = set(causes) - set(CAUSES)
    if unknown:
        raise ValueError(f"causes are {', '.join(CAUSES)} (got {', '.join(sorted(unknown))})")
    return torch.tensor([causes.get(cause, 0.0) for cause in CAUSES]).view(1, -1, 1, 1)
