"""The one table of all rules of alerts: a new rule is a row here, a kind in ``storage.alerts``,
and its words in ``reports/texts``.

What happens with a single datum (a gap that was stored, messages that a device declares lost) is
no rule: it is noted when it is stored, and nobody can wish it away.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

import sqlalchemy as sa

from analytics.watching import frost, machines, power, water
from analytics.watching.settings import Parameter, Rule
from storage import alert_facts, alert_rules, alerts, sequence_gaps, silence
from storage.watching import Watched

_MINUTES = dt.timedelta(minutes=1)
_MINUTE = 60.0

_TABLE = (
    Rule(
        "silent",
        "a device has sent no reading for several of its intervals",
        (
            Parameter(
                "missed_intervals", silence.INTERVALS_MISSED, 1, 1_000, "of its fastest datastream"
            ),
            Parameter(
                "at_least_min", silence.AT_LEAST.total_seconds() / _MINUTE, 5, 43_200, "of silence"
            ),
        ),
        find=None,
    ),
    Rule(
        "sequence-gap",
        "numbered messages of a device never came",
        (
            Parameter(
                "patience_min",
                sequence_gaps.PATIENCE.total_seconds() / _MINUTE,
                1,
                43_200,
                "in which a missing message may still come",
            ),
        ),
        find=None,
    ),
    Rule(
        "low-battery",
        "a device's battery runs low",
        (
            Parameter("level_pct", 20.0, 0, 100, "at or below which a battery is low"),
            Parameter("level_well_pct", 30.0, 0, 100, "at or above which it is well again"),
            Parameter(
                "voltage_v", None, 0, 100, "the same of devices that tell no level; else by type"
            ),
            Parameter("voltage_well_v", None, 0, 100, "at or above which it is well again"),
        ),
        power.low_batteries,
        every=10 * _MINUTES,
        ordered=(("level_pct", "level_well_pct"), ("voltage_v", "voltage_well_v")),
    ),
    Rule(
        "refill-line",
        "the readily available water of an irrigated field is used up",
        (
            Parameter("share_pct", 100.0, 10, 200, "of readily available water used up"),
            Parameter("well_share_pct", 80.0, 0, 200, "at or below which it is well again"),
            Parameter("stale_days", 3.0, 1, 30, "older balances say nothing"),
        ),
        water.below_refill_line,
        every=10 * _MINUTES,
        ordered=(("well_share_pct", "share_pct"),),
    ),
    Rule(
        "flow-valve-shut",
        "water runs through a meter while every valve beside it is shut",
        (
            Parameter("tolerance_m3_h", 0.5, 0.001, 100_000, "flow that is none"),
            Parameter("minimum_min", 10.0, 0, 1_440, "for how long"),
        ),
        water.flow_valve_shut,
    ),
    Rule(
        "no-flow-valve-open",
        "no water runs through a meter while a valve beside it is open",
        (
            Parameter("minimum_m3_h", 0.5, 0.001, 100_000, "flow below which there is none"),
            Parameter("minimum_min", 10.0, 0, 1_440, "for how long"),
        ),
        water.no_flow_valve_open,
    ),
    Rule(
        "frost",
        "frost, measured or forecast, while a crop stands that suffers from it",
        (
            Parameter("temperature_c", 1.0, -20, 20, "of the air, at or below which it is frost"),
            Parameter("well_c", 3.0, -20, 30, "at or above which it is over"),
            Parameter("forecast_days", 1.0, 0, 4, "looked ahead; 0: what is measured counts"),
        ),
        frost.frost,
        every=5 * _MINUTES,
        ordered=(("temperature_c", "well_c"),),
    ),
    Rule(
        "implausible",
        "many readings of a sensor are out of range, spikes, or stuck",
        (
            Parameter("share_pct", 20.0, 1, 100, "of the readings of the window"),
            Parameter("window_h", 24.0, 1, 168, "looked back"),
            Parameter("readings", 6.0, 1, 10_000, "at least, in the window"),
        ),
        power.implausible_readings,
        every=30 * _MINUTES,
    ),
    Rule(
        "machine-outside",
        "a machine works outside every field of its farm",
        (
            Parameter("buffer_m", 30.0, 0, 10_000, "beyond a field's border, which still counts"),
            Parameter("minimum_min", 5.0, 0, 240, "for how long"),
        ),
        machines.machine_outside,
    ),
)

RULES: Mapping[str, Rule] = MappingProxyType({one.kind: one for one in _TABLE})


def look(connection: sa.Connection, rule: Rule, now: dt.datetime) -> Watched:
    """Look at every farm for what one rule is about; open and clear its alerts."""
    if rule.find is None:
        raise ValueError(f"{rule.kind} is looked for by ingest")
    farms = alert_facts.farms(connection)
    settings = rule.settings(farms, alert_rules.of_kind(connection, rule.kind))
    found = rule.find(connection, settings, now)
    opened = alerts.open(connection, found.openings, now=now)
    subjects = [*(one.subject for one in found.openings), *found.held]
    return Watched(opened, alerts.clear_others(connection, rule.kind, subjects, now=now))
