"""`dala device`: lines of readings in, receipts out; what a gateway on a farm would run."""

from __future__ import annotations

import queue
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple, TextIO

from ingest.codecs import units
from ingest.subscriber import BrokerAddress, MqttSettings
from seeds.courier import NoReceipt
from seeds.device_clock import NOT_BEFORE_MS, Moment
from seeds.link import Login
from seeds.reference_device import Packing, ReferenceDevice
from seeds.ring_buffer import CAPACITY_BYTES, BufferInUse, RingBuffer
from seeds.services import open_services
from storage.database import NotFound
from storage.quantities import CATALOGUE

PATIENCE_S = 60.0  # for receipts, of a device that shall end
NEARLY_FULL = 0.8  # of the buffer: a file is read no further, since it can wait
QUEUED_LINES = 10_000
WAKE_S = 0.2
_NAME = re.compile(r"([a-z0-9_]+)(?:/\d{1,5}(?:\.\d{1,3})?)?(?::\d{1,4})?")
_EPOCH_SECONDS = re.compile(r"\d{9,11}(\.\d{1,6})?")


class BadLine(ValueError):
    """A line is no reading; the message says why."""


class Line(NamedTuple):
    """A reading as somebody wrote it."""

    name: str
    value: Decimal
    unit: str | None
    moment: Moment | None


def parse(text: str) -> Line:
    """Read ``quantity[/depth_cm][:channel],value[,unit][,time]``.

    The time is RFC 3339 with an offset, or seconds since 1970; without one it is now.
    """
    name, *rest = (part.strip() for part in text.split(","))
    parts = _NAME.fullmatch(name)
    if parts is None or parts[1] not in CATALOGUE:
        raise BadLine(
            f"{name[:40]!r} is not quantity[/depth_cm][:channel] of a known quantity; "
            "docs/protocol.md lists them"
        )
    if not 1 <= len(rest) <= 3:
        raise BadLine("a line is quantity,value[,unit][,time]")
    value, *rest = rest
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number.adjusted() > 15:
        raise BadLine(f"{value[:40]!r} is no number that can be stored")
    moment = _moment(rest[-1]) if rest else None
    words = rest[: len(rest) - (moment is not None)]
    if len(words) == 2:
        if words[1]:
            raise BadLine(f"{words[1][:40]!r} is no time: write 2026-06-21T05:00:00Z")
        words = words[:1]
    return Line(name, number, _unit(parts[1], words[0] if words else ""), moment)


def _unit(quantity: str, unit: str) -> str | None:
    if not unit:
        return None
    try:
        needs_conversion = units.conversion(unit, quantity) is not None
    except KeyError:
        raise BadLine(
            f"{unit[:40]!r} is neither a unit nor a time: units are those of SenML, as Cel; "
            f"without one it is {CATALOGUE[quantity].unit}"
        ) from None
    except ValueError as error:
        raise BadLine(str(error)) from None
    return unit if needs_conversion else None  # no unit is the stored unit, in fewer bytes


def _moment(text: str) -> Moment | None:
    """A time of this century's devices; None if the text is no time at all."""
    if _EPOCH_SECONDS.fullmatch(text):
        ms = int(Decimal(text) * 1_000)
    else:
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            return None
        if when.tzinfo is None:
            raise BadLine(f"{text}: a time needs its offset, e.g. {text}Z")
        ms = round(when.timestamp() * 1_000)
    if ms < NOT_BEFORE_MS:
        raise BadLine(f"{text}: before 2020, so the clock was never set")
    return Moment(ms, is_dated=True)


