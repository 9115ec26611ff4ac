"""A report's file proves itself offline; whatever is changed in it is found."""

import datetime as dt
import json
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.util import urlsafe_b64encode

from evidence import heads as tree_heads
from evidence import merkle
from evidence.multiproof import multi_proof, parts_of
from reports.statements import manifest, verifying
from reports.statements.heads import Consistency, Evidence, SignedHead
from reports.statements.signing import HEAD_TYPE, Signature, SigningKey
from reports.statements.verifying import Beside
from tests.evidence.test_merkle import ALL, MANY, tree

ROOT = Path(__file__).resolve().parents[3]
OURS, MINISTRY, STRANGER = SigningKey.make(), SigningKey.make(), SigningKey.make()
ROLES = ((OURS, "files"), (MINISTRY, "countersigns"))
JWKS = json.dumps(
    {"keys": [{**key.public, "kid": key.kid, "dala_role": role} for key, role in ROLES]}
).encode()
PINNED = verifying.pinned_keys(JWKS)


SEALED_AT = dt.datetime(2026, 1, 9, 0, 0, 5, tzinfo=dt.UTC)


def head(size: int = 40, nodes: merkle.Nodes = ALL, *, key: SigningKey = OURS) -> SignedHead:
    """A signed head of the first leaves of a tree."""
    made = tree_heads.of_tree(size // 10, size, merkle.root(nodes, size), SEALED_AT)
    return SignedHead(made, [key.sign(made.payload(), HEAD_TYPE)])


def evidence(size: int = 40, places: tuple[int, ...] = (3, 13, 23, 33)) -> dict[str, Any]:
    """What a farm's report carries of a tree to which every seal added ten entries."""
    parts = parts_of(ALL, places, size)
    start, end = "2025-03-20T00:00:00Z", "2025-10-08T00:00:00Z"
    return Evidence(head(size), start, end, parts, multi_proof(ALL, parts, size)).as_json()


def content(volume_m3: float = 40_006.0, result: int = 1) -> dict[str, Any]:
    place = {"REF_AREA": "KZ-61", "INDICATOR": "WATER_APPLIED", "UNIT_MEASURE": "m3", "FARMS": 4}
    parts = {"2025": volume_m3, "2025-06": volume_m3 - 1e4, "2025-07": 1e4}
    return {
        "coverage": {"farms_registered": 4, "farms_reporting": 4, "excluded": []},
        "remarks": [],
        "methods": [],
        "inputs": {"season_results": [{"id": result, "digest": "a1"}]},
        "observations": [
            place | {"TIME_PERIOD": time, "OBS_VALUE": value, "OBS_STATUS": "A"}
            for time, value in parts.items()
        ],
    }


def payload(**changes: Any) -> bytes:
    """The bytes of a small report."""
    return manifest.canonical(
        {
            "format": manifest.FORMAT,
            "number": "water-2026-0001",
            "revision": 0,
            "kind": "water",
            "title": {"en": "Water statement", "ru": "Отчёт об использовании воды"},
            "subject": {"level": "region", "area": "KZ-61", "names": {}},
            "season": 2025,
            "period": None,
            "as_of": "2026-01-10T00:00:00Z",
            "filed_at": "2026-01-10T08:00:00Z",
            "filed_by": "account:anna",
            "reason": None,
            "code": {"version": "1", "digest": "ab"},
            "replaces": None,
            "content": content(),
            "evidence": None,
        }
        | changes
    )


def revised(before: bytes, new: Mapping[str, Any], **changes: Any) -> bytes:
    old = json.loads(before)["content"]
    replaces = {
        "revision": 0,
        "digest": manifest.digest(before),
        "difference": manifest.difference(old, json.loads(manifest.canonical(new))),
    }
    told = {"revision": 1, "reason": "late", "content": new, "replaces": replaces}
    return payload(**told | changes)


def file(of: bytes, *keys: SigningKey) -> bytes:
    return manifest.write(of, [key.sign(of) for key in keys or (OURS,)])


FILED = file(payload(evidence=evidence()), OURS, MINISTRY)


def standings(content: bytes, *, keys: Any = None, **beside: Any) -> list[str]:
    found = verifying.check(content, keys=keys, beside=Beside(**beside))
    return [one.standing for one in found.findings]


def test_all_is_proved_with_the_keys_of_who_signed() -> None:
    assert standings(FILED, keys=PINNED) == ["proved"] * 5


def test_without_keys_the_file_is_whole_and_nobodys() -> None:
    verdict = verifying.check(FILED)

    assert [one.standing for one in verdict.findings] == [
        "open",
        "open",
        "proved",
        "open",
        "proved",
    ]
    assert verdict.is_open
    assert OURS.kid in verdict.findings[0].words


# --- whatever is changed --------------------------------------------------------------------------


def changed(draw: random.Random, whole: bytes) -> bytes:
    """The file with a bit flipped, cut, with parts swapped, repeated, left out or put in."""
    at, other = sorted(draw.sample(range(len(whole)), 2))
    return draw.choice(
        (
            lambda: whole[:at] + bytes([whole[at] ^ (1 << draw.randrange(8))]) + whole[at + 1 :],
            lambda: whole[:at],
            lambda: whole[at:],
            lambda: whole[:at] + whole[other:],
            lambda: whole[:at] + whole[at:other] + whole[at:],
            lambda: whole[other:] + whole[at:other] + whole[:at],
            lambda: whole[:at] + draw.choice((b" ", b"\n", b"0", b"\x00", b"\xff")) + whole[at:],
            lambda: whole[:at] + whole[other : other + 1] + whole[at + 1 :],
        )
    )()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_whatever_is_changed_is_found(seed: int) -> None:
    draw = random.Random(seed)
    for turn in range(50):
        other = changed(draw, FILED)
        if other != FILED:
            assert verifying.check(other, keys=PINNED if turn % 5 else None).is_refuted


def test_no_bit_of_a_signature_is_spare() -> None:
    # 64 bytes as base64url have room for 516 bits: four of them must not be free to change.
    for one in json.loads(FILED)["signatures"]:
        begin = FILED.index(one["signature"].encode())
        for at in range(begin, begin + 86):
            for bit in range(8):
                other = FILED[:at] + bytes([FILED[at] ^ (1 << bit)]) + FILED[at + 1 :]
                assert verifying.check(other, keys=PINNED).is_refuted, (at, bit)


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"report":{},"signatures":[]}',
        FILED.replace(b'"OBS_VALUE":40006', b'"OBS_VALUE":40006.0'),
        FILED.replace(b'"season":2025', b'"season":2024,"season":2025'),
        FILED.replace(b'"period":null', b'"period":NaN'),
        FILED + b"\n",
    ],
    ids=["nothing", "empty", "deep", "unsigned", "spelled", "twice", "no number", "line"],
)
def test_what_a_parser_would_take_for_the_same_is_refused(other: bytes) -> None:
    assert verifying.check(other, keys=PINNED).is_refuted


