"""What a device sends when: windows, pauses, holes, and receipts it must not believe."""

import random

import pytest

from seeds.buffers import Number
from seeds.sending import GRACE_S, NumbersUsedBefore, Pace, Sending

PACE = Pace(window=4, first_pause_s=10.0, longest_pause_s=80.0, jitter=0.0, refused_after=3)


def sending(count: int, *, pace: Pace = PACE, boot: int = 1) -> Sending:
    """A device in its first boot, with messages 1 to ``count``."""
    made = Sending(pace, random.Random(1))
    made.begin(boot)
    for seq in range(1, count + 1):
        made.add(Number(boot, seq))
    return made


def burst(device: Sending, now: float) -> list[int]:
    """Everything it publishes now."""
    numbers = []
    while (number := device.next(now)) is not None:
        numbers.append(number.seq)
    return numbers


def test_a_window_is_under_way_and_receipts_move_it() -> None:
    device = sending(10)

    assert burst(device, 0.0) == [1, 2, 3, 4]
    assert device.receipt(1, 3, 1.0) == 3
    assert burst(device, 1.0) == [5, 6, 7]
    assert device.outstanding == 7


def test_a_receipt_that_comes_twice_counts_once() -> None:
    device = sending(4)
    burst(device, 0.0)

    assert [device.receipt(1, seq, 1.0) for seq in (2, 2, 1, 4, 4)] == [2, 0, 0, 2, 0]
    assert device.outstanding == 0


def test_without_a_receipt_it_begins_again_with_two_and_doubles() -> None:
    device = sending(20)
    assert burst(device, 0.0) == [1, 2, 3, 4]

    assert burst(device, 9.9) == []
    assert burst(device, 10.0) == [1, 2]
    device.receipt(1, 2, 11.0)
    assert burst(device, 11.0) == [3, 4, 5, 6]


def test_pauses_double_up_to_the_longest_and_a_receipt_ends_that() -> None:
    device = sending(1)
    sent_at = [float(now) for now in range(400) if burst(device, float(now))]

    # By hand: 0, then after pauses of 10, 20, 40, 80, 80 and 80 s.
    assert sent_at == [0, 10, 30, 70, 150, 230, 310, 390]
    device.receipt(1, 1, 400.0)
    device.add(Number(1, 2))
    assert [now for now in range(401, 425) if burst(device, float(now))] == [401, 411]


def test_pauses_of_many_devices_do_not_march_in_step() -> None:
    pace = PACE._replace(jitter=0.25)
    moments = set()
    for seed in range(50):
        device = Sending(pace, random.Random(seed))
        device.begin(1)
        device.add(Number(1, 1))
        device.next(0.0)
        moments.add(next(now for now in range(20_000) if device.next(now / 1_000)) / 1_000)

    assert min(moments) >= 7.5
    assert max(moments) <= 12.5
    assert len(moments) > 40


def test_messages_of_an_earlier_boot_go_first_under_their_own_numbers() -> None:
    device = Sending(PACE, random.Random(1))
    for number in (Number(3, 7), Number(3, 8)):
        device.add(number)
    device.begin(4)
    device.add(Number(4, 1))

    order = [device.next(0.0) for _ in range(4)]

    assert order == [Number(3, 7), Number(3, 8), Number(4, 1), None]
    assert device.receipt(3, 8, 1.0) == 2
    assert device.receipt(4, 1, 1.0) == 1
    assert device.outstanding == 0


def test_numbers_the_service_lacks_and_the_device_too_are_sent_though() -> None:
    """Messages 5 and 6 were dropped from a full memory: their numbers must not stay a hole."""
    device = Sending(PACE._replace(window=10), random.Random(1))
    for seq in (7, 8):
        device.add(Number(3, seq))
    device.begin(4)
    assert burst(device, 0.0) == [7, 8]

    device.receipt(3, 4, 1.0)

    assert burst(device, 10.0) == [5, 6]
    assert device.receipt(3, 8, 11.0) == 4
    assert device.outstanding == 0


def test_a_message_that_is_passed_over_again_and_again_is_refused() -> None:
    device = sending(5)
    burst(device, 0.0)
    device.receipt(1, 1, 0.5)
    for now in (11.0, 35.0, 80.0):  # rounds; the service stores the third, never the second
        assert not device.is_refused(Number(1, 2))
        device.receipt(1, 1, now - 0.5)
        burst(device, now)

    assert device.is_refused(Number(1, 2))
    assert device.receipt(1, 4, 81.0) == 3
    assert not device.is_refused(Number(1, 2))


def test_a_message_is_not_refused_because_the_service_is_away() -> None:
    device = sending(5)
    for now in range(0, 5_000, 10):
        burst(device, float(now))

    assert not any(device.is_refused(Number(1, seq)) for seq in range(1, 6))


def test_a_new_connection_sends_what_the_broker_did_not_acknowledge() -> None:
    device = sending(4)
    burst(device, 0.0)
    device.acknowledged(Number(1, 1))
    device.acknowledged(Number(1, 2))

    device.connected(5.0, session_present=True)

    assert burst(device, 5.0) == [3, 4]


def test_a_broker_that_forgot_the_session_gets_everything_again() -> None:
    device = sending(4)
    for seq in burst(device, 0.0):
        device.acknowledged(Number(1, seq))

    device.connected(5.0, session_present=False)

    assert burst(device, 5.0) == [1, 2, 3, 4]


def test_receipts_that_waited_at_the_broker_come_before_anything_is_sent_again() -> None:
    device = sending(4)
    for seq in burst(device, 0.0):
        device.acknowledged(Number(1, seq))

    device.connected(1_000.0, session_present=True)

    assert burst(device, 1_000.0) == []
    assert burst(device, 1_000.0 + GRACE_S) == [1, 2]


@pytest.mark.parametrize("seq", [3, 5, 10**9])
def test_a_receipt_for_what_was_not_sent_shows_a_number_used_before(seq: int) -> None:
    device = sending(4, pace=PACE._replace(window=2))
    assert burst(device, 0.0) == [1, 2]

    with pytest.raises(NumbersUsedBefore, match=f"boot 1: 2 sent, a receipt says {seq}"):
        device.receipt(1, seq, 1.0)
    assert device.outstanding == 4


def test_a_receipt_of_a_boot_that_nothing_is_left_of_means_nothing() -> None:
    device = sending(2)

    assert device.receipt(99, 5, 0.0) == 0
    assert device.receipt(0, 0, 0.0) == 0
    assert device.outstanding == 2


def test_whatever_is_lost_on_the_way_everything_is_stored_in_the_end() -> None:
    """A service that loses messages, batches and receipts by chance, over many histories."""
    for seed in range(200):
        chance = random.Random(seed)
        device = sending(40, pace=PACE._replace(window=8))
        stored: set[int] = set()
        now = 0.0
        while device.outstanding and now < 100_000:
            now += 1.0
            if chance.random() < 0.05:
                device.connected(now, session_present=chance.random() < 0.5)
            for seq in burst(device, now):
                if chance.random() < 0.5:
                    device.acknowledged(Number(1, seq))
                if chance.random() < 0.7:
                    stored.add(seq)
            if stored and chance.random() < 0.5:
                contiguous = next(seq for seq in range(42) if seq + 1 not in stored)
                device.receipt(1, contiguous, now)
        assert stored == set(range(1, 41)), seed
        assert device.outstanding == 0
