"""`blur-cause`: the job of training it, on shots that were made and measured before."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from degradation.chain import CAUSES

from . import cause_measures
from .cause_data import held_back
from .cause_net import CauseNet, Seen
from .paths import WorkshopError
from .trainer import Job

N = len(CAUSES)
SOFT = 0.15
"""Strength from which on a shot is called soft when sharp and soft are told apart; between 0 and this it is neither."""
NOISE = 0.15
"""σ of the noise on training measures and local spectra, of their own σ."""
SCALING = ("middle", "inverse", "map_middle", "map_inverse")
"""Names of what is not trained and brings measures to one scale."""
WEIGHT = 6.0
"""Of the strengths' error against the lead's and the softness'."""
PART = 0.75
"""Share of a place's side whose windows are looked at while training."""
SHARPEST = 0.04
"""Two causes nearer than this in strength share the lead while training."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Shots: measures [S, views, M] and local spectra [S, views, C, h, w] (halves), strengths and what the chain drew [S, 5], and which
    are held back [S]."""

    measures: Tensor
    maps: Tensor
    strength: Tensor
    drawn: Tensor
    held: Tensor


def views(codes: Tensor) -> list[Tensor]:
    """A shot [1, 9, H, W] as it is, and turned about in place and time."""
    turned = codes.view(1, 3, 3, *codes.shape[-2:]).flip(1).reshape(codes.shape).transpose(2, 3).flip(3)
    return [codes, turned]


def version_of(net: cause_measures.Measures) -> str:
    """Names measures by what they make of a fixed picture: what was measured by others is not read."""
    with torch.no_grad():
        rows, maps = net(torch.rand(1, 9, 64, 64, generator=torch.Generator().manual_seed(1)))
    probe = torch.cat([rows.flatten(), maps.mean((2, 3)).flatten()])
    return hashlib.sha256(probe.mul(100).round().to(torch.int32).numpy().tobytes()).hexdigest()[:8]


def measure_file(path: Path, net: cause_measures.Measures, version: str) -> Path:
    """The file of measures of a file of shots; made if it is not there."""
    kept = path.with_name(f"{path.stem}-{version}.pt")
    if not kept.exists():
        shots = np.load(path)
        rows, maps = [], []
        with torch.no_grad():
            for codes in shots["codes"]:
                whole = torch.from_numpy(codes.astype(np.float32) / 255)[None]
                seen = [net(view) for view in views(whole)]
                rows.append(torch.cat([one.flatten(1) for one, _ in seen]))
                maps.append(torch.cat([local.half() for _, local in seen]))
        fresh = kept.with_suffix(f".{os.getpid()}.tmp")
        truth = (torch.from_numpy(shots["strength"]), torch.from_numpy(shots["drawn"]))
        torch.save((torch.stack(rows), torch.stack(maps), *truth), fresh)
        os.replace(fresh, kept)
    return kept


def measured(folder: Path) -> Measured:
    """Measures every file of shots in a folder that was not measured yet by these measures, and reads them all."""
    net = cause_measures.Measures().eval()
    version = version_of(net)
    parts: list[tuple[Tensor, ...]] = []
    for path in sorted(folder.glob("shots-*.npz")):
        one = torch.load(measure_file(path, net, version), weights_only=True)
        number = int(path.stem.split("-")[-1])
        parts.append((*one, torch.full((one[0].shape[0],), held_back(number))))
    if not parts:
        raise WorkshopError(f"{folder}: no shots; make them with `shots`")
    return Measured(*(torch.cat([part[k] for part in parts]) for k in range(5)))


def loss_of(raw: Tensor, strength: Tensor) -> Tensor:
    """Strengths by cross entropy, whose best answer is the mean of what may be (an absolute error's is the median, which is 0 as soon as
    a cause is more likely absent than present, and then says nothing of the order); the lead by cross entropy, shared where causes are
    nearly equal; soft by cross entropy."""
    flat = raw.flatten(1)
    error = functional.binary_cross_entropy_with_logits(flat[:, :N], strength)
    soft = (strength.amax(1) > 0).float()
    aim = torch.softmax(strength / SHARPEST, 1)
    lead = (-(aim * torch.log_softmax(flat[:, N : 2 * N], 1)).sum(1) * soft).sum() / soft.sum().clamp(min=1)
    return WEIGHT * error + lead + functional.binary_cross_entropy_with_logits(flat[:, 2 * N], soft)


