import { useFields, useSummary } from "../api/farm";
import { useLoads, useYieldMap, useYieldPoints } from "../api/harvest";
import type { CropZoneSummary, FarmSummary, LoadOut, YieldMapOut } from "../api/schema";
import { area, day as dayText, moment, NONE, number, tonnes, yieldRate } from "../format";
import { Facts } from "../parts/facts";
import { moisture } from "../parts/figures";
import { Head, SeasonInput, ToFarm } from "../parts/head";
import { Answered, Empty, useArrival } from "../parts/states";
import { Table } from "../parts/table";
import { YieldClasses, YieldMap, YieldPoints } from "../parts/yield-map";
import { type At, go, href } from "../router";
import { named, t } from "../words";

type Here = At<"yield">;

/** What a season's harvest was: each field, its map, and what loads and monitors say of it. */
export function Yields({ at }: { at: Here }) {
  const summary = useSummary(at.farm, at.season);
  const season = at.season ?? summary.value?.season ?? null;
  return (
    <>
      <Head up={<ToFarm farm={at.farm} name={summary.value?.name} />} title={t("yield.title")}>
        {season !== null && (
          <SeasonInput
            label={t("yield.season")}
            season={season}
            choose={(chosen) => go({ ...at, season: chosen, points: null }, true)}
          />
        )}
      </Head>
      <Answered of={summary}>
        {(found) =>
          season === null ? (
            <Empty title={t("yield.no_season")} more={t("yield.no_season_more")} />
          ) : (
            <Season at={at} of={found} season={season} />
          )
        }
      </Answered>
    </>
  );
}

/** A crop that something is known of the harvest of. */
function isHarvested(zone: CropZoneSummary): boolean {
  return zone.yield.mass_t !== null || zone.yield.monitor !== null;
}

function Season({ at, of, season }: { at: Here; of: FarmSummary; season: number }) {
  const harvested = of.crop_zones.filter(isHarvested);
  const chosen =
    of.crop_zones.find((zone) => zone.field_id === at.field) ??
    harvested.find((zone) => zone.yield.monitor !== null) ??
    harvested[0];
  if (harvested.length === 0)
    return (
      <Empty title={t("yield.none", { season: String(season) })} more={t("yield.none_more")} />
    );
  return (
    <>
      {chosen && <Field key={chosen.id} at={at} zone={chosen} season={season} />}
      <section class="card stack" aria-labelledby="fields">
        <h2 id="fields">{t("yield.fields")}</h2>
        <Table
          label={t("yield.fields")}
          rows={of.crop_zones}
          rowKey={(row) => row.id}
          chosen={(row) => row.id === chosen?.id}
          columns={[
            {
              name: t("yield.field"),
              cell: (row) => (
                <>
                  <a href={href({ ...at, season, field: row.field_id, points: null })}>
                    {row.field}
                  </a>
                  <div class="small quiet">{named("crop", row.crop)}</div>
                </>
              ),
            },
            {
              name: t("yield.yield"),
              number: true,
              cell: (row) =>
                isHarvested(row) ? yieldRate(row.yield.yield_kg_ha) : t("yield.not_harvested"),
            },
            { name: t("yield.mass"), number: true, cell: (row) => tonnes(row.yield.mass_t) },
            {
              name: t("yield.harvested"),
              number: true,
              cell: (row) => area(row.yield.harvested_ha),
            },
            {
              name: t("yield.moisture"),
              number: true,
              cell: (row) => moisture(row.yield.moisture_pct),
            },
            {
              name: t("yield.source"),
              cell: (row) =>
                row.yield.source === null ? NONE : named("yield.from", row.yield.source),
            },
          ]}
        />
      </section>
    </>
  );
}

