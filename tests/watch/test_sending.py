"""Messages reach real servers, once, also where a server was down when they were due."""

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import threading

import pytest
import sqlalchemy as sa

from reports.notices import check_mail_address, check_url, make_secret
from storage import alerts, deliveries, subscriptions
from tests.two_farms import put_land
from tests.watch.messages import HOUR, MINUTE, NOW, open_alert, sent, settings, subscribe
from tests.watch.receivers import free_port, mail_server, receiver
from watch import webhook
from watch.addresses import is_public
from watch.failures import NotSent
from watch.sending import Sent, send_due


def test_a_webhook_is_signed_over_its_id_its_time_and_its_body(
    empty_engine: sa.Engine, farm: int
) -> None:
    secret = "whsec_" + base64.b64encode(b"steppe").decode()
    with receiver() as server:
        subscribe(empty_engine, farm, address=server.url, secret=secret)
        open_alert(empty_engine, farm)

        assert send_due(empty_engine, settings(), NOW) == Sent(1, 0, 0)
        assert send_due(empty_engine, settings(), NOW + HOUR) == Sent(0, 0, 0)

    (request,) = server.received
    assert request.path == "/alerts?of=farm"
    named = request.headers
    signed = f"{named['webhook-id']}.{named['webhook-timestamp']}.".encode() + request.body
    expected = hmac.new(b"steppe", signed, hashlib.sha256).digest()
    assert named["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    body = json.loads(request.body)
    assert (body["type"], body["id"]) == ("alert.opened", named["webhook-id"])
    assert body["data"]["farm"] == "mine"
    assert body["data"]["alert"]["text"].startswith("Frost: -1.2 °C at 15 June 2100, 1")
    assert sent(empty_engine, farm) == [("opened", "sent", 1)]


def test_the_signature_is_that_of_the_published_example() -> None:
    # Standard Webhooks 1.0, the example of its reference libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = webhook.signature(
        secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_a_server_that_was_down_missed_arrives_later_and_once(
    empty_engine: sa.Engine, farm: int
) -> None:
    port = free_port()
    subscribe(empty_engine, farm, address=f"http://127.0.0.1:{port}/")
    open_alert(empty_engine, farm)

    for after, expected in [(0, 1), (0.5, 0), (1, 1), (2, 0), (3, 1), (6, 0), (7, 1)]:
        # Due again after 1, 2, 4, 8 … minutes: at 0, 1, 3, 7 and 15.
        assert send_due(empty_engine, settings(), NOW + after * MINUTE) == Sent(0, expected, 0)
    with empty_engine.begin() as connection:
        (waiting,) = deliveries.of_farm(connection, farm)
    assert (waiting.status, waiting.attempts) == ("pending", 4)
    assert waiting.next_attempt_at == NOW + 15 * MINUTE
    assert "refused" in (waiting.last_error or "")
    with receiver(port) as server:
        assert send_due(empty_engine, settings(), NOW + 15 * MINUTE) == Sent(1, 0, 0)
        assert send_due(empty_engine, settings(), NOW + 99 * MINUTE) == Sent(0, 0, 0)

    assert len(server.received) == 1


def test_a_message_goes_again_under_its_id_where_nobody_knows_whether_it_arrived(
    empty_engine: sa.Engine, farm: int
) -> None:
    with receiver() as server:
        subscribe(empty_engine, farm, address=server.url)
        open_alert(empty_engine, farm)
        with empty_engine.begin() as connection:  # as of a process that dies while it sends
            deliveries.note_due(connection, NOW)
            assert len(deliveries.claim(connection, NOW)) == 1
        assert send_due(empty_engine, settings(), NOW) == Sent(0, 0, 0)  # it is claimed
        server.status = lambda: 500
        assert send_due(empty_engine, settings(), NOW + MINUTE) == Sent(0, 1, 0)
        server.status = lambda: 200
        assert send_due(empty_engine, settings(), NOW + HOUR) == Sent(1, 0, 0)

    first, second = server.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_what_never_arrives_is_given_up_after_three_days_and_says_why(
    empty_engine: sa.Engine, farm: int
) -> None:
    with receiver() as server:
        server.status = lambda: 503
        subscribe(empty_engine, farm, address=server.url)
        open_alert(empty_engine, farm)
        send_due(empty_engine, settings(), NOW)

        assert send_due(empty_engine, settings(), NOW + 71 * HOUR) == Sent(0, 1, 0)
        assert send_due(empty_engine, settings(), NOW + 80 * HOUR) == Sent(0, 0, 1)
        assert send_due(empty_engine, settings(), NOW + 99 * HOUR) == Sent(0, 0, 0)

    with empty_engine.begin() as connection:
        (one,) = deliveries.of_farm(connection, farm)
    assert (one.status, one.last_error) == ("given-up", "the answer was 503: no success")


@pytest.mark.parametrize(("status", "given_up"), [(302, 0), (307, 0), (404, 0), (410, 1)])
def test_redirects_are_not_followed_and_gone_is_for_good(
    empty_engine: sa.Engine, farm: int, status: int, given_up: int
) -> None:
    with receiver() as server:
        server.status = lambda: status
        subscribe(empty_engine, farm, address=server.url)
        open_alert(empty_engine, farm)

        assert send_due(empty_engine, settings(), NOW) == Sent(0, 1 - given_up, given_up)

    assert [one.path for one in server.received] == ["/alerts?of=farm"]


def test_without_leave_nothing_is_sent_into_a_private_network(
    empty_engine: sa.Engine, farm: int
) -> None:
    with receiver() as server:
        local = f"https://localhost:{server.port}/"
        subscribe(empty_engine, farm, address=local)
        open_alert(empty_engine, farm)

        assert send_due(empty_engine, settings(webhook_private=False), NOW) == Sent(0, 0, 1)

    assert server.received == []
    with empty_engine.begin() as connection:
        (one,) = deliveries.of_farm(connection, farm)
    assert "not of the open internet" in (one.last_error or "")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        *[(one, False) for one in ("127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1")],
        *[(one, False) for one in ("169.254.169.254", "100.64.0.1", "0.1.2.3", "224.0.0.1")],
        *[(one, False) for one in ("240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1")],
        *[(one, False) for one in ("fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1")],
        *[(one, False) for one in ("64:ff9b::7f00:1", "2002:7f00:1::", "64:ff9b::a00:1")],
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
    ],
)
def test_public_addresses_are_told_from_all_others(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) == public


