"""The net of `scratch`: where upright lines lie on a frame, bright and dark apart; small, fully convolutional, of bounded reach.

It is fed with what classical detectors look at: how far a pixel stands out from both its sides (Kokaram 1998: a line is an extreme of
its row; Newson et al. 2014: on both sides alike), at three distances, over the grain's σ. Rows are taken together by eights at
once, since a line is upright: its reach is tall and its cost small. Whether a line belongs to the film or to the picture in the
end the shot decides (`scratch_shot`): one frame cannot know it for sure.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .dirt_net import KNEE, LUMA, RAW

ROWS = 8
"""Rows that the net takes together; height and width must be multiples of it."""
SIDES = (2, 4, 8)
"""Distances in pixels at which a pixel is compared with its left and its right."""
FEATURES = 16
WIDTH = 24
TALL = (1, 2, 4, 8)
"""Steps of the tall convolutions, in eights of rows."""


class ScratchNet(nn.Module):
    """A frame and its scale to the lines on it."""

    def __init__(self) -> None:
        super().__init__()
        self.luma = nn.Conv2d(3, 1, 1, bias=False)
        self.luma.weight = nn.Parameter(torch.tensor(LUMA).view(1, 3, 1, 1), requires_grad=False)
        reach = max(SIDES)
        sides = torch.zeros(2 * len(SIDES), 1, 1, 2 * reach + 1)
        for k, distance in enumerate(SIDES):
            for side, sign in ((2 * k, -1), (2 * k + 1, 1)):
                sides[side, 0, 0, reach] = 1
                sides[side, 0, 0, reach + sign * distance] = -1
        self.sides = nn.Conv2d(1, 2 * len(SIDES), (1, 2 * reach + 1), padding=(0, reach), bias=False)
        self.sides.weight = nn.Parameter(sides, requires_grad=False)
        # The luma as fourth input has no weight: WebGPU computes some convolutions of three channels wrongly.
        apart = torch.zeros(3, 4, 1, 9)
        for c in range(3):
            apart[c, c, 0, [0, 4, 8]] = torch.tensor([-0.5, 1.0, -0.5])
        self.apart = nn.Conv2d(4, 3, (1, 9), padding=(0, 4), bias=False)
        self.apart.weight = nn.Parameter(apart, requires_grad=False)
        self.gather = nn.Conv2d(FEATURES, WIDTH, (ROWS, 3), (ROWS, 1), (0, 1))
        self.first = nn.Conv2d(WIDTH, WIDTH, 3, 1, 1)
        self.tall = nn.ModuleList([nn.Conv2d(WIDTH, WIDTH, 3, 1, (step, 1), (step, 1)) for step in TALL])
        self.last = nn.Conv2d(WIDTH, WIDTH, 3, 1, 1)
        self.head = nn.Conv2d(WIDTH, 2, 1)
        # Lines are rare: at first nothing is one.
        assert self.head.bias is not None
        self.head.bias.data[:] = -3.0

    def features(self, frame: Tensor, scale: Tensor) -> Tensor:
        """The classical evidence, [B, 16, H, W]."""
        y = self.luma(frame)
        away = self.sides(y)

        def squeezed(difference: Tensor) -> Tensor:
            return 2 * torch.sigmoid(difference * scale * (2 / KNEE)) - 1

        parts = []
        for k in range(len(SIDES)):
            left, right = away[:, 2 * k : 2 * k + 1], away[:, 2 * k + 1 : 2 * k + 2]
            bright = functional.relu(left - functional.relu(left - right))
            # The least of −left and −right; a product, because negation is not among the operators that run everywhere.
            dark = functional.relu(left * -1.0 - functional.relu(right - left))
            parts += [squeezed(bright), squeezed(dark), RAW * bright, RAW * dark]
        return torch.cat([*parts, RAW * self.apart(torch.cat([frame, y], 1)), y], 1)

    def logits(self, frame: Tensor, scale: Tensor) -> Tensor:
        """[B, 2, H/8, W]: that a bright, that a dark line lies there."""
        relu = functional.relu
        # Differences of nearly equal codes: bfloat16 would leave nothing of them.
        with torch.autocast(frame.device.type, enabled=False):
            evidence = self.features(frame, scale)
        rows = relu(self.first(relu(self.gather(evidence))))
        for conv in self.tall:
            rows = relu(rows + conv(rows))
        result: Tensor = self.head(relu(self.last(rows)))
        return result

    def forward(self, frame: Tensor, scale: Tensor) -> Tensor:
        """lines [B, 2, H, W] 0…1: how surely a pixel lies on a bright, on a dark line."""
        tall = functional.interpolate(self.logits(frame, scale), scale_factor=(8.0, 1.0), mode="bilinear", align_corners=False)
        return torch.sigmoid(tall)
