"""The Merkle tree of RFC 9162, section 2.1: one root stands for every leaf and for their order.

A tree is asked for as few hashes as a proof needs: those of whole subtrees, by level and position.
A whole subtree never changes while the tree grows, so such a hash may be kept for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

HASH_BYTES = 32

# The hash of the whole subtree over leaves [position · 2^level, (position + 1) · 2^level).
Nodes = Callable[[int, int], bytes]


class ProofError(ValueError):
    """A proof does not show what it should; the message says what does not fit."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf; its prefix keeps it from passing as that of two subtrees."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root(nodes: Nodes, size: int) -> bytes:
    """The root of the first ``size`` leaves."""
    return over(nodes, 0, size) if size else sha256(b"").digest()


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """What, with the leaf at ``index``, gives the root of ``size`` leaves; from the leaf upwards.

    Raises
    ------
    ValueError
        If there is no such leaf among them.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        cut = begin + largest_power_below(end - begin)
        if index < cut:
            path.append(over(nodes, cut, end))
            end = cut
        else:
            path.append(over(nodes, begin, cut))
            begin = cut
    return path[::-1]


def consistency_proof(nodes: Nodes, first: int, second: int) -> list[bytes]:
    """What shows that the tree of ``second`` leaves begins with that of ``first``.

    Raises
    ------
    ValueError
        If ``first`` is no smaller tree, or empty: nothing has to be shown of that.
    """
    if not 0 < first <= second:
        raise ValueError(f"no tree of {first} leaves lies within one of {second}")
    path: list[bytes] = []
    begin, end = 0, second
    whole = True  # the first tree's part of [begin, end) is a subtree that it has a root of
    while first != end:
        cut = begin + largest_power_below(end - begin)
        if first <= cut:
            path.append(over(nodes, cut, end))
            end = cut
        else:
            path.append(over(nodes, begin, cut))
            begin, whole = cut, False
    if not whole:
        path.append(over(nodes, begin, end))
    return path[::-1]


def check_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes
) -> None:
    """See that a leaf's hash stands at ``index`` under the root (section 2.1.3.2).

    Raises
    ------
    ProofError
        If it does not, or the proof is not one of such a place.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    found = leaf
    for one, to_the_left in _climbed(index, size - 1, path):
        found = node_hash(one, found) if to_the_left else node_hash(found, one)
    if found != expected:
        raise ProofError("the proof leads to another root")


def check_consistency(
    first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]
) -> None:
    """See that the tree of ``second`` leaves begins with that of ``first`` (section 2.1.4.2).

    Raises
    ------
    ProofError
        If it does not, or the proof is not one of such trees.
    """
    if first == second:
        if path:
            raise ProofError("between equal trees there is nothing to prove")
        if first_root != second_root:
            raise ProofError("two roots are given for one tree")
        return
    if not 0 < first < second:
        raise ProofError(f"no tree of {first} leaves lies within one of {second}")
    hashes = list(path) if first & (first - 1) else [first_root, *path]
    if not hashes:
        raise ProofError("the proof is empty")
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for one, to_the_left in _climbed(node, last, hashes[1:]):
        if to_the_left:
            old, new = node_hash(one, old), node_hash(one, new)
        else:
            new = node_hash(new, one)
    if old != first_root:
        raise ProofError("the proof does not begin at the earlier root")
    if new != second_root:
        raise ProofError("the proof leads to another root")


def _climbed(node: int, last: int, path: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The hashes of a proof, and whether each stands to the left of what is known so far."""
    for one in path:
        if last == 0:
            raise ProofError("the proof has more hashes than the tree has levels")
        to_the_left = bool(node & 1) or node == last
        yield one, to_the_left
        while to_the_left and node and not node & 1:  # there is nothing to the right of an edge
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError("the proof has fewer hashes than the tree has levels")


def over(nodes: Nodes, begin: int, end: int) -> bytes:
    """Root of the leaves [begin, end), where ``begin`` is where a subtree as large may begin."""
    size = end - begin
    if not size & (size - 1):
        level = size.bit_length() - 1
        return nodes(level, begin >> level)
    cut = begin + largest_power_below(size)
    return node_hash(over(nodes, begin, cut), over(nodes, cut, end))


def largest_power_below(size: int) -> int:
    """The largest power of two that is smaller than ``size``, of at least 2."""
    return 1 << (size - 1).bit_length() - 1