def test_a_server_that_drips_its_answer_is_cut_off() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def drip() -> None:
        client, _ = listener.accept()
        with client:
            client.sendall(b"HTTP/1.1 200 OK\r\n")
            while not stopped.wait(0.02):
                try:
                    client.sendall(b"x: y\r\n")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(NotSent, match="no answer within"):
            webhook.send(
                f"http://127.0.0.1:{listener.getsockname()[1]}/",
                b"{}",
                secret=make_secret(),
                message_id="1",
                settings=settings(webhook_timeout_s=0.3),
            )
    finally:
        stopped.set()
        thread.join()
        listener.close()


def test_mail_comes_in_the_language_of_who_reads_it(empty_engine: sa.Engine, farm: int) -> None:
    with mail_server() as server:
        for address, language in [("aigul@example.org", "kk"), ("ivan@example.org", "ru")]:
            subscribe(
                empty_engine, farm, channel="email", address=address, language=language, secret=None
            )
        open_alert(empty_engine, farm)
        asked = settings(smtp_host="127.0.0.1", smtp_port=server.port, smtp_from="dala@farm.kz")

        assert send_due(empty_engine, asked, NOW) == Sent(2, 0, 0)
        assert send_due(empty_engine, asked, NOW + HOUR) == Sent(0, 0, 0)

    by = {str(one["To"]): one for one in server.mails}
    assert sorted(server.recipients) == ["aigul@example.org", "ivan@example.org"]
    assert str(by["ivan@example.org"]["Subject"]).startswith("mine: Заморозок: -1,2 °C")
    assert "Защитите посев этой ночью" in by["ivan@example.org"].get_content()
    assert "Егісті осы түні қорғаңыз" in by["aigul@example.org"].get_content()
    assert str(by["ivan@example.org"]["Message-ID"]).endswith("@farm.kz>")


def test_a_mail_server_that_was_down_gets_the_mail_later_and_once(
    empty_engine: sa.Engine, farm: int
) -> None:
    port = free_port()
    asked = settings(smtp_host="127.0.0.1", smtp_port=port)
    subscribe(empty_engine, farm, channel="email", address="a@example.org", secret=None)
    open_alert(empty_engine, farm)
    assert send_due(empty_engine, asked, NOW) == Sent(0, 1, 0)

    with mail_server(port) as server:
        server.refuses = lambda _address: "451 4.7.1 greylisted, come back"
        assert send_due(empty_engine, asked, NOW + MINUTE) == Sent(0, 1, 0)
        server.refuses = lambda _address: None
        assert send_due(empty_engine, asked, NOW + HOUR) == Sent(1, 0, 0)
        assert send_due(empty_engine, asked, NOW + 2 * HOUR) == Sent(0, 0, 0)

    assert len(server.mails) == 1


