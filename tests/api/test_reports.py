"""Reports over HTTP: filed, pulled, listed, countersigned, by who may and of what they see."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from reports.statements import manifest, statement, verifying
from reports.statements.signing import SigningKey
from storage import audit
from tests.api.asking import Api, put_account, put_key
from tests.conftest import empty
from tests.reports.statements import filed
from tests.reports.statements.filed import KEY


class World(NamedTuple):
    """The API on a small country, and who asks."""

    api: Api
    engine: sa.Engine
    everything: str
    south: str  # KZ-61 alone
    elsewhere: str  # KZ-43 alone
    farm: str  # kz-61-0 alone


@pytest.fixture
def world(engine: sa.Engine, tmp_path: Path) -> Iterator[World]:
    KEY.write(tmp_path / "key.jwk")
    with engine.begin() as connection:
        filed.put_country(connection)
        filed.put_key(connection)
        of = sa.text("SELECT id FROM farms WHERE slug = 'kz-61-0'")
        farm = connection.scalar(of)
    yield World(
        Api(engine, report_key_file=tmp_path / "key.jwk"),
        engine,
        put_key(engine, "everything", everything=True),
        put_key(engine, "south", regions=["KZ-61"]),
        put_key(engine, "elsewhere", regions=["KZ-43"]),
        put_key(engine, "farm", farm_ids=[farm]),
    )
    empty(engine)


AREA = {"kind": "water", "season": 2025, "area": "KZ-61"}
FARM = {"kind": "water", "season": 2025, "farm": "kz-61-0"}


def put(world: World, asked: dict[str, object], key: str | None = None) -> str:
    answer = world.api.ask("POST", "/v1/reports", key=key or world.everything, json=asked)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/reports/{answer.json()['number']}"
    return str(answer.json()["number"])


def late(world: World) -> None:
    with world.engine.begin() as connection:
        values = filed.saved(12_000.0, 2_000.0)
        zone = filed.first_zone(connection)
        filed.put_result(connection, zone, values, digest="a late reading")


def test_a_report_is_filed_pulled_and_proved_with_the_keys_that_are_published(
    world: World,
) -> None:
    number = put(world, AREA)
    pulled = world.api.ask("GET", f"/v1/reports/{number}", key=world.south)
    keys = world.api.ask("GET", "/v1/reports/keys")

    verdict = verifying.check(pulled.content, keys=verifying.pinned_keys(keys.content))
    assert [one.standing for one in verdict.findings] == ["proved", "proved"]
    again = world.api.ask(
        "GET",
        f"/v1/reports/{number}",
        key=world.south,
        headers={"If-None-Match": pulled.headers["etag"]},
    )
    assert (again.status_code, again.content) == (304, b"")


def test_who_sees_what_of_reports(world: World) -> None:
    area, farm = put(world, AREA), put(world, FARM)
    country = put(world, AREA | {"area": "KZ"})

    for key, seen in (
        (world.everything, [area, farm, country]),
        (world.south, [area, farm]),
        (world.elsewhere, []),
        (world.farm, [farm]),
    ):
        found = world.api.ask("GET", "/v1/reports", key=key).json()
        assert [one["number"] for one in found] == seen
        for number in (area, farm, country):
            for below in ("", "/revisions"):
                path = f"/v1/reports/{number}{below}"
                status = world.api.ask("GET", path, key=key).status_code
                assert status == (200 if number in seen else 404)


def test_of_an_area_files_who_sees_every_farm_and_of_a_farm_who_sees_it(world: World) -> None:
    answer = world.api.ask("POST", "/v1/reports", key=world.south, json=AREA)
    assert answer.status_code == 403
    answer = world.api.ask("POST", "/v1/reports", key=world.elsewhere, json=FARM)
    assert answer.status_code == 404
    assert put(world, FARM, world.farm).startswith("water-")
    # Numbers go on, whoever sees the ones before.
    assert put(world, FARM | {"farm": "kz-43-0"}, world.elsewhere).endswith("-0002")


def test_late_data_are_filed_with_a_reason_and_pulled_by_when_it_changed(world: World) -> None:
    number = put(world, AREA)
    before = world.api.ask("GET", f"/v1/reports/{number}", key=world.south).content
    since = json.loads(before)["report"]["filed_at"]
    same = world.api.ask("POST", "/v1/reports", key=world.everything, json=AREA)
    assert (same.status_code, same.json()["revision"]) == (200, 0)
    late(world)
    refused = world.api.ask("POST", "/v1/reports", key=world.everything, json=AREA)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:dala:problem:reason-missing")
    put(world, AREA | {"reason": "a meter was read late"})

    found = world.api.ask(
        "GET", "/v1/reports", key=world.south, params={"changed_since": since}
    ).json()
    assert [(one["number"], one["revision"]) for one in found] == [(number, 1)]
    first = world.api.ask("GET", f"/v1/reports/{number}?revision=0", key=world.south)
    assert first.content == before
    told = world.api.ask("GET", f"/v1/reports/{number}/difference", key=world.south).json()
    assert told["revision"] == 0
    assert {
        "key": {"REF_AREA": "KZ-61", "TIME_PERIOD": "2025", "INDICATOR": "WATER_APPLIED"},
        "old": {"FARMS": 4, "OBS_STATUS": "A", "OBS_VALUE": 40_006, "UNIT_MEASURE": "m3"},
        "new": {"FARMS": 4, "OBS_STATUS": "A", "OBS_VALUE": 42_006, "UNIT_MEASURE": "m3"},
    } in told["difference"]["observations"]
    none = world.api.ask("GET", f"/v1/reports/{number}/difference?revision=0", key=world.south)
    assert none.status_code == 404


def test_a_filing_sent_again_with_its_key_is_the_one_of_before(world: World) -> None:
    sent = [
        world.api.ask(
            "POST", "/v1/reports", key=world.everything, json=AREA,
            headers={"Idempotency-Key": "once"},
        )
        for _ in range(2)
    ]  # fmt: skip

    assert [one.status_code for one in sent] == [201, 201]
    assert sent[0].json() == sent[1].json()
    assert sent[1].headers["idempotent-replayed"] == "true"


def test_every_pull_and_every_filing_is_written_down(world: World) -> None:
    number = put(world, AREA)
    world.api.ask("GET", f"/v1/reports/{number}", key=world.south)
    world.api.ask("GET", "/v1/reports", key=world.south)

    with world.engine.connect() as connection:
        deeds = [(one.actor, one.action, one.object) for one in audit.page(connection)]
    assert deeds == [
        ("client:south", "list_reports", "/v1/reports"),
        ("client:south", "get_report", f"/v1/reports/{number}"),
        ("client:everything", "report.file", f"report:{number}"),
    ]


def test_as_csv_every_figure_has_every_column(world: World) -> None:
    number = put(world, AREA)
    pulled = world.api.ask("GET", f"/v1/reports/{number}?format=csv", key=world.south)
    rows = list(csv.DictReader(io.StringIO(pulled.text)))

    (total,) = (
        row
        for row in rows
        if row["INDICATOR"] == "WATER_APPLIED"
        and row["TIME_PERIOD"] == "2025"
        and {row[name] for name in ("IRRIGATION_TECHNOLOGY", "WATER_SOURCE", "MEASUREMENT")}
        == {"_T"}
        and row["TARIFF_BAND"] == "_T"
    )
    assert (total["REF_AREA"], float(total["OBS_VALUE"]), total["UNIT_MEASURE"]) == (
        "KZ-61", 40_006.0, "m3",
    )  # fmt: skip
    assert (total["REPORT"], total["REVISION"]) == (number, "0")
    # 60 mm on 10 ha of each of 4 farms; the 6 m³ that no day tells of have no month.
    june = [row for row in rows if row["TIME_PERIOD"] == "2025-06"]
    assert [float(row["OBS_VALUE"]) for row in june] == [24_000.0]


def test_a_ministry_countersigns_over_http(world: World) -> None:
    ministry = SigningKey.make()
    with world.engine.begin() as connection:
        filed.put_key(connection, ministry, "countersigns")
    put_account(world.engine, "ministry", "ministry", regions=["KZ-61"])
    number = put(world, AREA)
    csrf = world.api.sign_in("ministry")["csrf_token"]
    pulled = world.api.ask("GET", f"/v1/reports/{number}").content
    signature = ministry.sign(manifest.read(pulled).payload)._asdict()
    path = f"/v1/reports/{number}/countersignatures"
    made = world.api.write("POST", path, csrf, json=signature)
    assert (made.status_code, made.json()["countersignatures"]) == (201, 1), made.text
    forged = KEY.sign(manifest.read(pulled).payload)._asdict()
    assert world.api.write("POST", path, csrf, json=forged).status_code == 422

    after = world.api.ask("GET", f"/v1/reports/{number}").content
    assert len(manifest.read(after).signatures) == 2
    keys = world.api.ask("GET", "/v1/reports/keys").content
    verdict = verifying.check(after, keys=verifying.pinned_keys(keys))
    assert {one.standing for one in verdict.findings} == {"proved"}


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"kind": "water", "season": 2025}, 422),
        (AREA | {"farm": "kz-61-0"}, 422),
        (AREA | {"start": "2025-06-01", "end": "2025-07-01"}, 422),
        (FARM | {"start": "2025-06-01"}, 422),
        (FARM | {"start": "2025-07-01", "end": "2025-06-01"}, 422),
        (AREA | {"as_of": "2199-01-01T00:00:00Z"}, 422),
        (AREA | {"area": "KZ-99"}, 404),
        (FARM | {"farm": "nowhere"}, 404),
    ],
)
def test_what_is_no_report_is_refused(world: World, asked: dict[str, object], status: int) -> None:
    answer = world.api.ask("POST", "/v1/reports", key=world.everything, json=asked)

    assert answer.status_code == status, answer.text


def test_a_fault_of_ours_is_not_the_callers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ValueError("zip() argument 2 is shorter than argument 1")

    monkeypatch.setattr(statement, "gather", wrong)
    answer = world.api.ask("POST", "/v1/reports", key=world.everything, json=AREA)

    assert (answer.status_code, answer.json()["type"]) == (500, "urn:dala:problem:our-fault")
    assert "zip" not in answer.text


def test_without_a_key_nothing_is_filed(world: World) -> None:
    bare = Api(world.engine)
    answer = bare.ask("POST", "/v1/reports", key=world.everything, json=AREA)

    assert answer.status_code == 503
    assert "dala report key" in answer.json()["detail"]
