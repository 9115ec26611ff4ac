"""A batch is stored once and whole; what is bad is set aside with its reason."""

import base64
import json
import math
import random
from collections.abc import Iterator
from struct import Struct
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import storing
from ingest.messages import iso
from ingest.storing import Line, Message, Receipt
from storage import devices, rejected
from storage.readings import Quality

HOUR_US = 3_600_000_000
TIME_S = 1_750_000_000  # 2025-06-15T15:06:40Z
RECEIVED_US = (TIME_S + 3_600) * 1_000_000
PROBE, TRACTOR = "probe-7", "tractor-1"


@pytest.fixture
def database(empty_engine: sa.Engine) -> sa.Engine:
    """Two devices of our own, one switched off, one behind a LoRaWAN network."""
    with empty_engine.begin() as connection:
        devices.put(connection, PROBE, kind="soil-probe", name="Probe")
        devices.put(connection, TRACTOR, kind="tractor", name="Tractor")
        devices.put(connection, "stolen-1", kind="soil-probe", name="Stolen", disabled=True)
        devices.put(
            connection,
            "lse01-1",
            kind="soil-probe",
            name="Soil sensor",
            wire_id="lora:a840410000000001",
            profile="dragino-lse01",
        )
    return empty_engine


@pytest.fixture
def line(database: sa.Engine) -> Line:
    return Line(database)


def senml(*records: dict[str, Any], device: str = PROBE, later_us: int = 0) -> Message:
    """A pack whose base time is TIME_S."""
    first, *rest = records
    payload = json.dumps([{"bt": TIME_S} | first, *rest]).encode()
    return Message(f"dala/v1/{device}/senml", payload, RECEIVED_US + later_us)


def pack(seq: int, *values: float, boot: int = 3, device: str = PROBE) -> Message:
    """A numbered pack: soil moisture at 20 cm, a value a minute, no two packs the same minutes."""
    readings = [
        {"n": "soil_moisture/20", "t": 60 * (100 * seq + index) - 60_000, "v": value}
        for index, value in enumerate(values)
    ]
    numbering = ({"n": "boot", "v": boot}, {"n": "seq", "v": seq})
    return senml(*numbering, *readings, device=device)


def track(seq: int, *points: dict[str, Any], device: str = TRACTOR) -> Message:
    payload = json.dumps({"boot": 1, "seq": seq, "points": list(points)}).encode()
    return Message(f"dala/v1/{device}/track", payload, RECEIVED_US)


def point(second: int, **more: Any) -> dict[str, Any]:
    time = iso((TIME_S + second) * 1_000_000)
    return {"time": time, "lat": 43.25, "lon": 76.95} | more


