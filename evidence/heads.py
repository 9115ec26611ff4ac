"""Heads of the tree: how many leaves there were at a seal, and the root over them.

What is signed is a head in canonical JSON (RFC 8785).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import rfc8785

from evidence.entries import moment
from evidence.merkle import HASH_BYTES, ProofError

FORMAT = "dala-tree-head/1"
MEMBERS = frozenset({"format", "seal", "size", "root", "sealed_at"})
MOST_LEAVES = 2**53 - 1  # whole numbers that JSON says exactly
_HASH = re.compile(f"[0-9a-f]{{{2 * HASH_BYTES}}}")


class Head(NamedTuple):
    """The tree as it was at a seal."""

    seal: int
    size: int
    root: bytes
    sealed_at: str

    def payload(self) -> bytes:
        """The bytes that are signed."""
        said = {**self._asdict(), "format": FORMAT, "root": self.root.hex()}
        return rfc8785.dumps(said)


def of_tree(seal: int, size: int, root: bytes, sealed_at: dt.datetime) -> Head:
    """The head of a tree at a seal."""
    return Head(seal, size, root, moment(sealed_at))


def of_payload(payload: str | bytes) -> Head:
    """The head that these bytes say; ProofError where they are none, to the last byte."""
    try:
        head = read(json.loads(payload))
    except (ValueError, RecursionError) as error:
        raise ProofError(f"this is no head of a tree: {error}") from error
    if head.payload() != (payload.encode() if isinstance(payload, str) else payload):
        raise ProofError("this head of a tree is not in canonical form")
    return head


def read(found: Any) -> Head:
    """The head that JSON says; ProofError where it says none."""
    if not isinstance(found, Mapping) or set(found) != MEMBERS or found["format"] != FORMAT:
        raise ProofError(f"this is no head of a tree ({FORMAT})")
    seal, size = found["seal"], found["size"]
    numbers = [type(one) is int and 0 < one <= MOST_LEAVES for one in (seal, size)]
    if not all(numbers) or seal > size:
        raise ProofError("a head of a tree has a seal and leaves, each from 1 on")
    try:
        dt.datetime.fromisoformat(found["sealed_at"])
    except (TypeError, ValueError) as error:
        raise ProofError(f"a head of a tree says when it was sealed: {error}") from error
    return Head(seal, size, hash_of(found["root"]), found["sealed_at"])


def hash_of(text: Any) -> bytes:
    """A hash as it is written, in hex; ProofError where it is none."""
    if not isinstance(text, str) or not _HASH.fullmatch(text):
        raise ProofError(f"{str(text)[:80]!r} is no hash: {2 * HASH_BYTES} small letters of hex")
    return bytes.fromhex(text)
