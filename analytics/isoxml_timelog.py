"""Time log of an ISO 11783-10 task data set as points of a harvest."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.field_plane import on_plane
from analytics.isoxml_records import read_records
from analytics.tables import TableError
from analytics.yield_tables import Array, YieldPoints, point_yield, speed

# Process data by its DDI: name in messages, and what one count is in SI units.
WIDTH, MASS_FLOW, TOTAL_MASS, MOISTURE, TOTAL_AREA, WORK_STATE = 67, 87, 90, 99, 116, 141
_SI = {
    WIDTH: 1e-3,
    MASS_FLOW: 1e-6,
    TOTAL_MASS: 1.0,
    MOISTURE: 1e-4,
    TOTAL_AREA: 1.0,
    WORK_STATE: 1.0,
}

MAX_GAP_S = 10.0  # a longer silence ends the pass
# Clocks of logs tick in whole seconds, so the speed between two positions jitters by half.
SPEED_WINDOW = 5  # records


class TimeLog(NamedTuple):
    """Records of a log, arrays of shape (records,); a value holds until it changes."""

    time_s: Array  # since 1980-01-01 by the machine's clock
    latitude: Array  # [°]
    longitude: Array  # [°]
    values: dict[int, Array]  # raw counts by DDI, NaN before the first


def find_time_log(path: Path) -> tuple[Path, Path]:
    """Both files of a log, given either, or a folder or TASKDATA.XML with one log beside it.

    Raises
    ------
    FileNotFoundError
        If one of the two is not there.
    ValueError
        If there are several: each is another piece of work.
    """
    folder = path if path.is_dir() else path.parent
    beside = {file.name.lower(): file for file in folder.iterdir()}
    if path.is_dir() or path.stem.lower() == "taskdata":
        logs = sorted(name for name in beside if re.fullmatch(r"tlg\d+\.bin", name))
        if len(logs) != 1:
            raise ValueError(f"{folder.name} has {len(logs)} time logs (TLG….bin); name one")
        stem = logs[0].removesuffix(".bin")
    else:
        stem = path.stem.lower()
    for name in (f"{stem}.xml", f"{stem}.bin"):
        if name not in beside:
            raise FileNotFoundError(f"{name} is not in the folder {folder.name}")
    return beside[f"{stem}.xml"], beside[f"{stem}.bin"]


def parse_time_log(header: bytes, records: bytes, file: str) -> TimeLog:
    """Decode a log; of process data that several device elements log, the first one's counts.

    Raises
    ------
    TableError
        If the XML is none of a time log's, or a record is cut off or names an unknown value. The
        line is the number of the record.
    """
    log = read_records(header, records, file)
    unknown = np.full(log.size, np.nan)
    latitude, longitude = (
        log.attributes[name] * 1e-7 if name in log.attributes else unknown
        for name in ("latitude", "longitude")
    )
    first: dict[int, int] = {}
    for place, column in enumerate(log.columns):
        first.setdefault(column.ddi, place)
    return TimeLog(
        time_s=log.attributes["time_ms"] / 1000.0 + log.attributes["day"] * 86_400.0,
        latitude=np.where(np.abs(latitude) <= 90, latitude, np.nan),  # "not available" is 214°
        longitude=np.asarray(longitude, float),
        values={ddi: log.held(place) for ddi, place in first.items()},
    )


def read_time_log(header: bytes, records: bytes, file: str) -> YieldPoints:
    """Points of a harvester's log.

    Mass and area of a record are what their counters (DDI 90, 116) gained, so totals are last less
    first; without a counter, flow times interval and width times distance. The yield of a point is
    from flow, width and the speed between positions where they are known, as the counters of area
    and distance (DDI 116, 117) may stand still for many records. Mass that arrives after the
    header's rise belongs to the pass before.

    Raises
    ------
    TableError
        As ``parse_time_log``, and if there is no mass or area, or time or a counter runs backwards.
    """
    log = parse_time_log(header, records, file)
    interval = _gain(log.time_s, file, "TIM")
    flow, width, moisture, state = (
        _quantity(log, ddi) for ddi in (MASS_FLOW, WIDTH, MOISTURE, WORK_STATE)
    )
    x, y, plane = on_plane(log.longitude, log.latitude)
    step = np.hypot(np.diff(x, prepend=x[:1]), np.diff(y, prepend=y[:1]))
    pace = speed(_around(step), _around(interval))
    working = np.ones(state.shape, bool) if WORK_STATE not in log.values else state == 1
    coverage = width * pace
    mass = _counted(log, TOTAL_MASS, flow * interval, file)
    area = _counted(log, TOTAL_AREA, np.where(working, coverage * interval, 0.0), file)
    if np.isnan(flow).all():
        flow = speed(mass, interval)
    if np.isnan(coverage).all():
        coverage = speed(area, interval)
    return YieldPoints(
        x=x,
        y=y,
        yield_kg_ha=point_yield(flow, coverage),
        flow_kg_s=flow,
        coverage_m2_s=coverage,
        mass_kg=mass,
        area_m2=area,
        interval_s=interval,
        speed_m_s=pace,
        moisture_pct=moisture,
        working=working,
        passes=_passes(working, interval),
        crs=plane,
        mass_source="counter" if _logged(log, TOTAL_MASS) else "mass-balance",
    )


def _quantity(log: TimeLog, ddi: int) -> Array:
    """Values in SI units (moisture in %), NaN where not logged."""
    return log.values.get(ddi, np.full(log.time_s.shape, np.nan)) * _SI[ddi]


def _gain(counter: Array, file: str, column: str) -> Array:
    """What a counter gained with each record; zero before its first value."""
    if (counter < 0).any():
        line = int(np.argmax(counter < 0))
        raise TableError(file, line + 1, column, f"a counter is negative: {counter[line]:.10g}")
    gained = np.nan_to_num(np.diff(counter, prepend=counter[:1]))
    if (gained < 0).any():
        line = int(np.argmax(gained < 0))
        reason = f"runs backwards from {counter[line - 1]:.10g} to {counter[line]:.10g}"
        raise TableError(file, line + 1, column, reason)
    return gained


def _around(values: Array) -> Array:
    """Sum over the window around each record, shorter at both ends."""
    half = SPEED_WINDOW // 2
    return np.convolve(values, np.ones(SPEED_WINDOW))[half : half + values.size]


def _counted(log: TimeLog, ddi: int, otherwise: Array, file: str) -> Array:
    if _logged(log, ddi):
        return _gain(_quantity(log, ddi), file, f"DDI {ddi}")
    if np.isnan(otherwise).all():
        raise TableError(file, 1, f"DDI {ddi}", "is not logged, nor what it could be made from")
    return np.nan_to_num(otherwise)


def _logged(log: TimeLog, ddi: int) -> bool:
    return ddi in log.values and bool(np.isfinite(log.values[ddi]).any())


def _passes(working: NDArray[np.bool_], interval: Array) -> NDArray[np.int64]:
    """A pass begins where work begins, or after a gap."""
    begins = np.diff(working.astype(int), prepend=0) > 0
    return np.asarray(np.cumsum(begins | (interval > MAX_GAP_S)), dtype=np.int64)
