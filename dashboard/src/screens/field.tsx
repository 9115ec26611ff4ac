import { useMemo } from "preact/hooks";
import { useBalance, useFarm, useField, useFieldAdvice, useSummary } from "../api/farm";
import type { CropZoneSummary, FieldOut, WaterBalanceOut, ZoneAdvice } from "../api/schema";
import {
  area,
  day as dayText,
  depth,
  depthFactor,
  depthUnitName,
  hours,
  number,
  percent,
  productivity,
  volume,
  yieldRate,
} from "../format";
import { column, expectedDepletion, joined } from "../model/season";
import { leftOf, statusOf } from "../model/water";
import { Chart } from "../parts/chart";
import { DayTable } from "../parts/day-table";
import { Answered, Empty, Title } from "../parts/states";
import { StatusMark } from "../parts/status";
import { CropOf, Reasons } from "../parts/to-do";
import { go, href, type Route } from "../router";
import { named, t } from "../words";

type At = Extract<Route, { name: "field" }>;

/** One field: what to do and why, then how its water went, then what the season came to. */
export function FieldScreen({ at }: { at: At }) {
  const field = useField(at.field);
  const farm = useFarm(at.farm);
  const advice = useFieldAdvice(at.field, at.day);
  const zones = advice.value?.crop_zones ?? [];
  const zone = zones.find((one) => one.crop_zone_id === at.zone) ?? zones[0] ?? null;
  const season = at.season ?? zone?.season ?? null;
  const summary = useSummary(at.farm, season);
  const ofField = (summary.value?.crop_zones ?? []).filter((one) => one.field_id === at.field);
  const shown =
    at.zone ?? (zone?.season === season ? zone?.crop_zone_id : undefined) ?? ofField[0]?.id ?? null;
  const balance = useBalance(at.field, season, shown);
  return (
    <Answered of={field}>
      {(found) => (
        <>
          <Head
            at={at}
            field={found}
            farmName={farm.value?.name ?? at.farm}
            zone={zone}
            season={season}
          />
          {advice.failure?.kind !== "gone" && (
            <Answered of={advice}>{() => (zone ? <Advice zone={zone} /> : null)}</Answered>
          )}
          {ofField.length > 1 && <Crops at={at} zones={ofField} shown={shown} season={season} />}
          {season !== null && (
            <Answered
              of={balance}
              gone={<Empty title={t("field.no_crop", { season: String(season) })} />}
            >
              {(told) => (
                <Water
                  balance={told}
                  zone={zone?.crop_zone_id === told.crop_zone ? zone : null}
                  mark={at.day}
                />
              )}
            </Answered>
          )}
          {season === null && advice.failure?.kind === "gone" && (
            <Empty title={t("status.idle")} more={t("status.idle_more")} />
          )}
          {ofField
            .filter((one) => one.id === shown)
            .map((one) => (
              <Totals key={one.id} zone={one} />
            ))}
        </>
      )}
    </Answered>
  );
}

function Head(props: {
  at: At;
  field: FieldOut;
  farmName: string;
  zone: ZoneAdvice | null;
  season: number | null;
}) {
  const { at, field, zone, season } = props;
  return (
    <div class="head">
      <div>
        <p class="small">
          <a href={href({ name: "today", farm: at.farm, day: at.day, field: at.field })}>
            {props.farmName}
          </a>
        </p>
        <Title title={field.name}>{t("field.title", { name: field.name })}</Title>
        <p class="quiet">
          {zone && (
            <>
              <CropOf zone={zone} /> ·{" "}
            </>
          )}
          {area(field.area_ha)}
          {field.official_field_id && ` · ${field.official_field_id}`}
        </p>
      </div>
      {season !== null && (
        <label>
          <span>{t("field.season")}</span>
          <input
            type="number"
            inputMode="numeric"
            min="1990"
            max="2100"
            value={season}
            onChange={(change) => {
              const chosen = Number(change.currentTarget.value);
              if (chosen >= 1990 && chosen <= 2100) go({ ...at, season: chosen, zone: null }, true);
            }}
          />
        </label>
      )}
    </div>
  );
}

function Advice({ zone }: { zone: ZoneAdvice }) {
  const next = zone.next_irrigation;
  const left = leftOf(zone);
  const pressing = zone.decision === "irrigate-now";
  const range =
    zone.refill_day_earliest &&
    zone.refill_day_latest &&
    zone.refill_day_earliest !== zone.refill_day_latest
      ? t("field.reached_range", {
          first: dayText(zone.refill_day_earliest),
          last: dayText(zone.refill_day_latest),
        })
      : "";
  return (
    <section class={`card todo stack ${pressing ? "now" : ""}`}>
      <h2>{zone.decision_text}</h2>
      {zone.depletion_mm !== null && (
        <dl class="facts">
          <div>
            <dt>{t("fields.left")}</dt>
            <dd class="row">
              <StatusMark status={statusOf(zone)} />{" "}
              {left === null ? "" : percent(Math.max(left, 0))}
            </dd>
          </div>
          <div>
            <dt>{t("field.depletion")}</dt>
            <dd>
              {depth(zone.depletion_mm)}
              {zone.raw_mm !== null && (
                <small>{t("field.of_raw", { raw: depth(zone.raw_mm) })}</small>
              )}
            </dd>
          </div>
          <div>
            <dt>{t("field.next")}</dt>
            <dd>
              {next ? depth(next.irrigation_gross_mm) : t("field.not_within")}
              {next && (
                <small>
                  {dayText(next.day)} · {volume(next.irrigation_m3)}
                  {next.irrigation_hours !== null && ` · ${hours(next.irrigation_hours)}`}
                </small>
              )}
            </dd>
          </div>
          <div>
            <dt>{t("field.reached")}</dt>
            <dd>
              {zone.refill_day ? dayText(zone.refill_day) : t("field.not_within")}
              {range && <small>{range}</small>}
            </dd>
          </div>
        </dl>
      )}
      {zone.stale_days !== null && zone.stale_days > 0 && (
        <p class="small">{t("today.old_balance", { count: zone.stale_days })}</p>
      )}
      <h3>{t("today.why")}</h3>
      <Reasons zone={zone} />
    </section>
  );
}

