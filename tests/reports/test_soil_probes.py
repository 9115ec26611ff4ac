"""What probes measured by depth: in the season, of the field, as calibrated."""

import datetime as dt

import pytest
import sqlalchemy as sa

from reports import soil_probes
from storage import calibrations, devices, fields, placements, tables
from storage.devices import StreamKey
from tests.reports.advice_farm import put_farm, put_zone

ALMATY = "Asia/Almaty"  # UTC+5
MIDNIGHT = dt.datetime(2025, 5, 31, 19, tzinfo=dt.UTC)  # 1 June there
HOUR = dt.timedelta(hours=1)
NOW = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)


class Probe:
    """A probe with two depths on a field whose crop grows from 1 May to 7 September."""

    def __init__(self, connection: sa.Connection) -> None:
        farm = put_farm(connection)
        zone = put_zone(connection, farm)
        self.field, self.zone = next(
            pair for pair in fields.zones(connection, farm_id=farm.id) if pair[1].id == zone
        )
        devices.put(
            connection,
            "probe",
            farm_id=farm.id,
            kind="soil-probe",
            name="Probe",
            field_id=self.field.id,
        )
        keys = [StreamKey("probe", "soil_moisture", depth, None) for depth in (60.0, 20.0)]
        found = devices.open_datastreams(connection, keys)
        self.deep, self.shallow = (found[key] for key in keys)
        self.connection = connection

    def says(self, stream: int, values: dict[dt.datetime, float]) -> None:
        rows = [
            {
                "time": time,
                "datastream_id": stream,
                "value": value,
                "quality": 0,
                "received_at": time,
            }
            for time, value in values.items()
        ]
        self.connection.execute(sa.insert(tables.readings), rows)

    def found(self, resolution: soil_probes.Resolution, now: dt.datetime = NOW):
        return soil_probes.of_zone(
            self.connection,
            self.field,
            self.zone,
            timezone=ALMATY,
            resolution=resolution,
            now=now,
        )


@pytest.fixture
def probe(connection: sa.Connection) -> Probe:
    return Probe(connection)


def test_hours_are_means_the_shallowest_depth_first(probe: Probe) -> None:
    probe.says(probe.deep, {MIDNIGHT: 0.30})
    probe.says(
        probe.shallow,
        {MIDNIGHT: 0.20, MIDNIGHT + HOUR / 2: 0.22, MIDNIGHT + 2 * HOUR: 0.24},
    )

    shallow, deep = probe.found("hour")
    start = round(MIDNIGHT.timestamp())
    assert (shallow.depth_cm, deep.depth_cm) == (20.0, 60.0)
    assert shallow.start_s == [start, start + 7_200]
    assert shallow.mean_m3_m3 == [0.21, 0.24]
    assert (deep.start_s, deep.mean_m3_m3) == ([start], [0.30])


def test_days_are_those_of_the_place(probe: Probe) -> None:
    last = MIDNIGHT - HOUR  # 23:00 on 31 May
    probe.says(probe.shallow, {last: 0.10, MIDNIGHT: 0.20, MIDNIGHT + 23 * HOUR: 0.30})

    (shallow,) = probe.found("day")
    start = round(MIDNIGHT.timestamp())
    assert shallow.start_s == [start - 86_400, start]
    assert shallow.mean_m3_m3 == [0.10, 0.25]


def test_only_the_season_counts_and_nothing_to_come(probe: Probe) -> None:
    sown = dt.datetime(2025, 4, 30, 19, tzinfo=dt.UTC)  # midnight of 1 May there
    probe.says(probe.shallow, {sown - HOUR: 0.1, sown: 0.2, NOW - HOUR: 0.3, NOW: 0.4})

    (shallow,) = probe.found("hour")
    assert shallow.mean_m3_m3 == [0.2, 0.3]
    assert probe.found("hour", now=sown - HOUR) == []


def test_values_are_as_calibrated_and_of_the_time_on_the_field(probe: Probe) -> None:
    probe.says(probe.shallow, {MIDNIGHT: 0.20, MIDNIGHT + HOUR: 0.20, MIDNIGHT + 2 * HOUR: 0.20})
    calibrations.calibrate(
        probe.connection,
        probe.shallow,
        valid_from=MIDNIGHT + HOUR,
        slope=1.1,
        intercept=0.01,
        reference="by hand",
        by="test",
    )
    # Away from the field from then on; it stood there before.
    for where, since in ((probe.field.id, MIDNIGHT - HOUR), (None, MIDNIGHT + 2 * HOUR)):
        placements.place(probe.connection, "probe", where, valid_from=since, by="test")

    (shallow,) = probe.found("hour")
    assert shallow.mean_m3_m3 == [0.20, 0.23]  # 1.1 × 0.20 + 0.01


def test_what_soil_can_hold_is_known_or_not(probe: Probe) -> None:
    assert soil_probes.constants(probe.field) == (0.30, 0.15)
    assert soil_probes.constants(probe.field._replace(soil={})) is None
