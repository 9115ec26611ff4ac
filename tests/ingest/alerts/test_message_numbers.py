"""Numbers of messages that never came, and those that a device declares lost."""

import datetime as dt
import json
from typing import Any

import sqlalchemy as sa

from ingest.storing import Line, Message
from storage import alerts
from tests.ingest.alerts.steppe import (
    PROBE,
    after,
    found,
    pack,
)


def numbers(line: Line, *sent: int, boot: int = 3) -> None:
    for number in sent:
        line.store([pack([10 * number], number=(boot, number))])


def in_minutes(minutes: float) -> dt.datetime:
    """From now on: since when a number is missing is told by the database's clock."""
    return dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)


def missing(engine: sa.Engine) -> list[tuple[int, list[list[int]]]]:
    return sorted((one.details["boot"], one.details["missing"]) for one in found(engine))


def test_numbers_missing_for_a_quarter_of_an_hour_are_an_alert_until_they_come(
    line: Line, database: sa.Engine, farm_id: int
) -> None:
    numbers(line, 1, 2, 5, 6, 9)
    assert line.watch(in_minutes(14)) == (0, 0)
    assert line.watch(in_minutes(16)) == (1, 0)

    (alert,) = found(database)
    assert (alert.kind, alert.subject) == ("sequence-gap", f"device:{PROBE}/boot:3")
    assert alert.farm_id == farm_id
    assert alert.details == {
        "device": PROBE,
        "boot": 3,
        "missing": [[3, 4], [7, 8]],
        "missing_messages": 4,
        "boot_is_over": False,
    }
    numbers(line, 3, 8, 4, 7)
    assert line.watch(in_minutes(17)) == (0, 1)


def test_a_boot_whose_first_numbers_never_came_misses_them(line: Line, database: sa.Engine) -> None:
    numbers(line, 4, 5)

    line.watch(in_minutes(16))

    assert missing(database) == [(3, [[1, 3]])]


def test_messages_that_overtake_each_other_are_no_gap(line: Line, database: sa.Engine) -> None:
    # Always one is missing, yet never the same one for long.
    numbers(line, 1, 3)
    with database.begin() as connection:
        connection.execute(
            sa.text("UPDATE device_sequences SET gap_since = now() - interval '1 hour'")
        )
    numbers(line, 2, 5)

    assert line.watch(in_minutes(0)) == (0, 0)


def test_the_lowest_missing_number_keeps_its_time_while_later_ones_come(
    line: Line, database: sa.Engine
) -> None:
    numbers(line, 1, 3)
    with database.begin() as connection:
        connection.execute(
            sa.text("UPDATE device_sequences SET gap_since = now() - interval '1 hour'")
        )
    numbers(line, 4, 6)

    assert line.watch(in_minutes(0)) == (1, 0)


def test_what_a_lost_buffer_took_stays_until_somebody_acknowledges_it(
    line: Line, database: sa.Engine
) -> None:
    numbers(line, 1, 4)
    numbers(line, 1, 2, boot=4)
    line.watch(in_minutes(16))
    (alert,) = found(database)
    assert alert.details["boot_is_over"]

    with database.begin() as connection:
        alerts.acknowledge(connection, alert.id, by="Aigul", now=in_minutes(20))

    assert line.watch(in_minutes(21)) == (0, 0)
    (alert,) = found(database, active=False)
    assert (alert.acknowledged_by, missing(database)) == ("Aigul", [])
    numbers(line, 7)  # another gap in the same boot is another matter
    line.watch(in_minutes(40))
    assert missing(database) == [(3, [[5, 6]])]


def test_a_disabled_device_misses_nothing(line: Line, database: sa.Engine) -> None:
    numbers(line, 1, 3)
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE devices SET disabled = true"))

    assert line.watch(in_minutes(60)) == (0, 0)


def test_of_several_workers_one_watches(line: Line, database: sa.Engine) -> None:
    numbers(line, 1, 3)
    with database.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('dala watch'))"))
        assert line.watch(in_minutes(16)) == (0, 0)

    assert line.watch(in_minutes(16)) == (1, 0)


# --- what a device declares lost ------------------------------------------------------------------


def declares(line: Line, *lost: int, boot: int = 3, at: float = 300) -> None:
    """Empty messages, as a device sends for numbers whose message is no more."""
    records = [[{"n": "boot", "v": boot}, {"n": "seq", "v": number}] for number in lost]
    received_us = round(after(at).timestamp() * 1e6)
    topic = f"dala/v1/{PROBE}/senml"
    line.store([Message(topic, json.dumps(one).encode(), received_us) for one in records])


