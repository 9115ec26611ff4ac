"""Every sample payload through `dala decode`: whose it is, what was measured, when.

What is expected was read off the payloads themselves by the rules of their formats, not off our
output: bytes by hand (the sum stands beside it), the makers' own tables, or a second reading of the
raw file in the test. A file of the folder that no case names fails the test.
"""

import io
import json
import re
import subprocess
import sys
import zipfile
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import calcsize, iter_unpack, unpack_from
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from dala import app
from ingest.codecs.lorawan.normalized import FIELDS

CONTRACT = {
    "device", "quantity", "value", "unit", "time", "time_source", "depth_cm", "channel", "quality",
}  # fmt: skip
ARRIVED = "2026-07-01T05:00:00Z"
SERVER_TIME, OUT_OF_RANGE = 1, 16  # flags of quality
UNITS = {
    "air_pressure": "kPa", "air_temperature": "°C", "battery_level": "%", "battery_voltage": "V",
    "rain": "mm", "rain_total": "mm", "relative_humidity": "%", "soil_ec": "dS/m",
    "soil_moisture": "m³/m³", "soil_temperature": "°C", "solar_radiation": "W/m²",
    "valve_open": "0/1", "wind_direction": "°", "wind_speed": "m/s",
}  # fmt: skip


class Case(NamedTuple):
    """A payload on a topic, and what is said of it."""

    topic: str
    device: str | None
    time: str | None = None  # of all readings
    source: str = "network"
    readings: tuple = ()  # quantity, value, and what differs from a plain reading
    rejected: tuple = ()  # reasons
    ignored: str | None = None
    points: tuple = ()
    options: tuple = ()


def up(event="up", eui="0101010101010101"):
    return f"application/17c82e96-be03-4f38-aef3-f83d48582d97/device/{eui}/event/{event}"


def uplink(device="dev1", kind="up"):
    return f"v3/app1@tenant1/devices/{device}/{kind}"


DECENTLAB = "70b3d57ba0003bb8"
WX_TIME = "2024-11-10T12:51:50Z"  # `time`; gwTime and nsTime are two days later: it came late
SMTC = (  # 01 75 64 | 03 67 19 01: 0x0119 / 10 | 04 68 73: 115 / 2 % | 05 7f f0 00: 240 µS/cm
    ("battery_level", 100.0),
    ("soil_temperature", 28.1),
    ("soil_moisture", 0.575),  # the maker's README has 57.5 %; the converter beside it lost the .5
    ("soil_ec", 0.24),
)
TRS12 = (  # 46be: 1811.0 * 0.0003879 - 0.6956 | 813d: 317 / 10 | 0000 | 0c80: 3200 mV
    ("soil_moisture", 0.0068869),
    ("soil_temperature", 31.7),
    ("soil_ec", 0.0),
    ("battery_voltage", 3.2),
)
TBRG = (  # 0004: 4 tips of 0.1 mm | 0258: in 600 s | 409a + 0000 << 16: 16,538 tips | 0c54
    ("rain", 0.4),
    ("rain_total", 1653.8),
    ("battery_voltage", 3.156),
)
ATM41 = (  # words less 0x8000, in steps of 1, 0.001, …; 0bf5 is 3061 mV
    ("solar_radiation", 10.0),  # 800a
    ("rain", 0.0),  # 8000
    ("wind_speed", 0.09),  # 8009
    ("wind_direction", 29.9),  # 812b
    ("air_temperature", 26.4),  # 8108
    ("air_pressure", 95.96),  # a57c: 9596
    ("relative_humidity", 52.4),  # 820c: 524
    ("battery_voltage", 3.061),
)
# Words of each level: 0901 8a8c | 0943 8a98 | 0927 8a92 | 0b3c 8aa5 | 0c9c 8a8c | 11e0 8aa5, then
# two that this probe has not. Moisture is (word - 2500) / 500 %; below zero is not believable.
SMTP = (
    ("soil_moisture", -0.0039, {"depth_cm": 5.0, "quality": OUT_OF_RANGE}),
    ("soil_temperature", 27.0, {"depth_cm": 5.0}),
    ("soil_moisture", -0.00258, {"depth_cm": 15.0, "quality": OUT_OF_RANGE}),
    ("soil_temperature", 27.12, {"depth_cm": 15.0}),
    ("soil_moisture", -0.00314, {"depth_cm": 25.0, "quality": OUT_OF_RANGE}),
    ("soil_temperature", 27.06, {"depth_cm": 25.0}),
    ("soil_moisture", 0.00752, {"depth_cm": 35.0}),
    ("soil_temperature", 27.25, {"depth_cm": 35.0}),
    ("soil_moisture", 0.01456, {"depth_cm": 45.0}),
    ("soil_temperature", 27.0, {"depth_cm": 45.0}),
    ("soil_moisture", 0.04152, {"depth_cm": 55.0}),
    ("soil_temperature", 27.25, {"depth_cm": 55.0}),
    ("battery_voltage", 2.875),
)
TTN_BCE = {"device": "lora:70b3d57ba0000bce", "time": "2020-02-06T09:46:05.234172Z"}
ANYBODY = "lora:0101010101010101"
UNKNOWN = ("unknown-quantity",)  # of the SenML examples: a name that says no quantity of ours
SENML = "dala/v1/10e2073a01080063/senml"


