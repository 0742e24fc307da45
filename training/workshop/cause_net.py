"""The net of `blur-cause`: a small perceptron that weighs fixed measures (`cause_measures`).

Places of a shot are pooled by the mean of their outputs, before any squashing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from degradation.chain import CAUSES

from .cause_measures import Measures

HIDDEN = (256, 128)
OUTPUTS = 2 * len(CAUSES) + 1
"""A strength and a vote for leading of each cause, and one for soft against sharp."""
UNIT = 16.0
"""What is given is in so many log odds: about 1 at most, as the canary's tolerance, made for pictures of 0…1, takes it."""
PLACE = 160
"""Side in pixels of a place that is looked at."""


class CauseNet(nn.Module):
    """[B, 9, H, W] to [B, 11, 1, 1]: strengths (before the sigmoid), votes for the leading cause, and for soft against sharp."""

    def __init__(self) -> None:
        super().__init__()
        self.measures = Measures()
        with torch.no_grad():
            count = self.measures(torch.rand(1, 9, 64, 64)).shape[1]
        self.count = count
        self.middle = nn.Parameter(torch.zeros(1, count, 1, 1), requires_grad=False)
        self.inverse = nn.Parameter(torch.ones(1, count, 1, 1), requires_grad=False)
        one, two = HIDDEN
        self.first, self.second, self.third = nn.Conv2d(count, one, 1), nn.Conv2d(one, two, 1), nn.Conv2d(two, OUTPUTS, 1)
        self.drop = nn.Dropout(0.25)
        # Calibration: votes are multiplied by these, which learn from shots held back and from nothing else.
        self.scales = nn.Parameter(torch.ones(1, 2, 1, 1))

    def raw(self, measured: Tensor) -> Tensor:
        """Outputs before calibration, from measures [B, N, 1, 1]."""
        x = (measured - self.middle) * self.inverse
        x = 4 * torch.sigmoid(x) - 2
        x = self.drop(functional.relu(self.first(x)))
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
        return self.calibrated(self.raw(self.measures(frames))) * (1 / UNIT)
