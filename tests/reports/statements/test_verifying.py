"""A report's file proves itself offline; whatever is changed in it is found."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.util import urlsafe_b64encode

from reports.statements import manifest, verifying
from reports.statements.signing import Signature, SigningKey
from reports.statements.verifying import Beside
from tests.reports.statements.made_files import (
    FILED,
    JWKS,
    MINISTRY,
    OURS,
    PINNED,
    STRANGER,
    changed,
    content,
    file,
    payload,
    revised,
    standings,
)

ROOT = Path(__file__).resolve().parents[3]


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
