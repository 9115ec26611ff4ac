"""Uplinks of LoRaWAN devices are stored: their bytes by a profile, and how well they were heard."""

import base64
import json
from struct import Struct
from typing import Any

import pytest
import sqlalchemy as sa

from ingest.messages import iso
from ingest.storing import Line, Message
from storage import device_states, farms
from tests.ingest.packs import HOUR_US, PROBE, RECEIVED_US, TIME_S, pack, rows, set_aside, values


def chirpstack(eui: str, frame: bytes, *, later_s: int = 0, **more: Any) -> Message:
    """The least that ChirpStack 4 says of an uplink, and more."""
    event = {
        "time": iso((TIME_S + later_s) * 1_000_000),
        "deviceInfo": {"devEui": eui},
        "fPort": 2,
        "data": base64.b64encode(frame).decode(),
    }
    topic = f"application/1/device/{eui}/event/up"
    return Message(topic, json.dumps(event | more).encode(), RECEIVED_US + later_s * 1_000_000)


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


def signals(database: sa.Engine) -> dict[str, tuple[float | None, str | None]]:
    """What the list of the farm's devices shows: signal [dBm] and its time, by device."""
    with database.begin() as connection:
        farm_id = farms.put(
            connection, "mine", name="Mine", timezone="Asia/Almaty",
            latitude_deg=43.0, longitude_deg=76.0, elevation_m=700.0,
        )  # fmt: skip
        connection.execute(sa.text("UPDATE devices SET farm_id = :farm"), {"farm": farm_id})
        return {
            one.id: (one.signal_dbm, one.signal_at and one.signal_at.isoformat())
            for one in device_states.page(connection, farm_id)
        }


def test_how_well_gateways_heard_an_uplink_is_shown_and_is_no_reading(
    line: Line, database: sa.Engine
) -> None:
    eui = "a840410000000001"
    gateways = [{"rssi": -117, "snr": -3.2}, {"rssi": -83, "snr": 9.0}, {"rssi": "strong"}]
    line.store([chirpstack(eui, LSE01), pack(1, 0.2)])
    bare = values(database)
    assert signals(database)["lse01-1"] == (None, None)

    heard = [
        chirpstack(eui, LSE01, later_s=300, rxInfo=gateways),
        chirpstack(eui, LSE01, later_s=240, rxInfo=[{"rssi": -40}]),  # another reader's, overtaken
        pack(2, 0.2),
    ]
    line.store(heard)
    # TIME_S is 15:06:40, and it was received an hour after that.
    assert signals(database)["lse01-1"] == (-83.0, "2025-06-15T16:11:40+00:00")
    assert signals(database)[PROBE] == (None, None)

    line.store([chirpstack(eui, LSE01, later_s=600)])  # whose network says nothing of it
    told = chirpstack(eui, LSE01, later_s=300, rxInfo=[{"rssi": -20}])  # again: nothing new
    line.store([Message(*told[:2], RECEIVED_US + HOUR_US)])
    assert signals(database)["lse01-1"] == (-83.0, "2025-06-15T16:11:40+00:00")

    assert set_aside(database) == []
    assert len(values(database)) == 4 * (len(bare) - 1) + 2
    kinds = rows(database, "SELECT count(*) FROM datastreams WHERE quantity = 'signal_strength'")
    assert kinds == [(0,)]


def test_bytes_of_a_stranger_are_kept_until_somebody_says_how_to_read_them(
    line: Line, database: sa.Engine
) -> None:
    line.store([chirpstack("a840410000000099", LSE01)])

    ((device, reason, _),) = set_aside(database)
    assert (device, reason) == ("lora:a840410000000099", "no-decoder")
    assert values(database) == []
