"""A batch is stored once and whole; what is bad is set aside with its reason."""

import numpy as np
import pytest
import sqlalchemy as sa

from ingest.imports.storing import Values, store_readings
from ingest.storing import Line, Message, Receipt
from storage import devices
from storage.readings import Quality
from tests.ingest.packs import (
    HOUR_US,
    PROBE,
    RECEIVED_US,
    TIME_S,
    TRACTOR,
    pack,
    point,
    rows,
    senml,
    set_aside,
    track,
    values,
)

# --- good messages --------------------------------------------------------------------------------


def test_a_pack_is_stored_and_receipted(line: Line, database: sa.Engine) -> None:
    outcome = line.store([pack(1, 0.21, 0.22, 0.23)])

    assert outcome.receipts == [Receipt(PROBE, 3, 1, stored=3, duplicate=0, rejected={})]
    assert (outcome.stored, outcome.duplicate, outcome.rejected) == (3, 0, 0)
    assert values(database) == [0.21, 0.22, 0.23]
    assert rows(database, "SELECT device_id, quantity, depth_cm FROM datastreams") == [
        (PROBE, "soil_moisture", 20.0)
    ]


def test_who_brought_something_new_was_heard_and_who_repeated_himself_was_not(
    line: Line, database: sa.Engine
) -> None:
    hour_later = Message(*track(1, point(0))[:2], RECEIVED_US + HOUR_US)
    line.store([pack(1, 0.21), hour_later])
    line.store([Message(*pack(1, 0.21)[:2], RECEIVED_US + HOUR_US)])  # the same again

    seen = "SELECT device_id, extract(epoch FROM received_at) * 1e6 FROM device_heard ORDER BY 2"
    assert rows(database, seen) == [(PROBE, RECEIVED_US), (TRACTOR, RECEIVED_US + HOUR_US)]


def test_the_same_batch_again_is_all_duplicates_and_has_the_same_receipt_number(
    line: Line, database: sa.Engine
) -> None:
    batch = [pack(1, 0.21, 0.22), pack(2, 0.23)]
    line.store(batch)

    for again in (line.store(batch), Line(database).store(batch)):  # the latter: after a restart
        assert again.receipts == [Receipt(PROBE, 3, 2, stored=0, duplicate=3, rejected={})]
    assert values(database) == [0.21, 0.22, 0.23]
    assert rows(database, "SELECT * FROM reading_conflicts") == []


def test_a_message_repeated_inside_one_batch_is_stored_once(
    line: Line, database: sa.Engine
) -> None:
    outcome = line.store([pack(1, 0.21, 0.22), pack(1, 0.21, 0.22)])

    assert outcome.receipts == [Receipt(PROBE, 3, 1, stored=2, duplicate=2, rejected={})]
    assert values(database) == [0.21, 0.22]


def test_a_receipt_stops_at_the_first_message_that_is_missing(line: Line) -> None:
    heard = [line.store([pack(seq, 0.2)]).receipts[0].seq for seq in (1, 3, 2)]

    assert heard == [1, 1, 3]


def test_each_device_and_each_boot_has_its_own_receipt(line: Line) -> None:
    outcome = line.store(
        [pack(1, 0.2, boot=3), pack(1, 0.3, boot=4), pack(1, 0.4, 0.5, device=TRACTOR)]
    )

    # The two packs of boot 3 and 4 give the same minute two values: the first stays.
    assert outcome.receipts == [
        Receipt(PROBE, 3, 1, stored=1, duplicate=0, rejected={}),
        Receipt(PROBE, 4, 1, stored=0, duplicate=1, rejected={}),
        Receipt(TRACTOR, 3, 1, stored=2, duplicate=0, rejected={}),
    ]


def test_a_second_value_for_a_time_is_kept_beside_the_first(
    line: Line, database: sa.Engine
) -> None:
    line.store([senml({"n": "rain", "v": 1.0})])
    line.store([senml({"n": "rain", "v": 4.0})])

    assert values(database) == [1.0]
    assert rows(database, "SELECT stored_value, value FROM reading_conflicts") == [(1.0, 4.0)]


