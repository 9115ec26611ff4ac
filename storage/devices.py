"""Devices, their datastreams, and the message numbers that were committed."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import batches, tables
from storage.database import NotFound


class Device(NamedTuple):
    """A device; its id is also its MQTT user name and client id."""

    id: str
    farm_id: int | None
    field_id: int | None
    kind: str
    name: str
    wire_id: str | None
    profile: str | None
    disabled: bool
    timezone: str | None
    sensor_height_m: float | None


class StreamKey(NamedTuple):
    """What makes a datastream one of its own."""

    device_id: str
    quantity: str
    depth_cm: float | None
    channel: int | None


class Datastream(NamedTuple):
    """A sequence of readings of one quantity by one device."""

    id: int
    device_id: str
    quantity: str
    depth_cm: float | None
    channel: int | None
    field_id: int | None
    expected_interval_s: int | None
    counter_modulus: float | None


class StreamTraits(NamedTuple):
    """What tells which rules a datastream's readings are judged by."""

    id: int
    quantity: str
    counter_modulus: float | None
    expected_interval_s: int | None  # given, else learned
    interval_is_given: bool
    device_id: str
    device_kind: str
    farm_id: int | None


# Machines rest when their work is done: that they say nothing, or said nothing for a while, is no
# fault.
RESTING_KINDS = frozenset(
    {"tractor", "harvester", "combine", "sprayer", "seeder", "truck", "drone", "herding-drone"}
)

_DEVICE = [tables.devices.c[name] for name in Device._fields]
_STREAM = [tables.datastreams.c[name] for name in Datastream._fields]


