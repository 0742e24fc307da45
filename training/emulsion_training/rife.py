"""RIFE 4.25 in the form that runs wholly on WebGPU.

It computes what the original network computes; only the form differs: β is folded into its
convolution, image and features of one side are warped by one GridSample, the sampling grid and its scale come
in as inputs (made inside, their shape arithmetic would land on the CPU), resizing uses constant scales,
and the last block computes no features that nobody reads.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from .padding import pad_input_channels, padded_channels

WIDTHS = (192, 128, 96, 64, 32)
"""Channels of the five flow blocks, coarse to fine."""
SCALES = (16, 8, 4, 2, 1)
"""Factor by which each block's input is reduced."""
ALIGN = 64
"""Height and width must be multiples of this: 16 (coarsest scale) × 4 (two strided convolutions)."""
SLOPE = 0.2
State = dict[str, Tensor]


def _conv(state: State, name: str, stride: int = 1, scale: Tensor | None = None) -> nn.Conv2d:
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    if scale is not None:
        weight, bias = weight * scale.reshape(-1, 1, 1, 1), bias * scale.reshape(-1)
    if weight.shape[1] % 4:
        weight = pad_input_channels(weight)
    conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3, stride, 1)
    conv.weight.data, conv.bias.data = weight, bias  # type: ignore[union-attr]
    return conv


def _deconv(state: State, name: str, keep: int | None = None) -> nn.ConvTranspose2d:
    weight, bias = state[f"{name}.weight"][:, :keep], state[f"{name}.bias"][:keep]
    conv = nn.ConvTranspose2d(weight.shape[0], weight.shape[1], 4, 2, 1)
    conv.weight.data, conv.bias.data = weight.contiguous(), bias.contiguous()  # type: ignore[union-attr]
    return conv


class Head(nn.Module):
    """Features of one picture: [1, 3, H, W] to [1, 4, H, W]."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.cnn0 = _conv(state, "encode.cnn0", stride=2)
        self.cnn1 = _conv(state, "encode.cnn1")
        self.cnn2 = _conv(state, "encode.cnn2")
        self.cnn3 = _deconv(state, "encode.cnn3")

    def forward(self, image: Tensor) -> Tensor:
        """Runs the encoder; the fourth input channel only fills a zero-weight slot."""
        x = torch.cat([image, image[:, :1]], 1)
        for conv in (self.cnn0, self.cnn1, self.cnn2):
            x = functional.leaky_relu(conv(x), SLOPE)
        features: Tensor = self.cnn3(x)
        return features


class Residual(nn.Module):
    """leaky(conv(x) · β + x) with β folded into the convolution."""

    def __init__(self, state: State, name: str) -> None:
        super().__init__()
        self.conv = _conv(state, f"{name}.conv", scale=state[f"{name}.beta"])

    def forward(self, x: Tensor) -> Tensor:
        """One residual convolution."""
        return functional.leaky_relu(self.conv(x) + x, SLOPE)


class Block(nn.Module):
    """One flow block: reduced input in, change of flow, mask logit and (except in the last) features out."""

    def __init__(self, state: State, index: int) -> None:
        super().__init__()
        name = f"block{index}"
        self.scale = SCALES[index]
        self.last = index == len(SCALES) - 1
        self.down0 = _conv(state, f"{name}.conv0.0.0", stride=2)
        self.down1 = _conv(state, f"{name}.conv0.1.0", stride=2)
        self.body = nn.Sequential(*[Residual(state, f"{name}.convblock.{i}") for i in range(8)])
        # 13 output planes after the pixel shuffle: 4 flow, 1 mask, 8 features. Each takes 4 channels before it.
        self.up = _deconv(state, f"{name}.lastconv.0", keep=5 * 4 if self.last else None)

    def forward(self, x: Tensor, flow: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Change of flow (pixels of the full picture), mask logit, features for the next block."""
        scale = self.scale
        if scale != 1:
            x = functional.interpolate(x, scale_factor=1 / scale, mode="bilinear", align_corners=False)
        if flow is not None:
            if scale != 1:
                flow = functional.interpolate(flow, scale_factor=1 / scale, mode="bilinear", align_corners=False)
                flow = flow * (1 / scale)
            x = torch.cat([x, flow], 1)
        x = functional.leaky_relu(self.down0(x), SLOPE)
        x = functional.leaky_relu(self.down1(x), SLOPE)
        x = functional.pixel_shuffle(self.up(self.body(x)), 2)
        if scale != 1:
            x = functional.interpolate(x, scale_factor=float(scale), mode="bilinear", align_corners=False)
        delta = x[:, :4] * float(scale) if scale != 1 else x[:, :4]
        return delta, x[:, 4:5], None if self.last else x[:, 5:]


def _warp(picture: Tensor, flow: Tensor, grid: Tensor, norm: Tensor) -> Tensor:
    where = (grid + flow * norm).permute(0, 2, 3, 1)
    return functional.grid_sample(picture, where, mode="bilinear", padding_mode="border", align_corners=True)


class Rife(nn.Module):
    """The exported network. See `forward` for inputs and outputs."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.head = Head(state)
        self.blocks = nn.ModuleList([Block(state, index) for index in range(len(SCALES))])

    def forward(self, a: Tensor, b: Tensor, t: Tensor, grid: Tensor, norm: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The frame between two.

        a, b [1,3,H,W] RGB 0…1; t [1,1,1,1] 0…1; grid [1,2,H,W] x then y, −1…1 from first to last pixel center;
        norm [1,2,1,1] = 2/(W−1), 2/(H−1). Returns mid [1,3,H,W]; flow [1,4,H,W] in pixels, from the frame at t to a
        (x, y) and to b (x, y); mask [1,1,H,W], after the sigmoid, the share of a in mid.
        """
        features_a, features_b = self.head(a), self.head(b)
        side_a, side_b = torch.cat([a, features_a], 1), torch.cat([b, features_b], 1)
        time = a[:, :1] * 0 + t
        # 15 input channels padded to 16: the second copy of the time meets zero weights.
        first = torch.cat([a, b, features_a, features_b, time, time], 1)
        assert first.shape[1] == padded_channels(15)
        flow, mask, features = self.blocks[0](first, None)
        for block in list(self.blocks)[1:]:
            warped_a = _warp(side_a, flow[:, :2], grid, norm)
            warped_b = _warp(side_b, flow[:, 2:4], grid, norm)
            x = torch.cat([warped_a[:, :3], warped_b[:, :3], warped_a[:, 3:], warped_b[:, 3:], time, mask, features], 1)
            delta, mask, features = block(x, flow)
            flow = flow + delta
        weight = torch.sigmoid(mask)
        near = _warp(a, flow[:, :2], grid, norm)
        far = _warp(b, flow[:, 2:4], grid, norm)
        return near * weight + far * (1 - weight), flow, weight


def grid_inputs(height: int, width: int) -> tuple[Tensor, Tensor]:
    """`grid` and `norm` for a picture size: what the caller has to make once per size."""
    y = torch.linspace(-1, 1, height).reshape(1, 1, height, 1).expand(1, 1, height, width)
    x = torch.linspace(-1, 1, width).reshape(1, 1, 1, width).expand(1, 1, height, width)
    norm = torch.tensor([2 / (width - 1), 2 / (height - 1)], dtype=torch.float32).reshape(1, 2, 1, 1)
    return torch.cat([x, y], 1).contiguous(), norm
