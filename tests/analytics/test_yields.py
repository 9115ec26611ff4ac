"""Mass of a harvest from weighed loads, by hand."""

import json
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from analytics.yields import (
    at_standard_moisture,
    field_yield,
    impurity_loss_pct,
    moisture_loss_pct,
    scale_to_loads,
)


def test_dry_matter_is_the_same_at_any_moisture():
    # 1000 kg at 18 %: 820 kg dry, of which 14 % moist grain is 953.49 kg.
    assert_allclose(at_standard_moisture(1000, 18, 14), 953.488, atol=0.001)


def test_duval_loss_of_drying_and_cleaning():
    # X = 100 (18 - 14) / 86 = 4.651 %; S = (100 - 4.651)(5 - 1) / 99 = 3.852 %
    drying = moisture_loss_pct(18, 14)
    assert_allclose(drying, 4.651, atol=0.001)
    assert_allclose(impurity_loss_pct(drying, 5, 1), 3.852, atol=0.001)


def test_a_field_is_mass_over_area_with_bunker_and_clean_apart():
    result = field_yield(
        [10_000, 30_000], [18, 14], 10.0, standard_moisture=14, impurity=[5, 1], base_impurity=1
    )
    assert result.bunker_kg == 40_000
    # First load loses 4.651 + 3.852 %, the second nothing.
    assert_allclose(result.clean_kg, 9_149.7 + 30_000, atol=0.1)
    assert_allclose(result.yield_kg_ha, 3_914.97, atol=0.01)
    assert_allclose(result.yield_centner_ha, 39.1497, atol=0.0001)
    assert_allclose(result.moisture_pct, 15.0)


def test_grain_drier_and_cleaner_than_the_base():
    # Dry matter counts: 1000 kg at 12 % are 1023.3 kg at 14 %. Cleaner than base is not more.
    result = field_yield([1000], [12], 1.0, standard_moisture=14, impurity=0, base_impurity=2)
    assert_allclose(result.clean_kg, 1023.26, atol=0.01)


def test_weighings_partly_cancel_but_the_calibration_does_not():
    result = field_yield([10_000] * 4, [14] * 4, 10.0, standard_moisture=14, u_load_kg=50)
    assert_allclose(result.u_yield_kg_ha, 100 / 10)
    result = field_yield([10_000] * 4, [14] * 4, 10.0, standard_moisture=14, u_scale_rel=0.005)
    assert_allclose(result.u_yield_kg_ha, 200 / 10)


@pytest.mark.parametrize(
    ("mass", "moisture", "area", "message"),
    [
        ([-1], [14], 1.0, "mass"),
        ([1], [100], 1.0, "moisture"),
        ([1], [float("nan")], 1.0, "moisture"),
        ([1], [14], 0.0, "area"),
    ],
)
def test_an_impossible_harvest_is_refused(mass, moisture, area, message):
    with pytest.raises(ValueError, match=message):
        field_yield(mass, moisture, area, standard_moisture=14)


def test_a_thousand_wet_bushels_of_purdue_and_the_loss_of_duval(shared: Path):
    published = json.loads((shared / "agronomy" / "yield" / "expected.json").read_text())
    purdue, duval = (published["moisture"][name] for name in ("case_purdue", "duval"))

    dry = at_standard_moisture(purdue["m_wet_lb"], purdue["w"], purdue["w_std"])

    assert_allclose(dry, purdue["m_std_lb"], atol=0.01)
    assert_allclose(dry / 56.0, purdue["bushels_56lb"], atol=0.01)
    assert_allclose(moisture_loss_pct(duval["a"], duval["b"]), duval["loss_pct"], atol=0.001)


def test_sown_area_stands_beside_the_harvested():
    # 40 t clean of 10 ha harvested, 12.5 ha were sown: 4000 and 3200 kg/ha.
    result = field_yield([40_000], [14], 10.0, standard_moisture=14, sown_ha=12.5)

    assert (result.harvested_ha, result.sown_ha) == (10.0, 12.5)
    assert_allclose([result.yield_kg_ha, result.yield_of_sown_kg_ha], [4000, 3200])
    assert field_yield([1], [14], 1.0, standard_moisture=14).yield_of_sown_kg_ha is None
    with pytest.raises(ValueError, match="sown area must be above 0"):
        field_yield([1], [14], 1.0, standard_moisture=14, sown_ha=0.0)


def test_a_monitor_is_scaled_to_its_loads():
    # The monitor saw 3 + 5 kg, the scale 4 + 6: a quarter more.
    assert_allclose(scale_to_loads([3.0, 5.0], [4.0, 6.0]), 1.25)
    with pytest.raises(ValueError, match="no mass that loads could scale"):
        scale_to_loads([0.0], [4.0])
    with pytest.raises(ValueError, match="no mass that loads could scale"):
        scale_to_loads([float("nan")], [4.0])
    with pytest.raises(ValueError, match="negative or unknown mass"):
        scale_to_loads([1.0], [-4.0])
