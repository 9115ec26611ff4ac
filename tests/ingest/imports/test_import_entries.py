"""What people wrote down: irrigation by depth, and weighed loads."""

import datetime as dt

import pytest

from tests.ingest.imports.conftest import Steppe
from tests.reports.machine_farm import put_field, put_zone

DEPTHS = "date,depth_mm,wetted_fraction,efficiency\n"
LOADS = "ticket,weighed_at,field,net_kg,moisture_pct,impurity_pct,area_ha\n"
EVENTS = """SELECT started_at, ended_at, volume_m3, wetted_fraction, efficiency, source, note
            FROM irrigation_events ORDER BY started_at"""


def test_a_depth_becomes_the_volume_on_what_grows(steppe: Steppe) -> None:
    text = DEPTHS + "2025-06-01,25,0.5,0.8\n2025-06-01,5,,\n"

    made = steppe.imports("i.csv", text, field="west")

    assert (made.kind, made.into, made.new) == ("irrigation", "west", 2)
    six = dt.datetime(2025, 6, 1, 1, tzinfo=dt.UTC)  # 06:00 in UTC+5
    hour = dt.timedelta(hours=1)
    note = "hours are nominal, from 06:00"
    # 1 mm is 10 m³/ha: 25 mm on 2 ha are 500 m³.
    assert steppe.rows(EVENTS) == [
        (six, six + hour, 500.0, 0.5, 0.8, "i.csv", note),
        (six + hour, six + 2 * hour, 100.0, None, None, "i.csv", note),
    ]


def test_before_anything_grows_the_whole_field_is_watered(steppe: Steppe) -> None:
    with steppe.engine.begin() as connection:
        field = put_field(connection, steppe.farm, "east", east=(100.0, 250.0))  # 3 ha
        put_zone(connection, field, area_ha=1.5)

    steppe.imports("i.csv", DEPTHS + "2025-05-01,10,,\n2025-05-15,10,,\n", field="east")

    assert [row[2] for row in steppe.rows(EVENTS)] == pytest.approx([300.0, 150.0])


def test_again_nothing_is_entered_twice_and_another_figure_is_refused(steppe: Steppe) -> None:
    steppe.imports("i.csv", DEPTHS + "2025-06-01,25,,\n", field="west")

    again = steppe.imports("i.csv", DEPTHS + "2025-06-01,25,,\n2025-06-09,20,,\n", field="west")
    other = steppe.imports("i.csv", DEPTHS + "2025-06-01,30,,\n", field="west")

    assert (again.new, again.known) == (1, 1)
    assert other.errors == (
        "i.csv, line 2, column depth_mm: 600.0 m³, and a file of this name has 500.0 m³ for the "
        "day already",
    )
    assert len(steppe.rows(EVENTS)) == 2


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        (None, "2025-06-01,25,,\n", "i.csv: which field is it of? Name one with --field (west)"),
        ("est", "2025-06-01,25,,\n", "i.csv: there is no field 'est' on the farm (west)"),
        ("west", "2025-10-02,25,,\n", "i.csv, line 2, column date: 2025-10-02 is still to come"),
        ("west", "2025-06-01,2500,,\n", "i.csv, line 2, column depth_mm: 2500 is not within"),
        ("west", "2025-06-01,25,,80\n", "i.csv, line 2, column efficiency: 80 is not within"),
        ("west", "2025-06-01,1,,\n" * 13, "i.csv, line 14, column date: more than 12 of"),
        ("west", "", "i.csv, line 1, column date: there is no application"),
    ],
)
def test_what_cannot_be_entered_is_refused(
    steppe: Steppe, field: str | None, text: str, reason: str
) -> None:
    made = steppe.imports("i.csv", DEPTHS + text, field=field)

    assert made.state == "refused"
    assert made.errors[0].startswith(reason)
    assert steppe.rows(EVENTS) == []


def test_loads_are_of_the_crop_that_grew_there(steppe: Steppe) -> None:
    text = LOADS + (
        "A-1,2025-09-10T18:30:00+05:00,west,8400,16.2,3.1,1.2\nA-2,2025-09-10 19:00,,5100,,,\n"
    )

    made = steppe.imports("l.csv", text, field="west")

    assert (made.kind, made.new, made.into) == ("loads", 2, "west")
    query = """SELECT crop_zone_id, ticket, weighed_at, net_kg, moisture_pct, impurity_pct, area_ha,
                      source FROM harvest_loads ORDER BY ticket"""
    at = dt.datetime(2025, 9, 10, 13, 30, tzinfo=dt.UTC)
    assert steppe.rows(query) == [
        (steppe.zone, "A-1", at, 8_400.0, 16.2, 3.1, 1.2, "l.csv"),
        (steppe.zone, "A-2", at + dt.timedelta(minutes=30), 5_100.0, None, None, None, "l.csv"),
    ]
    assert any("13,500 kg as weighed" in note for note in made.notes)


