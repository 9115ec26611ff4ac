"""Fields that miss water, and water that runs where it should not, or does not where it should."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from analytics.alert_conditions import (
    HOLDS,
    Flow,
    Steady,
    above,
    flow_of_counter,
    flow_of_readings,
    flow_with_valve_shut,
    no_flow_with_valve_open,
    valve_states,
)
from analytics.watching.settings import Found, Settings
from storage import alert_facts, series
from storage.alert_facts import WaterStream
from storage.alerts import Opening
from storage.series import Span

WINDOW = dt.timedelta(hours=26)  # the longest minimum is a day
DAY = dt.timedelta(days=1)


def below_refill_line(connection: sa.Connection, settings: Settings, now: dt.datetime) -> Found:
    """Irrigated crop zones whose readily available water is used up, by their newest balance."""
    found = Found([], [])
    for one in alert_facts.depletions(connection, settings.farm_ids, now):
        share, well = (
            settings.number(one.farm_id, name) / 100.0 for name in ("share_pct", "well_share_pct")
        )
        details = {
            "field_id": one.field_id,
            "field": one.field,
            "crop": one.crop,
            "day": one.day.isoformat(),
            "depletion_mm": round(one.depletion_mm, 1),
            "refill_line_mm": round(share * one.raw_mm, 1),
        }
        answer = int(above(one.depletion_mm, share * one.raw_mm, well * one.raw_mm))
        if now.date() - one.day > settings.number(one.farm_id, "stale_days") * DAY:
            answer = HOLDS  # it says nothing of today
        subject = f"crop_zone:{one.crop_zone_id}"
        found.add(answer, Opening("refill-line", subject, one.farm_id, details))
    return found


def flow_valve_shut(connection: sa.Connection, settings: Settings, now: dt.datetime) -> Found:
    """Meters through which water runs though every valve beside them is shut: a leak."""
    found = Found([], [])
    for meter in _meters(connection, settings, now):
        farm = meter.stream.farm_id
        tolerance = settings.number(farm, "tolerance_m3_h")
        answer, steady = flow_with_valve_shut(
            meter.flow,
            meter.shut,
            tolerance_m3_h=tolerance,
            minimum_s=60.0 * settings.number(farm, "minimum_min"),
        )
        details = _details(meter, steady) | {"tolerance_m3_h": tolerance}
        found.add(answer, Opening("flow-valve-shut", _subject(meter), farm, details))
    return found


def no_flow_valve_open(connection: sa.Connection, settings: Settings, now: dt.datetime) -> Found:
    """Meters through which no water runs though a valve beside them is open: something is blocked.

    Or the pump is off.
    """
    found = Found([], [])
    for meter in _meters(connection, settings, now):
        farm = meter.stream.farm_id
        least = settings.number(farm, "minimum_m3_h")
        answer, steady = no_flow_with_valve_open(
            meter.flow,
            meter.opened,
            minimum_m3_h=least,
            minimum_s=60.0 * settings.number(farm, "minimum_min"),
        )
        details = _details(meter, steady) | {"minimum_m3_h": least}
        found.add(answer, Opening("no-flow-valve-open", _subject(meter), farm, details))
    return found


class _Meter(NamedTuple):
    """A meter with the valves that stand beside it."""

    stream: WaterStream
    flow: Flow
    shut: np.ndarray[Any, np.dtype[np.bool_]]
    opened: np.ndarray[Any, np.dtype[np.bool_]]


def _subject(meter: _Meter) -> str:
    return f"datastream:{meter.stream.id}"


def _details(meter: _Meter, steady: Steady) -> dict[str, Any]:
    one = meter.stream
    details = {"device": one.device, "field_id": one.field_id, "field": one.field}
    details |= {"channel": one.channel}
    if not steady.seconds:
        return details
    since = dt.datetime.fromtimestamp(steady.since, dt.UTC)
    rate = float(meter.flow.rate[-1])
    return details | {"since": since.isoformat(), "flow_m3_h": round(rate, 2)}


def beside(meter: WaterStream, streams: Sequence[WaterStream]) -> list[WaterStream]:
    """Valves that water of a meter runs through.

    Those of its device and channel; where one of the two has no channel, all of its device; where
    its device has none, those of its field, if this meter is the only one there.
    """
    valves = [one for one in streams if one.quantity == "valve_open"]
    own = [one for one in valves if one.device == meter.device]
    exact = [one for one in own if one.channel == meter.channel]
    if exact:
        return exact
    if own:
        loose = meter.channel is None or all(one.channel is None for one in own)
        return own if loose else []
    if meter.field_id is None:
        return []
    there = {
        (one.device, one.channel)
        for one in streams
        if one.field_id == meter.field_id and one.quantity != "valve_open"
    }
    if len(there) > 1:
        return []
    return [one for one in valves if one.field_id == meter.field_id]


def _meters(connection: sa.Connection, settings: Settings, now: dt.datetime) -> list[_Meter]:
    streams = alert_facts.water_streams(connection, settings.farm_ids)
    chosen: dict[tuple[str, int | None], WaterStream] = {}
    for one in sorted(streams, key=lambda one: one.quantity == "water_total"):
        if one.quantity != "valve_open":  # a meter that tells its flow tells it best itself
            chosen.setdefault((one.device, one.channel), one)
    pairs = [(meter, valves) for meter in chosen.values() if (valves := beside(meter, streams))]
    ids = {one.id for meter, valves in pairs for one in (meter, *valves)}
    span = Span(now - WINDOW, now)
    readings = series.series(connection, dict.fromkeys(ids, span))
    before = alert_facts.last_before(connection, sorted(ids), span.start)

    def states(one: WaterStream) -> tuple[Any, Any]:
        times, values = readings[one.id]
        if one.id in before:
            moment, value = before[one.id]
            times, values = np.append(moment, times), np.append(value, values)
        return times / 1e6, values

    found = []
    for meter, valves in pairs:
        times, values = readings[meter.id]
        if meter.quantity == "water_flow":
            flow = flow_of_readings(times / 1e6, values)
        else:
            flow = flow_of_counter(times / 1e6, values, modulus=meter.counter_modulus)
        shut, opened = valve_states([states(one) for one in valves], flow)
        found.append(_Meter(meter, flow, shut, opened))
    return found
