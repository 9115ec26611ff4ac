"""Water supplies and investments: what statements need beside what is measured."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.dependencies import Deeds, Now, Transaction, WhoAsks
from api.entering import CREATED, WITHDRAWN, OfFarm, OfWanted, ThisPage, Wanted, made, of_row
from api.formats import TABLES
from api.idempotency import Once
from api.models_programme import InvestmentOut, SupplyOut
from api.paging import LINK
from api.security.guard import needs
from entry import records
from entry.models import InvestmentIn, SupplyIn
from storage.programme import investments, water_supplies

router = APIRouter(tags=["records"])

SupplyId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[4])]
InvestmentId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[2])]


@router.get(
    "/water-supplies",
    dependencies=[needs("read:farms")],
    response_model=list[SupplyOut],
    responses=TABLES.responses_with(LINK),
)
def list_water_supplies(wanted: OfWanted, page: ThisPage) -> Response:
    """Where the water of fields comes from, in the order in which it was entered."""
    return page.of(water_supplies, SupplyOut, "water-supplies", wanted)


@router.post(
    "/water-supplies",
    status_code=201,
    dependencies=[needs("write:records")],
    response_model=SupplyOut,
    responses=CREATED,
)
def add_water_supply(
    asked: SupplyIn, connection: Transaction, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Enter where the water of a field comes from, from a day on, and its tariff."""

    def enter() -> Response:
        number, farm_id = records.enter_supply(connection, asked, who.actor)
        body = of_row(SupplyOut, water_supplies.get(connection, number))
        details = asked.model_dump(mode="json")
        object_ = f"water-supply:{number}"
        deeds.note("supply.create", object_, farm_id=farm_id, details=details)
        return made(body, f"/v1/water-supplies?field_id={asked.field_id}")

    return once.answer(enter)


@router.delete(
    "/water-supplies/{supply_id}",
    status_code=204,
    dependencies=[needs("write:records")],
    responses=WITHDRAWN,
)
def withdraw_water_supply(
    supply_id: SupplyId, connection: Transaction, who: WhoAsks, deeds: Deeds
) -> None:
    """Let a water supply stand no longer."""
    row = water_supplies.get(connection, supply_id, lock=True)
    water_supplies.withdraw(connection, supply_id, by=who.actor)
    deeds.note("supply.withdraw", f"water-supply:{supply_id}", farm_id=row["farm_id"])


@router.get(
    "/investments",
    dependencies=[needs("read:farms")],
    response_model=list[InvestmentOut],
    responses=TABLES.responses_with(LINK),
)
def list_investments(page: ThisPage, farm: OfFarm = None) -> Response:
    """Investments in the order in which they were entered."""
    return page.of(investments, InvestmentOut, "investments", Wanted(farm, None))


@router.post(
    "/investments",
    status_code=201,
    dependencies=[needs("write:records")],
    response_model=InvestmentOut,
    responses=CREATED,
)
def add_investment(
    asked: InvestmentIn, connection: Transaction, now: Now, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Enter what a farm invested; the programme's indicators say what a m³ saved costs by it."""

    def enter() -> Response:
        number, farm_id = records.enter_investment(connection, asked, who.actor, now)
        body = of_row(InvestmentOut, investments.get(connection, number))
        details = asked.model_dump(mode="json")
        object_ = f"investment:{number}"
        deeds.note("investment.create", object_, farm_id=farm_id, details=details)
        return made(body, f"/v1/investments?farm={asked.farm}")

    return once.answer(enter)


@router.delete(
    "/investments/{investment_id}",
    status_code=204,
    dependencies=[needs("write:records")],
    responses=WITHDRAWN,
)
def withdraw_investment(
    investment_id: InvestmentId, connection: Transaction, who: WhoAsks, deeds: Deeds
) -> None:
    """Let an investment stand no longer."""
    row = investments.get(connection, investment_id, lock=True)
    investments.withdraw(connection, investment_id, by=who.actor)
    deeds.note("investment.withdraw", f"investment:{investment_id}", farm_id=row["farm_id"])
