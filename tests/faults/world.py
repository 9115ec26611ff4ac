"""The line under test: servers, networks between them, and devices that measure all the time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

import migrations
from bench.hashing import put_farms
from ingest.subscriber import BrokerAddress
from storage import devices
from storage.database import make_engine
from tests.faults.devices import FieldDevice, ForgetfulSender, Listener, LossyDevice, publish
from tests.faults.invariants import Flood
from tests.faults.proxy import Proxy
from tests.faults.servers import Broker, Ingest, Postgres, small_disk, wait_until

DEVICES = 5
EVERY_S = 0.1  # each device measures
NOISE = 50  # times the usual rate
SETTLE_S = 60.0
UNLOVED = 0.69999  # a value that the database refuses, by a rule that the service does not know of
_RULE = f"ALTER TABLE readings ADD CONSTRAINT unloved CHECK (value <> {UNLOVED})"


class World:
    """Made by :func:`open_world`."""

    def __init__(self, folder: Path, stack: ExitStack, seed: int) -> None:
        disk = folder / "disk"
        self.no_small_disk = stack.enter_context(small_disk(disk))
        self.postgres = Postgres(disk)
        stack.callback(self.postgres.close)
        self.engine = make_engine(self.postgres.url(), application="faults")
        stack.callback(self.engine.dispose)
        migrations.upgrade(self.engine)
        with self.engine.begin() as connection:
            connection.execute(sa.text(_RULE))
        self.broker = Broker(folder / "broker")
        stack.callback(self.broker.kill)
        self.to_database, self.to_broker_for_ingest, self.to_broker_for_devices = (
            Proxy(port) for port in (self.postgres.port, self.broker.port, self.broker.port)
        )
        for proxy in (self.to_database, self.to_broker_for_ingest, self.to_broker_for_devices):
            stack.callback(proxy.close)
        self.ingest = Ingest(
            folder / "ingest",
            self.postgres.url(self.to_database.port),
            f"mqtt://127.0.0.1:{self.to_broker_for_ingest.port}",
        )
        stack.callback(self.ingest.stop)
        self.ingest.start()
        self._count = 0
        self.floods: list[Flood] = []
        self.listener = Listener(self.broker.port)
        stack.callback(self.listener.close)
        self._field(folder, stack, random.Random(seed))
        self.ingest.wait_connected()
        self.second = Ingest(
            folder / "second",
            self.postgres.url(self.to_database.port),
            f"mqtt://127.0.0.1:{self.to_broker_for_ingest.port}",
            worker="2/2",
        )
        stack.callback(self.second.stop)
        self.forgetful = ForgetfulSender(
            self.register("network"), self.broker.port, random.Random(f"{seed}/network")
        )
        stack.callback(self.forgetful.close)
        self.broker.before_kill = self.forgetful.doubt

    def _field(self, folder: Path, stack: ExitStack, chance: random.Random) -> None:
        address = BrokerAddress.parse(f"mqtt://127.0.0.1:{self.to_broker_for_devices.port}")
        self.devices: list[FieldDevice] = []
        for number in range(DEVICES):
            device = FieldDevice(
                self.register("probe"), folder, address, chance, cbor=number % 2 == 0
            )
            stack.callback(device.stop)
            self.devices.append(device)
        self.lossy: list[LossyDevice] = []
        self.rate = 1
        self.noisy: FieldDevice | None = None
        self._measuring = threading.Lock()
        self._over = threading.Event()
        self.failure: BaseException | None = None
        self._feeder = threading.Thread(target=self._feed, name="feeder", daemon=True)
        self._feeder.start()
        stack.callback(self._end_feeding)

    def register(self, kind: str) -> str:
        """A device that the service knows: of one of two farms, or in turn of none."""
        self._count += 1
        name = f"{kind}-{self._count}"
        with self.engine.begin() as connection:
            farm = [None, *put_farms(connection, 2)][self._count % 3]
            devices.put(connection, name, farm_id=farm, kind="soil-probe", name=name)
        return name

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nobody measures meanwhile."""
        with self._measuring:
            yield

    def add_newcomer(self, chance: random.Random) -> None:
        """Somebody is heard for the first time, and not whole."""
        device = LossyDevice(self.register("lossy"), chance)
        self.lossy.append(device)
        self.offer_holes(device)

    def offer_holes(self, device: LossyDevice) -> None:
        """The lossy device does not care whether anybody hears it."""
        with suppress(OSError, ValueError, RuntimeError):
            publish(self.to_broker_for_devices.port, device.packs, patience_s=2.0)

    def wait_for_receipt(self, seconds: float) -> None:
        """Return the moment that some device hears that something is stored."""
        device = self.devices[0]
        device.receipt_came.clear()
        if not device.receipt_came.wait(seconds):
            raise TimeoutError(f"no receipt for {device.name} in {seconds:.0f} s")

    def settle(self) -> float:
        """Let every message have its receipt, with nobody measuring; returns the seconds it took.

        Raises
        ------
        TimeoutError
            If it takes too long: something stands still.
        """
        begun = time.monotonic()
        for device in self.devices:
            device.finish()
        while left := sum(device.outstanding for device in self.devices):
            if time.monotonic() - begun > SETTLE_S:
                raise TimeoutError(f"{left} messages without a receipt after {SETTLE_S:.0f} s")
            if self.failure is not None:
                raise self.failure
            for device in self.devices:
                device.tick()
            self.ingest.sample()
            time.sleep(0.02)
        return time.monotonic() - begun

    def wait_for(self, condition: sa.TextClause, what: str, **parameters: object) -> None:
        """Until a query answers true."""

        def holds() -> bool:
            with self.engine.connect() as connection:
                return bool(connection.execute(condition, parameters).scalar())

        wait_until(holds, what, SETTLE_S)

    def _feed(self) -> None:
        try:
            while not self._over.wait(EVERY_S):
                self.ingest.sample()
                with self._measuring:
                    for device in self.devices:
                        for _ in range(NOISE if device is self.noisy else self.rate):
                            device.measure()
        except BaseException as error:
            self.failure = error

    def _end_feeding(self) -> None:
        self._over.set()
        self._feeder.join()


@contextmanager
def open_world(folder: Path, seed: int) -> Iterator[World]:
    """Start everything; end everything, whatever happened."""
    with ExitStack() as stack:
        yield World(folder, stack, seed)
