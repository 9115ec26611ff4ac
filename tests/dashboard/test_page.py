"""A farm's operator at the page: real API, real database, a computed season, a real browser."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from storage import alerts as alert_rows
from storage import farms as farm_rows
from storage import tables
from storage.alerts import Opening
from tests.dashboard.looking import (
    SIZES,
    colours,
    examine,
    settled,
    violations,
    window,
    without_worker,
)
from tests.dashboard.season import DAY, FARM, PASSWORD

pytestmark = pytest.mark.slow

SCREENS = {
    "today": f"/farms/{FARM}?day={DAY}&field=1",
    "field": f"/farms/{FARM}/fields/1?day={DAY}",
    "savings": f"/farms/{FARM}/savings",
    "method": f"/farms/{FARM}/savings/method",
}
FIELDS = "section[aria-labelledby=fields] tbody tr"


def test_an_operator_finds_the_driest_field_and_reads_what_to_do(
    browser: Browser, address: str
) -> None:
    with window(browser, address, language="ru", login=None) as page:
        page.goto(f"/farms/{FARM}?day={DAY}")
        page.get_by_label("Логин").fill("aigul")
        page.get_by_label("Пароль", exact=True).fill("wrong")
        page.get_by_role("button", name="Войти").click()
        expect(page.get_by_role("alert")).to_contain_text("Неверный логин или пароль")
        page.get_by_label("Пароль", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Войти").click()

        expect(page.get_by_role("heading", level=1)).to_have_text("Turkistan 1")
        expect(page.get_by_role("heading", name="1 поле нужно полить сейчас")).to_be_visible()
        first = page.locator(FIELDS).first
        expect(first).to_contain_text("Не хватает влаги")
        first.get_by_role("link").click()

        expect(page.get_by_role("heading", level=1)).to_have_text("Поле field-1")
        expect(page.get_by_role("heading", name="Поливать сегодня")).to_be_visible()
        expect(page.get_by_text("достигнут предполивной порог")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text("Turkistan 1")


def test_what_the_page_says_is_what_the_api_says(browser: Browser, address: str) -> None:
    with window(browser, address, login="aigul") as page:
        told = page.request.get(f"/v1/farms/{FARM}/advice?day={DAY}&language=en").json()
        (now,) = [one for one in told["crop_zones"] if one["decision"] == "irrigate-now"]
        page.goto(SCREENS["today"])
        section = page.locator(".todo.now")

        expect(section).to_contain_text(now["field"])
        expect(section).to_contain_text(now["reasons"][0]["text"])
        volume = f"{now['days'][0]['irrigation_m3']:,.0f}\u00a0m³"
        expect(section).to_contain_text(volume)
        page.get_by_text("Display", exact=True).click()
        page.get_by_label("Water").first.select_option("m3_ha")
        depth = f"{now['days'][0]['irrigation_gross_mm'] * 10:,.0f}\u00a0m³/ha"
        expect(section).to_contain_text(depth)


def test_savings_that_are_not_demonstrated_are_called_so(browser: Browser, address: str) -> None:
    with window(browser, address, login="aigul") as page:
        water = page.request.get(f"/v1/farms/{FARM}/summary").json()["water"]
        page.goto(SCREENS["savings"])
        apparent = page.locator("section.card", has=page.get_by_role("heading", name="Apparent"))
        real = page.locator("section.card", has=page.get_by_role("heading", name="Real saving"))

        for part, key in ((apparent, "apparent_savings_m3"), (real, "consumptive_savings_m3")):
            saving = water[key]
            words = "Demonstrated" if saving["demonstrated"] else "Not demonstrated"
            expect(part.locator(".badge")).to_contain_text(words)
            low = f"{saving['ci95'][0]:,.0f}".replace("-", "−")
            expect(part).to_contain_text(low)


@pytest.mark.parametrize("size", SIZES)
def test_every_screen_is_whole_in_every_language_and_for_everybody(
    browser: Browser, address: str, size: str
) -> None:
    with window(browser, address, size=size, language="kk", login=None) as page:
        page.goto("/")
        page.get_by_label("Логин").wait_for()
        assert violations(page) == []
    with window(browser, address, size=size, login="aigul") as page:
        for name, path in SCREENS.items():
            page.goto(path)
            examine(page, name, "light", "dark")


def test_the_map_is_drawn_and_a_field_on_it_opens_its_card(browser: Browser, address: str) -> None:
    with window(browser, address, login="aigul") as page:
        page.goto(f"/farms/{FARM}?day={DAY}")
        settled(page)
        assert colours(page, ".maplibregl-canvas") > 20  # ground, outlines, patterns, names

        box = page.locator(".maplibregl-canvas").bounding_box()
        assert box is not None
        # The map fits the fields, and they lie side by side: the middle one is in its middle.
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator(".onmap h2")).to_have_text("field-2")
        assert "field=" in page.url
        page.get_by_role("button", name="Close", exact=True).click()
        expect(page.locator(".onmap")).to_have_count(0)


def test_the_list_can_be_searched_and_filtered(browser: Browser, address: str) -> None:
    with window(browser, address, language="en", login="aigul") as page:
        page.goto(f"/farms/{FARM}?day={DAY}")
        rows = page.locator(FIELDS)
        expect(rows).to_have_count(3)
        page.get_by_label("Find a field or crop").fill("maize")
        expect(rows).to_have_count(1)
        page.get_by_label("Find a field or crop").fill("nothing like it")
        expect(page.get_by_text("No field fits")).to_be_visible()
        page.get_by_role("button", name="Show all fields").click()
        expect(rows).to_have_count(3)


def test_out_of_season_the_page_says_so_and_leads_to_the_season(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="aigul") as page:
        page.goto("/")  # who has one farm comes to it at once
        expect(page.get_by_role("heading", name="No crop is growing on this day")).to_be_visible()
        page.get_by_role("link", name=re.compile("Look at a day of the season")).click()
        expect(page.locator(".todo").first).to_be_visible()


def test_what_is_not_there_is_said_and_leads_home(browser: Browser, address: str) -> None:
    with window(browser, address, login="aigul") as page:
        page.goto("/farms/nowhere")
        expect(page.get_by_role("alert")).to_contain_text("This is not there, or not yours to see")
        page.goto("/farms/a/b/c")
        expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
        page.get_by_role("link", name="To the farms").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Turkistan 1")


def test_farms_that_do_not_come_are_asked_for_again(browser: Browser, address: str) -> None:
    with window(browser, address, login="aigul") as page:
        page.route("**/v1/farms?*", lambda asked: asked.abort())
        page.goto("/")
        expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
        page.unroute("**/v1/farms?*")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Turkistan 1")


def test_what_cannot_be_had_anew_is_shown_with_its_time(browser: Browser, address: str) -> None:
    with window(browser, address, login="aigul") as page:
        without_worker(page)
        page.goto(SCREENS["savings"])
        settled(page)
        page.route("**/summary*", lambda asked: asked.fulfill(status=500, json={"detail": "down"}))
        page.evaluate("dispatchEvent(new Event('online'))")  # everything is asked for anew
        expect(page.get_by_text("This could not be loaded anew. You see what was")).to_be_visible()
        expect(page.get_by_role("heading", name="Real saving")).to_be_visible()


def test_who_cannot_sign_out_is_told_so(browser: Browser, address: str) -> None:
    with window(browser, address, login="aigul") as page:
        page.goto(SCREENS["savings"])
        settled(page)
        page.get_by_text("Display", exact=True).click()
        page.context.set_offline(True)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
        assert violations(page) == []
        page.context.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_label("Login")).to_be_visible()


def test_who_has_no_farm_is_told_how_to_begin(browser: Browser, address: str) -> None:
    with window(browser, address, login="newcomer") as page:
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Begin in four steps")
        assert violations(page) == []


def test_an_alert_is_shown_and_acknowledged(
    browser: Browser, address: str, season: sa.Engine
) -> None:
    now = dt.datetime(2025, 7, 20, 9, tzinfo=dt.UTC)
    device = f"{FARM}-field-1-probe"
    details = {
        "device": device,
        "level_pct": 14.0,
        "low_level_pct": 20.0,
        "time": now.isoformat(),
    }
    with season.begin() as connection:
        farm = farm_rows.get(connection, FARM).id
        opening = Opening("low-battery", f"device:{device}/battery", farm, details)
        alert_rows.open(connection, [opening], now=now)
    try:
        with window(browser, address, login="aigul") as page:
            page.goto(f"/farms/{FARM}?day={DAY}")
            expect(page.get_by_role("heading", name="1 alert is open")).to_be_visible()
            expect(page.get_by_text("The battery is at 14 %")).to_be_visible()
            page.get_by_role("button", name="Acknowledge").click()
            expect(page.get_by_text("acknowledged by aigul")).to_be_visible()
            assert violations(page) == []
    finally:
        with season.begin() as connection:
            connection.execute(sa.delete(tables.alerts))


def test_a_session_that_ends_brings_back_to_where_one_was(
    browser: Browser, address: str, season: sa.Engine
) -> None:
    with window(browser, address, login="aigul") as page:
        page.goto(SCREENS["savings"])
        expect(page.get_by_role("heading", level=1)).to_have_text("Water saved")
        settled(page)
        with season.begin() as connection:
            connection.execute(sa.delete(tables.sessions))
        page.get_by_role("link", name="Today").click()
        expect(page.get_by_text("Your session has ended")).to_be_visible()
        page.get_by_label("Login").fill("aigul")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Turkistan 1")
        page.get_by_text("Display", exact=True).click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Login")).to_be_visible()
        assert page.request.get("/v1/farms").status == 401


def test_without_a_connection_the_page_says_of_when_its_data_are(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="aigul") as page:
        page.goto(SCREENS["today"])
        settled(page)
        page.context.set_offline(True)
        expect(page.get_by_text("No connection. You see what was loaded")).to_be_visible()
        expect(page.locator(".todo.now")).to_be_visible()
        page.context.set_offline(False)
        expect(page.get_by_text("No connection.")).to_have_count(0)


def test_the_last_known_data_are_there_without_a_connection_and_gone_after_signing_out(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="aigul") as page:
        page.goto(SCREENS["field"])
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        page.reload()  # now everything comes through the worker, which keeps it
        settled(page)
        expect(page.locator(".live")).to_have_text("● live")
        page.context.set_offline(True)
        page.reload()
        settled(page)

        expect(page.get_by_role("heading", level=1)).to_have_text("Field field-1")
        expect(page.get_by_text("No connection. You see what was loaded")).to_be_visible()
        expect(page.locator(".live")).to_have_text("○ not live")
        page.context.set_offline(False)
        page.reload()
        page.get_by_text("Display", exact=True).click()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Login").wait_for()
        assert "dala-data" not in page.evaluate("() => caches.keys()")
