import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { register } from "../api/devices";
import { useFields } from "../api/farm";
import { expire } from "../api/resource";
import type { DeviceIn, RegisteredOut } from "../api/schema";
import { mayDo } from "../api/session";
import { Head, Up } from "../parts/head";
import { Secret } from "../parts/secret";
import { useSending } from "../parts/sending";
import { Empty, Failed } from "../parts/states";
import { type At, href } from "../router";
import { named, t } from "../words";

type How = "mqtt" | "lora" | "other";
const KINDS = [
  "soil-probe",
  "flow-meter",
  "weather-station",
  "valve",
  "pump",
  "tractor",
  "harvester",
  "sprayer",
  "drone",
  "herding-drone",
  "collar",
] as const;

/** Register a device, or claim one that is heard already; its token is shown this once. */
export function Claim({ at }: { at: At<"claim"> }) {
  const done = useSignal<RegisteredOut | null>(null);
  const may = mayDo("write:devices");
  const devices = href({
    name: "devices",
    farm: at.farm,
    device: null,
    state: null,
    alerts: null,
    acknowledged: null,
  });
  return (
    <>
      <Head
        up={<Up to={devices}>{t("devices.title")}</Up>}
        title={t("claim.title")}
        under={<p class="quiet">{t("claim.lead")}</p>}
      />
      {!may ? (
        <Empty title={t("claim.denied")} />
      ) : done.value ? (
        <Secret
          of={done.value}
          devices={devices}
          again={() => {
            done.value = null;
          }}
        />
      ) : (
        <Form
          at={at}
          done={(made) => {
            done.value = made;
            expire("devices ");
          }}
        />
      )}
    </>
  );
}

/** What a device is called, from how it comes. */
function identity(how: How, written: string): Pick<DeviceIn, "id" | "wire_id"> {
  const text = written.trim();
  if (how === "mqtt") return { id: text };
  return { wire_id: how === "lora" ? `lora:${text.replace(/^lora:/i, "").toLowerCase()}` : text };
}

function Form({ at, done }: { at: At<"claim">; done: (made: RegisteredOut) => void }) {
  const heard = at.identity ?? "";
  const how = useSignal<How>(
    heard === ""
      ? "mqtt"
      : heard.startsWith("lora:")
        ? "lora"
        : heard.includes(":")
          ? "other"
          : "mqtt",
  );
  const written = useSignal(heard.replace(/^lora:/, ""));
  const kind = useSignal<string>("soil-probe");
  const name = useSignal("");
  const field = useSignal("");
  const profile = useSignal("");
  const { busy, failure, send } = useSending();
  const fields = useFields(at.farm);
  const problem = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (failure.value) problem.current?.scrollIntoView({ block: "nearest" });
  }, [failure.value]);

  const claim = () =>
    void send(async () => {
      done(
        await register({
          farm: at.farm,
          kind: kind.value,
          ...identity(how.value, written.value),
          name: name.value.trim() || null,
          field_id: field.value === "" ? null : Number(field.value),
          ...(how.value === "lora" && profile.value.trim()
            ? { profile: profile.value.trim() }
            : {}),
        } as DeviceIn),
      );
    });

  const asked = {
    mqtt: [t("claim.id"), t("claim.id_help"), "[^\\/+#$~:\\s]+"],
    lora: [t("claim.eui"), t("claim.eui_help"), "[0-9a-fA-F]{16}"],
    other: [t("claim.wire"), t("claim.wire_help"), undefined],
  }[how.value] as [string, string, string | undefined];
  const [label, help, pattern] = asked;
  return (
    <form
      class="card stack form"
      onSubmit={(event) => {
        event.preventDefault();
        claim();
      }}
    >
      <label>
        <span>{t("claim.how")}</span>
        <select
          value={how.value}
          onChange={(change) => {
            how.value = change.currentTarget.value as How;
          }}
        >
          <option value="mqtt">{t("claim.mqtt")}</option>
          <option value="lora">{t("claim.lora")}</option>
          <option value="other">{t("claim.other")}</option>
        </select>
      </label>
      <label>
        <span>{label}</span>
        <input
          required
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          maxLength={200}
          pattern={pattern}
          title={help}
          aria-describedby="identity-help"
          value={written.value}
          onInput={(event) => {
            written.value = event.currentTarget.value;
          }}
        />
      </label>
      <p class="small quiet" id="identity-help">
        {help}
      </p>
      {how.value === "lora" && (
        <>
          <label>
            <span>{t("claim.profile")}</span>
            <input
              autocomplete="off"
              maxLength={200}
              aria-describedby="profile-help"
              value={profile.value}
              onInput={(event) => {
                profile.value = event.currentTarget.value;
              }}
            />
          </label>
          <p class="small quiet" id="profile-help">
            {t("claim.profile_help")}
          </p>
        </>
      )}
      <label>
        <span>{t("claim.kind")}</span>
        <select
          value={kind.value}
          onChange={(change) => {
            kind.value = change.currentTarget.value;
          }}
        >
          {KINDS.map((one) => (
            <option key={one} value={one}>
              {named("kind", one)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{t("claim.name")}</span>
        <input
          autocomplete="off"
          maxLength={200}
          value={name.value}
          onInput={(event) => {
            name.value = event.currentTarget.value;
          }}
        />
      </label>
      <label>
        <span>{t("claim.field")}</span>
        <select
          value={field.value}
          onChange={(change) => {
            field.value = change.currentTarget.value;
          }}
        >
          <option value="">{t("devices.whole_farm")}</option>
          {(fields.value ?? []).map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary" disabled={busy.value}>
        {busy.value ? t("claim.busy") : t("claim.submit")}
      </button>
      <div ref={problem}>{failure.value && <Failed failure={failure.value} retry={claim} />}</div>
    </form>
  );
}
