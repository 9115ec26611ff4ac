import { useSummary } from "../api/farm";
import type { FarmSummary, Saving } from "../api/schema";
import { area, NONE, number, percent, tonnes, volume, yieldRate } from "../format";
import { type Fact, Facts } from "../parts/facts";
import { Head, ToFarm } from "../parts/head";
import { RawData } from "../parts/raw-data";
import { intervalOf, SavingCard } from "../parts/saving-card";
import { Scroll } from "../parts/scroll";
import { Answered, Empty } from "../parts/states";
import { type At, href } from "../router";
import { named, t } from "../words";

/** What a season saved: apparent and real side by side, each with how sure it is. */
export function Savings({ at }: { at: At<"savings"> }) {
  const summary = useSummary(at.farm, at.season);
  return (
    <>
      <Head
        up={<ToFarm farm={at.farm} name={summary.value?.name} />}
        title={t("savings.title")}
        under={
          summary.value?.season && (
            <p class="quiet">{t("savings.season", { season: String(summary.value.season) })}</p>
          )
        }
      />
      <Answered of={summary}>{(found) => <Season at={at} of={found} />}</Answered>
    </>
  );
}

function Season({ at, of }: { at: At<"savings">; of: FarmSummary }) {
  const { water } = of;
  const [apparent, real] = [water.apparent_savings_m3, water.consumptive_savings_m3];
  return (
    <>
      {apparent === null && real === null ? (
        <Empty title={t("savings.none")} more={t("savings.none_more")} />
      ) : (
        <div class="pair">
          <SavingCard
            title={t("savings.apparent")}
            more={t("savings.apparent_more")}
            saving={apparent}
            beside={real}
            note={explained}
          />
          <SavingCard
            title={t("savings.real")}
            more={t("savings.real_more")}
            saving={real}
            beside={apparent}
            note={explained}
          />
        </div>
      )}
      <section class="card stack" aria-labelledby="used">
        <h2 id="used">{t("savings.water")}</h2>
        <Facts
          of={[
            fact(
              t("savings.used"),
              volume(water.applied_m3),
              t("savings.baseline_of", { area: area(water.irrigated_ha) }),
            ),
            fact(
              t("savings.baseline"),
              volume(water.baseline_m3),
              t("savings.baseline_of", { area: area(water.baseline_area_ha) }),
            ),
            fact(
              t("savings.recoverable"),
              volume(water.recoverable_change_m3),
              t("savings.recoverable_more"),
            ),
            fact(
              t("savings.coverage"),
              share(water.coverage_pct),
              t("savings.coverage_days", {
                weather: share(water.weather_coverage_pct),
                water: share(water.water_coverage_pct),
              }),
            ),
          ]}
        />
      </section>
      {water.savings_by_option.length > 0 && <Method of={of} />}
      {of.yield.by_crop.length > 0 && (
        <section class="card stack" aria-labelledby="yield">
          <h2 id="yield">{t("savings.yield")}</h2>
          <Facts
            of={of.yield.by_crop.map((one) =>
              fact(
                named("crop", one.crop),
                yieldRate(one.yield_kg_ha),
                t("savings.harvested", {
                  mass: tonnes(one.mass_t),
                  area: area(one.harvested_ha),
                }),
              ),
            )}
          />
        </section>
      )}
      <ByField at={at} of={of} />
      <RawData farm={at.farm} of={of} />
    </>
  );
}

/** A figure that is not known is of nothing. */
function fact(name: string, value: string, more: string): Fact {
  return value === NONE ? [name, value] : [name, value, more];
}

/** How the baseline came about, and what the intervals rest on. */
function Method({ of }: { of: FarmSummary }) {
  const { uncertainty, savings_by_option } = of.water;
  const causes = [
    ...new Set([...uncertainty.apparent, ...uncertainty.consumptive].map((one) => one.cause)),
  ];
  const err = (list: typeof uncertainty.apparent, cause: string) =>
    list
      .filter((one) => one.cause === cause)
      .reduce<number | null>((sum, one) => Math.hypot(sum ?? 0, one.u_m3 ?? 0), null);
  return (
    <section class="card stack" aria-labelledby="method">
      <h2 id="method">{t("savings.method")}</h2>
      <p>
        <a href={href({ name: "method", farm: of.farm, season: of.season })}>
          {t("savings.method_page")}
        </a>
      </p>
      <ul class="stack">
        {savings_by_option.map((one) => (
          <li key={`${one.option} ${one.baseline_source}`}>
            {t("savings.option", {
              option: one.option ?? NONE,
              source: named("savings.source", one.baseline_source ?? NONE),
            })}{" "}
            <span class="quiet">({area(one.area_ha)})</span>
          </li>
        ))}
      </ul>
      {causes.length > 0 && (
        <details>
          <summary>{t("savings.uncertainty")}</summary>
          <Scroll label={t("savings.uncertainty")}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("savings.cause")}</th>
                  <th scope="col" class="number">
                    {t("savings.cause_apparent")}, ± {t("unit.m3")}
                  </th>
                  <th scope="col" class="number">
                    {t("savings.cause_real")}, ± {t("unit.m3")}
                  </th>
                </tr>
              </thead>
              <tbody>
                {causes.map((cause) => (
                  <tr key={cause}>
                    <th scope="row">{named("cause", cause)}</th>
                    <td class="number">{number(err(uncertainty.apparent, cause))}</td>
                    <td class="number">{number(err(uncertainty.consumptive, cause))}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </details>
      )}
    </section>
  );
}

function ByField({ at, of }: { at: At<"savings">; of: FarmSummary }) {
  return (
    <section class="card stack" aria-labelledby="by-field">
      <h2 id="by-field">{t("savings.by_field")}</h2>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">{t("savings.field")}</th>
            <th scope="col" class="number">
              {t("savings.used")}
            </th>
            <th scope="col">{t("savings.apparent")}</th>
            <th scope="col">{t("savings.real")}</th>
          </tr>
        </thead>
        <tbody>
          {of.crop_zones.map((zone) => (
            <tr key={zone.id}>
              <th scope="row">
                <a
                  href={href({
                    name: "field",
                    farm: at.farm,
                    field: zone.field_id,
                    season: of.season,
                    day: null,
                    crop_zone: zone.id,
                  })}
                >
                  {zone.field}
                </a>
                <div class="small quiet">{named("crop", zone.crop)}</div>
              </th>
              <td class="number">{volume(zone.water.applied_m3)}</td>
              <td class="wide">
                <Cell title={t("savings.apparent")} saving={zone.water.apparent_savings_m3} />
              </td>
              <td class="wide">
                <Cell title={t("savings.real")} saving={zone.water.consumptive_savings_m3} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Cell({ title, saving }: { title: string; saving: Saving | null }) {
  if (saving === null) return <span class="quiet">{t("savings.none")}</span>;
  return (
    <>
      <span class="only-narrow small quiet">{title}: </span>
      <span class="number">{volume(saving.value)}</span>{" "}
      <span class="small quiet">
        {saving.demonstrated ? t("savings.demonstrated") : t("savings.not_demonstrated")}
        {saving.ci95 && <span class="number">, {intervalOf(saving)}</span>}
      </span>
    </>
  );
}

/** What "demonstrated" and "not demonstrated" mean here. */
function explained(saving: Saving): string {
  if (saving.demonstrated) return t("savings.demonstrated_more");
  if (saving.ci95 === null) return "";
  return saving.ci95[1] < 0 ? t("savings.more_used") : t("savings.not_demonstrated_more");
}

function share(pct: number | null): string {
  return percent(pct === null ? null : pct / 100);
}
