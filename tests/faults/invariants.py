"""What has to hold after each fault, asked of the database and of the harness's own ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from storage import sequence_gaps
from storage.rejected import KEPT_PER_DEVICE
from tests import hashed_again
from tests.faults.devices import UNDATED, Key, Said, read_pack

MEMORY_BYTES = 300 * 2**20
OVERDUE = dt.timedelta(minutes=20)  # a hole that old is told, however the clock stands


class Violation(AssertionError):
    """The service broke its promise; the message says which, and how."""


class Flood(NamedTuple):
    """Distinct messages of one device that nobody can read."""

    device: str
    messages: int


_FOUND = sa.text("""
    SELECT quantity || CASE WHEN depth_cm IS NULL THEN '' ELSE '/' || depth_cm END AS name,
           (extract(epoch FROM time) * 1000)::bigint AS time_ms, value
      FROM readings JOIN datastreams ON datastreams.id = datastream_id
     WHERE device_id = :device
       AND (CAST(:times AS bigint[]) IS NULL
            OR time = ANY(SELECT to_timestamp(one / 1000.0)
                            FROM unnest(CAST(:times AS bigint[])) AS one))
""")
_COUNT = sa.text("""
    SELECT count(*) FROM readings JOIN datastreams ON datastreams.id = datastream_id
     WHERE device_id = :device
""")


def _stored(
    connection: sa.Connection, device: str, times_ms: Iterable[int] | None
) -> list[tuple[Key, float]]:
    times = None if times_ms is None else sorted(set(times_ms))
    rows = connection.execute(_FOUND, {"device": device, "times": times})
    return [(Key(row.name, row.time_ms), row.value) for row in rows if row.name != UNDATED]


def receipted_is_stored(connection: sa.Connection, device: Said, keys: list[Key]) -> int:
    """Everything that a receipt covers is in the database, with its value; may be asked any time.

    Readings dated ahead are covered too: those were refused, which is checked apart.
    """
    wanted = [key for key in keys if key not in device.future]
    if strange := [key for key in wanted if key not in device.ledger]:
        raise Violation(f"{device.name} sent what it never measured: {strange[:3]}")
    found = dict(_stored(connection, device.name, (key.time_ms for key in wanted)))
    for key in wanted:
        if found.get(key) != device.ledger[key]:
            raise Violation(
                f"{device.name} has a receipt for {key} = {device.ledger[key]}; stored is "
                f"{found.get(key)}"
            )
    return len(wanted)


def as_many_as_measured(connection: sa.Connection, device: Said) -> None:
    """Nothing lost or doubled, by the count alone: quick, so it is asked after each fault."""
    count = connection.execute(_COUNT, {"device": device.name}).scalar_one()
    measured = len(device.ledger) + device.undated
    if count != measured:
        raise Violation(f"{device.name} measured {measured} readings; stored are {count}")


def ledger_is_stored(connection: sa.Connection, device: Said) -> None:
    """Reading for reading: no more, no less, no other value."""
    rows = _stored(connection, device.name, None)
    found = dict(rows)
    if len(found) != len(rows):
        raise Violation(f"{device.name} has {len(rows) - len(found)} readings twice")
    if found != device.ledger:
        differing = sorted(found.items() ^ device.ledger.items())
        raise Violation(f"{device.name}: stored or measured, not both: {differing[:4]}")


def not_yet_stored(connection: sa.Connection, sender: Said, owed: Mapping[Key, float]) -> set[Key]:
    """Of what somebody said once, who will not say it again, what is not there or is another."""
    found = dict(_stored(connection, sender.name, (key.time_ms for key in owed)))
    return {key for key, value in owed.items() if found.get(key) != value}


def nothing_was_invented(connection: sa.Connection, sender: Said) -> None:
    """What is stored of a sender it said, with that value, and each thing is there once."""
    rows = _stored(connection, sender.name, None)
    strange = [(key, value) for key, value in rows if sender.ledger.get(key) != value]
    if strange or len(dict(rows)) != len(rows):
        raise Violation(f"{sender.name}: stored, but not said so, or twice: {strange[:3]}")


_IN_NO_BATCH = sa.text("SELECT count(*) FROM readings WHERE batch_id IS NULL")


def batches_are_what_is_stored(connection: sa.Connection) -> None:
    """Every reading is in the batch that says so, hashed as it is stored; and nothing else is."""
    if count := connection.execute(_IN_NO_BATCH).scalar_one():
        raise Violation(f"{count} readings are in no batch")
    noted, found = hashed_again.noted(connection), hashed_again.recomputed(connection)
    if noted != found:
        differing = sorted(key for key, _ in noted.items() ^ found.items())
        raise Violation(f"batches that say another thing than the table: {differing[:4]}")


def no_conflicts(connection: sa.Connection) -> None:
    """Nobody ever sent two values for one time, so none may be noted."""
    if count := connection.execute(sa.text("SELECT count(*) FROM reading_conflicts")).scalar_one():
        raise Violation(f"{count} conflicts between readings that never differed")


_REFUSED = sa.text("SELECT payload FROM rejected_messages WHERE device = :device AND reason = :why")


def future_is_quarantined(connection: sa.Connection, device: Said) -> None:
    """What is dated ahead is kept with its reason, all of it, and no other message is."""
    kept = connection.execute(_REFUSED, {"device": device.name, "why": "time-in-future"})
    found = {key for payload in kept.scalars() for key in read_pack(bytes(payload))}
    if missing := device.future - found:
        raise Violation(f"{device.name}: nothing tells of {sorted(missing)[:3]}, dated ahead")
    if strange := found - device.future - device.ledger.keys():
        raise Violation(f"{device.name}: quarantined what was never sent: {sorted(strange)[:3]}")
    others = connection.scalars(
        sa.text("SELECT reason FROM rejected_messages WHERE device = :device"),
        {"device": device.name},
    )
    if reasons := set(others) - {"time-in-future"}:
        raise Violation(f"{device.name}: good messages were refused: {sorted(reasons)}")


_KEPT = sa.text("SELECT count(*) FROM rejected_messages WHERE device = :d")
_COUNTED = sa.text("SELECT coalesce(sum(messages), 0) FROM rejected_counts WHERE device = :d")


def flood_is_accounted_for(connection: sa.Connection, flood: Flood, *, once: bool) -> None:
    """Each message is kept with its reason up to the device's share, and counted beyond.

    A kept message is known again when a broker that was killed sends it once more; of those that
    are only counted nobody can know, so exact is the count only where each came ``once``.
    """
    kept = connection.execute(_KEPT, {"d": flood.device}).scalar_one()
    total = kept + connection.execute(_COUNTED, {"d": flood.device}).scalar_one()
    is_right = total == flood.messages if once else total >= flood.messages
    if kept != min(flood.messages, KEPT_PER_DEVICE) or not is_right:
        raise Violation(
            f"{flood.device}: {flood.messages} unreadable messages; {kept} kept, {total} known"
        )
    if count := connection.execute(_COUNT, {"device": flood.device}).scalar_one():
        raise Violation(f"{flood.device}: {count} readings out of garbage")


_NUMBERS = sa.text("""
    SELECT boot, received::text, gap_since IS NOT NULL AS has_gap
      FROM device_sequences WHERE device_id = :device
