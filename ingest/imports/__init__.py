"""Files of a farm into the database: task data, yield monitors, weather, irrigation, loads.

What a file is, its content tells. Each source is stored as a whole or not at all, by itself: after
a bad one the others go on. Importing again stores nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import sqlalchemy as sa

from analytics import spreadsheet
from analytics.tables import TableError
from ingest.imports import applications, loads, task_sets, weather, yields
from ingest.imports.results import Asked, Imported, Refused
from ingest.imports.sources import Source, find
from ingest.imports.texts import BY_HAND, KINDS, kind_of, lines_of, short
from ingest.messages import PayloadError
from storage.database import NotFound

__all__ = ["KINDS", "Asked", "Imported", "run"]

Progress = Callable[[int, int, str], None]  # sources done, all of them, the one that is next

_OF_TEXT = {
    "agleader": yields.store_ag_leader,
    "yield": yields.store_csv,
    "weather": weather.store,
    "irrigation": applications.store,
    "loads": loads.store,
}


def run(
    engine: sa.Engine,
    paths: Sequence[Path],
    asked: Asked,
    *,
    dry: bool = False,
    progress: Progress | None = None,
) -> list[Imported]:
    """Import what lies at the paths; with ``dry`` all is done and nothing is kept.

    Raises
    ------
    sqlalchemy.exc.OperationalError, psycopg.OperationalError
        If the database is away. Anything that is wrong with a source is in its result.
    """
    sources = find(paths)
    results = []
    for number, source in enumerate(sources):
        if progress is not None:
            progress(number, len(sources), short(source.name))
        results.append(_import(engine, source, asked, dry=dry))
    if progress is not None:
        progress(len(sources), len(sources), "")
    return results


def _import(engine: sa.Engine, source: Source, asked: Asked, *, dry: bool) -> Imported:
    if source.problem is not None:
        return Imported(
            source.name,
            state="skipped" if source.is_skipped else "refused",
            errors=(source.problem,),
        )
    kind = "isoxml" if source.tasks is not None else None
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            if source.tasks is not None:
                made = task_sets.store(connection, source, asked)
            else:
                lines = lines_of(source.read(source.file), short(source.name))
                kind = asked.kind or kind_of(lines, short(source.name))
                if kind in BY_HAND:
                    lines = spreadsheet.plain(lines, BY_HAND[kind])
                made = _store_text(connection, source, kind, lines, asked)
            if dry:
                transaction.rollback()
            return made
    except Refused as error:
        reasons = error.reasons
    except PayloadError as error:
        reasons = (error.detail,)
    except (TableError, NotFound, OSError) as error:
        reasons = (str(error),)
    except (sa.exc.DataError, sa.exc.IntegrityError, psycopg.DataError) as error:
        reasons = (str(getattr(error, "orig", error)).splitlines()[0],)
    return Imported(source.name, kind, "refused", errors=tuple(reasons))


def _store_text(
    connection: sa.Connection, source: Source, kind: str, lines: list[str], asked: Asked
) -> Imported:
    store = _OF_TEXT.get(kind)
    if store is None:
        raise Refused(f"{short(source.name)}: {kind} lies in a folder or a zip archive")
    return store(connection, source, lines, asked)
