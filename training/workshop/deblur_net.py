"""The feed-forward nets of `deblur`, for what no kernel describes: copies, scans, codecs, decades in the can.

Softness is mostly lost contrast of fine structure, and how much of which band comes back depends on the place: edges take more,
grain none. So a small body of convolutions (on the picture's 2×2 pixels as channels) says at every pixel how much of each of a
bank of differences of Gaussians is to be added (filters chosen by the place, after Romano et al. 2016, and predicted, after
Mildenhall et al. 2018), and adds a correction of its own for what bands cannot do, blocks and halos above all. Both are 0 before
training: whatever the net does not know how to better stays as it was. It is told which causes acted and how strongly, and that
scales and shifts every pair of its layers (after Perez et al. 2018). `deblur-small` is such a body; `deblur-full` has a second one,
which sees further.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from degradation.optics import gaussian_taps

CAUSES = ("storage", "duplication", "digitization", "compression")
"""In film order: the order of the port `causes`."""
UNKNOWN = -1.0
"""Told for a cause that acted, and nobody knows how strongly; a share of it for a cause that acted with that probability."""
BLIND = UNKNOWN / len(CAUSES)
"""Told for every cause where nothing is known."""
FEATURES = 64
PAIRS = 3
"""Residual pairs of convolutions between the first and the last."""
SIGMAS = (0.4, 0.6, 0.9, 1.3, 1.9, 2.8)
"""Of the bank: each filter is the picture less its Gaussian blur of so many pixels."""
REACH = 6
"""Of the bank's filters, in pixels."""
WIDE = 128
WIDE_PAIRS = 4
"""The second body's of the full net: features, residual pairs."""
LEAK = 0.1
"""Of the second body's rectifiers."""
TELLING = 32
"""Width of the layer that what is told goes through."""
ALIGN = 4
"""Heights and widths are padded to multiples of it: the full net's."""
HALO = 64
"""Pixels by which `sharpened` pads each side: no less than what a pixel of the full net depends on (the exporter measures it). Beyond
the picture its edge is repeated: zeros there would look like a hard edge."""


def bank() -> Tensor:
    """The bank's filters [len(SIGMAS), 13, 13], each of sum 0."""
    size = 2 * REACH + 1
    one = torch.zeros(size, size)
    one[REACH, REACH] = 1
    filters = []
    for sigma in SIGMAS:
        taps = gaussian_taps(sigma)
        spare = len(taps) // 2 - REACH
        taps = functional.pad(taps, (-spare, -spare))
        taps = taps / taps.sum()
        filters.append(one - taps[:, None] * taps[None])
    return torch.stack(filters)


def folded(picture: Tensor) -> Tensor:
    """2×2 pixels as channels: [B, C, H, W] to [B, 4C, H/2, W/2]."""
    return torch.cat([picture[:, :, dy::2, dx::2] for dy in (0, 1) for dx in (0, 1)], 1)


class DeblurNet(nn.Module):
    """Picture [B, 3, H, W] (H and W even, codes 0…1) and causes [B, 4, 1, 1] to the sharper picture [B, 3, H, W].

    A cause is 0 (did not act), up to 1 (its strength as `degradation.chain` draws it), or −p (acted with probability p, strength unknown).
    """

    def __init__(self, features: int = FEATURES) -> None:
        super().__init__()
        count = len(SIGMAS)
        # A channel's differences stand together; told apart by their order: red's, green's, blue's.
        self.bank = nn.Conv2d(3, 3 * count, 2 * REACH + 1, 1, REACH, groups=3, bias=False)
        self.bank.weight.data = bank()[:, None].repeat(3, 1, 1, 1)
        self.total = nn.Conv2d(3 * count, 3, 1, bias=False)
        self.total.weight.data = (torch.arange(3)[:, None] == torch.arange(3 * count) // count).float()[..., None, None]
        for fixed in (self.bank.weight, self.total.weight):
            fixed.requires_grad_(False)
        self.first = nn.Conv2d(24, features, 3, 1, 1)
        self.pairs = nn.ModuleList([nn.Conv2d(features, features, 3, 1, 1) for _ in range(2 * PAIRS)])
        self.last = nn.Conv2d(features, 12 + 4 * count, 3, 1, 1)
        self.telling = nn.Conv2d(2 * len(CAUSES), TELLING, 1)
        self.scales = nn.ModuleList([nn.Conv2d(TELLING, features, 1) for _ in range(PAIRS)])
        self.shifts = nn.ModuleList([nn.Conv2d(TELLING, features, 1) for _ in range(PAIRS)])
        self.everywhere = nn.Conv2d(TELLING, count, 1)
        zeros = [self.last, self.everywhere, *self.scales, *self.shifts]
        for layer in zeros:
            assert isinstance(layer, nn.Conv2d) and layer.bias is not None
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, image: Tensor, causes: Tensor) -> Tensor:
        """Sharpens. The outer `HALO` pixels see zeros instead of picture: `sharpened` takes care of them."""
        # Differences of 8-bit codes are too fine for bfloat16.
        with torch.autocast(image.device.type, enabled=False):
            differences = self.bank(image)
        seen = self.seen(image, differences)
        told_of = functional.relu(self.telling(said_of(causes)))
        end = functional.pixel_shuffle(self.last(self.body(seen, told_of)), 2).float()
        weights = end[:, 3:] + self.everywhere(told_of).float()
        added: Tensor = self.total(differences * torch.cat([weights, weights, weights], 1).float()) + end[:, :3]
        return image + added

    @staticmethod
    def seen(image: Tensor, differences: Tensor) -> Tensor:
        """What the body sees [B, 24, H/2, W/2]: the picture and, for each channel, one difference of the middle of the bank."""
        count = len(SIGMAS)
        middle = torch.cat([differences[:, c * count + 2 : c * count + 3] for c in range(3)], 1)
        return torch.cat([folded(image), folded(middle) * 8], 1)

    def body(self, seen: Tensor, told_of: Tensor) -> Tensor:
        """Features [B, features, H/2, W/2] of what is seen [B, 24, H/2, W/2] and what was told."""
        x = functional.relu(self.first(seen))
        return residual_pairs(x, told_of, self.pairs, self.scales, self.shifts)


