"""The mask net of `dirt`: small, fully convolutional, of bounded reach, and fed with evidence that is classical.

What is dirt stands out from the frame before, from the frame after and from the middle of both, on the same side, by more than
grain would (the spike detection index SDIp, Kokaram 1998; rank-ordered differences, Nadenau and Mitra 1996); where the neighbors
differ from each other, or their flow is not trusted, that says little. The net weighs this by its surroundings, and says which view heals.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

LUMA = (0.2126, 0.7152, 0.0722)
KNEE = 3.0
"""Differences are squeezed to −1…1; this many σ come to about half."""
RAW = 4.0
WIDTHS, DEPTH = (16, 48, 64), 5
"""Channels at full size, at half and at a quarter of it, and steps at the last, of a net that is trained now."""
FEATURES = 16
ALIGN = 4
LEAST = 1.5 / 255
"""Noise below which differences are not told apart: quantization, resampling."""


def scale_of(sigma: float) -> float:
    """The net's `scale` for grain of σ (codes 0…1)."""
    return float(1 / (sigma**2 + LEAST**2) ** 0.5)


class DirtNet(nn.Module):
    """Frame, its three views, trust and scale to a mask and the healed picture. Height and width must be multiples of 4."""

    @staticmethod
    def like(state: Mapping[str, Tensor]) -> DirtNet:
        """The net that these weights are of, with them; the weights may be of any widths and depth."""
        widths = tuple(len(state[f"{name}.bias"]) for name in ("first", "down", "deeper"))
        net = DirtNet(widths, sum(name.startswith("deep.") and name.endswith(".bias") for name in state))
        # What the exporter folds away is as it is made.
        net.load_state_dict({**net.state_dict(), **state})
        return net

    def __init__(self, widths: tuple[int, ...] = WIDTHS, depth: int = DEPTH) -> None:
        super().__init__()
        self.luma = nn.Conv2d(3, 1, 1, bias=False)
        self.luma.weight = nn.Parameter(torch.tensor(LUMA).view(1, 3, 1, 1), requires_grad=False)
        one, two, three = widths
        self.first = nn.Conv2d(FEATURES, one, 3, 1, 1)
        self.second = nn.Conv2d(one, one, 3, 1, 1)
        self.down = nn.Conv2d(one, two, 2, 2)
        self.wide = nn.Conv2d(two, two, 3, 1, 1)
        self.deeper = nn.Conv2d(two, three, 2, 2)
        self.deep = nn.ModuleList([nn.Conv2d(three, three, 3, 1, 1) for _ in range(depth)])
        self.up = nn.Conv2d(three, two, 1)
        self.joined = nn.Conv2d(two, two, 3, 1, 1)
        self.out = nn.Conv2d(two, one, 1)
        self.last = nn.Conv2d(one, one, 3, 1, 1)
        self.head = nn.Conv2d(one, 3, 1)
        # Dirt is rare: at first nothing is.
        assert self.head.bias is not None
        self.head.bias.data[0] = -3.0

    def features(self, frame: Tensor, before: Tensor, after: Tensor, middle: Tensor, trust: Tensor, scale: Tensor) -> Tensor:
        """The classical evidence, [B, 16, H, W]."""
        y, a, b, m = self.luma(frame), self.luma(before), self.luma(after), self.luma(middle)

        def squeezed(difference: Tensor) -> Tensor:
            return 2 * torch.sigmoid(difference * scale * (2 / KNEE)) - 1

        def least(p: Tensor, q: Tensor) -> Tensor:
            return p - functional.relu(p - q)

        bright = functional.relu(least(least(y - a, y - b), y - m))
        dark = functional.relu(least(least(a - y, b - y), m - y))
        raw = RAW * (frame - middle)
        parts = [squeezed(y - a), squeezed(y - b), squeezed(y - m), squeezed(a - b), squeezed(bright), squeezed(dark)]
        return torch.cat([*parts, RAW * (y - a), RAW * (y - b), RAW * (a - b), raw, RAW * bright, RAW * dark, trust], 1)

    def logits(self, frame: Tensor, before: Tensor, after: Tensor, middle: Tensor, trust: Tensor, scale: Tensor) -> Tensor:
        """[B, 3, H, W]: that it is dirt; that the middle heals; that the frame before does where the middle does not."""
        relu = functional.relu
        # Differences of nearly equal codes: bfloat16 would leave nothing of them.
        with torch.autocast(frame.device.type, enabled=False):
            evidence = self.features(frame, before, after, middle, trust, scale)
        fine = relu(self.second(relu(self.first(evidence))))
        half = relu(self.wide(relu(self.down(fine))))
        deep = relu(self.deeper(half))
        for conv in self.deep:
            deep = relu(deep + conv(deep))
        half = relu(self.joined(relu(half + functional.interpolate(self.up(deep), scale_factor=2.0, mode="nearest"))))
        fine = relu(fine + functional.interpolate(self.out(half), scale_factor=2.0, mode="nearest"))
        result: Tensor = self.head(relu(self.last(fine)))
        return result

    def forward(self, frame: Tensor, before: Tensor, after: Tensor, middle: Tensor, trust: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """mask [B, 1, H, W] 0…1, healed [B, 3, H, W]: a mixture of the three views."""
        logits = self.logits(frame, before, after, middle, trust, scale)
        return torch.sigmoid(logits[:, :1]), healed_of(logits, before, after, middle)


def healed_of(logits: Tensor, before: Tensor, after: Tensor, middle: Tensor) -> Tensor:
    """The mixture that logits 1 and 2 name."""
    share, side = torch.sigmoid(logits[:, 1:2]), torch.sigmoid(logits[:, 2:3])
    return share * middle + (1 - share) * (side * before + (1 - side) * after)


def grown(state: dict[str, Tensor], net: DirtNet) -> dict[str, Tensor]:
    """Weights of a narrower or shallower net in the shape of `net`, whose outputs they keep: what is added says nothing at first.

    Added channels keep their random weights, but nothing listens to them yet; added steps are made to add nothing.
    """
    result = {}
    for name, own in net.state_dict().items():
        value = own.clone()
        if name not in state:
            value.zero_()
        elif state[name].dim() == 1:
            value[: len(state[name])] = state[name]
        else:
            rows, columns = state[name].shape[:2]
            value[:, columns:] = 0
            value[:rows, :columns] = state[name]
        result[name] = value
    return result
