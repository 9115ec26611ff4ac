"""Sparkplug B: values, units, times, names, and bytes of any kind."""

import csv
import json

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from ingest.codecs import decode, sparkplug_payload
from ingest.codecs.metric_names import Options, Target, target_of
from ingest.codecs.sparkplug import decode as read_message
from ingest.decoding import describe
from ingest.messages import Context
from storage.readings import Quality
from tests.ingest.codecs import sparkplug_bytes as sp
from tests.ingest.codecs.sparkplug_farm import (
    CELSIUS,
    NODE,
    NOW_US,
    PERCENT,
    TIME_MS,
    named,
    reasons,
    values,
)

# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("datatype", "written", "value"),
    [
        (sp.INT8, sp.int_value(0xFB), -5),  # two's complement of 8 bits: 256 - 5
        (sp.INT8, sp.int_value(0xFFFFFFFB), -5),  # filled up to 32 bits
        (sp.INT16, sp.int_value(0xFFFB), -5),
        (sp.INT32, sp.int_value(0xFFFFFFFB), -5),
        (sp.INT64, sp.long_value(2**64 - 5), -5),
        (sp.UINT8, sp.int_value(0xFB), 251),
        (sp.UINT32, sp.int_value(0xFFFFFFFB), 2**32 - 5),
        (sp.UINT32, sp.long_value(0xFFFFFFFB), 2**32 - 5),
        (sp.UINT64, sp.long_value(12), 12),
        (sp.FLOAT, sp.single(21.3), 21.3),
        (sp.DOUBLE, sp.double(21.3), 21.3),
    ],
)
def test_the_birth_s_datatype_gives_the_sign_back(farm, datatype, written, value):
    birth = sp.metric(sp.int_value(0), "Temperature", alias=1, datatype=datatype)
    farm.hear("NBIRTH", sp.node_birth(1, birth))

    data = farm.hear("NDATA", sp.payload(sp.metric(written, alias=1)))

    assert values(data) == [("air_temperature", value)]
    assert type(data.readings[0].value) is float


def test_a_number_that_may_be_negative_waits_for_the_birth(farm):
    data = sp.payload(sp.metric(sp.int_value(0xFFFFFFFB), "Temperature"))
    first = farm.hear("NDATA", data)

    assert reasons(first) == ["alias-unknown"]
    assert len(first.requests) == 1
    farm.hear("NBIRTH", sp.node_birth(1, sp.metric(b"", "Temperature", datatype=sp.INT32)))
    assert values(farm.hear("NDATA", data)) == [("air_temperature", -5.0)]


def test_a_birth_is_not_asked_for_again_by_itself(farm):
    birth = sp.node_birth(1, sp.metric(sp.int_value(0xFFFFFFFB), "Temperature", alias=1))

    decoded = farm.hear("NBIRTH", birth)

    assert (reasons(decoded), decoded.requests) == (["alias-unknown"], ())


def test_a_small_number_needs_no_datatype(farm):
    data = sp.payload(named("Temperature", sp.int_value(21), more=CELSIUS))
    assert values(farm.hear("NDATA", data)) == [("air_temperature", 21.0)]


def test_a_valve_may_be_a_switch(farm):
    metric = named("Valve Open", sp.boolean(True), datatype=sp.BOOLEAN, more=sp.unit("on/off"))
    data = sp.payload(metric)

    assert values(farm.hear("NDATA", data)) == [("valve_open", 1.0)]


def test_units_of_the_birth_are_converted(farm):
    farm.hear(
        "NBIRTH",
        sp.node_birth(1, named("Soil/Moisture_20cm", alias=1, more=sp.unit("%"))),
    )

    data = farm.hear("NDATA", sp.payload(sp.metric(sp.double(31.0), alias=1)))

    assert values(data) == [("soil_moisture", 0.31)]
    assert data.readings[0].depth_cm == 20.0


