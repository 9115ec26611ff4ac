"""Devices in the field, and what the harness itself knows of each thing that they said."""

from __future__ import annotations

import json
import random
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import cbor2
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

import seeds.courier
from ingest.subscriber import BrokerAddress
from seeds.buffers import Held, Number
from seeds.device_clock import Moment
from seeds.reference_device import Packing, ReferenceDevice
from seeds.ring_buffer import RingBuffer
from seeds.sending import Pace

# A fault lasts seconds here, not hours: devices are as much less patient.
PACE = Pace(window=50, first_pause_s=1.5, longest_pause_s=4.0)
LONGEST_ABSENCE_S = 1.0
BUFFER_BYTES = 4 * 2**20
RECENT = 300  # messages that a storm may repeat
TRICKLE_S = 0.05  # between two messages of a sender that keeps nothing
UNDATED = "battery_level"  # what is said without a time: only a number tells repeats of it
YEAR_MS, DAY_MS = 365 * 86_400_000, 86_400_000
QUANTITIES = {"soil_moisture/20": (500, 4_500, 4), "soil_temperature/20": (-500, 3_500, 2),
              "air_temperature": (-2_000, 4_000, 2)}  # fmt: skip
_LABELS = {-2: "bn", -3: "bt", 0: "n", 2: "v", 6: "t"}  # RFC 8428, Table 4


class Key(NamedTuple):
    """One reading of a device: quantity, with its depth if it has one, and time."""

    name: str
    time_ms: int


def read_pack(payload: bytes) -> list[Key]:
    """Names and times of a SenML pack, read by RFC 8428 and nothing of ours."""
    records = json.loads(payload, parse_float=Decimal) if payload[:1] == b"[" else None
    if records is None:
        records = [{_LABELS.get(k, k): v for k, v in one.items()} for one in cbor2.loads(payload)]
    name, base = "", Decimal(0)
    keys = []
    for record in records:
        name, base = record.get("bn", name), Decimal(record.get("bt", base))
        full = name + record.get("n", "")
        if full in QUANTITIES:
            keys.append(Key(full, round((base + Decimal(record.get("t", 0))) * 1_000)))
    return keys


class _WatchedBuffer(RingBuffer):
    """The device's memory on disk, with the harness looking on."""

    def __init__(self, path: Path, owner: FieldDevice) -> None:
        self._owner = owner
        super().__init__(path, capacity_bytes=BUFFER_BYTES)

    def append(self, number: Number, tag: int, payload: bytes, *, ordinal: int = 0) -> None:
        super().append(number, tag, payload, ordinal=ordinal)
        self._owner.note_message(number, payload)

    def read(self, number: Number) -> Held | None:
        held = super().read(number)
        if held is not None:
            self._owner.note_sending(held.payload)
        return held

    def forget(self, boot: int, seq: int) -> int:
        self._owner.note_receipt(boot, seq)
        return super().forget(boot, seq)


