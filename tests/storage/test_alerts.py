"""An alert is open once for each subject, and says who knows of it."""

import datetime as dt

import pytest
import sqlalchemy as sa

from storage import alerts, farms
from storage.alerts import Opening
from storage.database import NotFound

NOW = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
LATER = NOW + HOUR


def put_farm(connection: sa.Connection, slug: str) -> int:
    return farms.put(
        connection,
        slug,
        name=slug,
        region_code=None,
        timezone="Asia/Almaty",
        latitude_deg=43.3,
        longitude_deg=68.3,
        elevation_m=220.0,
    )


def silent(device: str, farm_id: int | None = None, **details: object) -> Opening:
    return Opening("silent", f"device:{device}", farm_id, dict(details))


def numbers(connection: sa.Connection, **choice: object) -> list[str]:
    found = alerts.page(connection, **choice)  # type: ignore[arg-type]
    return [one.subject.removeprefix("device:") for one in found]


def test_what_is_open_is_not_opened_again_and_gets_the_newer_details(
    connection: sa.Connection,
) -> None:
    first = alerts.open(connection, [silent("a", minutes=1), silent("b")], now=NOW)
    again = alerts.open(connection, [silent("a", minutes=2), silent("b")], now=LATER)

    assert (first, again) == (2, 0)
    b, a = alerts.page(connection)
    assert (a.details, a.opened_at) == ({"minutes": 2}, NOW)
    assert (b.details, b.opened_at) == ({}, NOW)


def test_what_was_cleared_is_opened_anew_and_both_stay_on_record(
    connection: sa.Connection,
) -> None:
    alerts.open(connection, [silent("a"), silent("b")], now=NOW)
    cleared = alerts.clear_others(connection, "silent", ["device:b"], now=LATER)
    alerts.open(connection, [silent("a")], now=LATER)

    assert cleared == 1
    assert numbers(connection) == ["a", "b"]
    assert numbers(connection, active=None) == ["a", "b", "a"]
    (old,) = alerts.page(connection, active=False)
    assert (old.opened_at, old.cleared_at) == (NOW, LATER)


def test_what_comes_back_soon_never_went(connection: sa.Connection) -> None:
    battery = Opening("low-battery", "device:a/battery", None, {"level_pct": 19})
    alerts.open(connection, [battery], now=NOW)
    (first,) = alerts.page(connection)
    alerts.acknowledge(connection, first.id, by="Aigul", now=NOW, note="new one on its way")
    alerts.clear_others(connection, "low-battery", [], now=LATER)

    soon, much_later = LATER + 29 * HOUR, LATER + 90 * HOUR
    again = battery._replace(details={"level_pct": 18})
    assert alerts.open(connection, [again], now=soon) == 0
    (same,) = alerts.page(connection)
    assert (same.id, same.cleared_at, same.details) == (first.id, None, {"level_pct": 18})
    assert (same.acknowledged_by, same.note) == ("Aigul", "new one on its way")

    alerts.clear_others(connection, "low-battery", [], now=soon)
    assert alerts.open(connection, [again], now=much_later) == 1
    assert len(alerts.page(connection, active=None)) == 2


def test_clearing_one_kind_leaves_the_others(connection: sa.Connection) -> None:
    alerts.open(connection, [silent("a"), Opening("gap", "device:a", None, {"gaps": []})], now=NOW)

    assert alerts.clear_others(connection, "silent", [], now=LATER) == 1
    assert [one.kind for one in alerts.page(connection)] == ["gap"]


def test_a_kind_that_nobody_knows_is_a_fault_of_ours(connection: sa.Connection) -> None:
    with pytest.raises(ValueError, match="no kind of alert: burning"):
        alerts.open(connection, [Opening("burning", "device:a", None, {})], now=NOW)


def test_acknowledging_silence_notes_who_knows_and_leaves_it_open(
    connection: sa.Connection,
) -> None:
    alerts.open(connection, [silent("a")], now=NOW)
    (alert,) = alerts.page(connection)

    known = alerts.acknowledge(connection, alert.id, by="Aigul", now=LATER)
    second = alerts.acknowledge(connection, alert.id, by="Timur", now=LATER)

    assert (known.acknowledged_at, known.acknowledged_by, known.cleared_at) == (
        LATER,
        "Aigul",
        None,
    )
    assert second == known  # the first stays
    assert numbers(connection, acknowledged=True) == ["a"]
    assert numbers(connection, acknowledged=False) == []


def test_acknowledging_a_loss_ends_its_alert(connection: sa.Connection) -> None:
    alerts.open(connection, [Opening("gap", "device:a", None, {"gaps": []})], now=NOW)
    (alert,) = alerts.page(connection)

    assert alerts.acknowledge(connection, alert.id, by="Aigul", now=LATER).cleared_at == LATER


def test_an_alert_that_is_not_there_or_a_nobody_is_refused(connection: sa.Connection) -> None:
    with pytest.raises(NotFound, match="alert 4711"):
        alerts.acknowledge(connection, 4711, by="Aigul", now=NOW)
    with pytest.raises(ValueError, match="by somebody"):
        alerts.acknowledge(connection, 4711, by=" ", now=NOW)


def test_alerts_of_a_farm_come_in_pages_the_newest_first(connection: sa.Connection) -> None:
    mine, other = put_farm(connection, "mine"), put_farm(connection, "other")
    for name in "abcd":
        alerts.open(connection, [silent(name, other if name == "c" else mine)], now=NOW)

    first = alerts.page(connection, farm_id=mine, limit=2)
    rest = alerts.page(connection, farm_id=mine, limit=2, before=first[-1].id)

    assert [one.subject[-1] for one in first] == ["d", "b"]
    assert [one.subject[-1] for one in rest] == ["a"]


def test_alerts_are_chosen_by_kind_and_by_when_they_were_opened(connection: sa.Connection) -> None:
    alerts.open(connection, [silent("a")], now=NOW)
    alerts.open(connection, [silent("b"), Opening("frost", "device:c", None, {})], now=LATER)

    assert numbers(connection, kind="silent") == ["b", "a"]
    assert sorted(numbers(connection, since=LATER)) == ["b", "c"]


def test_every_kind_says_how_soon_to_look(connection: sa.Connection) -> None:
    alerts.open(connection, [Opening(kind, "device:a", None, {}) for kind in alerts.KINDS], now=NOW)

    severities = {one.kind: one.severity for one in alerts.page(connection)}

    assert severities == {
        "silent": "warning",
        "gap": "info",
        "sequence-gap": "warning",
        "messages-lost": "warning",
        "low-battery": "warning",
        "refill-line": "warning",
        "flow-valve-shut": "critical",
        "no-flow-valve-open": "critical",
        "frost": "critical",
        "implausible": "warning",
        "machine-outside": "warning",
    }
