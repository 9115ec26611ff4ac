"""Readings come as fine as there is room for, and a question that takes too long is told so."""

import asyncio
import datetime as dt
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from api.app import make_app
from api.settings import ApiSettings
from storage import aggregates, devices
from storage.database import make_engine

START = dt.datetime(2025, 5, 31, 19, tzinfo=dt.UTC)  # midnight in Almaty
DAY = dt.timedelta(days=1)


def get(app: FastAPI, path: str, **params: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(f"/v1/{path}", params=params)

    return asyncio.run(ask())


@pytest.fixture
def app(empty_engine: sa.Engine) -> FastAPI:
    """With a datastream of a reading every ten minutes for 40 days: 0, 1, 2 …"""
    with empty_engine.begin() as connection:
        farm = connection.scalar(
            sa.text("""
            INSERT INTO farms (slug, name, timezone, latitude_deg, longitude_deg, elevation_m)
            VALUES ('steppe', 'Steppe', 'Asia/Almaty', 43, 68, 200) RETURNING id
            """)
        )
        devices.put(connection, "probe", farm_id=farm, kind="probe", name="probe")
        stream = connection.scalar(
            sa.text("""
            INSERT INTO datastreams (device_id, quantity) VALUES ('probe', 'rain') RETURNING id
            """)
        )
        connection.execute(
            sa.text("""
            INSERT INTO readings (time, datastream_id, value, quality, received_at)
            SELECT :start + n * interval '10 minutes', :stream, n, 0, :start
              FROM generate_series(0, 40 * 144 - 1) AS n
            """),
            {"start": START, "stream": stream},
        )
    aggregates.refresh(empty_engine)
    made = make_app(empty_engine, ApiSettings(api_open=True, api_rate_per_minute=0))
    made.state.path = f"datastreams/{stream}/readings"
    return made


def ask(app: FastAPI, days: int, **more: Any) -> dict[str, Any]:
    span = {"start": START.isoformat(), "end": (START + days * DAY).isoformat()}
    answer = get(app, app.state.path, **span, **more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("days", "points", "resolution", "rows"),
    [
        (7, 2_000, "raw", 1_008),  # 144 a day
        (13, 2_000, "raw", 1_872),
        (14, 2_000, "hour", 336),  # 2,016 would be too many
        (40, 2_000, "hour", 960),
        (40, 100, "day", 40),
        (90, 2_000, "day", 40),  # 2,160 hours
        (1, 144, "raw", 144),
        (1, 143, "hour", 24),
    ],
)
def test_the_finest_resolution_that_fits_is_chosen_and_named(
    app: FastAPI, days: int, points: int, resolution: str, rows: int
) -> None:
    found = ask(app, days, points=points)

    assert found["resolution"] == resolution
    assert len(found["readings"]) == rows <= points


def test_a_resolution_that_is_asked_for_is_given(app: FastAPI) -> None:
    assert len(ask(app, 31, resolution="raw")["readings"]) == 31 * 144
    assert len(ask(app, 1, resolution="hour")["readings"]) == 24
    assert len(ask(app, 1, resolution="day")["readings"]) == 1


def test_days_of_a_long_range_are_those_of_a_short_one(app: FastAPI) -> None:
    """The one reads stored days, the other puts hours together."""
    short = ask(app, 40, resolution="day")["readings"]
    long = ask(app, 400, resolution="day")["readings"]

    assert long == short
    # Day 1 holds 0 to 143: mean 71.5, sum 10,296.
    first = long[0]
    assert first["start"] == "2025-05-31T19:00:00Z"
    assert [first[name] for name in ("samples", "mean", "low", "high", "total", "last_value")] == [
        144,
        71.5,
        0.0,
        143.0,
        10_296.0,
        143.0,
    ]


def test_more_days_than_points_are_too_many(app: FastAPI) -> None:
    span = {"start": "2006-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}
    answer = get(app, app.state.path, **span)
    assert answer.status_code == 200  # there are 40 of them
    answer = get(app, app.state.path, **span, points=39)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "more than 39 rows; ask for a shorter range."


def test_a_question_that_takes_too_long_is_told_so(
    postgres_url: str, empty_engine: sa.Engine
) -> None:
    hurried = make_engine(postgres_url, statement_timeout_s=1)
    app = make_app(hurried, ApiSettings(api_open=True))
    with empty_engine.begin() as holder:
        holder.execute(sa.text("LOCK TABLE farms IN ACCESS EXCLUSIVE MODE"))

        answer = get(app, "farms")

    hurried.dispose()
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    body = answer.json()
    assert body["type"] == "urn:dala:problem:too-slow"
    assert body["detail"] == "This takes too long; ask for less, or again later."
