"""The same fields for pyfao56 and for our balance, so that the two can be compared.

pyfao56 (Thorp, 2022) follows one field a day at a time over pandas tables. It is a development
dependency: nothing but measurements and tests asks for it.
"""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.balance import Days, Fields, State, initial_state
from analytics.crops import Crop, crop_height, kcb_curve, root_depth, stack
from analytics.reference_et import wind_at_2m
from analytics.soils import Soil

Array = NDArray[np.float64]

HOW_TO_GET = "pip install pyfao56"
WIND_HEIGHT_M = 2.0


class FieldSeason(NamedTuple):
    """One field's season, arrays of shape (days,)."""

    start: dt.date
    et0: Array  # [mm]
    rain: Array  # [mm]
    wind: Array  # at 2 m [m s⁻¹]
    rh_min: Array  # [%]
    irrigation: Array  # gross [mm]
    wetted_fraction: Array
    efficiency: Array  # 0 to 1
    crop: Crop
    soil: Soil
    theta_0: float  # [m³ m⁻³]


def version() -> str | None:
    """Version of pyfao56, None where it is not installed."""
    try:
        return str(importlib.import_module("pyfao56").__version__)
    except ImportError:
        return None


def random_fields(seed: int, days: int, count: int) -> list[FieldSeason]:
    """Believable seasons: a dry summer with storms, watered now and then, on soils of any kind."""
    random = np.random.default_rng(seed)
    return [_random_field(random, days) for _ in range(count)]


def _random_field(random: np.random.Generator, days: int) -> FieldSeason:
    ini, dev, mid, end = np.maximum(np.round(days * random.dirichlet([3, 4, 5, 3])), 2.0)
    initial, late = random.uniform(0.1, 0.2), random.uniform(0.3, 0.7)
    roots = random.uniform(0.1, 0.3)
    crop = Crop(
        initial, random.uniform(0.9, 1.2), late, ini, dev, mid, end,
        0.05, random.uniform(0.3, 2.5), roots, roots + random.uniform(0.2, 1.4),
        random.uniform(0.3, 0.65),
    )  # fmt: skip
    wilting = random.uniform(0.05, 0.2)
    capacity = wilting + random.uniform(0.07, 0.18)
    number = round(random.uniform(55, 90))
    soil = Soil(capacity, wilting, 0.1, random.uniform(4.0, 10.0), curve_number=number)
    interval = random.integers(4, 15)
    watered = np.arange(days) % interval == random.integers(0, interval)
    summer = np.sin(np.pi * (np.arange(days) + 20) / (days + 40))
    return FieldSeason(
        start=dt.date(2025, 4, 15),
        et0=np.maximum(1.0 + 6.0 * summer + random.normal(0, 1.2, days), 0.3),
        rain=np.where(random.random(days) < 0.12, random.exponential(9.0, days), 0.0),
        wind=random.uniform(0.5, 6.0, days),
        rh_min=random.uniform(15.0, 70.0, days),
        irrigation=np.where(watered, random.uniform(10.0, 45.0), 0.0),
        wetted_fraction=np.full(days, random.uniform(0.3, 1.0)),
        efficiency=np.full(days, random.uniform(0.6, 0.95)),
        crop=crop,
        soil=soil,
        theta_0=wilting + random.uniform(0.2, 1.0) * (capacity - wilting),
    )


def for_balance(
    fields: Sequence[FieldSeason], *, runoff: bool = False
) -> tuple[Days, Fields, State]:
    """The fields side by side, all of equal length, as ``water_balance`` takes them."""

    def beside(name: str) -> Array:
        return np.stack([getattr(field, name) for field in fields], axis=1)

    crop = stack([field.crop for field in fields])
    since = np.arange(len(fields[0].et0), dtype=float)[:, None]
    days = Days(
        et0=beside("et0"),
        rain=beside("rain"),
        irrigation_net=beside("irrigation") * beside("efficiency"),
        wetted_fraction=beside("wetted_fraction"),
        wind_2m=wind_at_2m(beside("wind"), WIND_HEIGHT_M),  # Eq. 47 is not quite 1 at 2 m
        rh_min=beside("rh_min"),
        kcb=kcb_curve(since, crop),
        height=crop_height(since, crop),
        root_depth=root_depth(since, crop),
    )
    capacity, wilting = (
        np.array([getattr(field.soil, name) for field in fields])
        for name in ("theta_fc", "theta_wp")
    )
    numbers = [field.soil.curve_number if runoff else None for field in fields]
    ground = Fields(
        theta_fc=capacity,
        theta_wp=wilting,
        ze_m=[field.soil.ze_m for field in fields],
        rew_mm=[field.soil.rew_mm for field in fields],
        p=crop.p,
        kcb_min=crop.kcb_ini,
        curve_number=np.array(numbers, float),
        available_water_max=1000.0 * (capacity - wilting) * crop.zr_max_m,
    )
    start = initial_state(ground, [field.theta_0 for field in fields], crop.zr_ini_m)
    return days, ground, start


