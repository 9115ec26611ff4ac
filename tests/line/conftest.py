"""The command line as a user runs it: real processes, a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dala import app
from seeds.services import open_services

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
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def dala(home: Path) -> Run:
    return dala_in(home)


def summary(dala: Run, farm: str, season: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dala("summary", farm, "--season", season, "--json").stdout)
    return found


def summaries(home: Path, farms: Iterable[str], season: int) -> dict[str, dict[str, Any]]:
    """What the verb says of many farms, with the servers of the folder started once for all."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DALA_HOME", str(home))
        patch.delenv("DALA_DATABASE_URL", raising=False)
        with open_services("test", broker=False) as services:
            url = services.engine.url.render_as_string(hide_password=False)
            patch.setenv("DALA_DATABASE_URL", url)
            for farm in farms:
                words = ["summary", farm, "--season", str(season), "--json"]
                done = CliRunner().invoke(app, words, catch_exceptions=False)
                assert done.exit_code == 0, done.output
                found[farm] = json.loads(done.stdout)
    return found
