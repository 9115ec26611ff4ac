"""Reports file themselves when they are due: once each, whoever watches and whatever failed."""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from reports.statements import scheduled
from reports.statements.due import Cadence
from reports.statements.signing import SigningKey
from storage import accounts, audit, farms, schedules, subscriptions, tables
from storage import filing as stored
from storage.behalf import Behalf
from storage.database import make_engine
from storage.schedules import Schedule
from tests.conftest import empty
from tests.reports.statements import filed
from tests.reports.statements.filed import KEY
from tests.watch.messages import settings
from tests.watch.receivers import receiver
from watch import filing
from watch.filing import Filed, file_due
from watch.serving import Watcher

DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
# 06:00 in Almaty, where clocks are at UTC+5.
FIRST = dt.datetime(2026, 9, 1, 1, tzinfo=dt.UTC)
DAILY = Cadence("day", dt.time(6), "Asia/Almaty")
NOTHING = Filed(0, 0, 0)


class World(NamedTuple):
    """A small country, and the key to file with."""

    engine: sa.Engine
    key: Path


@pytest.fixture
def world(engine: sa.Engine, tmp_path: Path) -> Iterator[World]:
    KEY.write(tmp_path / "key.jwk")
    with engine.begin() as connection:
        filed.put_country(connection, farms_each=1)
        filed.put_key(connection)
    yield World(engine, tmp_path / "key.jwk")
    empty(engine)


def schedule(world: World, cadence: Cadence = DAILY, **values: Any) -> int:
    """That of a water statement of kz-61-0, since the day before the first."""
    asked: dict[str, Any] = {"kind": "water", "farm": "kz-61-0", "season": "2025", "by": "anna"}
    asked |= values
    with world.engine.begin() as connection:
        slug = asked.pop("farm")
        asked["farm_id"] = None if slug is None else farms.get(connection, slug).id
        asked.setdefault("area_code", None)
        made = schedules.add(connection, **asked, **scheduled.as_columns(cadence))
        table = tables.report_schedules
        since = sa.update(table).where(table.c.id == made.id)
        connection.execute(since.values(done_until=FIRST - HOUR))
    return made.id


def of(world: World, number: int) -> Schedule:
    with world.engine.begin() as connection:
        return schedules.get(connection, number)


def revisions(world: World) -> list[tuple[str, int, str | None]]:
    with world.engine.begin() as connection:
        found = stored.page(connection)
        return [
            (one.number, made.revision, made.reason)
            for one in (line.report for line in found)
            for made in stored.revisions(connection, one)
        ]


def late(world: World, applied_m3: float) -> None:
    query = """SELECT crop_zones.id FROM crop_zones JOIN fields ON fields.id = field_id
                 JOIN farms ON farms.id = farm_id WHERE slug = 'kz-61-0'"""
    with world.engine.begin() as connection:
        zone = connection.scalar(sa.text(query))
        values = filed.saved(applied_m3, 2_000.0)
        filed.put_result(connection, zone, values, digest=f"late {applied_m3}")


def test_each_day_it_is_filed_once_and_again_only_where_something_changed(world: World) -> None:
    number = schedule(world)
    assert file_due(*world, FIRST - MINUTE) == NOTHING
    assert scheduled.next_due(of(world, number)) == FIRST
    assert file_due(*world, FIRST) == Filed(1, 0, 0)
    assert file_due(*world, FIRST + 23 * HOUR) == NOTHING
    assert scheduled.next_due(of(world, number)) == FIRST + DAY

    assert file_due(*world, FIRST + DAY) == Filed(0, 1, 0)
    late(world, 12_000.0)
    assert file_due(*world, FIRST + 2 * DAY) == Filed(1, 0, 0)
    found = revisions(world)
    name = f"water-{dt.datetime.now(dt.UTC).year}-0001"
    assert [one[:2] for one in found] == [(name, 0), (name, 1)]
    # What was applied, in total, and of the month that no day tells of: by technology, source …
    with world.engine.begin() as connection:
        newest = stored.revision(connection, stored.get(connection, name))
        said = json.loads(newest.manifest)
        changed = len(said["replaces"]["difference"]["observations"])
        deeds = [one for one in audit.page(connection) if one.action == "report.file"]
    assert changed > 1
    assert found[1][2] == f"scheduled filing of 2026-09-03: {changed} figures changed"
    assert (said["filed_by"], newest.filed_by) == (f"anna, schedule {number}",) * 2
    assert [one.actor for one in deeds] == ["anna", "anna"]
    assert deeds[0].details["schedule"] == number
    assert (of(world, number).number, of(world, number).revision) == (name, 1)


def test_after_days_without_a_watcher_it_is_filed_once_of_the_last_due_time(world: World) -> None:
    number = schedule(world)
    file_due(*world, FIRST)
    late(world, 12_000.0)

    assert file_due(*world, FIRST + 5 * DAY + 3 * HOUR) == Filed(1, 0, 0)
    assert file_due(*world, FIRST + 5 * DAY + 4 * HOUR) == NOTHING
    assert "scheduled filing of 2026-09-06: " in str(revisions(world)[1][2])
    assert of(world, number).done_until == FIRST + 5 * DAY


