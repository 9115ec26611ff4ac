"""What is filed is told to who may read it, by the queue that tells of alerts."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from reports.notices import make_secret, signature
from reports.statements import filing, manifest
from reports.statements.filing import Filing
from storage import accounts, api_clients, deliveries, farms, subscriptions, tenancy
from storage import filing as stored
from storage.behalf import Behalf
from storage.database import make_engine
from storage.subscriptions import Subscription
from tests.conftest import empty
from tests.reports.statements import filed
from tests.watch.messages import HOUR, MINUTE, NOW, open_alert, settings
from tests.watch.receivers import Receiver, receiver
from watch.sending import Sent, send_due


@pytest.fixture
def country(engine: sa.Engine) -> Iterator[sa.Engine]:
    """KZ-61 and KZ-43 with two farms each, and a key."""
    with engine.begin() as connection:
        filed.put_country(connection, farms_each=2)
        filed.put_key(connection)
    yield engine
    empty(engine)


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def subscribe(engine: sa.Engine, address: str, **values: Any) -> Subscription:
    asked: dict[str, Any] = {"topic": "reports", "channel": "webhook", "address": address}
    asked |= {"kinds": [], "language": "en", "secret": make_secret(), "by": "test"} | values
    with engine.begin() as connection:
        slug = asked.pop("farm", None)
        farm_id = None if slug is None else farms.get(connection, slug).id
        return subscriptions.add(connection, farm_id, **asked)


def file(engine: sa.Engine, kind: str = "water", **asked: Any) -> Filing:
    with engine.begin() as connection:
        return filed.file(connection, kind, **asked)


def late(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        values = filed.saved(12_000.0, 2_000.0)
        filed.put_result(connection, filed.first_zone(connection), values, digest="read late")


def told(server: Receiver) -> list[str]:
    """Which reports, as `kind subject revision`."""
    data = [json.loads(one.body)["data"] for one in server.received]
    return [
        f"{one['kind']} {next(iter(one['subject'].values()))} {one['revision']}" for one in data
    ]


def kept(engine: sa.Engine) -> list[tuple[str, str, str | None]]:
    with engine.begin() as connection:
        found = deliveries.of_reports(connection)
    return [(one.event, one.status, one.last_error) for one in found]


def test_a_filing_and_its_revision_are_told_signed_with_what_it_takes_to_check_what_is_pulled(
    country: sa.Engine, server: Receiver
) -> None:
    secret = make_secret()
    subscribe(country, server.url, area_code="KZ-61", secret=secret)
    asked = settings(public_url="https://dala.example/")
    first = file(country)
    assert send_due(country, asked, now()) == Sent(1, 0, 0)
    late(country)
    second = file(country, reason="a meter was read late")
    assert send_due(country, asked, now()) == Sent(1, 0, 0)
    assert send_due(country, asked, now() + HOUR) == Sent(0, 0, 0)

    for request, made, event in zip(
        server.received, (first, second), ("filed", "revised"), strict=True
    ):
        named, body = request.headers, json.loads(request.body)
        at = int(named["webhook-timestamp"])
        assert named["webhook-signature"] == signature(
            secret, named["webhook-id"], at, request.body
        )
        assert (body["type"], body["id"]) == (f"report.{event}", named["webhook-id"])
        with country.begin() as connection:
            pulled = filing.envelope(connection, made.revision)
        said = manifest.read(pulled)
        assert body["data"] == {
            **{name: said.manifest[name] for name in ("number", "revision", "kind", "season")},
            **{name: said.manifest[name] for name in ("as_of", "filed_at", "reason")},
            "subject": {"area": "KZ-61"},
            "start": None,
            "end": None,
            "digest": manifest.digest(said.payload),
            "url": f"https://dala.example/v1/reports/{made.report.number}"
            f"?revision={made.revision.revision}",
        }
    assert second.revision.reason == "a meter was read late"


def test_a_failure_is_tried_again_by_another_process_under_the_same_id(
    country: sa.Engine, server: Receiver
) -> None:
    subscribe(country, server.url, area_code="KZ-61")
    file(country)
    begun, server.status = now(), lambda: 503
    assert send_due(country, settings(), begun) == Sent(0, 1, 0)
    assert kept(country) == [("filed", "pending", "the answer was 503: no success")]
    with country.begin() as connection:  # a process that dies while it sends
        assert len(deliveries.claim(connection, begun + MINUTE)) == 1

    server.status = lambda: 204
    url = country.url.render_as_string(hide_password=False)
    restarted = make_engine(url)
    assert send_due(restarted, settings(), begun + 2 * MINUTE) == Sent(0, 0, 0)
    assert send_due(restarted, settings(), begun + 3 * MINUTE) == Sent(1, 0, 0)
    assert send_due(restarted, settings(), begun + HOUR) == Sent(0, 0, 0)
    restarted.dispose()

    first, second = server.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert kept(country) == [("filed", "sent", None)]


def test_of_a_subject_is_told_all_that_lies_in_it_and_of_the_kinds_asked_for(
    country: sa.Engine, server: Receiver
) -> None:
    asked: dict[str, dict[str, Any]] = {
        "/region": {"area_code": "KZ-61"},
        "/country": {"area_code": "KZ"},
        "/farm": {"farm": "kz-61-0"},
        "/harvest": {"area_code": "KZ", "kinds": ["harvest", "yields"]},
    }
    for path, values in asked.items():
        subscribe(country, f"http://127.0.0.1:{server.port}{path}", **values)
    file(country)
    file(country, area="KZ")
    file(country, farm="kz-61-0")
    file(country, farm="kz-61-1")
    file(country, "harvest", area="KZ-43")
    assert send_due(country, settings(), now()) == Sent(3 + 5 + 1 + 1, 0, 0)

    found: dict[str, set[str]] = {path: set() for path in asked}
    for request, what in zip(server.received, told(server), strict=True):
        found[request.path].add(what)
    south = {"water KZ-61 0", "water kz-61-0 0", "water kz-61-1 0"}
    assert found == {
        "/region": south,
        "/country": south | {"water KZ 0", "harvest KZ-43 0"},
        "/farm": {"water kz-61-0 0"},
        "/harvest": {"harvest KZ-43 0"},
    }


def test_alerts_and_reports_go_by_one_queue(country: sa.Engine, server: Receiver) -> None:
    subscribe(country, server.url, area_code="KZ-61")
    with country.begin() as connection:
        farm = farms.get(connection, "kz-61-0").id
    asked = {"topic": "alerts", "min_severity": "info", "by": "test"}
    subscribe(country, server.url, farm="kz-61-0", **asked)
    open_alert(country, farm)
    file(country)
    assert send_due(country, settings(), now()) == Sent(2, 0, 0)
    assert send_due(country, settings(), NOW) == Sent(0, 0, 0)

    types = sorted(json.loads(one.body)["type"] for one in server.received)
    assert types == ["alert.opened", "report.filed"]
    with country.begin() as connection:
        assert [one.number for one in deliveries.of_farm(connection, farm)] == [None]
        assert [one.alert_id for one in deliveries.of_reports(connection)] == [None]


def test_without_leave_no_report_is_told_into_a_private_network(
    country: sa.Engine, server: Receiver
) -> None:
    subscribe(country, f"https://localhost:{server.port}/", area_code="KZ-61")
    file(country)

    assert send_due(country, settings(webhook_private=False), now()) == Sent(0, 0, 1)
    assert server.received == []
    assert "not of the open internet" in str(kept(country)[0][2])


def test_what_was_filed_while_nobody_watched_is_told_however_late_and_once_by_two(
    country: sa.Engine, server: Receiver
) -> None:
    subscribe(country, server.url, area_code="KZ-61")
    file(country)
    later = now() + 40 * 24 * HOUR
    with country.begin() as other:  # a watcher that looks just now, and dies
        assert deliveries.note_due(other, later) == 1
        with country.begin() as connection:
            assert deliveries.note_due(connection, later) == 0
        other.rollback()

    assert send_due(country, settings(), later) == Sent(1, 0, 0)


def test_what_was_filed_before_is_not_told_nor_to_who_wants_no_more(
    country: sa.Engine, server: Receiver
) -> None:
    file(country)
    ended = subscribe(country, server.url, area_code="KZ-61")
    assert send_due(country, settings(), now()) == Sent(0, 0, 0)
    server.status = lambda: 500
    file(country, "savings")
    assert send_due(country, settings(), now()) == Sent(0, 1, 0)
    with country.begin() as connection:
        subscriptions.end_of_reports(connection, ended.id, by="test")
    file(country, "yields")
    assert send_due(country, settings(), now() + HOUR) == Sent(0, 0, 0)

    assert kept(country) == [("filed", "given-up", "the subscription was ended")]


REACHES: list[tuple[bool, list[str], list[str]]] = [  # everything, farms, regions
    (True, [], []),
    (False, [], ["KZ"]),
    (False, [], ["KZ-61"]),
    (False, [], ["KZ-4", "KZ-6"]),
    (False, ["kz-61-0", "kz-43-1"], []),
    (False, ["kz-61-1"], ["KZ-43"]),
    (False, [], [""]),
    (False, [], []),
]


def test_told_is_what_the_views_of_the_api_show_and_nothing_else(
    country: sa.Engine, server: Receiver
) -> None:
    reaches = []
    for number, (everything, slugs, regions) in enumerate(REACHES):
        with country.begin() as connection:
            client = api_clients.add(
                connection,
                f"reader-{number}",
                scopes=["read:reports", "subscribe:reports"],
                everything=everything,
                farm_ids=[farms.get(connection, slug).id for slug in slugs],
                regions=regions,
                created_by="test",
            )
        reaches.append(client.reach)
        url = f"http://127.0.0.1:{server.port}/{number}"
        subscribe(country, url, area_code="KZ", behalf=Behalf(client_id=client.id))
    for area in ("KZ", "KZ-61", "KZ-43"):
        file(country, area=area)
    for farm in ("kz-61-0", "kz-61-1", "kz-43-0", "kz-43-1"):
        file(country, farm=farm)
    assert sum(send_due(country, settings(), now())) == 7 * len(REACHES)

    for number, reach in enumerate(reaches):
        with country.begin() as connection:
            tenancy.enter(connection, reach)
            shown = {one.report.number for one in stored.page(connection)}
        heard = {
            json.loads(one.body)["data"]["number"]
            for one in server.received
            if one.path == f"/{number}"
        }
        assert heard == shown, reach


@pytest.mark.parametrize(
    "change",
    [
        {"disabled": True},
        {"scopes": ["read:reports"]},
        {"scopes": ["subscribe:reports"]},
        {"regions": ["KZ-43"]},
    ],
)
def test_a_program_whose_rights_shrank_is_told_nothing_more_not_even_what_waited(
    country: sa.Engine, server: Receiver, change: dict[str, Any]
) -> None:
    with country.begin() as connection:
        client = api_clients.add(
            connection,
            "south",
            scopes=["read:reports", "subscribe:reports"],
            regions=["KZ-61"],
            created_by="test",
        )
    subscribe(country, server.url, area_code="KZ-61", behalf=Behalf(client_id=client.id))
    server.status = lambda: 500
    file(country)
    assert send_due(country, settings(), now()) == Sent(0, 1, 0)
    with country.begin() as connection:
        api_clients.change(connection, "south", **change)
    file(country, "yields")

    assert send_due(country, settings(), now() + HOUR) == Sent(0, 0, 2)
    assert len(server.received) == 1
    assert {words for _, _, words in kept(country)} == {
        "who subscribed may not be told of this report any more"
    }


def test_a_person_who_is_let_in_no_more_is_told_nothing_more(
    country: sa.Engine, server: Receiver
) -> None:
    with country.begin() as connection:
        anna = accounts.add(connection, "anna", name="Anna", role="ministry", regions=["KZ-61"])
    subscribe(country, server.url, area_code="KZ-61", behalf=Behalf(account_id=anna.id))
    file(country)
    assert send_due(country, settings(), now()) == Sent(1, 0, 0)
    with country.begin() as connection:
        accounts.change(connection, "anna", disabled=True)
    file(country, "yields")

    assert send_due(country, settings(), now()) == Sent(0, 0, 1)
