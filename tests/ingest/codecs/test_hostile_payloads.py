"""Payloads made to cost more than they weigh: read in bounded work, or refused by name.

What would cost too much is bounded by a count, so the tests count too; none of them looks at a
clock. Each case took seconds or hundreds of megabytes before its bound was there.
"""

import json
import tracemalloc
from base64 import b64encode
from struct import pack

import cbor2
import pytest

from ingest.codecs import MAX_BYTES, Registry, metric_names, senml, senml_pack
from ingest.codecs.efdi import MAX_ELEMENTS
from ingest.codecs.efdi_timelog import TimeLog
from ingest.mapping import load
from tests.ingest.codecs.corpus import EUI, MAPPINGS
from tests.ingest.made_task_data import document, header, record, zipped

NOW_US = 1_800_000_000_000_000
SENML = "dala/v1/probe-7/senml"
UP = f"application/a/device/{EUI}/event/up"
RAIN = b"\x81\xa2\x00\x64rain\x02"  # a pack of one record, up to its value


@pytest.fixture
def registry(tmp_path):
    path = tmp_path / "mappings.toml"
    path.write_text(MAPPINGS)
    return Registry(own=load(path))


def read(registry, topic, payload, profile=None):
    assert len(payload) <= MAX_BYTES
    return registry.decode(
        topic, payload, received_at_us=NOW_US, profile=profile, timezone="Asia/Almaty"
    )


def reasons(decoded):
    return [one.reason for one in decoded.rejected]


def peak_of(registry, topic, payload):
    """The decoded message, and the most bytes that reading it took."""
    tracemalloc.start()
    try:
        decoded = read(registry, topic, payload)
        return decoded, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- numbers and names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        b"\xc2\x5a" + pack(">I", 200_000) + b"\xff" * 200_000,  # a whole number of 1.6 million bits
        b"\xc4\x82\x00\xc2\x5a" + pack(">I", 200_000) + b"\xff" * 200_000,  # a fraction of one
        b"\xc5\x82\x00\xc3\x5a" + pack(">I", 200_000) + b"\xff" * 200_000,
    ],
)
def test_numbers_of_more_bits_than_a_double_has_are_not_computed(registry, value):
    assert reasons(read(registry, SENML, RAIN + value)) == ["not-cbor"]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (cbor2.dumps(2**70), float(2**70)),
        (cbor2.dumps(-(2**70)), -float(2**70)),
        (b"\xc4\x82\x20\xc2\x41\x0f", 1.5),  # 15 * 10^-1
        (b"\xc5\x82\x20\xc3\x41\x0f", -8.0),  # -16 * 2^-1
    ],
)
def test_numbers_of_many_bits_are_still_numbers(registry, value, stored):
    (reading,) = read(registry, SENML, RAIN + value).readings

    assert reading.value == stored


@pytest.mark.parametrize("exponent", [10**9, -(10**9), 2**63, -(2**64)])
@pytest.mark.parametrize("tag", [4, 5])  # of powers of ten, and of two
def test_powers_beyond_all_measure_are_not_computed(registry, tag, exponent):
    pack_ = RAIN + cbor2.dumps(cbor2.CBORTag(tag, [exponent, 1]))

    decoded, peak = peak_of(registry, SENML, pack_)

    assert reasons(decoded) in (["value-not-finite"], ["not-cbor"], ["bad-record"], [])
    assert all(one.value == 0 for one in decoded.readings)  # what is nearest to a tiny one
    assert peak < 1_000_000


def test_a_base_name_without_end_is_not_multiplied(registry):
    records = [{"bn": "a" * 100_000, "n": "rain", "v": 1}] + [{"n": f"{n}"} for n in range(9_000)]

    decoded, peak = peak_of(registry, SENML, json.dumps(records).encode())

    assert reasons(decoded) == ["bad-base-field"]
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("label", "reason"), [("n", "bad-name"), ("u", "unknown-unit"), ("bu", "unknown-unit")]
)
def test_a_name_or_a_unit_without_end_is_not_remembered(registry, label, reason):
    text = "a" * (senml_pack.LONGEST_NAME + 1)
    padding = [{"n": "rain", "v": n} for n in range(200)]
    before = senml.target.cache_info().currsize

    pack_ = json.dumps([{"n": "rain", "v": 1} | {label: text}, *padding])
    decoded = read(registry, SENML, pack_.encode())

    assert reasons(decoded) == [reason]
    assert len(decoded.rejected[0].detail) < 200
    assert senml.target.cache_info().currsize == before