def one_model(profile, **said):
    return {"options": ("--profile", profile), **said}


CASES = {
    # --- ChirpStack: time is the event's, nine decimals cut to six --------------------------------
    "chirpstack/docs-up.json": Case(up(), ANYBODY, rejected=("no-decoder",)),
    "chirpstack/docs-status.json": Case(
        up("status"), ANYBODY, "2022-07-18T09:35:06.927172Z", readings=(("battery_level", 88.3),)
    ),
    "chirpstack/docs-location.json": Case(
        up("location"),
        ANYBODY,
        points=(
            {
                "time": "2022-07-18T09:55:11.059481Z",
                "lat": 37.344214,
                "lon": -8.839375,
                "elevation_m": 2.0,
            },
        ),
    ),
    "chirpstack/docs-join.json": Case(up("join"), ANYBODY, ignored="join"),
    "chirpstack/docs-ack.json": Case(up("ack"), ANYBODY, ignored="ack"),
    "chirpstack/docs-txack.json": Case(up("txack"), ANYBODY, ignored="txack"),
    "chirpstack/docs-log.json": Case(up("log"), ANYBODY, ignored="log"),
    "chirpstack/docs-integration.json": Case(
        up("integration", "0016c001f000175a"), "lora:0016c001f000175a", ignored="integration"
    ),
    "chirpstack/up-decentlab-dl-atm41.json": Case(
        up(eui=DECENTLAB),
        f"lora:{DECENTLAB}",
        WX_TIME,
        **one_model("decentlab-dl-atm41", readings=ATM41),
    ),
    "chirpstack/up-decentlab-dl-smtp.json": Case(
        up(eui=DECENTLAB),
        f"lora:{DECENTLAB}",
        WX_TIME,
        **one_model("decentlab-dl-smtp", readings=SMTP, rejected=("no-sensor",)),
    ),
    "chirpstack/up-decentlab-dl-tbrg.json": Case(
        up(eui=DECENTLAB),
        f"lora:{DECENTLAB}",
        WX_TIME,
        **one_model("decentlab-dl-tbrg", readings=TBRG),
    ),
    "chirpstack/up-milesight-em500-smtc.json": Case(
        up(eui="1000000000000001"),
        "lora:1000000000000001",
        "2023-05-22T07:47:05.404859Z",
        **one_model("milesight-em500-smtc", readings=SMTC),
    ),
    "chirpstack/v3-legacy-up-decentlab-dl-atm41.json": Case(
        up(eui="0202020202020202"), "lora:0202020202020202", rejected=("legacy-chirpstack-v3",)
    ),
    # --- The Things Stack: time is uplink_message.received_at -------------------------------------
    "ttn/docs-up.json": Case(uplink(), "lora:0004a30b001c0530", rejected=("no-decoder",)),
    "ttn/docs-mqtt-up-no-fcnt-no-received_at.json": Case(
        uplink(), "lora:4200000000000000", rejected=("no-decoder",)
    ),
    "ttn/docs-normalized_payload-fragment.json": Case(uplink(), None, rejected=("bad-message",)),
    "ttn/docs-join.json": Case(uplink(kind="join"), "lora:0004a30b001c0530", ignored="join_accept"),
    "ttn/docs-down_ack.json": Case(
        uplink(kind="down/ack"), "lora:0004a30b001c0530", ignored="downlink_ack"
    ),
    "ttn/docs-down_failed.json": Case(uplink(kind="down/failed"), None, ignored="downlink_failed"),
    "ttn/docs-down_push.json": Case(uplink(kind="down/push"), None, ignored="downlinks"),
    "ttn/up-decentlab-dl-tbrg.json": Case(
        uplink("03022"), **TTN_BCE, **one_model("decentlab-dl-tbrg", readings=TBRG)
    ),
    "ttn/up-decentlab-dl-trs12.json": Case(
        uplink("03022"), **TTN_BCE, **one_model("decentlab-dl-trs12", readings=TRS12)
    ),
    "ttn/up-milesight-em500-smtc.json": Case(
        uplink("eui-1000000000000001"),
        "lora:1000000000000001",
        "2023-05-18T08:25:25.906399Z",
        **one_model("milesight-em500-smtc", readings=SMTC),
    ),
    # --- DJI: `timestamp` is milliseconds since 1970, by the sender's clock -----------------------
    "dji/osd-aircraft-m30.json": Case(  # is_fixed 0 and a place of zeros: no point
        "thing/product/1581F5BKD225D00BP891/osd",
        "dji:1581F5BKD225D00BP891",
        "2022-12-07T14:19:53.916000Z",  # 1670422793.916
        "device",
        readings=(
            ("battery_level", 90.0),
            ("battery_level", 95.0, {"channel": 0}),
            ("battery_voltage", 24.303, {"channel": 0}),
            ("battery_level", 85.0, {"channel": 1}),
            ("battery_voltage", 24.311, {"channel": 1}),
        ),
    ),
    "dji/osd-dock1-part1-power.json": Case(
        "thing/product/4TADK1/osd",
        "dji:4TADK1",
        "2022-10-31T12:54:33.846000Z",  # 1667220873.846
        "device",
        readings=(("battery_voltage", 26.631),),
    ),
    "dji/osd-dock1-part2-link.json": Case(
        "thing/product/4TADK1/osd", "dji:4TADK1", ignored="osd: nothing measured"
    ),
    "dji/osd-dock1-part3-environment.json": Case(  # rainfall 0 is a class; humidity is inside
        "thing/product/4TADK1/osd",
        "dji:4TADK1",
        "2022-10-31T12:55:16.697000Z",  # 1667220916.697
        "device",
        readings=(("air_temperature", 24.0), ("wind_speed", 0.0)),
    ),
    "dji/state-aircraft.json": Case(
        "thing/product/1581F5/state", "dji:1581F5", ignored="state: nothing measured"
    ),
    # --- Sparkplug: the payload's timestamp, milliseconds -----------------------------------------
    "sparkplug/nbirth_v1.bin": Case(
        "spBv1.0/org A/NBIRTH/702",
        "sparkplug:org A/702",
        "2025-06-25T12:47:23.474000Z",  # 1750855643.474
        "device",
        readings=(("air_temperature", 21.5),),
    ),
    "sparkplug/ndata_v1.bin": Case(  # alias 100, of which a birth has to be heard first
        "spBv1.0/org A/NDATA/702", "sparkplug:org A/702", rejected=("alias-unknown",)
    ),
    "sparkplug/ndata_before_birth.bin": Case(
        "spBv1.0/org A/NDATA/702", "sparkplug:org A/702", rejected=("alias-unknown",)
    ),
    "sparkplug/ndeath_v1.bin": Case(
        "spBv1.0/org A/NDEATH/702", "sparkplug:org A/702", ignored="NDEATH"
    ),
    "sparkplug/spec-dbirth-readable.json": Case(  # for people; the wire is protobuf
        "spBv1.0/Sparkplug B Devices/DBIRTH/Raspberry Pi/Pibrella",
        "sparkplug:Sparkplug B Devices/Raspberry Pi/Pibrella",
        rejected=("not-protobuf",),
    ),
    # --- MAVLink: the log's clock was never set (47 s after 1970), so it is the arrival's ---------
    "mavlink/battery_status.mav2.tlog": Case(  # one cell of 12,587 mV is the whole pack
        "mavlink/rover-1",
        "mavlink:rover-1",
        ARRIVED,
        "server",
        readings=(
            ("battery_level", 100.0, {"channel": 0, "quality": SERVER_TIME}),
            ("battery_voltage", 12.587, {"channel": 0, "quality": SERVER_TIME}),
        ),
        rejected=("bad-frame",),  # 56 bytes are the log's time and the frame; 14 more are none
    ),
    "mavlink/mavlink2rest-attitude.json": Case(
        "mavlink/rover-1", "mavlink:rover-1", ignored="MAVLink"
    ),
    # --- plain JSON -------------------------------------------------------------------------------
    "plain-json/tasmota-sensor.json": Case(
        "tele/TH16/SENSOR",
        "tasmota:TH16",
        "2018-03-02T12:25:03Z",  # 18:25:03 in Almaty, which was UTC+6 until 2024
        "device",
        readings=(("air_temperature", 22.6), ("relative_humidity", 32.4)),
        options=("--timezone", "Asia/Almaty"),
    ),
    "plain-json/thingsboard-device-api.json": Case(  # the second has text for values
        "v1/devices/me/telemetry",
        "tb:mast",
        ARRIVED,
        "server",
        readings=(("air_temperature", 25.0, {"quality": SERVER_TIME}),),
        rejected=("not-a-number",),
        options=("--mappings", "{mappings}"),
    ),
    # --- SenML: the RFC's examples, of quantities that no farm measures ---------------------------
    "senml/ex1.json": Case(SENML, "10e2073a01080063", rejected=UNKNOWN),
    "senml/ex2.json": Case(SENML, "10e2073a01080063", rejected=UNKNOWN * 2),
    "senml/ex3.json": Case(SENML, "10e2073a01080063", rejected=UNKNOWN * 7),
    "senml/ex3.cbor": Case(SENML, "10e2073a01080063", rejected=UNKNOWN * 7),
    "senml/ex4.json": Case(SENML, "10e2073a01080063", rejected=UNKNOWN * 12),
    "senml/ex7.json": Case(SENML, "10e2073a01080063", rejected=UNKNOWN * 4),
    "senml/ex9.json": Case(SENML, "10e2073a01080063", rejected=UNKNOWN * 3),  # one sets bn alone
    "senml/ex10.json": Case(SENML, "10e2073a01080063", rejected=UNKNOWN * 2),
    "senml/ex11.json": Case(SENML, "10e2073a01080063", rejected=UNKNOWN * 2),
    # --- EFDI -------------------------------------------------------------------------------------
    "efdi/timelog-forage-harvester-30.json": Case(  # a view for people; the wire is protobuf
        "efdi/jaguar/time_log", "efdi:jaguar", rejected=("bad-message",)
    ),
    "efdi/agrirouter-command-envelope.json": Case(
        "efdi/jaguar/time_log", "efdi:jaguar", rejected=("agrirouter-envelope",)
    ),
    # --- parts of task data, which travel in one archive ------------------------------------------
    **{
        f"isoxml/{name}": Case(
            "farm/jaguar/taskdata",
            "jaguar",
            rejected=("bad-message",),
            options=("--mappings", "{mappings}", "--timezone", "Europe/Berlin"),
        )
        for name in (
            "cnh-intelliview12/TASKDATA.XML",
            "forage-harvester-cci/TASKDATA.XML",
            "forage-harvester-cci/TLG00006.bin",
            "forage-harvester-cci/TLG00006.xml",
            "krone-smartconnect/TASKDATA.XML",
            "krone-smartconnect/TLG00001.bin",
            "krone-smartconnect/TLG00001.xml",
            "krone-smartconnect/TLG00002.bin",
            "krone-smartconnect/TLG00002.xml",
        )
    },
}
IN_OTHER_TESTS = {  # below
    "efdi/timelog-forage-harvester-30.bin",
    "lorawan-decoders/decoded-examples.json",
    "ttn/normalized-payload-fields.json",
    "isoxml/ddi-agri-subset.csv",  # a table: test_ddi
    "sparkplug/production-pcap-seq.csv",  # a table of numbers without payloads: test_sparkplug
}
NO_PAYLOAD = re.compile(r"README\.md|.*\.(expected-thingsboard|decoded|resolved)\.json")

