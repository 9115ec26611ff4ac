"""The net irrigation requirement, by hand."""

import numpy as np
import pytest

from analytics.balance import Days, Fields, State, water_balance
from analytics.requirement import effective_rain, net_requirement


def test_rain_bears_its_share_of_what_goes_over_the_banks():
    # A saturated basin with 10 mm banks and no percolation: 40 mm of rain and 60 mm of irrigation
    # on a day without evaporation. The pores are full, 10 mm stand, 90 run over, 36 of them rain.
    nothing = np.zeros((1, 1))
    days = Days(
        et0=nothing, rain=[[40.0]], irrigation_net=[[60.0]], wetted_fraction=[[1.0]],
        wind_2m=[[2.0]], rh_min=[[45.0]], kcb=[[1.0]], height=[[1.0]], root_depth=[[0.5]],
    )  # fmt: skip
    basin = Fields(
        theta_fc=0.30, theta_wp=0.15, ze_m=0.1, rew_mm=9.0, p=0.2, percolation_limit=0.0,
        theta_sat=0.45, bund_mm=10.0,
    )  # fmt: skip
    full = State(np.array([-75.0]), np.zeros(1), np.ones(1))
    run = water_balance(days, basin, full)

    assert run.overflow[0, 0] == pytest.approx(90.0)
    assert effective_rain(run)[0] == pytest.approx(40.0 - 36.0)


def test_what_the_soil_gave_was_not_needed():
    # 5 mm of ETc from 20 mm in store, no rain: nothing had to come from irrigation.
    days = Days(
        et0=[[5.0]], rain=[[0.0]], irrigation_net=[[0.0]], wetted_fraction=[[1.0]],
        wind_2m=[[2.0]], rh_min=[[45.0]], kcb=[[1.0]], height=[[1.0]], root_depth=[[1.0]],
    )  # fmt: skip
    soil = Fields(theta_fc=0.30, theta_wp=0.15, ze_m=0.1, rew_mm=9.0, p=0.5)
    run = water_balance(days, soil, State(np.zeros(1), np.full(1, 22.5), np.ones(1)))

    assert run.etc[0, 0] == pytest.approx(5.0)  # the surface is dry: Kcb alone
    assert net_requirement(run)[0] == pytest.approx(0.0, abs=1e-9)
