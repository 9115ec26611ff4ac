"""Every new row is in a batch, and each batch says what its rows are hashed to; nothing else is."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence import rows as evidence
from storage import devices, farms, readings, tables, tenancy, tracks
from storage.devices import StreamKey
from storage.farms import Region
from storage.readings import Quality
from storage.tenancy import Reach
from tests.hashed_again import noted, recomputed

MINUTE = 60_000_000
BEGIN = 1_750_000_020_000_000  # a full minute of June 2025 [µs]


def put_farm(connection: sa.Connection, slug: str) -> int:
    farms.put_region(connection, Region("KZ-61", "61", "x", "x", "x"))
    place = {"latitude_deg": 43.0, "longitude_deg": 76.0, "elevation_m": 700.0}
    return farms.put(
        connection, slug, name=slug, region_code="KZ-61", timezone="Asia/Almaty", **place
    )


def put_stream(connection: sa.Connection, device: str, farm: int | None, **key: Any) -> int:
    devices.put(connection, device, farm_id=farm, kind="soil-probe", name=device)
    wanted = StreamKey(device, "soil_moisture", key.get("depth_cm"), key.get("channel"))
    return devices.open_datastreams(connection, [wanted])[wanted]


def batch(*rows: tuple[int, int, float]) -> np.ndarray[Any, Any]:
    """Readings of (minute, datastream, value) that arrive half a minute after the last minute."""
    table = np.zeros(len(rows), readings.DTYPE)
    table["time"] = [BEGIN + minute * MINUTE for minute, _, _ in rows]
    table["datastream_id"] = [stream for _, stream, _ in rows]
    table["value"] = [value for _, _, value in rows]
    table["received_at"] = BEGIN + 10_000 * MINUTE - MINUTE // 2
    return table


def points(places: list[int], seconds: list[int], **values: Any) -> np.ndarray[Any, Any]:
    table = np.zeros(len(places), tracks.DTYPE)
    table["device"], table["work_state"] = places, -1
    table["time"] = BEGIN + 1_000_000 * np.array(seconds)
    table["received_at"] = table["time"] + 1
    for name in tracks.NUMBERS:
        table[name] = values.get(name, np.nan)
    table["latitude_deg"], table["longitude_deg"] = 51.25, 71.5
    return table


@pytest.fixture
def streams(connection: sa.Connection) -> list[int]:
    """Datastreams of two farms, of a device without one, and one that there is not."""
    one, other = put_farm(connection, "one"), put_farm(connection, "other")
    return [
        put_stream(connection, "probe-1", one, depth_cm=20.0),
        put_stream(connection, "probe-2", other, depth_cm=7.5),
        put_stream(connection, "probe-1", one, depth_cm=20.0, channel=3),
        put_stream(connection, "зонд", other),
        put_stream(connection, "stray", None),
        9_999_999,
    ]


def test_of_each_farm_there_is_a_digest_of_what_the_table_holds(
    connection: sa.Connection, streams: list[int]
) -> None:
    values = [0.25, -0.0, float("nan"), float("inf"), 5e-324]
    rows = batch(
        *((minute, one, value) for minute, value in enumerate(values) for one in streams[:4])
    )
    rows["quality"] = 17 * np.arange(len(rows)) % 64  # some of them spikes at once
    readings.store(connection, rows[::-1])

    ((kind, one, _), (_, other, _)) = told = noted(connection)
    assert (kind, one) == ("readings", other)
    assert told == recomputed(connection)
    assert [count for _, count, _, _ in told.values()] == [10, 10]


def test_points_are_hashed_with_what_is_unknown_of_them(connection: sa.Connection) -> None:
    names = ["tractor-2", "harvester-1", "of-nobody"]
    for name in names[:2]:
        devices.put(connection, name, farm_id=put_farm(connection, name), kind="tractor", name=name)
    rows = points([0, 1, 2, 0, 1], [3, 2, 1, 0, 4], width_m=[6.0, np.nan, 0.0, 7.0, 8.0])
    rows["work_state"] = [1, -1, 0, 1, 1]
    tracks.store(connection, names, rows)

    told = noted(connection)
    assert told == recomputed(connection)
    assert sorted(count for _, count, _, _ in told.values()) == [1, 2, 2]


MINUTES, PLACES = st.integers(0, 4), st.integers(0, 5)
VALUES = st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("-inf")])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sent=st.lists(st.lists(st.tuples(MINUTES, PLACES, VALUES), max_size=9), min_size=1, max_size=5)
)
def test_whatever_comes_again_or_otherwise_batches_are_of_what_was_new(
    connection: sa.Connection, streams: list[int], sent: list[list[tuple[int, int, float]]]
) -> None:
    new = 0
    with connection.begin_nested() as savepoint:
        for rows in sent:
            found = readings.store(connection, batch(*((m, streams[at], v) for m, at, v in rows)))
            new += int(found.new[[at < 5 for _, at, _ in rows]].sum())
            tracks.store(
                connection,
                ["one", "two"],
                points([at % 2 for _, at, _ in rows], [m for m, _, _ in rows]),
            )
        told = noted(connection)
        assert told == recomputed(connection)
        assert sum(one[1] for (kind, _, _), one in told.items() if kind == "readings") == new
        savepoint.rollback()
    assert noted(connection) == {}


def test_what_is_all_stored_already_makes_no_batch(
    connection: sa.Connection, streams: list[int]
) -> None:
    rows = batch((0, streams[0], 0.25), (1, streams[1], 0.5))
    readings.store(connection, rows)
    tracks.store(connection, ["tractor"], points([0, 0], [1, 2]))
    before = noted(connection)

    rows["value"][0] = 0.75  # a conflict is kept beside, and is no reading
    readings.store(connection, rows)
    tracks.store(connection, ["tractor"], points([0, 0], [1, 2], width_m=3.0))

    assert len(before) == 3
    assert noted(connection) == before


def test_a_spike_that_is_flagged_later_leaves_the_digest_true(
    connection: sa.Connection, streams: list[int]
) -> None:
    rows = batch((0, streams[0], 0.25), (1, streams[0], 0.5))
    readings.store(connection, rows)
    readings.flag(connection, rows["datastream_id"], rows["time"], Quality.SPIKE)

    assert noted(connection) == recomputed(connection)
    assert int(Quality.SPIKE) == evidence.GIVEN_LATER


def test_a_point_is_hashed_with_every_number_that_a_track_has() -> None:
    assert tracks.NUMBERS == evidence.NUMBERS
    hashed = {*evidence.POINT.names, "device_id", "batch_id"} - {"name"}
    assert hashed == set(tables.track_points.c.keys())
    hashed = {*evidence.READING.names, "datastream_id", "batch_id"} - {"name"}
    assert hashed == set(tables.readings.c.keys())


@pytest.mark.parametrize("column", ["value", "received_at", "time", "quality", "batch_id"])
def test_what_is_changed_in_the_table_is_another_digest(
    connection: sa.Connection, streams: list[int], column: str
) -> None:
    readings.store(connection, batch((0, streams[0], 0.25), (1, streams[0], 0.5)))
    changed = {"time": "time + interval '1 us'", "received_at": "received_at + interval '1 minute'"}
    to = changed.get(column, f"{column} + 1")
    connection.execute(sa.text(f"UPDATE readings SET {column} = {to} WHERE value = 0.5"))  # noqa: S608

    assert noted(connection) != recomputed(connection)


def test_rows_of_no_farm_are_a_batch_of_their_own_which_a_claim_does_not_spoil(
    connection: sa.Connection, streams: list[int]
) -> None:
    names = ["one-tractor", "stray"]
    farm = farms.get(connection, "one").id
    devices.put(connection, "one-tractor", farm_id=farm, kind="tractor", name="Tractor")
    readings.store(connection, batch((0, streams[0], 0.25), (0, streams[4], 0.5)))
    tracks.store(connection, names, points([0, 1], [1, 2]))
    before = noted(connection)
    assert before == recomputed(connection)
    assert len({number for _, number, _ in before}) == 4

    devices.put(connection, "stray", farm_id=farm, kind="soil-probe", name="Claimed")
    readings.store(connection, batch((1, streams[0], 0.25), (1, streams[4], 0.5)))
    tracks.store(connection, names, points([0, 1], [3, 4]))

    after, again = noted(connection), recomputed(connection)
    assert {key: one for key, one in after.items() if key in before} == before
    assert {key[2] for key in after.keys() - before.keys()} == {farm}
    assert sorted(count for _, count, _, _ in after.values()) == [1, 1, 1, 1, 2, 2]
    # Nothing is missing in what was hashed of the farm; what was nobody's is still told apart.
    assert {key: one for key, one in again.items() if key in after} == {
        key: one for key, one in after.items() if key[2]
    }


def test_a_device_stays_with_the_farm_that_its_rows_were_hashed_for(
    connection: sa.Connection, streams: list[int]
) -> None:
    other = farms.get(connection, "other").id
    for farm_id in (other, None):
        with pytest.raises(sa.exc.IntegrityError, match="stays with its farm"):  # noqa: SIM117
            with connection.begin_nested():
                devices.put(connection, "probe-1", farm_id=farm_id, kind="soil-probe", name="Moved")
    devices.put(connection, "stray", farm_id=other, kind="soil-probe", name="Claimed")
    devices.put(connection, "stray", farm_id=other, kind="soil-probe", name="Named anew")


def test_a_row_of_nobody_knows_what_is_stored_and_in_no_batch(
    connection: sa.Connection, streams: list[int]
) -> None:
    outcome = readings.store(connection, batch((0, streams[5], 1.0), (0, streams[0], 0.25)))

    assert outcome.new.all()
    found = connection.execute(sa.text("SELECT value, batch_id FROM readings ORDER BY value")).all()
    (key,) = noted(connection)
    assert [tuple(one) for one in found] == [(0.25, key[1]), (1.0, None)]


# --- transactions -----------------------------------------------------------------------------


def test_a_batch_that_is_rolled_back_leaves_nothing_and_its_number_is_not_given_again(
    empty_engine: sa.Engine,
) -> None:
    with empty_engine.begin() as connection:
        stream = put_stream(connection, "probe", put_farm(connection, "farm"))
    rows = batch((0, stream, 0.25))
    with empty_engine.connect() as connection:
        readings.store(connection, rows)
        ((_, lost, _),) = noted(connection)
        connection.rollback()
        assert noted(connection) == {}
        readings.store(connection, rows)
        connection.commit()
        told = noted(connection)

    ((_, kept, _),) = told
    assert kept > lost
    with empty_engine.connect() as connection:
        assert told == noted(connection) == recomputed(connection)


def test_a_datastream_that_was_rolled_back_does_not_lend_its_name(
    empty_engine: sa.Engine,
) -> None:
    with empty_engine.connect() as connection:
        farm = put_farm(connection, "farm")
        connection.commit()
        for device in ("never-was", "probe"):
            stream = put_stream(connection, device, farm)
            readings.store(connection, batch((0, stream, 0.25)))
            if device == "probe":
                connection.commit()
                assert noted(connection) == recomputed(connection)
                assert len(noted(connection)) == 1
            else:
                connection.rollback()


def test_a_claim_that_was_rolled_back_is_not_remembered(empty_engine: sa.Engine) -> None:
    with empty_engine.connect() as connection:
        wrong, right = put_farm(connection, "wrong"), put_farm(connection, "right")
        stream = put_stream(connection, "stray", None)
        connection.commit()
        for minute, farm in enumerate((wrong, right)):
            devices.put(connection, "stray", farm_id=farm, kind="soil-probe", name="Claimed")
            readings.store(connection, batch((minute, stream, 0.25)))
            readings.store(connection, batch((minute + 2, stream, 0.25)))
            if farm == wrong:
                connection.rollback()
        connection.commit()
        readings.store(connection, batch((5, stream, 0.25)))  # and from here on it is
        assert noted(connection) == recomputed(connection)
        assert {farm for _, _, farm in noted(connection)} == {right}


def test_when_another_worker_was_first_each_row_is_in_the_batch_that_stored_it(
    empty_engine: sa.Engine,
) -> None:
    with empty_engine.begin() as connection:
        one, other = put_farm(connection, "one"), put_farm(connection, "other")
        of = [put_stream(connection, "probe-1", one), put_stream(connection, "probe-2", other)]

    def send(minutes: list[int]) -> None:
        with empty_engine.begin() as connection:
            rows = batch(*((minute, stream, 0.5) for minute in minutes for stream in of))
            readings.store(connection, rows)
            tracks.store(connection, ["tractor"], points([0] * len(minutes), minutes))

    random = np.random.default_rng(7)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, (random.permutation(12)[:6].tolist() for _ in range(40))))

    with empty_engine.connect() as connection:
        told = noted(connection)
        assert told == recomputed(connection)
        assert len(told) > 4
        assert sum(one[1] for one in told.values()) == 12 * 3


def test_datastreams_that_come_later_stand_beside_those_that_are_remembered(
    empty_engine: sa.Engine,
) -> None:
    empty_engine.dispose()
    with empty_engine.begin() as connection:
        streams = [put_stream(connection, f"probe-{n}", put_farm(connection, "f")) for n in (1, 2)]
        readings.store(connection, batch((0, streams[0], 1.0)))
        readings.store(connection, batch((0, streams[1], 1.0), (1, streams[0], 1.0)))
        readings.store(connection, batch((2, streams[1], 1.0), (2, streams[0], 1.0)))
        assert noted(connection) == recomputed(connection)


# --- who sees and who changes -----------------------------------------------------------------


def refused(connection: sa.Connection, statement: str, words: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match=words), connection.begin_nested():
        connection.execute(sa.text(statement))


def test_the_api_sees_no_batch_that_waits_and_entries_of_its_farms_alone(
    connection: sa.Connection,
) -> None:
    mine, theirs = put_farm(connection, "mine"), put_farm(connection, "theirs")
    _seal(connection, [mine, theirs, None])
    entries = sa.text("SELECT farm_id FROM evidence_entries ORDER BY position")
    witnessed = "INSERT INTO head_countersignatures (seal, protected, signature, kid, received_by) "
    witnessed += "VALUES (1, 'p', 's', 'k', 'witness')"

    for reach, seen in (
        (Reach(farms=(mine,)), [mine]),
        (Reach(), []),
        (Reach(everything=True), [mine, theirs, None]),
    ):
        tenancy.enter(connection, reach)
        refused(connection, "SELECT nextval('batch_ids')", "permission denied")
        refused(connection, "DELETE FROM evidence_entries", "permission denied")
        assert connection.scalars(entries).all() == seen
        assert connection.scalar(sa.text("SELECT size FROM tree_heads")) == 3
        if not reach.everything:
            refused(connection, "SELECT * FROM pending_batches", "permission denied")
            refused(connection, witnessed, "permission denied")
    connection.execute(sa.text(witnessed))
    assert connection.scalar(sa.text("SELECT kid FROM head_countersignatures")) == "k"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tree_heads SET size = 4",
        "DELETE FROM tree_heads",
        "UPDATE evidence_entries SET farm_id = NULL",
        "DELETE FROM evidence_entries",
        "DELETE FROM evidence_tiles",
        "UPDATE evidence_tiles SET hashes = substring(hashes FOR 32)",
        r"UPDATE evidence_tiles SET hashes = '\x00'::bytea || substring(hashes FROM 2)",
        "UPDATE evidence_tiles SET number = 1",
    ],
)
def test_what_stands_in_the_tree_is_never_changed(
    connection: sa.Connection, statement: str
) -> None:
    _seal(connection, [None])
    refused(connection, statement, "added to and never changed")


def test_a_tile_at_the_edge_grows(connection: sa.Connection) -> None:
    _seal(connection, [None])
    grown = "UPDATE evidence_tiles SET hashes = hashes || decode(repeat('22', 32), 'hex')"
    connection.execute(sa.text(grown))
    assert connection.scalar(sa.text("SELECT length(hashes) FROM evidence_tiles")) == 128


def _seal(connection: sa.Connection, farm_ids: list[int | None]) -> None:
    """A head, as many entries, and a tile, whatever they hold."""
    now, some = dt.datetime(2025, 6, 1, tzinfo=dt.UTC), bytes(range(1, 33))
    key = {"kid": "k", "jwk": {}, "role": "countersigns", "owner": "w", "created_by": "t"}
    connection.execute(sa.insert(tables.report_keys).values(key))
    head = {"seal": 1, "size": 3, "root": some, "sealed_at": now, "kid": "k"}
    head |= {"manifest": "{}", "protected": "p", "signature": "s"}
    connection.execute(sa.insert(tables.tree_heads).values(head))
    for position, farm in enumerate(farm_ids):
        entry = {"position": position, "seal": 1, "farm_id": farm, "leaf": some, "batches": b""}
        times = {"first_at": now, "last_at": now}
        connection.execute(sa.insert(tables.evidence_entries).values(entry | times))
    tile = {"floor": 0, "number": 0, "hashes": some * 3}
    connection.execute(sa.insert(tables.evidence_tiles).values(tile))
