"""Verbs for the tree of evidence: seal, look at its heads, prove, witness, check from inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.reporting import read_key, save, with_database
from cli.speaking import author, fail, no_farm, say, trouble

if TYPE_CHECKING:
    import sqlalchemy as sa

    from reports.statements.heads import SignedHead
    from reports.statements.inspecting_rows import Inspected
    from reports.statements.sealing import Sealed
    from storage.evidence import Waiting
    from storage.tree_heads import StoredHead

app = typer.Typer(
    help="Evidence: what was stored is hashed and sealed in a tree with signed heads, so that "
    "nobody changes it unseen. Who keeps a head, or signs it beside us, holds us to it.",
    no_args_is_help=True,
)
Size = Annotated[
    int | None, typer.Argument(min=1, help="Entries of the tree, as `heads` has it; the newest.")
]
OutFile = Annotated[Path | None, typer.Option(help="File to write, as `dala verify` reads it.")]


@app.command()
def seal() -> None:
    """Seal what was stored since the last time, and sign the head of the tree.

    `dala watch` does so by itself once a day, and filing a report does.
    """
    from reports.statements import sealing

    key = read_key()

    def enter(connection: sa.Connection) -> Sealed | None:
        return sealing.seal(connection, key, author=author())

    done: Sealed | None = with_database(enter, "Not sealed")
    if done is None:
        say("Nothing waits to be sealed: the newest head covers all that was hashed.")
        return
    say(
        f"Sealed {done.rows} rows of {done.batches} batches, counted farm by farm. Entries added: "
        f"{done.entries}; in the tree: {done.newest.size}. Seal {done.newest.seal}, whose root is:"
    )
    print(done.newest.root.hex())


@app.command()
def heads(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 30,
) -> None:
    """Print the heads of the tree, the newest first, and what waits to be sealed."""
    from rich.console import Console
    from rich.table import Table

    from storage import evidence, tree_heads

    def find(connection: sa.Connection) -> tuple[list[StoredHead], Waiting]:
        return tree_heads.newest_heads(connection, limit), evidence.waiting(connection)

    found, waiting = with_database(find, "Not listed")
    if found:
        table = Table("seal", "entries", "sealed", "witnesses", "root")
        for one in found:
            at, who = f"{one.sealed_at:%Y-%m-%d %H:%M:%S}", str(one.countersignatures)
            table.add_row(str(one.seal), str(one.size), at, who, one.root.hex()[:16] + "…")
        Console().print(table)
    else:
        say("Nothing was sealed yet: `dala evidence seal`, or leave it to `dala watch`.")
    if waiting.since is not None:
        since = f"{waiting.since:%Y-%m-%d %H:%M} UTC"
        say(f"Batches that wait to be sealed: {waiting.batches}, since {since}.")
    else:
        say("Nothing waits to be sealed.")


@app.command()
def head(size: Size = None, out: OutFile = None) -> None:
    """Write a head with the signatures of its witnesses: keep it, and hold later reports to it."""
    from reports.statements import sealing
    from storage import tree_heads
    from storage.database import NotFound

    def find(connection: sa.Connection) -> bytes:
        known = tree_heads.newest(connection) if size is None else tree_heads.head(connection, size)
        if known is None:
            raise NotFound("head yet: nothing was sealed")
        return sealing.signed(connection, known).file()

    _write(with_database(find, "Not written"), out)


@app.command()
def consistency(
    first: Annotated[int, typer.Argument(min=1, help="Entries of the earlier head.")],
    second: Annotated[int, typer.Argument(min=1, help="Entries of the later one.")],
    out: OutFile = None,
) -> None:
    """Write the proof that a later tree begins with an earlier: nothing sealed was changed."""
    from reports.statements import sealing

    def find(connection: sa.Connection) -> bytes:
        return sealing.consistency(connection, first, second).file()

    _write(with_database(find, "Not proved"), out)


@app.command("key")
def make_key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; not written over.")],
) -> None:
    """Make the key of a witness, offline, and print its public part for `dala report trust`."""
    from reports.statements.signing import SigningKey

    made = SigningKey.make()
    try:
        made.write(file)
    except OSError as error:
        fail(trouble(error))
    say(f"Wrote {file}: whoever reads it can sign in your name. Have the service trust this:")
    print(json.dumps(made.public))


@app.command()
def cosign(
    file: Annotated[Path, typer.Argument(help="The head, as it was pulled.")],
    key: Annotated[Path, typer.Option(help="Your private key of Ed25519 (JWK).")],
    keys: Annotated[Path, typer.Option(help="Public keys that you trust (JWKS).")],
    kept: Annotated[
        Path | None, typer.Option(help="The head that you signed last, as you kept it.")
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option("--consistency", help="What leads from the one to the other."),
    ] = None,
    is_first: Annotated[bool, typer.Option("--first", help="You never signed one before.")] = False,
    out: OutFile = None,
) -> None:
    """Sign a head as its witness, offline: only one that goes on from the head you signed last.

    What is written is posted to /v1/evidence/heads/{size}/countersignatures (scope sign:reports).
    """
    from reports.statements import findings, verifying_heads
    from reports.statements.signing import SigningKey

    if is_first == (kept is not None):
        fail("Give the head that you signed last (--kept), or say that there is none (--first).")
    try:
        mine = SigningKey.read(key)
        pinned = findings.pinned_keys(keys.read_bytes())
        signature, found = verifying_heads.witnessed(
            file.read_bytes(),
            mine,
            pinned,
            None if kept is None else kept.read_bytes(),
            [] if proof is None else [proof.read_bytes()],
        )
    except (OSError, ValueError) as error:
        fail(f"Not signed: {trouble(error)}.")
    for one in found:
        say(one.words)
    if signature is None:
        fail("Not signed.")
    _write(json.dumps(signature._asdict()).encode(), out)


@app.command()
def check(
    farm: Annotated[str | None, typer.Option(help="Short name of a farm; all by default.")] = None,
    kept: Annotated[
        Path | None,
        typer.Option(
            "--head",
            help="A head that you kept elsewhere: whoever has the key of this "
            "service can sign others here.",
        ),
    ] = None,
) -> None:
    """Look from inside whether the database still holds what was sealed, row by row.

    Forms every digest anew of the rows that are there, and the tree of them, and names what was
    changed, added or taken away since. Ends with 1 where something was.
    """
    from reports.statements import heads as files
    from seeds.services import open_services
    from storage import farms
    from storage.database import NotFound, take_time

    try:
        held = None if kept is None else files.head_of_file(kept.read_bytes())
    except (OSError, ValueError) as error:
        fail(f"{kept}: {trouble(error)}")
    with open_services("evidence") as services:
        services.check_migrated()
        snapshot = services.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        with snapshot.begin() as connection:
            take_time(connection)
            try:
                farm_id = None if farm is None else farms.get(connection, farm).id
            except NotFound:
                no_farm(connection, str(farm))
            found = _inspected(connection, farm_id, held)
    _tell(found)
    if found.count:
        raise typer.Exit(1)


def _inspected(
    connection: sa.Connection, farm_id: int | None, kept: SignedHead | None
) -> Inspected:
    from rich.console import Console
    from rich.progress import Progress

    from reports.statements import inspecting

    total = inspecting.total(connection, farm_id)
    with Progress(console=Console(stderr=True), disable=not total) as bar:
        task = bar.add_task("Looking at sealed rows", total=total)
        return inspecting.inspect(
            connection,
            farm_id=farm_id,
            kept=kept,
            on_progress=lambda entries: bar.advance(task, entries),
        )


def _tell(found: Inspected) -> None:
    if not found.heads and not found.count:
        say("Nothing was sealed yet: there is nothing to hold rows to. `dala evidence seal`")
        return
    print(
        f"Looked at {found.heads} heads, {found.entries} entries and {found.batches} batches: "
        f"{found.rows} rows are as they were sealed."
    )
    for count, words in (
        (found.waiting, "rows wait to be sealed; a change of them is found once they are."),
        (
            found.unhashed,
            "rows are from before evidence began: nothing tells whether they changed.",
        ),
        (found.dropped, "sealed rows are of batches that retention has dropped, in part at least."),
    ):
        if count:
            print(f"{count} {words}")
    for words in found.misfits:
        print(f"✗ {words}")
    if found.count > len(found.misfits):
        print(f"✗ And {found.count - len(found.misfits)} more.")
    if not found.count:
        print("✓ Nothing that was sealed was changed, added or taken away.")


def _write(content: bytes, out: Path | None) -> None:
    import sys

    if out is None:
        sys.stdout.buffer.write(content)  # no line's end: `dala verify` takes the very bytes
    else:
        save(out, content)
