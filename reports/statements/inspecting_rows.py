"""Rows held against the batches that were sealed of a farm."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from evidence import entries
from evidence import rows as hashing
from evidence.entries import KINDS, Batch
from evidence.merkle import ProofError
from storage import evidence, sealed_rows
from storage.batches import NO_FARM, Kind
from storage.evidence import StoredEntry
from storage.sealed_rows import Held, Series

Array = np.ndarray[Any, Any]

NAMED = 20  # misfits that are told one by one
ROWS_TOGETHER = 200_000
_LINES = {"readings": hashing.READINGS, "track_points": hashing.POINTS}
_NAMES = {"readings": "readings", "track_points": "track points"}
_KINDS: tuple[Kind, ...] = ("readings", "track_points")


@dataclass
class Inspected:
    """What was looked at, and what does not fit."""

    heads: int = 0
    entries: int = 0
    batches: int = 0
    rows: int = 0  # that are as they were sealed
    dropped: int = 0  # of batches of which retention dropped rows: they cannot be told any more
    waiting: int = 0  # rows that carry the number of a batch that is not sealed yet
    unhashed: int = 0  # rows from before batches were hashed
    misfits: list[str] = field(default_factory=list)  # the first of them, in words
    count: int = 0  # of all

    def tell(self, words: str) -> None:
        """Note what does not fit."""
        self.count += 1
        if len(self.misfits) < NAMED:
            self.misfits.append(words)


class Known(NamedTuple):
    """Batches of a kind that a farm's entries are of, by number."""

    ids: Array
    first_us: Array  # between which times their rows are
    last_us: Array


def inspect_farm(
    connection: sa.Connection,
    farm_id: int | None,
    found: Inspected,
    *,
    began: dt.datetime,
    since: dt.datetime | None,
    on_progress: Callable[[int], None],
) -> None:
    """Look at all that was sealed of a farm, and at all that it has.

    Parameters
    ----------
    began
        When the first seal was: rows that arrived later carry the number of a batch.
    since
        Readings from before then may have been dropped.
    """
    of = {
        kind: sealed_rows.series(connection, kind, farm_id, anybodys=farm_id is None)
        for kind in _KINDS
    }
    known: dict[Kind, list[Known]] = {kind: [] for kind in _KINDS}
    name = "devices without a farm"
    for one in evidence.entries_at(connection, evidence.places_of(connection, farm_id)):
        name = one.farm or name
        for kind, batches in _records(one, found).items():
            known[kind].append(_known(one, batches))
            for few in _together(batches):
                _digests(connection, one, of[kind], few, found, since)
        found.entries += 1
        on_progress(1)
    if farm_id is None:  # a device may have been given to a farm since: its sweep knows of these
        return
    for kind in _KINDS:
        _sweep(connection, of[kind], farm_id, name, known[kind], found, began)


def _records(one: StoredEntry, found: Inspected) -> dict[Kind, list[Batch]]:
    """The records of an entry by kind; none where they are not those that were sealed."""
    try:
        said = entries.of_batches(
            one.seal, one.sealed_at, one.farm, one.batches, one.first_at, one.last_at
        )
        if said.hash() != one.leaf:
            raise ProofError("it says otherwise than what was sealed")
    except ProofError as error:
        found.tell(f"Entry {one.position} (seal {one.seal}, {_farm(one)}) was changed: {error}.")
        return {}
    records: dict[Kind, list[Batch]] = {kind: [] for kind in _KINDS}
    for batch in entries.unpacked(one.batches):
        records[_KINDS[batch.kind]].append(batch)
    return {kind: batches for kind, batches in records.items() if batches}


def _known(one: StoredEntry, batches: Sequence[Batch]) -> Known:
    ids = np.array([batch.id for batch in batches], np.int64)
    return Known(ids, np.full(len(ids), _us(one.first_at)), np.full(len(ids), _us(one.last_at)))


def _together(batches: Sequence[Batch]) -> Iterator[Sequence[Batch]]:
    """Batches, so many that their rows fit into memory at once."""
    few: list[Batch] = []
    count = 0
    for batch in batches:
        if few and count + batch.rows > ROWS_TOGETHER:
            yield few
            few, count = [], 0
        few.append(batch)
        count += batch.rows
    if few:
        yield few


def _digests(
    connection: sa.Connection,
    one: StoredEntry,
    of: Series,
    batches: Sequence[Batch],
    found: Inspected,
    since: dt.datetime | None,
) -> None:
    asked = np.array([batch.id for batch in batches], np.int64)
    ids, rows = sealed_rows.rows(connection, of, asked, one.first_at, one.last_at)
    order = hashing.in_order(ids, rows)
    ids, rows = ids[order], rows[order]
    made = hashing.digests(_LINES[of.kind], ids, rows)
    size = hashing.DIGEST_BYTES
    there = {
        int(batch): (int(count), made.digests[place * size : (place + 1) * size])
        for place, (batch, count) in enumerate(zip(made.groups, made.row_counts, strict=True))
    }
    is_dropped = since is not None and of.kind == "readings" and one.first_at < since
    for batch in batches:
        count, digest = there.get(batch.id, (0, b""))
        found.batches += 1
        if (count, digest) == (batch.rows, batch.digest):
            found.rows += count
        elif is_dropped and count < batch.rows:
            found.dropped += batch.rows
        else:
            rows_of = rows[ids == batch.id]
            found.tell(_misfit(one, of, batch, rows_of))


