"""What was told is told again to the same caller, and for no request longer than they may read."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from api.security import tokens
from storage import accounts, api_clients, farms, tables
from tests.api.asking import put_account, put_key
from tests.api.recall.world import COUNTRY, FARM, REGION, World


def revoke(connection: sa.Connection) -> None:
    connection.execute(sa.update(tables.api_keys).values(revoked_at=sa.func.now()))


def expire(connection: sa.Connection) -> None:
    connection.execute(sa.update(tables.api_keys).values(expires_at=sa.func.now()))


def disable_client(connection: sa.Connection) -> None:
    api_clients.change(connection, "right", disabled=True)


def take_scope(connection: sa.Connection) -> None:
    api_clients.change(connection, "right", scopes=["read:devices"])


def take_farm(connection: sa.Connection) -> None:
    other = sa.select(tables.farms.c.id).where(tables.farms.c.slug == "theirs")
    api_clients.change(connection, "right", farm_ids=[connection.scalar(other)])


@pytest.mark.parametrize(
    ("change", "status"),
    [(revoke, 401), (expire, 401), (disable_client, 401), (take_scope, 403), (take_farm, 404)],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_key_reads_on_for_no_request_longer_than_it_may(
    world: World, key: str, change: Callable[[sa.Connection], None], status: int
) -> None:
    tag = world.told_again(key).headers["etag"]

    with world.engine.begin() as connection:
        change(connection)

    for known in ({}, {"If_None_Match": tag}):
        answer = world.ask(FARM, key, **known)
        assert answer.status_code == status
        assert "applied" not in answer.text


def test_a_farm_that_leaves_a_region_is_gone_for_who_sees_the_region(world: World) -> None:
    key = put_key(world.engine, "region", regions=["KZ-61"])
    world.told_again(key)
    assert world.told_again(key, COUNTRY).json()["farms_registered"] == 1
    assert [one["farm"] for one in world.told_again(key, REGION).json()["farms"]] == ["mine"]

    with world.engine.begin() as connection:
        farms.change(connection, world.mine.farm, region_code="KZ-43")

    assert world.ask(FARM, key).status_code == 404
    assert world.ask(REGION, key).json()["farms"] == []
    assert world.ask(COUNTRY, key).json()["farms_registered"] == 0


def test_who_sees_the_country_and_who_sees_a_farm_are_told_each_their_own(
    world: World, key: str
) -> None:
    everything = put_key(world.engine, "all", everything=True)

    for _ in range(2):
        mine, all_ = (world.ask(COUNTRY, one).json() for one in (key, everything))
        assert (mine["covers"], mine["farms_registered"]) == ("own-farms", 1)
        assert (all_["covers"], all_["farms_registered"]) == ("country", 2)


def test_a_farm_that_comes_to_a_region_is_listed_for_who_sees_the_region(world: World) -> None:
    key = put_key(world.engine, "region", regions=["KZ-61"])
    assert len(world.told_again(key, "/v1/farms").json()) == 1

    with world.engine.begin() as connection:
        farms.change(connection, world.theirs.farm, region_code="KZ-61")

    assert len(world.ask("/v1/farms", key).json()) == 2


def test_an_access_token_ends_with_its_client(world: World) -> None:
    put_key(world.engine, "right", everything=True)
    token = tokens.make(tokens.ACCESS)
    with world.engine.begin() as connection:
        client = api_clients.get(connection, "right")
        api_clients.add_token(
            connection,
            client.id,
            tokens.digest(token),
            scopes=["read:farms"],
            regions=None,
            lives=dt.timedelta(hours=1),
        )
    world.told_again(token)

    with world.engine.begin() as connection:
        disable_client(connection)

    assert world.ask(FARM, token).status_code == 401


def sign_out(connection: sa.Connection) -> None:
    connection.execute(sa.delete(tables.sessions))


def disable_account(connection: sa.Connection) -> None:
    accounts.change(connection, "anna", disabled=True)


def take_farms(connection: sa.Connection) -> None:
    accounts.change(connection, "anna", farm_ids=[])


@pytest.mark.parametrize(
    ("change", "status"), [(sign_out, 401), (disable_account, 401), (take_farms, 404)],
    ids=lambda one: getattr(one, "__name__", one),
)  # fmt: skip
def test_a_person_reads_on_for_no_request_longer_than_they_may(
    world: World, change: Callable[[sa.Connection], None], status: int
) -> None:
    put_account(world.engine, "anna", "operator", farm_ids=[world.mine.farm])
    world.api.sign_in("anna")
    world.told_again()

    with world.engine.begin() as connection:
        change(connection)

    assert world.ask(FARM).status_code == status


def test_a_role_that_sees_less_is_asked_anew(world: World) -> None:
    put_account(world.engine, "anna", "administrator")
    world.api.sign_in("anna")
    world.told_again()

    with world.engine.begin() as connection:
        accounts.change(connection, "anna", role="reader")

    assert world.ask(FARM).status_code == 404


def test_a_session_is_used_by_what_is_told_again(world: World) -> None:
    put_account(world.engine, "anna", "administrator")
    world.api.sign_in("anna")
    world.told_again()
    seen = tables.sessions.c.last_seen_at
    with world.engine.begin() as connection:
        connection.execute(
            sa.update(tables.sessions).values(last_seen_at=seen - dt.timedelta(minutes=2))
        )

    world.ask(FARM)

    with world.engine.connect() as connection:
        since = connection.scalar(sa.select(sa.func.now() - seen))
    assert since < dt.timedelta(minutes=1)


def test_what_one_was_told_nobody_else_is(world: World, key: str) -> None:
    other = put_key(world.engine, "other", farm_ids=[world.theirs.farm])
    world.told_again(key)

    assert world.ask(FARM, other).status_code == 404
    assert world.ask(FARM).status_code == 401
    assert world.ask(FARM, "dala_key_none").status_code == 401
