"""A workbook read back by another library says what the report says, and no more."""

import io

import openpyxl
import pytest
import sqlalchemy as sa
from openpyxl.worksheet.worksheet import Worksheet

from reports.documents.words import Words
from reports.documents.workbook import workbook
from reports.messages import LANGUAGES, Language
from reports.statements.columns import COLUMNS, whole
from tests.reports.documents import shown as country
from tests.reports.statements import filed


def sheets(content: bytes) -> list[Worksheet]:
    return list(openpyxl.load_workbook(io.BytesIO(content)).worksheets)


@pytest.mark.parametrize("kind", ["water", "savings"])
def test_observations_read_back_are_those_of_the_report(
    connection: sa.Connection, kind: str
) -> None:
    country.put_country(connection)
    filed.put_key(connection)
    paper = country.filed_paper(connection, kind, area="KZ")
    tidy = sheets(workbook(paper, Words("ru")))[2]

    heads, *rows = tidy.iter_rows(values_only=True)
    assert heads == ("REPORT", "REVISION", *COLUMNS)
    told = [dict(zip(COLUMNS, row[2:], strict=True)) for row in rows]
    assert told == [whole(one) for one in paper.said["content"]["observations"]]
    assert {row[:2] for row in rows} == {(paper.said["number"], 0)}
    assert tidy.freeze_panes == "A2"


def test_an_office_finds_its_figures_with_units_and_what_is_left_empty(
    connection: sa.Connection,
) -> None:
    country.put_country(connection)
    filed.put_key(connection)
    paper = country.filed_paper(connection, "savings", area="KZ")
    cover, figures, _ = sheets(workbook(paper, Words("en")))

    said = {row[0].value: row[1].value for row in cover.iter_rows() if row[0].value}
    assert said["Number"] == paper.said["number"]
    assert paper.seal is not None
    assert said["SHA-256 of the signed report"] == paper.seal.digest
    assert said["Signed by"] == "owner of files"
    assert any("dala verify" in str(one) for one in said)
    rows = {row[0].value: row for row in figures.iter_rows()}
    heads = [cell.value for cell in rows["Area"]]
    place = heads.index("Apparent saving, m³")
    south, few = rows["Kyzylorda Region"], rows["Shymkent"]
    assert south[place].value == 8_000
    assert south[place].number_format == "#,##0"
    assert south[place + 1].value < 8_000 < south[place + 2].value
    assert heads[place + 1] == "Apparent saving, m³ — 95 %: from"
    assert south[heads.index("Apparent saving — demonstrated")].value == "yes"
    assert few[place].value is None
    assert "no single farm" in few[place].comment.text
    assert few[place].fill.bgColor is not None
    assert (few[heads.index("Farms registered")].value, figures.freeze_panes) == (2, "B4")


@pytest.mark.parametrize("language", LANGUAGES)
def test_sheets_are_named_in_the_language(connection: sa.Connection, language: Language) -> None:
    country.put_country(connection)
    made = sheets(workbook(country.draft(connection, "yields", farm="kz-61-0"), Words(language)))

    names = {"en": "Figures", "ru": "Показатели", "kk": "Көрсеткіштер"}
    assert made[1].title == names[language]
    titles = {"en": "Draft", "ru": "Черновик", "kk": "Жоба"}
    assert str(made[0]["A1"].value).startswith(titles[language])
    assert [cell.value for cell in made[2][1]] == list(COLUMNS)


def test_the_same_report_is_the_same_file(connection: sa.Connection) -> None:
    country.put_country(connection)
    paper = country.draft(connection, "water", area="KZ")

    assert workbook(paper, Words("kk")) == workbook(paper, Words("kk"))


def test_a_name_that_a_spreadsheet_would_run_is_text(connection: sa.Connection) -> None:
    country.put_country(connection)
    name = '=HYPERLINK("http://example.com","x")'
    connection.execute(sa.text("UPDATE fields SET name = :name"), {"name": name})
    made = sheets(workbook(country.draft(connection, "water", farm="kz-61-0"), Words("en")))

    cells = [cell for sheet in made for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value == name} == {"s"}
    assert not [cell for cell in cells if cell.data_type == "f"]
