"""A bundle that is damaged, cut, of another report, or made to deceive is told for what it is."""

import datetime as dt
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.entries import READINGS as READINGS_KIND
from evidence.entries import Batch
from reports.bundle import container, figures_proved, forms, opening, rows_proved
from reports.bundle.opening import BadBundle
from reports.bundle.recomputing import Again
from reports.statements.ground import Ground
from storage import evidence_rows
from tests.reports.bundle import forging, small_farm
from tests.reports.bundle.conftest import Oasis

READINGS, POINTS = forms.MEASURED


class Made(NamedTuple):
    """A bundle, and what it is of."""

    report: dict[str, Any]
    path: Path


@pytest.fixture(scope="module")
def made(oasis: Oasis, tmp_path_factory: pytest.TempPathFactory) -> Made:
    with oasis.engine.connect() as connection, connection.begin() as transaction:
        file = small_farm.file(connection, "yields")
        path = small_farm.bundle(connection, file, tmp_path_factory.mktemp("bundles"))
        transaction.rollback()
    return Made(small_farm.report_of(file), path)


def why(made: Made, path: Path | None = None) -> str:
    """Why a bundle is refused, or its rows are."""
    try:
        bundle = opening.read(path or made.path, made.report)
        found = list(rows_proved.findings(bundle, made.report))
    except BadBundle as error:
        return str(error)
    return " ".join(one.words for one in found if one.standing == "refuted")


def test_what_was_made_is_opened(made: Made) -> None:
    bundle = opening.read(made.path, made.report)

    assert why(made) == ""
    assert bundle.count(READINGS) == sum(len(part) for part in bundle.readings()) == 780
    units = {one["name"]: one["unit"] for one in forms.described("tables/balance_days.parquet")}
    assert (units["eta_mm"], units["kcb"], units["day"]) == ("mm", "1", None)
    assert bundle.told["quantities"]["water_total"] == "m³"


