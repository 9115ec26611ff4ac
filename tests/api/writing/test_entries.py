"""Crops, irrigation, loads and adjustments, one by one and many at once."""

import datetime as dt
from typing import Any

import pytest

from analytics.daily import entered
from storage import farms
from tests.api.writing.world import EVENT, World, zone_of

# --- crop zones, irrigation, loads, adjustments ---------------------------------------------------


def test_a_crop_zone_is_entered_changed_and_withdrawn(world: World) -> None:
    made = world.post("crop-zones", zone_of(world.mine.field, crop_parameters={}))
    path = made.headers["location"].removeprefix("/v1/")
    assert made.json()["area_ha"] == 10.0  # the field's
    assert made.json()["created_by"] == world.actor
    world.post("crop-zones", zone_of(world.mine.field, crop_parameters={}), 409)

    changed = world.ask("PATCH", path, 200, json={"harvested": "2025-09-20"}).json()
    assert changed["harvested"] == "2025-09-20"
    world.ask("PATCH", path, 422, json={"harvested": "2025-04-01"})
    world.ask("PATCH", path, 422, json={"conventions": {"event_timing": "never"}})
    deed = world.deeds(world.mine.farm)[-1]
    assert deed.details["before"] == {"harvested": "2025-09-10"}
    assert deed.details["after"] == {"harvested": "2025-09-20"}
    world.ask("DELETE", path, 204)
    world.ask("DELETE", path, 404)


def test_two_crops_of_a_season_are_told_apart(world: World) -> None:
    made = world.post("crop-zones", zone_of(world.mine.field, crop_parameters={})).json()
    path = f"fields/{world.mine.field}/water-balance?season=2025"

    refused = world.ask("GET", path, 422).json()["detail"]
    assert f"maize (crop_zone={made['id']})" in refused
    assert f"cotton (crop_zone={world.mine.zone})" in refused
    found = world.ask("GET", f"{path}&crop_zone={made['id']}", 200).json()
    assert (found["crop"], found["crop_zone"]) == ("maize", made["id"])
    world.ask("GET", f"{path}&crop_zone=999", 404)


def test_what_is_withdrawn_counts_no_longer_and_may_be_entered_anew(world: World) -> None:
    asked = EVENT | {"field_id": world.mine.field}
    made = world.post("irrigation-events", asked).json()
    world.post("irrigation-events", asked, 409)
    world.ask("DELETE", f"irrigation-events/{made['id']}", 204)
    again = world.post("irrigation-events", asked | {"volume_m3": 2800.0}).json()

    def listed(**params: Any) -> list[int]:
        found = world.ask("GET", "irrigation-events", 200, params={"farm": world.slug, **params})
        return [one["id"] for one in found.json()]

    assert listed() == [again["id"]]
    assert listed(withdrawn="true") == [made["id"], again["id"]]
    (first, _) = world.ask("GET", "irrigation-events?withdrawn=true", 200).json()
    assert (first["created_by"], first["withdrawn_by"]) == (world.actor, world.actor)


def test_a_load_is_weighed_after_sowing_by_the_farms_day(world: World) -> None:
    sown = world.ask("GET", f"crop-zones/{world.mine.zone}", 200).json()["planted"]
    day_before = dt.date.fromisoformat(sown) - dt.timedelta(days=1)
    load = {"crop_zone_id": world.mine.zone, "ticket": "A", "net_kg": 8000}

    # UTC+5: 23:00 of the day before, and 01:00 of the day itself.
    world.post("harvest-loads", load | {"weighed_at": f"{day_before}T18:00Z"}, 422)
    world.post("harvest-loads", load | {"weighed_at": f"{day_before}T20:00Z"})


