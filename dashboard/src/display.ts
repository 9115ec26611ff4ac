/** How this person likes the page: language, colours, units. Kept in the browser. */
import { effect, signal } from "@preact/signals";
import { LANGUAGES, type Language, speak } from "./words";

export type Theme = "auto" | "light" | "dark";
export type DepthUnit = "mm" | "m3_ha";
export type RateUnit = "centner_ha" | "t_ha" | "kg_ha";

const PLACE = "dala.display";

interface Kept {
  language?: Language;
  theme?: Theme;
  depth?: DepthUnit;
  rate?: RateUnit;
}

const kept = read();
export const theme = signal<Theme>(kept.theme ?? "auto");
export const depthUnit = signal<DepthUnit>(kept.depth ?? "mm");
export const rateUnit = signal<RateUnit>(kept.rate ?? "centner_ha");
const chosen = signal<Language | null>(kept.language ?? null);

const prefersDark = globalThis.matchMedia?.("(prefers-color-scheme: dark)");
const deviceIsDark = signal(prefersDark?.matches ?? false);
prefersDark?.addEventListener("change", (change) => {
  deviceIsDark.value = change.matches;
});

/** The time zone of the farm on the screen, in which its times are told; of the browser, where none is. */
export const timeZone = signal<string | undefined>(undefined);

/** Whether the page is dark now. */
export function isDark(): boolean {
  return theme.value === "dark" || (theme.value === "auto" && deviceIsDark.value);
}

/** Speak the language that was chosen here, else the account's, else the browser's, else Kazakh. */
export async function begin(): Promise<void> {
  effect(() => {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  });
  await speak(chosen.value ?? preferred(navigator.languages) ?? "kk");
}

/** The first of a browser's languages that is one of ours. */
function preferred(languages: readonly string[]): Language | null {
  for (const tag of languages) {
    const ours = LANGUAGES.find((one) => one === tag.toLowerCase().split("-")[0]);
    if (ours) return ours;
  }
  return null;
}

/** Speak a language because somebody chose it. */
export async function choose(language: Language): Promise<void> {
  await speak(language);
  chosen.value = language;
  keep();
}

/** Speak an account's language where nothing was chosen in this browser. */
export async function suggest(language: Language): Promise<void> {
  if (chosen.value === null) await speak(language);
}

/** Keep what is set. */
export function keep(): void {
  const now: Kept = { theme: theme.value, depth: depthUnit.value, rate: rateUnit.value };
  if (chosen.value) now.language = chosen.value;
  try {
    localStorage.setItem(PLACE, JSON.stringify(now));
  } catch {
    // a browser that keeps nothing shows the page all the same
  }
}

function read(): Kept {
  try {
    const found = JSON.parse(localStorage.getItem(PLACE) ?? "{}") as Record<string, unknown>;
    const one = <T extends string>(value: unknown, ...of: readonly T[]) =>
      of.find((known) => known === value);
    const read: Kept = {};
    const language = one(found.language, ...LANGUAGES);
    const colours = one(found.theme, "auto", "light", "dark");
    const depth = one(found.depth, "mm", "m3_ha");
    const rate = one(found.rate, "centner_ha", "t_ha", "kg_ha");
    if (language) read.language = language;
    if (colours) read.theme = colours;
    if (depth) read.depth = depth;
    if (rate) read.rate = rate;
    return read;
  } catch {
    return {};
  }
}
