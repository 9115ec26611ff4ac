import { useSummary } from "../api/farm";
import type { CropZoneSummary, FarmSummary } from "../api/schema";
import { NONE } from "../format";
import { Head, Up } from "../parts/head";
import { RawData } from "../parts/raw-data";
import { Answered } from "../parts/states";
import { Table } from "../parts/table";
import { type At, href } from "../router";
import { named, t } from "../words";

const PARTS = ["two", "applied", "needed", "baseline", "interval", "coverage"] as const;

/** Works that the method rests on; titles stay in their own language. */
const SOURCES = [
  "R. G. Allen et al.: Crop evapotranspiration. FAO Irrigation and Drainage Paper 56, 1998",
  "Efficiency Valuation Organization: International Performance Measurement and Verification Protocol (IPMVP)",
  "FAO Water Report 46, 2020",
  "C. Perry: Efficient irrigation; inefficient communication; flawed recommendations. Irrigation and Drainage 56, 2007",
  "W. G. Cochran: Sampling Techniques, 3rd ed., 1977, section 6.4",
  "JCGM 100:2008: Guide to the expression of uncertainty in measurement, G.4.1",
] as const;

/** How savings are found: in words, with the versions and baselines of a farm's season. */
export function Method({ at }: { at: At<"method"> }) {
  const summary = useSummary(at.farm, at.season);
  return (
    <>
      <Head
        up={
          <Up to={href({ name: "savings", farm: at.farm, season: at.season })}>
            {t("savings.title")}
          </Up>
        }
        title={t("method_page.title")}
        under={<p class="quiet">{t("method_page.lead")}</p>}
      />
      <div class="card stack prose">
        {PARTS.map((part) => (
          <section key={part} class="stack">
            <h2>{t(`method_page.${part}`)}</h2>
            <p>{t(`method_page.${part}_text`)}</p>
            {part === "baseline" && (
              <ul class="reasons">
                <li>{t("method_page.ratio")}</li>
                <li>{t("method_page.line")}</li>
                <li>{t("method_page.computed")}</li>
                <li>{t("method_page.adjusted")}</li>
              </ul>
            )}
          </section>
        ))}
      </div>
      <Answered of={summary}>
        {(found) => (
          <>
            <OfSeason of={found} />
            <RawData farm={at.farm} of={found} />
          </>
        )}
      </Answered>
      <section class="card stack prose" aria-labelledby="sources">
        <h2 id="sources">{t("method_page.sources")}</h2>
        <ol class="reasons" lang="en">
          {SOURCES.map((source) => (
            <li key={source}>{source}</li>
          ))}
        </ol>
      </section>
    </>
  );
}

/** By which versions, options and baselines the figures of a season were found. */
function OfSeason({ of }: { of: FarmSummary }) {
  return (
    <section class="card stack" aria-labelledby="of-season">
      <h2 id="of-season">
        {of.season === null
          ? t("method_page.versions")
          : t("method_page.of_season", { season: String(of.season) })}
      </h2>
      {of.water.method !== null && (
        <p>
          {t("method_page.by", {
            method: of.water.method,
            version: of.water.method_version ?? "–",
          })}
        </p>
      )}
      <Table
        label={t("method_page.versions")}
        rows={of.crop_zones}
        rowKey={(zone) => zone.id}
        columns={[
          {
            name: t("savings.field"),
            cell: (zone) => (
              <>
                {zone.field}
                <div class="small quiet">{named("crop", zone.crop)}</div>
              </>
            ),
          },
          { name: t("method_page.option"), cell: (zone) => zone.savings_option ?? NONE },
          { name: t("method_page.source"), cell: (zone) => <BaselineOf zone={zone} /> },
          {
            name: t("method_page.notes"),
            cell: (zone) =>
              zone.notes.length === 0 ? (
                NONE
              ) : (
                <span class="small" lang="en">
                  {zone.notes.join("; ")}
                </span>
              ),
          },
        ]}
      />
    </section>
  );
}

/** What a baseline is from, and who adjusted it why. */
function BaselineOf({ zone }: { zone: CropZoneSummary }) {
  return (
    <>
      {zone.baseline_source === null
        ? t("savings.none")
        : named("savings.source", zone.baseline_source)}
      {zone.adjustments.map((one) => (
        <div key={one.id} class="small quiet">
          {one.reason} ({one.author})
        </div>
      ))}
    </>
  );
}
