"""Workers that store the same at once: in turn, each thing once, and whoever must gives in."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from ingest import storing
from ingest.outcomes import Message, Outcome
from ingest.storing import Line
from storage import devices
from tests.ingest.codecs import sparkplug_bytes as sp
from tests.ingest.servers import wait_until

TIME_S = 1_750_000_000
ROUNDS, DEVICES, REFUSED = 24, 12, 30
QUANTITIES = ("rain", "soil_moisture/20", "soil_moisture/40", "air_temperature")


def pack(device: str, *records: dict[str, Any], second: int = 0) -> Message:
    payload = json.dumps(records).encode()
    return Message(f"dala/v1/{device}/senml", payload, (TIME_S + 3_600 + second) * 1_000_000)


def a_round(number: int) -> list[Message]:
    """One kind of message alone, as a lock of one kind may hide those of another; or all kinds."""
    kinds = (dated, undated, refused, strangers, births, tracks)
    chosen = kinds if number % 7 == 6 else kinds[number % 7 : number % 7 + 1]
    return [
        message for place in range(DEVICES) for kind in chosen for message in kind(place, number)
    ]


def dated(place: int, number: int) -> list[Message]:
    """Readings under channels that nobody named before, beside one that is always the same."""
    batch = []
    for quantity in QUANTITIES:
        new = [{"n": f"{quantity}:{number}", "v": 0.25, "t": TIME_S + n} for n in range(3)]
        batch.append(pack(f"d{place}", *new, {"n": quantity, "v": 0.25, "t": TIME_S}))
    return batch


def undated(place: int, number: int) -> list[Message]:
    numbers = [{"n": "boot", "v": 1}, {"n": "seq", "v": number + 1}]
    return [pack(f"d{place}", *numbers, {"n": "rain", "v": 1.0}, second=number)]


def refused(place: int, number: int) -> list[Message]:
    """New ones and those of every round."""
    new = [number + part / REFUSED for part in range(REFUSED)]
    return [pack(f"d{place}", {"n": "nothing", "v": v, "t": TIME_S}) for v in (-1, *new, -2)]


def strangers(place: int, number: int) -> list[Message]:
    return [pack(f"stranger-{place}", {"n": "rain", "v": number, "t": TIME_S})]


def births(place: int, number: int) -> list[Message]:
    birth = sp.node_birth(number, sp.metric(b"", "Temperature", alias=1))
    return [Message(f"spBv1.0/g/NBIRTH/n{place}", birth, TIME_S * 1_000_000)]


def tracks(place: int, number: int) -> list[Message]:
    point = {"time": f"2025-06-15T15:06:{number:02}Z", "lat": 43.0 + number, "lon": 68.0}
    payload = json.dumps({"points": [point]}).encode()
    return [Message(f"dala/v1/d{place}/track", payload, (TIME_S + 3_600) * 1_000_000)]


@pytest.fixture
def database(empty_engine: sa.Engine) -> sa.Engine:
    with empty_engine.begin() as connection:
        for place in range(DEVICES):
            devices.put(connection, f"d{place}", kind="soil-probe", name="Probe")
    return empty_engine


def count(engine: sa.Engine, query: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(sa.text(query)).one()


def test_two_workers_with_the_same_messages_in_opposite_orders_store_each_thing_once(
    database: sa.Engine,
) -> None:
    lines, start = (Line(database), Line(database)), threading.Barrier(2)

    def work(line: Line, *, backwards: bool) -> list[Outcome]:
        outcomes = []
        for number in range(ROUNDS):
            batch = a_round(number)
            start.wait(30)
            outcomes.append(line.store(batch[::-1] if backwards else batch))
        return outcomes

    with ThreadPoolExecutor(2) as pool, capture_logs() as logs:
        both = [
            pool.submit(work, line, backwards=backwards)
            for line, backwards in zip(lines, (False, True), strict=True)
        ]
        outcomes = [one for worker in both for one in worker.result(120)]

    assert [one["event"] for one in logs if "collided" in one["event"]] == []
    times = {kind: sum(n % 7 in (kind, 6) for n in range(ROUNDS)) for kind in range(6)}
    # Each quantity: three readings under a new channel, and one that is always the same.
    readings = DEVICES * ((times[0] * 3 + 1) * len(QUANTITIES) + times[1])
    points = DEVICES * times[5]
    assert sum(one.stored for one in outcomes) == readings + points
    assert count(database, "SELECT count(*) FROM readings") == (readings,)
    assert count(database, "SELECT count(*) FROM track_points") == (points,)
    assert count(database, "SELECT count(*) FROM reading_conflicts") == (0,)
    kept = "SELECT count(*), sum(times) FROM rejected_messages WHERE reason = 'unknown-quantity'"
    assert count(database, kept) == (
        DEVICES * (REFUSED * times[2] + 2),
        2 * DEVICES * (REFUSED + 2) * times[2],
    )
    heard = "SELECT count(*), min(messages), max(messages) FROM unknown_devices"
    twice = 2 * times[3]
    assert count(database, f"{heard} WHERE identity LIKE 'stranger-%'") == (DEVICES, twice, twice)
    assert count(database, "SELECT count(*) FROM sender_memory") == (DEVICES,)


# --- who must give in -----------------------------------------------------------------------------


def numbered(device: str) -> Message:
    numbers = [{"n": "boot", "v": 1}, {"n": "seq", "v": 1}]
    return pack(device, *numbers, {"n": "rain", "v": 1.0, "t": TIME_S})


def waits(engine: sa.Engine, count: int) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = :d"
    with engine.connect() as connection:
        return connection.scalar(sa.text(query), {"d": engine.url.database}) == count


def collide(database: sa.Engine, first: str, second: str) -> tuple[Outcome, bool]:
    """Store a message of each in a ring with another transaction; whether that was the victim."""
    with ThreadPoolExecutor(2) as pool, database.connect() as rival:
        devices.note_committed(rival, second, 1, [1])
        stored = pool.submit(Line(database).store, [numbered(first), numbered(second)])
        wait_until(lambda: waits(database, 1), "the line to wait for the rival")
        closing = pool.submit(devices.note_committed, rival, first, 1, [1])
        failed = isinstance(closing.exception(20), sa.exc.OperationalError)
        (rival.rollback if failed else rival.commit)()
        return stored.result(20), failed


def test_a_line_that_is_in_a_deadlock_begins_anew_and_sets_nothing_aside(
    database: sa.Engine,
) -> None:
    for place in range(0, DEVICES, 2):  # who waits longest notices and gives in: mostly the line
        with capture_logs() as logs:
            outcome, rival_gave_in = collide(database, f"d{place}", f"d{place + 1}")
        assert (outcome.stored, outcome.rejected, len(outcome.receipts)) == (2, 0, 2)
        if not rival_gave_in:
            break

    assert [one["sqlstate"] for one in logs if "collided" in one["event"]] == ["40P01"]
    assert count(database, "SELECT count(*) FROM rejected_messages") == (0,)


@pytest.mark.parametrize(
    ("error", "begun"),
    [
        (psycopg.errors.DeadlockDetected, storing.AT_ONCE),
        (psycopg.errors.SerializationFailure, storing.AT_ONCE),
        (psycopg.errors.LockNotAvailable, 1),
        (psycopg.errors.QueryCanceled, 1),
    ],
)
def test_a_batch_that_cannot_be_stored_now_is_the_caller_s_to_offer_again_whole(
    database: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    error: type[psycopg.Error],
    begun: int,
) -> None:
    tried = []

    def in_the_way(batch: Any) -> Outcome:
        tried.append(batch)
        raise error

    line, batch = Line(database), [numbered("d0"), numbered("d1")]
    with monkeypatch.context() as patched:
        patched.setattr(storing.Batch, "store", in_the_way)
        with pytest.raises(error):
            line.store(batch)

    assert len(tried) == begun
    assert count(database, "SELECT count(*) FROM rejected_messages") == (0,)
    assert line.store(batch).stored == 2


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (psycopg.errors.AdminShutdown, True),
        (psycopg.errors.CannotConnectNow, True),
        (psycopg.errors.TooManyConnections, True),
        (psycopg.errors.QueryCanceled, False),  # it is there, and took too long: that must be told
        (psycopg.errors.LockNotAvailable, False),
    ],
)
def test_a_database_that_takes_too_long_is_not_away(error: type[psycopg.Error], away: bool) -> None:
    assert storing.is_away(error()) is away
