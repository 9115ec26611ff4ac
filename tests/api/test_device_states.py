"""How devices are, over HTTP: heard, powered, complete, understood; each farm sees its own."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from api.dependencies import current_time
from storage import devices, heard, rejected, tables
from storage.devices import StreamKey
from storage.rejected import RejectedMessage
from tests.api.asking import Api, put_key
from tests.two_farms import DAY, START, Land, put_land

NOW = START + 3 * DAY


@pytest.fixture
def land(empty_engine: sa.Engine) -> Land:
    with empty_engine.begin() as connection:
        put_land(connection, "foe", "KZ-43")
        return put_land(connection, "mine", "KZ-61")


@pytest.fixture
def api(empty_engine: sa.Engine, land: Land) -> Api:
    made = Api(empty_engine)
    made.app.dependency_overrides[current_time] = lambda: NOW
    return made


def ask(api: Api, path: str, land: Land) -> Any:
    key = put_key(api.engine, f"key-{abs(hash(path))}", farm_ids=[land.farm])
    answer = api.ask("GET", path, key=key)
    assert answer.status_code == 200, answer.text
    return answer.json()


def put_device(connection: sa.Connection, land: Land, name: str, **values: Any) -> str:
    known: dict[str, Any] = {"farm_id": land.farm, "kind": "soil-probe", "name": name} | values
    devices.put(connection, name, **known)
    return name


def note_heard(connection: sa.Connection, device: str, at: dt.datetime) -> None:
    heard.note(connection, {device: round(at.timestamp() * 1e6)})


def test_states_are_told_by_when_a_device_was_heard(api: Api, land: Land) -> None:
    hour = dt.timedelta(hours=1)
    with api.engine.begin() as connection:
        note_heard(connection, put_device(connection, land, "fresh"), NOW - 23 * hour)
        note_heard(connection, put_device(connection, land, "gone"), NOW - 25 * hour)
        tractor = put_device(connection, land, "tractor", kind="tractor")
        note_heard(connection, tractor, NOW - 25 * hour)
        put_device(connection, land, "new")
        note_heard(connection, put_device(connection, land, "off", disabled=True), NOW - hour)

    found = {one["id"]: one["state"] for one in ask(api, "/v1/farms/mine/devices", land)}
    assert found == {
        "fresh": "reporting",
        "gone": "silent",
        "tractor": "resting",
        "new": "never",
        "off": "disabled",
        "mine-probe": "never",
    }


def test_battery_and_signal_are_the_newest_usable_readings(api: Api, land: Land) -> None:
    rows = (
        ("battery_level", 0, 90.0, 0),
        ("battery_level", 1, 85.0, 0),
        ("battery_level", 2, 5.0, 16),  # kept, but not used
        ("battery_voltage", 1, 3.61, 0),
        ("signal_strength", 1, -97.0, 0),
    )
    with api.engine.begin() as connection:
        for quantity, hour, value, quality in rows:
            key = StreamKey(land.device, quantity, None, None)
            stream = devices.open_datastreams(connection, [key])[key]
            time = START + hour * dt.timedelta(hours=1)
            connection.execute(
                sa.insert(tables.readings).values(
                    time=time, datastream_id=stream, value=value, quality=quality, received_at=time
                )
            )
    (one,) = ask(api, "/v1/farms/mine/devices", land)

    assert (one["battery_level_pct"], one["battery_voltage_v"]) == (85.0, 3.61)
    assert one["signal_dbm"] == -97.0
    assert one["battery_at"] == one["signal_at"] == "2025-06-01T01:00:00Z"


@pytest.mark.parametrize(
    ("told_h", "shown"),
    [
        (0.5, (-97.0, "2025-06-01T01:00:00Z")),
        (1.5, (-118.0, "2025-06-01T01:30:00Z")),
    ],
)
def test_the_signal_is_the_devices_own_or_its_networks_whichever_is_newer(
    api: Api, land: Land, told_h: float, shown: tuple[float, str]
) -> None:
    hour = dt.timedelta(hours=1)
    told_us = round((START + told_h * hour).timestamp() * 1e6)
    with api.engine.begin() as connection:
        key = StreamKey(land.device, "signal_strength", None, None)
        stream = devices.open_datastreams(connection, [key])[key]
        own = {"time": START + hour, "value": -97.0, "quality": 0, "received_at": START + hour}
        connection.execute(sa.insert(tables.readings).values(datastream_id=stream, **own))
        put_device(connection, land, "lorawan")
        told = dict.fromkeys((land.device, "lorawan"), heard.Signal(told_us, -118.0))
        heard.note(connection, dict.fromkeys(told, told_us), told)
    found = {
        one["id"]: (one["signal_dbm"], one["signal_at"])
        for one in ask(api, "/v1/farms/mine/devices", land)
    }

    assert found[land.device] == shown
    assert found["lorawan"][0] == -118.0  # which says nothing of it itself


def test_messages_that_never_came_are_counted_until_they_are_given_up(api: Api, land: Land) -> None:
    with api.engine.begin() as connection:
        devices.note_committed(connection, land.device, 3, [1, 2, 5, 9])
    (one,) = ask(api, "/v1/farms/mine/devices", land)
    assert one["missing_messages"] == 5  # 3, 4, 6, 7 and 8
    assert one["missing_since"] is not None

    with api.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE device_sequences SET given_up = '{[3,5)}' WHERE device_id = :device"),
            {"device": land.device},
        )
    (one,) = ask(api, "/v1/farms/mine/devices?limit=5", land)
    assert one["missing_messages"] == 3


def refuse(connection: sa.Connection, device: str, reason: str, payload: bytes, at: Any) -> None:
    topic = f"dala/v1/{device}/senml"
    message = RejectedMessage(device, topic, payload, reason, f"why: {reason}", at)
    rejected.add(connection, [message])


def test_refused_messages_are_told_by_reason_under_either_name(api: Api, land: Land) -> None:
    with api.engine.begin() as connection:
        put_device(connection, land, "tapped", wire_id="tasmota:tap")
        refuse(connection, "tapped", "bad-message", b'{"a": 1}', START)
        refuse(connection, "tapped", "bad-message", b'{"a": 2}', START + DAY)
        refuse(connection, "tasmota:tap", "bad-time", bytes([0xFF, 0x00, 0xD8]), START + 2 * DAY)
    clock, form = ask(api, "/v1/devices/tapped/rejected-messages", land)

    assert (clock["reason"], clock["messages"], clock["payload"]) == ("bad-time", 1, "ff 00 d8")
    assert (form["reason"], form["messages"], form["payload"]) == ("bad-message", 2, '{"a": 2}')
    assert (form["detail"], form["last_at"]) == ("why: bad-message", "2025-06-02T00:00:00Z")
    by_id = {one["id"]: one for one in ask(api, "/v1/farms/mine/devices", land)}
    assert by_id["tapped"]["rejected_messages"] == 3
    assert by_id["mine-probe"]["rejected_messages"] == 0


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b'{\r\n\t"a": 1\r\n}', '{\r\n\t"a": 1\r\n}'),  # as some write it
        ("датчик".encode()[:-1], "датчи"),  # cut within a letter
        (b"", ""),
        (b"\x1b[2J", "1b 5b 32 4a"),
        (b"a\xff\xff\xff\xff", "61 ff ff ff ff"),
    ],
)
def test_what_was_refused_is_shown_as_text_where_it_is_any(
    api: Api, land: Land, payload: bytes, told: str
) -> None:
    with api.engine.begin() as connection:
        refuse(connection, land.device, "bad-message", payload, START)

    (one,) = ask(api, f"/v1/devices/{land.device}/rejected-messages", land)

    assert one["payload"] == told


def test_what_is_only_counted_is_told_too(api: Api, land: Land) -> None:
    with api.engine.begin() as connection:
        connection.execute(
            sa.insert(tables.rejected_counts).values(
                device=land.device, day=START.date(), reason="too-large", messages=40
            )
        )
    (one,) = ask(api, f"/v1/devices/{land.device}/rejected-messages", land)

    assert (one["messages"], one["payload"], one["last_at"]) == (40, None, None)


def test_nobody_sees_refusals_of_anothers_device_or_of_strangers(api: Api, land: Land) -> None:
    with api.engine.begin() as connection:
        for name in ("foe-probe", "stranger"):
            refuse(connection, name, "unknown-device", b"x", START)
    key = put_key(api.engine, "mine", farm_ids=[land.farm])
    for name in ("foe-probe", "stranger"):
        answer = api.ask("GET", f"/v1/devices/{name}/rejected-messages", key=key)
        assert answer.status_code == 404
    everything = put_key(api.engine, "everything", everything=True)
    answer = api.ask("GET", "/v1/devices/foe-probe/rejected-messages", key=everything)
    assert [one["reason"] for one in answer.json()] == ["unknown-device"]


def test_days_without_readings_are_there_with_zeros(api: Api, land: Land) -> None:
    # 48 hourly readings from midnight UTC, five in the morning of the farm: 19, 24, then 5.
    with api.engine.begin() as connection:
        connection.execute(sa.update(tables.datastreams).values(expected_interval_s=3_600))
    found = ask(api, f"/v1/devices/{land.device}/days?start=2025-05-31&end=2025-06-05", land)

    assert found["readings_a_day"] == 24.0
    assert [(one["day"], one["readings"]) for one in found["days"]] == [
        ("2025-05-31", 0),
        ("2025-06-01", 19),
        ("2025-06-02", 24),
        ("2025-06-03", 5),
        ("2025-06-04", 0),
    ]
