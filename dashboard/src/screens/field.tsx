import { useBalance, useFarm, useField, useFieldAdvice, useSummary } from "../api/farm";
import type { CropZoneSummary, FieldOut, ZoneAdvice } from "../api/schema";
import { area, day as dayText } from "../format";
import { AdviceCard } from "../parts/advice-card";
import { Comparison } from "../parts/comparison";
import { DecisionLog } from "../parts/decision-log";
import { Head, SeasonInput, Up } from "../parts/head";
import { SeasonCharts } from "../parts/season-charts";
import { SeasonTotals } from "../parts/season-totals";
import { SoilDepths } from "../parts/soil-depths";
import { Answered, Empty } from "../parts/states";
import { CropOf } from "../parts/to-do";
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
  // Which season is asked for is known once the advice is, unless the address says it.
  const known = season !== null || (advice.failure !== null && advice.value === undefined);
  const summary = useSummary(known ? at.farm : null, season);
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
          <Top
            at={at}
            field={found}
            farmName={farm.value?.name ?? at.farm}
            zone={zone}
            season={season}
          />
          {advice.failure?.kind !== "gone" && (
            <Answered of={advice}>
              {(told) =>
                zone ? <AdviceCard zone={zone} day={told.day} changed={advice.retry} /> : null
              }
            </Answered>
          )}
          {ofField.length > 1 && <Crops at={at} zones={ofField} shown={shown} season={season} />}
          {season !== null && (
            <Answered
              of={balance}
              gone={<Empty title={t("field.no_crop", { season: String(season) })} />}
            >
              {(told) => (
                <>
                  <SeasonCharts
                    balance={told}
                    zone={zone?.crop_zone_id === told.crop_zone ? zone : null}
                    mark={at.day}
                  />
                  {farm.value && (
                    <SoilDepths
                      field={at.field}
                      season={season}
                      zone={told.crop_zone}
                      days={told.days}
                      timezone={farm.value.timezone}
                    />
                  )}
                </>
              )}
            </Answered>
          )}
          {season === null && advice.failure?.kind === "gone" && (
            <Empty title={t("status.idle")} more={t("status.idle_more")} />
          )}
          {ofField
            .filter((one) => one.id === shown)
            .map((one) => (
              <>
                <SeasonTotals key={one.id} zone={one} />
                <Comparison
                  farm={at.farm}
                  season={Number(one.harvested.slice(0, 4))}
                  own={one}
                  zones={summary.value?.crop_zones ?? []}
                />
              </>
            ))}
          <DecisionLog field={at.field} />
        </>
      )}
    </Answered>
  );
}

function Top(props: {
  at: At<"field">;
  field: FieldOut;
  farmName: string;
  zone: ZoneAdvice | null;
  season: number | null;
}) {
  const { at, field, zone, season } = props;
  return (
    <Head
      up={
        <Up to={href({ name: "today", farm: at.farm, day: at.day, field: at.field })}>
          {props.farmName}
        </Up>
      }
      title={field.name}
      heading={t("field.title", { name: field.name })}
      under={
        <p class="quiet">
          {zone && (
            <>
              <CropOf zone={zone} /> ·{" "}
            </>
          )}
          {area(field.area_ha)}
          {field.official_field_id && ` · ${field.official_field_id}`}
        </p>
      }
    >
      {season !== null && (
        <SeasonInput
          label={t("field.season")}
          season={season}
          choose={(chosen) => go({ ...at, season: chosen, crop_zone: null }, true)}
        />
      )}
    </Head>
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
