"""The API's role and its views, made anew whenever the tables or what is shown of them changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import sqlalchemy as sa

from storage import accounts, api_clients, tenancy
from storage.changes import SNAPSHOT
from storage.tenancy import ROLE, SCHEMAS

# Named columns and not *: the statement itself then tells when a table has another column.
_COLUMNS = sa.text("""
    SELECT relname, array_agg(quote_ident(attname) ORDER BY attnum)
      FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
       AND attnum > 0 AND NOT attisdropped
  GROUP BY relname
""")
# Functions name what they read without its schema: inside another they read what is shown there.
# They are not to be inlined: TimescaleDB then asks the reader for rights on what is below the view.
_FUNCTIONS = sa.text("""
    SELECT proname, pg_get_function_arguments(oid), pg_get_function_result(oid), prosrc
      FROM pg_proc
     WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'readings\\_%'
  ORDER BY proname
""")
_DIGEST = sa.text("SELECT obj_description(to_regnamespace('entrance'), 'pg_namespace')")
_READ, _ADD, _WRITE = "SELECT", "SELECT, INSERT", "SELECT, INSERT, UPDATE, DELETE"
_GROW = "SELECT, INSERT, UPDATE"


def drop(connection: sa.Connection) -> None:
    """Take the views away, so that a migration may change the tables below them."""
    connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {', '.join(SCHEMAS)} CASCADE"))


def ensure(connection: sa.Connection) -> None:
    """Make role and views, unless they are there as they should be.

    Raises
    ------
    PermissionError
        If the role is missing and this user may not make it.
    """
    _ensure_role(connection)
    statements = list(_statements(connection))
    digest = hashlib.sha256("\n".join(statements).encode()).hexdigest()
    if connection.scalar(_DIGEST) == digest:
        return
    drop(connection)
    for statement in statements:
        connection.execute(sa.text(statement))
    connection.execute(sa.text(f"COMMENT ON SCHEMA entrance IS '{digest}'"))


def _ensure_role(connection: sa.Connection) -> None:
    found = sa.text("SELECT count(*) FROM pg_roles WHERE rolname = :role")
    if not connection.scalar(found, {"role": ROLE}):
        try:
            with connection.begin_nested():
                connection.execute(sa.text(f"CREATE ROLE {ROLE} NOLOGIN"))
        except sa.exc.ProgrammingError as error:
            # A role is the whole server's: another database's migration may have been first.
            if getattr(error.orig, "sqlstate", None) != "42710":
                raise _cannot("made", f"CREATE ROLE {ROLE} NOLOGIN", error) from error
    able = sa.text("SELECT pg_has_role(current_user, :role, 'MEMBER')")
    if not connection.scalar(able, {"role": ROLE}):
        grant = f"GRANT {ROLE} TO CURRENT_USER"
        try:
            with connection.begin_nested():
                connection.execute(sa.text(grant))
        except sa.exc.ProgrammingError as error:
            user = connection.scalar(sa.text("SELECT quote_ident(current_user)"))
            raise _cannot("taken on", f"GRANT {ROLE} TO {user}", error) from error


def _cannot(what: str, remedy: str, error: sa.exc.ProgrammingError) -> PermissionError:
    reason = str(error.orig).splitlines()[0]
    return PermissionError(
        f"the role {ROLE}, as which the API reads, could not be {what}: {reason}. Have an "
        f"administrator of the database server run: {remedy}"
    )


def _statements(connection: sa.Connection) -> Iterator[str]:
    """The statements that make schemas and views of the tables as they are now."""
    columns = {name: ", ".join(names) for name, names in connection.execute(_COLUMNS)}
    for schema in SCHEMAS:
        yield f"CREATE SCHEMA {schema}"
        yield f"GRANT USAGE ON SCHEMA {schema} TO {ROLE}"
    gate = f"WHERE {tenancy.EVERYTHING}"
    for table, shown in tenancy.BY_FARM.items():
        if table in columns:
            rights = _WRITE if shown.writable else _ADD if shown.added_to else _READ
            theirs = f"WHERE {shown.column} IN ({tenancy.VISIBLE[shown.via]})"
            yield from _view("tenant", table, columns[table], rights, theirs, barrier=True)
            of_all = _ADD if table in tenancy.SEALED else rights
            yield from _view("country", table, columns[table], of_all, gate)
    for table in sorted(tenancy.FOR_THE_COUNTRY & set(columns)):
        yield from _view("country", table, columns[table], _WRITE, gate)
    for table in sorted(tenancy.FOR_EVERYBODY & set(columns)):
        yield from _view("tenant", table, columns[table], _READ)
        yield from _view("country", table, columns[table], _of_sealed(table), gate)
        yield from _view("entrance", table, columns[table], _READ)
    for table in sorted(tenancy.AT_THE_ENTRANCE & set(columns)):
        yield from _view("entrance", table, columns[table], _WRITE)
        yield from _view("country", table, columns[table], _WRITE, gate)
    for name, arguments, result, body in connection.execute(_FUNCTIONS):
        for schema in ("tenant", "country"):
            yield (
                f"CREATE FUNCTION {schema}.{name}({arguments}) RETURNS {result} "
                "LANGUAGE plpgsql STABLE AS $$\n#variable_conflict use_column\n"
                f"BEGIN RETURN QUERY {body}; END $$"
            )
    if "audit_log" in columns:
        yield from _diary(columns["audit_log"])
    base = connection.scalar(sa.text("SELECT quote_ident(current_schema())"))
    if "farms" in columns:
        yield from _function("farms_of_regions(text[])", _FARMS_OF_REGIONS.format(base=base))
    if "changes" in columns:
        seen, used = accounts.SEEN_EVERY, api_clients.USED_EVERY
        statement = _STANDING.format(base=base, seen=seen, used=used, snapshot=SNAPSHOT)
        yield from _function("standing(jsonb, interval)", statement)


def _of_sealed(table: str) -> str:
    """What who sees the country does with a table that everybody reads: a tile grows."""
    if table not in tenancy.SEALED:
        return _READ
    return _GROW if table == "evidence_tiles" else _ADD


def _view(
    schema: str, table: str, columns: str, rights: str, where: str = "", *, barrier: bool = False
) -> Iterator[str]:
    # The check lets nobody write a row that they would not see. Of an aggregate there is none.
    check = "WITH CHECK OPTION" if rights in {_ADD, _GROW, _WRITE} and where else ""
    options = "WITH (security_barrier = true) " if barrier else ""
    source = f"SELECT {columns} FROM {table} {where} {check}".strip()  # noqa: S608 - names of ours
    yield f"CREATE VIEW {schema}.{table} {options}AS {source}"
    yield f"GRANT {rights} ON {schema}.{table} TO {ROLE}"


def _diary(columns: str) -> Iterator[str]:
    """Everybody's deeds are written down, whatever they see of the book; nobody changes it."""
    yield from _view("entrance", "audit_log", columns, "INSERT", "WHERE false")
    for schema in SCHEMAS:
        yield f"GRANT INSERT ON {schema}.audit_log TO {ROLE}"