def _misfit(one: StoredEntry, of: Series, batch: Batch, rows: Array) -> str:
    """A batch whose rows are others than those that were sealed, and where to look."""
    kind = _NAMES[of.kind]
    words = (
        f"Batch {batch.id} of {_farm(one)} (seal {one.seal}, entry {one.position}): "
        f"{batch.rows} {kind} were sealed, "
    )
    if not len(rows):
        between = f"{_written(_us(one.first_at))} to {_written(_us(one.last_at))}"
        return f"{words}none of them is there; the entry's are from {between}."
    labels = dict(zip(of.names.tolist(), of.labels, strict=True))
    series = sorted({labels[name] for name in rows["name"].tolist()})
    more = f" and {len(series) - 5} more" if len(series) > 5 else ""
    where = (
        f"of {', '.join(series[:5])}{more}, from {_written(int(rows['time'].min()))} to "
        f"{_written(int(rows['time'].max()))}"
    )
    if len(rows) == batch.rows:
        return f"{words}and as many are there, but one at least is another ({where})."
    return f"{words}{len(rows)} are there ({where})."


def _sweep(
    connection: sa.Connection,
    of: Series,
    farm_id: int,
    name: str,
    known: Sequence[Known],
    found: Inspected,
    began: dt.datetime,
) -> None:
    """Look for rows of a farm that no sealed batch of it accounts for."""
    sealed = _merged([*known, *_of_no_farm(connection, of.kind)])
    waiting = sealed_rows.waiting(connection, of.kind, [farm_id, NO_FARM])
    for held in sealed_rows.swept(connection, of):
        hashed = held.batches != 0
        _unhashed(held, name, of.kind, found, _us(began))
        is_waiting = np.isin(held.batches, waiting)
        found.waiting += int(held.counts[hashed & is_waiting].sum())
        places = np.searchsorted(sealed.ids, held.batches).clip(max=max(len(sealed.ids) - 1, 0))
        is_known = np.zeros(len(held.batches), bool)
        fits = is_known.copy()
        if len(sealed.ids):
            is_known = sealed.ids[places] == held.batches
            fits = is_known & (held.first_us >= sealed.first_us[places])
            fits &= held.last_us <= sealed.last_us[places]
        for place in np.flatnonzero(hashed & ~is_waiting & ~fits).tolist():
            between = f"{_written(held.first_us[place])} and {_written(held.last_us[place])}"
            of_entry = places[place]
            why = (
                f"whose entry is of {_written(sealed.first_us[of_entry])} to "
                f"{_written(sealed.last_us[of_entry])}: one at least was added"
                if is_known[place]
                else "which no entry of it is of: they were added"
            )
            found.tell(
                f"{held.counts[place]} {_NAMES[of.kind]} of {name} between {between} carry the "
                f"number of batch {held.batches[place]}, {why}."
            )


def _unhashed(held: Held, name: str, kind: Kind, found: Inspected, began_us: int) -> None:
    for place in np.flatnonzero(held.batches == 0).tolist():
        if held.arrived_us[place] > began_us + 60_000_000:  # arrivals are told to the minute's end
            found.tell(
                f"{_NAMES[kind].capitalize()} of {name} between {_written(held.first_us[place])} "
                f"and {_written(held.last_us[place])} carry no batch, and one at least says that "
                f"it arrived at {_written(held.arrived_us[place])}, when all were hashed: it was "
                "added, or its batch taken away."
            )
        else:
            found.unhashed += int(held.counts[place])


def _of_no_farm(connection: sa.Connection, kind: Kind) -> Iterator[Known]:
    """Batches from before a device had its farm, which are whole in themselves."""
    for one in evidence.entries_at(connection, evidence.places_of(connection, None)):
        try:
            batches = [each for each in entries.unpacked(one.batches) if KINDS[each.kind] == kind]
        except ProofError:  # told where the entry itself is looked at
            continue
        yield _known(one, batches)


def _merged(known: Sequence[Known]) -> Known:
    if not known:
        nothing = np.empty(0, np.int64)
        return Known(nothing, nothing, nothing)
    ids, first, last = (np.concatenate(columns) for columns in zip(*known, strict=True))
    order = np.argsort(ids)
    return Known(ids[order], first[order], last[order])


def _farm(one: StoredEntry) -> str:
    return one.farm or "devices without a farm"


def _us(at: dt.datetime) -> int:
    return (at - dt.datetime.fromtimestamp(0, dt.UTC)) // dt.timedelta(microseconds=1)


def _written(time_us: int) -> str:
    try:
        at = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=int(time_us))
    except OverflowError:
        return "a time that no calendar has"
    return entries.moment(at)
