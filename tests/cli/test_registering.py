"""Verbs for devices: what they say, and with which code they end."""

import datetime as dt
import getpass
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from dala import app
from ingest.storing import Line, Message
from storage import alerts, audit, credentials, devices, registering, tables
from storage.alerts import Opening
from tests.reports.machine_farm import put_farm, put_field
from tests.tokens import only_token

Run = Callable[..., Result]
NOON = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)
PROBE = ("--farm", "steppe", "--kind", "soil-probe")


@pytest.fixture
def run(empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A verb on the test database."""
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    monkeypatch.setenv("COLUMNS", "250")
    with empty_engine.begin() as connection:
        put_field(connection, put_farm(connection), "west")
    return lambda *words: CliRunner().invoke(app, [str(one) for one in words])


def say(engine: sa.Engine, device: str, value: float = 0.2) -> int:
    pack = [{"n": "soil_moisture/20", "t": NOON.timestamp(), "v": value}]
    arrived_us = round(NOON.timestamp() * 1e6)
    message = Message(f"dala/v1/{device}/senml", json.dumps(pack).encode(), arrived_us)
    return Line(engine).store([message]).stored


def test_a_registered_device_is_stored(run: Run, empty_engine: sa.Engine) -> None:
    result = run("register", "probe-7", *PROBE, "--field", "west", "--timezone", "Asia/Almaty")

    assert result.exit_code == 0
    assert "probe-7 is registered" in result.stderr
    assert "No token for probe-7" in result.stderr  # this database is nobody's embedded
    assert "dala mosquitto" in result.stderr
    assert say(empty_engine, "probe-7") == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("probe/7", *PROBE), "none of them a blank or one of /"),
        (("", *PROBE), "1 to 200 characters"),
        (("probe-7", "--farm", "step", "--kind", "x"), "no farm 'step'. Try: steppe"),
        (("probe-7", *PROBE, "--field", "east"), "no field 'east' of steppe. There are: west"),
        (("probe-7", *PROBE, "--timezone", "Mars"), "no IANA time zone"),
        (
            ("probe-7", *PROBE, "--profile", "em500"),
            "'em500'. Is it milesight-em500-pp or milesight-em500-smtc?",
        ),
    ],
)
def test_what_cannot_be_registered_says_why(run: Run, words: tuple[str, ...], why: str) -> None:
    result = run("register", *words)

    assert result.exit_code == 1
    assert why in result.stderr
    assert result.stdout == ""


def test_an_id_is_registered_once(run: Run) -> None:
    run("register", "probe-7", *PROBE, "--wire-id", "lora:a840410000000001")
    again = run("register", "probe-7", *PROBE)
    other = run("register", "probe-8", *PROBE, "--wire-id", "lora:a840410000000001")

    assert (again.exit_code, other.exit_code) == (1, 1)
    assert "a device is registered as" in again.stderr
    assert "a device is registered as" in other.stderr


def test_a_stranger_is_listed_claimed_and_what_it_sent_is_read_again(
    run: Run, empty_engine: sa.Engine
) -> None:
    assert "Every device that spoke is registered" in run("unknown").stdout
    assert say(empty_engine, "probe-9") == 0
    (waiting,) = json.loads(run("unknown", "--json").stdout)
    assert (waiting["identity"], waiting["messages"]) == ("probe-9", 1)
    assert waiting["first_seen_at"] == NOON.isoformat()

    wrong = run("claim", "probe-8", *PROBE)
    claimed = run("claim", "probe-9", *PROBE)
    retried = run("rejected", "retry", "--device", "probe-9")
    again = run("rejected", "retry", "--device", "probe-9")

    assert wrong.exit_code == 1
    assert "`dala unknown` lists who waits" in wrong.stderr
    assert claimed.exit_code == 0
    assert "dala rejected retry --device probe-9" in claimed.stderr
    assert "1 of 1 messages are stored now" in retried.stderr
    assert "nothing to read again" in again.stderr


def test_who_claims_a_device_whose_bytes_nobody_reads_hears_what_to_do(
    run: Run, empty_engine: sa.Engine
) -> None:
    for eui in ("a8404100000000a1", "a8404100000000a2"):
        uplink = json.dumps({"deviceInfo": {"devEui": eui}, "fPort": 85, "data": "AXVk"})
        topic = f"application/1/device/{eui}/event/up"
        Line(empty_engine).store([Message(topic, uplink.encode(), 1_750_000_000_000_000)])

    without = run("claim", "lora:a8404100000000a1", *PROBE)
    named = run("claim", "lora:a8404100000000a2", *PROBE, "--profile", "milesight-em500-smtc")

    assert "dala change lora-a8404100000000a1 --profile" in without.stderr
    assert (named.exit_code, "dala change" in named.stderr) == (0, False)


def test_a_claimed_device_is_told_its_model_and_what_it_sent_is_read(
    run: Run, empty_engine: sa.Engine
) -> None:
    eui = "a8404100000000a1"
    uplink = json.dumps({"deviceInfo": {"devEui": eui}, "fPort": 85, "data": "AXVk"})
    topic = f"application/1/device/{eui}/event/up"
    Line(empty_engine).store([Message(topic, uplink.encode(), 1_750_000_000_000_000)])
    run("claim", f"lora:{eui}", *PROBE)

    nothing = run("change", f"lora-{eui}")
    unknown = run("change", f"lora-{eui}", "--profile", "em500")
    nobody = run("change", "nobody", "--profile", "milesight-em500-smtc")
    result = run("change", f"lora-{eui}", "--profile", "milesight-em500-smtc")
    run("rejected", "retry")

    assert (nothing.exit_code, unknown.exit_code, nobody.exit_code) == (1, 1, 1)
    assert "'em500'. Is it milesight-em500-pp or milesight-em500-smtc?" in unknown.stderr
    assert "no device 'nobody'" in nobody.stderr
    assert result.exit_code == 0, result.stderr
    with empty_engine.connect() as connection:
        assert connection.scalars(sa.select(tables.readings.c.value)).all() == [100.0]  # 0x64 %
        (line,) = audit.page(connection, action="device.change")
    assert line.details == {"profile": "milesight-em500-smtc"}


def test_what_still_cannot_be_read_is_said_to_stay(run: Run, empty_engine: sa.Engine) -> None:
    run("register", "probe-7", *PROBE)
    Line(empty_engine).store([Message("dala/v1/probe-7/senml", b"no pack", 1_750_000_000_000_000)])

    retried = run("rejected", "retry")

    assert retried.exit_code == 0
    assert "0 of 1 messages are stored now" in retried.stderr
    assert "Still kept, with the reason of today: 1." in retried.stderr


def test_a_disabled_device_is_not_stored_until_it_is_enabled(
    run: Run, empty_engine: sa.Engine
) -> None:
    run("register", "probe-7", *PROBE)

    assert run("disable", "probe-7").exit_code == 0
    assert say(empty_engine, "probe-7") == 0
    enabled = run("enable", "probe-7")
    assert "dala rejected retry --device probe-7" in enabled.stderr
    assert say(empty_engine, "probe-7", 0.3) == 1
    missing = run("disable", "probe-8")
    assert (missing.exit_code, missing.stderr) == (
        1,
        "Not changed: there is no device 'probe-8'.\n",
    )


def test_alerts_are_told_in_the_language_and_time_of_the_farm(
    run: Run, empty_engine: sa.Engine
) -> None:
    run("register", "probe-7", *PROBE)
    with empty_engine.begin() as connection:
        farm_id = devices.by_identity(connection, ["probe-7"])["probe-7"].farm_id
        details = {
            "device": "probe-7",
            "newest_reading": NOON.isoformat(),
            "expected_interval_s": 600,
        }
        alerts.open(connection, [Opening("silent", "device:probe-7", farm_id, details)], now=NOON)

    (told,) = json.loads(run("alerts", "--json", "--language", "kk").stdout)
    shown = run("alerts", "--language", "ru").stdout

    assert told["timezone"] == "Asia/Almaty"
    assert told["text"].startswith("Үнсіз: соңғы көрсетім — 2025 ж. 15 маусым, 17:00")
    assert told["message"] == {
        "key": "alert.silent",
        "values": {"newest_time": "2025-06-15T17:00+05:00", "pace_span": 600},
    }
    assert "Молчит" in shown
    assert "Asia/Almaty" in shown
    known = run("acknowledge", told["id"], "--by", "Aigul")
    assert known.stderr == f"Alert {told['id']} is acknowledged by Aigul.\n"
    assert "alert 4711" in run("acknowledge", 4711, "--by", "Aigul").stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nofile",), "nofile: No such file or directory"),
        (("FILE", "--received-at", "yesterday"), "'yesterday' is no time: write 2026-"),
        (("FILE", "--received-at", "2026-01-01T00:00:00"), "needs its offset"),
        (("FILE", "--timezone", "Mars/X"), "no IANA time zone"),
        (("FILE", "--mappings", "nofile.toml"), "nofile.toml: No such file or directory"),
    ],
)
def test_decode_says_what_is_wrong_with_its_arguments(
    tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    file = tmp_path / "payload"
    file.write_bytes(b"[]")
    given = [str(file) if one == "FILE" else one for one in words]

    result = CliRunner().invoke(app, ["decode", "dala/v1/p/senml", *given])

    assert (result.exit_code, result.stdout) == (1, "")
    assert why in result.stderr


def test_decode_flags_what_its_quantity_cannot_be(tmp_path: Path) -> None:
    # A volume of water in soil is from 0 to 1 m³/m³: 16 is the flag of what is out of range.
    file = tmp_path / "payload"
    file.write_text(
        '[{"bt": 1750000000, "bu": "m3/m3"},'
        ' {"n": "soil_moisture/20", "v": -0.01}, {"n": "soil_moisture/40", "v": 0.31}]'
    )

    result = CliRunner().invoke(app, ["decode", "dala/v1/p/senml", str(file)])

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["value"], one["quality"]) for one in lines] == [(-0.01, 16), (0.31, 0)], result


def test_decode_wants_a_topic_and_no_filter(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["decode", "dala/v1/+/senml", "x"])

    assert result.exit_code == 1
    assert "is a filter of topics" in result.stderr


def test_a_token_is_printed_once_and_replaced_with_an_overlap(
    run: Run, empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DALA_BROKER_KEY", "ab" * 32)
    first = run("register", "probe-7", *PROBE)
    second = run("token", "probe-7", "--overlap", "24")
    third = run("token", "probe-7")

    assert [one.exit_code for one in (first, second, third)] == [0, 0, 0]
    tokens = [one.stdout.strip() for one in (first, second, third)]
    assert len(set(tokens)) == 3
    assert "its user probe-7;" in first.stderr
    assert "good until it comes with the new one" in second.stderr
    assert "its user probe-7~2;" in second.stderr
    with empty_engine.connect() as connection:
        good = only_token(connection, "probe-7")
        deeds = list(connection.scalars(sa.select(tables.audit_log.c.action)))
        actors = set(connection.scalars(sa.select(tables.audit_log.c.actor)))
    assert actors == {f"console:{getpass.getuser()}"}
    assert (good.username, good.token_hash) == ("probe-7~2", credentials.hash_token(tokens[2]))
    assert deeds == ["device.register", *["credential.issue"] * 3]
    assert run("token", "probe-8").exit_code == 1


def test_a_gateway_is_given_its_topics(run: Run, empty_engine: sa.Engine) -> None:
    gateway = ("--farm", "steppe", "--kind", "gateway")
    wrong = run("register", "lora", *gateway, "--topic", "dala/#")
    lone = run("register", "probe-7", *PROBE, "--topic", "a/#")
    right = run("register", "lora", *gateway, "--topic", "application/#", "--topic", "v3/#")

    assert (wrong.exit_code, lone.exit_code, right.exit_code) == (1, 1, 0)
    assert "its first level is a name of its own" in wrong.stderr
    assert "topics are for gateway and network-server" in lone.stderr
    with empty_engine.connect() as connection:
        assert registering.topic_filters(connection, "lora") == ["application/#", "v3/#"]
