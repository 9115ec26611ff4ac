"""Verbs for the keys that reports are signed with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.reporting import Out, app, key_file, read_key, save, with_database
from cli.speaking import author, fail, say, trouble

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["app"]


@app.command("key")
def make_key(
    owner: Annotated[str, typer.Option(help="Whose key it is, as auditors read it.")] = "Dala",
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Sign with a new one from now on; the old one stays.")
    ] = False,
) -> None:
    """Make the key that reports are signed with, and make its public part known."""
    from reports.statements.signing import SigningKey

    file = key_file()
    if rotate and file.exists():
        old = read_key()
        file.rename(file.with_name(f"{file.stem}.{old.kid}.retired.jwk"))
    if not file.exists():
        made = SigningKey.make()
        made.write(file)
        say(f"Wrote {file}: whoever reads it can sign in your name. Keep a copy in a safe place.")
    key = read_key()
    if _put_key(key.kid, key.public, "files", owner):
        say("Give auditors the public keys, by another way than the reports: dala report keys")
    else:
        say("This key was known already; --rotate makes another.")
    print(key.kid)


@app.command("keys")
def print_keys(out: Out = None) -> None:
    """Print every public key that reports were signed with, as `dala verify --keys` reads them."""
    from reports.statements import filing

    found = json.dumps(with_database(filing.jwks, "Not printed"), ensure_ascii=False, indent=1)
    if out is None:
        print(found)
    else:
        save(out, found.encode())


@app.command()
def trust(
    file: Annotated[Path, typer.Argument(help="Public key of Ed25519 as JSON (JWK).")],
    owner: Annotated[str, typer.Option(help="Whose key it is, such as a ministry.")],
) -> None:
    """Let somebody countersign reports: what they sign is checked against this key."""
    from reports.statements.signing import public_key

    try:
        jwk = json.loads(file.read_bytes())
        key = public_key(jwk)
    except (OSError, ValueError) as error:
        fail(f"{file}: {trouble(error)}")
    kid = key.thumbprint()
    if not _put_key(kid, key.as_dict(private=False), "countersigns", owner):
        fail(f"Key {kid} is known already.")
    say(f"{owner} may countersign with key {kid}.")


def _put_key(kid: str, jwk: Any, role: str, owner: str) -> bool:
    from storage import audit, filing

    def put(connection: sa.Connection) -> bool:
        is_new = filing.put_key(connection, kid, jwk, role=role, owner=owner, created_by=author())
        if is_new:
            details = {"role": role, "owner": owner}
            audit.record(
                connection, actor=author(), action="report.key", object=kid, details=details
            )
        return is_new

    return bool(with_database(put, "Not made known"))
