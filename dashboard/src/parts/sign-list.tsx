import { day as dayText, moment, NONE, number } from "../format";
import { lookOf, type Sign } from "../model/signs";
import { t } from "../words";

const DIRECTIONS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"] as const;

/** The quarter of the sky that a heading points to, in words. */
export function directionOf(headingDeg: number): string {
  const eighth = Math.round((((headingDeg % 360) + 360) % 360) / 45) % 8;
  return t(`direction.${DIRECTIONS[eighth] ?? "n"}`);
}

/** The twin of the map's signs, for keyboards and screen readers: those that move first. */
export function SignTable({ signs }: { signs: readonly Sign[] }) {
  return (
    <details class="card">
      <summary>
        <h2>{t("map.signs", { count: signs.length })}</h2>
      </summary>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">{t("map.name")}</th>
            <th scope="col">{t("map.kind")}</th>
            <th scope="col">{t("map.where")}</th>
            <th scope="col" class="number">
              {t("map.speed")}
            </th>
            <th scope="col">{t("map.last")}</th>
          </tr>
        </thead>
        <tbody>
          {signs.toReversed().map((sign) => (
            <tr key={sign.id}>
              <th scope="row">{sign.name}</th>
              <td>
                <span class="status">
                  <span class={`sign ${lookOf(sign)}`} aria-hidden="true" />
                  {t(`map.sign.${sign.kind}`)}
                  {sign.silent && `, ${t("map.sign.silent")}`}
                </span>
              </td>
              <td>{whereOf(sign)}</td>
              <td class="number">{speedOf(sign)}</td>
              <td class="wide">{lastOf(sign)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** The field of what stands still, or the farm, whose own place it then has on the map. */
function whereOf({ at, kind, field, position }: Sign): string {
  if (field) return field.name;
  if (kind === "device" && position?.latitude_deg === null) return t("map.at_farm");
  return `${number(at[1], 4)}°, ${number(at[0], 4)}°`;
}

function speedOf({ position }: Sign): string {
  if (!position?.time || position.speed_m_s === null) return "";
  const speed = `${number(position.speed_m_s * 3.6, 1)}\u00a0${t("unit.km_h")}`;
  return position.heading_deg === null ? speed : `${speed}, ${directionOf(position.heading_deg)}`;
}

function lastOf({ position, herd }: Sign): string {
  if (herd)
    return `${dayText(herd.day, "year")}: ${t("map.animals", { count: Math.round(herd.animals) })}`;
  const time = position?.time ?? position?.heard_at;
  return time ? moment(time) : NONE;
}