def test_the_time_is_the_metric_s_then_the_message_s_then_the_arrival(farm):
    own = named("Temperature", time_ms=TIME_MS - 5_000, more=sp.HISTORICAL + CELSIUS)
    humidity = named("Humidity", more=PERCENT)
    dated = farm.hear("NDATA", sp.payload(own, humidity))
    undated = farm.hear("NDATA", sp.payload(humidity, time_ms=None))

    assert [one.time for one in dated.readings] == [(TIME_MS - 5_000) * 1000, TIME_MS * 1000]
    assert {one.time_source for one in dated.readings} == {"device"}
    (reading,) = undated.readings
    assert (reading.time, reading.time_source) == (NOW_US, "server")
    assert reading.quality == Quality.SERVER_TIME


@pytest.mark.parametrize(
    "metric",
    [
        named("Temperature", b"", more=sp.NULL),
        named("Temperature", b""),
        named("Temperature", more=sp.TRANSIENT),
        named("Node Control/Reboot", sp.boolean(False)),
        named("Device Control/Scan rate", sp.int_value(5)),
        named("Properties/Hardware Make", sp.string("x")),
        named("bdSeq", sp.long_value(3)),
    ],
)
def test_what_is_no_measurement_is_passed_over(farm, metric):
    decoded = farm.hear("NDATA", sp.payload(metric))

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert decoded.ignored == "NDATA: no measured value"


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (named("Motor/Temperature"), "unknown-quantity"),
        (named("Temperature", sp.string("21")), "not-a-number"),
        (named("Temperature", sp.boolean(True)), "not-a-number"),
        (named("Temperature", sp.long_value(5), datatype=sp.DATETIME), "not-a-number"),
        (named("Temperature", sp.block(17, b"")), "not-a-number"),  # a data set
        (named("Temperature", sp.double(float("nan")), more=CELSIUS), "value-not-finite"),
        (named("Temperature", more=sp.unit("parsec")), "unknown-unit"),
        (named("Temperature", more=sp.unit("kPa")), "wrong-unit"),
        (named("Temperature", time_ms=2**63, more=CELSIUS), "time-out-of-range"),
        (named(b"\xff\xfe"), "bad-name"),
        (sp.double(1.0), "bad-record"),  # neither name nor alias
    ],
)
def test_a_metric_that_cannot_be_read_says_why_and_leaves_its_neighbour(farm, metric, reason):
    decoded = farm.hear("NDATA", sp.payload(metric, named("Humidity", more=PERCENT)))

    assert reasons(decoded) == [reason]
    assert "metric 0" in decoded.rejected[0].detail
    assert [one.quantity for one in decoded.readings] == ["relative_humidity"]


# --- topics and payloads --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("spBv1.0/g/NDATA", sp.payload(), "bad-topic"),
        ("spBv1.0/g/NDATA/n/d", sp.payload(), "bad-topic"),
        ("spBv1.0/g/DDATA/n", sp.payload(), "bad-topic"),
        ("spBv1.0/g/DDATA/n/d/e", sp.payload(), "bad-topic"),
        ("spBv1.0/g/XDATA/n", sp.payload(), "bad-topic"),
        ("spBv1.0//NDATA/n", sp.payload(), "bad-topic"),
        ("spBv1.0/g\x00/NDATA/n", sp.payload(), "bad-topic"),
        ("spBv1.0/g/NDATA/n", b"\x00", "not-protobuf"),
        ("spBv1.0/g/NDATA/n", b"", "bad-message"),
        ("spBv1.0/g/NDATA/n", b'{"metrics": []}', "not-protobuf"),
        ("spBv1.0/g/NDATA/n", sp.payload(*[b""] * 10_001), "too-many-records"),
    ],
)
def test_what_is_no_message_of_sparkplug_says_why(topic, payload, reason):
    assert reasons(decode(topic, payload, received_at_us=NOW_US)) == [reason]


@pytest.mark.parametrize(
    ("topic", "word"),
    [
        ("spBv1.0/STATE/scada", "STATE"),
        ("spBv1.0/g/NCMD/n", "command"),
        ("spBv1.0/g/DCMD/n/d", "command"),
    ],
)
def test_what_others_say_to_each_other_is_ignored(topic, word):
    decoded = decode(topic, b'{"online": true, "timestamp": 1}', received_at_us=NOW_US)

    assert decoded.rejected == []
    assert word in decoded.ignored


