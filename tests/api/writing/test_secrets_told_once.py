"""What makes a secret is made once for a key of the client's, and tells it once."""

from typing import Any

import pytest
import sqlalchemy as sa

from storage import tables
from tests.api.asking import put_account
from tests.api.operations import GUARDED
from tests.api.writing.world import World

# Path, body, and the member of the answer that is secret.
MAKERS = [
    ("accounts", {"login": "erlan", "name": "Erlan", "role": "reader"}, "password_link"),
    ("accounts/{login}/password-link", None, "token"),
    ("clients/{client}/keys", {"days": 7}, "key"),
    ("devices", {"id": "probe-7", "farm": "{farm}", "kind": "soil-probe"}, "secret"),
    ("devices/{farm}-probe/credential", {}, "secret"),
    ("farms/{farm}/devices", b"id,kind\nprobe-8,soil-probe\n", "secrets"),
]


def secrets_of(told: Any) -> list[str]:
    """Whatever is called a token or a key in an answer."""
    if isinstance(told, dict):
        own = [str(told[name]) for name in ("token", "key") if told.get(name)]
        return own + [one for part in told.values() for one in secrets_of(part)]
    return [one for part in told for one in secrets_of(part)] if isinstance(told, list) else []


@pytest.mark.parametrize(("path", "asked", "secret"), MAKERS, ids=[one[0] for one in MAKERS])
def test_a_secret_is_made_once_and_told_once(
    world: World, path: str, asked: Any, secret: str
) -> None:
    login = f"of-{world.slug}"
    put_account(world.engine, login, "reader")
    address = f"/v1/{path.format(client=world.name, farm=world.slug, login=login)}"
    if isinstance(asked, dict) and "farm" in asked:
        asked = asked | {"farm": world.slug}
    body = {"content": asked} if isinstance(asked, bytes) else {"json": asked}

    def ask() -> Any:
        headers = {"Idempotency-Key": "the same"}
        return world.api.ask("POST", address, key=world.boss, headers=headers, **body)

    first = ask()
    assert first.is_success, first.text
    assert first.headers["cache-control"] == "no-store"
    if (where := first.headers.get("location")) is not None:
        assert world.api.ask("GET", where, key=world.boss).status_code == 200
    assert (where is not None) == (path in {"accounts", "devices", "clients/{client}/keys"})
    told = secrets_of(first.json())
    assert told

    again = ask()

    assert (again.status_code, again.headers["idempotent-replayed"]) == (first.status_code, "true")
    assert again.json()[secret] is None
    assert set(again.json()) == set(first.json())
    assert again.headers.get("location") == where
    with world.engine.connect() as connection:
        kept = "\n".join(
            str(row)
            for table in tables.metadata.sorted_tables
            for row in connection.execute(sa.select(table))
        )
        kept += "\n".join(
            bytes(one).decode() for one in connection.scalars(sa.select(tables.kept_answers.c.body))
        )
    for one in told:
        assert one not in again.text
        assert one not in kept


def test_whatever_is_made_takes_a_key() -> None:
    without = {
        one.path
        for one in GUARDED
        if one.method == "post"
        and "Idempotency-Key" not in {said["name"] for said in one.parameters("header")}
    }
    assert without == set()
