"""Where a device stands and how it is calibrated, said on the console."""

import datetime as dt
import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from dala import app
from ingest.storing import Line, Message
from storage import calibrations, devices, placements, registering, tables
from tests.reports.machine_farm import put_farm, put_field

Run = Callable[..., Result]
NOON = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)


@pytest.fixture
def run(empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A verb on the test database, where a probe of field west has spoken."""
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    monkeypatch.setenv("COLUMNS", "250")
    with empty_engine.begin() as connection:
        farm = put_farm(connection)
        west = put_field(connection, farm, "west")
        put_field(connection, farm, "east")
        registering.register(
            connection, "probe-7", kind="soil-probe", name="7", farm_id=farm.id, field_id=west
        )
    pack = json.dumps([{"n": "soil_moisture/20", "t": NOON.timestamp(), "v": 0.2}])
    message = Message("dala/v1/probe-7/senml", pack.encode(), round(NOON.timestamp() * 1e6))
    assert Line(empty_engine).store([message]).stored == 1
    return lambda *words: CliRunner().invoke(app, [str(one) for one in words])


def test_a_device_moves_and_stood_where_it_was(run: Run, empty_engine: sa.Engine) -> None:
    assert "has always measured west" in run("place", "probe-7").stderr
    moved = run("place", "probe-7", "--field", "east", "--since", "15.06.2025 09:30")
    back = run("place", "probe-7", "--whole-farm", "--since", "2025-07-01")

    assert (moved.exit_code, back.exit_code) == (0, 0), moved.output + back.output
    with empty_engine.connect() as connection:
        always, first, second = placements.of_devices(connection, ["probe-7"])
        zone = connection.scalar(sa.select(tables.farms.c.timezone))
        noted = connection.scalars(sa.select(tables.audit_log.c.action)).all()
    assert zone == "Asia/Almaty"  # five hours before Greenwich
    assert first.valid_from == dt.datetime(2025, 6, 15, 4, 30, tzinfo=dt.UTC)
    assert second.valid_from == dt.datetime(2025, 6, 30, 19, tzinfo=dt.UTC)
    assert always.field_id != first.field_id
    assert second.field_id is None
    assert list(noted) == ["device.place", "device.place"]
    shown = run("place", "probe-7").stdout
    assert [word in shown for word in ("2025-06-15 09:30", "the whole farm", "ever")] == [True] * 3

    taken = run("place", "probe-7", "--take-back", second.id)
    assert taken.exit_code == 0, taken.output
    with empty_engine.connect() as connection:
        assert devices.get(connection, "probe-7").field_id == first.field_id


def test_a_datastream_is_calibrated(run: Run, empty_engine: sa.Engine) -> None:
    said = ("--slope", "1.04", "--reference", "certificate KZ-17-204", "--since", "2025-06-01")
    done = run("calibrate", "probe-7", "soil_moisture/20", *said)

    assert done.exit_code == 0, done.output
    with empty_engine.connect() as connection:
        stream = devices.named(connection, "probe-7", "soil_moisture/20")
        (made,) = calibrations.of_streams(connection, [stream.id])[stream.id]
    assert (made.slope, made.intercept, made.reference) == (1.04, 0.0, "certificate KZ-17-204")
    assert made.valid_from == dt.datetime(2025, 5, 31, 19, tzinfo=dt.UTC)
    assert made.created_by.startswith("console:")
    assert "certificate KZ-17-204" in run("calibrate", "probe-7").stdout
    taken = run("calibrate", "probe-7", "soil_moisture/20", "--take-back", made.id)
    assert taken.exit_code == 0, taken.output
    assert "No calibration" in run("calibrate", "probe-7", "soil_moisture/20").stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("place", "probe-8", "--whole-farm"), "there is no device 'probe-8'"),
        (("place", "probe-7", "--field", "north"), "There are: east, west"),
        (("place", "probe-7", "--field", "east", "--whole-farm"), "Give one of --field"),
        (("place", "probe-7", "--field", "east", "--since", "soon"), "write 2026-06-14 or"),
        (("place", "probe-7", "--field", "east", "--since", "2125-01-01"), "between 1970 and now"),
        (("place", "probe-7", "--field", "east", "--datastream", "rain"),
         "there is no datastream 'rain' of probe-7; it has said soil_moisture/20"),
        (("place", "probe-7", "--field", "east", "--since", "2024-02-29 23:30"), "give its offset"),
        (("calibrate", "probe-7", "soil_moisture/20", "--slope", "2"), "and the --reference"),
        (("calibrate", "probe-7", "soil_moisture/20", "--reference", "x"), "Give the --slope"),
        (("calibrate", "probe-7", "soil_moisture/20", "--intercept", "1"), "Give the --slope"),
        (("calibrate", "probe-7", "soil_moisture/30", "--slope", "2", "--reference", "x"),
         "it has said soil_moisture/20"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_says_why(run: Run, words: tuple[str, ...], why: str) -> None:
    refused = run(*words)

    assert refused.exit_code == 1
    assert why in refused.stderr


def test_a_slope_is_positive(run: Run) -> None:
    refused = run("calibrate", "probe-7", "soil_moisture/20", "--slope", "-1", "--reference", "x")

    assert refused.exit_code == 1
    assert "slope" in refused.stderr
