import { useRegions } from "../api/farm";
import { COUNTRY, useCountry, useRegion, useSeasons } from "../api/region";
import type { CountrySeen, RegionLine, RegionSummary } from "../api/schema";
import { area, number, percent, tonnes, volume, yieldRate } from "../format";
import { Facts } from "../parts/facts";
import { Head, Up } from "../parts/head";
import { areaSeen } from "../parts/navigation";
import { type By, type Line, RankingTable } from "../parts/ranking-table";
import { SavingCard } from "../parts/saving-card";
import { Answered, Empty } from "../parts/states";
import { Table } from "../parts/table";
import { type At, go, href } from "../router";
import { language, named, t } from "../words";

type Here = At<"region">;
const REGION_LETTERS = 5; // KZ-39; a district has more

/** What a season brought a region: who reports, what was saved and harvested, who saved most. */
export function Region({ at }: { at: Here }) {
  const seasons = useSeasons(at.region);
  const season = at.season ?? seasons.value?.[0]?.season ?? null;
  const region = useRegion(at.region, season);
  const country = useCountry(at.region, season);
  const told = at.region === COUNTRY ? country : region;
  const name =
    nameOf(region.value?.names) ?? (at.region === COUNTRY ? t("region.country") : at.region);
  return (
    <>
      <Head up={<ToArea region={at.region} season={season} />} title={name}>
        {season !== null && (
          <label>
            <span>{t("region.season")}</span>
            <select
              value={season}
              onChange={(change) => go({ ...at, season: Number(change.currentTarget.value) }, true)}
            >
              {[...new Set([season, ...(seasons.value ?? []).map((one) => one.season)])]
                .sort((a, b) => b - a)
                .map((one) => (
                  <option key={one} value={one}>
                    {one}
                  </option>
                ))}
            </select>
          </label>
        )}
      </Head>
      <Answered of={seasons}>
        {() =>
          season === null ? (
            <Empty title={t("region.none")} more={t("region.none_more")} />
          ) : (
            <Answered<RegionSummary | CountrySeen> of={told}>
              {(found) => <Season at={{ ...at, season }} of={found} />}
            </Answered>
          )
        }
      </Answered>
    </>
  );
}

/** The way up: from a district to its region, from a region to the country. */
function ToArea({ region, season }: { region: string; season: number | null }) {
  const known = useRegions().value;
  const above = region.length > REGION_LETTERS ? region.slice(0, REGION_LETTERS) : COUNTRY;
  if (region === COUNTRY || (above === COUNTRY && areaSeen() === region)) return null;
  const names = known?.find((one) => one.code === above);
  return (
    <Up to={href({ name: "region", region: above, season, by: null })}>
      {above === COUNTRY ? t("region.all") : (names?.[`name_${language.value}`] ?? above)}
    </Up>
  );
}

function nameOf(names: Record<string, string> | undefined): string | undefined {
  return names?.[language.value];
}

function Season({ at, of }: { at: Here; of: RegionSummary | CountrySeen }) {
  const { water } = of;
  const [apparent, real] = [water.apparent_savings_m3, water.consumptive_savings_m3];
  const savedOn = () => t("region.saved_on", { area: area(water.baseline_area_ha) });
  return (
    <>
      {of.covers === "own-farms" && <p class="small quiet">{t("region.own")}</p>}
      {of.farms_reporting === 0 && (
        <Empty title={t("region.not_reported", { season: String(of.season) })} />
      )}
      <section class="card">
        <Facts
          of={[
            [
              t("region.reporting"),
              number(of.farms_reporting),
              t("region.of_registered", { count: of.farms_registered }),
            ],
            [
              t("region.covered"),
              area(of.area_ha),
              t("region.irrigated", { area: area(water.irrigated_ha) }),
            ],
            [
              t("region.devices"),
              number(of.devices.reporting),
              t("region.of_devices", { count: of.devices.total }),
            ],
            [
              t("region.applied"),
              volume(water.applied_m3),
              `${t("region.coverage")}: ${percent(
                water.coverage_pct === null ? null : water.coverage_pct / 100,
              )}`,
            ],
          ]}
        />
      </section>
      <div class="pair">
        <SavingCard
          title={t("savings.real")}
          more={t("savings.real_more")}
          saving={real}
          beside={apparent}
          note={savedOn}
        />
        <SavingCard
          title={t("savings.apparent")}
          more={t("savings.apparent_more")}
          saving={apparent}
          beside={real}
          note={savedOn}
        />
      </div>
      <Rankings at={at} of={of} />
      <Yields of={of} />
      <Raw at={at} />
    </>
  );
}

