"""The API's role sees what a transaction was opened for, and no table itself."""

import datetime as dt
import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from storage import devices, farms, fields, irrigation, series, tables, tenancy
from storage.database import NotFound, has_timescale
from storage.irrigation import IrrigationEvent
from storage.tables import metadata
from storage.tenancy import Reach
from tests.two_farms import Land, put_land

START = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def lands(connection: sa.Connection) -> tuple[Land, Land]:
    return put_land(connection, "mine", "KZ-61"), put_land(connection, "theirs", "KZ-43")


def is_refused(connection: sa.Connection, statement: str, words: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match=words), connection.begin_nested():
        connection.execute(sa.text(statement))


def test_every_table_is_shown_to_somebody_or_said_to_be_hidden() -> None:
    rooms = [
        set(tenancy.BY_FARM),
        set(tenancy.FOR_EVERYBODY),
        set(tenancy.FOR_THE_COUNTRY),
        set(tenancy.AT_THE_ENTRANCE),
        set(tenancy.HIDDEN),
    ]
    names = [name for room in rooms for name in room]

    assert len(names) == len(set(names))
    beside = {"alembic_version", "readings_hourly", "readings_daily"}
    assert set(names) == set(metadata.tables) | beside


def test_a_restricted_transaction_sees_its_farm_alone(
    connection: sa.Connection, lands: tuple[Land, Land]
) -> None:
    mine, theirs = lands
    tenancy.enter(connection, Reach(farms=(mine.farm,)))

    assert [farm.slug for farm in farms.page(connection)] == ["mine"]
    assert fields.get(connection, mine.field).id == mine.field
    with pytest.raises(NotFound):
        fields.get(connection, theirs.field)
    with pytest.raises(NotFound):
        devices.get_datastream(connection, theirs.stream)
    period = {"start": START, "end": START + 2 * DAY, "limit": 100}
    assert len(series.raw(connection, mine.stream, **period)) == 48
    assert series.raw(connection, theirs.stream, **period) == []
    assert len(series.hourly(connection, mine.stream, **period)) == 48
    assert series.hourly(connection, theirs.stream, **period) == []


@pytest.mark.parametrize(
    ("reach", "seen"),
    [
        (Reach(), []),
        (Reach(regions=("KZ-61",)), ["mine"]),
        (Reach(regions=("KZ-4", "KZ-7")), ["theirs"]),
        (Reach(regions=("KZ",)), ["mine", "theirs"]),
        (Reach(regions=("",)), []),
        (Reach(farms=(2**62,)), []),
        (Reach(everything=True), ["mine", "theirs"]),
    ],
)
def test_regions_are_seen_by_the_beginning_of_their_code(
    connection: sa.Connection, lands: tuple[Land, Land], reach: Reach, seen: list[str]
) -> None:
    tenancy.enter(connection, reach)

    assert [farm.slug for farm in farms.page(connection)] == seen


def test_farm_and_region_add_up(connection: sa.Connection, lands: tuple[Land, Land]) -> None:
    tenancy.enter(connection, Reach(farms=(lands[0].farm,), regions=("KZ-43",)))

    assert [farm.slug for farm in farms.page(connection)] == ["mine", "theirs"]


def test_each_view_shows_a_part_to_some_and_all_to_who_sees_everything(
    connection: sa.Connection, lands: tuple[Land, Land]
) -> None:
    # What has two farms' rows by now; of the other tables the walk over HTTP tells.
    for name in ("farms", "fields", "crop_zones", "devices", "datastreams", "readings"):
        counts = []
        for reach in (Reach(), Reach(farms=(lands[0].farm,)), Reach(everything=True)):
            tenancy.enter(connection, reach)
            counts.append(connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))))
        none, half, whole = counts
        assert none == 0, name
        assert whole == 2 * half > 0, name


def test_with_nothing_set_no_view_shows_a_row(
    connection: sa.Connection, lands: tuple[Land, Land]
) -> None:
    connection.execute(sa.text(f"SET LOCAL ROLE {tenancy.ROLE}"))

    for schema, name in [("tenant", one) for one in tenancy.BY_FARM] + [
        ("country", one)
        for one in {*tenancy.BY_FARM, *tenancy.FOR_THE_COUNTRY, *tenancy.AT_THE_ENTRANCE}
    ]:
        query = sa.select(sa.func.count()).select_from(sa.table(name, schema=schema))
        assert connection.scalar(query) == 0, (schema, name)


def test_the_role_reads_no_table(connection: sa.Connection, lands: tuple[Land, Land]) -> None:
    tenancy.enter(connection, Reach(everything=True))

    assert tenancy.readable_tables(connection) == []
    for name in metadata.tables:
        is_refused(connection, f"TABLE public.{name}", "permission denied")


