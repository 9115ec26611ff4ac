"""Verbs for who is told of reports, and which reports file themselves."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from cli import speaking
from dala import app
from seeds import checkup
from seeds.checkup import Finding
from storage import api_clients, audit, farms, tables
from tests.reports.statements import filed
from tests.watch.receivers import receiver

Run = Callable[..., Result]


@pytest.fixture
def run(empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A verb on the test database, with its key in a folder of its own."""
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    monkeypatch.setenv("DALA_REPORT_KEY_FILE", str(tmp_path / "key.jwk"))
    monkeypatch.setenv("DALA_WEBHOOK_PRIVATE", "true")
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("DALA_LOG_LEVEL", "error")
    with empty_engine.begin() as connection:
        filed.put_country(connection, farms_each=1)
        api_clients.add(
            connection,
            "south",
            scopes=["read:reports", "subscribe:reports"],
            regions=["KZ-61"],
            created_by="test",
        )
    return lambda *words: CliRunner().invoke(app, [str(one) for one in words])


def make_due(engine: sa.Engine, days: int) -> None:
    """Let so many days have passed since every schedule was carried out."""
    done = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    with engine.begin() as connection:
        connection.execute(sa.update(tables.report_schedules).values(done_until=done))


def scheduled_reports(engine: sa.Engine) -> Finding:
    """What the doctor says of them."""
    with engine.connect() as connection:
        found = checkup._of_database(connection)
    return next(one for one in found if one.what == "Scheduled reports")


def test_a_bulletin_is_scheduled_filed_and_told(
    run: Run, empty_engine: sa.Engine, tmp_path: Path
) -> None:
    assert "No report files itself" in run("report", "schedules").stderr
    assert "Nobody is told of reports" in run("report", "subscriptions").stderr
    made = run("report", "schedule", "water", "--region", "KZ-61", "--season", 2025)
    assert made.exit_code == 0, made.output
    assert "Schedule 1: next due at 2" in made.stderr
    assert "06:00 Asia/Almaty, carried out by `dala watch`" in made.stderr
    make_due(empty_engine, 2)
    once = run("watch", "--once")
    assert "0 reports filed, 0 unchanged, 1 not" in once.stderr
    listed = run("report", "schedules").stdout
    assert "there is no key to sign with" in listed
    found = scheduled_reports(empty_engine)
    assert (found.ok, "water of KZ-61: there is no key" in found.says) == (False, True)

    run("report", "key")
    with empty_engine.begin() as connection:
        connection.execute(sa.update(tables.report_schedules).values(not_before=None))
    with receiver() as server:
        told = run("report", "subscribe", server.url, "--region", "KZ", "--kind", "water")
        assert told.stdout.startswith("whsec_")
        once = run("watch", "--once")
    assert "1 reports filed, 0 unchanged, 0 not; 1 messages sent" in once.stderr
    (request,) = server.received
    number = json.loads(request.body)["data"]["number"]
    assert f"{number}, 0" in run("report", "schedules").stdout
    assert server.url in run("report", "subscriptions").stdout
    assert "sent" in run("report", "deliveries").stdout
    assert scheduled_reports(empty_engine).ok is True

    assert run("report", "unschedule", 1).exit_code == 0
    assert run("report", "unsubscribe", 1).exit_code == 0
    for verb in ("unschedule", "unsubscribe"):
        again = run("report", verb, 1)
        assert (again.exit_code, "there is no" in again.stderr) == (1, True)
    with empty_engine.connect() as connection:
        deeds = [(one.action, one.actor) for one in audit.page(connection)]
    assert deeds == [
        (action, speaking.author())
        for action in (
            "report-subscription.end", "report-schedule.end", "report.file",
            "report-subscription.create", "report.key", "report-schedule.create",
        )
    ]  # fmt: skip