def test_what_an_import_stored_beyond_what_the_line_knows_is_stored_once_all_the_same(
    line: Line, database: sa.Engine
) -> None:
    def rain(*said: tuple[int, float]) -> Message:
        return senml(*({"n": "rain", "t": 60 * minute, "v": value} for minute, value in said))

    times = np.array([2, 3, 5]) * 60_000_000 + TIME_S * 1_000_000
    with database.connect() as theirs:  # which is not the line's connection, nor remembers for it
        line.store([rain((0, 1.0))])
        line.store([rain((1, 2.0))])
        with theirs.begin():
            beside = Values("rain", times, np.array([3.0, 4.0, 6.0]))
            store_readings(theirs, PROBE, [beside], RECEIVED_US)
        outcome = line.store([rain((2, 3.0), (3, 9.0), (4, 5.0)), rain((5, 6.0), (6, 7.0))])

    assert (outcome.stored, outcome.duplicate, outcome.conflicts, outcome.rejected) == (2, 3, 1, 0)
    assert values(database) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert rows(database, "SELECT stored_value, value FROM reading_conflicts") == [(4.0, 9.0)]
    assert set_aside(database) == []


def test_a_redelivered_pack_without_times_is_known_by_its_number(
    line: Line, database: sa.Engine
) -> None:
    # «Now» is another moment at each delivery: only boot and seq tell that it is one message.
    def undated(later_us: int) -> Message:
        numbering = ({"bt": 0, "n": "boot", "v": 1}, {"n": "seq", "v": 1})
        return senml(*numbering, {"n": "soil_moisture/20", "v": 0.2}, later_us=later_us)

    line.store([undated(0)])
    again = line.store([undated(HOUR_US), undated(2 * HOUR_US)])

    assert again.receipts == [Receipt(PROBE, 1, 1, stored=0, duplicate=2, rejected={})]
    assert values(database) == [0.2]


def test_two_copies_without_times_in_one_batch_are_one_message(
    line: Line, database: sa.Engine
) -> None:
    numbering = ({"bt": 0, "n": "boot", "v": 1}, {"n": "seq", "v": 1})
    copies = [
        senml(*numbering, {"n": "soil_moisture/20", "v": 0.2}, later_us=later)
        for later in (0, HOUR_US)
    ]

    outcome = line.store(copies)

    assert outcome.receipts == [Receipt(PROBE, 1, 1, stored=1, duplicate=1, rejected={})]
    assert values(database) == [0.2]


# --- tracks ---------------------------------------------------------------------------------------


def test_a_message_with_a_bad_point_keeps_its_place_among_the_others(
    line: Line, database: sa.Engine
) -> None:
    # Only the second is read point by point; of equal times the first to arrive counts all the
    # same, and each message is told what became of its own points.
    outcome = line.store(
        [
            track(1, point(0, width_m=1.0)),
            track(2, point(0, width_m=2.0), point(10, width_m=2.0), point(20, lat=91)),
            track(3, point(10, width_m=3.0), point(30), point(3_600 + 301)),
        ]
    )

    assert rows(database, "SELECT width_m FROM track_points ORDER BY time") == [
        *((1.0,), (2.0,), (None,))
    ]
    assert sorted(rows(database, "SELECT point -> 'width_m' FROM track_conflicts")) == [
        *((2.0,), (3.0,))
    ]
    assert outcome.receipts == [
        Receipt(TRACTOR, 1, 3, 3, 2, {"position-out-of-range": 1, "time-in-future": 1})
    ]
    assert (outcome.stored, outcome.duplicate, outcome.rejected, outcome.decoded) == (3, 2, 2, 3)


def test_track_points_are_stored_once_and_what_is_unknown_stays_unknown(
    line: Line, database: sa.Engine
) -> None:
    message = track(1, point(0, speed_m_s=2.5, work_state=1), point(10, fuel_rate_l_h=18.0))

    first, second = line.store([message]), line.store([message])

    assert first.receipts == [Receipt(TRACTOR, 1, 1, stored=2, duplicate=0, rejected={})]
    assert second.receipts == [Receipt(TRACTOR, 1, 1, stored=0, duplicate=2, rejected={})]
    assert rows(
        database,
        "SELECT latitude_deg, longitude_deg, speed_m_s, work_state, fuel_rate_l_h, width_m"
        "  FROM track_points ORDER BY time",
    ) == [(43.25, 76.95, 2.5, 1, None, None), (43.25, 76.95, None, None, 18.0, None)]
    assert rows(database, "SELECT * FROM track_conflicts") == []


@pytest.mark.parametrize("batches", [1, 2])
def test_a_second_place_for_the_same_moment_is_kept_as_a_conflict(
    line: Line, database: sa.Engine, batches: int
) -> None:
    messages = [track(1, point(0)), track(2, point(0, lat=44.0), point(10))]
    outcomes = [line.store(messages)] if batches == 1 else [line.store([m]) for m in messages]

    assert sum(outcome.stored for outcome in outcomes) == 2
    assert rows(database, "SELECT latitude_deg FROM track_points ORDER BY time") == [
        (43.25,),
        (43.25,),
    ]
    assert rows(database, "SELECT point -> 'latitude_deg' FROM track_conflicts") == [(44.0,)]


