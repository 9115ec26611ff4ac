"""A report's figures made again of its bundle, by the same code, in a database of their own."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from analytics import daily
from analytics.daily.plans import METHOD_VERSION
from reports.bundle import comparing, forms, scope
from reports.bundle.comparing import Compared, Difference
from reports.bundle.opening import BadBundle, Bundle
from reports.statements import manifest, statement
from reports.statements.filing import CODE
from reports.statements.findings import Finding
from storage import database, evidence_rows, farms, results
from storage.evidence_rows import ARRIVAL, ENTERED, NotTaken, Row

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
NAMED = 20  # differences at most that are named one by one


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


class Stood(NamedTuple):
    """A crop zone's result as the service had it."""

    id: int
    crop_zone_id: int
    input_digest: str
    computed_to: dt.date | None
    computed_at: dt.datetime


def findings(
    bundle: Bundle,
    report: Mapping[str, Any],
    fresh: Fresh,
    *,
    on_step: OnStep = lambda _words: None,
) -> Iterator[Finding]:
    """Make the figures of a report again, and say which are the same.

    Raises
    ------
    BadBundle
        If rows of the bundle are none that a database takes.
    """
    stood = [Stood(*row) for row in bundle.rows("season_results", Stood._fields)]
    dropped = _dropped(bundle)
    at = scope.as_of(report)
    again = _made(bundle, report, Cut(at, at), dropped, fresh, on_step)
    found = comparing.compare(report, again.content)
    newest = max((one.computed_at for one in stood), default=at)
    if found.differences and newest < at:
        # Of what came after the results were computed nothing is in the figures.
        earlier = Cut(newest, _evening(bundle, stood) or newest)
        before = _made(bundle, report, earlier, dropped, fresh, on_step)
        compared = comparing.compare(report, before.content)
        if not compared.differences:
            yield from _said(report, compared, before, stood)
            yield Finding(
                "open",
                f"The figures are older than what is below them: they follow from what was known "
                f"on {newest:%Y-%m-%d %H:%M} UTC, and {_later(bundle, newest)} came between then "
                f"and {at:%Y-%m-%d %H:%M} UTC that no analysis had seen.",
            )
            yield from _of_dropped(bundle, dropped)
            return
    yield from _said(report, found, again, stood)
    yield from _of_dropped(bundle, dropped)


# --- what is put into the database, and made of it ------------------------------------------------


def _made(
    bundle: Bundle,
    report: Mapping[str, Any],
    cut: Cut,
    dropped: set[int],
    fresh: Fresh,
    on_step: OnStep,
) -> Again:
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
            try:
                asked = scope.asked_of(report)
                made = statement.of(connection, asked, as_of=database.clock(connection))
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                raise BadBundle(f"its rows make no such report: {error!r}") from error
            zones = [row[0] for row in bundle.rows("crop_zones", ["id"])]
            standing = results.standing(connection, zones)
    content = json.loads(manifest.canonical(made.content))
    return Again(
        content,
        {zone: one.input_digest for zone, one in standing.items()},
        {zone: one.entered_digest or "" for zone, one in standing.items()},
        done.failed,
    )


def _put(
    connection: sa.Connection, bundle: Bundle, cut: Cut, dropped: set[int], on_step: OnStep
) -> None:
    evidence_rows.begin(connection, complete_since=bundle.complete_since if dropped else None)
    for name in ENTERED:
        names = [one.name for one in evidence_rows.columns(name)]
        known = bundle.rows(name)
        if name in ANALYSED:
            known = _known_at(cut.known_at, names, known)
        evidence_rows.put(connection, name, known)
    for name in ("season_results", "balance_days") if dropped else ():
        names = [one.name for one in evidence_rows.columns(name)]
        zone = names.index("crop_zone_id")
        kept = (row for row in bundle.rows(name) if row[zone] in dropped)
        evidence_rows.put(connection, name, kept)
    arrived = _microseconds(cut.known_at + ARRIVAL)
    for file, parts in (
        (forms.MEASURED[0], bundle.readings()),
        (forms.MEASURED[1], bundle.points()),
    ):
        on_step(f"putting {bundle.count(file):,} rows of {file}")
        for part in parts:
            chosen = part[part["received_at"] <= arrived]
            if file == forms.MEASURED[0]:
                evidence_rows.put_readings(connection, chosen)
            else:
                evidence_rows.put_points(connection, bundle.devices, chosen)


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


