"""Alerts over REST: who may see and acknowledge them, rules of a farm, who hears of them."""

import datetime as dt
import json
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from storage import alerts, tables
from storage.alerts import Opening
from tests.api.asking import Api, put_account, put_key
from tests.two_farms import Land, put_land

NOW = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)


class World(NamedTuple):
    api: Api
    mine: Land
    theirs: Land
    key: str


@pytest.fixture
def world(empty_engine: sa.Engine) -> World:
    with empty_engine.begin() as connection:
        mine, theirs = put_land(connection, "mine", "KZ-61"), put_land(connection, "foe", "KZ-43")
    return World(
        Api(empty_engine), mine, theirs, put_key(empty_engine, "mine", farm_ids=[mine.farm])
    )


def open_alert(world: World, kind: str, subject: str, land: Land, **details: object) -> None:
    with world.api.engine.begin() as connection:
        alerts.open(connection, [Opening(kind, subject, land.farm, dict(details))], now=NOW)


def battery(world: World, device: str, land: Land) -> None:
    open_alert(
        world,
        "low-battery",
        f"device:{device}/battery",
        land,
        device=device,
        level_pct=14.0,
        low_level_pct=20.0,
        time="2025-06-15T09:50:00+00:00",
    )


def test_alerts_are_told_in_the_readers_language_with_what_to_do(world: World) -> None:
    battery(world, "probe-7", world.mine)
    answer = world.api.ask(
        "GET",
        "/v1/alerts?kind=low-battery",
        key=world.key,
        headers={"Accept-Language": "ru-KZ, en;q=0.5"},
    )

    (one,) = answer.json()
    assert answer.headers["content-language"] == "ru"
    assert "Accept-Language" in answer.headers["vary"]
    assert one["text"].startswith("Заряд батареи 14 % (15 июня 2025 г., 14:50)")
    assert one["action"].startswith("Зарядите")
    assert (one["farm"], one["device"], one["severity"]) == ("mine", "probe-7", "warning")
    assert (one["state"], one["acknowledged"]) == ("active", False)


def test_alerts_are_chosen_and_come_in_pages(world: World) -> None:
    for name in "abc":
        battery(world, name, world.mine)
    with world.api.engine.begin() as connection:
        alerts.clear_others(connection, "low-battery", ["device:a/battery"], now=NOW)

    def devices(query: str) -> list[str]:
        answer = world.api.ask("GET", f"/v1/alerts?{query}", key=world.key)
        assert answer.status_code == 200, answer.text
        return [one["device"] for one in answer.json()]

    silent = "mine-probe"
    assert devices("") == ["c", "b", "a", silent]
    assert devices("state=active") == ["a", silent]
    assert devices("state=cleared&farm=mine") == ["c", "b"]
    assert devices("acknowledged=true") == []
    assert devices("kind=silent") == [silent]
    assert devices("since=2025-06-15T00:00:00Z") == ["c", "b", "a"]
    first = world.api.ask("GET", "/v1/alerts?limit=3", key=world.key)
    following = first.headers["link"].partition(">")[0].removeprefix("<")
    rest = world.api.ask("GET", following, key=world.key)
    assert [one["device"] for one in rest.json()] == [silent]
    assert "link" not in rest.headers
    csv = world.api.ask("GET", "/v1/alerts?format=csv", key=world.key)
    assert csv.text.count("\n") == 5


def test_anothers_alert_is_not_there(world: World) -> None:
    path = f"/v1/alerts/{world.theirs.alert}"

    assert world.api.ask("GET", path, key=world.key).status_code == 404
    refused = world.api.ask("POST", f"{path}/acknowledgement", key=world.key, json={})
    assert refused.status_code == 404
    with world.api.engine.begin() as connection:
        assert alerts.get(connection, world.theirs.alert).acknowledged_at is None
    assert world.api.ask("GET", "/v1/alerts?farm=foe", key=world.key).status_code == 404


