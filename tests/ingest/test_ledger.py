"""A batch is acknowledged once its receipts are confirmed, and in order."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.acknowledgement import Ledger
from ingest.outcomes import Receipt

A, B, C = (Receipt(name, 1, 5, 2, 1, {}) for name in "abc")


class Outbox:
    """A client that calls its messages 1, 2, 3 …"""

    def __init__(self) -> None:
        self.sent: list[Receipt] = []

    def publish(self, receipt: Receipt) -> int | None:
        self.sent.append(receipt)
        return len(self.sent)


def test_messages_are_acknowledged_once_all_receipts_of_their_batch_are_confirmed() -> None:
    ledger, outbox = Ledger(), Outbox()
    ledger.add([11, 12], [A, B], arrived_at=0.0, now=1.0)
    ledger.send(outbox.publish, 10)

    ledger.confirm(1)
    assert ledger.ready() == []
    ledger.confirm(2)

    assert ledger.ready() == [11, 12]
    assert (ledger.ready(), len(ledger), ledger.receipts) == ([], 0, 0)


def test_a_later_batch_waits_for_the_one_before_it() -> None:
    ledger, outbox = Ledger(), Outbox()
    ledger.add([11], [A], arrived_at=0.0, now=1.0)
    ledger.add([12, 13], [], arrived_at=1.0, now=2.0)  # nobody wants a receipt
    ledger.add([14], [B], arrived_at=2.0, now=3.0)
    ledger.send(outbox.publish, 10)

    ledger.confirm(2)
    assert ledger.ready() == []
    assert (ledger.first_arrived_at, ledger.first_committed_at) == (0.0, 1.0)
    ledger.confirm(1)

    assert ledger.ready() == [11, 12, 13, 14]


def test_no_more_receipts_are_under_way_than_the_broker_allows() -> None:
    ledger, outbox = Ledger(), Outbox()
    ledger.add([1], [A, B, C], arrived_at=0.0, now=0.0)

    assert ledger.send(outbox.publish, 2) == 2
    assert ledger.send(outbox.publish, 2) == 0
    ledger.confirm(1)
    assert ledger.send(outbox.publish, 2) == 1

    assert outbox.sent == [A, B, C]


def test_a_receipt_that_could_not_go_out_goes_out_later() -> None:
    ledger, outbox = Ledger(), Outbox()
    ledger.add([1], [A], arrived_at=0.0, now=0.0)

    assert ledger.send(lambda _receipt: None, 2) == 0
    assert ledger.send(outbox.publish, 2) == 1
    assert outbox.sent == [A]


def test_receipts_that_wait_become_one_for_each_boot_and_settle_all_their_batches() -> None:
    ledger, outbox = Ledger(), Outbox()
    ledger.add([1], [A], arrived_at=0.0, now=0.0)
    ledger.send(outbox.publish, 1)
    for number in (2, 3):
        later = Receipt("a", 1, 5 + number, 10, 0, {"bad-name": number})
        ledger.add([number], [later, B._replace(boot=number)], arrived_at=0.0, now=0.0)
    assert ledger.receipts == 4  # one under way; of a, and of b's two boots

    ledger.confirm(1)
    assert ledger.ready() == [1]
    assert ledger.send(outbox.publish, 10) == 3
    ledger.confirm(2)
    assert ledger.ready() == []
    ledger.confirm(3)
    assert ledger.ready() == [2]
    ledger.confirm(4)

    assert ledger.ready() == [3]
    assert outbox.sent == [
        A, Receipt("a", 1, 8, 20, 0, {"bad-name": 5}), B._replace(boot=2), B._replace(boot=3),
    ]  # fmt: skip


def test_a_backlog_is_acknowledged_in_parts() -> None:
    ledger = Ledger()
    for first in range(0, 50_000, 2_000):
        ledger.add(range(first, first + 2_000), [], arrived_at=0.0, now=0.0)

    parts = list(iter(ledger.ready, []))

    assert [len(part) for part in parts] == [10_000] * 5
    assert [mid for part in parts for mid in part] == list(range(50_000))


def test_on_a_new_connection_old_numbers_acknowledge_nothing() -> None:
    ledger, outbox = Ledger(), Outbox()
    ledger.add([1], [A], arrived_at=0.0, now=0.0)
    ledger.send(outbox.publish, 2)

    ledger.clear()
    ledger.confirm(1)

    assert (ledger.ready(), ledger.first_arrived_at, ledger.receipts) == ([], None, 0)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4))), st.randoms(), st.integers(1, 5))
def test_every_message_is_acknowledged_once_and_in_order_whatever_is_confirmed_first(
    batches: list[tuple[int, int]], chance: object, at_most: int
) -> None:
    ledger, outbox = Ledger(), Outbox()
    mids = iter(range(1, 1_000))
    for count, receipts in batches:
        ledger.add([next(mids) for _ in range(count)], [A] * receipts, arrived_at=0.0, now=0.0)
    acknowledged = ledger.ready()
    open_mids: list[int] = []
    while ledger:
        before = len(outbox.sent)
        ledger.send(outbox.publish, at_most)
        open_mids += range(before + 1, len(outbox.sent) + 1)
        assert len(open_mids) <= at_most
        ledger.confirm(open_mids.pop(chance.randrange(len(open_mids))))  # type: ignore[attr-defined]
        acknowledged += ledger.ready()

    assert acknowledged == list(range(1, sum(count for count, _ in batches) + 1))