def test_names_and_units_of_metrics_are_not_remembered_beyond_their_length():
    before = metric_names._target_of.cache_info().currsize

    assert metric_names.target_of("soil moisture" + " " * 200) is None
    assert metric_names.unit_of("%" + " " * 200) is None
    assert metric_names._target_of.cache_info().currsize == before


# --- structures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * MAX_BYTES,
        b"[" * (MAX_BYTES // 2) + b"]" * (MAX_BYTES // 2),
        b'{"a":' * (MAX_BYTES // 5),
        b'{"data":' * 20_000 + b"1" + b"}" * 20_000,
        b"9" * MAX_BYTES,
        b'{"time": ' + b"9" * (MAX_BYTES - 10) + b"}",
        b'{"time": "' + b"1" * (MAX_BYTES - 20) + b'"}',
        b"\x81" * MAX_BYTES,
        b"\xc1" * MAX_BYTES,
        b"\x9b" + b"\xff" * 8,
        b"\x5b\x00" + b"\xff" * 7,
        b"\x00" * MAX_BYTES,
        b"\xff" * MAX_BYTES,
        b"\xfd" * MAX_BYTES,
        b"PK\x03\x04" + b"\xff" * (MAX_BYTES - 4),
    ],
    ids=lambda payload: f"{payload[:6]!r}",
)
def test_depth_length_and_noise_end_in_a_reason_on_every_topic(registry, payload):
    topics = [SENML, UP, "dala/v1/probe-7/track", "v3/a/devices/d/up", "thing/product/x/osd"]
    topics += ["tele/x/SENSOR", "spBv1.0/g/NBIRTH/n", "spBv1.0/g/DDATA/n/d", "efdi/x/time_log"]
    topics += ["mavlink/x", "farm/7/weather", "farm/7/taskdata", "tb/x", "tbx/x"]
    for topic in topics:
        decoded = read(registry, topic, payload)
        assert decoded.rejected or decoded.ignored, topic
        assert "codec-failed" not in reasons(decoded), topic
        assert all(len(one.detail) < 500 for one in decoded.rejected)


def test_structures_of_protobuf_within_each_other_are_refused(registry):
    inner = b""
    for _ in range(4_000):  # Struct > fields > value > struct_value
        inner = _chunk(1, _chunk(1, b"k") + _chunk(2, _chunk(5, inner)))

    assert reasons(read(registry, UP, _chunk(11, inner))) == ["not-protobuf"]


def test_elements_of_a_machine_are_not_gone_through_for_every_place(registry):
    log = TimeLog()
    first = log.time.add()
    for element in range(MAX_ELEMENTS + 1):
        value = first.data_log_value.add(process_data_ddi=67, process_data_value=element)
        value.device_element_id_ref.number = element
    for _ in range(500):
        place = log.time.add().position_start
        place.position_north, place.position_east = 51.1, 71.4

    decoded = read(registry, "efdi/x/time_log", log.SerializeToString())

    assert reasons(decoded) == ["bad-record"]
    assert len(decoded.points) == 500


