"""What has neither time nor number and comes again is stored once, and two that are equal twice."""

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from paho.mqtt import publish

from ingest.deliveries import ACKNOWLEDGED_KEPT, Deliveries
from ingest.memory import Memory
from ingest.outcomes import Message
from ingest.storing import Line as StoringLine
from storage import devices
from tests.ingest.servers import Line, Mosquitto, Serving, Unconfirming, stored, wait_until

NOW_US = 1_750_000_000_000_000
SECOND_US = 1_000_000


def rain(mid: int, second: int, *, again: bool = False, value: float = 1.0) -> Message:
    payload = json.dumps([{"n": "rain", "v": value}]).encode()
    return Message("dala/v1/gauge/senml", payload, NOW_US + second * SECOND_US, mid, again)


@pytest.fixture
def database(empty_engine: sa.Engine) -> sa.Engine:
    with empty_engine.begin() as connection:
        devices.put(connection, "gauge", kind="weather-station", name="Gauge")
    return empty_engine


def line(engine: sa.Engine, *, session_kept: bool = True) -> StoringLine:
    deliveries = Deliveries("ingest")
    deliveries.begin(session_kept=session_kept)
    return StoringLine(engine, deliveries=deliveries)


def test_one_that_comes_again_after_a_restart_is_found_stored(database: sa.Engine) -> None:
    assert line(database).store([rain(5, 0), rain(6, 1)]).stored == 2

    outcome = line(database).store([rain(5, 60, again=True), rain(6, 60, again=True)])

    assert (outcome.stored, outcome.duplicate) == (0, 2)


def test_those_that_come_again_after_a_restart_may_come_in_several_batches(
    database: sa.Engine,
) -> None:
    line(database).store([rain(mid, mid) for mid in (5, 6, 7)])

    restarted = line(database)
    for mid in (5, 6, 7):
        outcome = restarted.store([rain(mid, 60, again=True)])

        assert (outcome.stored, outcome.duplicate) == (0, 1)


@pytest.mark.parametrize("number", ["boot", "seq"])
def test_half_a_number_tells_no_repeat(database: sa.Engine, number: str) -> None:
    payload = json.dumps([{"n": number, "v": 4}, {"n": "rain", "v": 1.0}]).encode()
    assert line(database).store([rain(5, 0)._replace(payload=payload)]).stored == 1

    again = rain(5, 60, again=True)._replace(payload=payload)
    outcome = line(database).store([again])

    assert (outcome.stored, outcome.duplicate) == (0, 1)


def test_a_place_without_a_time_that_comes_again_is_one_place(database: sa.Engine) -> None:
    with database.begin() as connection:
        devices.put(connection, "drone", kind="drone", name="Drone", wire_id="dji:M3")
    place = json.dumps({"data": {"latitude": 43.2, "longitude": 76.9}}).encode()
    topic = "thing/product/M3/osd"
    assert line(database).store([Message(topic, place, NOW_US, 5)]).stored == 1

    outcome = line(database).store([Message(topic, place, NOW_US + SECOND_US, 5, again=True)])

    assert (outcome.stored, outcome.duplicate) == (0, 1)


def test_two_that_are_equal_are_two(database: sa.Engine) -> None:
    first = line(database)

    assert first.store([rain(5, 0), rain(6, 1)]).stored == 2
    assert first.store([rain(7, 2)]).stored == 1
    # One that was sent before, but never came to us; and one that was never sent before.
    assert line(database).store([rain(8, 60, again=True), rain(5, 61)]).stored == 2


def test_another_under_the_same_identifier_is_another(database: sa.Engine) -> None:
    line(database).store([rain(5, 0)])

    assert line(database).store([rain(5, 60, again=True, value=2.0)]).stored == 1


def test_in_a_new_session_identifiers_mean_other_messages(database: sa.Engine) -> None:
    line(database).store([rain(5, 0)])

    anew = line(database, session_kept=False)
    assert anew.store([rain(5, 60, again=True)]).stored == 1
    assert line(database).store([rain(5, 90, again=True)]).duplicate == 1  # of the new session


def test_a_batch_that_was_not_committed_leaves_nothing_behind(
    database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("ingest.receipts.note", killed)
        with pytest.raises(Killed):
            line(database).store([rain(5, 0)])

    assert line(database).store([rain(5, 60, again=True)]).stored == 1


def test_what_was_acknowledged_is_remembered_for_a_while_only() -> None:
    deliveries, memory = Deliveries("ingest"), Memory()
    for mid in range(1, 2_001):
        deliveries.note(memory, [rain(mid, mid)])
        deliveries.acknowledged([mid])
    deliveries.note(memory, [rain(3_000, 0)])

    (kept,) = memory.values()
    assert len(kept) == ACKNOWLEDGED_KEPT + 1
    (first,) = deliveries.as_first_arrived(memory, [rain(2_000, 9_999, again=True)])
    assert first.received_at_us == rain(2_000, 2_000).received_at_us


def test_what_the_process_before_remembered_is_let_go_once_nothing_of_it_comes_again() -> None:
    memory = Memory()
    Deliveries("ingest").note(memory, [rain(mid, mid) for mid in (5, 6, 7)])
    restarted = Deliveries("ingest")
    for one in (rain(5, 60, again=True), rain(8, 61), rain(9, 62)):
        restarted.note(memory, restarted.as_first_arrived(memory, [one]))

    (kept,) = memory.values()
    assert set(kept) == {"5", "8", "9"}


@pytest.mark.slow
def test_an_ingester_killed_between_its_commit_and_its_acknowledgement_doubles_nothing(
    server_line: Line, mosquitto: Mosquitto, serving: Callable[..., Serving]
) -> None:
    with server_line.engine.begin() as connection:
        devices.put(connection, "undated", kind="weather-station", name="Gauge")
    way = Unconfirming(mosquitto.port)
    user, password = mosquitto.login
    lossy = server_line._replace(mqtt_url=f"mqtt://{user}:{password}@127.0.0.1:{way.port}")
    first = serving(lossy, client_id="undated").connected()
    numbered = [{"n": "boot", "v": 1}, {"n": "seq", "v": 1}, {"n": "rain:1", "v": 1.0}]
    bare = json.dumps([{"n": "rain", "v": 1.0}])
    # The receipt of the numbered one is never confirmed, so none of them is acknowledged.
    publish.multiple(
        [("dala/v1/undated/senml", one, 1, False) for one in (json.dumps(numbered), bare, bare)],
        hostname="127.0.0.1",
        port=mosquitto.port,
        auth={"username": user, "password": password},
    )
    wait_until(lambda: stored(server_line, "undated") == 3, "the readings")
    first.stop()  # kill -9
    way.close()

    second = serving(server_line, client_id="undated", metrics_port=0).connected()

    duplicates = "dala_ingest_readings_duplicate_total"
    wait_until(lambda: second.metrics()[duplicates] >= 2, "the messages to come again")
    wait_until(
        lambda: second.metrics()["dala_ingest_messages_acknowledged_total"] == 3, "them to be told"
    )
    assert stored(server_line, "undated") == 3
