"""Evidence over REST: whole, scoped to who reads the farm's rows anyway, and written down."""

import tempfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest
import sqlalchemy as sa

from api.routes import report_evidence
from api.security.limiting import AtOnce
from reports.statements import filing
from reports.statements.statement import Asked
from storage import audit
from tests.api.asking import Api, put_key
from tests.reports.bundle import small_farm
from tests.reports.bundle.conftest import Oasis
from tests.reports.statements.filed import KEY


class Pulling(NamedTuple):
    """Who pulls what."""

    api: Api
    engine: sa.Engine
    of_farm: str
    of_area: str
    file: bytes


@pytest.fixture(scope="module")
def pulling(oasis: Oasis) -> Pulling:
    with oasis.engine.begin() as connection:
        file = small_farm.file(connection, "harvest")
        area = filing.file(connection, Asked("harvest", 2025, area="KZ-61"), KEY, author="test")
    number = small_farm.report_of(file)["number"]
    return Pulling(Api(oasis.engine), oasis.engine, number, area.report.number, file)


def key(pulling: Pulling, name: str, **reach: Any) -> str:
    return put_key(pulling.engine, name, **reach)


def test_a_bundle_that_is_pulled_makes_the_figures_again(
    pulling: Pulling, oasis: Oasis, tmp_path: Path
) -> None:
    whose = key(pulling, "of the region", regions=["KZ-61"])
    answer = pulling.api.ask("GET", f"/v1/reports/{pulling.of_farm}/evidence", key=whose)

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/octet-stream"
    assert int(answer.headers["content-length"]) == len(answer.content)
    bundle = tmp_path / "evidence.zip"
    bundle.write_bytes(answer.content)
    found = oasis.check(pulling.file, bundle)
    assert {one.standing for one in found.findings} == {"proved"}, found
    with pulling.engine.connect() as connection:
        line = next(iter(audit.page(connection)))
    assert (line.action, line.object) == ("report.evidence", f"report:{pulling.of_farm}")

    known = {"If-None-Match": answer.headers["etag"]}
    again = pulling.api.ask(
        "GET", f"/v1/reports/{pulling.of_farm}/evidence", key=whose, headers=known
    )
    assert (again.status_code, again.content) == (304, b"")


def test_whoever_may_not_read_the_rows_gets_none(pulling: Pulling) -> None:
    elsewhere = key(pulling, "elsewhere", regions=["KZ-43"])
    figures_alone = key(pulling, "figures alone", regions=["KZ-61"], scopes=("read:reports",))
    of_region = key(pulling, "region", regions=["KZ-61"])
    everybody = key(pulling, "everybody", everything=True)
    asked = [
        (pulling.of_farm, elsewhere, 404),
        (pulling.of_farm, figures_alone, 403),
        (pulling.of_area, of_region, 403),
        (pulling.of_area, everybody, 200),
        ("harvest-1999-0001", everybody, 404),
    ]
    for number, whose, status in asked:
        answer = pulling.api.ask("GET", f"/v1/reports/{number}/evidence", key=whose)
        assert answer.status_code == status, answer.text


def test_only_so_many_are_made_at_once(pulling: Pulling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_evidence._turns, "acquire", lambda **_: False)
    whose = key(pulling, "third", everything=True)
    answer = pulling.api.ask("GET", f"/v1/reports/{pulling.of_farm}/evidence", key=whose)

    assert answer.status_code == 503
    assert "ask again in a minute" in answer.json()["detail"]


def test_of_who_takes_nothing_of_a_bundle_nothing_is_kept(
    pulling: Pulling, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []

    def file() -> IO[bytes]:
        files.append(made())
        return files[-1]

    made = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", file)
    monkeypatch.setattr(report_evidence, "TAKEN_S", 0.05)
    whose = key(pulling, "fourth", everything=True)
    exports = pulling.api.app.state.door.exports = AtOnce(1)
    begun = pulling.api.take_nothing(f"/v1/reports/{pulling.of_farm}/evidence", key=whose)

    assert begun == [200]
    assert [one.closed for one in files] == [True]
    assert not exports._held


def test_a_credential_has_so_many_bundles_under_way_and_no_more(pulling: Pulling) -> None:
    whose = key(pulling, "fifth", everything=True)
    path = f"/v1/reports/{pulling.of_farm}/evidence"
    with pulling.engine.connect() as connection:
        number = connection.scalar(sa.text("SELECT id FROM api_clients WHERE name = 'fifth'"))
    exports = pulling.api.app.state.door.exports = AtOnce(1)
    end = exports.begin(f"client:{number}")

    assert pulling.api.ask("GET", path, key=whose).status_code == 429
    end()
    for _ in range(2):  # each ends as it was taken
        assert pulling.api.ask("GET", path, key=whose).status_code == 200
