"""A yield-monitor file read, cleaned and reported, and its map."""

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from analytics.field_plane import to_plane
from analytics.isoxml_timelog import find_time_log, read_time_log
from analytics.tables import TableError
from analytics.text_files import GZIP, check_is_text, read_text
from analytics.yield_cleaning import Harvest, clean, clean_points, map_yield, report
from analytics.yield_filters import Filters
from analytics.yield_grid import YieldGrid, as_geojson, map_mean, yield_grid
from analytics.yield_tables import YieldPoints, looks_like_ag_leader, read_ag_leader, read_yield_csv

__all__ = [
    "FORMATS", "Filters", "Harvest", "clean", "clean_file", "clean_to_map", "delay_of",
    "read_points",
]  # fmt: skip

TEXT_FORMATS: dict[str, Callable[[Iterable[str], str, str | None], YieldPoints]] = {
    "agleader": read_ag_leader,
    "csv": read_yield_csv,
}
FORMATS = (*TEXT_FORMATS, "isoxml")
CHUNK = 1 << 16


def clean_file(
    path: Path,
    *,
    format: str | None = None,
    standard_moisture: float | None = None,
    filters: Filters | None = None,
) -> dict[str, Any]:
    """Read a yield-monitor file, gzipped or not, and report; as ``clean_to_map`` without a map."""
    harvest = Harvest(standard_moisture_pct=standard_moisture)
    return clean_to_map(path, format=format, harvest=harvest, filters=filters)[0]


def clean_to_map(
    path: Path,
    *,
    format: str | None = None,
    crs: str | None = None,
    harvest: Harvest | None = None,
    filters: Filters | None = None,
    flow_delay_s: float | None = None,
    boundary: Path | None = None,
    cell_m: float | None = None,
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Read a yield-monitor file and give its report and, with ``cell_m``, its map as GeoJSON.

    Parameters
    ----------
    path : Path
        The file; of an ISOXML time log either of its two, or a folder that holds just one.
    format : str, optional
        One of ``FORMATS``; told from the file by default.
    crs : str, optional
        Projected system of the file's positions, such as EPSG:32642, where they are metres.
    harvest : Harvest, optional
        What is known beside the file: standard moisture, weighed mass, sown area …
    flow_delay_s : float, optional
        Of the mass sensor; fitted by default. [s]
    boundary : Path, optional
        The field's boundary as GeoJSON (WGS 84); points outside are flagged.
    cell_m : float, optional
        Side of the map's cells. [m]

    Raises
    ------
    OSError
        If a file cannot be read.
    ValueError
        For an unknown format, a figure out of range, or, as TableError, content that cannot be
        used, by file, line and column.
    """
    path, known = Path(path), harvest or Harvest()
    name, points = read_points(path, format=format, crs=crs)
    field = None if boundary is None else read_boundary(boundary, points.crs)
    cleaned = clean_points(points, filters, flow_delay_s=flow_delay_s, boundary=field)
    result = {"format": name, **report(points, cleaned, known)}
    result["notes"] = [{"file": path.name, **note} for note in result["notes"]]
    if cell_m is None:
        return result, None
    grid = yield_grid(map_yield(points, cleaned, known), cleaned.kept, cell_m=cell_m)
    return {**result, "map": _summary(grid, result)}, as_geojson(grid, known.crop)


def delay_of(text: str) -> float | None:
    """Seconds of a flow delay as typed; None, to fit it, of ``auto``."""
    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"flow delay {text!r} is neither auto nor seconds") from None


def read_points(
    path: Path, *, format: str | None = None, crs: str | None = None
) -> tuple[str, YieldPoints]:
    """Read a file; return which of ``FORMATS`` it has, and its points."""
    if format is None and (path.is_dir() or path.suffix.lower() in {".bin", ".xml"}):
        format = "isoxml"
    if format is None:
        format = "agleader" if looks_like_ag_leader(_lines(path)[0]) else "csv"
    if format not in FORMATS:
        raise ValueError(f"format {format!r} is not one of {', '.join(FORMATS)}")
    if format != "isoxml":
        return format, TEXT_FORMATS[format](_lines(path), path.name, crs)
    if crs is not None:
        raise ValueError(f"ISOXML time logs stand in degrees (WGS 84), so not in {crs}")
    header, records = find_time_log(path)
    return format, read_time_log(header.read_bytes(), records.read_bytes(), records.name)


def read_boundary(path: Path, crs: str) -> shapely.Geometry:
    """Polygon of a GeoJSON geometry, feature or collection (WGS 84), on the plane of points.

    Raises
    ------
    ValueError
        If the file is no GeoJSON with a polygon, or the points know no plane.
    """
    if not crs:
        raise ValueError("a boundary needs points in degrees, or the system of x_m and y_m (--crs)")
    try:
        content = json.loads(read_text(path))
        features = content.get("features", [content])
        shapes = [shapely.geometry.shape(one.get("geometry") or one) for one in features]
    except json.JSONDecodeError as error:
        raise TableError(path.name, error.lineno, str(error.colno), error.msg) from None
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        raise TableError(path.name, 1, "geometry", "is not GeoJSON with a polygon") from None
    whole = shapely.union_all(shapes)
    if whole.geom_type not in {"Polygon", "MultiPolygon"} or whole.is_empty:
        raise TableError(path.name, 1, "geometry", f"is a {whole.geom_type}, not a polygon")
    return shapely.transform(whole, lambda at: np.column_stack(to_plane(crs, at[:, 0], at[:, 1])))


def _summary(grid: YieldGrid, result: dict[str, Any]) -> dict[str, Any]:
    """The map's mean beside mass over the ground covered: both of the same moisture and loads."""
    mean, mass, ground = map_mean(grid), result["mass_kg"], result["area_effective_ha"]
    return {
        "cell_m": grid.cell_m,
        "cells": int((grid.points > 0).sum()),
        "mean_kg_ha": mean if np.isfinite(mean) else None,
        "mass_over_effective_area_kg_ha": mass / ground if mass is not None and ground else None,
    }


def _lines(path: Path) -> list[str]:
    """Lines of a text file; names in another encoding are not needed and do not stop it."""
    raw = path.read_bytes()
    if path.suffix.lower() == ".gz" or raw.startswith(GZIP):
        raw = _unzipped(raw, path.name)
    check_is_text(raw, path.name)
    return list(io.StringIO(raw.decode("utf-8-sig", errors="replace"), newline=None)) or [""]


def _unzipped(raw: bytes, file: str) -> bytes:
    """Decompress piece by piece, so that a fault can be told by the line it cuts off."""
    whole = bytearray()
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
        try:
            while piece := stream.read(CHUNK):
                whole += piece
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            line = whole.count(b"\n") + 1
            reason = f"the gzip file is cut off or damaged from about here on ({error})"
            raise TableError(file, line, "(gzip)", reason) from None
    return bytes(whole)
