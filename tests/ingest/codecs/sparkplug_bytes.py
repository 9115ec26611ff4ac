"""Sparkplug B bytes put together by the field numbers of its specification (section 6.4)."""

import struct

INT8, INT16, INT32, INT64, UINT8, UINT32, UINT64 = 1, 2, 3, 4, 5, 7, 8
FLOAT, DOUBLE, BOOLEAN, STRING, DATETIME = 9, 10, 11, 12, 13


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def whole(field, number):
    return varint(field << 3) + varint(number)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def double(value):
    return varint(13 << 3 | 1) + struct.pack("<d", value)


def single(value):
    return varint(12 << 3 | 5) + struct.pack("<f", value)


def boolean(value):
    return whole(14, int(value))


def int_value(raw):
    return whole(10, raw)


def long_value(raw):
    return whole(11, raw)


def string(value):
    return block(15, value)


def unit(name):
    """The property engUnit, of type 12 (String)."""
    return block(9, block(1, "engUnit") + block(2, whole(1, STRING) + block(8, name)))


def metric(value=b"", name=None, alias=None, time_ms=None, datatype=None, more=b""):
    return (
        (block(1, name) if name is not None else b"")
        + (whole(2, alias) if alias is not None else b"")
        + (whole(3, time_ms) if time_ms is not None else b"")
        + (whole(4, datatype) if datatype is not None else b"")
        + more
        + value
    )


HISTORICAL, TRANSIENT, NULL = whole(5, 1), whole(6, 1), whole(7, 1)


def payload(*metrics, time_ms=1_782_882_000_000, seq=0):
    stamp = whole(1, time_ms) if time_ms is not None else b""
    return stamp + b"".join(block(2, one) for one in metrics) + whole(3, seq)


def node_birth(session, *metrics, **more):
    number = metric(long_value(session), "bdSeq", datatype=UINT64)
    rebirth = metric(boolean(False), "Node Control/Rebirth", datatype=BOOLEAN)
    return payload(number, rebirth, *metrics, **more)


def node_death(session):
    return block(2, metric(long_value(session), "bdSeq", datatype=UINT64))
