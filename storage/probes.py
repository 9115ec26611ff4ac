"""Which devices ever measured the soil of a field."""

from __future__ import annotations

import sqlalchemy as sa

from storage import tables
from storage.devices import Device

_DEVICES, _STREAMS, _PLACED = tables.devices, tables.datastreams, tables.device_placements


def at_field(connection: sa.Connection, field_id: int) -> dict[str, Device]:
    """Devices by id that stand on a field, stood on it, or have a probe of soil moisture in it."""
    of_stream = sa.exists().where(
        _STREAMS.c.device_id == _DEVICES.c.id,
        _STREAMS.c.field_id == field_id,
        _STREAMS.c.quantity == "soil_moisture",
    )
    stood = sa.exists().where(_PLACED.c.device_id == _DEVICES.c.id, _PLACED.c.field_id == field_id)
    query = sa.select(*(_DEVICES.c[name] for name in Device._fields)).where(
        sa.or_(_DEVICES.c.field_id == field_id, of_stream, stood)
    )
    return {row.id: Device(*row) for row in connection.execute(query.order_by(_DEVICES.c.id))}