def test_loads_as_excel_saves_them_are_read_with_their_russian_names(steppe: Steppe) -> None:
    with steppe.engine.begin() as connection:
        put_zone(connection, put_field(connection, steppe.farm, "Поле 1", east=(100.0, 200.0)))
    text = LOADS.replace(",", ";") + "A-1;25.09.2025 18:30;Поле 1;8 400,5;11,5;;\n"

    made = steppe.imports("l.csv", text.encode("cp1251"))

    assert (made.state, made.into, made.new) == ("imported", "Поле 1", 1)
    query = "SELECT ticket, weighed_at, net_kg, moisture_pct FROM harvest_loads"
    at = dt.datetime(2025, 9, 25, 13, 30, tzinfo=dt.UTC)
    assert steppe.rows(query) == [("A-1", at, 8400.5, 11.5)]


@pytest.mark.parametrize(
    ("separator", "first"), [(";", "8 400,5"), (",", '"12,5"')], ids=["semicolons", "commas"]
)
def test_a_load_of_eight_tons_or_of_eight_kilograms_is_refused(
    steppe: Steppe, separator: str, first: str
) -> None:
    lines = [f"A-{number},25.09.2025 18:30,west,{{}},,," for number in (1, 2)]
    text = (LOADS + "\n".join(lines)).replace(",", separator).format(first, "8.400")

    made = steppe.imports("l.csv", text)

    assert made.state == "refused"
    (error,) = made.errors
    assert error.startswith("l.csv, line 3, column net_kg: ")
    assert "'8.400' may be 8400 or 8.400: write 8400 or 8.4000" in error
    assert steppe.rows("SELECT ticket FROM harvest_loads") == []


def test_what_a_program_says_of_its_separator_is_no_header(steppe: Steppe) -> None:
    line = "A-1;10.09.2025 18:30;west;8400;;;\n"

    made = steppe.imports("l.csv", "sep=;\n" + LOADS.replace(",", ";") + line)

    assert (made.kind, made.new) == ("loads", 1), made.errors


def test_a_ticket_counts_once_and_with_another_mass_people_decide(steppe: Steppe) -> None:
    line = "A-1,2025-09-10 18:30,west,8400,,,\n"
    steppe.imports("l.csv", LOADS + line)

    again = steppe.imports("other.csv", LOADS + line)
    other = steppe.imports("l.csv", LOADS + line.replace("8400", "4800"))

    assert (again.new, again.known) == (0, 1)
    assert other.errors == (
        "l.csv, line 2, column ticket: A-1 is known with 8,400 kg, not 4,800 kg",
    )


def test_bad_loads_are_named_line_by_line_and_none_is_stored(steppe: Steppe) -> None:
    text = LOADS + (
        "A-1,2025-09-10 18:30,west,8400,,,\n"
        ",2025-09-10 18:30,west,8400,,,\n"
        "A-3,10.09.2025,west,8400,,,\n"
        "A-4,2025-09-10 18:30,north,8400,,,\n"
        "A-5,2025-09-10 18:30,west,8.4 t,,,\n"
        "A-6,2025-09-10 18:30,west,8400,160,,\n"
        "A-7,2025-10-02 18:30,west,8400,,,\n"
        "A-8,2025-04-02 18:30,west,8400,,,\n"
        "A-1,2025-09-10 18:30,west,8400,,,\n"
        "A-9,2025-09-10 18:30,,8400,,,\n"
    )

    made = steppe.imports("l.csv", text)

    assert [error.removeprefix("l.csv, ").split(":")[0] for error in made.errors] == [
        "line 3, column ticket",
        "line 4, column weighed_at",
        "line 5, column field",
        "line 6, column net_kg",
        "line 7, column moisture_pct",
        "line 8, column weighed_at",
        "line 9, column weighed_at",
        "line 10, column ticket",
        "line 11, column field",
    ]
    assert steppe.rows("SELECT count(*) FROM harvest_loads") == [(0,)]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("ticket,weighed_at,net\n", "l.csv, line 1, column net: is unknown"),
        ("ticket,weighed_at,ticket\n", "l.csv, line 1, column ticket: stands twice"),
        ("ticket,weighed_at\n", "l.csv, line 1, column net_kg: is missing"),
        (LOADS, "l.csv, line 1, column ticket: there is no load"),
    ],
)
def test_a_bad_header_of_loads_is_refused(steppe: Steppe, header: str, reason: str) -> None:
    assert steppe.imports("l.csv", header).errors[0].startswith(reason)


def test_a_load_is_of_the_crop_planted_last_before_it(steppe: Steppe) -> None:
    with steppe.engine.begin() as connection:
        later = put_zone(
            connection, steppe.field, crop="maize", planted=dt.date(2025, 6, 20),
            harvested=dt.date(2025, 9, 20),
        )  # fmt: skip

    steppe.imports("l.csv", LOADS + "A-1,2025-09-25 18:30,west,8400,,,\n")

    assert steppe.rows("SELECT crop_zone_id FROM harvest_loads") == [(later,)]