def test_an_address_that_the_mail_server_refuses_is_given_up(
    empty_engine: sa.Engine, farm: int
) -> None:
    subscribe(empty_engine, farm, channel="email", address="a@example.org", secret=None)
    open_alert(empty_engine, farm)
    with mail_server() as server:
        server.refuses = lambda _address: "550 5.1.1 no such user"
        asked = settings(smtp_host="127.0.0.1", smtp_port=server.port)
        assert send_due(empty_engine, asked, NOW) == Sent(0, 0, 1)


def test_a_password_goes_over_tls_alone(empty_engine: sa.Engine, farm: int) -> None:
    subscribe(empty_engine, farm, channel="email", address="a@example.org", secret=None)
    open_alert(empty_engine, farm)
    with mail_server() as server:  # it offers no STARTTLS
        asked = settings(
            smtp_host="127.0.0.1",
            smtp_port=server.port,
            smtp_security="starttls",
            smtp_user="dala",
            smtp_password="secret",
        )
        assert send_due(empty_engine, asked, NOW) == Sent(0, 1, 0)

    assert "AUTH" not in server.commands


def test_without_a_mail_server_the_delivery_says_so(empty_engine: sa.Engine, farm: int) -> None:
    subscribe(empty_engine, farm, channel="email", address="a@example.org", secret=None)
    open_alert(empty_engine, farm)
    assert send_due(empty_engine, settings(), NOW) == Sent(0, 1, 0)

    with empty_engine.begin() as connection:
        (one,) = deliveries.of_farm(connection, farm)
    assert "DALA_SMTP_HOST" in (one.last_error or "")


def test_who_asked_for_other_kinds_other_farms_or_graver_ones_hears_nothing(
    empty_engine: sa.Engine, farm: int
) -> None:
    with empty_engine.begin() as connection:
        other = put_land(connection, "theirs", "KZ-43").farm
    with receiver() as server:
        subscribe(empty_engine, other, address=server.url)
        subscribe(empty_engine, farm, address=server.url, kinds=["frost"])
        subscribe(empty_engine, farm, address=server.url, min_severity="critical")
        open_alert(
            empty_engine,
            farm,
            "silent",
            "device:a",
            newest_reading="2100-06-15T00:00:00+00:00",
            expected_interval_s=600,
        )
        assert send_due(empty_engine, settings(), NOW) == Sent(0, 0, 0)

        heard = subscribe(empty_engine, farm, address=server.url, kinds=["silent", "frost"])
        with empty_engine.begin() as connection:
            subscriptions.end(connection, farm, heard.id, by="test")
        assert send_due(empty_engine, settings(), NOW) == Sent(0, 0, 0)


def test_the_end_is_told_once_it_is_one(empty_engine: sa.Engine, farm: int) -> None:
    with receiver() as server:
        subscribe(empty_engine, farm, address=server.url)
        open_alert(empty_engine, farm)
        send_due(empty_engine, settings(), NOW)
        with empty_engine.begin() as connection:
            alerts.clear_others(connection, "frost", [], now=NOW + HOUR)
        # Frost that is back within three hours never went.
        assert send_due(empty_engine, settings(), NOW + 3 * HOUR) == Sent(0, 0, 0)
        assert send_due(empty_engine, settings(), NOW + 4 * HOUR) == Sent(1, 0, 0)
        assert send_due(empty_engine, settings(), NOW + 9 * HOUR) == Sent(0, 0, 0)

    assert [json.loads(one.body)["type"] for one in server.received] == [
        "alert.opened",
        "alert.cleared",
    ]


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "ftp://example.org", "https://", "https://a:b@example.org/"),
        *("https://example.org/#x", "https://example.org/a b", "https://example.org:99999/"),
        *("https://пример.kz/", "https://[::1", "https://example.org/\r\nx: y"),
    ],
)
def test_an_address_that_is_no_webhook_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"webhook|address"):
        check_url(url, private=False)


@pytest.mark.parametrize(
    "address", ["", "aigul", "aigul@", "@example.org", "a@b", "a@example.org\nBcc: b@example.org"]
)
def test_what_is_no_address_of_mail_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address of mail"):
        check_mail_address(address)
