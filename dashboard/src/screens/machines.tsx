import { useMemo } from "preact/hooks";
import { useFarm, useFields } from "../api/farm";
import { useTracksOf, useWork, useWorkDays, useWorkMaps } from "../api/machines";
import type { MachineDayOut, WorkDaysOut } from "../api/schema";
import { day as dayText, hours, number } from "../format";
import { dayOf } from "../model/days";
import { around, chosenDays, machinesOf, sumsOf } from "../model/machine-days";
import { type Fact, Facts } from "../parts/facts";
import { ground, kilometres, litres, litresPerHectare } from "../parts/figures";
import { Head, ToFarm } from "../parts/head";
import { Herds, Pastures } from "../parts/herd-tables";
import { MachineMap } from "../parts/machine-map";
import { FieldWork, Flights, Operations } from "../parts/machine-tables";
import { Answered, Awaited, Empty, useArrival } from "../parts/states";
import { type At, go, href } from "../router";
import { named, t } from "../words";

type Here = At<"machines">;

/** What machines, drones and herds did on a day, or in an operation of several. */
export function Machines({ at }: { at: Here }) {
  const farm = useFarm(at.farm);
  const year = at.day === null ? null : Number(at.day.slice(0, 4));
  const days = useWorkDays(at.farm, year);
  return (
    <>
      <Head up={<ToFarm farm={at.farm} name={farm.value?.name} />} title={t("machines.title")} />
      <Answered of={days}>
        {(told) =>
          told.newest === null ? (
            <Empty title={t("machines.none")} more={t("machines.none_more")} />
          ) : (
            <Days at={at} told={told} day={at.day ?? told.newest} />
          )
        }
      </Answered>
    </>
  );
}

function Days({ at, told, day }: { at: Here; told: WorkDaysOut; day: string }) {
  const until = at.until !== null && at.until > day ? at.until : day;
  const days = useMemo(
    () => chosenDays(told.days, day, until, at.machine),
    [told, day, until, at.machine],
  );
  const work = useWork(at.farm, until);
  return (
    <>
      <Choices at={at} told={told} day={day} until={until} />
      {days.length === 0 ? (
        <Empty
          title={t("machines.quiet")}
          more={t("machines.quiet_more", { day: dayText(told.newest, "year") })}
        >
          {told.newest && (
            <a class="button" href={href({ ...at, day: told.newest, until: null, field: null })}>
              {t("machines.look", { day: dayText(told.newest) })}
            </a>
          )}
        </Empty>
      ) : (
        <Done at={at} days={days} span={{ first: day, last: until }} timezone={told.timezone} />
      )}
      <Answered of={work}>
        {(found) => (
          <>
            <Pastures of={found.pastures} until={until} />
            <Operations work={found} at={at} />
          </>
        )}
      </Answered>
    </>
  );
}

