"""What a client of the REST API may rely on: the summary's arithmetic, caching, pages, readings."""

import datetime as dt
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.api.reading.farms import (
    ALMATY_JUNE_15,
    RAINFED,
    is_problem,
    put_farm,
    put_result,
    put_zone,
)

# --- the summary's arithmetic ---------------------------------------------------------------------


def test_a_farm_adds_up_its_zones(client: httpx.Client) -> None:
    found = client.get("/v1/farms/hand/summary?season=2025").json()

    assert found["area_ha"] == 50.0
    water = found["water"]
    assert water["applied_m3"] == 120_000.0
    assert water["applied_mm"] == pytest.approx(240.0)  # 120 000 m³ on 50 ha, 10 m³ to the ha·mm
    assert (water["baseline_m3"], water["baseline_area_ha"]) == (142_000.0, 40.0)
    assert water["recoverable_change_m3"] == -14_000.0
    assert water["eta_mm"] == pytest.approx(400.0)  # (10·500 + 30·400 + 10·300) / 50
    # 90 t over the evapotranspiration of the fields that were weighed: 50 000 + 120 000 m³.
    assert water["water_productivity_kg_m3"] == pytest.approx(90_000 / 170_000)
    assert water["weather_coverage_pct"] == 100.0
    assert water["water_coverage_pct"] == pytest.approx(62.5)  # (10·100 + 30·50) / 40: metered
    assert water["coverage_pct"] == pytest.approx(62.5)  # the lower of both
    assert water["closure_mm"] == 2e-13
    assert [zone["field"] for zone in found["crop_zones"]] == ["field-1", "field-2", "field-3"]


def test_own_uncertainties_add_in_quadrature_and_shared_ones_linearly(client: httpx.Client) -> None:
    saving = client.get("/v1/farms/hand/summary").json()["water"]["apparent_savings_m3"]

    # u² = 3000² + 4000² + (1000 + 1000)² = 29e6; the wider of the factors 2.5 and 3.
    half = 3.0 * 29e6**0.5
    assert saving["value"] == 22_000.0
    assert saving["ci95"] == pytest.approx([22_000.0 - half, 22_000.0 + half])
    assert saving["demonstrated"] is True  # 22 000 > 2 · 5385


def test_a_saving_within_two_standard_errors_is_not_demonstrated(client: httpx.Client) -> None:
    found = client.get("/v1/farms/hand/summary").json()

    # 3000 - 1000, u = √(1500² + 2000²) = 2500.
    assert found["water"]["consumptive_savings_m3"] == {
        "value": 2_000.0,
        "ci95": [pytest.approx(-5_500.0), pytest.approx(9_500.0)],
        "demonstrated": False,
    }
    second = found["crop_zones"][1]["water"]["consumptive_savings_m3"]
    assert second["value"] == -1_000.0  # shown as negative
    assert second["demonstrated"] is False


def test_without_a_baseline_there_is_no_saving_rather_than_none_saved(client: httpx.Client) -> None:
    water = client.get("/v1/farms/rainfed/summary").json()["water"]

    assert water["applied_m3"] == 0.0
    for name in ("baseline_m3", "apparent_savings_m3", "consumptive_savings_m3"):
        assert water[name] is None


def test_a_yield_is_mass_over_area_and_its_moisture_weighs_by_mass(client: httpx.Client) -> None:
    found = client.get("/v1/farms/hand/summary").json()["yield"]

    (of_cotton,) = found.pop("by_crop")
    assert (of_cotton["crop"], of_cotton["yield_kg_ha"]) == ("cotton", 3_000.0)
    assert found == {
        "harvested_ha": 30.0,
        "mass_t": 90.0,
        "bunker_mass_t": 99.0,
        "yield_kg_ha": 3_000.0,
        "yield_centner_ha": 30.0,
        "moisture_pct": pytest.approx(17.0),  # (33·15 + 66·18) / 99
        "source": "weighed loads",
        "sown_ha": 50.0,  # 20 ha were sown and not weighed
        "monitor": None,
        "response_estimate": None,
    }


def test_devices_in_service_report_or_are_silent(client: httpx.Client) -> None:
    found = client.get("/v1/farms/hand/summary").json()

    assert found["devices"] == {"total": 3, "reporting": 1, "silent": 2}  # one is switched off


def test_a_region_is_the_sum_of_its_farms(client: httpx.Client) -> None:
    found = client.get("/v1/regions/KZ-62/summary?season=2025").json()

    assert (found["farms_registered"], found["farms_reporting"]) == (2, 2)
    assert (found["area_ha"], found["water"]["applied_m3"]) == (100.0, 120_000.0)
    assert found["water"]["eta_mm"] == pytest.approx(350.0)  # (50·400 + 50·300) / 100
    assert [line["farm"] for line in found["farms"]] == ["hand", "rainfed"]
    assert found["water"]["apparent_savings_m3"]["value"] == 22_000.0


def test_a_farm_without_a_season_says_so_with_nulls(client: httpx.Client) -> None:
    found = client.get("/v1/farms/empty/summary").json()

    assert (found["season"], found["as_of"], found["crop_zones"]) == (None, None, [])
    assert found["water"]["applied_m3"] is None
    assert found["yield"]["mass_t"] is None


