"""The simulated farms are the same every time, and their truth is possible."""

import json
from collections import Counter

import numpy as np
import pytest

from seeds.farms import SEASON, catalogue, geodesic_area_ha, rectangle
from seeds.messages import numbered, senders
from seeds.season import simulate_all
from seeds.weather import simulate
from storage.regions import REGIONS


@pytest.fixture(scope="module")
def season():
    return simulate_all(catalogue(6))


def test_the_season_is_the_same_every_time(season):
    again = simulate_all(catalogue(6))

    for one, other in zip(season, again, strict=True):
        assert one.irrigation == other.irrigation
        assert one.yield_kg_ha == other.yield_kg_ha
        assert np.array_equal(one.depletion_mm, other.depletion_mm)


def test_a_longer_list_of_farms_begins_with_the_shorter():
    assert catalogue(7)[:6] == catalogue(6)


def test_24_farms_lie_in_six_regions():
    farms = catalogue(24)

    assert len({farm.slug for farm in farms}) == 24
    assert len({farm.setting.region for farm in farms}) == 6


def test_a_country_of_farms_lies_in_all_regions_with_no_name_twice():
    farms = catalogue(240)

    # 216 beyond the small country lie in 20 regions in turn; six of these had four each.
    found = Counter(farm.setting.region for farm in farms)
    assert set(found) == {region.code for region in REGIONS}
    assert sorted(found.values()) == sorted([10] * 4 + [11] * 10 + [15] * 6)
    assert len({farm.slug for farm in farms}) == 240
    assert farms[:24] == catalogue(24)


def test_a_rectangle_has_the_area_it_was_given():
    assert geodesic_area_ha(rectangle(68.0, 43.0, 1_000.0, 500.0)) == pytest.approx(50.0, rel=1e-3)


def test_weather_is_possible():
    for farm in catalogue(6):
        weather = simulate(farm, SEASON)
        assert (weather.tmin_c < weather.tmax_c).all()
        assert (weather.dew_point_c <= weather.tmin_c).all()
        assert ((weather.rh_min_pct >= 0) & (weather.rh_max_pct <= 100)).all()
        assert (weather.rh_min_pct <= weather.rh_max_pct).all()
        assert (weather.rain_mm >= 0).all()


def test_irrigated_fields_are_watered_and_rain_fed_ones_are_not(season):
    for one in season:
        assert (one.applied_m3 > 0) == (one.field.method is not None)
        assert one.applied_m3 == sum(event.volume_m3 for event in one.irrigation)
        assert one.yield_kg_ha <= one.field.yield_kg_ha


def test_a_meter_ends_where_its_applications_add_up_to(season):
    first = season[0]
    meter = next(one for one in senders(season) if one.device_id.endswith("field-1-meter"))
    counts = [record["v"] for message in meter.messages for record in message.body]

    assert counts[-1] - counts[0] == first.applied_m3
    assert counts == sorted(counts)


def test_messages_carry_boot_and_number_first(season):
    sender = next(senders(season))

    head = json.loads(numbered(sender.messages[0], sender.device_id, 3, 18))[:2]

    assert head == [
        {"bn": f"urn:dev:dala:{sender.device_id}:", "n": "boot", "v": 3},
        {"n": "seq", "v": 18},
    ]
