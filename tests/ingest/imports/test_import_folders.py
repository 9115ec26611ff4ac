"""A folder of everything: what is data is imported, and a bad file stops no other."""

import gzip
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.imports import sources
from ingest.imports.texts import kind_of
from tests.ingest.imports.conftest import Steppe
from tests.ingest.made_task_data import document, header, record, zipped

WEATHER = (
    "date,tmax_c,tmin_c,solar_mj_m2,vapour_pressure_kpa,tdew_c,rh_max_pct,rh_min_pct,wind_m_s,"
    "rain_mm\n2025-09-01,20,8,15,,,90,40,3,0\n"
)
DEPTHS = "date,depth_mm,wetted_fraction,efficiency\n2025-06-01,25,,\n"
LOADS = "ticket,weighed_at,field,net_kg\nA-1,2025-09-10 18:30,west,8400\n"
SET = {
    "TASKDATA.XML": document(),
    "TLG00001.xml": header([67]),
    "TLG00001.bin": record(0, {0: 9_000}),
    "GRD00001.bin": b"\0" * 10,
    "LINKLIST.XML": b"<ISO11783LinkList/>",
}


def states(made) -> dict[str, tuple[str, str | None]]:
    return {Path(one.source).name: (one.state, one.kind) for one in made}


def test_each_file_is_told_by_its_content_and_a_bad_one_stops_no_other(steppe: Steppe) -> None:
    steppe.write("a/weather.txt", WEATHER)
    steppe.write("b/bad.csv", WEATHER.replace("20,8", "20,80"))
    steppe.write("c/water.csv", DEPTHS)
    steppe.write("d/loads.csv", LOADS)
    steppe.write("e/what.csv", "a,b\n1,2\n")
    steppe.write("e/notes.docx", b"PK")
    steppe.write("e/.hidden.csv", "a,b\n")
    for name, content in SET.items():
        steppe.write(f"f/{name}", content)

    made = steppe.runs(field="west")

    assert states(made) == {
        "weather.txt": ("imported", "weather"),
        "bad.csv": ("refused", "weather"),
        "water.csv": ("imported", "irrigation"),
        "loads.csv": ("imported", "loads"),
        "what.csv": ("refused", None),
        "notes.docx": ("skipped", None),
        "f": ("imported", "isoxml"),
    }


def test_the_files_of_an_archive_are_imported_as_those_of_a_folder(steppe: Steppe) -> None:
    inner = zipped({"w.csv": WEATHER.encode()})
    archive = {f"T/{name}": one for name, one in SET.items()}
    archive |= {"w.csv": WEATHER.encode(), "photo.jpg": b"", "more.zip": inner}

    made = steppe.runs(steppe.write("all.zip", zipped(archive)))

    assert states(made) == {
        "T": ("imported", "isoxml"),
        "w.csv": ("imported", "weather"),
        "photo.jpg": ("skipped", None),
        "more.zip": ("refused", None),
    }


def test_a_path_given_twice_counts_once(steppe: Steppe) -> None:
    path = steppe.write("w.csv", WEATHER)

    assert len(steppe.runs(path, steppe.folder, path)) == 1


def test_the_kind_can_be_named(steppe: Steppe) -> None:
    assert (
        steppe.imports("x.csv", DEPTHS, kind="weather")
        .errors[0]
        .startswith("x.csv, line 1, column depth_mm: is not one of date, tmax_c")
    )
    assert steppe.imports("x.csv", DEPTHS, kind="isoxml").state == "refused"


def test_a_header_nearly_right_is_told_as_the_kind_it_is_near_to() -> None:
    assert kind_of(["Date,depth_mm"], "x") == "irrigation"
    assert kind_of(["\ufeffdate,tmax_c,tmin_c"], "x") == "weather"
    assert kind_of(['"ticket","weighed_at","netto"'], "x") == "loads"
    assert kind_of(["X,Y,Yield"], "x") == "yield"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.csv", b"\xff\xfea", "x.csv, line 1, column (file): is in UTF-16"),
        ("x.csv", b"a\0b", "x.csv, line 1, column (text): a byte is zero"),
        ("x.csv", b"", "x.csv, line 1, column (header): begins with ''"),
        ("x.zip", b"PK\x03\x04 no more", "not a zip archive"),
        ("x.csv.gz", gzip.compress(WEATHER.encode())[:-9], "x.csv.gz, line 3, column (gzip)"),
        ("x.csv.gz", b"\x1f\x8b\x08 no more", "x.csv.gz, line 1, column (gzip)"),
    ],
)
def test_what_is_no_data_is_refused_with_its_reason(
    steppe: Steppe, name: str, content: bytes, reason: str
) -> None:
    made = steppe.imports(name, content)

    assert made.state == "refused"
    assert made.errors[0].startswith(reason)


def test_what_is_not_there_or_may_not_be_read_is_told(steppe: Steppe) -> None:
    (made,) = steppe.runs(steppe.folder / "nowhere")
    assert (made.state, made.errors) == ("refused", ("there is no such file or folder",))
    if os.geteuid() != 0:
        path = steppe.write("w.csv", WEATHER)
        path.chmod(0)
        assert steppe.runs(path)[0].errors == ("Permission denied",)


def test_bombs_end_in_a_reason_and_little_memory(steppe: Steppe, monkeypatch) -> None:
    monkeypatch.setattr(sources, "ARCHIVE", sources.ARCHIVE._replace(file_bytes=1_000_000))
    monkeypatch.setattr("ingest.imports.texts.MAX_TEXT_BYTES", 1_000_000)
    many = bytes(100_000_000)
    bomb = steppe.write(
        "set.zip", zipped({"TASKDATA.XML": document(), "TLG1.xml": many, "TLG1.bin": many})
    )
    text = steppe.write("w.csv.gz", gzip.compress(many))
    del many
    tracemalloc.start()
    try:
        made = steppe.runs(bomb, text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert [one.state for one in made] == ["refused", "refused"]
    assert "unpacks to more" in made[0].errors[0]
    assert "unpacks to more" in made[1].errors[0]
    assert peak < 20_000_000


HEADS = [WEATHER, DEPTHS, LOADS, "time,longitude_deg,latitude_deg,mass_flow_kg_s,interval_s,"
         "distance_m,width_m\n2025-09-10 11:00,71,51,4,1,2,9\n",
         '71.4,51.1,10,1757484000,1,100,360,14.5,1,1,42,"F","L","W"\n']  # fmt: skip


@settings(
    max_examples=int(os.environ.get("DALA_FUZZ_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from(HEADS), st.integers(0, 400), st.binary(max_size=60), st.integers(0, 40),
    st.sampled_from((None, "weather", "irrigation", "loads", "yield", "agleader")),
)  # fmt: skip
def test_any_text_ends_in_rows_or_a_reason(steppe: Steppe, text, at, noise, cut, kind) -> None:
    raw = bytearray(text.encode())
    raw[at : at + cut] = noise

    (made,) = steppe.runs(steppe.write("x.csv", bytes(raw)), dry=True, field="west", kind=kind)

    assert made.state in {"imported", "refused"}
    assert (made.state == "refused") == bool(made.errors)
