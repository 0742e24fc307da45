"""Neighbors moved into a frame's place, as the app does it (`src/analysis/flow`, `src/stages/dust-bust`).

Three views of what a frame ought to show: the frame before and the frame after, each by its own flow, and the middle that RIFE
makes of both. The last never looks at the frame itself, so that damage there cannot mislead it; the first two follow motion
that is not even.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from emulsion_training.originals import load_state
from emulsion_training.rife import ALIGN, Rife, grid_inputs

from .paths import CACHE, need

HASTE = 8.0
"""Pixels a frame that count as half of the greatest haste."""
CARRIED = "rife.pt"
"""The weights in a GPU kit."""
LOOKUPS = 2
"""How often a doubled half flow is looked up anew where it says it passes through (as in the app)."""


@dataclass(frozen=True)
class Views:
    """What a frame [3, H, W] ought to show: `before`, `after`, `middle` [3, H, W]; `trust` [2, H, W], 0…1, of the first two.

    `early` and `late` [3, H, W] are the two halves that the middle is mixed of: where they differ, nobody knows what belongs there.
    `haste` [1, H, W] is how fast it moves there, v ÷ (v + 8) of v pixels a frame.
    """

    before: Tensor
    after: Tensor
    middle: Tensor
    early: Tensor
    late: Tensor
    trust: Tensor
    haste: Tensor


def load_rife() -> nn.Module:
    """RIFE with its published weights, which the importer fetches."""
    if (CACHE / CARRIED).exists():
        return Rife(carried(CACHE / CARRIED)).eval()
    path = need(CACHE / "flownet.pkl", "run training/import.sh once, which fetches the published weights")
    return Rife(load_state(path)).eval()


def carry_rife(path: Path) -> None:
    """Writes what `load_rife` needs of the published weights in half precision, as the app has them: for the GPU kit."""
    state = load_state(need(CACHE / "flownet.pkl", "run training/import.sh once, which fetches the published weights"))
    torch.save({name: value.half() for name, value in state.items() if not name.startswith(("teacher.", "caltime."))}, path)


def carried(path: Path) -> dict[str, Tensor]:
    """Weights of such a file."""
    return {name: value.float() for name, value in torch.load(path, weights_only=True).items()}


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """[C, H, W] at p + flow [2, H, W], Catmull-Rom, edges repeated: the twin of the app's warp."""
    height, width = picture.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    dx, dy = flow[0].clamp(-2 * width, 2 * width), flow[1].clamp(-2 * height, 2 * height)
    wx, wy = _weights(dx - dx.floor()), _weights(dy - dy.floor())
    left, top = x + dx.floor().long() - 1, y + dy.floor().long() - 1
    planes = picture.reshape(picture.shape[0], -1)
    result = torch.zeros_like(picture)
    for j in range(4):
        row = (top + j).clamp(0, height - 1) * width
        line = torch.zeros_like(picture)
        for i in range(4):
            line += wx[i] * planes[:, row + (left + i).clamp(0, width - 1)]
        result += wy[j] * line
    return result


def _weights(t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    t2, t3 = t * t, t * t * t
    return -0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1, -1.5 * t3 + 2 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2


def _linear(picture: Tensor, flow: Tensor) -> Tensor:
    height, width = picture.shape[-2:]
    grid, norm = grid_inputs(height, width)
    where = (grid[0] + flow * norm[0]).permute(1, 2, 0)[None]
    return functional.grid_sample(picture[None], where, mode="bilinear", padding_mode="border", align_corners=True)[0]


def half_flows(rife: nn.Module, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Flow [2, H, W] from the middle of two guides [3, H, W] to a and to b, and a's share [1, H, W]. RIFE may lie on a GPU."""
    height, width = a.shape[-2:]
    edge = (0, -width % ALIGN, 0, -height % ALIGN)
    pa, pb = (functional.pad(p[None], edge, mode="replicate") for p in (a, b))
    grid, norm = grid_inputs(pa.shape[-2], pa.shape[-1])
    where = next(rife.parameters(), a).device
    with torch.no_grad():
        _, flow, mask = rife(*(part.to(where) for part in (pa, pb, torch.full((1, 1, 1, 1), 0.5), grid, norm)))
    flow, mask = flow.to(a.device), mask.to(a.device)
    return flow[0, :2, :height, :width], flow[0, 2:, :height, :width], mask[0, :, :height, :width]


def _from_end(half: Tensor) -> Tensor:
    flow = 2 * half
    for _ in range(LOOKUPS):
        flow = 2 * _linear(half, flow / 2)
    return flow


def confidence(forward: Tensor, backward: Tensor) -> Tensor:
    """How far a flow [2, H, W] can be trusted, going there and back: [1, H, W], 0…1, as in the app."""
    height, width = forward.shape[-2:]
    back = _linear(backward, forward)
    miss = (forward + back).pow(2).sum(0)
    allowed = 0.5 + 0.01 * (forward.pow(2).sum(0) + back.pow(2).sum(0))
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    px, py = x + forward[0], y + forward[1]
    inside = (px >= -0.5) & (py >= -0.5) & (px <= width - 0.5) & (py <= height - 0.5)
    return torch.where(inside, torch.exp(-miss / allowed), 0.0)[None]


def pair_flows(rife: nn.Module, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Flows a→b and b→a of two guides, each seen from its first."""
    to_a, to_b, _ = half_flows(rife, a, b)
    return _from_end(to_b), _from_end(to_a)


def views_of(rife: nn.Module, frames: Tensor, guides: Tensor, known: dict[int, tuple[Tensor, Tensor]] | None = None) -> Views:
    """What the middle of three frames [3, 3, H, W] ought to show; motion is read from the guides (frames without noise).

    `known` may hold the pair flows before→frame (0) and frame→after (1) from neighboring calls.
    """
    pairs = known or {}
    there, back = pairs[0] if 0 in pairs else pair_flows(rife, guides[0], guides[1])
    forth, home = pairs[1] if 1 in pairs else pair_flows(rife, guides[1], guides[2])
    to_before, to_after, share = half_flows(rife, guides[0], guides[2])
    early, late = warp(frames[0], to_before), warp(frames[2], to_after)
    middle = early * share + late * (1 - share)
    trust = torch.cat([confidence(back, there), confidence(forth, home)])
    speed = (to_after - to_before).pow(2).sum(0, keepdim=True).sqrt() / 2
    return Views(warp(frames[0], back), warp(frames[2], forth), middle, early, late, trust, speed / (speed + HASTE))