def scales_of(votes: Tensor, strength: Tensor) -> Tensor:
    """The two factors [1, 2, 1, 1], of the votes for the lead and of the one for soft, that held-back shots' cross entropy asks for; from
    outputs [S, 11] before calibration."""
    soft = strength.amax(1) > 0
    tried = 2 ** torch.linspace(-3, 1.5, 181)
    lead, truth = votes[soft, N : 2 * N], strength[soft].argmax(1)
    entropies = [functional.cross_entropy(factor * lead, truth) for factor in tried]
    others = [functional.binary_cross_entropy_with_logits(factor * votes[:, 2 * N], soft.float()) for factor in tried]
    best = [tried[int(torch.stack(values).argmin())] for values in (entropies, others)]
    return torch.stack(best).view(1, 2, 1, 1)


def ranks(values: Array) -> Array:
    """Ranks from 0, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    mean: Array = (ends - (counts + 1) / 2)[inverse]
    return mean


def rank_correlation(a: Array, b: Array) -> float:
    """Spearman's; 0 where one of them does not vary, or there is nothing."""
    if len(a) == 0:
        return 0.0
    x, y = ranks(a), ranks(b)
    x, y = x - x.mean(), y - y.mean()
    norm = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum() / norm) if norm > 0 else 0.0


def calibration_error(confidence: Array, right: Array, bins: int = 10) -> float:
    """Expected calibration error: |how sure − how often right|, mean over bins of confidence, weighed by their shots."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    total = 0.0
    for k in range(bins):
        here = place == k
        if here.any():
            total += float(here.mean()) * abs(float(confidence[here].mean()) - float(right[here].mean()))
    return total


def least_calibration_error(confidence: Array, draws: int = 400) -> float:
    """What `calibration_error` is on the mean (seeded draws) of answers that are right as often as they are sure: what so few shots leave
    of it by chance."""
    chance = np.random.default_rng(1)
    return float(
        np.mean([calibration_error(confidence, (chance.random(len(confidence)) < confidence).astype(float)) for _ in range(draws)])
    )


def scores(outputs: Tensor, strength: Tensor, drawn: Tensor) -> dict[str, object]:
    """Every figure of the bars, from calibrated outputs [S, 11] and the truth [S, 5]."""
    truth = strength.double().numpy()
    flat = outputs.double()
    estimate = torch.sigmoid(flat[:, :N]).numpy()
    chance = torch.softmax(flat[:, N : 2 * N], 1).numpy()
    count = (truth > 0).sum(1)
    mixed, single, soft = count >= 2, count == 1, count >= 1
    lead, found, sure = truth.argmax(1), chance.argmax(1), chance.max(1)
    right = (lead == found).astype(float)
    order = np.sort(truth, 1)
    ahead = order[:, -1] - order[:, -2]
    is_soft, says_soft = truth.max(1), (flat[:, 2 * N] > 0).numpy()
    asked = (count == 0) | (is_soft >= SOFT)
    correct = says_soft == (count > 0)

    def share(of: NDArray[np.bool_], values: NDArray[np.generic]) -> float | None:
        return round(100 * float(values[of].mean()), 1) if of.any() else None

    believed = soft & (sure >= 0.6)
    return {
        "shots": {"sharp": int((count == 0).sum()), "single": int(single.sum()), "mixed": int(mixed.sum())},
        "rank correlation": {c: round(rank_correlation(truth[mixed, i], estimate[mixed, i]), 3) for i, c in enumerate(CAUSES)},
        "rank correlation where present": {
            c: round(rank_correlation(truth[mixed & (truth[:, i] > 0), i], estimate[mixed & (truth[:, i] > 0), i]), 3)
            for i, c in enumerate(CAUSES)
        },
        "rank correlation with what was drawn": {
            c: round(rank_correlation(drawn.double().numpy()[mixed, i], estimate[mixed, i]), 3) for i, c in enumerate(CAUSES)
        },
        "leading of mixtures, %": share(mixed, right),
        "leading of mixtures by 0.1 or more, %": share(mixed & (ahead >= 0.1), right),
        "single causes, %": share(single, right),
        "single by cause, %": {c: share(single & (lead == i), right) for i, c in enumerate(CAUSES)},
        "calibration error": round(calibration_error(sure[soft], right[soft]), 3),
        "least calibration error": round(least_calibration_error(sure[soft]), 3),
        "sharp from soft, %": share(asked, correct),
        "sharp called sharp, %": share(count == 0, correct),
        "soft called soft, %": share(is_soft >= SOFT, correct),
        "sure (60 % or more), % of soft shots": share(soft, sure >= 0.6),
        "leading where sure, %": share(believed, right),
    }


def validation_figure(outputs: Tensor, strength: Tensor, drawn: Tensor) -> float:
    """The mean of what the bars ask, in percent: rank correlation, lead of mixtures, single causes, sharp from soft."""
    found = scores(outputs, strength, drawn)
    correlations = found["rank correlation"]
    assert isinstance(correlations, dict)
    parts = [100 * sum(correlations.values()) / N]
    for name in ("leading of mixtures, %", "single causes, %", "sharp from soft, %"):
        value = found[name]
        parts.append(float(value) if isinstance(value, float) else 0.0)
    return sum(parts) / len(parts)


def started(net: CauseNet, state: dict[str, Tensor]) -> bool:
    """Whether a net took over a shipped one's weights: it does where they weigh the same measures. What the shipped one had not begins
    by saying nothing."""
    own = net.state_dict()
    if "first.weight" not in state or any(own[name].shape != value.shape for name, value in state.items()):
        return False
    net.load_state_dict(state, strict=False)
    if "pooled.weight" not in state:
        nn.init.zeros_(net.pooled.weight)
    return True


def cause_job(shots: Measured, *, seed: int, batch: int, start: dict[str, Tensor] | None = None) -> Job:
    """Everything `train blur-cause` needs; `start` are the weights of a shipped net, and what it takes measures by (`SCALING`)."""
    kept, held = (torch.nonzero(flag)[:, 0] for flag in (~shots.held, shots.held))
    if len(kept) < 2 or len(held) < 2:
        raise WorkshopError(f"{len(kept)} shots to train on and {len(held)} held back: make more with `shots`")
    net = CauseNet()
    if not start or not started(net, start):
        own = shots.measures[kept].flatten(0, 1)
        net.middle.data = own.mean(0).view(1, -1, 1, 1)
        net.inverse.data = (1 / own.std(0).clamp(min=1e-3)).view(1, -1, 1, 1)
    # Halves of a few hundred shots say enough of a mean.
    local = shots.maps[kept[:: max(1, len(kept) // 400)], 0].float()
    net.map_middle.data = local.mean((0, 2, 3)).view(1, -1, 1, 1)
    net.map_inverse.data = (1 / local.std((0, 2, 3)).clamp(min=1e-3)).view(1, -1, 1, 1)

    def loss(net: nn.Module, number: int) -> Tensor:
        assert isinstance(net, CauseNet)
        net.train()
        generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
        which = kept[torch.randint(0, len(kept), (batch,), generator=generator)]
        view = torch.randint(0, shots.measures.shape[1], (batch,), generator=generator)
        rows, maps = shots.measures[which, view][:, :, None, None], shots.maps[which, view].float()
        # A part of the place, and slightly wrong measures, keep single shots from being learned by heart.
        sides = [max(3, int(size * PART)) for size in maps.shape[2:]]
        top, left = (int(torch.randint(0, a - b + 1, (1,), generator=generator)) for a, b in zip(maps.shape[2:], sides, strict=True))
        maps = maps[:, :, top : top + sides[0], left : left + sides[1]]
        rows = rows + NOISE * torch.randn(rows.shape, generator=generator) / net.inverse
        shift = NOISE * torch.randn((*maps.shape[:2], 1, 1), generator=generator) / net.map_inverse
        return loss_of(net.raw(rows, maps + shift), shots.strength[which])

    def validate(net: nn.Module) -> float:
        assert isinstance(net, CauseNet)
        net.eval()
        with torch.no_grad():
            raw = net.raw(shots.measures[held, 0][:, :, None, None], shots.maps[held, 0].float())
            net.scales.data = scales_of(raw.flatten(1), shots.strength[held])
            outputs = net.calibrated(raw).flatten(1)
        return validation_figure(outputs, shots.strength[held], shots.drawn[held])

    return Job(net, loss, validate, "mean of the bars' figures on validation shots, %")


def outputs_of(net: CauseNet, shots: Sequence[Seen]) -> Tensor:
    """Outputs [S, 11] of shots, each given as what is seen of its places: their mean before squashing."""
    net.eval()
    with torch.no_grad():
        return torch.stack([net.calibrated(net.raw(one.rows[:, :, None, None], one.maps.float())).flatten(1).mean(0) for one in shots])


def load(weights: Path) -> CauseNet:
    """A trained net."""
    net = CauseNet()
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return net.eval()
