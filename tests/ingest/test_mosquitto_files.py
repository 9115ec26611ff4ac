"""A real Mosquitto with a password file and an access list of its own, kept by `dala mosquitto`."""

import base64
import datetime as dt
import errno
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from dala import app
from ingest.mosquitto_files import MARK, Update, hashed, update
from storage import credentials, registering
from storage.sealing import Seal
from tests.ingest.dynamic_broker import PATH, Visitor
from tests.ingest.servers import Mosquitto, wait_until

KEY = secrets.token_hex(32)
SEAL = Seal(KEY)


class FileMosquitto(Mosquitto):
    """On a loopback port, with an account of ingest and nobody else."""

    def __init__(self, folder: Path) -> None:
        if (binary := shutil.which("mosquitto", path=PATH)) is None:
            pytest.skip("needs mosquitto")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._binary = binary
        self.log, self._config = folder / "mosquitto.log", folder / "mosquitto.conf"
        self.passwords, self.access = folder / "passwords", folder / "access"
        self.pid_file = folder / "mosquitto.pid"
        make = ["mosquitto_passwd", "-c", "-b", str(self.passwords), "dala-ingest", "secret"]
        subprocess.run(make, check=True)
        self.access.write_text("user dala-ingest\ntopic readwrite #\n")
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\n"
            f"password_file {self.passwords}\nacl_file {self.access}\n"
            f"pid_file {self.pid_file}\nlog_dest file {self.log}\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )
        self.start()

    def read_again(self) -> None:
        """Take the files as they are; whoever comes next is judged by them."""
        before = self.said().count("Reloading config")
        os.kill(self.process.pid, signal.SIGHUP)
        wait_until(lambda: self.said().count("Reloading config") > before, "the broker to read")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[FileMosquitto]:
    made = FileMosquitto(tmp_path)
    yield made
    made.stop()


def put(engine: sa.Engine, device_id: str, **more: object) -> str:
    """A device with a token that waits sealed; the token."""
    values = {"kind": "soil-probe", "name": device_id} | more
    with engine.begin() as connection:
        registering.register(connection, device_id, **values)
        return credentials.issue(connection, device_id, seal=SEAL).token


def write(engine: sa.Engine, broker: FileMosquitto, seal: Seal = SEAL) -> Update:
    with engine.begin() as connection:
        found = update(connection, seal, broker.passwords, broker.access)
    if found.is_other:
        broker.read_again()
    return found


