"""A database for one purpose: embedded, in a folder of its own, migrated, and gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

import migrations
from embedded.children import ChildError
from embedded.home import EmbeddedSettings
from embedded.postgres import SPACE_NEEDED
from embedded.stack import open_embedded
from storage.database import make_engine

STATEMENT_TIMEOUT_S = 3_600  # filling and packing take long


@contextmanager
def open_own(verb: str, room: int = 0, folder: Path | None = None) -> Iterator[sa.Engine]:
    """An engine on a database that nobody else knows of; below ``folder`` if that is given.

    ``room`` is how many bytes are to be put into it.

    Raises
    ------
    embedded.children.ChildError
        If it cannot be started, or there is no room for it; the message says why.
    """
    with tempfile.TemporaryDirectory(prefix=f"dala-{verb}-", dir=folder) as made:
        needed, free = SPACE_NEEDED + room, shutil.disk_usage(made).free
        if free < needed:
            raise ChildError(
                f"{made} has {free / 2**20:,.0f} MB free, and a database for this takes "
                f"{needed / 2**20:,.0f} MB: set TMPDIR to a folder that has more."
            )
        settings = EmbeddedSettings(home=Path(made) / "home")
        with open_embedded(settings, verb=verb, broker=False) as servers:
            engine = make_engine(
                servers.database_url,
                statement_timeout_s=STATEMENT_TIMEOUT_S,
                application=f"dala {verb}",
            )
            try:
                migrations.upgrade(engine)
                yield engine
            finally:
                engine.dispose()
