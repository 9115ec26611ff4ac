"""Asks everything that the OpenAPI document says can be asked, and things that it does not.

Schemathesis makes requests of the document, operation by operation and along its links, as a person
who administers and as one who operates a farm. No answer may be our fault, be of a kind that the
document does not name, or show a row of another's farm.

    python -m tests.api.hammer --requests 10100
"""

from __future__ import annotations

import argparse
import datetime as dt
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
from api import serving
from api.app import make_app
from api.security import tokens
from api.settings import ApiSettings
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from storage import accounts, fields, tables
from storage.database import make_engine
from tests.api.asking import put_account
from tests.two_farms import KEY, put_land

FOREIGN = "zzforeignzz"  # in every name of the other farm
CREDENTIALS = {"authorization", "cookie", "x-csrf-token"}
LOGINS = {"administrator": "boss", "operator": "erlan"}


class World(NamedTuple):
    """A served API, and the farm that the operator sees."""

    url: str
    engine: sa.Engine
    farm: int


def put_world(engine: sa.Engine) -> int:
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
    for role, login in LOGINS.items():
        put_account(engine, login, role, farm_ids=[] if role == "administrator" else [mine.farm])
    return mine.farm


class Person:
    """Somebody who is signed in, and signs in again when what they asked for ended that."""

    def __init__(self, world: World, role: str) -> None:
        self._world, self._role = world, role
        self._token = ""
        self.sign_in()

    def ask(self, case: Any) -> dict[str, Any]:
        """With what a case is sent: in place of credentials that were made up, one's own."""
        case.cookies = {"dala_session": self._token}
        for name in [one for one in case.headers or () if one.lower() in CREDENTIALS]:
            del case.headers[name]
        return {"headers": {"X-CSRF-Token": tokens.csrf_of(self._token)}, "timeout": 60}

    def sign_in(self) -> None:
        """Open a session of the account, as it was made."""
        self._token, account = tokens.make(), tables.accounts
        with self._world.engine.begin() as connection:
            of = accounts.get(connection, LOGINS[self._role])
            farms = [] if self._role == "administrator" else [self._world.farm]
            as_made = {"role": self._role, "farm_ids": farms, "regions": [], "disabled": False}
            connection.execute(sa.update(account).where(account.c.id == of.id).values(**as_made))
            accounts.open_session(
                connection,
                of.id,
                tokens.digest(self._token),
                lives=dt.timedelta(days=1),
                address="",
                user_agent="",
            )

    def heard(self, response: Any) -> None:
        """Take note of an answer that lets one no longer in, or who administers not everywhere."""
        if response.status_code in ({401, 403} if self._role == "administrator" else {401}):
            self.sign_in()


@contextmanager
def served(engine: sa.Engine) -> Iterator[str]:
    """The application on a port of this machine."""
    quiet: dict[str, Any] = {"api_rate_per_minute": 0, "sign_in_rate_per_minute": 1_000_000}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report-key.jwk"
        KEY.write(file)
        app = make_app(engine, ApiSettings(**quiet, report_key_file=file))
        config = serving.config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
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
    **dict.fromkeys(("supply_id", "investment_id", "decision_id"), (1, 2, 3)),
    **dict.fromkeys(("placement_id", "calibration_id", "subscription_id", "key_id"), (1, 2)),
    "number": tuple(f"water-{dt.datetime.now(dt.UTC).year}-000{place}" for place in (1, 2)),
    "login": tuple(LOGINS.values()),
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
        for name in ("field_id", "crop_zone_id", "farm"):
            if name in case.body and chance.random() < 0.8:
                case.body[name] = chance.choice(THERE[name])
    aim_stream(case)


def aim_stream(case: Any) -> None:
    """Ask for a stream of events that ends when it has told what there is."""
    if case.path == "/v1/events":
        case.query = {**(case.query or {}), "seconds": 0}


RUN = 10
WRONG = (Exception, BaseExceptionGroup)  # what checks raise is a group, and no Exception

CHECKS = (
    known_checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
)


class Found:
    """What a run came to."""

    def __init__(self) -> None:
        self.along_links = 0  # requests
        self.statuses: Counter[int] = Counter()
        self.failures: dict[str, str] = {}  # by operation

    @property
    def requests(self) -> int:
        """How many there were."""
        return self.statuses.total()