MAPPINGS = """
[[topics]]
pattern = "v1/devices/me/telemetry"
format = "thingsboard"
device = "tb:mast"
[[topics.readings]]
path = "temperature"
quantity = "air_temperature"
unit = "°C"
[[topics.readings]]
path = "key1"
quantity = "relative_humidity"
[[topics]]
pattern = "farm/+/taskdata"
format = "isoxml"
device = "$1"
"""


@pytest.fixture
def dala_decode(tmp_path):
    """The lines of `dala decode` on a topic and a file."""
    mappings = tmp_path / "mappings.toml"
    mappings.write_text(MAPPINGS)

    def run(topic, file, *options):
        said = [one.replace("{mappings}", str(mappings)) for one in options]
        arguments = ["decode", topic, str(file), "--received-at", ARRIVED, *said]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    return run


def kinds(lines):
    """Readings, points, reasons and what was ignored; every line is one of them."""
    readings = [one for one in lines if "quantity" in one]
    points = [one for one in lines if "lat" in one]
    rejected = [one for one in lines if "rejected" in one]
    ignored = [one for one in lines if "ignored" in one]
    assert len(readings) + len(points) + len(rejected) + len(ignored) == len(lines)
    for one in readings:
        assert one.keys() == CONTRACT
        assert one["time_source"] in {"device", "network", "server"}
    for one in rejected:
        assert one.keys() == {"rejected", "detail", "device"}
    return readings, points, rejected, ignored