function Field({ at, zone, season }: { at: Here; zone: CropZoneSummary; season: number }) {
  const map = useYieldMap(zone.field_id, season);
  const fields = useFields(at.farm);
  const points = useYieldPoints(zone.field_id, season, at.points !== null);
  const loads = useLoads(zone.id);
  const heading = useArrival<HTMLHeadingElement>(at.field === null ? null : String(zone.id));
  const show = (which: string | null) => go({ ...at, season, points: which }, true);
  return (
    <>
      <h2 ref={heading} tabIndex={-1}>
        {t("yield.map", { field: zone.field })}
      </h2>
      <Answered
        of={map}
        gone={
          <Empty
            title={t("yield.no_map", { field: zone.field, season: String(season) })}
            more={t("yield.no_map_more")}
          />
        }
      >
        {(told) => (
          <>
            <div class="split">
              <div class="stack">
                <SideBySide map={told} zone={zone} loads={loads.value} />
                <YieldClasses map={told} />
              </div>
              <section class="stack mapside" aria-label={t("yield.map", { field: zone.field })}>
                <YieldMap
                  map={told}
                  field={fields.value?.find((one) => one.id === zone.field_id)}
                  points={points.value}
                  which={at.points}
                />
              </section>
            </div>
            <YieldPoints map={told} which={at.points} show={show} />
            {at.points !== null && points.value === undefined && (
              <Answered of={points}>{() => null}</Answered>
            )}
          </>
        )}
      </Answered>
      <Answered of={loads}>{(told) => <Loads loads={told} />}</Answered>
    </>
  );
}

/** What was weighed and what the monitor counted, each by itself. */
function SideBySide(props: {
  map: YieldMapOut;
  zone: CropZoneSummary;
  loads: readonly LoadOut[] | undefined; // not known yet
}) {
  const { report } = props.map;
  const { monitor } = props.zone.yield;
  const scaled = report.scaled_to === "weighed-loads";
  // What sets the level of the map has the field's mass and yield.
  const level = [
    [t("yield.clean_mass"), tonnes(report.mass_kg / 1000)],
    [t("yield.yield"), yieldRate(report.mass_over_area_kg_ha)],
  ] as const;
  const { loads } = props;
  const weighed = loads?.reduce((sum, one) => sum + one.net_kg, 0) ?? 0;
  return (
    <section class="card stack" aria-labelledby="beside">
      <h2 id="beside">{t("yield.side_by_side")}</h2>
      <p class="quiet small">
        {t("yield.days", { days: props.map.harvested_on.map((one) => dayText(one)).join(", ") })}
      </p>
      <div class="pair">
        <div class="stack">
          <h3>{t("yield.by_loads")}</h3>
          {loads === undefined || loads.length === 0 ? (
            <p>{loads === undefined ? NONE : t("yield.no_loads")}</p>
          ) : (
            <Facts
              narrow
              of={[
                [t("yield.wet_mass"), tonnes(weighed / 1000)],
                [t("yield.moisture"), moisture(report.moisture_of_loads_pct)],
                [t("yield.number_of_loads"), number(loads.length)],
                [t("yield.factor"), number(report.scale_factor, 3)],
                ...(scaled ? level : []),
              ]}
            />
          )}
        </div>
        <div class="stack">
          <h3>{t("yield.by_monitor")}</h3>
          <Facts
            narrow
            of={[
              [t("yield.wet_mass"), tonnes(report.monitor_wet_mass_kg / 1000)],
              [t("yield.moisture"), moisture(monitor?.moisture_pct)],
              [t("yield.harvested"), area(monitor?.harvested_ha)],
              ...(scaled ? [] : level),
            ]}
          />
        </div>
      </div>
      <p class="small quiet">
        {scaled ? t("yield.scaled") : named("yield.scale", report.scaled_to)}
      </p>
    </section>
  );
}

function Loads({ loads }: { loads: readonly LoadOut[] }) {
  if (loads.length === 0) return null;
  return (
    <section class="card stack" aria-labelledby="loads">
      <h2 id="loads">{t("yield.loads", { count: loads.length })}</h2>
      <Table
        label={t("yield.by_loads")}
        rows={loads}
        rowKey={(row) => row.id}
        columns={[
          { name: t("yield.load"), cell: (row) => row.ticket },
          { name: t("yield.weighed"), cell: (row) => moment(row.weighed_at) },
          { name: t("yield.net"), number: true, cell: (row) => tonnes(row.net_kg / 1000) },
          { name: t("yield.moisture"), number: true, cell: (row) => moisture(row.moisture_pct) },
          { name: t("yield.impurity"), number: true, cell: (row) => moisture(row.impurity_pct) },
        ]}
      />
    </section>
  );
}
