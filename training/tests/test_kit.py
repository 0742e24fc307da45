"""GPU kits: what they hold, that their script asks for what `train` knows, and samples made by many; without downloads."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tarfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from degradation.damage import KINDS
from degradation.grain_bank import GrainBank, make_stack
from degradation.stock import Stock
from workshop import deblur, deblur_data, degrain, dirt_data, kit, kit_dirt, making, trainer
from workshop.__main__ import KITS, parser
from workshop.ahead import Ahead
from workshop.deblur_net import DeblurNet
from workshop.dirt_data import DirtBatches, Sources, decoded
from workshop.kit import make_kit, middle
from workshop.making import Prepared, keep, prepared
from workshop.paths import WorkshopError
from workshop.pictures import Entry, pack, read_frames
from workshop.smoke import still_samples, synthetic_entries
from workshop.trainer import save_best

CPU = torch.device("cpu")
CLIPS = ("gestures/hand", "other/street", "other/vtest")


def asked_of_train(archive: Path, folder: Path) -> argparse.Namespace:
    """What the kit's script, started where `python3` only says what it was given, asks `train` for."""
    with tarfile.open(archive) as opened:
        opened.extract("kit/run.sh", folder, filter="data")
    python = folder / "python3"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    said = subprocess.run([folder / "kit" / "run.sh", "--seed", "5"], capture_output=True, text=True, check=True, env={"PATH": path})
    arguments = said.stdout.splitlines()
    assert arguments[:2] == ["-m", "workshop"]
    return parser().parse_args(arguments[2:])


def test_a_kit_fits_and_takes_fewer_pictures_where_it_must(tmp_path: Path) -> None:
    pictures, output = tmp_path / "pictures.bin", tmp_path / "kit.tar.gz"
    pack(synthetic_entries(24, 330, 1), pictures)
    whole = make_kit("degrain", pictures, tmp_path, output)
    assert whole["pictures"] == 24
    assert whole["bytes"] <= 20 * 2**20
    with tarfile.open(output) as opened:
        assert "kit/.start/degrain.pt" in opened.getnames()
    fewer = make_kit("degrain", pictures, tmp_path, output, whole["bytes"] - 20_000)
    assert whole["bytes"] - fewer["bytes"] >= 20_000 and 20 <= fewer["pictures"] < 24
    with pytest.raises(WorkshopError, match="alone take"):
        make_kit("degrain", pictures, tmp_path, output, 1_000_000)
    with pytest.raises(WorkshopError, match="no useful number"):
        make_kit("degrain", pictures, tmp_path, output, whole["bytes"] - 200_000)
    assert middle(synthetic_entries(1, 330, 1)[0]).frames.shape == (1, 320, 320, 3)
    asked = asked_of_train(output, tmp_path)
    assert (asked.model, asked.budget, asked.bf16, asked.whole, asked.seed, asked.batch) == ("degrain", 540, True, True, 5, 64)


def test_a_kit_of_deblur_starts_from_what_is_shipped(tmp_path: Path) -> None:
    model = "deblur-full"
    pack(synthetic_entries(20, 160, 1), tmp_path / "pictures.bin")
    make_kit(model, tmp_path / "pictures.bin", tmp_path, tmp_path / "kit.tar.gz")
    with tarfile.open(tmp_path / "kit.tar.gz") as opened:
        names = opened.getnames()
        (start,) = [name for name in names if name.startswith("kit/.start/")]
        opened.extract(start, tmp_path, filter="data")
    state = torch.load(tmp_path / start, weights_only=True)
    assert state["first.weight"].dtype == torch.float16 and state["first.bias"].dtype == torch.float32
    assert "kit/workshop/trainer.py" in names and not [name for name in names if "flownet" in name]
    asked = asked_of_train(tmp_path / "kit.tar.gz", tmp_path)
    assert (asked.model, asked.samples, asked.within, asked.workers) == (model, 16384, 150, os.cpu_count())


def data_of_dirt(folder: Path) -> dict[str, object]:
    """A data folder of synthetic pictures, and its split."""
    for index, entry in enumerate(synthetic_entries(5, 260, 1)):
        (folder / "photos").mkdir(exist_ok=True)
        Image.fromarray(entry.frames[0]).save(folder / "photos" / f"{index}.png")
    for name in CLIPS:
        (folder / "video" / name).mkdir(parents=True)
        frame = synthetic_entries(1, 240, 2)[0].frames[0]
        for number in range(30):
            Image.fromarray(np.roll(frame, 3 * number, 1)).save(folder / "video" / name / f"{number:02}.png")
    for kind in KINDS:
        (folder / "damage" / kind).mkdir(parents=True)
        for index in range(3):
            alpha = np.zeros((200, 200, 4), np.uint8)
            alpha[20 : 180 - 40 * index, 30:50, 3] = 200
            Image.fromarray(alpha).save(folder / "damage" / kind / f"{index}.png")
    clips = [[f"video/{name}", 0, 29] for name in CLIPS]
    return {"photos": {"train": ["photos/*"]}, "video": {"train": clips}, "damage": {"evaluateEvery": 3}}


