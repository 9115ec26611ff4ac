"""What a browser's tests share: a window, words of the page, axe, pixels."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from playwright.sync_api import Browser, Page, expect

from tests.dashboard.season import PASSWORD, ROOT

expect.set_options(timeout=20_000)  # other tests may have the processors
ColorScheme = Literal["light", "dark"]
SIZES = {"phone": (390, 844), "desk": (1440, 900)}
LANGUAGES = ("kk", "ru", "en")
AXE = ROOT / "dashboard/node_modules/axe-core/axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# A key of the dictionaries, or a placeholder that nobody filled.
UNSAID = re.compile(
    r"\b(?:app|session|state|farms|start|nav|today|alerts?|status|map|fields?|savings|crop|method"
    r"|cause|unit|theme|weather|language|direction|decision|method_page|raw|password|machines|ground"
    r"|reason|yield|flag|devices?|unknown|claim|kind|refusal|region)\.[a-z][a-z_.-]*\b|\{\w+\}"
)

# How many questions are on their way; a stream of events is none.
COUNT_ASKED = """
    window.asked = 0;
    const ask = window.fetch;
    window.fetch = (...given) => {
        window.asked += 1;
        return ask(...given).finally(() => { window.asked -= 1; });
    };
"""
SETTLED = """async () => {
    const awaited = () => [
        ...(document.querySelector("h1") ? [] : ["a heading"]),
        ...(window.asked ? [`${window.asked} answers`] : []),
        ...[".bar", ".mapbox:not([data-drawn])", ".plot:not(:has(canvas))"]
            .filter((one) => document.querySelector(one)),
    ].join(", ");
    const end = performance.now() + 20_000;  // other tests may have the processors
    for (let calm = 0; calm < 4 && performance.now() < end; ) {
        await new Promise(requestAnimationFrame);
        calm = awaited() ? 0 : calm + 1;
    }
    return awaited();
}"""


@contextmanager
def window(
    browser: Browser, address: str, *, size: str = "desk", language: str = "en", login: str | None
) -> Iterator[Page]:
    """A page in a browser of its own; whatever it complains of in its console fails the test."""
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=address, viewport={"width": width, "height": height}, locale="en-GB"
    )
    kept = json.dumps({"language": language})
    context.add_init_script(
        f"localStorage.getItem('dala.display') || localStorage.setItem('dala.display', '{kept}')"
    )
    context.add_init_script(COUNT_ASKED)
    if login is not None:
        signed = context.request.post(
            f"{address}/v1/session", data={"login": login, "password": PASSWORD}
        )
        assert signed.status == 201, signed.text()
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda said: said.type in {"error", "warning"} and complaints.append(said.text)
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    unexpected = [one for one in complaints if not _expected(one)]
    assert not unexpected, unexpected


def _expected(complaint: str) -> bool:
    # The browser itself notes answers such as 401, software drawing, and a connection that is gone.
    notes = ("Failed to load resource", "GPU stall", "resulted in a network error response")
    return any(note in complaint for note in notes)


def without_worker(page: Page) -> None:
    """Nothing comes through the service worker, whose questions a test cannot cut off."""
    page.add_init_script("Object.defineProperty(navigator, 'serviceWorker', {value: undefined})")


def settled(page: Page) -> None:
    """Wait until nothing is on its way, map and charts are drawn, and a few frames in a row say so.

    Looked at by the page itself, frame by frame: to ask it again and again takes far longer.
    """
    awaited = page.evaluate(SETTLED)
    assert awaited == "", f"{page.url} still waits for: {awaited}"


def examine(page: Page, name: str, *schemes: ColorScheme) -> None:
    """The screen that is open, unfolded, is whole in every language, for everybody, and on paper.

    Whole: no key of the dictionaries is left unsaid, and nothing is wider than the window.
    """
    settled(page)
    page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
    here = page.locator("html").get_attribute("lang")
    for language in sorted(LANGUAGES, key=lambda one: one != here):  # the one spoken first
        page.locator(".top > label select").select_option(language)
        expect(page.locator("html")).to_have_attribute("lang", language)
        settled(page)
        assert UNSAID.findall(page.locator("body").inner_text()) == [], (name, language)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} in {language} is {wide} px wider than its window"
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html")).to_have_attribute("data-theme", scheme)
        assert violations(page) == [], (name, scheme)
    with printed(page):
        assert page.locator("button:visible, .top:visible, .ground:visible").count() == 0, name
        beyond = page.evaluate(
            "[...document.querySelectorAll('main table, main canvas, main svg')]"
            ".filter(one => one.getBoundingClientRect().right > innerWidth + 1)"
            ".map(one => one.outerHTML.slice(0, 99))"
        )
        assert beyond == [], f"{name} is wider than its paper"


@contextmanager
def printed(page: Page) -> Iterator[None]:
    """The page as it goes on paper of A4, with 14 mm around it."""
    size = page.viewport_size
    page.set_viewport_size({"width": 688, "height": 1017})
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    yield
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    if size is not None:
        page.set_viewport_size(size)


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate(
        """async (of) => {
            // What is well is counted, not told node by node: that would take as long as to look.
            const found = await axe.run({ runOnly: of, resultTypes: ["violations"] });
            return { well: found.passes.length, violations: found.violations };
        }""",
        WCAG,
    )
    assert found["well"] > 10  # it looked
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def colours(page: Page, selector: str) -> int:
    """How many colours a part of the window shows, looked at by the browser itself."""
    png = page.locator(selector).screenshot()
    other = page.context.new_page()
    counted = other.evaluate(
        """async (data) => {
            const image = new Image();
            image.src = `data:image/png;base64,${data}`;
            await image.decode();
            const canvas = new OffscreenCanvas(image.width, image.height);
            const on = canvas.getContext("2d");
            on.drawImage(image, 0, 0);
            const { data: all } = on.getImageData(0, 0, image.width, image.height);
            return new Set(new Uint32Array(all.buffer)).size;
        }""",
        base64.b64encode(png).decode(),
    )
    other.close()
    return int(counted)
