"""A harness that finds nothing proves nothing: each promise, broken by hand, is found broken."""

import datetime as dt

import numpy as np
import pytest
import sqlalchemy as sa

from storage import devices, readings, rejected
from storage.devices import StreamKey
from tests.faults import invariants
from tests.faults.devices import Key, Said
from tests.faults.invariants import Flood, Violation

NAME = "soil_moisture/20"
TIME_MS = 1_750_000_000_000
PACK = (
    b'[{"n":"boot","v":1},{"n":"seq","v":1},{"bn":"soil_moisture/","n":"20","t":1750000000,"v":1}]'
)


@pytest.fixture
def said(connection: sa.Connection) -> Said:
    """A device that measured three readings, all of them stored."""
    devices.put(connection, "probe", kind="soil-probe", name="Probe")
    made = Said("probe")
    made.ledger = {Key(NAME, TIME_MS + 1_000 * i): 0.25 + i / 100 for i in range(3)}
    _store(connection, made.ledger)
    return made


def _store(connection: sa.Connection, ledger: dict[Key, float]) -> None:
    key = StreamKey("probe", "soil_moisture", 20.0, None)
    stream = devices.open_datastreams(connection, [key])[key]
    rows = np.zeros(len(ledger), readings.DTYPE)
    rows["datastream_id"] = stream
    rows["time"] = [one.time_ms * 1_000 for one in ledger]
    rows["received_at"] = rows["time"]
    rows["value"] = list(ledger.values())
    readings.store(connection, rows)


def _refuse(connection: sa.Connection, payload: bytes, reason: str) -> None:
    now = dt.datetime.now(dt.UTC)
    message = rejected.RejectedMessage("probe", "dala/v1/probe/senml", payload, reason, "", now)
    rejected.add(connection, [message])


def test_what_is_stored_as_measured_passes(connection: sa.Connection, said: Said) -> None:
    assert invariants.receipted_is_stored(connection, said, list(said.ledger)) == 3
    invariants.as_many_as_measured(connection, said)
    invariants.ledger_is_stored(connection, said)
    invariants.no_conflicts(connection)
    invariants.batches_are_what_is_stored(connection)
    invariants.future_is_quarantined(connection, said)


def test_a_receipt_without_its_reading_is_found(connection: sa.Connection, said: Said) -> None:
    lost = Key(NAME, TIME_MS + 60_000)
    said.ledger[lost] = 0.3

    with pytest.raises(Violation, match="has a receipt for"):
        invariants.receipted_is_stored(connection, said, [lost])
    with pytest.raises(Violation, match="measured 4 readings; stored are 3"):
        invariants.as_many_as_measured(connection, said)
    with pytest.raises(Violation, match="not both"):
        invariants.ledger_is_stored(connection, said)


def test_another_value_is_found(connection: sa.Connection, said: Said) -> None:
    first = Key(NAME, TIME_MS)
    said.ledger[first] += 0.01

    with pytest.raises(Violation, match="has a receipt for"):
        invariants.receipted_is_stored(connection, said, [first])
    with pytest.raises(Violation, match="not both"):
        invariants.ledger_is_stored(connection, said)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE readings SET value = value + 1", "another thing than the table"),
        ("DELETE FROM readings WHERE value = 0.25", "another thing than the table"),
        ("DELETE FROM pending_batches", "another thing than the table"),
        ("UPDATE readings SET batch_id = NULL", "3 readings are in no batch"),
    ],
)
def test_a_batch_that_is_not_what_is_stored_is_found(
    connection: sa.Connection, said: Said, statement: str, words: str
) -> None:
    connection.execute(sa.text(statement))

    with pytest.raises(Violation, match=words):
        invariants.batches_are_what_is_stored(connection)


def test_a_reading_that_nobody_took_is_found(connection: sa.Connection, said: Said) -> None:
    _store(connection, {Key(NAME, TIME_MS + 90_000): 0.2})

    with pytest.raises(Violation, match="measured 3 readings; stored are 4"):
        invariants.as_many_as_measured(connection, said)
    with pytest.raises(Violation, match="not both"):
        invariants.ledger_is_stored(connection, said)


def test_a_conflict_is_found(connection: sa.Connection, said: Said) -> None:
    _store(connection, {Key(NAME, TIME_MS): 0.5})

    with pytest.raises(Violation, match="1 conflicts"):
        invariants.no_conflicts(connection)


