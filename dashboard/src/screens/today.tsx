import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { usePositions, useWaterStatus } from "../api/day";
import { useFarm, useFarmAdvice, useFields } from "../api/farm";
import type { FarmOut, FieldOut, WaterStatusOut } from "../api/schema";
import { day as dayText } from "../format";
import { dayOf, dayWithin } from "../model/days";
import { signsOf } from "../model/signs";
import { EVERYTHING, type Filter, filtered, rowsOf } from "../model/water";
import { Alerts } from "../parts/alerts";
import { FieldTable, Filters } from "../parts/field-list";
import { FieldMap, prepareMap } from "../parts/field-map";
import { FieldCard, SignCard } from "../parts/map-card";
import { useTiles } from "../parts/map-place";
import { SignTable } from "../parts/sign-list";
import { Answered, Empty, Title } from "../parts/states";
import { Legend } from "../parts/status";
import { ToDoList } from "../parts/to-do";
import { Weather } from "../parts/weather";
import { type At, go, href } from "../router";
import { named, t } from "../words";

// Of so many fields the advice takes the service as long as the map takes the page: one after the other.
const MANY = 300;
const PATIENCE_MS = 3_000;

/** The day in ten seconds: what needs doing, then where, then the list of everything. */
export function Today({ at }: { at: At<"today"> }) {
  const farm = useFarm(at.farm);
  const fields = useFields(at.farm);
  const water = useWaterStatus(at.farm, at.day);
  // What the map needs beside the fields comes while they are on their way.
  void prepareMap().catch(() => {}); // the map itself says that it could not be loaded
  useTiles();
  const name = farm.value?.name ?? at.farm;
  const day = water.value?.day;
  const today = dayOf(Date.now(), farm.value?.timezone);
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
        {water.value && <Season at={at} water={water.value} today={today} />}
        <label>
          <span>{t("today.day")}</span>
          <input
            type="date"
            value={at.day ?? day ?? ""}
            max={today}
            onChange={(change) => go({ ...at, day: change.currentTarget.value || null }, true)}
          />
        </label>
        {at.day && (
          <a class="button" href={href({ ...at, day: null })}>
            {t("today.back")}
          </a>
        )}
      </div>
      <Answered of={fields}>
        {(found) => (
          <Answered of={water}>
            {(told) => <Day at={at} fields={found} water={told} farm={farm.value} />}
          </Answered>
        )}
      </Answered>
    </>
  );
}

/** Another season: a day well inside it; of the one that goes on, today. */
function Season(props: { at: At<"today">; water: WaterStatusOut; today: string }) {
  const { at, today } = props;
  const { day, seasons } = props.water;
  if (seasons.length === 0) return null;
  const here = seasons.find((one) => one.first <= day && day <= one.last);
  return (
    <label>
      <span>{t("field.season")}</span>
      <select
        value={here?.season ?? ""}
        onChange={(change) => {
          const chosen = seasons.find((one) => String(one.season) === change.currentTarget.value);
          if (chosen === undefined) return;
          const isOver = chosen.last < today;
          go({ ...at, day: isOver ? dayWithin(chosen.first, chosen.last) : null }, true);
        }}
      >
        {!here && <option value="">{t("today.no_season")}</option>}
        {seasons.map((one) => (
          <option key={one.season} value={one.season}>
            {one.season}
          </option>
        ))}
      </select>
    </label>
  );
}

function Day(props: {
  at: At<"today">;
  fields: FieldOut[];
  water: WaterStatusOut;
  farm: FarmOut | undefined;
}) {
  const { at, fields, water, farm } = props;
  const filter = useSignal<Filter>(EVERYTHING);
  const sign = useSignal<string | null>(null);
  const mapFirst = fields.length > MANY;
  const drawn = useSignal(false);
  useEffect(() => {
    // A map that does not come at all holds nothing up.
    const timer = setTimeout(() => {
      drawn.value = true;
    }, PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  const advice = useFarmAdvice(at.farm, at.day, !mapFirst || drawn.value);
  const positions = usePositions(at.farm, at.day).value;
  const rows = useMemo(
    () => rowsOf(fields, water.crop_zones, advice.value?.crop_zones),
    [fields, water, advice.value],
  );
  const shown = useMemo(
    () => filtered(rows, filter.value, (crop) => named("crop", crop)),
    [rows, filter.value],
  );
  const signs = useMemo(
    () => (positions ? signsOf(positions, fields, farm) : []),
    [positions, fields, farm],
  );
  if (fields.length === 0) return <Empty title={t("fields.none")} more={t("fields.none_more")} />;
  const chosen = rows.find((row) => row.field.id === at.field);
  const chosenSign = signs.find((one) => one.id === sign.value);
  const choose = (field: number | null) => go({ ...at, field }, true);
  const open = (field: number) =>
    href({ name: "field", farm: at.farm, field, season: null, day: at.day, crop_zone: null });
  const lost = rows.filter((row) => row.field.geometry === null).length;
  const growing = water.crop_zones.length > 0;
  return (
    <>
      <div class="split">
        <div class="stack">
          {growing ? (
            <Answered of={advice}>{(told) => <ToDoList advice={told} open={open} />}</Answered>
          ) : (
            <OffSeason at={at} water={water} />
          )}
          <Alerts
            farm={at.farm}
            names={{
              device: (id) => positions?.devices.find((one) => one.device_id === id)?.name ?? id,
              field: (id) => fields.find((one) => one.id === id)?.name,
            }}
          />
        </div>
        <section class="stack mapside" aria-label={t("map.title")}>
          <Filters
            rows={rows}
            filter={filter.value}
            set={(next) => {
              filter.value = next;
            }}
          />
          <div class="card mapbox">
            <FieldMap
              rows={shown}
              signs={signs}
              chosen={at.field}
              drawn={() => {
                drawn.value = true;
              }}
              choose={(hit) => {
                sign.value = hit.sign;
                if (hit.sign === null || hit.field !== null) choose(hit.field);
                else if (at.field !== null) choose(null);
              }}
            />
            {chosen && (
              <FieldCard row={chosen} open={open(chosen.field.id)} close={() => choose(null)} />
            )}
            {chosenSign && !chosen && (
              <SignCard
                sign={chosenSign}
                close={() => {
                  sign.value = null;
                }}
              />
            )}
          </div>
          <div class="card">
            <Legend signs={signs} />
          </div>
          {growing && (advice.value?.weather.length ?? 0) > 0 && (
            <Weather days={advice.value?.weather ?? []} />
          )}
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
      {signs.length > 0 && <SignTable signs={signs} />}
    </>
  );
}

/** Nothing grows on this day: say so, and where the season is to be seen. */
function OffSeason({ at, water }: { at: At<"today">; water: WaterStatusOut }) {
  // The one before the day, or where there is none, the first after it.
  const found = water.seasons.find((one) => one.first <= water.day) ?? water.seasons.at(-1);
  return (
    <Empty title={t("today.off_season")}>
      {found && (
        <>
          <p class="quiet">
            {t("today.off_season_more", {
              season: String(found.season),
              first: dayText(found.first, "year"),
              last: dayText(found.last, "year"),
            })}
          </p>
          {found.first <= water.day && (
            <a class="button" href={href({ ...at, day: dayWithin(found.first, found.last) })}>
              {t("today.look_at", { day: dayText(dayWithin(found.first, found.last), "year") })}
            </a>
          )}
        </>
      )}
    </Empty>
  );
}