def test_figures_older_than_what_is_below_them_are_filed_and_that_is_logged(world: World) -> None:
    schedule(world)  # of results that no analysis made
    with capture_logs() as logs:
        assert file_due(*world, FIRST) == Filed(1, 0, 0)

    assert [one["event"] for one in logs] == [
        "scheduled report filed",
        "scheduled report is of older figures",
    ]
    assert ": of kz-61-0 something arrived or was entered" in logs[1]["why"]


def test_what_was_due_before_it_was_made_is_not_filed(world: World) -> None:
    with world.engine.begin() as connection:
        made = schedules.add(
            connection,
            kind="water",
            farm_id=farms.get(connection, "kz-61-0").id,
            area_code=None,
            season="2025",
            by="anna",
            **scheduled.as_columns(DAILY),
        )
    now = dt.datetime.now(dt.UTC)
    assert file_due(*world, now) == NOTHING
    due = scheduled.next_due(made)
    assert due is not None
    assert now < due <= now + DAY
    assert file_due(*world, due) == Filed(1, 0, 0)


def test_many_watchers_at_once_file_each_due_time_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "ENOUGH_S", 60.0)
    for farm in ("kz-61-0", "kz-43-0"):
        for kind in ("water", "savings", "yields", "programme"):
            schedule(world, kind=kind, farm=farm)
    url = world.engine.url.render_as_string(hide_password=False)
    engines = [make_engine(url) for _ in range(3)]
    begin = threading.Barrier(len(engines))

    def look(engine: sa.Engine) -> list[Filed]:
        begin.wait()
        return [file_due(engine, world.key, FIRST + day * DAY) for day in (0, 0, 1, 1)]

    with ThreadPoolExecutor(len(engines)) as threads:
        found = [one for looks in threads.map(look, engines) for one in looks]
    for engine in engines:
        engine.dispose()

    assert [sum(counts) for counts in zip(*found, strict=True)] == [8, 8, 0]
    assert sorted(one[1:] for one in revisions(world)) == [(0, None)] * 8


def test_a_look_ends_when_it_has_taken_enough_and_the_next_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("water", "savings", "yields"):
        schedule(world, kind=kind)
    # Alerts wait for as long as a look takes.
    monkeypatch.setattr(filing, "ENOUGH_S", 1.5)
    clock = iter(range(100))
    monkeypatch.setattr(filing, "time", SimpleNamespace(monotonic=lambda: next(clock)))

    # Begun at 0: at 1 there is time for one, at 2 there is none.
    assert [file_due(*world, FIRST) for _ in range(4)] == [Filed(1, 0, 0)] * 3 + [NOTHING]


def test_one_that_another_process_files_is_left_to_it(world: World) -> None:
    number = schedule(world)
    with world.engine.begin() as other:
        assert schedules.hold(other, number) is not None
        assert file_due(*world, FIRST) == NOTHING
    # Both had seen that it was due; the first has done it.
    assert filing._carry_out(*world, number, FIRST) == Filed(1, 0, 0)
    assert filing._carry_out(*world, number, FIRST) == NOTHING


def test_a_process_that_dies_before_it_is_noted_has_filed_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = schedule(world)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(schedules, "note_done", dies)
        with pytest.raises(KeyboardInterrupt):
            file_due(*world, FIRST)
    assert revisions(world) == []
    assert file_due(*world, FIRST + MINUTE) == Filed(1, 0, 0)
    assert of(world, number).done_until == FIRST


def test_without_a_key_it_says_so_and_tries_again_until_there_is_one(world: World) -> None:
    number = schedule(world)
    missing = world.key.with_name("none.jwk")
    with capture_logs() as logs:
        assert file_due(world.engine, missing, FIRST) == Filed(0, 0, 1)
    assert [one["event"] for one in logs] == ["scheduled report not filed"]
    one = of(world, number)
    assert one.last_error == (
        f"there is no key to sign with ({missing}): `dala report key` makes one"
    )
    assert scheduled.next_due(one) == FIRST
    # Tried again after 1, 2, 4 … minutes, at most an hour.
    waits = {0.5: 0, 1: 1, 2: 0, 3: 1, 6: 0, 7: 1}
    for minutes, failed in waits.items():
        assert file_due(world.engine, missing, FIRST + minutes * MINUTE) == Filed(0, 0, failed)
    assert of(world, number).not_before == FIRST + 15 * MINUTE

    assert file_due(*world, FIRST + 15 * MINUTE) == Filed(1, 0, 0)
    one = of(world, number)
    assert (one.last_error, one.not_before, one.failures) == (None, None, 0)


def test_a_key_that_nobody_knows_files_nothing(world: World, tmp_path: Path) -> None:
    number = schedule(world)
    SigningKey.make().write(tmp_path / "other.jwk")

    assert file_due(world.engine, tmp_path / "other.jwk", FIRST) == Filed(0, 0, 1)
    assert "`dala report key` makes it known" in str(of(world, number).last_error)
    (tmp_path / "broken.jwk").write_text("{")
    assert file_due(world.engine, tmp_path / "broken.jwk", FIRST + MINUTE) == Filed(0, 0, 1)
    assert "is no private key" in str(of(world, number).last_error)


