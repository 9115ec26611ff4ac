"""Many crops, applications of water, weighed loads, adjustments or devices at once, from CSV.

A line is what a single one is entered with, checked by the same model and written by the same
function; in place of an id it names the field, and for a load the season and crop. The file may be
as a spreadsheet saves it (:mod:`analytics.spreadsheet`); a time without its offset is the farm's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

from entry import EntryRefused, devices, records
from entry.devices import DeviceOfFarm
from entry.models import AdjustmentIn, CropZoneIn, IrrigationIn, LoadIn
from entry.sheets import Row, header_of, rows_of
from storage import credentials, fields
from storage.credentials import Issued
from storage.database import NotFound
from storage.farms import Farm
from storage.fields import CropZone, Field
from storage.registering import GATEWAYS
from storage.sealing import Seal

Kind = Literal["crop-zones", "irrigation-events", "harvest-loads", "adjustments", "devices"]


class Handed(NamedTuple):
    """A device of a file, and the token that it shows its broker; None: its network speaks."""

    device_id: str
    issued: Issued | None


class Line(NamedTuple):
    """A line of a file, by its number in it, and what is wrong with it or what it made."""

    line: int
    errors: Sequence[str]
    made: Handed | None = None


class Lines(NamedTuple):
    """What became of a file."""

    kind: Kind
    lines: list[Line]
    kept: bool

    @property
    def wrong(self) -> list[Line]:
        """Lines that cannot be entered."""
        return [one for one in self.lines if one.errors]

    @property
    def stored(self) -> int:
        """All of the lines or none."""
        return len(self.lines) if self.kept else 0

    @property
    def handed(self) -> list[Handed]:
        """Devices that came into service."""
        return [one.made for one in self.lines if self.kept and one.made is not None]


class Entering(NamedTuple):
    """Who enters lines, on which farm, and when."""

    connection: sa.Connection
    farm: Farm
    by: str
    now: dt.datetime
    seal: Seal | None = None  # for tokens of devices
    gives_tokens: bool = True  # False: an own broker decides, and nobody tells it


class _Sort(NamedTuple):
    model: type[BaseModel]
    write: Callable[[Entering, Any], Handed | None]
    named_by: frozenset[str] = frozenset({"field"})  # columns in place of an id
    no_columns: frozenset[str] = frozenset()
    distinct: frozenset[str] = frozenset()  # columns that only files of this kind have


def store(entering: Entering, kind: Kind, content: bytes, *, dry: bool = False) -> Lines:
    """Enter all lines of a file, or none; with ``dry`` only try.

    Raises
    ------
    EntryRefused
        If it is no table of this kind. What is wrong with a line is in its errors.
    """
    sort = _SORTS[kind]
    columns = frozenset(sort.model.model_fields) - sort.no_columns | sort.named_by
    rows = list(rows_of(content, sort.model, columns, ZoneInfo(entering.farm.timezone)))
    if not rows:
        raise EntryRefused("there is no line below the header.")
    land = _Land(entering.connection, entering.farm.id)
    with entering.connection.begin_nested() as whole:
        lines = [_enter(entering, kind, line, row, wrong, land) for line, row, wrong in rows]
        kept = not dry and not any(one.errors for one in lines)
        if not kept:
            whole.rollback()
    return Lines(kind, lines, kept)


def kind_of(content: bytes) -> Kind | None:
    """Of which kind a table is, by columns that no other has; None: of none of them."""
    header = header_of(content)
    return next((kind for kind, one in _SORTS.items() if one.distinct <= header), None)


class _Land:
    """Fields and crop zones of the farm, by which lines name them."""

    def __init__(self, connection: sa.Connection, farm_id: int) -> None:
        self.fields: dict[str, Field] = {
            one.name: one for one in fields.of_farm(connection, farm_id)
        }
        self.zones: list[tuple[Field, CropZone]] = fields.zones(connection, farm_id=farm_id)
        self._ids = {one.id for one in self.fields.values()}

    def field_id(self, row: Row) -> Any:
        name = row.pop("field", None)
        if name is None:
            return row.get("field_id")
        if name not in self.fields:
            near = get_close_matches(name, self.fields, 3) or sorted(self.fields)[:8]
            known = ", ".join(near) or "none"
            raise ValueError(f"field: there is no field {name[:100]!r} on the farm ({known})")
        return self.fields[name].id

    def zone_id(self, row: Row) -> Any:
        field_id = self.field_id(row)
        season, crop = row.pop("season", None), row.pop("crop", None)
        if field_id is None:
            return row.get("crop_zone_id")
        found = [
            zone.id
            for field, zone in self.zones
            if field.id == field_id
            and season in {None, str(zone.season)}
            and crop in {None, zone.crop}
        ]
        if len(found) != 1:
            raise ValueError(
                f"field: {len(found)} crop zones are meant; say which by season and crop"
            )
        return found[0]

    def holds(self, asked: Any) -> bool:
        if hasattr(asked, "crop_zone_id"):
            return asked.crop_zone_id in {zone.id for _, zone in self.zones}
        return asked.field_id is None or asked.field_id in self._ids


def _enter(
    entering: Entering, kind: Kind, line: int, row: Row, wrong: list[str], land: _Land
) -> Line:
    """Enter a line, if nothing is wrong with it."""
    if wrong:
        return Line(line, [*wrong, *_also_wrong(_SORTS[kind].model, row)])
    try:
        return Line(line, (), _enter_row(entering, kind, row, land))
    except ValidationError as error:
        return Line(line, _words(error))
    except NotFound as error:
        return Line(line, [f"there is no {error.args[0]}"])
    except ValueError as error:
        return Line(line, [str(error)])
    except (sa.exc.IntegrityError, sa.exc.DataError) as error:
        twice = getattr(error.orig, "sqlstate", None) == "23505"
        return Line(line, ["there is one like it already" if twice else "a value cannot be stored"])


def _words(error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(str(part) for part in one['loc']) or 'line'}: {one['msg']}"
        for one in error.errors()
    ]


def _also_wrong(model: type[BaseModel], row: Row) -> list[str]:
    """What is wrong with the cells that could be read, so that people mend a line once."""
    said = {name: value for name, value in row.items() if name in model.model_fields}
    try:
        model.model_validate(said)
    except ValidationError as error:
        return [one for one in _words(error) if one.partition(":")[0] in said]
    return []


def _enter_row(entering: Entering, kind: Kind, row: Row, land: _Land) -> Handed | None:
    sort = _SORTS[kind]
    if "crop_zone_id" in sort.model.model_fields:
        row["crop_zone_id"] = land.zone_id(row)
    else:
        row["field_id"] = land.field_id(row)
    made = {name: value for name, value in row.items() if value is not None}
    asked = sort.model.model_validate(made)
    if not land.holds(asked):
        raise ValueError("it is of no field of this farm")
    with entering.connection.begin_nested():
        return sort.write(entering, asked)


def _crop_zone(entering: Entering, asked: Any) -> None:
    records.enter_crop_zone(entering.connection, asked, entering.by)


def _irrigation(entering: Entering, asked: Any) -> None:
    records.enter_irrigation(entering.connection, asked, entering.by, entering.now)


def _load(entering: Entering, asked: Any) -> None:
    records.enter_load(entering.connection, asked, entering.by, entering.now)


def _adjustment(entering: Entering, asked: Any) -> None:
    records.enter_adjustment(entering.connection, asked, entering.by)


def _device(entering: Entering, asked: Any) -> Handed:
    if asked.kind in GATEWAYS:
        raise ValueError("kind: a gateway is registered by itself, with its topics")
    device_id = devices.register(entering.connection, entering.farm, asked)
    issued = None
    if asked.wire_id is None and entering.gives_tokens:
        issued = credentials.issue(entering.connection, device_id, seal=entering.seal)
    return Handed(device_id, issued)


_OF_ZONE = frozenset({"field", "season", "crop"})
_SORTS: Mapping[Kind, _Sort] = {
    "crop-zones": _Sort(
        CropZoneIn, _crop_zone, distinct=frozenset({"season", "crop", "planted", "harvested"})
    ),
    "irrigation-events": _Sort(
        IrrigationIn, _irrigation, distinct=frozenset({"started_at", "ended_at", "volume_m3"})
    ),
    "harvest-loads": _Sort(
        LoadIn, _load, _OF_ZONE, distinct=frozenset({"ticket", "weighed_at", "net_kg"})
    ),
    "adjustments": _Sort(
        AdjustmentIn, _adjustment, _OF_ZONE, distinct=frozenset({"volume_m3", "u_volume_m3"})
    ),
    "devices": _Sort(
        DeviceOfFarm,
        _device,
        no_columns=frozenset({"topic_filters"}),
        distinct=frozenset({"kind"}),
    ),
}
