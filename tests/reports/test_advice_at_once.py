"""Advice for many fields asks the database no more often than for one."""

import datetime as dt

import pytest
import sqlalchemy as sa

from reports import advice
from reports.advice import Question
from storage import forecasts, results
from storage.forecasts import ForecastDay
from tests.reports.advice_farm import DAY, NOW, TODAY, put_evening, put_farm, put_zone

EVENING = TODAY - DAY


def asked_of(connection: sa.Connection, count: int) -> tuple[int, dict]:
    """How many statements the advice for so many dry fields takes, and what it says."""
    farm = put_farm(connection, f"of-{count}")
    for number in range(count):
        put_evening(connection, put_zone(connection, farm, f"field-{number}"), EVENING, 80.0)
    week = [
        ForecastDay(TODAY + number * DAY, 32.0, 16.0, 0.0, 26.0, 12.0, 45.0, 2.0)
        for number in range(8)
    ]
    forecasts.put(connection, farm.id, week, issued_at=NOW, source="met")
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(connection, "before_cursor_execute", note)
    found = advice.of_farm(connection, farm.slug, Question(NOW))
    sa.event.remove(connection, "before_cursor_execute", note)
    assert len(found["crop_zones"]) == count
    assert {one["decision"] for one in found["crop_zones"]} == {"irrigate-now"}
    return len(statements), found


def test_twelve_fields_are_asked_for_at_once(connection: sa.Connection) -> None:
    one, _ = asked_of(connection, 1)
    twelve, _ = asked_of(connection, 12)

    assert twelve == one


@pytest.mark.parametrize(
    ("depletions", "since"),
    [
        # RAW is 75 mm; the list begins on 25 June and ends on the evening of the 30th.
        ([60, 70, 80, 90, 100, 110], dt.date(2025, 6, 27)),
        ([80, 60, 74.9, 75, 90, 95], dt.date(2025, 6, 28)),  # at the line is beyond it
        ([90, 90, 90, 90, 90, 90], dt.date(2025, 6, 25)),  # as far back as anything is known
    ],
)
def test_dry_since_the_day_after_the_last_with_enough(
    connection: sa.Connection, depletions: list[float], since: dt.date
) -> None:
    zone = put_zone(connection, put_farm(connection))
    for number, depletion in enumerate(depletions):
        put_evening(connection, zone, EVENING - (5 - number) * DAY, depletion)

    assert results.dry_since(connection, [zone], EVENING, line_share=1.0) == {zone: since}
    assert results.evenings(connection, [zone], EVENING)[zone]["depletion_mm"] == depletions[-1]
    before = results.evenings(connection, [zone], EVENING - DAY)[zone]
    assert (before["day"], before["depletion_mm"]) == (EVENING - DAY, depletions[-2])
    assert results.evenings(connection, [zone], EVENING - 30 * DAY) == {}
