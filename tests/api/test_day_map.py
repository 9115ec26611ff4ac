"""What a map asks for: water of the fields, places of the devices; light and of one day."""

import datetime as dt

import pytest
import sqlalchemy as sa

from api.dependencies import current_time
from storage import devices, fields, forecasts, tables
from storage.forecasts import ForecastDay
from tests.api.asking import Api, put_key
from tests.reports.advice_farm import DAY, NOW, TODAY, put_evening, put_farm, put_zone

ALMATY = dt.timezone(dt.timedelta(hours=5))


class Farm:
    """Three fields: one with a fresh balance, one with an old one, one whose crop is gone."""

    def __init__(self, engine: sa.Engine) -> None:
        with engine.begin() as connection:
            farm = put_farm(connection)
            self.id = farm.id
            self.fresh = put_zone(connection, farm, "fresh")
            put_evening(connection, self.fresh, TODAY - 2 * DAY, 50.0)
            put_evening(connection, self.fresh, TODAY - DAY, 60.0)
            put_evening(connection, self.fresh, TODAY, 70.0)
            self.old = put_zone(connection, farm, "old")
            put_evening(connection, self.old, TODAY - 31 * DAY, 20.0)
            gone = {"planted": TODAY - 90 * DAY, "harvested": TODAY - DAY}
            self.gone = put_zone(connection, farm, "gone", **gone)
            self.fields = {one.name: one.id for one in fields.of_farm(connection, farm.id)}
            week = [
                ForecastDay(TODAY + number * DAY, 32.0, 16.0, 0.0, 26.0, 12.0, 45.0, 2.0)
                for number in range(8)
            ]
            forecasts.put(connection, farm.id, week, issued_at=NOW, source="met")
            for number, kind in enumerate(["tractor", "soil-probe"]):
                devices.put(
                    connection,
                    f"d{number}",
                    farm_id=farm.id,
                    kind=kind,
                    name=kind,
                    field_id=self.fields["fresh"] if kind == "soil-probe" else None,
                )
        self.engine = engine
        self.key = put_key(engine, "reader", farm_ids=[self.id])
        self.api = Api(engine)
        self.api.app.dependency_overrides[current_time] = lambda: NOW

    def get(self, path: str, status: int = 200, **more):
        answer = self.api.ask("GET", f"/v1/farms/by-hand/{path}", **({"key": self.key} | more))
        assert answer.status_code == status, answer.text
        return answer

    def drive(self, moment: dt.datetime, latitude: float, heading: float | None) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                sa.insert(tables.track_points).values(
                    time=moment,
                    device_id="d0",
                    latitude_deg=latitude,
                    longitude_deg=68.0,
                    heading_deg=heading,
                    speed_m_s=2.5,
                    work_state=1,
                    quality=0,
                    received_at=moment,
                )
            )


@pytest.fixture
def farm(empty_engine: sa.Engine) -> Farm:
    return Farm(empty_engine)


def test_each_growing_crop_stands_as_on_the_evening_before(farm: Farm) -> None:
    told = farm.get("water-status").json()

    assert (told["farm"], told["day"]) == ("by-hand", "2025-07-01")
    water = {one["crop_zone_id"]: one for one in told["crop_zones"]}
    assert set(water) == {farm.fresh, farm.old}
    fresh = water[farm.fresh]
    assert (fresh["balance_day"], fresh["depletion_mm"]) == ("2025-06-30", 60.0)
    assert (fresh["taw_mm"], fresh["raw_mm"]) == (150.0, 75.0)
    # Older than advice would go on from: it says nothing of today.
    assert (water[farm.old]["balance_day"], water[farm.old]["depletion_mm"]) == (None, None)
    assert told["seasons"] == [
        {"season": 2025, "first": (TODAY - 90 * DAY).isoformat(), "last": "2025-09-07"}
    ]


def test_a_day_of_the_past_is_answered_by_its_own_evening(farm: Farm) -> None:
    told = farm.get(f"water-status?day={TODAY - DAY}").json()

    water = {one["crop_zone_id"]: one for one in told["crop_zones"]}
    assert set(water) == {farm.fresh, farm.old, farm.gone}
    assert water[farm.fresh]["depletion_mm"] == 50.0
    assert water[farm.old]["depletion_mm"] == 20.0  # 30 days before
    detail = farm.get(f"water-status?day={TODAY + DAY}", 422).json()["detail"]
    assert "has not come at by-hand" in detail


def test_it_says_what_the_advice_says(farm: Farm) -> None:
    told = farm.get("water-status").json()["crop_zones"]
    advised = {one["crop_zone_id"]: one for one in farm.get("advice").json()["crop_zones"]}

    for one in told:
        if one["balance_day"] is not None:
            zone = advised[one["crop_zone_id"]]
            assert one["depletion_mm"] == pytest.approx(zone["depletion_mm"])
            assert one["raw_mm"] == pytest.approx(zone["raw_mm"])


def test_water_comes_as_a_table(farm: Farm) -> None:
    lines = farm.get("water-status?format=csv").text.splitlines()

    assert len(lines) == 3
    assert "depletion_mm" in lines[0]


def test_machines_are_where_their_newest_point_is(farm: Farm) -> None:
    farm.drive(NOW - dt.timedelta(hours=30), 43.1, 90.0)
    farm.drive(NOW - dt.timedelta(minutes=1), 43.2, 180.0)
    farm.drive(NOW + dt.timedelta(minutes=1), 43.3, 270.0)  # of a clock that is fast

    (tractor, probe) = farm.get("positions").json()["devices"]
    assert (tractor["device_id"], tractor["latitude_deg"], tractor["heading_deg"]) == (
        "d0",
        43.2,
        180.0,
    )
    assert (tractor["speed_m_s"], tractor["work_state"]) == (2.5, 1)
    assert (probe["field_id"], probe["latitude_deg"]) == (farm.fields["fresh"], None)


def test_on_a_day_of_the_past_they_are_where_they_were_when_it_ended(farm: Farm) -> None:
    midnight = dt.datetime(2025, 6, 30, tzinfo=ALMATY)
    farm.drive(midnight - dt.timedelta(seconds=1), 43.1, None)
    farm.drive(midnight, 43.2, None)

    (tractor, _) = farm.get("positions?day=2025-06-29").json()["devices"]
    assert tractor["latitude_deg"] == 43.1
    assert farm.get("positions?day=2025-06-29").json()["before"] == "2025-06-29T19:00:00Z"
    (tractor, _) = farm.get("positions?day=2025-05-01").json()["devices"]
    assert tractor["latitude_deg"] is None


def test_positions_are_for_who_may_see_devices(farm: Farm) -> None:
    key = put_key(farm.engine, "ministry", farm_ids=[farm.id], scopes=("read:farms",))

    farm.get("positions", 403, key=key)
    farm.get("water-status", key=key)
