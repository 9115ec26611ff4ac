"""What was refused is read again: the mended leaves the list, the rest keeps today's reason."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from ingest import retrying
from ingest.codecs import Registry, Route
from ingest.messages import Context, Decoded, PayloadError, Reading, Request
from ingest.outcomes import Message
from ingest.retrying import Retried, retry
from ingest.storing import Line
from storage import devices, rejected
from storage.rejected import KEPT_BYTES

TIME_S = 1_750_000_000
RECEIVED_US = (TIME_S + 3_600) * 1_000_000


def pack(device: str, *records: dict[str, Any], arrived_us: int = RECEIVED_US) -> Message:
    return Message(f"dala/v1/{device}/senml", json.dumps(records).encode(), arrived_us)


def rain(second: int, value: float = 1.0) -> dict[str, Any]:
    return {"n": "rain", "v": value, "t": TIME_S + second}


def put(engine: sa.Engine, *names: str) -> None:
    with engine.begin() as connection:
        for name in names:
            devices.put(connection, name, kind="weather-station", name=name)


def readings(engine: sa.Engine) -> list[tuple[str, float]]:
    query = "SELECT device_id, value FROM readings JOIN datastreams ON id = datastream_id"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(f"{query} ORDER BY 1, time"))]


def kept(engine: sa.Engine) -> list[tuple[str | None, str, int]]:
    with engine.connect() as connection:
        return [(one.device, one.reason, one.times) for one in rejected.page(connection)]


def test_messages_of_a_device_that_became_known_are_stored_and_leave_the_list(
    empty_engine: sa.Engine,
) -> None:
    line = Line(empty_engine)
    line.store([pack("late", rain(0)), pack("late", rain(60)), pack("never", rain(0))])
    put(empty_engine, "late")

    done = retry(empty_engine)

    assert done == Retried(tried=3, mended=2, stored=2, duplicate=0, cut=0)
    assert readings(empty_engine) == [("late", 1.0), ("late", 1.0)]
    assert kept(empty_engine) == [("never", "unknown-device", 1)]


def test_doing_it_twice_changes_nothing(empty_engine: sa.Engine) -> None:
    Line(empty_engine).store([pack("late", rain(0)), pack("never", rain(0))])
    put(empty_engine, "late")
    retry(empty_engine)
    before = readings(empty_engine), kept(empty_engine)

    assert retry(empty_engine) == Retried(tried=1, mended=0, stored=0, duplicate=0, cut=0)
    assert (readings(empty_engine), kept(empty_engine)) == before


def test_one_that_ended_between_storing_and_leaving_the_list_does_no_harm(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Line(empty_engine).store([pack("late", rain(0))])
    put(empty_engine, "late")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rejected, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            retry(empty_engine)
    assert (readings(empty_engine), len(kept(empty_engine))) == ([("late", 1.0)], 1)

    assert retry(empty_engine) == Retried(tried=1, mended=1, stored=0, duplicate=1, cut=0)
    assert (readings(empty_engine), kept(empty_engine)) == ([("late", 1.0)], [])


def test_it_is_not_heard_again_by_being_read_again(empty_engine: sa.Engine) -> None:
    Line(empty_engine).store([pack("never", rain(0)), Message("dala/v1/never/senml", b"[{", 0)])
    with empty_engine.connect() as connection:
        query = sa.text("SELECT identity, messages FROM unknown_devices")
        before = connection.execute(query).all()

        retry(empty_engine)

        connection.rollback()
        assert connection.execute(query).all() == before
    assert {times for _, _, times in kept(empty_engine)} == {1}


def test_what_is_refused_for_another_reason_today_says_so(empty_engine: sa.Engine) -> None:
    Line(empty_engine).store([pack("late", {"n": "no_such", "v": 1.0, "t": TIME_S}, rain(0))])
    assert {reason for _, reason, _ in kept(empty_engine)} <= {"unknown-device", "unknown-quantity"}
    put(empty_engine, "late")

    done = retry(empty_engine)

    assert (done.mended, done.stored) == (0, 1)  # its good part is stored
    assert kept(empty_engine) == [("late", "unknown-quantity", 1)]


# --- a mended codec -------------------------------------------------------------------------------


def broken(_payload: bytes, _context: Context) -> Decoded:
    raise PayloadError("bad-message", "not understood yet")


def mended(payload: bytes, context: Context) -> Decoded:
    if payload == b"nonsense":
        raise PayloadError("bad-message", "never understood")
    time_us = context.received_at_us
    reading = Reading("gauge", "rain", float(payload), time_us, "server")
    return Decoded(
        "gauge", [reading], [], [], learned={"gauge": "old"}, requests=(Request("ask", b""),)
    )


def speaking(codec: Any) -> Registry:
    return Registry([Route("gauges/+", codec, lambda levels: levels[0])])


def test_a_mended_codec_reads_what_it_could_not_with_the_time_it_arrived(
    empty_engine: sa.Engine,
) -> None:
    put(empty_engine, "gauge")
    said = [Message("gauges/gauge", one, RECEIVED_US) for one in (b"1.5", b"nonsense", b"2")]
    said[2] = said[2]._replace(received_at_us=RECEIVED_US + 1_000_000)
    Line(empty_engine, speaking(broken)).store(said)

    done = retry(empty_engine, registry=speaking(mended))

    assert (done.tried, done.mended, done.stored) == (3, 2, 2)
    assert readings(empty_engine) == [("gauge", 1.5), ("gauge", 2.0)]
    with empty_engine.connect() as connection:
        times = connection.scalars(sa.text("SELECT extract(epoch FROM time) FROM readings")).all()
        assert sorted(map(int, times)) == [TIME_S + 3_600, TIME_S + 3_601]
        detail = connection.scalar(sa.text("SELECT detail FROM rejected_messages"))
    assert detail == "never understood"


def test_an_old_message_does_not_unsay_what_its_sender_said_since(empty_engine: sa.Engine) -> None:
    put(empty_engine, "gauge")
    Line(empty_engine, speaking(broken)).store([Message("gauges/gauge", b"1", RECEIVED_US)])

    retry(empty_engine, registry=speaking(mended))

    with empty_engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM sender_memory")) == 0


def test_only_the_device_or_reason_that_was_asked_for_is_tried(empty_engine: sa.Engine) -> None:
    bad = Message("dala/v1/b/senml", b"[{", RECEIVED_US)
    Line(empty_engine).store([pack("a", rain(0)), pack("b", rain(0)), bad])
    put(empty_engine, "a", "b")

    assert retry(empty_engine, device="a").tried == 1
    assert [device for device, _ in readings(empty_engine)] == ["a"]
    assert retry(empty_engine, reason="unknown-device").tried == 1
    assert [device for device, _ in readings(empty_engine)] == ["a", "b"]
    assert kept(empty_engine) == [("b", "not-json", 1)]


def test_a_payload_that_was_too_long_to_keep_is_not_read_in_half(empty_engine: sa.Engine) -> None:
    long = json.dumps([rain(0)]).encode() + b" " * KEPT_BYTES  # cut, it would still be a pack
    Line(empty_engine).store([Message("dala/v1/late/senml", long, RECEIVED_US)])
    put(empty_engine, "late")

    assert retry(empty_engine) == Retried(tried=0, mended=0, stored=0, duplicate=0, cut=1)
    assert (readings(empty_engine), len(kept(empty_engine))) == ([], 1)


def test_a_long_list_is_worked_off_in_steps_that_are_told(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "AT_ONCE", 4)
    messages = [pack("late" if n % 3 else "never", rain(60 * n)) for n in range(10)]
    Line(empty_engine).store(messages)
    put(empty_engine, "late")
    steps: list[int] = []

    done = retry(empty_engine, on_progress=steps.append)

    assert (steps, done.tried, done.mended) == ([4, 4, 2], 10, 6)
    assert len(kept(empty_engine)) == 4
