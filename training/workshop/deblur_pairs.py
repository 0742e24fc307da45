"""Pairs for the feed-forward part of `deblur`: a film as a cause left it, and as it would be had the cause not softened it.

Three lanes go through the film's life together: `soft`, with its grain; `bare`, the same without grain; `clean`, which gets the
levels and the geometry of each cause and nothing of its softness (levels are the grade's work, and a warped frame stays where it
is). The truth with grain is clean + (soft − bare): sharp, with the very grain that the input shows. A codec alone takes grain for
picture: what it is given is its truth. Ranges of strength are those of `degradation.chain`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from degradation import compression, digitization, duplication, storage
from degradation.chain import CAUSES as ALL_CAUSES
from degradation.grain_bank import GrainBank
from degradation.optics import blur, to_codes, to_linear

from .deblur_net import CAUSES

assert tuple(cause for cause in ALL_CAUSES if cause != "capture") == CAUSES


@dataclass(frozen=True)
class Grain:
    """Which grain a film has: a stock of a bank, the channels' correlation, and strengths at the middle codes (0…1): the negative's, each
    copy's, and the scanner's noise."""

    bank: GrainBank
    stock: int
    correlation: float
    negative: float
    copy: float
    noise: float

    def of(self, clip: Tensor, strength: float, generator: torch.Generator) -> Tensor:
        """Deviations for a clip [N, 3, H, W]."""
        which = torch.full((clip.shape[0],), self.stock)
        share = torch.full((clip.shape[0],), self.correlation)
        return strength / float(self.bank.middle[self.stock]) * self.bank.grain(clip, which, share, generator)


@dataclass(frozen=True)
class Pair:
    """A clip [N, 3, H, W] as it is, its truth with the same grain, and its truth without."""

    soft: Tensor
    kept: Tensor
    clean: Tensor


@dataclass(frozen=True)
class Codec:
    """jpeg, mpeg2 or h264, at its own quality."""

    kind: str
    quality: int

    @staticmethod
    def of(strength: float, kind: int) -> Codec:
        """Kind 0…2, at a strength of 0…1."""
        name, low, high = (("jpeg", 80, 12), ("mpeg2", 3, 31), ("h264", 22, 44))[kind]
        return Codec(name, round(low + (high - low) * strength))

    def through(self, clip: Tensor) -> Tensor:
        """The clip [N, 3, H, W] coded and decoded; H and W even."""
        return compression.jpeg(clip, self.quality) if self.kind == "jpeg" else compression.video(clip, self.kind, self.quality)


class _Dice:
    """Draws in a fixed order."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand(1, generator=self.generator))

    def seed(self) -> int:
        return int(torch.randint(0, 2**31 - 1, (1,), generator=self.generator))


Lanes = tuple[Tensor, Tensor, Tensor]


def film(clip: Tensor, strength: dict[str, float], grain: Grain, seed: int, *, fades: bool = True) -> Pair:
    """A clip of clean codes [N, 3, H, W] through storage, copies and scanner (a codec comes after: `coded`).

    `fades` False leaves the dyes as they were, all else being the same: the truth against which levels are fitted.
    """
    dice = _Dice(seed)
    first = grain.of(clip, grain.negative, dice.generator) if grain.negative > 0 else torch.zeros_like(clip)
    lanes: Lanes = (clip + first, clip, clip)
    if strength.get("storage", 0) > 0:
        lanes = _storage(lanes, strength["storage"], dice, fades)
    if strength.get("duplication", 0) > 0:
        lanes = _duplication(lanes, strength["duplication"], grain, dice)
    if strength.get("digitization", 0) > 0:
        lanes = _digitization(lanes, strength["digitization"], grain, dice)
    soft, bare, clean = lanes
    return Pair(quantized(soft), clean + (soft - bare), clean)


def coded(pair: Pair, codec: Codec) -> Pair:
    """The pair after a codec."""
    return Pair(codec.through(pair.soft), pair.kept, pair.clean)


def quantized(clip: Tensor) -> Tensor:
    """8-bit codes."""
    return (clip.clamp(0, 1) * 255).round() / 255


def _storage(lanes: Lanes, strength: float, dice: _Dice, fades: bool) -> Lanes:
    breath, seed = dice.between(0.1, 0.5), dice.seed()
    soft, bare = (storage.buckle(lane, 0.8 + 2.2 * strength, breath, seed)[0] for lane in lanes[:2])
    loss = tuple(dice.between(0, most) * strength for most in (0.7, 0.3, 0.5))
    fog = dice.between(0, 0.2) * strength
    together = torch.cat([soft, bare, lanes[2]])
    if fades:
        together = storage.fade(together, (loss[0], loss[1], loss[2]), (fog, fog * 0.8, fog * 1.2))
    soft, bare, clean = storage.shrink(together, 0.01 * strength, 0.8 * strength, dice.seed()).chunk(3)
    return soft, bare, clean


def _duplication(lanes: Lanes, strength: float, grain: Grain, dice: _Dice) -> Lanes:
    soft, bare, clean = lanes
    for _ in range(1 + int(strength * 2.999)):
        contrast = dice.between(1, 1.15)
        lost = to_codes(blur(to_linear(torch.cat([soft, bare]).clamp(0, 1)), 0.5 + 0.5 * strength))
        toned = duplication.tone(torch.cat([lost, clean.clamp(0, 1)]), contrast).clamp(0, 1)
        soft, bare, clean = toned.chunk(3)
        if grain.copy > 0:
            soft = soft + grain.of(soft, grain.copy, dice.generator)
    return soft, bare, clean


def _digitization(lanes: Lanes, strength: float, grain: Grain, dice: _Dice) -> Lanes:
    share, antialias = max(1 - 0.65 * strength, 0.3), dice.between(0, 1) < 0.8
    amount = dice.between(0, 1.2) if dice.between(0, 1) < 0.5 else 0.0
    radius, seed = dice.between(0.8, 2.0), dice.seed()

    def scan(lane: Tensor, noise: float) -> Tensor:
        lane = digitization.scanner(lane.clamp(0, 1), 0.3 + 0.5 * strength, noise, seed)
        return digitization.sharpened(digitization.resampled(lane, share, antialias), amount, radius)

    return scan(lanes[0], grain.noise), scan(lanes[1], 0), lanes[2]
