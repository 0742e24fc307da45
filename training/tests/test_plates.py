"""Difference plates in motion: the animated file, and where cases of an evaluation are found again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from workshop import plates
from workshop.film_crops import ROOM, SIDE, around
from workshop.moving_cases import median
from workshop.plates import Moving, add, gain_for, plate, save, section


def panels(path: Path) -> list[np.ndarray]:
    """Input, output and plate [3, side, side] of each frame, in codes."""
    with Image.open(path) as opened:
        frames = []
        for index in range(opened.n_frames):
            opened.seek(index)
            frames.append(np.stack(np.split(np.asarray(opened.convert("L")).astype(int), 3, axis=1)))
    return frames


def clip(frames: int = 4, side: int = 72) -> Tensor:
    """A ramp that moves, [frames, 3, side, side + 8]."""
    ramp = 0.2 + 0.5 * torch.arange(side + 8).expand(3, side, -1) / side
    return torch.stack([ramp.roll(3 * k, 2) for k in range(frames)])


def test_a_plate_moves_and_is_gray_but_where_ours_differs(tmp_path: Path) -> None:
    before = clip()
    after = before.clone()
    after[2, :, 10:14, 20:24] += 0.1
    made = save(Moving(before, after, (0, 0), "A ramp.", 2.0), tmp_path / "one.png")
    assert made == {"file": "one.png", "gain": 2.0, "side": 72, "frames": 4, "words": "A ramp."}
    found = panels(tmp_path / "one.png")
    assert len(found) == 4
    assert all(not np.array_equal(a[0], b[0]) for a, b in zip(found, found[1:], strict=False))
    for index, (shown, output, change) in enumerate(found):
        differs = np.zeros((72, 72), bool)
        differs[10:14, 20:24] = index == 2
        assert np.abs(shown - (before[index, 0, :, :72] * 255).round().numpy()).max() <= 1
        assert np.array_equal(shown != output, differs), index
        assert np.array_equal(change != 128, differs), index
        assert not index == 2 or change[12, 22] == pytest.approx(127.5 + 2 * 25.5, abs=255 / plates.LEVELS)


def test_noise_gets_a_smaller_square_and_a_gain_that_leaves_it_legible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = torch.rand(3, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(plates, "MOST", 40_000)
    made = save(Moving(noisy, torch.full_like(noisy, 0.5), (0, 0), ""), tmp_path / "noise.png")
    assert made["side"] < 112
    assert (tmp_path / "noise.png").stat().st_size <= 40_000
    assert panels(tmp_path / "noise.png")[0].shape == (3, made["side"], made["side"])
    flat = torch.full((2, 8, 8), 0.5)
    assert [gain_for(flat, flat + step) for step in (0.05, 0.1, 0.2, 0.4, 0.9)] == [8, 4, 2, 1, 1]
    assert float(plate(flat, flat, 8).std()) == 0
    with pytest.raises(ValueError, match="two or more frames"):
        save(Moving(noisy[:1], noisy[:1], (0, 0), ""), tmp_path / "still.png")


def test_cards_name_the_plates_of_the_median_case(tmp_path: Path) -> None:
    rows = [{"clip": "a", "shown as": "best"}, {"clip": "b", "shown as": "median"}]
    (tmp_path / "evaluation.json").write_text(json.dumps({"rows": rows, "film": []}), encoding="utf-8")
    add(tmp_path, lambda made: [("degrain-motion", Moving(clip(), clip() + 0.01, (0, 0), f"Median case: {median(made)[1]['clip']}."))])
    result = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert result["rows"] == rows
    (words,) = section("degrain", result, "Look.")
    assert "Look.\n\nMedian case: b. 4 frames, 72 px, plate 8-fold.\n\n![degrain-motion.png](degrain/degrain-motion.png)" in words
    assert section("degrain", {"rows": rows}, "Look.") == ()
    with pytest.raises(ValueError, match="median"):
        median(rows[:1])


def test_what_is_cut_out_of_a_film_holds_what_is_shown() -> None:
    film = torch.rand(1, 3, 300, 400)
    for corner in ((0, 0), (77, 131), (140, 240)):
        part, (top, left) = around(film, corner)
        assert torch.equal(
            part[..., top : top + SIDE, left : left + SIDE], film[..., corner[0] : corner[0] + SIDE, corner[1] : corner[1] + SIDE]
        )
        assert max(part.shape[-2:]) <= SIDE + 2 * ROOM + 1
        assert (corner[0] - top) % 2 == 0
