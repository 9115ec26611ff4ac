import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { dayOf, useFarm, useFarmAdvice, useFields, useSummary, useTracks } from "../api/farm";
import type { AdviceOut, FieldOut, ZoneAdvice } from "../api/schema";
import { area, day as dayText, depth, volume } from "../format";
import { dayWithin, EVERYTHING, type Filter, filtered, isIdle, rowsOf } from "../model/water";
import { Alerts } from "../parts/alerts";
import { FieldTable, Filters } from "../parts/field-list";
import { FieldMap, prepareMap, useTiles } from "../parts/field-map";
import { Answered, Empty, Title } from "../parts/states";
import { Legend, left, StatusMark } from "../parts/status";
import { ToDoList } from "../parts/to-do";
import { Weather } from "../parts/weather";
import { type At, go, href } from "../router";
import { named, t } from "../words";

/** The day in ten seconds: what needs doing, then where, then the list of everything. */
export function Today({ at }: { at: At<"today"> }) {
  const farm = useFarm(at.farm);
  const fields = useFields(at.farm);
  const advice = useFarmAdvice(at.farm, at.day);
  // What the map needs beside the fields comes while they are on their way.
  void prepareMap().catch(() => {}); // the map itself says that it could not be loaded
  useTiles();
  const name = farm.value?.name ?? at.farm;
  const day = advice.value?.day;
  return (
    <>
      <div class="head">
        <div>
          <Title title={name}>{name}</Title>
          <p class="quiet">
            {day &&
              (at.day ? dayText(day, "year") : `${t("today.title")}, ${dayText(day, "year")}`)}
          </p>
        </div>
        {at.day && (
          <a class="button" href={href({ ...at, day: null })}>
            {t("today.back")}
          </a>
        )}
        <label>
          <span>{t("today.day")}</span>
          <input
            type="date"
            value={at.day ?? day ?? ""}
            max={dayOf(Date.now(), farm.value?.timezone)}
            onChange={(change) => go({ ...at, day: change.currentTarget.value || null }, true)}
          />
        </label>
      </div>
      <Answered of={fields}>
        {(found) => (
          <Answered of={advice}>
            {(told) => <Day at={at} fields={found} advice={told} timezone={farm.value?.timezone} />}
          </Answered>
        )}
      </Answered>
    </>
  );
}

function Day(props: {
  at: At<"today">;
  fields: FieldOut[];
  advice: AdviceOut;
  timezone: string | undefined;
}) {
  const { at, fields, advice } = props;
  const filter = useSignal<Filter>(EVERYTHING);
  const rows = useMemo(() => rowsOf(fields, advice.crop_zones), [fields, advice]);
  const shown = filtered(rows, filter.value, (crop) => named("crop", crop));
  const tracks = useTracks(at.farm, props.timezone, advice.day).value ?? [];
  const chosen = rows.find((row) => row.field.id === at.field);
  const choose = (field: number | null) => go({ ...at, field }, true);
  const open = (field: number) =>
    href({ name: "field", farm: at.farm, field, season: null, day: at.day, crop_zone: null });
  const lost = rows.filter((row) => row.field.geometry === null).length;
  if (fields.length === 0) return <Empty title={t("fields.none")} more={t("fields.none_more")} />;
  const growing = advice.crop_zones.some((zone) => !isIdle(zone));
  return (
    <>
      <div class="split">
        <div class="stack">
          {growing ? (
            <ToDoList advice={advice} open={open} />
          ) : (
            <OffSeason at={at} zones={advice.crop_zones} />
          )}
          <Alerts farm={at.farm} />
        </div>
        <section class="stack mapside" aria-label={t("map.title")}>
          <div class="card mapbox">
            <FieldMap rows={shown} tracks={tracks} chosen={at.field} choose={choose} />
            {chosen && (
              <section class="card stack onmap" aria-label={chosen.field.name}>
                <div class="row spread">
                  <h2>{chosen.field.name}</h2>
                  <button
                    type="button"
                    class="plain"
                    aria-label={t("fields.close")}
                    onClick={() => choose(null)}
                  >
                    ✕
                  </button>
                </div>
                <p class="row">
                  <StatusMark status={chosen.status} /> <span class="quiet">{left(chosen)}</span>
                </p>
                {chosen.zone && (
                  <p>
                    {named("crop", chosen.zone.crop)}, {area(chosen.field.area_ha)}.{" "}
                    {chosen.zone.decision_text}
                    {chosen.zone.next_irrigation && (
                      <>
                        {": "}
                        <strong class="number">
                          {depth(chosen.zone.next_irrigation.irrigation_gross_mm)} ·{" "}
                          {volume(chosen.zone.next_irrigation.irrigation_m3)}
                        </strong>
                      </>
                    )}
                  </p>
                )}
                <a class="button primary" href={open(chosen.field.id)}>
                  {t("fields.open")}
                </a>
              </section>
            )}
          </div>
          <div class="card">
            <Legend machines={tracks.length > 0} />
          </div>
          {growing && advice.weather.length > 0 && <Weather days={advice.weather} />}
          {lost > 0 && <p class="small quiet">{t("fields.no_boundary", { count: lost })}</p>}
        </section>
      </div>
      <section class="card stack" aria-labelledby="fields">
        <div class="row spread">
          <h2 id="fields">{t("fields.title")}</h2>
          <p class="small quiet" role="status">
            {t("fields.shown", { shown: shown.length, count: rows.length })} · {t("fields.sorted")}
          </p>
        </div>
        <Filters
          rows={rows}
          filter={filter.value}
          set={(next) => {
            filter.value = next;
          }}
        />
        {shown.length > 0 ? (
          <FieldTable rows={shown} chosen={at.field} open={open} />
        ) : (
          <p class="row">
            {t("fields.none_found")}
            <button
              type="button"
              onClick={() => {
                filter.value = EVERYTHING;
              }}
            >
              {t("fields.clear")}
            </button>
          </p>
        )}
      </section>
    </>
  );
}

/** Nothing grows on this day: say so, and where the season is to be seen. */
function OffSeason({ at, zones }: { at: At<"today">; zones: readonly ZoneAdvice[] }) {
  const summary = useSummary(at.farm, null).value;
  const all = summary?.crop_zones ?? [];
  const first = all.map((zone) => zone.planted).sort()[0];
  const last = all
    .map((zone) => zone.harvested)
    .sort()
    .at(-1);
  const season = summary?.season ?? zones[0]?.season;
  return (
    <Empty title={t("today.off_season")}>
      {first && last && season && (
        <>
          <p class="quiet">
            {t("today.off_season_more", {
              season: String(season),
              first: dayText(first, "year"),
              last: dayText(last, "year"),
            })}
          </p>
          <a class="button" href={href({ ...at, day: dayWithin(first, last) })}>
            {t("today.look_at", { day: dayText(dayWithin(first, last), "year") })}
          </a>
        </>
      )}
    </Empty>
  );
}