# --- who signed -----------------------------------------------------------------------------------


def test_a_stranger_signs_nothing_that_counts() -> None:
    assert standings(file(payload(), STRANGER), keys=PINNED)[0] == "refuted"
    # A whole file by a key of one's own is open without pinned keys: it says whose it claims to be.
    assert standings(file(payload(), STRANGER)) == ["open", "proved"]


def test_who_countersigns_does_not_file() -> None:
    assert standings(file(payload(), MINISTRY), keys=PINNED)[0] == "refuted"
    assert standings(file(payload(), OURS, OURS), keys=PINNED).count("refuted") == 2


def jws(of: bytes, key: SigningKey, **header: Any) -> Signature:
    """A signature with a header of one's own."""
    told = {"alg": "Ed25519", "kid": key.kid, "typ": "dala-report+jws"} | header
    protected = urlsafe_b64encode(json.dumps(told).encode())
    signed = key._key.private_key.sign(protected + b"." + urlsafe_b64encode(of))
    return Signature(protected.decode(), urlsafe_b64encode(signed).decode())


def test_with_keys_nobody_gets_by_without_showing_his() -> None:
    # Whose key it is nobody can tell, and the auditor gave all that count: rejected, and not open.
    hidden = manifest.write(payload(), [jws(payload(), STRANGER)])
    assert standings(hidden, keys=PINNED) == ["refuted", "proved"]
    assert standings(hidden) == ["open", "proved"]
    assert standings(manifest.write(payload(), [jws(payload(), OURS)]), keys=PINNED)[0] == "proved"


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": STRANGER.public},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": None},
        {"b64": True},
        {"crit": ["exp"], "exp": 1},
        {"jku": "https://keys.example"},
    ],
    ids=["another key", "a secret", "no key", "b64", "crit", "jku"],
)
def test_a_header_says_nothing_beside_its_key(header: dict[str, Any]) -> None:
    signed = manifest.write(payload(), [jws(payload(), OURS, **header)])

    assert standings(signed, keys=PINNED)[0] == "refuted"
    assert standings(signed)[0] == "refuted"


