"""What codecs do: JPEG, MPEG-2, H.264, coarse color, banding. By the real codecs (Pillow, native ffmpeg)."""

from __future__ import annotations

import io
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

CODECS = {
    "mpeg2": (["-c:v", "mpeg2video", "-g", "12", "-bf", "0"], "-q:v", (1, 31), ".m2v"),
    "h264": (["-c:v", "libx264", "-preset", "fast"], "-crf", (0, 51), ".mkv"),
}
"""Encoder arguments, the option of the quality and its range (low is good), and a container."""


def _bytes(clip: Tensor) -> np.ndarray:
    return np.asarray((clip.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy())


def _tensor(frames: np.ndarray) -> Tensor:
    return torch.from_numpy(frames.copy()).permute(0, 3, 1, 2).float() / 255


def jpeg(clip: Tensor, quality: int, coarse_color: bool = True) -> Tensor:
    """Every frame as a JPEG of quality 1…95; `coarse_color` is 4:2:0."""
    if not 1 <= quality <= 95:
        raise ValueError(f"jpeg: quality must be in 1…95 (got {quality})")
    frames = []
    for frame in _bytes(clip):
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "JPEG", quality=quality, subsampling=2 if coarse_color else 0)
        frames.append(np.asarray(Image.open(buffer).convert("RGB")))
    return _tensor(np.stack(frames))


def video(clip: Tensor, codec: str, quality: int) -> Tensor:
    """The clip through a video codec at 4:2:0. Width and height must be even."""
    if codec not in CODECS:
        raise ValueError(f"video: codec must be one of {', '.join(CODECS)} (got {codec})")
    arguments, option, (low, high), suffix = CODECS[codec]
    count, _, height, width = clip.shape
    if not low <= quality <= high or height % 2 or width % 2:
        raise ValueError(f"video: {codec} quality must be in {low}…{high} and the size even (got {quality}, {width}×{height})")
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / f"clip{suffix}")
        # A few small frames: threads would cost more than they save.
        quiet = ["ffmpeg", "-v", "error", "-threads", "1"]
        encode = [*quiet, *raw, "-r", "25", "-i", "-", *arguments, option, str(quality), "-pix_fmt", "yuv420p", path]
        subprocess.run(encode, input=_bytes(clip).tobytes(), check=True, capture_output=True)
        decode = [*quiet, "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        out = subprocess.run(decode, check=True, capture_output=True).stdout
    if len(out) != count * height * width * 3:
        raise RuntimeError(f"video: {codec} gave {len(out)} bytes for {count} frames of {width}×{height}")
    return _tensor(np.frombuffer(out, np.uint8).reshape(count, height, width, 3))


def unavailable() -> list[str]:
    """Of the video codecs those that this machine's ffmpeg lacks, each with the reason."""
    found = []
    for codec, (_, _, (low, _), _) in CODECS.items():
        try:
            video(torch.zeros(1, 3, 32, 32), codec, low + 1)
        except FileNotFoundError:
            return ["ffmpeg is not there"]
        except subprocess.CalledProcessError as error:
            found.append(f"ffmpeg has no {codec} ({error.stderr.decode(errors='replace').strip().splitlines()[-1:]})")
    return found


def banded(clip: Tensor, levels: int) -> Tensor:
    """So few levels a channel that gradients step."""
    if not 2 <= levels <= 256:
        raise ValueError(f"banded: levels must be in 2…256 (got {levels})")
    return (clip.clamp(0, 1) * (levels - 1)).round() / (levels - 1)
