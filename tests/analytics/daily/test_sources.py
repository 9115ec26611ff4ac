"""What a season's figures are made of: meters, probes, soils, entries, and what is missing."""

from collections.abc import Callable

import numpy as np
import pytest
import sqlalchemy as sa

from analytics import daily
from storage import adjustments, devices, irrigation, tables
from storage.irrigation import BaselineSeason, IrrigationEvent
from tests.analytics.daily.conftest import (
    SOIL,
    World,
    at,
    day_of,
    meter,
    midnight,
    probe,
    station,
)

Found = Callable[..., World]


def test_measured_moisture_corrects_the_balance_and_is_compared_before(found_farm: Found) -> None:
    probed, blind = found_farm("probed"), found_farm("blind", conventions={"assimilation": "off"})
    for world in (probed, blind):
        world.says("station", station(range(30)))
        world.says("probe", probe(range(30)))
        world.analyse(day_of(30))

    # Every evening has a probe; a correction moves the depletion, and the balance says by how much.
    assert all(row["measured_depletion_mm"] is not None for row in probed.rows())
    assert any(row["correction_mm"] != 0 for row in probed.rows())
    assert all(row["correction_mm"] == 0 for row in blind.rows())
    apart = {
        world.farm.slug: np.mean(
            [abs(row["depletion_mm"] - row["measured_depletion_mm"]) for row in world.rows()]
        )
        for world in (probed, blind)
    }
    assert apart["probed"] < apart["blind"]
    for world in (probed, blind):
        result = world.result()
        assert result["soil_coverage_pct"] == 100
        assert result["soil_rmse_mm"] > abs(result["soil_bias_mm"])
        assert result["closure_mm"] < 1e-9


def test_a_probe_says_the_depletion_of_its_layers(found_farm: Found) -> None:
    world = found_farm("layers", conventions={"assimilation": "off"})
    world.says("station", station([0]))
    # Roots of 0.30 m: the sensor at 20 cm stands for 0 to 30 cm, midway to the next one at 40.
    rows = [(20.0, 0.25), (40.0, 0.20), (90.0, 0.10)]
    world.says(
        "probe", [(at(day_of(0), 20), "soil_moisture", depth, value) for depth, value in rows]
    )
    world.analyse(day_of(1))

    assert world.rows()[0]["measured_depletion_mm"] == pytest.approx((0.30 - 0.25) * 300)


def test_one_meter_of_a_farm_serves_its_fields_by_area(found_farm: Found) -> None:
    world = found_farm("offtake")
    with world.engine.begin() as connection:
        devices.put(
            connection, "offtake-meter", farm_id=world.farm.id, field_id=None, kind="flow-meter",
            name="canal",
        )  # fmt: skip
    world.says("station", station(range(20)))
    world.says("meter", meter(range(20)))
    world.analyse(day_of(20))

    assert world.result()["applied_m3"] == 1200.0  # the only field: all four applications
    assert world.rows()[0]["water_source"] == "metered at the offtake"


def test_entered_water_counts_where_no_meter_does(found_farm: Found) -> None:
    world = found_farm("entered")
    event = IrrigationEvent(
        world.field_id, at(day_of(3), 8), at(day_of(3), 18), 400.0, 0.5, 0.8, "diary"
    )
    with world.engine.begin() as connection:
        irrigation.add_events(connection, [event])
    world.says("station", station(range(10)))
    world.analyse(day_of(10))
    row = world.rows()[3]

    assert row["irrigation_gross_mm"] == pytest.approx(4.0)  # 400 m³ over 10 ha
    assert row["irrigation_net_mm"] == pytest.approx(3.2)
    assert row["water_source"] == "entered"
    assert world.result()["savings_option"] in {None, "A", "D"}


def test_entered_water_that_contradicts_the_meter_is_told(found_farm: Found) -> None:
    for slug, volume, told in (("other", 5000.0, True), ("same", 1750.0, False)):
        world = found_farm(slug)
        event = IrrigationEvent(
            world.field_id, at(day_of(3), 20), at(day_of(4), 2), volume, 0.5, 0.8, "diary"
        )
        with world.engine.begin() as connection:
            irrigation.add_events(connection, [event])
        world.says("station", station(range(30)))
        world.says("meter", meter(range(30)))
        for night in (20, 30):  # also where most days stand as they were stored
            world.analyse(day_of(night))

        assert world.result()["applied_m3"] == 1800.0  # six times 300 m³
        notes = [note for note in world.result()["notes"] if "entered" in note]
        assert notes == (
            ["5000 m³ are entered, the meter counted 1800 m³: the meter stands"] if told else []
        )


