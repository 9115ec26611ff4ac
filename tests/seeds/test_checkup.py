"""`dala doctor` says of each thing that a farm's server needs whether it is there."""

import datetime as dt
import shutil
import socket
from pathlib import Path

import pytest
import sqlalchemy as sa

from reports.statements import sealing
from reports.statements.signing import SigningKey
from seeds import checkup
from seeds.checkup import Finding
from storage import accounts, filing, tables
from tests.ingest.dynamic_broker import PATH, DynamicMosquitto

SETTINGS = ("DATABASE_URL", "MQTT_URL", "MQTT_ADMIN_URL", "BROKER_KEY", "PUBLIC_URL",
            "PUBLIC_MQTT_URL", "API_DATABASE_URL", "SMTP_HOST")  # fmt: skip
KEY = "ab" * 32


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(f"DALA_{name}", raising=False)
    monkeypatch.setenv("DALA_HOME", str(tmp_path))


def found() -> dict[str, Finding]:
    return {one.what: one for one in checkup.findings()}


@pytest.fixture
def closed() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_where_nothing_is_set_the_embedded_servers_do_and_nothing_is_amiss() -> None:
    of = found()

    assert [one.what for one in of.values() if one.ok is False] == []
    assert "the embedded one is used" in of["Database"].says + of["Broker"].says
    assert "alerts go by webhook alone" in of["Mail"].says
    assert "DALA_API_DATABASE_URL" not in of
    assert of["Clock"].says


def test_a_database_of_ones_own_is_looked_into(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    of = found()
    assert (of["Database"].ok, of["Its clock"].ok) == (True, True)
    assert (of["Administrator"].ok, of["DALA_API_DATABASE_URL"].ok) == (None, None)
    assert "dala account create" in of["Administrator"].says

    with empty_engine.begin() as connection:
        values = {"name": "B", "farm_ids": [], "regions": [], "language": "en"}
        accounts.add(connection, "boss", role="administrator", password_hash=None, **values)
    assert found()["Administrator"] == Finding("Administrator", True, "boss")

    away_url = empty_engine.url.set(host="nowhere.invalid", password="nobody-reads-this")
    monkeypatch.setenv("DALA_DATABASE_URL", away_url.render_as_string(hide_password=False))
    away = found()["Database"]
    assert away.ok is False
    assert "nobody-reads-this" not in away.says


@pytest.mark.parametrize(
    ("settings", "what", "words"),
    [
        ({"MQTT_URL": "mqtt://dala:secret@127.0.0.1:{closed}"}, "Broker", "Connection refused"),
        ({"MQTT_URL": "localhost:1883"}, "Broker", "must look like mqtt://"),
        ({"MQTT_URL": "mqtt://a:b@127.0.0.1:{closed}", "BROKER_KEY": KEY}, "Broker's accounts",
         "DALA_MQTT_ADMIN_URL is not set"),
        ({"MQTT_URL": "mqtt://a:b@127.0.0.1:{closed}", "BROKER_KEY": "short"}, "Broker's accounts",
         "32 random bytes"),
        ({"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "{closed}"}, "Mail", "Connection refused"),
    ],
)  # fmt: skip
def test_what_is_set_and_wrong_is_amiss(
    monkeypatch: pytest.MonkeyPatch, closed: int, settings: dict[str, str], what: str, words: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"DALA_{name}", value.format(closed=closed))

    one = found()[what]
    assert one.ok is False
    assert words in one.says
    assert "secret" not in one.says


def test_a_broker_is_asked_whether_it_lets_us_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if shutil.which("mosquitto", path=PATH) is None:
        pytest.skip("needs mosquitto")
    broker = DynamicMosquitto(tmp_path)
    monkeypatch.setenv("DALA_MQTT_URL", broker.admin_url)
    monkeypatch.setenv("DALA_MQTT_ADMIN_URL", broker.admin_url)
    monkeypatch.setenv("DALA_BROKER_KEY", KEY)
    try:
        of = found()
        assert of["Broker"].says == f"127.0.0.1:{broker.port} lets admin in"
        assert (of["Broker"].ok, of["Broker's accounts"].ok) == (True, True)
        monkeypatch.setenv("DALA_MQTT_URL", broker.ingest_url)  # nobody told it of ingest
        assert found()["Broker"].says.endswith("Not authorized")
    finally:
        broker.stop()


def test_what_waits_to_be_sealed_for_long_is_amiss(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    monkeypatch.setenv("DALA_REPORT_KEY_FILE", str(tmp_path / "key.jwk"))
    assert found()["Evidence"] == Finding(
        "Evidence", None, "nothing was stored yet that could be sealed"
    )
    at = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
    values = {"farm_ids": [0], "row_counts": [1], "digests": bytes(32), "stored_at": at}
    values |= {"first_at": [at], "last_at": [at], "kind": "readings"}
    with empty_engine.begin() as connection:
        connection.execute(sa.insert(tables.pending_batches).values(id=1, **values))
    keyless = found()["Evidence"]
    assert (keyless.ok, "dala report key" in keyless.says) == (None, True)

    key = SigningKey.make()
    key.write(tmp_path / "key.jwk")
    late = found()["Evidence"]
    assert (late.ok, "batches that wait: 1, since" in late.says) == (False, True)
    with empty_engine.begin() as connection:
        filing.put_key(connection, key.kid, key.public, role="files", owner="", created_by="")
        sealing.seal(connection, key, author="test")
    assert found()["Evidence"].says.startswith("all is sealed, the last at ")
