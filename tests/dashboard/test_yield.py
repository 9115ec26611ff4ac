"""Yield: a map whose colours mean the same every year, its points, loads beside the monitor."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.looking import colours, settled, window, without_worker
from tests.dashboard.worked import FARM

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("worked")]
PLACE = f"/farms/{FARM}/yield"


def yield_map(page: Page) -> dict[str, Any]:
    """What the API says of the first field."""
    fields = page.request.get(f"/v1/farms/{FARM}/fields").json()
    (field,) = [one["id"] for one in fields if one["name"] == "field-1"]
    found: dict[str, Any] = page.request.get(f"/v1/fields/{field}/yield-map?season=2025").json()
    return found


def test_an_operator_sees_the_harvest_in_the_unit_they_like(browser: Browser, address: str) -> None:
    with window(browser, address, login="daulet", language="ru") as page:
        summary = page.request.get(f"/v1/farms/{FARM}/summary?season=2025").json()
        zone = summary["crop_zones"][0]
        page.goto(f"/farms/{FARM}")
        page.get_by_role("link", name="Урожай").click()
        expect(
            page.get_by_role("heading", name=f"Карта урожайности: {zone['field']}")
        ).to_be_visible()
        row = page.locator("section", has_text="Поля сезона").locator("tbody tr").first

        def rate(by: int, decimals: int, unit: str) -> str:
            value = f"{zone['yield']['yield_kg_ha'] / by:.{decimals}f}".replace(".", ",")
            return f"{value}\u00a0{unit}"

        expect(row).to_contain_text(rate(100, 1, "ц/га"))
        page.get_by_text("Вид", exact=True).click()
        page.get_by_label("Урожайность").select_option("kg_ha")
        expect(row).to_contain_text(rate(1, 0, "кг/га"))
        page.get_by_label("Урожайность").select_option("t_ha")
        expect(row).to_contain_text(rate(1000, 2, "т/га"))


def test_the_legend_is_of_the_crop_and_not_of_the_field(browser: Browser, address: str) -> None:
    with window(browser, address, login="daulet") as page:
        page.goto(f"{PLACE}?season=2025")
        settled(page)
        told = yield_map(page)
        legend = page.get_by_role("region", name="Spring wheat: the same colours in every year")
        expect(legend.locator("li")).to_have_count(len(told["legend"]))
        expect(legend.get_by_text("below 5", exact=True)).to_be_visible()
        expect(legend.get_by_text("15 to 20", exact=True)).to_be_visible()
        expect(legend.get_by_text("40 and more", exact=True)).to_be_visible()
        assert colours(page, ".maplibregl-canvas") > 8
        box = page.locator(".maplibregl-canvas").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator(".onmap")).to_contain_text("Square of 20\u00a0m")
        page.get_by_role("button", name="Close", exact=True).click()
        expect(page.locator(".onmap")).to_have_count(0)


def test_points_are_shown_on_demand_with_why_they_are_left_out(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="daulet") as page:
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url))
        page.goto(f"{PLACE}?season=2025")
        settled(page)
        assert not [url for url in asked if "yield-points" in url]
        before = colours(page, ".maplibregl-canvas")
        page.get_by_role("button", name="Show the points on the map").click()
        page.get_by_label("Points shown").select_option(
            label="beginning of a pass: the machine fills"
        )
        settled(page)
        assert [url for url in asked if "yield-points" in url]
        assert colours(page, ".maplibregl-canvas") > before
        assert "points=pass_start" in page.url
        page.get_by_role("button", name="Hide the points").click()
        expect(page.get_by_label("Points shown")).to_have_count(0)


def test_loads_and_monitor_stand_side_by_side(browser: Browser, address: str) -> None:
    with window(browser, address, login="daulet") as page:
        page.goto(f"{PLACE}?season=2025")
        settled(page)
        told = yield_map(page)
        report, field = told["report"], told["field_id"]
        loads = page.request.get("/v1/harvest-loads?farm=" + FARM).json()
        weighed = sum(one["net_kg"] for one in loads if one["field_id"] == field) / 1000
        beside = page.locator(
            "section", has=page.get_by_role("heading", name="By loads and by monitor")
        )
        expect(beside).to_contain_text(f"{weighed:.1f}\u00a0t")
        expect(beside).to_contain_text(f"{report['monitor_wet_mass_kg'] / 1000:.1f}\u00a0t")
        expect(beside).to_contain_text("The map is brought to the weighed loads.")


def test_loads_that_do_not_come_are_not_said_to_be_none(browser: Browser, address: str) -> None:
    with window(browser, address, login="daulet") as page:
        without_worker(page)
        page.route("**/v1/harvest-loads?*", lambda asked: asked.abort())
        page.goto(f"{PLACE}?season=2025")
        expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
        expect(page.get_by_text("No load was weighed")).to_have_count(0)
        page.unroute("**/v1/harvest-loads?*")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", name=re.compile(r"^\d+ loads?$"))).to_be_visible()


def test_a_field_without_a_monitor_and_a_season_without_harvest_are_told(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="daulet") as page:
        page.goto(f"{PLACE}?season=2025")
        page.get_by_role("link", name="field-3").click()
        expect(page.get_by_text("There is no yield map of field-3 for 2025")).to_be_visible()
        expect(page.get_by_role("heading", name="Yield map of field-3", exact=True)).to_be_focused()
        page.get_by_role("spinbutton", name="Season").fill("2020")
        page.get_by_role("spinbutton", name="Season").press("Enter")
        expect(page.get_by_text("Nothing was harvested in 2020")).to_be_visible()