class Said:
    """What a device measured and sent, as the harness knows it.

    Attributes
    ----------
    ledger
        Every reading that has to be stored, with its value.
    future
        Readings dated a day ahead: each has to be refused, with its reason.
    tops
        The highest message number of each boot.
    undated
        Readings without a time of their own: as many have to be stored, whenever they came.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.ledger: dict[Key, float] = {}
        self.future: set[Key] = set()
        self.tops: dict[int, int] = {}
        self.messages = self.undated = 0


class FieldDevice(Said):
    """A reference device with a sensor."""

    def __init__(
        self, name: str, folder: Path, address: BrokerAddress, chance: random.Random, *, cbor: bool
    ) -> None:
        seeds.courier.LONGEST_ABSENCE_S = LONGEST_ABSENCE_S
        super().__init__(name)
        self._folder, self._address, self._chance = folder, address, chance
        self._packing = Packing(interval_s=0.1, budget_bytes=700, cbor=cbor)
        self.recent: deque[tuple[str, bytes]] = deque(maxlen=RECENT)
        self._unreceipted: dict[Number, list[Key]] = {}
        self._receipted: list[Key] = []
        self.receipt_came = threading.Event()
        self._at_ms = time.time_ns() // 1_000_000_000 * 1_000 - 3 * DAY_MS
        self._lives = 0
        self._begin(folder / f"{name}-0.buffer")

    def _begin(self, path: Path) -> None:
        self._path = path
        self._buffer = _WatchedBuffer(path, self)
        self._device = ReferenceDevice(
            self.name, self._buffer, self._address, None, packing=self._packing, pace=PACE
        )
        self._device.start()

    def measure(self, *, shift_ms: int = 0) -> None:
        """Take one reading of each quantity; their times are like no other's."""
        self._at_ms += 1_000
        for name, (low, high, digits) in QUANTITIES.items():
            value = Decimal(self._chance.randint(low, high)).scaleb(-digits)
            key = Key(name, self._at_ms + shift_ms)
            if shift_ms > 0:  # a clock that is ahead: of now, wherever the series stands
                key = key._replace(time_ms=self._at_ms + 3 * DAY_MS + shift_ms)
                self.future.add(key)
            else:
                self.ledger[key] = float(value)
            self._device.measure(name, value, None, Moment(key.time_ms, is_dated=True))
        self.tick()

    def tick(self) -> None:
        self._device.tick()
        if lost := self._buffer.dropped_messages + self._buffer.dropped_readings:
            # By design, and told: then the ledger says nothing about the service any more.
            raise RuntimeError(f"{self.name} dropped {lost}: {BUFFER_BYTES} bytes are too few")

    def finish(self) -> None:
        self._device.finish()

    @property
    def outstanding(self) -> int:
        return self._device.courier.outstanding

    def cut_power(self) -> None:
        """End without a word, as a kill does, and begin again from what is on disk."""
        self._lives += 1
        path = self._folder / f"{self.name}-{self._lives}.buffer"
        with self._device.courier.lock:
            shutil.copyfile(self._path, path)
        self.stop()
        self._path.unlink()
        self._begin(path)

    def stop(self) -> None:
        self._device.stop()
        self._buffer.close()

    # --- what the harness hears, under the device's lock

    def note_message(self, number: Number, payload: bytes) -> None:
        self.messages += 1
        self.tops[number.boot] = max(self.tops.get(number.boot, 0), number.seq)
        self._unreceipted[number] = read_pack(payload)

    def note_sending(self, payload: bytes) -> None:
        self.recent.append((f"dala/v1/{self.name}/senml", payload))

    def note_receipt(self, boot: int, seq: int) -> None:
        covered = [one for one in self._unreceipted if one.boot == boot and one.seq <= seq]
        for one in covered:
            self._receipted += self._unreceipted.pop(one)
        if covered:
            self.receipt_came.set()

    def newly_receipted(self) -> list[Key]:
        """Readings that somebody said are dealt with, since the last call."""
        with self._device.courier.lock:
            taken, self._receipted = self._receipted, []
            return taken


class LossyDevice(Said):
    """Numbers its messages and loses some for good: each hole has to be noted.

    It is new to the service, so its datastream is opened while something breaks.
    """

    def __init__(self, name: str, chance: random.Random) -> None:
        super().__init__(name)
        self.boot = chance.randint(1, 2**40)
        lost = chance.sample(range(1, 15), chance.randint(1, 4))
        sent = sorted(set(range(1, 16)).difference(lost))
        self.missing = sorted(lost)
        self.packs = [self._pack(seq, chance.randint(500, 4_500) / 10_000) for seq in sent]
        self.messages = self.undated = len(self.packs)
        chance.shuffle(self.packs)

    @property
    def whole_up_to(self) -> int:
        """What a receipt may say, and no more."""
        return self.missing[0] - 1

    def _pack(self, seq: int, value: float) -> tuple[str, bytes]:
        time_s = time.time_ns() // 1_000_000_000 - 1_000 + seq
        self.ledger[Key("soil_moisture/20", time_s * 1_000)] = value
        records = [
            {"n": "boot", "v": self.boot},
            {"n": "seq", "v": seq},
            {"n": "soil_moisture/20", "t": time_s, "v": value},
            {"n": UNDATED, "v": 50 + seq},
        ]
        return f"dala/v1/{self.name}/senml", json.dumps(records).encode()


