"""The simulated season, published through the broker, is recovered from what was stored."""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, summaries

pytestmark = pytest.mark.slow

FARMS = 12


@pytest.fixture(scope="module")
def truth(dala: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("truth") / "truth.json"
    dala("simulate", "--farms", FARMS, "--truth", file)
    dala("analyze")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


@pytest.fixture(scope="module")
def said(home: Path, truth: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return summaries(home, truth, 2025)


def test_applied_water_is_exact_and_yield_within_two_percent(
    said: dict[str, dict[str, Any]], truth: dict[str, Any]
) -> None:
    for farm, fields in truth.items():
        for zone in said[farm]["crop_zones"]:
            true = fields[zone["field"]]
            assert zone["water"]["applied_m3"] == true["applied_m3"]
            assert zone["yield"]["yield_kg_ha"] == pytest.approx(true["yield_kg_ha"], rel=0.02)


def test_the_true_saving_of_a_farm_lies_inside_the_printed_interval(
    said: dict[str, dict[str, Any]], truth: dict[str, Any]
) -> None:
    for farm, fields in truth.items():
        water = said[farm]["water"]
        irrigated = [one for one in fields.values() if one["baseline_m3"] is not None]
        if not irrigated:
            assert water["apparent_savings_m3"] is None  # rain-fed: nothing to save
            continue
        for kind in ("apparent", "consumptive"):
            true = sum(one[f"{kind}_savings_m3"] for one in irrigated)
            low, high = water[f"{kind}_savings_m3"]["ci95"]
            assert low <= true <= high, (farm, kind)


def test_machines_left_their_tracks(said: dict[str, dict[str, Any]]) -> None:
    devices = said["kostanay-01"]["devices"]

    # A station, a tractor, a harvester and a herding drone; rain-fed fields have no meter.
    assert devices == {"total": 4, "reporting": 4, "silent": 0}
