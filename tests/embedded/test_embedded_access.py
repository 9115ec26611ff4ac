"""The rules and bounds of the broker that need no network."""

import asyncio

import pytest
from amqtt.session import Session

from embedded.broker import BrokerSettings, EmbeddedBroker, configuration
from embedded.broker_access import (
    ACCOUNT,
    AccessDenied,
    Account,
    CredentialBook,
    admit,
    may_publish,
    may_subscribe,
)
from embedded.broker_delivery import Limits, outbox_of
from embedded.broker_server import INGEST
from storage.credentials import SECOND, Credential, Token, hash_token


def known(token, **values):
    """A soil probe that has this token."""
    tokens = [Token("probe", hash_token(token), False, True)]
    usual = {"tokens": tokens, "kind": "soil-probe", "disabled": False, "topic_filters": ()}
    return Credential(**(usual | values))


class Database:
    """A look-up that can be away."""

    def __init__(self):
        self.away, self.questions, self.answer = False, 0, known("hash")

    def __call__(self, _):
        self.questions += 1
        if self.away:
            raise ConnectionError
        return self.answer


@pytest.fixture
def database():
    return Database()


@pytest.fixture
def clock():
    return Clock()


class Clock:
    """Time that the test moves."""

    now = 100.0

    def __call__(self):
        return self.now


def test_a_credential_is_asked_for_again_when_it_is_no_longer_fresh(database, clock):
    book = CredentialBook(database, fresh_s=5.0, clock=clock)

    async def visits():
        await book.find("probe")
        clock.now += 4.9
        await book.find("probe")
        assert database.questions == 1
        database.answer = known("changed")
        clock.now += 0.2
        return await book.find("probe")

    assert asyncio.run(visits()) == known("changed")


def test_a_known_device_enters_while_the_database_is_away_and_an_unknown_one_does_not(
    database, clock
):
    book = CredentialBook(database, fresh_s=5.0, clock=clock)

    async def visits():
        await book.find("probe")
        database.away = True
        clock.now += 3600.0
        assert await book.find("probe") == known("hash")
        with pytest.raises(AccessDenied, match="no database to ask"):
            await book.find("another")

    asyncio.run(visits())


def test_a_removed_device_is_forgotten(database, clock):
    book = CredentialBook(database, fresh_s=5.0, clock=clock)

    async def visits():
        await book.find("probe")
        database.answer = None
        clock.now += 6.0
        assert await book.find("probe") is None
        database.away = True
        with pytest.raises(AccessDenied):
            await book.find("probe")

    asyncio.run(visits())


def test_a_new_token_counts_at_once_and_a_wrong_one_never(database, clock):
    book = CredentialBook(database, fresh_s=5.0, clock=clock)
    database.answer = known("old")

    def enters(token):
        session = Session()
        session.client_id = session.username = "probe"
        session.password = token
        return admit(session, book, "-")

    async def visits():
        assert await enters("old") == Account("probe", "soil-probe")
        database.answer = known("new")
        assert await enters("new") == Account("probe", "soil-probe")
        with pytest.raises(AccessDenied, match="wrong token"):
            await enters("old")

    asyncio.run(visits())


def test_an_old_token_is_good_until_the_new_one_is_used(database, clock):
    def used(username):
        assert username == "probe" + SECOND
        database.answer = known("new", tokens=[Token(username, hash_token("new"), False, True)])

    book = CredentialBook(database, fresh_s=5.0, clock=clock, used=used)
    both = [
        Token("probe", hash_token("old"), True, True),
        Token("probe~2", hash_token("new"), False, False),
    ]
    database.answer = known("new", tokens=both)

    def enters(username, token):
        session = Session()
        session.client_id, session.username, session.password = "probe", username, token
        return admit(session, book, "-")

    async def visits():
        assert await enters("probe", "old") == Account("probe", "soil-probe")
        assert await enters("probe~2", "new") == Account("probe", "soil-probe")
        with pytest.raises(AccessDenied, match="wrong token"):
            await enters("probe", "old")
        with pytest.raises(AccessDenied, match="client id"):
            await enters("other~2", "new")

    asyncio.run(visits())


SERVICE = Account(INGEST, INGEST)
PROBE = Account("probe", "soil-probe")
GATEWAY = Account("gateway", "network-server")


@pytest.mark.parametrize(
    ("topic", "speakers"),
    [
        ("dala/v1/probe/senml", {PROBE}),
        ("dala/v1/gateway/track", {GATEWAY}),
        ("dala/v1/probe/receipt", {SERVICE}),
        ("spBv1.0/Farm 1/NCMD/pump", {SERVICE, GATEWAY}),
        ("spBv1.0/Farm 1/DCMD/pump/valve", {SERVICE, GATEWAY}),
        ("spBv1.0/Farm 1/NDATA/pump", {GATEWAY}),
        ("spBv1.0/Farm 1/DBIRTH/pump/valve", {GATEWAY}),
        ("spBv1.0/Farm 1/NCMD/pump/valve", {GATEWAY}),  # no such command: not ours to send
        ("spBv1.0/Farm 1/NCMD", {GATEWAY}),
        ("application/a/device/b/event/up", {GATEWAY}),
        ("v3/farm/devices/b/up", {GATEWAY}),
        ("mavlink/drone-1", {GATEWAY}),
        ("efdi/combine-1/time_log", {GATEWAY}),
        ("farm/7/weather", {GATEWAY}),  # what an operator's mapping reads
        ("dala/v2/probe/senml", set()),
        ("$SYS/broker/version", set()),
    ],
)
def test_who_may_speak(topic, speakers):
    assert {one for one in (SERVICE, PROBE, GATEWAY) if may_publish(one, topic)} == speakers


