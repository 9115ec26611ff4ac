import { computed, signal } from "@preact/signals";
import type { en } from "./en";
import { numberLocale, pluralForm } from "./locale";

export const LANGUAGES = ["kk", "ru", "en"] as const;
export type Language = (typeof LANGUAGES)[number];
export type Key = keyof typeof en;

export interface Plural {
  readonly one: string;
  readonly few?: string;
  readonly many?: string;
  readonly other: string;
}

/** What a language must have: the keys of the English words, plurals where they have them. */
export type Words<English = typeof en> = {
  readonly [K in keyof English]: English[K] extends string ? string : Plural;
};

type Text<K extends Key> = (typeof en)[K] extends { readonly other: infer Other }
  ? Other
  : (typeof en)[K];
type Names<T> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type Counted<K extends Key> = (typeof en)[K] extends string ? never : "count";
type Values<K extends Key> = { readonly [N in Names<Text<K>>]: string | number } & {
  readonly [N in Counted<K>]: number;
};
type Given<K extends Key> = Names<Text<K>> extends never ? [] : [values: Values<K>];

const spoken = signal<{ language: Language; words: Words } | null>(null);

/** The language whose words are loaded. */
export const language = computed<Language>(() => spoken.value?.language ?? "en");

const whole = computed(() => new Intl.NumberFormat(numberLocale(language.value)));

/** Load the words of a language and speak it; the page in it is one file, loaded when asked for. */
export async function speak(chosen: Language): Promise<void> {
  const loaders: Record<Language, () => Promise<Words>> = {
    kk: async () => (await import("./kk")).kk,
    ru: async () => (await import("./ru")).ru,
    en: async () => (await import("./en")).en,
  };
  const words = await loaders[chosen]();
  document.documentElement.lang = chosen;
  spoken.value = { language: chosen, words };
}

/** The words of a key in the language spoken, with its placeholders filled. */
export function t<K extends Key>(key: K, ...given: Given<K>): string {
  const values = (given[0] ?? {}) as Record<string, string | number>;
  const found: string | Plural = spoken.value?.words[key] ?? key;
  return fill(typeof found === "string" ? found : form(found, Number(values.count)), values);
}

/** What the service names in words of its own. */
type Named =
  | "crop"
  | "method"
  | "cause"
  | "savings.source"
  | "kind"
  | "reason"
  | "flag"
  | "refusal"
  | "yield.from"
  | "yield.scale";

/** The words of something the service names: a crop, a cause; the name itself where we have none. */
export function named(kind: Named, name: string): string {
  const found = (spoken.value?.words as Record<string, string | Plural> | undefined)?.[
    `${kind}.${name}`
  ];
  return typeof found === "string" ? found : name;
}

/** Whether we have words for what the service names. */
export function isNamed(kind: Named, name: string): boolean {
  return named(kind, name) !== name;
}

function form(words: Plural, count: number): string {
  const category = pluralForm(language.value, count);
  return (words as unknown as Record<string, string>)[category] ?? words.other;
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole_, name: string) => {
    const value = values[name];
    if (value === undefined) return whole_;
    return typeof value === "number" ? whole.value.format(value) : value;
  });
}
