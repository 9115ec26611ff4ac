"""What an import says of a task data set: what is missing, whose clock, which values are left."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ingest.codecs.isoxml_log import Log
from ingest.codecs.isoxml_set import TaskSet, missing_files
from ingest.codecs.log_times import implied_ahead_s
from ingest.codecs.task_data import Machine, TaskData
from ingest.imports.results import Asked

MOST_NAMED = 12  # numbers of values in a note


class LogOfMachine(NamedTuple):
    """A log of the set, what it comes to, and which machine it is of."""

    name: str
    log: Log
    machine: Machine | None
    beside: tuple[str, ...]  # other machines whose elements speak in it


def notes(
    tasks: TaskSet, document: TaskData, logs: Sequence[LogOfMachine], asked: Asked
) -> Iterable[str]:
    """What people should know of a set that was read."""
    if not tasks.logs:
        yield "the set has no time log: nothing to store"
    if tasks.document is None:
        yield "there is no TASKDATA.XML beside the time logs"
    elif missing := missing_files(tasks, document):
        named = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        yield f"it refers to files that are not there ({len(missing)}): {named}"
    yield from _clock_notes(document, logs, asked)
    for one in logs:
        if one.beside:
            yield f"{one.name}: values of {', '.join(one.beside)} count for its machine too"
        again = [name for name, total in one.log.totals.items() if total.began_again]
        if again:
            yield f"{one.name}: counters fell on the way: {', '.join(again)}"
    yield from _value_notes(logs)


def _value_notes(logs: Sequence[LogOfMachine]) -> Iterable[str]:
    """What was said and is kept nowhere."""
    kinds = (
        ("known", "are of no use to us"),
        ("unknown", "mean nothing to us"),
        ("proprietary", "are the maker's own"),
    )
    for name, words in kinds:
        said = sum((Counter(getattr(one.log, name)) for one in logs), Counter[int]())
        if said:
            named = ", ".join(map(str, sorted(said)[:MOST_NAMED]))
            more = ", …" if len(said) > MOST_NAMED else ""
            yield f"{said.total():,} values {words} and stay in the file: DDI {named}{more}"


def _clock_notes(document: TaskData, logs: Sequence[LogOfMachine], asked: Asked) -> Iterable[str]:
    """By what the times were read, and what speaks against it."""
    timed = [one for one in logs if one.log.times.known.any()]
    if not timed:
        return
    by_clock = [one for one in timed if one.log.times.clock_ahead_s is None]
    if by_clock:
        ahead = by_clock[0].log.times.zone_ahead_s or 0.0
        zone = f"{asked.timezone} ({_utc(ahead)} then)"
        yield f"times are those of the machine's clock, read as {zone}"
        yield from _written_apart(document, by_clock, zone)
        if any(one.log.times.came_twice for one in by_clock):
            yield f"an hour came twice in {asked.timezone}: the first of them was taken"
    for one in timed:
        times = one.log.times
        if times.clock_ahead_s is None:
            continue
        zone_ahead = times.zone_ahead_s or 0.0
        apart = times.clock_ahead_s - zone_ahead
        agrees = "agrees with" if abs(apart) < 60 else f"is {_hours(apart)} off"
        yield (
            f"{one.name}: times are the receiver's ({times.by_receiver:,} of {one.log.records:,} "
            f"records); by it the clock is {_utc(times.clock_ahead_s)}, which {agrees} "
            f"{asked.timezone}"
        )


def _written_apart(document: TaskData, logs: Sequence[LogOfMachine], zone: str) -> Iterable[str]:
    """Where TASKDATA.XML writes times with an offset that the zone contradicts."""
    written = [
        stretch.start for task in document.tasks for stretch in task.stretches if stretch.start[10:]
    ]
    found: Counter[tuple[float, float]] = Counter()
    example: dict[tuple[float, float], tuple[str, str, int]] = {}
    for one in logs:
        times = one.log.times
        ahead = times.zone_ahead_s or 0.0
        first_us = int(times.time_us[times.known][0])
        clock_us = first_us + round(ahead * 1e6)
        for text in written:
            implied = implied_ahead_s(clock_us, text)
            if implied is not None:
                found[implied, ahead] += 1
                example.setdefault((implied, ahead), (one.name, text, clock_us))
    if not found:
        return
    (implied, ahead), _ = found.most_common(1)[0]
    if implied == ahead:
        return
    name, text, clock_us = example[implied, ahead]
    shown = (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=clock_us)).time()  # noqa: DTZ001
    yield (
        f"{name}: TASKDATA.XML has {text} where the clock shows {shown:%H:%M:%S}: the clock would "
        f"be {_utc(implied)}, and not {zone}. Check --timezone"
    )


def _utc(ahead_s: float) -> str:
    return f"UTC{_hours(ahead_s)}"


def _hours(seconds: float) -> str:
    minutes = round(abs(seconds) / 60)
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
