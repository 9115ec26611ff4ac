"""A measurement's database that is kept in a folder, to be asked again in a quieter minute."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from embedded.children import ChildError

Report = dict[str, Any]


class OtherFarms(ChildError):
    """The folder keeps a database of another number of farms."""


class Kept(NamedTuple):
    """What stands in a kept database."""

    farms: int
    seeded: Report  # how the farms got there
    readings: int | None  # None while readings are being put in


def find(folder: Path, farms: int) -> Kept | None:
    """What the folder keeps; nothing is kept in a new one.

    Raises
    ------
    OtherFarms
        If it is not of so many farms.
    """
    file = _file(folder)
    if not file.exists():
        return None
    kept = Kept(**json.loads(file.read_text()))
    if kept.farms != farms:
        raise OtherFarms(
            f"{folder} keeps the database of {kept.farms} farms: ask for --farms {kept.farms}, "
            "or name another folder."
        )
    return kept


def note(folder: Path, kept: Kept) -> None:
    """Say what stands in the folder's database now."""
    file = _file(folder)
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(kept._asdict()))
    beside.replace(file)


def _file(folder: Path) -> Path:
    return folder / "kept.json"