""")


def numbers_are_whole(connection: sa.Connection, device: Said) -> None:
    """Of every boot all numbers came, and none is missed."""
    found = {row.boot: row for row in connection.execute(_NUMBERS, {"device": device.name})}
    for boot, top in device.tops.items():
        row = found.get(boot)
        if row is None or row.received != f"{{[1,{top + 1})}}" or row.has_gap:
            raise Violation(f"{device.name} boot {boot} sent 1 to {top}; noted is {row}")


_ALERT = sa.text("SELECT details FROM alerts WHERE kind = 'sequence-gap' AND subject = :subject")


def holes_are_noted(
    connection: sa.Connection, device: str, boot: int, missing: Sequence[int]
) -> None:
    """The numbers that never came are known, and once they are overdue an alert names them."""
    subject = f"device:{device}/boot:{boot}"
    with connection.begin_nested() as passing:
        sequence_gaps.watch(connection, dt.datetime.now(dt.UTC) + OVERDUE)
        details = connection.execute(_ALERT, {"subject": subject}).scalar_one_or_none()
        passing.rollback()
    told = [] if details is None else details["missing"]
    named = [number for first, last in told for number in range(first, last + 1)]
    if named != list(missing):
        raise Violation(f"{subject} misses {list(missing)}; the alert names {named}")


def no_hole_is_receipted(device: str, heard: int | None, whole_up_to: int) -> None:
    """A receipt says how far the numbers are whole, exactly: a device forgets what it covers."""
    if heard != whole_up_to:
        raise Violation(f"{device} is whole up to {whole_up_to}; the highest receipt says {heard}")


def memory_is_bounded(peak_bytes: int) -> None:
    if peak_bytes > MEMORY_BYTES:
        raise Violation(f"dala ingest took {peak_bytes / 2**20:.0f} MB")
