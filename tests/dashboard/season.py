"""A computed season of simulated farms behind a real server, for browsers to look at."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn

from api.app import make_app
from api.security import passwords
from api.settings import ApiSettings
from bench import seeding
from ingest.storing import Line
from seeds.farms import catalogue
from storage import farms as farm_rows
from tests.api.asking import PASSWORD, QUICK, put_account

ROOT = Path(__file__).resolve().parents[2]
DAY = "2025-07-20"  # in the middle of the season
FARM = "turkistan-01"
AFTER = dt.datetime(2025, 12, 1, tzinfo=dt.UTC)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def put_season(engine: sa.Engine, count: int = 1) -> None:
    """Farms with what their devices said through ingest, and what analysis made of it."""
    season = seeding.register(engine, catalogue(count))
    seeding.store(Line(engine), season, None, AFTER)
    seeding.analyse(engine, AFTER)
    with engine.connect() as connection:
        farm = farm_rows.get(connection, FARM).id
    put_account(engine, "aigul", "operator", farm_ids=[farm], language="kk")
    put_account(engine, "reader", "reader", farm_ids=[farm], language="en")
    put_account(engine, "newcomer", "operator", farm_ids=[], language="en")


@contextlib.contextmanager
def serving(engine: sa.Engine, **settings: Any) -> Iterator[str]:
    """The API and its page on a port of their own; the address."""
    earnest, passwords._HASHER = passwords._HASHER, QUICK  # argon2 is slow on purpose
    quiet: dict[str, Any] = {"api_rate_per_minute": 0, "sign_in_rate_per_minute": 1_000_000}
    app = make_app(engine, ApiSettings(**(quiet | settings)))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)  # who comes before the server is up waits
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listening.close()
        passwords._HASHER = earnest


def browser_program() -> str | None:
    """Where a Chromium is, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


# The map draws by software where there is no graphics card; root may not use the sandbox.
BROWSER_ARGUMENTS = ["--no-sandbox", "--enable-unsafe-swiftshader"]

__all__ = [
    "AFTER",
    "BROWSER_ARGUMENTS",
    "DAY",
    "FARM",
    "PASSWORD",
    "browser_program",
    "put_season",
    "serving",
]
