"""What lies at the paths that are imported: task data sets and files, also in zip archives."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ingest.codecs.archive import MAGIC, Archive, Limits
from ingest.codecs.isoxml_set import TaskSet, sets_of
from ingest.messages import PayloadError

ARCHIVE = Limits(files=50_000, file_bytes=512 << 20, total_bytes=4 << 30)
MAX_FILES = 100_000  # under one folder
MAX_BYTES = 512 << 20  # of one file
# What may be data; anything else in a folder is passed over.
_ENDINGS = {".csv", ".txt", ".gz", ".zip"}


class Source(NamedTuple):
    """A task data set, or a file; ``problem`` says why it is neither."""

    name: str  # as people know it
    modified: dt.datetime
    tasks: TaskSet | None = None
    read: Callable[[str], bytes] = lambda _: b""
    file: str = ""  # what ``read`` reads
    problem: str | None = None
    is_skipped: bool = False  # it may well be no data at all


def find(paths: Iterable[Path]) -> list[Source]:
    """Everything at the paths, in order; a path that is given twice counts once."""
    found: dict[tuple[str, str], Source] = {}
    for path in paths:
        for one in _at(path):
            found.setdefault((one.name, one.tasks.folder if one.tasks else ""), one)
    return list(found.values())


def _at(path: Path) -> Iterator[Source]:
    try:
        if path.is_dir():
            yield from _in_folder(path)
        elif not path.exists():
            yield _problem(path, "there is no such file or folder")
        elif _is_of_a_set(path):
            yield from _named(path)
        else:
            yield from _file(path)
    except (OSError, PayloadError) as error:
        yield _problem(path, _words(error))


def _problem(path: Path, reason: str, *, is_skipped: bool = False) -> Source:
    return Source(str(path), _EPOCH, problem=reason, is_skipped=is_skipped)


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _words(error: Exception) -> str:
    if isinstance(error, PayloadError):
        return error.detail
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _in_folder(folder: Path) -> Iterator[Source]:
    files: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        files += [Path(place) / name for name in sorted(names) if not name.startswith(".")]
        if len(files) > MAX_FILES:
            raise PayloadError("too-many-files", f"more than {MAX_FILES:,} files in the folder")
    yield from _sets(files)
    taken = {path for one in sets_of(map(str, files)) for path in _files_of(one)}
    beside = {Path(one.folder) for one in sets_of(map(str, files)) if one.document is not None}
    for path in files:
        if str(path) in taken or (path.parent in beside and path.suffix.lower() in _OF_SETS):
            continue
        if path.suffix.lower() in _ENDINGS:
            yield from _at(path)
        else:
            ending = path.suffix or "no ending"
            yield _problem(path, f"{ending}: nothing that is imported", is_skipped=True)


_OF_SETS = {".xml", ".bin"}  # also grids, link lists and the files that TASKDATA.XML refers to


def _files_of(one: TaskSet) -> list[str]:
    names = [name for files in one.logs.values() for name in files if name is not None]
    return names if one.document is None else [one.document, *names]


def _sets(files: list[Path]) -> Iterator[Source]:
    for one in sets_of(map(str, files)):
        modified = max(_modified(Path(name)) for name in _files_of(one))
        yield Source(one.folder, modified, one, lambda name: _read(Path(name)))


def _is_of_a_set(path: Path) -> bool:
    return any(str(path) in _files_of(one) for one in sets_of([str(path)]))


def _named(path: Path) -> Iterator[Source]:
    """The set that a file of it stands for: all of it, or the one log."""
    files = [one for one in path.parent.iterdir() if one.is_file()]
    for source in _sets(files):
        tasks = source.tasks
        if tasks is None or path.name.lower() == "taskdata.xml":
            yield source
            continue
        logs = {name: pair for name, pair in tasks.logs.items() if str(path) in pair}
        yield source._replace(name=str(path), tasks=tasks._replace(logs=logs))


def _file(path: Path) -> Iterator[Source]:
    with path.open("rb") as opened:
        begins = opened.read(4)
    if begins not in MAGIC:
        yield Source(str(path), _modified(path), read=lambda _: _read(path), file=path.name)
        return
    archive = Archive(path, ARCHIVE)
    sets = sets_of(archive.names)
    taken = {name for one in sets for name in _files_of(one)}
    for one in sets:
        inside = "" if one.folder == "." else f"/{one.folder}"
        yield Source(f"{path}{inside}", _modified(path), one, archive.read)
    folders = {one.folder for one in sets}
    for name in archive.names:
        inner = PurePosixPath(name.replace("\\", "/"))
        ending = inner.suffix.lower()
        if name in taken or (str(inner.parent) in folders and ending in _OF_SETS):
            continue
        if ending in _ENDINGS - {".zip"}:
            source = Source(f"{path}/{inner}", _modified(path), read=archive.read, file=name)
        else:
            reason = "an archive in an archive" if ending == ".zip" else ending or "no ending"
            reason += ": nothing that is imported"
            source = _problem(path / inner, reason, is_skipped=ending != ".zip")
        yield source


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise PayloadError("too-large", f"{path.name}: more than {MAX_BYTES >> 20} MB")
    return path.read_bytes()


def _modified(path: Path) -> dt.datetime:
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
