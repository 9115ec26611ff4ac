"""Who speaks and who is silent, without looking at a single reading."""

import datetime as dt
from importlib import import_module

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from storage import devices, farms, heard, readings, tracks
from storage.devices import StreamKey

NOON = dt.datetime(2025, 7, 1, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def us(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


@pytest.fixture
def farm(connection: sa.Connection) -> int:
    place = {"latitude_deg": 43.0, "longitude_deg": 76.0, "elevation_m": 700.0}
    farm_id = farms.put(connection, "heard", name="Heard", timezone="Asia/Almaty", **place)
    for name in ("probe", "meter", "tractor"):
        devices.put(connection, name, farm_id=farm_id, kind="soil-probe", name=name)
    return farm_id


def last_heard(connection: sa.Connection) -> dict[str, dt.datetime]:
    rows = connection.execute(sa.text("SELECT device_id, received_at FROM device_heard"))
    return {row.device_id: row.received_at for row in rows}


def test_only_who_was_heard_since_reports(connection: sa.Connection, farm: int) -> None:
    heard.note(connection, {"probe": us(NOON), "meter": us(NOON - 3 * MINUTE)})

    assert heard.counts(connection, [farm], since=NOON - 2 * MINUTE) == (3, 1)
    assert heard.counts(connection, [farm], since=NOON) == (3, 0)  # not after it
    assert heard.counts(connection, [], since=NOON) == (0, 0)


def test_a_disabled_device_is_not_counted(connection: sa.Connection, farm: int) -> None:
    heard.note(connection, {"probe": us(NOON)})
    devices.put(connection, "probe", kind="soil-probe", name="probe", disabled=True)

    assert heard.counts(connection, [farm], since=NOON - MINUTE) == (2, 0)


def test_a_row_is_written_once_a_minute_and_never_goes_back(
    connection: sa.Connection, farm: int
) -> None:
    for moment in (NOON, NOON + MINUTE * 0.9, NOON - 5 * MINUTE):
        heard.note(connection, {"probe": us(moment)})
    assert last_heard(connection) == {"probe": NOON}

    heard.note(connection, {"probe": us(NOON + MINUTE)})
    assert last_heard(connection) == {"probe": NOON + MINUTE}


def signal_of(connection: sa.Connection, device: str) -> tuple[float | None, dt.datetime | None]:
    query = sa.text("SELECT signal_dbm, signal_at FROM device_heard WHERE device_id = :device")
    dbm, at = connection.execute(query, {"device": device}).one()
    return dbm, at


def test_how_well_a_device_is_heard_is_of_the_latest_message_that_tells(
    connection: sa.Connection, farm: int
) -> None:
    def note(heard_at: dt.datetime, dbm: float, told_at: dt.datetime) -> None:
        signal = heard.Signal(us(told_at), dbm)
        heard.note(connection, {"probe": us(heard_at), "meter": us(heard_at)}, {"probe": signal})

    note(NOON, -97.0, NOON)
    assert signal_of(connection, "probe") == (-97.0, NOON)
    assert signal_of(connection, "meter") == (None, None)  # heard in the same batch

    note(NOON + 0.9 * MINUTE, -60.0, NOON + 0.9 * MINUTE)  # no row is written for it
    assert signal_of(connection, "probe") == (-97.0, NOON)

    heard.note(connection, {"probe": us(NOON + 2 * MINUTE)})  # which told nothing
    assert signal_of(connection, "probe") == (-97.0, NOON)

    note(NOON + 4 * MINUTE, -88.0, NOON + 3 * MINUTE)
    assert signal_of(connection, "probe") == (-88.0, NOON + 3 * MINUTE)

    note(NOON + 6 * MINUTE, -120.0, NOON + 2 * MINUTE)  # by a worker that was slow
    assert signal_of(connection, "probe") == (-88.0, NOON + 3 * MINUTE)
    assert last_heard(connection)["probe"] == NOON + 6 * MINUTE


def test_a_signal_of_a_device_that_is_not_noted_makes_no_row(
    connection: sa.Connection, farm: int
) -> None:
    heard.note(connection, {"probe": us(NOON)}, {"meter": heard.Signal(us(NOON), -70.0)})

    assert last_heard(connection) == {"probe": NOON}


def test_a_database_of_before_learns_it_from_its_readings_and_points(
    connection: sa.Connection, farm: int
) -> None:
    key = StreamKey("probe", "soil_moisture", 20.0, None)
    stream = devices.open_datastreams(connection, [key])[key]
    late = (us(NOON - 30 * MINUTE), stream, 0.2, 0, us(NOON))  # it was offline for a while
    early = (us(NOON - 60 * MINUTE), stream, 0.2, 0, us(NOON - 59 * MINUTE))
    readings.store(connection, np.array([early, late], readings.DTYPE))
    point = np.zeros(1, tracks.DTYPE)
    point["time"], point["received_at"] = us(NOON - MINUTE), us(NOON + MINUTE)
    tracks.store(connection, ["tractor"], point)
    connection.execute(sa.text("DROP TABLE device_heard CASCADE"))

    with Operations.context(MigrationContext.configure(connection)):
        import_module("migrations.versions.0005_device_heard").upgrade()

    assert last_heard(connection) == {"probe": NOON, "tractor": NOON + MINUTE}
