"""What the sample payloads say, read off them by hand; and how lines of `dala decode` are sorted.

Expected values were read off the payloads themselves by the rules of their formats, not off our
output; where bytes had to be taken apart, the sum stands beside it.
"""

import re
from typing import NamedTuple

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
IN_OTHER_TESTS = {
    "efdi/timelog-forage-harvester-30.bin",  # test_sample_logs
    "lorawan-decoders/decoded-examples.json",  # several, and a table: test_samples
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