def test_every_sample_has_a_case(shared):
    folder = shared / "samples"
    files = {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}
    payloads = {one for one in files if not NO_PAYLOAD.fullmatch(Path(one).name)}

    assert payloads == CASES.keys() | IN_OTHER_TESTS


@pytest.mark.parametrize("name", CASES)
def test_a_sample_says_what_it_says(shared, dala_decode, name):
    case = CASES[name]
    lines = dala_decode(case.topic, shared / "samples" / name, *case.options)

    readings, points, rejected, ignored = kinds(lines)
    assert readings == [
        {
            "device": case.device,
            "quantity": quantity,
            "value": pytest.approx(value, rel=1e-12, abs=1e-12),
            "unit": UNITS[quantity],
            "time": case.time,
            "time_source": case.source,
            "depth_cm": None,
            "channel": None,
            "quality": 0,
        }
        | (more[0] if more else {})
        for quantity, value, *more in case.readings
    ]
    assert points == [{"device": case.device} | point for point in case.points]
    assert tuple(one["rejected"] for one in rejected) == case.rejected
    assert [one["ignored"].startswith(case.ignored or "") for one in ignored] == (
        [] if case.ignored is None else [True]
    )
    assert {one["device"] for one in lines} == {case.device}


# --- what other files of the folder know of a payload ---------------------------------------------


