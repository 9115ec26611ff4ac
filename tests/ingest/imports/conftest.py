"""A farm on the steppe whose files a test writes itself."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingest import imports
from ingest.imports import Asked, Imported
from ingest.messages import to_us
from storage.farms import Farm
from tests.reports.machine_farm import put_farm, put_field, put_zone

NOW = dt.datetime(2025, 10, 1, 12, tzinfo=dt.UTC)


class Steppe:
    """A farm with the field west, 2 ha of spring wheat, and a folder of files."""

    def __init__(self, engine: sa.Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        with engine.begin() as connection:
            self.farm: Farm = put_farm(connection)
            self.field = put_field(connection, self.farm, "west")
            self.zone = put_zone(connection, self.field)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def runs(self, *paths: Path, dry: bool = False, **asked: Any) -> list[Imported]:
        known = Asked(self.farm, self.farm.timezone, to_us(NOW))._replace(**asked)
        return imports.run(self.engine, paths or [self.folder], known, dry=dry)

    def imports(self, name: str, content: str | bytes, **asked: Any) -> Imported:
        """Write one file and import it."""
        (made,) = self.runs(self.write(name, content), **asked)
        return made

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]


@pytest.fixture
def steppe(empty_engine: sa.Engine, tmp_path: Path) -> Steppe:
    return Steppe(empty_engine, tmp_path)
