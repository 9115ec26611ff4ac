"""The examples of docs/figures/advice.md by the real functions."""

import datetime as dt
from typing import Any

import numpy as np

from analytics.advice import (
    NEVER,
    Plan,
    Rules,
    System,
    first_reached,
    irrigation_plan,
    refill_line,
    refill_range,
    without_irrigation,
)
from analytics.balance import Conventions, Days, Fields, State
from analytics.climatology import PastDays, climatology
from tests.docs.worked import Computed, Given, example

PLAIN = Conventions(adjust_p=False)
FIELD = Fields(theta_fc=0.30, theta_wp=0.15, ze_m=0.10, rew_mm=9.0, p=0.5)  # TAW 150, RAW 75 mm


def _state(depletion: float) -> State:
    dry_surface = 1000.0 * (0.30 - 0.5 * 0.15) * 0.10
    return State(np.array([depletion]), np.array([dry_surface]), np.ones(1))


def _days(given: Given, count: int) -> Days:
    """Days without rain on which the crop takes ET0 and the dry surface evaporates nothing."""
    et0 = np.full((count, 1), float(given.get("et0", 0.0)))
    return Days(et0, 0.0, 0.0, 1.0, 2.0, 45.0, kcb=1.0, height=1.0, root_depth=1.0)


@example("refill-day")
def refill_day(given: Given) -> Computed:
    days, state = _days(given, 8), _state(given.depletion)
    run = without_irrigation(days, FIELD, state, PLAIN)
    line = refill_line(run)
    spread = refill_range(
        days, FIELD, state,
        et0_sd=given.et0_sd, rain_is_sure=True, depletion_sd=np.array([given.depletion_sd]),
        conventions=PLAIN,
    )  # fmt: skip
    reached = first_reached(run.depletion, line)
    assert reached[0] != NEVER
    return {
        "line": line[0, 0],
        "evening": reached[0] + 1,
        "earliest": spread.earliest[0] + 1,
        "latest": spread.latest[0] + 1,
        "depletion_on_it": run.depletion[reached[0], 0],
    }


def _plan(given: Given, rules: Rules | None = None) -> Plan:
    one: Any = {name: np.array([given[name]]) for name in ("area", "efficiency", "flow")}
    system = System(one["area"], one["efficiency"], np.ones(1), one["flow"])
    return irrigation_plan(
        _days(given, 1), FIELD, _state(given.depletion), given.line, system,
        conventions=PLAIN, rules=rules,
    )  # fmt: skip


@example("amount")
def amount(given: Given) -> Computed:
    plan = _plan(given)
    assert not plan.capped.any()
    return {
        "irrigation_net_mm": plan.net_mm[0, 0],
        "irrigation_gross_mm": plan.gross_mm[0, 0],
        "irrigation_m3": plan.volume_m3[0, 0],
        "irrigation_hours": plan.hours[0, 0],
    }


@example("amount-of-a-small-system")
def amount_of_a_small_system(given: Given) -> Computed:
    plan = _plan(given, Rules(hours_per_day=given.hours))
    assert plan.capped.all()
    return {
        "irrigation_gross_mm": plan.gross_mm[0, 0],
        "irrigation_net_mm": plan.net_mm[0, 0],
        "left": plan.depletion[0, 0],
    }


@example("climatology")
def climatology_of_a_day(given: Given) -> Computed:
    first = dt.date(2024, 7, 1)
    dates = [first + dt.timedelta(days=n) for n in range(given.et0.size)]
    other = np.full(given.et0.size, 2.0)
    past = PastDays(dates, given.et0, given.rain, other, 20.0 * other)
    found = climatology([dt.date(2025, 7, 5)], past)
    assert (found.days[0], found.years[0]) == (given.et0.size, 1)
    return {"et0_sd_mm": found.et0_sd[0], "rain_mm": found.rain[0], "et0_mm": found.et0[0]}