def put(connection: sa.Connection, device_id: str, **values: Any) -> None:
    """Add the device, or bring it up to date."""
    statement = insert(tables.devices).values(id=device_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
    batches.note_claim(connection)


def by_identity(connection: sa.Connection, identities: Iterable[str]) -> dict[str, Device]:
    """Devices by the identity their messages carry: the wire identity, or the id itself."""
    wanted = list(identities)
    if not wanted:
        return {}
    table = tables.devices
    any_of = sa.any_(sa.bindparam("wanted", type_=sa.ARRAY(sa.Text)))
    query = sa.select(*_DEVICE).where((table.c.id == any_of) | (table.c.wire_id == any_of))
    found: dict[str, Device] = {}
    for row in connection.execute(query, {"wanted": wanted}):
        device = Device(*row)
        found[device.id] = device
        if device.wire_id is not None:
            found[device.wire_id] = device
    return {identity: found[identity] for identity in wanted if identity in found}


def page(
    connection: sa.Connection, *, farm_id: int | None = None, after: str = "", limit: int = 100
) -> list[Device]:
    """Devices by id, from the one after ``after`` on."""
    query = sa.select(*_DEVICE).where(tables.devices.c.id > after)
    if farm_id is not None:
        query = query.where(tables.devices.c.farm_id == farm_id)
    query = query.order_by(tables.devices.c.id).limit(limit)
    return [Device(*row) for row in connection.execute(query)]


def of_farms(connection: sa.Connection, farm_ids: Sequence[int]) -> list[Device]:
    """Every device of the farms, by id."""
    query = sa.select(*_DEVICE).where(tables.devices.c.farm_id.in_(farm_ids))
    return [Device(*row) for row in connection.execute(query.order_by(tables.devices.c.id))]


def get(connection: sa.Connection, device_id: str) -> Device:
    """The device of an id; NotFound if there is none."""
    query = sa.select(*_DEVICE).where(tables.devices.c.id == device_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"device {device_id!r}")
    return Device(*row)


def datastreams(connection: sa.Connection, device_ids: Sequence[str]) -> list[Datastream]:
    """Datastreams of the devices, by device, quantity, depth and channel."""
    table = tables.datastreams
    query = (
        sa.select(*_STREAM)
        .where(table.c.device_id.in_(device_ids))
        .order_by(table.c.device_id, table.c.quantity, table.c.depth_cm, table.c.channel)
    )
    return [Datastream(*row) for row in connection.execute(query)]


def name_of(stream: Datastream) -> str:
    """What messages call a datastream: quantity/depth:channel, the depth in cm."""
    depth = "" if stream.depth_cm is None else f"/{stream.depth_cm:g}"
    channel = "" if stream.channel is None else f":{stream.channel}"
    return f"{stream.quantity}{depth}{channel}"


def named(connection: sa.Connection, device_id: str, name: str) -> Datastream:
    """The datastream that a device's messages call so; NotFound says which there are."""
    get(connection, device_id)
    of = {name_of(one): one for one in datastreams(connection, [device_id])}
    if name not in of:
        raise NotFound(
            f"datastream {name!r} of {device_id}; it has said {', '.join(of) or 'nothing yet'}"
        )
    return of[name]


def get_datastream(connection: sa.Connection, datastream_id: int) -> Datastream:
    """The datastream of an id; NotFound if there is none."""
    query = sa.select(*_STREAM).where(tables.datastreams.c.id == datastream_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"datastream {datastream_id}")
    return Datastream(*row)


# Far more than any device has. One that makes up names without end would fill the memory of all who
# keep them at hand.
MOST_DATASTREAMS = 5_000

_STREAMS_OF = sa.text("""
    SELECT id, counter_modulus, device_id, quantity, depth_cm, channel
      FROM datastreams WHERE device_id = ANY(:devices)
""")
_OPEN = sa.text("""
    INSERT INTO datastreams (device_id, quantity, depth_cm, channel)
    SELECT * FROM unnest(CAST(:devices AS text[]), CAST(:quantities AS text[]),
                         CAST(:depths AS double precision[]), CAST(:channels AS smallint[]))
    ON CONFLICT DO NOTHING
    RETURNING id, counter_modulus, device_id, quantity, depth_cm, channel
""")
_GIVE_MODULUS = sa.text("""
    UPDATE datastreams SET counter_modulus = given.modulus
      FROM unnest(CAST(:ids AS integer[]), CAST(:moduli AS double precision[]))
           AS given (id, modulus)
     WHERE datastreams.id = given.id AND counter_modulus IS NULL
""")


def open_datastreams(
    connection: sa.Connection,
    keys: Sequence[StreamKey],
    moduli: Mapping[StreamKey, float] = MappingProxyType({}),
) -> dict[StreamKey, int]:
    """Ids of the datastreams, made where a device says something for the first time.

    ``moduli`` tells where a counter begins again, by its device's model; what an operator entered
    stays. Those that a device has beyond :data:`MOST_DATASTREAMS` are not made, and not answered.
    """
    names = sorted({key.device_id for key in keys})
    known = _by_key(connection.execute(_STREAMS_OF, {"devices": names}).all())
    if fresh := _with_room(keys, known):
        devices, quantities, depths, channels = map(list, zip(*fresh, strict=True))
        columns = {"devices": devices, "quantities": quantities}
        columns |= {"depths": depths, "channels": channels}
        known |= _by_key(connection.execute(_OPEN, columns).all())
        if any(key not in known for key in fresh):  # another ingester was first
            known = _by_key(connection.execute(_STREAMS_OF, {"devices": names}).all())
    given = {
        known[key][0]: modulus
        for key, modulus in moduli.items()
        if key in known and known[key][1] is None
    }
    if given:
        connection.execute(_GIVE_MODULUS, {"ids": list(given), "moduli": list(given.values())})
    return {key: known[key][0] for key in keys if key in known}


def _by_key(rows: Iterable[Any]) -> dict[StreamKey, tuple[int, float | None]]:
    return {StreamKey(*key): (number, modulus) for number, modulus, *key in rows}


def _with_room(keys: Sequence[StreamKey], known: Collection[StreamKey]) -> list[StreamKey]:
    """Those of the keys that are not known, as many as their devices have room for."""
    counts = Counter(key.device_id for key in known)
    fresh = []
    for key in dict.fromkeys(keys):
        if key not in known and counts[key.device_id] < MOST_DATASTREAMS:
            counts[key.device_id] += 1
            fresh.append(key)
    return fresh


def stream_traits(connection: sa.Connection, ids: Sequence[int]) -> list[StreamTraits]:
    """What the rules for datastreams depend on, by id."""
    stream, device = tables.datastreams.c, tables.devices.c
    interval = sa.func.coalesce(stream.expected_interval_s, stream.learned_interval_s)
    given = stream.expected_interval_s.is_not(None)
    query = (
        sa.select(
            stream.id, stream.quantity, stream.counter_modulus, interval, given,
            device.id, device.kind, device.farm_id,
        )
        .join(tables.devices, device.id == stream.device_id)
        .where(stream.id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Integer))))
        .order_by(stream.id)
    )  # fmt: skip
    return [StreamTraits(*row) for row in connection.execute(query, {"ids": list(ids)}).all()]


