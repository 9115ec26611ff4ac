"""What people hand in for a text file: the message names file and line, and what to do."""

import gzip
import io
import zipfile

import pytest

from analytics.scenario import run_files
from analytics.tables import TableError, read_irrigation, read_weather
from analytics.text_files import read_text
from analytics.yield_monitor import clean_file
from tests.analytics.test_scenario import HEADER, SCENARIO, WEATHER
from tests.analytics.test_yield_monitor import AG_LEADER_LINE

TEXT = "date,depth_mm\n2025-05-01,30\n"


def zipped(text: str) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("weather.csv", text)
    return memory.getvalue()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (zipped(TEXT), r"line 1, column \(file\): is a zip archive or a workbook"),
        (gzip.compress(TEXT.encode()), r"line 1, column \(file\): .*gzip: unpack it first"),
        (TEXT.encode("utf-16"), r"line 1, column \(file\): .*UTF-16: save it as UTF-8"),
        (TEXT.encode() + b"\0" * 200_000, r"line 3, column \(text\): a byte is zero"),
        (TEXT.encode() + "2025-05-02,дождь".encode("cp1251"), r"line 3, .* is not UTF-8: save"),
    ],
)
def test_what_is_no_text_is_named_with_what_to_do(tmp_path, raw, message):
    (tmp_path / "w.csv").write_bytes(raw)
    (tmp_path / "field.toml").write_text(SCENARIO)
    with pytest.raises(TableError, match=f"w.csv, {message}"):
        read_text(tmp_path / "w.csv")
    with pytest.raises(TableError, match=f"w.csv, {message}"):
        run_files(tmp_path / "field.toml", tmp_path / "w.csv")
    with pytest.raises(TableError, match=f"w.csv, {message}"):
        run_files(tmp_path / "w.csv", tmp_path / "w.csv")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    (tmp_path / "w.csv").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert read_text(tmp_path / "w.csv") == TEXT


def test_a_cell_without_end_is_named():
    endless = [HEADER, WEATHER[1], '2025-05-02,"' + "9" * 200_000]
    with pytest.raises(TableError, match=r"w.csv, line 3, column \(any\): field larger"):
        read_weather(endless, "w.csv")


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators_are_named_with_what_to_do(tmp_path, separator, name):
    message = f"line 1, column .all.: cells stand between {name}: save it with commas"
    with pytest.raises(TableError, match=message):
        read_irrigation(TEXT.replace(",", separator).splitlines(), "i.csv")
    for text in ("x_m,y_m,yield_t_ha\n1,2,3\n", AG_LEADER_LINE):
        (tmp_path / "y.txt").write_text(text.replace(".", ",").replace(",", separator))
        with pytest.raises(TableError, match=message):
            clean_file(tmp_path / "y.txt")


def test_what_python_alone_reads_as_a_number_is_none():
    with pytest.raises(TableError, match="column depth_mm: '1_0' is not a number"):
        read_irrigation(["date,depth_mm,wetted_fraction,efficiency", "2025-05-01,1_0,1,1"], "i.csv")


def test_a_yield_file_is_unpacked_whatever_its_name(tmp_path):
    line = AG_LEADER_LINE.rstrip("\n") + "\n"
    (tmp_path / "harvest.txt").write_bytes(gzip.compress((line * 3).encode()))
    assert clean_file(tmp_path / "harvest.txt")["rows"] == 3


@pytest.mark.parametrize("encode", [zipped, lambda text: text.encode("utf-16")])
def test_a_yield_file_that_is_no_text_is_named(tmp_path, encode):
    (tmp_path / "harvest.csv").write_bytes(encode("x_m,y_m,yield_t_ha\n1,2,3\n"))
    with pytest.raises(TableError, match=r"harvest.csv, line 1, column \(file\)"):
        clean_file(tmp_path / "harvest.csv")
