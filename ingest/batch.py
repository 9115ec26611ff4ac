"""One batch: checked, judged and stored in one transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import sqlalchemy as sa

from ingest import declared, plausibility, receipts, refusals, rows
from ingest.codecs.lorawan import counter_modulus, memory_key
from ingest.kept import Kept
from ingest.messages import Decoded, Reading, Rejected, from_us
from ingest.outcomes import Message, Outcome, Receipt
from ingest.plausibility.streams import Judged
from ingest.reader import Read
from ingest.receipts import Numbered
from ingest.rows import Array, Measured, Placed, Table
from storage import devices, heard, intervals, news, readings, tracks, unknown
from storage.devices import Device, StreamKey
from storage.heard import Signal
from storage.quantities import CATALOGUE, Kind
from storage.readings import Quality
from storage.unknown import Sighting


class Batch:
    """One batch in one transaction."""

    def __init__(
        self, connection: sa.Connection, messages: Sequence[Message], found: Read, kept: Kept
    ) -> None:
        self._connection = connection
        self._messages, self._read = messages, found
        self._kept = kept
        self._registry, self._devices, self._streams = kept.registry, kept.devices, kept.streams
        self._received_at = np.array([one.received_at_us for one in messages], np.int64)
        self._decoded = found.others
        self._owners, self._numbered = found.owners, found.numbered
        self._problems: dict[int, list[Rejected]] = defaultdict(list)
        self._offered = np.zeros(len(messages), np.int64)  # readings and points of each message
        self._opened: dict[StreamKey, int] = {}
        self._heard: dict[str, int] = {}
        self._judged: tuple[Array, Judged, Array] | None = None
        self._conflicts = 0
        self._lags_us: list[Array] = []
        self._times = np.empty(0, np.int64), np.empty(0, np.int64)  # of readings; their messages

    def store(self) -> Outcome:
        """Store what the messages say, and all that is to be noted of it. Not committed here."""
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
        return self._outcome(told, int(stored.sum()))

    def _outcome(self, told: list[Receipt], stored: int) -> Outcome:
        others = self._decoded.values()
        reasons = Counter(one.reason for found in self._problems.values() for one in found)
        return Outcome(
            told,
            stored,
            int(self._offered.sum()) - stored,
            reasons.total(),
            list(dict.fromkeys(request for one in others for request in one.requests)),
            sum(one.with_rows() for one in (self._read.pack_origins, self._read.track_origins))
            + sum(map(_says_something, others)),
            reasons,
            self._conflicts,
            tuple(self._lags_us),
            tuple(dict.fromkeys(one for each in others for one in each.heals)),
        )

    def committed(self) -> None:
        """Remember what holds only now that the batch is committed."""
        self._streams.update(self._opened)
        self._kept.heard.update(self._heard)
        if self._judged is not None:
            self._kept.series.keep(*self._judged)

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
            self._offered[index] = len(sifted.readings)
            for reading in sifted.readings:
                if index not in repeated or not _is_undated(reading):
                    measured.append(Measured(index, _key(device, reading), reading))
            placed += [Placed(index, point) for point in sifted.points]
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
        """Rows whose time can be true, which are counted; the others become problems."""
        times, received_at = table.rows["time"], table.rows["received_at"]
        wrong = plausibility.impossible(times, received_at)
        if wrong.any():
            for row in np.flatnonzero(wrong):
                if problem := plausibility.time_problem(int(times[row]), int(received_at[row])):
                    self._problems[int(table.messages[row])].append(problem)
            table = table.without(wrong)
        self._offered += np.bincount(table.messages, minlength=len(self._messages))
        return table

    # --- storing ----------------------------------------------------------------------------------

    def _store_readings(self, found: list[Measured]) -> Array:
        """Store all readings; how many of each message were new."""
        ids = self._ids_of({one.key for one in found})
        found = self._with_streams(found, ids)
        usual = rows.of_columns(self._read.packs, self._read.pack_origins, self._received_at)
        others = rows.of_readings(found, ids, self._received_at)
        table, messages = rows.in_order(self._possible(usual), others)
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

    def _ids_of(self, keys: set[StreamKey]) -> Mapping[StreamKey, int]:
        """Ids of datastreams, which are opened where they are new."""
        known = {key: self._streams[key] for key in keys if key in self._streams}
        if len(known) == len(keys):
            return known
        fresh = sorted(keys - known.keys(), key=repr)
        self._opened = devices.open_datastreams(self._connection, fresh, self._moduli(fresh))
        return known | self._opened

    def _moduli(self, keys: Sequence[StreamKey]) -> dict[StreamKey, float]:
        """Where counters begin again, as far as the models of their devices tell."""
        counters = [key for key in keys if CATALOGUE[key.quantity].kind is Kind.COUNTER]
        if not counters:
            return {}
        by_id = {device.id: device for device in self._devices.values()}
        moduli = {}
        for key in counters:
            device = by_id[key.device_id]
            profile = device.profile or self._kept.memory.get(memory_key(device.wire_id or ""))
            if modulus := counter_modulus(profile, key.quantity, key.channel):
                moduli[key] = modulus
        return moduli

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
        if not found and not len(self._read.tracks):
            return np.zeros(len(self._messages), np.int64)
        names, points = rows.of_points(
            self._read.tracks, self._read.track_origins, found, self._owners, self._received_at
        )
        table, messages = self._possible(points)
        if not len(table):
            return np.zeros(len(self._messages), np.int64)
        new = tracks.store(self._connection, names, table)
        self._lags_us.append((table["received_at"] - table["time"])[new])
        news.note_points(
            self._connection, names, table["device"][new], table["time"][new], brief=True
        )
        return np.bincount(messages[new], minlength=len(self._messages))

    def _note_heard(self, stored: Array) -> None:
        last = {
            self._owners[index]: self._messages[index].received_at_us
            for index in np.flatnonzero(stored).tolist()
        }
        noted = self._kept.heard
        self._heard = {
            owner: at
            for owner, at in last.items()
            if owner not in noted or at - noted[owner] >= heard.EXACT_US
        }
        heard.note(self._connection, self._heard, self._signals(stored))

    def _signals(self, stored: Array) -> dict[str, Signal]:
        """How well each device was heard last, of those whose network tells."""
        told: dict[str, Signal] = {}
        for index, one in self._decoded.items():
            if one.signal_dbm is not None and stored[index]:
                owner = self._owners[index]
                signal = Signal(self._messages[index].received_at_us, one.signal_dbm)
                told[owner] = max(signal, told.get(owner, signal))
        return told

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
