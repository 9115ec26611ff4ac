"""Boundaries of fields in the files that people have: GeoJSON, shapefile, KML, ISOXML.

Bytes in, places out, all in longitude and latitude of WGS 84: what a file says in another system is
converted where the file says which, and refused where it does not.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pyproj
import shapefile
import shapely
from shapely.geometry import mapping, shape

from analytics.boundary_checks import NO_SHAPE, words_of
from analytics.boundary_xml import BoundaryError, Place, read_xml
from analytics.damaged_archives import DAMAGED, USUAL_METHODS

__all__ = ["BoundaryError", "Place", "Read", "read"]

MOST_PLACES = 5_000
MOST_POINTS = 200_000  # of all the places together
MOST_BYTES = 64 << 20  # of all the files in an archive

NAMES = ("name", "Name", "NAME", "field", "FIELD", "field_name", "FIELD_NAME")
_WGS84 = ("EPSG:4326", "OGC:CRS84", "CRS84", "EPSG::4326")


class Read(NamedTuple):
    """What a file holds."""

    kind: str  # geojson, shapefile, kml or isoxml
    places: list[Place]


def read(data: bytes, *, name_property: str | None = None) -> Read:
    """The places of a file; what it is, its content tells.

    Parameters
    ----------
    name_property : str, optional
        The attribute that names a place; otherwise one of :data:`NAMES`.

    Raises
    ------
    BoundaryError
        If it is none of the formats, or cannot be read.
    """
    names = NAMES if name_property is None else (name_property,)
    if data[:4] == b"PK\x03\x04":
        kind, places = _archive(data, names)
    elif data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{":
        kind, places = "geojson", _geojson(data, names)
    elif data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        kind, places = read_xml(data)
    else:
        raise BoundaryError("neither GeoJSON, a zipped shapefile, KML nor ISOXML")
    found = []
    for place in places:
        found.append(place)
        if len(found) > MOST_PLACES:
            raise BoundaryError(f"more than {MOST_PLACES} places")
    if not found:
        raise BoundaryError("there is no boundary in it")
    return Read(kind, found)


# --- GeoJSON --------------------------------------------------------------------------------------


def _geojson(data: bytes, names: Iterable[str]) -> Iterator[Place]:
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BoundaryError(f"no JSON: {error}") from None
    crs = document.get("crs")
    if crs is not None and not _is_wgs84(crs):
        raise BoundaryError("its crs is another than WGS 84, which GeoJSON is in (RFC 7946)")
    if document.get("type") == "FeatureCollection":
        features = document.get("features")
    elif document.get("type") == "Feature":
        features = [document]
    else:
        features = [{"type": "Feature", "geometry": document, "properties": {}}]
    if not isinstance(features, list):
        raise BoundaryError("features is no list")
    for number, one in enumerate(features):
        if not isinstance(one, dict) or not isinstance(one.get("geometry"), dict):
            raise BoundaryError(f"feature {number} has no geometry")
        said = one.get("properties")
        properties = said if isinstance(said, dict) else {}
        yield Place(_named(properties, names), _text(properties, _IDS), one["geometry"])


_IDS = ("official_field_id", "OFFICIAL_ID", "official_id", "cadastre")


def _is_wgs84(crs: Any) -> bool:
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return isinstance(name, str) and name.endswith(_WGS84)


def _named(properties: Mapping[str, Any], names: Iterable[str]) -> str | None:
    return _text(properties, names)


def _text(properties: Mapping[str, Any], names: Iterable[str]) -> str | None:
    for name in names:
        value = properties.get(name)
        if isinstance(value, (str, int, float)) and str(value).strip():
            return str(value).strip()
    return None


# --- archives: shapefile, KMZ, ISOXML -------------------------------------------------------------


def _unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        infos = [one for one in opened.infolist() if not one.is_dir()]
        if sum(one.file_size for one in infos) > MOST_BYTES or len(infos) > 1_000:
            raise BoundaryError(f"more than {MOST_BYTES >> 20} MB in the archive")
        if any(one.compress_type not in USUAL_METHODS for one in infos):
            raise BoundaryError("the archive is packed in an unusual way: send it as plain zip")
        wanted = {".shp", ".shx", ".dbf", ".prj", ".cpg", ".kml", ".xml"}
        return {
            one.filename: opened.read(one)
            for one in infos
            if PurePosixPath(one.filename).suffix.lower() in wanted
        }


def _archive(data: bytes, names: Iterable[str]) -> tuple[str, Iterable[Place]]:
    try:
        files = _unpacked(data)
    except BoundaryError:
        raise
    except DAMAGED as error:
        raise BoundaryError(f"the archive cannot be read: {words_of(error)}") from None
    shapes = [name for name in files if name.lower().endswith(".shp")]
    if shapes:
        return "shapefile", _of_shapefiles(files, shapes, names)
    for name, content in files.items():
        if name.lower().endswith((".kml", "taskdata.xml")):
            return read_xml(content, _beside(files, name))
    raise BoundaryError("no shapefile, KML nor TASKDATA.XML in the archive")


def _beside(files: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """XML files of the same folder, by their name in lower case without its ending."""
    folder = _path(name).parent
    return {
        _path(one).stem.lower(): content
        for one, content in files.items()
        if _path(one).parent == folder and one.lower().endswith(".xml")
    }


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/"))


def _of_shapefiles(
    files: Mapping[str, bytes], shapes: Iterable[str], names: Iterable[str]
) -> Iterator[Place]:
    for one in shapes:
        stem = one[: -len(".shp")]
        parts = {
            name[len(stem) :].lower(): content
            for name, content in files.items()
            if name.startswith(stem + ".")
        }
        yield from _of_shapefile(one, parts, names)


# By the reader of shapefiles, of what its records hold and of bytes that it trips over.
_BROKEN_SHAPEFILE = (
    *NO_SHAPE,
    shapefile.ShapefileException,
    shapefile.GeoJSON_Error,
    shapefile.RingSamplingError,
    pyproj.exceptions.ProjError,
    struct.error,
    EOFError,
    OSError,
    MemoryError,
)


UNREADABLE = "\ufffd"  # stands for bytes that are no letter
_CYRILLIC = {0x26: "cp866", 0x65: "cp866", 0xC9: "cp1251"}  # language drivers of dBASE


def _encoding(parts: Mapping[str, bytes]) -> str:
    """Of a shapefile's names: by its .cpg, else by the table itself, else UTF-8."""
    named = parts.get(".cpg", b"").decode("ascii", "replace").strip()
    if named in {"1251", "ANSI 1251"}:
        return "cp1251"
    driver = int.from_bytes(parts[".dbf"][29:30], "big")
    return named or _CYRILLIC.get(driver, "utf-8")


