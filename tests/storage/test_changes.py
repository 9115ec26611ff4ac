"""Whatever a summary is made of tells of its changes, and nobody else's changes are told."""

import datetime as dt
import secrets
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from reports import summary
from storage import changes, farms, fields, heard, inputs, tables, tenancy
from storage.changes import PLACES, Relied, farm_subject
from storage.farms import Region
from storage.tenancy import Reach
from tests.conftest import empty
from tests.storage.test_inputs import CHANGES, World, renamed_farm, tables_in, us

IDLE = dt.timedelta(hours=1)


class Told:
    """A world that is committed, and what stands of it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        with engine.begin() as connection:
            world = World(connection)
            self.mine, self.other = world.farm, world.other

    def do(self, change: Callable[[World], None]) -> None:
        with self.engine.begin() as connection:
            world = World.__new__(World)
            world.connection = connection
            world.farm, world.other = self.mine, self.other
            world.field, world.zone = self._of(connection, self.mine)
            _, world.other_zone = self._of(connection, self.other)
            change(world)

    def _of(self, connection: sa.Connection, farm: int) -> tuple[int, int]:
        ((field, zone),) = fields.zones(connection, farm_id=farm)
        return field.id, zone.id

    def snapshot(self) -> str:
        with self.engine.connect() as connection:
            return tenancy.enter(connection, Reach())

    def stands(self, snapshot: str, *subjects: str) -> bool:
        return self.look(Relied(None, subjects, snapshot))

    def look(self, *relied: Relied) -> bool:
        with self.engine.connect() as connection:
            tenancy.take_role(connection)
            found = changes.standing(connection, relied, idle=IDLE)
        assert len(found.stands) == len(relied)
        return found.stands[0]


@pytest.fixture
def told(engine: sa.Engine) -> Iterator[Told]:
    yield Told(engine)
    empty(engine)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_changes_a_summary_is_a_change_of_its_farm(
    told: Told, change: Callable[[World], None]
) -> None:
    mine, other = farm_subject(told.mine), farm_subject(told.other)
    before = told.snapshot()
    assert told.stands(before, mine, other)

    told.do(change)

    assert not told.stands(before, mine)
    assert told.stands(told.snapshot(), mine)
    if change.__name__ != "renamed_field":  # which renames the other's too
        assert told.stands(before, other)


def leaves(world: World) -> None:
    farms.change(world.connection, world.other, region_code=None)


def comes(world: World) -> None:
    world.add_farm("third")


def is_renamed(world: World) -> None:
    farms.put_region(world.connection, Region("KZ-99", "99", "Дала", "Степь", "The steppe"))


@pytest.mark.parametrize("change", [leaves, comes, is_renamed])
def test_which_farm_is_where_is_a_change_of_places(
    told: Told, change: Callable[[World], None]
) -> None:
    before = told.snapshot()
    told.do(change)

    assert not told.stands(before, PLACES)
    assert told.stands(before, farm_subject(told.mine))


def test_what_is_called_otherwise_is_a_change_of_places(told: Told) -> None:
    before = told.snapshot()
    told.do(renamed_farm)
    assert not told.stands(before, PLACES)


def test_whatever_a_summary_looks_at_has_a_trigger_that_tells(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        telling = connection.scalars(
            sa.text("""
            SELECT DISTINCT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
              JOIN pg_proc ON pg_proc.oid = tgfoid WHERE prosrc LIKE '%INSERT INTO changes%'""")
        ).all()
    asked = " ".join(one.text for one in inputs._STATEMENTS.values())

    assert tables_in([asked]) <= set(telling)


def test_a_device_that_speaks_as_usual_is_no_change(told: Told) -> None:
    hours = [dt.timedelta(hours=n) for n in (0, 1, 5, 22)]
    now = dt.datetime.now(dt.UTC)
    told.do(lambda world: heard.note(world.connection, {"probe": us(now - hours[-1])}))
    before = told.snapshot()
    for ago in hours[-2::-1]:
        told.do(lambda world, ago=ago: heard.note(world.connection, {"probe": us(now - ago)}))

    assert told.stands(before, farm_subject(told.mine))


def test_a_device_that_any_clock_may_have_called_silent_is_a_change(told: Told) -> None:
    now = dt.datetime.now(dt.UTC)
    last = now - summary.SILENT_AFTER + dt.timedelta(minutes=59)
    told.do(lambda world: heard.note(world.connection, {"probe": us(last)}))
    before = told.snapshot()

    told.do(lambda world: heard.note(world.connection, {"probe": us(now)}))

    assert not told.stands(before, farm_subject(told.mine))


def test_snapshots_of_another_server_are_worth_nothing(told: Told) -> None:
    snapshot = told.snapshot()
    assert told.stands(snapshot, "farm:0")
    assert not told.stands(snapshot.split("@")[0] + "@1.5", "farm:0")


def test_a_credential_that_is_not_known_is_none(told: Told) -> None:
    relied = Relied(secrets.token_hex(32), ["farm:0"], told.snapshot())
    assert not told.look(relied)


def test_each_is_told_of_its_own(told: Told) -> None:
    before = told.snapshot()
    told.do(lambda world: farms.change(world.connection, world.other, name="Theirs"))
    asked = [
        Relied(None, [farm_subject(farm)], snapshot)
        for farm in (told.mine, told.other)
        for snapshot in (before, told.snapshot())
    ]

    with told.engine.connect() as connection:
        found = changes.standing(connection, asked, idle=IDLE)

    assert found.stands == [True, True, False, True]
    assert told.stands(found.snapshot, farm_subject(told.other))


def test_changes_are_forgotten_after_a_day(told: Told) -> None:
    counted = sa.select(sa.func.count()).select_from(tables.changes)
    now = dt.datetime.now(dt.UTC)
    with told.engine.begin() as connection:
        changes.prune(connection, now + changes.KEPT - dt.timedelta(minutes=1))
        assert connection.scalar(counted) > 0
        changes.prune(connection, now + changes.KEPT + dt.timedelta(minutes=1))
        assert connection.scalar(counted) == 0


def test_nobody_but_the_api_asks_and_the_api_reads_no_change(connection: sa.Connection) -> None:
    may = sa.text(
        "SELECT has_function_privilege(:who, 'entrance.standing(jsonb, interval)', 'EXECUTE')"
    )
    assert connection.scalar(may, {"who": tenancy.ROLE})
    assert not connection.scalar(may, {"who": "pg_read_all_data"})
    tenancy.enter(connection, Reach(everything=True))
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.execute(sa.text("TABLE public.changes"))
