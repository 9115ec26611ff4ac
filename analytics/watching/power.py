"""Batteries that run low, and sensors whose readings are in doubt."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from analytics.alert_conditions import above, below, low_voltage
from analytics.watching.settings import Found, Settings
from storage import alert_facts
from storage.alert_facts import Battery
from storage.alerts import Opening

WELL_AGAIN = 1.04  # of a voltage that a farm gave as low, where it gave no other
HALF = 0.5


def low_batteries(connection: sa.Connection, settings: Settings, now: dt.datetime) -> Found:
    """Devices whose battery runs low: by its level where they tell it, else by its voltage."""
    told: dict[str, Battery] = {}
    for one in alert_facts.batteries(connection, settings.farm_ids, now):
        told.setdefault(one.device, one)  # levels come first
    found = Found([], [])
    for one in told.values():
        low, well = _limits(one, settings)
        name = "level_pct" if one.quantity == "battery_level" else "voltage_v"
        details = {
            "device": one.device,
            name: one.value,
            f"low_{name}": low,
            "time": one.time.isoformat(),
        }
        answer = int(below(one.value, low, well))
        opening = Opening("low-battery", f"device:{one.device}/battery", one.farm_id, details)
        found.add(answer, opening)
    return found


def _limits(one: Battery, settings: Settings) -> tuple[float, float]:
    if one.quantity == "battery_level":
        return (
            settings.number(one.farm_id, "level_pct"),
            settings.number(one.farm_id, "level_well_pct"),
        )
    numbers = settings.numbers[one.farm_id]
    given, well = numbers["voltage_v"], numbers["voltage_well_v"]
    if given is not None:
        return given, max(given, given * WELL_AGAIN if well is None else well)
    lows, wells = low_voltage(one.value, one.highest)
    return float(lows[0]), float(wells[0])


def implausible_readings(connection: sa.Connection, settings: Settings, now: dt.datetime) -> Found:
    """Datastreams many of whose readings are out of range, spikes, or stuck."""
    windows = {farm: settings.number(farm, "window_h") for farm in settings.farm_ids}
    found = Found([], [])
    for one in alert_facts.doubts(connection, windows, now):
        limit = settings.number(one.farm_id, "share_pct")
        share = 100.0 * one.in_doubt / one.readings
        details = {
            "device": one.device,
            "datastream": one.datastream_id,
            "quantity": one.quantity,
            "depth_cm": one.depth_cm,
            "readings": one.readings,
            "in_doubt": one.in_doubt,
            "share_pct": round(share, 1),
            "window_h": windows[one.farm_id],
        }
        answer = int(above(share, limit, HALF * limit))
        enough = one.readings >= settings.number(one.farm_id, "readings")
        opening = Opening("implausible", f"datastream:{one.datastream_id}", one.farm_id, details)
        if enough:
            found.add(answer, opening)
        elif one.in_doubt:
            found.held.append(opening.subject)
    return found
