"""Yield-monitor files: totals from all records, flags with a reason, errors that say where."""

import gzip
import json
from pathlib import Path
from struct import pack

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from analytics.isoxml_timelog import read_time_log
from analytics.tables import TableError
from analytics.yield_filters import Filters, flag_points, local_outliers, shift_flow
from analytics.yield_monitor import clean, clean_file
from analytics.yield_tables import YieldPoints, point_yield, read_ag_leader, read_yield_csv

# Ag Leader advanced: 10 lb/s for 2 s over 100 in by 300 in at 14 %, header down, pass 1.
AG_LEADER_LINE = '-93.25,39.29,10,971213672,2,100,300,14,1,1,2136,"F1: A","L1: ","Soybeans",1381.17'


def straight_passes(count: int, *, passes: int = 1) -> YieldPoints:
    """Records of 1 s and 1 m, 5 m wide, 2 kg/s: 4000 kg/ha, as 10 000 x 2 / 5."""
    total = count * passes
    one = np.ones(total)
    return YieldPoints(
        x=np.repeat(np.arange(passes) * 5.0, count),
        y=np.tile(np.arange(count, dtype=float), passes),
        yield_kg_ha=4000.0 * one,
        flow_kg_s=2.0 * one,
        coverage_m2_s=5.0 * one,
        mass_kg=2.0 * one,
        area_m2=5.0 * one,
        interval_s=one,
        speed_m_s=one,
        moisture_pct=14.0 * one,
        working=np.ones(total, bool),
        passes=np.repeat(np.arange(passes), count),
    )


UNTRIMMED = Filters(start_trim_s=0, end_trim_s=0)


def flagged_at(points: YieldPoints, filters: Filters = UNTRIMMED) -> dict[str, list[int]]:
    """Rows under each reason that has any."""
    flags = flag_points(points, filters)
    return {name: np.flatnonzero(rows).tolist() for name, rows in flags.items() if rows.any()}


def test_yield_is_mass_over_area_and_unknown_without_area():
    # By hand: 10 000 m²/ha x 3 kg / 6 m².
    assert_array_equal(point_yield([3.0, 3.0], [6.0, 0.0]), [5000.0, np.nan])


def test_even_passes_lose_only_their_trims():
    # Of each pass of 100 s the first 4 and the last 4 records of 1 s.
    result = clean(straight_passes(100, passes=2))

    assert (result["rows"], result["kept"]) == (200, 184)
    assert {k: n for k, n in result["flagged"].items() if n} == {"pass_start": 8, "pass_end": 8}


def test_a_pass_that_comes_again_is_trimmed_again():
    points = straight_passes(10, passes=3)
    again = points._replace(passes=np.repeat([1, 2, 1], 10))

    assert flagged_at(again, Filters(start_trim_s=1, end_trim_s=1)) == {
        "pass_start": [0, 10, 20],
        "pass_end": [9, 19, 29],
    }


@pytest.mark.parametrize(
    ("changed", "value", "reason"),
    [
        ("working", False, "header_up"),
        ("speed_m_s", 9.0, "speed_high"),
        ("speed_m_s", 0.1, "speed_low"),
        ("yield_kg_ha", np.nan, "yield_unknown"),
        ("yield_kg_ha", 0.0, "yield_low"),
        ("yield_kg_ha", 400_000.0, "yield_high"),
        ("moisture_pct", 0.07, "moisture_range"),
        ("yield_kg_ha", 9000.0, "local_outlier"),
    ],
)
def test_one_bad_record_is_flagged_with_its_reason(changed, value, reason):
    points = straight_passes(60)
    values = getattr(points, changed).copy()
    values[30] = value

    flagged = flagged_at(points._replace(**{changed: values}))

    assert flagged.pop(reason) == [30]
    # A jump of speed is one for the record after it, too.
    assert flagged == ({"speed_change": [31]} if changed == "speed_m_s" else {})


def test_a_change_of_speed_within_a_fifth_passes():
    points = straight_passes(60)
    pace = points.speed_m_s.copy()
    pace[20:] *= 1.19
    pace[40:] *= 1.21

    assert flagged_at(points._replace(speed_m_s=pace)) == {"speed_change": [40]}


def test_reasons_add_up_to_the_rows_and_totals_keep_the_flagged():
    points = straight_passes(60)
    working = points.working.copy()
    working[10:20] = False
    moisture = points.moisture_pct.copy()
    moisture[15:25] = 1.0  # five of them with the header up

    result = clean(points._replace(working=working, moisture_pct=moisture))

    assert result["kept"] + sum(result["flagged"].values()) == result["rows"] == 60
    assert result["flagged"]["moisture_range"] == 5
    assert result["wet_mass_kg"] == 120.0
    assert result["wet_mass_header_up_kg"] == 20.0
    assert_allclose(result["area_ha"], 0.03)
    assert_allclose([result["yield_kg_ha"], result["yield_centner_ha"]], [4000.0, 40.0])


