"""Two farms, and who asks about them: did the answer take one look, or the long way?"""

import httpx
import sqlalchemy as sa

from storage import results
from tests.api.asking import Api
from tests.two_farms import Land, put_land

FARM, REGION = "/v1/farms/mine/summary", "/v1/regions/KZ-61/summary?season=2025"
COUNTRY = "/v1/country/summary?season=2025"
RESULT = {"method": "regression", "method_version": "1", "conventions": {}, "notes": []}


class World:
    """Two farms, the application, and the statements that it sends."""

    def __init__(self, engine: sa.Engine, asked: list[str]) -> None:
        self.engine, self.asked = engine, asked
        with engine.begin() as connection:
            self.mine = put_land(connection, "mine", "KZ-61")
            self.theirs = put_land(connection, "theirs", "KZ-43")
            put_result(connection, self.mine, 100.0)
        self.api = Api(engine)

    def ask(self, path: str = FARM, key: str | None = None, **headers: str) -> httpx.Response:
        self.asked.clear()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.ask("GET", path, key=key, headers=sent)

    def was_recalled(self) -> bool:
        """Whether the last request took one look, and not the long way."""
        asked = [one for one in self.asked if "set_config('role', %s, false)" not in one]
        return ["entrance.standing" in one for one in asked] == [True]

    def told_again(self, key: str | None = None, path: str = FARM) -> httpx.Response:
        """An answer that was given before, and is given again without the long way."""
        first = self.ask(path, key)
        assert first.status_code == 200, first.text
        again = self.ask(path, key)
        assert self.was_recalled(), self.asked
        assert again.content == first.content
        return again


def put_result(connection: sa.Connection, land: Land, applied_m3: float) -> None:
    values = RESULT | {"applied_m3": applied_m3, "input_digest": str(applied_m3)}
    results.put_season(connection, land.zone, values)


def applied(answer: httpx.Response) -> float:
    assert answer.status_code == 200, answer.text
    return float(answer.json()["water"]["applied_m3"])