def test_rows_that_come_in_many_parts_are_hashed_as_one(
    made: Made, oasis: Oasis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(evidence_rows, "ROWS_TOGETHER", 77)
    with oasis.engine.connect() as connection, connection.begin() as transaction:
        file = small_farm.file(connection, "yields")
        path = small_farm.bundle(connection, file, tmp_path)
        transaction.rollback()
    report = small_farm.report_of(file)
    bundle = opening.read(path, report)

    assert len(list(bundle.tables(READINGS))) == 11  # of 780 rows
    assert {one.standing for one in rows_proved.findings(bundle, report)} == {"proved"}


@settings(max_examples=300)
@given(data=st.data())
def test_no_bit_of_a_bundle_can_flip_unseen(made: Made, data: st.DataObject) -> None:
    raw = bytearray(made.path.read_bytes())
    place = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[place // 8] ^= 1 << place % 8
    flipped = made.path.with_name("flipped")
    flipped.write_bytes(raw)

    assert why(made, flipped)


@settings(max_examples=60)
@given(data=st.data())
def test_no_part_of_a_bundle_can_be_cut_off_moved_or_doubled(
    made: Made, data: st.DataObject
) -> None:
    raw = made.path.read_bytes()
    begin = data.draw(st.integers(0, len(raw) - 1))
    end = data.draw(st.integers(begin + 1, len(raw)))
    kept = data.draw(st.sampled_from([raw[:begin], raw[end:], raw[:begin] + raw[end:], raw * 2]))
    changed = made.path.with_name("changed")
    changed.write_bytes(kept)

    assert why(made, changed)


def test_a_bundle_of_another_report_or_revision_is_told(made: Made) -> None:
    for change, words in (
        ({"number": "yields-2026-0009"}, "and not of yields-2026-0009, revision 0"),
        ({"revision": 1}, "revision 0, and not of"),
        ({"filed_by": "somebody"}, "another text of this report than the one that you have"),
    ):
        assert words in why(made._replace(report=made.report | change))


def test_an_ordinary_zip_or_no_zip_is_no_bundle(made: Made, tmp_path: Path) -> None:
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name, raw in forging.contents(made.path).items():
            out.writestr(name, raw)
        out.writestr("bomb", bytes(10_000_000))
    text = tmp_path / "text"
    text.write_text("no ZIP")
    empty = tmp_path / "empty"
    empty.touch()

    assert "its files are packed" in why(made, packed)
    for one in (text, empty):
        assert "it is no whole ZIP file" in why(made, one)
    with pytest.raises(FileNotFoundError):
        opening.read(tmp_path / "none", made.report)


def _retyped(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("value")
    return table.set_column(place, "value", table.column("value").cast(pa.float32()))


FORGED: dict[str, tuple[Callable[[Made], Path], str]] = {
    "a file more": (
        lambda made: forging.written(made.path, forging.contents(made.path) | {"more": b"x"}),
        "it has also more",
    ),
    "a file less": (
        lambda made: forging.written(
            made.path,
            {k: v for k, v in forging.contents(made.path).items() if k != "tables/farms.parquet"},
        ),
        "it lacks tables/farms.parquet",
    ),
    "no manifest": (
        lambda made: _packed(made, {"readings.parquet": b""}),
        "there is no manifest.json in it",
    ),
    "another type": (
        lambda made: forging.with_table(made.path, READINGS, _retyped),
        "the columns of readings.parquet are not those that its manifest says",
    ),
    "a column less": (
        lambda made: forging.with_table(made.path, "tables/farms.parquet", _without_name),
        "the columns of tables/farms.parquet are not those",
    ),
    "no Parquet": (
        lambda made: _packed(made, forging.contents(made.path) | {POINTS: b"x"}),
        "track_points.parquet is not the file that its manifest is of",
    ),
    "rows that are not there": (
        lambda made: forging.with_told(made.path, lambda t: t["files"][READINGS].update(rows=9)),
        "readings.parquet has 780 rows and not 9",
    ),
    "columns of another version": (
        lambda made: forging.with_told(made.path, lambda t: t["files"][READINGS]["columns"].pop()),
        "other columns than this version of the program knows",
    ),
    "another format": (
        lambda made: forging.with_told(made.path, lambda t: t.update(format="dala-evidence/9")),
        "this program reads 'dala-evidence/1'",
    ),
    "rows in another order": (
        lambda made: forging.with_table(made.path, READINGS, lambda t: t.sort_by("time")),
        "do not stand in the order of their batches",
    ),
    "readings of nobody": (
        lambda made: forging.with_table(
            made.path, "tables/datastreams.parquet", lambda t: t.slice(1)
        ),
        "a reading is of a datastream that is not among its datastreams",
    ),
    "an entry withheld": (
        lambda made: forging.with_table(made.path, forms.ENTRIES, lambda t: t.slice(1)),
        "entry 0, which the report names, is not there",
    ),
    "an entry that was never sealed": (
        lambda made: forging.with_table(made.path, forms.ENTRIES, _moved),
        "entry 1 is none that the report names",
    ),
    "an entry of forged batches before the true one": (
        lambda made: forging.with_table(made.path, forms.ENTRIES, _with_a_batch_more),
        "entry 0 is there twice",
    ),
    "an entry of another time": (
        lambda made: forging.with_table(made.path, forms.ENTRIES, _resealed),
        "entry 0 is not as it was sealed",
    ),
    "readings withheld": (
        lambda made: forging.with_table(made.path, READINGS, lambda t: t.slice(10)),
        "The readings are not those that were stored: batch",
    ),
    "a reading of no batch that came when all were hashed": (
        lambda made: forging.with_table(made.path, READINGS, _slipped_in),
        "1 readings are of no batch and say that they arrived after rows of their farms",
    ),
    "a depth that is no number": (
        lambda made: forging.with_table(made.path, "tables/datastreams.parquet", _bottomless),
        "a datastream has no name that could be hashed",
    ),
    "a time without a zone": (
        lambda made: forging.with_told(
            made.path, lambda t: t.update(readings_complete_since="2025-06-01")
        ),
        "since when its readings are complete is no time",
    ),
    "points of another machine": (
        lambda made: forging.with_table(made.path, "tables/devices.parquet", _renamed),
        "a datastream is of a device that is not among its devices",
    ),
    "devices of nobody": (
        lambda made: forging.with_table(made.path, "tables/farms.parquet", lambda t: t.slice(1)),
        "a device is of a farm that is not among its farms",
    ),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_bundle_that_is_made_to_deceive_is_refused(what: str, made: Made) -> None:
    forge, words = FORGED[what]

    assert words in why(made, forge(made))


@pytest.mark.parametrize(
    ("table", "change", "words"),
    [
        ("fields", lambda t: t.slice(1), "none that a database takes: insert or update on table"),
        ("irrigation_events", lambda t: pa.concat_tables([t, t]), "duplicate key value"),
        ("regions", lambda t: t.slice(99), "its rows are none that a database takes"),
    ],
)
def test_rows_that_no_database_takes_are_no_fault_of_ours(
    table: str, change: Callable[[pa.Table], pa.Table], words: str, made: Made, oasis: Oasis
) -> None:
    forged = forging.with_table(made.path, forms.table(table), change)
    bundle = opening.read(forged, made.report)

    with pytest.raises(BadBundle, match=words):
        list(figures_proved.findings(bundle, made.report, oasis.fresh))


def test_a_report_that_names_more_entries_than_there_can_be_costs_no_memory(made: Made) -> None:
    told = made.report["evidence"]
    (first, _, leaf), *_ = told["entries"]
    report = made.report | {"evidence": told | {"entries": [[first, 2**50, leaf]]}}
    bundle = opening.read(made.path, made.report)
    (found,) = rows_proved.findings(bundle, report)

    assert "entry 1, which the report names, is not there" in found.words


def test_days_of_a_season_that_was_not_made_again_prove_nothing(made: Made) -> None:
    # Whoever wants to deceive says in a day what the whole digest is of, records and all.
    bundle = opening.read(made.path, made.report)
    asked = ["crop_zone_id", "day", "input_digest"]
    zone, _, said = max(bundle.rows("balance_days", asked))
    signed = hashlib.sha256(said).hexdigest()
    now = dt.datetime.now(dt.UTC)
    again = Again({}, {}, {}, {}, Ground([], now, now))

    assert not figures_proved._entered_alike(bundle, zone, signed, again)


@pytest.mark.parametrize(
    "change",
    [lambda t: t.slice(2), lambda t: _of_zone(t, -1), lambda t: _of_zone(t, 0)],
    ids=["no result", "results of no zone", "two results of one zone"],
)
def test_a_season_counts_as_made_again_only_where_its_own_result_is_there(
    change: Callable[[pa.Table], pa.Table], made: Made
) -> None:
    # Of both seasons' digests none is that of what was made again.
    forged = forging.with_table(made.path, "tables/season_results.parquet", change)
    bundle = opening.read(forged, made.report)
    stood = [
        figures_proved.Stood(*row)
        for row in bundle.rows("season_results", figures_proved.Stood._fields)
    ]
    now = dt.datetime.now(dt.UTC)
    again = Again({}, {row[0]: "" for row in bundle.rows("crop_zones", ["id"])}, {}, {},
                  Ground([], now, now))  # fmt: skip
    (found,) = figures_proved._inputs(bundle, made.report, again, stood)

    assert (found.standing, found.words[:6]) == ("open", "2 of 2")


def test_a_report_that_names_entries_of_less_time_than_it_rests_on_is_told(
    made: Made, oasis: Oasis
) -> None:
    # As whoever has the key would sign it, to leave out the entry of a day that was tampered with.
    told = made.report["evidence"]
    for shrunk in ({"start": "2025-06-01T00:00:00Z"}, {"end": "2025-06-01T00:00:00Z"}):
        report = made.report | {"evidence": told | shrunk}
        bundle = opening.read(made.path, made.report)
        found = figures_proved.findings(bundle, report, oasis.fresh)
        words = [one.words for one in found if one.standing == "open"]
        assert [one[:30] for one in words] == ["The report names entries with "], words


def _packed(made: Made, files: dict[str, bytes]) -> Path:
    """Files with the manifest of the others, if any."""
    folder = made.path.with_name("packed")
    folder.mkdir(exist_ok=True)
    paths = {}
    for name, raw in files.items():
        paths[name] = folder / name.replace("/", "-")
        paths[name].write_bytes(raw)
    path = made.path.with_name("packed.zip")
    with path.open("wb") as out:
        container.write(out.write, paths)
    return path


def _slipped_in(table: pa.Table) -> pa.Table:
    row = table.slice(0, 1)
    for name, value in (
        ("batch_id", None),
        ("received_at", dt.datetime(2100, 1, 1, tzinfo=dt.UTC)),
    ):
        place = row.schema.get_field_index(name)
        field = row.schema.field(place)
        row = row.set_column(place, field, pa.array([value], field.type))
    nothing = row.slice(1)
    return pa.concat_tables([nothing, row, table])


def _bottomless(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("depth_cm")
    depths = pa.array([float("nan")] * table.num_rows, pa.float64())
    return table.set_column(place, table.schema.field(place), depths)


def _of_zone(table: pa.Table, zone: int) -> pa.Table:
    place = table.schema.get_field_index("crop_zone_id")
    field = table.schema.field(place)
    return table.set_column(place, field, pa.array([zone] * table.num_rows, field.type))


def _without_name(table: pa.Table) -> pa.Table:
    return table.drop_columns(["name"])


def _moved(table: pa.Table) -> pa.Table:
    beside = table.set_column(0, table.schema.field(0), pa.array([1], pa.int64()))
    return pa.concat_tables([table, beside])


def _with_a_batch_more(table: pa.Table) -> pa.Table:
    # Any rows could be put into the bundle under its number, and pass for sealed.
    made_up = Batch(10**9, READINGS_KIND, 1, bytes(32)).packed()
    place = table.schema.get_field_index("batches")
    field = table.schema.field(place)
    forged = table.slice(0, 1).set_column(place, field, pa.array([made_up], field.type))
    return pa.concat_tables([forged, table])


def _resealed(table: pa.Table) -> pa.Table:
    return table.set_column(1, table.schema.field(1), pa.array([2], pa.int64()))


def _renamed(table: pa.Table) -> pa.Table:
    names = pa.array([f"{one}-2" for one in table.column("id").to_pylist()])
    return table.set_column(0, table.schema.field(0), names)