def test_a_kit_of_dirt_holds_what_moves_and_is_read_without_a_codec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = data_of_dirt(tmp_path)
    for module in (kit_dirt, dirt_data):
        monkeypatch.setattr(module, "split", lambda: own)
    monkeypatch.setattr(kit, "carry_rife", lambda path: path.write_bytes(b"RIFE"))
    monkeypatch.setattr(kit_dirt, "FEWEST", 2)
    held = make_kit("dirt", tmp_path, tmp_path, tmp_path / "kit.tar.gz", 2 * 2**20)
    # Number 0 of the photographs is watched, of each kind of damage for evaluation.
    assert (held["cut-outs"], held["photographs"]) == (18, 5)
    with tarfile.open(tmp_path / "kit.tar.gz") as opened:
        opened.extractall(tmp_path / "there", filter="data")
    there = tmp_path / "there" / "kit"
    own = json.loads((there / "split.json").read_text(encoding="utf-8"))
    assert asked_of_train(tmp_path / "kit.tar.gz", tmp_path).samples == 4096
    monkeypatch.setenv("PATH", str(tmp_path))
    sources = Sources.of(there / "data", tmp_path / "cache")
    watched = Sources.of(there / "data", tmp_path / "cache", watched=True)
    assert len(watched.photos) == 1 and [(path.stem, last) for path, _, last in watched.clips] == [("vtest", 17)]
    assert len(sources.photos) == 4 and len(sources.clips) == held["runs of frames"] > 2
    assert {path.parent.name for path, _, _ in sources.clips} == {"gestures", "other"}
    frames = decoded(sources, 0).astype(int)
    assert frames.shape == (kit_dirt.FRAMES, kit_dirt.WIDE, kit_dirt.WIDE, 3)
    assert np.abs(frames[0, :, :-3] - frames[1, :, 3:]).mean() < 6 < np.abs(frames[0] - frames[3]).mean()
    assert (there / ".cache" / "rife.pt").read_bytes() == b"RIFE"
    with pytest.raises(WorkshopError, match="are not there"):
        read_frames(sources.clips[0][0], 4, 9)


def test_kits_are_those_that_can_be_packed() -> None:
    assert set(KITS) == set(kit.KITS)


def test_many_make_samples_and_a_run_goes_on_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = GrainBank([make_stack(Stock(radius=0.35, layers=5, cloud=0.5), 64, 1)])
    for module in (deblur, degrain):
        monkeypatch.setattr(module, "bank", lambda *_: bank)
    monkeypatch.setattr(deblur_data, "GROUP", 2)
    defaults = deblur.pools.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "watched", 2)
    monkeypatch.setattr(making, "WORK", tmp_path)
    pack([Entry(f"{i}", synthetic_entries(1, 130, i)[0].frames) for i in range(8)], tmp_path / "pictures.bin")
    asked: list[argparse.Namespace] = []

    class Here:
        """A process of its own, run at once."""

        def __init__(self, command: list[str], env: dict[str, str]) -> None:
            assert command[1:3] == ["-m", "workshop"] and env["OMP_NUM_THREADS"] == "1"
            options = parser().parse_args(command[3:])
            asked.append(options)
            self.returncode = 0 if making.make(options.model, options) >= 0 else 1

        def wait(self) -> int:
            return self.returncode

        def poll(self) -> int:
            return self.returncode

    monkeypatch.setattr(making, "subprocess", SimpleNamespace(Popen=Here))
    line = ["train", "deblur-small", "--pictures", str(tmp_path / "pictures.bin"), "--samples", "4", "--workers", "2", "--batch", "2"]
    # JPEG needs no ffmpeg, and is said; video codecs are missed before anything is made.
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorkshopError, match="ffmpeg is not there.*--without-video-codecs"):
        prepared("deblur-small", parser().parse_args(line), tmp_path / "run", CPU, time.monotonic())
    asked.clear()
    options = parser().parse_args([*line, "--without-video-codecs", "--within", "1h"])
    made = prepared("deblur-small", options, tmp_path / "run", CPU, time.monotonic())
    assert [one.part for one in asked] == [(0, 2), (1, 2)] and made.samples == options.samples == 4
    assert all(one.within == 3600 and one.without_video_codecs for one in asked)
    keep(Prepared(2, 7.5), tmp_path / "run")
    options.samples = 4
    assert prepared("deblur-small", options, tmp_path / "run", CPU, time.monotonic()) == Prepared(2, 7.5)
    assert options.samples == 2 and len(asked) == 2
    with pytest.raises(WorkshopError, match="not made ahead"):
        prepared("degrain", parser().parse_args(["train", "degrain", "--workers", "2"]), tmp_path / "other", CPU, 0)


def test_batches_made_ahead_are_those_of_their_numbers() -> None:
    source = DirtBatches(still_samples(4), range(4), 2, 32, 5)
    ahead = Ahead(source, CPU, 2)
    for number in (3, 4, 5, 1):
        one, same = ahead.batch_of(number), source.batch_of(number)
        assert torch.equal(one.frame, same.frame) and torch.equal(one.views.trust, same.views.trust)
    # A device without memory: what was left behind would not compute with what came along.
    there = Ahead(source, torch.device("meta")).batch_of(1)
    assert all(part.device.type == "meta" for part in (*there.inputs(), there.dirty, there.asked, there.truth, there.views.early))


def test_large_weights_come_back_in_half_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = DeblurNet()
    save_best(net, net.state_dict(), tmp_path / "whole.pt")
    monkeypatch.setattr(trainer, "LARGEST", 100_000)
    save_best(net, net.state_dict(), tmp_path / "half.pt")
    whole, half = (torch.load(tmp_path / name, weights_only=True) for name in ("whole.pt", "half.pt"))
    assert {value.dtype for value in whole.values()} == {torch.float32}
    assert half["first.weight"].dtype == torch.float16 and half["first.bias"].dtype == torch.float32
    # What is fixed is exact.
    assert torch.equal(half["bank.weight"], whole["bank.weight"])
    net.load_state_dict(half)
    assert torch.allclose(net.first.weight, whole["first.weight"], atol=1e-3)
