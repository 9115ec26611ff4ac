"""What the API says of alerts, their rules and who hears of them, and what it is told."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from api.models import Out
from api.models_access import Asked, Tongue, Words
from storage.alerts import KINDS

SeverityName = Literal["info", "warning", "critical"]


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"must be one of {', '.join(KINDS)}")
    return kind


KindName = Annotated[str, AfterValidator(_known_kind), Field(examples=["frost"])]


class AlertOut(Out):
    """What somebody should look at."""

    id: int = Field(examples=[17])
    kind: str = Field(examples=["low-battery"])
    severity: SeverityName
    state: Literal["active", "cleared"]
    acknowledged: bool
    farm: str | None = Field(examples=["turkistan-01"])
    device: str | None = Field(examples=["probe-7"])
    field_id: int | None = Field(examples=[1])
    subject: str = Field(description="its cause: one alert each", examples=["device:probe-7"])
    text: str = Field(examples=["The battery is at 14 % (15 June 2025, 14:50); at 20 % it is low."])
    action: str = Field(
        description="what to do", examples=["Charge or change it before the device falls silent."]
    )
    opened_at: dt.datetime = Field(examples=["2025-06-15T09:50:00Z"])
    cleared_at: dt.datetime | None
    acknowledged_at: dt.datetime | None
    acknowledged_by: str | None = Field(examples=["account:aigul"])
    note: str | None = Field(examples=["a new one is on its way"])
    language: Tongue
    timezone: str = Field(description="of the times in the text", examples=["Asia/Almaty"])
    details: dict[str, Any] = Field(description="what it was told from; units stand in the names")


class AcknowledgementIn(Asked):
    """Who acknowledges an alert says that they know of it."""

    note: Words | None = Field(default=None, examples=["a new battery is on its way"])


class ParameterOut(Out):
    """A number of a rule; its unit ends its name."""

    name: str = Field(examples=["level_pct"])
    value: float | None = Field(description="null: chosen by what is measured", examples=[20.0])
    default: float | None = Field(examples=[20.0])
    low: float = Field(description="least that is allowed", examples=[0.0])
    high: float = Field(description="most that is allowed", examples=[100.0])
    meaning: str = Field(examples=["at or below which a battery is low"])


class RuleOut(Out):
    """A rule of a farm."""

    kind: str = Field(examples=["low-battery"])
    severity: SeverityName
    meaning: str = Field(examples=["a device's battery runs low"])
    enabled: bool
    is_default: bool = Field(description="the farm chose nothing of its own")
    parameters: list[ParameterOut]
    changed_by: str | None = Field(examples=["account:aigul"])
    changed_at: dt.datetime | None


class RulesOut(Out):
    """All rules of a farm."""

    farm: str = Field(examples=["turkistan-01"])
    rules: list[RuleOut]


class RuleIn(Asked):
    """How a rule is to be; parameters that are left out are the defaults."""

    enabled: bool = True
    parameters: dict[str, float] = Field(
        default={}, max_length=20, examples=[{"level_pct": 15, "level_well_pct": 25}]
    )


class RulesIn(Asked):
    """All that a farm wants different from the defaults."""

    rules: dict[str, RuleIn] = Field(
        description="by kind; what is left out is the default",
        max_length=50,
        examples=[{"low-battery": {"parameters": {"level_pct": 15}}, "frost": {"enabled": False}}],
    )


class SubscriptionIn(Asked):
    """Where alerts of a farm are to be sent."""

    channel: Literal["webhook", "email"]
    address: str = Field(
        min_length=3,
        max_length=500,
        description="https://… of a webhook, or an address of mail",
        examples=["https://hooks.example.org/dala"],
    )
    kinds: list[KindName] = Field(
        default=[], max_length=len(KINDS), description="none: every kind", examples=[["frost"]]
    )
    min_severity: SeverityName = "warning"
    language: Tongue = Field(default="en", description="of its texts")


class SubscriptionOut(Out):
    """Where alerts of a farm are sent."""

    id: int = Field(examples=[3])
    channel: Literal["webhook", "email"]
    address: str = Field(examples=["https://hooks.example.org/dala"])
    kinds: list[str] = Field(description="none: every kind", examples=[["frost"]])
    min_severity: SeverityName
    language: Tongue
    created_by: str = Field(examples=["account:aigul"])
    created_at: dt.datetime


class NewSubscriptionOut(SubscriptionOut):
    """A subscription, and what the messages of a webhook are signed with; not shown again."""

    secret: str | None = Field(
        description="of a webhook, as Standard Webhooks 1.0 has it; null when sent again",
        examples=["whsec_…"],
    )


class DeliveryOut(Out):
    """What became of a message."""

    id: int = Field(examples=[41])
    alert_id: int = Field(examples=[17])
    subscription_id: int = Field(examples=[3])
    event: Literal["opened", "cleared"]
    status: Literal["pending", "sent", "given-up"]
    attempts: int = Field(examples=[2])
    next_attempt_at: dt.datetime | None = Field(description="null: it is over")
    last_error: str | None = Field(examples=["the answer was 503: no success"])
    created_at: dt.datetime
    sent_at: dt.datetime | None
