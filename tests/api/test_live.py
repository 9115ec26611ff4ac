"""Events over a real server: what changes arrives, nothing is missed, nothing of another's farm."""

import datetime as dt
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import numpy as np
import pytest
import sqlalchemy as sa
import uvicorn

from api.live import Live, LiveSettings
from storage import alerts, news, readings, tables, tracks
from storage.alerts import Opening
from storage.live_news import Position
from tests.api.asking import Api, put_account, put_key
from tests.two_farms import Land, put_land

QUICK = {"every_s": 0.02, "heartbeat_s": 0.1, "check_s": 0.1}
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


class Told(NamedTuple):
    """An event as it came."""

    event: str
    data: Any
    id: str | None


class Stream:
    """A connection to /v1/events."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        self.last_id: str | None = None
        self.comments = 0

    def __iter__(self) -> Iterator[Told]:
        name, data, number = "", "", None
        for line in self._lines:
            field, _, value = line.partition(": ")
            if line.startswith(":"):
                self.comments += 1
            elif field == "id":
                number = self.last_id = value
            elif field == "event":
                name = value
            elif field == "data":
                data += value
            elif not line:
                if data:
                    yield Told(name, json.loads(data), number)
                name, data, number = "", "", None

    def next(self, *names: str) -> Told:
        """The next event of one of these names; none may come before it but of the others."""
        for told in self:
            if told.event in names:
                return told
        raise AssertionError("the stream ended")


class World(NamedTuple):
    api: Api
    mine: Land
    theirs: Land
    key: str
    base: str

    @property
    def engine(self) -> sa.Engine:
        return self.api.engine

    @contextmanager
    def listen(
        self, key: str | None = None, last: str | None = None, query: str = "", **headers: str
    ) -> Iterator[Stream]:
        headers["Authorization"] = f"Bearer {key or self.key}"
        if last is not None:
            headers["Last-Event-ID"] = last
        asked = httpx.stream("GET", f"{self.base}/v1/events{query}", headers=headers, timeout=20)
        with asked as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield Stream(answer)


class Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@pytest.fixture
def world(empty_engine: sa.Engine) -> Iterator[World]:
    with empty_engine.begin() as connection:
        mine, theirs = put_land(connection, "mine", "KZ-61"), put_land(connection, "foe", "KZ-43")
    api = Api(empty_engine)
    api.app.state.live = Live(empty_engine, LiveSettings(**QUICK))
    config = uvicorn.Config(api.app, port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.is_up.wait(20)
    port = server.servers[0].sockets[0].getsockname()[1]
    key = put_key(empty_engine, "mine", farm_ids=[mine.farm])
    yield World(api, mine, theirs, key, f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join()


def store(connection: sa.Connection, land: Land, value: float, seconds: int = 0) -> None:
    """Store a reading as ingest does."""
    rows = np.zeros(1, readings.DTYPE)
    rows["datastream_id"], rows["value"] = land.stream, value
    rows["time"] = rows["received_at"] = int(NOW.timestamp() + seconds) * 1_000_000
    readings.store(connection, rows)
    news.note_readings(connection, rows["datastream_id"], rows["time"], brief=True)


def test_a_reading_arrives_and_another_farms_does_not(world: World) -> None:
    with world.listen() as stream:
        stream.next("ready")
        with world.engine.begin() as connection:
            store(connection, world.theirs, 0.5)
        with world.engine.begin() as connection:
            store(connection, world.mine, 0.31)
        told = stream.next("readings", "devices", "alert")

    assert told.event == "readings"
    (one,) = told.data
    assert one["datastream_id"] == world.mine.stream
    assert (one["value"], one["quantity"], one["unit"]) == (0.31, "soil_moisture", "m³/m³")
    assert dt.datetime.fromisoformat(one["time"]) == NOW


def test_who_sees_everything_is_told_of_every_farm(world: World) -> None:
    with world.listen(put_key(world.engine, "all", everything=True)) as stream:
        stream.next("ready")
        with world.engine.begin() as connection:
            store(connection, world.mine, 0.1)
            store(connection, world.theirs, 0.2)
        heard: set[int] = set()
        while len(heard) < 2:
            heard |= {one["datastream_id"] for one in stream.next("readings").data}

    assert heard == {world.mine.stream, world.theirs.stream}


def test_who_comes_again_has_missed_nothing(world: World) -> None:
    with world.listen() as stream:
        stream.next("ready")
        with world.engine.begin() as connection:
            store(connection, world.mine, 0.1)
        last = stream.next("readings").id
    with world.engine.begin() as connection:
        store(connection, world.mine, 0.2, seconds=1)
        store(connection, world.theirs, 0.9)

    with world.listen(last=last) as stream:
        told = stream.next("readings", "ready")

    assert told.event == "readings"
    assert [(one["datastream_id"], one["value"]) for one in told.data] == [(world.mine.stream, 0.2)]


def test_what_commits_late_is_told_to_who_has_seen_what_came_after_it(world: World) -> None:
    with world.engine.begin() as connection:
        (second,) = connection.execute(
            sa.text("""INSERT INTO datastreams (device_id, quantity)
                       VALUES ('mine-probe', 'soil_temperature') RETURNING id""")
        ).one()
        # The chunk of this time is there: TimescaleDB lets one transaction make it, others wait.
        store(connection, world.mine._replace(stream=second), 16.0, -60)
    with world.engine.connect() as slow, slow.begin() as transaction:
        store(slow, world.mine, 0.1)  # has its number, and commits later
        with world.listen() as stream:
            stream.next("ready")
            with world.engine.begin() as connection:
                store(connection, world.mine._replace(stream=second), 17.0)
            told = stream.next("readings")
            assert [one["datastream_id"] for one in told.data] == [second]
        transaction.commit()

    with world.listen(last=told.id) as stream:
        again = stream.next("readings", "ready")

    assert world.mine.stream in {one["datastream_id"] for one in again.data}


def test_an_alert_is_told_in_the_readers_words_and_a_device_that_falls_silent(
    world: World,
) -> None:
    details = {"device": "mine-probe", "level_pct": 14.0, "low_level_pct": 20.0}
    opening = Opening(
        "low-battery",
        "device:mine-probe/battery",
        world.mine.farm,
        details | {"time": NOW.isoformat()},
    )
    with world.listen(query="?language=ru") as stream:
        stream.next("ready")
        with world.engine.begin() as connection:
            alerts.open(
                connection,
                [opening, opening._replace(farm_id=world.theirs.farm, subject="x")],
                now=NOW,
            )
        told = stream.next("alert")
        assert (told.data["kind"], told.data["state"]) == ("low-battery", "active")
        assert told.data["text"].startswith("Заряд батареи 14 %")
        with world.engine.begin() as connection:
            alerts.clear_others(connection, "silent", [], now=NOW)
        while (told := stream.next("devices", "alert")).event == "alert":
            assert told.data["farm"] == "mine"
        assert [(one["device_id"], one["silent"]) for one in told.data] == [("mine-probe", False)]


def test_alerts_are_for_who_may_read_alerts(world: World) -> None:
    key = put_key(world.engine, "sensor", scopes=("read:devices",), farm_ids=[world.mine.farm])
    with world.listen(key) as stream:
        stream.next("ready")
        with world.engine.begin() as connection:
            alerts.clear_others(connection, "silent", [], now=NOW)
        assert stream.next("devices", "alert").event == "devices"


def test_a_machine_that_moves_and_a_device_that_is_disabled_are_told(world: World) -> None:
    with world.listen() as stream:
        stream.next("ready")
        point = np.zeros(1, tracks.DTYPE)
        for name in tracks.NUMBERS:
            point[name] = np.nan
        point["longitude_deg"], point["latitude_deg"], point["work_state"] = 68.25, 43.3, 1
        point["time"] = point["received_at"] = int(NOW.timestamp()) * 1_000_000
        with world.engine.begin() as connection:
            tracks.store(connection, ["mine-probe"], point)
            news.note_points(connection, ["mine-probe"], point["device"], point["time"])
        (one,) = stream.next("devices").data
        assert (one["latitude_deg"], one["longitude_deg"], one["work_state"]) == (43.3, 68.25, 1)
        with world.engine.begin() as connection:
            connection.execute(sa.update(tables.devices).values(disabled=True))
        (one,) = stream.next("devices").data
        assert (one["device_id"], one["disabled"]) == ("mine-probe", True)


@pytest.mark.parametrize("last", ["", "-", "seven", "7", "99999999999999-1", "1-1"])
def test_a_position_that_tells_nothing_makes_the_client_begin_anew(world: World, last: str) -> None:
    with world.listen(last=last) as stream:
        assert stream.next("reset", "ready").event == ("reset" if last else "ready")


def test_silence_is_bridged_by_comments_that_move_the_position_on(world: World) -> None:
    with world.listen(query="?seconds=1") as stream:
        first = stream.next("ready").id
        with world.engine.begin() as connection:
            connection.execute(sa.text("CREATE TEMPORARY TABLE nothing ()"))  # takes a number
        assert list(stream) == []  # it ends by itself

    assert stream.comments > 1
    assert Position(*map(int, str(stream.last_id).split("-"))) > Position(
        *map(int, str(first).split("-"))
    )


def test_a_stream_ends_with_its_session(world: World) -> None:
    put_account(world.engine, "aigul", "operator", farm_ids=[world.mine.farm])
    csrf = world.api.sign_in("aigul")["csrf_token"]
    cookie = "; ".join(f"{one.name}={one.value}" for one in world.api.cookies.jar)
    asked = httpx.stream("GET", f"{world.base}/v1/events", headers={"Cookie": cookie}, timeout=20)
    with asked as answer:
        stream = Stream(answer)
        stream.next("ready")
        world.api.write("DELETE", "/v1/session", csrf)
        assert stream.next("end").event == "end"
        assert list(stream) == []


def test_a_farm_that_is_taken_away_is_told_of_no_more(world: World) -> None:
    with world.listen() as stream:
        stream.next("ready")
        with world.engine.begin() as connection:
            connection.execute(sa.update(tables.api_clients).values(farm_ids=[world.theirs.farm]))
        seen = world.theirs.stream
        with world.engine.connect() as connection:
            for number in range(1_000):
                with connection.begin():
                    store(connection, world.mine, 0.1, seconds=number)
                    store(connection, world.theirs, 0.2, seconds=number)
                told = stream.next("readings")
                if seen in {one["datastream_id"] for one in told.data}:
                    break
        assert {one["datastream_id"] for one in told.data} == {seen}


def test_a_credential_has_so_many_streams_and_no_more(world: World) -> None:
    world.api.app.state.live.settings.per_credential = 1
    with world.listen() as stream:
        stream.next("ready")
        headers = {"Authorization": f"Bearer {world.key}"}
        refused = httpx.get(f"{world.base}/v1/events", headers=headers)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        assert refused.json()["type"] == "urn:dala:problem:too-many-streams"
        with world.listen(put_key(world.engine, "other", farm_ids=[world.mine.farm])) as other:
            other.next("ready")


def test_a_server_has_so_many_streams_and_one_too_many_is_told_when_to_come(world: World) -> None:
    world.api.app.state.live.settings.streams = 1
    with world.listen() as stream:
        stream.next("ready")
        headers = {"Authorization": f"Bearer {put_key(world.engine, 'b', everything=True)}"}
        refused = httpx.get(f"{world.base}/v1/events", headers=headers)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
        assert refused.json()["type"] == "urn:dala:problem:too-many-streams"
    with world.listen() as stream:  # whose place is free again
        stream.next("ready")
