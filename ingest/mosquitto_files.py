"""Mosquitto's password file and access list, for a broker that has no dynamic security.

In both, what stands before our mark is others' and stays as it is; what stands behind it is ours.
Of a token that the database no longer knows the password file has the hash: so its lines are kept,
those of disabled devices behind a comment sign, while the access list is written anew.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from storage import credentials, locks
from storage.credentials import Change
from storage.registering import GATEWAYS
from storage.sealing import Seal

MARK = "# What follows is written by `dala mosquitto`: devices and their tokens, hashed."
OFF = "#disabled "  # begins the line of a device that may not come
# As mosquitto_passwd has them. A token is 256 random bits: there is nothing to guess.
ITERATIONS, SALT_BYTES = 101, 12


class Update(NamedTuple):
    """What became of the files."""

    told: int  # credentials that the broker knows anew, or no more
    failures: Mapping[str, str]  # by user name: why the broker does not know it
    is_other: bool  # the broker must read the files again


def hashed(token: str, salt: bytes | None = None) -> str:
    """A password as the password file has it: PBKDF2 with HMAC-SHA-512 (Mosquitto 2)."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", token.encode(), salt, ITERATIONS)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${ITERATIONS}${'$'.join(parts)}"


def rules(change: Change) -> list[str]:
    """What a device may say and hear, as the access list has it.

    Raises
    ------
    ValueError
        If a gateway was given no topics, which here would be all, or some that no line holds.
    """
    own = f"dala/v1/{change.device_id}"
    found = [f"topic write {own}/senml", f"topic write {own}/track", f"topic read {own}/receipt"]
    if change.kind not in GATEWAYS:
        return found
    if not change.topic_filters:
        raise ValueError("a gateway needs topics of its own in an access list: --topic")
    if any(not one.isprintable() or one != one.strip() for one in change.topic_filters):
        raise ValueError("a topic has characters that an access list cannot hold")
    return found + [f"topic readwrite {one}" for one in change.topic_filters]


def update(connection: sa.Connection, seal: Seal, passwords: Path, access: Path) -> Update:
    """Bring both files to what the database says; it then knows what the broker was told.

    Files are replaced as a whole, the access list first: nobody comes before it says what for.
    """
    locks.wait(connection, "mosquitto files")
    before, lines = _parts(passwords)
    ours = {_name(line): line for line in lines if ":" in line}
    theirs = {_name(line) for line in before if ":" in line and not line.startswith("#")}
    pending = {one.username: one for one in credentials.changes(connection, limit=None)}
    failures: dict[str, str] = {}
    listed: list[str] = []
    known = credentials.everyone(connection)
    for one in known:
        try:
            if one.username in theirs:
                ours.pop(one.username, None)
                raise ValueError("the password file has another account of this name")
            if one.username in pending and one.sealed_token is not None:
                ours.pop(one.username, None)  # worth nothing, even if the new one cannot be opened
                token = seal.open(one.username, one.sealed_token)
                ours[one.username] = f"{one.username}:{hashed(token)}"
            line = ours.get(one.username, "").removeprefix(OFF)
            if not line:
                raise ValueError(
                    "the password file does not have its token, and nobody can know it: "
                    "give it a new one"
                )
            ours[one.username] = OFF + line
            listed += [f"user {one.username}", *rules(one)]
            if not one.disabled:
                ours[one.username] = line
        except ValueError as error:
            failures[one.username] = str(error)
    for gone in set(ours) - {one.username for one in known}:
        del ours[gone]
    is_other = _write(access, _parts(access)[0], listed)
    is_other |= _write(passwords, before, sorted(ours.values(), key=_name))
    for one in pending.values():
        credentials.applied(connection, one, failures.get(one.username))
    return Update(len(pending) - len(failures.keys() & pending), failures, is_other)


def _name(line: str) -> str:
    return line.removeprefix(OFF).partition(":")[0]


def _parts(file: Path) -> tuple[list[str], list[str]]:
    """Lines of others, and ours."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    place = lines.index(MARK) if MARK in lines else len(lines)
    return lines[:place], lines[place + 1 :]


def _write(file: Path, before: Sequence[str], ours: Iterable[str]) -> bool:
    """Replace a file, with its owner and mode; whether it says something else by now."""
    text = "".join(f"{line}\n" for line in (*before, MARK, *ours))
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return False
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(handle)
        if file.exists():
            known = file.stat()
            Path(name).chmod(known.st_mode)
            if os.geteuid() == 0:
                os.chown(name, known.st_uid, known.st_gid)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink()  # hashes of tokens, beside a file whose mode it may not have yet
        raise
    return True
