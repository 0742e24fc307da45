"""The net of `blur-cause`: it looks at each window's local spectrum and its neighbors', pools that over the place, and a small perceptron
weighs it beside fixed measures (`cause_measures`).

Places of a shot are pooled by the mean of their outputs, before any squashing.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from degradation.chain import CAUSES

from .cause_measures import Measures, mean

HIDDEN = (256, 128)
"""Of the perceptron."""
LOCAL = 64
"""Channels of what is seen window by window."""
OUTPUTS = 2 * len(CAUSES) + 1
"""A strength and a vote for leading of each cause, and one for soft against sharp."""
UNIT = 16.0
"""What is given is in so many log odds: about 1 at most, as the canary's tolerance, made for pictures of 0…1, takes it."""
PLACE = 160
"""Side in pixels of a place that is looked at."""


class Seen(NamedTuple):
    """What is measured of places: `rows` [places, N], and local spectra `maps` [places, channels, h, w]."""

    rows: Tensor
    maps: Tensor


class CauseNet(nn.Module):
    """[B, 9, H, W] to [B, 11, 1, 1]: strengths (before the sigmoid), votes for the leading cause, and for soft against sharp."""

    def __init__(self) -> None:
        super().__init__()
        self.measures = Measures()
        with torch.no_grad():
            rows, maps = self.measures(torch.rand(1, 9, 64, 64))
        self.count, self.channels = rows.shape[1], maps.shape[1]

        def fixed(size: int, value: float) -> nn.Parameter:
            return nn.Parameter(torch.full((1, size, 1, 1), value, dtype=torch.float32), requires_grad=False)

        self.middle, self.inverse = fixed(self.count, 0), fixed(self.count, 1)
        self.map_middle, self.map_inverse = fixed(self.channels, 0), fixed(self.channels, 1)
        self.window, self.around = nn.Conv2d(self.channels, LOCAL, 1), nn.Conv2d(LOCAL, LOCAL, 3)
        self.gate = nn.Conv2d(LOCAL, LOCAL, 1)
        one, two = HIDDEN
        self.first, self.pooled = nn.Conv2d(self.count, one, 1), nn.Conv2d(3 * LOCAL, one, 1, bias=False)
        self.second, self.third = nn.Conv2d(one, two, 1), nn.Conv2d(two, OUTPUTS, 1)
        self.drop = nn.Dropout(0.25)
        # Calibration: votes are multiplied by these, which are set by shots held back and by nothing else.
        self.scales = nn.Parameter(torch.ones(1, 2, 1, 1), requires_grad=False)

    def local(self, maps: Tensor) -> Tensor:
        """What the windows say together, [B, 3·LOCAL, 1, 1]: the mean, the spread, and the mean where a gate opens."""
        x = (maps - self.map_middle) * self.map_inverse
        x = functional.relu(self.window(4 * torch.sigmoid(x) - 2))
        x = functional.relu(self.around(x))
        gate = torch.sigmoid(self.gate(x))
        middle = mean(x)
        away = x - middle
        return torch.cat([middle, 0.5 * torch.log(mean(away * away) + 1e-2), mean(gate * x) / (mean(gate) + 1e-3)], 1)

    def raw(self, rows: Tensor, maps: Tensor) -> Tensor:
        """Outputs before calibration, from measures [B, N, 1, 1] and local spectra."""
        x = (rows - self.middle) * self.inverse
        x = 4 * torch.sigmoid(x) - 2
        x = self.drop(functional.relu(self.first(x) + self.pooled(self.drop(self.local(maps)))))
        x = self.drop(functional.relu(self.second(x)))
        result: Tensor = self.third(x)
        return result

    def calibrated(self, raw: Tensor) -> Tensor:
        """The same with the votes' scales."""
        n = len(CAUSES)
        votes = raw[:, n : 2 * n] * self.scales[:, :1]
        return torch.cat([raw[:, :n], votes, raw[:, 2 * n :] * self.scales[:, 1:]], 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Of one place, in units of `UNIT` log odds."""
        return self.calibrated(self.raw(*self.measures(frames))) * (1 / UNIT)
