"""FAO-56's tables as data: number for number, and crops put together from them.

Pages are those of FAO Irrigation and Drainage Paper 56 (Allen et al., 1998).
"""

import csv
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from analytics.catalogue.assemble import UnknownCrop, find_crop, find_rows
from analytics.catalogue.table_11 import STAGES
from analytics.catalogue.table_12 import KC
from analytics.catalogue.table_17 import KCB
from analytics.catalogue.table_22 import ROOTS
from analytics.crop_catalogue import CATALOGUE, CROPS, CUT_CYCLES
from analytics.crop_ranges import PRINTED, TABLES
from analytics.irrigation_methods import APPLICATION_EFFICIENCY, WETTED_FRACTION
from analytics.soils import TABLE_19

MISPRINTS = {"onoins green": "onions green", "sorgum sweet": "sorghum sweet"}  # of the samples


def _numbers(row: tuple, columns: slice = slice(1, None)) -> list[float | None]:
    return [None if value is None else float(value) for value in row[columns]]


def _samples(shared: Path, name: str) -> list[list[str]]:
    with (shared / "agronomy" / name).open() as file:
        return list(csv.reader(file))[1:]


@pytest.mark.parametrize(
    ("table", "columns", "name"),
    [
        (STAGES, slice(1, 6), "fao56_table11_stage_lengths.csv"),
        (KC, slice(1, 5), "fao56_table12_kc.csv"),
        (KCB, slice(1, 4), "fao56_table17_kcb.csv"),
        (ROOTS, slice(1, 4), "fao56_table22_root_depth_p.csv"),
    ],
)
def test_every_number_of_a_table_is_that_of_the_samples(shared: Path, table, columns, name):
    samples = _samples(shared, name)
    assert len(table) == len(samples)
    for row, sample in zip(table, samples, strict=True):
        assert row.crop == MISPRINTS.get(sample[0], sample[0])
        expected = [float(cell) if cell else None for cell in sample[columns]]
        assert _numbers(row, columns) == expected, row


def test_every_printed_range_is_that_of_the_samples(shared: Path):
    names = {
        "maize": "maize grain",
        "chickpea": "chick pea",
        "rapeseed": "rapeseed canola",
        "winter-wheat": "winter wheat frozen soils",
        "alfalfa": "alfalfa hay averaged cuttings",
        "alfalfa-first-cut": "alfalfa hay individual cutting",
        "alfalfa-later-cut": "alfalfa hay individual cutting",
        "onion": "onion dry",
        "apple": "apples active cover killing frost",
    }
    rows = {row[0]: row[1:] for row in _samples(shared, "fao56_crops_kazakhstan.csv")}
    for crop, printed in PRINTED.items():
        flat: list[float | None] = []
        for field, value in printed._asdict().items():
            ends = 2 if field not in ("kc_ini", "kcb_ini", "p", "ky") else 1
            flat += [None] * ends if value is None else list(value) if ends == 2 else [value]
        sample = rows[names.get(crop, crop.replace("-", " "))]
        assert flat == [float(cell) if cell else None for cell in sample], crop


def test_soils_and_wetted_fractions_are_those_of_the_samples(shared: Path):
    soils = _samples(shared, "fao56_table19_soil.csv")
    for row, (name, *cells) in zip(TABLE_19.items(), soils, strict=True):
        assert row[0].replace("silty-clay-loam", "silt-clay-loam") == name.replace(" ", "-")
        assert [float(end) for ends in row[1] for end in ends] == [float(cell) for cell in cells]
    fractions = _samples(shared, "fao56_table20_fw.csv")
    for ends, (_, *cells) in zip(WETTED_FRACTION.values(), fractions, strict=True):
        assert list(ends) == [float(cell) for cell in cells]


def test_application_efficiencies_are_those_of_the_training_manual(shared: Path):
    rows = _samples(shared, "irrigation_efficiencies.csv")[: len(APPLICATION_EFFICIENCY)]
    assert [float(row[3]) / 100 for row in rows] == list(APPLICATION_EFFICIENCY.values())


