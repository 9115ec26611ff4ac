"""Many crop zones, irrigation events or weighed loads at once, from CSV.

A line is what the single write takes, checked by the same model and entered by the same function;
in place of an id it may name the field, and for a load the season and crop.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ValidationError

from api.dependencies import Deeds, FarmSlug, Now, Transaction, WhoAsks
from api.entering import WholeBody, said
from api.errors import RequestProblem, problem
from api.idempotency import Once
from api.models_entered import CropZoneIn, IrrigationIn, LineRead, LinesRead, LoadIn
from api.routes import crop_zones, harvest, irrigation
from api.security.guard import needs
from storage import farms, fields
from storage.database import NotFound
from storage.fields import CropZone, Field

router = APIRouter(tags=["records"])

MOST_LINES = 5_000
Kind = Literal["irrigation-events", "harvest-loads"]

_MODELS: Mapping[str, type[BaseModel]] = {
    "crop-zones": CropZoneIn,
    "irrigation-events": IrrigationIn,
    "harvest-loads": LoadIn,
}
_DOCUMENTS = {"crop_parameters", "conventions"}


_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "field,started_at,ended_at,volume_m3\n"
                "field-1,2025-06-12T06:00:00+05:00,2025-06-12T18:00:00+05:00,3200\n",
            }
        },
    }
}
DryRun = Annotated[bool, Query(description="report line by line, and keep nothing")]


@router.post(
    "/farms/{farm}/crop-zones",
    dependencies=[needs("write:farms")],
    response_model=LinesRead,
    openapi_extra=_FILE,
)
def import_crop_zones(
    farm: FarmSlug,
    connection: Transaction,
    now: Now,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
    content: WholeBody,
    dry_run: DryRun = False,
) -> Response:
    """Enter the crops of many fields: CSV of field, season, crop, planted, harvested …

    All lines are stored or none; a dry run reports what is wrong with each.
    """
    return once.answer(
        lambda: _import(connection, farm, "crop-zones", content, now, who.actor, deeds, dry_run)
    )


@router.post(
    "/farms/{farm}/records",
    dependencies=[needs("write:records")],
    response_model=LinesRead,
    openapi_extra=_FILE,
)
def import_records(
    farm: FarmSlug,
    kind: Annotated[Kind, Query(description="what the lines are")],
    connection: Transaction,
    now: Now,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
    content: WholeBody,
    dry_run: DryRun = False,
) -> Response:
    """Enter many irrigation events or weighed loads from CSV.

    All lines are stored or none; a dry run reports what is wrong with each.
    """
    return once.answer(
        lambda: _import(connection, farm, kind, content, now, who.actor, deeds, dry_run)
    )


def _import(
    connection: sa.Connection,
    farm: str,
    kind: str,
    content: bytes,
    now: dt.datetime,
    by: str,
    deeds: Deeds,
    dry_run: bool,
) -> Response:
    of = farms.get(connection, farm)
    rows = _rows(content, _MODELS[kind])
    land = _Land(connection, of.id)
    with connection.begin_nested() as whole:
        lines = [
            LineRead(line=line, errors=_enter(connection, kind, row, land, now, by))
            for line, row in rows
        ]
        wrong = sum(bool(one.errors) for one in lines)
        if dry_run or wrong:
            whole.rollback()
    stored = 0 if dry_run or wrong else len(lines)
    body = LinesRead(
        kind=kind,
        dry_run=dry_run,
        lines=len(lines),
        stored=stored,
        refused=wrong,
        problems=[one for one in lines if one.errors],
    )
    details = {"kind": kind, "lines": len(lines), "stored": stored, "dry_run": dry_run}
    deeds.note("records.import", f"farm:{farm}", farm_id=of.id, details=details)
    if wrong and not dry_run:
        words = f"{wrong} of {len(lines)} lines are wrong; nothing was stored."
        return problem(422, words, kind="lines-refused", **body.model_dump(include={"problems"}))
    return said(body)


def _rows(content: bytes, model: type[BaseModel]) -> list[tuple[int, dict[str, Any]]]:
    try:
        text = content.decode("utf-8-sig")
        table = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = [name.strip() for name in next(table, [])]
        known = {*model.model_fields, "field"} | ({"season", "crop"} if model is LoadIn else set())
        _check_header(header, known)
        rows = []
        for cells in table:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise RequestProblem(
                    f"line {table.line_num}: {len(cells)} cells, the header has {len(header)}."
                )
            row = {n: c.strip() for n, c in zip(header, cells, strict=True) if c.strip()}
            rows.append((table.line_num, row))
            if len(rows) > MOST_LINES:
                raise RequestProblem(f"more than {MOST_LINES} lines; send them in parts.")
    except (UnicodeDecodeError, csv.Error) as error:
        raise RequestProblem(f"The body is no CSV in UTF-8: {error}.") from error
    if not rows:
        raise RequestProblem("there is no line below the header.")
    return rows


def _check_header(header: list[str], known: set[str]) -> None:
    if not header:
        raise RequestProblem("the body is empty.")
    for name in header:
        if name not in known or header.count(name) > 1:
            reason = "stands twice" if name in known else "is unknown"
            columns = ", ".join(sorted(known))
            raise RequestProblem(f"column {name[:60]!r} {reason}; there are {columns}.")


class _Land:
    """Fields and crop zones of the farm, by which lines name them."""

    def __init__(self, connection: sa.Connection, farm_id: int) -> None:
        self.fields: dict[str, Field] = {
            one.name: one for one in fields.of_farm(connection, farm_id)
        }
        self.zones: list[tuple[Field, CropZone]] = fields.zones(connection, farm_id=farm_id)
        self._ids = {one.id for one in self.fields.values()}

    def field_id(self, row: dict[str, Any]) -> Any:
        name = row.pop("field", None)
        if name is None:
            return row.get("field_id")
        if name not in self.fields:
            known = ", ".join(sorted(self.fields)[:8]) or "none"
            raise ValueError(f"field: there is no field {name[:100]!r} on the farm ({known})")
        return self.fields[name].id

    def zone_id(self, row: dict[str, Any]) -> Any:
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

    def holds(self, kind: str, asked: Any) -> bool:
        if kind == "harvest-loads":
            return asked.crop_zone_id in {zone.id for _, zone in self.zones}
        return asked.field_id in self._ids


def _enter(
    connection: sa.Connection,
    kind: str,
    row: dict[str, Any],
    land: _Land,
    now: dt.datetime,
    by: str,
) -> list[str]:
    """Enter a line; what is wrong with it."""
    try:
        _enter_line(connection, kind, row, land, now, by)
    except ValidationError as error:
        return [
            f"{'.'.join(str(part) for part in one['loc']) or 'line'}: {one['msg']}"
            for one in error.errors()
        ]
    except NotFound as error:
        return [f"there is no {error.args[0]}"]
    except (RequestProblem, ValueError) as error:
        return [str(error)]
    except (sa.exc.IntegrityError, sa.exc.DataError) as error:
        twice = getattr(error.orig, "sqlstate", None) == "23505"
        return ["there is one like it already" if twice else "a value cannot be stored"]
    return []


def _enter_line(
    connection: sa.Connection,
    kind: str,
    row: dict[str, Any],
    land: _Land,
    now: dt.datetime,
    by: str,
) -> None:
    if kind == "harvest-loads":
        row["crop_zone_id"] = land.zone_id(row)
    else:
        row["field_id"] = land.field_id(row)
    asked: Any = _MODELS[kind].model_validate(_documents(row))
    if not land.holds(kind, asked):
        raise ValueError("it is of no field of this farm")
    with connection.begin_nested():
        if kind == "crop-zones":
            crop_zones.enter(connection, asked, by)
        elif kind == "irrigation-events":
            irrigation.enter(connection, asked, by, now)
        else:
            harvest.enter(connection, asked, by, now)


def _documents(row: dict[str, Any]) -> dict[str, Any]:
    """Cells of JSON as what they say."""
    made = {name: value for name, value in row.items() if value is not None}
    for name in _DOCUMENTS & set(made):
        made[name] = _json(name, made[name])
    return made


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: no JSON: {error}") from None
