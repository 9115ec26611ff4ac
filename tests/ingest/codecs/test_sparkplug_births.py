"""Sparkplug B: what births explain, and what happens to numbers that nobody explained."""

import json

import pytest

from ingest.messages import Parked, Reading
from tests.ingest.codecs import sparkplug_bytes as sp
from tests.ingest.codecs.sparkplug_farm import (
    CELSIUS,
    MINUTE_US,
    NODE,
    NOW_US,
    PERCENT,
    TIME_MS,
    named,
    reasons,
    values,
)

# --- births and numbers ---------------------------------------------------------------------------


def test_a_birth_is_read_and_explains_the_numbers_of_later_data(farm):
    birth = sp.node_birth(7, named("Temperature", sp.double(21.5), alias=100, datatype=sp.DOUBLE))

    assert values(farm.hear("NBIRTH", birth)) == [("air_temperature", 21.5)]
    data = farm.hear("NDATA", sp.payload(sp.metric(sp.double(22.5), alias=100), seq=1))

    assert data.readings == [Reading(NODE, "air_temperature", 22.5, TIME_MS * 1000, "device")]
    assert (data.requests, data.learned) == ((), {})  # nothing to write for an ordinary message


def test_numbers_are_each_device_s_own(farm):
    farm.hear("NBIRTH", sp.node_birth(1, named("Humidity", alias=1)))
    farm.hear("DBIRTH", sp.payload(named("Temperature", alias=1)), "probe")
    data = sp.payload(sp.metric(sp.double(30.0), alias=1))

    assert values(farm.hear("NDATA", data)) == [("relative_humidity", 30.0)]
    of_device = farm.hear("DDATA", data, "probe")
    assert values(of_device) == [("air_temperature", 30.0)]
    assert of_device.device == of_device.readings[0].device == f"{NODE}/probe"


def test_a_name_with_its_unit_needs_no_birth(farm):
    moisture = named("soil_moisture/20:2", sp.double(25.0), more=PERCENT)
    data = farm.hear("NDATA", sp.payload(moisture))

    assert data.readings == [
        Reading(NODE, "soil_moisture", 0.25, TIME_MS * 1000, "device", 20.0, 2)
    ]


MOISTURE = sp.payload(named("Soil/Moisture_20cm", sp.double(31.0)))


def test_a_name_whose_unit_only_a_missed_birth_tells_waits_for_the_next(farm):
    waiting = farm.hear("NDATA", MOISTURE)

    assert (waiting.readings, reasons(waiting)) == ([], ["alias-unknown"])
    assert "the unit of 'Soil/Moisture_20cm'" in waiting.rejected[0].detail
    assert [one.topic for one in waiting.requests] == ["spBv1.0/Farm 1/NCMD/pump"]
    arrived_us, farm.now_us = farm.now_us, farm.now_us + MINUTE_US
    farm.hear("NBIRTH", birth(1, "Soil/Moisture_20cm", more=PERCENT))
    assert values(farm.read_again(MOISTURE, arrived_us)) == [("soil_moisture", 0.31)]


def test_a_name_that_a_birth_gives_no_unit_is_in_the_stored_one(farm):
    data = sp.payload(named("Soil/Moisture_20cm", sp.double(0.31)))
    farm.hear("NBIRTH", birth(1, "Soil/Moisture_20cm"))

    assert values(farm.hear("NDATA", data)) == [("soil_moisture", 0.31)]
    farm.hear("NDEATH", sp.node_death(1))
    assert values(farm.hear("NDATA", data)) == [("soil_moisture", 0.31)]


def test_a_name_that_a_birth_does_not_list_has_no_unit_while_that_birth_holds(farm):
    farm.hear("NBIRTH", birth(1, "Humidity"))
    data = sp.payload(named("Temperature", sp.double(21.0)))

    assert values(farm.hear("NDATA", data)) == [("air_temperature", 21.0)]
    farm.hear("NDEATH", sp.node_death(1))  # the next may list it
    assert reasons(farm.hear("NDATA", data)) == ["alias-unknown"]


