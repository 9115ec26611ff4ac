"""Seasons at random, for laws that hold in any of them: extremes are common, options are mixed."""

import numpy as np
from hypothesis import strategies as st

from analytics.balance import Conventions, Days, Fields, State

DAYS, WIDTH = 40, 4


class Chance:
    """Numbers of one seed."""

    def __init__(self, seed: int, days: int, width: int) -> None:
        self.random = np.random.default_rng(seed)
        self.days, self.width = days, width

    def between(self, low: float, high: float) -> np.ndarray:
        """Each day of each field from low to high, every fifth at an end."""
        return self._mixed(low, high, (self.days, self.width))

    def of_field(self, low: float, high: float) -> np.ndarray:
        return self._mixed(low, high, (self.width,))

    def seldom(self, high: float) -> np.ndarray:
        """Depths of events, on no day, few, some or all."""
        share = self.random.choice([0.0, 0.05, 0.3, 1.0], self.width)
        happens = self.random.random((self.days, self.width)) < share
        return np.where(happens, self.between(0.0, high), 0.0)

    def half(self) -> np.ndarray:
        """Half of the fields."""
        return self.random.random(self.width) < 0.5

    def _mixed(self, low: float, high: float, shape: tuple[int, ...]) -> np.ndarray:
        plain = self.random.uniform(low, high, shape)
        ends = self.random.choice([low, high], shape)
        return np.where(self.random.random(shape) < 0.2, ends, plain)


def season_of(
    seed: int, *, measured: bool = True, days: int = DAYS, width: int = WIDTH
) -> tuple[Days, Fields, State]:
    """Anything from a desert to a flood, on any soil, banked or not, from any state."""
    chance = Chance(seed, days, width)
    between, of_field = chance.between, chance.of_field
    wilting = of_field(0.02, 0.25)
    capacity = wilting + of_field(0.03, 0.25)
    ze = of_field(0.05, 0.15)
    evaporable = 1000 * (capacity - wilting / 2) * ze
    banked = chance.half()
    roots = between(0.05, 2.0)
    if chance.random.random() < 0.5:
        roots = np.sort(roots, axis=0)  # as roots do; a fall is for the laws alone
    happens = chance.random.random((days, width)) < chance.random.choice([0.05, 0.5])
    seen = np.where(happens & measured, between(-150.0, 400.0), np.nan)
    fields = Fields(
        theta_fc=capacity,
        theta_wp=wilting,
        ze_m=ze,
        rew_mm=evaporable * of_field(0.0, 0.95),
        p=of_field(0.1, 0.8),
        curve_number=np.where(chance.half(), np.nan, of_field(30, 100)),
        drip_under_canopy=chance.half(),
        percolation_limit=np.where(banked, of_field(0.0, 30.0), np.inf),
        theta_sat=capacity + of_field(0.02, 0.3),
        bund_mm=np.where(banked, of_field(0.0, 200.0), 0.0),
        p_of_saturation=banked & chance.half(),
        available_water_max=1000 * (capacity - wilting) * 2.0,
        model_sd_mm=of_field(0.0, 5.0),
    )
    season = Days(
        et0=between(-0.5, 14.0),
        rain=chance.seldom(150.0),
        irrigation_net=chance.seldom(200.0),
        wetted_fraction=between(0.1, 1.0),
        wind_2m=between(0.0, 12.0),
        rh_min=between(0.0, 100.0),
        kcb=between(0.0, 1.3),
        height=between(0.0, 4.0),
        root_depth=roots,
        capillary_rise=chance.seldom(5.0),
        cover=np.where(chance.half(), np.nan, between(0.0, 1.0)),
        measured_depletion=seen,
        measured_sd=between(0.1, 40.0),
    )
    pores = np.where(banked, 1000 * (fields.theta_sat - capacity) * roots[0], 0.0)
    state = State(
        depletion=of_field(0.0, 400.0) - banked * chance.half() * (pores + fields.bund_mm),
        surface_depletion=evaporable * of_field(0.0, 1.0),
        wetted_fraction=np.ones(width),
        subsoil_depletion=of_field(0.0, 300.0),
        rooted_water=np.full(width, np.nan),
        depletion_variance=of_field(0.0, 900.0),
    )
    return season, fields, state


def cut(days: Days, rows: slice, columns: slice | list[int] = slice(None)) -> Days:
    """Some days of some fields."""
    shape = np.broadcast_shapes(*(np.shape(value) for value in days))
    return Days(*(np.broadcast_to(value, shape)[rows][:, columns] for value in days))


seeds = st.integers(0, 2**32)
seasons = st.builds(season_of, seeds)
unmeasured_seasons = st.builds(lambda seed: season_of(seed, measured=False), seeds)
conventions = st.builds(
    Conventions,
    event_timing=st.sampled_from(["start-of-day", "end-of-day"]),
    drainage=st.sampled_from(["after-et", "before-et"]),
    adjust_p=st.booleans(),
    adjust_kcb=st.booleans(),
    new_root_zone=st.sampled_from(["field-capacity", "subsoil"]),
    reference=st.sampled_from(["short", "tall"]),
)
