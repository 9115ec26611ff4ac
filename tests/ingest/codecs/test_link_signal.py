"""How well gateways heard an uplink: noted beside what was measured, never in it."""

import json
from pathlib import Path

import pytest

from ingest.codecs import MAX_BYTES, decode
from ingest.decoding import describe

EUI = "a840411234567890"
CHIRPSTACK = f"application/a/device/{EUI}/event/up"
TTN = "v3/farm@tenant/devices/probe-7/up"
TIME = "2026-07-01T05:00:00Z"
NOW_US = 1_800_000_000_000_000


def chirpstack(gateways):
    """An uplink of one reading; gateways as JSON, so that it can be what no number of ours is."""
    info = f'"deviceInfo":{{"devEui":"{EUI}"}},"time":"{TIME}"'
    return CHIRPSTACK, f'{{{info},"object":{{"soil_temperature":12.5}},"rxInfo":{gateways}}}'


def ttn(gateways, outer=""):
    message = f'"received_at":"{TIME}","decoded_payload":{{"soil_temperature":12.5}}'
    ids = f'"end_device_ids":{{"dev_eui":"{EUI}"}}'
    return TTN, f'{{{ids}{outer},"uplink_message":{{{message},"rx_metadata":{gateways}}}}}'


def read(message):
    topic, payload = message
    return decode(topic, payload.encode(), received_at_us=NOW_US)


@pytest.fixture(params=[chirpstack, ttn])
def uplink(request):
    return request.param


@pytest.mark.parametrize(
    ("gateways", "expected_dbm"),
    [
        ('[{"rssi":-117,"snr":-3.25},{"rssi":-83,"snr":9},{"rssi":-90}]', -83.0),
        ('[{"rssi":-97.5}]', -97.5),
        ('[{"snr":9},7,null,"",[],{"rssi":-120}]', -120.0),
        ('[{"rssi":-160},{"rssi":-161}]', -160.0),  # the least that is believed, and less
        ('[{"rssi":20},{"rssi":21}]', 20.0),
        ("[]", None),
    ],
)
def test_the_strongest_gateway_tells_the_signal(uplink, gateways, expected_dbm):
    assert read(uplink(gateways)).signal_dbm == expected_dbm


@pytest.mark.parametrize(
    "rssi",
    ["1e400", "-1e400", "NaN", "Infinity", "-Infinity", "true", "false", "null", '"-83"', "{}",
     '{"value":-83}', "[-83]", "-1000", "21", f"-{'9' * 400}", "9" * 400, '"\\u0000"'],
)  # fmt: skip
def test_what_is_no_strength_is_passed_over_and_costs_the_uplink_nothing(uplink, rssi):
    alone, beside = f'[{{"rssi":{rssi}}}]', f'[{{"rssi":-104}},{{"rssi":{rssi}}}]'
    bare = read(uplink("[]"))

    assert bare.rejected == []
    assert len(bare.readings) == 1
    assert read(uplink(alone)) == bare
    assert read(uplink(beside)) == bare._replace(signal_dbm=-104.0)


@pytest.mark.parametrize("gateways", ["null", "5", '"-83"', "true", '{"rssi":-83}', "[[[[]]]]"])
def test_what_is_no_list_of_gateways_costs_the_uplink_nothing(uplink, gateways):
    assert read(uplink(gateways)) == read(uplink("[]"))


@pytest.mark.parametrize(
    ("gateway", "expected_dbm"), [("{}", None), ("1", None), ('{"rssi":-120}', -120.0)]
)
def test_a_message_full_of_gateways_is_an_uplink_like_another(uplink, gateway, expected_dbm):
    room = MAX_BYTES - len(uplink("[]")[1])
    count = room // (len(gateway) + 1)
    full = read(uplink(f"[{','.join([gateway] * count)}]"))

    assert full == read(uplink("[]"))._replace(signal_dbm=expected_dbm)


def test_what_is_shown_of_a_payload_says_nothing_of_the_link(uplink):
    assert describe(read(uplink('[{"rssi":-83}]'))) == describe(read(uplink("[]")))


def test_no_gateway_heard_what_the_network_simulated():
    gateways = '[{"gateway_ids":{"gateway_id":"test"},"rssi":-83,"snr":4.2}]'

    assert read(ttn(gateways)).signal_dbm == -83.0
    assert read(ttn(gateways, ',"simulated":true')).signal_dbm is None


def test_the_signal_stands_beside_a_battery_level_alone():
    battery = {"value": 88.5, "received_at": TIME}
    message = {"last_battery_percentage": battery, "rx_metadata": [{"rssi": -83}]}
    document = {"end_device_ids": {"dev_eui": EUI}, "uplink_message": message}

    decoded = read((TTN, json.dumps(document)))

    assert [one.quantity for one in decoded.readings] == ["battery_level"]
    assert decoded.signal_dbm == -83.0


@pytest.mark.parametrize(
    ("sample", "model", "expected_dbm"),
    [
        # As one reads them in the files.
        ("chirpstack/up-decentlab-dl-atm41.json", "decentlab-dl-atm41", -106.0),
        ("chirpstack/up-milesight-em500-smtc.json", "milesight-em500-smtc", -35.0),
        ("ttn/up-decentlab-dl-trs12.json", "decentlab-dl-trs12", -16.0),
        ("ttn/up-milesight-em500-smtc.json", "milesight-em500-smtc", -24.0),  # of two gateways
    ],
)
def test_published_uplinks(shared: Path, sample, model, expected_dbm):
    payload = (shared / "samples" / sample).read_bytes()
    network = sample.split("/")[0]
    eui = json.loads(payload).get("deviceInfo", {}).get("devEui", "")
    topic = TTN if network == "ttn" else CHIRPSTACK.replace(EUI, eui)

    decoded = decode(topic, payload, received_at_us=NOW_US, profile=model)

    assert decoded.rejected == []
    assert decoded.readings
    assert decoded.signal_dbm == expected_dbm