function Choices(props: { at: Here; told: WorkDaysOut; day: string; until: string }) {
  const { at, told, day, until } = props;
  const near = useNear(at.farm, told, day);
  const goTo = (chosen: string | null) =>
    go({ ...at, day: chosen, until: null, field: null }, true);
  const machines = machinesOf(told.days);
  const isPart = until !== day || at.field !== null;
  const part = useArrival<HTMLParagraphElement>(
    at.field === null ? null : `${day} ${until} ${at.machine} ${at.field}`,
  );
  return (
    <div class="choices">
      <div class="row">
        <Step from={day} to={near.before} label={t("machines.before")} sign="‹" go={goTo} />
        <label>
          <span>{t("machines.day")}</span>
          <input
            type="date"
            value={day}
            max={dayOf(Date.now(), told.timezone)}
            onChange={(change) => goTo(change.currentTarget.value || null)}
          />
        </label>
        <Step from={day} to={near.after} label={t("machines.after")} sign="›" go={goTo} />
      </div>
      <label>
        <span>{t("machines.machine")}</span>
        <select
          value={at.machine ?? ""}
          onChange={(change) =>
            go({ ...at, machine: change.currentTarget.value || null, field: null }, true)
          }
        >
          <option value="">{t("machines.all")}</option>
          {machines.map((one) => (
            <option key={one.id} value={one.id}>
              {named("kind", one.kind)}: {one.name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{t("machines.show")}</span>
        <select
          value={at.show === "speed" ? "speed" : "work"}
          onChange={(change) =>
            go({ ...at, show: change.currentTarget.value === "speed" ? "speed" : null }, true)
          }
        >
          <option value="work">{t("machines.show_work")}</option>
          <option value="speed">{t("machines.show_speed")}</option>
        </select>
      </label>
      {isPart && (
        <p class="row span" ref={part} tabIndex={-1}>
          <strong>
            {until === day
              ? dayText(day, "year")
              : t("machines.span", { first: dayText(day), last: dayText(until, "year") })}
          </strong>
          <a class="button" href={href({ ...at, until: null, field: null, machine: null })}>
            {t("machines.one_day")}
          </a>
        </p>
      )}
    </div>
  );
}

/** The days of work before and after a day, be they of the year before or after. */
function useNear(farm: string, told: WorkDaysOut, day: string) {
  const here = around(told.days, day);
  const year = Number(day.slice(0, 4));
  const isPast = told.newest !== null && told.newest > day;
  const before = useWorkDays(farm, year - 1, here.before === null).value?.days ?? [];
  const after = useWorkDays(farm, year + 1, here.after === null && isPast).value?.days;
  const near = around([...before, ...told.days, ...(after ?? [])], day);
  // Where the next year has none, the newest day of all is the next that is known.
  return { ...near, after: near.after ?? (after && isPast ? told.newest : null) };
}

function Step(props: {
  from: string; // the day that is shown: another year than its is said
  to: string | null;
  label: string;
  sign: string;
  go: (day: string) => void;
}) {
  const { from, to } = props;
  const isNear = to?.slice(0, 4) === from.slice(0, 4);
  const said = to === null ? "" : dayText(to, isNear ? undefined : "year");
  return (
    <button
      type="button"
      class="step"
      disabled={to === null}
      aria-label={to === null ? props.label : `${props.label}: ${said}`}
      onClick={() => to !== null && props.go(to)}
    >
      <span aria-hidden="true">{props.sign}</span>
    </button>
  );
}

function Done(props: {
  at: Here;
  days: readonly MachineDayOut[];
  span: { first: string; last: string };
  timezone: string;
}) {
  const { at, days, span } = props;
  const machines = useMemo(() => [...new Set(days.map((one) => one.device_id))], [days]);
  const fields = useFields(at.farm);
  const maps = useWorkMaps(machines, span, at.field);
  const tracks = useTracksOf(machines, span, props.timezone);
  const work = useWork(at.farm, span.last);
  const shown = useMemo(
    () => ({
      fields: fields.value ?? [],
      days,
      maps: maps.value ?? [],
      tracks: tracks.value ?? [],
      pastures: days.some((one) => one.grazed.length > 0) ? (work.value?.pastures ?? []) : [],
      field: at.field,
      bySpeed: at.show === "speed",
      key: `${span.first} ${span.last} ${at.machine} ${at.field}`,
    }),
    [fields.value, days, maps.value, tracks.value, work.value, at, span.first, span.last],
  );
  return (
    <>
      <div class="split">
        <div class="stack">
          <Sum days={days} />
          {days.some((one) => one.work_h !== null) && <HowTimeWent days={days} />}
        </div>
        <div class="stack mapside">
          <Awaited of={[fields, maps, tracks]} />
          <MachineMap shown={shown} />
        </div>
      </div>
      <FieldWork days={days} at={at} />
      <Flights days={days} />
      <Herds days={days} />
    </>
  );
}

function Sum({ days }: { days: readonly MachineDayOut[] }) {
  const sums = sumsOf(days);
  const facts: Fact[] = [
    [t("machines.at_work"), t("machines.units", { count: sums.machines })],
    [t("machines.worked"), ground(sums.workedHa)],
    [t("machines.fuel"), litres(sums.fuelL)],
    [t("machines.fuel_ha"), litresPerHectare(sums.fuelLHa)],
    [t("machines.way"), kilometres(sums.distanceKm)],
  ];
  const drive = days.some((one) => one.work_h !== null);
  const flights = days.reduce((sum, one) => sum + one.flights.length, 0);
  const animals = days.reduce((sum, one) => sum + (one.herd?.animals ?? 0), 0);
  const shown: Fact[] = facts.slice(0, drive ? undefined : 1);
  if (flights > 0) shown.push([t("machines.flights"), number(flights)]);
  if (animals > 0) shown.push([t("machines.animals"), number(animals)]);
  return (
    <section class="card stack" aria-labelledby="sum">
      <h2 id="sum">{t("machines.sum")}</h2>
      <Facts of={shown} />
    </section>
  );
}

const STATES = [
  ["work", "machines.work"],
  ["idle", "machines.idle"],
  ["transport", "machines.transport"],
  ["unknown", "machines.unknown"],
] as const;

/** Hours by state, machine by machine: a bar whose parts are named and numbered. */
function HowTimeWent({ days }: { days: readonly MachineDayOut[] }) {
  const driven = days.filter((one) => one.work_h !== null);
  return (
    <section class="card stack" aria-labelledby="time">
      <h2 id="time">{t("machines.time")}</h2>
      {driven.map((one) => {
        const parts = STATES.map(
          ([state, words]) => [state, one[`${state}_h`] ?? 0, t(words)] as const,
        );
        const whole = parts.reduce((sum, [, h]) => sum + h, 0);
        return (
          <div key={`${one.day} ${one.device_id}`} class="stack tight">
            <h3>
              {one.machine} <span class="quiet">{dayText(one.day)}</span>
            </h3>
            <div class="shares" aria-hidden="true">
              {parts.map(([state, h]) => (
                <span key={state} class={state} style={{ flexGrow: whole > 0 ? h / whole : 0 }} />
              ))}
            </div>
            <ul class="legend">
              {parts
                .filter(([, h]) => h > 0)
                .map(([state, h, words]) => (
                  <li key={state}>
                    <span class={`share ${state}`} aria-hidden="true" />
                    {words} {hours(h)}
                  </li>
                ))}
            </ul>
          </div>
        );
      })}
    </section>
  );
}
