import type { AdviceOut, ZoneAdvice } from "../api/schema";
import { day as dayText, depth, hours, volume } from "../format";
import { toDo } from "../model/water";
import { isNamed, named, t } from "../words";
import { useFirst } from "./first";

type Open = (field: number) => string;

/** What needs doing, the most pressing first; each with how much and why. */
export function ToDoList({ advice, open }: { advice: AdviceOut; open: Open }) {
  const found = toDo(advice.crop_zones);
  const irrigated = advice.crop_zones.filter((zone) => zone.irrigation_method !== null);
  // Of fields whose water nobody knows it is not said that they need none.
  const isKnown =
    irrigated.length === 0 || irrigated.some((zone) => zone.decision !== "no-balance");
  const soonToo = [...found.waiting, ...found.soon];
  return (
    <>
      {found.now.length > 0 && (
        <section class="card todo now stack">
          <div>
            <h2>{t("today.water_now", { count: found.now.length })}</h2>
            <p class="quiet small">{t("today.total", { volume: volume(found.volumeNowM3) })}</p>
          </div>
          <Items zones={found.now} open={open} today />
        </section>
      )}
      {soonToo.length > 0 && (
        <section class="card todo stack">
          <h2>{t("today.water_soon", { count: soonToo.length })}</h2>
          <Items zones={soonToo} open={open} />
        </section>
      )}
      {found.now.length + soonToo.length === 0 && isKnown && (
        <section class="card todo stack">
          <h2>
            {irrigated.length === 0
              ? t("today.rain_fed")
              : found.unknown.length === 0
                ? t("today.nothing")
                : t("today.nothing_known")}
          </h2>
          {irrigated.length === 0 && <p class="quiet">{t("today.rain_fed_more")}</p>}
          {irrigated.length > 0 && found.unknown.length === 0 && advice.last_day && (
            <p class="quiet">{t("today.nothing_more", { day: dayText(advice.last_day) })}</p>
          )}
        </section>
      )}
      {found.unknown.length > 0 && (
        <section class="card todo stack">
          <h2>{t("today.no_balance", { count: found.unknown.length })}</h2>
          <Items zones={found.unknown} open={open} />
        </section>
      )}
    </>
  );
}

const FIRST = 6; // of each kind

function Items(props: { zones: readonly ZoneAdvice[]; open: Open; today?: boolean }) {
  const { shown, more } = useFirst(props.zones, FIRST);
  return (
    <>
      <ol>
        {shown.map((zone) => (
          <Item
            key={zone.crop_zone_id}
            zone={zone}
            open={props.open}
            today={props.today ?? false}
          />
        ))}
      </ol>
      {more}
    </>
  );
}

function Item({ zone, open, today }: { zone: ZoneAdvice; open: Open; today: boolean }) {
  const next = today ? zone.days[0] : zone.next_irrigation;
  const [first] = zone.reasons;
  return (
    <li>
      <p class="what">
        <span>
          <a href={open(zone.field_id)}>{zone.field}</a> <CropOf zone={zone} />
        </span>
        {next && next.irrigation_gross_mm > 0 && (
          <span class="amount">
            {depth(next.irrigation_gross_mm)} · {volume(next.irrigation_m3)}
            {next.irrigation_hours !== null && ` · ${hours(next.irrigation_hours)}`}
          </span>
        )}
      </p>
      {!today && <p class="small">{zone.decision_text}</p>}
      {first && <p class="small quiet">{first.text}</p>}
    </li>
  );
}

/** The crop in words; what we have no word for is said as the service names it. */
export function CropOf({ zone }: { zone: { crop: string; irrigation_method: string | null } }) {
  const crop = named("crop", zone.crop);
  const method = zone.irrigation_method ?? "rain-fed";
  return (
    <span class="quiet" lang={isNamed("crop", zone.crop) ? undefined : "en"}>
      {crop}, {named("method", method)}
    </span>
  );
}

/** Why a zone is advised what it is: every reason, and what was assumed. */
export function Reasons({ zone }: { zone: ZoneAdvice }) {
  return (
    <div class="stack">
      <ul class="reasons">
        {zone.reasons.map((reason) => (
          <li key={reason.key}>{reason.text}</li>
        ))}
      </ul>
      {zone.assumptions.length > 0 && (
        <details>
          <summary>{t("today.assumed")}</summary>
          <ul class="stack small quiet">
            {zone.assumptions.map((one) => (
              <li key={one.key}>{one.text}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
