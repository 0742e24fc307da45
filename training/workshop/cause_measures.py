"""What `blur-cause` looks at: what tells the causes apart, measured by fixed filters.

Three consecutive frames of one place give planes: luma of each, color differences, differences in time. Of each plane the windowed
spectrum (16 px, Hann, every 8 px) is pooled into bands of radius and direction, and the bands over the place: where the picture has
detail and where it is flat, apart, because grain is seen in the flat and the lens in the detail. Besides: the change of sharpness from
frame to frame (buckled film breathes), how differences differ by their place in a grid of 8 pixels (codecs), how many differences are
next to nothing (codecs), the periods of differences (resampling), levels and color (fading, printing). Everything is a convolution, a
product or a mean, so that the whole runs on a GPU.

Besides, the local spectra themselves are handed on, window by window, for a net that looks at each before pooling: only there is it
seen that a window without picture has grain of one width and the window beside it edges of another.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

WINDOW = 16
STEP = 8
SECTORS = 4
RINGS = (1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 11.4)
"""Upper ends of the rings in bins of the 16-pixel window; 8 is the highest frequency along an axis."""
QUANTUM = 0.3 / 255
"""Below this amplitude rounding speaks."""
LEVELS = tuple(0.02 + 0.08 * i for i in range(13))
NOTHING = (0.6, 1.5, 3.0, 6.0)
"""Differences, in 8-bit codes, below which there is next to nothing."""
SCALES = (0.7, 1.2, 2.0, 3.4)
WATCHED = (1, 3, 4, 5, 6)
"""Planes whose local spectra are handed on: the middle frame's luma and color differences, the differences in time."""


def spectral_filters() -> tuple[Tensor, Tensor]:
    """Windowed waves [2·K, 1, 16, 16] (cosines, then sines) and the bands they belong to [bands, K]."""
    hann = 0.5 - 0.5 * torch.cos(2 * math.pi * (torch.arange(WINDOW) + 0.5) / WINDOW)
    window = hann[:, None] * hann[None]
    y, x = torch.meshgrid(torch.arange(WINDOW) - 7.5, torch.arange(WINDOW) - 7.5, indexing="ij")
    cosines, sines, place = [], [], []
    for v in range(-7, 9):
        for u in range(0, 9):
            if (u == 0 and v <= 0) or (u == 8 and v < 0):
                continue
            radius = math.hypot(u, v)
            ring = next(i for i, end in enumerate(RINGS) if radius <= end)
            turn = math.atan2(v, u) / math.pi * SECTORS
            place.append(ring * SECTORS + round(turn) % SECTORS)
            phase = 2 * math.pi * (u * x + v * y) / WINDOW
            wave_c, wave_s = window * torch.cos(phase), window * torch.sin(phase)
            # Hann's window leaks the mean into the lowest waves.
            wave_c = wave_c - window * (wave_c.sum() / window.sum())
            cosines.append(wave_c)
            sines.append(wave_s)
    bands = torch.zeros(len(RINGS) * SECTORS, len(place))
    for k, band in enumerate(place):
        bands[band, k] = 1.0
    bands = bands / bands.sum(1, keepdim=True).clamp(min=1)
    return torch.stack([*cosines, *sines])[:, None], bands


def _gaussian(sigma: float, reach: int) -> Tensor:
    at = torch.arange(-reach, reach + 1, dtype=torch.float32)
    line = torch.exp(-0.5 * (at / sigma) ** 2)
    line = line / line.sum()
    return line[:, None] * line[None]


def edge_filters() -> Tensor:
    """Slopes (level, upright) and curvature of luma at each of `SCALES`, [3·scales, 1, 17, 17], normalized by scale."""
    at = torch.arange(-8, 9, dtype=torch.float32)
    found = []
    for sigma in SCALES:
        g = _gaussian(sigma, 8)
        found += [g * at[None] / sigma, g * at[:, None] / sigma]
        laplace = g * ((at[None] ** 2 + at[:, None] ** 2) / sigma**2 - 2)
        found.append(laplace - laplace.mean())
    return torch.stack(found)[:, None]


def mean(x: Tensor) -> Tensor:
    """Over the place; [B, C, 1, 1]."""
    return x.mean((2, 3), keepdim=True)


