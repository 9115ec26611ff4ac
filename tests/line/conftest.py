"""The command line as a user runs it: real processes, a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

HERE = {name: value for name, value in os.environ.items() if not name.startswith("DALA_")}


def dala_in(home: Path) -> Run:
    """A function that runs a verb with ``DALA_HOME`` set, and fails the test if the verb does."""

    def run(*arguments: object, code: int = 0) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-m", "dala", *map(str, arguments)],
            env=HERE | {"DALA_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return run


@pytest.fixture(scope="module")
def dala(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return dala_in(tmp_path_factory.mktemp("home"))


def summary(dala: Run, farm: str, season: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dala("summary", farm, "--season", season, "--json").stdout)
    return found
