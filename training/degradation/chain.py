"""A whole life of a film, in its order, drawn by a seed, with the truth of what was done: which causes, how strong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from . import capture, compression, damage, digitization, duplication, storage
from .grain_bank import GrainBank
from .optics import blur, to_codes, to_linear

CAUSES = ("capture", "storage", "duplication", "digitization", "compression")
"""The five ways in which a film becomes soft, in their order."""


@dataclass(frozen=True)
class Plan:
    """What may happen: the chance of each cause, and of each damage. All 0 leaves the clip alone."""

    causes: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CAUSES, 0.5))
    grain: float = 1.0
    dirt: float = 0.5
    scratches: float = 0.3
    flicker: float = 0.5
    weave: float = 0.5

    def __post_init__(self) -> None:
        """Refuses unknown causes and what is no chance."""
        chances = [*self.causes.values(), self.grain, self.dirt, self.scratches, self.flicker, self.weave]
        if set(self.causes) - set(CAUSES) or any(not 0 <= chance <= 1 for chance in chances):
            raise ValueError(f"plan: causes are {', '.join(CAUSES)}, chances 0…1 (got {self})")


@dataclass
class Aged:
    """A degraded clip and its truth. `strength` by cause is 0…1 of the cause's own range, 0 where it did not happen."""

    clip: Tensor
    strength: dict[str, float]
    mask: Tensor
    details: dict[str, object]


class _Dice:
    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def unit(self) -> float:
        return float(torch.rand(1, generator=self.generator))

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def seed(self) -> int:
        return int(torch.randint(0, 2**31 - 1, (1,), generator=self.generator))


def age(clip: Tensor, plan: Plan, bank: GrainBank, shapes: Sequence[Tensor], seed: int) -> Aged:
    """A clip [N, 3, H, W] of clean codes through lens, film, can, copies, scanner and codec."""
    dice = _Dice(seed)
    happens = {cause: dice.unit() < plan.causes.get(cause, 0) for cause in CAUSES}
    strength = {cause: dice.unit() if happens[cause] else 0.0 for cause in CAUSES}
    details: dict[str, object] = {}
    if happens["capture"]:
        clip = _capture(clip, strength["capture"], dice, details)
    if dice.unit() < plan.grain:
        # The camera negative's grain comes after its lens: nothing of the lens blurs it.
        stock = int(dice.unit() * len(bank.stocks))
        gain = dice.between(3, 20) / 255 / float(bank.middle[stock])
        which = torch.full((clip.shape[0],), stock)
        share = torch.full((clip.shape[0],), bank.stocks[stock].correlation)
        clip = (clip + gain * bank.grain(clip, which, share, torch.Generator().manual_seed(dice.seed()))).clamp(0, 1)
        details["grain"] = {"stock": stock, "gain": gain}
    mask = torch.zeros(clip.shape[0], 1, *clip.shape[-2:])
    if dice.unit() < plan.dirt and shapes:
        clip, mask = damage.dirt(clip, shapes, dice.between(1, 12), 0.3, dice.seed())
    if dice.unit() < plan.scratches:
        clip, lines = damage.scratches(clip, 1 + int(dice.unit() * 4), dice.seed())
        mask = torch.maximum(mask, lines)
    if happens["storage"]:
        clip = _storage(clip, strength["storage"], dice, details)
    if happens["duplication"]:
        count = 1 + int(strength["duplication"] * 2.999)
        steps = [duplication.Generation(0.5 + 0.5 * strength["duplication"], 1 + 0.15 * dice.unit(), 0, dice.between(1, 6) / 255)] * count
        clip = duplication.duplicate(clip, steps, bank, dice.seed())
        details["generations"] = count
        details["duplication"] = {"sigma": steps[0].sigma, "contrast": steps[0].contrast, "generations": count}
    if dice.unit() < plan.flicker:
        clip, gain_map = damage.flicker(clip, dice.between(0.01, 0.12), dice.between(0, 0.05), dice.seed())
        details["flicker"] = [float(value) for value in gain_map.mean((1, 2, 3))]
    if dice.unit() < plan.weave:
        clip, path = damage.weave(clip, dice.between(0.2, 1.5), dice.seed())
        details["weave"] = path.tolist()
    if happens["digitization"]:
        clip = _digitization(clip, strength["digitization"], dice, details)
    if happens["compression"]:
        clip = _compression(clip, strength["compression"], dice, details)
    return Aged(clip.clamp(0, 1), strength, mask, details)


