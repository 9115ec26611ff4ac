"""What cannot be stored is kept with its reason, a share for each device, and found again."""

import datetime as dt

import sqlalchemy as sa

from storage import rejected
from storage.rejected import KEPT_BYTES, KEPT_PER_DEVICE, BeyondCount, RejectedMessage

NOON = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def message(
    payload: bytes = b"[{",
    *,
    device: str | None = "probe",
    reason: str = "not-json",
    minutes: int = 0,
) -> RejectedMessage:
    topic = f"dala/v1/{device}/senml"
    return RejectedMessage(device, topic, payload, reason, "words", NOON + minutes * MINUTE)


def times(connection: sa.Connection) -> list[tuple[bytes, int, dt.datetime, dt.datetime]]:
    query = sa.text(
        "SELECT payload, times, received_at, last_received_at FROM rejected_messages ORDER BY id"
    )
    return [tuple(row) for row in connection.execute(query)]


def test_the_same_message_is_one_row_within_a_batch_and_across_batches(
    connection: sa.Connection,
) -> None:
    rejected.add(connection, [message(minutes=2), message(b"other"), message(minutes=1)])
    rejected.add(connection, [message(minutes=5), message(minutes=3)])

    # Twice in the first batch, twice in the second; first at minute 1, last at minute 5.
    assert times(connection) == [
        (b"[{", 4, NOON + MINUTE, NOON + 5 * MINUTE),
        (b"other", 1, NOON, NOON),
    ]


def test_one_payload_with_two_reasons_is_two_rows(connection: sa.Connection) -> None:
    rejected.add(connection, [message(), message(reason="unknown-device")])

    assert [row[1] for row in times(connection)] == [1, 1]


def test_messages_keep_the_order_they_came_in(connection: sa.Connection) -> None:
    payloads = [b"%d" % number for number in range(50)]  # digests are in another order

    rejected.add(connection, [message(one) for one in payloads])

    assert [one.payload for one in rejected.page(connection)] == payloads


def test_beyond_its_room_messages_of_a_device_are_counted_by_day_and_reason(
    connection: sa.Connection,
) -> None:
    def flood(start: int, count: int, reason: str, minutes: int) -> None:
        batch = [
            message(b"%d" % (start + number), reason=reason, minutes=minutes)
            for number in range(count)
        ]
        rejected.add(connection, batch)

    flood(0, KEPT_PER_DEVICE - 1, "not-json", 0)
    flood(5_000, 3, "bad-name", 0)  # one finds room
    flood(6_000, 4, "bad-name", 24 * 60)  # a day later
    rejected.add(connection, [message(device="neighbour"), message(device=None)])

    day = NOON.date()
    assert rejected.count(connection, device="probe")[0] == KEPT_PER_DEVICE
    assert rejected.count(connection)[0] == KEPT_PER_DEVICE + 2
    assert rejected.beyond(connection) == [
        BeyondCount("probe", "bad-name", 6, day, day + dt.timedelta(days=1))
    ]
    assert rejected.beyond(connection, device="neighbour") == []
    assert rejected.beyond(connection, reason="not-json") == []


def test_messages_that_name_no_device_share_one_room(connection: sa.Connection) -> None:
    nobodys = [message(b"%d" % number, device=None) for number in range(KEPT_PER_DEVICE + 2)]

    rejected.add(connection, nobodys)

    assert rejected.count(connection)[0] == KEPT_PER_DEVICE
    (beyond,) = rejected.beyond(connection)
    assert (beyond.device, beyond.messages) == (None, 2)


def test_of_a_long_payload_the_beginning_is_kept_and_its_size_known(
    connection: sa.Connection,
) -> None:
    rejected.add(connection, [message(b"x" * (KEPT_BYTES + 1)), message(b"x" * KEPT_BYTES)])

    cut, whole = rejected.page(connection)
    assert (len(cut.payload), cut.payload_bytes, cut.is_whole) == (
        KEPT_BYTES,
        KEPT_BYTES + 1,
        False,
    )
    assert whole.is_whole


def test_the_newest_come_first_and_may_be_chosen_by_device_and_reason(
    connection: sa.Connection,
) -> None:
    rejected.add(
        connection,
        [
            message(b"1", minutes=3),
            message(b"2", minutes=1, reason="bad-name"),
            message(b"3", minutes=2, device="other"),
        ],
    )

    def found(**chosen: str) -> list[bytes]:
        return [one.payload for one in rejected.newest(connection, **chosen)]  # type: ignore[arg-type]

    assert found() == [b"1", b"3", b"2"]
    assert found(device="probe") == [b"1", b"2"]
    assert found(reason="bad-name") == [b"2"]
    assert found(device="other", reason="bad-name") == []
    assert [one.payload for one in rejected.newest(connection, limit=1)] == [b"1"]


def test_pages_go_on_where_the_last_one_ended(connection: sa.Connection) -> None:
    rejected.add(connection, [message(b"%d" % number) for number in range(5)])

    first = rejected.page(connection, limit=2)
    rest = rejected.page(connection, after=first[-1].id)
    until = rejected.page(connection, until=first[-1].id)

    assert [one.payload for one in first + rest] == [b"0", b"1", b"2", b"3", b"4"]
    assert until == first


def test_a_message_judged_anew_keeps_its_history_under_todays_reason(
    connection: sa.Connection,
) -> None:
    rejected.add(connection, [message(reason="unknown-device"), message(reason="unknown-device")])
    (kept,) = rejected.page(connection)

    rejected.judge_anew(connection, kept, message(reason="not-json", minutes=90))

    (after,) = rejected.page(connection)
    assert (after.id, after.reason, after.times) == (kept.id, "not-json", 2)
    assert (after.received_at, after.last_received_at) == (NOON, NOON)
    rejected.add(connection, [message(reason="not-json", minutes=91)])
    assert [row[1] for row in times(connection)] == [3]  # it is known under its new reason


def test_judged_anew_for_a_reason_that_is_there_already_two_rows_become_one(
    connection: sa.Connection,
) -> None:
    rejected.add(connection, [message(reason="unknown-device", minutes=1), message(minutes=2)])
    unknown, _ = rejected.page(connection)

    rejected.judge_anew(connection, unknown, message(reason="not-json"))

    (row,) = times(connection)
    assert row[1:] == (2, NOON + 2 * MINUTE, NOON + 2 * MINUTE)


def test_removed_messages_leave_their_neighbours(connection: sa.Connection) -> None:
    rejected.add(connection, [message(b"%d" % number) for number in range(3)])
    first, _, third = rejected.page(connection)

    rejected.remove(connection, [first.id, third.id])
    rejected.remove(connection, [])

    assert [one.payload for one in rejected.page(connection)] == [b"1"]
