"""Batches of a table kept in a file that has no name, from when they were read until they are sent.

Reading takes as long as the database needs, sending as long as whoever asked does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator

import pyarrow as pa

_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")


class Kept:
    """Batches that were read to their end; given out once, and then the file is gone."""

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - until they were given out
        try:
            with pa.ipc.new_stream(self._file, schema, options=_PACKED) as writer:
                for batch in batches:
                    writer.write_batch(batch)
            self._file.seek(0)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let go of what was not given out."""
        self._file.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, as they were."""
        with self._file, pa.ipc.open_stream(self._file) as reader:
            yield from reader
