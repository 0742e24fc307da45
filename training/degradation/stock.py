"""A film stock: how code values become density, and how grainy that density is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

LN10 = math.log(10.0)
LEAST_TRANSMITTANCE = 1e-4
"""A scanner sees no further into the dark than density 4."""


@dataclass(frozen=True)
class Stock:
    """A stock as scanned. Lengths are in pixels of the scan.

    `radius`, `spread`: mean grain radius, and its standard deviation as a share of the mean (log-normal).
    `aperture`: σ of the Gaussian with which the scan integrates light.
    `least`, `most`: densities at the two ends of the code range; grain of the base fog is that of `least`.
    `curve`: 0 if codes are linear in density (a log scan), else how strongly they bend, code = ((1 + curve)^s − 1) / curve.
    `negative`: whether bright codes are dense on the film.
    `layers`, `cloud`: sublayers of the emulsion, and the density of one grain in them; infinite for developed silver,
    which is opaque, about 0.3…1 for a dye cloud.
    `correlation`: share of the grains that red, green and blue have in common; 1 is black and white.
    `gain`: contrast of everything after the film (printing, grading), which scales the grain's deviations.
    """

    radius: float = 0.3
    spread: float = 0.3
    aperture: float = 0.5
    least: float = 0.2
    most: float = 2.0
    curve: float = 0.0
    negative: bool = True
    layers: int = 1
    cloud: float = math.inf
    correlation: float = 0.0
    gain: float = 1.0

    def __post_init__(self) -> None:
        """Refuses what no film is."""
        checks = {
            "radius must be in 0.05…8 px": 0.05 <= self.radius <= 8,
            "spread must be in 0…1": 0 <= self.spread <= 1,
            "aperture must be in 0.2…4 px": 0.2 <= self.aperture <= 4,
            "densities must satisfy 0.01 <= least < most <= 3.5": 0.01 <= self.least < self.most <= 3.5,
            "curve must be in 0…100": 0 <= self.curve <= 100,
            "layers must be in 1…8": 1 <= self.layers <= 8,
            "correlation must be in 0…1": 0 <= self.correlation <= 1,
            "gain must be in 0…20": 0 <= self.gain <= 20,
            "the layers' clouds must be able to make density `most`": self.most < 0.98 * self.layers * self.cloud,
        }
        for message, holds in checks.items():
            if not holds:
                raise ValueError(f"stock: {message} (got {self})")

    @property
    def area(self) -> float:
        """Mean area of a grain in px²: π(mean² + variance)."""
        return math.pi * self.radius**2 * (1 + self.spread**2)

    @property
    def opacity(self) -> float:
        """Share of the light that one grain takes."""
        return 1 - 10.0**-self.cloud if math.isfinite(self.cloud) else 1.0

    def with_gain(self, gain: float) -> Stock:
        """The same stock, printed with another contrast."""
        return replace(self, gain=gain)

    def density(self, code: Tensor) -> Tensor:
        """Mean density at a code value of 0…1."""
        position = code.clamp(0, 1) if self.negative else 1 - code.clamp(0, 1)
        if self.curve > 0:
            position = torch.log1p(self.curve * position) / math.log1p(self.curve)
        return self.least + (self.most - self.least) * position

    def code(self, density: Tensor) -> Tensor:
        """The code value of a density; the inverse of `density`, continued beyond 0…1."""
        position = ((density - self.least) / (self.most - self.least)).clamp(-1, 2)
        if self.curve > 0:
            position = torch.expm1(position * math.log1p(self.curve)) / self.curve
        return position if self.negative else 1 - position

    def depth(self, code: Tensor) -> Tensor:
        """How many grains of one layer lie over a point on average, at a code value.

        Boolean model: a point is bare with probability exp(−depth). Each of the layers lets through the same share of the
        light, 1 − opacity · (1 − exp(−depth)), and together 10^−density.
        """
        share = torch.exp(-LN10 * self.density(code) / self.layers)
        return -torch.log1p(-(1 - share) / self.opacity)

    @property
    def deepest(self) -> float:
        """The largest `depth` of the code range."""
        return float(self.depth(torch.tensor([0.0, 1.0], dtype=torch.float64)).max())

    def scan(self, transmittance: Tensor) -> Tensor:
        """The code value that a scanner gives for the light that came through."""
        return self.code(-torch.log10(transmittance.clamp(min=LEAST_TRANSMITTANCE)))
