"""A request's transaction ends as it should, on whichever thread, and leaves no connection open."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import sqlalchemy as sa

from api.security.guard import needs
from api.security.work import THREADS, Work
from storage import tables
from tests.api.asking import Api, put_key
from tests.conftest import empty
from tests.two_farms import put_land


@pytest.fixture(scope="module")
def key(engine: sa.Engine):
    yield put_key(engine, "right", everything=True)
    empty(engine)


def in_use(engine: sa.Engine) -> int:
    pool = engine.pool
    assert isinstance(pool, sa.pool.QueuePool)
    return pool.checkedout()


def run(work: Work, first: Callable[[sa.Connection], None]) -> None:
    with ThreadPoolExecutor(1) as threads:
        asyncio.run(work.begin(threads, first))


def put_region(connection: sa.Connection) -> None:
    connection.exec_driver_sql(
        "INSERT INTO regions (code, kato_prefix, name_en, name_kk, name_ru)"
        " VALUES ('KZ-99', '99', 'a', 'b', 'c')"
    )


def is_there(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        return bool(
            connection.exec_driver_sql("SELECT count(*) FROM regions WHERE code = 'KZ-99'").scalar()
        )


def test_what_is_refused_at_the_door_is_rolled_back_on_the_spot(engine: sa.Engine) -> None:
    before = in_use(engine)

    def refuse(connection: sa.Connection) -> None:
        put_region(connection)
        raise PermissionError

    work = Work(engine)
    with pytest.raises(PermissionError):
        run(work, refuse)

    assert not work.is_open
    assert in_use(engine) == before
    assert not is_there(engine)


def test_what_is_given_up_is_rolled_back_and_what_was_finished_stays(engine: sa.Engine) -> None:
    before = in_use(engine)
    lost, kept = Work(engine), Work(engine)
    run(lost, put_region)
    asyncio.run(lost.give_up(ValueError()))
    assert not is_there(engine)

    run(kept, put_region)
    kept.finish()
    kept.finish()
    asyncio.run(kept.give_up(ValueError()))

    assert in_use(engine) == before
    assert is_there(engine)


def test_a_request_that_is_cut_off_while_it_waits_leaves_no_connection(engine: sa.Engine) -> None:
    before = in_use(engine)
    has_begun, may_go_on = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        connection.exec_driver_sql("SELECT 1")
        has_begun.set()
        assert may_go_on.wait(30)

    async def cut_off(threads: ThreadPoolExecutor) -> None:
        work = Work(engine)

        async def ask() -> None:
            try:
                await work.begin(threads, slow)
            except BaseException as error:
                await work.give_up(error)
                raise

        asked = asyncio.create_task(ask())
        await asyncio.to_thread(has_begun.wait, 30)
        asked.cancel()
        await asyncio.sleep(0)
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await asked

    with ThreadPoolExecutor(1) as threads:
        asyncio.run(cut_off(threads))
    assert in_use(engine) == before


def test_more_requests_than_connections_and_threads_are_all_answered(
    engine: sa.Engine, key: str
) -> None:
    """Who waits for a connection keeps nobody from going on who has one."""
    api = Api(engine)

    async def many() -> list[int]:
        transport = httpx.ASGITransport(app=api.app)
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            asked = [client.get("/v1/farms", headers=headers) for _ in range(5 * THREADS)]
            return [one.status_code for one in await asyncio.gather(*asked)]

    assert asyncio.run(many()) == [200] * 5 * THREADS


def test_a_fault_after_a_write_undoes_it(engine: sa.Engine, key: str) -> None:
    api = Api(engine)

    @api.app.post("/v1/broken", dependencies=[needs("write:farms")])
    def break_off() -> None:
        raise RuntimeError("nobody expects this")

    before = in_use(engine)
    assert api.ask("POST", "/v1/broken", key=key).status_code == 500
    assert in_use(engine) == before
    with engine.connect() as connection:
        noted = connection.exec_driver_sql(
            "SELECT count(*) FROM audit_log WHERE object LIKE '%broken'"
        )
        assert noted.scalar() == 0


def test_a_key_that_was_revoked_reads_nothing_that_it_has_read(engine: sa.Engine) -> None:
    api, path = Api(engine), "/v1/farms/mine/summary"
    with engine.begin() as connection:
        land = put_land(connection, "mine", "KZ-61")
    key = put_key(engine, "revoked-soon", farm_ids=[land.farm])
    first = api.ask("GET", path, key=key)
    known = {"If-None-Match": first.headers["etag"]}
    assert (first.status_code, api.ask("GET", path, key=key, headers=known).status_code) == (
        200,
        304,
    )

    with engine.begin() as connection:
        connection.execute(sa.update(tables.api_keys).values(revoked_at=sa.func.now()))

    for headers in ({}, known):
        answer = api.ask("GET", path, key=key, headers=headers)
        assert answer.status_code == 401
        assert "mine" not in answer.text
