"""Take the pictures of the user guide: ``python -m tests.dashboard.pictures FOLDER [--all]``.

With --all every screen in every language and size, to be looked at. Has a database of its own, a
computed season, the built page and a browser.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from playwright.sync_api import Page, sync_playwright

import migrations
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from storage.database import make_engine
from tests.dashboard.looking import settled
from tests.dashboard.season import (
    BROWSER_ARGUMENTS,
    DAY,
    FARM,
    PASSWORD,
    browser_program,
    put_season,
    serving,
)

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
LOCALES = {"kk": "kk-KZ", "ru": "ru-KZ", "en": "en-GB"}


class Picture(NamedTuple):
    """A picture of the guide."""

    name: str
    language: str
    size: dict[str, int]
    path: str
    dark: bool = False
    whole: bool = False  # the page to its end, not just what the window shows


GUIDE = (
    Picture("sign-in", "ru", PHONE, "/sign-in"),
    Picture("today", "ru", DESK, f"/farms/{FARM}?day={DAY}&field=1"),
    Picture("today-phone", "kk", PHONE, f"/farms/{FARM}?day={DAY}"),
    Picture("field", "kk", DESK, f"/farms/{FARM}/fields/1?day={DAY}"),
    Picture("field-phone", "ru", PHONE, f"/farms/{FARM}/fields/1?day={DAY}"),
    Picture("savings", "ru", DESK, f"/farms/{FARM}/savings"),
    Picture("savings-dark", "kk", PHONE, f"/farms/{FARM}/savings", dark=True),
)
# To be looked at after a change: every screen to its end, in every language and size.
ALL = tuple(
    Picture(f"{name}-{language}-{size}", language, pixels, path, dark, whole=True)
    for name, path in (
        ("today", f"/farms/{FARM}?day={DAY}"),
        ("field", f"/farms/{FARM}/fields/1?day={DAY}"),
        ("savings", f"/farms/{FARM}/savings"),
    )
    for language in ("kk", "ru", "en")
    for size, pixels, dark in (("desk", DESK, False), ("phone", PHONE, False), ("dark", DESK, True))
)


def take(page: Page, address: str, one: Picture, file: Path) -> None:
    """Show what a picture is of, wait until it stands still, and keep it."""
    page.set_viewport_size(one.size)  # type: ignore[arg-type]
    page.add_init_script(_display(one))
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
        for one in pictures:
            context = browser.new_context(locale=LOCALES[one.language])
            page = context.new_page()
            if one.path != "/sign-in":
                body = {"login": "aigul", "password": PASSWORD}
                context.request.post(f"{address}/v1/session", data=body)
            take(page, address, one, folder / f"{one.name}.png")
            context.close()
        browser.close()


@contextlib.contextmanager
def _season() -> Iterator[sa.Engine]:
    with tempfile.TemporaryDirectory() as home:
        settings = EmbeddedSettings(home=Path(home))
        with open_embedded(settings, verb="pictures", broker=False) as servers:
            engine = make_engine(servers.database_url)
            migrations.upgrade(engine)
            put_season(engine)
            yield engine
            engine.dispose()


if __name__ == "__main__":
    main(Path(sys.argv[1]), ALL if "--all" in sys.argv else GUIDE)