def named(reading):
    """What a converter of others calls a reading, and how many of its units make ours."""
    quantity, depth = reading["quantity"], reading["depth_cm"]
    if depth is not None:
        level = int((depth - 5) / 10)
        return f"{quantity}_at_depth_{level}", (100 if quantity == "soil_moisture" else 1)
    own = {  # name at Decentlab, name at Milesight, factor
        "soil_moisture": ("volumetric_water_content", "moisture"),
        "soil_ec": ("electrical_conductivity", "ec"),
        "soil_temperature": ("soil_temperature", "temperature"),
        "battery_level": ("", "battery"),
        "rain": ("precipitation", ""),
        "rain_total": ("cumulative_precipitation", ""),
        "air_pressure": ("atmospheric_pressure", ""),
    }
    return own.get(quantity, (quantity, quantity)), 1


@pytest.mark.parametrize("name", [one for one in CASES if "/up-" in one])
def test_converters_of_others_agree(shared, dala_decode, name):
    file = shared / "samples" / name
    oracle = json.loads(file.with_suffix(".expected-thingsboard.json").read_text())
    (told,) = oracle["telemetry"]
    case = CASES[name]

    readings = kinds(dala_decode(case.topic, file, *case.options))[0]

    for reading in readings:
        names, factor = named(reading)
        names = (names,) if isinstance(names, str) else names
        (theirs,) = {one for one in names if one in told["values"]}
        value = told["values"][theirs]
        if theirs == "moisture":
            value = (value + 0.5) / 100  # its half per cent is lost: see the README of the samples
        if theirs in ("electrical_conductivity", "ec"):
            value /= 1000  # µS/cm
        assert reading["value"] == pytest.approx(value / factor), theirs


