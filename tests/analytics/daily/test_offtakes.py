"""One meter for several fields: shares and baselines do not depend on what is computed today."""

from collections.abc import Callable
from typing import Any

import pytest

from storage import devices, fields, irrigation, results, tables
from storage.irrigation import BaselineSeason
from tests.analytics.daily.conftest import CROP, PLANTED, SOIL, World, day_of, meter, station

Found = Callable[..., World]
GROSS = (520.0, 560.0, 540.0)


def behind_one_meter(world: World, *, gross: tuple[float, ...], own: bool = False) -> int:
    """Make the farm's meter an offtake's, and a second field of 30 ha; return its crop zone."""
    slug, table = world.farm.slug, tables.devices
    with world.engine.begin() as connection:
        other = fields.put(
            connection, farm_id=world.farm.id, name="field-2", area_ha=30.0, area_source="test",
            soil=SOIL, soil_source="test",
        )  # fmt: skip
        connection.execute(
            table.update().where(table.c.id == f"{slug}-meter").values(field_id=None)
        )
        if own:
            devices.put(
                connection, f"{slug}-own", farm_id=world.farm.id, field_id=other,
                kind="flow-meter", name="own",
            )  # fmt: skip
        for field, depths in ((world.field_id, GROSS), (other, gross)):
            for year, depth in zip((2022, 2023, 2024), depths, strict=True):
                need = 300.0 + 40.0 * (year % 3)
                irrigation.put_baseline(
                    connection,
                    BaselineSeason(field, year, "cotton", need, depth, 0.6, 0.8, "test"),
                )
        return add_zone(connection, other, area_ha=30.0)


def add_zone(connection: Any, field: int, **values: Any) -> int:
    usual = {
        "season": 2025, "crop": "cotton", "planted": PLANTED, "harvested": day_of(59),
        "irrigation_method": "drip", "application_efficiency": 0.9, "wetted_fraction": 0.4,
        "crop_parameters": CROP, "conventions": {},
    }  # fmt: skip
    return fields.put_zone(connection, field_id=field, **(usual | values))


def of_zone(world: World, zone: int) -> dict[str, Any]:
    with world.engine.connect() as connection:
        return dict(results.seasons(connection, [zone])[zone])


def test_news_of_one_field_leaves_the_whole_offtake_the_whole(found_farm: Found) -> None:
    # The other field took more in the years before, so the whole's baseline is above its own.
    world = found_farm("whole")
    behind_one_meter(world, gross=(720.0, 660.0, 840.0))
    world.says("station", station(range(60)))
    world.says("meter", meter(range(60)))
    world.analyse(day_of(61))
    first = world.result()
    world.change(conventions={"remark": "nothing that moves a figure"})
    world.analyse(day_of(61))

    assert first["savings_option"] == "C"
    assert world.result()["id"] != first["id"]
    for name in ("baseline_m3", "apparent_savings_m3", "applied_m3"):
        assert world.result()[name] == pytest.approx(first[name])


def test_a_field_with_a_meter_of_its_own_has_no_share_also_where_it_is_not_computed(
    found_farm: Found,
) -> None:
    world = found_farm("share")
    behind_one_meter(world, gross=GROSS, own=True)
    for device, said in (("station", station), ("meter", meter), ("own", meter)):
        world.says(device, said(range(60)))
    world.analyse(day_of(61))
    assert world.result()["applied_m3"] == 3600.0  # twelve times 300 m³, all of it
    world.change(conventions={"remark": "nothing that moves a figure"})
    world.analyse(day_of(61))

    assert world.result()["applied_m3"] == 3600.0


def test_a_baseline_of_one_field_is_news_for_all_behind_the_meter(found_farm: Found) -> None:
    world = found_farm("news")
    other = behind_one_meter(world, gross=GROSS)
    world.says("station", station(range(60)))
    world.says("meter", meter(range(60)))
    world.analyse(day_of(61))
    before = of_zone(world, other)["baseline_m3"], world.result()["baseline_m3"]
    with world.engine.begin() as connection:
        irrigation.put_baseline(
            connection,
            BaselineSeason(world.field_id, 2024, "cotton", 380.0, 1080.0, 0.6, 0.8, "corrected"),
        )
    world.analyse(day_of(61))

    for new, old in zip(
        (of_zone(world, other)["baseline_m3"], world.result()["baseline_m3"]), before, strict=True
    ):
        assert new > old * 1.05


def test_two_seasons_behind_one_meter_are_two_wholes(found_farm: Found) -> None:
    # The same field grows a second crop later in the year, of another season. Judged alone or
    # beside it, the first season is what it is.
    world = found_farm("years")
    behind_one_meter(world, gross=(720.0, 660.0, 840.0))
    world.says("station", station(range(90)))
    world.says("meter", meter(range(90)))
    world.analyse(day_of(61))
    alone = world.result()
    with world.engine.begin() as connection:
        add_zone(
            connection, world.field_id, season=2026, area_ha=10.0, planted=day_of(60),
            harvested=day_of(89),
        )  # fmt: skip
    world.analyse(day_of(91))

    assert world.result()["id"] != alone["id"]
    assert world.result()["baseline_m3"] == pytest.approx(alone["baseline_m3"])


def test_a_season_behind_an_offtake_may_be_analysed_every_night(found_farm: Found) -> None:
    nightly, once = found_farm("nightly"), found_farm("once")
    others = [behind_one_meter(one, gross=(720.0, 660.0, 840.0)) for one in (nightly, once)]
    for number in range(60):
        nightly.says("station", station([number]))
        nightly.says("meter", meter([number]))
        nightly.analyse(day_of(number + 1))
    once.says("station", station(range(60)))
    once.says("meter", meter(range(60)))
    once.analyse(day_of(60))

    for name in ("applied_m3", "baseline_m3", "apparent_savings_m3", "eta_mm"):
        pair = [of_zone(one, zone)[name] for one, zone in zip((nightly, once), others, strict=True)]
        assert pair[0] == pytest.approx(pair[1])
    assert nightly.analyse(day_of(60)).computed == 0  # and nothing of it is news twice
