"""Non-routine adjustments of baselines, and forecasts: what people add to what is measured."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.dependencies import Deeds, FarmSlug, Now, Transaction, WhoAsks
from api.entering import CREATED, WITHDRAWN, OfWanted, OfZone, ThisPage, made, of_row, said
from api.errors import RequestProblem
from api.formats import TABLES
from api.idempotency import Once
from api.models_entered import AdjustmentOut, ForecastOut
from api.paging import LINK
from api.security.guard import needs
from entry import records
from entry.models import AdjustmentIn, ForecastIn
from storage import adjustments, entries, farms, forecasts
from storage.forecasts import ForecastDay

router = APIRouter(tags=["records"])

AdjustmentId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[3])]


@router.get(
    "/adjustments",
    dependencies=[needs("read:farms")],
    response_model=list[AdjustmentOut],
    responses=TABLES.responses_with(LINK),
)
def list_adjustments(wanted: OfWanted, crop_zone_id: OfZone, page: ThisPage) -> Response:
    """Non-routine adjustments in the order they were entered."""
    return page.of(
        entries.adjustments, AdjustmentOut, "adjustments", wanted, crop_zone_id=crop_zone_id
    )


@router.post(
    "/adjustments",
    status_code=201,
    dependencies=[needs("write:records")],
    response_model=AdjustmentOut,
    responses=CREATED,
)
def add_adjustment(
    asked: AdjustmentIn, connection: Transaction, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Enter what changed beside the practice that is judged, with its reason."""

    def make() -> Response:
        number, farm_id = records.enter_adjustment(connection, asked, who.actor)
        body = of_row(AdjustmentOut, entries.adjustments.get(connection, number))
        object_ = f"adjustment:{number}"
        details = asked.model_dump(mode="json")
        deeds.note("adjustment.create", object_, farm_id=farm_id, details=details)
        return made(body, f"/v1/adjustments?crop_zone_id={asked.crop_zone_id}")

    return once.answer(make)


@router.delete(
    "/adjustments/{adjustment_id}",
    status_code=204,
    dependencies=[needs("write:records")],
    responses=WITHDRAWN,
)
def withdraw_adjustment(
    adjustment_id: AdjustmentId, connection: Transaction, who: WhoAsks, deeds: Deeds
) -> None:
    """Let an adjustment stand no longer."""
    row = entries.adjustments.get(connection, adjustment_id, lock=True)
    adjustments.withdraw(connection, adjustment_id, by=who.actor)
    deeds.note("adjustment.withdraw", f"adjustment:{adjustment_id}", farm_id=row["farm_id"])


@router.post(
    "/farms/{farm}/forecasts",
    dependencies=[needs("write:records")],
    response_model=ForecastOut,
)
def put_forecast(
    farm: FarmSlug,
    asked: ForecastIn,
    connection: Transaction,
    now: Now,
    deeds: Deeds,
    once: Once,
) -> Response:
    """Keep a weather forecast for the farm's advice; the same issue again replaces its days."""

    def make() -> Response:
        of = farms.get(connection, farm)
        if asked.issued_at > now:
            raise RequestProblem("issued_at is still to come.")
        days = [ForecastDay(**day.model_dump()) for day in asked.days]
        if len({day.day for day in days}) < len(days):
            raise RequestProblem("a day stands in the forecast twice.")
        kept = forecasts.put(
            connection, of.id, days, issued_at=asked.issued_at, source=asked.source
        )
        details = {"source": asked.source, "issued_at": asked.issued_at.isoformat(), "days": kept}
        deeds.note("forecast.put", f"farm:{farm}", farm_id=of.id, details=details)
        return said(
            ForecastOut(farm=farm, source=asked.source, issued_at=asked.issued_at, days=kept)
        )

    return once.answer(make)
