"""The client of docs/pull_reports.py pulls reports of a real server, and goes on where it was."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from reports.statements import filing
from reports.statements.signing import SigningKey
from storage import audit
from storage import filing as stored
from tests.api.asking import put_key
from tests.api.hammer import served
from tests.conftest import empty
from tests.reports.statements import filed

CLIENT = Path(__file__).resolve().parents[2] / "docs/pull_reports.py"


class World(NamedTuple):
    """A served country with reports, and the folder of who pulls them."""

    engine: sa.Engine
    url: str
    folder: Path
    client: Path


@pytest.fixture
def world(engine: sa.Engine, tmp_path: Path) -> Iterator[World]:
    with engine.begin() as connection:
        filed.put_country(connection, farms_each=1)
        filed.put_key(connection)
        for kind in ("water", "savings"):
            filed.file(connection, kind)
        published = json.dumps(filing.jwks(connection))
    (tmp_path / "pulled").mkdir()
    (tmp_path / "keys.json").write_text(published)
    # As it stands there, but that one report is a page.
    code = CLIENT.read_text()
    assert code.count('"limit": 100') == 1
    (tmp_path / "client.py").write_text(code.replace('"limit": 100', '"limit": 1'))
    with served(engine) as url:
        yield World(engine, url, tmp_path / "pulled", tmp_path / "client.py")
    empty(engine)


def pull(
    world: World, key: str, *own: Path, trusted: str = "keys.json"
) -> subprocess.CompletedProcess[str]:
    trust = world.folder.with_name(trusted)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, world.client, world.folder, trust, *own],
        env={"PATH": path, "DALA_URL": world.url, "DALA_KEY": key, "HOME": str(world.folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def pulled(world: World) -> list[str]:
    """Files that are there, without the year that is in their names."""
    return sorted(
        one.name.replace(str(filed_year(world)), "Y") for one in world.folder.glob("*.json")
    )


def filed_year(world: World) -> int:
    with world.engine.begin() as connection:
        return stored.page(connection)[0].report.year


def asked_for(world: World) -> int:
    """How many reports were ever pulled."""
    with world.engine.begin() as connection:
        return len([one for one in audit.page(connection) if one.action == "get_report"])


def test_it_is_of_at_most_forty_lines() -> None:
    assert len(CLIENT.read_text().splitlines()) <= 40


def test_it_pulls_page_after_page_then_what_changed_and_countersigns(world: World) -> None:
    key = put_key(world.engine, "ministry", regions=["KZ-61"])
    ministry = SigningKey.make()
    ministry.write(world.folder.with_name("own.jwk"))
    done = pull(world, key)
    assert done.returncode == 0, done.stderr
    first = ["savings-Y-0001-0.json", "water-Y-0001-0.json"]
    assert (pulled(world), asked_for(world)) == (first, 2)

    with world.engine.begin() as connection:
        filed.put_key(connection, ministry, "countersigns")
        zone = connection.scalar(sa.text("SELECT min(id) FROM crop_zones"))
        filed.put_result(connection, zone, filed.saved(12_000.0, 2_000.0), digest="read late")
    with world.engine.begin() as connection:
        filed.file(connection, reason="a meter was read late")
        filed.file(connection, "programme")
    done = pull(world, key, world.folder.with_name("own.jwk"))
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "It replaces the earlier file" in said
    assert "'a meter was read late': 2 figures changed, as it tells" in said
    then = sorted([*first, "water-Y-0001-1.json", "programme-Y-0001-0.json"])
    assert (pulled(world), asked_for(world)) == (then, 2 + 2)
    with world.engine.begin() as connection:
        signed = [(one.report.kind, one.countersignatures) for one in stored.page(connection)]
    assert signed == [("savings", 0), ("water", 1), ("programme", 1)]

    assert pull(world, key).returncode == 0
    assert asked_for(world) == 4  # nothing is new


def test_what_it_cannot_prove_or_keep_is_pulled_again_and_nothing_else(world: World) -> None:
    key = put_key(world.engine, "ministry", regions=["KZ-61"])
    others = json.dumps({"keys": [SigningKey.make().public | {"dala_role": "files"}]})
    world.folder.with_name("others.json").write_text(others)
    assert "401" in pull(world, "dala_key_wrong").stderr
    refused = pull(world, key, trusted="others.json")
    assert refused.returncode != 0
    assert (pulled(world), (world.folder / "since").exists()) == ([], False)

    # The disk refuses the second report: what came before it is kept, and not pulled again.
    year = filed_year(world)
    blocking = world.folder / f"savings-{year}-0001-0.json"
    blocking.mkdir()
    assert pull(world, key).returncode != 0
    assert asked_for(world) == 1 + 2
    blocking.rmdir()
    assert pull(world, key).returncode == 0
    expected = ["savings-Y-0001-0.json", "water-Y-0001-0.json"]
    assert (pulled(world), asked_for(world)) == (expected, 1 + 2 + 1)
