"""From columns of a computed season to rows of days, and what each of them rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.balance import WaterBalance
from analytics.daily.plans import METHOD_VERSION
from analytics.daily.side_by_side import Columns, ZoneInputs
from storage.results import DIGEST_BYTES, BalanceDays, day_number
from storage.tables import BALANCE_NUMBERS

Array = NDArray[np.float64]

# Stored column: member of the balance, where they are not named alike.
_MEMBERS = {
    "depletion_variance_mm2": "depletion_variance",
    "kcb": "kcb",
    "ke": "ke",
    "ks": "ks",
    "wetted_fraction": "wetted_fraction",
}


class SeasonNumbers(NamedTuple):
    """Computed seasons of zones side by side."""

    zones: Sequence[ZoneInputs]
    numbers: Mapping[str, Array]  # of BALANCE_NUMBERS, shape (days, zones)
    chains: Sequence[Sequence[bytes]]  # of each zone, the digest of each fresh day


def member(column: str) -> str:
    """The member of the balance that a stored column holds."""
    return _MEMBERS.get(column, column.removesuffix("_mm"))


def complete_columns(
    zones: Sequence[ZoneInputs],
    columns: Columns,
    fresh: Mapping[str, Array],
    measured: Array,
) -> dict[str, Array]:
    """Every stored number of every day as (days, zones): stored days with the fresh ones below.

    The subsoil is kept where it has a part in the balance.
    """
    own = {
        "irrigation_gross_mm": columns.volume_m3 / (10.0 * columns.areas_ha),
        "measured_depletion_mm": measured,
        "wind_2m_m_s": np.asarray(columns.days.wind_2m),
        "rh_min_pct": np.asarray(columns.days.rh_min),
    }
    if zones[0].choices.balance.new_root_zone != "subsoil":
        own["subsoil_depletion_mm"] = np.full(columns.inside.shape, np.nan)
    out = {}
    for name in BALANCE_NUMBERS:
        whole = np.array(own[name] if name in own else fresh[member(name)], float)
        for index, one in enumerate(zones):
            whole[: one.plan.begin, index] = one.plan.stored[name]
        out[name] = np.where(columns.inside, whole, np.nan)
    return out


def closure(numbers: Mapping[str, Array], start: Array, start_below: Array) -> Array:
    """Error of each day's balance by the stored numbers alone, shape (days, zones). [mm]

    Water in and the correction, less water out, less what root zone and subsoil gained; ``start``
    and ``start_below`` are their depletions before the first day.
    """
    before = np.concatenate([start[None], numbers["depletion_mm"][:-1]])
    gained = before - numbers["depletion_mm"]
    below = numbers["subsoil_depletion_mm"]
    if not np.isnan(below).all():
        gained = gained + np.concatenate([start_below[None], below[:-1]]) - below
    came = numbers["rain_mm"] + numbers["irrigation_net_mm"] + numbers["capillary_rise_mm"]
    left = numbers["eta_mm"] + numbers["runoff_mm"] + numbers["deep_percolation_mm"]
    return np.asarray(came + numbers["correction_mm"] - left - gained)


def as_balance(columns: Columns, numbers: Mapping[str, Array]) -> WaterBalance:
    """The whole season as a balance; what is not stored is unknown (NaN)."""
    last = columns.length - 1
    end = numbers["depletion_mm"][last, np.arange(len(last))]
    unknown = np.broadcast_to(np.full(1, np.nan), columns.inside.shape)
    known = {member(name): np.nan_to_num(values) for name, values in numbers.items()}
    given: dict[str, Any] = {name: known.get(name, unknown) for name in WaterBalance._fields}
    start = columns.start
    if np.isnan(numbers["subsoil_depletion_mm"]).all():  # it has no part in this balance
        start = start._replace(subsoil_depletion=np.zeros_like(start.depletion))
    error = closure(numbers, start.depletion, start.subsoil_depletion)
    evening = start._replace(depletion=end)
    return WaterBalance(**given | {"closure": np.nan_to_num(error), "start": start, "end": evening})


def digests(
    zones: Sequence[ZoneInputs],
    seeds: Sequence[str],
    columns: Columns,
    measured: Array,
    measured_sd: Array,
) -> list[list[bytes]]:
    """Of each fresh day, the SHA-256 of all that the season up to it rests on.

    Each day's digest is of the day before's, of the day's own inputs and of where they come from;
    the first one's of the zone's seed (``Entered.seed``) and of the method's version.
    """
    days = columns.days
    table = np.stack(
        [
            np.broadcast_to(np.asarray(values, float), columns.inside.shape)
            for values in (
                days.et0, days.rain, days.wind_2m, days.rh_min, days.kcb, days.height,
                days.root_depth, columns.volume_m3, columns.efficiency, columns.wetted,
                measured, measured_sd,
            )
        ],
        axis=2,
    )  # fmt: skip
    found = []
    for index, one in enumerate(zones):
        if one.plan.begin:
            digest = one.plan.stored["input_digest"][-1].tobytes()
        else:
            digest = hashlib.sha256(f"{METHOD_VERSION} {seeds[index]}".encode()).digest()
        chain = []
        rows = np.ascontiguousarray(table[one.plan.begin : one.plan.length, index])
        for row, *sources in zip(rows, one.weather.source, one.water.source, strict=True):
            text = "\n".join(sources).encode()
            digest = hashlib.sha256(digest + row.tobytes() + text).digest()
            chain.append(digest)
        found.append(chain)
    return found


def changed_days(run: SeasonNumbers, stored: Mapping[int, Any]) -> BalanceDays | None:
    """The days to store: of each zone those from the first on whose inputs are not as they were.

    ``stored`` has the days that stand, of storage.results.STORED_DTYPE, by crop zone.
    """
    rows: list[NDArray[np.int64]] = []
    for one, chain in zip(run.zones, run.chains, strict=True):
        known = stored[one.plan.zone.id]["input_digest"][one.plan.begin :]
        pairs = zip((digest.tobytes() for digest in known), chain, strict=False)
        same = next(
            (row for row, (a, b) in enumerate(pairs) if a != b), min(len(known), len(chain))
        )
        rows.append(np.arange(same, len(chain)))
    counts = [len(part) for part in rows]
    if not sum(counts):
        return None
    column = np.repeat(np.arange(len(rows)), counts)
    begin = np.array([one.plan.begin for one in run.zones])
    planted = np.array([day_number(one.plan.zone.planted) for one in run.zones])
    row = np.concatenate(rows) + begin[column]

    def picked(values: Sequence[Sequence[Any]], kind: str) -> NDArray[Any]:
        parts = [
            np.array(one, kind)[part] for one, part in zip(values, rows, strict=True) if len(part)
        ]
        return np.concatenate(parts)

    return BalanceDays(
        crop_zone_id=np.array([one.plan.zone.id for one in run.zones])[column],
        day=planted[column] + row,
        numbers={name: values[row, column] for name, values in run.numbers.items()},
        weather_source=picked([one.weather.source for one in run.zones], "U"),
        water_source=picked([one.water.source for one in run.zones], "U"),
        input_digest=picked(run.chains, f"V{DIGEST_BYTES}"),
        method_version=METHOD_VERSION,
    )
