"""Text files as people hand them in: UTF-8, or an error that says what the file is instead."""

from pathlib import Path

from analytics.tables import TableError

GZIP = b"\x1f\x8b"

# What a file begins with that is no text, and what to do about it.
_OTHER_THAN_TEXT = (
    (GZIP, "is compressed with gzip: unpack it first"),
    (b"PK\x03\x04", "is a zip archive or a workbook: unpack it, or save its sheet as CSV"),
    (b"PAR1", "is a Parquet file: save it as CSV"),
    (b"\xff\xfe", "is in UTF-16: save it as UTF-8"),
    (b"\xfe\xff", "is in UTF-16: save it as UTF-8"),
)


def read_text(path: Path) -> str:
    """The text of a file, without the byte order mark of UTF-8.

    Raises
    ------
    TableError
        Naming the file and the line, where it is not text in UTF-8.
    OSError
        Where it cannot be read.
    """
    raw = path.read_bytes()
    check_is_text(raw, path.name)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        reason = f"byte {raw[error.start]:#04x} is not UTF-8: save the file as UTF-8"
        raise TableError(path.name, line, "(text)", reason) from None


def check_is_text(raw: bytes, file: str) -> None:
    """Raise TableError where bytes are an archive, UTF-16, or have zeros as no text has."""
    for begin, reason in _OTHER_THAN_TEXT:
        if raw.startswith(begin):
            raise TableError(file, 1, "(file)", reason)
    if (zero := raw.find(b"\0")) >= 0:
        line = raw.count(b"\n", 0, zero) + 1
        raise TableError(file, line, "(text)", "a byte is zero: the file is damaged or no text")
