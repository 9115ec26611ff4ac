"""A recorded season: its farm, fields and devices, and what the devices said.

A recording is a folder of ``season.toml`` (site, crop, soil, fields, devices), ``readings.csv``
(``time,device,quantity,depth_cm,value``) and ``irrigation.csv`` (applications as entered).
"""

from __future__ import annotations

import csv
import datetime as dt
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from seeds.messages import Outgoing, Sender
from storage import devices, farms, fields, irrigation
from storage.irrigation import IrrigationEvent
from storage.quantities import CATALOGUE

RECORDS_A_PACK = 100


class RecordingError(ValueError):
    """The folder is no recording; the message names file, line and column."""


class Recording(NamedTuple):
    """A season as it was recorded."""

    season: Mapping[str, Any]
    senders: list[Sender]
    irrigation: list[dict[str, str]]


def read(folder: Path) -> Recording:
    """Read a recording; RecordingError says what is wrong with it, and where."""
    path = folder / "season.toml"
    try:
        season = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise RecordingError(f"{path} is missing: a recording has one") from None
    except tomllib.TOMLDecodeError as error:
        raise RecordingError(f"{path}: {error}") from error
    for table in ("farm", "site", "season", "crop", "soil", "fields", "devices"):
        if table not in season:
            raise RecordingError(f"{path}: [{table}] is missing")
    slug = season["farm"]["slug"]
    meters = {field.get("meter"): field["name"] for field in season["fields"]}
    packs = _packs(folder / "readings.csv", {one["name"] for one in season["devices"]})
    senders = [
        Sender(
            f"{slug}-{one['name']}",
            one["kind"],
            one["name"],
            meters.get(one["name"]),
            packs.get(one["name"], []),
        )
        for one in season["devices"]
    ]
    return Recording(season, senders, list(_rows(folder / "irrigation.csv")))


def _packs(path: Path, known: set[str]) -> dict[str, list[Outgoing]]:
    records: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line, row in enumerate(_rows(path), start=2):
        where = f"{path}, line {line}"
        if row["device"] not in known:
            raise RecordingError(f"{where}, device: {row['device']!r} is not in season.toml")
        if row["quantity"] not in CATALOGUE:
            raise RecordingError(f"{where}, quantity: {row['quantity']!r} is unknown")
        depth = f"/{row['depth_cm']}" if row["depth_cm"] else ""
        try:
            moment = dt.datetime.fromisoformat(row["time"])
            record = {
                "n": row["quantity"] + depth,
                "t": int(moment.timestamp()),
                "v": float(row["value"]),
            }
        except ValueError as error:
            raise RecordingError(f"{where}: {error}") from error
        records[row["device"]].append(record)
    return {
        device: [
            Outgoing("senml", rows[cut : cut + RECORDS_A_PACK])
            for cut in range(0, len(rows), RECORDS_A_PACK)
        ]
        for device, rows in records.items()
    }


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(newline="") as file:
            yield from csv.DictReader(file)
    except FileNotFoundError:
        raise RecordingError(f"{path} is missing: a recording has one") from None


def register(connection: sa.Connection, recording: Recording) -> None:
    """Make the farm, its fields, crop zones, devices and entered irrigation; safe to repeat."""
    season, site = recording.season, recording.season["site"]
    slug = season["farm"]["slug"]
    farm_id = farms.put(
        connection,
        slug,
        name=season["farm"]["name"],
        timezone=site["timezone"],
        latitude_deg=site["latitude_deg"],
        longitude_deg=site["longitude_deg"],
        elevation_m=site["elevation_m"],
    )
    field_ids = {
        one["name"]: _register_field(connection, farm_id, one, season) for one in season["fields"]
    }
    for sender in recording.senders:
        devices.put(
            connection,
            sender.device_id,
            farm_id=farm_id,
            field_id=field_ids.get(sender.field or ""),
            kind=sender.device_kind,
            name=sender.name,
            sensor_height_m=(
                site["wind_height_m"] if sender.device_kind == "weather-station" else None
            ),
        )
    source = f"recording {slug}"
    irrigation.add_events(
        connection, [_event(row, field_ids, source) for row in recording.irrigation]
    )


def _register_field(
    connection: sa.Connection, farm_id: int, field: Mapping[str, Any], season: Mapping[str, Any]
) -> int:
    field_id = fields.put(
        connection,
        farm_id=farm_id,
        name=field["name"],
        area_ha=field["area_ha"],
        area_source="stated by the recording",
        soil=dict(season["soil"]),
        soil_source="stated by the recording",
    )
    span = season["season"]
    conventions = {"event_timing": span.get("event_timing", "start-of-day"), "drainage": "after-et"}
    fields.put_zone(
        connection,
        field_id=field_id,
        season=span["end"].year,
        crop=season["crop"]["name"],
        planted=span["start"],
        harvested=span["end"],
        area_ha=field["area_ha"],
        irrigation_method="as recorded",
        application_efficiency=None,
        wetted_fraction=None,
        crop_parameters=dict(season["crop"]),
        conventions=conventions,
    )
    return field_id


def _event(row: dict[str, str], field_ids: Mapping[str, int], source: str) -> IrrigationEvent:
    return IrrigationEvent(
        field_ids[row["field"]],
        dt.datetime.fromisoformat(row["start"]),
        dt.datetime.fromisoformat(row["end"]),
        float(row["volume_m3"]),
        float(row["wetted_fraction"]),
        float(row["efficiency"]),
        source,
    )