def run(
    device_id: str,
    *,
    buffer: Path,
    mqtt: str | None = None,
    packing: Packing | None = None,
    source: Path | None = None,
    once: bool = False,
    capacity_bytes: int = CAPACITY_BYTES,
    patience_s: float = PATIENCE_S,
) -> int:
    """Run a device until its input ends and is receipted, or SIGTERM; return the exit code."""
    if set("/+#") & set(device_id) or not device_id:
        _say("dala device")(f"{device_id!r} is no id of a device: it has none of / + #")
        return 1
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    try:
        with (
            _broker(device_id, mqtt) as (address, login),
            closing(RingBuffer(buffer, capacity_bytes=capacity_bytes)) as memory,
        ):
            _tell_state(memory, _say(device_id))
            device = ReferenceDevice(
                device_id, memory, address, login, packing=packing, say=_say(device_id)
            )
            device.start()
            try:
                with _opened(source) as lines:
                    can_wait = source is not None
                    _feed(device, lines, over.is_set, (lambda: memory.filled) if can_wait else None)
                device.finish()
                device.settle(patience_s if once else float("inf"), over.is_set)
            finally:
                device.stop()
    except (BufferInUse, NoReceipt, OSError, ValueError) as error:
        _say("dala device")(_words(error))
        return 1
    return 0


def _feed(
    device: ReferenceDevice,
    lines: TextIO,
    is_over: Callable[[], bool],
    filled: Callable[[], float] | None,
) -> None:
    """Measure line by line as they come; a bad one is said and left out."""
    arrived: queue.Queue[str | None] = queue.Queue(QUEUED_LINES)

    def read() -> None:
        with suppress(ValueError):  # closed, because the device is to stop
            for line in lines:
                arrived.put(line)
        arrived.put(None)

    threading.Thread(target=read, name="input", daemon=True).start()
    count = 0
    while not is_over():
        device.tick()
        if filled is not None and filled() > NEARLY_FULL:
            time.sleep(WAKE_S)
            continue
        try:
            text = arrived.get(timeout=WAKE_S)
        except queue.Empty:
            continue
        if text is None:
            return
        count += 1
        if text.strip() and not text.startswith(("#", "quantity,")):
            try:
                device.measure(*parse(text.strip()))
            except BadLine as error:
                _say(f"line {count}")(str(error))


@contextmanager
def _opened(source: Path | None) -> Iterator[TextIO]:
    """Lines of a file, or of standard input; what is no text becomes a bad line, and is said."""
    if source is not None:
        with source.open(encoding="utf-8", errors="replace") as lines:
            yield lines
        return
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    yield sys.stdin


def _words(error: Exception) -> str:
    """An error of the system names its file first."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _tell_state(buffer: RingBuffer, say: Callable[[str], None]) -> None:
    """What was found in the memory that its owner should know of."""
    if buffer.set_aside is not None:
        say(
            f"nothing in the buffer could be read; it is kept as {buffer.set_aside}, "
            "a new one begins"
        )
    elif buffer.damaged:
        say(
            "a part of the buffer could not be read: what was in it is lost, all else goes out; "
            "check the disk"
        )
    if waiting := len(buffer.held()):
        say(f"in the buffer without a receipt, to go first: {waiting} messages")


@contextmanager
def _broker(device_id: str, mqtt: str | None) -> Iterator[tuple[BrokerAddress, Login | None]]:
    """The broker that is named, or the embedded one of this machine with an account made there."""
    named = MqttSettings().mqtt_url
    url = mqtt or (named.get_secret_value() if named is not None else None)
    if url is not None:
        address = BrokerAddress.parse(url)
        is_anonymous = address.user is None and address.password is None
        user, password = address.user or device_id, address.password or ""
        yield address, None if is_anonymous else Login(user, password)
        return
    with open_services("device", broker=True, ingest=True) as services:
        services.check_migrated()
        try:
            login = services.logins()(device_id)
        except NotFound:
            raise BadLine(
                f"{device_id} is not registered. First: dala register {device_id} "
                "--farm FARM --kind KIND"
            ) from None
        yield BrokerAddress.parse(services.mqtt_url), login


def _say(subject: str) -> Callable[[str], None]:
    return lambda text: print(f"{subject}: {text}", file=sys.stderr, flush=True)  # noqa: T201
