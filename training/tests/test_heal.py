"""From a mask of dirt to what is replaced, and by what."""

from __future__ import annotations

import pytest
import torch

from workshop import align
from workshop.heal import classical, decide, leveled, put, spread, thresholds, unrest_of, vouching


def test_what_is_decided() -> None:
    sure, doubtful = thresholds()
    mask = torch.zeros(1, 24, 24)
    mask[0, 8, 8] = sure + 0.01
    mask[0, 8, 9:12] = (sure + doubtful) / 2
    mask[0, 20, 18:22] = (sure + doubtful) / 2
    share = decide(mask, mask, grow=0)
    assert torch.nonzero(share[0]).tolist() == [[8, 8], [8, 9], [8, 10], [8, 11]]
    grown = decide(mask, mask)
    assert int((grown > 0).sum()) == 3 * 6
    assert float(grown.max()) == 1
    frame, healed = torch.rand(3, 24, 24), torch.rand(3, 24, 24)
    result = put(frame, healed, share)
    same = share.expand(3, -1, -1) == 0
    assert torch.equal(result[same], frame[same])
    assert thresholds(1.0)[0] == pytest.approx(0.5)


def test_what_neighbors_disagree_about_does_not_vouch() -> None:
    # The case of src/stages/dust-bust/dust-bust.test.ts: the halves of the middle agree on the left; on the right they lie 0.04 apart.
    frame, healed = torch.full((3, 48, 64), 0.9), torch.full((3, 48, 64), 0.5)
    # Nothing vouches for an edge that lies two pixels aside; at three it may be dirt.
    steps = [(torch.arange(64) < 30 + k).float().expand(3, 48, 64) for k in range(4)]
    calm, full = torch.zeros(1, 48, 64), torch.ones(1, 48, 64)
    assert [int(vouching(full * (steps[k] != steps[0])[:1], steps[k], steps[0], calm).sum()) for k in (1, 2, 3)] == [0, 0, 48]
    early, late = healed.clone(), healed.clone()
    early[:, :, 32:], late[:, :, 32:] = 0.52, 0.48
    views = align.Views(healed, healed, healed, early, late, torch.ones(2, 48, 64), torch.zeros(1, 48, 64))
    mask = torch.full((1, 48, 64), 0.99)
    for caution, sigma, right in ((0.0, 0.0, 1), (8.0, 0.0, 1), (12.0, 0.0, 0), (40.0, 0.0, 0), (40.0, 0.04, 1)):
        vouch = vouching(mask, frame, healed, unrest_of(views, sigma), caution)
        assert (vouch[0, :, :16] > 0).float().mean() == 1
        assert (vouch[0, :, 48:] > 0).float().mean() == right


def test_the_patch_stands_at_the_level_of_its_rim() -> None:
    # The case of src/stages/dust-bust/dust-bust.test.ts.
    frame = torch.full((3, 48, 64), 0.5)
    frame[:, 10:16, 20:26], frame[:, 10:13, 27:30] = 0, 0.9
    for columns in (slice(20, 26), slice(0, 50)):
        share = torch.zeros(1, 48, 64)
        share[:, (slice(10, 16) if columns.start else slice(0, 48)), columns] = 1
        done = leveled(frame, torch.full((3, 48, 64), 0.47), share, 0.01)
        assert 0.49 < float(done[0, 12, 22]) < 0.51


def test_the_classical_detector_takes_what_stands_out_on_one_side_of_both() -> None:
    frame = torch.full((3, 16, 16), 0.5)
    before, after = frame.clone(), frame.clone()
    frame[:, 4:6, 4:6] = 0.8
    frame[:, 10:12, 10:12] = 0.6
    before[:, 10:12, 10:12], after[:, 10:12, 10:12] = 0.3, 0.9
    share, cure = classical(frame, before, after, 0.01)
    assert torch.equal(share, spread(share, 0))
    assert int(share.sum()) == 16
    assert float(cure[0, 5, 5]) == pytest.approx(0.5)
