"""The list of what was rejected: reasons for people, payloads for files."""

import base64
import datetime as dt
import io
import json

from rich.console import Console

from reports.printing_rejected import as_document, as_line, print_rejected
from storage.rejected import BeyondCount, KeptMessage

NOON = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
KEPT = KeptMessage(
    7, "lora:[b]a84", "application/1/…", b"\x00[{", 3, "not-json", "at [line] 1", 1_200, NOON, NOON
)
BEYOND = BeyondCount(None, "bad-name", 5_000, NOON.date(), NOON.date())


def shown(kept: list[KeptMessage], beyond: list[BeyondCount], total: int) -> str:
    console = Console(width=80, record=True, file=io.StringIO())
    print_rejected(kept, beyond, total, console)
    return console.export_text()


def test_people_see_who_why_and_how_often_in_80_columns() -> None:
    text = shown([KEPT], [BEYOND], 4_321)

    assert max(map(len, text.splitlines())) <= 80
    for words in ("newest 1 of 4,321", "2026-07-01 12:00", "not-json", "1,200", "5,000"):
        assert words in text
    # What a device says of itself is no markup.
    assert "lora:[b]a84" in text
    assert "at [line] 1" in text


def test_a_payload_that_was_cut_is_said() -> None:
    assert "9,999,999 bytes" in " ".join(
        shown([KEPT._replace(payload_bytes=9_999_999)], [], 1).split()
    )


def test_nothing_is_one_sentence() -> None:
    assert shown([], [], 0).strip() == "Nothing was rejected that matches."


def test_a_line_of_the_file_gives_the_payload_back() -> None:
    line = json.loads(json.dumps(as_line(KEPT)))

    assert base64.b64decode(line.pop("payload_base64")) == b"\x00[{"
    assert line["received_at"] == "2026-07-01T12:00:00Z"
    assert set(line) == set(KeptMessage._fields) - {"payload"}


def test_the_list_as_json_has_no_payload() -> None:
    document = json.loads(json.dumps(as_document([KEPT], [BEYOND], 9)))

    assert document["kept"] == 9
    assert not [name for name in document["messages"][0] if name in {"payload", "payload_base64"}]
    assert document["counted_only"][0]["messages"] == 5_000
