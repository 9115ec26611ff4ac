"""Large tables: so many at a time of a credential, and who takes nothing of one is cut off."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from api.security.limiting import AtOnce
from storage import tables
from tests.api.operations import World, opened

SPAN = "start=2025-06-01T00:00:00Z&end=2025-06-03T00:00:00Z"


@pytest.fixture
def world(engine: sa.Engine) -> Iterator[World]:
    with opened(engine) as made:
        yield made


def path(world: World) -> str:
    return f"/v1/datastreams/{world.mine.stream}/readings"


def test_a_credential_has_so_many_under_way_and_no_more(world: World) -> None:
    table = f"{path(world)}?{SPAN}&format=csv"
    exports = world.api.app.state.door.exports = AtOnce(1)
    client = tables.api_clients.c
    with world.api.engine.connect() as connection:
        number = connection.scalar(sa.select(client.id).where(client.name == "right"))
    end = exports.begin(f"client:{number}")

    refused = world.api.ask("GET", table, key=world.right)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    assert "1 large tables under way" in refused.json()["detail"]
    assert world.api.ask("GET", table, key=world.everything).status_code == 200
    assert world.api.ask("GET", f"{path(world)}?{SPAN}", key=world.right).status_code == 200

    end()
    for _ in range(3):  # each ends as it was taken
        assert world.api.ask("GET", table, key=world.right).status_code == 200


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])  # uvicorn's, and the newest
def test_who_takes_nothing_of_a_table_is_cut_off_and_may_ask_again(
    world: World, monkeypatch: pytest.MonkeyPatch, spec_version: str
) -> None:
    monkeypatch.setattr("api.formats.TAKEN_S", 0.05)
    with capture_logs() as said:
        begun = world.api.take_nothing(
            f"{path(world)}?{SPAN}&format=csv", key=world.right, spec_version=spec_version
        )

    assert begun == [200]
    assert [one["event"] for one in said] == ["a client takes nothing: cut off"]
    assert not world.api.app.state.door.exports._held