def test_normalized_fragment_in_a_message_is_weather(shared, dala_decode, tmp_path):
    fragment = json.loads(
        (shared / "samples/ttn/docs-normalized_payload-fragment.json").read_text()
    )
    message = {
        "end_device_ids": {"dev_eui": "0004A30B001C0530"},
        "uplink_message": fragment | {"received_at": "2020-02-12T15:15:45.789585559Z"},
    }
    file = tmp_path / "up.json"
    file.write_text(json.dumps(message))

    readings = kinds(dala_decode(uplink(), file))[0]

    assert [(r["quantity"], r["value"], r["time"]) for r in readings] == [
        ("air_temperature", 10.0, "2020-02-12T15:15:45.789585Z"),  # and not 50, as before it
        ("wind_speed", 9.002, "2020-02-12T15:15:45.789585Z"),
    ]


def test_every_normalized_measurement_that_a_farm_keeps_is_read_in_its_unit(shared):
    fields = json.loads((shared / "samples/ttn/normalized-payload-fields.json").read_text())
    units = {"V": "V", "%": "/100", "Cel": "Cel", "dS/m": "dS/m", "hPa": "hPa", "m/s": "m/s"}
    units |= {"deg": "deg", "mm": "mm", "L": "l"}
    for path, field in FIELDS.items():
        unit = fields
        for step in path:
            unit = unit[step]
        assert field.unit == units[unit.split()[0]], path


EXAMPLES = [  # of decoded-examples.json, in order: profile, and its readings by hand
    (
        "dragino-lse01",  # 0e29 | 00f1 | 07a5 | 099b | 6e28
        (
            ("battery_voltage", 3.625),
            ("air_temperature", 24.1),
            ("soil_moisture", 0.1957),
            ("soil_temperature", 24.59),
            ("soil_ec", 28.2),
        ),
    ),
    ("decentlab-dl-trs12", TRS12),
    ("decentlab-dl-trs12", (("battery_voltage", 3.2),)),  # the probe is lost
    ("milesight-em500-smtc", SMTC),
    ("milesight-uc511", (("battery_level", 92.0), ("valve_open", 0.0, 1))),
    ("milesight-uc511", (("valve_open", 1.0, 2),)),  # of its memory
]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
@pytest.mark.parametrize("form", ["data", "object"])
def test_bytes_and_the_makers_decoding_of_them_are_one(shared, dala_decode, tmp_path, number, form):
    examples = json.loads((shared / "samples/lorawan-decoders/decoded-examples.json").read_text())
    assert len(examples) == len(EXAMPLES)
    example, (profile, expected) = examples[number], EXAMPLES[number]
    event = {
        "deviceInfo": {"devEui": DECENTLAB},
        "time": "2026-06-30T22:00:00Z",
        "fPort": example["f_port"],
    }
    if form == "data":
        event["data"] = b64encode(bytes.fromhex(example["hex"])).decode()
    else:
        event["object"] = example["decoded"]
    file = tmp_path / "up.json"
    file.write_text(json.dumps(event))

    readings, _, rejected, _ = kinds(dala_decode(up(eui=DECENTLAB), file, "--profile", profile))

    assert rejected == []
    by_name = {(r["quantity"], r["channel"]): r["value"] for r in readings}
    assert by_name == {
        (quantity, *(channel or [None])): pytest.approx(value)
        for quantity, value, *channel in expected
    }
    history = number == len(EXAMPLES) - 1  # 3f a1 09 64: 1,678,352,703 s, and not the network's
    assert {(r["time"], r["time_source"]) for r in readings} == {
        ("2023-03-09T09:05:03Z", "device") if history else ("2026-06-30T22:00:00Z", "network")
    }


def test_the_normalized_form_of_an_example_is_the_same(shared, dala_decode, tmp_path):
    examples = json.loads((shared / "samples/lorawan-decoders/decoded-examples.json").read_text())
    message = {
        "end_device_ids": {"dev_eui": DECENTLAB.upper()},
        "uplink_message": {"normalized_payload": examples[0]["normalized"], "received_at": WX_TIME},
    }
    file = tmp_path / "up.json"
    file.write_text(json.dumps(message))

    readings = kinds(dala_decode(uplink(), file))[0]

    assert {r["quantity"]: r["value"] for r in readings} == {
        quantity: pytest.approx(value) for quantity, value in EXAMPLES[0][1]
    }


