"""The last layers of the feed-forward net by least squares: the best that can be read linearly off FFDNet's features, before any training.

Given the features f of the body, what is to be added to a picture is linear in the last layers' weights: H₀·f always, H_k·s·f where cause k
is told with strength s, U_k·f where it is told without. H₀ is fitted to all samples, then H_k and U_k to what H₀ leaves of the samples
with that cause alone. This takes a minute or two; by gradient steps the same takes thousands.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .deblur_data import FLOOR, RIM
from .deblur_net import CAUSES, DeblurNet, said_of, told

RIDGE = 1e-3
"""Of the mean of the normal equations' diagonal."""
EVERY = 2
"""One in so many 2×2 pixels counts, in each direction: neighbors tell nearly the same."""


def _solve(gram: Tensor, right: Tensor) -> Tensor:
    wide = gram.double()
    if not bool(wide.any()):
        # No sample tells: nothing is added.
        return torch.zeros_like(right)
    return torch.linalg.solve(wide + RIDGE * wide.diagonal().mean() * torch.eye(len(wide)), right.double()).float()


def _equations(net: DeblurNet, planes: Tensor, bf16: bool) -> tuple[Tensor, Tensor]:
    """Features under the last layers' 3×3 and a 1, [pixels, 9·features + 1], and what is to be added [pixels, 12], of a sample."""
    soft, truth = (planes[None, part].float() / 255 for part in (slice(0, 3), slice(3, 6)))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        found = net.features(soft, said_of(told({}))).float()
    rim = RIM // 2
    columns = functional.unfold(found, 3, padding=1).view(-1, *found.shape[-2:])[:, rim:-rim:EVERY, rim:-rim:EVERY].flatten(1)
    wanted = functional.pixel_unshuffle(truth - soft, 2)[0, :, rim:-rim:EVERY, rim:-rim:EVERY].flatten(1)
    return torch.cat([columns, torch.ones(1, columns.shape[1])]).T, wanted.T


def solve_head(net: DeblurNet, made: dict[str, Any], count: int, bf16: bool = True) -> DeblurNet:
    """Fills the last layers from the first `count` samples of a pool (fewer where it has fewer)."""
    last = net.convs[-1]
    assert isinstance(last, nn.Conv2d) and last.bias is not None
    size = 9 * last.in_channels + 1
    # Sums of f·fᵀ and of f·r, over all samples and over each cause's own, there with weights 1, s and s².
    everything = (torch.zeros(size, size), torch.zeros(size, 12))
    grams, rights = torch.zeros(len(CAUSES), 3, size, size), torch.zeros(len(CAUSES), 2, size, 12)
    for planes, strengths in zip(made["planes"][:count], made["strengths"][:count], strict=True):
        f, wanted = _equations(net, planes, bf16)
        # As in training, errors count relative to the softness.
        weight = (2 * FLOOR / (float(wanted.abs().mean()) + FLOOR)) / len(f)
        gram, right = weight * (f.T @ f), weight * (f.T @ wanted)
        everything[0].add_(gram)
        everything[1].add_(right)
        if int((strengths > 0).sum()) != 1:
            continue
        k = int(strengths.argmax())
        s = float(strengths[k])
        for power in range(3):
            grams[k, power] += s**power * gram
        for power in range(2):
            rights[k, power] += s**power * right
    base = _solve(*everything)
    solved = [base]
    # What H₀ leaves, read off s·f, and off f.
    solved += [_solve(grams[k, 2], rights[k, 1] - grams[k, 1] @ base) for k in range(len(CAUSES))]
    solved += [_solve(grams[k, 0], rights[k, 0] - grams[k, 0] @ base) for k in range(len(CAUSES))]
    together = torch.cat(solved, 1).T
    last.weight.data = together[:, :-1].reshape(last.weight.shape).contiguous()
    last.bias.data = together[:, -1].contiguous()
    return net
