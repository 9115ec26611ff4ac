"""Screens of machines, yield, devices and regions: whole in every language, for everybody."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.dashboard.looking import SIZES, examine, window
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
