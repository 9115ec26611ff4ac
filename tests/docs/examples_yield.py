"""The examples of docs/figures/yield.md by the real functions."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from analytics.flow_delay import no_fit
from analytics.harvest import harvest_figures
from analytics.monitor_harvest import MonitorTrack, monitor_points
from analytics.swath import free_share
from analytics.yield_cleaning import Cleaned, Harvest, report
from analytics.yield_filters import Filters, local_outliers, map_points, shift_flow
from analytics.yield_grid import yield_grid
from analytics.yield_monitor import _summary
from analytics.yield_response import seasonal_response
from analytics.yield_tables import YieldPoints, point_yield
from reports.harvest import harvest
from reports.monitor import Monitor, with_monitor
from reports.sums import ZoneResult
from tests.analytics.ground import NOON_US, place
from tests.docs.worked import Computed, Given, example
from tests.docs.zones import crop_zone, row

Array = NDArray[np.float64]


def _points(count: int, **known: Any) -> YieldPoints:
    """Points of one pass, a second apart; what is not given is unknown."""
    unknown = np.full(count, np.nan)
    columns: dict[str, Any] = dict.fromkeys(YieldPoints._fields, unknown)
    columns |= {
        "x": np.arange(count, dtype=float),
        "y": np.zeros(count),
        "interval_s": np.ones(count),
        "working": np.ones(count, bool),
        "passes": np.ones(count, np.int64),
        "crs": "EPSG:32642",
        "mass_source": "mass-balance",
    }
    return YieldPoints(**columns | known)


@example("weighed-loads")
def weighed_loads(given: Given) -> Computed:
    loads = [
        SimpleNamespace(net_kg=kg, moisture_pct=wet, impurity_pct=dirt, area_ha=None)
        for kg, wet, dirt in zip(given.mass, given.moisture, given.impurity, strict=True)
    ]
    notes: list[str] = []
    figures, source = harvest_figures(loads, given.area, "spring-wheat", notes)
    known = row(**figures, yield_source=source)
    found = harvest([ZoneResult(1, crop_zone(given.area), known)], [crop_zone(given.area)])
    assert (notes, found["source"]) == ([], "weighed loads")
    return {
        "bunker_mass_t": found["bunker_mass_t"],
        "moisture_pct": found["moisture_pct"],
        "mass_t": found["mass_t"],
        "yield_kg_ha": found["yield_kg_ha"],
        "yield_centner_ha": found["yield_centner_ha"],
    }


@example("yield-of-a-farm")
def yield_of_a_farm(given: Given) -> Computed:
    sown = [crop_zone(area, "maize") for area in given.sown]
    zones = [
        ZoneResult(1, zone, row(mass_kg=mass, bunker_mass_kg=mass, harvested_ha=area))
        for zone, mass, area in zip(sown, given.mass, given.harvested, strict=True)
    ]
    found = harvest(zones, sown)
    return {name: found[name] for name in ("sown_ha", "harvested_ha", "mass_t", "yield_kg_ha")}


@example("monitor-mass")
def monitor_mass(given: Given) -> Computed:
    count = given.flow.size
    lon, lat = place(0.0, 20.0 * np.arange(count))
    points = monitor_points(
        MonitorTrack(
            time_us=NOON_US + (10_000_000 * np.arange(count)).astype(np.int64),
            latitude_deg=lat,
            longitude_deg=lon,
            speed_m_s=np.full(count, 2.0),
            work_state=given.work_state.astype(np.int16),
            width_m=np.full(count, 6.0),
            mass_flow_kg_s=given.flow,
            crop_moisture_pct=np.full(count, 14.0),
        )
    )
    return {
        "after_work": points.mass_kg[~points.working].sum(),
        "area_m2": points.area_m2.sum(),
        "mass": points.mass_kg.sum(),
    }


@example("monitor-beside-loads")
def monitor_beside_loads(given: Given) -> Computed:
    zone = crop_zone(given.area, "spring-wheat")
    monitor = Monitor(given.monitor_wet, given.monitor_ha, given.moisture, 0.0, None)  # type: ignore[arg-type]
    weighed = row(
        bunker_mass_kg=given.loads, mass_kg=given.loads, harvested_ha=given.area,
        yield_source="weighed loads",
    )  # fmt: skip
    known = with_monitor(weighed, zone, monitor)
    beside = harvest([ZoneResult(1, zone, known)], [zone])["monitor"]
    alone = with_monitor(row(), zone, monitor)
    assert alone["yield_source"] == "yield monitor"
    return {
        "scale_factor": beside["scale_factor"],
        "without_loads": alone["mass_kg"],
    }


@example("point-yield")
def yield_of_a_point(given: Given) -> Computed:
    found = point_yield(given.flow * given.interval, given.width * given.distance)
    return {"yield_kg_ha": found}


@example("flow-delay")
def flow_delay(given: Given) -> Computed:
    flow = given.flow
    points = _points(flow.size, flow_kg_s=flow, coverage_m2_s=np.full(flow.size, given.coverage))
    points = points._replace(yield_kg_ha=point_yield(flow, points.coverage_m2_s))
    shifted = shift_flow(points, given.delay)
    assert np.isnan(shifted.yield_kg_ha[-int(given.delay) :]).all()
    return {
        "as_recorded": points.yield_kg_ha[int(given.second)],
        "at_its_place": shifted.yield_kg_ha[int(given.second)],
    }


@example("overlap")
def overlap(given: Given) -> Computed:
    edge = given.width - given.overlapped
    swaths = np.array(
        [shapely.box(0, 0, given.width, 2), shapely.box(edge, 0, edge + given.width, 2)], object
    )
    free = free_share(swaths, np.array([0, 1]))
    points = _points(
        2,
        flow_kg_s=np.full(2, given.flow),
        coverage_m2_s=np.full(2, given.width * given.speed),
        passes=np.array([0, 1]),
    )
    return {"free": free[1], "yield_kg_ha": map_points(points, Filters(), free).yield_kg_ha[1]}


@example("outlier")
def outlier(given: Given) -> Computed:
    values = given.yields
    x = np.arange(values.size, dtype=float)
    limits = Filters()
    flags = local_outliers(
        x, np.zeros(x.size), values, np.ones(x.size, bool), x.size - 1, limits.max_deviations
    )
    return {"flagged": bool(flags[-1])}


@example("file-totals")
def file_totals(given: Given) -> Computed:
    facts = Harvest(
        standard_moisture_pct=given.standard, weighed_kg=given.weighed, impurity_pct=given.impurity
    )
    found = _report(given.mass, given.area, given.moisture, facts)
    names = ("area_ha", "scale_factor", "wet_mass_kg", "mass_kg", "clean_kg", "yield_kg_ha")
    return {name: found[name] for name in names}


def _report(mass: Array, area: Array, moisture: Array, facts: Harvest) -> dict[str, Any]:
    """The report of points that are all kept."""
    count = mass.size
    points = _points(
        count,
        mass_kg=mass,
        area_m2=area,
        moisture_pct=moisture,
        yield_kg_ha=point_yield(mass, area),
        flow_kg_s=mass,
        coverage_m2_s=area,
        speed_m_s=np.full(count, 2.0),
    )
    nothing = np.zeros(count, bool)
    cleaned = Cleaned(
        points, ~nothing, {"header_up": nothing}, np.ones(count), Filters(), no_fit("given")
    )
    return report(points, cleaned, facts)


def file_report() -> dict[str, Any]:
    """All that the report of a file states, with its map."""
    ones = np.ones(3)
    grid = yield_grid(_points(3, yield_kg_ha=ones, coverage_m2_s=ones), ones > 0)
    found = _report(ones, ones, 14.0 * ones, Harvest(14.0, 3.0, 1.0, 1.0))
    return found | {"map": _summary(grid, found)}


@example("map-cell")
def map_cell(given: Given) -> Computed:
    count = given.yields.size
    points = _points(count, yield_kg_ha=given.yields, coverage_m2_s=given.area)
    points = points._replace(x=np.full(count, 5.0), y=np.full(count, 5.0))
    grid = yield_grid(points, np.ones(count, bool))
    return {"deviation": grid.deviation_kg_ha[0, 0], "mean": grid.yield_kg_ha[0, 0]}


@example("response-estimate")
def response_estimate(given: Given) -> Computed:
    found = seasonal_response(given.eta, given.etc, given.ky)
    known = row(relative_yield_estimate=float(found.relative_yield))
    stated = harvest([ZoneResult(1, crop_zone(50.0), known)], [crop_zone(50.0)])
    return {
        "deficit": found.deficit,
        "relative_yield": stated["response_estimate"]["relative_yield"],
    }
