"""Whether a report's figures follow from its bundle, and from the inputs that it has digests of."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from analytics.daily.plans import METHOD_VERSION
from reports.bundle import comparing, forms, recomputing, scope
from reports.bundle.comparing import Compared, Difference
from reports.bundle.opening import Bundle
from reports.bundle.recomputing import Again, Cut, Fresh, OnStep
from reports.statements import heads
from reports.statements.figures import moment
from reports.statements.filing import CODE
from reports.statements.findings import Finding
from storage.evidence_rows import ENTERED, microseconds

NAMED = 20  # differences at most that are named one by one


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
    again = recomputing.made(bundle, report, Cut(at, at), dropped, fresh, on_step)
    found = comparing.compare(report, again.content)
    newest = max((one.computed_at for one in stood), default=at)
    if found.differences and newest < at:
        # Of what came after the results were computed nothing is in the figures.
        earlier = Cut(newest, _evening(bundle, stood) or newest)
        before = recomputing.made(bundle, report, earlier, dropped, fresh, on_step)
        compared = comparing.compare(report, before.content)
        if not compared.differences:
            yield from _said(bundle, report, compared, before, stood)
            yield _older(bundle, stood, newest, at)
            yield from _of_dropped(bundle, dropped)
            return
    yield from _said(bundle, report, found, again, stood)
    yield from _of_dropped(bundle, dropped)


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


def _older(bundle: Bundle, stood: Sequence[Stood], newest: dt.datetime, at: dt.datetime) -> Finding:
    """That the figures are honest, and old."""
    last = max(one.computed_to or dt.date.min for one in stood)
    counts = _later(bundle, newest)
    came = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return Finding(
        "open",
        "The figures are older than what is below them: they follow from what was known on "
        f"{newest:%Y-%m-%d %H:%M} UTC, of days up to {last}. Until {at:%Y-%m-%d %H:%M} UTC "
        f"{came or 'other days'} came that no analysis had seen.",
    )


def _later(bundle: Bundle, moment: dt.datetime) -> dict[str, int]:
    """How much arrived, or was entered, after a moment."""
    after = microseconds(moment)
    readings, points = (
        sum(int((part["received_at"] > after).sum()) for part in parts)
        for parts in (bundle.readings(), bundle.points())
    )
    entered = sum(
        row[0] > moment
        for name in ENTERED
        if "created_at" in forms.form(forms.table(name)).names
        for row in bundle.rows(name, ["created_at"])
    )
    return {"readings": readings, "track points": points, "records": entered}


# --- in words -------------------------------------------------------------------------------------


def _said(
    bundle: Bundle,
    report: Mapping[str, Any],
    found: Compared,
    again: Again,
    stood: Sequence[Stood],
) -> Iterator[Finding]:
    for farm, why in again.failed.items():
        yield Finding("refuted", f"The figures of {farm} cannot be made of the bundle: {why}.")
    yield _differ(report, found.differences) if found.differences else _same(found)
    yield from _window(report, again)
    yield from _inputs(bundle, report, again, stood)
    devices = scope.counts_devices(report)
    if others := comparing.inputs(report, again.content, devices=devices):
        yield Finding(
            "open",
            f"These are not as they were when the report was filed: {', '.join(others)}. What is "
            "changed in place has no earlier version; the book of deeds says who changed it.",
        )


def _window(report: Mapping[str, Any], again: Again) -> Iterator[Finding]:
    """Whether the report names entries of all the time that its figures rest on."""
    evidence = heads.of_manifest(report)
    if evidence is None:
        return
    start, end = map(dt.datetime.fromisoformat, (evidence.start, evidence.end))
    ground = again.ground
    if start > ground.start or end < ground.end:
        yield Finding(
            "open",
            f"The report names entries with rows of {evidence.start} to {evidence.end} alone, and "
            f"its figures rest on those of {moment(ground.start)} to {moment(ground.end)}: that "
            "none was left out was not proved.",
        )


def _same(found: Compared) -> Finding:
    if not found.figures:
        return Finding("proved", "The report has no figure, and of its bundle none is made.")
    exactly = "to the last digit"
    if found.rounded:
        exactly = (
            f"{found.rounded} of them but for the last digits (1e-9 of each), which processors "
            "round otherwise"
        )
    return Finding(
        "proved",
        f"All {found.figures} figures, their coverage and methods, were made again of the bundle "
        f"and are the same, {exactly}.",
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


def _inputs(
    bundle: Bundle, report: Mapping[str, Any], again: Again, stood: Sequence[Stood]
) -> Iterator[Finding]:
    """Whether every result rests on the very inputs that it was computed of."""
    signed = {one["id"]: one["digest"] for one in report["content"]["inputs"]["season_results"]}
    zone_of = {one.id: one.crop_zone_id for one in stood}
    # By results and not by their zones: a bundle may lack a result, or have two of one zone.
    made = {one: again.digests.get(zone) for one, zone in zone_of.items()}
    others = {one for one, digest in signed.items() if made.get(one) != digest}
    if not signed:
        return
    if same := len(signed) - len(others):
        yield Finding(
            "proved",
            f"{same} of {len(signed)} seasons were made of the very inputs that they were computed "
            "of, measured and entered: the report has their digests.",
        )
    entered = {
        one
        for one in others & zone_of.keys()
        if _entered_alike(bundle, zone_of[one], signed[one], again)
    }
    if entered:
        yield Finding(
            "proved",
            f"{len(entered)} of {len(signed)} seasons rest on the very records that were entered, "
            "and on readings that add up otherwise in the last digits: the database of the service "
            "adds up hours in another order.",
        )
    if wrong := len(others) - len(entered):
        yield Finding(
            "open",
            f"{wrong} of {len(signed)} seasons were made of inputs whose digest is not the one in "
            "the report: something was entered otherwise, or arrived, since they were computed.",
        )


def _entered_alike(bundle: Bundle, zone: int, signed: str, again: Again) -> bool:
    """Whether a digest is of the days that the service had, and of what the bundle has entered."""
    asked = ["crop_zone_id", "day", "input_digest"]
    days = [(day, digest) for one, day, digest in bundle.rows("balance_days", asked) if one == zone]
    if not days:
        return False
    _, last = max(days)
    entered = again.entered.get(zone, "")
    return entered != "" and hashlib.sha256(last + entered.encode()).hexdigest() == signed


def _of_dropped(bundle: Bundle, dropped: set[int]) -> Iterator[Finding]:
    if dropped:
        yield Finding(
            "open",
            f"{len(dropped)} crop zones were not computed again: their season began before "
            f"{bundle.complete_since:%Y-%m-%d}, and the service says that it dropped the readings "
            "of before then. What it had computed of them was taken as it is.",
        )
