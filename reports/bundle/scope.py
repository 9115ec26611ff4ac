"""Whose rows of which time a report's figures rest on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from reports.statements import ground
from reports.statements.statement import Asked
from storage import farms, statement_facts
from storage.evidence_rows import Scope


def asked_of(report: Mapping[str, Any]) -> Asked:
    """What a report was asked for."""
    subject, period = report["subject"], report["period"]
    part = None
    if period is not None:
        part = dt.date.fromisoformat(period["start"]), dt.date.fromisoformat(period["end"])
    if subject["level"] == "farm":
        return Asked(report["kind"], report["season"], farm=subject["farm"], period=part)
    return Asked(report["kind"], report["season"], area=subject["area"], period=part)


def as_of(report: Mapping[str, Any]) -> dt.datetime:
    """The moment that a report is of."""
    return dt.datetime.fromisoformat(report["as_of"])


def counts_devices(report: Mapping[str, Any]) -> bool:
    """Whether a report says how many devices spoke in the calendar year."""
    return bool(report["kind"] == "programme")


def of_report(connection: sa.Connection, report: Mapping[str, Any]) -> Scope:
    """Farms of a report, and the time that its figures rest on.

    Of an area's report these are all farms: what stays empty in it depends on every other.
    """
    asked, at = asked_of(report), as_of(report)
    one = None if asked.farm is None else farms.get(connection, asked.farm).id
    ids = [farm.id for farm in statement_facts.farms(connection, as_of=at, farm_id=one)]
    found = statement_facts.zones(connection, ids, season=asked.season, as_of=at)
    zones = [zone for _, zone in found]
    of = ground.of_season(asked.season, ids, zones, devices=counts_devices(report))
    return Scope(ids, asked.season, at, of.start, of.end)
