"""The verb import: what it prints, and with which code it ends."""

import json

import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner

from cli.importing import import_files
from tests.reports.machine_farm import put_farm, put_field, put_zone

GOOD = "date,depth_mm,wetted_fraction,efficiency\n2025-06-01,25,,\n"


@pytest.fixture
def run(empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch):
    """The verb on the test database."""
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    monkeypatch.setenv("COLUMNS", "200")
    with empty_engine.begin() as connection:
        put_zone(connection, put_field(connection, put_farm(connection), "west"))
    app = typer.Typer()
    app.command()(import_files)
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


def test_all_imported_ends_well(run, tmp_path):
    (tmp_path / "i.csv").write_text(GOOD)

    result = run(tmp_path, "--farm", "steppe", "--field", "west")

    assert result.exit_code == 0
    assert "irrigation" in result.stdout
    assert "500 m³; hours are nominal" in result.stdout


def test_one_bad_file_ends_with_1_and_the_others_are_in(run, tmp_path):
    (tmp_path / "a.csv").write_text(GOOD.replace("25,,", "2500,,"))
    (tmp_path / "b.csv").write_text(GOOD)

    result = run(tmp_path, "--farm", "steppe", "--field", "west", "--json")

    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert [row["state"] for row in rows] == ["refused", "imported"]
    assert rows[0]["errors"][0].startswith("a.csv, line 2, column depth_mm: 2500 is not within")
    assert (rows[1]["new"], rows[1]["unit"]) == (1, "applications")


def test_a_dry_run_keeps_nothing(run, tmp_path, empty_engine):
    (tmp_path / "i.csv").write_text(GOOD)

    result = run(tmp_path, "--farm", "steppe", "--field", "west", "--dry-run")

    assert result.exit_code == 0
    assert "line 2: date 2025-06-01, volume_m3 500.0" in result.stdout
    with empty_engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM irrigation_events")) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--farm", "steppes"), "There is no farm 'steppes'. Try: steppe"),
        (("--farm", "steppe", "--timezone", "Almaty"), "--timezone 'Almaty' is no IANA time zone"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(run, tmp_path, arguments, words):
    result = run(tmp_path, *arguments)

    assert result.exit_code == 1
    assert words in result.stderr


def test_an_empty_folder_is_nothing_imported(run, tmp_path):
    result = run(tmp_path, "--farm", "steppe")

    assert result.exit_code == 1
    assert "There is nothing at these paths." in result.stdout
