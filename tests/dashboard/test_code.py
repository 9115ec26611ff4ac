"""The page's own checks: types, style, and the tests of its logic."""

import shutil
import subprocess

import pytest

from tests.dashboard.season import ROOT


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
