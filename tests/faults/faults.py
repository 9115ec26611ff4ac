"""The faults: each breaks something for a while, mends it, and says what it did.

What a fault claims to break it has to break: where that can be seen (the proxy caught a COMMIT,
the server wrote that its disk is full), it waits for it, and fails if it does not come.
"""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable

from tests.faults.devices import DAY_MS, YEAR_MS, publish
from tests.faults.invariants import Flood
from tests.faults.proxy import Side
from tests.faults.servers import wait_until
from tests.faults.world import NOISE, UNLOVED, World

PATIENCE_S = 30.0
POISON = 3  # messages of a flood that the database itself refuses

Fault = Callable[[World, random.Random], str]


def _some(chance: random.Random, least: float = 0.3, most: float = 2.5) -> float:
    return chance.uniform(least, most)


# --- dala ingest ----------------------------------------------------------------------------------


def ingest_killed_before_commit(world: World, chance: random.Random) -> str:
    world.to_database.set_trap("before")
    _kill_in_trap(world)
    time.sleep(_some(chance, 0.0, 1.0))
    world.ingest.start()
    return "a batch's COMMIT never reached the database"


def ingest_killed_after_commit(world: World, chance: random.Random) -> str:
    world.to_database.set_trap("after")
    _kill_in_trap(world)
    time.sleep(_some(chance, 0.0, 1.0))
    world.ingest.start()
    return "a batch was committed, and nobody was told"


def _kill_in_trap(world: World) -> None:
    _wait_for_trap(world)
    world.ingest.stop(signal.SIGKILL)
    world.to_database.release()


def _wait_for_trap(world: World) -> None:
    if not world.to_database.trapped.wait(PATIENCE_S):
        raise TimeoutError("no COMMIT of a batch came by")


def ingest_killed_anywhere(world: World, chance: random.Random) -> str:
    time.sleep(_some(chance, 0.0, 1.0))
    world.ingest.stop(signal.SIGKILL)
    away = _some(chance)
    time.sleep(away)
    world.ingest.start()
    return f"away for {away:.1f} s"


def ingest_told_to_stop(world: World, chance: random.Random) -> str:
    code = world.ingest.stop(signal.SIGTERM)
    if code != 0:
        raise RuntimeError(f"dala ingest stopped with code {code}")
    time.sleep(_some(chance, 0.0, 1.0))
    world.ingest.start()
    return "stopped in order and started again"


def second_worker_killed_for_good(world: World, chance: random.Random) -> str:
    """Two store at a time; then one is no more, and the broker goes on keeping its share."""
    world.second.start()
    world.second.wait_connected()
    both = _some(chance, 0.5, 2.0)
    time.sleep(both)
    world.second.stop(signal.SIGKILL)
    return f"two stored the same for {both:.1f} s, then one died"


# --- the database ---------------------------------------------------------------------------------


def database_stopped_at_once(world: World, chance: random.Random) -> str:
    world.wait_for_receipt(PATIENCE_S)
    world.postgres.stop_at_once()  # what the receipt says has to be on the disk
    away = _some(chance)
    time.sleep(away)
    world.postgres.start()
    return f"away for {away:.1f} s, recovered"


def database_locked(world: World, chance: random.Random) -> str:
    held = _some(chance, 0.5, 4.0)
    with world.postgres.connect() as connection:
        connection.execute("LOCK TABLE readings IN ACCESS EXCLUSIVE MODE")
        time.sleep(held)
        connection.rollback()
    return f"readings locked for {held:.1f} s"


def database_slow(world: World, chance: random.Random) -> str:
    speed, held = chance.uniform(3_000, 30_000), _some(chance, 1.0, 4.0)
    world.to_database.throttle(speed)
    time.sleep(held)
    world.to_database.mend()
    return f"{speed / 1000:.0f} kB/s for {held:.1f} s"


def _connection_lost(side: Side) -> Fault:
    """Around two COMMITs, the second of a batch with somebody who was never heard before."""

    def fault(world: World, chance: random.Random) -> str:
        network = world.to_database
        network.set_trap(side)
        _wait_for_trap(world)
        world.add_newcomer(chance)  # waits at the broker: the batch in the trap comes again first
        network.reset()
        network.set_trap(side, after=1)
        _wait_for_trap(world)
        network.release()
        return "twice, of a batch with a newcomer too"

    return fault


def disk_full(world: World, chance: random.Random) -> str:
    words = "No space left on device"
    before = world.postgres.said().count(words)
    world.postgres.fill_disk()
    world.rate = 10
    try:
        wait_until(lambda: world.postgres.said().count(words) > before, "the disk to be full")
        time.sleep(_some(chance))
    finally:
        world.rate = 1
        world.postgres.free_disk()
    survived = world.postgres.runs
    if not survived:
        world.postgres.start()
    wait_until(world.postgres.answers, "the database")
    return f"the server {'stayed up' if survived else 'gave up and was started again'}"


# --- the broker and the network -------------------------------------------------------------------


def broker_killed_connected(world: World, chance: random.Random) -> str:
    world.broker.kill()
    away = _some(chance, 0.1, 2.0)
    time.sleep(away)
    world.broker.start()
    return f"away for {away:.1f} s"


