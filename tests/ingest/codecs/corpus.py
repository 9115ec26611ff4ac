"""One good message or more of every wire format, to be damaged; a new format adds its own here."""

import json
from base64 import b64encode
from struct import pack

import cbor2
from google.protobuf import struct_pb2

from ingest.codecs.efdi_timelog import TimeLog
from ingest.codecs.sparkplug_payload import Payload
from tests.ingest.codecs.mavlink_bytes import battery, clock, frames, logged, place
from tests.ingest.made_task_data import DAY, HARVESTER, TASK, TEN, document, header, record, zipped

EUI = "a840411234567890"
TIME = "2026-07-01T05:00:00.123456789Z"
FRAMES = {  # the makers' published examples
    "dragino-lse01": "CE2900F107A5099B6E2890",
    "decentlab-dl-trs12": "0210d3000346be813d00000c80",
    "decentlab-dl-tbrg": "0202f8000300040258409a00000c54",
    "decentlab-dl-atm41": (
        "02035a0003800a8000800080008009812b8014810880b4a57c820c810980027fe88056800880040bf5"
    ),
    "decentlab-dl-smtp": (
        "020b50000309018a8c09438a9809278a920b3c8aa50c9c8a8c11e08aa500000000000000000b3b"
    ),
    "milesight-em500-smtc": "01756403671901046873057FF000",
    "milesight-em500-pp": "017564037B0A00",
    "milesight-uc511;pulse_l=10": "01755C03010004C80500000020CE3FA109641700000000",
    "milesight-wts506": "0175640367FF000468790584BA0406734F270792010008777B0001",
    "milesight-wts506-v2": "21CEE59BE164FF00794F27BA043200EA840100",
}
MAPPINGS = """
[[topics]]
pattern = "farm/+/weather"
device_path = "id"
device = "wx-$1-$0"
time = "time"
time_format = "local"
records = "log"
[[topics.readings]]
path = "temp"
quantity = "air_temperature"
unit = "F"
[[topics.readings]]
path = "/soil/0/vwc"
quantity = "soil_moisture"
unit = "%"
[[topics]]
pattern = "tb/+"
format = "thingsboard"
device = "tb:$1"
[[topics]]
pattern = "tbx/+"
format = "thingsboard"
device = "tb:$1"
[[topics.readings]]
path = "t"
quantity = "soil_temperature"
unit = "C"
depth_cm = 30
[[topics]]
pattern = "farm/+/taskdata"
format = "isoxml"
device = "$1"
[[topics]]
pattern = "farm/+/pack"
format = "senml"
device = "$1"
[[topics]]
pattern = "farm/+/log"
format = "efdi"
device = "$1"
[[topics]]
pattern = "lora/+/+"
format = "chirpstack"
event = "$2"
"""


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _chunk(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _chirpstack_protobuf() -> bytes:
    decoded = struct_pb2.Struct()
    decoded.update({"soil_temperature": 12.5, "history": [{"timestamp": 1.7e9, "valve_1": "open"}]})
    return (
        _chunk(2, _varint(8) + _varint(1_782_882_000))
        + _chunk(3, _chunk(8, EUI.encode()))
        + _chunk(10, b"\xaa")
        + _chunk(11, decoded.SerializeToString())
    )


def _sparkplug() -> tuple[bytes, bytes]:
    birth = Payload(timestamp=1_782_882_000_000, seq=0)
    birth.metrics.add(name=b"Soil/Moisture_20cm", alias=1, datatype=10, double_value=0.3)
    birth.metrics.add(name=b"Temperature", alias=2, datatype=1, int_value=255)
    data = Payload(timestamp=1_782_882_001_000, seq=1)
    data.metrics.add(alias=1, double_value=0.31)
    data.metrics.add(alias=2, int_value=5, timestamp=1_782_882_001_000)
    return birth.SerializeToString(), data.SerializeToString()


def _efdi() -> bytes:
    log = TimeLog(filename=b"TLG00001")
    for second in range(3):
        time = log.time.add(type=4)
        time.start.seconds = 1_782_882_000 + second
        time.position_start.position_north, time.position_start.position_east = 51.1, 71.4
        time.data_log_value.add(process_data_ddi=397, process_data_value=2500)
        time.data_log_value.add(process_data_ddi=141, process_data_value=1)
    return bytes(log.SerializeToString())


def _task_data() -> dict[str, bytes]:
    """A set of two logs: one with every attribute of a position, one with the usual three."""
    places = b"".join(
        pack("<IHiiiBHHBIHB", TEN + n, DAY, 51 * 10**7, 71 * 10**7, 5, 1, 9, 9, 9, TEN + n, DAY, 1)
        + pack("<Bi", n, n)
        for n in range(5)
    )
    return {
        "T/TASKDATA.XML": document(HARVESTER, TASK),
        "T/TLG00001.xml": header([67, 141, (484, "DET-2"), 161, 90], places="ABCDEFGHI"),
        "T/TLG00001.bin": places,
        "T/tlg2.XML": header([67, 90, 99]),
        "T/tlg2.BIN": b"".join(record(n, {0: 12_000 + n, 1: n, 2: 5}) for n in range(5)),
    }


TASK_DATA = _task_data()


def _documents() -> dict[str, object]:
    info = {"devEui": EUI, "deviceProfileName": "Milesight WTS506", "tags": {"profile": "x"}}
    decoded = {
        "soil_temperature": {"value": 12.5, "unit": "°C"},
        "water_SOIL": "19.57 %",
        "valve_1": "open",
        "rainfall_total": 12.25,
        "history": [{"timestamp": 1_700_000_000, "valve_2": "close"}],
    }
    return {
        "dala/v1/probe-7/senml": [
            {"bn": "urn:dev:dala:probe-7:", "bt": 1_782_000_000.5, "n": "boot", "v": 3},
            {"n": "seq", "v": 18},
            {"n": "soil_moisture/20", "u": "/100", "v": 28.4},
            {"n": "valve_open:1", "t": -60, "vb": True},
        ],
        "dala/v1/probe-7/track": {
            "boot": 1,
            "seq": 2,
            "points": [{"time": TIME, "lat": 51.1, "lon": 71.4, "work_state": 1}],
        },
        f"application/a/device/{EUI}/event/up": {
            "deviceInfo": info,
            "time": TIME,
            "fPort": 2,
            "data": "qg==",
            "object": decoded,
            "rxInfo": [{"gwTime": TIME, "location": {"latitude": 51.1}}],
        },
        f"application/a/device/{EUI}/event/status": {"deviceInfo": info, "batteryLevel": 88.3},
        f"application/a/device/{EUI}/event/location": {
            "deviceInfo": info,
            "location": {"latitude": 51.1, "longitude": 71.4, "altitude": 350},
        },
        "v3/farm/devices/probe-7/up": {
            "end_device_ids": {"device_id": "probe-7", "dev_eui": EUI},
            "simulated": True,
            "uplink_message": {
                "f_port": 2,
                "frm_payload": "qg==",
                "received_at": TIME,
                "decoded_payload": decoded,
                "normalized_payload": [
                    {
                        "time": TIME,
                        "soil": {"depth": 20, "moisture": 31.0},
                        "air": {"pressure": 990},
                    }
                ],
                "last_battery_percentage": {"value": 88.5, "received_at": TIME},
            },
        },
        "v3/farm/devices/probe-7/location/solved": {
            "end_device_ids": {"dev_eui": EUI},
            "location_solved": {"location": {"latitude": 51.1, "longitude": 71.4}},
        },
        "thing/product/1581F5/osd": {
            "timestamp": 1_782_882_000_123,
            "data": {
                "latitude": 51.1,
                "longitude": 71.4,
                "height": 412.5,
                "attitude_head": -90.0,
                "horizontal_speed": 7.5,
                "position_state": {"is_fixed": 2},
                "battery": {
                    "capacity_percent": 90,
                    "batteries": [{"index": 0, "capacity_percent": 95, "voltage": 24303}],
                },
            },
        },
        "thing/product/1581F5/state": {
            "timestamp": 1_782_882_000_123,
            "data": {"environment_temperature": 24, "rainfall": 0, "wind_speed": 2.5},
        },
        "thing/product/1581F5/events": {"method": "hms", "data": {"list": []}},
        "tele/TH16/SENSOR": {
            "Time": "2026-07-01T10:00:00",
            "AM2301": {"Temperature": 72.5, "Humidity": 32.4},
            "BME280-76": {"Pressure": 750.0},
            "TempUnit": "F",
            "PressureUnit": "mmHg",
        },
        "farm/7/weather": {
            "id": "north",
            "log": [{"time": "2026-07-01T10:00:00", "temp": 71.5, "soil": [{"vwc": "31 %"}]}],
        },
        "tbx/mast": [{"t": 7.5}, {"ts": "1782882000512", "values": {"t": "8.5 C"}}],
        f"lora/{EUI}/up": {"deviceInfo": info, "time": TIME, "object": decoded},
        "farm/p1/pack": [{"bt": 1_782_000_000, "bn": "soil_ec/", "n": "20", "u": "S/m", "v": 0.1}],
        "mavlink/m-rest": [
            clock(60_000, 1_782_882_000_000_000),
            place(61_500) | {"status": {"time": {"last_update": TIME}}},
            battery((4_100, 4_150), voltages_ext=[0, 0, 0, 0]),
        ],
        "tb/mast": {"ts": 1_782_882_000_512, "values": {"air_temperature": 25, "rain:1": "2.5"}},
    }


def _messages() -> list[tuple[str, bytes, str | None]]:
    documents = _documents()
    found: list[tuple[str, bytes, str | None]] = [
        (topic, json.dumps(document).encode(), None) for topic, document in documents.items()
    ]
    found.append(("dala/v1/probe-7/senml", cbor2.dumps([{-2: "rain", 2: 1.5, 6: -5}]), None))
    up = f"application/a/device/{EUI}/event/up"
    found.append((up, _chirpstack_protobuf(), None))
    for profile, frame in FRAMES.items():
        data = b64encode(bytes.fromhex(frame)).decode()
        event = {"deviceInfo": {"devEui": EUI}, "time": TIME, "data": data}
        found.append((up, json.dumps(event).encode(), profile))
    birth, data = _sparkplug()
    found.append(("spBv1.0/farm/NBIRTH/node", birth, None))
    found.append(("spBv1.0/farm/NDATA/node", data, None))
    found.append(("spBv1.0/farm/DBIRTH/node/probe", birth, None))
    found.append(("spBv1.0/farm/DDATA/node/probe", data, None))
    found.append(("efdi/harvester/time_log", _efdi(), None))
    found.append(("farm/h1/log", _efdi(), None))
    flight = (clock(60_000, 1_782_882_000_000_000), place(61_500), battery((4_100, 4_150)))
    found.append(("mavlink/v1", frames(*flight, version=1), None))
    found.append(("mavlink/v2", frames(*flight), None))
    found.append(("mavlink/signed", frames(*flight, signed=True), None))
    found.append(("mavlink/log", logged(1_782_882_000_000_000, *flight), None))
    found.append(("farm/t1/taskdata", zipped(TASK_DATA), None))
    return found


MESSAGES = _messages()  # topic, payload, profile
