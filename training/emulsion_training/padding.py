"""Zero-weight input channels for convolutions.

onnxruntime-web's WebGPU provider in its default NHWC layout returns wrong numbers for k>1 convolutions whose
input channels are divisible by 3 and not by 4. Such a convolution gets extra input channels up to the next
multiple of 4, with zero weights; what is fed to them does not matter as long as it is finite.
"""

from __future__ import annotations

import torch
from torch import Tensor


def padded_channels(channels: int) -> int:
    """The next multiple of 4."""
    return (channels + 3) // 4 * 4


def needs_padding(channels: int, kernel: int) -> bool:
    """Whether a convolution of this input width is one that WebGPU's NHWC path gets wrong."""
    return kernel > 1 and channels % 3 == 0 and channels % 4 != 0


def pad_input_channels(weight: Tensor) -> Tensor:
    """A convolution weight [out, in, kh, kw] with zero input channels appended up to a multiple of 4."""
    out, channels, height, width = weight.shape
    zeros = torch.zeros(out, padded_channels(channels) - channels, height, width, dtype=weight.dtype)
    return torch.cat([weight, zeros], 1)
