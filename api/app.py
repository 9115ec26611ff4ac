"""The application: routes, errors, and the engine they share."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import Depends, FastAPI

from api import errors
from api.answers import Answers
from api.dependencies import check_token
from api.models import Problem
from api.routes import advice, devices, farms, health, work, yield_map

DESCRIPTION = """Readings of sensors and machines, and what analytics made of them: water applied,
saved and consumed, and yields, each with its coverage and method. Times are RFC 3339 in UTC, a day
is the farm's local day, units stand in the names."""


def make_app(engine: sa.Engine, *, token: str | None = None) -> FastAPI:
    """Make the application on an engine; with a token, every request must carry it."""
    app = FastAPI(
        title="Dala",
        version="1",
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its page would load a script from elsewhere
        redoc_url=None,
        responses={
            code: {
                "description": errors.TITLES[code],
                "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
            }
            for code in (401, 404, 422, 503)
        },
    )
    app.state.engine = engine
    app.state.token = token
    app.state.answers = Answers()
    errors.add_handlers(app)
    app.include_router(health.router, prefix="/v1")
    for router in (farms.router, advice.router, devices.router, work.router, yield_map.router):
        app.include_router(router, prefix="/v1", dependencies=[Depends(check_token)])
    return app