def test_flow_moves_back_to_its_place_within_its_pass():
    points = straight_passes(6, passes=2)
    flow = np.arange(12.0)

    shifted = shift_flow(points._replace(flow_kg_s=flow), 2.0)

    nan = np.nan
    assert_array_equal(shifted.flow_kg_s, [2, 3, 4, 5, nan, nan, 8, 9, 10, 11, nan, nan])
    assert_allclose(shifted.yield_kg_ha, shifted.flow_kg_s * 2000.0)  # 10 000 / 5
    assert_array_equal(shifted.mass_kg, points.mass_kg)


def test_places_without_flow_after_the_shift_are_flagged():
    filters = UNTRIMMED._replace(flow_delay_s=2.0)

    assert flagged_at(straight_passes(50), filters) == {"flow_delay": [48, 49]}


def test_a_negative_or_untimed_flow_delay_is_refused():
    points = straight_passes(5)
    with pytest.raises(ValueError, match="must not be negative"):
        shift_flow(points, -1.0)
    with pytest.raises(ValueError, match="interval of each record"):
        shift_flow(points._replace(interval_s=np.full(5, np.nan)), 1.0)


def test_outliers_do_not_depend_on_the_order_of_points():
    rng = np.random.default_rng(7)
    x, y = rng.uniform(0, 100, (2, 300))
    grain = rng.normal(4000, 200, 300)
    grain[::50] = 9000
    every, order = np.ones(300, bool), rng.permutation(300)

    found = local_outliers(x, y, grain, every, 30, 3.5)

    assert found[::50].all()
    assert found.sum() < 12
    assert_array_equal(
        local_outliers(x[order], y[order], grain[order], every, 30, 3.5), found[order]
    )


def test_ag_leader_pounds_and_inches_become_si():
    points = read_ag_leader([AG_LEADER_LINE], "field.txt")

    # 20 lb x 0.45359237; 100 x 300 in² x 0.0254²; 2.54 m in 2 s.
    assert_allclose(points.mass_kg, 9.0718474)
    assert_allclose(points.area_m2, 19.3548)
    assert_allclose(points.speed_m_s, 1.27)
    assert_allclose(points.yield_kg_ha, 9.0718474 / 19.3548 * 10_000)


def test_moisture_reduces_mass_by_dry_matter(tmp_path):
    # Purdue: 56 000 lb at 26 % are 48 752.94 lb at 15 %.
    file = tmp_path / "a.csv"
    file.write_text(
        "x_m,y_m,mass_flow_kg_s,interval_s,distance_m,width_m,moisture_pct\n0,0,560,100,1,1,26\n"
    )

    result = clean_file(file, standard_moisture=15)

    assert_allclose(result["wet_mass_kg"], 56_000)
    assert_allclose(result["mass_kg"], 48_752.94, atol=0.01)


def test_unknown_moisture_takes_the_mean_by_mass():
    points = straight_passes(3)._replace(
        mass_kg=np.array([1.0, 3.0, 4.0]), moisture_pct=np.array([10.0, 18.0, np.nan])
    )

    # The mean is (10 + 3 x 18) / 4 = 16 %: 90 + 3 x 82 + 4 x 84 parts of dry matter in 8 x 100.
    assert_allclose(clean(points, standard_moisture=20)["mass_kg"], 672 / 80)


def test_ready_made_yield_has_a_mean_but_no_mass(tmp_path):
    file = tmp_path / "points.csv.gz"
    file.write_bytes(
        gzip.compress(b"X,Y,Yield\n582386.7,5953859.1,2\n582400.4,5953868.5,3\n5,5,0\n")
    )

    result = clean_file(file)

    assert result["format"] == "csv"
    assert result["flagged"]["yield_low"] == 1
    assert result["yield_kg_ha"] == 2500.0
    assert result["mass_kg"] is result["area_ha"] is None
    json.dumps(result, allow_nan=False)


def ag_leader(**changed: str) -> str:
    """Two records, the second with other cells."""
    cells = AG_LEADER_LINE.split(",")
    for index, text in changed.items():
        cells[int(index.removeprefix("c"))] = text
    return f"{AG_LEADER_LINE}\n{','.join(cells)}\n"


