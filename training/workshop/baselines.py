"""What is to be beaten: other people's tools, run on the same pictures in the same run."""

from __future__ import annotations

import subprocess

import numpy as np
import torch
from torch import Tensor

from .paths import WorkshopError


def to_bytes(picture: Tensor) -> Tensor:
    """[3, H, W] codes 0…1 to [H, W, 3] bytes."""
    return (picture.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()


def from_bytes(data: bytes, height: int, width: int) -> Tensor:
    """The inverse of `to_bytes`."""
    codes = np.frombuffer(data, np.uint8).reshape(height, width, 3)
    return torch.from_numpy(codes.copy()).permute(2, 0, 1).float() / 255


def ffmpeg_filter(frames: Tensor, filters: str, pixels: str = "yuv444p", fewer: int = 0) -> Tensor:
    """Frames [N, 3, H, W] through an ffmpeg filter of native ffmpeg; `fewer` come out than go in."""
    count, _, height, width = frames.shape
    raw = b"".join(to_bytes(frame).numpy().tobytes() for frame in frames)
    form = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    chain = f"format={pixels},{filters}"
    command = ["ffmpeg", "-v", "error", *form, "-i", "-", "-vf", chain, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, input=raw, capture_output=True, check=False)
    size, count = height * width * 3, count - fewer
    if done.returncode or len(done.stdout) != count * size:
        raise WorkshopError(f"ffmpeg -vf {filters}: {done.stderr.decode().strip()}")
    return torch.stack([from_bytes(done.stdout[i * size : (i + 1) * size], height, width) for i in range(count)])
