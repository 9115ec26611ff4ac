"""A ministry's reader at a region: who reports, what was saved, and places that are ties."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.dashboard.looking import settled, window
from tests.dashboard.worked import DISTRICTS, REGION

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("worked")]


def test_a_reader_comes_to_their_region_and_goes_down_to_a_farm(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="saule", language="ru") as page:
        told = page.request.get(f"/v1/regions/{REGION}/summary?season=2025").json()
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Костанайская область")
        facts = page.locator(".facts").first
        expect(facts).to_contain_text(f"из {told['farms_registered']} зарегистрированных")
        page.get_by_role("link", name="Аулиекольский район").click()

        expect(page.get_by_role("heading", level=1)).to_have_text("Аулиекольский район")
        assert f"/regions/{DISTRICTS[1]}" in page.url
        farms = page.get_by_role("table", name="Хозяйства")
        expect(farms.locator("tbody tr")).to_have_count(2)
        farms.get_by_role("link", name="Dostyk").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Сэкономленная вода")
        page.go_back()
        page.get_by_role("link", name="Костанайская область").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Костанайская область")
        page.get_by_role("link", name="Хозяйства").click()
        page.get_by_role("heading", name="Аулиекольский район").get_by_role("link").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Аулиекольский район")


def test_places_that_intervals_do_not_separate_are_ties(browser: Browser, address: str) -> None:
    with window(browser, address, login="saule", language="en") as page:
        page.goto(f"/regions/{REGION}?season=2025")
        settled(page)
        rows = page.get_by_role("table", name="Farms").locator("tbody tr")
        said = [
            (row.locator("th").inner_text(), row.locator("td").first.inner_text())
            for row in rows.all()
        ]
        # 20 000 ± 5 000 and 17 000 ± 6 250 m³ meet, 5 000 ± 2 500 lies below, -3 000 ± 2 000 lower.
        assert said == [("Ayan", "1–2"), ("Bereke", "1–2"), ("Dostyk", "3"), ("Zhana", "4")]
        expect(rows.nth(0)).to_contain_text("150.0\u00a0mm to 250.0\u00a0mm")
        page.get_by_text("Display", exact=True).click()
        page.get_by_label("Water").first.select_option("m3_ha")
        expect(rows.nth(0)).to_contain_text("2,000\u00a0m³/ha")


def test_savings_of_the_region_have_their_intervals(browser: Browser, address: str) -> None:
    with window(browser, address, login="saule", language="en") as page:
        water = page.request.get(f"/v1/regions/{REGION}/summary?season=2025").json()["water"]
        page.goto(f"/regions/{REGION}?season=2025")
        for title, key in (
            ("Real saving", "consumptive_savings_m3"),
            ("Apparent saving", "apparent_savings_m3"),
        ):
            part = page.locator("section.card", has=page.get_by_role("heading", name=title))
            expect(part).to_contain_text(f"{water[key]['value']:,.0f}\u00a0m³")
            low, high = water[key]["ci95"]
            expect(part).to_contain_text(f"{low:,.0f}\u00a0m³ to {high:,.0f}\u00a0m³")


def test_the_country_is_for_who_sees_more_than_a_region(browser: Browser, address: str) -> None:
    with window(browser, address, login="boss") as page:
        page.goto("/")
        page.get_by_role("link", name="Country").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Kazakhstan")
        page.get_by_label("Season").select_option("2025")
        settled(page)
        page.get_by_role("link", name="Kostanay Region").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Kostanay Region")


def test_another_region_is_not_there_and_an_empty_one_is_told(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="saule") as page:
        page.goto("/regions/KZ-99")
        expect(page.get_by_text("No crop is entered for this region")).to_be_visible()
        page.goto("/regions/KZ-99?season=2025")
        expect(page.get_by_role("alert")).to_contain_text("This is not there, or not yours to see")