PLAIN = "longitude_deg,latitude_deg,yield_kg_ha\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ag_leader(c0="582386.7"), r"line 2, column longitude: 582387 is not within.*projected"),
        (ag_leader(c2="x"), "line 2, column grain flow lb/s: 'x' is not a number"),
        (ag_leader(c7="nan"), "line 2, column moisture %: 'nan' is not a number"),
        (ag_leader(c8="33"), "line 2, column header status: 33 is not within 0 and 1"),
        (AG_LEADER_LINE + "\n1,2,3\n", "line 2, column GPS time s: 3 cells"),
        (PLAIN + "68.1,91,4000\n", "line 2, column latitude_deg: 91 is not within -90 and 90"),
        (PLAIN + "68.1,51\n", "line 2, column yield_kg_ha: 2 cells, the header has 3"),
        (PLAIN + "\n,51,4\n", "line 3, column longitude_deg: '' is not a number"),
        (PLAIN, "line 2, column longitude_deg: the file has no records"),
        ("x_m,y_m,yield_t_ha\n1,1,35000\n", "line 2, column yield_t_ha.*kg/ha divided by 1000"),
        ("x_m,yield_t_ha\n", "line 1, column y_m: is missing beside x_m"),
        ("x_m,y_m,mass_flow_kg_s\n", "line 1, column interval_s: is missing beside"),
        ("x_m,y_m\n", "line 1, column yield_t_ha: is missing: give mass_flow_kg_s"),
        ("x_m,y_m,yield_t_ha,yield_kg_ha\n", "line 1, column yield_t_ha: stands beside another"),
        ("x_m,y_m,yield_t_ha,bu_ac\n", "line 1, column bu_ac: is not one of"),
        ("x_m,x_m,y_m,yield_t_ha\n", "line 1, column x_m: stands twice"),
        ("", "line 1"),
    ],
)
def test_bad_text_is_refused_by_file_line_and_column(tmp_path, text, message):
    file = tmp_path / "harvest.txt"
    file.write_text(text)

    with pytest.raises(TableError, match=f"harvest.txt, {message}"):
        clean_file(file)


