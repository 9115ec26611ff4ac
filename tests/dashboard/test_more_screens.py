"""Screens of machines, yield, devices and regions: whole in every language, for everybody."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.dashboard.looking import LANGUAGES, SIZES, UNSAID, settled, violations, window
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
    scheme = "dark" if size == "phone" else "light"
    with window(browser, address, size=size, login="boss") as page:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for name, path in SCREENS.items():
            page.goto(path)
            for language in LANGUAGES:
                page.locator(".top > label select").select_option(language)
                expect(page.locator("html")).to_have_attribute("lang", language)
                settled(page)
                assert UNSAID.findall(page.locator("body").inner_text()) == [], (name, language)
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{name} in {language} is {wide} px wider than its window"
            assert violations(page) == [], name
