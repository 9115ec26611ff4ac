"""Devices and alerts: what wants somebody, what could not be read, and a new device."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from storage import tables
from tests.dashboard.looking import SIZES, settled, violations, window
from tests.dashboard.worked import FARM, PROBE, STRANGER, put_alerts

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("worked")]
PLACE = f"/farms/{FARM}/devices"


def test_an_operator_finds_the_silent_device_and_what_a_probe_misses(
    browser: Browser, address: str
) -> None:
    with window(browser, address, login="daulet", language="ru") as page:
        page.goto(f"/farms/{FARM}")
        page.get_by_role("link", name="Устройства").click()
        table = page.get_by_role("table", name="Устройства")
        expect(table.locator("tbody tr").first).to_contain_text(
            "молчит"
        )  # who wants somebody first
        page.get_by_role("link", name=re.compile("на связи")).click()
        expect(table.locator("tbody tr")).to_have_count(1)
        expect(table).to_contain_text("41\u00a0%")
        expect(table).to_contain_text("−104\u00a0дБм")
        table.get_by_role("link", name="Probe at the well").click()

        expect(page.get_by_role("heading", name="Probe at the well")).to_be_focused()  # and seen
        expect(page.get_by_role("heading", name="Что приходило по дням")).to_be_visible()
        refused = page.get_by_role("table", name="Отвергнуто сообщений")
        expect(refused).to_contain_text("неизвестная нам единица")
        expect(refused).to_contain_text("furlong")
        assert f"device={PROBE}" in page.url
        missing = page.locator(".facts div", has_text="Не дошло сообщений")
        expect(missing).to_contain_text("3")  # 4, 5 and 6 never came


def test_gaps_are_seen_in_the_days_and_read_in_their_table(browser: Browser, address: str) -> None:
    with window(browser, address, login="daulet") as page:
        page.goto(f"{PLACE}?device={PROBE}")
        settled(page)
        summary = page.locator(".plot").get_attribute("aria-label")
        assert summary is not None
        assert "readings in all" in summary
        page.get_by_text("The days as a table").click()
        rows = page.get_by_role("table", name="The days as a table").locator("tbody tr")
        expect(rows).to_have_count(30)


def test_an_alert_is_acknowledged_with_a_note_and_found_by_who_and_when(
    browser: Browser, address: str, season: sa.Engine
) -> None:
    with season.begin() as connection:  # other tests make and take away alerts
        put_alerts(connection, dt.datetime.now(dt.UTC))
    with window(browser, address, login="daulet") as page:
        page.goto(PLACE)
        listed = page.locator("ul.alerts > li")
        expect(listed).to_have_count(1)
        listed.get_by_role("button", name=re.compile("^Acknowledge: ")).click()
        page.get_by_label("Note").fill("a new battery is on its way")
        page.get_by_role("button", name="Acknowledge", exact=True).click()
        expect(listed).to_contain_text("acknowledged by daulet")
        expect(listed).to_contain_text("a new battery is on its way")
        page.get_by_role("combobox", name="Acknowledged").select_option("no")
        expect(page.get_by_text("No such alert.")).to_be_visible()
        page.get_by_role("combobox", name="Acknowledged").select_option("yes")
        page.get_by_role("combobox", name="State").select_option("cleared")
        expect(listed).to_contain_text("acknowledged by boss")
        assert "alerts=cleared" in page.url
    with season.begin() as connection:
        told = connection.execute(
            sa.select(tables.audit_log.c.actor).where(
                tables.audit_log.c.action == "alert.acknowledge"
            )
        )
        assert "account:daulet" in told.scalars().all()


@pytest.mark.parametrize("size", SIZES)
def test_a_device_is_added_and_its_token_shown_once(
    browser: Browser, address: str, size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DALA_PUBLIC_MQTT_URL", "mqtts://mqtt.example:8883")
    name = f"well-meter-{size}"
    with window(browser, address, login="daulet", size=size) as page:
        page.goto(PLACE)
        page.get_by_role("link", name="Add a device").click()
        page.get_by_label("Its id").fill(PROBE)
        page.get_by_label("What it is").select_option("flow-meter")
        page.get_by_label("Name for people").fill(f"Meter at the well, {size}")
        page.get_by_role("button", name="Add it").click()
        expect(page.get_by_role("alert")).to_contain_text("is registered")  # another has that id
        page.get_by_label("Its id").fill(name)
        page.get_by_role("button", name="Add it").click()

        expect(
            page.get_by_role("heading", name=f"Meter at the well, {size} is added")
        ).to_be_visible()
        token = page.locator("dt", has_text="Token").locator("+ dd code").inner_text()
        assert len(token) > 30
        expect(page.get_by_text("mqtts://mqtt.example:8883", exact=True)).to_be_visible()
        assert page.locator("img.qr").evaluate("(image) => image.naturalWidth") > 100
        with page.expect_download() as caught:
            page.get_by_role("button", name="Download mqtt.json").click()
        settings = json.loads(caught.value.path().read_text())
        assert (settings["client_id"], settings["password"]) == (name, token)
        assert violations(page) == []
        page.get_by_role("link", name="To the devices").click()
        expect(page.get_by_role("link", name=f"Meter at the well, {size}")).to_be_visible()
        page.go_back()
        expect(page.get_by_label("Its id")).to_be_visible()  # the token is gone
        assert token not in page.content()


def test_an_administrator_claims_who_speaks_unknown(
    browser: Browser, address: str, season: sa.Engine
) -> None:
    with window(browser, address, login="boss") as page:
        page.goto(PLACE)
        expect(page.get_by_role("heading", name="1 unknown device speaks")).to_be_visible()
        page.get_by_role("link", name=f"Claim: {STRANGER}").click()
        expect(page.get_by_label("DevEUI")).to_have_value(STRANGER.removeprefix("lora:"))
        page.get_by_label("Name for people").fill("Stranger no more")
        page.get_by_role("button", name="Add it").click()
        expect(page.get_by_text("It comes through its network and needs no token.")).to_be_visible()
        expect(page.get_by_text("lorawan.txt", exact=True)).to_be_visible()
    with season.connect() as connection:
        wire = tables.devices.c.wire_id
        assert connection.scalar(sa.select(wire).where(wire == STRANGER)) == STRANGER


def test_who_may_not_add_devices_is_told(browser: Browser, address: str) -> None:
    with window(browser, address, login="saule") as page:
        page.goto(f"{PLACE}/new")
        expect(page.get_by_text("Your account may not add devices")).to_be_visible()
        page.goto(PLACE)
        expect(page.get_by_role("alert").first).to_contain_text("Your account may not see this")
