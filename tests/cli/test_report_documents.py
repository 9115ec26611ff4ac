"""Reports on the command line as files for people: filed ones and drafts."""

import re
from pathlib import Path

import openpyxl
import pypdfium2
import pytest
import sqlalchemy as sa

from tests.cli.test_reporting import KZ61, Run, run

__all__ = ["run"]


def first_page(file: Path) -> str:
    return str(pypdfium2.PdfDocument(file)[0].get_textpage().get_text_range())


def test_a_filed_report_is_written_for_people(
    run: Run, tmp_path: Path, empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DALA_PUBLIC_URL", "https://dala.example.kz")
    run("report", "key", "--owner", "the ministry")
    filed = tmp_path / "filed.pdf"
    done = run("report", "savings", *KZ61, "--file", "--format", "pdf", "--out", filed)
    assert done.exit_code == 0, done.output
    number = done.stderr.split()[3].rstrip(".")
    assert f"https://dala.example.kz/v1/reports/{number}?revision=0" in first_page(filed)

    shown = tmp_path / "shown.pdf"
    done = run("report", "show", number, "--format", "pdf", "--lang", "kk", "--out", shown)
    assert done.exit_code == 0, done.output
    assert "Тіркелген есеп" in first_page(shown)
    attached = tmp_path / "attached.json"
    attached.write_bytes(pypdfium2.PdfDocument(shown).get_attachment(0).get_data())
    run("report", "keys", "--out", tmp_path / "keys.json")
    proved = run("verify", attached, "--keys", tmp_path / "keys.json")
    assert proved.exit_code == 0, proved.output
    (digest,) = re.findall("[0-9a-f]{64}", proved.stdout)
    assert digest in first_page(shown)
    done = run("report", "show", number, "--format", "xlsx", "--out", tmp_path / "shown.xlsx")
    assert done.exit_code == 0, done.output
    book = openpyxl.load_workbook(tmp_path / "shown.xlsx")
    assert book["Cover"]["A1"].value == "Filed report"


def test_a_draft_is_written_and_says_that_it_is_one(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "draft.pdf"
    asked = ("report", "water", "--farm", "kz-61-0", "--season", 2025)
    done = run(*asked, "--format", "pdf", "--lang", "ru", "--out", out)
    assert done.exit_code == 0, done.output
    assert "Черновик: не зарегистрирован" in first_page(out)


def test_pages_need_a_file_and_a_report(run: Run, tmp_path: Path) -> None:
    done = run("report", "water", *KZ61, "--format", "pdf")
    assert (done.exit_code, "--out report.pdf" in done.stderr) == (1, True)
    done = run("report", "show", "water-1999-0001", "--format", "xlsx", "--out", tmp_path / "x")
    assert (done.exit_code, "no report" in done.stderr) == (1, True)
