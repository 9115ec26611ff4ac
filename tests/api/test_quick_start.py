"""The quick start of the docs does what it says, as it stands there."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.api.asking import put_key
from tests.api.hammer import served
from tests.conftest import empty

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```sh\n(# quick start\n.*?)```", re.DOTALL)
FOUND = [
    (path.name, block)
    for path in (ROOT / "README.md", ROOT / "docs" / "api.md")
    for block in BLOCK.findall(path.read_text())
]


@pytest.fixture(scope="module")
def url(engine: sa.Engine) -> Iterator[str]:
    with served(engine) as address:
        yield address


def test_the_docs_have_one() -> None:
    assert "api.md" in {name for name, _ in FOUND}


@pytest.mark.parametrize("block", [block for _, block in FOUND], ids=[name for name, _ in FOUND])
def test_the_quick_start_runs(url: str, engine: sa.Engine, block: str, tmp_path: Path) -> None:
    for program in ("bash", "curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    key = put_key(engine, "quick-start", everything=True)
    try:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            env={"PATH": os.environ["PATH"], "API": f"{url}/v1", "KEY": key},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert '"season":2025' in done.stdout
        assert "2025-06-12T01:00:00Z" in done.stdout  # the event, as CSV
        assert '"FeatureCollection"' in done.stdout
    finally:
        empty(engine)
