import signal
import socket
import stat
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from embedded.home import AlreadyRunning, EmbeddedSettings
from embedded.stack import open_embedded

from .conftest import needs_root, still_alive


@pytest.fixture(scope="module")
def holder(tmp_path_factory, hold_for_module):
    """Both servers, run by one process for the tests that only look."""
    return hold_for_module(tmp_path_factory.mktemp("held") / "home")


def connect(database_url):
    return psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True)


@pytest.mark.parametrize("also_the_database", [False, True])
def test_a_kill_leaves_no_process_behind_and_loses_nothing_committed(
    tmp_path, hold, also_the_database
):
    holder = hold(tmp_path / "home")
    family = holder.family()
    with connect(holder.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    if also_the_database:  # leaves its lock file behind, as a power cut does
        next(p for p in family if p.name() == "postgres").send_signal(signal.SIGKILL)

    holder.end(signal.SIGKILL)

    assert len(family) > 5  # the broker, the database and its workers
    assert still_alive(family) == []
    with (
        open_embedded(EmbeddedSettings(home=holder.home), verb="test", broker=False) as servers,
        connect(servers.database_url) as connection,
    ):
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)]
)
def test_an_asked_end_shuts_the_database_down_in_order(tmp_path, hold, number, code):
    holder = hold(tmp_path / "home")
    family = holder.family()

    assert holder.end(number) == code

    assert still_alive(family, patience_s=1.0) == []
    log = (holder.home / "logs" / "postgres.log").read_text()
    assert log.splitlines()[-1].endswith("database system is shut down")


@pytest.mark.parametrize("name", ["postgres", "python"])
def test_a_server_that_ends_unasked_is_started_again_where_it_was(tmp_path, hold, name):
    holder = hold(tmp_path / "home")
    with connect(holder.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    family = holder.family()
    victim = next(p for p in family if p.name().startswith(name))

    victim.kill()

    give_up = time.monotonic() + 20
    while not _both_answer(holder) or victim.is_running():
        assert time.monotonic() < give_up
        time.sleep(0.1)
    with connect(holder.database_url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    family = holder.family()
    holder.end(signal.SIGKILL)  # what was started again dies with its parent, too
    assert still_alive(family) == []


def _both_answer(holder):
    url = urlsplit(holder.mqtt_url)
    try:
        connect(holder.database_url).close()
        socket.create_connection((url.hostname, url.port), timeout=1).close()
    except (OSError, psycopg.OperationalError):
        return False
    return True


def test_a_second_owner_hears_who_runs_the_servers(holder):
    settings = EmbeddedSettings(home=holder.home)

    with (
        pytest.raises(AlreadyRunning) as refusal,
        open_embedded(settings, verb="demo", require_owner=True),
    ):
        pass

    message = str(refusal.value)
    assert f"dala demo already runs the database of {holder.home}" in message
    assert f"kill {holder.process.pid}" in message
    assert urlsplit(holder.database_url).netloc.rpartition("@")[2] in message
    assert "http://127.0.0.1:8080" in message
    assert holder.process.poll() is None


def test_another_verb_uses_the_servers_that_run_and_leaves_them_running(holder):

    with open_embedded(EmbeddedSettings(home=holder.home), verb="seed") as servers:
        assert not servers.owner
        assert servers.database_url == holder.database_url
        assert servers.mqtt_url == holder.mqtt_url

    with connect(holder.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_broker_is_added_to_a_database_that_another_process_runs(tmp_path, hold):
    settings = EmbeddedSettings(home=tmp_path / "home")
    with open_embedded(settings, verb="serve", broker=False):
        holder = hold(settings.home)  # stands for `dala ingest` in a second terminal

        assert holder.mqtt_url.startswith("mqtt://dala-ingest:")
        assert [p.name() for p in holder.family() if p.name() == "postgres"] == []


def test_the_servers_listen_on_the_loopback_address_only(holder):
    family = holder.family()

    listening = {
        connection.laddr.ip
        for process in family
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_what_is_secret_is_readable_by_its_owner_only(holder):
    home = holder.home

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.iterdir())}
    assert modes["home"] == modes["postgres"] == modes["logs"] == 0o700
    assert modes["secrets"] == modes["database.json"] == modes["broker.json"] == 0o600


@needs_root
def test_started_by_root_both_servers_run_unprivileged_below_a_folder_they_cannot_enter(
    holder,
):
    above = holder.home.parent.stat()
    assert (above.st_uid, stat.S_IMODE(above.st_mode)) == (0, 0o700)

    family = holder.family()

    assert {uid for process in family for uid in process.uids()} == {
        (holder.home / "postgres").stat().st_uid
    }
    assert 0 not in family[0].uids()
    groups = {line for p in family for line in _status(p.pid) if line.startswith("Groups:")}
    assert groups == {"Groups:"}


def _status(pid):
    return [line.strip() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]


def test_only_what_is_asked_for_is_started(tmp_path):
    settings = EmbeddedSettings(home=tmp_path / "home")
    before = psutil.Process().children(recursive=True)

    with open_embedded(settings, verb="test", database=False, broker=False) as servers:
        assert not servers.owner
        assert not (settings.home / "postgres").exists()
        assert psutil.Process().children(recursive=True) == before
