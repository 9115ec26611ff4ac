"""The analyst's work list: earliest news of each datastream, claimed before it is worked off."""

import datetime as dt
import threading
import time

import numpy as np
import sqlalchemy as sa

from storage import devices, farms, news
from storage.devices import StreamKey

EARLY, LATE = 1_750_000_000_000_000, 1_750_000_600_000_000
MOMENT = {us: dt.datetime.fromtimestamp(us / 1e6, dt.UTC) for us in (EARLY, LATE)}


def farm_with_streams(connection: sa.Connection, slug: str = "north") -> tuple[int, int, int]:
    farm_id = farms.put(
        connection, slug, name=slug, timezone="Asia/Almaty", latitude_deg=50.0,
        longitude_deg=70.0, elevation_m=300.0,
    )  # fmt: skip
    devices.put(connection, f"{slug}-1", farm_id=farm_id, kind="station", name="station")
    keys = [StreamKey(f"{slug}-1", quantity, None, None) for quantity in ("rain", "wind_speed")]
    ids = devices.open_datastreams(connection, keys)
    return farm_id, ids[keys[0]], ids[keys[1]]


def note(connection: sa.Connection, *rows: tuple[int, int]) -> None:
    ids, times = zip(*rows, strict=True)
    news.note_readings(connection, np.array(ids, np.int32), np.array(times, np.int64))


def test_of_each_datastream_the_earliest_time_is_news(connection: sa.Connection) -> None:
    farm, rain, wind = farm_with_streams(connection)
    note(connection, (wind, LATE), (rain, LATE), (rain, EARLY), (wind, LATE))
    note(connection, (rain, LATE))
    news.claim(connection, [farm])

    assert news.claimed_readings(connection, [farm]) == {rain: MOMENT[EARLY], wind: MOMENT[LATE]}


def test_no_readings_are_no_news(connection: sa.Connection) -> None:
    farm, *_ = farm_with_streams(connection)
    news.note_readings(connection, np.array([], np.int32), np.array([], np.int64))
    news.note_points(connection, [], np.array([], np.int32), np.array([], np.int64))
    news.claim(connection, [farm])

    assert news.claimed_readings(connection, [farm]) == {}
    assert news.claimed_points(connection, [farm]) == {}


def test_a_claim_that_was_not_worked_off_is_joined_by_later_news(
    connection: sa.Connection,
) -> None:
    farm, rain, _ = farm_with_streams(connection)
    note(connection, (rain, LATE))
    news.claim(connection, [farm])
    note(connection, (rain, EARLY))
    news.claim(connection, [farm])

    assert news.claimed_readings(connection, [farm]) == {rain: MOMENT[EARLY]}


def test_what_arrives_during_an_analysis_stays_news(connection: sa.Connection) -> None:
    farm, rain, _ = farm_with_streams(connection)
    note(connection, (rain, LATE))
    news.claim(connection, [farm])
    note(connection, (rain, EARLY))
    news.done_readings(connection, [rain])

    assert news.claimed_readings(connection, [farm]) == {}
    news.claim(connection, [farm])
    assert news.claimed_readings(connection, [farm]) == {rain: MOMENT[EARLY]}


def test_another_farms_news_are_not_claimed(connection: sa.Connection) -> None:
    farm, rain, _ = farm_with_streams(connection)
    other, theirs, _ = farm_with_streams(connection, "south")
    note(connection, (rain, LATE), (theirs, EARLY))
    news.claim(connection, [farm])

    assert news.claimed_readings(connection, [other]) == {}
    assert list(news.claimed_readings(connection, [farm])) == [rain]


def test_points_are_news_of_their_device(connection: sa.Connection) -> None:
    farm, *_ = farm_with_streams(connection)
    places, times = np.array([0, 0], np.int32), np.array([LATE, EARLY])
    news.note_points(connection, ["north-1"], places, times)
    news.claim(connection, [farm])

    assert news.claimed_points(connection, [farm]) == {"north-1": MOMENT[EARLY]}
    news.done_points(connection, ["north-1"])
    assert news.claimed_points(connection, [farm]) == {}


def test_a_claim_waits_for_a_batch_under_way_and_sees_it(empty_engine: sa.Engine) -> None:
    """Else news of a batch committed after the claim could hide behind an earlier time."""
    with empty_engine.begin() as connection:
        farm, rain, _ = farm_with_streams(connection)
        note(connection, (rain, EARLY))
    claimed = threading.Event()

    def claim() -> None:
        with empty_engine.begin() as connection:
            news.claim(connection, [farm])
        claimed.set()

    with empty_engine.begin() as batch:
        note(batch, (rain, LATE))  # not earlier: changes nothing, and counts all the same
        worker = threading.Thread(target=claim)
        worker.start()
        assert not claimed.wait(0.3)
    worker.join(10)

    assert claimed.is_set()


def test_a_batch_waits_neither_for_a_long_transaction_nor_for_the_claim_behind_it(
    empty_engine: sa.Engine,
) -> None:
    with empty_engine.begin() as connection:
        farm, rain, _ = farm_with_streams(connection)
        note(connection, (rain, EARLY))
    claimed = threading.Event()

    def claim() -> None:
        with empty_engine.begin() as connection:
            news.claim(connection, [farm])
        claimed.set()

    with empty_engine.begin() as long:
        note(long, (rain, LATE))
        worker = threading.Thread(target=claim)
        worker.start()
        wait_until_one_waits(empty_engine)

        with empty_engine.begin() as batch:
            batch.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
            ids, times = np.array([rain], np.int32), np.array([LATE], np.int64)
            news.note_readings(batch, ids, times, brief=True)
        assert not claimed.is_set()
    worker.join(10)

    assert claimed.is_set()


def wait_until_one_waits(engine: sa.Engine) -> None:
    """Until a session waits for a lock that another has."""
    query = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    until = time.monotonic() + 10
    waiting = 0
    while not waiting and time.monotonic() < until:
        with engine.connect() as connection:
            waiting = connection.scalar(query) or 0
    assert waiting
