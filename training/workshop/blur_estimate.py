"""Blind estimation of a shot's blur from its pooled spectrum, the reference of `src/analysis/blur`.

Windows with detail of several frames give one mean periodogram of luma in linear light. It is explained as prior · |K|² + noise, where
the prior is a smooth spectrum (a quadratic in the logarithm of frequency with its anisotropy) whose coefficients are known, as mean and
covariance, from sharp training pictures. A kernel is believed only where it explains the spectrum better than `sharp` by a margin.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .paths import ROOT
from .pictures import Entry

Array = NDArray[np.float64]
SIDE = 64
"""Side of a window in pixels."""
HALF = SIDE // 2
COLORED = 1.2
"""Noise said to be this much stronger than the highest frequencies is not white."""
FLOOR = 0.1
"""What its floor is then taken for, of the highest frequencies' power."""
LEAST_BIN = 2.5
"""Frequencies below (in bins) tell of the window and of composition."""
AXIS = 1.5
"""Bins beside the axes, which upright and level structures fill, are left out."""
LUMA = np.array([0.2126, 0.7152, 0.0722])

_v, _u = np.meshgrid(np.arange(-HALF + 1, HALF), np.arange(0, HALF), indexing="ij")
_r = np.hypot(_u, _v)
USED = (_r >= LEAST_BIN) & (_r < HALF) & (np.abs(_u) > AXIS) & (np.abs(_v) > AXIS)
U, V = _u[USED] / SIDE, _v[USED] / SIDE
RADIUS = np.hypot(U, V)


def basis() -> Array:
    """The prior's log spectrum: [frequencies, coefficients]."""
    rho = np.log(RADIUS / 0.15)
    theta = np.arctan2(V, U)
    c2, s2, c4, s4 = np.cos(2 * theta), np.sin(2 * theta), np.cos(4 * theta), np.sin(4 * theta)
    one = np.ones_like(rho)
    return np.stack([one, rho, rho**2, rho**3, c2, s2, c2 * rho, s2 * rho, c4, s4, c4 * rho, s4 * rho], 1)


BASIS = basis()


@dataclass(frozen=True)
class Spectrum:
    """Mean periodogram at the used frequencies, the noise's share of it, and how many windows there were."""

    power: Array
    noise: Array
    windows: int


def linear(codes: Array) -> Array:
    """sRGB."""
    return np.where(codes <= 0.04045, codes / 12.92, ((np.maximum(codes, 0) + 0.055) / 1.055) ** 2.4)


def steepness(codes: Array) -> Array:
    """Derivative of light by codes."""
    return np.where(codes <= 0.04045, 1 / 12.92, 2.4 / 1.055 * ((np.clip(codes, 0, 1) + 0.055) / 1.055) ** 1.4)


def pool(frames: Array, sigma: float, share: float = 0.4) -> Spectrum | None:
    """The spectrum of frames [N, 3, H, W] in codes with grain of σ `sigma` (codes ÷ 255)."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(SIDE) + 0.5) / SIDE)
    window = np.outer(hann, hann)
    energy = float((window**2).sum())
    found: list[tuple[float, Array, float]] = []
    white = math.hypot(sigma, 0.29 / 255)
    for frame in frames:
        luma = np.tensordot(LUMA, linear(frame), 1)
        noise = white**2 * np.tensordot(LUMA**2, steepness(frame) ** 2, 1)
        clipped = (frame.max(0) > 0.985).astype(float)
        height, width = luma.shape
        for top in range(0, height - SIDE + 1, HALF):
            for left in range(0, width - SIDE + 1, HALF):
                cut = (slice(top, top + SIDE), slice(left, left + SIDE))
                if clipped[cut].mean() > 0.02:
                    continue
                part = luma[cut]
                part = (part - (part * window).sum() / window.sum()) * window
                power = np.abs(np.fft.fft2(part)) ** 2 / energy
                power = np.fft.fftshift(power)[1:, HALF:][USED]
                floor = float((noise[cut] * window**2).sum()) / energy
                detail = float(np.maximum(power - floor, 0)[RADIUS > 0.1].mean())
                if detail > 0.3 * floor:
                    found.append((detail, power, floor))
    if len(found) < 2:
        return None
    found.sort(key=lambda item: -item[0])
    kept = found[: max(2, math.ceil(share * len(found)))]
    total = np.zeros_like(RADIUS)
    level = 0.0
    for _, power, floor in kept:
        scale = 1 / float(power.mean())
        total += scale * power
        level += scale * floor
    power = total / len(kept)
    # Noise said to be stronger than the highest frequencies is not white (a codec smoothed it): its floor is unknown, and a low one makes
    # the picture, not a blur, answer for the fall.
    highest = float(power[RADIUS > 0.42].mean())
    floor_level = level / len(kept)
    floor_level = FLOOR * highest if floor_level > COLORED * highest else min(floor_level, highest)
    return Spectrum(power, np.full_like(RADIUS, floor_level), len(kept))


def smoothed(power: Array) -> Array:
    """What Hann's window makes of a power spectrum on the full grid: each axis by (1, 4, 1) ÷ 6."""
    for axis in (0, 1):
        power = (4 * power + np.roll(power, 1, axis) + np.roll(power, -1, axis)) / 6
    return power


