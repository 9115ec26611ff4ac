"""Who has reports told to a webhook over REST, and who sees that."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa

from storage import api_clients, audit, farms
from tests.api.asking import Api, put_account, put_key
from tests.conftest import empty
from tests.reports.statements import filed

PATH = "/v1/report-subscriptions"
HOOK = "https://hooks.example.org/dala"


class World(NamedTuple):
    """The API on a small country, and who asks."""

    api: Api
    everything: str
    south: str  # KZ-61 alone
    other: str  # KZ-61 too
    farm: str  # kz-61-0 alone


@pytest.fixture
def world(engine: sa.Engine) -> Iterator[World]:
    with engine.begin() as connection:
        filed.put_country(connection, farms_each=1)
        filed.put_key(connection)
        farm = connection.scalar(sa.text("SELECT id FROM farms WHERE slug = 'kz-61-0'"))
    yield World(
        Api(engine, api_token="of the settings"),
        put_key(engine, "everything", everything=True),
        put_key(engine, "south", regions=["KZ-61"]),
        put_key(engine, "other", regions=["KZ-61"]),
        put_key(engine, "farm", farm_ids=[farm]),
    )
    empty(engine)


def post(world: World, key: str | None, **asked: Any) -> httpx.Response:
    return world.api.ask("POST", PATH, key=key, json={"address": HOOK} | asked)


def test_a_subscription_tells_its_secret_once_and_ends(world: World) -> None:
    headers = {"Idempotency-Key": "one"}
    asked = {"address": HOOK, "area": "KZ-61", "kinds": ["harvest"]}
    added, again = (
        world.api.ask("POST", PATH, key=world.south, json=asked, headers=headers) for _ in range(2)
    )
    assert added.status_code == 201, added.text
    body = added.json()
    assert body["secret"].startswith("whsec_")
    assert again.json() == body | {"secret": None}
    assert added.headers["location"] == f"{PATH}/{body['id']}"
    (listed,) = world.api.ask("GET", PATH, key=world.south).json()
    assert listed | {"secret": body["secret"]} == body
    assert (listed["area"], listed["farm"], listed["kinds"]) == ("KZ-61", None, ["harvest"])

    for status in (204, 404):
        ended = world.api.ask("DELETE", added.headers["location"], key=world.south)
        assert ended.status_code == status
    assert world.api.ask("GET", PATH, key=world.south).json() == []
    with world.api.engine.connect() as connection:
        deeds = [(one.actor, one.action) for one in audit.page(connection)]
    assert deeds == [
        ("client:south", "report-subscription.end"),
        ("client:south", "report-subscription.create"),
    ]


def test_one_sees_ones_own_and_who_sees_everything_all(world: World) -> None:
    mine = post(world, world.south, area="KZ-61").json()["id"]
    farms_own = post(world, world.farm, farm="kz-61-0").json()["id"]
    place = f"{PATH}/{mine}"

    for key, seen in (
        (world.south, [mine]),
        (world.other, []),
        (world.farm, [farms_own]),
        (world.everything, [mine, farms_own]),
    ):
        found = world.api.ask("GET", PATH, key=key).json()
        assert [one["id"] for one in found] == seen
    for key in (world.other, world.farm):
        assert world.api.ask("DELETE", place, key=key).status_code == 404
    for path, key in ((place, world.everything), (f"{PATH}/{farms_own}", world.farm)):
        assert world.api.ask("DELETE", path, key=key).status_code == 204
    with world.api.engine.connect() as connection:
        of = [one.farm_id for one in audit.page(connection)]
        farm = farms.get(connection, "kz-61-0").id
    assert of == [farm, None, farm, None]  # in the book of the farm, if it was of one


def test_what_one_does_not_see_one_cannot_ask_to_be_told(world: World) -> None:
    for key, asked in (
        (world.south, {"area": "KZ"}),
        (world.south, {"area": "KZ-43"}),
        (world.south, {"area": "KZ-99"}),
        (world.south, {"farm": "kz-43-0"}),
        (world.farm, {"area": "KZ-61"}),
    ):
        assert post(world, key, **asked).status_code == 404
    assert post(world, world.south, farm="kz-61-0").status_code == 201
    for asked in ({}, {"area": "KZ-61", "farm": "kz-61-0"}):
        assert post(world, world.south, **asked).status_code == 422


def test_where_no_message_can_go_is_refused(world: World) -> None:
    wrong = ["http://example.org/", "a@example.org", "https://u:p@example.org/", "ftp://x.org"]
    for address in wrong:
        assert post(world, world.south, area="KZ-61", address=address).status_code == 422


def test_who_has_no_name_of_their_own_or_reads_no_reports_subscribes_to_none(
    world: World,
) -> None:
    engine = world.api.engine
    blind = put_key(engine, "blind", everything=True, scopes=("subscribe:reports",))
    unable = put_key(engine, "unable", everything=True, scopes=("read:reports",))
    put_account(engine, "guest", "reader", regions=["KZ-61"])
    for key in ("of the settings", blind, unable):
        assert post(world, key, area="KZ-61").status_code == 403
    csrf = world.api.sign_in("guest")["csrf_token"]
    asked = {"address": HOOK, "area": "KZ-61"}
    assert world.api.write("POST", PATH, csrf, json=asked).status_code == 403
    put_account(engine, "ministry", "ministry", regions=["KZ-61"])
    csrf = world.api.sign_in("ministry")["csrf_token"]
    assert world.api.write("POST", PATH, csrf, json=asked).status_code == 201


def test_what_became_of_messages_is_told_to_whose_they_are(world: World) -> None:
    made = post(world, world.south, area="KZ-61").json()["id"]
    post(world, world.everything, area="KZ")
    with world.api.engine.begin() as connection:
        numbers = [
            filed.file(connection, kind).report.number for kind in ("water", "savings", "yields")
        ]
        connection.execute(
            sa.text("""
                INSERT INTO deliveries (revision_id, subscription_id, event, status, last_error)
                SELECT revision.id, wish.id, 'filed', 'given-up', 'nobody home'
                  FROM subscriptions AS wish, report_revisions AS revision
              ORDER BY wish.id, revision.id""")
        )
    path = "/v1/report-deliveries"
    first = world.api.ask("GET", f"{path}?status=given-up&limit=2", key=world.south)
    following = first.headers["link"].partition(">")[0].removeprefix("<")
    rest = world.api.ask("GET", following, key=world.south)
    found = first.json() + rest.json()

    assert [(one["number"], one["revision"]) for one in found] == [(n, 0) for n in numbers[::-1]]
    assert {one["subscription_id"] for one in found} == {made}
    assert {(one["last_error"], one["next_attempt_at"]) for one in found} == {("nobody home", None)}
    assert world.api.ask("GET", f"{path}?status=pending", key=world.south).json() == []
    for key, count in ((world.everything, 6), (world.other, 0), (world.farm, 0)):
        assert len(world.api.ask("GET", path, key=key).json()) == count
    with world.api.engine.begin() as connection:
        api_clients.change(connection, "south", regions=["KZ-43"])
    assert world.api.ask("GET", path, key=world.south).json() == []
    assert world.api.ask("GET", PATH, key=world.south).json() == []


def test_nobody_has_more_than_fifty(world: World) -> None:
    with world.api.engine.begin() as connection:
        connection.execute(
            sa.text("""
                INSERT INTO subscriptions (topic, subject, area_code, channel, address, created_by)
                SELECT 'reports', 'area:KZ-61', 'KZ-61', 'webhook', 'https://x.org', 'client:south'
                  FROM generate_series(1, 50)""")
        )

    assert post(world, world.south, area="KZ-61").status_code == 409
    assert post(world, world.other, area="KZ-61").status_code == 201
