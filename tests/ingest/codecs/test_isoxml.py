"""Task data of ISO 11783-10 as a zip: its time logs become points and readings of one machine."""

import datetime as dt
import itertools
from struct import pack

import pytest

from analytics.isoxml_records import read_records
from ingest.codecs import Registry, isoxml
from ingest.codecs.ddi import overall_work_state, section_states
from ingest.codecs.isoxml_log import read_log
from ingest.mapping import load
from ingest.messages import Context, PayloadError, Reading, TrackPoint, to_us
from tests.ingest.made_task_data import DAY, TEN, document, header, record, zipped

NOW_US = to_us(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
FIVE_US = to_us(dt.datetime(2025, 5, 27, 5, tzinfo=dt.UTC))  # 10:00 in Almaty, which is UTC+5
S = 1_000_000  # µs
WIDTH, FLOW, MASS, MOISTURE, AREA, STATE, SPEED = 67, 87, 90, 99, 116, 141, 397
ENGINE, FUEL, FUEL_LEVEL = 484, 149, 491


def decode(payload: bytes, timezone: str | None = "Asia/Almaty"):
    return isoxml.decode(payload, Context(("seeder-1",), NOW_US, timezone=timezone))


def upload(head: bytes, *records: bytes, **files: bytes) -> bytes:
    logs = {"TLG00001.xml": head, "TLG00001.bin": b"".join(records)}
    return zipped({"TASKDATA.XML": document()} | logs | files)


def log_of(head: bytes, *records: bytes, timezone: str | None = "Asia/Almaty"):
    return read_log(read_records(head, b"".join(records), "T.bin"), timezone)


def test_a_value_holds_until_its_element_says_another():
    head = header([WIDTH, STATE, SPEED, FUEL])
    payload = upload(
        head,
        record(0, {0: 12_000, 1: 1, 2: 2_500}),  # 12 m, at work, 2.5 m/s
        record(1, {3: 10_000}, lat=510_000_225),  # 10,000 mm³/s are 36 L/h
        record(2.5, {1: 0, 2: -500}, lat=510_000_450),  # reversing
    )

    decoded = decode(payload)

    assert decoded.device == "seeder-1"
    assert decoded.points == [
        TrackPoint(FIVE_US, 51.0, 71.0, speed_m_s=2.5, work_state=1, width_m=12.0),
        TrackPoint(
            FIVE_US + S, 51.0000225, 71.0, speed_m_s=2.5, work_state=1, width_m=12.0,
            fuel_rate_l_h=36.0,
        ),
        TrackPoint(
            FIVE_US + 2_500_000, 51.000045, 71.0, speed_m_s=0.5, work_state=0, width_m=12.0,
            fuel_rate_l_h=36.0,
        ),
    ]  # fmt: skip
    assert (decoded.readings, decoded.rejected) == ([], [])


def test_what_stands_on_no_point_is_a_reading_where_it_changed():
    payload = upload(
        header([ENGINE, FUEL_LEVEL, FUEL]),
        record(0, {0: 18_000_000, 1: 9_050, 2: 10_000}),  # 1,800 rpm, 90.5 %
        record(1),
        record(2, {0: 18_000_000, 2: 20_000}, status=0),  # no fix: the fuel rate, too
    )

    decoded = decode(payload)

    def reading(quantity: str, value: float, seconds: int) -> Reading:
        return Reading("seeder-1", quantity, value, FIVE_US + seconds * S, "device")

    assert sorted(decoded.readings) == sorted(
        [
            reading("engine_speed", 1_800.0, 0),
            reading("fuel_level", 90.5, 0),
            reading("engine_speed", 1_800.0, 2),
            reading("fuel_rate", 72.0, 2),
        ]
    )
    assert [(one.reason, one.detail) for one in decoded.rejected] == [
        ("no-fix", "TLG00001: 1 records")
    ]


def test_the_largest_of_several_elements_counts_and_any_of_them_works():
    head = header([(WIDTH, "DET-1"), (WIDTH, "DET-2"), (STATE, "DET-1"), (STATE, "DET-2")])

    points = decode(
        upload(head, record(0, {0: 12_000, 1: 6_000, 2: 0, 3: 0}), record(1, {3: 1}))
    ).points

    assert [(one.width_m, one.work_state) for one in points] == [(12.0, 0), (12.0, 1)]


@pytest.mark.parametrize("states", [*itertools.product((0, 1, 2, 3, 9), repeat=2)])
def test_the_work_state_is_that_of_the_data_dictionary(states):
    head = header([(STATE, "DET-1"), (STATE, "DET-2")])

    points = log_of(head, record(0, dict(enumerate(states)))).points

    assert points.work_state.tolist() == [overall_work_state(states)]


@pytest.mark.parametrize("raw", [0, 1, 0b0100, -1, 0b11_10, 0b10])
def test_sections_tell_the_work_state_where_no_element_does(raw):
    points = log_of(header([161]), record(0, {0: raw})).points

    assert points.work_state.tolist() == [overall_work_state(section_states(raw))]


@pytest.mark.parametrize(
    ("ddi", "raw"),
    [(WIDTH, -1), (WIDTH, 2**31 - 1), (MOISTURE, 0), (FLOW, -(2**31)), (SPEED, -(2**31))],
)
def test_what_cannot_be_is_unknown(ddi, raw):
    (values,) = log_of(header([ddi]), record(0, {0: raw})).points.fields.values()

    assert str(values.tolist()) == "[nan]"


def test_the_totals_are_last_less_first_and_a_fall_is_told():
    head = header([MASS, AREA, 119])
    log = log_of(
        head,
        record(0, {0: 1_000, 1: 500}),
        record(1, {0: 1_600}),
        record(2, {0: 100, 1: 800, 2: 4}),  # the mass began again
        record(3, {0: 300}),
    )

    # 600 kg until the counter fell, then 200; 300 m²; one value alone gains nothing.
    assert {name: tuple(one) for name, one in log.totals.items()} == {
        "yield_mass_kg": (800.0, True),
        "area_m2": (300.0, False),
        "effective_time_s": (0.0, False),
    }
    assert log.harvests


def test_values_that_are_kept_nowhere_are_counted_by_their_number():
    log = log_of(
        header([84, 60_000, 1_234, WIDTH]), record(0, {0: 1, 1: 2, 2: 3}), record(1, {1: 4})
    )

    assert (log.known, log.unknown, log.proprietary) == ({84: 1}, {1_234: 1}, {60_000: 2})


# --- places ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ({"lat": 2**31 - 1}, "no-position"),
        ({"lat": 0, "lon": 0}, "no-fix"),
        ({"status": 0}, "no-fix"),
        ({"status": 14}, "no-fix"),
        ({"status": 8}, "simulated-position"),
        ({"lat": 900_000_001}, "position-out-of-range"),
        ({"day": 0}, "no-time"),
        ({"day": 0xFFFF}, "no-time"),
    ],
)
def test_a_record_without_a_place_or_time_is_no_point(place, reason):
    log = log_of(header([]), record(0), record(1, **place))

    assert len(log.points.time_us) == 1
    assert dict(log.left_out) == {reason: 1}


