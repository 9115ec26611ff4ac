"""The verb that makes a country of simulated farms."""

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from dala import app


@pytest.fixture
def database(empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    return empty_engine


def test_seeded_farms_have_a_computed_season_and_seeding_again_adds_nothing(
    database: sa.Engine,
) -> None:
    first = CliRunner().invoke(app, ["seed", "--farms", "1"])
    again = CliRunner().invoke(app, ["seed", "--farms", "1"])

    assert (first.exit_code, again.exit_code) == (0, 0), first.stderr + again.stderr
    assert "3 of 3 crop zones have a new result" in first.stderr
    assert "Farms in the database: 1; 0 readings and track points were new." in again.stderr
    assert "0 of 3 crop zones have a new result" in again.stderr
    with database.connect() as connection:
        # What devices said came while the season went on.
        late = connection.scalar(
            sa.text("SELECT count(*) FROM readings WHERE received_at > time + interval '1 day'")
        )
        stored = connection.scalar(sa.text("SELECT count(*) FROM readings"))
    assert late == 0
    assert stored > 3 * 4 * 4 * 100, "three probes, four depths, four times a day, over 100 days"


def test_places_alone_are_seeded_when_devices_shall_speak_themselves(database: sa.Engine) -> None:
    result = CliRunner().invoke(app, ["seed", "--farms", "1", "--no-season"])

    assert result.exit_code == 0
    with database.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM devices")) > 0
        assert connection.scalar(sa.text("SELECT count(*) FROM readings")) == 0
