"""Take the pictures of the user guide: ``python -m tests.dashboard.pictures FOLDER [--all]``.

Draws the icons of the page as PNG, too, which phones want that install it. With --all every screen
in every language and size, to be looked at. Has a database of its own, a computed season, the
built page and a browser.
"""

from __future__ import annotations

import base64
import contextlib
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from playwright.sync_api import Browser, Page, sync_playwright

import migrations
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from storage.database import make_engine
from tests.dashboard.looking import COUNT_ASKED, settled
from tests.dashboard.season import (
    BROWSER_ARGUMENTS,
    DAY,
    FARM,
    PASSWORD,
    ROOT,
    browser_program,
    put_season,
    serving,
)
from tests.dashboard.worked import FARM as WORKED
from tests.dashboard.worked import PROBE, REGION, SOWN, put_worked

PUBLIC = ROOT / "dashboard/public"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
ZONE = "Asia/Almaty"  # where who looks at the pictures lives
LOCALES = {"kk": "kk-KZ", "ru": "ru-KZ", "en": "en-GB"}


class Picture(NamedTuple):
    """A picture of the guide."""

    name: str
    language: str
    size: dict[str, int]
    path: str
    dark: bool = False
    whole: bool = False  # the page to its end, not just what the window shows
    login: str | None = "aigul"


GUIDE = (
    Picture("sign-in", "ru", PHONE, "/sign-in", login=None),
    Picture("today", "ru", DESK, f"/farms/{FARM}?day={DAY}&field=1"),
    Picture("today-phone", "kk", PHONE, f"/farms/{FARM}?day={DAY}"),
    Picture("map-signs", "ru", DESK, f"/farms/{WORKED}?day={DAY}", login="daulet"),
    Picture("field", "kk", DESK, f"/farms/{FARM}/fields/1?day={DAY}", whole=True),
    Picture("field-phone", "ru", PHONE, f"/farms/{FARM}/fields/1?day={DAY}"),
    Picture("savings", "ru", DESK, f"/farms/{FARM}/savings"),
    Picture("savings-dark", "kk", PHONE, f"/farms/{FARM}/savings", dark=True),
    Picture("machines", "ru", DESK, f"/farms/{WORKED}/machines?day={SOWN}", login="daulet"),
    Picture("herd", "kk", PHONE, f"/farms/{WORKED}/machines?day=2025-07-01", login="daulet"),
    Picture("yield", "ru", DESK, f"/farms/{WORKED}/yield?season=2025&field=7", login="daulet"),
    Picture("devices", "kk", DESK, f"/farms/{WORKED}/devices?alerts=both", login="daulet"),
    Picture("device", "ru", PHONE, f"/farms/{WORKED}/devices?device={PROBE}", login="daulet"),
    Picture("region", "ru", DESK, f"/regions/{REGION}?season=2025", login="saule"),
)
# To be looked at after a change: every screen to its end, in every language and size.
ALL = tuple(
    Picture(f"{name}-{language}-{size}", language, pixels, path, dark, whole=True, login="boss")
    for name, path in (
        ("today", f"/farms/{FARM}?day={DAY}"),
        ("field", f"/farms/{FARM}/fields/1?day={DAY}"),
        ("savings", f"/farms/{FARM}/savings"),
        ("method", f"/farms/{FARM}/savings/method"),
        ("machines", f"/farms/{WORKED}/machines?day={SOWN}"),
        ("speed", f"/farms/{WORKED}/machines?day={SOWN}&show=speed"),
        ("herd", f"/farms/{WORKED}/machines?day=2025-07-01"),
        ("yield", f"/farms/{WORKED}/yield?season=2025&field=7&points=all"),
        ("devices", f"/farms/{WORKED}/devices?device={PROBE}&alerts=both"),
        ("claim", f"/farms/{WORKED}/devices/new"),
        ("region", f"/regions/{REGION}?season=2025"),
    )
    for language in ("kk", "ru", "en")
    for size, pixels, dark in (("desk", DESK, False), ("phone", PHONE, False), ("dark", DESK, True))
)


def take(page: Page, address: str, one: Picture, file: Path) -> None:
    """Show what a picture is of, wait until it stands still, and keep it."""
    page.set_viewport_size(one.size)  # type: ignore[arg-type]
    page.add_init_script(_display(one))
    page.add_init_script(COUNT_ASKED)
    page.goto(address + one.path)
    settled(page)
    page.screenshot(path=file, full_page=one.whole, animations="disabled")


def _display(one: Picture) -> str:
    theme = "dark" if one.dark else "light"
    kept = f'{{"language": "{one.language}", "theme": "{theme}"}}'
    return f"localStorage.setItem('dala.display', '{kept}')"


def main(folder: Path, pictures: tuple[Picture, ...] = GUIDE) -> None:
    """Take all pictures."""
    program = browser_program()
    if program is None:
        raise SystemExit("There is no chromium here. On Debian or Ubuntu: apt-get install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    with _season() as engine, serving(engine) as address, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=BROWSER_ARGUMENTS)
        draw_icons(browser)
        for one in pictures:
            context = browser.new_context(locale=LOCALES[one.language], timezone_id=ZONE)
            page = context.new_page()
            if one.login is not None:
                body = {"login": one.login, "password": PASSWORD}
                context.request.post(f"{address}/v1/session", data=body)
            take(page, address, one, folder / f"{one.name}.png")
            context.close()
        browser.close()


# Name, pixels, and the share of its side that the drawing takes: a maskable icon is cut to any form
# within its middle 80 %, so that its ground reaches to the edge.
ICONS = (
    ("icon-192", 192, 1.0),
    ("icon-512", 512, 1.0),
    ("icon-maskable-512", 512, 0.8),
    ("apple-touch-icon", 180, 1.0),
)


def draw_icons(browser: Browser) -> None:
    """Draw icon.svg in the sizes that phones ask for, beside it."""
    drawing = PUBLIC / "icon.svg"
    ground = re.search(r'<rect [^>]*fill="(#[0-9a-f]{6})"', drawing.read_text())
    assert ground is not None
    for name, side, share in ICONS:
        page = browser.new_page(viewport={"width": side, "height": side})
        whole = share < 1 or name.startswith("apple")
        back = f"background:{ground[1]}" if whole else ""
        picture = base64.b64encode(drawing.read_bytes()).decode()
        page.set_content(
            f'<body style="margin:0;display:grid;place-items:center;height:100vh;{back}">'
            f'<img src="data:image/svg+xml;base64,{picture}" width="{round(side * share)}">'
        )
        page.screenshot(path=PUBLIC / f"{name}.png", omit_background=not whole)
        page.close()


@contextlib.contextmanager
def _season() -> Iterator[sa.Engine]:
    with tempfile.TemporaryDirectory() as home:
        settings = EmbeddedSettings(home=Path(home))
        with open_embedded(settings, verb="pictures", broker=False) as servers:
            engine = make_engine(servers.database_url)
            migrations.upgrade(engine)
            put_season(engine)
            put_worked(engine)
            yield engine
            engine.dispose()


if __name__ == "__main__":
    main(Path(sys.argv[1]), ALL if "--all" in sys.argv else GUIDE)