_FARMS_OF_REGIONS = """
    CREATE FUNCTION entrance.farms_of_regions(prefixes text[]) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {base}, pg_temp AS $$
    SELECT string_agg(id::text, ',') FROM farms
     WHERE EXISTS (SELECT FROM unnest(prefixes) AS prefix
                    WHERE prefix <> '' AND starts_with(region_code, prefix)) $$"""

# See storage.changes: of each that is asked about (credential, subjects, snapshot), whether it
# stands. It tells nothing else, whoever asks. Whose last use is to be noted goes the long way.
_STANDING = """
    CREATE FUNCTION entrance.standing(
        asked jsonb, idle interval, OUT snapshot text, OUT stands boolean[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = {base}, pg_temp AS $$
    BEGIN
        WITH each AS MATERIALIZED (
            SELECT number, one->1 AS subjects, decode(one->>0, 'hex') AS hash,
                   split_part(one->>2, '@', 1)::pg_snapshot AS seen,
                   split_part(one->>2, '@', 2) = split_part({snapshot}, '@', 2) AS is_ours
              FROM jsonb_array_elements(asked) WITH ORDINALITY AS given (one, number))
        SELECT {snapshot}, array_agg(is_ours AND (
               hash IS NULL
            OR EXISTS (SELECT FROM api_keys AS key
                         JOIN api_clients AS client ON client.id = key.client_id
                        WHERE key.key_hash = hash AND key.expires_at > now()
                          AND key.revoked_at IS NULL AND NOT client.disabled
                          AND key.last_used_at >= now() - interval '{used}')
            OR EXISTS (SELECT FROM access_tokens AS token
                         JOIN api_clients AS client ON client.id = token.client_id
                        WHERE token.token_hash = hash AND token.expires_at > now()
                          AND NOT client.disabled)
            OR EXISTS (SELECT FROM sessions AS session
                         JOIN accounts AS account ON account.id = session.account_id
                        WHERE session.token_hash = hash AND session.expires_at > now()
                          AND session.last_seen_at >= now() - interval '{seen}'
                          AND session.last_seen_at > now() - idle AND NOT account.disabled)
               ) AND NOT EXISTS (
               SELECT FROM changes
                WHERE changes.xact >= pg_snapshot_xmin(each.seen)::text::bigint
                  AND each.subjects ? changes.subject
                  AND NOT pg_visible_in_snapshot(changes.xact::text::xid8, each.seen))
               ORDER BY number)
          INTO snapshot, stands
          FROM each;
    END $$"""


def _function(signature: str, statement: str) -> Iterator[str]:
    """A function that looks past the views, for the API's role alone."""
    yield statement
    yield f"REVOKE ALL ON FUNCTION entrance.{signature} FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION entrance.{signature} TO {ROLE}"
