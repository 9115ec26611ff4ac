import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { reachable } from "../api/client";
import { live } from "../api/live";
import { lastLoaded } from "../api/resource";
import { signOut, who } from "../api/session";
import {
  choose,
  type DepthUnit,
  depthUnit,
  keep,
  type RateUnit,
  rateUnit,
  type Theme,
  theme,
} from "../display";
import { moment } from "../format";
import { href } from "../router";
import { LANGUAGES, type Language, language, t } from "../words";
import { Navigation } from "./navigation";
import { useSending } from "./sending";
import { Failed } from "./states";

const online = signal(navigator.onLine);
window.addEventListener("online", () => {
  online.value = true;
});
window.addEventListener("offline", () => {
  online.value = false;
});

export function Frame({ children }: { children: ComponentChildren }) {
  return (
    <>
      <a class="skip" href="#content">
        {t("app.skip")}
      </a>
      <header class="top">
        <a class="brand" href="/" aria-label={t("app.name")}>
          <img src="/icon.svg" alt="" width="28" height="28" />
          <span>{t("app.name")}</span>
        </a>
        <Navigation />
        <span class="grow" />
        <LiveMark />
        <LanguageSwitch />
        <Settings />
      </header>
      <Notices />
      <main id="content">{children}</main>
    </>
  );
}

/** Whether what is shown changes by itself: a filled or an empty dot, and a word. */
function LiveMark() {
  if (live.value === null) return null;
  return (
    <span class="small quiet live">
      <span aria-hidden="true">{live.value ? "●" : "○"}</span>{" "}
      {live.value ? t("app.live") : t("app.not_live")}
    </span>
  );
}

function Notices() {
  const time = lastLoaded.value === null ? null : moment(lastLoaded.value);
  let words: string | null = null;
  if (!online.value) words = time ? t("app.offline", { time }) : t("app.offline_empty");
  else if (!reachable.value && time) words = t("app.unreachable", { time });
  return (
    <div role="status">
      {words !== null && <p class="notice">{words}</p>}
      {who.value.state === "visitor" && <p class="notice">{t("app.open")}</p>}
    </div>
  );
}

export function LanguageSwitch() {
  return (
    <label>
      <span class="unseen">{t("app.language")}</span>
      <select
        value={language.value}
        onChange={(change) => void choose(change.currentTarget.value as Language)}
      >
        {LANGUAGES.map((one) => (
          <option key={one} value={one} lang={one}>
            {t(`language.${one}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Settings() {
  const panel = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const one = panel.current;
      if (!one?.open) return;
      if (event instanceof KeyboardEvent) {
        if (event.key !== "Escape") return;
        one.querySelector("summary")?.focus();
      } else if (one.contains(event.target as Node)) return;
      one.open = false;
    };
    document.addEventListener("keydown", close);
    document.addEventListener("pointerdown", close);
    return () => {
      document.removeEventListener("keydown", close);
      document.removeEventListener("pointerdown", close);
    };
  }, []);
  const { failure, send } = useSending();
  const end = () => void send(signOut); // where that fails the session goes on: who leaves must know
  const person = who.value.state === "person" ? who.value.session : null;
  return (
    <details class="panel" ref={panel}>
      <summary>{t("app.settings")}</summary>
      <div>
        <Choice<DepthUnit>
          label={t("app.depth_unit")}
          value={depthUnit.value}
          of={[
            ["mm", t("unit.mm")],
            ["m3_ha", t("unit.m3_ha")],
          ]}
          set={(value) => {
            depthUnit.value = value;
          }}
        />
        <Choice<RateUnit>
          label={t("app.yield_unit")}
          value={rateUnit.value}
          of={[
            ["centner_ha", t("unit.centner_ha")],
            ["t_ha", t("unit.t_ha")],
            ["kg_ha", t("unit.kg_ha")],
          ]}
          set={(value) => {
            rateUnit.value = value;
          }}
        />
        <Choice<Theme>
          label={t("app.theme")}
          value={theme.value}
          of={[
            ["auto", t("theme.auto")],
            ["light", t("theme.light")],
            ["dark", t("theme.dark")],
          ]}
          set={(value) => {
            theme.value = value;
          }}
        />
        {person && (
          <>
            <p class="small quiet">{t("session.signed_in_as", { name: person.name })}</p>
            <button type="button" onClick={end}>
              {t("session.sign_out")}
            </button>
            {failure.value && <Failed failure={failure.value} retry={end} />}
          </>
        )}
        {who.value.state === "visitor" && (
          <a class="button" href={href({ name: "sign-in", back: "/" })}>
            {t("session.title")}
          </a>
        )}
      </div>
    </details>
  );
}

function Choice<T extends string>(props: {
  label: string;
  value: T;
  of: readonly (readonly [T, string])[];
  set: (value: T) => void;
}) {
  return (
    <label>
      <span>{props.label}</span>
      <select
        value={props.value}
        onChange={(change) => {
          const found = props.of.find(([one]) => one === change.currentTarget.value);
          if (found) props.set(found[0]);
          keep();
        }}
      >
        {props.of.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}
