"""One batch: decoded, checked, judged and stored in one transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from ingest import plausibility
from ingest.codecs import ASKS_FOR_DEVICE, Registry
from ingest.codecs.lorawan import counter_modulus, memory_key
from ingest.messages import Decoded, Reading, Rejected, TrackPoint, from_us
from ingest.outcomes import Message, Outcome, Receipt
from ingest.plausibility.streams import Judged, Streams
from storage import devices, heard, intervals, news, readings, rejected, senders, tracks, unknown
from storage.devices import Device, StreamKey
from storage.quantities import CATALOGUE, Kind
from storage.readings import Quality
from storage.unknown import Sighting


class _Row(NamedTuple):
    """A row-to-be and the message it came in."""

    message: int
    device: str
    item: Reading | TrackPoint
    quality: int


# What to do, in the batch's transaction, with what was refused.
Keep = Callable[[sa.Connection, Sequence[rejected.RejectedMessage]], None]


class Kept(NamedTuple):
    """What the line remembers from batch to batch."""

    registry: Registry
    devices: dict[str, Device]
    streams: dict[StreamKey, int]
    memory: dict[str, Any]
    series: Streams
    keep: Keep


class Batch:
    """One batch in one transaction."""

    def __init__(self, connection: sa.Connection, messages: Sequence[Message], kept: Kept) -> None:
        self._connection = connection
        self._messages = messages
        self._registry, self._devices, self._streams, self._memory, self._series, self._keep = kept
        self._opened: dict[StreamKey, int] = {}
        self._judged: tuple[np.ndarray[Any, Any], Judged, np.ndarray[Any, Any]] | None = None
        self._conflicts = 0
        self._lags_us: list[np.ndarray[Any, Any]] = []

    def store(self) -> Outcome:
        decoded = self._decoded()
        self._look_up({one.device for one in decoded if one.device is not None})
        decoded = [self._with_profile(m, d) for m, d in zip(self._messages, decoded, strict=True)]
        self._note_strangers(decoded)
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
        self._note_heard(decoded, stored)
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

    def committed(self) -> None:
        """Remember what holds only now that the batch is committed."""
        self._streams.update(self._opened)
        if self._judged is not None:
            self._series.keep(*self._judged)

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

    def _note_strangers(self, decoded: list[Decoded]) -> None:
        """Who is not registered waits in a list; an operator may claim it."""
        sightings = []
        for message, one in zip(self._messages, decoded, strict=True):
            if one.device is not None and one.device not in self._devices:
                heard = from_us(message.received_at_us)
                sightings.append(Sighting(one.device, message.topic, 1, heard, heard))
        unknown.note(self._connection, sightings)

    def _with_profile(self, message: Message, decoded: Decoded) -> Decoded:
        """Some messages are read by what is known of their device: its profile, its time zone."""
        device = self._devices.get(decoded.device or "")
        if device is None or (device.profile is None and device.timezone is None):
            return decoded
        asks = any(problem.reason in ASKS_FOR_DEVICE for problem in decoded.rejected)
        # A network's own decoder may know a part of what the profile reads.
        by_profile = device.profile is not None and (decoded.device or "").startswith("lora:")
        if not asks and not by_profile:
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
        for (name, boot), numbers in sorted(undated.items()):
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
        ids = self._opened_for({key for key in keys if key not in self._streams})
        table = np.empty(len(rows), readings.DTYPE)
        table["datastream_id"] = [ids[key] for key in keys]
        table["time"] = [row.item.time for row in rows]
        table["value"] = [row.item.value for row in rows if isinstance(row.item, Reading)]
        table["quality"] = [row.quality for row in rows]
        table["received_at"] = [self._messages[row.message].received_at_us for row in rows]
        self._series.look_up(self._connection, table)
        judged = self._series.judge(table)
        table["quality"] |= judged.flags
        new, _, self._conflicts = readings.store(self._connection, table)
        self._judged = table, judged, new
        self._note_judgement(judged, int(table["received_at"].max()))
        self._lags_us.append((table["received_at"] - table["time"])[new])
        news.note_readings(self._connection, table["datastream_id"][new], table["time"][new])
        return Counter(row.message for row, is_new in zip(rows, new, strict=True) if is_new)

    def _opened_for(self, keys: set[StreamKey]) -> Mapping[StreamKey, int]:
        """Ids of all datastreams, those of the new keys too."""
        if not keys:
            return self._streams
        profiles = {
            device.id: device.profile or self._memory.get(memory_key(device.wire_id or ""))
            for device in self._devices.values()
        }
        moduli = {
            key: modulus
            for key in keys
            if CATALOGUE[key.quantity].kind is Kind.COUNTER
            and (modulus := counter_modulus(profiles.get(key.device_id), key.quantity, key.channel))
        }
        in_order = sorted(keys, key=repr)
        self._opened = devices.open_datastreams(self._connection, in_order, moduli)
        return self._streams | self._opened

    def _note_judgement(self, judged: Judged, received_at_us: int) -> None:
        """What the batch says of readings that were stored before, and of what lies between."""
        ids, times = judged.spikes
        if len(ids):
            readings.flag(self._connection, ids, times, Quality.SPIKE)
            news.note_readings(self._connection, ids, times)  # its days were computed with it
        intervals.note_gaps(self._connection, judged.gaps, now=from_us(received_at_us))

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

    def _note_heard(self, decoded: list[Decoded], stored: Counter[int]) -> None:
        last = {}
        for index in sorted(index for index, new in stored.items() if new):
            device = self._devices[decoded[index].device or ""]
            last[device.id] = self._messages[index].received_at_us
        heard.note(self._connection, last)

    def _keep_rejected(self, decoded: list[Decoded], problems: list[list[Rejected]]) -> None:
        records = [
            record(message, one.device, found)
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
        contiguous = devices.note_all_committed(
            self._connection,
            {
                key: [number for i in sent[key] if (number := decoded[i].seq) is not None]
                for key in sorted(sent)
            },
        )
        receipts = []
        for (device, boot), seq in sorted(contiguous.items()):
            indexes = sent[device, boot]
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


def record(
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
