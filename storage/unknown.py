"""Who speaks without being registered: a list that an operator claims devices from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from storage import registering, tables
from storage.database import NotFound

KEPT = 10_000  # identities; anybody may invent more
OTHERS = "…others"  # beyond, they are counted together under this name
STALE = dt.timedelta(days=30)  # unheard for so long, an identity makes room
KEPT_NAME = 250  # characters, as of rejected messages
KEPT_TOPIC = 500


class Sighting(NamedTuple):
    """Messages of one identity in a batch."""

    identity: str
    topic: str  # of the newest
    messages: int
    first_at: dt.datetime
    last_at: dt.datetime


class Unknown(NamedTuple):
    """An identity that waits to be claimed."""

    identity: str
    topic: str
    messages: int
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime


class Claimed(NamedTuple):
    """A device that was unknown."""

    device_id: str
    retriable: int  # messages kept among the rejected for no other reason


# Rows are locked in one order, whoever comes: two ingesters may hear the same strangers.
_RAISE = sa.text("""
    WITH seen AS (
        SELECT * FROM unnest(CAST(:identities AS text[]), CAST(:topics AS text[]),
                             CAST(:messages AS bigint[]), CAST(:last AS timestamptz[]))
               AS seen (identity, topic, messages, last_at)),
    locked AS (
        SELECT known.identity FROM unknown_devices AS known JOIN seen USING (identity)
      ORDER BY known.identity FOR UPDATE OF known)
    UPDATE unknown_devices AS known
       SET messages = known.messages + seen.messages, topic = seen.topic,
           last_seen_at = greatest(known.last_seen_at, seen.last_at)
      FROM locked JOIN seen USING (identity)
     WHERE known.identity = locked.identity
    RETURNING known.identity
""")
_COUNT = sa.text("SELECT count(*) FROM unknown_devices WHERE identity <> :others")
_STALE = sa.text("""
    DELETE FROM unknown_devices
     WHERE last_seen_at < :stale AND identity <> :others
    RETURNING identity, topic, messages, first_seen_at, last_seen_at
""")
_ADD = sa.text("""
    INSERT INTO unknown_devices AS known
           (identity, topic, messages, first_seen_at, last_seen_at)
    VALUES (:identity, :topic, :messages, :first_at, :last_at)
    ON CONFLICT (identity) DO UPDATE
       SET messages = known.messages + excluded.messages, topic = excluded.topic,
           first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
           last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
""")


def note(connection: sa.Connection, sightings: Sequence[Sighting]) -> None:
    """Count messages of identities that no device has; those beyond the room, together."""
    if not sightings:
        return
    seen: dict[str, Sighting] = {}
    for one in map(_fitted, sightings):
        seen[one.identity] = _together(seen[one.identity], one) if one.identity in seen else one
    known = [seen[identity] for identity in sorted(seen)]
    parameters = {
        "identities": [one.identity for one in known],
        "topics": [one.topic for one in known],
        "messages": [one.messages for one in known],
        "last": [one.last_at for one in known],
    }
    raised = set(connection.scalars(_RAISE, parameters))
    fresh = [one for one in known if one.identity not in raised]
    if not fresh:
        return
    room = KEPT - int(connection.execute(_COUNT, {"others": OTHERS}).scalar_one())
    beyond: list[Sighting] = []
    if room < len(fresh):
        newest = max(one.last_at for one in fresh)
        gone = connection.execute(_STALE, {"stale": newest - STALE, "others": OTHERS}).all()
        beyond += [Sighting(*row) for row in gone]
        room += len(gone)
    room = max(room, 0)
    if added := fresh[:room]:
        connection.execute(_ADD, [one._asdict() for one in added])
    beyond += fresh[room:]
    if beyond:
        total = beyond[0]
        for one in beyond[1:]:
            total = _together(total, one)
        connection.execute(_ADD, total._replace(identity=OTHERS)._asdict())


def _together(one: Sighting, other: Sighting) -> Sighting:
    newest = max(one, other, key=lambda sighting: sighting.last_at)
    return Sighting(
        one.identity,
        newest.topic,
        one.messages + other.messages,
        min(one.first_at, other.first_at),
        newest.last_at,
    )


def _fitted(one: Sighting) -> Sighting:
    return one._replace(
        identity=_clean(one.identity[:KEPT_NAME]), topic=_clean(one.topic[:KEPT_TOPIC])
    )


def _clean(text: str) -> str:
    """PostgreSQL's text holds neither NUL nor half a surrogate pair; a bad message may."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def page(connection: sa.Connection, *, after: str = "", limit: int = 100) -> list[Unknown]:
    """Identities that wait, by name; the many that found no room are one, called ``OTHERS``."""
    table = tables.unknown_devices
    columns = [table.c[name] for name in Unknown._fields]
    query = sa.select(*columns).where(table.c.identity > after).order_by(table.c.identity)
    return [Unknown(*row) for row in connection.execute(query.limit(limit))]


_RETRIABLE = sa.text("""
    SELECT count(*) FROM rejected_messages
     WHERE device = :identity AND reason IN ('unknown-device', 'no-decoder')
""")


def claim(
    connection: sa.Connection,
    identity: str,
    *,
    farm_id: int,
    kind: str,
    field_id: int | None = None,
    name: str | None = None,
    profile: str | None = None,
    timezone: str | None = None,
) -> Claimed:
    """Register who was unknown as a device of a farm; its messages are stored from now on.

    Raises
    ------
    NotFound
        If no such identity waits.
    AlreadyRegistered
        If a device has this id or identity by now.
    """
    table = tables.unknown_devices
    waits = connection.scalar(sa.select(table.c.identity).where(table.c.identity == identity))
    if waits is None or identity == OTHERS:
        raise NotFound(f"unknown device {identity!r}")
    device_id = registering.id_of(identity)
    registering.register(
        connection,
        device_id,
        farm_id=farm_id,
        field_id=field_id,
        kind=kind,
        name=name or identity,
        wire_id=None if device_id == identity else identity,
        profile=profile,
        timezone=timezone,
    )
    retriable = connection.execute(_RETRIABLE, {"identity": identity}).scalar_one()
    return Claimed(device_id, int(retriable))