def test_a_place_whose_kind_is_not_said_is_one():
    # Real sets have status 15, "not available", beside good places.
    assert len(log_of(header([]), record(0, status=15)).points.time_us) == 1


def test_height_satellites_and_other_attributes_are_read_in_their_order():
    head = header([], places="ABCDEFG")
    records = pack("<IHiiiBHHBB", TEN, DAY, 510_000_000, 710_000_000, 345_678, 1, 20, 10, 12, 0)

    (point,) = decode(upload(head, records)).points

    assert point == TrackPoint(FIVE_US, 51.0, 71.0, elevation_m=345.678)


# --- times ----------------------------------------------------------------------------------------


def by_receiver(second: int, ahead_s: int) -> bytes:
    """A record whose receiver says 05:00 UTC and so many seconds, while the clock is ahead."""
    ms = 5 * 3_600_000 + second * 1000
    clock = pack("<IHiiB", ms + ahead_s * 1000, DAY, 510_000_000, 710_000_000, 1)
    return clock + pack("<IHB", ms, DAY, 0)


def test_without_a_zone_a_log_of_local_times_is_refused():
    with pytest.raises(PayloadError) as error:
        decode(upload(header([]), record(0)), timezone=None)

    assert error.value.reason == "no-timezone"


def test_the_receivers_own_time_needs_no_zone_and_measures_the_clock():
    head = header([], places="ABDHI")
    unset = by_receiver(2, 7_200)[:-7] + pack("<IHB", 0xFFFFFFFF, 0xFFFF, 0)

    log = log_of(head, by_receiver(0, 7_200), by_receiver(1, 7_200), unset, timezone=None)

    # The third record has the clock's time alone, two hours ahead as the others show.
    assert log.points.time_us.tolist() == [FIVE_US, FIVE_US + S, FIVE_US + 2 * S]
    assert (log.times.by_receiver, log.times.clock_ahead_s) == (2, 7_200.0)
    against = log_of(head, by_receiver(0, 7_200), timezone="Asia/Almaty").times
    assert (against.clock_ahead_s, against.zone_ahead_s) == (7_200.0, 18_000.0)


