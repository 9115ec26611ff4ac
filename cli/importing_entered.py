"""Files that people keep of a farm: boundaries, crops, water, adjustments, devices."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.speaking import author, fail, note, say, trouble

if TYPE_CHECKING:
    import sqlalchemy as sa

    from entry.lines import Lines
    from entry.places import Boundaries
    from ingest.imports import Imported
    from seeds.services import Services
    from storage.credentials import Issued
    from storage.farms import Farm

_BOUNDARIES = {".geojson", ".json", ".kml", ".kmz"}
_MOST_BYTES = 64 << 20


def chosen(paths: Sequence[Path], kind: str | None) -> dict[Path, str]:
    """Those of the paths that are such files, with what they are; ``kind`` says so of all."""
    from cli.importing import ENTERED

    found: dict[Path, str] = {}
    for path in paths:
        told = _kind_of(path) if kind is None else kind
        if told in ENTERED:
            found[path] = str(told)
    return found


def run(
    services: Services,
    farm: Farm,
    files: Mapping[Path, str],
    *,
    tokens: Path | None,
    name_property: str | None,
    dry: bool,
) -> list[dict[str, Any]]:
    """Import each of the files, whole or not at all; a row of ``ingest.imports`` for each.

    A file may name what one before it brings: a dry run does all of them, and takes all back.
    """
    if tokens is not None:
        _check_tokens(tokens, files)
    rows = []
    with services.engine.connect() as connection:
        whole = connection.begin() if dry else None
        for path, kind in files.items():
            try:
                content = _content(path)
                with connection.begin() if whole is None else connection.begin_nested():
                    if kind == "boundaries":
                        made = _boundaries(connection, farm, path, content, name_property)
                    else:
                        made = _lines(services, connection, farm, path, kind, content, tokens, dry)
            except (OSError, ValueError) as error:
                made = _refused(path, kind, [trouble(error)])
            rows.append(made.as_row())
        if whole is not None:
            whole.rollback()
    return rows


def _check_tokens(tokens: Path, files: Mapping[Path, str]) -> None:
    tables = list(files.values()).count("devices")
    if tables != 1:
        fail(f"--tokens takes those of one table of devices, and {tables or 'none'} was named.")
    if tokens.exists():
        fail(f"{tokens} is there already; tokens are written to a new file.")


def _kind_of(path: Path) -> str | None:
    from entry import lines

    if path.suffix.lower() in _BOUNDARIES:
        return "boundaries"
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return None
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                named = [one.lower() for one in archive.namelist()]
        except zipfile.BadZipFile:
            return None  # said by who reads it
        return "boundaries" if any(one.endswith((".shp", ".kml")) for one in named) else None
    if path.suffix.lower() not in {".csv", ".txt"}:
        return None
    told = lines.kind_of(path.read_bytes())
    return None if told == "harvest-loads" else told


def _boundaries(
    connection: sa.Connection,
    farm: Farm,
    path: Path,
    content: bytes,
    name_property: str | None,
) -> Imported:
    from entry import places

    found: Boundaries = places.store(
        connection, farm.id, content, by=author(), name_property=name_property
    )
    errors = [
        f"{path.name}, place {one.number} ({one.name or 'no name'}): {error}"
        for one in found.refused
        for error in one.errors
    ]
    if errors:
        return _refused(path, "boundaries", errors)
    details = {"kind": found.kind, "places": len(found.places), "stored": found.stored}
    note(connection, "field.import", f"farm:{farm.slug}", farm.id, details)
    of_action = [one.action for one in found.places]
    return _imported(
        path,
        "boundaries",
        "fields",
        new=sum(one != "same boundary" for one in of_action),
        known=of_action.count("same boundary"),
        notes=[f"{one.name} {warning}" for one in found.places for warning in one.warnings],
        details=[
            {
                "line": one.number,
                "field": one.name,
                "is": one.action,
                "area_ha": round(one.area_ha or 0.0, 2),
            }
            for one in found.places
        ],
    )


def _content(path: Path) -> bytes:
    """A file; of a task data set, whatever stands for it, all files that may refer to another."""
    if not path.is_dir() and path.name.lower() != "taskdata.xml":
        return path.read_bytes()
    folder = path if path.is_dir() else path.parent
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", strict_timestamps=False) as archive:
        for one in sorted(folder.rglob("*") if path.is_dir() else folder.iterdir()):
            if one.suffix.lower() == ".xml" and one.is_file():
                archive.write(one, one.relative_to(folder))
    return made.getvalue()


def _lines(
    services: Services,
    connection: sa.Connection,
    farm: Farm,
    path: Path,
    kind: Any,
    content: bytes,
    tokens: Path | None,
    dry: bool,
) -> Imported:
    from entry import lines
    from entry.lines import Entering
    from storage.sealing import Seal

    seal = Seal.from_environment()
    gives = services.embedded is not None or seal is not None
    now = dt.datetime.now(dt.UTC)
    entering = Entering(connection, farm, author(), now, seal, gives)
    found = lines.store(entering, kind, content)
    if found.wrong:
        told = [f"{path.name}, line {w.line}: {error}" for w in found.wrong for error in w.errors]
        return _refused(path, kind, told)
    notes = []
    if kind == "devices":
        notes = _hand_out(connection, farm, found, tokens, gives=gives, dry=dry)
    else:
        details = {"kind": kind, "lines": len(found.lines), "stored": found.stored}
        note(connection, "records.import", f"farm:{farm.slug}", farm.id, details)
    return _imported(path, kind, kind.replace("-", " "), new=len(found.lines), notes=notes)


def _hand_out(
    connection: sa.Connection,
    farm: Farm,
    found: Lines,
    tokens: Path | None,
    *,
    gives: bool,
    dry: bool,
) -> list[str]:
    """Write tokens into the file; what people have to know. Nothing stands before that is done."""
    for one in found.handed:
        note(connection, "device.register", f"device:{one.device_id}", farm.id, {})
    issued = [(one.device_id, one.issued) for one in found.handed if one.issued is not None]
    if not issued:
        own = "your broker decides who may connect: give each an account there"
        return [] if gives else [own]
    if tokens is None:
        raise ValueError(
            "its devices get tokens, which are shown once: say where, by --tokens FILE"
        )
    _write_tokens(tokens, issued)
    if dry:  # it could be written, and what is in it is worth nothing
        tokens.unlink()
    else:
        say(f"The tokens of {len(issued)} devices are in {tokens}, which only you can read.")
    return []


def _write_tokens(tokens: Path, issued: Sequence[tuple[str, Issued]]) -> None:
    """A new file that its owner alone can read; none is left where it could not be written."""
    from api import installer

    rows = [installer.told(device_id, token).model_dump() for device_id, token in issued]
    opened = os.open(tokens, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(opened, "w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    except OSError:
        tokens.unlink()
        raise


def _imported(path: Path, kind: str, unit: str, **values: Any) -> Imported:
    from ingest.imports import Imported

    values = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return Imported(str(path), kind, unit=unit, **values)


def _refused(path: Path, kind: str, errors: Sequence[str]) -> Imported:
    from ingest.imports import Imported

    return Imported(str(path), kind, "refused", errors=tuple(errors))
