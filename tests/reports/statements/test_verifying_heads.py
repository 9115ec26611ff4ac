"""A report's evidence proves itself offline, and its head against one that somebody kept."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import merkle
from reports.statements import manifest, verifying
from reports.statements.heads import Consistency, SignedHead
from reports.statements.signing import HEAD_TYPE
from reports.statements.verifying import Beside
from tests.evidence.test_merkle import ALL, MANY, tree
from tests.reports.statements.made_files import (
    FILED,
    MINISTRY,
    OURS,
    PINNED,
    STRANGER,
    changed,
    content,
    evidence,
    file,
    head,
    payload,
    revised,
    standings,
)


def test_what_was_filed_before_evidence_began_proves_itself_still() -> None:
    old = json.loads(payload(format="dala-report/1"))
    del old["evidence"]
    verdict = verifying.check(file(manifest.canonical(old)), keys=PINNED)

    assert [one.standing for one in verdict.findings] == ["proved", "proved"]
    assert any("rests on no head" in one for one in verdict.not_proved)
    # And neither form passes for the other.
    assert standings(file(manifest.canonical(old | {"evidence": None}))) == ["refuted"]
    assert standings(file(payload(format="dala-report/1"))) == ["refuted"]


def test_evidence_says_in_words_what_it_proves_and_what_not() -> None:
    verdict = verifying.check(FILED, keys=PINNED)
    words = [one.words for one in verdict.findings][3:]

    assert words[0].startswith("The head of the tree of evidence is signed by key")
    assert words[1] == (
        "4 entries of sealed rows of 2025-03-20T00:00:00Z to 2025-10-08T00:00:00Z stand in the "
        "tree of 40 entries that was sealed at 2026-01-09T00:00:05Z (seal 4)."
    )
    assert any("none is left out" in one for one in verdict.not_proved)
    assert any("others are shown the same tree" in one for one in verdict.not_proved)


def mutated(draw: random.Random, of: Any) -> Any:
    """Evidence in which a hash, a place or a member is another."""
    found = json.loads(json.dumps(of))
    proof, entries, told = found["proof"], found["entries"], found["head"]
    one, other = (draw.randrange(len(proof)) for _ in range(2))
    at = draw.randrange(len(entries))

    def hexed(text: str) -> str:
        place = draw.randrange(len(text))
        return text[:place] + draw.choice("0123456789abcdefgA ") + text[place + 1 :]

    def put(into: Any, key: Any, value: Any) -> None:
        into[key] = value

    draw.choice(
        (
            lambda: put(proof, one, hexed(proof[one])),
            lambda: put(entries[at], 2, hexed(entries[at][2])),
            lambda: put(entries[at], 0, entries[at][0] + draw.choice((-1, 1, 2, 40))),
            lambda: put(entries[at], 1, draw.choice((0, 2, 3, 64, -1, True, "1"))),
            lambda: put(found, "proof", proof[:-1]),
            lambda: put(found, "proof", [*proof, proof[one]]),
            lambda: (put(proof, one, proof[other]), put(proof, other, of["proof"][one])),
            lambda: put(found, "entries", entries[:at] + entries[at + 1 :]),
            lambda: put(found, "entries", [*entries, entries[at]]),
            lambda: put(told["head"], "root", hexed(told["head"]["root"])),
            lambda: put(told["head"], "size", told["head"]["size"] + draw.choice((-1, 1, 0.5))),
            lambda: put(told["head"], "seal", told["head"]["seal"] + 1),
            lambda: put(told["head"], "sealed_at", "2026-01-08T00:00:00Z"),
            lambda: put(told, "signatures", [STRANGER.sign(b"", HEAD_TYPE)._asdict()]),
            lambda: put(told, "signatures", []),
            lambda: found.pop(draw.choice(sorted(found))),
            lambda: put(found, "more", 1),
        )
    )()
    return found


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_evidence_that_does_not_hold_is_found_also_where_the_report_was_signed_with_it(
    seed: int,
) -> None:
    # Whoever files could sign anything: of a head that was signed before they cannot.
    draw, honest = random.Random(seed), evidence()
    for _ in range(10):
        other = mutated(draw, honest)
        if other != honest:
            whole = file(payload(evidence=other))
            assert verifying.check(whole, keys=PINNED).is_refuted, other


def test_a_signature_of_a_report_is_none_of_a_head_nor_a_head_of_a_stranger() -> None:
    for signature in (OURS.sign(head().head.payload()), STRANGER.sign(b"x", HEAD_TYPE)):
        told = evidence()
        told["head"]["signatures"] = [signature._asdict()]
        assert "refuted" in standings(file(payload(evidence=told)), keys=PINNED)
    stranger = evidence()
    stranger["head"] = head(key=STRANGER).as_json()
    assert standings(file(payload(evidence=stranger)), keys=PINNED)[2] == "refuted"
    assert standings(file(payload(evidence=stranger)))[2] == "open"


def led(first: int, second: int) -> bytes:
    """The proof that leads from one tree to a later."""
    return Consistency(first, second, merkle.consistency_proof(ALL, first, second)).file()


@pytest.mark.parametrize("kept", [10, 30, 70, 1_000])
def test_a_head_that_was_kept_is_of_one_tree_earlier_or_later(kept: int) -> None:
    proof = led(*sorted((kept, 40)))
    verdict = verifying.check(FILED, keys=PINNED, beside=Beside(None, head(kept).file(), [proof]))

    assert [one.standing for one in verdict.findings] == ["proved"] * 7
    assert "nothing that was sealed by then was changed" in verdict.findings[-1].words
    assert not any("others are shown the same tree" in one for one in verdict.not_proved)


def test_a_kept_head_without_its_proof_is_open_and_says_how_to_get_it() -> None:
    for proofs in ([], [led(20, 40)]):
        asked = Beside(None, head(10).file(), proofs)
        last = verifying.check(FILED, keys=PINNED, beside=asked).findings[-1]
        assert last.standing == "open"
        assert "dala evidence consistency 10 40" in last.words


def test_another_tree_than_the_one_that_was_kept_is_refuted() -> None:
    forked = tree([*MANY[:5], merkle.leaf_hash(b"another"), *MANY[6:]])
    for kept, proofs in (
        (head(40, forked), []),
        (head(10, forked), [led(10, 40)]),
        (head(70, forked), [led(40, 70)]),
        (head(10), [led(10, 40)[:-5] + b'aa"]}']),
        (head(10), [b"{}"]),
        (head(10, key=STRANGER), [led(10, 40)]),
    ):
        found = standings(FILED, keys=PINNED, head=kept.file(), consistency=proofs)
        assert found[-1] == "refuted", (kept, proofs)
    assert standings(FILED, keys=PINNED, head=head(40).file())[-1] == "proved"
    assert standings(FILED, keys=PINNED, head=b"{}")[-1] == "refuted"
    assert standings(file(payload()), keys=PINNED, head=head(40).file())[-1] == "open"


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_whatever_is_changed_of_a_kept_head_or_a_proof_proves_nothing(seed: int) -> None:
    draw, kept, proof = random.Random(seed), head(10).file(), led(10, 40)
    for turn in range(20):
        other, by = (changed(draw, kept), proof) if turn % 2 else (kept, changed(draw, proof))
        if (other, by) != (kept, proof):
            found = standings(FILED, keys=PINNED, head=other, consistency=[by])
            assert set(found[5:]) != {"proved"}, (other, by)


def test_a_witness_stands_beside_a_kept_head_and_is_told() -> None:
    made = head(10)
    seen = MINISTRY.sign(made.head.payload(), HEAD_TYPE)
    witnessed = SignedHead(made.head, [*made.signatures, seen])
    asked = Beside(None, witnessed.file(), [led(10, 40)])
    words = [one.words for one in verifying.check(FILED, keys=PINNED, beside=asked).findings]

    assert words[6].startswith("The head that was kept is countersigned by key")
    forged = SignedHead(made.head, [*made.signatures, STRANGER.sign(made.head.payload())])
    assert "refuted" in standings(FILED, keys=PINNED, head=forged.file())


def test_one_witness_does_not_pass_for_two() -> None:
    made = head(10)
    seen = MINISTRY.sign(made.head.payload(), HEAD_TYPE)
    doubled = SignedHead(made.head, [*made.signatures, seen, seen])
    asked = Beside(None, doubled.file(), [led(10, 40)])
    verdict = verifying.check(FILED, keys=PINNED, beside=asked)

    assert "The head that was kept: the same key signed twice." in [
        one.words for one in verdict.findings if one.standing == "refuted"
    ]


def test_one_tree_has_one_head() -> None:
    ours = head(40)
    other = ours.head._replace(sealed_at="2025-01-09T00:00:05Z")  # of a year before
    dated_back = SignedHead(other, [OURS.sign(other.payload(), HEAD_TYPE)])
    last = verifying.check(FILED, keys=PINNED, beside=Beside(None, dated_back.file())).findings[-1]

    assert (last.standing, "say different seals or times" in last.words) == ("refuted", True)


def test_evidence_of_no_time_is_none() -> None:
    for start in ("2025-03-20T00:00:00", "spring", 2025, None):
        found = standings(file(payload(evidence=evidence() | {"start": start})), keys=PINNED)
        assert found == ["refuted"], start


def test_a_revision_and_the_report_before_it_rest_on_one_tree() -> None:
    before = payload(evidence=evidence(20, (3, 13)))
    after = file(revised(before, content(42_006.0), evidence=evidence()))
    # Without a proof nothing is said: the difference alone was asked for.
    assert standings(after, keys=PINNED, earlier=file(before)) == ["proved"] * 5
    proved = standings(after, keys=PINNED, earlier=file(before), consistency=[led(20, 40)])
    assert proved == ["proved"] * 6
    forked = tree([merkle.leaf_hash(b"another"), *MANY[1:]])
    other = evidence(20, ()) | {
        "head": head(20, forked).as_json(),
        "proof": [merkle.root(forked, 20).hex()],
    }
    lied = payload(evidence=other)
    after = file(revised(lied, content(42_006.0), evidence=evidence()))
    found = standings(after, keys=PINNED, earlier=file(lied), consistency=[led(20, 40)])
    assert found[-1] == "refuted"


def test_a_report_may_be_the_head_that_was_kept() -> None:
    other = file(payload(number="water-2026-0002", evidence=evidence(20, (5,))))

    assert standings(FILED, keys=PINNED, head=other, consistency=[led(20, 40)]) == ["proved"] * 7