/** Regions of the country, or districts and farms of a region, by what they saved. */
function Rankings({ at, of }: { at: Here; of: RegionSummary | CountrySeen }) {
  const by: By = at.by === "apparent" ? "apparent" : "real";
  const groups: (readonly [title: string, lines: Line[]])[] =
    "regions" in of
      ? [[t("region.regions"), of.regions.map((one) => areaLine(one, at.season))]]
      : [
          [t("region.districts"), of.districts.map((one) => areaLine(one, at.season))],
          [
            t("region.farms"),
            of.farms.map((one) => ({
              key: one.farm,
              name: one.name,
              to: href({ name: "savings", farm: one.farm, season: at.season }),
              area_ha: one.area_ha,
              water: one.water,
            })),
          ],
        ];
  return (
    <section class="card stack" aria-labelledby="ranking">
      <div class="row spread">
        <h2 id="ranking">{t("region.ranking")}</h2>
        <label>
          <span>{t("region.by")}</span>
          <select
            value={by}
            onChange={(change) =>
              go({ ...at, by: change.currentTarget.value === "apparent" ? "apparent" : null }, true)
            }
          >
            <option value="real">{t("region.by_real")}</option>
            <option value="apparent">{t("region.by_apparent")}</option>
          </select>
        </label>
      </div>
      <p class="small quiet">{t("region.ties")}</p>
      {groups
        .filter(([, lines]) => lines.length > 0)
        .map(([title, lines]) => (
          <div class="stack" key={title}>
            <h3>{title}</h3>
            <RankingTable title={title} lines={lines} by={by} />
          </div>
        ))}
    </section>
  );
}

function areaLine(one: RegionLine, season: number | null): Line {
  return {
    key: one.region ?? "",
    name: nameOf(one.names) ?? one.region ?? t("region.elsewhere"),
    to: one.region === null ? null : href({ name: "region", region: one.region, season, by: null }),
    area_ha: one.area_ha,
    water: one.water,
  };
}

function Yields({ of }: { of: RegionSummary | CountrySeen }) {
  const crops = of.yield.by_crop;
  return (
    <section class="card stack" aria-labelledby="yields">
      <h2 id="yields">{t("region.yields")}</h2>
      {crops.length === 0 ? (
        <p>{t("region.no_yields")}</p>
      ) : (
        <Table
          label={t("region.yields")}
          rows={crops}
          rowKey={(row) => row.crop}
          columns={[
            { name: t("region.crop"), cell: (row) => named("crop", row.crop) },
            {
              name: t("region.yield"),
              number: true,
              cell: (row) => yieldRate(row.yield_kg_ha),
            },
            { name: t("region.harvested"), number: true, cell: (row) => area(row.harvested_ha) },
            { name: t("region.mass"), number: true, cell: (row) => tonnes(row.mass_t) },
          ]}
        />
      )}
    </section>
  );
}

function Raw({ at }: { at: Here }) {
  const path =
    at.region === COUNTRY
      ? "/v1/country/summary"
      : `/v1/regions/${encodeURIComponent(at.region)}/summary`;
  return (
    <p>
      <a href={`${path}?season=${at.season}&format=csv`} download>
        {t("region.as_table")}
      </a>
    </p>
  );
}
