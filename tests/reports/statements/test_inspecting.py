# ruff: noqa: S608 - statements of somebody at the database, of this module's words
"""What was changed behind the service's back is found from inside, and what was not is not."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest
import sqlalchemy as sa

from reports.statements import heads as files
from reports.statements import inspecting, inspecting_rows, sealing
from reports.statements.inspecting_rows import Inspected
from reports.statements.signing import HEAD_TYPE, SigningKey
from storage import farms, readings, tables, tracks, tree_heads
from storage.readings import Quality
from tests.reports.statements.filed import KEY
from tests.reports.statements.sealed import JULY, US, put_streams, store

FARM = "kz-61-0"
DAY = 86_400 * US


def store_track(connection: sa.Connection, device: str, *, begin: int = JULY) -> None:
    """A batch of five points."""
    rows = np.zeros(5, tracks.DTYPE)
    for name in tracks.NUMBERS:
        rows[name] = np.nan
    rows["latitude_deg"], rows["longitude_deg"], rows["work_state"] = 43.2, 68.3, -1
    rows["time"] = begin + np.arange(5) * US
    rows["received_at"] = begin + 60 * US
    tracks.store(connection, [device], rows)


@pytest.fixture
def streams(connection: sa.Connection) -> dict[str, int]:
    """Two days of three farms and what has none, sealed each; points; and a batch that waits."""
    found = put_streams(connection)
    for turn in range(2):
        store(connection, [*found.values()], begin=JULY + turn * DAY, count=4)
        store(connection, [found[FARM]], begin=JULY + turn * DAY + 12 * 3_600 * US)
        store_track(connection, f"probe-{FARM}", begin=JULY + turn * DAY)
        sealing.seal(connection, KEY, author="test")
    store(connection, [found[FARM]], begin=JULY + 5 * DAY)
    return found


def look(connection: sa.Connection, farm: str | None = None) -> Inspected:
    of = None if farm is None else farms.get(connection, farm).id
    return inspecting.inspect(connection, farm_id=of)


def misfit(connection: sa.Connection) -> str:
    """The only thing that does not fit."""
    found = look(connection)
    assert found.count == 1, found.misfits
    return found.misfits[0]


def run(connection: sa.Connection, statement: str, **values: object) -> None:
    """Somebody at the database, who owns the tables and lets no trigger stand in the way."""
    for table in ("tree_heads", "evidence_entries", "evidence_tiles"):
        connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    done = connection.execute(sa.text(statement), values)
    assert done.rowcount > 0, "nothing was changed"


def test_what_nobody_changed_fits(connection: sa.Connection, streams: dict[str, int]) -> None:
    assert look(connection) == Inspected(
        # Twice: four of each of four datastreams, three more and five points, in four batches, of
        # which one is of three farms; and three rows wait.
        heads=2, entries=8, batches=12, rows=2 * (16 + 3 + 5), waiting=3,
    )  # fmt: skip
    assert look(connection, FARM) == Inspected(
        heads=2, entries=2, batches=6, rows=2 * (4 + 3 + 5), waiting=3
    )


def test_a_flag_that_is_given_later_is_no_change(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    first = np.array([JULY])
    readings.flag(connection, np.array([streams[FARM]]), first, Quality.SPIKE)

    assert look(connection).count == 0


# One row of the farm's first day: the second of four, and of five points.
_ROW = "datastream_id = :stream AND time = '2025-07-01T00:15:00Z'"
_POINT = "device_id = 'probe-kz-61-0' AND time = '2025-07-01T00:00:01Z'"
_COPIED = (
    "INSERT INTO readings (time, datastream_id, value, quality, received_at, batch_id) "
    "SELECT time + interval {0}, {1}, value, quality, received_at, {2} FROM readings WHERE " + _ROW
)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (f"UPDATE readings SET value = value + 1e-9 WHERE {_ROW}", "one at least is another"),
        (f"UPDATE readings SET time = time + interval '1 us' WHERE {_ROW}", "is another"),
        (f"UPDATE readings SET quality = 16 WHERE {_ROW}", "one at least is another"),
        (f"UPDATE readings SET received_at = received_at - interval '1 h' WHERE {_ROW}", "another"),
        (f"DELETE FROM readings WHERE {_ROW}", "4 readings were sealed, 3 are there"),
        (
            "DELETE FROM readings WHERE batch_id = (SELECT batch_id FROM readings "
            "WHERE datastream_id = :stream AND time = '2025-07-01T12:00:00Z')",
            "3 readings were sealed, none of them is there",
        ),
        (_COPIED.format("'1 s'", ":stream", "batch_id"), "4 readings were sealed, 5 are there"),
        (f"UPDATE track_points SET latitude_deg = 43.3 WHERE {_POINT}", "5 track points were"),
        (f"UPDATE track_points SET work_state = 1 WHERE {_POINT}", "5 track points were sealed"),
        (f"DELETE FROM track_points WHERE {_POINT}", "5 track points were sealed, 4 are there"),
    ],
)
def test_a_row_that_was_changed_added_or_taken_away_is_named(
    connection: sa.Connection, streams: dict[str, int], statement: str, words: str
) -> None:
    asked = {"stream": streams[FARM]} if ":stream" in statement else {}
    run(connection, statement, **asked)
    told = misfit(connection)

    assert words in told
    assert f"of {FARM} (seal 1, entry 1)" in told
    if "none" not in words:
        assert "probe-kz-61-0" in told
        assert "from 2025-07-01T00:00:00" in told
    assert look(connection, FARM).count == 1
    assert look(connection, "kz-61-1").count == 0


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        # Far from where the batch's entry has rows, also where nobody would look.
        *(
            (
                _COPIED.format(later, ":stream", "batch_id"),
                "whose entry is of 2025-07-01T00:00:00Z to 2025-07-01T12:30:00Z: one at least was",
            )
            for later in (
                "'40 days'",
                "'-300 years'",
                "'-3000 years'",
                "'7000 years'",
                "'7974 years'",
                "'18000 years'",
                "'infinity'",
                "'-infinity'",
            )
        ),
        # With the number of a batch that is another farm's alone, and one that never was.
        (
            _COPIED.format(
                "'3 h'",
                ":other",
                "(SELECT batch_id FROM readings WHERE "
                "datastream_id = :stream AND time = '2025-07-01T12:00:00Z')",
            ),
            "1 readings of kz-43-0 between 2025-07-01T03:15:00Z and 2025-07-01T03:15:00Z carry",
        ),
        (_COPIED.format("'3 h'", ":stream", "999999"), "batch 999999, which no entry of it is of"),
    ],
)
def test_a_row_that_no_batch_accounts_for_is_named(
    connection: sa.Connection, streams: dict[str, int], statement: str, words: str
) -> None:
    asked = {"stream": streams[FARM]}
    if ":other" in statement:
        asked["other"] = streams["kz-43-0"]
    run(connection, statement, **asked)

    told = misfit(connection)
    assert words in told
    assert "added" in told


def test_a_row_without_a_batch_is_from_before_evidence_began_or_was_added(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    run(connection, _COPIED.format("'3 h'", ":stream", "NULL"), stream=streams[FARM])
    assert look(connection).count == 0
    assert look(connection).unhashed == 1
    run(
        connection,
        "UPDATE readings SET received_at = now() + interval '1 h' WHERE batch_id IS NULL",
    )
    assert "when all were hashed: it was added" in misfit(connection)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE evidence_entries SET batches = set_byte(batches, 44, "
            "get_byte(batches, 44) # 1) WHERE position = 1",
            ["Entry 1 (seal 1, kz-61-0) was changed"],
        ),
        (
            "UPDATE evidence_entries SET last_at = last_at + interval '1 h' WHERE position = 1",
            ["Entry 1 (seal 1, kz-61-0) was changed"],
        ),
        (
            "UPDATE evidence_entries SET farm_id = NULL WHERE position = 1",
            ["Entry 1 (seal 1, devices without a farm) was changed"],
        ),
        (
            "UPDATE evidence_entries SET leaf = sha256(leaf) WHERE position = 1",
            ["head of seal 1 is not that of the entries", "Tile 0 of floor 0", "head of seal 2",
             "Entry 1 (seal 1"],
        ),
        (
            "DELETE FROM evidence_entries WHERE position = 7",
            ["head of seal 2 is not that of the entries"],
        ),
        (
            "UPDATE evidence_tiles SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1)",
            ["Tile 0 of floor 0 of the tree was changed"],
        ),
        (
            "UPDATE tree_heads SET root = sha256(root) WHERE seal = 2",
            ["head of seal 2 says otherwise than the table"],
        ),
        (
            "UPDATE tree_heads SET manifest = replace(manifest, 'size\"\\:8', 'size\"\\:9') "
            "WHERE seal = 2",
            ["head of seal 2 says otherwise", "is not that of", "signature that does not hold"],
        ),
        (
            "UPDATE tree_heads SET signature = (SELECT signature FROM tree_heads WHERE seal = 1) "
            "WHERE seal = 2",
            ["head of seal 2 has a signature that does not hold"],
        ),
    ],
)  # fmt: skip
def test_a_tree_that_was_changed_is_told(
    connection: sa.Connection, streams: dict[str, int], statement: str, words: list[str]
) -> None:
    run(connection, statement)
    told = look(connection)

    assert told.count >= 1
    for one in words:
        assert any(one in misfit for misfit in told.misfits), told.misfits


def test_who_has_the_key_makes_another_tree_and_a_kept_head_tells(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    kept = files.head_of_file(sealing.signed(connection, tree_heads.head(connection, 8)).file())
    assert inspecting.inspect(connection, kept=kept).count == 0
    # All is taken back, a row is changed, and all is stored and sealed again, as if it had been so.
    run(connection, "DELETE FROM evidence_tiles")
    for name in ("evidence_entries", "tree_heads", "pending_batches", "readings", "track_points"):
        connection.execute(tables.metadata.tables[name].delete())
    connection.info.clear()
    for turn in range(2):
        store(connection, [*streams.values()], begin=JULY + turn * DAY, count=3)
        sealing.seal(connection, KEY, author="somebody")
    assert look(connection).count == 0

    found = inspecting.inspect(connection, kept=kept)
    assert found.misfits == ["The head of 8 entries that was kept is of another tree than this."]
    longer = kept._replace(head=kept.head._replace(size=80))
    assert "the tree has 8 alone" in inspecting.inspect(connection, kept=longer).misfits[0]
    # Sealed otherwise, so that no head is of as many entries as the one that was kept.
    between = kept._replace(head=kept.head._replace(size=6))
    assert "none of so many is here" in inspecting.inspect(connection, kept=between).misfits[0]


def test_a_key_that_files_nothing_here_signs_no_head(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    stranger = SigningKey.make()
    signature = stranger.sign(tree_heads.head(connection, 8).manifest.encode(), HEAD_TYPE)
    statement = (
        "UPDATE tree_heads SET protected = :protected, signature = :signature WHERE size = 8"
    )
    run(connection, statement, **signature._asdict())

    assert "by a key that files nothing here" in misfit(connection)


def test_what_retention_dropped_is_told_as_that_and_what_was_changed_since_is_found(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    dropped = "2025-07-01T12:00:00Z"
    connection.execute(tables.reading_retention.delete())
    connection.execute(
        tables.reading_retention.insert().values(
            kept_days=None, dropped_before=dt.datetime.fromisoformat(dropped)
        )
    )
    run(connection, "DELETE FROM readings WHERE time < :before", before=dropped)
    found = look(connection)
    # The first day's batches of four: one of three farms and one of none.
    assert (found.count, found.dropped, found.rows) == (0, 16, 2 * (16 + 3 + 5) - 16)

    run(connection, "UPDATE readings SET value = 0 WHERE time = '2025-07-02T00:15:00Z'")
    assert look(connection).count == 4


def test_rows_of_a_device_that_has_a_farm_since_are_those_of_before(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    farm = farms.get(connection, FARM).id
    run(connection, "UPDATE devices SET farm_id = :farm WHERE farm_id IS NULL", farm=farm)

    assert look(connection).count == 0
    assert look(connection, FARM).count == 0


def test_many_rows_are_looked_at_a_few_at_a_time(
    connection: sa.Connection, streams: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = look(connection)
    asked: list[int] = []
    rows = inspecting_rows.sealed_rows.rows

    def counted(opened: sa.Connection, of: object, batches: object, *span: object) -> object:
        found = rows(opened, of, batches, *span)
        asked.append(len(found[0]))
        return found

    monkeypatch.setattr(inspecting_rows.sealed_rows, "rows", counted)
    monkeypatch.setattr(inspecting_rows, "ROWS_TOGETHER", 5)
    assert look(connection) == whole
    assert max(asked) <= 5


def test_progress_is_told_entry_by_entry(
    connection: sa.Connection, streams: dict[str, int]
) -> None:
    told: list[int] = []
    note: Callable[[int], None] = told.append
    inspecting.inspect(connection, on_progress=note)

    assert sum(told) == inspecting.total(connection, None) == 8