_gv, _gu = np.meshgrid(np.fft.fftshift(np.fft.fftfreq(SIDE)), np.fft.fftshift(np.fft.fftfreq(SIDE)), indexing="ij")


def pick(full: Array) -> Array:
    """The used frequencies of a full, shifted grid."""
    picked: Array = full[1:, HALF:][USED]
    return picked


def bessel(order: int, x: Array) -> Array:
    """J₁ or J₂ by the integral; 0 ≤ x < 60."""
    t = (np.arange(64) + 0.5) * np.pi / 64
    values: Array = np.cos(order * t[None] - x.reshape(-1, 1) * np.sin(t)[None]).mean(1).reshape(x.shape)
    return values


def power_of(family: str, size: float, angle: float = 0.0, edge: float = 0.0) -> Array:
    """|K|² of a blur at the used frequencies, as a windowed spectrum shows it."""
    f = np.hypot(_gu, _gv)
    if family == "gaussian":
        k = np.exp(-2 * (np.pi * size * f) ** 2)
    elif family == "defocus":
        x = np.maximum(2 * np.pi * size * f, 1e-3)
        k = 2 * (1 + edge) * bessel(1, x) / x - 8 * edge * bessel(2, x) / x**2
    else:
        a = math.radians(angle)
        k = np.sinc(size * (_gu * math.cos(a) + _gv * math.sin(a)))
    return pick(smoothed(k**2))


Guess = tuple[str, float, float, float]
"""Family, size, angle, edge."""


def hypotheses() -> list[Guess]:
    """All blurs that are compared."""
    out: list[Guess] = []
    out += [("gaussian", float(s), 0.0, 0.0) for s in np.geomspace(0.5, 4, 25)]
    out += [("defocus", float(r), 0.0, e) for e in (-0.4, 0.0, 0.4) for r in np.geomspace(0.8, 9, 50)]
    for length in np.geomspace(2, 24, 28):
        steps = int(np.clip(round(4 * length), 12, 48))
        out += [("motion", float(length), 180 * i / steps, 0.0) for i in range(steps)]
    return out


PRIOR = ROOT / "src" / "analysis" / "blur" / "prior.json"
"""Mean and inverse covariance of the prior's coefficients, which the program reads too; `python -m workshop blur-prior` makes it."""
TRUST = 0.01
"""How much the prior on coefficients weighs against the mean squared residual of the logarithm."""
MARGIN = 0.3
"""What the logarithm of the cost must fall by for a blur to be believed. Sharp training pictures stay below, but for small blurs."""
DEFOCUS_MARGIN = 0.03
"""And defocus against a Gaussian: the simpler one stands where they tell the same."""
MOTION_MARGIN = 0.2
"""And a line against both: true lines of the training pictures win by .39 at least, false ones by .17 at most."""
LARGEST_EDGE = 0.6
LEAST = {"gaussian": 0.75, "defocus": 1.45, "motion": 2.5}
"""Smaller blurs are not told from a picture's own softness."""


def fit(
    log_power: Array, noise: Array, squared: Array, mean: Array, precision: Array, trust: float, turns: int = 4
) -> tuple[Array, Array, Array]:
    """Gauss–Newton for all hypotheses |K|² [H, F] at once: coefficients, mean squared residual, distance from the prior's mean."""
    count = BASIS.shape[0]
    c = np.repeat(mean[None], squared.shape[0], 0)
    for _ in range(turns):
        signal = np.exp(np.clip(c @ BASIS.T, -30, 30)) * squared
        residual = log_power - np.log(signal + noise)
        share = signal / (signal + noise)
        a = np.einsum("hf,fp,fq->hpq", share**2, BASIS, BASIS, optimize=True) / count + trust * precision
        b = np.einsum("hf,fp->hp", share * residual, BASIS, optimize=True) / count - trust * (c - mean) @ precision
        c = c + np.clip(np.linalg.solve(a, b[..., None])[..., 0], -1.5, 1.5)
    signal = np.exp(np.clip(c @ BASIS.T, -30, 30)) * squared
    residual = log_power - np.log(signal + noise)
    return c, (residual**2).mean(1), np.einsum("hp,pq,hq->h", c - mean, precision, c - mean)


