"""A task data set of ISO 11783-10: tracks and readings of its time logs, totals of its tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from analytics.tables import TableError
from ingest.codecs.ddi import ENTRIES
from ingest.codecs.isoxml_log import Log, read_log
from ingest.codecs.isoxml_set import name_of, read_document, read_records_of
from ingest.codecs.task_data import EFFECTIVE, Task, TaskData
from ingest.imports.results import Asked, Imported, Refused, Row, Stored
from ingest.imports.sources import Source
from ingest.imports.storing import Values, as_id, register, store_points, store_readings
from ingest.imports.task_notes import LogOfMachine, notes
from ingest.messages import PayloadError, iso

# Totals of a task that people ask for, as ddi names them: our name, and what one is of theirs.
TOTALS = {
    "effective_time_s": ("effective_time_h", 1 / 3_600),
    "ineffective_time_s": ("ineffective_time_h", 1 / 3_600),
    "area_m2": ("area_ha", 1e-4),
    "yield_mass_kg": ("mass_kg", 1.0),
    "applied_volume_l": ("applied_l", 1.0),
    "applied_mass_kg": ("applied_kg", 1.0),
    "fuel_l": ("fuel_l", 1.0),
}


def store(connection: sa.Connection, source: Source, asked: Asked) -> Imported:
    """Store what the logs of a set hold, each point and reading once.

    A log that cannot be read is named in the errors, and the others are stored.

    Raises
    ------
    Refused, PayloadError
        If its TASKDATA.XML cannot be read, or nothing says which machine a log is of.
    """
    assert source.tasks is not None  # noqa: S101 - narrowed by the caller
    document = read_document(source.tasks, source.read)
    logs, errors = _logs(source, document, asked)
    points, readings, into = Stored(), Stored(), dict[str, None]()
    stored: dict[str, tuple[str, Stored]] = {}
    for one in logs:
        device_id = _register(connection, one, asked)
        into[device_id] = None
        made = _store_points(connection, device_id, one.log, asked)
        stored[one.name] = device_id, made
        points = points.and_more(made)
        series = [Values(*each) for each in one.log.series]
        readings = readings.and_more(store_readings(connection, device_id, series, asked.now_us))
    if errors and not logs:
        raise Refused(*errors)
    both = points.and_more(readings)
    left_out = sum((one.log.left_out for one in logs), Counter[str]()) + Counter(both.refused)
    return Imported(
        source.name,
        "isoxml",
        "partly" if errors else "imported",
        ", ".join(into) or None,
        both.new,
        both.known,
        "points and readings",
        None if both.first_us is None else iso(both.first_us),
        None if both.last_us is None else iso(both.last_us),
        tuple(errors),
        left_out,
        tuple(notes(source.tasks, document, logs, asked)),
        tuple(_details(document, logs, stored)),
    )


def _logs(source: Source, document: TaskData, asked: Asked) -> tuple[list[LogOfMachine], list[str]]:
    tasks = source.tasks
    assert tasks is not None  # noqa: S101 - narrowed by the caller
    logs, errors = [], []
    for name in tasks.logs:
        try:
            records = read_records_of(tasks, name, source.read)
            log = read_log(records, asked.timezone)
            if records.cut_off is not None:
                errors.append(records.cut_off)
        except TableError as error:
            errors.append(str(error))
            continue
        except PayloadError as error:
            errors.append(f"{name}: {error.detail}")
            continue
        said = Counter(
            document.elements[one.element].device
            for one in records.columns
            if one.element in document.elements
        )
        machine, *beside = _machines(document, name, said)
        logs.append(LogOfMachine(name, log, machine, tuple(beside)))
    return logs, errors


def _machines(document: TaskData, log: str, said: Counter[str]) -> list[Any]:
    """The machine that a log is of (None: nobody says), then names of others that speak in it.

    It is the one that says most in it; else that of its task's assignment; else the only one.
    """
    task = _task_of(document, log)
    assigned = [] if task is None else [name for name in task.machines if name in document.machines]
    ranked = [name for name, _ in said.most_common() if name in document.machines]
    only = list(document.machines) if len(document.machines) == 1 else []
    chosen = [*ranked, *assigned, *only]
    if not chosen:
        return [None]
    others = [document.machines[name].name or name for name in ranked[1:]]
    return [document.machines[chosen[0]], *others]


def _task_of(document: TaskData, log: str) -> Task | None:
    for task in document.tasks:
        if log in map(name_of, task.logs):
            return task
    return None


def _register(connection: sa.Connection, one: LogOfMachine, asked: Asked) -> str:
    machine = one.machine
    if machine is None and asked.device is None:
        raise Refused(f"{one.name}: no machine is named in the set; name one with --device")
    called = "" if machine is None else machine.serial or machine.name or machine.id
    harvests = one.log.harvests or (machine is not None and machine.harvests)
    name = "" if machine is None else machine.name or called
    return register(
        connection,
        asked,
        as_id(asked.farm.slug, "isoxml", called),
        "harvester" if harvests else "tractor",
        name or asked.device or called,
        timezone=asked.timezone,
    ).id


def _store_points(connection: sa.Connection, device_id: str, log: Log, asked: Asked) -> Stored:
    points = log.points
    columns = {
        "time": points.time_us,
        "latitude_deg": points.lat,
        "longitude_deg": points.lon,
        "elevation_m": points.elevation_m,
        "work_state": points.work_state,
        **points.fields,
    }
    return store_points(connection, device_id, columns, asked.now_us)


def _details(
    document: TaskData, logs: Sequence[LogOfMachine], stored: dict[str, tuple[str, Stored]]
) -> Iterable[Row]:
    """A row for each task that has a log or says what it counted, and for logs of no task."""
    by_name = {one.name: one for one in logs}
    used = set()
    for task in document.tasks:
        mine = [by_name[name] for name in dict.fromkeys(map(name_of, task.logs)) if name in by_name]
        used |= {one.name for one in mine}
        stated = _stated(task)
        if mine or stated:
            named: Row = {"task": task.id, "name": task.name, "field": task.field}
            row = named | {"products": list(task.products)} | _of_logs(mine, stored)
            yield row | {"stated": stated}
    for one in logs:
        if one.name not in used:
            named = {"task": None, "name": "", "field": "", "products": []}
            yield named | _of_logs([one], stored) | {"stated": {}}


def _of_logs(logs: Sequence[LogOfMachine], stored: dict[str, tuple[str, Stored]]) -> Row:
    of_logs = [stored[one.name][1] for one in logs]
    firsts = [one.first_us for one in of_logs if one.first_us is not None]
    lasts = [one.last_us for one in of_logs if one.last_us is not None]
    totals: dict[str, float] = {}
    for one in logs:
        for name, (ours, factor) in TOTALS.items():
            if name in one.log.totals:
                totals[ours] = totals.get(ours, 0.0) + one.log.totals[name].gained * factor
    return {
        "logs": [one.name for one in logs],
        "device": ", ".join(dict.fromkeys(stored[one.name][0] for one in logs)) or None,
        "records": sum(one.log.records for one in logs),
        "points": sum(len(one.log.points.time_us) for one in logs),
        "readings": sum(len(each.time_us) for one in logs for each in one.log.series),
        "first": iso(min(firsts)) if firsts else None,
        "last": iso(max(lasts)) if lasts else None,
        "totals": {name: round(value, 6) for name, value in totals.items()},
    }


def _stated(task: Task) -> dict[str, float]:
    """Totals that TASKDATA.XML has of the task, over its stretches of work."""
    sums: dict[str, float] = {}
    for stretch in task.stretches:
        if stretch.kind not in {EFFECTIVE, None}:
            continue
        for ddi, raw in stretch.totals:
            entry = ENTRIES.get(ddi)
            if entry is not None and entry.total in TOTALS:
                name, factor = TOTALS[entry.total]
                sums[name] = sums.get(name, 0.0) + entry.value(float(raw)) * factor
    return {name: round(value, 6) for name, value in sums.items()}
