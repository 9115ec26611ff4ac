"""Reports as XLSX and PDF over HTTP: in which form, in whose language, and when not again."""

import io

import openpyxl
import pypdfium2
import pytest

from api.formats import documents
from reports.documents import rendering
from reports.documents.typesetting import NotTypeset
from storage import audit
from tests.api.asking import Api
from tests.api.test_reports import AREA, FARM, World, late, put, world

__all__ = ["world"]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def first_page(content: bytes) -> str:
    return str(pypdfium2.PdfDocument(content)[0].get_textpage().get_text_range())


@pytest.mark.parametrize(
    ("query", "headers", "title"),
    [
        ("?format=pdf&lang=kk", {}, "Пайдаланылған су туралы есеп"),
        ("?format=pdf&language=ru", {"Accept-Language": "kk"}, "Отчёт об использовании воды"),
        ("?format=pdf", {"Accept-Language": "kk-KZ, ru;q=0.5"}, "Пайдаланылған су туралы есеп"),
        ("", {"Accept": "application/pdf"}, "Water statement"),
    ],
)
def test_pages_come_in_the_language_asked_for(
    world: World, query: str, headers: dict[str, str], title: str
) -> None:
    number = put(world, AREA)
    pulled = world.api.ask("GET", f"/v1/reports/{number}{query}", key=world.south, headers=headers)

    assert pulled.status_code == 200, pulled.text
    assert pulled.headers["content-type"] == "application/pdf"
    language = pulled.headers["content-language"]
    assert pulled.headers["content-disposition"].endswith(f'"{number}-0-{language}.pdf"')
    assert "Accept-Language" in pulled.headers["vary"]
    assert title in first_page(pulled.content)


def test_a_workbook_is_pulled_and_says_what_the_report_says(world: World) -> None:
    number = put(world, FARM)
    pulled = world.api.ask("GET", f"/v1/reports/{number}?format=xlsx&lang=ru", key=world.farm)
    said = world.api.ask("GET", f"/v1/reports/{number}", key=world.farm).json()["report"]

    assert pulled.headers["content-type"] == XLSX
    book = openpyxl.load_workbook(io.BytesIO(pulled.content))
    assert book.sheetnames == ["Титул", "Показатели", "Наблюдения"]
    assert book["Наблюдения"].max_row == 1 + len(said["content"]["observations"])


def test_a_revision_keeps_its_etag_and_another_has_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = put(world, AREA)
    path = f"/v1/reports/{number}?format=pdf&lang=kk"
    first = world.api.ask("GET", path, key=world.south)
    made: list[str] = []
    render = rendering.render
    monkeypatch.setattr(
        rendering, "render", lambda *asked: made.append(asked[-1]) or render(*asked)
    )
    again = world.api.ask(
        "GET", path, key=world.south, headers={"If-None-Match": first.headers["etag"]}
    )
    known = world.api.ask("GET", path, key=world.south)
    assert (again.status_code, again.content) == (304, b"")
    assert (known.content, made) == (first.content, [])
    # Another process makes the very same bytes.
    fresh = Api(world.engine).ask("GET", path, key=world.south)
    assert (fresh.content, fresh.headers["etag"]) == (first.content, first.headers["etag"])
    assert made == ["pdf"]
    other = world.api.ask("GET", path.replace("kk", "ru"), key=world.south)
    late(world)
    put(world, AREA | {"reason": "a meter was read late"})
    revised = world.api.ask("GET", path, key=world.south)
    before = world.api.ask("GET", f"{path}&revision=0", key=world.south)

    tags = {one.headers["etag"] for one in (first, other, revised)}
    assert len(tags) == 3
    assert before.headers["etag"] == first.headers["etag"]
    assert "a meter was read late" in first_page(revised.content)


def test_who_may_not_see_a_report_gets_no_pages_and_every_pull_is_written_down(
    world: World,
) -> None:
    number = put(world, AREA)
    path = f"/v1/reports/{number}?format=pdf"
    assert world.api.ask("GET", path, key=world.elsewhere).status_code == 404
    assert world.api.ask("GET", path, key=world.farm).status_code == 404
    assert world.api.ask("GET", path, key=world.south).status_code == 200

    with world.engine.connect() as connection:
        (newest, *_) = audit.page(connection)
    assert (newest.actor, newest.action) == ("client:south", "get_report")


def test_pages_that_do_not_come_are_told_as_a_problem(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bytes:
        raise NotTypeset("the pages took more than 30 s")

    number = put(world, AREA)
    monkeypatch.setattr(documents.rendering, "render", refuse)
    answer = world.api.ask("GET", f"/v1/reports/{number}?format=pdf", key=world.south)

    assert answer.status_code == 503
    assert answer.json()["detail"] == "The pages took more than 30 s."
    assert int(answer.headers["retry-after"]) > 0
