"""The verb of the device: lines go in, are stored once, and bad ones are said."""

import io
import signal
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from seeds import gateway
from seeds.device_clock import Moment
from seeds.ring_buffer import RingBuffer
from tests.seeds.broker import ROOT, Mosquitto, service, stored
from tests.seeds.devices import NOON_MS

# --- the verb -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rain,0.2", ("rain", "0.2", None, None)),
        ("soil_moisture/20,0.2843,,1782000000", ("soil_moisture/20", "0.2843", None, NOON_MS)),
        ("soil_moisture/20:1, 28.4, /100", ("soil_moisture/20:1", "28.4", "/100", None)),
        ("air_temperature,-3,Cel", ("air_temperature", "-3", None, None)),  # the stored unit
        ("rain,1,mm,2026-06-21T00:00:00Z", ("rain", "1", None, NOON_MS)),
        ("rain,1,2026-06-21T05:00:00.250+05:00", ("rain", "1", None, NOON_MS + 250)),
        ("valve_open:3,1,1782000000.5", ("valve_open:3", "1", None, NOON_MS + 500)),
    ],
)
def test_a_line_says_quantity_value_unit_and_time(
    text: str, expected: tuple[str, str, str | None, int | None]
) -> None:
    name, value, unit, ms = expected
    moment = None if ms is None else Moment(ms, True)

    assert gateway.parse(text) == (name, Decimal(value), unit, moment)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "quantity"),
        ("boot,1", "known quantity"),
        ("seq,1", "known quantity"),
        ("Rain,1", "known quantity"),
        ("rain/x,1", "known quantity"),
        ("rain", "quantity,value"),
        ("rain,1,mm,1782000000,more", "quantity,value"),
        ("rain,", "no number"),
        ("rain,nan", "no number"),
        ("rain,1e400", "no number"),
        ("rain,inf", "no number"),
        ("rain,1,parsec", "neither a unit nor a time"),
        ("rain,1,kPa", "which kPa cannot become"),
        ("rain,1,mm,yesterday", "no time"),
        ("rain,1,2026-06-21T05:00:00", "needs its offset"),
        ("rain,1,1970-01-01T00:00:12Z", "before 2020"),
    ],
)
def test_a_line_that_is_no_reading_says_why(text: str, why: str) -> None:
    with pytest.raises(gateway.BadLine, match=why):
        gateway.parse(text)


def verb(folder: Path, *, url: str, lines: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The verb in a process of its own, with lines on its standard input."""
    given = ", ".join(f"{name}={value}" for name, value in options.items())
    buffer = f"Path({str(folder / 'memory')!r})"
    code = (
        "import sys; from pathlib import Path; from seeds.gateway import run; "
        f"sys.exit(run('gateway-1', buffer={buffer}, mqtt={url!r}, {given}))"
    )
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, input=lines, text=True, capture_output=True, cwd=ROOT, timeout=60, check=False
    )


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verb in the process of the tests, whose signals are not its own."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.mark.usefixtures("in_process")
def test_what_is_no_text_is_a_bad_line_and_not_the_end(
    mosquitto: Mosquitto, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "lines.csv"
    source.write_bytes(b"\xff\xfe,1\nrain,0.2\n")

    code = gateway.run(
        "nobody", buffer=tmp_path / "memory", mqtt=mosquitto.url, source=source, once=True,
        patience_s=0.5,
    )  # fmt: skip

    said = capfd.readouterr().err
    assert "line 1: " in said
    assert "no receipt for 1 messages; they stay in the buffer" in said  # the second line is there
    assert code == 1


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize(
    ("name", "buffer", "why"),
    [
        ("a/b", "memory", "'a/b' is no id of a device"),
        ("", "memory", "is no id of a device"),
        ("probe", "none/memory", "none/memory: No such file or directory"),
        ("probe", ".", "Is a directory"),
    ],
)
def test_what_cannot_begin_says_why(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, buffer: str, why: str
) -> None:
    code = gateway.run(name, buffer=tmp_path / buffer, mqtt="mqtt://127.0.0.1:1")

    said = capfd.readouterr().err
    assert code == 1
    assert why in said
    assert "Errno" not in said


@pytest.mark.usefixtures("in_process")
def test_a_buffer_that_nothing_can_be_read_from_is_kept_and_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "memory"
    path.write_bytes(b"a photograph" * 1_000)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    code = gateway.run("probe", buffer=path, mqtt="mqtt://127.0.0.1:1")

    (aside,) = tmp_path.glob("memory.unreadable-*")
    assert aside.read_bytes().startswith(b"a photograph")
    said = capfd.readouterr().err
    assert f"it is kept as {aside}, a new one begins" in said
    assert code == 0  # there was nothing to send


@pytest.mark.slow
def test_lines_go_in_and_are_stored_and_bad_ones_are_said(
    empty_engine: sa.Engine, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    lines = (
        "# morning round\n"
        "water_total,10,m3,2026-06-21T00:00:00Z\n"
        "water_total,what\n"
        "water_total,11,m3,2026-06-21T01:00:00Z\n"
        "water_total,12\n"
    )
    with service(empty_engine, mosquitto, "gateway-1"):
        done = verb(tmp_path, url=mosquitto.url, lines=lines, once=True)

        assert done.returncode == 0, done.stderr
        assert done.stderr == "line 3: 'what' is no number that can be stored\n"
        assert stored(empty_engine, "gateway-1") == [10, 11, 12]


@pytest.mark.slow
def test_a_file_is_delivered_twice_and_stored_once(
    empty_engine: sa.Engine, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    rows = [f"rain,{n},mm,{1_782_000_000 + 60 * n}\n" for n in range(2_000)]
    (tmp_path / "rows.csv").write_text("quantity,value,unit,time\n" + "".join(rows))
    source = f"Path({str(tmp_path / 'rows.csv')!r})"

    with service(empty_engine, mosquitto, "gateway-1"):
        for _ in range(2):
            done = verb(tmp_path, url=mosquitto.url, lines="", source=source, once=True)
            assert (done.returncode, done.stderr) == (0, "")
        assert stored(empty_engine, "gateway-1") == list(range(2_000))


@pytest.mark.slow
def test_once_without_a_service_it_ends_with_what_is_left_in_one_sentence(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    done = verb(tmp_path, url=mosquitto.url, lines="rain,1\n", once=True, patience_s=1.0)

    assert done.returncode == 1
    assert done.stderr == "dala device: no receipt for 1 messages; they stay in the buffer\n"
    with closing(RingBuffer(tmp_path / "memory")) as memory:
        assert len(memory.held()) == 1
