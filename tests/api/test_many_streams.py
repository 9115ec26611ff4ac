"""A small run of very many streams; ``python -m tests.api.many_streams`` opens a thousand."""

import sqlalchemy as sa

from tests.api import many_streams


def test_every_stream_hears_of_every_reading_and_one_too_many_is_told_so(
    empty_engine: sa.Engine, postgres_url: str
) -> None:
    found = many_streams.run(
        empty_engine, postgres_url, streams=80, farms=2, rounds=3, every_s=0.05
    )

    assert len(found.latencies_ms) == 80 * 3
    assert min(found.latencies_ms) > 0
    assert found.beyond == (503, "urn:dala:problem:too-many-streams")
    # A stream that kept as much as a page of the answer to anything else would show here.
    assert (found.mb_after - found.mb_before) / 80 < 0.5
