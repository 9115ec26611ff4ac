/** Figures of machines, herds and harvests as people of a language write them. */
import { NONE, number, percent, withUnit } from "../format";
import { t } from "../words";

type Maybe = number | null | undefined;

/** Speed, from m/s, as drivers say it. */
export function speed(metresASecond: Maybe): string {
  return metresASecond === null || metresASecond === undefined
    ? NONE
    : withUnit(number(3.6 * metresASecond, 1), t("unit.km_h"));
}

export function litres(value: Maybe): string {
  return withUnit(number(value), t("unit.l"));
}

export function litresPerHectare(value: Maybe): string {
  return withUnit(number(value, 1), t("unit.l_ha"));
}

export function metres(value: Maybe, decimals = 0): string {
  return withUnit(number(value, decimals), t("unit.m"));
}

export function kilometres(value: Maybe): string {
  return withUnit(number(value, 1), t("unit.km"));
}

export function minutes(value: Maybe): string {
  return withUnit(number(value), t("unit.min"));
}

/** Ground, from hectares: small pieces to the hundredth. */
export function ground(ha: Maybe): string {
  const small = ha !== null && ha !== undefined && Math.abs(ha) < 10;
  return withUnit(number(ha, small ? 2 : 1), t("unit.ha"));
}

/** A part of the ground, and its share of a whole where both are known. */
export function groundOf(ha: Maybe, whole: Maybe): string {
  const share = ha !== null && ha !== undefined && whole ? ` (${percent(ha / whole, 1)})` : "";
  return `${ground(ha)}${share}`;
}

export function animalDays(perHa: Maybe): string {
  return withUnit(number(perHa, 1), t("unit.animal_days_ha"));
}

export function moisture(pct: Maybe): string {
  return percent(pct === null || pct === undefined ? null : pct / 100, 1);
}
