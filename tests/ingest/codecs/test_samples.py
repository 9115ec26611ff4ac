"""Every sample payload through `dala decode`: whose it is, what was measured, when.

`sample_cases` has what is expected; a file of the folder that no case names fails the test. Where
other files of the folder know of a payload (makers' tables, converters of others), they agree.
"""

import json
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.codecs.lorawan.normalized import FIELDS
from tests.ingest.codecs.sample_cases import (
    CASES,
    DECENTLAB,
    IN_OTHER_TESTS,
    NO_PAYLOAD,
    SENML,
    SMTC,
    TRS12,
    UNITS,
    WX_TIME,
    kinds,
    up,
    uplink,
)


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
