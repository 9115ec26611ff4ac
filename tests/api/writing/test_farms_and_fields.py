"""Farms and fields are entered over REST: checked, with their author, never erased."""

from typing import Any

import pytest

from tests.api.writing.world import BOW_TIE, EAST, NORTH, World, ring, square

# --- farms ----------------------------------------------------------------------------------------

FARM = {
    "slug": "new-farm",
    "name": "New",
    "region_code": "KZ-61",
    "timezone": "Asia/Almaty",
    "latitude_deg": 43.3,
    "longitude_deg": 68.25,
    "elevation_m": 210,
}


def test_a_farm_is_entered_by_who_sees_all_and_changed_by_who_read_it(world: World) -> None:
    world.post("farms", FARM, 403)
    made = world.post("farms", FARM, key=world.boss)
    assert made.headers["location"] == "/v1/farms/new-farm"
    world.post("farms", FARM, 409, key=world.boss)

    tag = made.headers["etag"]
    assert world.ask("GET", "farms/new-farm", 200, key=world.boss).headers["etag"] == tag
    condition = {"If-Match": tag}
    changed = world.ask(
        "PATCH", "farms/new-farm", 200, json={"name": "Newer"}, headers=condition, key=world.boss
    )
    assert changed.json()["name"] == "Newer"
    world.ask(
        "PATCH", "farms/new-farm", 412, json={"name": "Old"}, headers=condition, key=world.boss
    )
    world.ask("PATCH", "farms/mine", 403, json={"region_code": "KZ-43"})
    world.ask("PATCH", "farms/mine", 422, json={"timezone": "Mars/Olympus"})
    world.ask("PATCH", "farms/mine", 422, json={"name": None})


# --- fields ---------------------------------------------------------------------------------------


def test_a_field_is_entered_with_its_area_author_and_a_line_in_the_book(world: World) -> None:
    made = world.post("farms/mine/fields", {"name": "north", "geometry": square()}).json()

    # 500 m by 500 m: 25 ha; the trapezium of the meridians and the arc of the parallel are less
    # than a thousandth.
    assert made["field"]["area_ha"] == pytest.approx(25.0, rel=1e-3)
    assert made["field"]["area_source"] == "geodesic"
    assert made["boundary_version"] == 1
    deed = world.deeds(world.mine.farm)[-1]
    assert (deed.actor, deed.action) == (world.actor, "field.create")
    assert deed.object == f"field:{made['field']['id']}"
    (version,) = world.ask("GET", f"fields/{made['field']['id']}/boundaries", 200).json()
    assert version["created_by"] == world.actor


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (BOW_TIE, "Self-intersection[68.005 43.005]"),
        (ring((500_000, 4_800_000), (500_500, 4_800_000), (500_500, 4_800_500)), "degrees"),
        (ring((68.0, 43.0), (75.0, 43.0), (75.0, 44.0)), "wider than five degrees"),
        ({"type": "LineString", "coordinates": [[68, 43], [69, 44]]}, "is a LineString"),
        ({"type": "Polygon", "coordinates": []}, "is empty"),
        ({"type": "Polygon", "coordinates": [[[68, 43], [69, 44]]]}, "make no Polygon"),
        ({"type": "Polygon", "coordinates": "x"}, "make no Polygon"),
        ({"type": "Polygon"}, "make no Polygon"),
        ({}, "is a None"),
        (ring((68.0, 43.0), (68.00001, 43.0), (68.0, 43.00001)), "ha, and a field"),
    ],
)
def test_a_boundary_that_can_be_none_is_refused_with_the_place(
    world: World, geometry: dict[str, Any], words: str
) -> None:
    refused = world.post("farms/mine/fields", {"name": "bad", "geometry": geometry}, 422).json()

    assert words in refused["detail"]


def test_the_area_of_documents_is_compared(world: World) -> None:
    asked = {"name": "north", "geometry": square(), "official_area_ha": 27.0}

    refused = world.post("farms/mine/fields", asked, 422).json()
    assert "25.00 ha, documents say 27.00 ha: -7.4 %" in refused["detail"]
    world.post("farms/mine/fields", asked | {"area_tolerance_pct": 10})


def test_an_overlap_with_a_neighbour_is_warned_of(world: World) -> None:
    world.post("farms/mine/fields", {"name": "north", "geometry": square()})
    beside = {"name": "beside", "geometry": square(68.25 + EAST)}
    half = {"name": "half", "geometry": square(68.25 + EAST / 2, 43.3 + NORTH)}
    over = {"name": "over", "geometry": square(68.25 - EAST / 2)}

    assert world.post("farms/mine/fields", beside).json()["warnings"] == []
    assert world.post("farms/mine/fields", half).json()["warnings"] == []
    # Half of 25 ha.
    assert world.post("farms/mine/fields", over).json()["warnings"] == [
        "overlaps north by 12.50 ha"
    ]


def test_a_new_boundary_keeps_the_old(world: World) -> None:
    field = world.post("farms/mine/fields", {"name": "north", "geometry": square()}).json()["field"]
    path = f"fields/{field['id']}"
    tag = world.ask("GET", path, 200).headers["etag"]

    larger = square(size=1.2)
    written = world.ask("PUT", f"{path}/boundary", 200, json=larger, headers={"If-Match": tag})
    assert written.json()["boundary_version"] == 2
    assert written.json()["field"]["area_ha"] == pytest.approx(36.0, rel=1e-3)  # 25 ha · 1.2²
    assert written.headers["etag"] == world.ask("GET", path, 200).headers["etag"] != tag
    world.ask("PUT", f"{path}/boundary", 412, json=square(), headers={"If-Match": tag})
    versions = world.ask("GET", f"{path}/boundaries", 200).json()
    assert [one["geometry"] for one in versions] == [larger, square()]


def test_a_field_with_crops_is_not_withdrawn_and_one_without_is_and_stays(world: World) -> None:
    world.ask("DELETE", f"fields/{world.mine.field}", 409)
    world.ask("DELETE", f"crop-zones/{world.mine.zone}", 204)
    world.ask("GET", f"crop-zones/{world.mine.zone}", 404)
    world.ask("DELETE", f"fields/{world.mine.field}", 204)

    assert world.ask("GET", "farms/mine/fields", 200).json() == []
    world.ask("GET", f"fields/{world.mine.field}", 404)
    assert world.count("fields") == 0  # and none less
    # Another may have its name.
    world.post("farms/mine/fields", {"name": "field-1", "official_area_ha": 9})
    assert [deed.action for deed in world.deeds(world.mine.farm)] == [
        "crop-zone.withdraw",
        "field.withdraw",
        "field.create",
    ]


def test_a_soil_that_no_balance_could_use_is_refused(world: World) -> None:
    field = f"fields/{world.mine.field}"
    assert (
        "texture"
        in world.ask("PATCH", field, 422, json={"soil": {"texture": "marmalade"}}).json()["detail"]
    )
    world.ask("PATCH", field, 200, json={"soil": {"texture": "loam"}})
