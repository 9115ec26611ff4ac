import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { en } from "./en";
import type { Plural } from "./index";
import { kk } from "./kk";
import { ru } from "./ru";

type Dictionary = Record<string, string | Plural>;
const LANGUAGES: Record<string, Dictionary> = { en, ru, kk };
// Said alike in every language: names of languages, of the product, of quantities; or no words.
const ALIKE =
  /^(language\.|app\.name$|field\.et[ac]_total$|field\.reached_range$|region\.ranks$|claim\.eui$)/;

function texts(words: string | Plural | undefined): string[] {
  if (words === undefined) return [];
  return typeof words === "string" ? [words] : Object.values(words);
}

function names(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? "").sort();
}

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const file = join(folder, name);
    if (statSync(file).isDirectory())
      return name === "words" || name === "api" ? [] : sources(file);
    return /\.tsx?$/.test(name) && !name.endsWith(".test.ts") ? [readFileSync(file, "utf8")] : [];
  });
}

describe.each(Object.entries(LANGUAGES))("%s", (language, words) => {
  it("has the keys of English and no other", () => {
    expect(Object.keys(words)).toEqual(Object.keys(en));
  });

  it("asks for the same values as English", () => {
    for (const [key, mine] of Object.entries(words)) {
      const asked = new Set(texts((en as Dictionary)[key]).flatMap(names));
      for (const text of texts(mine)) expect(new Set(names(text)), key).toEqual(asked);
    }
  });

  it("has every plural form that its grammar knows", () => {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const [key, mine] of Object.entries(words)) {
      if (typeof mine !== "string")
        expect(Object.keys(mine).sort(), key).toEqual([...forms].sort());
    }
  });

  it("says something everywhere, without blanks at the ends", () => {
    for (const [key, mine] of Object.entries(words)) {
      for (const text of texts(mine)) {
        expect(text, key).not.toBe("");
        expect(text.trim(), key).toBe(text);
      }
    }
  });
});

it.each(["ru", "kk"])("%s is translated, not copied", (language) => {
  const copied = Object.entries(LANGUAGES[language] ?? {}).filter(
    ([key, mine]) =>
      !ALIKE.test(key) &&
      texts(mine).some(
        (text) => /[A-Za-z]{3}/.test(text) && texts((en as Dictionary)[key]).includes(text),
      ),
  );
  expect(copied.map(([key]) => key)).toEqual([]);
});

it("Kazakh is written with its own letters", () => {
  const all = Object.values(kk as Dictionary)
    .flatMap(texts)
    .join("");
  for (const letter of "әғқңөұүһі") if (letter !== "һ") expect(all).toContain(letter);
});

it("has no key that the page never says", () => {
  const code = sources(join(import.meta.dirname, "..")).join("\n");
  const built =
    /^(start|crop|method|cause|savings\.source|status|weather|language|alert\.severity|map\.sign|direction|decision\.was|method_page|kind|reason|flag|refusal|device|yield\.from|yield\.scale)\.|^decision\.(accepted|skipped)$/;
  const silent = Object.keys(en).filter((key) => !built.test(key) && !code.includes(`"${key}"`));
  expect(silent).toEqual([]);
});

it("says in words every reason for which a message may be refused", () => {
  const protocol = readFileSync(join(import.meta.dirname, "../../../docs/protocol.md"), "utf8");
  const [, reasons = ""] = protocol.split("## Reasons for a refusal");
  const [section = ""] = reasons.split(/^## /m);
  const rows = [...section.matchAll(/^\| (`[^|]+)\|/gm)].map(([, cell = ""]) => cell).join();
  const named = [...rows.matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => `refusal.${name}`);
  const said = Object.keys(en).filter((key) => key.startsWith("refusal."));
  expect(said.sort()).toEqual(named.sort());
  expect(said.length).toBeGreaterThan(50);
});
