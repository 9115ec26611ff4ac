"""A service that hears Sparkplug nodes of one farm, and remembers what they said."""

import json

from ingest.codecs import BUILT_IN, decode
from tests.ingest.codecs import sparkplug_bytes as sp

MINUTE_US = 60_000_000
NOW_US = 1_800_000_000_000_000
TIME_MS = 1_782_882_000_000  # 2026-07-01T05:00:00Z
NODE = "sparkplug:Farm 1/pump"
CELSIUS, PERCENT = sp.unit("°C"), sp.unit("%")


class Farm:
    """A service that remembers, as ingest does."""

    def __init__(self):
        self.memory, self.now_us = {}, NOW_US

    def hear(self, kind, payload, device=None, node="pump"):
        topic = "/".join(["spBv1.0", "Farm 1", kind, node, *([device] if device else [])])
        decoded = decode(topic, payload, received_at_us=self.now_us, memory=self.memory)
        assert "codec-failed" not in [r.reason for r in decoded.rejected]
        # What is learned is kept as JSON.
        self.memory |= json.loads(json.dumps(dict(decoded.learned), allow_nan=False))
        return decoded

    def come_to_the_broker(self, *, session_kept):
        greeting = BUILT_IN.greet(self.memory, self.now_us, session_kept=session_kept)
        self.memory |= json.loads(json.dumps(dict(greeting.learned)))
        return greeting.requests

    def read_again(self, payload, arrived_us, kind="NDATA", device=None):
        topic = "/".join(["spBv1.0", "Farm 1", kind, "pump", *([device] if device else [])])
        return decode(topic, payload, received_at_us=arrived_us, memory=self.memory, again=True)


def values(decoded):
    assert decoded.rejected == []
    return [(one.quantity, one.value) for one in decoded.readings]


def reasons(decoded):
    return [one.reason for one in decoded.rejected]


def named(name, value=None, **more):
    return sp.metric(sp.double(1.0) if value is None else value, name, **more)
