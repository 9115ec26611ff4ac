"""What a route demands of who calls it; one that demands nothing stops the application's start.

A route is declared with one of :func:`needs`, :func:`person` or :func:`anybody` among its
dependencies::

    @router.get("/farms", dependencies=[needs("read:farms")])
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Annotated, Any, Literal, NamedTuple, cast

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from api import bodies
from api.errors import Refused
from api.security import caller
from api.security.caller import SAFE_METHODS, Caller, is_under_own_name
from api.security.federation import Provider
from api.security.limiting import AtOnce, Limiter, subscriber
from api.security.work import THREADS, Work
from api.settings import ApiSettings
from storage import accounts, audit, tenancy
from storage.permissions import SCOPES
from storage.tenancy import Reach

_MARK = "dala_demand"
AUDITED_READS = frozenset({"read:reports"})


class Demand(NamedTuple):
    """A scope, or merely somebody who is signed in, or nothing."""

    kind: Literal["scope", "person", "anybody"]
    scope: str | None = None
    refusals: tuple[int, ...] = (401, 403, 429)


class Door:
    """What all requests share: database, settings, counts."""

    def __init__(self, engine: sa.Engine, settings: ApiSettings) -> None:
        self.engine, self.settings = engine, settings
        self.limiter = Limiter(settings)
        self.exports = AtOnce(settings.exports_at_once)
        self.threads = ThreadPoolExecutor(THREADS, "door")
        self.provider = _provider(settings)
        self.opens_at_first = settings.api_open_at_first

    @property
    def is_open(self) -> bool:
        """Whether who shows no credential may read."""
        if self.opens_at_first:
            with self.engine.begin() as connection:
                tenancy.enter_entrance(connection)
                self.opens_at_first = not accounts.someone_may_enter(connection)
        return self.settings.api_open or self.opens_at_first

    @contextmanager
    def snapshot(self, reach: Reach) -> Iterator[sa.Connection]:
        """A transaction whose every question is answered of one state; it shows what ``reach`` may.

        That of the request is READ COMMITTED, where each statement sees what was committed last.
        """
        with self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        ).begin() as connection:
            tenancy.enter(connection, reach)
            yield connection

    def ask(self, request: Request) -> tuple[str, str] | None:
        """The credential that a request shows; Refused for none, unless all may read."""
        shown = caller.credential(request, self.settings)
        if shown is None and not (self.is_open and is_under_own_name(request, self.settings)):
            raise self._unknown(request, "Sign in, or send a key in the Authorization header.")
        return shown

    def admit(
        self,
        connection: sa.Connection,
        request: Request,
        demand: Demand,
        shown: tuple[str, str] | None,
    ) -> Caller:
        """Find out who asks and whether they may; the transaction then shows what they may see."""
        if shown is None:
            found: Caller | None = caller.anybody()
        else:
            found = caller.of_request(connection, request, self.settings, shown)
        if found is None:
            raise self._unknown(request, "This credential is wrong, has expired or was revoked.")
        request.state.limits = self.limiter.hit("default", found.credential)
        if demand.kind == "person":
            if found.account is None:
                raise Refused(403, "This is for people who signed in.", kind="people-only")
        elif demand.scope not in found.scopes:
            raise Refused(403, f"This needs the scope {demand.scope}.", kind="scope-missing")
        elif demand.scope == "admin:access" and not found.reach.everything:
            raise Refused(403, "This is for who sees every farm.", kind="scope-missing")
        if demand.kind == "scope":
            snapshot = tenancy.enter(connection, found.reach)
            if shown is None or found.credential == caller.BY_SETTINGS:
                request.state.snapshot = snapshot  # nothing was looked at before
        return found

    def _unknown(self, request: Request, words: str) -> Refused:
        self.limiter.hit("sign-in", f"unknown:{house(request)}")
        return Refused(401, words, headers={"WWW-Authenticate": "Bearer"})


def _provider(settings: ApiSettings) -> Provider | None:
    if settings.oidc_issuer is None:
        return None
    if settings.public_url is None:
        raise ValueError("DALA_OIDC_ISSUER needs DALA_PUBLIC_URL, to which people are sent back")
    return Provider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret.get_secret_value(),
        settings.public_url.rstrip("/") + "/v1/session/oidc/callback",
    )


def address(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


def house(request: Request) -> str:
    """Whose attempts a request counts among: many addresses of IPv6 may be one house's."""
    return subscriber(address(request))