def test_an_operator_names_metrics_and_units(farm):
    options = Options(
        metrics={"R4:17": "soil_moisture/40:1", "CPU": None, "Temperature": "soil_temperature/10"},
        units={"R4:17": "%"},
    )
    context = Context(("g/NDATA/n",), NOW_US, options=options)
    soil = named("Temperature", sp.double(12.0), more=CELSIUS)
    message = sp.payload(named("R4:17", sp.double(25.0)), named("CPU"), soil)

    decoded = read_message(message, context)

    assert [(r.quantity, r.value, r.depth_cm, r.channel) for r in decoded.readings] == [
        ("soil_moisture", 0.25, 40.0, 1),
        ("soil_temperature", 12.0, 10.0, None),
    ]
    assert decoded.rejected == []


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("Soil/Moisture_20cm", Target("soil_moisture", 20.0, None)),
        ("SoilMoisture 20 cm", Target("soil_moisture", 20.0, None)),
        ("soil-moisture-0.2m", Target("soil_moisture", 20.0, None)),
        ("SOIL TEMPERATURE 100mm", Target("soil_temperature", 10.0, None)),
        ("soil_moisture/20:1", Target("soil_moisture", 20.0, 1)),
        ("Temperature", Target("air_temperature", None, None)),
        ("Wind/Speed", Target("wind_speed", None, None)),
        ("valve_open:1", Target("valve_open", None, 1)),
        ("Temperature_20cm", None),  # of what, 20 cm deep?
        ("Soil Moisture 2", None),  # a depth, or the second probe?
        ("Motor/Temperature", None),
        ("Pressure", None),  # of the air, or of the water?
        ("", None),
    ],
)
def test_names_that_mean_one_thing_are_understood(name, target):
    assert target_of(name) == target


@pytest.mark.parametrize(
    ("name", "unit", "written", "stored"),
    [
        ("soil_moisture", "%", 31.0, 0.31),  # per cent to engineers, though a ratio in SenML
        ("soil_ec", "µS/cm", 500.0, 0.5),
        ("air_temperature", "°C", 21.5, 21.5),
        ("air_temperature", "degF", 77.0, 25.0),  # (77 - 32) * 5 / 9
        ("water_pressure", "BAR", 2.5, 250.0),
        ("water_flow", "m3/hr", 12.0, 12.0),
    ],
)
def test_units_are_those_of_engineers(farm, name, unit, written, stored):
    data = farm.hear("NDATA", sp.payload(named(name, sp.double(written), more=sp.unit(unit))))

    assert values(data) == [(name, pytest.approx(stored))]


# --- recorded messages, and any bytes -------------------------------------------------------------


def test_recorded_messages_agree_with_their_oracle(shared):
    folder = shared / "samples/sparkplug"
    for file in sorted(folder.glob("*.bin")):
        expected = json.loads(file.with_suffix("").with_suffix(".decoded.json").read_text())
        message = MessageToDict(
            sparkplug_payload.read(file.read_bytes()), preserving_proto_field_name=True
        )
        for one, oracle in zip(message["metrics"], expected["metrics"], strict=True):
            assert one.pop("name", None) == _base64(oracle.pop("name", None))
            assert one == oracle
        assert (message["timestamp"], message["seq"]) == (expected["timestamp"], expected["seq"])


def _base64(text):
    """How the JSON form of protobuf writes what we declare as bytes."""
    from base64 import b64encode

    return None if text is None else b64encode(text.encode()).decode()


