"""An open page is told: simulated devices publish over a real broker to the real ingester."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from ingest import subscriber
from ingest.subscriber import Subscriber
from seeds import machines
from seeds.devices import Login, SimulatedDevice
from seeds.farms import catalogue
from seeds.messages import Outgoing
from seeds.season import simulate_all
from storage import alert_rules, devices, farms, tables
from tests.dashboard.looking import settled, window
from tests.dashboard.season import FARM
from tests.seeds.broker import Mosquitto

pytestmark = pytest.mark.slow

TRACTOR, PROBE = "live-tractor", "live-probe"
MINUTE_S = 60


@pytest.fixture(scope="module")
def broker(
    season: sa.Engine, built: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mosquitto]:
    """A broker whose messages are stored; whatever came of them is gone afterwards."""
    if shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("needs mosquitto, of the distribution's package of that name")
    with season.begin() as connection:
        before = connection.scalar(sa.select(sa.func.max(tables.alerts.c.id))) or 0
        farm = farms.get(connection, FARM).id
        devices.put(connection, TRACTOR, farm_id=farm, kind="tractor", name="Tractor 7")
        devices.put(connection, PROBE, farm_id=farm, kind="soil-probe", name="Probe 7")
    started = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    ingester = Subscriber(season, started.address, client_id="dashboard-ingest")
    thread = threading.Thread(target=ingester.run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subscriber, "WATCH_S", 1.0)  # a minute is long for a test
        thread.start()
        yield started
        ingester.stop()
        thread.join()
    started.stop()
    with season.begin() as connection:
        connection.execute(sa.delete(tables.alerts).where(tables.alerts.c.id > before))
        connection.execute(sa.delete(tables.alert_rules))
        streams = sa.select(tables.datastreams.c.id).where(tables.datastreams.c.device_id == PROBE)
        connection.execute(
            sa.delete(tables.readings).where(tables.readings.c.datastream_id.in_(streams))
        )
        for table in (
            tables.track_points,
            tables.datastreams,
            tables.device_sequences,
            tables.device_heard,
        ):
            connection.execute(sa.delete(table).where(table.c.device_id.in_([TRACTOR, PROBE])))
        connection.execute(
            sa.delete(tables.devices).where(tables.devices.c.id.in_([TRACTOR, PROBE]))
        )


def publish(broker: Mosquitto, device: str, *messages: Outgoing) -> None:
    """Let a simulated device send, and wait until each message is receipted."""
    simulated = SimulatedDevice(broker.address, device, Login("", ""), boot=int(time.time()))
    delivered = simulated.deliver(messages, patience_s=20)
    assert delivered.stored > 0
    assert delivered.rejected == {}


def test_a_machine_appears_while_it_publishes(
    browser: Browser, address: str, broker: Mosquitto
) -> None:
    now = dt.datetime.now(dt.UTC)
    begun = now - dt.timedelta(minutes=20)
    way = machines.tractor(simulate_all(catalogue(1))[0], round(begun.timestamp()))
    until_now = [one for one in way if dt.datetime.fromisoformat(one["time"]) <= now]
    seeding = [one for one in until_now if one["work_state"] == 1][-10:]
    with window(browser, address, login="aigul") as page:
        page.goto(f"/farms/{FARM}")
        settled(page)
        expect(page.locator(".live")).to_have_text("● live")
        page.get_by_text("herds and devices").click()
        expect(page.get_by_role("rowheader", name="Tractor 7")).to_have_count(0)

        publish(broker, TRACTOR, Outgoing("track", seeding))
        row = page.get_by_role("row", name="Tractor 7")
        expect(row).to_be_visible()
        # The seeder's 2.5 m/s, up or down the field.
        expect(row).to_contain_text(re.compile("9\\.0\u00a0km/h, (north|south)"))


def test_a_device_that_stops_raises_an_alert_on_the_open_page(
    browser: Browser, address: str, broker: Mosquitto, season: sa.Engine
) -> None:
    stopped = int(time.time()) - 6 * MINUTE_S
    said = [
        {"n": "soil_moisture/10", "t": MINUTE_S * (number - 30), "v": 0.25 + number / 10_000}
        for number in range(31)
    ]
    with season.begin() as connection:  # the shortest silence that a farm may choose
        farm = farms.get(connection, FARM).id
        shortest = {"missed_intervals": 1, "at_least_min": 5}
        alert_rules.put(connection, farm, "silent", enabled=True, parameters=shortest, by="test")
    with window(browser, address, login="aigul") as page:
        page.goto(f"/farms/{FARM}")
        settled(page)
        expect(page.locator(".live")).to_have_text("● live")
        expect(page.get_by_text("No open alerts")).to_be_visible()

        publish(broker, PROBE, Outgoing("senml", [{"bt": stopped}, *said]))
        expect(page.get_by_role("heading", name="1 alert is open")).to_be_visible()
        alert = page.locator("ul.alerts > li")
        expect(alert).to_contain_text("Probe 7")
        expect(alert).to_contain_text("Silent: the newest reading is of")