def losses(engine: sa.Engine, *, active: bool | None = True) -> list[dict[str, Any]]:
    return [one.details for one in found(engine, active=active) if one.kind == "messages-lost"]


def test_a_loss_that_a_device_declares_is_an_alert_with_its_count_and_its_time(
    line: Line, database: sa.Engine, farm_id: int
) -> None:
    numbers(line, 1, 2)  # of the minutes 10 and 20
    declares(line, 3, 4, 5)
    (alert,) = found(database)
    assert (alert.kind, alert.farm_id) == ("messages-lost", farm_id)
    assert alert.subject == f"device:{PROBE}/boot:3"
    assert (alert.details["lost"], alert.details["lost_messages"]) == ([[3, 5]], 3)
    assert (alert.details["after"], alert.details["before"]) == (after(20).isoformat(), None)

    numbers(line, 6)  # of minute 60
    line.watch(in_minutes(16))

    (told,) = losses(database)
    assert (told["after"], told["before"]) == (
        after(20).isoformat(),
        after(60).isoformat().replace("+00:00", ".000000+00:00"),
    )
    assert [one.kind for one in found(database)] == ["messages-lost"]  # no number is missed


def test_a_number_that_was_missed_and_is_declared_lost_is_missed_no_longer(
    line: Line, database: sa.Engine
) -> None:
    numbers(line, 1, 4)
    line.watch(in_minutes(16))
    assert [one.kind for one in found(database)] == ["sequence-gap"]

    declares(line, 2, 3)
    line.watch(in_minutes(17))

    (alert,) = found(database)
    assert (alert.kind, alert.details["lost"]) == ("messages-lost", [[2, 3]])
    # Later numbers are stored: nobody knows between which readings these were.
    assert (alert.details["after"], alert.details["before"]) == (None, None)


def test_one_loss_is_one_alert_however_often_it_is_declared(
    line: Line, database: sa.Engine
) -> None:
    numbers(line, 1)
    declares(line, 2, 3)
    declares(line, 3, 2, 4, 3)
    declares(line, 2, 3, 4)

    (told,) = losses(database, active=None)
    assert (told["lost"], told["lost_messages"]) == ([[2, 4]], 3)


def test_what_was_stored_under_a_number_is_not_lost_whatever_is_said_later(
    line: Line, database: sa.Engine
) -> None:
    numbers(line, 1, 2)
    declares(line, 1, 2)

    assert losses(database) == []


def test_a_loss_between_two_messages_of_one_batch_lies_between_their_readings(
    line: Line, database: sa.Engine
) -> None:
    empty = [{"n": "boot", "v": 3}, {"n": "seq", "v": 2}]
    lost = Message(f"dala/v1/{PROBE}/senml", json.dumps(empty).encode(), 1_800_000_000_000_000)
    line.store([pack([10, 20], number=(3, 1)), lost, pack([50, 60], number=(3, 3))])

    (told,) = losses(database)
    assert (told["after"], told["before"]) == (after(20).isoformat(), after(50).isoformat())


def test_a_loss_is_told_from_the_reading_before_it_though_a_later_one_was_there_already(
    line: Line, database: sa.Engine
) -> None:
    numbers(line, 1)  # of minute 10
    line.store([pack([500], number=(2, 1))])  # of another boot, whose clock was ahead
    declares(line, 2, at=501)
    empty = [{"n": "boot", "v": 3}, {"n": "seq", "v": 3}]
    lost = Message(f"dala/v1/{PROBE}/senml", json.dumps(empty).encode(), 1_800_000_000_000_000)
    line.store([lost, pack([50, 60], number=(3, 4))])

    (told,) = losses(database)
    assert (told["after"], told["before"]) == (after(10).isoformat(), after(50).isoformat())


def test_a_declared_loss_stays_until_somebody_acknowledges_it(
    line: Line, database: sa.Engine
) -> None:
    numbers(line, 1)
    declares(line, 2)
    line.watch(in_minutes(60))
    (alert,) = found(database)

    with database.begin() as connection:
        alerts.acknowledge(connection, alert.id, by="Aigul", now=in_minutes(61))
    assert found(database) == []

    declares(line, 3)  # another loss
    (told,) = losses(database)
    assert (told["lost"], told["lost_messages"]) == ([[3, 3]], 1)


def test_a_disabled_device_and_a_stranger_declare_nothing(line: Line, database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE devices SET disabled = true"))
    line.store([pack([0])])
    declares(line, 1)

    assert losses(database) == []


# --- strangers ------------------------------------------------------------------------------------
