"""The verb that measures: what it prints can be read by programs."""

import json

import pytest
import structlog
from typer.testing import CliRunner

from bench import analytics
from dala import app


def test_what_is_logged_while_measuring_does_not_stand_in_the_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(*, zones: int) -> dict[str, int]:
        structlog.get_logger().info("connected")
        structlog.get_logger().warning("slow")
        return {"zones": zones}

    monkeypatch.setattr(analytics, "run", run)
    monkeypatch.setattr(analytics, "as_table", str)
    result = CliRunner().invoke(app, ["bench", "analytics", "--zones", "7", "--json"])

    assert json.loads(result.stdout) == {"zones": 7}
    assert "slow" in result.stderr
    assert "connected" not in result.stderr
