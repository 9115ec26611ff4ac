"""Machines and herds: an operator looks at a day, at what was left out, and at the pastures."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from reports import work_map
from tests.dashboard.looking import colours, settled, window, without_worker
from tests.dashboard.worked import FARM, SOWN

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("worked")]
PLACE = f"/farms/{FARM}/machines"


def test_an_operator_finds_the_day_of_sowing_and_what_was_left_out(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="daulet", language="ru") as page:
        told = page.request.get(
            f"/v1/devices/{FARM}-tractor/work-map?start={SOWN}&end=2025-05-16"
        ).json()
        areas = {
            one["properties"]["kind"]: one["properties"]["area_ha"] for one in told["features"]
        }
        assert areas["gap"] > 0.05  # a stretch of 12 m by 60 to 120 m is forgotten
        page.goto(f"/farms/{FARM}")
        page.get_by_role("link", name="Техника").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Техника и стада")
        page.get_by_label("День", exact=True).fill(SOWN)

        expect(page.get_by_role("heading", name="По машинам и полям")).to_be_visible()
        row = page.locator("section", has_text="По машинам и полям").locator("tbody tr").last
        expect(row).to_contain_text("Tractor")
        expect(row).to_contain_text("9,0\u00a0км/ч")  # the seeder drives 2.5 m/s
        gap = f"{areas['gap']:.2f}".replace(".", ",")
        expect(page.get_by_text(f"пропущено — {gap}\u00a0га")).to_be_visible()
        assert SOWN in page.url


def test_the_map_shows_work_by_how_often_and_speed_on_demand(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="daulet") as page:
        page.goto(f"{PLACE}?day={SOWN}")
        settled(page)
        legend = page.get_by_role("region", name="Ground")
        for words in ("covered once", "more than once", "left out between passes"):
            expect(legend.get_by_text(words)).to_be_visible()
        assert colours(page, ".maplibregl-canvas") > 20
        page.get_by_label("On the map").select_option("speed")
        settled(page)
        expect(page.get_by_text("8 to 12\u00a0km/h")).to_be_visible()
        expect(legend).to_have_count(0)
        assert "show=speed" in page.url


def test_one_steps_from_day_to_day_of_work_and_back(browser: Browser, address: str) -> None:
    with window(browser, address, login="daulet") as page:
        page.goto(f"{PLACE}?day={SOWN}")
        expect(page.get_by_role("button", name="Day of work before")).to_be_disabled()
        page.get_by_role("button", name="Next day of work: 1 June").click()
        expect(page.get_by_role("heading", name="Drone flights")).to_be_visible()
        assert "day=2025-06-01" in page.url
        page.get_by_label("Day", exact=True).fill("2025-05-20")
        expect(page.get_by_text("Nothing moved on this day")).to_be_visible()
        page.get_by_role("link", name=re.compile("^Look at 11 September")).click()
        expect(page.get_by_role("heading", name="By machine and field")).to_be_visible()


def test_a_herd_is_shown_with_the_pressure_on_its_pastures(browser: Browser, address: str) -> None:
    with window(browser, address, login="daulet") as page:
        days = page.request.get(f"/v1/farms/{FARM}/work?start=2025-01-01&end=2025-07-02").json()
        (first, _) = days["pastures"]
        page.goto(f"{PLACE}?day=2025-07-01")
        settled(page)
        table = page.get_by_role("table", name=re.compile("Grazing pressure"))
        row = table.get_by_role("row", name=re.compile(first["field"]))
        expect(row).to_contain_text(f"{first['animal_days_ha']:.1f}\u00a0animal-days/ha")
        expect(row).to_contain_text(f"{first['used_days']} days")
        expect(page.get_by_role("heading", name="Herds", exact=True)).to_be_visible()
        assert colours(page, ".maplibregl-canvas") > 20


def test_an_operation_is_seen_whole_by_its_address(browser: Browser, address: str) -> None:
    with window(browser, address, login="daulet") as page:
        page.goto(f"{PLACE}?day=2025-09-11")
        page.get_by_role("link", name="field-1, Harvester").click()
        expect(page.locator("tr.chosen").first).to_be_visible()
        expect(page.locator(".choices .span")).to_be_focused()  # the map, far above, is in sight
        assert f"machine={FARM}-harvester" in page.url
        assert "field=" in page.url
        page.reload()
        expect(page.get_by_role("link", name="The whole day")).to_be_visible()


def test_what_cannot_be_drawn_is_said_and_asked_for_again(
    browser: Browser, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with window(browser, address, login="daulet") as page, monkeypatch.context() as patch:
        patch.setattr(work_map, "MOST_POINTS", 10)
        page.goto(f"{PLACE}?day={SOWN}")
        expect(page.get_by_role("alert")).to_contain_text("ask for fewer days")
        expect(page.get_by_role("heading", name="By machine and field")).to_be_visible()
        patch.undo()
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("region", name="Ground")).to_be_visible()


def test_tracks_that_do_not_come_are_said_beside_the_work_that_did(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="daulet") as page:
        without_worker(page)
        page.route("**/track?*", lambda asked: asked.abort())
        page.goto(f"{PLACE}?day={SOWN}")
        expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
        expect(page.get_by_role("region", name="Ground")).to_be_visible()


def test_a_farm_without_machines_is_told_where_tracks_come_from(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="boss") as page:
        page.goto("/farms/ayan/machines")
        expect(page.get_by_text("No machine has told its track yet")).to_be_visible()
