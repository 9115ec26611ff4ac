"""An operator's day at the page: decides, checks a saving, sets a password."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from api.security import tokens
from storage import accounts, tables
from tests.api.asking import put_account
from tests.dashboard.looking import (
    colours,
    printed,
    settled,
    violations,
    window,
    without_worker,
)
from tests.dashboard.season import DAY, FARM

pytestmark = pytest.mark.slow

OUTDATED = {"decision": "wait-for-rain"}
FIELD = f"/farms/{FARM}/fields/1?day={DAY}"


def test_advice_is_accepted_with_a_note_and_stands_in_the_log(
    browser: Browser, address: str, season: sa.Engine
) -> None:
    try:
        with window(browser, address, language="ru", login="aigul") as page:
            page.goto(f"/farms/{FARM}?day={DAY}")
            page.locator("section[aria-labelledby=fields] tbody tr").first.get_by_role(
                "link"
            ).click()
            expect(page.get_by_role("heading", name="Поливать сегодня")).to_be_visible()
            page.get_by_label("Примечание").fill("насос включён в 18:00")
            page.get_by_role("button", name="Принять совет").click()

            decided = page.locator(".decided")
            expect(decided).to_contain_text("Принято")
            expect(decided).to_contain_text("насос включён в 18:00")
            log = page.locator("section[aria-labelledby=decisions] tbody tr")
            expect(log).to_have_count(1)
            expect(log).to_contain_text("20 июля 2025")
            expect(log).to_contain_text("полить сегодня")
            expect(log).to_contain_text("aigul")
            assert violations(page) == []

            page.get_by_role("button", name="Решить заново").click()
            page.get_by_role("button", name="Пропустить").click()
            expect(decided).to_contain_text("Пропущено")
            expect(log).to_have_count(2)  # what was decided anew stays to be seen
            expect(log.nth(1)).to_contain_text("больше не действует")
            page.get_by_role("button", name="Отменить решение").click()
            expect(page.get_by_role("button", name="Принять совет")).to_be_visible()
    finally:
        with season.begin() as connection:
            connection.execute(sa.delete(tables.advice_decisions))


def test_advice_that_changed_meanwhile_is_shown_anew_before_it_is_decided_on(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="aigul") as page:
        page.goto(FIELD)
        # What stands on the screen is of before; the service knows better.
        page.route(
            "**/v1/advice-decisions",
            lambda asked: asked.continue_(
                post_data=json.dumps(json.loads(asked.request.post_data or "") | OUTDATED)
            ),
        )
        page.get_by_role("button", name="Accept the advice").click()
        expect(page.get_by_role("alert")).to_contain_text("The advice has changed meanwhile")


def test_who_may_only_read_is_offered_no_decision(
    browser: Browser, address: str, season: sa.Engine
) -> None:
    with window(browser, address, login="reader") as page:
        page.goto(FIELD)
        settled(page)
        expect(page.get_by_role("heading", name="Irrigate today")).to_be_visible()
        expect(page.get_by_role("button", name="Accept the advice")).to_have_count(0)


def test_a_saving_leads_to_its_method_and_to_the_data_it_was_made_of(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="aigul") as page:
        page.goto(f"/farms/{FARM}/savings")
        page.get_by_role("link", name="The method, in words").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("How savings are found")
        told = page.request.get(f"/v1/farms/{FARM}/summary").json()
        expect(page.get_by_text(f"version {told['water']['method_version']}")).to_be_visible()
        page.get_by_text("Water balance day by day, by field").click()
        links = page.locator("section[aria-labelledby=raw] a").all()
        assert len(links) == 4 + len(told["crop_zones"])
        for link in links:
            answer = page.request.get(link.get_attribute("href") or "")
            assert (answer.status, answer.headers["content-type"]) == (
                200,
                "text/csv; charset=utf-8",
            )


def test_a_file_has_every_row_of_a_list(browser: Browser, address: str) -> None:
    with window(browser, address, login="aigul") as page:
        whole = page.request.get(f"/v1/harvest-loads?farm={FARM}&limit=1000&format=csv").text()
        assert whole.count("\n") > 20
        without_worker(page)
        page.route(  # the API then has several pages of it
            "**/v1/harvest-loads?*",
            lambda asked: asked.continue_(url=asked.request.url.replace("limit=1000", "limit=7")),
        )
        page.goto(f"/farms/{FARM}/savings/method")
        with page.expect_download() as caught:
            page.get_by_role("link", name="Weighed loads").click()
        assert caught.value.path().read_text() == whole
        assert caught.value.suggested_filename == f"{FARM}-harvest-loads.csv"


def test_a_link_of_the_administrator_sets_a_password_once(
    browser: Browser, address: str, season: sa.Engine
) -> None:
    token = tokens.make()
    put_account(season, "late", "operator", farm_ids=[], language="en")
    with season.begin() as connection:
        account = accounts.get(connection, "late")
        accounts.add_link(connection, account.id, tokens.digest(token), made_by="test")
    fresh = "a river in spring 5"
    with window(browser, address, login=None) as page:
        page.goto(f"/password#{token}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Choose a password")
        assert violations(page) == []
        _choose(page, "short", "short")
        expect(page.get_by_role("heading", level=1)).to_have_text("Choose a password")  # refused
        _choose(page, "123456789012", "123456789012")
        expect(page.get_by_role("alert")).to_contain_text("too easy to guess")
        page.get_by_label("New password").fill(fresh)
        expect(page.get_by_role("alert")).to_contain_text("not the same")
        expect(page.get_by_role("button", name="Set the password")).to_be_disabled()
        _choose(page, fresh, fresh)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Login").fill("late")
        page.get_by_label("Password", exact=True).fill(fresh)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Begin in four steps")
    with window(browser, address, login=None) as page:
        page.goto(f"/password#{token}")
        _choose(page, fresh, fresh)
        expect(page.get_by_role("alert")).to_contain_text("This link was used or is too old")


def _choose(page: Page, fresh: str, again: str) -> None:
    page.get_by_label("New password").fill(fresh)
    page.get_by_label("The same again").fill(again)
    page.get_by_role("button", name="Set the password").click()


def test_the_page_can_be_installed(browser: Browser, address: str) -> None:
    with window(browser, address, login="aigul") as page:
        page.goto("/")
        settled(page)
        session = page.context.new_cdp_session(page)
        told = session.send("Page.getAppManifest")
        assert told["errors"] == []
        for icon in json.loads(told["data"])["icons"]:
            answer = page.request.get(icon["src"])
            assert (answer.status, answer.headers["content-type"]) == (200, icon["type"])
            if icon["type"] == "image/png":  # width and height stand in the first chunk
                size = int.from_bytes(answer.body()[16:20]), int.from_bytes(answer.body()[20:24])
                assert f"{size[0]}x{size[1]}" == icon["sizes"]
        refused = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
        assert [one["errorId"] for one in refused] in ([], ["in-incognito"])


def test_measured_and_simulated_water_stand_side_by_side(browser: Browser, address: str) -> None:
    with window(browser, address, login="aigul") as page:
        page.goto(FIELD)
        settled(page)
        told = page.request.get("/v1/fields/1/soil-moisture?season=2025").json()
        chart = page.locator("figure", has=page.get_by_role("heading", name="Soil moisture"))
        legend = chart.locator(".legend li")
        depths = [f"{one['depth_cm']:g} cm" for one in told["depths"]]
        assert depths
        expect(legend).to_have_text(
            [*depths, "Root zone, simulated", "Field capacity", "Wilting point"]
        )
        page.get_by_text("Moisture by depth as a table").click()
        rows = page.locator("section[aria-label='Moisture by depth as a table'] tbody tr")
        newest = told["depths"][0]["mean_m3_m3"][-1]
        # The table has the last hour of a day, the API the mean of the day: alike within a point.
        shown = float(rows.first.locator("td").first.inner_text())
        assert shown == pytest.approx(100 * newest, abs=1.0)


def test_charts_speak_the_language_that_is_chosen_while_they_are_looked_at(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="aigul", language="kk") as page:
        page.goto(FIELD)
        settled(page)
        legends = page.locator("figure .legend")
        expect(legends).to_have_count(4)
        kazakh = legends.all_inner_texts()
        page.locator(".top > label select").select_option("ru")
        settled(page)
        changed = legends.all_inner_texts()
        page.reload()
        settled(page)
        assert changed == legends.all_inner_texts()
        assert not set(changed) & set(kazakh)


def test_paper_has_the_map_and_dark_ink_whatever_the_theme(browser: Browser, address: str) -> None:
    with window(browser, address, login="aigul") as page:
        page.emulate_media(color_scheme="dark")
        page.goto(f"/farms/{FARM}?day={DAY}")
        settled(page)
        with printed(page):
            ink = "getComputedStyle(document.querySelector('h1')).color"
            assert page.evaluate(ink) == "rgb(22, 32, 27)"
            assert colours(page, ".mapbox .printed") > 20
        expect(page.locator(".printed")).to_have_count(0)
