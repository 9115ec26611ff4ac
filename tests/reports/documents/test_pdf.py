"""Pages: read as text and looked at as pictures, in every language, whatever names there are."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pypdfium2
import pytest
import sqlalchemy as sa

from reports.documents import FORMS, pages, rendering, typesetting
from reports.documents.paper import Paper
from reports.documents.typesetting import NotTypeset
from reports.documents.words import Words
from reports.messages import LANGUAGES, Language
from tests.reports.documents import shown as country
from tests.reports.statements import filed


def pdf(paper: Paper, language: Language = "en") -> bytes:
    return typesetting.pdf(pages.of(paper, Words(language)))


def text(content: bytes) -> str:
    """Of all pages, blanks and line ends as one blank."""
    document = pypdfium2.PdfDocument(content)
    found = " ".join(page.get_textpage().get_text_range() for page in document)
    return " ".join(found.split())


def ink(content: bytes) -> Sequence[float]:
    """Of each page, the share of points that are not white."""
    shares = []
    for page in pypdfium2.PdfDocument(content):
        picture = page.render(scale=0.5, grayscale=True).to_numpy()
        shares.append(float((picture < 250).mean()))
    return shares


WORDS = {
    "en": ("Water statement", "Turkistan Region", "By month", "Farms registered", "06", "drip"),
    "ru": ("Отчёт об использовании воды", "Туркестанская область", "По месяцам", "06.2025"),
    "kk": ("Пайдаланылған су туралы есеп", "Түркістан облысы", "Айлар бойынша", "тамшылатып",
           "жеке шаруашылықтың дерегін ашпау үшін", "Қызылорда облысы"),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_areas_pages_say_it_in_the_language(
    connection: sa.Connection, language: Language
) -> None:
    country.put_country(connection)
    filed.put_key(connection)
    paper = country.filed_paper(connection, "water", area="KZ")
    made = pdf(paper, language)
    said = text(made)

    assert paper.seal is not None
    for one in (*WORDS[language], paper.said["number"], paper.seal.digest, paper.seal.kid):
        assert one in said
    assert f"https://dala.example.kz/v1/reports/{paper.said['number']}?revision=0" in said
    assert "dala verify" in said
    assert all(0.01 < share < 0.5 for share in ink(made))


def test_the_pages_carry_the_signed_file_itself(connection: sa.Connection) -> None:
    country.put_country(connection)
    filed.put_key(connection)
    paper = country.filed_paper(connection, "savings", area="KZ-61")
    document = pypdfium2.PdfDocument(pdf(paper))

    assert document.count_attachments() == 1
    attached = document.get_attachment(0)
    assert attached.get_name() == f"{paper.said['number']}.json"
    assert paper.seal is not None
    assert bytes(attached.get_data()) == paper.seal.file


def test_the_code_on_the_page_is_read_as_address_and_digest(connection: sa.Connection) -> None:
    import zxingcpp

    country.put_country(connection)
    filed.put_key(connection)
    paper = country.filed_paper(connection, "water", farm="kz-61-0")
    picture = pypdfium2.PdfDocument(pdf(paper))[0].render(scale=2.0).to_pil()

    (code,) = zxingcpp.read_barcodes(picture)
    assert paper.seal is not None
    number = paper.said["number"]
    address = f"https://dala.example.kz/v1/reports/{number}?revision=0"
    assert code.text == f"{address}#sha256={paper.seal.digest}"


NAMES = ('#import "x": *', "*bold* _it_ $x^2$", "@ref <label> #panic()", "\\u{41} `raw` = head",
         "[#read(\"/etc/passwd\")]", "// gone /* too */")  # fmt: skip


def test_names_with_signs_of_markup_are_plain_text(connection: sa.Connection) -> None:
    country.put_country(connection)
    connection.execute(
        sa.text("UPDATE farms SET name = :name WHERE slug = 'kz-61-0'"), {"name": NAMES[0]}
    )
    farm_id = connection.scalar(sa.text("SELECT id FROM farms WHERE slug = 'kz-61-0'"))
    for name in NAMES:
        zone = filed.put_zone(connection, farm_id, field=name, crop=f"{name} 2")
        filed.put_result(connection, zone, filed.saved(1_000.0, 10.0), digest=name)
    country.bound(connection, "kz-61-0")
    said = text(pdf(country.draft(connection, "water", farm="kz-61-0")))

    for name in NAMES:
        assert name in said
        assert f"{name} 2" in said


def test_a_name_in_letters_that_no_font_has_does_not_keep_the_pages_away(
    connection: sa.Connection,
) -> None:
    country.put_country(connection)
    connection.execute(
        sa.text("UPDATE farms SET name = :name WHERE slug = 'kz-61-0'"), {"name": "農場 🚜"}
    )
    made = pdf(country.draft(connection, "yields", farm="kz-61-0"))

    assert "Yields by crop" in text(made)
    assert b"pdfaid:part" not in made
    assert b"pdfaid:part" in pdf(country.draft(connection, "yields", farm="kz-61-1"))


def test_the_same_report_is_the_same_bytes(connection: sa.Connection) -> None:
    country.put_country(connection)
    country.bound(connection, "kz-61-0")
    paper = country.draft(connection, "harvest", farm="kz-61-0")

    assert pdf(paper, "kk") == pdf(paper, "kk")


def test_a_draft_says_so_on_every_page_and_has_no_signature(connection: sa.Connection) -> None:
    country.put_country(connection)
    made = pdf(country.draft(connection, "programme", area="KZ"), "ru")
    document = pypdfium2.PdfDocument(made)

    for page in document:
        assert "Черновик: не зарегистрирован" in page.get_textpage().get_text_range()
    assert document.count_attachments() == 0
    assert "SHA-256 подписанного" not in text(made)


def test_pages_that_take_too_long_are_given_up(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    endless = tmp_path / "endless.py"
    endless.write_text("while True: pass")
    monkeypatch.setattr(typesetting, "PROCESS", endless)
    monkeypatch.setattr(typesetting, "LONGEST_S", 0.2)
    with pytest.raises(NotTypeset, match="took more than"):
        typesetting.pdf({})

    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no such template')")
    monkeypatch.setattr(typesetting, "PROCESS", broken)
    monkeypatch.setattr(typesetting, "LONGEST_S", 20.0)
    with pytest.raises(NotTypeset, match="no such template"):
        typesetting.pdf({})


@pytest.mark.parametrize("form", FORMS)
def test_who_is_too_many_is_sent_away_at_once(
    form: str, connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that wait for documents are threads that answer nobody else."""
    country.put_country(connection)
    paper, words = country.draft(connection, "yields", area="KZ"), Words("en")
    with contextlib.ExitStack() as taken:
        while typesetting.IN_LINE.acquire(blocking=False):
            taken.callback(typesetting.IN_LINE.release)
        with pytest.raises(NotTypeset, match="ask again"):
            rendering.render(paper, words, form)
    monkeypatch.setattr(typesetting, "WAIT_S", 0.01)
    with typesetting.AT_ONCE, typesetting.AT_ONCE, pytest.raises(NotTypeset, match="ask again"):
        rendering.render(paper, words, form)
    assert rendering.render(paper, words, form)


def test_the_process_that_typesets_knows_nothing_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nosy = tmp_path / "nosy.py"
    nosy.write_text(
        "import os, sys; sys.stdout.write('%PDF-' + repr((dict(os.environ).get('DALA_API_TOKEN'),"
        " 'reports' in sys.modules)))"
    )
    monkeypatch.setenv("DALA_API_TOKEN", "secret")
    monkeypatch.setattr(typesetting, "PROCESS", nosy)

    assert typesetting.pdf({}) == b"%PDF-(None, False)"
