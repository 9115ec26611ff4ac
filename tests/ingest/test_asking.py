"""Senders are asked some at a time, and nobody twice a minute."""

from ingest.asking import A_SECOND, AGAIN_S, BURST, Asking
from ingest.messages import Request


def requests(count: int) -> list[Request]:
    return [Request(f"spBv1.0/g/NCMD/{number}", b"") for number in range(count)]


def test_a_farm_of_some_nodes_is_asked_at_once() -> None:
    asking = Asking()
    asking.add(requests(5), 100.0)

    assert asking.take(100.0) == requests(5)
    assert asking.take(200.0) == []


def test_thousands_are_asked_over_time_in_their_order() -> None:
    asking = Asking()
    asking.add(requests(1_000), 100.0)
    taken = [asking.take(100.0 + second) for second in range(60)]

    assert len(taken[0]) == BURST
    assert max(map(len, taken)) <= max(BURST, A_SECOND)
    assert [one for each in taken for one in each] == requests(1_000)


def test_a_connection_that_comes_and_goes_asks_nobody_twice_a_minute_but_forgets_nobody() -> None:
    asking, taken = Asking(), []
    for second in range(120):
        if second < 30:
            asking.add(requests(2), float(second))
        taken += [(second, one) for one in asking.take(float(second))]

    first, other = requests(2)
    assert AGAIN_S == 60.0
    assert taken == [(0, first), (0, other), (60, first), (60, other)]