def test_one_that_fails_keeps_no_other_from_being_filed(world: World) -> None:
    lost = schedule(world, farm=None, area_code="KZ-99")
    nowhere = schedule(world, DAILY._replace(timezone="Asia/Atlantis"))
    schedule(world, kind="yields")
    with capture_logs() as logs:
        assert file_due(*world, FIRST) == Filed(1, 0, 1)

    assert of(world, lost).last_error == "there is no area 'KZ-99'"
    assert [one for one in logs if one.get("schedule") == nowhere]
    unknown = of(world, nowhere)
    assert "No time zone found with key Asia/Atlantis" in str(unknown.last_error)
    assert unknown.not_before == FIRST + MINUTE  # and not at each look
    assert scheduled.next_due(unknown) is None  # lists of schedules are shown all the same
    assert [one[0].partition("-")[0] for one in revisions(world)] == ["yields"]


@pytest.mark.parametrize(
    ("change", "farm"),
    [
        ({"disabled": True}, "kz-61-0"),
        ({"role": "operator"}, "kz-61-0"),
        ({"role": "reader"}, None),
    ],
)
def test_whose_author_may_no_longer_file_it_is_not_filed(
    world: World, change: dict[str, Any], farm: str | None
) -> None:
    with world.engine.begin() as connection:
        anna = accounts.add(connection, "anna", name="Anna", role="administrator")
    area = "KZ-61" if farm is None else None
    whose = {"behalf": Behalf(account_id=anna.id), "by": "account:anna"}
    number = schedule(world, farm=farm, area_code=area, **whose)
    assert file_due(*world, FIRST) == Filed(1, 0, 0)
    with world.engine.begin() as connection:
        accounts.change(connection, "anna", **change)

    assert file_due(*world, FIRST + DAY) == Filed(0, 0, 1)
    assert of(world, number).last_error == (
        "account:anna, who made this schedule, may not file it any more"
    )


def test_one_that_was_ended_is_filed_no_more(world: World) -> None:
    number = schedule(world)
    with world.engine.begin() as connection:
        schedules.end(connection, number, by="anna")

    assert file_due(*world, FIRST) == NOTHING


@pytest.mark.parametrize(
    ("rule", "day", "season"),
    [
        ("this-year", dt.date(2026, 9, 1), 2026),
        ("last-year", dt.date(2026, 1, 31), 2025),
        ("2024", dt.date(2026, 9, 1), 2024),
    ],
)
def test_the_season_is_that_of_the_day_or_one_that_is_named(
    rule: str, day: dt.date, season: int
) -> None:
    assert scheduled.season_of(rule, day) == season


def test_the_day_is_that_of_the_places_clocks(world: World) -> None:
    # 00:30 of New Year's day in Almaty is still the old year by UTC.
    new_year = dt.datetime(2025, 12, 31, 19, 30, tzinfo=dt.UTC)
    cadence = Cadence("month", dt.time(0, 30), "Asia/Almaty", 1)
    number = schedule(world, cadence, season="last-year")
    with world.engine.begin() as connection:
        table = tables.report_schedules
        connection.execute(sa.update(table).values(done_until=new_year - HOUR))
    assert scheduled.next_due(of(world, number)) == new_year

    assert file_due(*world, new_year) == Filed(1, 0, 0)
    with world.engine.begin() as connection:
        (line,) = stored.page(connection)
    assert line.report.season == 2025


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        ({"observations": [{}], "members": []}, "1 figure changed"),
        ({"observations": [{}] * 12, "members": ["inputs"]}, "12 figures changed"),
        ({"observations": [], "members": ["inputs", "methods"]}, "but inputs, methods"),
    ],
)
def test_the_reason_says_how_much_changed(difference: dict[str, Any], words: str) -> None:
    reason = scheduled.reason_of(dt.date(2026, 9, 1), difference)

    assert reason.startswith("scheduled filing of 2026-09-01: ")
    assert reason.endswith(words)


def test_what_files_itself_is_told_in_the_same_look(world: World) -> None:
    schedule(world, farm=None, area_code="KZ-61")
    with receiver() as server:
        with world.engine.begin() as connection:
            subscriptions.add(
                connection,
                None,
                topic="reports",
                area_code="KZ",
                channel="webhook",
                address=server.url,
                kinds=["water"],
                language="en",
                secret="whsec_c3RlcHBl",
                by="ministry",
            )
        watcher = Watcher(world.engine, settings(), key_file=world.key)
        # Messages are due by the clock of filing: what is due is told at the next look at once.
        done = watcher.step(dt.datetime.now(dt.UTC))

    assert (done.filed, done.sent.arrived) == (Filed(1, 0, 0), 1)
    assert json.loads(server.received[0].body)["data"]["subject"] == {"area": "KZ-61"}
