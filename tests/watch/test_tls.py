"""Messages go over TLS to servers whose certificate holds, and to no others."""

import datetime as dt
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import trustme

from storage import deliveries
from tests.watch.messages import HOUR, MINUTE, NOW, open_alert, settings, subscribe
from tests.watch.receivers import MailServer, mail_server, receiver
from watch.sending import Sent, send_due
from watch.settings import WatchSettings

PASSWORD = "rain on the steppe"
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """An authority that this process trusts, as an operator lets it trust their own."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return made


def served(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def good(authority: trustme.CA) -> ssl.SSLContext:
    return served(authority.issue_cert("localhost"))


WRONG: dict[str, tuple[Callable[[trustme.CA], trustme.LeafCert], str]] = {
    "for another host": (
        lambda ca: ca.issue_cert("elsewhere.example"),
        "not valid for 'localhost'",
    ),
    "of nobody who is trusted": (
        lambda _: trustme.CA().issue_cert("localhost"),
        "unable to get local issuer certificate",
    ),
    "that is over": (
        lambda ca: ca.issue_cert("localhost", not_before=LONG_AGO, not_after=LONG_AGO + 24 * HOUR),
        "certificate has expired",
    ),
}


def reason(engine: sa.Engine, farm: int) -> str:
    """What a delivery that waits says of its last attempt."""
    with engine.begin() as connection:
        (one,) = deliveries.of_farm(connection, farm)
    assert (one.status, one.next_attempt_at) == ("pending", NOW + MINUTE)
    return one.last_error or ""


# --- webhooks -------------------------------------------------------------------------------------


def test_a_webhook_goes_to_a_server_whose_certificate_holds(
    empty_engine: sa.Engine, farm: int, authority: trustme.CA
) -> None:
    with receiver(tls=good(authority)) as server:
        subscribe(empty_engine, farm, address=f"https://localhost:{server.port}/")
        open_alert(empty_engine, farm)

        assert send_due(empty_engine, settings(), NOW) == Sent(1, 0, 0)

    assert len(server.received) == 1


@pytest.mark.parametrize("wrong", WRONG)
def test_a_webhook_waits_until_the_certificate_of_its_server_holds(
    empty_engine: sa.Engine, farm: int, authority: trustme.CA, wrong: str
) -> None:
    make, words = WRONG[wrong]
    with receiver(tls=served(make(authority))) as server:
        subscribe(empty_engine, farm, address=f"https://localhost:{server.port}/")
        open_alert(empty_engine, farm)
        assert send_due(empty_engine, settings(), NOW) == Sent(0, 1, 0)
    assert server.received == []
    told = reason(empty_engine, farm)
    assert told.startswith("localhost: its certificate does not hold: ")
    assert words in told

    with receiver(server.port, tls=good(authority)) as mended:
        assert send_due(empty_engine, settings(), NOW + MINUTE) == Sent(1, 0, 0)
    assert len(mended.received) == 1


def test_a_webhook_to_a_server_that_speaks_no_tls_says_so(
    empty_engine: sa.Engine, farm: int, authority: trustme.CA
) -> None:
    with receiver() as server:
        subscribe(empty_engine, farm, address=f"https://localhost:{server.port}/")
        open_alert(empty_engine, farm)
        assert send_due(empty_engine, settings(), NOW) == Sent(0, 1, 0)

    assert server.received == []
    assert reason(empty_engine, farm).startswith("localhost: no TLS with it: ")


# --- mail -----------------------------------------------------------------------------------------

Opened = Callable[..., AbstractContextManager[MailServer]]


@contextmanager
def starttls(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    with mail_server(port, tls) as server:
        yield server


@contextmanager
def implicit(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    with mail_server(port, tls, at_once=True) as server:
        yield server


def asked(security: str, port: int) -> WatchSettings:
    named: dict[str, Any] = {"smtp_host": "localhost", "smtp_port": port}
    return settings(smtp_security=security, smtp_user="dala", smtp_password=PASSWORD, **named)


both = pytest.mark.parametrize(("security", "opened"), [("starttls", starttls), ("tls", implicit)])


@both
def test_mail_and_password_go_inside_tls_alone(
    empty_engine: sa.Engine, farm: int, authority: trustme.CA, security: str, opened: Opened
) -> None:
    subscribe(empty_engine, farm, channel="email", address="a@example.org", secret=None)
    open_alert(empty_engine, farm)
    with opened(tls=good(authority)) as server:
        assert send_due(empty_engine, asked(security, server.port), NOW) == Sent(1, 0, 0)

    assert len(server.mails) == 1
    outside = {one.split(" ")[0].upper() for one in server.commands if not one.startswith("*")}
    assert outside == ({"EHLO", "STARTTLS"} if security == "starttls" else set())
    assert "*AUTH" in server.commands


@both
@pytest.mark.parametrize("wrong", WRONG)
def test_mail_waits_until_the_certificate_of_its_server_holds(
    empty_engine: sa.Engine,
    farm: int,
    authority: trustme.CA,
    security: str,
    opened: Opened,
    wrong: str,
) -> None:
    make, words = WRONG[wrong]
    subscribe(empty_engine, farm, channel="email", address="a@example.org", secret=None)
    open_alert(empty_engine, farm)
    with opened(tls=served(make(authority))) as server:
        assert send_due(empty_engine, asked(security, server.port), NOW) == Sent(0, 1, 0)
    assert not [one for one in server.commands if "AUTH" in one or one.startswith("MAIL")]
    told = reason(empty_engine, farm)
    assert told.startswith("localhost: its certificate does not hold: ")
    assert words in told

    with opened(server.port, tls=good(authority)) as mended:
        later = NOW + MINUTE
        assert send_due(empty_engine, asked(security, mended.port), later) == Sent(1, 0, 0)
    assert len(mended.mails) == 1
