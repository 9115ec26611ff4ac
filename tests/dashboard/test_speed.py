"""A farm of two thousand fields and a year of hours are shown; ``pytest -s`` tells how fast.

No limit is asserted: what it takes is the machine's matter too (docs/performance.md).
"""

from __future__ import annotations

import datetime as dt
import os

import numpy as np
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from storage import aggregates, devices, fields, readings, tables
from storage.devices import StreamKey
from tests.api.asking import put_account
from tests.dashboard.looking import window
from tests.dashboard.season import DAY
from tests.dashboard.steppe import FIELDS, SLUG, put_steppe

pytestmark = pytest.mark.slow

DEPTHS_CM = (10.0, 30.0, 60.0, 90.0)
HOURS = 365 * 24
HOUR_US = 3_600_000_000
# The moment at which something is first there, by the page's own clock.
WATCH = """
    window.seen = {};
    const wanted = {map: ".mapbox[data-drawn]", chart: "figure[aria-labelledby=depths] canvas"};
    new MutationObserver(() => {
        for (const [name, selector] of Object.entries(wanted))
            if (!(name in window.seen) && document.querySelector(selector))
                window.seen[name] = performance.now();
    }).observe(document, {subtree: true, childList: true, attributes: true});
"""


@pytest.fixture(scope="module")
def steppe(season: sa.Engine) -> int:
    """The farm, and a year of hourly soil moisture on its first field; the field's id."""
    day = dt.date.fromisoformat(DAY)
    with season.begin() as connection:
        farm = put_steppe(connection, day)
        field = next(one for one in fields.of_farm(connection, farm) if one.name == "field-1")
        zone = tables.crop_zones
        connection.execute(
            sa.update(zone)
            .where(zone.c.field_id == field.id)
            .values(planted=day - dt.timedelta(days=364), harvested=day)
        )
        devices.put(
            connection,
            "steppe-probe",
            farm_id=farm,
            kind="soil-probe",
            name="Probe",
            field_id=field.id,
        )
        keys = [StreamKey("steppe-probe", "soil_moisture", depth, None) for depth in DEPTHS_CM]
        for number in devices.open_datastreams(connection, keys).values():
            readings.store(connection, _year(number, day))
        connection.execute(sa.text("ANALYZE"))
    aggregates.refresh(season)  # on TimescaleDB nothing else tells of a year that comes late
    put_account(season, "bolat", "operator", farm_ids=[farm], language="en")
    return field.id


def _year(datastream: int, day: dt.date) -> np.ndarray:
    rows = np.zeros(HOURS, readings.DTYPE)
    end = round(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp() * 1e6)
    rows["time"] = end + HOUR_US * np.arange(-HOURS, 0)
    rows["datastream_id"] = datastream
    rows["value"] = 0.22 + 0.05 * np.sin(np.arange(HOURS) / 100 + datastream)
    rows["received_at"] = rows["time"]
    return rows


def tell(what: str, took_ms: float) -> None:
    print(f"{what}: {took_ms:.0f} ms at a load of {os.getloadavg()[0]:.1f}")  # noqa: T201


def test_a_map_of_two_thousand_fields_is_there_and_answers(
    browser: Browser, address: str, steppe: int
) -> None:
    with window(browser, address, login="bolat") as page:
        page.add_init_script(WATCH)
        page.goto(f"/farms/{SLUG}?day={DAY}", wait_until="commit")
        page.locator(".mapbox[data-drawn]").wait_for()
        took = page.evaluate("window.seen.map")
        tell(f"map of {FIELDS} fields", took)

        expect(page.get_by_text(f"{FIELDS:,} of {FIELDS:,} fields")).to_be_visible()
        box = page.locator(".maplibregl-canvas").bounding_box()
        assert box is not None
        # The middle lies between four fields, which are ten pixels apart.
        page.mouse.click(box["x"] + box["width"] / 2 + 4, box["y"] + box["height"] / 2 - 4)
        expect(page.locator(".onmap")).to_be_visible()  # it answers
        expect(page.locator(".todo")).to_be_visible()  # the advice, which lets the map go first


def test_a_year_of_hours_is_drawn_whole(browser: Browser, address: str, steppe: int) -> None:
    with window(browser, address, login="bolat") as page:
        page.add_init_script(WATCH)
        page.goto(f"/farms/{SLUG}/fields/{steppe}?day={DAY}", wait_until="commit")
        page.locator("figure[aria-labelledby=depths] canvas").wait_for()
        answered = page.evaluate(
            "performance.getEntriesByType('resource')"
            ".find(one => one.name.includes('soil-moisture')).responseEnd"
        )
        took = page.evaluate("window.seen.chart") - answered
        tell(f"{len(DEPTHS_CM)} × {HOURS} hours after the answer", took)

        told = page.request.get(
            f"/v1/fields/{steppe}/soil-moisture?season=2025&resolution=hour"
        ).json()
        # The first 19 hours lie before the midnight of sowing in Almaty.
        assert [len(one["start_s"]) for one in told["depths"]] == [HOURS - 19] * len(DEPTHS_CM)