def test_stages_add_up_to_the_printed_total_but_in_five_rows():
    odd = [
        row
        for row in STAGES
        if row.l_mid is not None
        and row.l_end is not None
        and row.l_ini + row.l_dev + row.l_mid + row.l_end != row.total_days
    ]
    # Table 11 prints them so (pp. 104-108)
    assert [row.crop for row in odd] == [
        "green gram cowpeas",
        "sesame",
        "maize sweet",
        "sorghum",
        "sorghum",
    ]


def test_what_the_catalogue_chose_is_within_what_is_printed():
    assert set(PRINTED) == set(CATALOGUE)
    for name, entry in CATALOGUE.items():
        printed, crop, kc = entry.printed, entry.crop, entry.kc
        assert kc.kc_ini == printed.kc_ini, name
        assert printed.kc_mid[0] <= kc.kc_mid <= printed.kc_mid[1], name
        assert printed.kc_end[0] <= kc.kc_end <= printed.kc_end[1], name
        assert printed.h_max_m[0] <= crop.h_max_m <= printed.h_max_m[1], name
        assert printed.zr_max_m[0] <= crop.zr_max_m <= printed.zr_max_m[1], name
        assert (crop.p, crop.ky) == (printed.p, printed.ky), name
        # of basal and single coefficient the single one holds evaporation too
        assert crop.kcb_mid <= kc.kc_mid, name
    assert set(TABLES) >= {"stages", "kc", "kcb", "zr_max_m", "p", "ky"}


def test_the_catalogue_agrees_with_the_wider_tables():
    for name, table_name in (
        ("maize", "maize field grain corn 18% moisture"),
        ("sugar-beet", "sugar beet"),
        ("potato", "potato"),
        ("lentil", "lentil"),
        ("alfalfa-first-cut", "alfalfa hay individual cutting periods"),
    ):
        rows, crop = find_rows(table_name), CROPS[name]
        assert (rows.kcb.kcb_ini, rows.kcb.kcb_mid, rows.kcb.kcb_end) == crop[:3]
        assert rows.kc is not None
        assert rows.kc.h_max_m == crop.h_max_m
        assert rows.roots is not None
        assert_allclose((rows.roots.zr_low_m + rows.roots.zr_high_m) / 2, crop.zr_max_m)
        assert crop[3:7] in [row[1:5] for row in rows.stages]


def test_a_crop_of_the_catalogue_is_found_however_it_is_written():
    for name in ("sugar-beet", "Sugar beet", "SUGAR_BEET"):
        assert find_crop(name) == CROPS["sugar-beet"]
    assert all(CROPS[cycle] for cycles in CUT_CYCLES.values() for cycle in cycles)


def test_another_crop_is_put_together_from_the_tables():
    # Kcb 0.15 1.00 0.35 (Table 17), height 1 to 2 m taken as 1.5 (Table 12), roots 1.0 to 2.0 m
    # and p 0.55 (Table 22), stages 20 35 45 30 in arid regions (Table 11).
    sorghum = find_crop("Sorghum grain", "arid")
    assert sorghum[:12] == (0.15, 1.0, 0.35, 20, 35, 45, 30, 0.05, 1.5, 0.2, 1.5, 0.55)


def test_trees_are_as_high_and_rooted_in_spring_as_in_autumn():
    walnut = find_crop("walnut orchard")
    assert walnut.h_ini_m == walnut.h_max_m == 4.5
    assert walnut.zr_ini_m == walnut.zr_max_m == pytest.approx(2.05)


@pytest.mark.parametrize(
    ("name", "region", "message"),
    [
        ("coton", "", 'no crop is called "coton"; near it: "cotton"'),
        ("sorghum", "", '"sorghum grain"'),
        ("Sorghum grain", "", "needs a region that chooses one of: .*; Mar, Apr, arid region"),
        ("Sorghum grain", "Siberia", "needs a region"),
        ("garlic", "", "Table 11 has no stage lengths for 'garlic'"),
        ("cereals", "", "no complete set of numbers for 'cereals'"),
    ],
)
def test_a_crop_that_is_not_found_is_helped_along(name, region, message):
    with pytest.raises(UnknownCrop, match=message):
        find_crop(name, region)
