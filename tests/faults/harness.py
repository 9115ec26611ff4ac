"""Fault after fault on one running line, with every promise checked after each."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from tests.faults import invariants
from tests.faults.devices import Key, LossyDevice
from tests.faults.faults import FAULTS, plan
from tests.faults.servers import wait_until
from tests.faults.world import World, open_world

_FLOOD_CAME = sa.text("""
    SELECT (SELECT count(*) FROM rejected_messages WHERE device = :device)
         + (SELECT coalesce(sum(messages), 0) FROM rejected_counts WHERE device = :device) >= :count
""")
_HOLES_CAME = sa.text("""
    SELECT EXISTS (SELECT FROM device_sequences, unnest(received) AS part
                    WHERE device_id = :device AND boot = :boot
                   HAVING sum(upper(part) - lower(part)) >= :count)
""")


RUN_IN_S = 0.1, 0.8  # of undisturbed traffic before a fault
ALONE = "alone"
SLOW_BYTES_PER_S = 40_000
COMES_WITHIN_S = 15.0  # what the broker has, once all is mended


@contextmanager
def _companion(world: World, chance: random.Random) -> Iterator[str]:
    """Trouble seldom comes alone: half of the faults meet a slow network or a noisy device."""
    beside = chance.choice((ALONE, ALONE, ALONE, *TROUBLES))
    if beside == "slow devices":
        world.to_broker_for_devices.throttle(SLOW_BYTES_PER_S)
    elif beside == "slow database":
        world.to_database.throttle(SLOW_BYTES_PER_S)
    elif beside == "noisy device":
        world.noisy = chance.choice(world.devices)
    try:
        yield beside
    finally:
        world.noisy = None
        world.to_broker_for_devices.mend()
        world.to_database.mend()


TROUBLES = ("slow devices", "slow database", "noisy device")


class Report(NamedTuple):
    """What a run came to."""

    faults: Counter[str]
    beside: Counter[str]  # what else was wrong
    messages: int  # distinct ones of devices, garbage included
    readings: int  # stored, each found with its value
    quarantined: int  # readings dated ahead
    rejected: int  # messages that nobody can read
    holes: int  # message numbers that never came, each named by an alert
    starts_of_ingest: int
    peak_bytes: int
    longest_settling_s: float
    seconds: float

    def lines(self) -> list[str]:
        return [
            f"{self.faults.total()} faults of {len(self.faults)} kinds in {self.seconds:.0f} s, "
            f"{self.faults.total() - self.beside[ALONE]} of them beside another trouble; "
            "0 violations",
            f"{self.messages} messages; {self.readings} readings stored once each, "
            f"{self.quarantined} quarantined, {self.rejected} messages rejected, "
            f"{self.holes} missing numbers named",
            f"dala ingest: {self.starts_of_ingest} starts, at most {self.peak_bytes / 2**20:.0f} "
            f"MB; settled after {self.longest_settling_s:.1f} s at most",
        ]


class Failed(AssertionError):
    """A promise was broken; with the seed and what happened until then."""


class Run:
    """One run, by its seed."""

    def __init__(
        self, folder: Path, seed: int, count: int, say: Callable[[str], None] = lambda _text: None
    ) -> None:
        self._folder, self._seed, self._count, self._say = folder, seed, count, say
        self._log: list[str] = []
        self._done: Counter[str] = Counter()
        self._beside: Counter[str] = Counter()
        self._floods_checked = self._lossy_checked = 0
        self._longest_s = 0.0
        self._under_way = "the start"

    def run(self) -> Report:
        """Break, mend, settle, check, again and again.

        Raises
        ------
        Failed
            If something that was promised does not hold; says how to see it again.
        """
        begun = time.monotonic()
        with open_world(self._folder, self._seed) as world:
            try:
                self._note(f"seed {self._seed}: everything is up")
                self._break_all(world)
                self._check_everything(world)
            except Exception as error:
                self._note(f"FAILED at {self._under_way}: {type(error).__name__}: {error}")
                raise Failed(self._story(world)) from error
            return self._report(world, time.monotonic() - begun)

    def _break_all(self, world: World) -> None:
        without = set() if world.no_small_disk is None else {"disk full"}
        if without:
            self._note(f"no disk full: a small disk cannot be mounted ({world.no_small_disk})")
        for number, name in enumerate(plan(self._seed, self._count, without=frozenset(without))):
            chance = random.Random(f"{self._seed}/{number}")
            self._under_way = name
            with _companion(world, chance) as beside:
                time.sleep(chance.uniform(*RUN_IN_S))
                world.add_newcomer(chance)
                did = FAULTS[name](world, chance)
            settled_s = self._settle(world)
            self._done[name] += 1
            self._beside[beside] += 1
            self._note(f"{number + 1}. {name}, {beside}: {did}; settled in {settled_s:.1f} s")

    def _settle(self, world: World) -> float:
        if world.failure is not None:
            raise world.failure
        self._check_receipts(world)  # before the line had time to make up for anything
        with world.paused():
            settled_s = world.settle()
            for lossy in world.lossy[self._lossy_checked :]:
                world.offer_holes(lossy)
                came = {"device": lossy.name, "boot": lossy.boot, "count": lossy.messages}
                world.wait_for(_HOLES_CAME, "the lossy device", **came)
                self._hear_receipt(world, lossy)
            for flood in world.floods[self._floods_checked :]:
                came = {"device": flood.device, "count": flood.messages}
                world.wait_for(_FLOOD_CAME, "a flood", **came)
            self._check_receipts(world)
            self._check_forgetful(world)
            self._check(world)
        self._longest_s = max(self._longest_s, settled_s)
        world.postgres.checkpoint()
        return settled_s

    def _hear_receipt(self, world: World, lossy: LossyDevice) -> None:
        """It says what is whole; at once, or when everything is offered once more."""
        heard, key = world.listener.highest, (lossy.name, lossy.boot)
        for _ in range(5):
            with suppress(TimeoutError):
                wait_until(lambda: heard.get(key, -1) >= lossy.whole_up_to, "a receipt", 2.0)
                break
            world.offer_holes(lossy)
        invariants.no_hole_is_receipted(lossy.name, heard.get(key), lossy.whole_up_to)

    def _check_receipts(self, world: World) -> None:
        with world.engine.connect() as connection:
            for device in world.devices:
                invariants.receipted_is_stored(connection, device, device.newly_receipted())

    def _check_forgetful(self, world: World) -> None:
        """What nobody sends again arrives, since the broker has it until it is stored."""
        owed, left = world.forgetful.owed(), set[Key]()

        def all_stored() -> bool:
            with world.engine.connect() as connection:
                left.clear()
                left.update(invariants.not_yet_stored(connection, world.forgetful, owed))
            return not left

        with suppress(TimeoutError):
            wait_until(all_stored, "what is not sent again", COMES_WITHIN_S)
        if left:
            raise invariants.Violation(
                f"{world.forgetful.name}: acknowledged and not stored, {len(left)} of {len(owed)}: "
                f"{sorted(left)[:3]}"
            )
        world.forgetful.settled(owed)
        world.forgetful.trust()

    def _check(self, world: World) -> None:
        with world.engine.connect() as connection:
            for device in world.devices:
                invariants.as_many_as_measured(connection, device)
                invariants.future_is_quarantined(connection, device)
                invariants.numbers_are_whole(connection, device)
            for lossy in world.lossy[self._lossy_checked :]:
                invariants.as_many_as_measured(connection, lossy)
                invariants.holes_are_noted(connection, lossy.name, lossy.boot, lossy.missing)
            invariants.no_conflicts(connection)
            for flood in world.floods[self._floods_checked :]:
                invariants.flood_is_accounted_for(connection, flood, once=True)
        self._floods_checked, self._lossy_checked = len(world.floods), len(world.lossy)
        invariants.memory_is_bounded(world.ingest.peak_bytes)

    def _check_everything(self, world: World) -> None:
        """At the end, reading for reading from the beginning."""
        with world.paused():
            world.settle()
            with world.engine.connect() as connection:
                for device in (*world.devices, *world.lossy):
                    invariants.ledger_is_stored(connection, device)
                invariants.nothing_was_invented(connection, world.forgetful)
                invariants.batches_are_what_is_stored(connection)
                for flood in world.floods:
                    invariants.flood_is_accounted_for(connection, flood, once=False)

    def _report(self, world: World, seconds: float) -> Report:
        rejected = sum(flood.messages for flood in world.floods)
        measured = sum(one.messages for one in (*world.devices, *world.lossy))
        return Report(
            faults=self._done,
            beside=self._beside,
            messages=measured + rejected,
            readings=sum(len(one.ledger) for one in (*world.devices, *world.lossy)),
            quarantined=sum(len(device.future) for device in world.devices),
            rejected=rejected,
            holes=sum(len(one.missing) for one in world.lossy),
            starts_of_ingest=world.ingest.starts,
            peak_bytes=world.ingest.peak_bytes,
            longest_settling_s=self._longest_s,
            seconds=seconds,
        )

    def _note(self, text: str) -> None:
        self._log.append(f"{time.strftime('%H:%M:%S')} {text}")
        self._say(self._log[-1])

    def _story(self, world: World) -> str:
        said = "\n".join(world.ingest.said().splitlines()[-15:])
        again = f"make faults FAULTS={self._count} SEED={self._seed}"
        return "\n".join((*self._log, f"dala ingest said last:\n{said}", f"Again: {again}"))
