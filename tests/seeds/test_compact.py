"""Packs of few bytes say exactly what was measured, in CBOR as in JSON."""

import json
from decimal import Decimal

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.codecs import decode
from ingest.messages import Decoded
from seeds import compact
from seeds.buffers import Number
from seeds.compact import Reading

TIME_MS = 1_782_000_000_000
ARRIVED_US = (TIME_MS + 86_400_000) * 1_000


def received(payload: bytes, arrived_us: int = ARRIVED_US) -> Decoded:
    return decode("dala/v1/probe-7/senml", payload, received_at_us=arrived_us)


def reading(name: str, value: str, after_s: float = 0, unit: str | None = None) -> Reading:
    return Reading(name, Decimal(value), unit, TIME_MS + round(after_s * 1_000))


PROBE = [
    reading(f"soil_moisture/{depth}", value, 900 * turn)
    for turn in range(20)
    for depth, value in ((10, "0.2843"), (30, "0.301"), (60, "0.2977"), (90, "0.31"))
]


@pytest.mark.parametrize("cbor", [True, False])
def test_the_service_reads_what_was_written(cbor: bool) -> None:
    readings = [
        reading("soil_moisture/20", "0.2843"),
        reading("soil_moisture/60", "0.31"),
        reading("valve_open:1", "1", 0.25),
        reading("air_temperature", "-3.5", 60),
        reading("water_total", "123456.789", 60),
        reading("water_flow", "12.5", 61, unit="l/s"),
    ]

    decoded = received(compact.pack(readings, Number(3, 18), cbor=cbor))

    assert (decoded.boot, decoded.seq, decoded.rejected) == (3, 18, [])
    values = {(r.quantity, r.depth_cm, r.channel): (r.value, r.time) for r in decoded.readings}
    base = TIME_MS * 1_000
    assert values == {
        ("soil_moisture", 20.0, None): (0.2843, base),
        ("soil_moisture", 60.0, None): (0.31, base),
        ("valve_open", None, 1): (1.0, base + 250_000),
        ("air_temperature", None, None): (-3.5, base + 60_000_000),
        ("water_total", None, None): (123456.789, base + 60_000_000),
        ("water_flow", None, None): (45.0, base + 61_000_000),  # 12.5 l/s = 45 m³/h
    }


NAMES = st.sampled_from(
    [
        "soil_moisture/10",
        "soil_moisture/30",
        "soil_moisture/30:2",
        "soil_moisture",
        "valve_open:1",
        "air_temperature",
        "water_total",
        "water_flow:12",
    ]
)
VALUES = st.decimals(-(10**9), 10**9, places=4, allow_nan=False)
UNITS = st.sampled_from([None, None, "K", "l", "/"])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(NAMES, VALUES, UNITS, st.integers(0, 10**7)),
        min_size=1,
        max_size=40,
        unique_by=lambda one: (one[0], one[3]),
    ),
    st.booleans(),
)
def test_no_reading_changes_its_name_value_unit_or_time(
    drawn: list[tuple[str, Decimal, str | None, int]], cbor: bool
) -> None:
    readings = [Reading(n, v, u, TIME_MS + after) for n, v, u, after in drawn]
    payload = compact.pack(readings, Number(1, 1), cbor=cbor)

    # Each alone in a plain pack of the RFC, written by hand.
    expected = []
    for name, value, unit, after in drawn:
        plain = {"n": name, "t": (TIME_MS + after) / 1_000, "v": float(value)}
        alone = received(json.dumps([plain | ({"u": unit} if unit else {})]).encode())
        expected += [(r.quantity, r.depth_cm, r.channel, r.value, r.time) for r in alone.readings]
    found = [
        (r.quantity, r.depth_cm, r.channel, r.value, r.time) for r in received(payload).readings
    ]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


@pytest.mark.parametrize(
    ("value", "encoded"),
    [  # RFC 8949, by hand: sizes of what could be written, the shortest is taken
        ("0", "00"),
        ("23", "17"),
        ("1000", "1903e8"),
        ("-60", "383b"),
        ("0.5", "f93800"),  # a half float, exact
        ("-0.25", "f9b400"),
        ("17.4", "c4822018ae"),  # 174 × 10⁻¹
        ("0.2843", "c48223190b1b"),  # 2843 × 10⁻⁴, where a double would take 9 bytes
        # A single float is exact and shorter than the decimal: 2¹⁰ × (1 + 1024 × 2⁻²³).
        ("1024.125", "fa44800400"),
    ],
)
def test_a_value_takes_the_fewest_bytes_that_say_it_exactly(value: str, encoded: str) -> None:
    payload = compact.pack([reading("rain_total", value)], Number(1, 1), cbor=True)

    assert b"\x02" + bytes.fromhex(encoded) + b"\x21" in payload  # v, then bn
    assert received(payload).readings[0].value == float(value)


