"""Numbers have neither gaps nor doubles, whoever files at once and whatever is taken back."""

import itertools
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from storage import filing as stored
from storage.database import make_engine
from tests.conftest import empty
from tests.reports.statements import filed

AT_ONCE = 6
KINDS = ("water", "savings", "yields")


class Regret(Exception):
    """Why a transaction is taken back."""


@pytest.fixture
def country(engine: sa.Engine) -> Iterator[sa.Engine]:
    """Connections of so many at once, on a small country."""
    with engine.begin() as connection:
        filed.put_country(connection, farms_each=2)
        filed.put_key(connection)
    made = make_engine(engine.url.render_as_string(hide_password=False), pool_size=AT_ONCE)
    yield made
    made.dispose()
    empty(engine)


def at_once(
    engine: sa.Engine, wanted: Sequence[Any], write: Callable[[sa.Connection, Any], object]
) -> int:
    """Write all of them from several threads, of which each regrets many; how often one did."""
    begin, lock, left = threading.Barrier(AT_ONCE), threading.Lock(), list(wanted)
    draw, regrets = random.Random(7), 0
    draw.shuffle(left)

    def work(_thread: int) -> None:
        nonlocal regrets
        begin.wait()
        while True:
            with lock:
                if not left:
                    return
                one, regretted = left.pop(), draw.random() < 0.4
            try:
                with engine.begin() as connection:
                    write(connection, one)
                    if regretted:
                        raise Regret
            except Regret:
                with lock:
                    left.append(one)
                    regrets += 1

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(work, range(AT_ONCE)))
    return regrets


def serials(engine: sa.Engine) -> dict[str, list[int]]:
    found = defaultdict(list)
    with engine.begin() as connection:
        for one in connection.execute(
            sa.text("SELECT kind, serial FROM filed_reports ORDER BY kind, serial")
        ):
            found[one.kind].append(one.serial)
    return dict(found)


def test_many_file_at_once_and_each_number_is_given_once(country: sa.Engine) -> None:
    subjects = [{"area": code} for code in ("KZ", "KZ-61", "KZ-43")]
    subjects += [{"farm": f"kz-{code}-{number}"} for code in (61, 43) for number in (0, 1)]
    wanted = list(itertools.product(KINDS, subjects))
    regrets = at_once(
        country, wanted, lambda connection, one: filed.file(connection, one[0], **one[1])
    )

    assert regrets > 5
    assert serials(country) == {kind: list(range(1, 8)) for kind in KINDS}
    with country.begin() as connection:
        lines = stored.page(connection)
    # Revisions are seen in the order of their ids: who pulls by `changed_since` misses none.
    times = [one.filed_at for one in lines]
    assert len(lines) == 21
    assert times == sorted(times)


def test_the_counter_alone_leaves_no_gap(country: sa.Engine) -> None:
    # Without the lock of filing, by which one waits for another before any number is given.
    def add(connection: sa.Connection, one: tuple[str, int]) -> None:
        kind, season = one
        subject = {"subject": "area:KZ", "farm_id": None, "area_code": "KZ", "season": season}
        stored.add(connection, kind=kind, year=2026, **subject)

    regrets = at_once(country, list(itertools.product(KINDS, range(2000, 2040))), add)

    assert regrets > 30
    assert serials(country) == {kind: list(range(1, 41)) for kind in KINDS}
