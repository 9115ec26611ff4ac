"""What nobody says is noticed: silence, gaps, numbers that never came, strangers."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from ingest.storing import Line, Message
from storage import alerts, devices, farms, unknown
from storage.alerts import Alert

BEGIN = dt.datetime(2025, 6, 15, tzinfo=dt.UTC)
PROBE, TRACTOR = "probe-7", "tractor-1"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def farm_id(empty_engine: sa.Engine) -> int:
    with empty_engine.begin() as connection:
        return farms.put(
            connection,
            "steppe",
            name="Steppe",
            region_code=None,
            timezone="Asia/Almaty",
            latitude_deg=43.3,
            longitude_deg=68.3,
            elevation_m=220.0,
        )


@pytest.fixture
def database(empty_engine: sa.Engine, farm_id: int) -> sa.Engine:
    with empty_engine.begin() as connection:
        devices.put(connection, PROBE, kind="soil-probe", name="Probe", farm_id=farm_id)
        devices.put(connection, TRACTOR, kind="tractor", name="Tractor", farm_id=farm_id)
    return empty_engine


@pytest.fixture
def line(database: sa.Engine) -> Line:
    return Line(database)


def pack(
    minutes: Sequence[float],
    *,
    device: str = PROBE,
    quantity: str = "soil_moisture/20",
    number: tuple[int, int] | None = None,
) -> Message:
    records: list[dict[str, Any]] = [
        {"n": quantity, "t": round(60 * minute), "v": 0.25 + minute % 7 / 1000}
        for minute in minutes
    ]
    if number is not None:
        records += [{"n": "boot", "t": 0, "v": number[0]}, {"n": "seq", "t": 0, "v": number[1]}]
    records[0] = {"bt": BEGIN.timestamp()} | records[0]
    heard = BEGIN + dt.timedelta(minutes=max([*minutes, 0]))
    received_us = round(heard.timestamp() * 1e6)
    return Message(f"dala/v1/{device}/senml", json.dumps(records).encode(), received_us)


def after(minutes: float) -> dt.datetime:
    return BEGIN + dt.timedelta(minutes=minutes)


def found(engine: sa.Engine, *, active: bool | None = True) -> list[Alert]:
    with engine.connect() as connection:
        return alerts.page(connection, active=active)


def expect_every(engine: sa.Engine, seconds: int) -> None:
    with engine.begin() as connection:
        statement = sa.text("UPDATE datastreams SET expected_interval_s = :seconds")
        connection.execute(statement, {"seconds": seconds})


# --- silence --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval_s", "minutes", "is_silent"),
    [
        (600, 60, False),  # three of its intervals are half an hour: an hour is the least
        (600, 61, True),
        (3_600, 180, False),
        (3_600, 181, True),
    ],
)
def test_a_device_is_silent_after_three_of_its_intervals_and_an_hour(
    line: Line, database: sa.Engine, farm_id: int, interval_s: int, minutes: int, is_silent: bool
) -> None:
    line.store([pack([0])])
    expect_every(database, interval_s)

    watched = line.watch(after(minutes) - dt.timedelta(seconds=1))

    assert watched.opened == is_silent
    expected = {
        "device": PROBE,
        "newest_reading": BEGIN.isoformat(),
        "expected_interval_s": interval_s,
    }
    assert [(one.kind, one.subject, one.farm_id, one.details) for one in found(database)] == (
        [("silent", f"device:{PROBE}", farm_id, expected)] if is_silent else []
    )


def test_silence_is_told_once_and_ends_when_the_device_speaks(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack([0])])
    expect_every(database, 600)
    counts = [line.watch(after(120)), line.watch(after(121))]
    line.store([pack([121])])
    counts.append(line.watch(after(122)))

    assert counts == [(1, 0), (0, 0), (0, 1)]
    (alert,) = found(database, active=False)
    assert (alert.opened_at, alert.cleared_at) == (after(120), after(122))


def test_the_most_frequent_datastream_sets_the_pace_and_any_reading_breaks_the_silence(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack([0]), pack([100], quantity="battery_voltage")])
    with database.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE datastreams SET expected_interval_s ="
                " CASE quantity WHEN 'battery_voltage' THEN 86400 ELSE 600 END"
            )
        )

    assert line.watch(after(159)) == (0, 0)
    assert line.watch(after(161)) == (1, 0)


@pytest.mark.parametrize("case", ["machine", "disabled", "no interval", "history"])
def test_who_need_not_speak_is_not_called_silent(
    line: Line, database: sa.Engine, case: str
) -> None:
    line.store([pack([0], device=TRACTOR if case == "machine" else PROBE)])
    if case != "no interval":
        expect_every(database, 600)
    if case == "disabled":
        with database.begin() as connection:
            connection.execute(sa.text("UPDATE devices SET disabled = true"))
    now = after(31 * 24 * 60 if case == "history" else 24 * 60)

    assert line.watch(now) == (0, 0)


def test_a_device_taken_out_of_service_is_no_longer_silent(line: Line, database: sa.Engine) -> None:
    line.store([pack([0])])
    expect_every(database, 600)
    line.watch(after(120))
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE devices SET disabled = true"))

    assert line.watch(after(121)) == (0, 1)


def test_one_that_fell_silent_stays_so_for_months(line: Line, database: sa.Engine) -> None:
    line.store([pack([0])])
    expect_every(database, 600)
    line.watch(after(120))

    assert line.watch(after(90 * 24 * 60)) == (0, 0)
    assert [one.kind for one in found(database)] == ["silent"]


# --- intervals and gaps ---------------------------------------------------------------------------


def learned(engine: sa.Engine) -> int | None:
    with engine.connect() as connection:
        return connection.scalar(sa.text("SELECT learned_interval_s FROM datastreams"))


def test_the_interval_is_learned_from_eight_regular_readings(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack(range(0, 70, 10))])
    line.watch(after(60))
    assert learned(database) is None
    line.store([pack([70])])

    line.watch(after(70))

    assert learned(database) == 600


def test_what_speaks_when_something_happens_has_no_interval(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack([0, 1, 40, 41, 300, 302, 303, 900, 1500])])

    line.watch(after(1500))

    assert learned(database) is None


def test_a_device_that_changes_its_pace_is_learned_anew(line: Line, database: sa.Engine) -> None:
    line.store([pack(range(0, 80, 10))])
    line.watch(after(70))
    paces = []
    for hour in range(1, 17):
        line.store([pack([70 + 60 * hour])])
        line.watch(after(70 + 60 * hour))
        paces.append(learned(database))

    # Two of seven intervals may be others; between the two paces there is no telling.
    assert paces[0] == 600
    assert None in paces
    assert paces[-1] == 3_600


@pytest.mark.parametrize("pause", [30, 31])
def test_a_pause_of_more_than_three_intervals_is_a_gap(
    line: Line, database: sa.Engine, farm_id: int, pause: int
) -> None:
    line.store([pack(range(0, 80, 10))])
    line.watch(after(70))
    line.store([pack([70 + pause])])

    expected = {
        "datastream": 1,
        "quantity": "soil_moisture",
        "from": after(70).isoformat(),
        "to": after(70 + pause).isoformat(),
        "longest_s": 1_800.0,
    }
    assert [(one.kind, one.subject, one.farm_id, one.details) for one in found(database)] == (
        [("gap", f"device:{PROBE}", farm_id, {"device": PROBE, "gaps": [expected]})]
        if pause > 30
        else []
    )


def test_a_gap_ends_when_late_readings_fill_it_and_not_before(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack(range(0, 80, 10))])
    line.watch(after(70))
    line.store([pack([170])])  # 80 to 160 are missing
    line.store([pack([80, 90, 100])])
    assert line.watch(after(171)).cleared == 0

    line.store([pack([130, 140])])  # pauses of 30 minutes are none

    assert line.watch(after(172)).cleared == 1
    assert found(database) == []


def test_gaps_of_a_device_are_one_alert_and_leave_it_one_by_one(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack(range(0, 80, 10))])
    line.watch(after(70))
    line.store([pack([170])])
    line.store([pack([180, 280])])

    (alert,) = found(database)
    assert [one["to"] for one in alert.details["gaps"]] == [
        after(170).isoformat(),
        after(280).isoformat(),
    ]
    line.store([pack(range(80, 170, 10))])
    assert line.watch(after(281)).cleared == 0
    (alert,) = found(database)
    assert [one["to"] for one in alert.details["gaps"]] == [after(280).isoformat()]


def test_what_another_worker_stored_is_no_gap(line: Line, database: sa.Engine) -> None:
    line.store([pack(range(0, 80, 10))])
    line.watch(after(70))
    Line(database).store([pack([80, 90, 100, 110, 120])])

    line.store([pack([130])])

    assert found(database) == []


def test_machines_have_no_gaps(line: Line, database: sa.Engine) -> None:
    fuel = [pack([*range(0, 80, 10), 900], device=TRACTOR, quantity="fuel_level")]
    line.store(fuel)
    line.watch(after(900))
    line.store([pack([2_000], device=TRACTOR, quantity="fuel_level")])

    assert found(database) == []
    assert learned(database) is None


# --- message numbers ------------------------------------------------------------------------------


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


def waiting(engine: sa.Engine) -> list[tuple[str, int]]:
    with engine.connect() as connection:
        return [(one.identity, one.messages) for one in unknown.page(connection)]


def test_messages_of_strangers_are_counted_until_somebody_claims_them(
    line: Line, database: sa.Engine, farm_id: int
) -> None:
    line.store([pack([0], device="probe-9"), pack([5]), pack([10], device="probe-9")])
    line.store([pack([20], device="probe-9")])
    with database.connect() as connection:
        (one,) = unknown.page(connection)
    assert one == ("probe-9", "dala/v1/probe-9/senml", 3, after(0), after(20))

    with database.begin() as connection:
        claimed = unknown.claim(connection, "probe-9", farm_id=farm_id, kind="soil-probe")
    line.forget()
    outcome = line.store([pack([30], device="probe-9")])

    assert claimed == ("probe-9", 3)
    assert outcome.stored == 1
    assert waiting(database) == []


def test_a_stranger_whose_bytes_nobody_can_read_yet_waits_too(
    line: Line, database: sa.Engine, farm_id: int
) -> None:
    event = {"deviceInfo": {"devEui": "a840410000000099"}, "data": "AQID", "fPort": 2}
    topic = "application/1/device/a840410000000099/event/up"
    line.store([Message(topic, json.dumps(event).encode(), 1_750_000_000_000_000)])

    with database.begin() as connection:
        claimed = unknown.claim(
            connection,
            "lora:a840410000000099",
            farm_id=farm_id,
            kind="soil-probe",
            profile="dragino-lse01",
        )
        found = devices.by_identity(connection, ["lora:a840410000000099"])

    assert claimed == ("lora-a840410000000099", 1)
    assert found["lora:a840410000000099"].profile == "dragino-lse01"


def test_a_disabled_device_is_no_stranger(line: Line, database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE devices SET disabled = true"))

    line.store([pack([0])])

    assert waiting(database) == []
