"""One proof of many leaves: what, with them, gives the root, and nothing twice.

Leaves that fill a whole subtree are told by its hash alone, so that a proof of nearly all leaves is
no longer than one of few. Of one leaf it is the path of RFC 9162, hash for hash.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from evidence.merkle import HASH_BYTES, Nodes, ProofError, largest_power_below, node_hash, over


class Part(NamedTuple):
    """So many leaves from ``first`` on that fill a whole subtree, and its hash; of one, its own.

    ``leaves`` is a power of two, and ``first`` a multiple of it.
    """

    first: int
    leaves: int
    hash: bytes

    @property
    def end(self) -> int:
        """The leaf after the last."""
        return self.first + self.leaves


def parts_of(nodes: Nodes, leaves: Sequence[int], size: int) -> list[Part]:
    """Leaves, told as the fewest whole subtrees.

    Parameters
    ----------
    leaves
        Places in the tree of ``size`` leaves, in order, each once.

    Raises
    ------
    ValueError
        If they are no such places.
    """
    if any(one >= other for one, other in pairwise(leaves)):
        raise ValueError("the leaves do not stand in order, each once")
    if leaves and not 0 <= leaves[0] <= leaves[-1] < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {leaves[0]} or {leaves[-1]}")
    return list(_gathered(nodes, leaves, 0, size))


def _gathered(nodes: Nodes, leaves: Sequence[int], begin: int, end: int) -> Iterator[Part]:
    count = end - begin
    if not leaves:
        return
    if len(leaves) == count and not count & (count - 1):
        level = count.bit_length() - 1
        yield Part(begin, count, nodes(level, begin >> level))
        return
    cut = begin + largest_power_below(count)
    split = bisect_left(leaves, cut)
    yield from _gathered(nodes, leaves[:split], begin, cut)
    yield from _gathered(nodes, leaves[split:], cut, end)


def multi_proof(nodes: Nodes, parts: Sequence[Part], size: int) -> list[bytes]:
    """What, with the parts, gives the root of ``size`` leaves; of no parts it is the root itself.

    Raises
    ------
    ValueError
        If the parts are none of such a tree, or do not stand in order.
    """
    return list(_beside(nodes, _checked(parts, size), 0, size)) if size else []


def _beside(nodes: Nodes, parts: Sequence[Part], begin: int, end: int) -> Iterator[bytes]:
    if not parts:
        yield over(nodes, begin, end)
    elif parts[0].first != begin or parts[0].end != end:
        left, right, cut = _cut(parts, begin, end)
        if left:
            yield from _beside(nodes, left, begin, cut)
        yield from _beside(nodes, right, cut, end)
        if not left:  # as in a path: from the leaves upwards
            yield over(nodes, begin, cut)


def check_parts(parts: Sequence[Part], size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """See that all parts stand where they say, under the root of ``size`` leaves.

    Raises
    ------
    ProofError
        If they do not, or the proof is not one of such parts.
    """
    if size < 0 or any(len(one) != HASH_BYTES for one in (*proof, *(one.hash for one in parts))):
        raise ProofError("a hash is of another length, or the tree of less than nothing")
    try:
        known = _checked(parts, size)
    except ValueError as error:
        raise ProofError(str(error)) from error
    rest = iter(proof)
    try:
        found = _climbed(known, rest, 0, size) if size else sha256(b"").digest()
    except StopIteration:
        raise ProofError("the proof has fewer hashes than it takes") from None
    if next(rest, None) is not None:
        raise ProofError("the proof has more hashes than it takes")
    if found != expected:
        raise ProofError("the proof leads to another root")


def _climbed(parts: Sequence[Part], rest: Iterator[bytes], begin: int, end: int) -> bytes:
    if not parts:
        return next(rest)
    if parts[0].first == begin and parts[0].end == end:
        return parts[0].hash
    left, right, cut = _cut(parts, begin, end)
    if left:
        one = _climbed(left, rest, begin, cut)
        return node_hash(one, _climbed(right, rest, cut, end))
    other = _climbed(right, rest, cut, end)
    return node_hash(next(rest), other)


def _cut(parts: Sequence[Part], begin: int, end: int) -> tuple[Sequence[Part], Sequence[Part], int]:
    cut = begin + largest_power_below(end - begin)
    split = bisect_left(parts, cut, key=lambda one: one.first)
    return parts[:split], parts[split:], cut


def _checked(parts: Sequence[Part], size: int) -> Sequence[Part]:
    before = 0
    for one in parts:
        is_whole = (
            one.leaves > 0 and not one.leaves & (one.leaves - 1) and not one.first % one.leaves
        )
        if not is_whole or one.first < before or one.end > size:
            raise ValueError(
                f"{one.leaves} leaves from {one.first} on are no part of a tree of {size} leaves, "
                "or do not stand in order"
            )
        before = one.end
    return parts
