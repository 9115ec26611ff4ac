"""Before a report is filed: which farms were not computed since something came."""

import datetime as dt

import pytest
import sqlalchemy as sa

from reports import freshness
from reports.statements import scheduled
from reports.statements.due import Cadence
from storage import audit, devices, farms, schedules
from storage.database import NotFound
from tests.analytics.daily.conftest import at, day_of
from tests.reports.bundle import small_farm
from tests.reports.bundle.conftest import Oasis
from tests.reports.bundle.small_farm import DAYS, SLUG
from tests.reports.statements.filed import KEY

NOW = at(small_farm.HARVESTED + dt.timedelta(days=20), 12)


def behind(connection: sa.Connection, now: dt.datetime = NOW, **asked: str) -> list[str]:
    return [one.slug for one in freshness.unseen(connection, season=2025, now=now, **asked)]


def test_what_was_computed_since_all_came_is_fresh(oasis: Oasis, changed: sa.Connection) -> None:
    assert behind(changed) == behind(changed, farm=SLUG) == behind(changed, area="KZ-61") == []
    with pytest.raises(NotFound):
        behind(changed, farm="nowhere")


@pytest.mark.parametrize(
    ("day", "says"),
    [(day_of(20), [SLUG]), (day_of(DAYS + 12), [])],  # in the season, and long after it
)
def test_a_reading_counts_where_it_reaches_a_season(
    day: dt.date, says: list[str], oasis: Oasis, changed: sa.Connection
) -> None:
    stream = devices.named(changed, f"{SLUG}-meter", "water_total")
    _note(changed, "reading_news", "datastream_id", stream.id, at(day, 6))

    assert behind(changed, area="KZ") == says
    assert behind(changed, area="KZ-43") == []


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (day_of(20), [SLUG]),
        (NOW.date(), []),  # a day that is not over
        (day_of(DAYS + 60), []),  # after every harvest
    ],
)
def test_points_of_a_track_count_until_the_harvest_is_over(
    day: dt.date, says: list[str], oasis: Oasis, changed: sa.Connection
) -> None:
    _note(changed, "track_news", "device_id", f"{SLUG}-combine", at(day, 6))

    assert behind(changed) == says


@pytest.mark.parametrize(
    "entered",
    [
        "UPDATE irrigation_events SET volume_m3 = 1",
        "UPDATE non_routine_adjustments SET withdrawn_at = now()",
        "UPDATE fields SET area_ha = 11 WHERE name = 'metered'",
        "DELETE FROM season_results WHERE id = (SELECT min(id) FROM season_results)",
    ],
)
def test_what_people_enter_counts(entered: str, oasis: Oasis, changed: sa.Connection) -> None:
    changed.execute(sa.text(entered))

    assert behind(changed) == [SLUG]


def test_a_report_that_files_itself_says_of_which_farms_its_figures_are_older(
    oasis: Oasis, changed: sa.Connection
) -> None:
    cadence = Cadence("day", dt.time(6), "Asia/Almaty")
    one = schedules.add(
        changed,
        kind="yields",
        farm_id=farms.get(changed, SLUG).id,
        area_code=None,
        season="2025",
        by="anna",
        **scheduled.as_columns(cadence),
    )
    fresh = scheduled.carry_out(changed, one, NOW, KEY, NOW)
    changed.execute(sa.text("UPDATE irrigation_events SET volume_m3 = 1"))
    area = one._replace(farm=None, farm_id=None, area_code="KZ-61")
    late = scheduled.carry_out(changed, area, NOW, KEY, NOW)

    assert fresh.filing.is_news
    assert late.filing.is_news
    assert fresh.older == ""
    assert f": of {SLUG} something arrived or was entered since" in late.older
    noted = [one.details for one in audit.page(changed) if one.action == "report.file"]
    assert [one.get("older") for one in noted[:2]] == [late.older, None]


def _note(
    connection: sa.Connection, table: str, column: str, of: object, since: dt.datetime
) -> None:
    """As ingest does."""
    connection.execute(
        sa.text(f"INSERT INTO {table} ({column}, claimed, since) VALUES (:of, false, :since)"),  # noqa: S608
        {"of": of, "since": since},
    )
