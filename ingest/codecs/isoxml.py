"""Task data of ISO 11783-10 as an uploaded zip, on a topic that an operator names with its machine.

All its time logs become points and readings of that machine. The log's clock shows local time: the
zone is that of the mapping, or of the device, unless the log has the receiver's own time.
"""

from math import isnan

import numpy as np

from analytics.isoxml_records import Records
from analytics.tables import TableError
from ingest.codecs.archive import MAGIC, Archive, Limits
from ingest.codecs.isoxml_log import Log, read_log
from ingest.codecs.isoxml_set import read_document, read_records_of, sets_of
from ingest.messages import Context, Decoded, PayloadError, Reading, Rejected, TrackPoint

LIMITS = Limits(files=1_000, file_bytes=32 << 20, total_bytes=64 << 20)
# In one message, all its sets and logs together.
MAX_ELEMENTS = 200_000  # of XML
MAX_LOGS = 200
MAX_COLUMNS = 5_000  # values that a log names; that of a big machine names some seventy
MAX_DAYS = 2_000  # different ones of a log, counted anew in each
MAX_RECORDS = 100_000
MAX_KEPT = 200_000  # points and readings


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn the time logs of a zip into points and readings; a log that is damaged is left out.

    Raises
    ------
    PayloadError
        If it is no zip of task data, is too large, or its times have no zone.
    """
    (device,) = context.levels
    if not payload.startswith(MAGIC):
        raise PayloadError("bad-message", "task data is uploaded as a zip archive")
    archive = Archive(payload, LIMITS)
    sets = sets_of(archive.names)
    if not sets:
        raise PayloadError("bad-message", "neither TASKDATA.XML nor a time log is in the archive")
    if sum(len(one.logs) for one in sets) > MAX_LOGS:
        raise PayloadError("too-many-files", f"more than {MAX_LOGS} time logs; send some at a time")
    made, left = Decoded(device, [], [], []), _Budget()
    for one in sets:
        # What is no task data is refused as a whole.
        document = read_document(one, archive.read, at_most=left.elements)
        left.elements -= document.xml_elements
        for name in one.logs:
            try:
                records = read_records_of(one, name, archive.read, at_most=left.records)
            except TableError as error:
                made.rejected.append(Rejected("bad-log", str(error)))
                continue
            except PayloadError as error:
                made.rejected.append(Rejected(error.reason, error.detail))
                continue
            left.take(records)
            _add(made, read_log(records, context.timezone), name)
            if records.cut_off is not None:
                made.rejected.append(Rejected("bad-log", records.cut_off))
    nothing = not (made.readings or made.points or made.rejected)
    return made._replace(ignored="task data without a record of a time log" if nothing else None)


class _Budget:
    """What the sets and logs of a message may still cost."""

    def __init__(self) -> None:
        self.elements, self.records = MAX_ELEMENTS, MAX_RECORDS
        self._columns, self._days = MAX_COLUMNS, MAX_DAYS

    def take(self, records: Records) -> None:
        """Count a log in; PayloadError if that is more than one message may bring."""
        self.records -= records.size
        self._columns -= len(records.columns)
        self._days -= len(np.unique(records.attributes["day"]))
        if self._columns < 0 or self._days < 0:
            what = f"{MAX_COLUMNS:,} values named" if self._columns < 0 else f"{MAX_DAYS:,} days"
            detail = f"more than {what} in its logs; send fewer logs in one message"
            raise PayloadError("too-many-records", detail)


def _add(made: Decoded, log: Log, name: str) -> None:
    points = log.points
    size = len(points.time_us) + sum(len(one.time_us) for one in log.series)
    if len(made.points) + len(made.readings) + size > MAX_KEPT:
        detail = f"more than {MAX_KEPT:,} points and readings; send fewer logs in one message"
        raise PayloadError("too-many-records", detail)
    columns: dict[str, list[float | None]] = {
        field: [None if isnan(value) else value for value in values.tolist()]
        for field, values in (points.fields | {"elevation_m": points.elevation_m}).items()
    }
    columns["work_state"] = [None if state < 0 else state for state in points.work_state.tolist()]
    places = zip(points.time_us.tolist(), points.lat.tolist(), points.lon.tolist(), strict=True)
    for place, values in zip(places, zip(*columns.values(), strict=True), strict=True):
        made.points.append(TrackPoint(*place, **dict(zip(columns, values, strict=True))))
    for one in log.series:
        for time_us, value in zip(one.time_us.tolist(), one.values.tolist(), strict=True):
            made.readings.append(Reading(made.device or "", one.quantity, value, time_us, "device"))
    for reason, number in log.left_out.items():
        made.rejected.append(Rejected(reason, f"{name}: {number} records"))
