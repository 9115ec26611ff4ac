"""From rows to the signed head: what of a bundle's rows was stored when a report says.

Rows give digests of batches, batches the root of an entry, entries leaves, leaves the parts of the
tree that the report's proof is of. The report's own check takes it from there to the signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import rfc8785

from evidence import entries, rows
from evidence.merkle import ProofError
from reports.bundle import forms
from reports.bundle.entries_proved import Known, sealed
from reports.bundle.opening import BadBundle, Bundle
from reports.statements import heads
from reports.statements.findings import Finding
from storage.arrival import MINUTE_US
from storage.readings import USABLE_BELOW

Array = np.ndarray[Any, Any]
NAMED = 5  # batches at most that are named one by one


class Seen(NamedTuple):
    """Rows of one kind against what was sealed."""

    proved: int  # rows
    not_sealed: int  # rows that no entry of the report is of
    beside: int  # rows of farms that the report is not of
    unhashed: int  # rows from before batches were hashed
    slipped: int  # rows of no batch that say they arrived when all were hashed
    others: Sequence[str]  # batches whose rows are not those that were stored


def findings(bundle: Bundle, report: Mapping[str, Any]) -> Iterator[Finding]:
    """What the rows of a bundle are, against the evidence of its report."""
    evidence = heads.of_manifest(report)
    if evidence is None:
        words = "The report carries no evidence: that its rows are those that were stored was not "
        yield Finding("open", f"{words}proved.")
        return
    try:
        known, began_us = sealed(bundle, evidence)
    except ProofError as error:
        yield Finding("refuted", f"The bundle's entries are not those of the report: {error}.")
        return
    yield Finding(
        "proved",
        f"The report's {evidence.leaves} entries of the tree are in the bundle, none left out or "
        f"added, with {len(known)} batches.",
    )
    within = _within(bundle, report)
    for kind, of in enumerate((_readings(bundle), _points(bundle))):
        yield from _rows(kind, of, known, within, began_us)
    yield from _missing(known)
    yield from _marked(bundle)


class _Part(NamedTuple):
    """Rows as the digests are made of them, with the batch and the farm of each."""

    batch_ids: Array
    farms: Array  # places in the list of slugs
    rows: Array  # of evidence.rows
    slugs: Sequence[str]


def _readings(bundle: Bundle) -> Iterator[_Part]:
    farm_of, slugs = _farms(bundle)
    asked = ["id", "device_id", "quantity", "depth_cm", "channel"]
    streams = sorted(bundle.rows("datastreams", asked), key=lambda one: int(one[0]))
    ids = np.array([one[0] for one in streams], np.int64)
    try:
        names = np.array([rows.name_of_stream(*one[1:]) for one in streams], rows.NAME)
    except rfc8785.CanonicalizationError as error:
        raise BadBundle(f"a datastream has no name that could be hashed: {error}") from error
    if any(one[1] not in farm_of for one in streams):
        raise BadBundle("a datastream is of a device that is not among its devices")
    farms = np.array([farm_of[one[1]] for one in streams], np.int64)
    for part in bundle.readings():
        places = np.searchsorted(ids, part["datastream_id"])
        yield _Part(part["batch_id"], farms[places], rows.of_readings(names[places], part), slugs)


def _points(bundle: Bundle) -> Iterator[_Part]:
    farm_of, slugs = _farms(bundle)
    names = np.array([rows.name_of_device(one) for one in bundle.devices], rows.NAME)
    farms = np.array([farm_of[one] for one in bundle.devices], np.int64)
    for part in bundle.points():
        places = part["device"]
        yield _Part(part["batch_id"], farms[places], rows.of_points(names[places], part), slugs)


def _farms(bundle: Bundle) -> tuple[dict[str, int], list[str]]:
    """The place of each device's farm in a list of slugs."""
    farms = list(bundle.rows("farms", ["id", "slug"]))
    place = {one[0]: number for number, one in enumerate(farms)}
    known = list(bundle.rows("devices", ["id", "farm_id"]))
    if any(one[1] not in place for one in known):
        raise BadBundle("a device is of a farm that is not among its farms")
    return {one[0]: place[one[1]] for one in known}, [one[1] for one in farms]


def _whole_batches(parts: Iterable[_Part]) -> Iterator[_Part]:
    """The same rows, cut where a batch ends."""
    held: _Part | None = None
    for part in parts:
        if not len(part.batch_ids):
            continue
        whole = part if held is None else _joined(held, part)
        if (np.diff(whole.batch_ids) < 0).any():
            raise BadBundle("its rows do not stand in the order of their batches")
        cut = int(np.searchsorted(whole.batch_ids, whole.batch_ids[-1]))
        if whole.batch_ids[-1] == 0:  # those that no batch has may be many, and are not hashed
            cut = len(whole.batch_ids)
        if cut:
            yield _cut(whole, slice(0, cut))
        held = _cut(whole, slice(cut, None)) if cut < len(whole.batch_ids) else None
    if held is not None:
        yield held


def _joined(one: _Part, other: _Part) -> _Part:
    count = len(one.batch_ids)
    joined = np.empty(count + len(other.batch_ids), one.rows.dtype)
    joined[:count], joined[count:] = one.rows, other.rows  # numpy would join them in native order
    return _Part(
        np.concatenate([one.batch_ids, other.batch_ids]),
        np.concatenate([one.farms, other.farms]),
        joined,
        other.slugs,
    )