def test_frames_without_end_are_not_all_complained_of(registry):
    unreadable = b"\xfe\x00\x00\x01\x01\x21\x00\x00"  # GLOBAL_POSITION_INT without its content

    decoded = read(registry, "mavlink/x", unreadable * (MAX_BYTES // 8))

    assert reasons(decoded)[-1] == "too-many-records"
    assert len(decoded.rejected) == 10_001


def test_a_frame_longer_than_any_radio_sends_is_read_to_its_first_fault(registry):
    for profile in ("milesight-em500-smtc", "milesight-uc511", "decentlab-dl-smtp"):
        data = b64encode(b"\x00" * 190_000).decode()
        event = {"deviceInfo": {"devEui": EUI}, "data": data}
        assert reasons(read(registry, UP, json.dumps(event).encode(), profile)) == ["bad-frame"]


# --- task data ------------------------------------------------------------------------------------


def test_a_log_of_more_values_than_a_record_can_name_is_refused(registry):
    files = {"TASKDATA.XML": document(), "TLG00001.bin": record(0) * 10}
    for columns, reason in ((256, []), (257, ["bad-log"]), (20_000, ["bad-log"])):
        payload = zipped(files | {"TLG00001.xml": header([67] * columns)})
        decoded = read(registry, "farm/t/taskdata", payload)
        assert reasons(decoded) == reason
        assert len(decoded.points) == (0 if reason else 10)


def test_what_logs_cost_is_bounded_in_all_of_them_together(registry):
    topic, places = "farm/t/taskdata", record(0) * 2
    wide, days = header([161] * 250), b"".join(record(0, day=1 + n) for n in range(300))
    for number, head, log, reason in (
        (200, header([]), places, None),
        (201, header([]), places, "too-many-files"),
        (20, wide, places, None),  # 5,000 values
        (21, wide, places, "too-many-records"),
        (6, header([]), days, None),
        (7, header([]), days, "too-many-records"),  # 2,100 days
    ):
        files = {f"TLG{n:05d}.xml": head for n in range(number)}
        files |= {f"TLG{n:05d}.bin": log for n in range(number)}
        decoded = read(registry, topic, zipped(files))
        assert reasons(decoded) == ([] if reason is None else [reason])
        assert bool(decoded.points) == (reason is None)


def test_the_xml_of_all_sets_together_is_bounded(registry):
    xml = b"<ISO11783_TaskData>" + b"<a/>" * 60_000 + b"</ISO11783_TaskData>"

    for sets, reason in ((3, []), (4, ["too-large"])):
        files = {f"{n}/TASKDATA.XML": xml for n in range(sets)}
        assert reasons(read(registry, "farm/t/taskdata", zipped(files))) == reason


def test_the_xml_of_a_log_has_no_more_elements_than_a_record_needs(registry):
    head = b'<TIM A=""><PTN A="" B=""/>' + b"<a/>" * 300 + b"</TIM>"
    files = {"TLG00001.xml": head, "TLG00001.bin": record(0)}

    decoded = read(registry, "farm/t/taskdata", zipped(files))

    assert reasons(decoded) == ["bad-log"]
    assert "more than 300 elements" in decoded.rejected[0].detail


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        (b"<a/>" * (1 << 20), "too-large"),
        (b"<TSK/>" * 190_000, "too-large"),
        (b'<XFR A="TSK00000"/>' * 190_000, "too-large"),
        (b"<a>" * 1_000_000, "bad-xml"),
        (b"<a " + b"b" * 5_000_000 + b'="1"/>', None),
    ],
    ids=["elements", "tasks", "files", "depth", "attribute"],
)
def test_a_bomb_of_xml_ends_in_a_reason_and_bounded_memory(registry, inside, reason):
    xml = b"<ISO11783_TaskData>" + inside + b"</ISO11783_TaskData>"

    decoded, peak = peak_of(registry, "farm/t/taskdata", zipped({"TASKDATA.XML": xml}))

    assert reasons(decoded) == ([] if reason is None else [reason])
    assert peak < len(xml) + 100_000_000


def test_entities_that_laugh_a_billion_times_are_refused(registry):
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]><ISO11783_TaskData>&l9;</ISO11783_TaskData>'

    decoded, peak = peak_of(registry, "farm/t/taskdata", zipped({"TASKDATA.XML": xml.encode()}))

    assert reasons(decoded) == ["bad-xml"]
    assert peak < 1_000_000


def _chunk(field, data):
    size, length = len(data), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([field << 3 | 2, *length, size]) + data
