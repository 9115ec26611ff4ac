"""What a document shows: a manifest, and what stands beside it in the database."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from reports.statements import areas as area_tree
from reports.statements import filing as statements
from reports.statements import manifest
from reports.statements.figures import moment
from reports.statements.filing import CODE
from reports.statements.kinds import KINDS
from reports.statements.statement import Statement
from storage import boundaries, countersignatures, farms, filing, statement_facts
from storage.countersignatures import REVISIONS
from storage.filing import Revision


class Place(NamedTuple):
    """Where a farm of an area is: the areas that it lies in, the smallest first."""

    areas: tuple[str, ...]
    latitude_deg: float
    longitude_deg: float


class Seal(NamedTuple):
    """How a report was signed."""

    file: bytes  # canonical JSON, as it was pulled: what the signatures are in
    digest: str  # SHA-256 of the signed bytes
    kid: str
    owner: str
    countersigned: Sequence[tuple[str, str, dt.datetime]]  # owner, kid, when it came


class Paper(NamedTuple):
    """What a document shows."""

    said: Mapping[str, Any]  # as a manifest has it
    seal: Seal | None  # None: a draft
    names: Mapping[str, Mapping[str, str]]  # of areas, by code and language
    fields: Mapping[str, Mapping[str, Any] | None]  # of a farm: boundary (GeoJSON) by name
    places: Sequence[Place]  # of an area: its farms
    address: str | None  # where people and programs reach the API


def of_revision(
    connection: sa.Connection, revision: Revision, *, address: str | None = None
) -> Paper:
    """What the document of a filed report shows; boundaries are those of when it was filed."""
    said = json.loads(revision.manifest)
    owners = {one.kid: one.owner for one in filing.keys(connection)}
    seal = Seal(
        statements.envelope(connection, revision),
        manifest.digest(revision.manifest.encode()),
        revision.kid,
        owners.get(revision.kid, ""),
        [
            (one.owner, one.kid, one.received_at)
            for one in countersignatures.of(connection, REVISIONS, revision.id)
        ],
    )
    return _beside(connection, said, seal, revision.filed_at, address)


def of_draft(connection: sa.Connection, made: Statement) -> Paper:
    """What the document of a statement that nobody filed shows."""
    asked = made.asked
    period = asked.period
    said = {
        "number": None,
        "revision": None,
        "kind": asked.kind,
        "title": dict(KINDS[asked.kind].title),
        "subject": dict(made.subject),
        "season": asked.season,
        "period": period and {"start": period[0].isoformat(), "end": period[1].isoformat()},
        "as_of": moment(made.as_of),
        "filed_at": None,
        "filed_by": None,
        "reason": None,
        "code": CODE,
        "content": made.content,
    }
    # As it would be read: numbers of JSON, not of Python.
    return _beside(connection, json.loads(json.dumps(said)), None, made.as_of, None)


def _beside(
    connection: sa.Connection,
    said: Mapping[str, Any],
    seal: Seal | None,
    at: dt.datetime,
    address: str | None,
) -> Paper:
    tree = area_tree.tree(farms.regions(connection))
    names = {code: dict(area.names) for code, area in tree.items()}
    subject, as_of = said["subject"], dt.datetime.fromisoformat(said["as_of"])
    fields: dict[str, Mapping[str, Any] | None] = {}
    places: list[Place] = []
    if "farm" in subject:
        farm = farms.get(connection, subject["farm"])
        found = statement_facts.zones(connection, [farm.id], season=said["season"], as_of=as_of)
        of_field = boundaries.newest(connection, [field.id for field, _ in found], by=at)
        fields = {field.name: of_field.get(field.id) for field, _ in found}
    else:
        for farm in statement_facts.farms(connection, as_of=as_of):
            lies_in = area_tree.of_farm(tree, farm)
            if subject["area"] in lies_in:
                places.append(Place(lies_in, farm.latitude_deg, farm.longitude_deg))
    return Paper(said, seal, names, fields, places, address)
