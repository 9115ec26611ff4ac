"""Archives of strangers are read to a bound, whatever they say of themselves."""

import io
import tracemalloc
import zipfile

import pytest

from ingest.codecs.archive import Archive, Limits
from ingest.messages import PayloadError
from tests.ingest.made_task_data import zipped

SMALL = Limits(files=3, file_bytes=1_000, total_bytes=1_500)


def test_files_are_read_by_name():
    archive = Archive(zipped({"a/b.txt": b"hello", "c": b""}), SMALL)

    assert archive.names == ["a/b.txt", "c"]
    assert archive.read("a/b.txt") == b"hello"


def test_a_file_and_the_whole_may_not_unpack_to_more_than_their_bounds():
    archive = Archive(zipped({"a": bytes(1_001)}), SMALL)
    with pytest.raises(PayloadError, match="a file unpacks to more"):
        archive.read("a")

    archive = Archive(zipped({"a": bytes(1_000), "b": bytes(501)}), SMALL)
    archive.read("a")
    with pytest.raises(PayloadError, match="the archive unpacks to more"):
        archive.read("b")


def test_a_bomb_takes_no_more_memory_than_its_bound():
    bomb = zipped({"a": bytes(200_000_000)})  # some 200 kB
    archive = Archive(bomb, Limits(1, 1_000_000, 1_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(PayloadError, match="unpacks to more"):
            archive.read("a")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 10_000_000


def test_an_archive_that_lies_of_its_sizes_is_read_to_the_bound_all_the_same():
    payload = bytearray(zipped({"a": bytes(100_000)}))
    directory = payload.rindex(b"PK\x01\x02")
    for place in (22, directory + 24):  # uncompressed size in the file's head and the directory
        payload[place : place + 4] = (10).to_bytes(4, "little")

    with pytest.raises(PayloadError) as error:
        Archive(bytes(payload), SMALL).read("a")

    assert error.value.reason in {"bad-zip", "too-large"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_of_packing_are_refused(method):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a", b"hello")

    with pytest.raises(PayloadError, match="not stored or deflated"):
        Archive(buffer.getvalue(), SMALL).read("a")


def test_an_encrypted_file_is_refused():
    payload = bytearray(zipped({"a": b"hello"}))
    for place in (6, payload.rindex(b"PK\x01\x02") + 8):  # flags
        payload[place] |= 1

    with pytest.raises(PayloadError, match="is encrypted"):
        Archive(bytes(payload), SMALL).read("a")


def test_too_many_files_and_no_archive_are_refused():
    with pytest.raises(PayloadError, match="4 files"):
        Archive(zipped({str(n): b"" for n in range(4)}), SMALL)
    with pytest.raises(PayloadError, match="not a zip archive"):
        Archive(b"PK\x03\x04", SMALL)


def test_folders_and_files_without_a_name_are_passed_over():
    payload = zipped({"a/": b"", "q": b"x", "a/b": b"x"}).replace(b"q", b"\0")  # reads as ""

    assert Archive(payload, SMALL).names == ["a/b"]
