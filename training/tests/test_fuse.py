"""The fusion of a frame with its neighbors: the twin of the app's (`src/stages/degrain`)."""

from __future__ import annotations

import math

import pytest
import torch

from workshop.fuse import STRICTNESS, agreement, alike, fuse
from workshop.smoke import StillRife

SIGMA = 0.05


def noisy(count: int, seed: int) -> torch.Tensor:
    """A gray picture with white noise, [count, 3, 40, 40]."""
    return 0.5 + SIGMA * torch.randn(count, 3, 40, 40, generator=torch.Generator().manual_seed(seed))


def test_neighbors_average_noise_away_and_say_how_much_is_left() -> None:
    frames = noisy(3, 1)
    mean, level = fuse(frames, torch.full_like(frames, 0.5), 1, SIGMA, StillRife())
    left = float((mean - 0.5).std())
    assert left == pytest.approx(SIGMA / 3**0.5, rel=0.06)
    assert float(level.mean()) == pytest.approx(left, rel=0.06)


def test_what_differs_is_not_averaged() -> None:
    frames, guides = noisy(2, 2), torch.full((2, 3, 40, 40), 0.5)
    frames[1] += 0.3
    mean, level = fuse(frames, guides, 0, SIGMA, StillRife())
    assert torch.equal(mean, frames[0])
    assert torch.equal(level, torch.full_like(level, SIGMA))
    # The guides alone say so too.
    guides[1] += 0.2
    share = agreement(guides[0], guides[1], torch.ones(1, 40, 40), SIGMA)
    assert float(share.max()) == pytest.approx(math.exp(-STRICTNESS * 0.2**2 / SIGMA**2), rel=1e-4)


def test_the_same_noise_is_not_averaged_with_itself() -> None:
    frames = noisy(1, 3)
    assert float(alike(frames[0], frames[0], SIGMA).max()) == 0
    assert float(alike(frames[0], noisy(1, 4)[0], SIGMA).mean()) > 0.95