def test_loads_and_adjustments_have_their_author(world: World) -> None:
    load = {
        "crop_zone_id": world.mine.zone,
        "ticket": "A-1",
        "weighed_at": "2025-09-20T10:00:00+05:00",
        "net_kg": 8000,
    }
    made = world.post("harvest-loads", load).json()
    world.post("harvest-loads", load, 409)
    world.post("harvest-loads", load | {"ticket": "B", "weighed_at": "2025-01-01T00:00Z"}, 422)
    adjusted = world.post(
        "adjustments",
        {
            "crop_zone_id": world.mine.zone,
            "volume_m3": -1200,
            "u_volume_m3": 100,
            "reason": "leaching",
        },
    ).json()
    assert (made["created_by"], adjusted["author"]) == (world.actor, world.actor)
    world.ask("DELETE", f"crop-zones/{world.mine.zone}", 409)
    world.ask("DELETE", f"harvest-loads/{made['id']}", 204)
    world.ask("DELETE", f"adjustments/{adjusted['id']}", 204)
    world.ask("DELETE", f"crop-zones/{world.mine.zone}", 204)
    assert world.count("harvest_loads") == world.count("non_routine_adjustments") == 1


def test_a_forecast_is_kept(world: World) -> None:
    day = {"day": "2025-07-02", "tmax_c": 36, "tmin_c": 19, "rain_mm": 0}
    asked = {"source": "met", "issued_at": "2025-07-01T06:00:00+05:00", "days": [day]}

    assert world.post("farms/mine/forecasts", asked, 200).json()["days"] == 1
    world.post("farms/mine/forecasts", asked | {"days": [day, day]}, 422)
    world.post("farms/mine/forecasts", asked | {"days": [day | {"tmin_c": 40}]}, 422)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("farms/mine/fields", {"name": "x", "official_area_ha": 5}),
        ("farms/mine/forecasts", {}),
        ("crop-zones", zone_of(1)),
        ("irrigation-events", EVENT | {"field_id": 1}),
        ("harvest-loads", {"ticket": "A", "weighed_at": "2025-09-20T10:00:00Z", "net_kg": 1}),
        ("adjustments", {"volume_m3": 1, "u_volume_m3": 0, "reason": "none"}),
    ],
)
def test_nobody_writes_on_anothers_land(world: World, path: str, body: dict[str, Any]) -> None:
    day = {"day": "2025-07-02", "tmax_c": 36, "tmin_c": 19, "rain_mm": 0}
    if path.endswith("forecasts"):
        body = {"source": "met", "issued_at": "2025-07-01T06:00:00Z", "days": [day]}
    if "field_id" in body:
        body = body | {"field_id": world.mine.field, "crop_parameters": {}}
        if path == "irrigation-events":
            body.pop("crop_parameters")
    elif path in {"harvest-loads", "adjustments"}:
        body = body | {"crop_zone_id": world.mine.zone}

    world.post(path, body, 404, key=world.foreign)
    for table in ("irrigation_events", "harvest_loads", "non_routine_adjustments"):
        assert world.count(table) == 0


# --- many at once ---------------------------------------------------------------------------------


def lines(*rows: str) -> bytes:
    return "\n".join(rows).encode()


HEADER = "field,started_at,ended_at,volume_m3"
FIRST = "field-1,2025-06-12T06:00:00+05:00,2025-06-12T18:00:00+05:00,3200"
SECOND = "field-1,2025-06-20T06:00:00+05:00,2025-06-20T18:00:00+05:00,1500"


