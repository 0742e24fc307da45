"""Moving clips from one photograph: a camera that pans, zooms and trembles, and an object that moves across."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .optics import sample, smooth_field, to_codes, to_linear


@dataclass(frozen=True)
class Camera:
    """Pixels a frame, per cent a frame, degrees a frame, and the tremble's σ in pixels; an object moves by itself if it has a size."""

    pan: tuple[float, float] = (1.3, 0.4)
    zoom: float = 0.2
    turn: float = 0.1
    tremble: float = 0.2
    object_size: float = 0.0
    object_speed: tuple[float, float] = (4.0, 1.0)

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        if self.tremble < 0 or not 0 <= self.object_size < 1:
            raise ValueError("camera: tremble must be at least 0, the object's size in 0…1 of the picture")


def random_camera(generator: torch.Generator, speed: float = 4.0) -> Camera:
    """A camera of up to `speed` pixels a frame; half of them watch an object of its own motion."""
    draw = (2 * torch.rand(8, generator=generator) - 1).tolist()
    return Camera(
        pan=(draw[0] * speed, draw[1] * speed * 0.6),
        zoom=draw[2] * 0.6,
        turn=draw[3] * 0.4,
        tremble=abs(draw[4]) * 0.5,
        object_size=0.35 * abs(draw[5]) + 0.15 if draw[5] > 0 else 0.0,
        object_speed=(draw[6] * speed * 2.5, draw[7] * speed * 1.5),
    )


def moving_clip(photo: Tensor, camera: Camera, frames: int, size: tuple[int, int], seed: int) -> Tensor:
    """[frames, 3, H, W] from a photograph [3, h, w], resampled in linear light; the middle frame shows it unmoved.

    Where the path leaves the photograph its edge repeats: choose `size` a little smaller.
    """
    height, width = size
    generator = torch.Generator().manual_seed(seed)
    light = to_linear(photo)
    rows, columns = photo.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32), indexing="ij")
    cy, cx = (height - 1) / 2, (width - 1) / 2
    result = []
    mask = _object(height, width, camera.object_size, generator) if camera.object_size else None
    for index in range(frames):
        t = index - (frames - 1) // 2
        jump = (torch.randn(2, generator=generator) * camera.tremble).tolist() if t else [0.0, 0.0]
        scale, angle = 1 + camera.zoom / 100 * t, math.radians(camera.turn * t)
        u, v = (x - cx) * scale, (y - cy) * scale
        px = math.cos(angle) * u - math.sin(angle) * v + (columns - 1) / 2 + camera.pan[0] * t + jump[0]
        py = math.sin(angle) * u + math.cos(angle) * v + (rows - 1) / 2 + camera.pan[1] * t + jump[1]
        frame = sample(light, px, py)
        if mask is not None:
            frame = _put_object(frame, light, mask, camera, t)
        result.append(to_codes(frame).clamp(0, 1))
    return torch.stack(result)


def _object(height: int, width: int, size: float, generator: torch.Generator) -> Tensor:
    """A soft-edged blob in the middle, [H, W]."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    ragged = smooth_field(height, width, max(8, height // 6), generator)
    distance = (y**2 + (x * width / height) ** 2).sqrt() + 0.08 * ragged
    return torch.sigmoid((size - distance) * height / 2)


def _put_object(frame: Tensor, light: Tensor, mask: Tensor, camera: Camera, t: int) -> Tensor:
    height, width = mask.shape
    y, x = torch.meshgrid(torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32), indexing="ij")
    dx, dy = camera.object_speed[0] * t, camera.object_speed[1] * t
    shape = sample(mask[None], x - dx, y - dy)
    # The object shows another part of the photograph, turned about, so that it has its own texture.
    rows, columns = light.shape[-2:]
    texture = sample(light.flip(-1), x - dx + (columns - width) / 2 + width / 5, y - dy + (rows - height) / 2)
    return frame * (1 - shape) + texture * shape
