"""EFDI time logs: records of a machine to points and readings."""

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.codecs import decode
from ingest.codecs.efdi import MAX_ELEMENTS, MAX_RECORDS
from ingest.codecs.efdi_timelog import TimeLog
from ingest.decoding import describe
from ingest.messages import TrackPoint, to_us
from storage.quantities import CATALOGUE
from storage.readings import Quality

TOPIC = "efdi/combine-1/time_log"
NOW_US = 1_800_000_000_000_000
START_S = 1_782_882_000  # 2026-07-01T05:00:00Z
WIDTH, FLOW, MOISTURE, STATE, FUEL, SPEED = 67, 87, 99, 141, 149, 397
AMBIENT, ENGINE, FUEL_LEVEL = 192, 484, 491


def log(*records):
    """A log of (second, values by DDI or by (DDI, element), place) a record."""
    made = TimeLog()
    for second, values, place in records:
        record = made.time.add(type=4)
        if second is not None:
            record.start.seconds = START_S + second
        for key, raw in values.items():
            ddi, element = key if isinstance(key, tuple) else (key, 1)
            value = record.data_log_value.add(process_data_ddi=ddi, process_data_value=raw)
            value.device_element_id_ref.number = element
        if place is not None:
            record.position_start.position_north, record.position_start.position_east = place
    return made


def read(made):
    payload = made if isinstance(made, bytes) else made.SerializeToString()
    return decode(TOPIC, payload, received_at_us=NOW_US)


def reasons(decoded):
    return [one.reason for one in decoded.rejected]


HERE = (51.5, 71.25)


def test_a_record_becomes_a_point_in_si_units():
    values = {
        WIDTH: 9_000,  # mm
        FLOW: 7_500_000,  # mg/s
        MOISTURE: 131_000,  # ppm
        STATE: 1,
        FUEL: 10_000,  # mm³/s: 0.01 L/s, 36 L/h
        SPEED: 2_200,  # mm/s
        2: 2_000_000,  # 0.01 mm³/m²: 0.02 L/m², 200 L/ha
    }
    made = log((0, values, HERE))
    made.time[0].position_start.position_up = 347_500  # mm

    decoded = read(made)

    assert decoded.device == "efdi:combine-1"
    assert decoded.points == [
        TrackPoint(
            START_S * 1_000_000,
            *HERE,
            elevation_m=347.5,
            speed_m_s=2.2,
            work_state=1,
            width_m=9.0,
            mass_flow_kg_s=7.5,
            crop_moisture_pct=13.1,
            application_rate_l_ha=200.0,
            fuel_rate_l_h=36.0,
        )
    ]
    assert (decoded.readings, decoded.rejected) == ([], [])


def test_a_value_holds_until_it_changes():
    decoded = read(
        log((0, {WIDTH: 6_000, FLOW: 5_000_000}, HERE), (1, {FLOW: 6_000_000}, HERE), (2, {}, HERE))
    )

    assert [(p.width_m, p.mass_flow_kg_s) for p in decoded.points] == [
        (6.0, 5.0),
        (6.0, 6.0),
        (6.0, 6.0),
    ]


def test_what_is_measured_beside_the_work_becomes_readings():
    decoded = read(log((0, {AMBIENT: 293_150, ENGINE: 21_000_000, FUEL_LEVEL: 5_550}, HERE)))

    # 293.15 K; 1e-4 rpm; 0.01 %
    assert [(r.quantity, r.value) for r in decoded.readings] == [
        ("air_temperature", pytest.approx(20.0)),
        ("engine_speed", 2_100.0),
        ("fuel_level", 55.5),
    ]
    assert {(r.time, r.time_source, r.quality) for r in decoded.readings} == {
        (START_S * 1_000_000, "device", 0)
    }


def test_a_record_without_a_place_gives_readings_of_what_has_a_quantity():
    decoded = read(log((0, {FLOW: 7_500_000, FUEL: 10_000, WIDTH: 6_000}, None)))

    assert decoded.points == []
    assert [(r.quantity, r.value) for r in decoded.readings] == [
        ("yield_mass_flow", 7.5),
        ("fuel_rate", 36.0),
    ]


