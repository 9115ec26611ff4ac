"""Which files make up a task data set of ISO 11783-10, whatever they lie in.

Names are compared by what they mean: their case and the number of their digits vary between makers.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from analytics.isoxml_records import MAX_RECORDS, Records, read_records
from ingest.codecs.task_data import MAX_ELEMENTS, NOTHING, TaskData, read_task_data
from ingest.messages import PayloadError

_LOG = re.compile(r"tlg(\d{1,9})\.(xml|bin)", re.ASCII | re.IGNORECASE)

Read = Callable[[str], bytes]


class LogFiles(NamedTuple):
    """The two files of a time log; None where one is not there."""

    xml: str | None
    bin: str | None


class TaskSet(NamedTuple):
    """The files of one set, which lie in one folder."""

    folder: str
    document: str | None  # TASKDATA.XML
    logs: dict[str, LogFiles]  # by name, as TLG00001
    others: dict[str, str]  # files beside, by their name in lower case


def sets_of(names: Iterable[str]) -> list[TaskSet]:
    """The sets among files, by folder."""
    folders: dict[str, TaskSet] = {}
    for name in sorted(names):
        path = PurePosixPath(name.replace("\\", "/"))
        folder = str(path.parent)
        made = folders.setdefault(folder, TaskSet(folder, None, {}, {}))
        found = _LOG.fullmatch(path.name)
        if found:
            log = log_name(found[1])
            files = made.logs.get(log, LogFiles(None, None))
            kind = found[2].lower()
            made.logs[log] = files._replace(**{kind: getattr(files, kind) or name})
        elif path.name.lower() == "taskdata.xml" and made.document is None:
            folders[folder] = made._replace(document=name)
        else:
            made.others[path.name.lower()] = name
    return [one for one in folders.values() if one.document is not None or one.logs]


def log_name(number: str) -> str:
    """Name of a time log as the standard writes it."""
    return f"TLG{int(number):05d}"


def name_of(written: str) -> str:
    """Name of a time log that a task refers to, as ``log_name`` writes it."""
    found = re.fullmatch(r"tlg(\d{1,9})(\.\w+)?", written, re.ASCII | re.IGNORECASE)
    return log_name(found[1]) if found else written


def read_document(one: TaskSet, read: Read, *, at_most: int = MAX_ELEMENTS) -> TaskData:
    """TASKDATA.XML of a set with the files that it refers to; nothing where it has none.

    At most so many elements of XML are read.

    Raises
    ------
    PayloadError
        If one of them cannot be read.
    """
    if one.document is None:
        return NOTHING
    files = {one.document: read(one.document)}
    document = read_task_data(files, at_most=at_most)
    beside = {
        name: one.others[f"{name.lower()}.xml"]
        for name in document.others
        if f"{name.lower()}.xml" in one.others
    }
    if not beside:
        return document
    others = {name: read(name) for name in beside.values()}
    return read_task_data(files | others, at_most=at_most)


def missing_files(one: TaskSet, document: TaskData) -> list[str]:
    """Files that the set refers to and that are not there."""
    logs = {name_of(log) for task in document.tasks for log in task.logs}
    whole = {name for name, files in one.logs.items() if files.xml and files.bin}
    others = [name for name in document.others if f"{name.lower()}.xml" not in one.others]
    return sorted(logs - whole) + others


def read_records_of(one: TaskSet, name: str, read: Read, *, at_most: int = MAX_RECORDS) -> Records:
    """Records of a log of the set, at most so many; of one that is cut off, those before the cut.

    Raises
    ------
    analytics.tables.TableError, PayloadError
        If a file of the two is missing or damaged.
    """
    files = one.logs[name]
    if files.xml is None or files.bin is None:
        lost = f"{name}.xml" if files.xml is None else f"{name}.bin"
        raise PayloadError("file-missing", f"{lost} is not beside its other half")
    header, records = read(files.xml), read(files.bin)
    file = PurePosixPath(files.bin.replace("\\", "/")).name
    return read_records(header, records, file, at_most=at_most, whole=False)