def test_points_of_several_machines_in_one_batch_stay_with_their_machine(
    line: Line, database: sa.Engine
) -> None:
    line.store([track(1, point(0, speed_m_s=1.0)), track(1, point(0, speed_m_s=2.0), device=PROBE)])

    assert rows(database, "SELECT device_id, speed_m_s FROM track_points ORDER BY 1") == [
        (PROBE, 2.0),
        (TRACTOR, 1.0),
    ]


# --- packs that are read into columns, once their datastreams are known ---------------------------


def undeclared(value: float, *, second: int) -> Message:
    """A pack that only the full decoder reads: the value is the sum of a base and its own."""
    return senml({"bv": 0.5, "n": "soil_moisture/20", "t": second, "v": value - 0.5})


def test_of_two_packs_for_one_time_the_first_counts_however_each_is_read(
    line: Line, database: sa.Engine
) -> None:
    usual = [senml({"n": "soil_moisture/20", "t": second, "v": 0.25}) for second in (0, 1, 2)]
    line.store(usual[:1])

    line.store([usual[1], undeclared(0.75, second=1), undeclared(0.75, second=2), usual[2]])

    assert values(database) == [0.25, 0.25, 0.75]
    assert rows(database, "SELECT stored_value, value FROM reading_conflicts ORDER BY time") == [
        (0.25, 0.75),
        (0.75, 0.25),
    ]


def test_a_time_that_cannot_be_is_refused_from_columns_too(line: Line, database: sa.Engine) -> None:
    line.store([pack(1, 0.2)])
    later = senml(
        {"n": "boot", "v": 3},
        {"n": "seq", "v": 2},
        {"n": "soil_moisture/20", "t": 1, "v": 0.21},
        {"n": "soil_moisture/20", "t": 3_600 + 301, "v": 0.22},  # 5 min 1 s after its arrival
        {"n": "soil_moisture/20", "t": 1e9 - TIME_S, "v": 0.23},  # 2001-09-09
        {"n": "soil_moisture/20", "t": 9e8 - TIME_S, "v": 0.24},  # 1998-07-09
    )

    outcome = line.store([later])

    assert outcome.receipts == [
        Receipt(
            PROBE, 3, 2, stored=2, duplicate=0,
            rejected={"time-in-future": 1, "time-before-2000": 1},
        )
    ]  # fmt: skip
    assert sorted(values(database)) == [0.2, 0.21, 0.23]
    assert set_aside(database) == [(PROBE, "time-in-future", 1)]


def test_a_value_beyond_its_range_is_flagged_from_columns_too(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack(1, 0.2)])

    line.store([pack(2, 0.7, 0.71, -0.01)])  # soil moisture is believable from 0 to 0.7

    query = "SELECT value FROM readings WHERE quality & :flag > 0 ORDER BY value"
    query = query.replace(":flag", str(int(Quality.OUT_OF_RANGE)))
    assert rows(database, query) == [(-0.01,), (0.71,)]


def test_a_device_that_was_switched_off_is_refused_once_it_is_looked_up_again(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack(1, 0.2)])
    with database.begin() as connection:
        devices.put(connection, PROBE, kind="soil-probe", name="Probe", disabled=True)
    line.forget()

    outcome = line.store([pack(2, 0.3)])

    assert outcome.reasons == {"device-disabled": 1}
    assert values(database) == [0.2]


def test_an_identity_that_now_means_another_device_has_other_datastreams(
    line: Line, database: sa.Engine
) -> None:
    with database.begin() as connection:
        devices.put(connection, "old-1", kind="soil-probe", name="Old", wire_id="nickname")
    line.store([pack(1, 0.2, device="nickname")])
    with database.begin() as connection:
        devices.put(connection, "old-1", wire_id=None, kind="soil-probe", name="Old")
        devices.put(connection, "new-1", kind="soil-probe", name="New", wire_id="nickname")
    line.forget()

    line.store([pack(2, 0.3, device="nickname")])

    query = "SELECT device_id, value FROM readings JOIN datastreams ON id = datastream_id"
    assert rows(database, f"{query} ORDER BY value") == [("old-1", 0.2), ("new-1", 0.3)]
