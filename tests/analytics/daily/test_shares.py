"""Water of a field on the crops that grow on it, and on the days that it flowed."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from storage import fields, irrigation, results
from storage.irrigation import IrrigationEvent
from tests.analytics.daily.conftest import (
    CROP,
    PLANTED,
    World,
    at,
    day_of,
    meter,
    midnight,
    station,
)

Found = Callable[..., World]


def second_crop(world: World, **values: Any) -> int:
    usual = {
        "crop": "maize", "planted": PLANTED, "harvested": day_of(59), "area_ha": 10.0,
        "irrigation_method": "drip", "application_efficiency": 0.9, "wetted_fraction": 0.4,
        "crop_parameters": CROP, "conventions": {},
    }  # fmt: skip
    with world.engine.begin() as connection:
        return fields.put_zone(connection, field_id=world.field_id, season=2025, **(usual | values))


def applied(world: World, *zones: int) -> list[float]:
    with world.engine.connect() as connection:
        found = results.seasons(connection, list(zones))
    return [found[zone]["applied_m3"] for zone in zones]


def test_crops_side_by_side_share_their_meter_by_area(found_farm: Found) -> None:
    world = found_farm("side", area_ha=7.5)
    other = second_crop(world, area_ha=2.5)
    world.says("station", station(range(60)))
    world.says("meter", meter(range(60)))
    world.analyse(day_of(61))

    # Twelve times 300 m³, by 7.5 and 2.5 ha.
    assert applied(world, world.zone_id, other) == pytest.approx([2700.0, 900.0])


def test_crops_one_after_another_have_the_meter_to_themselves(found_farm: Found) -> None:
    # The meter counts 300 m³ on days 4, 9 … 59 … 89: day 59 is the first crop's last one.
    world = found_farm("after")
    later = second_crop(world, planted=day_of(60), harvested=day_of(89))
    world.says("station", station(range(90)))
    world.says("meter", meter(range(90)))
    world.analyse(day_of(91))

    assert applied(world, world.zone_id, later) == pytest.approx([3600.0, 1800.0])


def test_on_the_day_of_change_both_crops_have_their_share(found_farm: Found) -> None:
    world = found_farm("change")
    later = second_crop(world, planted=day_of(59), harvested=day_of(89))
    world.says("station", station(range(90)))
    world.says("meter", meter(range(90)))
    world.analyse(day_of(91))

    assert applied(world, world.zone_id, later) == pytest.approx([3450.0, 1950.0])
    assert sum(applied(world, world.zone_id, later)) == pytest.approx(18 * 300.0)  # each once


def test_an_application_counts_on_the_day_in_which_it_ends(found_farm: Found) -> None:
    world = found_farm("ends")
    hour = dt.timedelta(hours=1)
    ends = [at(day_of(2), 2), midnight(day_of(4)), midnight(day_of(6)) + hour / 3600]
    events = [
        IrrigationEvent(world.field_id, end - 6 * hour, end, 100.0, 0.5, 0.8, f"diary {number}")
        for number, end in enumerate(ends)
    ]
    with world.engine.begin() as connection:
        irrigation.add_events(connection, events)
    world.says("station", station(range(10)))
    world.analyse(day_of(10))

    # Over midnight: the later day. To midnight sharp: the day that ends there. A second on: next.
    watered = [number for number, row in enumerate(world.rows()) if row["irrigation_gross_mm"] > 0]
    assert watered == [2, 3, 6]