def test_of_several_elements_the_whole_counts():
    values = {(WIDTH, 1): 6_000, (WIDTH, 2): 3_000, (WIDTH, 3): 3_000}
    states = {(STATE, 2): 0, (STATE, 3): 1}

    (point,) = read(log((0, values | states, HERE))).points

    assert (point.width_m, point.work_state) == (6.0, 1)


def test_the_last_section_that_stops_ends_the_work():
    first = {(STATE, 2): 1, (STATE, 3): 1}
    made = log((0, first, HERE), (1, {(STATE, 2): 0}, HERE), (2, {(STATE, 3): 0}, HERE))

    assert [point.work_state for point in read(made).points] == [1, 1, 0]


def test_backwards_is_a_speed_and_other_numbers_below_zero_are_none():
    (point,) = read(log((0, {SPEED: -1_250, FLOW: -1, WIDTH: -(2**31)}, HERE))).points

    assert (point.speed_m_s, point.mass_flow_kg_s, point.width_m) == (1.25, None, None)


def test_what_is_not_available_or_was_not_measured_is_none():
    unknown = 2**31 - 1  # ISO 11783-11 of any value; and no crop is without water
    (point,) = read(log((0, {WIDTH: unknown, FLOW: unknown, MOISTURE: 0, SPEED: 0}, HERE))).points

    assert (point.width_m, point.mass_flow_kg_s, point.crop_moisture_pct) == (None, None, None)
    assert point.speed_m_s == 0.0  # a machine may stand


def test_a_part_that_says_nothing_hides_no_other():
    values = {(WIDTH, 1): 2**31 - 1, (WIDTH, 2): 3_000, (MOISTURE, 1): 0, (MOISTURE, 2): 120_000}
    (point,) = read(log((0, values, HERE))).points

    assert (point.width_m, point.crop_moisture_pct) == (3.0, 12.0)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(1, None), (4, None), (15, None), (8, "simulated-position"), (14, "no-fix")],
)
def test_places_that_a_receiver_makes_up_are_no_points(status, reason):
    made = log((0, {WIDTH: 6_000}, HERE), (1, {}, HERE))
    made.time[0].position_start.position_status = status

    decoded = read(made)

    assert reasons(decoded) == ([] if reason is None else [reason])
    assert len(decoded.points) == (2 if reason is None else 1)


def test_more_elements_than_a_machine_has_are_refused():
    many = {(WIDTH, element): 1 for element in range(MAX_ELEMENTS + 1)}

    decoded = read(log((0, many, HERE), (1, {FLOW: 1_000_000}, HERE)))

    assert reasons(decoded) == ["bad-record"]
    assert [point.mass_flow_kg_s for point in decoded.points] == [1.0]


def test_proprietary_numbers_and_totals_are_passed_over():
    decoded = read(log((0, {60_000: 5, 90: 500, 116: 10_000}, None)))

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert decoded.ignored


def test_the_time_is_the_record_s_then_the_receiver_s_then_the_arrival():
    made = log((0, {ENGINE: 1}, HERE), (None, {ENGINE: 1}, HERE), (None, {ENGINE: 1}, HERE))
    made.time[0].start.nanos = 250_000_000
    made.time[1].position_start.gps_utc_timestamp.seconds = START_S + 5

    decoded = read(made)

    assert [point.time for point in decoded.points] == [
        START_S * 1_000_000 + 250_000,
        (START_S + 5) * 1_000_000,
        NOW_US,
    ]
    assert [one.time_source for one in decoded.readings] == ["device", "device", "server"]
    assert decoded.readings[2].quality == Quality.SERVER_TIME


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ((0.0, 0.0), "no-fix"),
        ((90.5, 0.0), "position-out-of-range"),
        ((float("nan"), 5.0), "position-out-of-range"),
        ((5.0, float("inf")), "position-out-of-range"),
    ],
)
def test_a_place_that_is_none_leaves_the_other_records(place, reason):
    decoded = read(log((0, {WIDTH: 6_000}, place), (1, {}, HERE)))

    assert reasons(decoded) == [reason]
    assert "time 0" in decoded.rejected[0].detail
    assert [point.width_m for point in decoded.points] == [6.0]  # its values still hold


