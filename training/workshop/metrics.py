"""How good a picture is against its truth. All take [3, H, W] codes 0…1."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from degradation.optics import blur, convolve

LUMA = (0.2126, 0.7152, 0.0722)


def luma(picture: Tensor) -> Tensor:
    """Rec. 709 luma of R′G′B′, [H, W]."""
    return (picture * torch.tensor(LUMA, device=picture.device).view(3, 1, 1)).sum(0)


def psnr(a: Tensor, b: Tensor) -> float:
    """PSNR over all channels in dB, for a range of 1."""
    error = float((a.double() - b.double()).pow(2).mean())
    return math.inf if error == 0 else -10 * math.log10(error)


def psnr_of(total: float, count: float) -> float:
    """PSNR in dB of squared errors summed over some pixels, each the mean of its channels.

    No error is shown as 120 dB, no pixel as NaN.
    """
    return -10 * math.log10(max(total / count, 1e-12)) if count else math.nan


def ssim(a: Tensor, b: Tensor) -> float:
    """Mean structural similarity over channels (Wang et al. 2004: Gaussian window of σ 1.5, K 0.01 and 0.03)."""
    c1, c2 = 0.01**2, 0.03**2
    ma, mb = blur(a, 1.5), blur(b, 1.5)
    va, vb = blur(a * a, 1.5) - ma * ma, blur(b * b, 1.5) - mb * mb
    cross = blur(a * b, 1.5) - ma * mb
    return float((((2 * ma * mb + c1) * (2 * cross + c2)) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean())


def gmsd(a: Tensor, b: Tensor) -> float:
    """Gradient magnitude similarity deviation of luma (Xue et al. 2014): 0 is equal; a perceptual distance."""
    c = 170 / 255**2

    def gradient(picture: Tensor) -> Tensor:
        plane = torch.nn.functional.avg_pool2d(luma(picture)[None, None], 2)[0, 0]
        prewitt = torch.tensor([[1.0, 0, -1]] * 3) / 3
        return (convolve(plane, prewitt) ** 2 + convolve(plane, prewitt.T) ** 2).sqrt()

    ga, gb = gradient(a), gradient(b)
    return float(((2 * ga * gb + c) / (ga**2 + gb**2 + c)).std())


def correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's correlation."""
    a, b = a.double() - a.double().mean(), b.double() - b.double().mean()
    size = float((a * a).sum() * (b * b).sum())
    return float((a * b).sum()) / math.sqrt(size) if size > 0 else 0.0


def detail(picture: Tensor) -> Tensor:
    """What is finer than about 4 px in luma: edges and texture, signed."""
    plane = luma(picture)
    return plane - blur(plane, 2.0)


def edge_correlation(noisy: Tensor, output: Tensor, clean: Tensor) -> float:
    """Correlation of what was removed with the truth's edges and texture: 0 for pure grain, rising with waxiness."""
    return correlation(luma(noisy) - luma(output), detail(clean))


def detail_kept(output: Tensor, clean: Tensor) -> float:
    """The share of the truth's fine detail that the output still has (regression of one on the other); 1 is all of it."""
    a, b = detail(output).double(), detail(clean).double()
    power = float((b * b).sum())
    return float((a * b).sum()) / power if power > 0 else 1.0
