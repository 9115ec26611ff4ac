import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from embedded import binaries
from embedded.children import Account, ChildError, start
from embedded.home import Home
from embedded.postgres import (
    API_LOGIN,
    connection_string,
    processes_in,
    run_as,
    start_postgres,
)

from .conftest import needs_root


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home whose database was made and stopped."""
    home = Home(tmp_path_factory.mktemp("made"))
    home.create()
    start_postgres(home).stop()
    return home


def ask(home, address, query):
    conninfo = connection_string(address, "dala", home.secrets()["database_password"], "dala")
    with psycopg.connect(conninfo) as connection:
        return connection.execute(query).fetchone()


def test_a_server_left_behind_is_ended_before_the_next_begins(made):
    # Nobody holds the claim any more, so what still runs there was orphaned.
    orphan = start_postgres(made)

    server = start_postgres(made)

    try:
        assert orphan.pid not in processes_in(made.data)
        assert server.pid in processes_in(made.data)
        assert ask(made, server.address, "SELECT 1") == (1,)
    finally:
        server.stop()
        orphan.stop()
    assert processes_in(made.data) == []


def test_durability_is_not_traded_for_speed_and_the_service_is_no_superuser(made):
    server = start_postgres(made)
    try:
        assert ask(
            made,
            server.address,
            "SELECT current_setting('fsync'), current_setting('full_page_writes'),"
            " current_setting('synchronous_commit'), current_setting('data_checksums'),"
            " current_setting('password_encryption'), current_setting('server_encoding')",
        ) == ("on", "on", "on", "on", "scram-sha-256", "UTF8")
        assert ask(
            made,
            server.address,
            "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user",
        ) == (False, True)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(connection_string(server.address, "dala", "guessed", "dala"))
    finally:
        server.stop()


def test_the_api_has_a_login_that_owns_nothing_and_reads_no_table(made):
    server = start_postgres(made)
    try:
        owner = connection_string(
            server.address, "dala", made.secrets()["database_password"], "dala"
        )
        with psycopg.connect(owner) as connection:
            connection.execute("CREATE TABLE secret (number integer)")
        login = connection_string(server.address, API_LOGIN, made.secrets()["api_password"], "dala")
        with psycopg.connect(login) as connection:
            found = connection.execute(
                "SELECT rolsuper, rolcreatedb, rolcreaterole, pg_has_role('dala_api', 'MEMBER'),"
                " pg_has_role('dala', 'MEMBER') FROM pg_roles WHERE rolname = current_user"
            )
            assert found.fetchone() == (False, False, False, True, False)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM secret")
    finally:
        server.stop()


def test_a_home_that_was_made_before_gets_the_secret_that_it_lacks(made):
    path = made.path / "secrets"
    before = made.secrets()
    path.write_text(json.dumps({k: v for k, v in before.items() if k != "api_password"}))

    after = made.secrets()

    assert after == made.secrets()
    assert {k: v for k, v in after.items() if k != "api_password"} == {
        k: v for k, v in before.items() if k != "api_password"
    }
    assert len(after["api_password"]) >= 43
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_mistake_in_the_configuration_is_shown_as_the_server_says_it(made):
    configuration = made.data / "postgresql.auto.conf"
    kept = configuration.read_text()
    configuration.write_text("shared_buffers = 'many'\n")
    try:
        with pytest.raises(ChildError, match='invalid value for parameter "shared_buffers"'):
            start_postgres(made)
    finally:
        configuration.write_text(kept)


def test_a_folder_of_another_major_version_is_not_touched(made):
    version = made.data / "PG_VERSION"
    version.write_text("16\n")
    try:
        with pytest.raises(ChildError, match="written by PostgreSQL 16, this is PostgreSQL 18"):
            start_postgres(made)
    finally:
        version.write_text("18\n")


def test_lost_secrets_are_named_as_the_reason(made):
    secrets = made.path / "secrets"
    kept = secrets.read_text()
    secrets.unlink()
    try:
        with pytest.raises(ChildError, match=r"does not accept the password in .*secrets"):
            start_postgres(made)
    finally:
        secrets.write_text(kept)
    assert processes_in(made.data) == []


def test_a_half_made_database_is_made_again(tmp_path):
    home = Home(tmp_path / "home")
    home.create()
    (home.path / "postgres.new").mkdir()
    (home.path / "postgres.new" / "PG_VERSION").write_text("18\n")

    server = start_postgres(home)

    server.stop()
    assert not (home.path / "postgres.new").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ChildError, match=r"file/home cannot be written .* Set DALA_HOME"):
        Home(tmp_path / "file" / "home").create()


def test_processes_that_come_at_the_same_time_agree_on_the_secrets(tmp_path):
    home = Home(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        seen = {tuple(s.values()) for s in pool.map(lambda _: home.secrets(), range(32))}

    assert len(seen) == 1


def test_a_passing_thread_cannot_start_a_server(tmp_path):
    reasons = []

    def try_it():
        try:
            start(["true"], log=tmp_path / "log", environment={})
        except ChildError as error:
            reasons.append(str(error))

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    assert reasons == ["A server is not started from a passing thread: it would die with it."]


@needs_root
def test_programs_that_the_unprivileged_user_cannot_reach_are_copied_once(tmp_path, monkeypatch):
    spec = find_spec(binaries.WHEEL)
    package = Path(spec.origin).parent
    hidden = tmp_path / "site-packages"
    for name in (f"{binaries.WHEEL}/{binaries.INSTALL}", binaries.LIBRARIES):
        shutil.copytree(package.parent / name, hidden / name, symlinks=True)
    tmp_path.chmod(0o700)
    spec.origin = str(hidden / binaries.WHEEL / "__init__.py")
    monkeypatch.setattr(binaries, "find_spec", lambda _: spec)
    nobody = Account.named("nobody")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as cache:
        Path(cache).chmod(0o755)
        monkeypatch.setattr(binaries, "CACHE", Path(cache))

        programs = binaries.server_programs(nobody)

        assert programs.is_relative_to(cache)
        for program in ("postgres", "initdb"):
            said = subprocess.run(
                [programs / program, "--version"],
                user=nobody.uid,
                group=nobody.gid,
                extra_groups=[],
                capture_output=True,
                check=True,
                text=True,
            ).stdout
            assert said.startswith(f"{program} (PostgreSQL) 18.")
        made_at = programs.stat().st_mtime_ns
        assert binaries.server_programs(nobody).stat().st_mtime_ns == made_at


@needs_root
def test_root_runs_an_existing_database_as_its_owner(tmp_path):
    data = tmp_path / "postgres"
    data.mkdir()
    os.chown(data, 4321, 4321)

    assert run_as(data, None) == Account("4321", 4321, 4321)
    with pytest.raises(ChildError, match="chown -R nobody"):
        run_as(data, "nobody")


@needs_root
def test_an_unknown_or_privileged_user_is_refused(tmp_path):
    with pytest.raises(ChildError, match="no system user 'nosuchuser'"):
        run_as(tmp_path / "postgres", "nosuchuser")
    with pytest.raises(ChildError, match="must not be root"):
        run_as(tmp_path / "postgres", "root")


@needs_root
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12, with threads alive
def test_an_ordinary_user_needs_no_root():
    # Our interpreter may lie where that user cannot go, so a fork becomes the user, and what it
    # launches runs on the system's.
    if (python := shutil.which("python3", path=os.defpath)) is None:
        pytest.skip("needs a python3 that every user can run")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        nobody = Account.named("nobody")
        os.chown(folder, nobody.uid, nobody.gid)
        child = os.fork()
        if child == 0:
            os._exit(_start_as(nobody, Path(folder), python))
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0


def _start_as(account, folder, python):
    sys.executable = python
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    home = Home(folder / "home")
    home.create()
    server = start_postgres(home)
    try:
        answered = ask(home, server.address, "SELECT 1") == (1,)
        owner = home.data.stat().st_uid
    finally:
        server.stop()
    return 0 if answered and owner == account.uid else 1