def test_what_nobody_carries_out_is_told_by_the_doctor(run: Run, empty_engine: sa.Engine) -> None:
    run("report", "key")
    run("report", "schedule", "yields", "--farm", "kz-61-0")
    make_due(empty_engine, 3)

    found = scheduled_reports(empty_engine)
    assert found.ok is False
    assert "yields of kz-61-0 was due at" in found.says
    assert "is `dala watch` running?" in found.says
    clocks = sa.update(tables.report_schedules).values(timezone="Asia/Atlantis")
    with empty_engine.begin() as connection:
        connection.execute(clocks)
    found = scheduled_reports(empty_engine)
    assert (found.ok, "the clocks of Asia/Atlantis are not known" in found.says) == (False, True)
    assert "never" in run("report", "schedules").stdout


def test_what_is_of_a_farm_stands_in_its_book_from_beginning_to_end(
    run: Run, empty_engine: sa.Engine
) -> None:
    run("report", "schedule", "yields", "--farm", "kz-61-0")
    run("report", "subscribe", "https://hooks.example.org", "--farm", "kz-61-0")
    for verb in ("unschedule", "unsubscribe"):
        assert run("report", verb, 1).exit_code == 0
    with empty_engine.connect() as connection:
        deeds = [one.farm_id for one in audit.page(connection)]
        assert deeds == [farms.get(connection, "kz-61-0").id] * 4


def test_for_a_client_of_the_api_its_own_rights_hold(run: Run, empty_engine: sa.Engine) -> None:
    asked = ("report", "subscribe", "https://hooks.example.org", "--client", "south", "--region")
    refused = run(*asked, "KZ")
    assert (refused.exit_code, "subscribe:reports, and to see KZ." in refused.stderr) == (1, True)
    assert run(*asked, "KZ-61").exit_code == 0
    with empty_engine.connect() as connection:
        south = api_clients.get(connection, "south")
        row = connection.execute(sa.select(tables.subscriptions)).one()
    assert (row.client_id, row.created_by) == (south.id, "client:south")
    schedule = ("report", "schedule", "water", "--region", "KZ-61", "--client", "south")
    assert "needs write:reports, and to see every farm" in run(*schedule).stderr


def test_how_often_is_said_in_words(run: Run) -> None:
    for words in (
        ("--every", "week", "--on", "mon"),
        ("--every", "month", "--on", "31", "--from", "07-01", "--to", "11-30", "--at", "18:30"),
    ):
        assert run("report", "schedule", "harvest", "--region", "KZ", *words).exit_code == 0

    shown = run("report", "schedules").stdout
    assert "week, monday, 06:00" in shown
    assert "month, 31., 18:30, 07-01 to 11-30" in shown


WRONG = (
    (("schedule", "water"), "name a farm or an area"),
    (("schedule", "water", "--region", "KZ-99"), "no area 'KZ-99'"),
    (("schedule", "water", "--region", "KZ", "--client", "nobody"), "no client 'nobody'"),
    (("schedule", "water", "--region", "KZ", "--every", "week"), "one of its days, 1 to 7"),
    (("schedule", "water", "--region", "KZ", "--every", "week", "--on", "t"), "no day of the week"),
    (("schedule", "water", "--region", "KZ", "--at", "25:00"), "hour must be"),
    (("schedule", "water", "--region", "KZ", "--timezone", "Almaty"), "no timezone 'Almaty'"),
    (("schedule", "water", "--region", "KZ", "--season", "soon"), "this-year, last-year"),
    (("subscribe", "ftp://example.org", "--region", "KZ"), "a webhook is an https:// address"),
    (("subscribe", "https://example.org", "--region", "KZ", "--kind", "hail"), "no kind 'hail'"),
)


def test_what_cannot_be_is_said(run: Run) -> None:
    for words, why in WRONG:
        done = run("report", *words)
        assert done.exit_code == 1, words
        assert why in done.stderr, done.stderr
    assert "No report files itself" in run("report", "schedules").stderr
