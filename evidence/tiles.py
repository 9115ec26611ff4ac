"""Hashes of a Merkle tree kept in tiles of 256, so that a proof over any tree reads a few of them.

Tile ``number`` of ``floor`` holds the hashes of whole subtrees of 256^floor leaves, 256 of them
side by side: floor 0 are the leaves' own. A tile that is full never changes. Levels between are
computed of the tile below, by at most 255 hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from evidence.merkle import HASH_BYTES, Nodes, node_hash

WIDTH = 256
LEVELS = 8  # of the tree, from one floor of tiles to the next


class Place(NamedTuple):
    """Which tile."""

    floor: int
    number: int


Tiles = Callable[[Place], bytes]  # the hashes in a tile, end to end; a tile at the edge is shorter


def nodes_of(tiles: Tiles) -> Nodes:
    """The whole subtrees of a tree in tiles.

    Raises (from what is returned)
    ------------------------------
    LookupError
        If a tile does not reach as far.
    """

    def nodes(level: int, position: int) -> bytes:
        floor, above = divmod(level, LEVELS)
        first, count = position << above, 1 << above
        number, within = divmod(first, WIDTH)
        held = tiles(Place(floor, number))
        wanted = held[within * HASH_BYTES : (within + count) * HASH_BYTES]
        if len(wanted) != count * HASH_BYTES:
            raise LookupError(f"tile {number} of floor {floor} ends before hash {within + count}")
        return _folded(wanted)

    return nodes


def grown(size: int, tiles: Tiles, leaves: Iterable[bytes]) -> dict[Place, bytes]:
    """The tiles that change when leaves are added to a tree of ``size``, whole.

    Parameters
    ----------
    tiles
        What the tree has; asked for its unfinished edge alone.
    leaves
        Hashes of the new leaves (:func:`evidence.merkle.leaf_hash`), in their order.
    """
    changed: dict[Place, bytearray] = {}
    floor, at = 0, size
    rising = list(leaves)
    while rising:
        full: list[bytes] = []
        for one in rising:
            number, within = divmod(at, WIDTH)
            place = Place(floor, number)
            if place not in changed:
                held = tiles(place) if within else b""
                changed[place] = bytearray(held[: within * HASH_BYTES])
            changed[place] += one
            at += 1
            if within == WIDTH - 1:
                full.append(_folded(bytes(changed[place])))
        floor, at, rising = floor + 1, size // WIDTH ** (floor + 1), full
    return {place: bytes(held) for place, held in changed.items()}


def _folded(hashes: bytes) -> bytes:
    """Root of as many hashes side by side as a power of two."""
    level = list(_cut(hashes))
    while len(level) > 1:
        level = [node_hash(*pair) for pair in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def _cut(hashes: bytes) -> Iterator[bytes]:
    return (hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
