"""From decoded messages to stored rows: one transaction a batch, and what to tell the devices."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import psycopg
import sqlalchemy as sa
import structlog

from ingest import plausibility
from ingest.codecs import BUILT_IN, Registry
from ingest.messages import Decoded, Reading, Rejected, TrackPoint, from_us
from ingest.outcomes import Message, Outcome, Receipt
from storage import devices, news, readings, rejected, senders, tracks
from storage.devices import Device, StreamKey

__all__ = ["Line", "Message", "Outcome", "Receipt", "is_away"]

log = structlog.get_logger()

# SQLSTATE classes: the row is at fault (54: too long for an index or a page), or the server is
# not to be had right now.
DATA_AT_FAULT = ("22", "23", "54")
SERVER_AWAY = ("08", "53", "57")


class _Row(NamedTuple):
    """A row-to-be and the message it came in."""

    message: int
    device: str
    item: Reading | TrackPoint
    quality: int


# What to do, in the batch's transaction, with what was refused.
Keep = Callable[[sa.Connection, Sequence[rejected.RejectedMessage]], None]


class Line:
    """Keeps what devices and datastreams are called in the database."""

    def __init__(
        self, engine: sa.Engine, registry: Registry = BUILT_IN, keep: Keep = rejected.add
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._keep = keep
        self._devices: dict[str, Device] = {}
        self._streams: dict[StreamKey, int] = {}
        self._memory: dict[str, Any] | None = None  # None: still to be read from the database

    def store(self, messages: Sequence[Message]) -> Outcome:
        """Store a batch and commit; a message the database refuses is found and set aside.

        Raises
        ------
        sqlalchemy.exc.DBAPIError, psycopg.Error
            If the database is away or failed for a reason that is not in the data: nothing was
            stored, and the batch may be offered again.
        """
        try:
            with self._engine.begin() as connection:
                if self._memory is None:
                    self._memory = senders.memory(connection)
                kept = _Kept(self._registry, self._devices, self._streams, self._memory, self._keep)
                batch = _Batch(connection, messages, kept)
                outcome = batch.store()
        except (sa.exc.DBAPIError, psycopg.Error) as error:
            if not _state(error).startswith(DATA_AT_FAULT):
                raise
            return self._bisect(messages, error)
        self._streams.update(batch.opened)
        return outcome

    def forget(self) -> None:
        """Look devices up anew: they may have been moved, disabled or claimed."""
        self._devices.clear()

    def _bisect(self, messages: Sequence[Message], error: Exception) -> Outcome:
        if len(messages) == 1:
            return self._set_aside(messages[0], error)
        middle = len(messages) // 2
        return self.store(messages[:middle]).with_next(self.store(messages[middle:]))

    def _set_aside(self, message: Message, error: Exception) -> Outcome:
        problem = Rejected("refused-by-database", f"SQLSTATE {_state(error)}: {_words(error)}")
        log.warning("message refused by the database", topic=message.topic, state=_state(error))
        decoded = self._registry.decode(
            message.topic,
            message.payload,
            received_at_us=message.received_at_us,
            memory=self._memory or {},
        )
        with self._engine.begin() as connection:
            self._keep(connection, [_record(message, decoded.device, [problem])])
            receipts = self._receipt_of_refused(connection, decoded, problem)
        return Outcome(receipts, 0, 0, 1, [], reasons={problem.reason: 1})

    def _receipt_of_refused(
        self, connection: sa.Connection, decoded: Decoded, problem: Rejected
    ) -> list[Receipt]:
        """It is kept with its reason, so its device may forget it; else it came for ever."""
        device = self._devices.get(decoded.device or "")
        if device is None or decoded.boot is None or decoded.seq is None:
            return []
        try:
            with connection.begin_nested():
                seq = devices.note_committed(connection, device.id, decoded.boot, [decoded.seq])
        except sa.exc.DataError:  # the number itself is what was refused
            return []
        return [Receipt(device.id, decoded.boot, seq, 0, 0, {problem.reason: 1})]


class _Kept(NamedTuple):
    """What the line remembers from batch to batch."""

    registry: Registry
    devices: dict[str, Device]
    streams: dict[StreamKey, int]
    memory: dict[str, Any]
    keep: Keep


class _Batch:
    """One batch in one transaction."""

    def __init__(self, connection: sa.Connection, messages: Sequence[Message], kept: _Kept) -> None:
        self._connection = connection
        self._messages = messages
        self._registry, self._devices, self._streams, self._memory, self._keep = kept
        self.opened: dict[StreamKey, int] = {}
        self._conflicts = 0
        self._lags_us: list[np.ndarray[Any, Any]] = []

    def store(self) -> Outcome:
        decoded = self._decoded()
        self._look_up({one.device for one in decoded if one.device is not None})
        decoded = [self._with_profile(m, d) for m, d in zip(self._messages, decoded, strict=True)]
        problems: list[list[Rejected]] = [list(one.rejected) for one in decoded]
        repeated = self._repeated_without_times(decoded)
        offered = Counter[int]()
        rows: list[_Row] = []
        for index, one in enumerate(decoded):
            checked = self._check(index, one, problems[index])
            offered[index] = len(checked)
            rows += (
                [r for r in checked if not _is_undated(r.item)] if index in repeated else checked
            )
        stored = Counter[int]()
        stored.update(self._store_readings([row for row in rows if isinstance(row.item, Reading)]))
        stored.update(self._store_points([row for row in rows if isinstance(row.item, TrackPoint)]))
        self._keep_rejected(decoded, problems)
        receipts = self._receipts(decoded, problems, offered, stored)
        reasons = Counter(problem.reason for found in problems for problem in found)
        total = stored.total()
        requests = list(dict.fromkeys(one for each in decoded for one in each.requests))
        return Outcome(
            receipts,
            total,
            offered.total() - total,
            reasons.total(),
            requests,
            sum(map(_says_something, decoded)),
            reasons,
            self._conflicts,
            tuple(self._lags_us),
        )

    def _decoded(self) -> list[Decoded]:
        """The messages in order: what one says of later ones counts for the next already."""
        found = []
        learned: dict[str, Any] = {}
        for message in self._messages:
            one = self._registry.decode(
                message.topic,
                message.payload,
                received_at_us=message.received_at_us,
                memory=self._memory,
            )
            learned |= one.learned
            self._memory.update(one.learned)  # right whether or not this batch is committed
            found.append(one)
        senders.remember(self._connection, learned)
        return found

    def _look_up(self, identities: set[str]) -> None:
        missing = [identity for identity in identities if identity not in self._devices]
        clean = [identity for identity in missing if "\x00" not in identity]
        self._devices.update(devices.by_identity(self._connection, clean))

    def _with_profile(self, message: Message, decoded: Decoded) -> Decoded:
        """Bytes of a LoRaWAN device are read by its profile, known once the device is."""
        device = self._devices.get(decoded.device or "")
        needs_one = any(problem.reason == "no-decoder" for problem in decoded.rejected)
        if device is None or not needs_one or device.profile is None:
            return decoded
        return self._registry.decode(
            message.topic,
            message.payload,
            received_at_us=message.received_at_us,
            profile=device.profile,
            timezone=device.timezone,
            memory=self._memory,
        )

    def _repeated_without_times(self, decoded: list[Decoded]) -> set[int]:
        """Messages whose number came before and that rely on the time of their arrival.

        A redelivery arrives at another time, so its readings would have another key: only the
        number tells that they are stored already.
        """
        undated: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        for index, one in enumerate(decoded):
            device = self._devices.get(one.device or "")
            if device is None or one.boot is None or one.seq is None:
                continue
            if any(map(_is_undated, one.readings)):
                undated[device.id, one.boot].append((index, one.seq))
        repeated = set()
        for (name, boot), numbers in undated.items():
            seen = devices.committed(self._connection, name, boot, [seq for _, seq in numbers])
            for index, seq in numbers:
                if seq in seen:
                    repeated.add(index)
                seen.add(seq)
        return repeated

    def _check(self, index: int, decoded: Decoded, problems: list[Rejected]) -> list[_Row]:
        if decoded.device is None or not (decoded.readings or decoded.points):
            return []
        device = self._devices.get(decoded.device)
        if device is None or device.disabled:
            problems.append(_stranger(decoded.device, disabled=device is not None))
            return []
        sifted = plausibility.sift(decoded, self._messages[index].received_at_us)
        problems += sifted.rejected[len(decoded.rejected) :]
        measured = [_Row(index, device.id, one, one.quality) for one in sifted.readings]
        return measured + [_Row(index, device.id, one, 0) for one in sifted.points]

    def _store_readings(self, rows: list[_Row]) -> Counter[int]:
        if not rows:
            return Counter()
        keys = [_stream_key(row) for row in rows]
        new_keys = {key for key in keys if key not in self._streams}
        self.opened = devices.open_datastreams(self._connection, sorted(new_keys, key=repr))
        ids = self._streams | self.opened if self.opened else self._streams
        table = np.empty(len(rows), readings.DTYPE)
        table["datastream_id"] = [ids[key] for key in keys]
        table["time"] = [row.item.time for row in rows]
        table["value"] = [row.item.value for row in rows if isinstance(row.item, Reading)]
        table["quality"] = [row.quality for row in rows]
        table["received_at"] = [self._messages[row.message].received_at_us for row in rows]
        new, _, self._conflicts = readings.store(self._connection, table)
        self._lags_us.append((table["received_at"] - table["time"])[new])
        news.note_readings(self._connection, table["datastream_id"][new], table["time"][new])
        return Counter(row.message for row, is_new in zip(rows, new, strict=True) if is_new)

    def _store_points(self, rows: list[_Row]) -> Counter[int]:
        if not rows:
            return Counter()
        names = sorted({row.device for row in rows})
        places = {name: place for place, name in enumerate(names)}
        table = np.empty(len(rows), tracks.DTYPE)
        table["device"] = [places[row.device] for row in rows]
        table["received_at"] = [self._messages[row.message].received_at_us for row in rows]
        table["quality"] = [row.quality for row in rows]
        _fill_points(table, [row.item for row in rows if isinstance(row.item, TrackPoint)])
        new = tracks.store(self._connection, names, table)
        self._lags_us.append((table["received_at"] - table["time"])[new])
        news.note_points(self._connection, names, table["device"][new], table["time"][new])
        return Counter(row.message for row, is_new in zip(rows, new, strict=True) if is_new)

    def _keep_rejected(self, decoded: list[Decoded], problems: list[list[Rejected]]) -> None:
        records = [
            _record(message, one.device, found)
            for message, one, found in zip(self._messages, decoded, problems, strict=True)
            if found
        ]
        self._keep(self._connection, records)

    def _receipts(
        self,
        decoded: list[Decoded],
        problems: list[list[Rejected]],
        offered: Counter[int],
        stored: Counter[int],
    ) -> list[Receipt]:
        sent: dict[tuple[str, int], list[int]] = defaultdict(list)
        for index, one in enumerate(decoded):
            # A message of an unknown device has no receipt: it must keep what it sent.
            if one.boot is not None and one.seq is not None and one.device in self._devices:
                sent[self._devices[one.device].id, one.boot].append(index)
        receipts = []
        for (device, boot), indexes in sorted(sent.items()):
            numbers = [number for i in indexes if (number := decoded[i].seq) is not None]
            seq = devices.note_committed(self._connection, device, boot, numbers)
            reasons = Counter(problem.reason for i in indexes for problem in problems[i])
            kept = sum(stored[i] for i in indexes)
            repeated = sum(offered[i] for i in indexes) - kept
            receipts.append(Receipt(device, boot, seq, kept, repeated, dict(reasons)))
        return receipts


def _fill_points(table: np.ndarray[Any, Any], points: list[TrackPoint]) -> None:
    columns = dict(zip(TrackPoint._fields, zip(*points, strict=True), strict=True))
    table["time"] = columns["time"]
    table["work_state"] = [-1 if state is None else state for state in columns["work_state"]]
    names = {"latitude_deg": "lat", "longitude_deg": "lon"}
    for name in tracks.NUMBERS:
        table[name] = np.array(columns[names.get(name, name)], dtype=float)  # None becomes NaN


def _says_something(one: Decoded) -> bool:
    return bool(one.readings or one.points or one.learned or one.ignored is not None)


def _is_undated(item: Reading | TrackPoint) -> bool:
    return isinstance(item, Reading) and item.time_source == "server"


def _stream_key(row: _Row) -> StreamKey:
    assert isinstance(row.item, Reading)  # noqa: S101 - narrowed by the caller
    return StreamKey(row.device, row.item.quantity, row.item.depth_cm, row.item.channel)


def _stranger(device: str, *, disabled: bool) -> Rejected:
    if disabled:
        return Rejected("device-disabled", f"{device} was disabled by an operator")
    return Rejected("unknown-device", f"{device} is not registered; register it, then send again")


def _record(
    message: Message, device: str | None, problems: Sequence[Rejected]
) -> rejected.RejectedMessage:
    reasons = list(dict.fromkeys(problem.reason for problem in problems))
    details = "; ".join(list(dict.fromkeys(problem.detail for problem in problems))[:5])
    more = f" (and {len(reasons) - 1} more reasons)" if len(reasons) > 1 else ""
    return rejected.RejectedMessage(
        device,
        message.topic,
        message.payload,
        reasons[0],
        details + more,
        from_us(message.received_at_us),
    )


def _state(error: Exception) -> str:
    original = getattr(error, "orig", error)
    if state := getattr(original, "sqlstate", None):
        return str(state)
    # Without a word of the server: the driver would not send the value, or there is no connection.
    return "22000" if isinstance(original, psycopg.DataError) else "08000"


def _words(error: Exception) -> str:
    return str(getattr(error, "orig", error)).splitlines()[0]


def is_away(error: Exception) -> bool:
    """Tell whether the database is out of reach, so that trying again is all there is to do."""
    return _state(error).startswith(SERVER_AWAY)
