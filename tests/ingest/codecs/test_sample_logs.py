"""Logs of machines among the samples, read a second time here by the rules of their formats."""

import io
import json
import re
import zipfile
from datetime import datetime, timedelta
from struct import calcsize, iter_unpack, unpack_from

import pytest

from tests.ingest.codecs.sample_cases import kinds


def largest(held, ddi, *, floor=0):
    """What the elements of a machine say last, the largest of it."""
    known = [raw for (one, _), raw in held.items() if one == ddi and floor <= raw < 2**31 - 1]
    return max(known, default=None)


def as_point(held):
    """The fields of a point by DDI: mm, mg/s, ppm, a state, mm³/s and mm/s."""
    fields = {}
    for name, ddi, factor, floor in (
        ("width_m", 67, 1e-3, 0),
        ("mass_flow_kg_s", 87, 1e-6, 0),
        ("crop_moisture_pct", 99, 1e-4, 1),  # no crop is without water
        ("fuel_rate_l_h", 149, 3600e-6, 0),
        ("speed_m_s", 397, 1e-3, 0),
        ("application_rate_l_ha", 2, 1e-4, 0),
    ):
        raw = largest(held, ddi, floor=floor)
        if raw is not None:
            fields[name] = pytest.approx(raw * factor)
    states = [raw for (ddi, _), raw in held.items() if ddi == 141]
    if states:
        fields["work_state"] = 1 if 1 in states else min(states)
    return fields


def test_an_efdi_log_is_what_its_json_view_says(shared, dala_decode):
    folder = shared / "samples/efdi"
    view = json.loads((folder / "timelog-forage-harvester-30.json").read_text())["time"]

    lines = dala_decode("efdi/jaguar/time_log", folder / "timelog-forage-harvester-30.bin")

    readings, points, rejected, ignored = kinds(lines)
    assert (len(points), readings, rejected, ignored) == (30, [], [], [])
    held, expected = {}, []
    for record in view:
        for value in record["data_log_value"]:
            element = value.get("device_element_id_ref", {}).get("number")
            key = value["process_data_ddi"], element
            held[key] = int(value.get("process_data_value", 0))  # zeros are left out
        position = record["position_start"]
        place = {"lat": position["position_north"], "lon": position["position_east"]}
        expected.append({"device": "efdi:jaguar", "time": record["start"]} | place | as_point(held))
    assert points == expected
    first = points[0]  # by hand: 9,000 mm, 51,833,126 mg/s, 595,600 ppm, 18,016 mm³/s
    assert (first["time"], first["lat"], first["lon"]) == (
        "2020-01-03T00:00:11Z",
        54.5738029,
        10.1861302,
    )
    assert (first["width_m"], first["mass_flow_kg_s"], first["work_state"]) == (9.0, 51.833126, 1)
    assert first["crop_moisture_pct"] == pytest.approx(59.56)
    assert first["fuel_rate_l_h"] == pytest.approx(64.8576)


def records_of(header, log):
    """Records of a time log: of each its time by the clock, its place, and what it changes."""
    formats = {"A": "i", "B": "i", "C": "i", "D": "B", "E": "H", "F": "H", "G": "B"}
    (place,) = re.findall(r"<PTN ([^>]*)/>", header)
    names = [name for name, text in re.findall(r'(\w)="([^"]*)"', place) if not text]
    values = [(int(a, 16), c) for a, c in re.findall(r'<DLV A="(\w+)" B="" C="([^"]*)"', header)]
    head = "<IH" + "".join(formats[name] for name in names)
    at = 0
    while at < len(log):
        ms, day, *numbers = unpack_from(head, log, at)
        at += calcsize(head)
        end = at + 1 + 5 * log[at]
        changes = {values[index]: raw for index, raw in iter_unpack("<Bi", log[at + 1 : end])}
        clock = datetime(1980, 1, 1) + timedelta(days=day, milliseconds=ms)  # noqa: DTZ001
        yield clock, dict(zip(names, numbers, strict=True)), changes
        at = end


@pytest.mark.parametrize(
    ("folder", "zone", "ahead_h", "points", "first", "last"),
    [
        # 2020-01-03 00:00:11 by a clock of Berlin, in winter an hour ahead.
        (
            "forage-harvester-cci",
            "Europe/Berlin",
            1,
            187,
            ("2020-01-02T23:00:11Z", 54.5738029, 10.1861302),
            ("2020-01-02T23:03:49Z", 54.5734121, 10.1892032),
        ),
        # d0 8c 2f 04: 70,225,104 ms after midnight, 19:30:25.104; ee 3b: 15,342 days after 1980.
        # TASKDATA.XML has its first stretch of work begin at 17:30:50Z: a clock two hours ahead.
        (
            "krone-smartconnect",
            "Europe/Helsinki",
            2,
            314 + 27,
            ("2022-01-02T17:30:25.104000Z", None, None),
            (None, 46.1323621, 8.9598318),
        ),
        ("cnh-intelliview12", "Europe/Berlin", 1, 0, None, None),  # guidance lines and no log
    ],
)
def test_task_data_in_an_archive_is_what_its_bytes_say(
    shared, dala_decode, tmp_path, folder, zone, ahead_h, points, first, last
):
    files = sorted((shared / "samples/isoxml" / folder).iterdir())
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for one in files:
            made.write(one, f"TASKDATA/{one.name}")
    file = tmp_path / "taskdata.zip"
    file.write_bytes(archive.getvalue())

    options = ("--mappings", "{mappings}", "--timezone", zone)
    readings, told, rejected, ignored = kinds(dala_decode("farm/m-1/taskdata", file, *options))

    assert (len(told), rejected) == (points, [])
    assert bool(ignored) == (points == 0)
    expected, changed = [], []
    for log in (one for one in files if one.suffix == ".bin"):
        held = {}
        for clock, place, changes in records_of(
            log.with_suffix(".xml").read_text(), log.read_bytes()
        ):
            held |= changes
            time = (clock - timedelta(hours=ahead_h)).isoformat() + "Z"
            where = {"lat": place["A"] / 1e7, "lon": place["B"] / 1e7}
            if "C" in place:
                where["elevation_m"] = place["C"] / 1000
            expected.append({"device": "m-1", "time": time} | where | as_point(held))
            for ddi, quantity, factor in ((484, "engine_speed", 1e-4), (491, "fuel_level", 1e-2)):
                if any(one == ddi for one, _ in changes):
                    changed.append((quantity, time, pytest.approx(largest(held, ddi) * factor)))
    assert told == expected
    ours = [(r["quantity"], r["time"], r["value"]) for r in readings]
    assert sorted(ours, key=lambda one: one[:2]) == sorted(changed, key=lambda one: one[:2])
    assert {(r["device"], r["time_source"]) for r in readings} <= {("m-1", "device")}
    for end, hand in ((told[:1], first), (told[-1:], last)):
        for name, value in zip(("time", "lat", "lon"), hand or (), strict=False):
            assert value is None or end[0][name] == value
