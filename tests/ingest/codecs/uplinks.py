"""Uplinks of one LoRaWAN device, and what is read of them."""

from ingest.codecs.lorawan import Uplink, decode

TIME_US = 1_700_000_000_000_000


DEVICE = "lora:a840411234567890"


def read(profile=None, *names, hex_frame="", decoded=None, normalized=(), port=None, quality=0):
    uplink = Uplink(
        DEVICE,
        TIME_US,
        "network",
        quality,
        list(normalized),
        decoded,
        bytes.fromhex(hex_frame),
        port,
    )
    return decode(uplink, profile, *names)


def values(decoded):
    """Quantity (with depth or channel) → value of readings that came without complaint."""
    assert decoded.rejected == []
    return {
        (r.quantity, *[x for x in (r.depth_cm, r.channel) if x is not None]): r.value
        for r in decoded.readings
    }


def reasons(decoded):
    return [r.reason for r in decoded.rejected]
