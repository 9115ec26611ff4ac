"""When a vehicle's uptime was: with its clock, without one, and after it was switched off."""

from tests.ingest.codecs.mavlink_bytes import clock, place
from tests.ingest.codecs.vehicle import HOUR_US, MINUTE_US, NOW_US, times


def test_a_vehicle_s_clock_is_remembered(service):
    service.hear(clock(10_000, NOW_US - MINUTE_US))
    service.now_us += 10 * MINUTE_US

    assert times(service.hear(place(70_000))) == [NOW_US]


def test_without_a_clock_uptimes_count_from_the_first_arrival(service):
    first = service.hear(place(10_000))
    service.now_us += 7_000_000  # the second was held up for two seconds
    second = service.hear(place(15_000))

    assert times(first) == [NOW_US]
    assert times(second) == [NOW_US + 5_000_000]


def test_the_same_message_again_has_the_same_time(service):
    for first in (clock(10_000, NOW_US), place(9_000)):
        service.memory.clear()
        service.hear(first)
        once = times(service.hear(place(20_000)))
        service.now_us += 10 * MINUTE_US
        service.hear(place(615_000))

        assert times(service.hear(place(20_000))) == once


def test_several_messages_of_one_payload_end_at_its_arrival(service):
    decoded = service.hear(place(10_000), place(11_000), place(14_000))

    assert times(decoded) == [NOW_US - 4_000_000, NOW_US - 3_000_000, NOW_US]


def test_a_clock_further_on_in_the_payload_counts_for_what_stands_before(service):
    decoded = service.hear(place(10_000), clock(12_000, NOW_US - HOUR_US), place(13_000))

    assert times(decoded) == [NOW_US - HOUR_US - 2_000_000, NOW_US - HOUR_US + 1_000_000]


def test_the_clock_takes_the_place_of_the_arrival(service):
    service.hear(place(10_000))
    service.hear(clock(20_000, NOW_US - HOUR_US))

    assert times(service.hear(place(21_000))) == [NOW_US - HOUR_US + 1_000_000]


def test_a_clock_that_was_never_set_says_nothing(service):
    service.hear(clock(10_000, 0))

    assert times(service.hear(place(11_000))) == [
        NOW_US + 1_000_000
    ]  # from the arrival of the first


def test_a_clock_that_only_trembles_moves_no_time(service):
    service.hear(clock(10_000, NOW_US))
    assert service.hear(clock(11_000, NOW_US + 1_000_300)).learned == {}
    service.now_us += 11 * MINUTE_US
    service.hear(clock(670_000, NOW_US + 660_000_300))  # refreshed, on the same line

    assert times(service.hear(place(671_000))) == [NOW_US + 661_000_000]


def test_the_uptime_wraps_after_49_days(service):
    service.hear(clock(2**32 - 1_000, NOW_US))

    assert times(service.hear(place(500))) == [NOW_US + 1_500_000]


def test_a_vehicle_switched_on_anew_is_not_dated_by_its_last_flight(service):
    service.hear(clock(900_000, NOW_US))
    service.now_us += 20 * MINUTE_US

    assert times(service.hear(place(30_000))) == [service.now_us]
    service.hear(clock(31_000, service.now_us + 1_000_000))
    assert times(service.hear(place(32_000))) == [service.now_us + 2_000_000]


def test_an_anchor_of_a_message_held_up_long_is_given_up(service):
    service.hear(place(100_000))  # from long ago, but it arrives now
    # Five minutes of uptime later, of which none has passed here.
    assert times(service.hear(place(400_000))) == [NOW_US]


def test_each_system_has_its_own_clock(service):
    service.hear(clock(10_000, NOW_US - HOUR_US), clock(10_000, NOW_US, system=255))

    assert times(service.hear(place(10_000))) == [NOW_US - HOUR_US]


# --- frames ---------------------------------------------------------------------------------------