SETTINGS = hypothesis.settings(
    deadline=None,
    database=None,
    derandomize=False,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    stateful_step_count=6,
    print_blob=False,
)


class Hammer:
    """Asks as a role, until there were so many requests."""

    def __init__(self, world: World, role: str, seed: int = 1) -> None:
        self._schema = schemathesis.openapi.from_url(f"{world.url}/v1/openapi.json")
        self._person = Person(world, role)
        self._chance = random.Random(seed)
        self._seed = seed
        self._checks = [*CHECKS, *([shows_nothing_foreign] if role == "operator" else [])]
        self.found = Found()

    def singly(self, requests: int) -> None:
        """Ask each operation for itself, in rounds."""
        operations = [result.ok() for result in self._schema.get_all_operations()]
        until = self.found.requests + requests
        while self.found.requests < until:
            left = until - self.found.requests
            settings = hypothesis.settings(SETTINGS, max_examples=-(-left // len(operations)))
            for operation in operations:
                asking = hypothesis.given(operation.as_strategy())(self._ask)
                try:
                    hypothesis.seed(self._next_seed())(settings(asking))()
                except WRONG as error:
                    self.found.failures.setdefault(operation.label, _words(error))

    def along_links(self, requests: int) -> None:
        """Ask for what answers name, and for what was made before."""
        hammer, before = self, self.found.requests

        class Asking(self._schema.as_state_machine()):  # type: ignore[misc]
            def get_call_kwargs(self, case: Any) -> dict[str, Any]:
                aim_stream(case)
                return hammer._person.ask(case)

            def validate_response(self, response: Any, case: Any, **_: Any) -> None:
                # Noted and not raised: what a run along links asks depends on what it was answered,
                # so that it can seldom be tried again as it was, and would then count as flaky.
                try:
                    hammer._hear(response, case)
                except WRONG as error:
                    label = f"along the links: {case.operation.label}"
                    hammer.found.failures.setdefault(label, _words(error))

        while self.found.requests < before + requests:
            some = hypothesis.settings(SETTINGS, max_examples=RUN)
            try:
                hypothesis.seed(self._next_seed())(Asking).run(settings=some)
            except hypothesis.errors.Flaky:
                continue  # a step is another than it was first: what was wrong was noted
            except WRONG as error:
                self.found.failures.setdefault("along the links", _words(error))
        self.found.along_links += self.found.requests - before

    def _ask(self, case: Any) -> None:
        aim(case, self._chance)
        self._hear(case.call(**self._person.ask(case)), case)

    def _hear(self, response: Any, case: Any) -> None:
        self.found.statuses[response.status_code] += 1
        self._person.heard(response)
        case.validate_response(response, checks=self._checks)

    def _next_seed(self) -> int:
        self._seed += 1
        return self._seed


def hammer(world: World, role: str, *, singly: int, along_links: int, seed: int = 1) -> Found:
    """Ask as a role, so many requests of each kind or a few more."""
    made = Hammer(world, role, seed)
    made.singly(singly)
    made.along_links(along_links)
    return made.found


def _words(error: BaseException) -> str:
    parts = getattr(error, "exceptions", (error,))
    return " | ".join(str(part).replace("\n", " ")[:1_500] for part in parts)


def main() -> int:
    """Ask so many requests of a database of its own, half of them as each role."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    wrong = total = 0
    with tempfile.TemporaryDirectory(prefix="dala-hammer-") as home:
        settings = EmbeddedSettings(home=Path(home))
        with open_embedded(settings, verb="test", broker=False) as servers:
            engine = make_engine(servers.database_url, pool_size=10)
            migrations.upgrade(engine)
            with served(engine) as url:
                world = World(url, engine, put_world(engine))
                for role in LOGINS:
                    share = -(-asked.requests // len(LOGINS))
                    along = share // 3
                    found = hammer(
                        world, role, singly=share - along, along_links=along, seed=asked.seed
                    )
                    sys.stdout.write(
                        f"{role}: {found.requests} requests, {found.along_links} of them along "
                        f"links; answers {dict(sorted(found.statuses.items()))}; "
                        f"{len(found.failures)} wrong\n"
                    )
                    for operation, words in found.failures.items():
                        sys.stdout.write(f"  {operation}: {words}\n")
                    wrong, total = wrong + len(found.failures), total + found.requests
            engine.dispose()
    sys.stdout.write(f"{total} requests, {wrong} operations with a wrong answer\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