def spread(x: Tensor) -> Tensor:
    """Logarithm of the mean square over the place; [B, C, 1, 1]."""
    return torch.log(mean(x * x) + 1e-3)


class Measures(nn.Module):
    """[B, 9, H, W] codes of three frames to [B, N, 1, 1] measures, and the local spectra [B, 5·36, H/8 − 1, W/8 − 1] of `WATCHED` planes
    (logarithms of power). H and W are multiples of 8, at least 64. Nothing is trained."""

    def __init__(self) -> None:
        super().__init__()
        waves, bands = spectral_filters()
        self.bands, self.phases = len(bands), len(waves) // 2

        def fixed(weight: Tensor) -> nn.Parameter:
            # As it is shipped: a filter that is rounded afterwards would measure something else.
            return nn.Parameter(weight.half().float(), requires_grad=False)

        self.waves, self.rings = fixed(waves), fixed(bands[:, :, None, None])
        y = torch.tensor([0.2126, 0.7152, 0.0722])
        planes = torch.zeros(7, 9)
        for t in range(3):
            planes[t, 3 * t : 3 * t + 3] = y
        planes[3, 3:6] = torch.tensor([0.0, 0.0, 1.0]) - y
        planes[4, 3:6] = torch.tensor([1.0, 0.0, 0.0]) - y
        planes[5], planes[6] = planes[1] - planes[0], planes[2] - planes[1]
        self.planes = fixed(planes[:, :, None, None])
        self.edges = fixed(edge_filters())
        phases = torch.eye(8).view(8, 1, 1, 8)
        self.columns = fixed(phases.expand(8, 1, 8, 8).contiguous() / 8)
        self.rows = fixed(phases.transpose(2, 3).expand(8, 1, 8, 8).contiguous() / 8)
        k = torch.arange(8)
        turns = torch.stack([f(2 * math.pi * k * n / 8) for n in (1, 2, 3, 4) for f in (torch.cos, torch.sin)])
        self.turns = fixed(turns[:, :, None, None])
        third = torch.tensor([-1.0, 3.0, -3.0, 1.0])
        self.third_x, self.third_y = fixed(third.view(1, 1, 1, 4)), fixed(third.view(1, 1, 4, 1))
        low = torch.zeros(1, self.bands, 1, 1)
        low[:, : 2 * SECTORS] = 1 / (2 * SECTORS)
        self.low = fixed(low)
        self.wide = fixed(torch.ones(3, 1, 4, 4) / 16)
        near = torch.zeros(3, self.bands, 1, 1)
        for i, (top, bottom) in enumerate(((7, 3), (5, 2), (4, 1))):
            near[i, top * SECTORS : (top + 1) * SECTORS] = 1 / SECTORS
            near[i, bottom * SECTORS : (bottom + 1) * SECTORS] = -1 / SECTORS
        self.steep = fixed(near)
        self.levels = fixed(torch.tensor(LEVELS).view(1, -1, 1, 1))
        self.nothing = fixed(torch.tensor(NOTHING).view(1, -1, 1, 1) / 255)

    def spectrum(self, plane: Tensor) -> Tensor:
        """Power in bands [B, bands, h, w] of a plane [B, 1, H, W]."""
        waves = functional.conv2d(plane, self.waves, stride=STEP)
        square = waves * waves
        return functional.conv2d(square[:, : self.phases] + square[:, self.phases :], self.rings)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """All measures, and the local spectra."""
        planes = functional.conv2d(frames, self.planes)
        floor = QUANTUM**2 * 6.0
        found: list[Tensor] = []
        logs = []
        for index in range(7):
            power = self.spectrum(planes[:, index : index + 1]) + floor
            log = torch.log(power)
            logs.append(log)
            if index in (0, 2):
                continue
            found.append(mean(log))
            found.append(torch.log(mean(power)))
            if index == 1:
                detail = functional.conv2d(log, self.low)
                rich = torch.sigmoid(1.5 * (detail - mean(detail)))
                share = mean(rich)
                gates = (rich / share, (1 - rich) / (1.001 - share))
                found += [mean(gate * log) for gate in gates]
                found.append(spread(log - mean(log)))
                found += [share, spread(detail - mean(detail))]
            elif index in (5, 6):
                found.append(mean(gates[1] * log))
        # Breathing: local sharpness that changes in time, and that differs over the place.
        steep = [functional.conv2d(functional.conv2d(log, self.steep), self.wide, groups=3) for log in logs[:3]]
        for a, b in ((0, 1), (1, 2), (0, 2)):
            found.append(spread(steep[a] - steep[b]))
            found.append(spread(logs[a] - logs[b]))
            found.append(spread(mean(logs[a]) - mean(logs[b])))
        found.append(spread(steep[1] - mean(steep[1])))
        found += self._edges(planes[:, 1:2])
        found += self._grid(planes)
        found += self._levels(frames, planes)
        return torch.cat(found, 1), torch.cat([logs[index] for index in WATCHED], 1)

    def _edges(self, luma: Tensor) -> list[Tensor]:
        """Slope and curvature by scale, at the picture's edges and everywhere: halos and softness of edges apart from grain's."""
        answers = functional.conv2d(luma, self.edges)
        squares = answers * answers
        slopes = torch.cat([squares[:, 3 * i : 3 * i + 1] + squares[:, 3 * i + 1 : 3 * i + 2] for i in range(len(SCALES))], 1)
        bends = torch.cat([squares[:, 3 * i + 2 : 3 * i + 3] for i in range(len(SCALES))], 1)
        strong = slopes[:, 2:3] / (mean(slopes[:, 2:3]) + 1e-6)
        gate = torch.sigmoid(2 * (strong - 2))
        gate = gate / (mean(gate) + 1e-4)
        # Contrast against the coarsest scale, at each edge.
        against = torch.log(slopes + 1e-5) - torch.log(slopes[:, 3:4] + 1e-5)
        curved = torch.log(bends + 1e-5) - torch.log(slopes[:, 2:3] + 1e-5)
        times = (slopes + 1e-5) / (slopes[:, 3:4] + 1e-5)
        sharpest = [torch.log(mean(times) + 1e-3), torch.log(mean(gate * times) + 1e-3)]
        return [mean(gate * against), mean(gate * curved), mean(against), mean(curved), *sharpest, torch.log(mean(slopes) + 1e-6)]

    def _grid(self, planes: Tensor) -> list[Tensor]:
        """How much differences differ by their place in a grid of 8 pixels; and the spectrum of their size."""
        found = []
        for index in (1, 3, 4):
            plane = planes[:, index : index + 1]
            for weight, phases in ((self.third_x, self.columns), (self.third_y, self.rows)):
                size = torch.abs(functional.conv2d(plane, weight))
                size = size / (size + 4 / 255)
                by_phase = mean(functional.conv2d(size, phases, stride=8))
                waves = functional.conv2d(by_phase, self.turns)
                power = waves * waves
                power = power[:, 0::2] + power[:, 1::2]
                found.append(torch.log(power + 1e-8) - 2 * torch.log(mean(size) + 1e-3))
                if index == 1:
                    log = torch.log(self.spectrum(size) + 1e-5)
                    found.append(mean(log))
        return found

    def _levels(self, frames: Tensor, planes: Tensor) -> list[Tensor]:
        """Differences that are next to nothing; distribution of codes; strength and likeness of the channels' finest detail."""
        found = []
        for index in (1, 3, 4):
            plane = planes[:, index : index + 1]
            for difference in (plane[:, :, :, 1:] - plane[:, :, :, :-1], plane[:, :, 1:] - plane[:, :, :-1]):
                found.append(mean(torch.sigmoid((self.nothing - torch.abs(difference)) * 1020)))
        for index in (5, 6):
            found.append(mean(torch.sigmoid((self.nothing - torch.abs(planes[:, index : index + 1])) * 1020)))
        rgb = frames[:, 3:6]
        for channel in range(3):
            found.append(mean(torch.sigmoid((rgb[:, channel : channel + 1] - self.levels) * 60)))
        found.append(mean(rgb))
        found.append(mean(torch.abs(planes[:, 3:5])))
        fine = rgb[:, :, :, 1:-1] - 0.5 * (rgb[:, :, :, 2:] + rgb[:, :, :, :-2])
        red, green, blue = fine[:, :1], fine[:, 1:2], fine[:, 2:]
        for a in (red, green, blue, red - green, blue - green):
            found.append(torch.log(mean(a * a) + 1e-7))
        return found