def test_who_acknowledges_is_noted_with_their_words_and_in_the_book(world: World) -> None:
    put_account(world.api.engine, "aigul", "operator", farm_ids=[world.mine.farm])
    csrf = world.api.sign_in("aigul")["csrf_token"]
    path = f"/v1/alerts/{world.mine.alert}/acknowledgement"

    answer = world.api.write("POST", path, csrf, json={"note": "on my way"})

    body = answer.json()
    assert answer.status_code == 200, answer.text
    assert (body["acknowledged_by"], body["note"]) == ("account:aigul", "on my way")
    assert body["state"] == "active"
    with world.api.engine.begin() as connection:
        deed = connection.execute(
            sa.select(tables.audit_log).where(tables.audit_log.c.action == "alert.acknowledge")
        ).one()
    assert (deed.actor, deed.farm_id) == ("account:aigul", world.mine.farm)
    assert deed.details["note"] == "on my way"


def test_whoever_only_reads_acknowledges_nothing(world: World) -> None:
    put_account(world.api.engine, "guest", "reader", farm_ids=[world.mine.farm])
    csrf = world.api.sign_in("guest")["csrf_token"]
    path = f"/v1/alerts/{world.mine.alert}/acknowledgement"

    assert world.api.write("POST", path, csrf, json={}).status_code == 403


