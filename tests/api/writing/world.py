"""Two farms, who may write on them, and what they write."""

import itertools
from typing import Any

import sqlalchemy as sa

from storage import audit
from tests.api.asking import Api, put_key
from tests.two_farms import Land, put_land

# A degree at 43.3° N on WGS 84: 111,132.95 - 559.82 cos 2φ + 1.18 cos 4φ = 111,098.6 m of
# latitude, 111,412.84 cos φ - 93.5 cos 3φ + 0.12 cos 5φ = 81,142.9 m of longitude.
NORTH, EAST = 500 / 111_098.6, 500 / 81_142.9


def square(west: float = 68.25, south: float = 43.3, size: float = 1.0) -> dict[str, Any]:
    """25 ha, or that times the square of its size."""
    east, north = west + EAST * size, south + NORTH * size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


TABLES = ("fields", "irrigation_events", "harvest_loads", "non_routine_adjustments")
NUMBERS = itertools.count(1)


class World:
    """Two farms; a key of one, and one that sees all. Every test has its own."""

    def __init__(self, engine: sa.Engine, api: Api) -> None:
        self.api = api
        self.engine, number = engine, next(NUMBERS)
        self.slug, self.name = f"mine-{number}", f"right-{number}"
        with engine.begin() as connection:
            self.mine: Land = put_land(connection, self.slug, "KZ-61")
            self.theirs: Land = put_land(connection, f"foe-{number}", "KZ-43")
        self.key = put_key(engine, self.name, farm_ids=[self.mine.farm])
        self.boss = put_key(engine, f"boss-{number}", everything=True)
        self.foreign = put_key(engine, f"foreign-{number}", regions=["KZ-43"])
        self.actor = f"client:{self.name}"
        self._before = {table: self._rows(table) for table in TABLES}

    def ask(self, method: str, path: str, status: int, **more: Any) -> Any:
        more.setdefault("key", self.key)
        path = path.replace("farms/mine", f"farms/{self.slug}")
        answer = self.api.ask(method, f"/v1/{path}", **more)
        assert answer.status_code == status, answer.text
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
        return answer

    def post(self, path: str, body: Any, status: int = 201, **more: Any) -> Any:
        return self.ask("POST", path, status, json=body, **more)

    def send(self, path: str, content: bytes, status: int = 200, **more: Any) -> Any:
        return self.ask("POST", path, status, content=content, **more)

    def deeds(self, farm_id: int) -> list[audit.Deed]:
        query = sa.text(
            "SELECT id, at, actor, action, object, farm_id, request_id, address, details "
            "FROM audit_log WHERE farm_id = :farm ORDER BY id"
        )
        with self.engine.connect() as connection:
            return [audit.Deed(*row) for row in connection.execute(query, {"farm": farm_id})]

    def count(self, table: str) -> int:
        """Rows that came since the test began."""
        return self._rows(table) - self._before[table]

    def _rows(self, table: str) -> int:
        query = sa.select(sa.func.count()).select_from(sa.table(table))
        with self.engine.connect() as connection:
            return int(connection.scalar(query) or 0)


EVENT = {
    "started_at": "2025-06-12T06:00:00+05:00",
    "ended_at": "2025-06-12T18:00:00+05:00",
    "volume_m3": 3200.0,
}


def zone_of(field_id: int, **more: Any) -> dict[str, Any]:
    return {
        "field_id": field_id,
        "season": 2025,
        "crop": "maize",
        "planted": "2025-05-01",
        "harvested": "2025-09-10",
        "crop_parameters": {"name": "maize-grain"},
    } | more


def ring(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(point) for point in (*points, points[0])]]}


BOW_TIE = ring((68.0, 43.0), (68.01, 43.01), (68.01, 43.0), (68.0, 43.01))