def run_pyfao56(
    field: FieldSeason, *, runoff: bool = False, constant_p: bool = False, layers: bool = False
) -> dict[str, Array]:
    """Columns of pyfao56's daily output for the field; ``layers`` carries the subsoil."""
    pyfao56: Any = importlib.import_module("pyfao56")
    days = [field.start + dt.timedelta(days=day) for day in range(len(field.et0))]
    keys = [day.strftime("%Y-%j") for day in days]
    profile = _profile(pyfao56, field) if layers else None
    model = pyfao56.Model(
        keys[0],
        keys[-1],
        _parameters(pyfao56, field),
        _weather(pyfao56, field, keys),
        irr=_irrigation(pyfao56, field, keys),
        sol=profile,
        roff=runoff,
        cons_p=constant_p,
    )
    model.run()
    columns = model.odata.loc[:, ~model.odata.columns.duplicated()]
    return {name: columns[name].to_numpy(float) for name in columns if name not in ("DOW", "Date")}


def days_that_close(theirs: dict[str, Array], start_depletion: float) -> int:
    """Days until pyfao56 first cuts a depletion, which makes water: all where it never does.

    Until then it computes what ours does.
    """
    before = np.concatenate([[start_depletion], theirs["Dr"][:-1]])
    came = theirs["Rain"] + theirs["Irrig"] - theirs["IrrLoss"]
    went = theirs["Runoff"] + theirs["ETa"] + theirs["DP"]
    open_days = np.abs(came - went - (before - theirs["Dr"])) > 1e-9
    return int(np.argmax(open_days)) if open_days.any() else len(open_days)


def _parameters(pyfao56: Any, field: FieldSeason) -> Any:
    crop, soil = field.crop, field.soil
    return pyfao56.Parameters(
        Kcbini=crop.kcb_ini, Kcbmid=crop.kcb_mid, Kcbend=crop.kcb_end,
        Lini=int(crop.l_ini), Ldev=int(crop.l_dev), Lmid=int(crop.l_mid), Lend=int(crop.l_end),
        hini=crop.h_ini_m, hmax=crop.h_max_m, Zrini=crop.zr_ini_m, Zrmax=crop.zr_max_m,
        thetaFC=soil.theta_fc, thetaWP=soil.theta_wp, theta0=field.theta_0,
        pbase=crop.p, Ze=soil.ze_m, REW=soil.rew_mm, CN2=soil.curve_number or 70,
    )  # fmt: skip


def _weather(pyfao56: Any, field: FieldSeason, keys: list[str]) -> Any:
    weather = pyfao56.Weather()
    weather.rfcrp, weather.z, weather.lat, weather.wndht = "S", 500.0, 43.0, WIND_HEIGHT_M
    table = type(weather.wdata)(index=keys, columns=weather.cnames, dtype=float)
    for name, values in (
        ("ETref", field.et0),
        ("Rain", field.rain),
        ("Wndsp", field.wind),
        ("RHmin", field.rh_min),
    ):
        table[name] = values
    weather.wdata = table
    return weather


def _irrigation(pyfao56: Any, field: FieldSeason, keys: list[str]) -> Any:
    irrigation = pyfao56.Irrigation()
    for day in np.flatnonzero(field.irrigation > 0):
        share = 100.0 * field.efficiency[day]
        irrigation.idata.loc[keys[day]] = [
            field.irrigation[day], field.wetted_fraction[day], share,
        ]  # fmt: skip
    return irrigation


def _profile(pyfao56: Any, field: FieldSeason) -> Any:
    """One soil in layers: pyfao56 then carries what is below the roots."""
    profile = pyfao56.SoilProfile()
    for bottom_cm in (30, 90, 200):
        profile.sdata.loc[bottom_cm] = [
            field.soil.theta_fc, field.soil.theta_wp, field.theta_0,
        ]  # fmt: skip
    return profile