@pytest.mark.parametrize(
    ("name", "given_value", "unit", "kept"),
    [
        ("soil_moisture/20", "0.28431234567", None, "0.2843"),
        ("soil_moisture/20", "0.30000000000000004", None, "0.3"),
        ("air_temperature", "17.456", None, "17.46"),
        ("water_total", "123456.7891", None, "123456.789"),
        ("valve_open:1", "1.0", None, "1"),
        ("rain", "-0.000", None, "0"),
        ("water_flow", "0.0034722222222222", "m3/s", "0.00347222222222"),
    ],
)
def test_digits_that_no_sensor_has_are_left_out(
    name: str, given_value: str, unit: str | None, kept: str
) -> None:
    assert compact.rounded(name, Decimal(given_value), unit) == Decimal(kept)


@pytest.mark.parametrize(("cbor", "least"), [(True, 75), (False, 36)])
def test_a_budget_is_kept_and_used(cbor: bool, least: int) -> None:
    count, size = compact.fitting(PROBE, Number(1, 1), 1_000, cbor=cbor)

    assert size == len(compact.pack(PROBE[:count], Number(1, 1), cbor=cbor)) <= 1_000
    assert count >= least
    assert len(compact.pack(PROBE[: count + 1], Number(1, 1), cbor=cbor)) > 1_000


def test_a_reading_goes_even_if_it_alone_is_over_the_budget() -> None:
    assert compact.fitting(PROBE, Number(1, 1), 10, cbor=True)[0] == 1


@pytest.mark.parametrize("cbor", [True, False])
def test_a_pack_without_a_base_time_counts_from_its_arrival(cbor: bool) -> None:
    uptime_ms = 500_000
    readings = [
        Reading("rain", Decimal("0.2"), None, uptime_ms - 60_000),
        Reading("rain", Decimal("0.4"), None, uptime_ms),
    ]
    payload = compact.pack(readings, Number(1, 1), cbor=cbor, from_ms=uptime_ms)

    decoded = received(compact.dated(payload, 2_500))

    assert [r.time_source for r in decoded.readings] == ["server", "server"]
    assert [r.time for r in decoded.readings] == [ARRIVED_US - 62_500_000, ARRIVED_US - 2_500_000]
    assert (decoded.boot, decoded.seq, decoded.rejected) == (1, 1, [])


@pytest.mark.parametrize("cbor", [True, False])
def test_an_empty_message_says_its_number_and_nothing_else(cbor: bool) -> None:
    payload = compact.empty(Number(1_782_000_000, 500), cbor=cbor)
    decoded = received(payload)

    assert (decoded.boot, decoded.seq) == (1_782_000_000, 500)
    assert (decoded.readings, decoded.rejected) == ([], [])
    assert len(payload) <= (26 if cbor else 60)


def test_another_number_changes_nothing_else() -> None:
    for cbor in (True, False):
        payload = compact.pack(PROBE[:8], Number(1, 1), cbor=cbor)
        again = received(compact.renumbered(payload, Number(7, 4)))
        assert (again.boot, again.seq) == (7, 4)
        assert again.readings == received(payload).readings

    track = (
        b'{"boot": 1, "seq": 2, "points": [{"time": "2026-06-21T05:00:00Z", "lat": 1, "lon": 2}]}'
    )
    assert json.loads(compact.renumbered(track, Number(7, 4))) == json.loads(track) | {
        "boot": 7,
        "seq": 4,
    }


def test_a_pack_is_plain_senml_to_any_reader_of_cbor() -> None:
    """Labels and times of RFC 8428, Table 4, read without any code of the service."""
    payload = compact.pack(PROBE[:4], Number(3, 18), cbor=True)

    assert cbor2.loads(payload) == [
        {0: "boot", 2: 3, -3: TIME_MS // 1_000},
        {0: "seq", 2: 18},
        {-2: "soil_moisture/", 0: "10", 2: Decimal("0.2843")},
        {0: "30", 2: Decimal("0.301")},
        {0: "60", 2: Decimal("0.2977")},
        {0: "90", 2: Decimal("0.31")},
    ]
