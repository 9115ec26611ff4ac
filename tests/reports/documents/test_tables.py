"""Tables show every observation once, where a reader looks for it."""

import pytest
import sqlalchemy as sa

from reports.documents import charts, pages, tables
from reports.documents.charts import Bars
from reports.documents.map_of_area import of_areas
from reports.documents.map_of_farm import of_fields
from reports.documents.shown import Shown
from reports.documents.tables import Column, Row, Table
from reports.documents.words import Words
from reports.statements.kinds import KINDS
from tests.reports.documents import shown as country

EN = Words("en")
AREA, FARM = {"area": "KZ"}, {"farm": "kz-61-0"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("asked", [AREA, FARM])
def test_every_observation_stands_in_one_cell(
    connection: sa.Connection, kind: str, asked: dict[str, str]
) -> None:
    country.put_country(connection)
    paper = country.draft(connection, kind, **asked)
    found = tables.of(paper.said, EN, paper.names)

    cells = [one for table in found for row in table.rows for one in row.cells.values()]
    observations = paper.said["content"]["observations"]
    assert len(cells) == len(observations) > 5
    assert all(one in cells for one in observations)
    # And cut for a page none is lost, nor told twice.
    cut = [part for table in found if table.division for _, part in pages._parts(table)]
    shown = sum(
        sum(name in row.cells for name in (one.indicator for one in part.columns))
        for part in cut for row in part.rows
    )  # fmt: skip
    (whole,) = (len(table.columns) for table in found if not table.division)
    assert shown + whole == len(cells)
    assert all(len(part.columns) + len(part.division) <= pages.MOST_COLUMNS for part in cut)


def test_areas_come_by_name_and_what_is_left_empty_is_empty(connection: sa.Connection) -> None:
    country.put_country(connection)
    paper = country.draft(connection, "water", **AREA)
    words = Words("kk")
    found = tables.of(paper.said, words, paper.names)
    table = tables.find(found, below=True)

    assert table is not None
    rows = [row for row in table.rows if "WATER_APPLIED" in row.cells]
    assert [row.names[0] for row in rows] == [
        "Қызылорда облысы", "Түркістан облысы", "Шымкент қаласы",
    ]  # fmt: skip
    assert rows[2].cells["WATER_APPLIED"]["OBS_STATUS"] == "Q"
    page = pages._page_table(table, table.caption(words), words)
    assert page["heads"][:3] == ["Аумақ", "Тіркелген шаруашылықтар", "Есеп берген шаруашылықтар"]
    place = page["heads"].index("Берілген су, м³")
    (few,) = (row for row in page["rows"] if row[0]["text"] == "Шымкент қаласы")
    assert few[place] == {"text": "", "more": "", "kind": "empty"}


def _table(values: dict[str, float]) -> Table:
    rows = tuple(
        Row((name,), (name,), {"WATER_APPLIED": {
            "INDICATOR": "WATER_APPLIED", "OBS_STATUS": "A", "OBS_VALUE": value,
            "UNIT_MEASURE": "m3", "FARMS": 1,
        }})
        for name, value in values.items()
    )  # fmt: skip
    return Table(False, ("CROP",), (Column("WATER_APPLIED", "m3"),), rows)


def test_bars_are_as_long_as_their_values_and_the_longest_first() -> None:
    # Ticks by hand: -20, 0, 20, 40, 60; the picture is 80 wide, zero at a quarter.
    made = charts.chart(
        _table({"a": 30.0, "b": -20.0, "c": 60.0}), Bars("WATER_APPLIED", ("WATER_APPLIED",)), EN
    )

    assert made is not None
    assert [one["label"] for one in made["ticks"]] == ["-20", "0", "20", "40", "60"]
    assert made["zero"] == 0.25
    bars = {row["label"]: row["bars"][0] for row in made["rows"]}
    assert list(bars) == ["c", "a", "b"]
    assert [(one["from"], one["to"]) for one in bars.values()] == [
        (0.25, 1.0), (0.25, 0.625), (0.0, 0.25),
    ]  # fmt: skip


def test_of_one_value_there_is_nothing_to_compare() -> None:
    bars = Bars("WATER_APPLIED", ("WATER_APPLIED",))

    assert charts.chart(_table({"a": 30.0}), bars, EN) is None


def test_a_saving_that_is_not_demonstrated_is_faint_and_has_its_interval(
    connection: sa.Connection,
) -> None:
    country.put_country(connection, few=3)
    paper = country.draft(connection, "savings", **AREA)
    table = tables.find(tables.of(paper.said, EN, paper.names), below=True)
    assert table is not None
    made = charts.chart(table, Bars("SAVING", ("APPARENT_SAVING", "REAL_SAVING")), EN)

    assert made is not None
    rows = {row["label"]: row["bars"] for row in made["rows"]}
    apparent, _ = rows["Turkistan Region"]
    low, high = apparent["interval"]
    assert (apparent["colour"], apparent["from"]) == (charts.COLOURS[0], made["zero"])
    assert low < apparent["to"] < high
    # 900 m³ more than before on each of three farms.
    more, _ = rows["Shymkent"]
    assert (more["text"], more["colour"], more["to"]) == (
        "-2\u202f700",
        charts.FAINT[0],
        made["zero"],
    )
    assert "faint: not demonstrated" in [one["label"] for one in made["legend"]]


def test_a_bar_that_is_left_empty_says_so(connection: sa.Connection) -> None:
    country.put_country(connection)
    paper = country.draft(connection, "savings", **AREA)
    table = tables.find(tables.of(paper.said, EN, paper.names), below=True)
    assert table is not None
    made = charts.chart(table, Bars("SAVING", ("APPARENT_SAVING",)), EN)

    assert made is not None
    bars = {row["label"]: row["bars"][0] for row in made["rows"]}
    assert bars["Shymkent"]["text"] == "left empty"
    assert bars["Shymkent"]["from"] == bars["Shymkent"]["to"]


def test_circles_have_areas_as_values_and_few_farms_have_no_place(
    connection: sa.Connection,
) -> None:
    country.put_country(connection)
    paper = country.draft(connection, "water", **AREA)
    table = tables.find(tables.of(paper.said, EN, paper.names), below=True)
    made = of_areas(paper, table, Shown("FARMS_REPORTING"), EN)

    assert made is not None
    assert [key[:2] for key in made["keys"]] == [
        ["1", "Kyzylorda Region"], ["2", "Shymkent"], ["3", "Turkistan Region"],
    ]  # fmt: skip
    assert {one["label"]: one["radius"] for one in made["circles"]} == {"1": 0.05, "3": 0.05}
    # Four farms in a column, 0.3° apart, of each region that has enough; of Shymkent no dot.
    assert len(made["dots"]) == 8
    assert "Shymkent" in made["notes"][-1]
    by_area = of_areas(paper, table, Shown("CROP_ZONES", "FARMS_REGISTERED"), EN)
    assert by_area is not None


def test_a_quarter_of_the_value_has_half_the_radius() -> None:
    from reports.documents.map_of_area import LARGEST, _circle

    assert _circle([0, 0], 25.0, 100.0, "1")["radius"] == LARGEST / 2
    assert _circle([0, 0], -100.0, 100.0, "1")["kind"] == "hollow"
    assert _circle([0, 0], None, 100.0, "1")["kind"] == "cross"


def test_fields_come_on_the_map_in_their_shape_and_with_their_value(
    connection: sa.Connection,
) -> None:
    country.put_country(connection)
    farm_id = connection.scalar(sa.text("SELECT id FROM farms WHERE slug = 'kz-61-0'"))
    second = country.filed.put_zone(connection, farm_id, field="field-2")
    country.filed.put_result(connection, second, country.filed.saved(5_000.0, 1.0), digest="2")
    country.filed.put_days(connection, second, {"2025-06-30": 50.0})
    country.bound(connection, "kz-61-0")
    third = country.filed.put_zone(connection, farm_id, field="field-3")
    assert third
    paper = country.draft(connection, "water", **FARM)
    table = tables.find(tables.of(paper.said, EN, paper.names), "FIELD")
    made = of_fields(paper, table, Shown("WATER_APPLIED_DEPTH"), EN)

    assert made is not None
    # 10 004 m³ and 5 000 m³ on 10 ha each.
    assert made["keys"] == [["1", "field-1", "100.0"], ["2", "field-2", "50.0"]]
    assert made["notes"] == ["No boundary is on record: field-3."]
    ring = made["polygons"][0]["rings"][0]
    (x0, y0), (x1, y1) = ring[0], ring[2]
    # 0.01° at 42.9° N: 1111 m to the north, cos(42.9°) of that to the east.
    assert (x1 - x0) / (y0 - y1) == pytest.approx(0.7325 * 1.0034, rel=0.01)
    assert made["scale"]["label"] == "500 m"
    assert made["polygons"][0]["colour"] != made["polygons"][1]["colour"]


def test_yields_of_different_crops_are_not_compared_by_shades(connection: sa.Connection) -> None:
    country.put_country(connection)
    farm_id = connection.scalar(sa.text("SELECT id FROM farms WHERE slug = 'kz-61-0'"))
    for field, crop in (("field-2", "maize"), ("field-3", "cotton")):
        zone = country.filed.put_zone(connection, farm_id, field=field, crop=crop)
        country.filed.put_result(connection, zone, country.filed.saved(9.0, 1.0), digest=field)
    country.bound(connection, "kz-61-0")
    paper = country.draft(connection, "yields", **FARM)
    table = tables.find(tables.of(paper.said, EN, paper.names), "FIELD")
    made = of_fields(paper, table, Shown("YIELD_CENTNER", of_crops=True), EN)

    assert made is not None
    cotton, maize, also = (one["colour"] for one in made["polygons"])
    assert cotton == also != maize
    assert [one["label"] for one in made["legend"]["colours"]] == ["Cotton", "Maize"]
    assert made["keys"][0] == ["1", "field-1", "30.0"]
