"""What a person can mend is one sentence that says what, and keeps what is secret."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-password-of-ours"


@pytest.mark.parametrize(
    ("verb", "settings", "why"),
    [
        (
            ["alerts"],
            {"DALA_DATABASE_URL": f"postgresql://u:{SECRET}@127.0.0.1:1/x"},
            "the database does not do it: connection failed",
        ),
        (["alerts"], {"DALA_DATABASE_URL": SECRET}, "DALA_DATABASE_URL must look like postgresql:"),
        (
            ["ingest"],
            {
                "DALA_DATABASE_URL": f"postgresql://u:{SECRET}@127.0.0.1:1/x",
                "DALA_MQTT_URL": f"mqtt://u:{SECRET}@127.0.0.1:1",
            },
            "the database does not do it",
        ),
        (
            ["alerts"],
            {"DALA_DATABASE_URL": "postgresql://x", "DALA_STATEMENT_TIMEOUT_S": "soon"},
            "DALA_STATEMENT_TIMEOUT_S: Input should be a valid",
        ),
    ],
)
def test_it_is_one_sentence(verb: list[str], settings: dict[str, str], why: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dala", *verb],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin"} | settings, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("dala: ")
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert SECRET not in done.stderr
