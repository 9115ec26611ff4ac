/** Numbers, days and units as people of a language write them. */
import { depthUnit, rateUnit, timeZone } from "./display";
import { language, t } from "./words";
import { type DateStyle, dateWriter, numberLocale } from "./words/locale";

export const NONE = "–";
const BLANK = "\u00a0"; // a number and its unit stay together

const made = new Map<string, unknown>();

function once<T>(key: string, make: () => T): T {
  const found = (made.get(key) as T | undefined) ?? make();
  made.set(key, found);
  return found;
}

/** A number with so many decimals; negative zero is zero. */
export function number(value: number | null | undefined, decimals = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const format = once(
    `n ${language.value} ${decimals}`,
    () =>
      new Intl.NumberFormat(numberLocale(language.value), {
        minimumFractionDigits: decimals,
        maximumFractionDigits: decimals,
        signDisplay: "negative",
      }),
  );
  return format.format(value).replace("-", "−");
}

export function withUnit(text: string, unit: string): string {
  return text === NONE ? NONE : text + BLANK + unit;
}

/** Depth of water, from mm, in the unit chosen. */
export function depth(mm: number | null | undefined, decimals = 0): string {
  return withUnit(depthNumber(mm, decimals), depthUnitName());
}

/** The same without its unit: for tables and axes that name it once. */
export function depthNumber(mm: number | null | undefined, decimals = 0): string {
  if (mm === null || mm === undefined) return NONE;
  return depthUnit.value === "mm" ? number(mm, decimals) : number(mm * 10, 0);
}

export function depthUnitName(): string {
  return depthUnit.value === "mm" ? t("unit.mm") : t("unit.m3_ha");
}

/** mm by this make the unit chosen. */
export function depthFactor(): number {
  return depthUnit.value === "mm" ? 1 : 10;
}

export function volume(m3: number | null | undefined): string {
  return withUnit(number(m3), t("unit.m3"));
}

export function area(ha: number | null | undefined): string {
  return withUnit(number(ha, 1), t("unit.ha"));
}

export function hours(value: number | null | undefined): string {
  return withUnit(
    number(value, value !== null && value !== undefined && value < 10 ? 1 : 0),
    t("unit.h"),
  );
}

export function tonnes(value: number | null | undefined): string {
  return withUnit(number(value, 1), t("unit.t"));
}

/** Yield, from kg/ha, in the unit chosen. */
export function yieldRate(kgHa: number | null | undefined): string {
  return withUnit(yieldNumber(kgHa), rateUnitName());
}

/** The same without its unit: for tables and legends that name it once. */
export function yieldNumber(kgHa: number | null | undefined): string {
  if (kgHa === null || kgHa === undefined) return NONE;
  const [by, decimals] = { centner_ha: [100, 1], t_ha: [1000, 2], kg_ha: [1, 0] }[
    rateUnit.value
  ] as [number, number];
  return number(kgHa / by, decimals);
}

/** A bound of a class, which is round: without decimals where it has none. */
export function yieldBound(kgHa: number | null | undefined): string {
  const by = { centner_ha: 100, t_ha: 1000, kg_ha: 1 }[rateUnit.value];
  return kgHa !== null && kgHa !== undefined && kgHa % by === 0
    ? number(kgHa / by)
    : yieldNumber(kgHa);
}

export function rateUnitName(): string {
  return t(`unit.${rateUnit.value}`);
}

export function productivity(kgM3: number | null | undefined): string {
  return withUnit(number(kgM3, 2), t("unit.kg_m3"));
}

/** A share in percent; from a fraction. */
export function percent(fraction: number | null | undefined, decimals = 0): string {
  return fraction === null || fraction === undefined
    ? NONE
    : withUnit(number(fraction * 100, decimals), "%");
}

/** A farm's day, which is no moment: 1 July, or with its year. */
export function day(iso: string | null | undefined, style: DateStyle = "long"): string {
  return iso ? writer(style, "UTC")(Date.parse(`${iso}T00:00:00Z`)) : NONE;
}

/** A moment in the time of the farm that is shown; of another year its day, with the year. */
export function moment(at: number | string): string {
  const time = typeof at === "string" ? Date.parse(at) : at;
  const isOld = new Date(time).getFullYear() !== new Date().getFullYear();
  return writer(isOld ? "year" : "moment", timeZone.value)(time);
}

function writer(style: DateStyle, zone: string | undefined): (at: number) => string {
  return once(`d ${language.value} ${style} ${zone}`, () =>
    dateWriter(language.value, style, zone),
  );
}
