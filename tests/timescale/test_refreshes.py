"""Hours and days are made of whatever came, however late or wrongly dated."""

import sqlalchemy as sa

from storage import aggregates
from tests.timescale.policed import day_totals, hours, put, run_jobs


def test_hours_that_came_later_than_policies_look_back_are_made_when_asked_for(
    series: sa.Engine,
) -> None:
    put(series, [200, 100, 1])
    aggregates.refresh(series)
    put(series, [150.0])  # late by far more than the policies look back
    put(series, [100.0], stream=2)
    run_jobs(series, "policy_refresh_continuous_aggregate")
    before = [age for age, _ in hours(series)]

    with series.connect() as connection:
        since = connection.scalar(sa.text("SELECT now() - interval '160 days'"))
    aggregates.refresh(series, since)

    # The jobs alone leave the late one out: this is why analytics asks for the refresh.
    assert before == [200, 100, 1]
    assert [age for age, _ in hours(series)] == [200, 150, 100, 1]
    assert day_totals(series) == [1.0] * 4
    assert [age for age, _ in hours(series, stream=2)] == [100]


def test_a_reading_dated_in_the_future_hides_nothing(series: sa.Engine) -> None:
    put(series, [3.0, -300.0])
    run_jobs(series, "policy_refresh_continuous_aggregate")
    aggregates.refresh(series)

    put(series, [0.05, 2.0], value=7.0)
    run_jobs(series, "policy_refresh_continuous_aggregate")

    found = hours(series)
    assert [age for age, _ in found] == [3, 2, 0, -300]
    assert [total for _, total in found] == [1.0, 7.0, 7.0, 1.0]
