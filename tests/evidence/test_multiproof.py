"""One proof of many leaves: against the definition of the root, and nothing else passes for it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import merkle, tiles
from evidence.merkle import ProofError
from evidence.multiproof import Part, check_parts, multi_proof, parts_of
from tests.evidence.test_merkle import ALL, MANY, by_definition, flipped

MOST = 300


@st.composite
def chosen(draw: st.DrawFn) -> tuple[int, list[int]]:
    """A size, and places in that tree: scattered, side by side, none or all."""
    size = draw(st.integers(1, MOST))
    few = st.sets(st.integers(0, size - 1), max_size=12)
    runs = st.tuples(st.integers(0, size - 1), st.integers(0, size)).map(
        lambda run: set(range(run[0], min(size, run[0] + run[1])))
    )
    return size, sorted(draw(few) | draw(st.one_of(st.just(set()), runs)))


@given(chosen())
def test_many_leaves_are_proved_under_the_root_of_the_definition(
    found: tuple[int, list[int]],
) -> None:
    size, places = found
    parts = parts_of(ALL, places, size)
    proof = multi_proof(ALL, parts, size)

    check_parts(parts, size, proof, by_definition(MANY[:size]))

    assert [one for part in parts for one in range(part.first, part.end)] == places
    for part in parts:
        assert part.hash == by_definition(MANY[part.first : part.end])
    # The fewest: two side by side are never the halves of one subtree of the tree.
    for one, other in pairwise(parts):
        is_pair = one.end == other.first and one.leaves == other.leaves
        assert not (is_pair and one.first % (2 * one.leaves) == 0)
    assert len(proof) <= max(1, len(parts)) * max(1, (size - 1).bit_length())


@given(st.integers(1, MOST), st.data())
def test_of_one_leaf_it_is_the_path_of_rfc_9162(size: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, size - 1))

    parts = parts_of(ALL, [place], size)

    assert parts == [Part(place, 1, MANY[place])]
    assert multi_proof(ALL, parts, size) == merkle.inclusion_proof(ALL, place, size)


def test_of_all_leaves_nothing_is_left_to_prove_and_of_none_the_root_is() -> None:
    # 6 leaves are subtrees of 4 and of 2; by hand.
    parts = parts_of(ALL, list(range(6)), 6)
    assert [(one.first, one.leaves) for one in parts] == [(0, 4), (4, 2)]
    assert multi_proof(ALL, parts, 6) == []
    assert multi_proof(ALL, [], 6) == [by_definition(MANY[:6])]
    check_parts([], 0, [], merkle.root(ALL, 0))


@given(chosen(), st.data())
def test_whatever_is_changed_is_found(found: tuple[int, list[int]], data: st.DataObject) -> None:
    size, places = found
    root = by_definition(MANY[:size])
    parts = parts_of(ALL, places, size)
    proof = multi_proof(ALL, parts, size)
    changes: list[tuple[list[Part], int, list[bytes]]] = [(parts, size, [*proof, root])]
    if proof:
        bit = data.draw(st.integers(0, len(proof) * 256 - 1))
        changes += [(parts, size, flipped(proof, bit)), (parts, size, proof[:-1])]
    if len(proof) > 1:
        changes.append((parts, size, [*proof[1:], proof[0]]))
    if parts:
        at = data.draw(st.integers(0, len(parts) - 1))
        one, rest = parts[at], (parts[:at], parts[at + 1 :])
        moved = data.draw(st.integers(-size, size).filter(bool))
        for other in (
            one._replace(hash=flipped([one.hash], data.draw(st.integers(0, 255)))[0]),
            one._replace(first=one.first + moved),
            one._replace(leaves=one.leaves * 2),
            one._replace(leaves=3),
            one._replace(leaves=0),
            one._replace(hash=one.hash[:-1]),
        ):
            changes.append(([*rest[0], other, *rest[1]], size, proof))
        changes += [([*rest[0], *rest[1]], size, proof), ([one, *parts], size, proof)]
    for given_parts, given_size, given_proof in changes:
        with pytest.raises(ProofError):
            check_parts(given_parts, given_size, given_proof, root)


@pytest.mark.parametrize("places", [[3, 3], [4, 2], [-1], [6]])
def test_what_is_no_place_of_the_tree_is_refused(places: list[int]) -> None:
    with pytest.raises(ValueError, match=r"leaf|leaves"):
        parts_of(ALL, places, 6)


def test_an_area_takes_hardly_more_than_a_farm() -> None:
    # A season of daily seals of 240 farms; a region's 12 stand side by side in each.
    leaves = [merkle.leaf_hash(str(number).encode()) for number in range(240 * 20)]
    nodes = tiles.nodes_of(tiles.grown(0, lambda _place: b"", leaves).__getitem__)
    farm = [240 * day + 24 for day in range(20)]
    region = [240 * day + one for day in range(20) for one in range(24, 36)]

    sizes = []
    for places in (farm, region, list(range(len(leaves)))):
        parts = parts_of(nodes, places, len(leaves))
        proof = multi_proof(nodes, parts, len(leaves))
        check_parts(parts, len(leaves), proof, merkle.root(nodes, len(leaves)))
        sizes.append(len(parts) + len(proof))

    assert sizes[1] < 1.5 * sizes[0]
    assert sizes[2] <= len(leaves).bit_length()
