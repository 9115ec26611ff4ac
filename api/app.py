"""The application: routes, errors, who may ask, and the engine they share."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from api import described, errors, page
from api.answers import Answers
from api.envelope import REQUEST_ID, Envelope
from api.live import Live
from api.metrics import Metrics
from api.recall import Recall, Recalling
from api.routes import (
    accounts,
    adjustments,
    advice,
    alert_rules,
    alerts,
    audit,
    clients,
    country,
    crop_zones,
    day_map,
    decisions,
    device_states,
    devices,
    evidence,
    farms,
    federated,
    fields,
    fields_written,
    harvest,
    health,
    histories,
    imports,
    irrigation,
    live,
    machines,
    oauth,
    onboarding,
    programme,
    report_evidence,
    report_schedules,
    reports,
    session,
    soil_moisture,
    subscriptions,
    work,
    yield_map,
)
from api.security.guard import Door, demands
from api.settings import ApiSettings

DESCRIPTION = """Readings of sensors and machines, and what analytics made of them: water applied,
saved and consumed, and yields, each with its coverage and method. Times are RFC 3339 in UTC, a day
is the farm's local day, units stand in the names."""

# Headers that a page of another origin may send.
ASKED_FROM_ELSEWHERE = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-CSRF-Token",
]

# Headers of answers that such a page may read.
TOLD_ELSEWHERE = [
    "Content-Disposition",
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    REQUEST_ID,
]

ROUTERS = (
    health.router,
    farms.router,
    country.router,
    fields.router,
    soil_moisture.router,
    fields_written.router,
    crop_zones.router,
    irrigation.router,
    harvest.router,
    adjustments.router,
    imports.router,
    advice.router,
    decisions.router,
    day_map.router,
    alerts.router,
    alert_rules.router,
    subscriptions.router,
    live.router,
    devices.router,
    device_states.router,
    onboarding.router,
    histories.router,
    work.router,
    machines.router,
    yield_map.router,
    programme.router,
    reports.router,
    report_evidence.router,
    evidence.router,
    report_schedules.router,
    session.router,
    federated.router,
    accounts.router,
    clients.router,
    oauth.router,
    audit.router,
)


def make_app(engine: sa.Engine, settings: ApiSettings | None = None) -> FastAPI:
    """Make the application on an engine; it takes on the role that reads views alone.

    Raises
    ------
    RuntimeError
        For a route that does not say whom it is for.
    """
    settings = settings or ApiSettings()
    app = FastAPI(
        title="Dala",
        version="1",
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its page would load a script from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # a path is right or it is not there
        # What clients that are made of the document call it; FastAPI asks for them to be unique.
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.door = Door(engine, settings)
    app.state.answers = Answers()
    app.state.recall = Recall(app.state.door, app.state.answers)
    app.state.live = Live(engine)
    app.state.metrics = Metrics(engine)
    errors.add_handlers(app)
    for router in ROUTERS:
        app.include_router(router, prefix="/v1")
    app.include_router(page.router)
    list(demands(app))  # raises for a route that demands nothing
    described.describe(app)
    app.add_middleware(Recalling, recall=app.state.recall)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=ASKED_FROM_ELSEWHERE,
            expose_headers=TOLD_ELSEWHERE,
        )
    app.add_middleware(Envelope, settings=settings, metrics=app.state.metrics)
    return app
