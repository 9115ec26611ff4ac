"""Frost where a crop stands that suffers from it: measured, or forecast for the nights to come."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from analytics.alert_conditions import HOLDS, RESTS, below
from analytics.watching.settings import Found, Settings
from storage import alert_facts
from storage.alerts import Opening

# Field crops that stand some degrees of frost through most of their season (R. L. Snyder and J. P.
# de Melo-Abreu, "Frost protection: fundamentals, practice and economics", FAO, Rome, 2005, volume
# 1, chapter 4). Any other, also one that nobody knows, counts as sensitive.
HARDY = frozenset(
    {
        *("alfalfa", "alfalfa-first-cut", "alfalfa-later-cut", "barley", "chickpea", "flax"),
        *("lentil", "oats", "onion", "rapeseed", "safflower", "spring-wheat", "sugar-beet"),
        "winter-wheat",
    }
)
MORNING_H = 9  # by then the coldest hour is over: the day's lowest temperature is past


def frost(connection: sa.Connection, settings: Settings, now: dt.datetime) -> Found:
    """Farms on which a sensitive crop stands in frost, or will within the days looked ahead."""
    growing = alert_facts.growing(connection, settings.farm_ids, now)
    sensitive = {
        farm: tender for farm, crops in growing.items() if (tender := sorted({*crops} - HARDY))
    }
    ids = list(sensitive)
    measured = alert_facts.coldest(connection, ids, now)
    nights = alert_facts.nights(connection, ids, now)
    found = Found([], [])
    for farm, crops in sensitive.items():
        limit, well = (settings.number(farm, name) for name in ("temperature_c", "well_c"))
        details = {"crops": crops, "limit_c": limit}
        answers = []
        if farm in measured:
            one = measured[farm]
            answers.append(int(below(one.value_c, limit, well)))
            details |= {"device": one.device, "temperature_c": round(one.value_c, 1)}
            details |= {"time": one.time.isoformat()}
        local = now.astimezone(ZoneInfo(settings.farms[farm].timezone))
        first = local.date() + dt.timedelta(days=local.hour >= MORNING_H)
        last = first + dt.timedelta(days=settings.number(farm, "forecast_days") - 1)
        ahead = [one for one in nights if one.farm_id == farm and first <= one.day <= last]
        if ahead:
            coldest = min(ahead, key=lambda one: (one.tmin_c, one.day))
            answers.append(int(below(coldest.tmin_c, limit, well)))
            details |= {"forecast_c": round(coldest.tmin_c, 1), "source": coldest.source}
            details |= {"forecast_day": coldest.day.isoformat()}
        # Nobody measures and nobody forecasts: nothing is known, also not that it is over.
        answer = max(answers, default=HOLDS)
        details["measured"] = bool(farm in measured and answers[0] == answer != RESTS)
        found.add(answer, Opening("frost", f"farm:{farm}", farm, details))
    return found
