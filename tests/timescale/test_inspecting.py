"""What was sealed is found whole in the columnstore, and what was changed there is named."""

import datetime as dt

import numpy as np
import sqlalchemy as sa

from reports.statements import inspecting, sealing
from reports.statements.signing import SigningKey
from storage import filing, readings, tracks
from storage.readings import Quality
from tests.timescale.test_batches import START, START_US, pack, points, put_streams, rows

KEY = SigningKey.make()


def test_packed_rows_are_held_to_what_was_sealed(series: sa.Engine) -> None:
    one, other = put_streams(series, 2)
    with series.begin() as connection:
        filing.put_key(connection, KEY.kid, KEY.public, role="files", owner="", created_by="")
        readings.store(connection, rows([one, one, other, one], [0, 1, 1, 1_500]))
        tracks.store(connection, ["probe"], points([0, 1, 2]))
        sealing.seal(connection, KEY, author="test")
    pack(series)
    with series.begin() as connection:
        readings.store(connection, rows([one, other], [2, 2]))  # beside the packed ones
        readings.flag(connection, np.array([one]), np.array([START_US]), Quality.SPIKE)
        sealing.seal(connection, KEY, author="test")

    with series.begin() as connection:
        whole = inspecting.inspect(connection)
        assert (whole.count, whole.entries, whole.rows) == (0, 2, 9)
        changed = "UPDATE readings SET value = 7 WHERE datastream_id = :one AND time = :at"
        connection.execute(sa.text(changed), {"one": other, "at": START + dt.timedelta(minutes=1)})
        found = inspecting.inspect(connection)
    assert found.count == 1
    assert "4 readings were sealed, and as many are there" in found.misfits[0]
    assert "probe soil_moisture:1" in found.misfits[0]
