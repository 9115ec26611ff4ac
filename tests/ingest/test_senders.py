"""What senders said is remembered within bounds, whoever says how much."""

import pytest
import sqlalchemy as sa

from ingest import memory as bounds
from ingest.memory import Memory
from storage import devices, senders


def noted(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(senders.memory(connection))


def keep(engine: sa.Engine, memory: Memory) -> None:
    with engine.begin() as connection:
        memory.save(connection)
    memory.saved()


def test_what_is_remembered_is_there_after_a_restart(empty_engine: sa.Engine) -> None:
    memory = Memory()
    memory.update({"sparkplug:a/b": {"births": {}}, "lorawan/lora:1": "milesight-wts506"})
    keep(empty_engine, memory)

    with empty_engine.connect() as connection:
        assert dict(Memory.read(connection)) == dict(memory)


def test_what_was_learned_in_a_batch_that_failed_is_kept_with_the_next(
    empty_engine: sa.Engine,
) -> None:
    memory = Memory()
    memory.update({"sparkplug:a/b": 1})
    with empty_engine.connect() as connection:
        memory.save(connection)  # and never committed
    assert noted(empty_engine) == []

    memory.update({"sparkplug:a/c": 2})
    keep(empty_engine, memory)

    assert noted(empty_engine) == ["sparkplug:a/b", "sparkplug:a/c"]


def test_a_sender_that_says_too_much_is_forgotten_whole(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_BYTES_EACH", 100)
    memory = Memory()
    memory.update({"sparkplug:a/noisy": "x", "sparkplug:a/calm": "x"})
    keep(empty_engine, memory)

    memory.update({"sparkplug:a/noisy": "x" * 99})  # 101 bytes with its quotes
    keep(empty_engine, memory)

    # By half of what it said, or by what it said before, the other half would be read wrongly.
    assert memory.get("sparkplug:a/noisy") is None
    assert noted(empty_engine) == ["sparkplug:a/calm"]
    assert memory.take_dropped() == (("sparkplug:a/noisy",), 0)
    assert memory.take_dropped() == ((), 0)


def test_of_too_many_senders_those_unheard_for_longest_make_room_but_no_device_of_ours(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_SENDERS", 10)
    with empty_engine.begin() as connection:
        wires = ("lora:ours", "sparkplug:Farm 1/pump/probe", "sparkplug:Farm 1/gate")
        for number, wire in enumerate(wires):
            devices.put(connection, f"d{number}", kind="soil-probe", name="D", wire_id=wire)
        devices.put(connection, "mavlink:rover", kind="drone", name="Rover")
    ours = ["lorawan/lora:ours", "sparkplug:Farm 1/pump", "sparkplug:Farm 1/gate", "mavlink:rover"]
    memory = Memory()
    memory.update(dict.fromkeys(["sparkplug:", *ours], 1))  # first: they are the oldest
    memory.update({f"sparkplug:x/{number}": 1 for number in range(5)})
    memory.get("sparkplug:x/0")  # heard of again

    memory.update({"sparkplug:x/new": 1})  # the eleventh
    keep(empty_engine, memory)

    left = sorted(["sparkplug:", *ours, "sparkplug:x/0", "sparkplug:x/3", "sparkplug:x/4"])
    left = sorted([*left, "sparkplug:x/new"])
    assert sorted(memory) == noted(empty_engine) == left  # nine tenths of ten
    assert memory.take_dropped() == ((), 2)


def test_senders_make_room_when_all_of_them_together_said_too_much(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_BYTES", 1_000)
    memory = Memory()
    for number in range(30):
        memory.update({f"sparkplug:x/{number}": "x" * 98})  # 100 bytes each
        keep(empty_engine, memory)
        assert len(noted(empty_engine)) == len(memory) <= 10

    assert memory.get("sparkplug:x/29") is not None
    assert memory.get("sparkplug:x/0") is None


def test_devices_of_ours_are_remembered_beyond_the_limits_and_others_only_within(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_SENDERS", 10)
    ours = [f"sparkplug:ours/{number}" for number in range(20)]
    with empty_engine.begin() as connection:
        for number, wire in enumerate(ours):
            devices.put(connection, f"d{number}", kind="soil-probe", name="D", wire_id=wire)
    memory = Memory()
    memory.update(dict.fromkeys(ours, 1))
    keep(empty_engine, memory)

    for number in range(50):
        memory.update({f"sparkplug:x/{number}": 1})
        keep(empty_engine, memory)

    assert set(ours) <= set(memory)
    assert len(noted(empty_engine)) == len(memory) <= 25