function Crops(props: {
  at: At;
  zones: readonly CropZoneSummary[];
  shown: number | null;
  season: number | null;
}) {
  return (
    <label>
      <span>{t("field.choose_crop")}</span>
      <select
        value={props.shown ?? ""}
        onChange={(change) =>
          go({ ...props.at, season: props.season, zone: Number(change.currentTarget.value) }, true)
        }
      >
        {props.zones.map((zone) => (
          <option key={zone.id} value={zone.id}>
            {named("crop", zone.crop)}, {dayText(zone.planted)} – {dayText(zone.harvested)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Water({
  balance,
  zone,
  mark,
}: {
  balance: WaterBalanceOut;
  zone: ZoneAdvice | null;
  mark: string | null;
}) {
  const factor = depthFactor();
  const unit = depthUnitName();
  const season = useMemo(() => joined(balance.days, zone?.days ?? []), [balance, zone]);
  const charts = useMemo(() => {
    const measured = column(season, (day) => day.measured_depletion_mm, factor);
    return {
      soil: [
        {
          label: t("field.depletion"),
          kind: "area",
          colour: "--accent",
          values: column(season, (day) => day.depletion_mm, factor),
        },
        {
          label: t("field.refill_line"),
          kind: "dashed",
          colour: "--alarm",
          values: column(season, (day) => day.raw_mm, factor),
        },
        {
          label: t("field.wilting"),
          kind: "dotted",
          colour: "--quiet",
          values: column(season, (day) => day.taw_mm, factor),
        },
        ...(measured.some((value) => value !== null)
          ? [
              {
                label: t("field.measured"),
                kind: "points",
                colour: "--eta",
                values: measured,
              } as const,
            ]
          : []),
        ...(zone && zone.days.length > 0
          ? [
              {
                label: t("field.planned"),
                kind: "dashed",
                colour: "--etc",
                values: expectedDepletion(season, factor),
              } as const,
            ]
          : []),
      ],
      inputs: [
        {
          label: t("field.rain"),
          kind: "bars",
          colour: "--rain",
          values: column(season, (day) => day.rain_mm, factor),
        },
        {
          label: t("field.irrigation"),
          kind: "bars",
          colour: "--irrigation",
          values: column(season, (day) => day.irrigation_net_mm, factor),
        },
      ],
      et: [
        {
          label: t("field.etc"),
          kind: "dashed",
          colour: "--etc",
          values: column(season, (day) => day.etc_mm, factor),
        },
        {
          label: t("field.eta"),
          kind: "line",
          colour: "--eta",
          values: column(season, (day) => day.eta_mm, factor),
        },
      ],
    } as const;
  }, [season, zone, factor, unit]);
  const last = balance.days.at(-1);
  if (last === undefined)
    return <Empty title={t("field.no_days")} more={t("field.no_days_more")} />;
  const first = balance.days[0]?.day ?? last.day;
  const summary = t("field.chart_summary", {
    first: dayText(first, "year"),
    last: dayText(last.day, "year"),
    value: depth(last.depletion_mm),
    line: depth(last.raw_mm),
  });
  const say = (value: number | null) => number(value, factor === 1 ? 1 : 0);
  const shared = { days: season.days, unit, say, summary, mark };
  return (
    <>
      <Chart
        id="soil"
        title={t("field.soil_water")}
        help={t("field.soil_water_help")}
        series={charts.soil}
        downwards
        height={300}
        {...shared}
      />
      <div class="pair">
        <Chart
          id="inputs"
          title={t("field.inputs")}
          series={charts.inputs}
          height={220}
          {...shared}
        />
        <Chart id="et" title={t("field.et")} series={charts.et} height={220} {...shared} />
      </div>
      <details class="card">
        <summary>{t("field.table")}</summary>
        <DayTable days={balance.days} />
      </details>
      <p class="small quiet">{t("field.last_day", { day: dayText(last.day, "year") })}</p>
    </>
  );
}

function Totals({ zone }: { zone: CropZoneSummary }) {
  const { water } = zone;
  const facts: [name: string, value: string, more?: string][] = [
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
      <dl class="facts">
        {facts.map(([name, value, more]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {value}
              {more && <small>{more}</small>}
            </dd>
          </div>
        ))}
      </dl>
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