def fit_prior(spectra: list[Spectrum]) -> dict[str, list[object]]:
    """Mean and inverse covariance of the coefficients over sharp pictures; the overall level is left free."""
    size = BASIS.shape[1]
    start = np.zeros(size)
    start[1] = -2.5
    one = np.ones((1, BASIS.shape[0]))
    found = np.stack([fit(np.log(s.power), s.noise, one, start, np.eye(size), 1e-3, 5)[0][0] for s in spectra])
    covariance = np.cov(found.T) + 1e-3 * np.eye(size)
    covariance[0, :] = covariance[:, 0] = 0
    covariance[0, 0] = 4
    precision = np.linalg.inv(covariance)
    return {"mean": [float(f"{v:.4g}") for v in found.mean(0)], "precision": [[float(f"{v:.4g}") for v in row] for row in precision]}


def sharp_spectra(entries: list[Entry]) -> list[Spectrum]:
    """Spectra of a tenth to a half of the training pictures of each source, which pass for sharp."""
    found = []
    for source, step in (("bsds", 5), ("imagenet", 5), ("faces", 9), ("video", 2)):
        for entry in [e for e in entries if source in e.name][::step]:
            spectrum = pool(entry.frames[:, 16:-16, 16:-16].transpose(0, 3, 1, 2) / 255, 0.0)
            if spectrum is not None:
                found.append(spectrum)
    return found


@dataclass(frozen=True)
class Blur:
    """What was found: `sharp`, `gaussian` (σ), `defocus` (radius and edge) or `motion` (length and angle in degrees)."""

    family: str
    size: float = 0.0
    angle: float = 0.0
    edge: float = 0.0
    gain: float = 0.0


def estimate(spectrum: Spectrum | None, families: tuple[str, ...] = ("gaussian", "defocus", "motion"), must: bool = False) -> Blur:
    """The blur of a spectrum; with `must` the best of the families, whether it is believed or not."""
    if spectrum is None:
        return Blur("sharp")
    prior = json.loads(PRIOR.read_text(encoding="utf-8"))
    mean, precision = np.array(prior["mean"]), np.array(prior["precision"])
    log_power = np.log(spectrum.power)

    def cost(guesses: list[Guess]) -> Array:
        squared = np.stack([power_of(*g) if g[1] else np.ones_like(RADIUS) for g in guesses])
        _, rss, distance = fit(log_power, spectrum.noise, squared, mean, precision, TRUST)
        return np.log(rss + TRUST * distance)

    sharp = float(cost([("sharp", 0.0, 0.0, 0.0)])[0])
    best: dict[str, Blur] = {}
    all_guesses = [g for g in hypotheses() if g[0] in families]
    for guess, value in zip(all_guesses, cost(all_guesses), strict=True):
        if guess[0] not in best or sharp - value > best[guess[0]].gain:
            best[guess[0]] = Blur(*guess, gain=sharp - float(value))
    for family, blur in best.items():
        wide, turn, rim = 0.05, 180 / np.clip(round(4 * blur.size), 12, 48) / 2, 0.2
        for _ in range(4):
            turns = (-turn, 0, turn) if family == "motion" else (0,)
            rims = (-rim, 0, rim) if family == "defocus" else (0,)
            near = [
                (family, blur.size * (1 + s), blur.angle + a, float(np.clip(blur.edge + e, -LARGEST_EDGE, LARGEST_EDGE)))
                for s in (-wide, 0, wide)
                for a in turns
                for e in rims
            ]
            costs = cost(near)
            i = int(costs.argmin())
            blur = Blur(family, near[i][1], near[i][2] % 180, near[i][3], sharp - float(costs[i]))
            wide, turn, rim = wide / 2, turn / 2, rim / 2
        best[family] = blur
    chosen = best[families[0]]
    if "defocus" in best and ("gaussian" not in best or best["defocus"].gain > best["gaussian"].gain + DEFOCUS_MARGIN):
        chosen = best["defocus"]
    elif "gaussian" in best:
        chosen = best["gaussian"]
    if "motion" in best and best["motion"].gain > chosen.gain + MOTION_MARGIN:
        chosen = best["motion"]
    if not must and (chosen.gain < MARGIN or chosen.size < LEAST[chosen.family]):
        return Blur("sharp", gain=chosen.gain)
    return chosen
