"""What senders say of their later messages outlives the process that heard it."""

import json

import pytest
import sqlalchemy as sa

from ingest.storing import Line, Message
from storage import devices, senders
from tests.ingest.codecs import sparkplug_bytes as sp

TIME_MS = 1_750_000_000_000  # 2025-06-15T15:06:40Z
RECEIVED_US = TIME_MS * 1000 + 60_000_000
KEY = "sparkplug:Farm 1/pump"
DATA = sp.payload(sp.metric(sp.int_value(0xFFFFFFFB), alias=100), time_ms=TIME_MS + 1_000, seq=1)
BIRTH = sp.node_birth(
    7,
    sp.metric(sp.int_value(4), "Temperature", alias=100, datatype=sp.INT32),
    time_ms=TIME_MS,
)


@pytest.fixture
def database(empty_engine: sa.Engine) -> sa.Engine:
    with empty_engine.begin() as connection:
        devices.put(connection, "pump-1", kind="gateway", name="Pump", wire_id=KEY)
    return empty_engine


def message(kind: str, payload: bytes, later_s: int = 0) -> Message:
    return Message(f"spBv1.0/Farm 1/{kind}/pump", payload, RECEIVED_US + later_s * 1_000_000)


def values(engine: sa.Engine) -> list[tuple[str, float]]:
    query = "SELECT quantity, value FROM readings JOIN datastreams d ON d.id = datastream_id"
    return [(one.quantity, one.value) for one in rows(engine, f"{query} ORDER BY time")]


def rows(engine: sa.Engine, query: str) -> list[sa.Row[tuple[object, ...]]]:
    with engine.connect() as connection:
        return list(connection.execute(sa.text(query)))


def test_a_restarted_service_still_knows_what_a_birth_explained(database: sa.Engine) -> None:
    Line(database).store([message("NBIRTH", BIRTH)])

    outcome = Line(database).store([message("NDATA", DATA)])

    assert (outcome.stored, outcome.rejected, outcome.requests) == (1, 0, [])
    # 0xFFFFFFFB is -5 only because the birth said Int32.
    assert values(database) == [("air_temperature", 4.0), ("air_temperature", -5.0)]


def test_a_birth_counts_for_the_next_message_of_its_own_batch(database: sa.Engine) -> None:
    outcome = Line(database).store([message("NBIRTH", BIRTH), message("NDATA", DATA)])

    assert (outcome.stored, outcome.requests) == (2, [])


def test_a_number_nobody_explained_is_kept_asked_for_once_and_read_later(
    database: sa.Engine,
) -> None:
    line = Line(database)
    outcomes = [line.store([message("NDATA", DATA, second)]) for second in (0, 1)]
    outcomes.append(Line(database).store([message("NDATA", DATA, 2)]))  # after a restart

    assert [request.topic for one in outcomes for request in one.requests] == [
        "spBv1.0/Farm 1/NCMD/pump"
    ]
    assert values(database) == []
    (kept,) = rows(database, "SELECT device, reason, times, payload, topic FROM rejected_messages")
    assert (kept.device, kept.reason, kept.times) == (KEY, "alias-unknown", 3)

    line = Line(database)
    line.store([message("NBIRTH", BIRTH, 3)])
    again = line.store([Message(kept.topic, bytes(kept.payload), RECEIVED_US)])

    assert (again.stored, again.rejected) == (1, 0)
    assert values(database) == [("air_temperature", 4.0), ("air_temperature", -5.0)]


def test_two_unexplained_messages_of_one_batch_ask_once(database: sa.Engine) -> None:
    later = sp.payload(sp.metric(sp.double(2.0), alias=101), time_ms=TIME_MS + 2_000, seq=2)

    outcome = Line(database).store([message("NDATA", DATA), message("NDATA", later, 1)])

    assert len(outcome.requests) == 1
    assert outcome.rejected == 2


def test_a_batch_that_failed_asks_when_it_is_stored(
    database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(database)
    batch = [message("NDATA", DATA)]

    def away(*_: object) -> None:
        raise sa.exc.OperationalError("", {}, Exception())

    with monkeypatch.context() as patched:
        patched.setattr(senders, "remember", away)
        with pytest.raises(sa.exc.OperationalError):
            line.store(batch)

    assert len(line.store(batch).requests) == 1


def test_a_death_is_remembered_too(database: sa.Engine) -> None:
    Line(database).store([message("NBIRTH", BIRTH)])
    Line(database).store([message("NDEATH", sp.node_death(7), 1)])

    outcome = Line(database).store([message("NDATA", DATA, 2)])

    assert (outcome.stored, len(outcome.requests)) == (0, 1)


def test_an_uplink_without_a_time_that_comes_again_after_a_restart_is_stored_once(
    empty_engine: sa.Engine,
) -> None:
    with empty_engine.begin() as connection:
        devices.put(connection, "s", kind="soil-probe", name="S", wire_id="lora:a840411234567890")
    uplink = {
        "end_device_ids": {"dev_eui": "A840411234567890"},
        "uplink_message": {"session_key_id": "AYf", "decoded_payload": {"soil_temperature": 12.5}},
    }
    again = Message("v3/farm/devices/s/up", json.dumps(uplink).encode(), RECEIVED_US)
    assert Line(empty_engine).store([again]).stored == 1

    restarted = Line(empty_engine)
    outcome = restarted.store([again._replace(received_at_us=RECEIVED_US + 60_000_000)])

    assert (outcome.stored, outcome.duplicate) == (0, 1)
