"""A report's figures made again of its bundle, by the same code, in a database of their own."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import sqlalchemy as sa

from analytics import daily
from reports.bundle import forms, scope
from reports.bundle.opening import BadBundle, Bundle
from reports.statements import manifest, statement
from reports.statements.ground import Ground
from reports.statements.statement import Statement
from storage import database, evidence_copies, evidence_rows, farms, results
from storage.evidence_copies import NotTaken
from storage.evidence_rows import ARRIVAL, ENTERED, Row, microseconds

# An empty, migrated database that is nobody else's, with room for so many bytes, and gone when the
# block ends.
Fresh = Callable[[int], AbstractContextManager[sa.Engine]]
OnStep = Callable[[str], object]
# What an analysis reads and a statement does not; other tables refer to none of it.
ANALYSED = frozenset(
    {
        "field_boundaries",
        "device_placements",
        "datastream_calibrations",
        "irrigation_events",
        "harvest_loads",
        "baseline_seasons",
        "non_routine_adjustments",
    }
)
# Of a row with its part of the index and of the write-ahead log.
ROW_BYTES = dict(zip(forms.MEASURED, (250, 500), strict=True))


class Cut(NamedTuple):
    """What was known when, and up to which moment days are over."""

    known_at: dt.datetime
    now: dt.datetime


class Again(NamedTuple):
    """A statement that was made again."""

    content: Mapping[str, Any]  # as JSON has it
    digests: Mapping[int, str]  # of what each crop zone's result rests on
    entered: Mapping[int, str]  # of what people entered about each crop zone
    failed: Mapping[str, str]  # farms that could not be computed, and why
    ground: Ground  # that its figures rest on


def made(
    bundle: Bundle,
    report: Mapping[str, Any],
    cut: Cut,
    dropped: set[int],
    fresh: Fresh,
    on_step: OnStep,
) -> Again:
    """Make a report's statement again of what was known at a time.

    Parameters
    ----------
    dropped : set of int
        Crop zones of which what the service computed is taken as it is.

    Raises
    ------
    BadBundle
        If rows of the bundle are none that a database takes, or make no such report.
    """
    room = sum(bundle.count(file) * size for file, size in ROW_BYTES.items())
    with fresh(room) as engine:
        try:
            with engine.begin() as connection:
                database.take_time(connection)
                _put(connection, bundle, cut, dropped, on_step)
        except NotTaken as error:
            raise BadBundle(f"its rows are none that a database takes: {error}") from error
        with engine.begin() as connection:
            known = [farms.of_id(connection, row[0]) for row in bundle.rows("farms", ["id"])]
        on_step("computing the seasons again")
        done = daily.analyze(engine, known, now=cut.now)
        on_step("making the statement")
        with engine.begin() as connection:
            made = _statement(connection, report)
            zones = [row[0] for row in bundle.rows("crop_zones", ["id"])]
            standing = results.standing(connection, zones)
    content = json.loads(manifest.canonical(made.content))
    return Again(
        content,
        {zone: one.input_digest for zone, one in standing.items()},
        {zone: one.entered_digest or "" for zone, one in standing.items()},
        done.failed,
        made.ground,
    )


def _statement(connection: sa.Connection, report: Mapping[str, Any]) -> Statement:
    try:
        asked = scope.asked_of(report)
        return statement.of(connection, asked, as_of=database.clock(connection))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise BadBundle(f"its rows make no such report: {error!r}") from error


def _put(
    connection: sa.Connection, bundle: Bundle, cut: Cut, dropped: set[int], on_step: OnStep
) -> None:
    evidence_copies.begin(connection, complete_since=bundle.complete_since if dropped else None)
    for name in ENTERED:
        names = [one.name for one in evidence_rows.columns(name)]
        known = bundle.rows(name)
        if name in ANALYSED:
            known = _known_at(cut.known_at, names, known)
        evidence_copies.put(connection, name, known)
    for name in ("season_results", "balance_days") if dropped else ():
        names = [one.name for one in evidence_rows.columns(name)]
        zone = names.index("crop_zone_id")
        kept = (row for row in bundle.rows(name) if row[zone] in dropped)
        evidence_copies.put(connection, name, kept)
    arrived = microseconds(cut.known_at + ARRIVAL)
    for file, parts in (
        (forms.MEASURED[0], bundle.readings()),
        (forms.MEASURED[1], bundle.points()),
    ):
        on_step(f"putting {bundle.count(file):,} rows of {file}")
        for part in parts:
            chosen = part[part["received_at"] <= arrived]
            if file == forms.MEASURED[0]:
                evidence_copies.put_readings(connection, chosen)
            else:
                evidence_copies.put_points(connection, bundle.devices, chosen)


def _known_at(moment: dt.datetime, names: Sequence[str], found: Iterator[Row]) -> Iterator[Row]:
    """Rows that had been entered by then, as they stood."""
    entered = names.index("created_at") if "created_at" in names else None
    withdrawn = names.index("withdrawn_at") if "withdrawn_at" in names else None
    by = names.index("withdrawn_by") if "withdrawn_by" in names else None
    for row in found:
        if entered is not None and row[entered] > moment:
            continue
        stands = withdrawn is not None and row[withdrawn] is not None and row[withdrawn] > moment
        yield (
            tuple(None if place in {withdrawn, by} else one for place, one in enumerate(row))
            if stands
            else row
        )