def test_a_token_is_hashed_as_mosquitto_passwd_does(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", str(file), "probe", "token"], check=True)
    name, _, theirs = file.read_text().strip().partition(":")
    _, kind, iterations, salt, _ = theirs.split("$")
    assert (name, kind, iterations) == ("probe", "7", "101")
    assert hashed("token", base64.b64decode(salt)) == theirs


def test_a_device_speaks_for_itself_and_hears_its_own_receipts(
    empty_engine: sa.Engine, broker: FileMosquitto, visit: Callable[..., Visitor]
) -> None:
    token, other = put(empty_engine, "probe-1"), put(empty_engine, "probe-2")

    assert write(empty_engine, broker) == Update(2, {}, is_other=True)

    assert not visit("probe-1", other).came_in
    probe, ingest = visit("probe-1", token), visit("dala-ingest", "secret")
    assert probe.came_in
    assert probe.may_publish("dala/v1/probe-1/senml")
    assert not probe.may_publish("dala/v1/probe-2/senml")
    probe.may_hear("dala/v1/#")
    for topic in ("dala/v1/probe-2/receipt", "dala/v1/probe-1/receipt"):
        assert ingest.may_publish(topic, topic.encode())
    heard, _ = probe.messages.get(timeout=10)
    assert heard == "dala/v1/probe-1/receipt"  # and nothing of the other's, which came before
    with empty_engine.connect() as connection:
        assert credentials.of_device(connection, "probe-1")[0].at_broker
    assert token not in broker.passwords.read_text()
    assert write(empty_engine, broker) == Update(0, {}, is_other=False)


def test_a_disabled_device_is_cut_off_and_comes_again_with_the_token_it_has(
    empty_engine: sa.Engine, broker: FileMosquitto, visit: Callable[..., Visitor]
) -> None:
    token = put(empty_engine, "probe-1")
    write(empty_engine, broker)
    probe = visit("probe-1", token)
    assert probe.came_in

    with empty_engine.begin() as connection:
        registering.set_disabled(connection, "probe-1", disabled=True)
    write(empty_engine, broker)

    assert probe.ended.wait(10)
    assert not visit("probe-1", token).came_in
    with empty_engine.begin() as connection:
        registering.set_disabled(connection, "probe-1", disabled=False)
    write(empty_engine, broker)
    assert visit("probe-1", token).came_in


def test_a_token_that_replaces_another_overlaps_with_it_and_then_it_is_gone(
    empty_engine: sa.Engine, broker: FileMosquitto, visit: Callable[..., Visitor]
) -> None:
    old = put(empty_engine, "probe-1")
    write(empty_engine, broker)
    with empty_engine.begin() as connection:
        new = credentials.issue(connection, "probe-1", overlap=dt.timedelta(hours=1), seal=SEAL)
    write(empty_engine, broker)
    assert visit("probe-1", old).came_in
    second = visit(new.username, new.token)
    assert second.may_publish("dala/v1/probe-1/senml")

    with empty_engine.begin() as connection:
        credentials.note_used(connection, new.username)
    write(empty_engine, broker)

    assert not visit("probe-1", old).came_in
    assert "probe-1:" not in broker.passwords.read_text()


def test_others_lines_stay_and_a_device_of_their_name_is_told_so(
    empty_engine: sa.Engine, broker: FileMosquitto, visit: Callable[..., Visitor]
) -> None:
    subprocess.run(["mosquitto_passwd", "-b", str(broker.passwords), "grafana", "own"], check=True)
    before = broker.passwords.read_text()
    broker.passwords.chmod(0o640)
    put(empty_engine, "grafana")
    put(empty_engine, "probe-1")

    found = write(empty_engine, broker)

    assert found.failures == {"grafana": "the password file has another account of this name"}
    assert broker.passwords.read_text().startswith(f"{before}{MARK}\n")
    assert broker.passwords.stat().st_mode & 0o777 == 0o640
    assert visit("grafana", "own").came_in
    with empty_engine.connect() as connection:
        assert credentials.of_device(connection, "grafana")[0].failure is not None


def test_what_no_line_can_hold_or_nobody_knows_is_told(
    empty_engine: sa.Engine, broker: FileMosquitto
) -> None:
    put(empty_engine, "all", kind="gateway")
    put(empty_engine, "evil", kind="gateway", topic_filters=["a\nuser dala-ingest"])
    put(empty_engine, "right", kind="gateway", topic_filters=["application/#"])
    with empty_engine.begin() as connection:
        registering.register(connection, "lost", kind="soil-probe", name="lost")
        credentials.issue(connection, "lost")  # nobody sealed it

    found = write(empty_engine, broker)

    assert set(found.failures) == {"all", "evil", "lost"}
    assert "--topic" in found.failures["all"]
    assert "give it a new one" in found.failures["lost"]
    lines = broker.access.read_text().splitlines()
    assert lines.count("user dala-ingest") == 1
    assert "topic readwrite application/#" in lines
    again = write(empty_engine, broker, Seal(secrets.token_hex(32)))
    assert set(again.failures) == {"all", "evil", "lost"}  # what was hashed needs no key


def test_a_token_that_was_replaced_does_not_come_back_where_the_new_one_cannot_be_opened(
    empty_engine: sa.Engine, broker: FileMosquitto, visit: Callable[..., Visitor]
) -> None:
    old = put(empty_engine, "probe-1")
    write(empty_engine, broker)
    with empty_engine.begin() as connection:
        credentials.issue(connection, "probe-1", seal=SEAL)
    another = Seal(secrets.token_hex(32))

    for _ in range(2):
        assert set(write(empty_engine, broker, another).failures) == {"probe-1"}
        assert not visit("probe-1", old).came_in


def test_of_files_that_cannot_be_written_nothing_is_left_and_the_token_waits(
    empty_engine: sa.Engine, broker: FileMosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(empty_engine, "probe-1")
    before = {one.name: one.read_bytes() for one in broker.passwords.parent.iterdir()}

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("ingest.mosquitto_files.os.fsync", full)
        with pytest.raises(OSError, match="no space"):
            write(empty_engine, broker)

    after = {one.name: one.read_bytes() for one in broker.passwords.parent.iterdir()}
    assert after == before
    assert write(empty_engine, broker) == Update(1, {}, is_other=True)


def test_the_verb_writes_and_lets_the_broker_read(
    empty_engine: sa.Engine,
    broker: FileMosquitto,
    postgres_url: str,
    visit: Callable[..., Visitor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = put(empty_engine, "probe-1")
    monkeypatch.setenv("DALA_DATABASE_URL", postgres_url)
    asked = ["mosquitto", "--passwords", str(broker.passwords), "--acl", str(broker.access)]
    bare = CliRunner().invoke(app, asked)
    assert bare.exit_code == 1
    assert "Set DALA_BROKER_KEY" in bare.stderr
    monkeypatch.setenv("DALA_BROKER_KEY", KEY)

    result = CliRunner().invoke(app, [*asked, "--pid-file", str(broker.pid_file)])

    assert result.exit_code == 0, result.stderr
    assert "1 credentials" in result.stderr
    deadline = time.monotonic() + 10
    while not visit("probe-1", token).came_in:
        assert time.monotonic() < deadline


def test_a_broker_that_was_not_told_before_the_verb_ended_is_told_by_the_next(
    empty_engine: sa.Engine,
    broker: FileMosquitto,
    postgres_url: str,
    visit: Callable[..., Visitor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = put(empty_engine, "probe-1")
    write(empty_engine, broker)
    with empty_engine.begin() as connection:
        registering.set_disabled(connection, "probe-1", disabled=True)
    with empty_engine.connect() as connection:  # what it wrote stands, and nothing else
        assert update(connection, SEAL, broker.passwords, broker.access).is_other
        connection.rollback()
    assert visit("probe-1", token).came_in
    monkeypatch.setenv("DALA_DATABASE_URL", postgres_url)
    monkeypatch.setenv("DALA_BROKER_KEY", KEY)
    places = ["--passwords", str(broker.passwords), "--acl", str(broker.access)]

    result = CliRunner().invoke(app, ["mosquitto", *places, "--pid-file", str(broker.pid_file)])

    assert result.exit_code == 0, result.stderr
    wait_until(lambda: not visit("probe-1", token).came_in, "the broker to be told")
