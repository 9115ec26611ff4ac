"""Files of small reports and of heads, signed by hand: nothing of them was ever in a database."""

import datetime as dt
import json
import random
from collections.abc import Mapping
from typing import Any

from evidence import heads as tree_heads
from evidence import merkle
from evidence.multiproof import multi_proof, parts_of
from reports.statements import manifest, verifying
from reports.statements.heads import Evidence, SignedHead
from reports.statements.signing import HEAD_TYPE, SigningKey
from reports.statements.verifying import Beside
from tests.evidence.test_merkle import ALL

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