def test_the_owner_is_told_apart(connection: sa.Connection) -> None:
    assert "readings" in tenancy.readable_tables(connection)


def test_nobody_but_the_country_looks_at_accounts_through_a_question_about_farms(
    connection: sa.Connection,
) -> None:
    tenancy.enter(connection, Reach())
    is_refused(connection, "SELECT 1 FROM accounts", "permission denied")


def test_what_is_set_ends_with_the_transaction(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        with connection.begin():
            tenancy.enter(connection, Reach(everything=True, farms=(7,)))
        asked = sa.text(
            "SELECT current_setting('app.everything', true), current_schema(), "
            "current_setting('app.farms', true), current_user = session_user"
        )
        assert tuple(connection.execute(asked).one()) == ("", "public", "", True)


def test_writing_stays_within_what_is_seen(
    connection: sa.Connection, lands: tuple[Land, Land]
) -> None:
    mine, theirs = lands
    tenancy.enter(connection, Reach(farms=(mine.farm,)))
    event = IrrigationEvent(mine.field, START, START + DAY, 100.0, None, None, "hand")

    assert irrigation.add_events(connection, [event, event]) == 1
    with pytest.raises(sa.exc.DBAPIError, match="check option"), connection.begin_nested():
        irrigation.add_events(connection, [event._replace(field_id=theirs.field)])
    moved = connection.execute(
        sa.update(tables.farms).where(tables.farms.c.id == theirs.farm).values(name="taken")
    )
    assert moved.rowcount == 0
    with pytest.raises(sa.exc.DBAPIError, match="check option"), connection.begin_nested():
        connection.execute(
            sa.update(tables.fields)
            .where(tables.fields.c.id == mine.field)
            .values(farm_id=theirs.farm, name="moved")
        )
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.execute(sa.text("DELETE FROM readings"))


def test_everybodys_deeds_are_written_and_nobody_rewrites_them(connection: sa.Connection) -> None:
    for reach in (Reach(), Reach(everything=True)):
        tenancy.enter(connection, reach)
        connection.execute(
            sa.text("INSERT INTO audit_log (actor, action, object) VALUES ('a', 'b', 'c')")
        )
        is_refused(connection, "UPDATE audit_log SET actor = 'x'", "permission denied")
        is_refused(connection, "DELETE FROM audit_log", "permission denied")


def scans(plan: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Every scan of a plan: its kind and its table."""
    if "Relation Name" in plan:
        yield str(plan["Node Type"]), str(plan["Relation Name"])
    for part in plan.get("Plans", []):  # type: ignore[attr-defined]
        yield from scans(part)


HOURS = sa.text("""
    SELECT bucket, samples FROM readings_hourly
     WHERE datastream_id = :datastream_id AND bucket >= :start AND bucket < :end LIMIT :limit
""")
# As summaries ask, for streams of another table.
OF_A_DEVICE = sa.text("""
    SELECT newest.time FROM datastreams
CROSS JOIN LATERAL (SELECT time FROM readings
                     WHERE datastream_id = datastreams.id AND time >= :start AND time < :end
                  ORDER BY time DESC LIMIT 1) AS newest
     WHERE datastreams.id = :datastream_id LIMIT :limit
""")
QUESTIONS = {"raw": series._RAW, "hours": HOURS, "of a device": OF_A_DEVICE}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("everything", [True, False])
def test_readings_are_found_by_their_index_through_the_views(
    connection: sa.Connection, lands: tuple[Land, Land], question: str, everything: bool
) -> None:
    connection.execute(
        sa.text("""
        INSERT INTO readings (time, datastream_id, value, quality, received_at)
        SELECT '2025-01-01T00:00Z'::timestamptz + n * interval '1 minute', 1000 + n % 50, 1, 0,
               now()
          FROM generate_series(0, 49999) AS n""")
    )
    connection.execute(sa.text("ANALYZE readings"))
    tenancy.enter(connection, Reach(everything=everything, farms=(lands[0].farm,)))
    values = {"datastream_id": lands[0].stream, "start": START, "end": START + DAY, "limit": 9}

    explain = sa.text("EXPLAIN (FORMAT JSON) " + QUESTIONS[question].text)
    found = connection.scalar(explain, values)
    (top,) = json.loads(found) if isinstance(found, str) else found

    of_readings = {kind for kind, name in scans(top["Plan"]) if name == "readings"}
    assert of_readings or has_timescale(connection), top  # there: chunks, see test_plans
    assert "Seq Scan" not in of_readings, top
