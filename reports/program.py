"""Which program made an answer: a digest of its sources and of the libraries that count for it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("numpy", "pydantic", "pydantic-core", "scipy", "shapely")


def digest(packages: Iterable[str], root: Path = ROOT) -> str:
    """SHA-256, in hex, of the sources of some of our packages and of the libraries below them."""
    found = hashlib.sha256(sys.version.encode())
    for name in LIBRARIES:
        found.update(f"{name} {version(name)}\n".encode())
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            found.update(f"{path.relative_to(root)}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()
