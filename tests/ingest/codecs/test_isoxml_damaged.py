"""Whatever comes as task data ends in points or in a reason, never in an exception."""

import os
from struct import pack

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.codecs import isoxml
from ingest.messages import Context, Decoded, PayloadError
from tests.ingest.made_task_data import DAY, TEN, document, header, record, zipped

EXAMPLES = int(os.environ.get("DALA_FUZZ_EXAMPLES", "300"))
CAREFUL = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
FILES = {
    "T/TASKDATA.XML": document(),
    "T/TLG00001.xml": header([67, 141, (484, "DET-2"), 161, 90], places="ABCDEFGHI"),
    "T/TLG00001.bin": b"".join(
        pack("<IHiiiBHHBIHB", TEN, DAY, 51 * 10**7, 71 * 10**7, 5, 1, 9, 9, 9, TEN + n, DAY, 1)
        + pack("<Bi", n, n)
        for n in range(5)
    ),
    "T/TLG00002.xml": header([67, 90, 99]),
    "T/TLG00002.bin": b"".join(record(n, {0: 12_000 + n, 1: n, 2: 5}) for n in range(5)),
}
WHOLE = zipped(FILES)


def is_said(payload: bytes, zone: str | None = "Asia/Almaty") -> Decoded | None:
    """Decode; a reason is as good as points."""
    try:
        decoded = isoxml.decode(payload, Context(("m-1",), 0, timezone=zone))
    except PayloadError:
        return None
    assert all(-90 <= one.lat <= 90 and -180 <= one.lon <= 180 for one in decoded.points)
    return decoded


def test_the_whole_archive_is_read():
    decoded = is_said(WHOLE)

    assert decoded is not None
    assert len(decoded.points) >= 5


@CAREFUL
@given(st.binary(max_size=400))
def test_any_bytes(noise):
    is_said(noise)
    is_said(b"PK\x03\x04" + noise)


@CAREFUL
@given(st.data())
def test_an_archive_with_bytes_changed_cut_or_put_in(data):
    payload = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(payload) - 1))
        change = data.draw(st.sampled_from(("set", "cut", "put")))
        if change == "set":
            payload[place] = data.draw(st.integers(0, 255))
        elif change == "cut":
            del payload[place : place + data.draw(st.integers(1, 40))]
        else:
            payload[place:place] = data.draw(st.binary(min_size=1, max_size=20))
        if not payload:
            break
    is_said(bytes(payload))


@CAREFUL
@given(st.data())
def test_files_with_bytes_changed_in_a_good_archive(data):
    name = data.draw(st.sampled_from(sorted(FILES)))
    content = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    is_said(
        zipped(FILES | {name: bytes(content)}), data.draw(st.sampled_from((None, "Asia/Almaty")))
    )


@CAREFUL
@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_any_content_under_the_right_names(xml, head, log):
    is_said(zipped({"TASKDATA.XML": xml, "TLG1.XML": head, "TLG1.BIN": log}))
    is_said(zipped({"TASKDATA.XML": document(), "TLG1.XML": header([67]), "TLG1.BIN": log}))
    is_said(zipped({"TASKDATA.XML": b"<ISO11783_TaskData>" + xml + b"</ISO11783_TaskData>"}))
