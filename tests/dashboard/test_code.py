"""The page's own checks: types, style, the tests of its logic, and how much there is to load."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.dashboard.season import ROOT

FIRST_LOAD_LIMIT = 500_000  # bytes, compressed


@pytest.mark.parametrize(
    "check", ["tsc --noEmit", "biome check --error-on-warnings .", "vitest run"]
)
def test_the_page_passes(check: str) -> None:
    if shutil.which("npm") is None:
        pytest.skip("needs Node.js 20.19 or newer")
    folder = ROOT / "dashboard"
    assert (folder / "src/api/schema.d.ts").is_file(), "the page was not built: run `make page`"

    done = subprocess.run(
        ["npx", "--no-install", *check.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_first_load_is_small() -> None:
    folder = ROOT / "dashboard" / "dist"
    if not folder.is_dir():
        pytest.skip("needs the built page")
    chunks = json.loads((folder / ".vite/manifest.json").read_text())
    # The map's engine and its worker apart: everything else at once, in all three languages.
    files = {folder / "index.html"} | {
        folder / file
        for name, one in chunks.items()
        if "map" not in name
        for file in [one["file"], *one.get("css", [])]
    }
    sizes = {file.name: _packed(file) for file in files}
    assert sum(sizes.values()) <= FIRST_LOAD_LIMIT, sizes
    assert len(sizes) > 5  # the manifest was read aright


def _packed(file: Path) -> int:
    return len(gzip.compress(file.read_bytes(), 9))
