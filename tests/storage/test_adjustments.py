"""Adjustments are entered and withdrawn, never deleted."""

import datetime as dt

import pytest
import sqlalchemy as sa

from storage import adjustments, farms, fields
from storage.database import NotFound


@pytest.fixture
def zone(connection: sa.Connection) -> int:
    farm_id = farms.put(
        connection, "adjusting", name="Adjusting", region_code=None, timezone="Asia/Almaty",
        latitude_deg=43.0, longitude_deg=68.0, elevation_m=200.0,
    )  # fmt: skip
    field_id = fields.put(
        connection, farm_id=farm_id, name="north", area_ha=10.0, area_source="stated", soil={},
        soil_source="stated",
    )  # fmt: skip
    return fields.put_zone(
        connection, field_id=field_id, season=2025, crop="cotton",
        planted=dt.date(2025, 4, 20), harvested=dt.date(2025, 9, 30), area_ha=10.0,
        crop_parameters={}, conventions={},
    )  # fmt: skip


def add(connection: sa.Connection, zone: int, volume_m3: float = 800.0) -> int:
    return adjustments.add(
        connection,
        zone,
        volume_m3=volume_m3,
        u_volume_m3=100.0,
        reason="salts",
        author="A. Auditor",
    )


def test_an_adjustment_keeps_its_author_and_its_reason(connection: sa.Connection, zone: int):
    entered = add(connection, zone)

    (found,) = adjustments.of_zones(connection, [zone])
    assert (found.id, found.volume_m3, found.u_volume_m3) == (entered, 800.0, 100.0)
    assert (found.reason, found.author, found.withdrawn_at) == ("salts", "A. Auditor", None)


def test_a_withdrawn_one_stands_no_longer_and_is_still_seen(connection: sa.Connection, zone: int):
    first, second = add(connection, zone), add(connection, zone, -300.0)
    adjustments.withdraw(connection, first, by="B. Agronomist")

    assert [one.id for one in adjustments.of_zones(connection, [zone])] == [second]
    seen = adjustments.of_zones(connection, [zone], withdrawn=True)
    assert [(one.id, one.withdrawn_by) for one in seen] == [
        (first, "B. Agronomist"),
        (second, None),
    ]


def test_what_does_not_stand_cannot_be_withdrawn(connection: sa.Connection, zone: int):
    entered = add(connection, zone)
    adjustments.withdraw(connection, entered, by="B. Agronomist")

    with pytest.raises(NotFound, match=f"adjustment {entered}"):
        adjustments.withdraw(connection, entered, by="C. Clerk")


def test_an_adjustment_stood_from_its_entry_to_its_withdrawal(connection: sa.Connection, zone: int):
    entered = add(connection, zone)
    (one,) = adjustments.of_zones(connection, [zone])
    table = adjustments.tables.non_routine_adjustments
    connection.execute(  # a day later, which a test does not wait for
        table.update()
        .where(table.c.id == entered)
        .values(withdrawn_at=one.created_at + dt.timedelta(days=1), withdrawn_by="B. Agronomist")
    )

    def stood(hours: float) -> int:
        moment = one.created_at + dt.timedelta(hours=hours)
        return len(adjustments.of_zones(connection, [zone], as_of=moment))

    assert (stood(-1), stood(0), stood(23), stood(25)) == (0, 1, 1, 0)


def test_nobody_adjusts_without_a_reason(connection: sa.Connection, zone: int):
    with pytest.raises(sa.exc.IntegrityError, match="said"):
        adjustments.add(connection, zone, volume_m3=1, u_volume_m3=0, reason="", author="A")
