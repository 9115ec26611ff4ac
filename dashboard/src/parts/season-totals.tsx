import type { CropZoneSummary } from "../api/schema";
import { day as dayText, depth, percent, productivity, volume, yieldRate } from "../format";
import { t } from "../words";
import { type Fact, Facts } from "./facts";

/** What a crop's season came to. */
export function SeasonTotals({ zone }: { zone: CropZoneSummary }) {
  const { water } = zone;
  const facts: Fact[] = [
    [t("field.applied"), depth(water.applied_mm), volume(water.applied_m3)],
    [t("field.rain_total"), depth(water.rain_mm)],
    [t("field.eta_total"), depth(water.eta_mm)],
    [t("field.etc_total"), depth(water.etc_mm)],
    [t("field.percolation"), depth(water.deep_percolation_mm)],
    [t("field.yield"), yieldRate(zone.yield.yield_kg_ha)],
    [t("field.productivity"), productivity(water.water_productivity_kg_m3)],
    [t("field.planted"), dayText(zone.planted, "year")],
    [t("field.harvested"), dayText(zone.harvested, "year")],
  ];
  return (
    <section class="card stack" aria-labelledby="totals">
      <h2 id="totals">{t("field.season_totals")}</h2>
      <Facts of={facts} />
      {zone.soil && (
        <p class="small quiet">
          {t("field.probes", {
            rmse: depth(zone.soil.rmse_mm, 1),
            coverage: percent(zone.soil.coverage_pct / 100),
          })}
        </p>
      )}
    </section>
  );
}
