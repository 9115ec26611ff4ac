"""What an import did, at a terminal."""

import io
from typing import Any

from rich.console import Console

from reports.printing_import import print_import

ROW: dict[str, Any] = {
    "source": "/data/farm/TASKDATA", "kind": "isoxml", "state": "imported", "into": "steppe-1",
    "new": 4135, "known": 12, "unit": "points", "first": "2025-05-27T05:00:00Z",
    "last": "2025-05-27T06:00:00.500000Z", "errors": [], "left_out": {"no-fix": 3}, "notes": [],
    "details": [],
}  # fmt: skip
TASK = {
    "task": "TSK-1", "name": "Sowing", "field": "North", "products": [], "logs": ["TLG00001"],
    "records": 3, "totals": {"area_ha": 4.05, "mass_kg": 242461.0}, "stated": {"area_ha": 5.0},
}  # fmt: skip


def printed(*rows: dict[str, Any], dry: bool = False) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_import(rows, console, dry=dry)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_source_is_a_row_with_its_counts_and_times():
    text = printed(ROW)

    row = next(line for line in text.splitlines() if "steppe-1" in line)
    for part in ("TASKDATA", "isoxml", "imported", "4\u202f135", "12", "3", "2025-05-27 05:00 …"):
        assert part in row
    assert "Not imported" not in text


def test_what_was_not_imported_stands_below_with_its_reason():
    bad = ROW | {"state": "refused", "kind": None, "into": None, "first": None}
    bad |= {"errors": ["w.csv, line 2, column tmax_c: 95 is not within -70 and 60"]}
    skipped = ROW | {"source": "a/notes.docx", "state": "skipped", "errors": [".docx: no data"]}

    text = printed(ROW | {"notes": ["times are UTC"]}, bad, skipped)

    below = text.split("Not imported")[1]
    assert "w.csv, line 2, column tmax_c: 95 is not within" in below
    assert "TASKDATA: times are UTC" in below
    assert "Passed over, as no data: notes.docx" in below
    assert ".docx: no data" not in text


def test_totals_of_tasks_stand_beside_what_the_document_states():
    text = printed(ROW | {"details": [TASK]})

    row = next(line for line in text.splitlines() if "Sowing" in line)
    for part in ("North", "TLG00001", "4.05 (5.00)", "242\u202f461"):
        assert part in row
    assert "L fuel" not in text  # nothing counted it


def test_a_dry_run_shows_lines_and_says_that_nothing_was_stored():
    lines = [{"line": number, "date": "2025-06-01", "volume_m3": 500.0} for number in range(2, 32)]

    text = printed(ROW | {"details": lines}, dry=True)

    assert "line 2: date 2025-06-01, volume_m3 500.0" in text
    assert "line 21:" in text
    assert "line 22:" not in text
    assert "and 10 lines more" in text
    assert "nothing was stored" in text
    assert "line 2:" not in printed(ROW | {"details": lines})


def test_no_paths_no_table():
    assert "There is nothing at these paths." in printed()