@pytest.mark.parametrize("name", ["ex4", "ex10", "ex11"])
def test_the_rfcs_times_are_those_that_its_authors_resolved(shared, dala_decode, tmp_path, name):
    folder = shared / "samples/senml"
    of_a_farm = (
        ("urn:dev:ow:10e2073a01080063", "relative_humidity"),
        ("Cel", "%RH"),
    )
    text = (folder / f"{name}.json").read_text()
    for theirs, ours in of_a_farm:
        text = text.replace(theirs, ours)
    file = tmp_path / "pack.json"
    file.write_text(text)

    readings, _, rejected, _ = kinds(dala_decode(SENML, file))

    oracle = json.loads((folder / f"{name}.resolved.json").read_text())
    assert rejected == []
    assert [(r["value"], r["time"], r["quality"]) for r in readings] == [
        (one["v"], datetime.fromtimestamp(one["t"], UTC).isoformat().replace("+00:00", "Z"), 0)
        for one in oracle
    ]


# --- logs of machines, read a second time by the format's rules -----------------------------------


def largest(held, ddi, *, floor=0):
    """What the elements of a machine say last, the largest of it."""
    known = [raw for (one, _), raw in held.items() if one == ddi and floor <= raw < 2**31 - 1]
    return max(known, default=None)


def as_point(held):
    """The fields of a point by DDI: mm, mg/s, ppm, a state, mm³/s and mm/s."""
    fields = {}
    for name, ddi, factor, floor in (
        ("width_m", 67, 1e-3, 0),
        ("mass_flow_kg_s", 87, 1e-6, 0),
        ("crop_moisture_pct", 99, 1e-4, 1),  # no crop is without water
        ("fuel_rate_l_h", 149, 3600e-6, 0),
        ("speed_m_s", 397, 1e-3, 0),
        ("application_rate_l_ha", 2, 1e-4, 0),
    ):
        raw = largest(held, ddi, floor=floor)
        if raw is not None:
            fields[name] = pytest.approx(raw * factor)
    states = [raw for (ddi, _), raw in held.items() if ddi == 141]
    if states:
        fields["work_state"] = 1 if 1 in states else min(states)
    return fields


def test_an_efdi_log_is_what_its_json_view_says(shared, dala_decode):
    folder = shared / "samples/efdi"
    view = json.loads((folder / "timelog-forage-harvester-30.json").read_text())["time"]

    lines = dala_decode("efdi/jaguar/time_log", folder / "timelog-forage-harvester-30.bin")

    readings, points, rejected, ignored = kinds(lines)
    assert (len(points), readings, rejected, ignored) == (30, [], [], [])
    held, expected = {}, []
    for record in view:
        for value in record["data_log_value"]:
            element = value.get("device_element_id_ref", {}).get("number")
            key = value["process_data_ddi"], element
            held[key] = int(value.get("process_data_value", 0))  # zeros are left out
        position = record["position_start"]
        place = {"lat": position["position_north"], "lon": position["position_east"]}
        expected.append({"device": "efdi:jaguar", "time": record["start"]} | place | as_point(held))
    assert points == expected
    first = points[0]  # by hand: 9,000 mm, 51,833,126 mg/s, 595,600 ppm, 18,016 mm³/s
    assert (first["time"], first["lat"], first["lon"]) == (
        "2020-01-03T00:00:11Z",
        54.5738029,
        10.1861302,
    )
    assert (first["width_m"], first["mass_flow_kg_s"], first["work_state"]) == (9.0, 51.833126, 1)
    assert first["crop_moisture_pct"] == pytest.approx(59.56)
    assert first["fuel_rate_l_h"] == pytest.approx(64.8576)


