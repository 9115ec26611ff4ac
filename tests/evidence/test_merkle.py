"""The tree of RFC 9162: known roots, its own recursion, and proofs that nothing else passes."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import merkle, tiles
from evidence.merkle import ProofError

# Certificate Transparency's reference inputs and the roots of the first 1 to 8 of them.
INPUTS = [
    bytes.fromhex(one)
    for one in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MANY = [merkle.leaf_hash(str(number).encode()) for number in range(1_500)]


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of section 2.1.1, word for word, of leaves' hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    both = by_definition(leaves[:k]) + by_definition(leaves[k:])
    return sha256(b"\x01" + both).digest()


def tree(leaves: list[bytes]) -> merkle.Nodes:
    """A tree in tiles, grown at once."""
    held = tiles.grown(0, lambda _place: b"", leaves)
    return tiles.nodes_of(held.__getitem__)


ALL = tree(MANY)
sizes = st.integers(1, len(MANY))


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_the_reference(count: int) -> None:
    leaves = [merkle.leaf_hash(one) for one in INPUTS[:count]]

    assert merkle.root(tree(leaves), count).hex() == ROOTS[count - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert merkle.root(tree([]), 0) == sha256(b"").digest()


@given(sizes)
def test_a_root_is_what_the_definition_says(size: int) -> None:
    assert merkle.root(ALL, size) == by_definition(MANY[:size])


@given(st.lists(st.integers(0, 600), max_size=5))
def test_a_tree_that_grew_in_steps_has_the_tiles_of_one_that_grew_at_once(steps: list[int]) -> None:
    held: dict[tiles.Place, bytes] = {}
    size = 0
    for step in steps:
        more = MANY[size : size + step]
        held |= tiles.grown(size, held.__getitem__, more)
        size += len(more)

    assert held == tiles.grown(0, held.__getitem__, MANY[:size])


@given(sizes, st.data())
def test_every_leaf_is_proved_and_no_other_passes_for_it(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root = by_definition(MANY[:size])
    path = merkle.inclusion_proof(ALL, index, size)

    merkle.check_inclusion(MANY[index], index, size, path, root)

    assert len(path) <= (size - 1).bit_length()
    for leaf, place, length, steps in (
        (merkle.leaf_hash(b"another"), index, size, path),
        (MANY[index], index, size, [*path, root]),
        (MANY[index], size, size, path),
        (MANY[index], -1, size, path),
    ):
        with pytest.raises(ProofError):
            merkle.check_inclusion(leaf, place, length, steps, root)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        with pytest.raises(ProofError):
            merkle.check_inclusion(MANY[index], other, size, path, root)
    if path:
        with pytest.raises(ProofError):
            merkle.check_inclusion(MANY[index], index, size, path[:-1], root)
        changed = data.draw(st.integers(0, len(path) * 256 - 1))
        with pytest.raises(ProofError):
            merkle.check_inclusion(MANY[index], index, size, flipped(path, changed), root)


@given(sizes, sizes, st.data())
def test_a_later_tree_is_proved_to_begin_with_an_earlier(
    one: int, other: int, data: st.DataObject
) -> None:
    first, second = sorted((one, other))
    old, new = by_definition(MANY[:first]), by_definition(MANY[:second])
    path = merkle.consistency_proof(ALL, first, second)

    merkle.check_consistency(first, old, second, new, path)

    forked = by_definition([*MANY[: first - 1], merkle.leaf_hash(b"x"), *MANY[first:second]])
    for a, b, steps in ((old, forked, path), (forked, new, path), (old, new, [*path, old])):
        with pytest.raises(ProofError):
            merkle.check_consistency(first, a, second, b, steps)
    if path:
        changed = data.draw(st.integers(0, len(path) * 256 - 1))
        with pytest.raises(ProofError):
            merkle.check_consistency(first, old, second, new, flipped(path, changed))


def test_what_is_in_no_tree_has_no_proof() -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="has no leaf"):
            merkle.inclusion_proof(ALL, index, size)
    for first, second in ((0, 5), (6, 5)):
        with pytest.raises(ValueError, match="no tree of"):
            merkle.consistency_proof(ALL, first, second)


def test_a_tile_that_is_too_short_is_told() -> None:
    held = tiles.grown(0, lambda _place: b"", MANY[:10])

    with pytest.raises(LookupError, match="tile 0 of floor 0 ends before hash 12"):
        tiles.nodes_of(held.__getitem__)(2, 2)


def flipped(path: list[bytes], bit: int) -> list[bytes]:
    number, within = divmod(bit, 256)
    changed = bytearray(path[number])
    changed[within // 8] ^= 1 << within % 8
    return [*path[:number], bytes(changed), *path[number + 1 :]]
