"""`dala watch` seals once in each stretch of time, and says once why it does not."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from reports.statements.signing import SigningKey
from storage import audit, evidence, tables, tree_heads
from storage import filing as stored
from watch.sealing import AUTHOR, Sealer
from watch.serving import Watcher
from watch.settings import WatchSettings

DAY, HOUR, MINUTE = (dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1))
TODAY = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
KEY = SigningKey.make()


@pytest.fixture
def key_file(empty_engine: sa.Engine, tmp_path: Path) -> Path:
    KEY.write(tmp_path / "key.jwk")
    with empty_engine.begin() as connection:
        stored.put_key(connection, KEY.kid, KEY.public, role="files", owner="", created_by="")
    return tmp_path / "key.jwk"


def put_batch(engine: sa.Engine, number: int) -> None:
    values = {"farm_ids": [0], "row_counts": [1], "digests": bytes(32)}
    values |= {"first_at": [TODAY], "last_at": [TODAY]}
    with engine.begin() as connection:
        connection.execute(
            sa.insert(tables.pending_batches).values(id=number, kind="readings", **values)
        )


def sizes(engine: sa.Engine) -> list[int]:
    with engine.connect() as connection:
        return [one.size for one in tree_heads.heads(connection)]


def test_once_a_day_after_midnight_what_waits_is_sealed(
    empty_engine: sa.Engine, key_file: Path
) -> None:
    sealer = Sealer(empty_engine, DAY, key_file)
    now = dt.datetime.now(dt.UTC)
    assert sealer.step(now) is None  # nothing waits

    put_batch(empty_engine, 1)
    sealed = sealer.step(now + MINUTE)
    assert sealed is not None  # the first, as soon as there is one
    put_batch(empty_engine, 2)
    midnight = sealed.newest.sealed_at[:10]  # of the database's clock
    tomorrow = dt.datetime.fromisoformat(midnight).replace(tzinfo=dt.UTC) + DAY
    assert sealer.step(tomorrow - MINUTE) is None
    # Also one that has just begun knows of it.
    assert Sealer(empty_engine, DAY, key_file).step(tomorrow - MINUTE) is None
    assert sealer.step(tomorrow) is not None
    assert sizes(empty_engine) == [1, 2]
    with empty_engine.connect() as connection:
        deeds = [(one.actor, one.action, one.object) for one in audit.page(connection)]
    assert deeds == [
        (AUTHOR, "evidence.seal", "tree-head:2"),
        (AUTHOR, "evidence.seal", "tree-head:1"),
    ]


def test_a_clock_that_went_ahead_for_a_while_does_not_hold_up_the_seals_after_it(
    empty_engine: sa.Engine, key_file: Path
) -> None:
    put_batch(empty_engine, 1)
    now = dt.datetime.now(dt.UTC)
    assert Sealer(empty_engine, DAY, key_file).step(now) is not None  # by the database's clock
    put_batch(empty_engine, 2)
    # As seen from ten years before: the head is of a time to come.
    assert Sealer(empty_engine, DAY, key_file).step(now - 3_650 * DAY) is not None
    assert sizes(empty_engine) == [1, 2]


def test_without_a_key_batches_wait_and_it_is_told_once(
    empty_engine: sa.Engine, tmp_path: Path
) -> None:
    put_batch(empty_engine, 1)
    file = tmp_path / "key.jwk"
    sealer = Sealer(empty_engine, DAY, file)
    with capture_logs() as told:
        for turn in range(3):
            assert sealer.step(TODAY + turn * HOUR) is None
        KEY.write(file)
        for turn in range(3, 6):
            assert sealer.step(TODAY + turn * HOUR) is None
    assert [(one["event"], one["batches"]) for one in told] == 2 * [
        ("batches wait to be sealed", 1)
    ]
    assert "`dala report key` makes it" in told[0]["why"]
    assert "files nothing yet" in told[1]["why"]

    with empty_engine.begin() as connection:
        stored.put_key(connection, KEY.kid, KEY.public, role="files", owner="", created_by="")
    assert sealer.step(TODAY + 6 * HOUR) is not None


def test_what_fails_half_way_leaves_the_batches_waiting(
    empty_engine: sa.Engine, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_batch(empty_engine, 1)

    def fails(*_: object, **__: object) -> None:
        raise ValueError("once they were taken")

    now = dt.datetime.now(dt.UTC)
    watcher = Watcher(empty_engine, WatchSettings(), key_file=key_file)
    with monkeypatch.context() as patched, capture_logs() as told:
        patched.setattr(evidence, "add_entries", fails)
        watcher.step(now)
    assert [one["error"] for one in told] == ["ValueError: once they were taken"]
    with empty_engine.connect() as connection:
        assert evidence.waiting(connection).batches == 1

    watcher.step(now + MINUTE)
    assert sizes(empty_engine) == [1]


def test_the_watcher_seals_and_a_broken_key_keeps_no_message_back(
    empty_engine: sa.Engine, key_file: Path
) -> None:
    put_batch(empty_engine, 1)
    now = dt.datetime.now(dt.UTC)
    Watcher(empty_engine, WatchSettings(seal_every_h=6)).step(now)
    assert sizes(empty_engine) == []  # nobody said where the key is
    broken = key_file.with_name("broken.jwk")
    broken.write_text("{}")
    Watcher(empty_engine, WatchSettings(), key_file=broken).step(now)
    assert sizes(empty_engine) == []
    Watcher(empty_engine, WatchSettings(), key_file=key_file).step(now)
    assert sizes(empty_engine) == [1]