class FullDeblurNet(DeblurNet):
    """The same with a second, wider body on 4×4 pixels beside the first, whose features it corrects before the last layer.

    It sees further (a codec's blocks, the buckling of a frame) and costs a quarter for a weight of what the first body costs. Before
    training it corrects nothing: with a `DeblurNet`'s weights it is that net. All of it learns then (beside weights that stay, the
    second body gained .002 dB in 16 minutes). Height and width must be multiples of 4.

    It has leaks where the first body has rectifiers, and none before its last layer: twice, behind rectifiers, it died in training
    within minutes (all its features below 0, for good), silently, as the first body answered for it. `liveliness` tells.
    """

    def __init__(self, features: int = FEATURES, wide: int = WIDE) -> None:
        super().__init__(features)
        self.wide_first = nn.Conv2d(96, wide, 3, 1, 1)
        self.wide_pairs = nn.ModuleList([nn.Conv2d(wide, wide, 3, 1, 1) for _ in range(2 * WIDE_PAIRS)])
        self.wide_last = nn.Conv2d(wide, 4 * features, 3, 1, 1)
        self.wide_scales = nn.ModuleList([nn.Conv2d(TELLING, wide, 1) for _ in range(WIDE_PAIRS)])
        self.wide_shifts = nn.ModuleList([nn.Conv2d(TELLING, wide, 1) for _ in range(WIDE_PAIRS)])
        for layer in (self.wide_last, *self.wide_scales, *self.wide_shifts):
            assert isinstance(layer, nn.Conv2d) and layer.bias is not None
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        for pair in range(WIDE_PAIRS):
            # Pairs add little at first, or their sums grow from one to the next.
            second = self.wide_pairs[2 * pair + 1]
            assert isinstance(second, nn.Conv2d)
            second.weight.data.mul_(0.2)

    def body(self, seen: Tensor, told_of: Tensor) -> Tensor:
        """The first body's features, corrected."""
        return super().body(seen, told_of) + functional.pixel_shuffle(self.wide_last(self.second(seen, told_of)), 2)

    def second(self, seen: Tensor, told_of: Tensor) -> Tensor:
        """Features [B, wide, H/4, W/4] of the second body."""
        x: Tensor = self.wide_first(folded(seen))
        for index in range(WIDE_PAIRS):
            y = self.wide_pairs[2 * index + 1](functional.leaky_relu(self.wide_pairs[2 * index](functional.leaky_relu(x, LEAK)), LEAK))
            x = x + y * (self.wide_scales[index](told_of) + 1) + self.wide_shifts[index](told_of)
        return x

    def liveliness(self, image: Tensor) -> float:
        """How much the second body's correction differs from picture to picture of [B, 3, H, W] at each place, nothing being told, as a
        share of what the first body's features do: 0 before training, and 0 where it died."""
        with torch.no_grad():
            told_of = functional.relu(self.telling(said_of(image.new_full((len(image), len(CAUSES), 1, 1), BLIND))))
            seen = self.seen(image, self.bank(image))
            second, first = self.wide_last(self.second(seen, told_of)), super().body(seen, told_of)
        return float(second.std(0).mean() / first.std(0).mean().clamp(min=1e-9))


def residual_pairs(x: Tensor, told_of: Tensor, pairs: nn.ModuleList, scales: nn.ModuleList, shifts: nn.ModuleList) -> Tensor:
    """Pairs of convolutions around each of which its input goes, scaled and shifted by what was told."""
    for index, (scale, shift) in enumerate(zip(scales, shifts, strict=True)):
        y = functional.relu(pairs[2 * index](x))
        x = functional.relu(x + pairs[2 * index + 1](y) * (scale(told_of) + 1) + shift(told_of))
    return x


NETS: dict[str, type[DeblurNet]] = {"deblur-small": DeblurNet, "deblur-full": FullDeblurNet}
"""By the model's name."""


def sharpened(net: nn.Module, picture: Tensor, causes: Tensor) -> Tensor:
    """Runs a net on pictures [B, 3, H, W] of any size, edges repeated beyond them."""
    height, width = picture.shape[-2:]
    padded = functional.pad(picture, (HALO, HALO + -width % ALIGN, HALO, HALO + -height % ALIGN), mode="replicate")
    with torch.no_grad():
        result: Tensor = net(padded, causes)[..., HALO : HALO + height, HALO : HALO + width]
    return result


def said_of(causes: Tensor) -> Tensor:
    """[B, 8, 1, 1] from causes [B, 4, 1, 1]: strengths, then what is unknown, which is not a strength below 0 but another statement."""
    return torch.cat([functional.relu(causes), functional.relu(causes * -1.0)], 1)


def told(causes: dict[str, float]) -> Tensor:
    """The port `causes` [1, 4, 1, 1] from strengths by name; what is not named did not act."""
    unknown = set(causes) - set(CAUSES)
    if unknown:
        raise ValueError(f"causes are {', '.join(CAUSES)} (got {', '.join(sorted(unknown))})")
    return torch.tensor([causes.get(cause, 0.0) for cause in CAUSES]).view(1, -1, 1, 1)
