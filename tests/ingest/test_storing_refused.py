"""What is bad is set aside with its reason, whoever finds it: a codec, a check, or the database."""

import json
import math
import random
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import storing
from ingest.storing import Line, Message, Receipt
from storage import devices, rejected
from storage.readings import Quality
from tests.ingest.packs import (
    HOUR_US,
    PROBE,
    RECEIVED_US,
    TIME_S,
    TRACTOR,
    pack,
    point,
    rows,
    senml,
    set_aside,
    track,
    values,
)

# --- bad messages ---------------------------------------------------------------------------------

BAD = {
    "broken JSON": (
        Message(f"dala/v1/{PROBE}/senml", b'[{"n":"rain","v":', RECEIVED_US),
        PROBE,
        "not-json",
    ),
    "no number": (senml({"n": "rain", "v": math.nan}), PROBE, "value-not-finite"),
    "unknown device": (senml({"n": "rain", "v": 1.0}, device="nobody"), "nobody", "unknown-device"),
    "time in 2090": (senml({"n": "rain", "v": 1.0, "t": 2e9}), PROBE, "time-in-future"),
    "clock never set": (
        senml({"bt": 0, "n": "rain", "t": 8e8, "v": 1.0}),
        PROBE,
        "time-before-2000",
    ),
    "2 MB": (
        Message(f"dala/v1/{PROBE}/senml", b"[" + b" " * 2_000_000 + b"]", RECEIVED_US),
        PROBE,
        "too-large",
    ),
    "disabled": (senml({"n": "rain", "v": 1.0}, device="stolen-1"), "stolen-1", "device-disabled"),
    "unknown topic": (Message("dala/v1/x/y/z", b"{}", RECEIVED_US), None, "unknown-topic"),
    "NUL in a name": (
        senml({"n": "rain", "v": 1.0}, device="a\x00b"),
        "a\N{REPLACEMENT CHARACTER}b",
        "unknown-device",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_message_is_kept_with_its_reason_and_its_neighbours_are_stored(
    line: Line, database: sa.Engine, name: str
) -> None:
    message, device, reason = BAD[name]

    outcome = line.store([pack(1, 0.21), message, pack(2, 0.22)])

    assert values(database) == [0.21, 0.22]
    assert set_aside(database) == [(device, reason, 1)]
    assert (outcome.stored, outcome.rejected) == (2, 1)
    (detail, topic, size, kept), *_ = rows(
        database, "SELECT detail, topic, payload_bytes, length(payload) FROM rejected_messages"
    )
    assert detail
    assert topic == message.topic.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    assert size == len(message.payload)
    assert kept == min(size, rejected.KEPT_BYTES)


def test_a_name_too_long_for_an_index_does_not_stop_the_line(
    line: Line, database: sa.Engine
) -> None:
    # PostgreSQL indexes about 2,700 bytes; MQTT allows topics of 65,535. These do not compress.
    endless = random.Random(1).randbytes(20_000).hex()
    stranger = senml({"n": "rain", "v": 1.0}, device=endless)

    outcome = line.store([pack(1, 0.21), stranger, pack(2, 0.22)])

    assert (outcome.stored, outcome.rejected) == (2, 1)
    ((device, reason, _),) = set_aside(database)
    assert reason == "unknown-device"
    assert endless.startswith(device)
    assert rows(database, "SELECT topic FROM rejected_messages") == [(stranger.topic,)]


_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=8)
    | st.sampled_from(["rain", "boot", "seq", "soil_moisture/20", "2025-06-15T00:00:00Z", "\x00"])
)
_KEYS = ("n", "v", "t", "u", "bn", "bt", "bv", "vs", "vb", "points", "time", "lat", "lon", "boot")
_NETWORK_KEYS = ("seq", "deviceInfo", "devEui", "data", "object", "fPort", "uplink_message")
_keys = st.sampled_from(_KEYS + _NETWORK_KEYS)
_documents = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=6),
    max_leaves=25,
)
_payloads = st.binary(max_size=60) | _documents.map(lambda value: json.dumps(value).encode())
_topics = st.sampled_from(
    [
        f"dala/v1/{PROBE}/senml",
        f"dala/v1/{TRACTOR}/track",
        "dala/v1//senml",
        "application/1/device/a840410000000001/event/up",
        "application/1/device/\x00/event/status",
        "v3/app@tenant/devices/lse01/up",
        "$SYS",
    ]
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(strange=st.lists(st.tuples(_topics, _payloads), min_size=1, max_size=8))
def test_whatever_else_is_in_the_batch_a_good_message_is_stored(
    line: Line, database: sa.Engine, strange: list[tuple[str, bytes]]
) -> None:
    batch = [Message(topic, payload, RECEIVED_US) for topic, payload in strange]
    good = pack(7, 0.123456, boot=77)
    with database.begin() as connection:
        connection.execute(sa.text("TRUNCATE readings, device_sequences"))

    outcome = line.store([*batch, good])

    assert values(database).count(0.123456) == 1
    assert [one.stored for one in outcome.receipts if one.boot == 77] == [1]


def test_a_device_hears_why_a_record_was_refused_and_may_forget_it(
    line: Line, database: sa.Engine
) -> None:
    numbering = ({"n": "boot", "v": 1}, {"n": "seq", "v": 1})
    good, bad = {"n": "rain", "v": 1.0}, {"n": "snow", "v": 2.0}

    outcome = line.store([senml(*numbering, good, bad, bad)])

    assert outcome.receipts == [Receipt(PROBE, 1, 1, 1, 0, {"unknown-quantity": 2})]
    assert values(database) == [1.0]
    assert set_aside(database) == [(PROBE, "unknown-quantity", 1)]


def test_a_device_that_makes_up_datastreams_has_only_so_many(
    line: Line, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "MOST_DATASTREAMS", 3)
    depths = [
        senml(
            {"n": "boot", "v": 1},
            {"n": "seq", "v": seq},
            *({"n": f"soil_moisture/{depth}", "v": 0.2} for depth in range(first, first + 2)),
        )
        for seq, first in ((1, 10), (2, 12))
    ]

    outcome = line.store([*depths, pack(1, 0.21)])

    assert outcome.receipts == [
        Receipt(PROBE, 1, 2, stored=3, duplicate=0, rejected={"too-many-datastreams": 1}),
        Receipt(PROBE, 3, 1, stored=0, duplicate=0, rejected={"too-many-datastreams": 1}),
    ]
    assert line.store([depths[0]]).duplicate == 2  # what there is goes on
    (kept,) = rows(database, "SELECT count(*) FROM datastreams")
    assert kept == (3,)
    assert set_aside(database)[0][:2] == (PROBE, "too-many-datastreams")


def test_an_implausible_value_is_stored_and_flagged(line: Line, database: sa.Engine) -> None:
    line.store([senml({"n": "soil_moisture/20", "v": 0.7}, {"n": "rain", "v": -1.0})])

    assert rows(database, "SELECT value, quality FROM readings ORDER BY value") == [
        (-1.0, Quality.OUT_OF_RANGE),
        (0.7, 0),  # the edge of the plausible range is plausible
    ]
    assert set_aside(database) == []


def test_five_minutes_into_the_future_are_a_drifting_clock_and_more_is_a_wrong_one(
    line: Line, database: sa.Engine
) -> None:
    edge = RECEIVED_US // 1_000_000 - TIME_S + 300

    line.store([senml({"n": "rain", "t": edge, "v": 1.0}, {"n": "rain", "t": edge + 1, "v": 2.0})])

    assert values(database) == [1.0]
    assert set_aside(database) == [(PROBE, "time-in-future", 1)]


def test_a_bad_message_that_repeats_raises_a_count_and_adds_no_row(
    line: Line, database: sa.Engine
) -> None:
    broken, *_ = BAD["broken JSON"]
    line.store([broken, broken])
    line.store([broken._replace(received_at_us=RECEIVED_US + HOUR_US)])

    assert set_aside(database) == [(PROBE, "not-json", 3)]
    assert rows(database, "SELECT last_received_at - received_at FROM rejected_messages") == rows(
        database, "SELECT interval '1 hour'"
    )


def test_beyond_its_share_bad_messages_of_a_device_are_only_counted(
    line: Line, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejected, "KEPT_PER_DEVICE", 3)
    flood = [Message(f"dala/v1/{PROBE}/senml", b"%d{" % n, RECEIVED_US) for n in range(5)]
    other = Message(f"dala/v1/{TRACTOR}/senml", b"{", RECEIVED_US)

    line.store([*flood, other])
    line.store(flood[4:])

    assert [device for device, _, _ in set_aside(database)] == [PROBE] * 3 + [TRACTOR]
    assert rows(database, "SELECT device, reason, messages FROM rejected_counts") == [
        (PROBE, "not-json", 3)
    ]


# --- what the database refuses --------------------------------------------------------------------


@pytest.fixture
def fussy(database: sa.Engine) -> Iterator[sa.Engine]:
    """A database with a rule that the service does not know of."""
    rule = "ALTER TABLE readings ADD CONSTRAINT fussy CHECK (value <> 0.666)"
    with database.begin() as connection:
        connection.execute(sa.text(rule))
    yield database
    with database.begin() as connection:
        connection.execute(sa.text("ALTER TABLE readings DROP CONSTRAINT fussy"))


@pytest.mark.parametrize("place", range(5))
def test_the_message_that_the_database_refuses_is_found_wherever_it_stands(
    fussy: sa.Engine, place: int
) -> None:
    batch = [pack(seq, 0.1 * seq, 0.01 * seq) for seq in range(1, 6)]
    batch[place] = pack(place + 1, 0.5, 0.666)

    outcome = Line(fussy).store(batch)

    assert (outcome.stored, outcome.rejected) == (8, 1)
    assert len(values(fussy)) == 8
    assert set_aside(fussy) == [(PROBE, "refused-by-database", 1)]
    assert "23514" in rows(fussy, "SELECT detail FROM rejected_messages")[0][0]


def test_a_refused_message_does_not_hold_back_the_receipts_of_those_after_it(
    fussy: sa.Engine,
) -> None:
    # It is kept with its reason, so the device may forget it; else it would send it for ever.
    outcome = Line(fussy).store([pack(1, 0.1), pack(2, 0.666), pack(3, 0.3)])

    assert max(receipt.seq for receipt in outcome.receipts) == 3
    reasons = [receipt.rejected for receipt in outcome.receipts if receipt.rejected]
    assert reasons == [{"refused-by-database": 1}]


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**64 - 1])
def test_a_message_number_too_large_for_the_database_is_set_aside(
    line: Line, database: sa.Engine, number: int
) -> None:
    outcome = line.store([pack(1, 0.2), track(number, point(0))])

    assert (outcome.stored, outcome.rejected) == (1, 1)
    assert set_aside(database) == [(TRACTOR, "bad-numbering", 1)]


def test_a_value_that_the_driver_will_not_send_is_the_messages_fault() -> None:
    # psycopg refuses NUL in a text before the server sees it, so there is no SQLSTATE: to wait for
    # the database would stop the line for ever.
    with pytest.raises(psycopg.DataError) as caught:
        psycopg.adapt.Transformer().as_literal("a\x00b")

    assert storing._state(caught.value) == "22000"


def test_a_database_that_is_away_takes_nothing_and_says_so(database: sa.Engine) -> None:
    away = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")

    with pytest.raises(sa.exc.OperationalError) as caught:
        Line(away).store([pack(1, 0.2)])

    assert storing.is_away(caught.value)