@pytest.mark.parametrize(
    ("topic_filter", "hearers"),
    [
        ("dala/v1/probe/receipt", {SERVICE, PROBE}),
        ("spBv1.0/Farm 1/NCMD/pump/#", {SERVICE, GATEWAY}),
        ("spBv1.0/Farm 1/DCMD/pump/+", {SERVICE, GATEWAY}),
        ("spBv1.0/+/NCMD/#", {SERVICE, GATEWAY}),
        ("spBv1.0/STATE/dala", {SERVICE, GATEWAY}),
        ("spBv1.0/Farm 1/NDATA/pump", {SERVICE}),
        ("spBv1.0/#", {SERVICE}),
        ("spBv1.0/+/+/#", {SERVICE}),
        ("#", {SERVICE}),
    ],
)
def test_who_may_hear(topic_filter, hearers):
    assert {one for one in (SERVICE, PROBE, GATEWAY) if may_subscribe(one, topic_filter)} == hearers


CHIRPSTACK = Account("chirpstack", "gateway", ("application/+/device/+/event/+", "gateway/#"))


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("application/a/device/b/event/up", True),
        ("application/a/device/b/event", False),
        ("application/a/device/b/command/down", False),
        ("gateway/eu868/1/event", True),
        ("v3/farm/devices/b/up", False),
        ("dala/v1/probe/senml", False),
    ],
)
def test_a_gateway_keeps_to_the_topics_that_it_was_given(asked, allowed):
    assert may_publish(CHIRPSTACK, asked) == may_subscribe(CHIRPSTACK, asked) == allowed


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [("application/+/device/+/event/+", True), ("application/#", False), ("#", False),
     ("gateway/#", True), ("gateway/+/x", True), ("dala/v1/chirpstack/receipt", True)],
)  # fmt: skip
def test_a_gateway_hears_no_more_than_it_may_say(asked, allowed):
    assert may_subscribe(CHIRPSTACK, asked) == allowed


def away(name, kind):
    """A session of a client that is not connected."""
    session = Session()
    session.client_id, session.clean_session = name, False
    session.attributes[ACCOUNT] = Account(name, kind)
    session.transitions.disconnect()
    return session


def broker_with(limits):
    # Nothing listens and nothing asks the database: the settings are never used.
    settings = BrokerSettings(
        database_url="postgresql://127.0.0.1:1/none", ingest_password="-", parent=1
    )
    return EmbeddedBroker(configuration(settings), limits)


def test_publishers_wait_while_ingest_is_far_behind_and_nothing_is_dropped():
    async def scenario():
        broker = broker_with(Limits(service_bytes=2000))
        service, device = away("worker", "dala-ingest"), away("probe", "soil-probe")
        await broker.subscribe(service, "dala/v1/+/senml", 1)
        outbox = outbox_of(service)

        async def publish():
            for number in range(10):
                await broker.publish(device, "dala/v1/probe/senml", bytes([number] * 500), 1)

        publishing = asyncio.create_task(publish())
        await asyncio.sleep(0.05)
        assert not publishing.done()
        assert outbox.bytes < 2000 + 1500

        received = []
        while len(received) < 10:
            packet_id, delivery = outbox.take()
            received.append(delivery.data[0])
            outbox.acknowledge(packet_id)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await publishing
        assert received == list(range(10))
        assert outbox.bytes == outbox.inflight_bytes == 0

    asyncio.run(scenario())


def test_of_the_receipts_for_a_device_that_stays_away_the_latest_are_kept():
    async def scenario():
        broker = broker_with(Limits(device_messages=3))
        service, device = away("worker", "dala-ingest"), away("probe", "soil-probe")
        await broker.subscribe(device, "dala/v1/probe/receipt", 1)
        for number in range(10):
            await broker.publish(service, "dala/v1/probe/receipt", bytes([number]), 1)
        return [delivery.data[0] for delivery in outbox_of(device).pending]

    assert asyncio.run(scenario()) == [7, 8, 9]


def test_a_client_with_two_matching_subscriptions_gets_a_message_once():
    async def scenario():
        broker = broker_with(Limits())
        service, device = away("worker", "dala-ingest"), away("probe", "soil-probe")
        await broker.subscribe(service, "dala/v1/+/senml", 0)
        await broker.subscribe(service, "#", 1)
        await broker.publish(device, "dala/v1/probe/senml", b"once", 1)
        return [(delivery.data, delivery.qos) for delivery in outbox_of(service).pending]

    assert asyncio.run(scenario()) == [(b"once", 1)]