def broker_killed_offline(world: World, chance: random.Random) -> str:
    """While nobody ingests: whatever was queued since it last saved is gone."""
    world.ingest.stop(signal.SIGKILL)
    time.sleep(_some(chance, 0.2, 2.0))
    world.broker.kill()
    time.sleep(_some(chance, 0.0, 1.0))
    world.broker.start()
    world.ingest.start()
    return "with messages queued for dala ingest"


def _part(proxy: str) -> Fault:
    def fault(world: World, chance: random.Random) -> str:
        network = getattr(world, proxy)
        how, held = chance.choice(("frozen", "frozen, then reset", "cut")), _some(chance)
        if how == "cut":
            network.cut()
        else:
            network.freeze()
        time.sleep(held)
        if how == "frozen, then reset":
            network.reset()
        network.mend()
        return f"{how} for {held:.1f} s"

    return fault


# --- what devices do ------------------------------------------------------------------------------


def malformed_flood(world: World, chance: random.Random) -> str:
    count = chance.randint(1_200, 3_000)
    flood = Flood(world.register("flood"), count)
    topic = f"dala/v1/{flood.device}/senml"
    poison = set(chance.sample(range(count), POISON))
    messages = [(topic, _poison(i) if i in poison else _garbage(chance, i)) for i in range(count)]
    publish(world.to_broker_for_devices.port, messages)
    world.floods.append(flood)
    return f"{count} messages"


def _garbage(chance: random.Random, number: int) -> bytes:
    """Each is another, and none can be read; the number makes it so."""
    kinds = (
        lambda: b"[{" + b"%d" % number,
        lambda: b'[{"n":"rain","v":NaN,"t":%d}]' % (1_700_000_000 + number),
        lambda: b'[{"n":"unheard_of","v":1,"t":%d}]' % (1_700_000_000 + number),
        lambda: b'[{"n":"rain","t":%d}]' % (1_700_000_000 + number),
        lambda: b"[" * 200 + b"%d" % number,
        lambda: b"\xff" + number.to_bytes(4, "big") + chance.randbytes(chance.randint(0, 60)),
        lambda: b'{"not":"a pack","number":%d}' % number,
    )
    return chance.choice(kinds)()


def _poison(number: int) -> bytes:
    """A codec takes it and the database does not: its batch has to be taken apart to find it."""
    record = {"n": "soil_moisture/20", "v": UNLOVED, "t": 1_700_000_000 + number}
    return json.dumps([record]).encode()


def duplicate_storm(world: World, chance: random.Random) -> str:
    device = chance.choice(world.devices)
    again = [one for one in list(device.recent) for _ in range(5)]
    publish(world.to_broker_for_devices.port, again)
    return f"{len(again)} messages of {device.name} once more"


def clock_jumps(world: World, chance: random.Random) -> str:
    device = chance.choice(world.devices)
    ahead, late = chance.randint(1, 5), chance.randint(1, 20)
    with world.paused():
        for _ in range(ahead):
            device.measure(shift_ms=DAY_MS)
        for _ in range(late):
            device.measure(shift_ms=-YEAR_MS)
    return f"{device.name}: {ahead} times a day ahead, {late} a year late"


def noisy_device(world: World, chance: random.Random) -> str:
    device, held = chance.choice(world.devices), _some(chance, 0.5, 2.0)
    world.noisy = device
    time.sleep(held)
    world.noisy = None
    return f"{device.name} said {NOISE} times as much for {held:.1f} s"


def device_without_power(world: World, chance: random.Random) -> str:
    device = chance.choice(world.devices)
    with world.paused():
        device.cut_power()
    return f"{device.name} began anew from its disk"


FAULTS: dict[str, Fault] = {
    "ingest killed before COMMIT": ingest_killed_before_commit,
    "ingest killed after COMMIT": ingest_killed_after_commit,
    "ingest killed": ingest_killed_anywhere,
    "ingest stopped": ingest_told_to_stop,
    "second worker killed for good": second_worker_killed_for_good,
    "database stopped at once": database_stopped_at_once,
    "database locked": database_locked,
    "database slow": database_slow,
    "database gone before COMMIT": _connection_lost("before"),
    "database gone after COMMIT": _connection_lost("after"),
    "disk full": disk_full,
    "broker killed, ingest connected": broker_killed_connected,
    "broker killed, ingest offline": broker_killed_offline,
    "no network: broker and ingest": _part("to_broker_for_ingest"),
    "no network: database and ingest": _part("to_database"),
    "no network: broker and devices": _part("to_broker_for_devices"),
    "malformed flood": malformed_flood,
    "duplicate storm": duplicate_storm,
    "clock jumps": clock_jumps,
    "noisy device": noisy_device,
    "device without power": device_without_power,
}


def plan(seed: int, count: int, *, without: frozenset[str] = frozenset()) -> list[str]:
    """Which faults in which order: every kind once before any comes again."""
    chance = random.Random(seed)
    names = [name for name in FAULTS if name not in without]
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += chance.sample(names, len(names))
    return drawn[:count]
