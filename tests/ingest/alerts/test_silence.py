"""What nobody says is noticed: silence, gaps, strangers."""

import datetime as dt
import json

import pytest
import sqlalchemy as sa

from ingest.storing import Line, Message
from storage import devices, unknown
from tests.ingest.alerts.steppe import (
    BEGIN,
    PROBE,
    TRACTOR,
    after,
    expect_every,
    found,
    pack,
)


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