def test_a_header_of_a_thousand_brackets_is_no_header() -> None:
    deep = urlsafe_b64encode(b"[" * 100_000).decode()

    assert "refuted" in standings(manifest.write(payload(), [Signature(deep, "AA")]))


def test_a_signature_of_another_report_does_not_fit() -> None:
    other = manifest.write(payload(), [OURS.sign(payload(season=2024))])

    assert standings(other, keys=PINNED)[0] == "refuted"


def test_a_key_that_is_not_what_it_calls_itself_is_refused() -> None:
    jwks = json.dumps({"keys": [OURS.public | {"kid": MINISTRY.kid}]}).encode()

    with pytest.raises(ValueError, match="not its thumbprint"):
        verifying.pinned_keys(jwks)


# --- against itself, and an earlier file ----------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"number": "savings-2026-0001"}, "number"),
        ({"reason": "no need"}, "reason"),
        ({"as_of": "2026-02-01T00:00:00Z"}, "before the time"),
        ({"as_of": "today"}, "of another kind"),
        ({"revision": 1, "reason": "late", "replaces": 5}, "replaces"),
        ({"revision": 1, "reason": "late", "replaces": [*verifying.REPLACES]}, "replaces"),
        ({"revision": "1", "reason": "late", "replaces": {}}, "no number"),
        ({"content": content() | {"observations": [{"INDICATOR": "A"}]}}, "missing"),
        ({"content": content() | {"observations": content()["observations"] * 2}}, "of the same"),
    ],
)
def test_a_signed_contradiction_is_found(changes: dict[str, Any], words: str) -> None:
    verdict = verifying.check(file(payload(**changes)), keys=PINNED)

    assert [one.standing for one in verdict.findings] == ["proved", "refuted"]
    assert words in verdict.findings[1].words


def test_what_is_filed_within_the_second_that_it_is_as_of_is_in_order() -> None:
    moments = {"as_of": "2026-01-10T08:00:00Z", "filed_at": "2026-01-10T08:00:00.250000Z"}

    assert standings(file(payload(**moments)), keys=PINNED) == ["proved", "proved"]


def test_a_revision_is_held_to_what_it_says_that_it_changed() -> None:
    before = payload()
    honest = revised(before, content(42_006.0, result=2))
    verdict = verifying.check(file(honest), keys=PINNED, beside=Beside(file(before)))
    assert [one.standing for one in verdict.findings] == ["proved"] * 3
    # The season's total and June's: two figures.
    assert "2 figures changed" in verdict.findings[-1].words

    silent = json.loads(honest)
    silent["content"]["observations"][2]["OBS_VALUE"] = 1.0
    other = file(manifest.canonical(silent))
    assert standings(other, keys=PINNED, earlier=file(before))[-1] == "refuted"
    forged = file(revised(payload(season=2024), content(42_006.0)))
    assert standings(forged, keys=PINNED, earlier=file(before))[-1] == "refuted"


def test_two_texts_of_one_number_and_revision_are_a_silent_change() -> None:
    one, other = file(payload()), file(payload(content=content(1e5)))

    verdict = verifying.check(one, keys=PINNED, beside=Beside(other))
    assert "a filed figure was changed" in verdict.findings[-1].words
    assert verdict.is_refuted
    assert standings(one, keys=PINNED, earlier=one)[-1] == "proved"


# --- evidence -------------------------------------------------------------------------------------


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


# --- the verb -------------------------------------------------------------------------------------

# Whoever asks a network, another program or a database is ended.
_OFFLINE = """
import sys
def refuse(event, arguments):
    if event.startswith(("socket.connect", "socket.bind", "subprocess.", "os.exec", "os.posix")):
        raise SystemExit(f"not offline: {event}")
sys.addaudithook(refuse)
import dala
dala.main()
"""


@pytest.mark.parametrize(
    ("content", "with_keys", "code", "words"),
    [
        (FILED, True, 0, "Not proved by this"),
        (FILED, False, 3, "give the keys that you trust"),
        (FILED.replace(b"40006", b"30006"), True, 1, "Rejected"),
    ],
)
def test_the_verb_needs_nothing_but_the_file(
    tmp_path: Path, content: bytes, with_keys: bool, code: int, words: str
) -> None:
    (tmp_path / "report.json").write_bytes(content)
    (tmp_path / "keys.json").write_bytes(JWKS)
    given_keys = ["--keys", str(tmp_path / "keys.json")] if with_keys else []
    done = subprocess.run(
        [sys.executable, "-c", _OFFLINE, "verify", str(tmp_path / "report.json"), *given_keys],
        cwd=ROOT, env={}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (code, "")
    assert words in done.stdout