def test_a_clock_that_the_receiver_contradicts_by_decades_does_not_lead_before_there_were_any():
    head = header([], places="ABDHI")
    # Clock: 2025-05-27; receiver: 1981-01-01, day 366. Alone, the clock's second day of 1980 would
    # be 44 years before that.
    early = pack("<IHB", 0, 366, 0)
    both = pack("<IHiiB", 0, DAY, 510_000_000, 710_000_000, 1) + early
    alone = pack("<IHiiB", 0, 2, 510_000_000, 710_000_000, 1) + pack("<IHB", 0xFFFFFFFF, 0xFFFF, 0)

    log = log_of(head, both, alone, timezone=None)

    in_1981 = to_us(dt.datetime(1981, 1, 1, tzinfo=dt.UTC))
    assert log.points.time_us.tolist() == [in_1981]
    assert dict(log.left_out) == {"no-time": 1}


# Clocks of eastern Kazakhstan went from UTC+6 to UTC+5 at the end of 2024-02-29, and an hour of
# that evening came twice: day 16,130 is 2024-02-29 (44 * 365 + 11 leap days + 31 + 28).
LAST_OF_SIX = 44 * 365 + 11 + 31 + 28


def at(day: int, hour: float) -> bytes:
    return pack("<IHiiBB", round(hour * 3_600_000), day, 510_000_000, 710_000_000, 1, 0)


def test_an_hour_that_came_twice_is_the_first_until_the_clock_goes_back():
    log = log_of(
        header([]),
        at(LAST_OF_SIX, 22.5),
        at(LAST_OF_SIX, 23.75),
        at(LAST_OF_SIX, 23.0),
        at(LAST_OF_SIX, 23.75),
        at(LAST_OF_SIX + 1, 0.25),
    )

    assert [one / 3.6e9 % 24 for one in log.points.time_us.tolist()] == [
        16.5, 17.75, 18.0, 18.75, 19.25,
    ]  # fmt: skip
    assert log.times.came_twice
    assert not log_of(header([]), at(LAST_OF_SIX, 22.5), at(LAST_OF_SIX + 1, 2)).times.came_twice


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "reason", "words"),
    [
        (b"not a zip", "bad-message", "zip archive"),
        (b"PK\x03\x04 and no more", "bad-zip", "cannot be read|not a zip|File is not"),
        (zipped({"readme.txt": b"hello"}), "bad-message", "neither TASKDATA.XML nor"),
        (zipped({"TASKDATA.XML": b"<Other/>"}), "bad-task-data", "begins with 'Other'"),
        (zipped({"TASKDATA.XML": b"<ISO11783_TaskData>"}), "bad-xml", "line 1, column 20"),
        (
            zipped({"TASKDATA.XML": b'<!DOCTYPE a [<!ENTITY b "c">]><ISO11783_TaskData/>'}),
            "bad-xml",
            "document type or entities",
        ),
        (
            zipped({"TASKDATA.XML": b"<?xml version='1.0' encoding='cp0'?><a/>"}),
            "bad-xml",
            "cp0|enc",
        ),
        (zipped({f"{n}.txt": b"" for n in range(1_001)}), "too-many-files", "1001 files"),
    ],
)
def test_what_is_no_task_data_is_refused_with_its_reason(payload, reason, words):
    with pytest.raises(PayloadError, match=words) as error:
        decode(payload)

    assert error.value.reason == reason


