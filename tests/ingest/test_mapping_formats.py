"""Mappings that name a format: ThingsBoard, Sparkplug and the others."""

from pathlib import Path

import pytest

from ingest.decoding import captured
from tests.ingest.codecs import sparkplug_bytes as sp
from tests.ingest.codecs.corpus import MESSAGES
from tests.ingest.mapped import SECOND_US, reasons, values

THINGSBOARD = """
[[topics]]
pattern = "v1/devices/me/telemetry"
format = "thingsboard"
device = "tb:mast"
"""


def test_thingsboard_with_and_without_its_time(reads):
    mapping = THINGSBOARD + (
        '[[topics.readings]]\npath = "temperature"\nquantity = "air_temperature"'
    )
    flat = reads(mapping, "v1/devices/me/telemetry", {"temperature": 25, "key1": "value1"})
    timed = reads(
        mapping,
        "v1/devices/me/telemetry",
        [
            {"ts": 1_782_882_000_512, "values": {"temperature": 25}},
            {"ts": "x", "values": {"temperature": 26}},
            7,
        ],
    )

    assert flat.device == "tb:mast"
    assert values(flat) == {("air_temperature", None, None): 25.0}
    assert [r.time_source for r in flat.readings] == ["server"]
    assert [(r.time, r.time_source) for r in timed.readings] == [(SECOND_US + 512_000, "device")]
    assert reasons(timed) == ["bad-time", "bad-message"]


def test_thingsboard_keys_may_be_our_own_names(reads):
    document = {"soil_moisture/20": 0.3, "valve_open:1": True, "key1": "value1"}

    decoded = reads(THINGSBOARD, "v1/devices/me/telemetry", document)

    assert [(r.quantity, r.depth_cm, r.channel, r.value) for r in decoded.readings] == [
        ("soil_moisture", 20.0, None, 0.3),
        ("valve_open", None, 1, 1.0),
    ]
    assert reasons(decoded) == ["unknown-quantity"]


def test_the_published_thingsboard_messages(reads, shared: Path):
    flat, timed = captured((shared / "samples/plain-json/thingsboard-device-api.json").read_bytes())
    mapping = THINGSBOARD + (
        '[[topics.readings]]\npath = "temperature"\nquantity = "air_temperature"\n'
        '[[topics.readings]]\npath = "key1"\nquantity = "battery_level"'
    )

    assert values(reads(mapping, "v1/devices/me/telemetry", flat)) == {
        ("air_temperature", None, None): 25.0
    }
    assert reasons(reads(mapping, "v1/devices/me/telemetry", timed)) == ["not-a-number"]


def test_other_formats_on_topics_of_the_operators_choice(reads):
    senml = '[[topics]]\npattern = "site/+/pack"\nformat = "senml"\ndevice = "probe-$1"'
    tasmota = (
        '[[topics]]\npattern = "site/+/tele/SENSOR"\nformat = "tasmota"\ndevice = "t-$1"\n'
        'timezone = "Asia/Almaty"'
    )
    network = '[[topics]]\npattern = "cs/+/+"\nformat = "chirpstack"\nevent = "$2"'
    level = {"deviceInfo": {"devEui": "a840411234567890"}, "batteryLevel": 50}

    pack = reads(senml, "site/9/pack", [{"n": "rain", "v": 2}, {"n": "seq", "v": 4}])
    air = reads(
        tasmota, "site/9/tele/SENSOR", {"Time": "2026-07-01T10:00:00", "DHT22": {"Humidity": 4}}
    )
    status = reads(network, "cs/a840411234567890/status", level)

    assert (pack.device, pack.seq, [r.value for r in pack.readings]) == ("probe-9", 4, [2.0])
    assert (air.device, [r.time for r in air.readings]) == ("t-9", [SECOND_US])
    assert [(r.device, r.value) for r in status.readings] == [("lora:a840411234567890", 50.0)]


@pytest.mark.parametrize(
    ("form", "topic", "payload"),
    [("efdi", "efdi/harvester/time_log", None), ("mavlink", "", b"{}"), ("isoxml", "", b"PK")],
)
def test_formats_of_machines_take_the_identity_that_the_mapping_gives(reads, form, topic, payload):
    if form == "mavlink":
        pytest.importorskip("pymavlink")
    mapping = f'[[topics]]\npattern = "m/+/log"\nformat = "{form}"\ndevice = "machine-$1"'
    good = [one for at, one, _ in MESSAGES if at == topic]

    decoded = reads(mapping, "m/7/log", payload or good[0])

    assert decoded.device == "machine-7"
    assert bool(decoded.points) == (form == "efdi")
    assert "codec-failed" not in reasons(decoded)


SPARKPLUG = """
[[topics]]
pattern = "spBv1.0/#"
format = "sparkplug"
[topics.metrics]
"R4:17" = "soil_moisture/40:1"
"CPU" = ""
[topics.units]
"R4:17" = "%"
"""


def test_an_operator_says_what_the_metrics_of_his_nodes_are(reads):
    metrics = [sp.metric(sp.double(25.0), name) for name in ("R4:17", "CPU")]
    metrics.append(sp.metric(sp.double(25.0), "Humidity", more=sp.unit("%")))

    decoded = reads(SPARKPLUG, "spBv1.0/g/NDATA/n", sp.payload(*metrics))

    assert decoded.device == "sparkplug:g/n"
    assert values(decoded) == {
        ("soil_moisture", 40.0, 1): 0.25,
        ("relative_humidity", None, None): 25.0,
    }


@pytest.mark.parametrize(
    ("written", "changed", "said"),
    [
        ("soil_moisture/40:1", "moisture", "topics 1, metrics, R4:17: 'moisture' is not quantity"),
        ('= "%"', '= "parsec"', "topics 1, units, R4:17: 'parsec' is not known"),
        ("spBv1.0/#", "spBv1.0/farm/#", "topics 1: pattern has to be 'spBv1.0/#'"),
        ('format = "sparkplug"', 'format = "ttn"', "topics 1: metrics means nothing in format"),
    ],
)
def test_metrics_that_make_no_sense_are_named(refusal, written, changed, said):
    assert said in refusal(SPARKPLUG.replace(written, changed))
