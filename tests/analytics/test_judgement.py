"""Figures of a crop zone that come from scales and people."""

from typing import NamedTuple

import numpy as np
import pytest

from analytics.judgement import ZoneFacts, judge
from analytics.season_run import Water


class Load(NamedTuple):
    net_kg: float
    moisture_pct: float | None
    impurity_pct: float | None = None
    area_ha: float | None = None


DRY = Water(np.zeros(1), np.ones(1), np.ones(1), ["none"], 100.0)


def harvest_of(crop, *loads):
    return judge(None, [ZoneFacts(10.0, crop, None, DRY, loads=loads)])[0].figures


def test_grain_is_stated_at_its_standard_moisture():
    # Maize at 14 %: 10 000 kg of 20 % have 8 000 kg of dry matter, 8000 / 0.86 = 9302.3 kg.
    figures = harvest_of("maize", Load(6_000, 20.0), Load(4_000, 20.0))

    assert figures["bunker_mass_kg"] == 10_000
    assert figures["mass_kg"] == pytest.approx(9_302.33, abs=0.01)
    assert figures["moisture_pct"] == pytest.approx(20.0)
    assert figures["harvested_ha"] == 10.0


def test_a_crop_without_standard_moisture_keeps_its_mass_and_its_probed_moisture():
    figures = harvest_of("cotton", Load(1_000, 9.0), Load(3_000, 7.0))

    assert figures["mass_kg"] == 4_000
    assert figures["moisture_pct"] == pytest.approx(7.5)


def test_loads_without_moisture_count_as_at_standard():
    figures = harvest_of("maize", Load(5_000, None), Load(5_000, 14.0))

    assert figures["mass_kg"] == pytest.approx(10_000)
    assert figures["moisture_pct"] == pytest.approx(14.0)


def test_no_load_is_no_yield():
    assert "mass_kg" not in harvest_of("maize")