def records_of(header, log):
    """Records of a time log: of each its time by the clock, its place, and what it changes."""
    formats = {"A": "i", "B": "i", "C": "i", "D": "B", "E": "H", "F": "H", "G": "B"}
    (place,) = re.findall(r"<PTN ([^>]*)/>", header)
    names = [name for name, text in re.findall(r'(\w)="([^"]*)"', place) if not text]
    values = [(int(a, 16), c) for a, c in re.findall(r'<DLV A="(\w+)" B="" C="([^"]*)"', header)]
    head = "<IH" + "".join(formats[name] for name in names)
    at = 0
    while at < len(log):
        ms, day, *numbers = unpack_from(head, log, at)
        at += calcsize(head)
        end = at + 1 + 5 * log[at]
        changes = {values[index]: raw for index, raw in iter_unpack("<Bi", log[at + 1 : end])}
        clock = datetime(1980, 1, 1) + timedelta(days=day, milliseconds=ms)  # noqa: DTZ001
        yield clock, dict(zip(names, numbers, strict=True)), changes
        at = end


@pytest.mark.parametrize(
    ("folder", "zone", "ahead_h", "points", "first", "last"),
    [
        # 2020-01-03 00:00:11 by a clock of Berlin, in winter an hour ahead.
        (
            "forage-harvester-cci",
            "Europe/Berlin",
            1,
            187,
            ("2020-01-02T23:00:11Z", 54.5738029, 10.1861302),
            ("2020-01-02T23:03:49Z", 54.5734121, 10.1892032),
        ),
        # d0 8c 2f 04: 70,225,104 ms after midnight, 19:30:25.104; ee 3b: 15,342 days after 1980.
        # TASKDATA.XML has its first stretch of work begin at 17:30:50Z: a clock two hours ahead.
        (
            "krone-smartconnect",
            "Europe/Helsinki",
            2,
            314 + 27,
            ("2022-01-02T17:30:25.104000Z", None, None),
            (None, 46.1323621, 8.9598318),
        ),
        ("cnh-intelliview12", "Europe/Berlin", 1, 0, None, None),  # guidance lines and no log
    ],
)
def test_task_data_in_an_archive_is_what_its_bytes_say(
    shared, dala_decode, tmp_path, folder, zone, ahead_h, points, first, last
):
    files = sorted((shared / "samples/isoxml" / folder).iterdir())
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for one in files:
            made.write(one, f"TASKDATA/{one.name}")
    file = tmp_path / "taskdata.zip"
    file.write_bytes(archive.getvalue())

    options = ("--mappings", "{mappings}", "--timezone", zone)
    readings, told, rejected, ignored = kinds(dala_decode("farm/m-1/taskdata", file, *options))

    assert (len(told), rejected) == (points, [])
    assert bool(ignored) == (points == 0)
    expected, changed = [], []
    for log in (one for one in files if one.suffix == ".bin"):
        held = {}
        for clock, place, changes in records_of(
            log.with_suffix(".xml").read_text(), log.read_bytes()
        ):
            held |= changes
            time = (clock - timedelta(hours=ahead_h)).isoformat() + "Z"
            where = {"lat": place["A"] / 1e7, "lon": place["B"] / 1e7}
            if "C" in place:
                where["elevation_m"] = place["C"] / 1000
            expected.append({"device": "m-1", "time": time} | where | as_point(held))
            for ddi, quantity, factor in ((484, "engine_speed", 1e-4), (491, "fuel_level", 1e-2)):
                if any(one == ddi for one, _ in changes):
                    changed.append((quantity, time, pytest.approx(largest(held, ddi) * factor)))
    assert told == expected
    ours = [(r["quantity"], r["time"], r["value"]) for r in readings]
    assert sorted(ours, key=lambda one: one[:2]) == sorted(changed, key=lambda one: one[:2])
    assert {(r["device"], r["time_source"]) for r in readings} <= {("m-1", "device")}
    for end, hand in ((told[:1], first), (told[-1:], last)):
        for name, value in zip(("time", "lat", "lon"), hand or (), strict=False):
            assert value is None or end[0][name] == value


# --- the verb itself ------------------------------------------------------------------------------


def test_a_process_of_its_own_says_the_same(shared, dala_decode):
    root = Path(__file__).resolve().parents[3]
    file = shared / "samples/chirpstack/docs-status.json"
    command = [sys.executable, "dala.py", "decode", up("status")]

    for arguments, fed in (([str(file)], None), (["-"], file.read_bytes())):
        done = subprocess.run(
            [*command, *arguments], cwd=root, input=fed, capture_output=True, check=True
        )
        assert [json.loads(line) for line in done.stdout.splitlines()] == dala_decode(
            up("status"), file
        )
        assert done.stderr == b""