def test_a_damaged_log_is_left_out_and_the_others_are_kept():
    payload = upload(
        header([WIDTH]),
        record(0, {0: 12_000}),
        **{
            "TLG00002.xml": header([WIDTH]),
            "TLG00002.bin": record(0, {0: 12_000})[:-1],
            "TLG00003.BIN": record(0),
        },
    )

    decoded = decode(payload)

    assert len(decoded.points) == 1
    assert [one.reason for one in decoded.rejected] == ["bad-log", "file-missing"]
    assert "TLG00002.bin, line 1, column DLV: the record is cut off" in decoded.rejected[0].detail


@pytest.mark.parametrize(("lost", "kept", "column"), [(1, 2, "DLV"), (6, 2, "TIM"), (23, 1, "DLV")])
def test_a_log_that_is_cut_off_is_kept_up_to_the_cut(lost, kept, column):
    # A record of one value has 15 bytes of time and place, a count, and 5 of the value.
    whole = b"".join(record(n, {0: 12_000 + n}) for n in range(3))
    assert len(whole) == 3 * 21

    decoded = decode(upload(header([WIDTH]), whole[:-lost]))

    assert [point.width_m for point in decoded.points] == [12.0, 12.001, 12.002][:kept]
    assert [one.reason for one in decoded.rejected] == ["bad-log"]
    assert f"line {kept + 1}, column {column}" in decoded.rejected[0].detail


def test_names_of_any_case_and_digits_in_any_folder_are_found():
    payload = zipped(
        {
            "Export/TaskData/taskdata.xml": document(),
            "Export/TaskData/tlg1.XML": header([]),
            "Export/TaskData/Tlg0001.bin": record(0),
        }
    )

    assert len(decode(payload).points) == 1


def test_a_set_without_logs_says_why_nothing_is_kept():
    assert decode(zipped({"TASKDATA.XML": document()})).ignored is not None


def test_the_records_of_all_logs_of_a_message_are_bounded():
    many = record(0) * 60_000
    two = {"TLG00002.xml": header([]), "TLG00002.bin": many}

    decoded = decode(upload(header([]), many, **two))

    assert len(decoded.points) == 60_000
    (rejected,) = decoded.rejected
    assert rejected.reason == "bad-log"
    assert "TLG00002.bin, line 40000, column TIM: more than 40,000 records" in rejected.detail


def test_more_readings_than_one_message_may_bring_are_refused(monkeypatch):
    monkeypatch.setattr(isoxml, "MAX_KEPT", 2)
    head = header([ENGINE])
    assert len(decode(upload(head, record(0, {0: 1}))).readings) == 1

    with pytest.raises(PayloadError, match="send fewer logs"):
        decode(upload(head, record(0, {0: 1}), record(1)))


def test_an_operators_mapping_names_the_machine_and_its_zone(tmp_path):
    path = tmp_path / "mappings.toml"
    path.write_text(
        '[[topics]]\npattern = "farm/+/taskdata"\nformat = "isoxml"\ndevice = "$1"\n'
        'timezone = "Asia/Almaty"\n'
    )
    registry = Registry(own=load(path))

    decoded = registry.decode("farm/t-7/taskdata", upload(header([]), record(0)), received_at_us=0)

    assert (decoded.device, [one.time for one in decoded.points]) == ("t-7", [FIVE_US])


# --- real sets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "points", "last", "readings"),
    [
        ("samples/isoxml/krone-smartconnect", 341, (46.1323621, 8.9598318, 387.259), 303),
        ("samples/isoxml/forage-harvester-cci", 187, (54.5734121, 10.1892032, None), 0),
        ("agronomy/iso11783", 4_135, (54.5732917, 10.1996472, None), 0),
    ],
)
def test_real_sets_decode_to_the_last_byte(shared, folder, points, last, readings):
    files = {one.name: one.read_bytes() for one in (shared / folder).iterdir()}

    decoded = decode(zipped(files), timezone="Europe/Berlin")

    assert (len(decoded.points), len(decoded.readings)) == (points, readings)
    end = decoded.points[-1]
    assert (end.lat, end.lon, end.elevation_m) == last
    assert decoded.rejected == []
