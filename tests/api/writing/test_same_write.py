"""The same write again happens once and is answered as before."""

import threading

import pytest
import sqlalchemy as sa

from storage import tenancy
from tests.api.writing.world import EVENT, World


def test_the_same_write_again_happens_once_and_is_answered_as_before(world: World) -> None:
    asked = EVENT | {"field_id": world.mine.field}
    key = {"Idempotency-Key": "first"}

    made = world.post("irrigation-events", asked, headers=key)
    again = world.post("irrigation-events", asked, headers=key)
    assert again.content == made.content
    assert again.headers["location"] == made.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in made.headers
    assert world.count("irrigation_events") == 1
    assert len(world.deeds(world.mine.farm)) == 1


def test_a_key_is_of_one_request_and_one_credential(world: World) -> None:
    asked = EVENT | {"field_id": world.mine.field}
    key = {"Idempotency-Key": "mine"}
    world.post("irrigation-events", asked, headers=key)

    refused = world.post("irrigation-events", asked | {"volume_m3": 1.0}, 422, headers=key).json()
    assert refused["type"] == "urn:dala:problem:key-taken"
    other = asked | {"started_at": "2025-06-13T06:00:00+05:00", "ended_at": "2025-06-13T07:00Z"}
    world.post("irrigation-events", other, headers=key, key=world.boss)
    assert world.count("irrigation_events") == 2


def test_a_write_that_failed_may_be_sent_again(world: World) -> None:
    asked = EVENT | {"field_id": world.mine.field}
    key = {"Idempotency-Key": "again"}

    world.post("irrigation-events", asked | {"field_id": 999}, 404, headers=key)
    world.post("irrigation-events", asked, headers=key)


def test_a_day_later_a_key_is_free(world: World) -> None:
    key = {"Idempotency-Key": "old"}
    asked = EVENT | {"field_id": world.mine.field}
    world.post("irrigation-events", asked, headers=key)
    with world.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE kept_answers SET created_at = now() - interval '25 hours'")
        )

    world.post("irrigation-events", asked, 409, headers=key)  # as without a key: it is there
    other = asked | {"started_at": "2025-06-13T06:00:00+05:00", "ended_at": "2025-06-13T07:00Z"}
    world.post("irrigation-events", other, headers=key)
    with world.engine.connect() as connection:
        query = sa.text("SELECT min(created_at) > now() - interval '1 hour' FROM kept_answers")
        assert connection.scalar(query)  # and what was older is gone


def test_two_at_once_are_one_write(world: World) -> None:
    key = "at once"
    with world.engine.begin() as connection:  # another request is at work on the key
        what = f"dala answer client:{_client(world)}\n{key}"
        lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")
        connection.execute(lock, {"what": what})
        asked = EVENT | {"field_id": world.mine.field}
        refused = world.post("irrigation-events", asked, 409, headers={"Idempotency-Key": key})
        assert refused.json()["type"] == "urn:dala:problem:still-at-work"
    world.post("irrigation-events", asked, headers={"Idempotency-Key": key})


def test_many_at_once_are_one_write(world: World) -> None:
    asked = EVENT | {"field_id": world.mine.field}
    found: list[int] = []

    def send() -> None:
        headers = {"Idempotency-Key": "crowd"}
        answer = world.api.ask(
            "POST", "/v1/irrigation-events", key=world.key, json=asked, headers=headers
        )
        found.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) <= {201, 409}
    assert 201 in found
    assert world.count("irrigation_events") == 1


def _client(world: World) -> int:
    with world.engine.connect() as connection:
        query = sa.text("SELECT id FROM api_clients WHERE name = :name")
        return int(connection.scalar(query, {"name": world.name}) or 0)


def test_kept_answers_are_shown_to_nobody(world: World) -> None:
    world.post(
        "irrigation-events",
        EVENT | {"field_id": world.mine.field},
        headers={"Idempotency-Key": "secret"},
    )
    with world.engine.begin() as connection:
        tenancy.enter(connection, tenancy.Reach(farms=(world.mine.farm,)))
        with pytest.raises(sa.exc.ProgrammingError):
            connection.execute(sa.text("SELECT * FROM kept_answers"))
