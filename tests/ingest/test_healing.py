"""What was refused for want of a birth is stored once the birth is, by itself."""

import pytest
import sqlalchemy as sa

from ingest import healing, retrying
from ingest.healing import Healing
from ingest.outcomes import Message
from ingest.storing import Line
from storage import devices, rejected
from tests.ingest.codecs import sparkplug_bytes as sp

NODE = "sparkplug:Farm 1/pump"
TIME_MS = 1_782_882_000_000
NOW_US = 1_782_882_100_000_000


class Farm:
    """A line with a Sparkplug node of ours."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine, self.now_us = engine, NOW_US
        with engine.begin() as connection:
            devices.put(connection, "pump", kind="gateway", name="Pump", wire_id=NODE)
        self.start()

    def start(self) -> None:
        self.line = Line(self.engine)
        self.healing = Healing(self.engine, self.line)

    def hear(self, *messages: tuple[str, bytes]) -> None:
        batch = []
        for kind, payload in messages:
            self.now_us += 1_000
            batch.append(Message(f"spBv1.0/Farm 1/{kind}/pump", payload, self.now_us))
        self.healing.add(self.line.store(batch).heals)

    def heal(self, now: float = 0.0) -> list[tuple[int, int]]:
        """What each step mended of what it tried."""
        steps = []
        while (done := self.healing.step(now)) is not None:
            steps.append((done.mended, done.tried))
        return steps

    def values(self) -> list[float]:
        with self.engine.connect() as connection:
            query = sa.text("SELECT value FROM readings ORDER BY time")
            return list(connection.scalars(query))

    def kept(self) -> list[str]:
        with self.engine.connect() as connection:
            return [one.reason for one in rejected.page(connection)]


@pytest.fixture
def farm(empty_engine: sa.Engine) -> Farm:
    return Farm(empty_engine)


def data(value: float, *, alias: int = 7) -> tuple[str, bytes]:
    time_ms = TIME_MS + int(value * 1000)
    return "NDATA", sp.payload(sp.metric(sp.double(value), alias=alias), time_ms=time_ms)


def birth(session: int = 1, name: str = "Temperature") -> tuple[str, bytes]:
    return "NBIRTH", sp.node_birth(session, sp.metric(b"", name, alias=7, datatype=sp.DOUBLE))


def test_messages_before_the_birth_are_stored_once_it_is(farm: Farm) -> None:
    farm.hear(data(1.0), data(2.0))
    assert (farm.values(), farm.kept()) == ([], ["alias-unknown"] * 2)
    assert farm.heal() == []  # nobody explained anything yet

    farm.hear(birth(), data(3.0))

    assert farm.values() == [3.0]  # what is live does not wait for it
    assert farm.heal() == [(2, 2)]
    assert (farm.values(), farm.kept()) == ([1.0, 2.0, 3.0], [])
    assert farm.heal() == []


def test_a_kept_message_stays_until_its_readings_are_committed(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm.hear(data(1.0))
    farm.hear(birth())

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rejected, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            farm.healing.step(0.0)
    assert (farm.values(), farm.kept()) == ([1.0], ["alias-unknown"])

    assert farm.heal() == [(1, 1)]
    assert (farm.values(), farm.kept()) == ([1.0], [])


def test_an_ingester_that_died_before_it_read_them_again_does_so_after_the_next_birth(
    farm: Farm,
) -> None:
    farm.hear(data(1.0))
    farm.hear(birth())
    farm.start()
    farm.now_us += 1_000_000
    farm.line.greet(farm.now_us, session_kept=True)  # asks for the births again
    farm.hear(birth())

    assert farm.heal() == [(1, 1)]
    assert (farm.values(), farm.kept()) == ([1.0], [])


def test_a_number_is_not_read_by_a_birth_from_before_we_were_away(farm: Farm) -> None:
    farm.hear(birth(1, "Temperature"))
    farm.start()
    (request,) = farm.line.greet(farm.now_us, session_kept=False)
    assert request.topic == "spBv1.0/Farm 1/NCMD/pump"

    farm.hear(data(2.0))  # of the session whose birth we missed, in which 7 is another metric
    farm.hear(birth(2, "Humidity"))
    farm.heal()

    with farm.engine.connect() as connection:
        (quantity,) = connection.scalars(
            sa.text("SELECT quantity FROM readings JOIN datastreams ON id = datastream_id")
        )
    assert (quantity, farm.kept()) == ("relative_humidity", [])


def test_a_message_of_an_earlier_session_is_never_read_by_a_later_birth(farm: Farm) -> None:
    farm.hear(data(1.0), ("NDEATH", sp.node_death(1)), birth(2))

    assert farm.heal() == [(0, 1)]
    assert (farm.values(), farm.kept()) == ([], ["birth-missed"])
    farm.hear(birth(2))
    assert farm.heal(healing.AGAIN_S) == []  # nor tried again
    retrying.retry(farm.engine)
    assert (farm.values(), farm.kept()) == ([], ["birth-missed"])


def test_many_are_read_in_steps_so_that_the_line_goes_on(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (healing, retrying):
        monkeypatch.setattr(module, "AT_ONCE", 4)
    farm.hear(*(data(float(number)) for number in range(10)))
    farm.hear(birth())

    assert farm.heal() == [(4, 4), (4, 4), (2, 2)]
    assert farm.values() == [float(number) for number in range(10)]


def test_births_without_end_do_not_have_the_same_messages_read_without_end(farm: Farm) -> None:
    farm.hear(birth(), data(1.0, alias=99))
    steps = []
    for second in range(130):  # a birth each second, and none explains the number
        farm.hear(birth())
        steps += farm.heal(float(second))

    assert steps == [(0, 1)] * 3  # at 0, 60 and 120 s
    assert farm.kept() == ["alias-unknown"]
