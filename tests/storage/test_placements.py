"""Where a device stood, and how its datastreams were calibrated, one after another."""

import datetime as dt

import pytest
import sqlalchemy as sa

from storage import calibrations, devices, fields, news, placements, tables, tenancy
from storage.database import NotFound
from storage.placements import Period
from storage.tenancy import Reach
from tests.two_farms import DAY, START, Land, put_land


@pytest.fixture
def land(connection: sa.Connection) -> Land:
    return put_land(connection, "mine", "KZ-61")


def another_field(connection: sa.Connection, land: Land) -> int:
    soil = {"area_ha": 10.0, "area_source": "stated", "soil": {}, "soil_source": "stated"}
    return fields.put(connection, farm_id=land.farm, name="field-2", **soil)


def periods(connection: sa.Connection, land: Land) -> list[Period]:
    return placements.periods(
        devices.get_datastream(connection, land.stream),
        devices.get(connection, land.device),
        placements.of_devices(connection, [land.device]),
    )


def test_a_device_is_where_it_was_put_last_and_was_where_it_was(
    connection: sa.Connection, land: Land
) -> None:
    other = another_field(connection, land)
    assert periods(connection, land) == []
    placements.place(connection, land.device, other, valid_from=START, by="test")
    placements.place(connection, land.device, None, valid_from=START + 2 * DAY, by="test")

    assert periods(connection, land) == [
        Period(land.field, None, START),
        Period(other, START, START + 2 * DAY),
        Period(None, START + 2 * DAY, None),
    ]
    assert devices.get(connection, land.device).field_id is None
    # In between, and the same moment again: no two are ever valid at once.
    placements.place(connection, land.device, land.field, valid_from=START + DAY, by="test")
    placements.place(connection, land.device, other, valid_from=START + DAY, by="test")
    assert periods(connection, land)[1] == Period(other, START, START + 2 * DAY)


def test_a_datastream_may_be_elsewhere_than_its_device(
    connection: sa.Connection, land: Land
) -> None:
    other = another_field(connection, land)
    placements.place(
        connection, land.device, other, valid_from=START, by="test", datastream_id=land.stream
    )
    placements.place(connection, land.device, None, valid_from=START + DAY, by="test")
    placements.place(
        connection, land.device, None, valid_from=START + 2 * DAY, by="t", datastream_id=land.stream
    )

    assert periods(connection, land) == [
        Period(land.field, None, START),
        Period(other, START, START + 2 * DAY),
        Period(None, START + 2 * DAY, None),
    ]


def test_a_field_of_another_farm_is_no_place(connection: sa.Connection, land: Land) -> None:
    theirs = put_land(connection, "theirs", "KZ-43")
    with pytest.raises(NotFound, match="field"):
        placements.place(connection, land.device, theirs.field, valid_from=START, by="test")
    with pytest.raises(NotFound, match="datastream"):
        placements.place(
            connection, land.device, None, valid_from=START, by="t", datastream_id=theirs.stream
        )


def test_who_may_not_read_the_work_list_still_fills_it(
    connection: sa.Connection, land: Land
) -> None:
    news.claim(connection, [land.farm])
    news.done_readings(connection, [land.stream])
    tenancy.enter(connection, Reach(farms=(land.farm,)))
    placements.place(connection, land.device, None, valid_from=START + DAY, by="test")
    given = {"slope": 1.1, "intercept": 0.0, "reference": "certificate", "by": "test"}
    calibrations.calibrate(connection, land.stream, valid_from=START + 2 * DAY, **given)
    connection.execute(sa.text("RESET ROLE"))
    connection.execute(sa.text("SET LOCAL search_path = public"))

    news.claim(connection, [land.farm])
    # The first placement says where it always was: since its first reading.
    assert news.claimed_readings(connection, [land.farm]) == {land.stream: START}


@pytest.mark.parametrize("slope", [0.0, -1.0, float("inf"), float("nan")])
def test_a_slope_that_means_nothing_is_refused(
    connection: sa.Connection, land: Land, slope: float
) -> None:
    with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
        calibrations.calibrate(
            connection, land.stream, valid_from=START, slope=slope, intercept=0.0,
            reference="none", by="test",
        )  # fmt: skip
    assert connection.scalar(sa.select(sa.func.count(tables.datastream_calibrations.c.id))) == 0


def test_what_is_not_there_cannot_be_taken_back(connection: sa.Connection, land: Land) -> None:
    first = placements.place(
        connection, land.device, None, valid_from=dt.datetime(1970, 1, 1, tzinfo=dt.UTC), by="t"
    )
    for number in (first.id, 10**9):  # before the first there is nothing to go back to
        with pytest.raises(NotFound):
            placements.withdraw(connection, land.device, number)
    with pytest.raises(NotFound):
        calibrations.withdraw(connection, land.stream, 1)