def _dropped(bundle: Bundle) -> set[int]:
    """Crop zones whose readings the service dropped: of them what it computed stands."""
    since = bundle.complete_since
    if since is None:
        return set()
    known = bundle.rows("crop_zones", ["id", "season", "planted"])
    computed = {row[0] for row in bundle.rows("season_results", ["crop_zone_id"])}
    return {zone for zone, _, planted in known if planted <= since.date() and zone in computed}


def _evening(bundle: Bundle, stood: Sequence[Stood]) -> dt.datetime | None:
    """The end of the last day that the results are of, where the farms are."""
    days = [one.computed_to for one in stood if one.computed_to is not None]
    zones = [ZoneInfo(row[0]) for row in bundle.rows("farms", ["timezone"])]
    if not days or not zones:
        return None
    end = dt.datetime.combine(max(days) + dt.timedelta(days=1), dt.time())
    return max(end.replace(tzinfo=zone) for zone in zones)


def _later(bundle: Bundle, moment: dt.datetime) -> str:
    """How much arrived, or was entered, after a moment."""
    after = _microseconds(moment)
    measured = [
        sum(int((part["received_at"] > after).sum()) for part in parts)
        for parts in (bundle.readings(), bundle.points())
    ]
    entered = sum(
        row[0] > moment
        for name in ENTERED
        if "created_at" in forms.form(forms.table(name)).names
        for row in bundle.rows(name, ["created_at"])
    )
    return f"{measured[0]} readings, {measured[1]} track points and {entered} records"


def _microseconds(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1e6)


# --- in words -------------------------------------------------------------------------------------


def _said(
    report: Mapping[str, Any], found: Compared, again: Again, stood: Sequence[Stood]
) -> Iterator[Finding]:
    for farm, why in again.failed.items():
        yield Finding("refuted", f"The figures of {farm} cannot be made of the bundle: {why}.")
    if found.differences:
        yield _differ(report, found.differences)
    else:
        near = (
            f"{found.rounded} of them but for the last digits (1e-9 of each), which processors "
            "round otherwise"
        )
        yield Finding(
            "proved",
            f"All {found.figures} figures, their coverage and methods, were made again of the "
            f"bundle and are the same{', ' + near if found.rounded else ', to the last digit'}.",
        )
    yield from _inputs(report, again, stood)
    devices = scope.counts_devices(report)
    if others := comparing.records(report, again.content, devices=devices):
        yield Finding(
            "open" if not found.differences else "refuted",
            f"Records are not as they were when the report was filed: {', '.join(others)}. Such "
            "ones are changed in place; the book of deeds says by whom.",
        )


def _differ(report: Mapping[str, Any], differences: Sequence[Difference]) -> Finding:
    named = "; ".join(one.words for one in differences[:NAMED])
    more = f"; and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
    words = f"{len(differences)} figures do not follow from the bundle: {named}{more}."
    if report["code"] == CODE:
        return Finding("refuted", words)
    versions = {one["version"] for one in report["content"]["methods"]}
    if versions <= {METHOD_VERSION}:
        return Finding("refuted", f"{words} The method is of the same version.")
    other = report["code"]["version"], sorted(versions - {METHOD_VERSION})
    return Finding(
        "open",
        f"{words} They were made by another version of the program ({other[0]}, method "
        f"{', '.join(other[1])}; this one has method {METHOD_VERSION}): check with that one.",
    )


def _inputs(report: Mapping[str, Any], again: Again, stood: Sequence[Stood]) -> Iterator[Finding]:
    """Whether every result rests on the very inputs that it was computed of."""
    signed = {one["id"]: one["digest"] for one in report["content"]["inputs"]["season_results"]}
    zone_of = {one.id: one.crop_zone_id for one in stood}
    same = sum(again.digests.get(zone_of.get(one, 0)) == digest for one, digest in signed.items())
    if not signed:
        return
    if same == len(signed):
        yield Finding(
            "proved",
            f"All {same} seasons were made of the very inputs that they were computed of, measured "
            "and entered: the report has their digests.",
        )
    else:
        yield Finding(
            "open",
            f"{len(signed) - same} of {len(signed)} seasons were made of inputs whose digest is "
            "not the one in the report: something was entered otherwise, or arrived, since they "
            "were computed, or hours of readings were added up in another order.",
        )


def _of_dropped(bundle: Bundle, dropped: set[int]) -> Iterator[Finding]:
    if dropped:
        yield Finding(
            "open",
            f"{len(dropped)} crop zones were not computed again: their season began before "
            f"{bundle.complete_since:%Y-%m-%d}, and the service says that it dropped the readings "
            "of before then. What it had computed of them was taken as it is.",
        )
