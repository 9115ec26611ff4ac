"""What people decide on irrigation advice: to follow it, or not, and why."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Response

from api.dependencies import Deeds, Now, Transaction, WhoAsks
from api.entering import CREATED, WITHDRAWN, OfWanted, OfZone, ThisPage, made, of_row
from api.errors import Refused, RequestProblem
from api.formats import TABLES
from api.idempotency import Once
from api.models_decisions import AdvisedOut, DecisionIn, DecisionOut
from api.paging import LINK
from api.security.guard import needs
from reports import advice
from storage import entries

router = APIRouter(tags=["advice"])

DecisionId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[5])]


@router.get(
    "/advice-decisions",
    dependencies=[needs("read:farms")],
    response_model=list[DecisionOut],
    responses=TABLES.responses_with(LINK),
)
def list_decisions(wanted: OfWanted, crop_zone_id: OfZone, page: ThisPage) -> Response:
    """Decisions on advice in the order they were taken."""
    return page.of(
        entries.decisions, DecisionOut, "advice-decisions", wanted, crop_zone_id=crop_zone_id
    )


@router.post(
    "/advice-decisions",
    status_code=201,
    dependencies=[needs("write:records")],
    response_model=DecisionOut,
    responses=CREATED | {409: {"description": "The advice is another by now"}},
)
def decide(
    asked: DecisionIn, connection: Transaction, now: Now, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Accept advice or skip it; decided anew, the decision before it stands no longer.

    What was advised is kept beside it, as it was computed at that moment.
    """

    def make() -> Response:
        zone = entries.crop_zones.get(connection, asked.crop_zone_id, lock=True)
        question = advice.Question(now, asked.day, zone["season"])
        try:
            advised = _advised(connection, zone, question)
        except advice.DayAhead as error:
            raise RequestProblem(str(error)) from error
        if advised.decision != asked.decision:
            raise Refused(
                409,
                f"The advice is {advised.decision} by now, not {asked.decision}; read it again.",
                kind="advice-changed",
            )
        entries.supersede_decision(connection, zone["id"], asked.day, by=who.actor)
        number = entries.decisions.add(
            connection,
            crop_zone_id=zone["id"],
            day=asked.day,
            choice=asked.choice,
            note=asked.note,
            advised=advised.model_dump(mode="json"),
            created_by=who.actor,
        )
        deeds.note(
            "advice.accept" if asked.choice == "accepted" else "advice.skip",
            f"advice-decision:{number}",
            farm_id=zone["farm_id"],
            details=asked.model_dump(mode="json"),
        )
        body = of_row(DecisionOut, entries.decisions.get(connection, number))
        return made(body, f"/v1/advice-decisions?crop_zone_id={zone['id']}")

    return once.answer(make)


@router.delete(
    "/advice-decisions/{decision_id}",
    status_code=204,
    dependencies=[needs("write:records")],
    responses=WITHDRAWN,
)
def withdraw_decision(
    decision_id: DecisionId, connection: Transaction, who: WhoAsks, deeds: Deeds
) -> None:
    """Take a decision back."""
    row = entries.decisions.get(connection, decision_id, lock=True)
    entries.decisions.withdraw(connection, decision_id, by=who.actor)
    deeds.note("advice.withdraw", f"advice-decision:{decision_id}", farm_id=row["farm_id"])


def _advised(connection: sa.Connection, zone: entries.Row, question: advice.Question) -> AdvisedOut:
    """What is advised for a crop zone; RequestProblem where the day is none of its season."""
    found = advice.of_field(connection, zone["field_id"], question)["crop_zones"]
    of_zone: dict[str, Any] | None = next(
        (one for one in found if one["crop_zone_id"] == zone["id"]), None
    )
    if of_zone is None:
        raise RequestProblem(f"crop zone {zone['id']} does not grow on {question.day}.")
    irrigation = of_zone["next_irrigation"] or {}
    return AdvisedOut(
        decision=of_zone["decision"],
        irrigation_day=irrigation.get("day"),
        **{
            name: irrigation.get(name)
            for name in ("irrigation_net_mm", "irrigation_gross_mm", "irrigation_m3")
        },
        depletion_mm=of_zone["depletion_mm"],
        refill_line_mm=of_zone["refill_line_mm"],
        reasons=of_zone["reasons"],
    )