def needs(scope: str) -> Dependency:
    """Demand a scope; the request's transaction shows what the caller may see."""
    if scope not in SCOPES:
        raise ValueError(f"there is no scope {scope!r} in storage.permissions")
    return _guard(Demand("scope", scope))


def person() -> Dependency:
    """Demand a person who is signed in; the request's transaction stands at the entrance."""
    return _guard(Demand("person"))


def anybody(*refusals: int) -> Dependency:
    """Demand nothing; the request has no transaction.

    A route that may refuse all the same says with which codes.
    """

    async def pass_by() -> None:
        pass

    setattr(pass_by, _MARK, Demand("anybody", refusals=refusals))
    return cast("Dependency", Depends(pass_by))


def _guard(demand: Demand) -> Dependency:
    async def guard(request: Request) -> AsyncIterator[None]:
        door: Door = request.app.state.door
        work = Work(door.engine)

        def admit(connection: sa.Connection) -> None:
            request.state.caller = door.admit(connection, request, demand, shown)
            request.state.connection, request.state.demand = connection, demand

        def finish() -> None:
            _write_down(request, demand)
            work.finish()

        # Before the database is asked for anything but whether nobody has an account yet.
        asking = run_in_threadpool(door.ask, request) if door.opens_at_first else None
        shown = door.ask(request) if asking is None else await asking
        if request.method not in SAFE_METHODS:
            await request.body()  # who sends it slowly must not hold a connection meanwhile
            await bodies.check_names(request)
        try:
            await work.begin(door.threads, admit)
            request.state.finish = finish
            yield
            if work.is_open:
                await run_in_threadpool(finish)
        except BaseException as error:
            await work.give_up(error)
            raise

    setattr(guard, _MARK, demand)
    # It commits before the answer leaves: nobody is told of a commit that then fails.
    return cast("Dependency", Depends(guard, scope="function"))


def demands(app: FastAPI) -> Iterator[tuple[RouteContext, Demand]]:
    """Every route of the application with what it demands.

    Raises
    ------
    RuntimeError
        For a route that does not say whom it is for.
    """
    for route in iter_route_contexts(app.routes):
        if route.path == app.openapi_url:
            continue
        parts = route.dependant.dependencies if isinstance(route.original_route, APIRoute) else ()
        found = [getattr(part.call, _MARK) for part in parts if hasattr(part.call, _MARK)]
        if len(found) != 1:
            raise RuntimeError(
                f"{route.path} ({', '.join(sorted(route.methods or ()))}) does not say whom it is "
                "for: give it one of needs(), person() or anybody() of api.security.guard"
            )
        yield route, found[0]


# --- the book of deeds ----------------------------------------------------------------------------


class Diary:
    """Writes down what the present request does."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def note(
        self,
        action: str,
        object: str,
        *,
        farm_id: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a line that stands when the request's transaction does."""
        state = self._request.state
        state.noted = True
        audit.record(
            state.connection,
            actor=state.caller.actor,
            action=action,
            object=object,
            farm_id=farm_id,
            request_id=state.request_id,
            address=address(self._request),
            details=details,
        )


def _write_down(request: Request, demand: Demand) -> None:
    """A line for every write and every pull of a report whose route wrote none itself."""
    changes = request.method not in SAFE_METHODS
    if not changes and demand.scope not in AUDITED_READS:
        return
    if not getattr(request.state, "noted", False):
        route = request.scope["route"]
        details = {"query": request.url.query} if request.url.query else None
        Diary(request).note(route.name, request.url.path, details=details)


async def _diary(request: Request) -> Diary:
    return Diary(request)


async def _caller(request: Request) -> Caller:
    found: Caller = request.state.caller
    return found


async def _connection(request: Request) -> sa.Connection:
    found: sa.Connection = request.state.connection
    return found


Deeds = Annotated[Diary, Depends(_diary)]
WhoAsks = Annotated[Caller, Depends(_caller)]
Transaction = Annotated[sa.Connection, Depends(_connection)]
