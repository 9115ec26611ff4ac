"""Indicators of a season from the sums of its water balance: named inputs in, named figures out."""

import math
from collections.abc import Mapping
from typing import Any

from analytics import indicators
from analytics.indicators import M3_PER_HA_PER_MM
from analytics.savings_inputs import check_keys, number, signed

KEYS = frozenset(
    {"note", "ETc_mm", "ETa_mm", "E_mm", "T_mm", "DP_mm", "irrigation_mm", "rain_mm"}
    | {"runoff_mm", "effective_rain_mm", "Dr_start_before_day1_mm", "Dr_end_mm"}
    | {"Ky", "yield_max_kg_ha", "area_ha"}
)


def indicator_report(inputs: Mapping[str, Any]) -> dict[str, float | None]:
    """Report how well the water of a season was used.

    Raises
    ------
    analytics.savings_inputs.SavingsError
        Naming the key that is missing, is not a number, or is out of range.
    """
    check_keys(inputs, KEYS)
    etc, eta = number(inputs, "ETc_mm"), number(inputs, "ETa_mm")
    percolation = number(inputs, "DP_mm")
    irrigation, rain = number(inputs, "irrigation_mm"), number(inputs, "rain_mm")
    runoff = number(inputs, "runoff_mm", default=0.0)
    effective_rain = number(inputs, "effective_rain_mm", default=rain - runoff)
    gained = signed(inputs, "Dr_start_before_day1_mm") - signed(inputs, "Dr_end_mm")
    relative = float(indicators.relative_yield(eta, etc, number(inputs, "Ky")))
    crop_yield = relative * number(inputs, "yield_max_kg_ha")
    supply = irrigation + rain
    figures: dict[str, Any] = {
        "storage_change_mm": gained,
        "closure_residual_mm": supply - runoff - eta - percolation - gained,
        "ETa_over_ETc": eta / etc if etc > 0 else math.nan,
        "relative_yield": relative,
        "yield_kg_ha": crop_yield,
        "yield_centner_ha": crop_yield / 100,
        "CWP_kg_m3": indicators.water_productivity(crop_yield, eta),
        "IWP_kg_m3": indicators.water_productivity(crop_yield, irrigation),
        "RWS": indicators.relative_water_supply(irrigation, rain, etc),
        "RIS": indicators.relative_irrigation_supply(irrigation, etc, effective_rain),
        "depleted_fraction": indicators.depleted_fraction(eta, supply),
        "depleted_fraction_with_storage": indicators.depleted_fraction(eta, supply, gained),
        "beneficial_fraction_T_over_ETa": indicators.beneficial_fraction(
            number(inputs, "T_mm"), eta
        ),
        "irrigation_volume_m3": M3_PER_HA_PER_MM * number(inputs, "area_ha") * irrigation,
    }
    return {name: None if math.isnan(value) else float(value) for name, value in figures.items()}
