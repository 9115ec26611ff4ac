"""Farms that forgot their earlier seasons: a computed baseline, called so, holds the truth."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from seeds.services import open_services

from .conftest import dala_in, summaries

pytestmark = pytest.mark.slow

FARMS = 5  # one in each irrigated region


def test_the_true_saving_lies_inside_the_wide_interval_of_a_computed_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, truth = tmp_path / "home", tmp_path / "truth.json"
    dala = dala_in(home)
    dala("simulate", "--farms", FARMS, "--truth", truth)
    monkeypatch.setenv("DALA_HOME", str(home))
    with open_services("test") as services, services.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM baseline_seasons"))
    dala("analyze")

    true = json.loads(truth.read_text())
    for farm, found in summaries(home, true, 2025).items():
        fields = true[farm]
        irrigated = [one for one in fields.values() if one["baseline_m3"] is not None]
        assert {zone["savings_option"] for zone in found["crop_zones"]} == {"D"}
        assert {zone["baseline_source"] for zone in found["crop_zones"]} == {
            "balance counterfactual"
        }
        for kind in ("apparent", "consumptive"):
            stated = found["water"][f"{kind}_savings_m3"]
            low, high = stated["ci95"]
            assert low <= sum(one[f"{kind}_savings_m3"] for one in irrigated) <= high, (farm, kind)
            assert stated["demonstrated"] is False, (farm, kind)