def test_a_number_nobody_explained_is_kept_and_a_birth_is_asked_for_once(farm):
    data = sp.payload(sp.metric(sp.double(25.0), alias=100), seq=1)

    first = farm.hear("NDATA", data)
    farm.now_us += MINUTE_US
    second = farm.hear("NDATA", data)

    assert (first.readings, reasons(first), reasons(second)) == (
        [],
        ["alias-unknown"],
        ["alias-unknown"],
    )
    assert "alias 100" in first.rejected[0].detail
    (request,) = first.requests
    assert request.topic == "spBv1.0/Farm 1/NCMD/pump"
    # Field 1 (time of arrival), then one metric: name, datatype 11, boolean_value true.
    command = sp.metric(sp.boolean(True), "Node Control/Rebirth", datatype=sp.BOOLEAN)
    assert request.payload == sp.whole(1, NOW_US // 1000) + sp.block(2, command)
    assert second.requests == ()


def test_the_same_message_in_a_batch_tried_again_still_asks(farm):
    data = sp.payload(sp.metric(sp.double(25.0), alias=100))

    assert farm.hear("NDATA", data).requests == farm.hear("NDATA", data).requests != ()


def test_a_node_that_does_not_answer_is_asked_again_later(farm):
    data = sp.payload(sp.metric(sp.double(25.0), alias=100))
    farm.hear("NDATA", data)
    farm.now_us += 10 * MINUTE_US

    assert len(farm.hear("NDATA", data).requests) == 1


def test_births_that_leave_a_number_out_are_not_asked_for_without_end(farm):
    data = sp.payload(sp.metric(sp.double(25.0), alias=100))
    asked = []
    for _ in range(60):  # a message a second, each request answered at once
        asked += farm.hear("NDATA", data).requests
        farm.hear("NBIRTH", sp.node_birth(1))
        farm.now_us += 1_000_000

    assert len(asked) == 1
    assert len(farm.hear("NDATA", data).requests) == 1


def test_the_birth_that_was_asked_for_explains_what_was_kept(farm):
    data = sp.payload(sp.metric(sp.double(25.0), alias=100))
    farm.hear("NDATA", data)
    farm.hear("NBIRTH", sp.node_birth(1, named("Temperature", alias=100)))

    assert values(farm.hear("NDATA", data)) == [("air_temperature", 25.0)]


def test_a_message_keeps_what_is_known_beside_what_is_not(farm):
    data = sp.payload(named("Temperature", more=CELSIUS), sp.metric(sp.double(2.0), alias=5))

    decoded = farm.hear("NDATA", data)

    assert [one.quantity for one in decoded.readings] == ["air_temperature"]
    assert reasons(decoded) == ["alias-unknown"]


def test_a_node_s_birth_ends_those_of_its_devices(farm):
    farm.hear("DBIRTH", sp.payload(named("Temperature", alias=1)), "probe")
    farm.hear("NBIRTH", sp.node_birth(2))

    again = farm.hear("DDATA", sp.payload(sp.metric(sp.double(1.0), alias=1)), "probe")

    assert reasons(again) == ["alias-unknown"]


def test_births_do_not_change_what_was_remembered_before(farm):
    farm.hear("NBIRTH", sp.node_birth(1))
    before = json.dumps(farm.memory)
    kept = farm.memory
    farm.memory = dict(kept)
    farm.hear("DBIRTH", sp.payload(named("Temperature", alias=1)), "probe")

    assert json.dumps(kept) == before


# --- what was kept, and the births that explain it ------------------------------------------------

BY_NUMBER = sp.payload(sp.metric(sp.double(25.0), alias=100))


def park(farm, kind="NDATA", device=None):
    """Hear a number that nobody explains; when it came."""
    arrived_us = farm.now_us
    assert reasons(farm.hear(kind, BY_NUMBER, device)) == ["alias-unknown"]
    farm.now_us += MINUTE_US
    return arrived_us


def birth(session, name="Temperature", **more):
    return sp.node_birth(session, named(name, alias=100, **more))


def test_a_birth_tells_what_is_worth_reading_again(farm):
    assert farm.hear("NBIRTH", sp.node_birth(1)).heals == (Parked(NODE, "alias-unknown"),)
    of_device = farm.hear("DBIRTH", sp.payload(named("Temperature", alias=1)), "probe")
    assert of_device.heals == (Parked(f"{NODE}/probe", "alias-unknown"),)
    assert farm.hear("NDATA", sp.payload(named("Temperature"))).heals == ()


def test_what_was_kept_is_read_by_the_birth_that_was_asked_for(farm):
    arrived_us = park(farm)
    farm.hear("NBIRTH", birth(1))

    assert values(farm.read_again(BY_NUMBER, arrived_us)) == [("air_temperature", 25.0)]


def test_what_was_kept_before_the_node_died_is_not_read_by_its_next_birth(farm):
    arrived_us = park(farm)
    farm.hear("NDEATH", sp.node_death(1))
    farm.now_us += MINUTE_US
    after_death_us = park(farm)
    farm.hear("NBIRTH", birth(2))

    again = farm.read_again(BY_NUMBER, arrived_us)
    assert (again.readings, reasons(again), again.requests) == ([], ["birth-missed"], ())
    assert values(farm.read_again(BY_NUMBER, after_death_us)) == [("air_temperature", 25.0)]


def test_what_was_kept_of_an_earlier_session_is_not_read_though_its_death_was_not_heard(farm):
    farm.hear("NBIRTH", sp.node_birth(1))
    farm.now_us += MINUTE_US
    arrived_us = park(farm)
    farm.hear("NBIRTH", birth(2))

    assert reasons(farm.read_again(BY_NUMBER, arrived_us)) == ["birth-missed"]


def test_a_birth_that_only_adds_numbers_explains_what_came_since_the_one_before(farm):
    farm.hear("NBIRTH", sp.node_birth(1, named("Humidity", alias=1)))
    arrived_us = park(farm)
    more = named("Humidity", alias=1), named("Temperature", alias=100)
    farm.hear("NBIRTH", sp.node_birth(1, *more))

    assert values(farm.read_again(BY_NUMBER, arrived_us)) == [("air_temperature", 25.0)]


@pytest.mark.parametrize(
    "other",
    [
        named("Temperature", alias=1),  # what was the humidity
        named("Humidity", alias=1, datatype=sp.INT8),
    ],
)
def test_a_birth_that_changes_a_number_explains_nothing_of_earlier(farm, other):
    farm.hear("NBIRTH", sp.node_birth(1, named("Humidity", alias=1, datatype=sp.DOUBLE)))
    arrived_us = park(farm)
    farm.hear("NBIRTH", sp.node_birth(1, other, named("Temperature", alias=100)))

    assert reasons(farm.read_again(BY_NUMBER, arrived_us)) == ["birth-missed"]


def test_what_a_device_said_before_it_was_gone_is_not_read_by_its_next_birth(farm):
    farm.hear("NBIRTH", sp.node_birth(1))
    arrived_us = park(farm, "DDATA", "probe")
    farm.hear("DDEATH", sp.payload(), "probe")
    farm.now_us += MINUTE_US
    later_us = park(farm, "DDATA", "probe")
    farm.hear("DBIRTH", sp.payload(named("Temperature", alias=100)), "probe")

    of_device = {"kind": "DDATA", "device": "probe"}
    assert reasons(farm.read_again(BY_NUMBER, arrived_us, **of_device)) == ["birth-missed"]
    assert values(farm.read_again(BY_NUMBER, later_us, **of_device)) == [("air_temperature", 25.0)]


def test_what_a_device_said_is_read_by_its_birth_after_its_node_s(farm):
    arrived_us = park(farm, "DDATA", "probe")
    farm.hear("NBIRTH", sp.node_birth(1))
    again = farm.read_again(BY_NUMBER, arrived_us, "DDATA", "probe")
    farm.hear("DBIRTH", sp.payload(named("Temperature", alias=100)), "probe")

    assert reasons(again) == ["alias-unknown"]  # it may still come
    assert values(farm.read_again(BY_NUMBER, arrived_us, "DDATA", "probe")) == [
        ("air_temperature", 25.0)
    ]


# --- what may have been missed --------------------------------------------------------------------


def test_coming_to_a_broker_every_node_that_is_remembered_is_asked_for_its_births(farm):
    assert farm.come_to_the_broker(session_kept=False) == ()
    farm.hear("NBIRTH", sp.node_birth(1), node="a")
    farm.hear("DBIRTH", sp.payload(), "probe", node="b")

    asked = farm.come_to_the_broker(session_kept=True)

    assert [one.topic for one in asked] == ["spBv1.0/Farm 1/NCMD/a", "spBv1.0/Farm 1/NCMD/b"]
    command = sp.metric(sp.boolean(True), "Node Control/Rebirth", datatype=sp.BOOLEAN)
    assert asked[0].payload == sp.whole(1, NOW_US // 1000) + sp.block(2, command)


@pytest.mark.parametrize("kept", [False, True])
def test_a_number_is_not_read_by_a_birth_from_before_we_were_away(farm, kept):
    farm.hear("NBIRTH", birth(1))
    farm.now_us += MINUTE_US
    farm.come_to_the_broker(session_kept=kept)

    arrived_us = park(farm)
    farm.hear("NBIRTH", birth(1))

    assert values(farm.read_again(BY_NUMBER, arrived_us)) == [("air_temperature", 25.0)]
    assert values(farm.hear("NDATA", BY_NUMBER)) == [("air_temperature", 25.0)]


def test_a_name_keeps_the_unit_of_the_last_birth(farm):
    farm.hear("NBIRTH", birth(1, "Soil/Moisture_20cm", more=sp.unit("%")))
    data = sp.payload(named("Soil/Moisture_20cm", sp.double(31.0)))

    farm.come_to_the_broker(session_kept=False)
    assert values(farm.hear("NDATA", data)) == [("soil_moisture", 0.31)]
    farm.hear("NDEATH", sp.node_death(1))
    assert values(farm.hear("NDATA", data)) == [("soil_moisture", 0.31)]


def test_what_was_kept_before_the_broker_forgot_us_is_not_read_by_a_later_birth(farm):
    arrived_us = park(farm)
    farm.come_to_the_broker(session_kept=False)  # a death would have come with the session
    later_us = park(farm)
    farm.hear("NBIRTH", birth(1))

    assert reasons(farm.read_again(BY_NUMBER, arrived_us)) == ["birth-missed"]
    assert values(farm.read_again(BY_NUMBER, later_us)) == [("air_temperature", 25.0)]


def test_a_session_that_the_broker_kept_tells_of_deaths_so_what_was_kept_can_be_read(farm):
    arrived_us = park(farm)
    farm.come_to_the_broker(session_kept=True)
    farm.hear("NBIRTH", birth(1))

    assert values(farm.read_again(BY_NUMBER, arrived_us)) == [("air_temperature", 25.0)]


def test_what_an_earlier_version_remembered_explains_no_number(farm):
    farm.memory[NODE] = {
        "bd_seq": 1,
        "asked_us": None,
        "born_since": True,
        "births": {"": {"aliases": {"100": "Temperature"}, "metrics": {"Temperature": [10, None]}}},
    }

    park(farm)
    farm.hear("NBIRTH", birth(1))
    assert values(farm.hear("NDATA", BY_NUMBER)) == [("air_temperature", 25.0)]


# --- deaths ---------------------------------------------------------------------------------------


def test_a_death_of_the_present_session_ends_what_was_explained(farm):
    farm.hear("NBIRTH", sp.node_birth(7, named("Temperature", alias=1)))

    death = farm.hear("NDEATH", sp.node_death(7))

    assert "bdSeq 7" in death.ignored
    assert reasons(farm.hear("NDATA", sp.payload(sp.metric(sp.double(1), alias=1)))) == [
        "alias-unknown"
    ]


def test_a_late_death_of_an_earlier_session_ends_nothing(farm):
    farm.hear("NBIRTH", sp.node_birth(8, named("Temperature", alias=1)))

    assert "another session" in farm.hear("NDEATH", sp.node_death(7)).ignored
    data = sp.payload(sp.metric(sp.double(5.0), alias=1))
    assert values(farm.hear("NDATA", data)) == [("air_temperature", 5.0)]


def test_a_device_s_death_ends_its_own_numbers_only(farm):
    for device in ("a", "b"):
        farm.hear("DBIRTH", sp.payload(named("Temperature", alias=1)), device)
    assert farm.hear("DDEATH", sp.payload(), "a").ignored.startswith("DDEATH")
    data = sp.payload(sp.metric(sp.double(5.0), alias=1))

    assert reasons(farm.hear("DDATA", data, "a")) == ["alias-unknown"]
    assert values(farm.hear("DDATA", data, "b")) == [("air_temperature", 5.0)]
