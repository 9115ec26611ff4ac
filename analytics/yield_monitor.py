"""A yield-monitor file as totals and a count of the points that a map should not show.

Totals come from all records, as the calibrated monitor counted them: grain that arrives after
the header went up was harvested, too. Filters say which points a map can trust.
"""

import gzip
import io
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from analytics.isoxml_timelog import find_time_log, read_time_log
from analytics.yield_filters import Filters, flag_points
from analytics.yield_tables import (
    M2_PER_HA,
    Array,
    YieldPoints,
    looks_like_ag_leader,
    read_ag_leader,
    read_yield_csv,
)
from analytics.yields import KG_PER_CENTNER, at_standard_moisture

TEXT_FORMATS: dict[str, Callable[[Iterable[str], str], YieldPoints]] = {
    "agleader": read_ag_leader,
    "csv": read_yield_csv,
}
FORMATS = (*TEXT_FORMATS, "isoxml")


def clean_file(
    path: Path,
    *,
    format: str | None = None,
    standard_moisture: float | None = None,
    filters: Filters | None = None,
) -> dict[str, Any]:
    """Read a yield-monitor file, gzipped or not, and report what ``clean`` says.

    Parameters
    ----------
    path : Path
        The file; of an ISOXML time log either of its two, or a folder that holds just one.
    format : str, optional
        One of ``FORMATS``; told from the file by default.
    standard_moisture : float, optional
        To which the mass is reduced; by default it stays as harvested. [%]

    Raises
    ------
    OSError
        If a file cannot be read.
    ValueError
        For an unknown format, a moisture out of range, or, as TableError, content that cannot be
        used, by file, line and column.
    """
    path = Path(path)
    if format is None and (path.is_dir() or path.suffix.lower() in {".bin", ".xml"}):
        format = "isoxml"
    if format is None:
        format = "agleader" if looks_like_ag_leader(_lines(path)[0]) else "csv"
    if format not in FORMATS:
        raise ValueError(f"format {format!r} is not one of {', '.join(FORMATS)}")
    if format == "isoxml":
        header, records = find_time_log(path)
        points = read_time_log(header.read_bytes(), records.read_bytes(), records.name)
    else:
        points = TEXT_FORMATS[format](_lines(path), path.name)
    return {"format": format, **clean(points, standard_moisture=standard_moisture, filters=filters)}


def clean(
    points: YieldPoints,
    *,
    standard_moisture: float | None = None,
    filters: Filters | None = None,
) -> dict[str, Any]:
    """Totals of all points and counts of the flagged ones, as plain values for JSON.

    ``yield_kg_ha`` is ``mass_kg`` over ``area_ha``. Points with a ready-made yield have neither
    (None): then it is the mean of the points kept, and ``yield_source`` says so. ``mass_kg`` is at
    the standard moisture, or as harvested without one; a record of unknown moisture takes the
    mean of the others.
    """
    flags = flag_points(points, filters or Filters())
    kept = ~np.any(list(flags.values()), axis=0)
    moisture = _filled_moisture(points)
    if standard_moisture is None:
        reduction = np.ones(moisture.shape)
    else:
        _check_standard(standard_moisture, moisture)
        reduction = at_standard_moisture(1.0, moisture, standard_moisture)
    wet, area = float(points.mass_kg.sum()), float(points.area_m2.sum()) / M2_PER_HA
    mass, weighed = float((points.mass_kg * reduction).sum()), bool(np.isfinite(wet))
    if weighed:
        grain = mass / area if area > 0 else None
    else:
        grain = float((points.yield_kg_ha * reduction)[kept].mean()) if kept.any() else None
    return {
        "rows": int(kept.size),
        "kept": int(kept.sum()),
        "flagged": {reason: int(found.sum()) for reason, found in flags.items()},
        "area_ha": area if weighed else None,
        "wet_mass_kg": wet if weighed else None,
        "wet_mass_header_up_kg": float(points.mass_kg[~points.working].sum()) if weighed else None,
        "mass_kg": mass if weighed else None,
        "standard_moisture_pct": standard_moisture,
        "yield_kg_ha": grain,
        "yield_centner_ha": None if grain is None else grain / KG_PER_CENTNER,
        "yield_source": "mass-over-area" if weighed else "mean-of-kept-points",
    }


def _filled_moisture(points: YieldPoints) -> Array:
    """Moisture with the mean in place of the unknown; no crop has 0 %, so that is a dead sensor."""
    known = points.moisture_pct > 0
    if known.all() or not known.any():
        return points.moisture_pct
    weights = points.mass_kg[known]
    usable = np.isfinite(weights).all() and weights.sum() > 0
    mean = np.average(points.moisture_pct[known], weights=weights if usable else None)
    return np.where(known, points.moisture_pct, mean)


def _check_standard(standard: float, moisture: Array) -> None:
    if not 0 <= standard < 100:
        raise ValueError(f"standard moisture must be within 0 and 100 %, got {standard:g}")
    if not (moisture > 0).any():
        raise ValueError("the file has no moisture, so no mass at a standard moisture")


def _lines(path: Path) -> list[str]:
    """Lines of a text file; names in another encoding are not needed and do not stop it."""
    raw = path.read_bytes()
    if path.suffix.lower() == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (EOFError, zlib.error):
            raise ValueError("the gzip file is cut off or damaged") from None
    return list(io.StringIO(raw.decode("utf-8-sig", errors="replace"), newline=None)) or [""]