def alone(clip: Tensor, cause: str, details: dict[str, object]) -> Tensor:
    """A clip through the softening part of one cause as `age` drew it, and through nothing else: no grain, no noise, no fading and
    no warping. What it differs by from `clip` is the detail that this cause takes."""
    drawn = details[cause]
    assert isinstance(drawn, dict)
    if cause == "capture":
        return capture.through_kernel(clip, _kernel(drawn))
    if cause == "storage":
        return storage.buckle(clip, drawn["sigma"], drawn["breath"], drawn["seed"])[0]
    if cause == "duplication":
        for _ in range(drawn["generations"]):
            clip = to_codes(blur(to_linear(clip.clamp(0, 1)), drawn["sigma"]))
            clip = duplication.tone(clip, drawn["contrast"]).clamp(0, 1)
        return clip
    if cause == "digitization":
        clip = to_codes(blur(to_linear(clip), drawn["sigma"])).clamp(0, 1)
        clip = digitization.resampled(clip, max(drawn["share"], 0.3), drawn["antialias"])
        return digitization.sharpened(clip, drawn["sharpening"], drawn["radius"])
    return _coded(clip, drawn)


def _kernel(drawn: dict[str, float]) -> Tensor:
    if "defocus" in drawn:
        return capture.disk_kernel(drawn["defocus"], drawn["edge"])
    return capture.path_kernel(drawn["motion"], drawn["angle"], drawn["bend"])


def _capture(clip: Tensor, strength: float, dice: _Dice, details: dict[str, object]) -> Tensor:
    if dice.unit() < 0.6:
        drawn = {"defocus": 0.7 + 3.3 * strength, "edge": dice.between(-0.5, 0.5)}
    else:
        drawn = {"motion": 2 + 12 * strength, "angle": dice.between(0, 180), "bend": dice.between(-40, 40)}
    details["capture"] = drawn
    return capture.through_kernel(clip, _kernel(drawn))


def _storage(clip: Tensor, strength: float, dice: _Dice, details: dict[str, object]) -> Tensor:
    sigma, breath, seed = 0.8 + 2.2 * strength, dice.between(0.1, 0.5), dice.seed()
    clip, _ = storage.buckle(clip, sigma, breath, seed)
    loss = (dice.between(0, 0.7) * strength, dice.between(0, 0.3) * strength, dice.between(0, 0.5) * strength)
    fog = dice.between(0, 0.2) * strength
    details["storage"] = {"sigma": sigma, "breath": breath, "seed": seed, "loss": loss, "fog": fog}
    clip = storage.fade(clip, loss, (fog, fog * 0.8, fog * 1.2))
    return storage.shrink(clip, 0.01 * strength, 0.8 * strength, dice.seed())


def _digitization(clip: Tensor, strength: float, dice: _Dice, details: dict[str, object]) -> Tensor:
    share, sigma = 1 - 0.65 * strength, 0.3 + 0.5 * strength
    clip = digitization.scanner(clip, sigma, dice.between(0, 4) / 255, dice.seed())
    antialias = dice.unit() < 0.8
    clip = digitization.resampled(clip, max(share, 0.3), antialias)
    amount = dice.between(0, 1.2) if dice.unit() < 0.5 else 0.0
    radius = dice.between(0.8, 2.0)
    details["digitization"] = {"share": share, "sigma": sigma, "antialias": antialias, "sharpening": amount, "radius": radius}
    return digitization.sharpened(clip, amount, radius)


def _compression(clip: Tensor, strength: float, dice: _Dice, details: dict[str, object]) -> Tensor:
    kind = int(dice.unit() * 3)
    if kind == 0:
        drawn = {"jpeg": round(80 - 68 * strength)}
    else:
        codec, low, high = (("mpeg2", 3, 31), ("h264", 22, 44))[kind - 1]
        drawn = {codec: round(low + (high - low) * strength)}
    details["compression"] = drawn
    return _coded(clip, drawn)


def _coded(clip: Tensor, drawn: dict[str, int]) -> Tensor:
    (codec, setting), *_ = drawn.items()
    if codec == "jpeg":
        return compression.jpeg(clip, setting)
    even = clip[..., : clip.shape[-2] // 2 * 2, : clip.shape[-1] // 2 * 2]
    return compression.video(even, codec, setting)