def test_no_standard_moisture_without_moisture(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(PLAIN + "68.1,51,4000\n")
    with pytest.raises(ValueError, match="the file has no moisture"):
        clean_file(file, standard_moisture=14)
    with pytest.raises(ValueError, match="format 'shape' is not one of"):
        clean_file(file, format="shape")


# A log of width (67 = 0x43), flow (0x57), mass (0x5A), area (0x74) and work state (0x8D).
LOG_XML = b"""<TIM A="" D="4"><PTN A="" B="" D=""/>
<DLV A="0043" B="" C="D1"/><DLV A="0057" B="" C="D1"/><DLV A="005A" B="" C="D1"/>
<DLV A="0074" B="" C="D1"/><DLV A="008D" B="" C="D1"/></TIM>"""
WIDTH, FLOW, MASS, AREA, STATE = range(5)


def record(second: int, changed: dict[int, int]) -> bytes:
    """One record 90 ten-millionths of a degree (1.0012 m) north of the one before."""
    head = pack("<IHiiB", second * 1000, 14611, 510_000_000 + 90 * second, 710_000_000, 1)
    values = b"".join(pack("<Bi", index, raw) for index, raw in changed.items())
    return head + pack("<B", len(changed)) + values


LOG = (
    record(0, {WIDTH: 5000, FLOW: 2_000_000, MASS: 500, AREA: 90, STATE: 1})
    + record(1, {MASS: 502})
    + record(2, {MASS: 504, AREA: 100})
    + record(3, {MASS: 507, STATE: 0})
)


def test_log_totals_are_last_less_first_with_mass_after_the_work():
    points = read_time_log(LOG_XML, LOG, "TLG00001.bin")

    assert points.mass_kg.tolist() == [0.0, 2.0, 2.0, 3.0]
    assert points.area_m2.sum() == 10.0
    assert points.working.tolist() == [True, True, True, False]
    assert points.passes.tolist() == [1, 1, 1, 1]
    # 2 kg/s over 5 m and 1.00123 m/s: at 51° a degree of the WGS 84 meridian is 111.2482 km, as
    # π/180 a (1 - e²)(1 - e² sin² 51°)^-1.5 with a = 6 378 137 m, e² = 0.00669438.
    assert_allclose(points.yield_kg_ha, 10_000 * 2 / 5 / 1.001234, rtol=1e-5)


def test_log_without_counters_is_integrated_while_at_work():
    xml = LOG_XML.replace(b'"005A"', b'"DFFE"').replace(b'"0074"', b'"DFFF"')

    points = read_time_log(xml, LOG, "TLG00001.bin")

    assert points.mass_kg.tolist() == [0.0, 2.0, 2.0, 2.0]
    assert_allclose(points.area_m2, [0.0, 5.0062, 5.0062, 0.0], rtol=1e-4)


@pytest.mark.parametrize(
    ("xml", "log", "message"),
    [
        (LOG_XML, LOG[:-1], "TLG1.bin, line 4, column DLV: the record is cut off"),
        (LOG_XML, LOG + b"\0", "TLG1.bin, line 5, column TIM: the record is cut off"),
        (LOG_XML, b"", "TLG1.bin, line 1, column TIM: the log has no records"),
        (LOG_XML, LOG + record(4, {9: 1}), "line 5, column DLV: value 9 is not among the 5"),
        (LOG_XML, LOG + record(4, {MASS: 1}), "line 5, column DDI 90: runs backwards from 507"),
        (LOG_XML, LOG + record(2, {}), "line 5, column TIM: runs backwards"),
        (LOG_XML[:-3], LOG, "TLG1.xml, line 3, column XML"),
        (b"<TIM/>", LOG, "TLG1.xml, line 1, column TIM: the XML is not a time log's"),
        (b'<!DOCTYPE T [<!ENTITY a "b">]>' + LOG_XML, LOG, "TLG1.xml, line 1, column DOCTYPE"),
        (LOG_XML.replace(b'"0043"', b'"wide"'), LOG, "TLG1.xml, line 1, column DLV"),
        (b'<TIM A=""><PTN A="" B="" D=""/></TIM>', record(0, {}), "column DDI 90: is not logged"),
    ],
)
def test_a_bad_log_is_refused_by_file_record_and_value(xml, log, message):
    with pytest.raises(TableError, match=message):
        read_time_log(xml, log, "TLG1.bin")


def test_a_log_is_found_by_either_file_or_its_folder(tmp_path):
    (tmp_path / "tlg00001.XML").write_bytes(LOG_XML)
    (tmp_path / "TLG00001.BIN").write_bytes(LOG)
    (tmp_path / "TASKDATA.XML").write_bytes(b"<ISO11783_TaskData/>")

    results = [
        clean_file(tmp_path / name)
        for name in ("tlg00001.XML", "TLG00001.BIN", "TASKDATA.XML", ".")
    ]

    assert [result["wet_mass_kg"] for result in results] == [7.0] * 4
    (tmp_path / "TLG00002.bin").write_bytes(LOG)
    with pytest.raises(ValueError, match="has 2 time logs"):
        clean_file(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"tlg00002.xml is not in"):
        clean_file(tmp_path / "TLG00002.bin")


def test_soybean_season_in_ag_leader_format_has_the_sums_computed_apart(shared: Path):
    folder = shared / "agronomy" / "yield"
    published = json.loads((folder / "expected.json").read_text())["yieldcleanr_sample1"]
    expected = published["computed_here"]

    result = clean_file(folder / "yieldcleanr_sample1_soy_agleader.txt.gz", standard_moisture=13)

    assert result["format"] == "agleader"
    assert result["rows"] == published["rows"]
    assert_allclose(result["area_ha"], expected["sum_area_ha"])
    assert_allclose(result["wet_mass_kg"], expected["sum_wet_mass_kg"])
    assert_allclose(result["mass_kg"], expected["sum_mass_kg_at_13pct"])
    assert_allclose(result["yield_kg_ha"], expected["yield_kg_ha_at_13pct"])
    # Another pipeline, with a fitted delay: within 3 points of its share.
    retention = 100 * result["kept"] / result["rows"]
    assert retention == pytest.approx(published["published_by_vignette"]["retention_pct"], abs=3)


def test_forage_harvester_log_has_the_total_its_publisher_asserts(shared: Path):
    folder = shared / "agronomy" / "iso11783"
    expected = json.loads((folder / "expected.json").read_text())
    computed = expected["computed_here"]

    result = clean_file(folder / "TLG00002.bin")

    assert result["rows"] == computed["records"]
    assert result["wet_mass_kg"] == expected["published_by_their_test"]["DDI_90_total_kg"]
    assert result["wet_mass_header_up_kg"] == computed["mass_kg_while_workstate_0"]
    assert result["rows"] - result["flagged"]["header_up"] == computed["work_records"]
    assert result["yield_kg_ha"] == pytest.approx(computed["fresh_yield_t_ha"] * 1000, abs=0.5)


def test_barley_of_paar_has_its_rows_and_its_points_without_yield(shared: Path):
    folder = shared / "agronomy" / "yield"
    expected = json.loads((folder / "expected.json").read_text())["paar_barley"]

    result = clean_file(folder / "paar_barley.csv.gz")

    assert result["rows"] == expected["rows"]
    assert result["flagged"]["yield_low"] == expected["computed_here"]["rows_yield_le_0"]


def test_columns_of_plain_csv_may_stand_in_any_order():
    header, line = "yield_kg_ha,pass,latitude_deg,header_down,longitude_deg", "4000,7,51,0,71"

    points = read_yield_csv([header, line], "a.csv")

    assert (points.passes[0], points.working[0], points.yield_kg_ha[0]) == (7, False, 4000.0)
