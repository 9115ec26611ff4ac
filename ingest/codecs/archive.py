"""Zip archives of strangers: read in memory, file by file, never more than a bound.

What an archive says of its sizes is not believed: reading stops at the bound itself. Nothing is
unpacked to a disk, so a name in it is no more than a name.
"""

import zipfile
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from analytics.damaged_archives import DAMAGED, USUAL_METHODS
from ingest.messages import PayloadError

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")  # an archive, and one without files


class Limits(NamedTuple):
    """How much an archive may hold, unpacked."""

    files: int
    file_bytes: int
    total_bytes: int


class Archive:
    """A zip archive whose files are read one at a time."""

    def __init__(self, source: bytes | Path, limits: Limits) -> None:
        """Open an archive; PayloadError if it is none, or has too many files."""
        self._left, self._limits = limits.total_bytes, limits
        try:
            self._zip = zipfile.ZipFile(BytesIO(source) if isinstance(source, bytes) else source)
        except FileNotFoundError:
            raise
        except DAMAGED as error:
            raise PayloadError(
                "bad-zip", f"not a zip archive that can be read: {str(error)[:200]}"
            ) from error
        self._members = {
            one.filename: one
            for one in self._zip.infolist()
            if one.filename and not one.filename.endswith("/")  # a folder, or nothing
        }
        if len(self._members) > limits.files:
            detail = f"{len(self._members)} files in the archive; at most {limits.files} are read"
            raise PayloadError("too-many-files", detail)

    @property
    def names(self) -> list[str]:
        """Its files, with their folders, in order."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """The bytes of a file; PayloadError if they are damaged, encrypted or too many."""
        member = self._members[name]
        if member.flag_bits & 0x1:
            raise PayloadError("bad-zip", f"{name[:80]!r}: is encrypted")
        if member.compress_type not in USUAL_METHODS:
            raise PayloadError(
                "bad-zip", f"{name[:80]!r}: is not stored or deflated, as others read"
            )
        bound = min(self._limits.file_bytes, self._left)
        try:
            with self._zip.open(member) as file:
                content = file.read(bound + 1)
        except DAMAGED as error:
            raise PayloadError("bad-zip", f"{name[:80]!r}: {str(error)[:200]}") from error
        if len(content) > bound:
            whole = "a file" if bound == self._limits.file_bytes else "the archive"
            detail = f"{name[:80]!r}: {whole} unpacks to more than is read"
            raise PayloadError("too-large", detail)
        self._left -= len(content)
        return content