def rows(engine: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def values(engine: sa.Engine) -> list[float]:
    return [value for (value,) in rows(engine, "SELECT value FROM readings ORDER BY time, value")]


def set_aside(engine: sa.Engine) -> list[tuple[Any, ...]]:
    return rows(engine, "SELECT device, reason, times FROM rejected_messages ORDER BY id")


# --- good messages --------------------------------------------------------------------------------


def test_a_pack_is_stored_and_receipted(line: Line, database: sa.Engine) -> None:
    outcome = line.store([pack(1, 0.21, 0.22, 0.23)])

    assert outcome.receipts == [Receipt(PROBE, 3, 1, stored=3, duplicate=0, rejected={})]
    assert (outcome.stored, outcome.duplicate, outcome.rejected) == (3, 0, 0)
    assert values(database) == [0.21, 0.22, 0.23]
    assert rows(database, "SELECT device_id, quantity, depth_cm FROM datastreams") == [
        (PROBE, "soil_moisture", 20.0)
    ]


def test_who_brought_something_new_was_heard_and_who_repeated_himself_was_not(
    line: Line, database: sa.Engine
) -> None:
    hour_later = Message(*track(1, point(0))[:2], RECEIVED_US + HOUR_US)
    line.store([pack(1, 0.21), hour_later])
    line.store([Message(*pack(1, 0.21)[:2], RECEIVED_US + HOUR_US)])  # the same again

    seen = "SELECT device_id, extract(epoch FROM received_at) * 1e6 FROM device_heard ORDER BY 2"
    assert rows(database, seen) == [(PROBE, RECEIVED_US), (TRACTOR, RECEIVED_US + HOUR_US)]


def test_the_same_batch_again_is_all_duplicates_and_has_the_same_receipt_number(
    line: Line, database: sa.Engine
) -> None:
    batch = [pack(1, 0.21, 0.22), pack(2, 0.23)]
    line.store(batch)

    for again in (line.store(batch), Line(database).store(batch)):  # the latter: after a restart
        assert again.receipts == [Receipt(PROBE, 3, 2, stored=0, duplicate=3, rejected={})]
    assert values(database) == [0.21, 0.22, 0.23]
    assert rows(database, "SELECT * FROM reading_conflicts") == []


def test_a_message_repeated_inside_one_batch_is_stored_once(
    line: Line, database: sa.Engine
) -> None:
    outcome = line.store([pack(1, 0.21, 0.22), pack(1, 0.21, 0.22)])

    assert outcome.receipts == [Receipt(PROBE, 3, 1, stored=2, duplicate=2, rejected={})]
    assert values(database) == [0.21, 0.22]


def test_a_receipt_stops_at_the_first_message_that_is_missing(line: Line) -> None:
    heard = [line.store([pack(seq, 0.2)]).receipts[0].seq for seq in (1, 3, 2)]

    assert heard == [1, 1, 3]


def test_each_device_and_each_boot_has_its_own_receipt(line: Line) -> None:
    outcome = line.store(
        [pack(1, 0.2, boot=3), pack(1, 0.3, boot=4), pack(1, 0.4, 0.5, device=TRACTOR)]
    )

    # The two packs of boot 3 and 4 give the same minute two values: the first stays.
    assert outcome.receipts == [
        Receipt(PROBE, 3, 1, stored=1, duplicate=0, rejected={}),
        Receipt(PROBE, 4, 1, stored=0, duplicate=1, rejected={}),
        Receipt(TRACTOR, 3, 1, stored=2, duplicate=0, rejected={}),
    ]


def test_a_second_value_for_a_time_is_kept_beside_the_first(
    line: Line, database: sa.Engine
) -> None:
    line.store([senml({"n": "rain", "v": 1.0})])
    line.store([senml({"n": "rain", "v": 4.0})])

    assert values(database) == [1.0]
    assert rows(database, "SELECT stored_value, value FROM reading_conflicts") == [(1.0, 4.0)]


def test_a_redelivered_pack_without_times_is_known_by_its_number(
    line: Line, database: sa.Engine
) -> None:
    # «Now» is another moment at each delivery: only boot and seq tell that it is one message.
    def undated(later_us: int) -> Message:
        numbering = ({"bt": 0, "n": "boot", "v": 1}, {"n": "seq", "v": 1})
        return senml(*numbering, {"n": "soil_moisture/20", "v": 0.2}, later_us=later_us)

    line.store([undated(0)])
    again = line.store([undated(HOUR_US), undated(2 * HOUR_US)])

    assert again.receipts == [Receipt(PROBE, 1, 1, stored=0, duplicate=2, rejected={})]
    assert values(database) == [0.2]


def test_two_copies_without_times_in_one_batch_are_one_message(
    line: Line, database: sa.Engine
) -> None:
    numbering = ({"bt": 0, "n": "boot", "v": 1}, {"n": "seq", "v": 1})
    copies = [
        senml(*numbering, {"n": "soil_moisture/20", "v": 0.2}, later_us=later)
        for later in (0, HOUR_US)
    ]

    outcome = line.store(copies)

    assert outcome.receipts == [Receipt(PROBE, 1, 1, stored=1, duplicate=1, rejected={})]
    assert values(database) == [0.2]


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


# --- LoRaWAN --------------------------------------------------------------------------------------


def chirpstack(eui: str, frame: bytes) -> Message:
    """The least that ChirpStack 4 says of an uplink."""
    event = {
        "time": iso(TIME_S * 1_000_000),
        "deviceInfo": {"devEui": eui},
        "fPort": 2,
        "data": base64.b64encode(frame).decode(),
    }
    topic = f"application/1/device/{eui}/event/up"
    return Message(topic, json.dumps(event).encode(), RECEIVED_US)


# Dragino LSE01 user manual, payload: battery [mV], DS18B20 [0.1 °C], water [0.01 %],
# temperature [0.01 °C], conductivity [µS/cm], flags.
LSE01 = Struct(">HhHhHB").pack(3_300, 3_276, 2_500, 1_850, 400, 0)


def test_bytes_of_a_registered_lorawan_device_are_read_by_its_profile(
    line: Line, database: sa.Engine
) -> None:
    line.store([chirpstack("a840410000000001", LSE01)])

    found = dict(
        rows(
            database,
            "SELECT quantity, value FROM readings JOIN datastreams ON id = datastream_id"
            " WHERE device_id = 'lse01-1' AND quantity LIKE 'soil%'",
        )
    )
    # 25 % is 0.25 m³/m³, 400 µS/cm is 0.4 dS/m.
    assert found == pytest.approx({"soil_moisture": 0.25, "soil_temperature": 18.5, "soil_ec": 0.4})
    assert set_aside(database) == []


def test_bytes_of_a_stranger_are_kept_until_somebody_says_how_to_read_them(
    line: Line, database: sa.Engine
) -> None:
    line.store([chirpstack("a840410000000099", LSE01)])

    ((device, reason, _),) = set_aside(database)
    assert (device, reason) == ("lora:a840410000000099", "no-decoder")
    assert values(database) == []


# --- tracks ---------------------------------------------------------------------------------------


def test_track_points_are_stored_once_and_what_is_unknown_stays_unknown(
    line: Line, database: sa.Engine
) -> None:
    message = track(1, point(0, speed_m_s=2.5, work_state=1), point(10, fuel_rate_l_h=18.0))

    first, second = line.store([message]), line.store([message])

    assert first.receipts == [Receipt(TRACTOR, 1, 1, stored=2, duplicate=0, rejected={})]
    assert second.receipts == [Receipt(TRACTOR, 1, 1, stored=0, duplicate=2, rejected={})]
    assert rows(
        database,
        "SELECT latitude_deg, longitude_deg, speed_m_s, work_state, fuel_rate_l_h, width_m"
        "  FROM track_points ORDER BY time",
    ) == [(43.25, 76.95, 2.5, 1, None, None), (43.25, 76.95, None, None, 18.0, None)]
    assert rows(database, "SELECT * FROM track_conflicts") == []


@pytest.mark.parametrize("batches", [1, 2])
def test_a_second_place_for_the_same_moment_is_kept_as_a_conflict(
    line: Line, database: sa.Engine, batches: int
) -> None:
    messages = [track(1, point(0)), track(2, point(0, lat=44.0), point(10))]
    outcomes = [line.store(messages)] if batches == 1 else [line.store([m]) for m in messages]

    assert sum(outcome.stored for outcome in outcomes) == 2
    assert rows(database, "SELECT latitude_deg FROM track_points ORDER BY time") == [
        (43.25,),
        (43.25,),
    ]
    assert rows(database, "SELECT point -> 'latitude_deg' FROM track_conflicts") == [(44.0,)]


def test_points_of_several_machines_in_one_batch_stay_with_their_machine(
    line: Line, database: sa.Engine
) -> None:
    line.store([track(1, point(0, speed_m_s=1.0)), track(1, point(0, speed_m_s=2.0), device=PROBE)])

    assert rows(database, "SELECT device_id, speed_m_s FROM track_points ORDER BY 1") == [
        (PROBE, 2.0),
        (TRACTOR, 1.0),
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


# --- packs that are read into columns, once their datastreams are known ---------------------------


def undeclared(value: float, *, second: int) -> Message:
    """A pack that only the full decoder reads: the value is the sum of a base and its own."""
    return senml({"bv": 0.5, "n": "soil_moisture/20", "t": second, "v": value - 0.5})


def test_of_two_packs_for_one_time_the_first_counts_however_each_is_read(
    line: Line, database: sa.Engine
) -> None:
    usual = [senml({"n": "soil_moisture/20", "t": second, "v": 0.25}) for second in (0, 1, 2)]
    line.store(usual[:1])

    line.store([usual[1], undeclared(0.75, second=1), undeclared(0.75, second=2), usual[2]])

    assert values(database) == [0.25, 0.25, 0.75]
    assert rows(database, "SELECT stored_value, value FROM reading_conflicts ORDER BY time") == [
        (0.25, 0.75),
        (0.75, 0.25),
    ]


def test_a_time_that_cannot_be_is_refused_from_columns_too(line: Line, database: sa.Engine) -> None:
    line.store([pack(1, 0.2)])
    later = senml(
        {"n": "boot", "v": 3},
        {"n": "seq", "v": 2},
        {"n": "soil_moisture/20", "t": 1, "v": 0.21},
        {"n": "soil_moisture/20", "t": 3_600 + 301, "v": 0.22},  # 5 min 1 s after its arrival
        {"n": "soil_moisture/20", "t": 1e9 - TIME_S, "v": 0.23},  # 2001-09-09
        {"n": "soil_moisture/20", "t": 9e8 - TIME_S, "v": 0.24},  # 1998-07-09
    )

    outcome = line.store([later])

    assert outcome.receipts == [
        Receipt(
            PROBE, 3, 2, stored=2, duplicate=0,
            rejected={"time-in-future": 1, "time-before-2000": 1},
        )
    ]  # fmt: skip
    assert sorted(values(database)) == [0.2, 0.21, 0.23]
    assert set_aside(database) == [(PROBE, "time-in-future", 1)]


def test_a_value_beyond_its_range_is_flagged_from_columns_too(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack(1, 0.2)])

    line.store([pack(2, 0.7, 0.71, -0.01)])  # soil moisture is believable from 0 to 0.7

    query = "SELECT value FROM readings WHERE quality & :flag > 0 ORDER BY value"
    query = query.replace(":flag", str(int(Quality.OUT_OF_RANGE)))
    assert rows(database, query) == [(-0.01,), (0.71,)]


def test_a_device_that_was_switched_off_is_refused_once_it_is_looked_up_again(
    line: Line, database: sa.Engine
) -> None:
    line.store([pack(1, 0.2)])
    with database.begin() as connection:
        devices.put(connection, PROBE, kind="soil-probe", name="Probe", disabled=True)
    line.forget()

    outcome = line.store([pack(2, 0.3)])

    assert outcome.reasons == {"device-disabled": 1}
    assert values(database) == [0.2]


def test_an_identity_that_now_means_another_device_has_other_datastreams(
    line: Line, database: sa.Engine
) -> None:
    with database.begin() as connection:
        devices.put(connection, "old-1", kind="soil-probe", name="Old", wire_id="nickname")
    line.store([pack(1, 0.2, device="nickname")])
    with database.begin() as connection:
        devices.put(connection, "old-1", wire_id=None, kind="soil-probe", name="Old")
        devices.put(connection, "new-1", kind="soil-probe", name="New", wire_id="nickname")
    line.forget()

    line.store([pack(2, 0.3, device="nickname")])

    query = "SELECT device_id, value FROM readings JOIN datastreams ON id = datastream_id"
    assert rows(database, f"{query} ORDER BY value") == [("old-1", 0.2), ("new-1", 0.3)]