def test_a_soil_that_cannot_be_read_is_named_and_the_rest_of_the_zone_is_judged(
    found_farm: Found,
) -> None:
    world = found_farm("bad", crop_parameters={"name": "cotton", "kcb_ini": 9})
    world.says("station", station(range(5)))
    world.says("meter", meter(range(5)))
    world.analyse(day_of(5))

    assert world.rows() == []
    assert world.result()["applied_m3"] == 300.0
    assert any("crop.kcb_" in note for note in world.result()["notes"])


def test_a_convention_that_does_not_exist_is_named(found_farm: Found) -> None:
    world = found_farm("odd", conventions={"event_timing": "noon"})
    world.says("station", station(range(3)))
    world.analyse(day_of(3))

    (note,) = [one for one in world.result()["notes"] if "event_timing" in one]
    assert "start-of-day" in note


def test_an_adjustment_moves_the_baseline_and_withdrawing_it_moves_it_back(
    found_farm: Found,
) -> None:
    world = found_farm("adjusted")
    with world.engine.begin() as connection:
        for year, gross in ((2022, 520.0), (2023, 560.0), (2024, 540.0)):
            season = BaselineSeason(world.field_id, year, "cotton", 300.0, gross, 0.6, 0.8, "test")
            irrigation.put_baseline(connection, season)
    world.says("station", station(range(60)))
    world.says("meter", meter(range(60)))
    world.analyse(day_of(70))
    plain = world.result()["baseline_m3"]
    with world.engine.begin() as connection:
        entry = adjustments.add(
            connection, world.zone_id, volume_m3=-500.0, u_volume_m3=100.0,
            reason="pump broke for a week", author="A. Agronomist",
        )  # fmt: skip
    world.analyse(day_of(70))
    adjusted = world.result()
    with world.engine.begin() as connection:
        adjustments.withdraw(connection, entry, by="A. Agronomist")
    world.analyse(day_of(70))

    assert adjusted["baseline_m3"] == pytest.approx(plain - 500.0)
    assert adjusted["adjustments_m3"] == -500.0
    assert world.result()["baseline_m3"] == pytest.approx(plain)


def test_a_basin_of_rice_keeps_standing_water(found_farm: Found) -> None:
    rice = {
        "name": "rice", "kcb_ini": 1.0, "kcb_mid": 1.15, "kcb_end": 0.58, "l_ini": 20, "l_dev": 20,
        "l_mid": 15, "l_end": 5, "h_ini_m": 0.1, "h_max_m": 1.0, "zr_ini_m": 0.3, "zr_max_m": 0.5,
        "p": 0.2,
    }  # fmt: skip
    soil = SOIL | {"theta_sat": 0.45, "percolation_mm_d": 4.0, "bund_mm": 100.0, "theta_0": 0.45}
    world = found_farm("rice", crop_parameters=rice, conventions={"assimilation": "off"})
    world.soil(soil)
    world.says("station", station(range(20)))
    world.says("meter", [(at(day_of(0), 0.1), "water_total", None, 0.0)])
    world.says("meter", [(at(day_of(0), 20), "water_total", None, 5000.0)])
    world.says("meter", [(at(day_of(19), 20), "water_total", None, 5000.0)])
    world.analyse(day_of(20))
    rows = world.rows()

    # 50 mm gross (45 net) on a saturated soil of 45 mm pores: water stands, 4 mm a day percolate.
    assert rows[0]["depletion_mm"] < -45.0
    assert [row["deep_percolation_mm"] for row in rows[1:4]] == pytest.approx([4.0] * 3)
    assert world.result()["closure_mm"] < 1e-9


def test_a_count_that_its_counter_cannot_show_is_left_out(found_farm: Found) -> None:
    world = found_farm("beyond")
    world.says("station", station(range(3)))
    counts = [(0, 100.0), (1, 7e9), (2, 160.0)]  # of a counter that turns over at 10 000 m³
    world.says("meter", [(at(day_of(n), 20), "water_total", None, value) for n, value in counts])
    with world.engine.begin() as connection:
        connection.execute(tables.datastreams.update().values(counter_modulus=10_000.0))
    world.analyse(day_of(3))

    assert world.result()["applied_m3"] == 60.0


