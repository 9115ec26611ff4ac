"""Strangers wait in a list of bounded size until an operator claims them."""

import datetime as dt

import pytest
import sqlalchemy as sa

from storage import devices, registering, rejected, unknown
from storage.database import NotFound
from storage.rejected import RejectedMessage
from storage.unknown import OTHERS, Sighting
from tests.storage.test_alerts import put_farm

NOW = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def seen(identity: str, at: dt.datetime = NOW, messages: int = 1) -> Sighting:
    return Sighting(identity, f"dala/v1/{identity}/senml", messages, at, at)


def counts(connection: sa.Connection) -> dict[str, int]:
    return {one.identity: one.messages for one in unknown.page(connection)}


def test_sightings_add_up_and_keep_first_last_and_newest_topic(connection: sa.Connection) -> None:
    newer = seen("a", NOW + HOUR)._replace(topic="v3/x/devices/a/up")
    unknown.note(connection, [seen("a"), newer, seen("b", messages=5)])
    unknown.note(connection, [seen("a", NOW + 2 * HOUR)])

    a, b = unknown.page(connection)

    assert a == ("a", "dala/v1/a/senml", 3, NOW, NOW + 2 * HOUR)
    assert b == ("b", "dala/v1/b/senml", 5, NOW, NOW)


def test_a_flood_of_invented_identities_is_counted_together(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown, "KEPT", 3)
    unknown.note(connection, [seen("real")])
    for batch in range(5):
        unknown.note(connection, [seen(f"fake-{batch}-{one}") for one in range(10)])
    unknown.note(connection, [seen("real", messages=7)])

    found = counts(connection)

    assert len(found) == 4
    assert found["real"] == 8  # who has a place keeps it
    assert found[OTHERS] == 48
    assert sum(found.values()) == 58  # 1 + 50 + 7: each message is counted once


def test_who_was_not_heard_for_a_month_makes_room(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown, "KEPT", 2)
    unknown.note(connection, [seen("old", NOW - dt.timedelta(days=31), 4), seen("new")])

    unknown.note(connection, [seen("newest", NOW)])

    assert counts(connection) == {"new": 1, "newest": 1, OTHERS: 4}


def test_a_name_that_postgresql_cannot_hold_waits_under_one_that_it_can(
    connection: sa.Connection,
) -> None:
    unknown.note(connection, [seen("a\x00b"), seen("\ud800"), seen("x" * 70_000)])

    assert set(counts(connection)) == {"a\N{REPLACEMENT CHARACTER}b", "?", "x" * 250}


def test_pages_follow_each_other(connection: sa.Connection) -> None:
    unknown.note(connection, [seen(name) for name in "abc"])

    first = unknown.page(connection, limit=2)
    rest = unknown.page(connection, after=first[-1].identity)

    assert [one.identity for one in (*first, *rest)] == ["a", "b", "c"]


def test_a_claimed_device_has_a_place_and_its_kept_messages_can_be_tried_again(
    connection: sa.Connection,
) -> None:
    farm_id = put_farm(connection, "steppe")
    unknown.note(connection, [seen("tasmota:pump 3/a")])
    for payload, reason in ((b"1", "unknown-device"), (b"2", "no-decoder"), (b"3", "not-json")):
        message = RejectedMessage("tasmota:pump 3/a", "t", payload, reason, "", NOW)
        rejected.add(connection, [message])

    claimed = unknown.claim(
        connection, "tasmota:pump 3/a", farm_id=farm_id, kind="flow-meter", name="Pump 3"
    )

    assert claimed == ("tasmota-pump-3-a", 2)  # what is no JSON stays so
    device = devices.by_identity(connection, ["tasmota:pump 3/a"])["tasmota:pump 3/a"]
    assert (device.id, device.farm_id, device.kind, device.name, device.disabled) == (
        "tasmota-pump-3-a",
        farm_id,
        "flow-meter",
        "Pump 3",
        False,
    )
    assert counts(connection) == {}


def test_our_own_devices_keep_their_name(connection: sa.Connection) -> None:
    farm_id = put_farm(connection, "steppe")
    unknown.note(connection, [seen("probe-9")])

    unknown.claim(connection, "probe-9", farm_id=farm_id, kind="soil-probe")

    device = devices.get(connection, "probe-9")
    assert (device.name, device.wire_id) == ("probe-9", None)


def test_only_who_waits_can_be_claimed_and_only_once(connection: sa.Connection) -> None:
    farm_id = put_farm(connection, "steppe")
    unknown.note(connection, [seen("a:b"), seen(OTHERS)])
    for nobody in ("never-heard", OTHERS):
        with pytest.raises(NotFound, match="unknown device"):
            unknown.claim(connection, nobody, farm_id=farm_id, kind="soil-probe")
    devices.put(connection, "a-b", kind="soil-probe", name="Taken")

    with pytest.raises(registering.AlreadyRegistered, match="a-b"):
        unknown.claim(connection, "a:b", farm_id=farm_id, kind="soil-probe")