@pytest.mark.parametrize(("seconds", "nanos"), [(-1, 0), (2**62, 0), (5, -1), (5, 10**9)])
def test_a_time_of_no_calendar_is_refused(seconds, nanos):
    made = log((0, {}, HERE))
    made.time[0].start.seconds, made.time[0].start.nanos = seconds, nanos

    assert reasons(read(made)) == ["time-out-of-range"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "bad-message"),
        (b"\x00", "not-protobuf"),
        (b'{"time": []}', "bad-message"),
        (b'[{"sensorAlternateId": "x", "command": {"message": "CgQ="}}]', "agrirouter-envelope"),
    ],
)
def test_what_is_no_time_log_says_why(payload, reason):
    assert reasons(read(payload)) == [reason]


def test_a_log_with_too_many_records_is_refused():
    made = TimeLog()
    for _ in range(MAX_RECORDS + 1):
        made.time.add()

    assert reasons(read(made)) == ["too-many-records"]


def test_a_topic_without_a_machine_is_refused():
    decoded = decode("efdi//time_log", log((0, {}, HERE)).SerializeToString(), received_at_us=1)

    assert (decoded.device, reasons(decoded)) == (None, ["bad-topic"])


def test_the_recorded_log_agrees_with_its_oracle(shared):
    folder = shared / "samples/efdi"
    oracle = json.loads((folder / "timelog-forage-harvester-30.json").read_text())["time"]
    decoded = read((folder / "timelog-forage-harvester-30.bin").read_bytes())

    assert (len(decoded.points), decoded.readings, decoded.rejected) == (30, [], [])
    factors = {  # by hand: mm, mg/s, ppm, mm³/s
        WIDTH: ("width_m", 1e-3),
        FLOW: ("mass_flow_kg_s", 1e-6),
        MOISTURE: ("crop_moisture_pct", 1e-4),
        FUEL: ("fuel_rate_l_h", 3600 / 1e6),
        STATE: ("work_state", 1),
    }
    held = {}
    for point, record in zip(decoded.points, oracle, strict=True):
        for value in record["data_log_value"]:  # protobuf's JSON leaves zeros out
            if value["process_data_ddi"] in factors:
                name, factor = factors[value["process_data_ddi"]]
                held[name] = int(value.get("process_data_value", 0)) * factor
                if name == "crop_moisture_pct" and held[name] == 0:
                    held[name] = None  # no crop is without water: it was not measured
        assert point.time == to_us(datetime.fromisoformat(record["start"]))
        position = record["position_start"]
        assert (point.lat, point.lon) == (position["position_north"], position["position_east"])
        for name, value in held.items():
            assert getattr(point, name) == (value and pytest.approx(value)), name
    assert held.keys() == {name for name, _ in factors.values()}


def test_the_agrirouter_s_own_message_is_refused_by_name(shared):
    payload = (shared / "samples/efdi/agrirouter-command-envelope.json").read_bytes()

    assert reasons(read(payload)) == ["agrirouter-envelope"]


RECORD = st.tuples(
    st.none() | st.integers(-(2**62), 2**62),
    st.dictionaries(
        st.sampled_from([2, WIDTH, FLOW, MOISTURE, STATE, FUEL, SPEED, AMBIENT, ENGINE, 60_000]),
        st.integers(-(2**63), 2**63 - 1),
        max_size=4,
    ),
    st.none() | st.tuples(st.floats(), st.floats()),
)


def check(payload):
    decoded = read(payload)
    assert "codec-failed" not in reasons(decoded), decoded.rejected
    for reading in decoded.readings:
        assert reading.quantity in CATALOGUE
        assert type(reading.value) is float
    json.dumps(describe(decoded), allow_nan=False)
    assert decoded.readings or decoded.points or decoded.rejected or decoded.ignored


@given(st.lists(RECORD, max_size=4))
def test_any_log_ends_in_points_readings_or_reasons(records):
    check(log(*records).SerializeToString())


@given(st.binary(max_size=80))
def test_any_bytes_end_in_points_readings_or_reasons(payload):
    check(payload)


@given(st.lists(RECORD, min_size=1, max_size=2), st.data())
def test_a_damaged_log_ends_in_points_readings_or_reasons(records, data):
    payload = bytearray(log(*records).SerializeToString())
    if payload:
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    check(bytes(payload))
