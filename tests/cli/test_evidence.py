"""Verbs of the tree of evidence, as an administrator, an auditor and a witness use them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from dala import app
from reports.statements.signing import Signature
from storage import audit, tables, tree_heads
from tests.reports.statements import filed
from tests.reports.statements.sealed import put_devices, put_pending, store

Run = Callable[..., Result]
KZ61 = ("--region", "KZ-61", "--season", 2025)


@pytest.fixture
def run(empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A verb on the test database, with its key in a folder of its own."""
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    monkeypatch.setenv("DALA_REPORT_KEY_FILE", str(tmp_path / "key.jwk"))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.chdir(tmp_path)
    with empty_engine.begin() as connection:
        filed.put_country(connection)
    return lambda *words: CliRunner().invoke(app, [str(one) for one in words])


def wait(engine: sa.Engine, *numbers: int) -> None:
    with engine.begin() as connection:
        for number in numbers:
            put_pending(connection, number, [0])


def test_an_administrator_seals_and_looks_at_the_heads(run: Run, empty_engine: sa.Engine) -> None:
    assert "`dala report key` makes one" in run("evidence", "seal").stderr
    run("report", "key")
    assert "Nothing waits" in run("evidence", "seal").stderr
    none = run("evidence", "heads")
    assert (none.stdout, "Nothing was sealed yet" in none.stderr) == ("", True)
    assert "nothing was sealed" in run("evidence", "head").stderr

    wait(empty_engine, 1, 2)
    assert "wait to be sealed: 2, since " in run("evidence", "heads").stderr
    done = run("evidence", "seal")
    assert "Sealed 3 rows of 2 batches" in done.stderr
    assert "Entries added: 1; in the tree: 1. Seal 1" in done.stderr
    shown = run("evidence", "heads")
    assert done.stdout.strip()[:16] in shown.stdout
    assert "Nothing waits to be sealed." in shown.stderr
    with empty_engine.connect() as connection:
        assert audit.page(connection)[0].action == "evidence.seal"


def test_an_auditor_holds_a_report_to_the_head_that_was_kept(
    run: Run, empty_engine: sa.Engine
) -> None:
    run("report", "key")
    run("report", "keys", "--out", "keys.json")
    wait(empty_engine, 1)
    run("evidence", "seal")
    assert run("evidence", "head", "--out", "kept.json").exit_code == 0
    wait(empty_engine, 2)
    run("report", "water", *KZ61, "--file", "--out", "report.json")
    asked = ("verify", "report.json", "--keys", "keys.json", "--head", "kept.json")
    unproved = run(*asked)
    assert (unproved.exit_code, "dala evidence consistency 1 2" in unproved.stdout) == (3, True)

    run("evidence", "consistency", 1, 2, "--out", "proof.json")
    proved = run(*asked, "--consistency", "proof.json")
    assert (proved.exit_code, "begins with that of 1" in proved.stdout) == (0, True), proved.stdout
    told = json.loads(run(*asked, "--consistency", "proof.json", "--json").stdout)
    assert {one["standing"] for one in told["findings"]} == {"proved"}
    kept = Path("kept.json")
    root = json.loads(kept.read_text())["head"]["root"]
    kept.write_text(kept.read_text().replace(root, root[::-1]))
    assert run(*asked, "--consistency", "proof.json").exit_code == 1
    assert "there is no head of 7 entries" in run("evidence", "consistency", 1, 7).stderr
    assert "does not begin with" in run("evidence", "consistency", 2, 1).stderr


def test_a_witness_signs_only_what_goes_on_from_the_head_signed_last(
    run: Run, empty_engine: sa.Engine
) -> None:
    run("report", "key")
    run("report", "keys", "--out", "keys.json")
    made = run("evidence", "key", "ministry.jwk")
    Path("public.jwk").write_text(made.stdout)
    assert run("report", "trust", "public.jwk", "--owner", "the ministry").exit_code == 0
    assert run("evidence", "key", "ministry.jwk").exit_code == 1  # not written over
    for number in (1, 2):
        wait(empty_engine, number)
        run("evidence", "seal")
        run("evidence", "head", "--out", f"head-{number}.json")
    run("evidence", "consistency", 1, 2, "--out", "proof.json")
    signs = ("--key", "ministry.jwk", "--keys", "keys.json")

    first = run("evidence", "cosign", "head-1.json", *signs, "--first")
    assert first.exit_code == 0, first.stderr
    with empty_engine.begin() as connection:
        from reports.statements import sealing

        head = tree_heads.head(connection, 1)
        signature = Signature(**json.loads(first.stdout))
        sealing.countersign(connection, head, signature, author="test")
    run("evidence", "head", 1, "--out", "head-1.json")
    refused = run("evidence", "cosign", "head-2.json", *signs, "--kept", "head-1.json")
    assert (refused.exit_code, refused.stdout) == (1, "")
    run("report", "keys", "--out", "keys.json")
    asked = ("evidence", "cosign", "head-2.json", *signs, "--kept", "head-1.json")
    done = run(*asked, "--consistency", "proof.json")
    assert (done.exit_code, "begins with that of 1" in done.stderr) == (0, True), done.stderr
    back = ("evidence", "cosign", "head-1.json", *signs, "--kept", "head-2.json")
    older = run(*back, "--consistency", "proof.json")
    assert (older.exit_code, "you signed one of 2" in older.stderr) == (1, True)
    for words in ((), ("--first", "--kept", "head-1.json")):
        assert "--kept" in run("evidence", "cosign", "head-2.json", *signs, *words).stderr


def test_an_administrator_finds_a_row_that_was_changed_in_the_database(
    run: Run, empty_engine: sa.Engine
) -> None:
    assert "Nothing was sealed yet" in run("evidence", "check").stderr
    run("report", "key")
    with empty_engine.begin() as connection:
        streams = put_devices(connection)
        store(connection, [*streams.values()], count=8)
    run("evidence", "seal")
    run("evidence", "head", "--out", "kept.json")
    whole = run("evidence", "check", "--head", "kept.json")
    assert whole.exit_code == 0, whole.output
    assert "4 entries and 4 batches: 32 rows are as they were sealed" in whole.stdout
    assert "✓ Nothing that was sealed was changed" in whole.stdout

    with empty_engine.begin() as connection:
        value = sa.text("UPDATE readings SET value = 0 WHERE datastream_id = :one AND value > 0.2")
        connection.execute(value, {"one": streams["kz-61-1"]})
    found = run("evidence", "check", "--farm", "kz-61-1")
    assert found.exit_code == 1
    assert "of kz-61-1 (seal 1, entry 2): 8 readings were sealed, and as many" in found.stdout
    assert "probe-kz-61-1 soil_moisture/20" in found.stdout
    assert run("evidence", "check", "--farm", "kz-61-0").exit_code == 0
    assert "There is no farm 'nowhere'" in run("evidence", "check", "--farm", "nowhere").stderr
    assert "key.jwk: it is" in run("evidence", "check", "--head", "key.jwk").stderr
    with empty_engine.begin() as connection:  # somebody who owns the database took all away
        for table in ("head_countersignatures", "evidence_entries", "tree_heads"):
            connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            connection.execute(tables.metadata.tables[table].delete())
            connection.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    gone = run("evidence", "check", "--head", "kept.json")
    assert (gone.exit_code, "the tree has 0 alone" in gone.stdout) == (1, True)
