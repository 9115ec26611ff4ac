"""A service that hears one vehicle, and remembers its clock."""

import json

from ingest.codecs import decode

TOPIC = "mavlink/drone-1"


DEVICE = "mavlink:drone-1"


NOW_US = 1_800_000_000_000_000


MINUTE_US = 60_000_000


HOUR_US = 60 * MINUTE_US


class Service:
    """A service that remembers, as ingest does."""

    def __init__(self):
        self.memory, self.now_us = {}, NOW_US

    def hear(self, *messages):
        """Hear messages of mavlink2rest, or bytes."""
        payload = messages[0]
        if not isinstance(payload, bytes):
            payload = json.dumps(messages if len(messages) > 1 else messages[0]).encode()
        decoded = decode(TOPIC, payload, received_at_us=self.now_us, memory=self.memory)
        assert "codec-failed" not in reasons(decoded), decoded.rejected
        self.memory |= json.loads(json.dumps(dict(decoded.learned), allow_nan=False))
        return decoded


def reasons(decoded):
    return [one.reason for one in decoded.rejected]


def times(decoded):
    return [point.time for point in decoded.points]


# --- places ---------------------------------------------------------------------------------------
