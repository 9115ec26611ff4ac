"""A device hears only of what is committed without a gap."""

import pytest
import sqlalchemy as sa

from storage import devices


@pytest.fixture
def probe(connection: sa.Connection) -> str:
    devices.put(connection, "probe-1", kind="soil-probe", name="Probe")
    return "probe-1"


def test_the_contiguous_number_waits_for_the_gap_to_close(
    connection: sa.Connection, probe: str
) -> None:
    heard = [
        devices.note_committed(connection, probe, 1, numbers)
        for numbers in ([1, 2], [4, 5], [3], [7])
    ]

    assert heard == [2, 2, 5, 5]


def test_a_boot_whose_first_message_is_missing_is_not_receipted(
    connection: sa.Connection, probe: str
) -> None:
    assert devices.note_committed(connection, probe, 2, [2, 3]) == 0
    assert devices.note_committed(connection, probe, 2, [1]) == 3


def test_a_datastream_without_depth_is_opened_once(connection: sa.Connection, probe: str) -> None:
    key = devices.StreamKey(probe, "battery_voltage", None, None)

    first = devices.open_datastreams(connection, [key])
    second = devices.open_datastreams(connection, [key])

    assert first == second
    assert len(devices.datastreams(connection, [probe])) == 1


def test_numbers_of_many_devices_are_noted_at_once(connection: sa.Connection, probe: str) -> None:
    devices.put(connection, "probe-2", kind="soil-probe", name="Probe 2")

    first = devices.note_all_committed(
        connection, {(probe, 1): [1, 2, 4], (probe, 2): [2], ("probe-2", 1): [1]}
    )
    second = devices.note_all_committed(connection, {(probe, 1): [3], (probe, 2): [1]})

    assert first == {(probe, 1): 2, (probe, 2): 0, ("probe-2", 1): 1}
    assert second == {(probe, 1): 4, (probe, 2): 2}


def test_a_boot_without_a_gap_has_no_time_since_when(connection: sa.Connection, probe: str) -> None:
    def has_gap(*numbers: int) -> bool:
        devices.note_committed(connection, probe, 1, numbers)
        query = sa.text("SELECT gap_since IS NOT NULL FROM device_sequences")
        return bool(connection.scalar(query))

    assert [has_gap(1, 2), has_gap(4), has_gap(3), has_gap(9), has_gap(5, 6, 7, 8)] == [
        False, True, False, True, False,
    ]  # fmt: skip


def test_the_end_of_a_counter_is_kept_and_what_an_operator_entered_stays(
    connection: sa.Connection, probe: str
) -> None:
    key = devices.StreamKey(probe, "rain_total", None, None)

    def modulus(given: dict[devices.StreamKey, float]) -> float | None:
        opened = devices.open_datastreams(connection, [key], given)
        return devices.get_datastream(connection, opened[key]).counter_modulus

    assert [modulus({}), modulus({key: 655.36}), modulus({key: 100.0}), modulus({})] == [
        None, 655.36, 655.36, 655.36,
    ]  # fmt: skip
