"""Farms to sign in for, attempts to, and what the book says of them."""

import datetime as dt

import httpx
import sqlalchemy as sa

from storage import audit, farms
from storage.farms import Region
from tests.api.asking import Api

HOUR = dt.timedelta(hours=1)
NEW = "ten thousand sheep"
WRONG = "wrong"


def is_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    body: dict[str, object] = answer.json()
    assert body["type"] == f"urn:dala:problem:{kind}"
    return body


def put_farm(engine: sa.Engine, slug: str, region: str) -> int:
    place = {"latitude_deg": 43.0, "longitude_deg": 76.0, "elevation_m": 700.0}
    with engine.begin() as connection:
        farms.put_region(connection, Region(region, region[-2:], region, region, region))
        return farms.put(
            connection, slug, name=slug, region_code=region, timezone="Asia/Almaty", **place
        )


def actions(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return [deed.action for deed in audit.page(connection)][::-1]


def try_password(api: Api, login: str, password: str = WRONG) -> httpx.Response:
    return api.ask("POST", "/v1/session", json={"login": login, "password": password})