def test_a_summary_can_be_asked_for_as_it_stood(seeded: sa.Engine, client: httpx.Client) -> None:
    with seeded.begin() as connection:
        zone = put_zone(connection, put_farm(connection, "history"), "field-1", 10.0)
        put_result(connection, zone, RAINFED | {"applied_m3": 1.0})
    first = client.get("/v1/farms/history/summary").json()
    with seeded.begin() as connection:
        put_result(connection, zone, RAINFED | {"applied_m3": 2.0}, digest="second")

    then = client.get("/v1/farms/history/summary", params={"as_of": first["as_of"]}).json()
    now = client.get("/v1/farms/history/summary").json()

    assert then == first
    assert (then["water"]["applied_m3"], now["water"]["applied_m3"]) == (1.0, 2.0)


# --- caching --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["farms/hand/summary", "regions/KZ-62/summary?season=2025"])
def test_who_has_the_summary_already_is_told_so(client: httpx.Client, path: str) -> None:
    first = client.get(f"/v1/{path}")
    tag = first.headers["etag"]

    assert tag.startswith('"')  # strong
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(f"/v1/{path}", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(f"/v1/{path}", headers={"If-None-Match": '"other"'}).status_code == 200


# --- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "key"), [("farms", "slug"), ("devices", "id")])
@pytest.mark.parametrize("limit", [1, 2, 3, 1_000])
def test_following_the_links_meets_everything_once(
    client: httpx.Client, path: str, key: str, limit: int
) -> None:
    with_all = [one[key] for one in client.get(f"/v1/{path}?limit=1000").json()]
    met: list[str] = []
    following: str | None = f"/v1/{path}?limit={limit}"
    while following:
        answer = client.get(following)
        met += [one[key] for one in answer.json()]
        following = answer.links.get("next", {}).get("url")

    assert met == with_all == sorted(set(with_all))
    assert len(met) >= 5


def test_a_list_keeps_to_its_region_or_farm_on_every_page(client: httpx.Client) -> None:
    page = client.get("/v1/farms?region=KZ-62&limit=1")
    rest = client.get(page.links["next"]["url"])
    of_farm = client.get("/v1/devices?farm=hand").json()

    assert [one["slug"] for one in page.json() + rest.json()] == ["hand", "rainfed"]
    assert [one["id"] for one in of_farm] == ["heard", "late", "never", "off"]
    assert [one["quantity"] for one in of_farm[0]["datastreams"]] == ["battery_level"]


# --- readings -------------------------------------------------------------------------------------


def ask(client: httpx.Client, stream: int, start: dt.datetime, days: float, resolution: str) -> Any:
    parameters = {
        "start": start.isoformat(),
        "end": (start + dt.timedelta(days=days)).isoformat(),
        "resolution": resolution,
    }
    return client.get(f"/v1/datastreams/{stream}/readings", params=parameters)


def test_raw_readings_of_a_half_open_range(client: httpx.Client, stream: int) -> None:
    found = ask(client, stream, ALMATY_JUNE_15, 1, "raw").json()

    assert (found["quantity"], found["unit"]) == ("air_temperature", "°C")
    assert [(one["time"], one["value"]) for one in found["readings"]] == [
        ("2025-06-14T19:00:00Z", 1.0),
        ("2025-06-15T18:30:00Z", 3.0),
    ]


def test_hours_hold_what_was_measured_in_them(client: httpx.Client, stream: int) -> None:
    found = ask(client, stream, ALMATY_JUNE_15, 2, "hour").json()["readings"]

    assert [(one["start"], one["samples"], one["mean"]) for one in found] == [
        ("2025-06-14T19:00:00Z", 1, 1.0),
        ("2025-06-15T18:00:00Z", 1, 3.0),
        ("2025-06-15T19:00:00Z", 1, 10.0),
    ]


def test_days_are_those_of_the_farm(client: httpx.Client, stream: int) -> None:
    found = ask(client, stream, ALMATY_JUNE_15, 2, "day").json()["readings"]

    names = ("start", "samples", "mean", "low", "high", "last_value")
    assert [tuple(one[name] for name in names) for one in found] == [
        ("2025-06-14T19:00:00Z", 2, 2.0, 1.0, 3.0, 3.0),
        ("2025-06-15T19:00:00Z", 1, 10.0, 10.0, 10.0, 10.0),
    ]


@pytest.mark.parametrize(("resolution", "days"), [("raw", 31), ("hour", 732), ("day", 7_400)])
def test_the_longest_range_is_answered_and_a_longer_one_is_refused(
    client: httpx.Client, stream: int, resolution: str, days: int
) -> None:
    assert ask(client, stream, ALMATY_JUNE_15, days, resolution).status_code == 200

    for refused in (days + 0.01, 0, -1):
        answer = ask(client, stream, ALMATY_JUNE_15, refused, resolution)
        assert "end must be after start" in is_problem(answer, 422)["detail"]


def test_fields_come_at_once_up_to_a_bound_and_by_pages(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "/v1/farms/hand/fields"
    names = [one["name"] for one in client.get(url).json()]
    assert len(names) == 3

    found, page = [], client.get(f"{url}?limit=2")
    found += page.json()
    assert len(found) == 2
    found += client.get(page.links["next"]["url"]).json()
    assert [one["name"] for one in found] == names

    monkeypatch.setattr("api.routes.fields.MOST_FIELDS", 2)
    refused = client.get(url)
    assert refused.status_code == 422
    assert "more than 2 fields; ask for pages" in refused.json()["detail"]