def test_a_reading_dated_ahead_has_to_be_kept_and_no_other(
    connection: sa.Connection, said: Said
) -> None:
    ahead = Key(NAME, TIME_MS)
    said.future, said.ledger = {ahead}, {}
    with pytest.raises(Violation, match="nothing tells of"):
        invariants.future_is_quarantined(connection, said)

    _refuse(connection, PACK, "time-in-future")
    invariants.future_is_quarantined(connection, said)

    said.future = set()
    with pytest.raises(Violation, match="what was never sent"):
        invariants.future_is_quarantined(connection, said)

    said.future = {ahead}
    _refuse(connection, PACK, "codec-failed")
    with pytest.raises(Violation, match="good messages were refused"):
        invariants.future_is_quarantined(connection, said)


def test_a_flood_has_to_be_there_to_the_last_message(connection: sa.Connection, said: Said) -> None:
    for number in range(1_003):  # three more than are kept
        _refuse(connection, b"%d" % number, "not-json")

    for once in (True, False):
        invariants.flood_is_accounted_for(connection, Flood("probe-", 0), once=once)
        with pytest.raises(Violation, match="1003 known"):
            invariants.flood_is_accounted_for(connection, Flood("probe", 1_004), once=once)
    with pytest.raises(Violation, match="1003 known"):
        invariants.flood_is_accounted_for(connection, Flood("probe", 1_002), once=True)
    with pytest.raises(Violation, match="3 readings out of garbage"):
        invariants.flood_is_accounted_for(connection, Flood("probe", 1_003), once=True)


def test_a_number_that_is_missing_is_found(connection: sa.Connection, said: Said) -> None:
    said.tops = {1: 4}
    devices.note_committed(connection, "probe", 1, [1, 2, 4])
    with pytest.raises(Violation, match="boot 1 sent 1 to 4"):
        invariants.numbers_are_whole(connection, said)

    devices.note_committed(connection, "probe", 1, [3])
    invariants.numbers_are_whole(connection, said)

    said.tops[2] = 1
    with pytest.raises(Violation, match="boot 2 sent 1 to 1; noted is None"):
        invariants.numbers_are_whole(connection, said)


def test_a_hole_has_to_be_named_by_an_alert_exactly(connection: sa.Connection, said: Said) -> None:
    devices.note_committed(connection, "probe", 5, [2, 3, 6, 9])

    invariants.holes_are_noted(connection, "probe", 5, [1, 4, 5, 7, 8])
    for other in ([1, 4, 5, 7], [4, 5, 7, 8], []):
        with pytest.raises(Violation, match="the alert names"):
            invariants.holes_are_noted(connection, "probe", 5, other)


def test_memory_has_a_bound() -> None:
    invariants.memory_is_bounded(200 * 2**20)
    with pytest.raises(Violation, match="400 MB"):
        invariants.memory_is_bounded(400 * 2**20)


def test_a_receipt_that_covers_a_hole_is_found() -> None:
    invariants.no_hole_is_receipted("probe", 3, 3)
    for heard in (4, 2, None):
        with pytest.raises(Violation, match="whole up to 3"):
            invariants.no_hole_is_receipted("probe", heard, 3)


def test_what_is_acknowledged_and_not_stored_is_found(
    connection: sa.Connection, said: Said
) -> None:
    lost, first = Key(NAME, TIME_MS + 60_000), Key(NAME, TIME_MS)

    assert invariants.not_yet_stored(connection, said, said.ledger) == set()
    owed = said.ledger | {lost: 0.3, first: said.ledger[first] + 0.01}
    assert invariants.not_yet_stored(connection, said, owed) == {lost, first}


def test_what_nobody_said_is_found_and_what_a_killed_broker_lost_is_not_asked_for(
    connection: sa.Connection, said: Said
) -> None:
    said.ledger[Key(NAME, TIME_MS + 60_000)] = 0.3
    invariants.nothing_was_invented(connection, said)

    del said.ledger[Key(NAME, TIME_MS)]
    with pytest.raises(Violation, match="not said so"):
        invariants.nothing_was_invented(connection, said)


def test_readings_without_a_time_are_told_by_their_count(
    connection: sa.Connection, said: Said
) -> None:
    said.undated = 1

    with pytest.raises(Violation, match="measured 4 readings; stored are 3"):
        invariants.as_many_as_measured(connection, said)