def test_a_starting_content_that_is_no_number_is_named(found_farm: Found) -> None:
    world = found_farm("wet")
    world.soil(SOIL | {"theta_0": "wet"})
    world.says("station", station(range(3)))
    world.analyse(day_of(3))

    assert any("soil.theta_0" in note for note in world.result()["notes"])


def test_a_farm_that_cannot_be_computed_stops_no_other(
    found_farm: Found, empty_engine: sa.Engine
) -> None:
    good, bad = found_farm("good"), found_farm("bad")
    for world in (good, bad):
        world.says("station", station(range(3)))
    nowhere = bad.farm._replace(timezone="Mars/Olympus")
    found = daily.analyze(empty_engine, [nowhere, good.farm], now=midnight(day_of(3)))

    assert found.done.results == 1
    assert len(good.rows()) == 3
    assert list(found.failed) == ["bad"]
    assert "Mars/Olympus" in found.failed["bad"]
    again = daily.analyze(empty_engine, [bad.farm], now=midnight(day_of(3)))
    assert (again.done.results, again.failed) == (1, {})  # its news were not lost


def test_the_requirement_is_that_of_the_stored_days(found_farm: Found) -> None:
    world = found_farm("need")
    for name, said in (("station", station), ("meter", meter), ("probe", probe)):
        world.says(name, said(range(60)))
    world.analyse(day_of(70))
    total = {
        name: sum(row[f"{name}_mm"] for row in world.rows())
        for name in ("etc", "rain", "irrigation_net", "deep_percolation", "correction")
    }
    # NIR = ETc - Pe - dS. Of what drained, rain has its share of what came.
    drained = total["deep_percolation"] * total["rain"] / (total["rain"] + total["irrigation_net"])
    started = (0.30 - 0.27) * 300.0  # mm below field capacity in 0.30 m of roots
    given = world.rows()[-1]["depletion_mm"] - started  # by the soil, beside what a probe found
    by_hand = total["etc"] - (total["rain"] - drained) - given - total["correction"]

    assert world.result()["net_requirement_mm"] == pytest.approx(by_hand, abs=1e-6)


def test_a_count_below_zero_is_left_out(found_farm: Found) -> None:
    world = found_farm("below")
    world.says("station", station(range(3)))
    counts = [(0, 100.0), (1, -50.0), (2, 160.0)]
    world.says("meter", [(at(day_of(n), 20), "water_total", None, value) for n, value in counts])
    world.analyse(day_of(3))

    assert world.result()["applied_m3"] == 60.0


def test_an_entered_efficiency_stays_that_of_its_day_the_night_after(found_farm: Found) -> None:
    nightly, once = found_farm("nightly"), found_farm("once")
    for world in (nightly, once):
        event = IrrigationEvent(
            world.field_id, at(day_of(2), 8), at(day_of(2), 18), 400.0, 0.5, 0.7, "diary"
        )  # of a zone whose usual efficiency is 0.9
        with world.engine.begin() as connection:
            irrigation.add_events(connection, [event])
        world.says("station", station(range(40)))
    for night in (3, 10, 40):
        nightly.analyse(day_of(night))
    once.analyse(day_of(40))

    assert nightly.rows()[2]["irrigation_net_mm"] == pytest.approx(2.8)
    for name in ("net_requirement_mm", "apparent_savings_m3", "consumptive_savings_m3"):
        assert nightly.result()[name] == pytest.approx(once.result()[name])


def test_groundwater_brings_water_to_the_roots(found_farm: Found) -> None:
    dry, wet = found_farm("dry-below"), found_farm("wet-below")
    wet.soil(SOIL | {"capillary_rise_mm_d": 1.5})
    for world in (dry, wet):
        world.says("station", station(range(20)))
        world.analyse(day_of(20))

    assert {row["capillary_rise_mm"] for row in wet.rows()} == {1.5}
    assert wet.result()["capillary_rise_mm"] == pytest.approx(30.0)
    assert wet.rows()[-1]["depletion_mm"] < dry.rows()[-1]["depletion_mm"]
    assert wet.result()["closure_mm"] < 1e-9
