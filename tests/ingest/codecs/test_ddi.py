"""What a number of the ISO 11783-11 data dictionary means."""

import csv

import numpy as np
import pytest

from ingest.codecs.ddi import ENTRIES, PROPRIETARY, overall_work_state, section_states
from ingest.messages import TrackPoint
from storage.quantities import CATALOGUE

# In our unit: one of the dictionary's, by hand (1 ha = 10,000 m², 1 L = 1e6 mm³, 1 h = 3,600 s).
DICTIONARY_UNITS = {
    "mm³/m²": ("L/ha", 10_000 / 1e6),
    "ml/m²": ("L/ha", 10_000 / 1e3),
    "mg/m²": ("kg/ha", 10_000 / 1e6),
    "mm³/s": ("L/h", 3_600 / 1e6),
    "mg/s": ("kg/s", 1e-6),
    "mm/s": ("m/s", 1e-3),
    "ml": ("L", 1e-3),
    "g": ("kg", 1e-3),
    "ppm": ("%", 1e-4),
    "mK": ("°C", 1e-3),
    "r/min": ("rpm", 1.0),
    "n.a.": ("", 1.0),
}


@pytest.mark.parametrize(
    ("ddi", "raw", "value"),
    [
        (67, 9_000, 9.0),  # 9 m in mm
        (87, 51_833_126, 51.833126),  # mg/s
        (99, 595_600, 59.56),  # ppm
        (149, 18_016, 64.8576),  # 18,016 mm³/s * 3,600 s / 1e6 mm³
        (2, 2_000_000, 200.0),  # 0.01 mm³/m²: 20,000 mm³/m² = 0.02 L/m²
        (192, 293_150, 20.0),  # 293.15 K
        (484, 21_000_000, 2_100.0),
        (397, -1_250, -1.25),  # backwards
    ],
)
def test_raw_numbers_become_our_units(ddi, raw, value):
    assert ENTRIES[ddi].value(raw) == pytest.approx(value, rel=1e-12, abs=1e-9)


def test_arrays_are_converted_as_numbers_are():
    assert ENTRIES[67].value(np.array([9_000.0, 6_250.0])).tolist() == [9.0, 6.25]


def test_every_target_is_a_field_or_a_quantity_we_have():
    for ddi, entry in ENTRIES.items():
        assert entry.field is None or entry.field in TrackPoint._fields, ddi
        assert entry.quantity is None or CATALOGUE[entry.quantity].unit == entry.unit, ddi
        assert entry.field is None or entry.total is None, ddi
        assert ddi not in PROPRIETARY


def test_the_table_agrees_with_the_dictionary(shared):
    with (shared / "samples/isoxml/ddi-agri-subset.csv").open(encoding="utf-8") as file:
        dictionary = {int(row["ddi"]): row for row in csv.DictReader(file)}
    for ddi, entry in ENTRIES.items():
        row = dictionary[ddi]
        unit, factor = DICTIONARY_UNITS.get(row["unit"], (row["unit"], 1.0))
        if row["unit"] == "mm" and entry.unit == "m":
            unit, factor = "m", 1e-3
        assert entry.unit == unit, ddi
        assert entry.multiply / entry.divide == pytest.approx(factor * float(row["resolution"]))
        assert row["name"].startswith(entry.name)


@pytest.mark.parametrize(
    ("states", "overall"), [([0, 1, 0], 1), ([0, 3], 0), ([2, 3], 2), ([3], 3), ([], 3), ([7], 3)]
)
def test_a_machine_works_while_any_element_does(states, overall):
    assert overall_work_state(states) == overall


def test_condensed_work_states_are_two_bits_a_section():
    assert section_states(0b11_10_01_00) == (0, 1, 2, 3, *[0] * 12)
    assert section_states(-1) == (3,) * 16  # all bits set, as a signed number
