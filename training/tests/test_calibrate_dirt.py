"""How the settings of dirt are chosen."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workshop import align
from workshop.calibrate_dirt import chosen, curve, table
from workshop.dirt_net import DirtNet
from workshop.watched_dirt import Watched


def watched(change: bool, step: int, apart: float) -> Watched:
    """A bright square of 8 px on gray, in one frame alone: dirt, or something fast."""
    healed = torch.full((3, 48, 48), 0.5)
    frame = healed.clone()
    frame[:, 20:28, 20:28] = 0.9
    views = align.Views(healed, healed, healed, healed + apart, healed, torch.ones(2, 48, 48), torch.zeros(1, 48, 48))
    return Watched("square", step, frame, views, 0.0, (frame - healed)[:1] if change else None, None)


class Spotter(DirtNet):
    """Stands for a trained net: sure of what differs from the middle."""

    def forward(self, frame: Tensor, before: Tensor, after: Tensor, middle: Tensor, trust: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """Mask and healed."""
        return ((frame - middle).abs().amax(1, keepdim=True) > 0.1).float(), middle


def test_settings_are_chosen_by_a_rule(tmp_path: Path) -> None:
    cases = [watched(True, 0, 0.0), watched(True, 0, 0.012), watched(False, 1, 0.025), watched(False, 3, 0.0)]
    tallies, wanted, frames = curve(Spotter(), cases, tmp_path, 1)
    assert wanted == 2
    assert frames == {1: 1, 2: 0, 3: 1}
    # 0.4 stands out by 16 times 0.025, by 33 times 0.012.
    assert [(tallies[0.5, c].found, tallies[0.5, c].false[1]) for c in (0, 10, 20, 40)] == [(2, 1), (2, 1), (2, 0), (1, 0)]
    # Of steps that rule; what is seen at the third is told alone.
    assert tallies[0.5, 40].false[3] == 1
    best = chosen(tallies, wanted)
    # Of equals the most cautious.
    assert best == (0.3, 30)
    assert "sensitivity 0.3, caution 30" in table(tallies, wanted, frames)
