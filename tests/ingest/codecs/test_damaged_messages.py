"""Whatever arrives ends in readings, points or a reason: never in an exception, never in silence.

Good messages of every format are damaged in bytes and in meaning. `DALA_DAMAGED_MESSAGES` sets how
many are tried (a million take some minutes), `DALA_DAMAGE_SEED` which; a failure names its seed.
`pytest -s` tells how many of each format they were, and what became of them.
"""

import json
import os
import random
import sys
from base64 import b64encode
from collections import Counter
from copy import deepcopy
from math import inf, nan

import pytest

from ingest.codecs import Registry
from ingest.decoding import describe
from ingest.mapping import load
from ingest.messages import LATEST_TIME_US
from storage.quantities import CATALOGUE
from tests.ingest.codecs.corpus import EUI, FRAMES, MAPPINGS, MESSAGES, TASK_DATA, TIME
from tests.ingest.made_task_data import zipped

NOW_US = 1_800_000_000_000_000
TRIED = int(os.environ.get("DALA_DAMAGED_MESSAGES", "20000"))
SEED = int(os.environ.get("DALA_DAMAGE_SEED", "0"))
ODD = (
    None, True, False, 0, -1, 1, 255, 32767, 2**31, 2**53, 2**64, 10**30, 10**400, -(10**400),
    1e308, -1e308, 5e-324, nan, inf, -inf, "", "0", "NaN", "1e999", "٣", "é\x00", "x" * 300,
    "\ud800",
    "on", "-5 °C", "2026-07-01T05:00:00Z", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:60-23:59",
    "2026-03-29T02:30:00", [], [[]], [None], {}, {"value": {}}, {"unit": 5, "value": "7"}, [1, 2],
)  # fmt: skip


@pytest.fixture
def registry(tmp_path):
    path = tmp_path / "mappings.toml"
    path.write_text(MAPPINGS)
    return Registry(own=load(path))


def damaged(payload, dice):
    """The payload with a few bytes changed, lost, doubled, or put together with another's."""
    data = bytearray(payload)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = dice.randrange(256)
        elif kind == 2:
            del data[at : at + dice.randint(1, 8)]
        elif kind == 3:
            data[at:at] = dice.randbytes(dice.randint(1, 8))
        elif kind == 4:
            data[at:at] = data[at : at + dice.randint(1, 16)]
        else:
            other = dice.choice(MESSAGES)[1]
            data[at:] = other[dice.randrange(len(other) + 1) :]
    return bytes(data)


def twisted(document, dice):
    """The document with one or two of its values made odd, lost, or told by another name."""
    for _ in range(dice.randint(1, 2)):
        places = list(_places(document))
        if not places:
            return deepcopy(dice.choice(ODD))
        holder, key = dice.choice(places)
        kind = dice.randrange(5)
        if kind < 3:
            holder[key] = deepcopy(dice.choice(ODD))
        elif kind == 3:
            del holder[key]
        elif isinstance(holder, dict):
            holder[dice.choice(("time", "value", "history", "n", "points", "x"))] = holder.pop(key)
    return document


def _places(document):
    inner = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in list(inner) if isinstance(document, (dict, list)) else ():
        yield document, key
        if isinstance(value, (dict, list)):
            yield from _places(value)


def well_formed(decoded):
    """What comes out can be stored and told, and something does come out."""
    reasons = [r.reason for r in decoded.rejected]
    assert "codec-failed" not in reasons, decoded.rejected
    for reading in decoded.readings:
        assert reading.quantity in CATALOGUE
        assert type(reading.value) is float
        assert abs(reading.value) < inf
    for item in (*decoded.readings, *decoded.points):
        assert type(item.time) is int
        assert 0 <= item.time <= LATEST_TIME_US
    for point in decoded.points:
        assert abs(point.lat) <= 90
        assert abs(point.lon) <= 180
    assert all(r.reason and r.detail for r in decoded.rejected)
    assert all(len(r.detail) < 1_000 for r in decoded.rejected)
    for told in (describe(decoded), dict(decoded.learned)):  # can be printed, and be stored as text
        text = json.dumps(told, allow_nan=False, ensure_ascii=False)
        assert b"\\u0000" not in text.encode()


def said(decoded):
    return (decoded.readings, decoded.points, decoded.rejected, decoded.ignored, decoded.learned)


def test_the_messages_are_good_before_they_are_damaged(registry):
    memory = {}
    for topic, payload, profile in MESSAGES:
        decoded = registry.decode(
            topic,
            payload,
            received_at_us=NOW_US,
            profile=profile,
            timezone="Asia/Almaty",
            memory=memory,
        )
        memory |= decoded.learned
        well_formed(decoded)
        assert any(said(decoded)), topic
        refused = {r.reason for r in decoded.rejected}
        assert refused <= {"no-sensor"}, (topic, decoded.rejected)


def ruined(payload, profile, dice):
    """A good message in one of the ways in which messages go bad."""
    if payload.startswith(b"PK") and dice.random() < 0.8:
        return in_the_archive(dice)
    if profile is not None and dice.random() < 0.5:
        frame = damaged(bytes.fromhex(FRAMES[profile]), dice)
        event = {"deviceInfo": {"devEui": EUI}, "time": TIME, "data": b64encode(frame).decode()}
        return json.dumps(event | {"fPort": dice.choice((0, 1, 2, 85, 223))}).encode()
    if payload[:1] in (b"{", b"[") and dice.random() < 0.6:
        return json.dumps(twisted(json.loads(payload), dice)).encode()
    return damaged(payload, dice) if dice.random() < 0.95 else dice.randbytes(dice.randrange(60))


def in_the_archive(dice):
    """Task data with a file damaged, lost or under another's name, in an archive that is whole."""
    files = dict(TASK_DATA)
    name = dice.choice(sorted(files))
    kind = dice.randrange(8)
    if kind == 0:
        del files[name]
    elif kind == 1:
        files[dice.choice(sorted(files))] = files.pop(name)
    else:
        files[name] = damaged(files[name], dice)
    return zipped(files)


def test_damaged_messages_end_in_readings_or_a_reason(registry):
    memory = {}
    tried, ended = Counter(), Counter()
    for number in range(SEED, SEED + TRIED):
        dice = random.Random(number)
        topic, good, profile = dice.choice(MESSAGES)
        payload = ruined(good, profile, dice)
        zone = dice.choice(("Asia/Almaty", "Europe/Berlin", None, "Mars/Olympus"))
        decoded = registry.decode(
            topic,
            payload,
            received_at_us=NOW_US,
            profile=profile,
            timezone=zone,
            memory=dict(memory),
        )
        if dice.random() < 0.1:
            memory |= decoded.learned
        try:
            well_formed(decoded)
        except (AssertionError, TypeError, ValueError) as error:
            error.add_note(f"seed {number}: {topic} {payload!r}")
            raise
        tried[profile or topic] += 1
        ended["readings or points"] += bool(decoded.readings or decoded.points)
        ended["nothing at all"] += not any(said(decoded))
        ended.update(one.reason for one in decoded.rejected[:1])
    for counted in (tried, ended):
        sys.stdout.writelines(f"{number:9,} {what}\n" for what, number in counted.most_common())
    assert len(tried) >= 0.9 * len({profile or topic for topic, _, profile in MESSAGES})
    # An empty pack or track says nothing, and nothing is wrong with it.
    assert ended["nothing at all"] < 0.005 * TRIED
