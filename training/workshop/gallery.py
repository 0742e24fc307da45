"""One picture per degradation, before and after side by side, to be looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from degradation import capture, compression, damage, digitization, duplication, storage
from degradation.grain_bank import GrainBank, make_stack
from degradation.motion import Camera, moving_clip
from degradation.stocks import STOCKS

from .baselines import to_bytes
from .pictures import read_picture

SIZE = (240, 320)
FRAMES = 3


def degradations(shapes: list[Tensor], bank: GrainBank) -> dict[str, Callable[[Tensor], Tensor]]:
    """Each by name, on a clip [3, 3, H, W]; strong enough to be seen."""
    table: dict[str, Callable[[Tensor], Tensor]] = {
        "capture-defocus": lambda c: capture.through_kernel(c, capture.disk_kernel(3.0, 0.3)),
        "capture-motion": lambda c: capture.through_kernel(c, capture.path_kernel(12, 20, 30)),
        "capture-halation": lambda c: capture.halation(c, 0.5, 6.0),
        "storage-fade": lambda c: storage.fade(c, (0.6, 0.15, 0.4), (0.05, 0.05, 0.1)),
        "storage-shrink": lambda c: storage.shrink(c, 0.02, 3.0, 3),
        "storage-buckle": lambda c: storage.buckle(c, 4.0, 0.3, 4)[0],
        "storage-mould": lambda c: storage.mould(c, 0.12, 5)[0],
        "duplication": lambda c: duplication.duplicate(c, [duplication.Generation(0.7, 1.15, 0, 4 / 255)] * 3, bank, 6),
        "digitization-scanner": lambda c: digitization.scanner(c, 0.9, 6 / 255, 7),
        "digitization-resampled": lambda c: digitization.resampled(c, 0.4),
        "digitization-aliased": lambda c: digitization.resampled(c, 0.4, antialias=False),
        "digitization-sharpened": lambda c: digitization.sharpened(c, 1.5, 1.5),
        "digitization-newton": lambda c: digitization.newton_rings(c, 0.2, 8),
        "compression-jpeg": lambda c: compression.jpeg(c, 12),
        "compression-mpeg2": lambda c: compression.video(c, "mpeg2", 28),
        "compression-h264": lambda c: compression.video(c, "h264", 40),
        "compression-banded": lambda c: compression.banded(c, 12),
        "damage-scratches": lambda c: damage.scratches(c, 4, 9)[0],
        "damage-tear": lambda c: damage.tear(c, 1, 5.0, 10)[0],
        "damage-splice": lambda c: damage.splice(c, 1, 6.0)[0],
        "damage-flicker": lambda c: damage.flicker(c, 0.2, 0.2, 11)[0],
        "damage-weave": lambda c: damage.weave(c, 4.0, 12)[0],
    }
    if shapes:
        table["damage-dirt"] = lambda c: damage.dirt(c, shapes, 14, 0.3, 13)[0]
    for index, name in enumerate(STOCKS):
        table["grain-" + name.replace(",", "").replace(" ", "-")] = lambda c, i=index: _grain(c, bank, i)  # type: ignore[misc]
    return table


def _grain(clip: Tensor, bank: GrainBank, index: int) -> Tensor:
    codes = list(STOCKS.values())[index][1]
    which = torch.full((clip.shape[0],), index)
    share = torch.full((clip.shape[0],), bank.stocks[index].correlation)
    if bank.stocks[index].correlation == 1:
        clip = clip.mean(1, keepdim=True).expand_as(clip)
    return clip + codes / 255 / float(bank.middle[index]) * bank.grain(clip, which, share, torch.Generator().manual_seed(14))


def gallery(photo: Path, damage_folder: Path | None, output: Path) -> list[Path]:
    """Writes `<name>.jpg` for every degradation: the middle frame before, after, and (damage) the frame that follows."""
    output.mkdir(parents=True, exist_ok=True)
    picture = torch.from_numpy(read_picture(photo, 10**6).copy()).permute(2, 0, 1).float() / 255
    clip = moving_clip(picture, Camera(pan=(2.0, 0.7)), FRAMES, SIZE, 1)
    shapes = damage.cut_outs(damage_folder, evaluate=False, limit=20) if damage_folder else []
    bank = GrainBank([make_stack(stock, 160, 20 + index) for index, (stock, _) in enumerate(STOCKS.values())])
    written = []
    for name, apply in degradations(shapes, bank).items():
        after = apply(clip)
        parts = [clip[1], after[1], after[2]] if name.startswith("damage") else [clip[1], after[1]]
        path = output / f"{name}.jpg"
        Image.fromarray(to_bytes(torch.cat(parts, 2)).numpy()).save(path, quality=92, subsampling=0)
        written.append(path)
    return written
