"""`dala demo`: the main job on one machine, and nothing left behind."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from .conftest import HERE, dala_in

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def start_demo(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "dala", "demo", "--farms", "1"],
        env=HERE | {"DALA_HOME": str(home), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_line(process: "subprocess.Popen[str]", words: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"the demo ended without saying {words!r}")


def family(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def wait_until(claim: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.1)
    return False


def test_once_prints_the_summary_and_ends_well(home: Path) -> None:
    done = dala_in(home)("demo", "--once", "--farms", "1")

    for words in ("Water applied", "Baseline", "Apparent saving", "ETa", "kg/ha", "ц/га"):
        assert words in done.stdout
    assert re.search(r"Devices reporting +9 of 9", done.stdout)
    assert "API: http://127.0.0.1:" in done.stdout
    assert "message sent" not in done.stdout + done.stderr  # what is logged is not for people


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ending_it_leaves_no_process_and_the_next_start_works(
    home: Path, number: signal.Signals
) -> None:
    demo = start_demo(home)
    try:
        wait_for_line(demo, "API: ")
        children = family(demo.pid)
        names = {" ".join(child.cmdline()) for child in children}
        assert any("serve" in name for name in names)
        assert any("ingest" in name for name in names)
        assert any("postgres" in name for name in names)

        second = dala_in(home)("demo", "--once", "--farms", "1", code=1)
        assert f"pid {demo.pid}" in second.stderr

        demo.send_signal(number)
        demo.wait(timeout=40)
        assert wait_until(lambda: not any(child.is_running() for child in children))
        if number is signal.SIGINT:
            assert demo.returncode == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(demo.pid, signal.SIGKILL)
        demo.wait()
        assert demo.stdout is not None
        demo.stdout.close()
    after = dala_in(home)("summary", "turkistan-01", "--season", "2025")
    assert "Water applied" in after.stdout