def test_recorded_messages_in_the_order_of_their_scenario(shared, farm):
    folder = shared / "samples/sparkplug"
    lost = farm.hear("NDATA", (folder / "ndata_before_birth.bin").read_bytes())
    birth = farm.hear("NBIRTH", (folder / "nbirth_v1.bin").read_bytes())
    data = farm.hear("NDATA", (folder / "ndata_v1.bin").read_bytes())
    death = farm.hear("NDEATH", (folder / "ndeath_v1.bin").read_bytes())

    assert (reasons(lost), len(lost.requests)) == (["alias-unknown"], 1)
    assert values(birth) == [("air_temperature", 21.5)]
    assert describe(data) == [
        {
            "device": NODE,
            "quantity": "air_temperature",
            "value": 22.5,
            "unit": "°C",
            "time": "2025-06-25T12:47:23.474000Z",  # date -u -d @1750855643.474
            "time_source": "device",
            "depth_cm": None,
            "channel": None,
            "quality": 0,
        }
    ]
    assert "another session (bdSeq 0; born with 88)" in death.ignored


def test_the_numbers_of_a_real_plant_wrap_and_lose_nothing(shared, farm):
    # 523 messages in 95 s, one seq for a node and its devices: 0..255 comes round again.
    path = shared / "samples/sparkplug/production-pcap-seq.csv"
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["seq"]]
    keys = set()
    for row in rows:
        time_ms = int(row["payload_timestamp"])
        metric = named("Temperature", more=CELSIUS)
        payload = sp.payload(metric, time_ms=time_ms, seq=int(row["seq"]))
        decoded = farm.hear(row["msg_type"], payload, row["device_id"], row["edge_node_id"])
        assert decoded.rejected == []
        keys |= {(one.device, one.quantity, one.time) for one in decoded.readings}

    assert len({row["seq"] for row in rows}) < len(rows)  # they do repeat
    assert keys == {
        (
            "/".join(filter(None, ["sparkplug:Farm 1", row["edge_node_id"], row["device_id"]])),
            "air_temperature",
            int(row["payload_timestamp"]) * 1000,
        )
        for row in rows
    }


KIND = st.sampled_from(
    ["NBIRTH/n", "NDATA/n", "NDEATH/n", "DBIRTH/n/d", "DDATA/n/d", "DDEATH/n/d", "NCMD/n"]
)
NAME = st.sampled_from(
    ["Temperature", "soil_moisture/20", "bdSeq", "Valve Open", "", "x"]
) | st.binary(max_size=8)
VALUE = st.one_of(
    st.floats().map(sp.double),
    st.floats(width=32).map(sp.single),
    st.booleans().map(sp.boolean),
    st.integers(0, 2**32 - 1).map(sp.int_value),
    st.integers(0, 2**64 - 1).map(sp.long_value),
    st.binary(max_size=5).map(sp.string),
    st.just(b""),
)
METRIC = st.builds(
    sp.metric,
    VALUE,
    name=st.none() | NAME,
    alias=st.none() | st.sampled_from([1, 2, 2**64 - 1]),
    time_ms=st.none() | st.integers(0, 2**64 - 1),
    datatype=st.none() | st.integers(0, 40) | st.just(2**32 - 1),
    more=st.sampled_from([b"", sp.NULL, sp.TRANSIENT, sp.unit("%"), sp.unit("\x00"), sp.unit("?")]),
)
MESSAGE = st.builds(
    lambda metrics, time_ms: sp.payload(*metrics, time_ms=time_ms),
    st.lists(METRIC | st.binary(max_size=12), max_size=5),
    st.none() | st.integers(0, 2**64 - 1),
)


@given(st.lists(st.tuples(KIND, MESSAGE | st.binary(max_size=60)), max_size=6))
def test_any_messages_in_any_order_end_in_readings_or_reasons(messages):
    memory = {}
    for kind, payload in messages:
        decoded = decode(f"spBv1.0/g/{kind}", payload, received_at_us=NOW_US, memory=memory)
        assert "codec-failed" not in reasons(decoded), decoded.rejected
        learned = json.dumps(dict(decoded.learned), allow_nan=False)
        assert "\\u0000" not in learned  # the database cannot hold it
        memory |= json.loads(learned)
        json.dumps(describe(decoded), allow_nan=False)
        assert decoded.readings or decoded.rejected or decoded.ignored
