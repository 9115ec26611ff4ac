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
