"""The tree of evidence over HTTP: pulled, compared, countersigned, by whoever may."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from reports.statements import heads, manifest, verifying
from reports.statements.signing import HEAD_TYPE, SigningKey
from reports.statements.verifying import Beside
from storage import audit, farms, tables
from tests.api.asking import Api, put_account, put_key
from tests.conftest import empty
from tests.reports.statements import filed
from tests.reports.statements.filed import KEY
from tests.reports.statements.sealed import put_pending

FARM = {"kind": "water", "season": 2025, "farm": "kz-61-0"}
HEADS = "/v1/evidence/heads"


class World(NamedTuple):
    """The API on a small country, and who asks."""

    api: Api
    engine: sa.Engine
    everything: str
    farm: str  # kz-61-0 alone
    ids: list[int]  # of farms


@pytest.fixture
def world(engine: sa.Engine, tmp_path: Path) -> Iterator[World]:
    KEY.write(tmp_path / "key.jwk")
    with engine.begin() as connection:
        filed.put_country(connection)
        filed.put_key(connection)
        ids = [farms.get(connection, slug).id for slug in ("kz-61-0", "kz-61-1", "kz-43-0")]
    yield World(
        Api(engine, report_key_file=tmp_path / "key.jwk"),
        engine,
        put_key(engine, "everything", everything=True),
        put_key(engine, "farm", farm_ids=ids[:1]),
        ids,
    )
    empty(engine)


def wait(world: World, *numbers: int) -> None:
    """Batches of all three farms that wait to be sealed."""
    with world.engine.begin() as connection:
        for number in numbers:
            put_pending(connection, number, world.ids)


def file(world: World, **asked: object) -> bytes:
    """A report of the farm, filed by who sees no other."""
    made = world.api.ask("POST", "/v1/reports", key=world.farm, json=FARM | asked)
    assert made.status_code == 201, made.text
    number = made.json()["number"]
    return world.api.ask("GET", f"/v1/reports/{number}", key=world.farm).content


def test_who_sees_one_farm_files_and_seals_what_all_sent(world: World) -> None:
    wait(world, 1, 2)
    pulled = file(world)
    keys = verifying.pinned_keys(world.api.ask("GET", "/v1/reports/keys").content)

    verdict = verifying.check(pulled, keys=keys)
    assert [one.standing for one in verdict.findings] == ["proved"] * 4
    evidence = heads.of_manifest(manifest.read(pulled).manifest)
    assert evidence is not None
    assert (evidence.head.head.size, evidence.leaves) == (3, 1)
    # And is shown no other farm's entries, nor what waits.
    with world.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count(tables.pending_batches.c.id))) == 0
        deeds = [(one.actor, one.action) for one in audit.page(connection)]
    assert ("client:farm", "evidence.seal") in deeds


def test_heads_are_pulled_page_by_page_and_compared(world: World) -> None:
    reports = []
    for turn in range(3):
        wait(world, turn + 1)
        reports.append(file(world, kind=("water", "savings", "yields")[turn]))
    first = world.api.ask("GET", HEADS, key=world.farm, params={"limit": 2})
    assert [one["size"] for one in first.json()] == [3, 6]
    rest = world.api.ask("GET", first.headers["link"].split(";")[0].strip("<>"), key=world.farm)
    assert [(one["seal"], one["size"]) for one in rest.json()] == [(3, 9)]
    assert "link" not in rest.headers
    later = world.api.ask("GET", HEADS, key=world.farm, params={"larger_than": 3})
    assert [one["size"] for one in later.json()] == [6, 9]

    kept = world.api.ask("GET", f"{HEADS}/3", key=world.farm)
    newest = world.api.ask("GET", f"{HEADS}/newest", key=world.farm)
    assert newest.content == world.api.ask("GET", f"{HEADS}/9", key=world.farm).content
    again = world.api.ask(
        "GET", f"{HEADS}/3", key=world.farm, headers={"If-None-Match": kept.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    between = {"first": 3, "second": 9}
    proof = world.api.ask("GET", "/v1/evidence/consistency", key=world.farm, params=between)
    keys = verifying.pinned_keys(world.api.ask("GET", "/v1/reports/keys").content)
    asked = Beside(None, kept.content, [proof.content])
    verdict = verifying.check(reports[2], keys=keys, beside=asked)
    assert [one.standing for one in verdict.findings] == ["proved"] * 6


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"{HEADS}/newest", 404, "nothing was sealed"),
        (f"{HEADS}/7", 404, "no head of 7 entries"),
        ("/v1/evidence/consistency?first=1&second=2", 404, "no head of 1 entries"),
        ("/v1/evidence/consistency?first=0&second=2", 422, ""),
        ("/v1/evidence/consistency?first=3", 422, ""),
    ],
)
def test_what_was_not_sealed_is_not_there(world: World, path: str, status: int, words: str) -> None:
    answer = world.api.ask("GET", path, key=world.farm)

    assert answer.status_code == status, answer.text
    assert words in answer.text


def test_a_later_tree_does_not_begin_an_earlier(world: World) -> None:
    for turn in (1, 2):
        wait(world, turn)
        file(world, kind=("water", "savings")[turn - 1])
    path = "/v1/evidence/consistency?first=6&second=3"
    answer = world.api.ask("GET", path, key=world.farm)

    assert answer.status_code == 422
    assert "does not begin with" in answer.json()["detail"]


def test_a_ministry_countersigns_a_head_over_http(world: World) -> None:
    ministry = SigningKey.make()
    with world.engine.begin() as connection:
        filed.put_key(connection, ministry, "countersigns")
    put_account(world.engine, "ministry", "ministry", regions=["KZ-61"])
    wait(world, 1)
    file(world)
    csrf = world.api.sign_in("ministry")["csrf_token"]
    pulled = heads.head_of_file(world.api.ask("GET", f"{HEADS}/3").content)
    path = f"{HEADS}/3/countersignatures"
    for refused in (
        ministry.sign(pulled.head.payload()),
        KEY.sign(pulled.head.payload(), HEAD_TYPE),
    ):
        answer = world.api.write("POST", path, csrf, json=refused._asdict())
        assert (answer.status_code, "refused" in answer.json()["detail"]) == (422, True)
    signature = ministry.sign(pulled.head.payload(), HEAD_TYPE)._asdict()
    made = world.api.write("POST", path, csrf, json=signature)
    assert (made.status_code, made.json()["countersignatures"]) == (201, 1), made.text
    assert made.headers["location"] == f"{HEADS}/3"
    assert world.api.write("POST", path, csrf, json=signature).status_code == 422

    after = json.loads(world.api.ask("GET", f"{HEADS}/3").content)
    assert after["signatures"][1] == signature
    with world.engine.connect() as connection:
        newest = audit.page(connection)
    deeds = [(one.actor, one.object) for one in newest if one.action == "evidence.countersign"]
    assert deeds == [("account:ministry", "tree-head:3")]


def test_without_its_scope_nobody_countersigns(world: World) -> None:
    wait(world, 1)
    file(world)
    reader = put_key(world.engine, "reader", scopes=("read:reports",), everything=True)
    asked = {"protected": "e30", "signature": "e30"}
    answer = world.api.ask("POST", f"{HEADS}/3/countersignatures", key=reader, json=asked)

    assert answer.status_code == 403
