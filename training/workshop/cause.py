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
from .cause_net import CauseNet
from .paths import WorkshopError
from .trainer import Job

N = len(CAUSES)
SOFT = 0.15
"""Strength from which on a shot is called soft when sharp and soft are told apart; between 0 and this it is neither."""
NOISE = 0.15
"""σ of the noise on training measures, of their own σ."""
SHARPEST = 0.04
"""Two causes nearer than this in strength share the lead while training."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Shots: measures [S, views, M], strengths and what the chain drew [S, 5], and which are held back [S]."""

    measures: Tensor
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
        probe = net(torch.rand(1, 9, 64, 64, generator=torch.Generator().manual_seed(1)))
    return hashlib.sha256(probe.mul(100).round().to(torch.int32).numpy().tobytes()).hexdigest()[:8]


def measure_file(path: Path, net: cause_measures.Measures, version: str) -> Path:
    """The file of measures of a file of shots; made if it is not there."""
    kept = path.with_name(f"{path.stem}-{version}.pt")
    if not kept.exists():
        shots = np.load(path)
        rows = []
        with torch.no_grad():
            for codes in shots["codes"]:
                whole = torch.from_numpy(codes.astype(np.float32) / 255)[None]
                rows.append(torch.cat([net(view).flatten(1) for view in views(whole)]))
        fresh = kept.with_suffix(f".{os.getpid()}.tmp")
        torch.save((torch.stack(rows), torch.from_numpy(shots["strength"]), torch.from_numpy(shots["drawn"])), fresh)
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
    return Measured(*(torch.cat([part[k] for part in parts]) for k in range(4)))


def loss_of(raw: Tensor, strength: Tensor) -> Tensor:
    """Strengths by a smooth absolute error; the lead by cross entropy, shared where causes are nearly equal; soft by cross entropy."""
    flat = raw.flatten(1)
    error = functional.smooth_l1_loss(torch.sigmoid(flat[:, :N]), strength, beta=0.05)
    soft = (strength.amax(1) > 0).float()
    aim = torch.softmax(strength / SHARPEST, 1)
    lead = (-(aim * torch.log_softmax(flat[:, N : 2 * N], 1)).sum(1) * soft).sum() / soft.sum().clamp(min=1)
    return 8 * error + lead + functional.binary_cross_entropy_with_logits(flat[:, 2 * N], soft)


def calibration_loss(net: CauseNet, raw: Tensor, strength: Tensor) -> Tensor:
    """What the votes' scales learn from: held-back shots' cross entropy, of votes that this loss cannot change."""
    flat = net.calibrated(raw.detach()).flatten(1)
    soft = strength.amax(1) > 0
    lead = functional.cross_entropy(flat[soft, N : 2 * N], strength[soft].argmax(1))
    return lead + functional.binary_cross_entropy_with_logits(flat[:, 2 * N], soft.float())


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
        "single causes, %": share(single, right),
        "single by cause, %": {c: share(single & (lead == i), right) for i, c in enumerate(CAUSES)},
        "calibration error": round(calibration_error(sure[soft], right[soft]), 3),
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


def cause_job(shots: Measured, *, seed: int, batch: int) -> Job:
    """Everything `train blur-cause` needs."""
    kept, held = (torch.nonzero(flag)[:, 0] for flag in (~shots.held, shots.held))
    if len(kept) < 2 or len(held) < 2:
        raise WorkshopError(f"{len(kept)} shots to train on and {len(held)} held back: make more with `shots`")
    net = CauseNet()
    own = shots.measures[kept].flatten(0, 1)
    net.middle.data = own.mean(0).view(1, -1, 1, 1)
    net.inverse.data = (1 / own.std(0).clamp(min=1e-3)).view(1, -1, 1, 1)

    def spread(rows: Tensor) -> Tensor:
        return rows[:, :, None, None]

    def loss(net: nn.Module, number: int) -> Tensor:
        assert isinstance(net, CauseNet)
        net.train()
        generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
        which = kept[torch.randint(0, len(kept), (batch,), generator=generator)]
        view = torch.randint(0, shots.measures.shape[1], (batch,), generator=generator)
        rows = shots.measures[which, view]
        # Slightly wrong measures keep single shots from being learned by heart.
        rows = rows + NOISE * torch.randn(rows.shape, generator=generator) / net.inverse.flatten()[None]
        main = loss_of(net.raw(spread(rows)), shots.strength[which])
        other = held[torch.randint(0, len(held), (batch,), generator=generator)]
        net.eval()
        with torch.no_grad():
            seen = net.raw(spread(shots.measures[other, 0]))
        return main + calibration_loss(net, seen, shots.strength[other])

    def validate(net: nn.Module) -> float:
        assert isinstance(net, CauseNet)
        net.eval()
        with torch.no_grad():
            outputs = net.calibrated(net.raw(spread(shots.measures[held, 0]))).flatten(1)
        return validation_figure(outputs, shots.strength[held], shots.drawn[held])

    return Job(net, loss, validate, "mean of the bars' figures on validation shots, %")


def outputs_of(net: CauseNet, measures: Sequence[Tensor]) -> Tensor:
    """Outputs [S, 11] of shots, each given as the measures [places, M] of its places: their mean before squashing."""
    net.eval()
    with torch.no_grad():
        return torch.stack([net.calibrated(net.raw(rows[:, :, None, None])).flatten(1).mean(0) for rows in measures])


def load(weights: Path) -> CauseNet:
    """A trained net."""
    net = CauseNet()
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return net.eval()
