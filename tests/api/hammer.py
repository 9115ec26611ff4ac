"""Asks everything that the OpenAPI document says can be asked, and things that it does not.

Schemathesis makes requests of the document, operation by operation and along its links. No answer
may be our fault, be of a kind that the document does not name, or show a row of another's farm.

    python -m tests.api.hammer --requests 10000
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import hypothesis.errors
import schemathesis
import sqlalchemy as sa
import uvicorn
from hypothesis import HealthCheck, Phase
from schemathesis import checks as known_checks
from schemathesis.checks import CheckContext
from schemathesis.specs.openapi import checks as openapi_checks

import migrations
from api.app import make_app
from api.settings import ApiSettings
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from storage import fields
from storage.database import make_engine
from tests.api.asking import put_key
from tests.two_farms import put_land

FOREIGN = "zzforeignzz"  # in every name of the other farm
# A stream that lives as long as its client is held by tests of its own.
LEFT_OUT = {"/v1/live", "/v1/events"}


class World(NamedTuple):
    """A served API and who asks."""

    url: str
    keys: dict[str, str]  # by role


def put_world(engine: sa.Engine) -> dict[str, str]:
    """Two farms, an administrator, and an operator of one of them."""
    with engine.begin() as connection:
        mine = put_land(connection, "mine", "KZ-61")
        theirs = put_land(connection, FOREIGN, "KZ-43")
        fields.put(
            connection,
            farm_id=theirs.farm,
            name=f"{FOREIGN}-field",
            area_ha=1.0,
            area_source="stated",
            soil={},
            soil_source="stated",
        )
    return {
        "administrator": put_key(engine, "administrator", everything=True),
        "operator": put_key(engine, "operator", farm_ids=[mine.farm]),
    }


@contextmanager
def served(engine: sa.Engine) -> Iterator[str]:
    """The application on a port of this machine."""
    quiet: dict[str, Any] = {"api_rate_per_minute": 0, "sign_in_rate_per_minute": 1_000_000}
    app = make_app(engine, ApiSettings(**quiet))
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def shows_nothing_foreign(_context: CheckContext, response: Any, case: Any) -> bool | None:
    """An operator of one farm is shown nothing of the other, unless they said it themselves."""
    said = f"{case.path_parameters}{case.query}{case.body}"
    if FOREIGN.encode() in response.content and FOREIGN not in said:
        raise AssertionError(f"a foreign row: {response.content[:300]!r}")
    return None


# What is there, mine and foreign: a number made up by chance is hardly ever anything's.
THERE = {
    "farm": ("mine", FOREIGN),
    "device_id": ("mine-probe", f"{FOREIGN}-probe"),
    "code": ("KZ-61", "KZ-43"),
    **dict.fromkeys(("field_id", "crop_zone_id", "datastream_id"), (1, 2, 3)),
    **dict.fromkeys(("event_id", "load_id", "adjustment_id", "alert_id"), (1, 2, 3, 4, 5)),
}
_SPAN = {"start": "2025-06-01T00:00:00Z", "end": "2025-06-03T00:00:00Z"}
USUAL = {"season": 2025, "kind": "irrigation-events", **_SPAN}


def aim(case: Any, chance: random.Random) -> None:
    """Let most requests ask for what is there, as they else are."""
    for given, known in ((case.path_parameters, THERE), (case.query, USUAL)):
        for name in given or ():
            if name in known and chance.random() < 0.8:
                value = known[name]
                given[name] = chance.choice(value) if isinstance(value, tuple) else value
    if isinstance(case.body, dict):
        for name in ("field_id", "crop_zone_id"):
            if name in case.body and chance.random() < 0.8:
                case.body[name] = chance.choice(THERE[name])


RUN = 10
WRONG = (Exception, BaseExceptionGroup)  # what checks raise is a group, and no Exception

CHECKS = (
    known_checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
)


class Found(NamedTuple):
    """What a run came to."""

    requests: int
    along_links: int  # of those
    statuses: Counter[int]
    failures: dict[str, str]  # by operation


def hammer(world: World, role: str, *, examples: int, steps: int, seed: int = 1) -> Found:
    """Ask as a role: so many requests of each operation, and runs along the links."""
    headers = {"Authorization": f"Bearer {world.keys[role]}"}
    schema = schemathesis.openapi.from_url(f"{world.url}/v1/openapi.json")
    checks = list(CHECKS) + ([shows_nothing_foreign] if role == "operator" else [])
    statuses: Counter[int] = Counter()
    failures: dict[str, str] = {}
    settings = hypothesis.settings(
        max_examples=max(examples, 1),
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        stateful_step_count=6,
        print_blob=False,
    )

    chance = random.Random(seed)

    def ask(case: Any) -> None:
        aim(case, chance)
        response = case.call(headers=headers, timeout=60)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=checks)

    for result in schema.get_all_operations() if examples else ():
        operation = result.ok()
        if operation.path in LEFT_OUT:
            continue
        tried = hypothesis.seed(seed)(settings(hypothesis.given(operation.as_strategy())(ask)))
        try:
            tried()
        except WRONG as error:
            failures[operation.label] = _words(error)
    singly = sum(statuses.values())
    if steps:
        _along_links(schema, settings, headers, checks, steps, statuses, failures)
    requests = sum(statuses.values())
    return Found(requests, requests - singly, statuses, failures)


def _along_links(
    schema: Any,
    settings: Any,
    headers: dict[str, str],
    checks: list[Any],
    steps: int,
    statuses: Counter[int],
    failures: dict[str, str],
) -> None:
    machine = schema.as_state_machine()

    class Asking(machine):  # type: ignore[misc, valid-type]
        def get_call_kwargs(self, _case: Any) -> dict[str, Any]:
            return {"headers": headers, "timeout": 60}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            # Noted and not raised: what a run along links asks depends on what it was answered, so
            # that it can seldom be tried again as it was, and would then count as flaky.
            statuses[response.status_code] += 1
            try:
                case.validate_response(response, checks=checks)
            except WRONG as error:
                failures.setdefault(f"along the links: {case.operation.label}", _words(error))

    # A run ends where an answer makes the next step another than it was when first tried. What was
    # wrong up to there has been noted.
    for seed in range(0, steps, RUN):
        try:
            some = hypothesis.settings(settings, max_examples=min(RUN, steps - seed))
            hypothesis.seed(seed)(Asking).run(settings=some)
        except hypothesis.errors.Flaky:
            continue
        except WRONG as error:
            failures["along the links"] = _words(error)


def _words(error: BaseException) -> str:
    parts = getattr(error, "exceptions", (error,))
    return " | ".join(str(part).replace("\n", " ")[:1_500] for part in parts)


def main() -> int:
    """Ask so many requests of a database of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="dala-hammer-") as home:
        settings = EmbeddedSettings(home=Path(home))
        with open_embedded(settings, verb="test", broker=False) as servers:
            engine = make_engine(servers.database_url, pool_size=10)
            migrations.upgrade(engine)
            with served(engine) as url:
                world = World(url, put_world(engine))
                for role in world.keys:
                    operations = 90  # about
                    examples = max(asked.requests // 2 // operations, 1)
                    found = hammer(world, role, examples=examples, steps=examples, seed=asked.seed)
                    sys.stdout.write(
                        f"{role}: {found.requests} requests, {found.along_links} of them "
                        f"along links, {dict(found.statuses)}\n"
                    )
                    for operation, words in found.failures.items():
                        sys.stdout.write(f"  {operation}: {words}\n")
                    wrong += len(found.failures)
            engine.dispose()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