# `gap_since` moves when the lowest missing number does: a device whose messages merely overtake
# each other never has the same one missing for long.
_NOTE = sa.text("""
    INSERT INTO device_sequences AS known (device_id, boot, received, gap_since)
    SELECT device_id, boot, numbers,
           CASE WHEN lower(numbers) > 1 OR numbers <> int8multirange(range_merge(numbers))
                THEN now() END
      FROM (SELECT device_id, boot, CAST(numbers AS int8multirange) AS numbers
              FROM unnest(CAST(:devices AS text[]), CAST(:boots AS bigint[]),
                          CAST(:numbers AS text[])) AS sent (device_id, boot, numbers)) AS fresh
  ORDER BY device_id, boot
    ON CONFLICT (device_id, boot) DO UPDATE
       SET received = known.received + excluded.received,
           updated_at = now(),
           gap_since = CASE
               WHEN lower(known.received + excluded.received) <= 1
                AND known.received + excluded.received
                  = int8multirange(range_merge(known.received + excluded.received))
               THEN NULL
               WHEN (SELECT upper(part) FROM unnest(known.received) AS part LIMIT 1)
                  = (SELECT upper(part) FROM unnest(known.received + excluded.received) AS part
                      LIMIT 1)
                AND lower(known.received) = lower(known.received + excluded.received)
               THEN coalesce(known.gap_since, now())
               ELSE now() END
    RETURNING device_id, boot, CASE WHEN lower(received) <= 1
                   THEN (SELECT upper(part) - 1 FROM unnest(received) AS part LIMIT 1)
                   ELSE 0 END AS contiguous
""")


def note_all_committed(
    connection: sa.Connection, sent: Mapping[tuple[str, int], Iterable[int]]
) -> dict[tuple[str, int], int]:
    """Note message numbers by device and boot; return the highest contiguous ones.

    Numbers begin at 1 (0 is allowed): as long as the first is missing the answer is 0, so that a
    device never drops a message that did not arrive.
    """
    if not sent:
        return {}
    parameters = {
        "devices": [device for device, _ in sent],
        "boots": "{" + ",".join(str(boot) for _, boot in sent) + "}",
        "numbers": [_ranges(numbers) for numbers in sent.values()],
    }
    rows = connection.execute(_NOTE, parameters)
    return {(device, boot): contiguous for device, boot, contiguous in rows}


def _ranges(numbers: Iterable[int]) -> str:
    """Numbers as PostgreSQL writes a multirange."""
    in_order = sorted(set(numbers))
    first, last = in_order[0], in_order[-1]
    if last - first == len(in_order) - 1:  # no gap, as nearly always
        return f"{{[{first},{last}]}}"
    return "{" + ",".join(f"[{number},{number}]" for number in in_order) + "}"


def note_committed(
    connection: sa.Connection, device_id: str, boot: int, numbers: Iterable[int]
) -> int:
    """Note message numbers of one boot as committed; return the highest contiguous one."""
    return note_all_committed(connection, {(device_id, boot): numbers})[device_id, boot]


# Not the rows of the numbers: those are held at the end of a transaction, after its readings, and
# who took them before could wait for readings of whoever waits for them.
_TURNS = sa.text(
    "SELECT pg_advisory_xact_lock(:ours, turn) FROM unnest(CAST(:turns AS integer[])) turn"
)
_OURS = 0x0DA1A  # of the advisory locks of this database, those of message numbers
_TURNS_KEPT = 256  # locks are few in a database; who shares one only waits longer
_COMMITTED = sa.text("""
    SELECT number
      FROM unnest(CAST(:numbers AS bigint[])) AS number
      JOIN device_sequences ON received @> number
     WHERE device_id = :device_id AND boot = :boot
""")


def take_turns(connection: sa.Connection, senders: Iterable[tuple[str, int]]) -> None:
    """Let no other ingester ask for numbers of these devices and boots until we commit.

    Whoever asks for several takes their turns at once, so that all do it in one order.
    """
    turns = sorted(
        {zlib.crc32(f"{boot}/{device}".encode()) % _TURNS_KEPT for device, boot in senders}
    )
    connection.execute(_TURNS, {"ours": _OURS, "turns": turns})


def committed(
    connection: sa.Connection, device_id: str, boot: int, numbers: Sequence[int]
) -> set[int]:
    """Those of the message numbers that were committed before; none more until we commit."""
    take_turns(connection, [(device_id, boot)])
    parameters = {"device_id": device_id, "boot": boot, "numbers": list(numbers)}
    return set(connection.scalars(_COMMITTED, parameters))


def timezone_of(connection: sa.Connection, device_id: str) -> str:
    """Time zone of the farm that a device belongs to; UTC for one that has no farm."""
    query = (
        sa.select(tables.farms.c.timezone)
        .join(tables.devices, tables.devices.c.farm_id == tables.farms.c.id)
        .where(tables.devices.c.id == device_id)
    )
    return connection.scalar(query) or "UTC"
