"""A client that is made of the OpenAPI document does the quick start of the docs, as it stands."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from api.document import write
from tests.api.asking import put_key
from tests.api.hammer import served
from tests.conftest import empty

ROOT = Path(__file__).resolve().parents[2]
# What formats the client, else it warns, lies beside this Python.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
BLOCK = re.compile(r"```python\n(# quick start\n.*?)```", re.DOTALL)


def run(words: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        words,
        env={"PATH": PATH, "HOME": str(folder), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_client_made_of_the_document_does_the_quick_start(
    engine: sa.Engine, tmp_path: Path
) -> None:
    write(tmp_path / "openapi.json")
    (block,) = BLOCK.findall((ROOT / "docs" / "api.md").read_text())
    # It warns of what it leaves out of an operation, or leaves out altogether.
    generate = (
        "generate --fail-on-warning --path openapi.json --meta none --output-path dala_client"
    )

    run([sys.executable, "-m", "openapi_python_client", *generate.split()], tmp_path)
    with served(engine) as url:
        try:
            key = put_key(engine, "quick-start", everything=True)
            told = run([sys.executable, "-c", block], tmp_path, API=f"{url}/v1", KEY=key)
        finally:
            empty(engine)

    assert told.splitlines() == [
        "my-farm 2025 24.3 ha",
        "2025-06-12T01:00:00+00:00 3200.0",
        "2025-07-03T01:00:00+00:00 2900.0",
    ]
    operations = json.loads((tmp_path / "openapi.json").read_text())["paths"]
    made = {file.stem for file in (tmp_path / "dala_client" / "api").rglob("*.py")}
    asked = {each["operationId"] for path in operations.values() for each in path.values()}
    assert asked <= made