def test_a_dry_run_reports_line_by_line_and_keeps_nothing(world: World) -> None:
    path = "farms/mine/records?kind=irrigation-events"
    content = lines(
        HEADER,
        FIRST,
        FIRST,
        "nowhere,2025-06-12T06:00:00Z,2025-06-12T18:00:00Z,1",
        "field-1,2025-06-12,later,-5",
        SECOND,
    )

    report = world.send(f"{path}&dry_run=true", content).json()
    assert (report["lines"], report["stored"], report["refused"]) == (5, 0, 3)
    found = {one["line"]: " ".join(one["errors"]) for one in report["problems"]}
    assert "like it already" in found[3]
    assert "no field 'nowhere'" in found[4]
    assert "volume_m3" in found[5]
    assert "ended_at" in found[5]
    assert world.count("irrigation_events") == 0

    refused = world.send(path, content, 422).json()
    assert [one["line"] for one in refused["problems"]] == [3, 4, 5]
    assert world.count("irrigation_events") == 0
    assert world.send(path, lines(HEADER, FIRST, SECOND)).json()["stored"] == 2
    assert world.count("irrigation_events") == 2


def test_crops_and_loads_come_as_lines_too(world: World) -> None:
    crops = lines(
        "field,season,crop,planted,harvested,crop_parameters",
        'field-1,2026,wheat,2025-10-01,2026-07-01,"{""name"": ""winter-wheat""}"',
        "field-1,2024,cotton,2024-04-20,2024-09-30,",
    )
    tried = world.send("farms/mine/crop-zones?dry_run=true", crops).json()
    stored = [one for one in tried["problems"] if "name" not in " ".join(one["errors"])]
    assert stored == []
    world.send("farms/mine/crop-zones", lines(*crops.decode().splitlines()[::2]))
    loads = lines(
        "field,season,ticket,weighed_at,net_kg",
        "field-1,2024,A-1,2024-09-20T10:00:00+05:00,8000",
        "field-1,,A-2,2024-09-21T10:00:00+05:00,8000",
    )
    report = world.send("farms/mine/records?kind=harvest-loads&dry_run=true", loads).json()
    (wrong,) = report["problems"]
    assert wrong["line"] == 3
    assert "2 crop zones are meant" in wrong["errors"][0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xff\xfe", "empty"),
        (b"field,volume_m3\n\x98,1", "line 2: byte 0x98 is neither UTF-8 nor Russian"),
        (b"field,color\nx,y", "'color' is unknown"),
        (b"field,field\nx,y", "stands twice"),
        (HEADER.encode(), "no line"),
    ],
)
def test_a_table_that_is_none_says_why(world: World, content: bytes, words: str) -> None:
    refused = world.send("farms/mine/records?kind=irrigation-events", content, 422).json()

    assert words in refused["detail"]


# --- what follows ---------------------------------------------------------------------------------


def test_whatever_is_entered_or_withdrawn_is_news_to_the_analysis(world: World) -> None:
    def digest() -> str:
        """What the crop zone's figures rest on: another digest, and it is computed anew."""
        with world.engine.connect() as connection:
            known = entered.load(connection, [farms.of_id(connection, world.mine.farm)])
        field, zone = next(pair for pair in known.zones if pair[1].id == world.mine.zone)
        return known.digest(field, zone)

    found = [digest()]
    event = world.post("irrigation-events", EVENT | {"field_id": world.mine.field}).json()["id"]
    found.append(digest())
    load = {"ticket": "A", "weighed_at": "2025-09-20T10:00:00Z", "net_kg": 8000}
    weighed = world.post("harvest-loads", load | {"crop_zone_id": world.mine.zone}).json()["id"]
    found.append(digest())
    world.ask("PATCH", f"crop-zones/{world.mine.zone}", 200, json={"harvested": "2025-09-25"})
    found.append(digest())
    world.ask("PATCH", f"fields/{world.mine.field}", 200, json={"soil": {"texture": "loam"}})
    found.append(digest())
    assert len(set(found)) == 5

    world.ask("DELETE", f"harvest-loads/{weighed}", 204)
    world.ask("PATCH", f"crop-zones/{world.mine.zone}", 200, json={"harvested": "2025-09-30"})
    world.ask("PATCH", f"fields/{world.mine.field}", 200, json={"soil": {}})
    assert digest() == found[1]
    world.ask("DELETE", f"irrigation-events/{event}", 204)
    assert digest() == found[0]
