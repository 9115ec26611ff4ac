/** Numbers and dates by Intl; for Kazakh by hand, since not every browser's Intl knows it. */
import type { Language } from "./index";

/** Kazakh writes numbers as Russian does: a comma, and blanks between thousands. */
export function numberLocale(language: Language): string {
  return language === "kk" ? "ru" : language;
}

/** The plural form of a count (CLDR). */
export function pluralForm(language: Language, count: number): Intl.LDMLPluralRule {
  if (language === "kk") return count === 1 ? "one" : "other";
  return new Intl.PluralRules(language).select(count);
}

export type DateStyle = "long" | "short" | "year" | "month" | "moment";

const OPTIONS: Record<DateStyle, Intl.DateTimeFormatOptions> = {
  long: { day: "numeric", month: "long" },
  short: { day: "numeric", month: "short" },
  year: { day: "numeric", month: "long", year: "numeric" },
  month: { month: "short" },
  moment: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
};

/** Days before months and a day of 24 hours, as the country and the service write them. */
const LOCALES = { ru: "ru", en: "en-GB" } as const;

const MONTHS = [
  "қаңтар",
  "ақпан",
  "наурыз",
  "сәуір",
  "мамыр",
  "маусым",
  "шілде",
  "тамыз",
  "қыркүйек",
  "қазан",
  "қараша",
  "желтоқсан",
];
const SHORT = [
  "қаң.",
  "ақп.",
  "нау.",
  "сәу.",
  "мам.",
  "мау.",
  "шіл.",
  "там.",
  "қыр.",
  "қаз.",
  "қар.",
  "жел.",
];

/** A function that writes a time, ms since 1970, in a style; days of farms are told in UTC. */
export function dateWriter(
  language: Language,
  style: DateStyle,
  timeZone?: string,
): (at: number) => string {
  const zone = timeZone === undefined ? {} : { timeZone };
  if (language !== "kk") {
    const format = new Intl.DateTimeFormat(LOCALES[language], { ...OPTIONS[style], ...zone });
    return (at) => format.format(at);
  }
  const parts = new Intl.DateTimeFormat("en-GB", {
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    ...zone,
  });
  return (at) => {
    const found = Object.fromEntries(
      parts.formatToParts(at).map((part) => [part.type, part.value]),
    );
    const { year, hour, minute } = found;
    const day = Number(found.day);
    const number = Number(found.month) - 1;
    switch (style) {
      case "long":
        return `${day} ${MONTHS[number]}`;
      case "short":
        return `${day} ${SHORT[number]}`;
      case "year":
        return `${year} ж. ${day} ${MONTHS[number]}`;
      case "month":
        return SHORT[number] ?? "";
      case "moment":
        return `${day} ${SHORT[number]}, ${hour}:${minute}`;
    }
  };
}
