import { useBalance, useFarm, useField, useFieldAdvice, useSummary } from "../api/farm";
import type { CropZoneSummary, FieldOut, ZoneAdvice } from "../api/schema";
import { area, day as dayText, depth, hours, percent, volume } from "../format";
import { leftOf, statusOf } from "../model/water";
import { SeasonCharts } from "../parts/season-charts";
import { SeasonTotals } from "../parts/season-totals";
import { Answered, Empty, Title } from "../parts/states";
import { StatusMark } from "../parts/status";
import { CropOf, Reasons } from "../parts/to-do";
import { type At, go, href } from "../router";
import { named, t } from "../words";

/** One field: what to do and why, then how its water went, then what the season came to. */
export function FieldScreen({ at }: { at: At<"field"> }) {
  const field = useField(at.field);
  const farm = useFarm(at.farm);
  const advice = useFieldAdvice(at.field, at.day);
  const zones = advice.value?.crop_zones ?? [];
  const zone = zones.find((one) => one.crop_zone_id === at.crop_zone) ?? zones[0] ?? null;
  const season = at.season ?? zone?.season ?? null;
  const summary = useSummary(at.farm, season);
  const ofField = (summary.value?.crop_zones ?? []).filter((one) => one.field_id === at.field);
  const shown =
    at.crop_zone ??
    (zone?.season === season ? zone?.crop_zone_id : undefined) ??
    ofField[0]?.id ??
    null;
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
                <SeasonCharts
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
              <SeasonTotals key={one.id} zone={one} />
            ))}
        </>
      )}
    </Answered>
  );
}

function Head(props: {
  at: At<"field">;
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
              if (chosen >= 1990 && chosen <= 2100)
                go({ ...at, season: chosen, crop_zone: null }, true);
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
  at: At<"field">;
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
          go(
            { ...props.at, season: props.season, crop_zone: Number(change.currentTarget.value) },
            true,
          )
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
