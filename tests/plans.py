"""The plans of whatever is asked of readings and tracks, whoever asks it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import psycopg

from storage.arrays import _ArrayDumper

BIG = re.compile(r"\b(readings|track_points|readings_hourly|readings_daily|readings_by_\w+)\b")
_ASKS = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_COPY_OUT = re.compile(r"\s*COPY \((.*)\) TO STDOUT", re.IGNORECASE | re.DOTALL)
_CALL = re.compile(r"(?:\w+\.)?(\w+)\((.*)\)", re.DOTALL)
_BODY = """
    SELECT prosrc, proargnames, pronargs, proargtypes::regtype[]::text[],
           prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')
      FROM pg_proc WHERE oid = to_regproc(%s)
"""
# What a function that is called for each row of another table is called with.
_OF_A_ROW = re.compile(r"\w+\.\w+")
_SAMPLES = {
    "integer": ("1",),
    "timestamp with time zone": (
        "'2025-06-01 00:00:00+00'::timestamptz",
        "'2025-06-20 00:00:00+00'::timestamptz",
    ),
}


class Planned(NamedTuple):
    """A statement, and the nodes of its plan and of the functions that it calls."""

    statement: str
    nodes: list[dict[str, Any]]


@contextmanager
def watched() -> Iterator[list[Planned]]:
    """Explain each statement that touches readings or tracks just before it is run.

    On its own connection, so with the role, the search path and the temporary tables it has.
    """
    seen: list[Planned] = []
    execute, many, copy = (
        getattr(psycopg.Cursor, name) for name in ("execute", "executemany", "copy")
    )

    def look(cursor: psycopg.Cursor[Any], query: Any, parameters: Any) -> None:
        text = query if isinstance(query, str) else query.as_string(cursor)
        if found := _COPY_OUT.match(text):
            text = found.group(1)
        if _ASKS.match(text) and BIG.search(text):
            seen.append(Planned(text, list(_explain(cursor.connection, text, parameters))))

    def _explain(connection: Any, text: str, parameters: Any) -> Iterator[dict[str, Any]]:
        with psycopg.Cursor(connection) as own:
            own.adapters.register_dumper(np.ndarray, _ArrayDumper)
            execute(own, f"EXPLAIN (VERBOSE, FORMAT JSON) {text}", parameters)
            ((plan,),) = own.fetchall()
        for node in _nodes(plan[0]["Plan"]):
            yield node
            if BIG.search(node.get("Function Name", "")):
                yield from _explain(connection, _inside(connection, node["Function Call"]), None)

    def _inside(connection: Any, call: str) -> str:
        """The query of a function, with what it was called with in place."""
        found = _CALL.match(call)
        assert found is not None
        with psycopg.Cursor(connection) as own:
            execute(own, _BODY, (found.group(1),))
            ((body, names, count, types, procedural),) = own.fetchall()
        values = [value.strip() for value in found.group(2).split(",")]
        samples = {kind: iter(each) for kind, each in _SAMPLES.items()}
        for place, value in enumerate(values):
            if _OF_A_ROW.fullmatch(value):
                values[place] = next(samples[types[place]])
        given = dict(zip(names[:count], values, strict=True))
        body = re.sub(
            rf"(?<![\w.])({'|'.join(given)})\b", lambda found: given[found.group(1)], body
        )
        if procedural:
            body = body[body.index("RETURN QUERY") + len("RETURN QUERY") : body.rindex("; END")]
        return str(body)

    def new_execute(self: Any, query: Any, params: Any = None, **more: Any) -> Any:
        look(self, query, params)
        return execute(self, query, params, **more)

    def new_many(self: Any, query: Any, params_seq: Any, **more: Any) -> Any:
        rows = list(params_seq)
        look(self, query, rows[0])
        return many(self, query, rows, **more)

    def new_copy(self: Any, statement: Any, params: Any = None, **more: Any) -> Any:
        look(self, statement, params)
        return copy(self, statement, params, **more)

    psycopg.Cursor.execute = new_execute  # type: ignore[method-assign]
    psycopg.Cursor.executemany = new_many  # type: ignore[method-assign]
    psycopg.Cursor.copy = new_copy  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign]
        psycopg.Cursor.executemany = many  # type: ignore[method-assign]
        psycopg.Cursor.copy = copy  # type: ignore[method-assign]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)