class ForgetfulSender(Said):
    """Says each thing once, as a network server does, and keeps nothing for a second time.

    Devices of ours send again whatever has no receipt, and would make up for nearly all that an
    ingester does wrong. What this one said is safe only if it is stored before it is acknowledged.
    It speaks to the broker past every bad network; what the broker had taken when it was killed
    may be gone, and nothing is asked of that.
    """

    def __init__(self, name: str, port: int, chance: random.Random) -> None:
        super().__init__(name)
        self._chance, self._lock = chance, threading.Lock()
        self._under_way: dict[int, tuple[Key, float]] = {}
        # Paho confirms under a lock of its own, which whoever publishes waits for: with ours held
        # there, two threads could wait for each other for ever.
        self._confirmed: deque[int] = deque()
        self._owed: dict[Key, float] = {}  # the broker has it, and was not killed since
        self._is_sure = True  # of what the broker says that it has
        self._at_ms = time.time_ns() // 1_000_000_000 * 1_000 - 2 * DAY_MS
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv311, clean_session=False
        )
        self._client.reconnect_delay_set(0.2, 0.2)  # type: ignore[arg-type]
        self._client.on_publish = lambda _client, _data, mid, *_: self._confirmed.append(mid)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._speak, name="trickle", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def doubt(self) -> None:
        """The broker is about to be killed."""
        with self._lock:
            self._note_confirmed()
            self._is_sure = False
            self._owed.clear()

    def trust(self) -> None:
        """Everybody is connected again: from now on what the broker takes has to be stored."""
        with self._lock:
            self._note_confirmed()
            self._is_sure = True

    def owed(self) -> dict[Key, float]:
        """What has to be stored, sooner or later."""
        with self._lock:
            self._note_confirmed()
            return dict(self._owed)

    def settled(self, keys: Iterable[Key]) -> None:
        """These were found stored."""
        with self._lock:
            for key in keys:
                self._owed.pop(key, None)

    def _speak(self) -> None:
        while not self._over.wait(TRICKLE_S):
            self._at_ms += 1_000
            key, value = Key("soil_moisture/20", self._at_ms), self._chance.randint(1, 6_000) / 1e4
            records = [{"n": key.name, "t": key.time_ms // 1_000, "v": value}]
            with self._lock:
                self.ledger[key] = value
                self.messages += 1
            sent = self._client.publish(
                f"dala/v1/{self.name}/senml", json.dumps(records).encode(), qos=1
            )
            with self._lock:
                self._under_way[sent.mid] = key, value

    def _note_confirmed(self) -> None:
        """Sort out what the broker has taken since; some may not be noted as under way yet."""
        for _ in range(len(self._confirmed)):
            mid = self._confirmed.popleft()
            if mid not in self._under_way:
                self._confirmed.append(mid)
                continue
            key, value = self._under_way.pop(mid)
            if self._is_sure:
                self._owed[key] = value


class Listener:
    """Hears the receipts of lossy devices, and what the highest number in them was."""

    def __init__(self, port: int) -> None:
        self.highest: dict[tuple[str, int], int] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.reconnect_delay_set(0.2, 0.2)  # type: ignore[arg-type]
        self._client.on_connect = lambda client, *_: client.subscribe("dala/v1/+/receipt", qos=1)
        self._client.on_message = self._on_receipt
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_receipt(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        device = message.topic.split("/")[2]
        if device.startswith("lossy-"):
            receipt = json.loads(message.payload)
            key = device, receipt["boot"]
            self.highest[key] = max(self.highest.get(key, 0), receipt["seq"])


def publish(port: int, messages: Sequence[tuple[str, bytes]], patience_s: float = 20.0) -> None:
    """Publish with QoS 1, in order, until the broker has acknowledged each.

    Raises
    ------
    OSError
        If the broker is away or does not take them in time.
    """
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.max_inflight_messages_set(200)
    client.connect("127.0.0.1", port)
    deadline = time.monotonic() + patience_s

    def loop_until(done: Callable[[], bool]) -> None:
        while not done():
            if client.loop(0.05) != mqtt.MQTT_ERR_SUCCESS or time.monotonic() > deadline:
                raise ConnectionError("the broker left")

    try:
        loop_until(client.is_connected)
        waiting = deque(client.publish(topic, payload, qos=1) for topic, payload in messages)

        def all_published() -> bool:
            while waiting and waiting[0].is_published():
                waiting.popleft()
            return not waiting

        loop_until(all_published)
    finally:
        client.disconnect()
        client.loop(0.05)
