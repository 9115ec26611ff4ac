"""One batch: decoded, checked, judged and stored in one transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from ingest import declared, plausibility, receipts, refusals, rows
from ingest.codecs import ASKS_FOR_DEVICE, MAX_BYTES, Registry, senml, senml_columns
from ingest.codecs.lorawan import counter_modulus, memory_key
from ingest.deliveries import Deliveries
from ingest.memory import Memory
from ingest.messages import Decoded, Reading, Rejected, from_us
from ingest.outcomes import Message, Outcome
from ingest.plausibility.streams import Judged, Streams
from ingest.receipts import Numbered
from ingest.rows import Array, Measured, Placed, Table
from storage import devices, heard, intervals, news, readings, rejected, tracks, unknown
from storage.devices import Device, StreamKey
from storage.quantities import CATALOGUE, Kind
from storage.readings import Quality
from storage.unknown import Sighting

# What to do, in the batch's transaction, with what was refused.
Keep = Callable[[sa.Connection, Sequence[rejected.RejectedMessage]], None]


class Kept(NamedTuple):
    """What the line remembers from batch to batch."""

    registry: Registry
    devices: dict[str, Device]
    streams: dict[StreamKey, int]
    names: dict[str, senml_columns.Names]  # by the identity of a device
    heard: dict[str, int]  # when each device was last noted to be there [µs since 1970]
    memory: Memory
    series: Streams
    keep: Keep
    deliveries: Deliveries | None


class Batch:
    """One batch in one transaction."""

    def __init__(self, connection: sa.Connection, messages: Sequence[Message], kept: Kept) -> None:
        self._connection = connection
        self._messages = messages
        self._kept = kept
        self._registry, self._devices, self._streams = kept.registry, kept.devices, kept.streams
        self._received_at = np.array([one.received_at_us for one in messages], np.int64)
        # Most messages are read into columns; the others, here by their place, one by one.
        self._columns = senml_columns.Rows()
        self._column_ends: list[int] = []
        self._decoded: dict[int, Decoded] = {}
        self._owners: list[str | None] = [None] * len(messages)  # ids of their devices
        self._numbered: list[Numbered] = []
        self._problems: dict[int, list[Rejected]] = defaultdict(list)
        self._offered = np.zeros(len(messages), np.int64)  # readings and points of each message
        self._opened: dict[StreamKey, int] = {}
        self._heard: dict[str, int] = {}
        self._judged: tuple[Array, Judged, Array] | None = None
        self._conflicts = 0
        self._lags_us: list[Array] = []
        self._times = np.empty(0, np.int64), np.empty(0, np.int64)  # of readings; their messages

    def store(self) -> Outcome:
        self._read()
        self._look_up({one.device for one in self._decoded.values() if one.device is not None})
        self._read_by_device()
        self._note_strangers()
        measured, placed = self._checked()
        stored = self._store_readings(measured) + self._store_points(placed)
        self._note_heard(stored)
        self._keep_rejected()
        self._note_deliveries()
        declared.note(
            self._connection, self._numbered, self._offered, self._problems,
            self._devices.values(), self._times, now_us=int(self._received_at.max()),
        )  # fmt: skip
        told = receipts.note(
            self._connection, self._numbered, self._offered, stored, self._problems
        )
        reasons = Counter(one.reason for found in self._problems.values() for one in found)
        requests = list(dict.fromkeys(r for one in self._decoded.values() for r in one.requests))
        total = int(stored.sum())
        return Outcome(
            told,
            total,
            int(self._offered.sum()) - total,
            reasons.total(),
            requests,
            int(np.count_nonzero(np.diff(self._column_ends, prepend=0)))
            + sum(map(_says_something, self._decoded.values())),
            reasons,
            self._conflicts,
            tuple(self._lags_us),
            tuple(dict.fromkeys(one for each in self._decoded.values() for one in each.heals)),
        )

    def committed(self) -> None:
        """Remember what holds only now that the batch is committed."""
        self._streams.update(self._opened)
        self._kept.heard.update(self._heard)
        if self._judged is not None:
            self._kept.series.keep(*self._judged)

    # --- reading ----------------------------------------------------------------------------------

    def _read(self) -> None:
        """Read the messages in order: what one says of later ones counts for the next already."""
        known = self._known_senders()
        columns, ends = self._columns, self._column_ends
        for index, message in enumerate(self._messages):
            names = known[message.topic]
            numbers = None
            if names is not None and len(message.payload) <= MAX_BYTES:
                numbers = senml_columns.read(message.payload, names, columns)
            ends.append(len(columns))
            if names is None or numbers is None:
                one = self._decoded[index] = self._decode(message)
                if one.learned:
                    self._kept.memory.update(one.learned)  # right whether or not we commit
                continue
            self._owners[index] = names.device_id
            boot, seq = numbers
            if boot is not None and seq is not None:
                self._numbered.append(Numbered(index, names.device_id, boot, seq))
        self._kept.memory.save(self._connection)

    def _known_senders(self) -> dict[str, senml_columns.Names | None]:
        """By topic: those who send packs that may be read into columns."""
        found: dict[str, str | None] = {}
        for topic in {one.topic for one in self._messages}:
            route = self._registry.route(topic)
            usual = route is not None and route[0].codec is senml.decode
            found[topic] = route[1][0] if route is not None and usual else None
        self._look_up({identity for identity in found.values() if identity})
        return {topic: self._names(identity) for topic, identity in found.items()}

    def _names(self, identity: str | None) -> senml_columns.Names | None:
        device = self._devices.get(identity or "")
        if identity is None or device is None or device.disabled:
            return None
        names = self._kept.names.get(identity)
        if names is None or names.device_id != device.id:
            names = senml_columns.Names(identity, device.id, self._streams)
            self._kept.names[identity] = names
        return names

    def _decode(self, message: Message, **known: Any) -> Decoded:
        return self._registry.decode(
            message.topic,
            message.payload,
            received_at_us=message.received_at_us,
            memory=self._kept.memory,
            **known,
        )

    def _look_up(self, identities: set[str]) -> None:
        missing = [identity for identity in identities if identity not in self._devices]
        clean = [identity for identity in missing if "\x00" not in identity]
        self._devices.update(devices.by_identity(self._connection, clean))

    def _read_by_device(self) -> None:
        """Some messages are read by what is known of their device: its profile, its time zone."""
        for index, decoded in self._decoded.items():
            device = self._devices.get(decoded.device or "")
            if device is None or (device.profile is None and device.timezone is None):
                continue
            asks = any(problem.reason in ASKS_FOR_DEVICE for problem in decoded.rejected)
            # A network's own decoder may know a part of what the profile reads.
            by_profile = device.profile is not None and (decoded.device or "").startswith("lora:")
            if asks or by_profile:
                self._decoded[index] = self._decode(
                    self._messages[index], profile=device.profile, timezone=device.timezone
                )

    def _note_strangers(self) -> None:
        """Who is not registered waits in a list; an operator may claim it."""
        sightings = []
        for index, one in self._decoded.items():
            if one.device is not None and one.device not in self._devices:
                message = self._messages[index]
                at = from_us(message.received_at_us)
                sightings.append(Sighting(one.device, message.topic, 1, at, at))
        unknown.note(self._connection, sightings)

    # --- checking ---------------------------------------------------------------------------------

    def _checked(self) -> tuple[list[Measured], list[Placed]]:
        """Readings and points of the messages that were read one by one."""
        repeated = self._repeated_without_times()
        measured: list[Measured] = []
        placed: list[Placed] = []
        for index, one in self._decoded.items():
            if one.rejected:
                self._problems[index] += one.rejected
            device = self._devices.get(one.device or "")
            # A message of an unknown device has no receipt: it must keep what it sent.
            if device is not None and one.boot is not None and one.seq is not None:
                self._numbered.append(Numbered(index, device.id, one.boot, one.seq))
            if one.device is None or not (one.readings or one.points):
                continue
            if device is None or device.disabled:
                self._problems[index].append(
                    refusals.stranger(one.device, disabled=device is not None)
                )
                continue
            self._owners[index] = device.id
            sifted = plausibility.sift(one, self._messages[index].received_at_us)
            if refused := sifted.rejected[len(one.rejected) :]:
                self._problems[index] += refused
            self._offered[index] = len(sifted.readings) + len(sifted.points)
            for reading in sifted.readings:
                if index not in repeated or not _is_undated(reading):
                    measured.append(Measured(index, _key(device, reading), reading))
            placed += [Placed(index, device.id, point) for point in sifted.points]
        return measured, placed

    def _repeated_without_times(self) -> set[int]:
        """Messages whose number came before and that rely on the time of their arrival.

        A redelivery arrives at another time, so its readings would have another key: only the
        number tells that they are stored already.
        """
        undated: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        for index, one in self._decoded.items():
            device = self._devices.get(one.device or "")
            if device is None or one.boot is None or one.seq is None:
                continue
            if any(map(_is_undated, one.readings)):
                undated[device.id, one.boot].append((index, one.seq))
        repeated = set()
        if undated:
            devices.take_turns(self._connection, undated)
        for (name, boot), numbers in sorted(undated.items()):
            seen = devices.committed(self._connection, name, boot, [seq for _, seq in numbers])
            for index, seq in numbers:
                if seq in seen:
                    repeated.add(index)
                seen.add(seq)
        return repeated

    def _note_deliveries(self) -> None:
        """What would be stored twice if the broker sent it again: neither time nor number."""
        if self._kept.deliveries is not None:
            undated = [
                self._messages[index]
                for index, one in self._decoded.items()
                if (one.boot is None or one.seq is None)
                and _relies_on_arrival(one, self._messages[index].received_at_us)
            ]
            self._kept.deliveries.note(self._kept.memory, undated)
            self._kept.memory.save(self._connection)

    def _possible(self, table: Table) -> Table:
        """Rows read into columns whose time can be true; the others become problems."""
        wrong = plausibility.impossible(table.rows["time"], table.rows["received_at"])
        if wrong.any():
            for row in np.flatnonzero(wrong):
                time_us, _, _, _, received_at_us = table.rows[row].tolist()
                if problem := plausibility.time_problem(time_us, received_at_us):
                    self._problems[int(table.messages[row])].append(problem)
            table = table.without(wrong)
        self._offered += np.bincount(table.messages, minlength=len(self._messages))
        return table

    # --- storing ----------------------------------------------------------------------------------

    def _store_readings(self, found: list[Measured]) -> Array:
        """Store all readings; how many of each message were new."""
        ids = self._opened_for({one.key for one in found if one.key not in self._streams})
        found = self._with_streams(found, ids)
        usual = self._possible(rows.of_columns(self._columns, self._column_ends, self._received_at))
        table, messages = rows.in_order(usual, rows.of_readings(found, ids, self._received_at))
        if not len(table):
            return np.zeros(len(self._messages), np.int64)
        self._times = table["time"], messages
        series = self._kept.series
        series.look_up(self._connection, table)
        table["quality"][series.out_of_range(table)] |= Quality.OUT_OF_RANGE
        judged = series.judge(table)
        table["quality"] |= judged.flags
        new, _, self._conflicts = readings.store(self._connection, table)
        self._judged = table, judged, new
        self._note_judgement(judged, int(table["received_at"].max()))
        self._lags_us.append((table["received_at"] - table["time"])[new])
        news.note_readings(
            self._connection, table["datastream_id"][new], table["time"][new], brief=True
        )
        return np.bincount(messages[new], minlength=len(self._messages))

    def _opened_for(self, keys: set[StreamKey]) -> Mapping[StreamKey, int]:
        """Ids of all datastreams, those of the new keys too."""
        if not keys:
            return self._streams
        profiles = {
            device.id: device.profile or self._kept.memory.get(memory_key(device.wire_id or ""))
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

    def _with_streams(self, found: list[Measured], ids: Mapping[StreamKey, int]) -> list[Measured]:
        """Readings that have a datastream; the others, of devices that have too many, are told."""
        refused = [one for one in found if one.key not in ids]
        for one in refused:
            self._problems[one.message].append(refusals.no_room(one.key.device_id))
            self._offered[one.message] -= 1
        return [one for one in found if one.key in ids] if refused else found

    def _note_judgement(self, judged: Judged, received_at_us: int) -> None:
        """What the batch says of readings that were stored before, and of what lies between."""
        ids, times = judged.spikes
        if len(ids):
            readings.flag(self._connection, ids, times, Quality.SPIKE)
            # Its days were computed with it.
            news.note_readings(self._connection, ids, times, brief=True)
        intervals.note_gaps(self._connection, judged.gaps, now=from_us(received_at_us))

    def _store_points(self, found: list[Placed]) -> Array:
        """Store all track points; how many of each message were new."""
        if not found:
            return np.zeros(len(self._messages), np.int64)
        names, (table, messages) = rows.of_points(found, self._received_at)
        new = tracks.store(self._connection, names, table)
        self._lags_us.append((table["received_at"] - table["time"])[new])
        news.note_points(
            self._connection, names, table["device"][new], table["time"][new], brief=True
        )
        return np.bincount(messages[new], minlength=len(self._messages))

    def _note_heard(self, stored: Array) -> None:
        last = {
            owner: self._messages[index].received_at_us
            for index in np.flatnonzero(stored).tolist()
            if (owner := self._owners[index]) is not None
        }
        noted = self._kept.heard
        self._heard = {
            owner: at
            for owner, at in last.items()
            if owner not in noted or at - noted[owner] >= heard.EXACT_US
        }
        heard.note(self._connection, self._heard)

    def _keep_rejected(self) -> None:
        records = [
            refusals.record(self._messages[index], self._identity(index), self._problems[index])
            for index in sorted(self._problems)
        ]
        self._kept.keep(self._connection, records)

    def _identity(self, index: int) -> str | None:
        """What a message calls its device."""
        if (one := self._decoded.get(index)) is not None:
            return one.device
        found = self._registry.route(self._messages[index].topic)
        return None if found is None else found[1][0]


def _says_something(one: Decoded) -> bool:
    return bool(one.readings or one.points or one.learned or one.ignored is not None)


def _is_undated(reading: Reading) -> bool:
    return reading.time_source == "server"


def _relies_on_arrival(one: Decoded, received_at_us: int) -> bool:
    """Whether a message says nothing of when its readings or points were."""
    return any(map(_is_undated, one.readings)) or any(
        point.time == received_at_us for point in one.points
    )


def _key(device: Device, one: Reading) -> StreamKey:
    return StreamKey(device.id, one.quantity, one.depth_cm, one.channel)
