"""Verbs for reports: filed, listed, shown and checked, and with which code they end."""

import csv
import datetime as dt
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from cli import speaking
from dala import app
from reports.statements.signing import SigningKey
from storage import audit
from tests.reports.bundle import small_farm
from tests.reports.statements import filed

Run = Callable[..., Result]
KZ61 = ("--region", "KZ-61", "--season", 2025)


@pytest.fixture
def run(empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A verb on the test database, with its key in a folder of its own."""
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    monkeypatch.setenv("DALA_REPORT_KEY_FILE", str(tmp_path / "key.jwk"))
    monkeypatch.setenv("COLUMNS", "250")
    with empty_engine.begin() as connection:
        filed.put_country(connection)
    return lambda *words: CliRunner().invoke(app, [str(one) for one in words])


def test_a_report_is_filed_checked_and_found_when_it_was_changed(
    run: Run, tmp_path: Path, empty_engine: sa.Engine
) -> None:
    keys, report = tmp_path / "keys.json", tmp_path / "report.json"
    refused = run("report", "water", *KZ61, "--file")
    assert (refused.exit_code, "`dala report key` makes one" in refused.stderr) == (1, True)
    made = run("report", "key", "--owner", "the ministry")
    assert made.exit_code == 0, made.output
    assert (tmp_path / "key.jwk").stat().st_mode & 0o777 == 0o600
    run("report", "keys", "--out", keys)
    done = run("report", "water", *KZ61, "--file", "--out", report)
    assert "Filed as report water-" in done.stderr
    again = run("report", "water", *KZ61, "--file")
    assert "nothing was filed" in again.stderr

    proved = run("verify", report, "--keys", keys)
    assert (proved.exit_code, "(the ministry), and unchanged since" in proved.stdout) == (0, True)
    whose = run("verify", report)
    assert (whose.exit_code, "give the keys that you trust" in whose.stdout) == (3, True)
    report.write_bytes(report.read_bytes().replace(b"40006", b"30006"))
    changed = run("verify", report, "--keys", keys)
    assert (changed.exit_code, "Rejected" in changed.stdout) == (1, True)
    missing = run("verify", tmp_path / "none.json")
    assert (missing.exit_code, "No such file" in missing.stderr) == (2, True)
    with empty_engine.connect() as connection:
        deeds = [(one.action, one.actor) for one in audit.page(connection)]
    assert deeds == [("report.file", speaking.author()), ("report.key", speaking.author())]


def test_who_is_at_the_console_files_unless_another_is_named(run: Run, tmp_path: Path) -> None:
    run("report", "key", "--owner", "the ministry")
    mine, hers = tmp_path / "mine.json", tmp_path / "hers.json"
    run("report", "water", *KZ61, "--file", "--out", mine)
    run("report", "yields", *KZ61, "--file", "--author", "Aigul", "--out", hers)

    files = [json.loads(one.read_text())["report"]["filed_by"] for one in (mine, hers)]
    assert files == [speaking.author(), "Aigul"]


def test_what_was_filed_is_listed_and_shown(run: Run, tmp_path: Path) -> None:
    assert "No report was filed yet" in run("report", "list").stderr
    run("report", "key")
    number = run("report", "savings", *KZ61, "--file").stderr.split()[3].rstrip(".")

    assert number in run("report", "list").stdout
    shown = run("report", "show", number, "--format", "json")
    (tmp_path / "shown.json").write_bytes(shown.stdout_bytes)
    assert run("verify", tmp_path / "shown.json").exit_code == 3  # whole, and without keys
    assert "APPARENT_SAVING" in run("report", "show", number).stdout
    content = json.loads(shown.stdout)
    assert content["report"]["number"] == number
    header = run("report", "show", number, "--format", "csv").stdout.splitlines()[0]
    assert header.startswith("REF_AREA,FARM,TIME_PERIOD,INDICATOR,")
    assert run("report", "show", "savings-1999-0001").exit_code == 1


def test_a_field_whose_name_is_a_formula_is_a_name_in_csv(
    run: Run, empty_engine: sa.Engine
) -> None:
    with empty_engine.begin() as connection:
        connection.execute(sa.text("UPDATE fields SET name = '=1+1'"))
    shown = run("report", "water", "--farm", "kz-61-0", "--season", 2025, "--format", "csv")

    named = {row["FIELD"] for row in csv.DictReader(shown.stdout.splitlines())}
    assert named == {"_T", "'=1+1"}


def test_a_rotated_key_leaves_old_reports_proved(run: Run, tmp_path: Path) -> None:
    run("report", "key")
    run("report", "water", *KZ61, "--file", "--out", tmp_path / "old.json")
    assert run("report", "key", "--rotate").exit_code == 0
    run("report", "savings", *KZ61, "--file", "--out", tmp_path / "new.json")
    run("report", "keys", "--out", tmp_path / "keys.json")

    assert len(list(tmp_path.glob("*.retired.jwk"))) == 1
    for name in ("old", "new"):
        done = run("verify", tmp_path / f"{name}.json", "--keys", tmp_path / "keys.json")
        assert done.exit_code == 0, done.stdout


def test_who_may_countersign_is_made_known(run: Run, tmp_path: Path) -> None:
    (tmp_path / "jwk.json").write_text(json.dumps(SigningKey.make().public))
    done = run("report", "trust", tmp_path / "jwk.json", "--owner", "the ministry")
    assert (done.exit_code, "the ministry may countersign" in done.stderr) == (0, True)
    (tmp_path / "jwk.json").write_text("{}")
    done = run("report", "trust", tmp_path / "jwk.json", "--owner", "x")
    assert (done.exit_code, "no public key of Ed25519" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("water", "--season", 2025), "Name a farm or an area"),
        (("water", *KZ61, "--farm", "kz-61-0"), "one of the two"),
        (("water", *KZ61, "--from", "2025-06-01"), "give both --from and --to"),
        (("water", *KZ61, "--from", "2025-06-01", "--to", "2025-06-30"), "Only a farm's water"),
        (("water", "--region", "KZ-99", "--season", 2025), "no area 'KZ-99'"),
        (("water", "--farm", "nowhere", "--season", 2025), "no farm 'nowhere'"),
        (("water", *KZ61, "--as-of", "2025-06-01"), "needs its offset"),
    ],
)
def test_what_is_no_report_is_said(run: Run, words: tuple[object, ...], why: str) -> None:
    done = run("report", *words)

    assert done.exit_code == 1
    assert why in done.stderr


def test_figures_are_made_again_of_a_reports_evidence_offline(
    empty_engine: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    world = small_farm.found(empty_engine)
    small_farm.grow(world)
    world.analyse(small_farm.HARVESTED + dt.timedelta(days=10))
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    monkeypatch.setenv("DALA_REPORT_KEY_FILE", str(tmp_path / "key.jwk"))
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("room")))
    monkeypatch.setattr(tempfile, "tempdir", None)

    def run(*words: object) -> Result:
        return CliRunner().invoke(app, [str(one) for one in words])

    of_farm = ("--farm", small_farm.SLUG, "--season", 2025)
    run("report", "key", "--owner", "the ministry")
    run("report", "keys", "--out", tmp_path / "keys.json")
    with empty_engine.begin() as connection:
        connection.execute(sa.text("UPDATE irrigation_events SET volume_m3 = 700"))
    old = run("report", "water", *of_farm, "--file")
    assert "older than what is below them: of oasis something arrived" in old.stderr
    report, bundle = tmp_path / "report.json", tmp_path / "evidence.zip"
    said = run(
        "report", "water", *of_farm, "--file", "--analyze", "--reason", "late", "--out", report
    ).stderr
    assert "older than what is below them" not in said
    assert "Computed oasis: 1 crop zones have a new result." in said
    number = json.loads(report.read_bytes())["report"]["number"]
    written = run("report", "evidence", number, "--out", bundle)
    assert written.exit_code == 0, written.stderr
    with empty_engine.connect() as connection:
        assert next(iter(audit.page(connection))).action == "report.evidence"

    monkeypatch.delenv("DALA_DATABASE_URL")  # from here on there is no service
    check = ("verify", report, "--keys", tmp_path / "keys.json", "--evidence")
    proved = run(*check, bundle)
    assert proved.exit_code == 0, proved.output
    assert "All 24 figures, their coverage and methods, were made again" in proved.stdout
    assert list(Path(os.environ["TMPDIR"]).iterdir()) == []  # the database is gone
    bundle.write_bytes(bundle.read_bytes()[:-1])
    cut = run(*check, bundle)
    assert (cut.exit_code, "This is not the report's evidence" in cut.stdout) == (1, True)
    missing = run(*check, tmp_path / "none.zip")
    assert (missing.exit_code, "No such file" in missing.stderr) == (2, True)