def _cut(part: _Part, rows_of: slice) -> _Part:
    return _Part(part.batch_ids[rows_of], part.farms[rows_of], part.rows[rows_of], part.slugs)


def _within(bundle: Bundle, report: Mapping[str, Any]) -> set[str]:
    """Farms that a report is of: the bundle of an area's has all others, too."""
    area = report["subject"]["area"]
    is_one = "farm" in report["subject"]
    known = bundle.rows("farms", ["slug", "region_code"])
    return {slug for slug, code in known if is_one or (code or area).startswith(area)}


def _rows(
    kind: int, parts: Iterable[_Part], known: Known, within: set[str], began_us: int | None
) -> Iterator[Finding]:
    """Rows against what was sealed of their batches; what is left in ``known`` had no rows."""
    proved = not_sealed = beside = unhashed = slipped = 0
    others: list[str] = []
    gone = 0
    for part in _whole_batches(parts):
        if began_us is not None:
            arrived_us = part.rows["received_at"][part.batch_ids == 0]
            slipped += int((arrived_us > began_us + MINUTE_US).sum())
        for batch, farm, count, digest in _digests(kind, part):
            if batch == 0:
                unhashed += count
                continue
            if farm not in within:
                beside += count
                continue
            expected = known.pop((kind, batch, farm), None)
            if expected is None:
                not_sealed += count
            elif expected.batch.digest == digest and expected.batch.rows == count:
                proved += count
            elif expected.may_be_dropped and count < expected.batch.rows:
                gone += expected.batch.rows - count
                not_sealed += count
            else:
                stored = expected.batch.rows
                words = "other rows" if count == stored else f"{count} rows of {stored}"
                others.append(f"batch {batch} of {farm} ({words})")
    seen = Seen(proved, not_sealed, beside, unhashed - slipped, slipped, others)
    yield from _said(kind, seen, gone)


def _digests(kind: int, part: _Part) -> Iterator[tuple[int, str, int, bytes]]:
    groups = part.batch_ids * len(part.slugs) + part.farms
    is_hashed = part.batch_ids != 0
    if not is_hashed.all():
        yield 0, "", int((~is_hashed).sum()), b""
    groups, found = groups[is_hashed], part.rows[is_hashed]
    order = rows.in_order(groups, found)
    line = rows.READINGS if kind == entries.READINGS else rows.POINTS
    made = rows.digests(line, groups[order], found[order])
    for place, (group, count) in enumerate(
        zip(made.groups.tolist(), made.row_counts.tolist(), strict=True)
    ):
        batch, farm = divmod(group, len(part.slugs))
        digest = made.digests[place * rows.DIGEST_BYTES : (place + 1) * rows.DIGEST_BYTES]
        yield batch, part.slugs[farm], count, digest


_KINDS = ("readings", "track points")


def _said(kind: int, seen: Seen, gone: int) -> Iterator[Finding]:
    name = _KINDS[kind]
    if seen.others:
        more = len(seen.others) - NAMED
        named = ", ".join(seen.others[:NAMED]) + (f" and {more} more" if more > 0 else "")
        yield Finding("refuted", f"The {name} are not those that were stored: {named}.")
    elif seen.proved:
        yield Finding(
            "proved",
            f"{seen.proved} {name} are those that were stored, before the head was signed.",
        )
    if seen.slipped:
        yield Finding(
            "refuted",
            f"{seen.slipped} {name} are of no batch and say that they arrived after rows of their "
            "farms were sealed, when all were hashed: they were added, or their batch taken away.",
        )
    if seen.unhashed:
        yield Finding(
            "open",
            f"{seen.unhashed} {name} are from before readings were hashed: that nobody changed "
            "them was not proved.",
        )
    if seen.not_sealed:
        yield Finding(
            "open", f"{seen.not_sealed} {name} are of batches that the report's proof is not of."
        )
    if seen.beside:
        yield Finding(
            "open",
            f"{seen.beside} {name} are of farms outside of the area, on which what stays empty "
            "depends: the report's proof is not of them.",
        )
    if gone:
        yield _dropped(gone, name)


def _missing(known: Known) -> Iterator[Finding]:
    """Batches that no row is there of."""
    for kind, name in enumerate(_KINDS):
        left = [(key, one) for key, one in known.items() if key[0] == kind]
        lost = [f"batch {key[1]} of {key[2]}" for key, one in left if not one.may_be_dropped]
        if lost:
            more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
            words = f"{', '.join(lost[:NAMED])}{more}"
            yield Finding("refuted", f"No {name} are there of what was stored: {words}.")
        gone = sum(one.batch.rows for _, one in left if one.may_be_dropped)
        if gone:
            yield _dropped(gone, name)


def _dropped(count: int, name: str) -> Finding:
    return Finding(
        "open",
        f"{count} {name} that were stored are not there: the service says that it dropped old ones "
        "by their retention.",
    )


def _marked(bundle: Bundle) -> Iterator[Finding]:
    """Readings that figures leave out for a mark alone, which came after they were hashed."""
    count = 0
    for part in bundle.tables(forms.MEASURED[0], ["quality"]):
        quality = part.column("quality").to_numpy()
        marked = quality & rows.GIVEN_LATER != 0
        count += int((marked & (quality & ~rows.GIVEN_LATER < USABLE_BELOW)).sum())
    if count:
        yield Finding(
            "open",
            f"{count} readings are left out of the figures because they are marked as spikes. The "
            "mark is given once the next reading is there, and is in no hash: that the service "
            "gave it was not proved.",
        )
