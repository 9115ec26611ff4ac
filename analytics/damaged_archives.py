"""What reading an archive raises where it is none, is damaged, or wants what nobody bounds."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib

# By zipfile itself, by what unpacks for it, and by Python where the two trip over the bytes.
DAMAGED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)

# Others may ask for gigabytes of memory to unpack a few bytes.
USUAL_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