def test_lost_numbers_are_given_up_over_rest_too(world: World) -> None:
    # The API's role reads views alone: giving numbers up writes beside the alert.
    with world.api.engine.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO device_sequences (device_id, boot, received, gap_since)
                       VALUES ('mine-probe', 3, '{[1,5),[9,12)}', now())""")
        )
    open_alert(
        world,
        "sequence-gap",
        "device:mine-probe/boot:3",
        world.mine,
        device="mine-probe",
        boot=3,
        missing=[[5, 8]],
        missing_messages=4,
        boot_is_over=False,
    )
    (one,) = world.api.ask("GET", "/v1/alerts?kind=sequence-gap", key=world.key).json()

    answer = world.api.ask(
        "POST", f"/v1/alerts/{one['id']}/acknowledgement", key=world.key, json={}
    )

    assert (answer.status_code, answer.json()["state"]) == (200, "cleared")
    with world.api.engine.begin() as connection:
        given_up = connection.scalar(sa.text("SELECT given_up::text FROM device_sequences"))
    assert given_up == "{[5,9)}"


def test_rules_have_defaults_and_a_farm_changes_them(world: World) -> None:
    path = "/v1/farms/mine/alert-rules"
    before = world.api.ask("GET", path, key=world.key)
    rules = {one["kind"]: one for one in before.json()["rules"]}
    assert all(one["enabled"] and one["is_default"] for one in rules.values())
    level = rules["low-battery"]["parameters"][0]
    assert (level["name"], level["value"], level["low"], level["high"]) == ("level_pct", 20, 0, 100)

    asked = {
        "rules": {
            "low-battery": {"parameters": {"level_pct": 15}},
            "frost": {"enabled": False, "parameters": {}},
        }
    }
    changed = world.api.ask("PUT", path, key=world.key, json=asked)

    assert changed.status_code == 200, changed.text
    rules = {one["kind"]: one for one in changed.json()["rules"]}
    assert rules["low-battery"]["parameters"][0]["value"] == 15
    assert rules["low-battery"]["parameters"][1]["value"] == 30  # the default
    assert (rules["frost"]["enabled"], rules["frost"]["changed_by"]) == (False, "client:mine")
    stale = world.api.ask(
        "PUT", path, key=world.key, json={"rules": {}}, headers={"If-Match": before.headers["etag"]}
    )
    assert stale.status_code == 412
    again = world.api.ask(
        "PUT",
        path,
        key=world.key,
        json={"rules": {}},
        headers={"If-Match": changed.headers["etag"]},
    )
    assert all(one["is_default"] for one in again.json()["rules"])


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"burning": {}}, "rules.burning: there are rules of silent"),
        ({"frost": {"parameters": {"level_pct": 1}}}, "frost has no parameter level_pct"),
        ({"low-battery": {"parameters": {"level_pct": 101}}}, "level_pct is between 0 and 100"),
        ({"low-battery": {"parameters": {"level_pct": 40}}}, "(40) is above level_well_pct (30)"),
        ({"frost": {"parameters": {"temperature_c": "cold"}}}, "temperature_c"),
        ({"frost": {"parameters": {"temperature_c": float("1e999")}}}, "temperature_c"),
        ({"frost": {"colour": "white"}}, "colour"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_whole(
    world: World, rules: dict[str, object], words: str
) -> None:
    answer = world.api.ask(
        "PUT",
        "/v1/farms/mine/alert-rules",
        key=world.key,
        content=json.dumps({"rules": {"silent": {"enabled": False}, **rules}}),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    kept = world.api.ask("GET", "/v1/farms/mine/alert-rules", key=world.key).json()["rules"]
    assert all(one["is_default"] for one in kept)


def test_a_subscription_tells_its_secret_once_and_ends(world: World) -> None:
    path = "/v1/farms/mine/alert-subscriptions"
    asked = {"channel": "webhook", "address": "https://hooks.example.org/x", "kinds": ["frost"]}
    headers = {"Idempotency-Key": "one"}

    added = world.api.ask("POST", path, key=world.key, json=asked, headers=headers)
    again = world.api.ask("POST", path, key=world.key, json=asked, headers=headers)

    assert added.status_code == 201, added.text
    assert added.json()["secret"].startswith("whsec_")
    assert again.json() == added.json() | {"secret": None}
    assert again.headers["idempotent-replayed"] == "true"
    with world.api.engine.connect() as connection:
        kept = connection.scalars(sa.text("SELECT convert_from(body, 'UTF8') FROM kept_answers"))
        assert not [one for one in kept if "whsec_" in one]
    assert added.headers["location"] == f"{path}/{added.json()['id']}"
    (listed,) = world.api.ask("GET", path, key=world.key).json()
    assert listed["kinds"] == ["frost"]
    assert "secret" not in listed
    assert world.api.ask("DELETE", added.headers["location"], key=world.key).status_code == 204
    assert world.api.ask("DELETE", added.headers["location"], key=world.key).status_code == 404
    assert world.api.ask("GET", path, key=world.key).json() == []


@pytest.mark.parametrize(
    "asked",
    [
        {"channel": "webhook", "address": "http://example.org/"},
        {"channel": "webhook", "address": "a@example.org"},
        {"channel": "email", "address": "https://example.org/"},
        {"channel": "pigeon", "address": "a@example.org"},
        {"channel": "email", "address": "a@example.org", "kinds": ["burning"]},
    ],
)
def test_where_no_message_can_go_is_refused(world: World, asked: dict[str, object]) -> None:
    path = "/v1/farms/mine/alert-subscriptions"

    assert world.api.ask("POST", path, key=world.key, json=asked).status_code == 422


def test_what_became_of_messages_is_there_to_see(world: World) -> None:
    with world.api.engine.begin() as connection:
        for land in (world.mine, world.theirs):
            connection.execute(
                sa.text("""
                WITH wish AS (
                    INSERT INTO subscriptions
                           (topic, subject, farm_id, channel, address, min_severity, created_by)
                    VALUES ('alerts', 'farm:' || :farm, :farm, 'email', 'a@example.org', 'info',
                            'test')
                 RETURNING id)
                INSERT INTO deliveries (alert_id, subscription_id, event, status, last_error)
                SELECT :alert, id, 'opened', 'given-up', 'nobody home' FROM wish"""),
                {"farm": land.farm, "alert": land.alert},
            )

    path = "/v1/farms/mine/alert-deliveries"
    (one,) = world.api.ask("GET", f"{path}?status=given-up", key=world.key).json()

    assert (one["status"], one["last_error"]) == ("given-up", "nobody home")
    assert one["next_attempt_at"] is None
    assert world.api.ask("GET", f"{path}?status=pending", key=world.key).json() == []
