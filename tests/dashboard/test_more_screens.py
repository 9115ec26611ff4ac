"""Screens of machines, yield, devices and regions: whole in every language, for everybody."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.dashboard.looking import SIZES, examine, settled, window
from tests.dashboard.worked import FARM, PROBE, REGION, SOWN

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("worked")]

SCREENS = {
    "machines": f"/farms/{FARM}/machines?day={SOWN}",
    "herd": f"/farms/{FARM}/machines?day=2025-07-01",
    "yield": f"/farms/{FARM}/yield?season=2025&points=all",
    "devices": f"/farms/{FARM}/devices?device={PROBE}&alerts=both",
    "claim": f"/farms/{FARM}/devices/new",
    "region": f"/regions/{REGION}?season=2025",
}


@pytest.mark.parametrize("size", SIZES)
def test_every_screen_is_whole_in_every_language_and_for_everybody(
    browser: Browser, address: str, size: str
) -> None:
    with window(browser, address, size=size, login="boss") as page:
        for name, path in SCREENS.items():
            page.goto(path)
            examine(page, name, "dark" if size == "phone" else "light")


def test_each_is_there_without_a_connection_and_lives_again_with_one(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="boss") as page:
        page.goto("/farms")
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        page.goto(f"/farms/{FARM}/machines")  # through the worker, which keeps it
        settled(page)
        seen = {}
        for link in ("Yield", "Devices", "Country"):
            seen[page.url] = page.get_by_role("heading", level=1).inner_text()
            page.get_by_role("link", name=link, exact=True).click()
            settled(page)
        seen[page.url] = page.get_by_role("heading", level=1).inner_text()
        assert len(seen) == 4

        page.context.set_offline(True)
        for url, title in seen.items():
            page.goto(url)
            settled(page)
            expect(page.get_by_role("heading", level=1)).to_have_text(title)
            expect(page.get_by_text("No connection. You see what was loaded")).to_be_visible()
            expect(page.get_by_role("alert")).to_have_count(0)  # nothing is missing
        page.context.set_offline(False)
        expect(page.get_by_text("No connection.")).to_have_count(0)
        expect(page.locator(".live")).to_have_text("● live")
