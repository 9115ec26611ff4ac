"""What figures rest on is told of the columnstore as of rows: whole batches, and no more."""

import datetime as dt

import numpy as np
import sqlalchemy as sa

from storage import evidence_rows, readings
from storage.evidence_rows import Batches, Scope
from tests.timescale.test_batches import START, pack, put_streams, rows


def test_packed_readings_are_told_batch_by_batch(series: sa.Engine) -> None:
    one, other = put_streams(series, 2)
    with series.begin() as connection:
        readings.store(connection, rows([one, one, other], [0, 1, 1]))
    pack(series)
    with series.begin() as connection:
        readings.store(connection, rows([one, other], [2, 2]))  # beside the packed ones
        first, second = connection.scalars(
            sa.text("SELECT DISTINCT batch_id FROM readings ORDER BY batch_id")
        )
        year = dt.timedelta(days=365)
        scope = Scope([1], START.year, START - year, START - year, START - year / 2)
        named = Batches(np.array([first]), (START, START + dt.timedelta(minutes=1)))
        (found,) = evidence_rows.readings(connection, [one, other], scope, named)
        scope = scope._replace(start=START, end=START + year, as_of=START + year)
        (whole,) = evidence_rows.readings(connection, [one, other], scope, None)

    assert found["datastream_id"].tolist() == [one, one, other]
    assert whole["batch_id"].tolist() == [first] * 3 + [second] * 2