def _of_shapefile(file: str, parts: Mapping[str, bytes], names: Iterable[str]) -> Iterator[Place]:
    if ".prj" not in parts:
        raise BoundaryError(f"{file}: without its .prj nobody knows in which system it is")
    if ".dbf" not in parts:
        raise BoundaryError(f"{file}: its .dbf is missing")
    try:
        system = pyproj.CRS.from_wkt(parts[".prj"].decode("utf-8-sig", "replace"))
        into = pyproj.Transformer.from_crs(system, "OGC:CRS84", always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise BoundaryError(f"{file}: its .prj names no system: {str(error)[:120]}") from None
    encoding = _encoding(parts)
    try:
        reader = shapefile.Reader(
            shp=io.BytesIO(parts[".shp"]),
            dbf=io.BytesIO(parts[".dbf"]),
            encoding=encoding,
            encodingErrors="replace",
        )
        for number, record in enumerate(reader.iterShapeRecords()):
            if record.shape.shapeType == shapefile.NULL:
                continue
            geometry = shape(record.shape.__geo_interface__)
            moved = shapely.transform(
                shapely.force_2d(geometry), lambda xy: np.column_stack(into.transform(*xy.T))
            )
            said = record.record.as_dict()
            name, official_id = _named(said, names), _text(said, _IDS)
            if UNREADABLE in f"{name}{official_id}":
                raise BoundaryError(
                    f"{file}: its letters are not {encoding}: add a .cpg file that names their "
                    "encoding, as 1251"
                )
            yield Place(name, official_id, mapping(moved))
            if number > MOST_PLACES:
                raise BoundaryError(f"{file}: more than {MOST_PLACES} places")
    except BoundaryError:
        raise
    except _BROKEN_SHAPEFILE as error:
        raise BoundaryError(f"{file}: cannot be read: {words_of(error)}") from None
