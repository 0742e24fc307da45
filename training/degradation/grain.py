"""Film grain by a physical model: the inhomogeneous Boolean model of disks, rendered fast enough to train on.

A. Newson, J. Delon, B. Galerne, "A stochastic film grain model for resolution-independent rendering", 2017: grains are disks
with log-normal radii at the points of a Poisson process whose intensity follows the picture; a point is dark where a grain
covers it; what is seen is that binary film through an aperture. `grain_reference.py` follows the paper's pixel-wise Monte
Carlo. Here the same film is drawn once for all exposures: every grain gets the exposure at which it develops (its *mark*),
and a map keeps, for each point of a fine grid, the least mark of the grains over it. At an exposure `depth` exactly the points
with `mark <= depth` are covered, so one map gives the film at every gray level and for every picture.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from .stock import Stock

RADIUS_BINS = 5


def log_normal(count: int, mean: float, spread: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """Radii with the given mean, and standard deviation `spread` · mean."""
    if spread == 0:
        return torch.full((count,), mean, device=device)
    variance = math.log1p(spread**2)
    normal = torch.randn(count, generator=generator, device=device)
    return torch.exp(math.log(mean) - variance / 2 + math.sqrt(variance) * normal)


def supersampling(stock: Stock) -> int:
    """Points a pixel and side: at least 1.3 on a mean radius, 3 on the aperture."""
    return max(2, min(8, math.ceil(max(1.3 / stock.radius, 1.5 / stock.aperture))))


def mark_map(stock: Stock, size: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """The least mark over each point, [size·S, size·S], periodic; S is `supersampling(stock)`."""
    scale = supersampling(stock)
    side = size * scale
    mean = stock.deepest / stock.area * size**2
    # Beyond some thousands a Poisson number is a normal one to within what anybody could measure.
    drawn = mean + math.sqrt(mean) * float(torch.randn(1, generator=generator, device=device))
    count = max(1, round(drawn))
    radii = log_normal(count, stock.radius, stock.spread, generator, device) * scale
    place = torch.rand(2, count, generator=generator, device=device) * side
    mark = torch.rand(count, generator=generator, device=device) * stock.deepest
    least = torch.full((side * side,), math.inf, device=device)
    for chunk in torch.chunk(torch.argsort(radii), RADIUS_BINS):
        part = chunk[torch.argsort(mark[chunk], descending=True)]
        _paint(least, side, place[:, part], radii[part], mark[part])
    return least.view(side, side)


def _paint(least: Tensor, side: int, place: Tensor, radii: Tensor, mark: Tensor) -> None:
    reach = math.ceil(float(radii.max()))
    cell = place.floor().long()
    for dy in range(-reach, reach + 1):
        y = cell[0] + dy
        across = radii**2 - (y + 0.5 - place[0]) ** 2
        row = (y % side) * side
        for dx in range(-reach, reach + 1):
            x = cell[1] + dx
            inside = (x + 0.5 - place[1]) ** 2 <= across
            _lower(least, row[inside] + x[inside] % side, mark[inside])


def _lower(least: Tensor, index: Tensor, mark: Tensor) -> None:
    """least[index] = min(least[index], mark), where marks fall."""
    if least.is_cuda:
        least.scatter_reduce_(0, index, mark, "amin")
        return
    # NumPy assigns in order: of several marks for a point the last, which is the least, stays. Ten times as fast as torch here.
    values, at, new = least.numpy(), index.numpy(), mark.numpy()
    smaller = new < values[at]
    values[at[smaller]] = new[smaller]


def aperture_filter(light: Tensor, scale: int, sigma: float) -> Tensor:
    """[N, side, side] of points to [N, side/scale, side/scale] of pixels: a Gaussian aperture, periodic."""
    margin = math.ceil(3.5 * sigma * scale)
    length = scale + 2 * margin
    at = torch.arange(length, device=light.device, dtype=torch.float32) - (length - 1) / 2
    taps = torch.exp(-0.5 * (at / (sigma * scale)) ** 2)
    taps = taps / taps.sum()
    planes = functional.pad(light[:, None], (margin,) * 4, mode="circular")
    planes = functional.conv2d(planes, taps.view(1, 1, -1, 1), stride=(scale, 1))
    return functional.conv2d(planes, taps.view(1, 1, 1, -1), stride=(1, scale))[:, 0]


def transmitted(stock: Stock, marks: list[Tensor], depth: Tensor) -> Tensor:
    """Light through the layers, point by point; `depth` is a number or a map of the points."""
    light = torch.ones_like(marks[0])
    for layer in marks:
        light = light * (1 - stock.opacity * (layer <= depth).float())
    return light


def layers(stock: Stock, size: int, generator: torch.Generator, device: torch.device) -> list[Tensor]:
    """A map for every layer: one periodic film, of which each layer sees another place and another of the square's symmetries.

    Points that lie over each other come from places far apart, and grains far apart are independent.
    """
    film = mark_map(stock, size, generator, device)
    result = [film]
    for index in range(1, stock.layers):
        top, left = (torch.rand(2, generator=generator, device=device) * film.shape[0]).long().tolist()
        moved = film.roll((top, left), (0, 1))
        moved = moved.T if index & 1 else moved
        result.append((moved.flip(0) if index & 2 else moved).contiguous())
    return result


def superpose(shared: Tensor, own: Tensor, share: float) -> Tensor:
    """The marks of a film of which `share` of the grains come from one process and the rest from another (exact)."""
    if share <= 0:
        return own
    if share >= 1:
        return shared
    return torch.minimum(shared / share, own / (1 - share))


def expose(picture: Tensor, stock: Stock, generator: torch.Generator) -> Tensor:
    """The picture [3, H, W] (codes 0…1) on film, scanned, grain and all: the model itself, without gain or calibration.

    For references and galleries; training uses a `GrainBank`, which is some hundred times faster.
    """
    height, width = picture.shape[-2:]
    size, scale = max(height, width), supersampling(stock)
    device = picture.device
    shared = layers(stock, size, generator, device)
    result = []
    for channel in picture:
        own = layers(stock, size, generator, device) if stock.correlation < 1 else shared
        marks = [superpose(a, b, stock.correlation) for a, b in zip(shared, own, strict=True)]
        depth = stock.depth(channel).repeat_interleave(scale, 0).repeat_interleave(scale, 1)
        depth = functional.pad(depth[None, None], (0, (size - width) * scale, 0, (size - height) * scale), mode="replicate")[0, 0]
        light = aperture_filter(transmitted(stock, marks, depth)[None], scale, stock.aperture)[0]
        result.append(stock.scan(light[:height, :width]))
    return torch.stack(result)
