import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Failure } from "../api/client";
import { signIn, who } from "../api/session";
import { Entrance } from "../parts/entrance";
import { useSending } from "../parts/sending";
import { reasonOf } from "../parts/states";
import { go } from "../router";
import { t } from "../words";

export function SignIn({ back }: { back: string }) {
  const { busy, failure, send } = useSending();
  const shown = useSignal(false);
  const login = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    await send(async () => {
      await signIn(login.current?.value ?? "", password.current?.value ?? "");
      go(back, true);
    });
    if (failure.value) password.current?.select();
  }

  const ended = who.value.state === "nobody" && who.value.ended;
  return (
    <Entrance
      title={t("session.title")}
      lead={t("session.lead")}
      notice={ended ? t("session.ended") : undefined}
    >
      <form class="card stack" onSubmit={(event) => void submit(event)}>
        <label>
          <span>{t("session.login")}</span>
          <input
            ref={login}
            name="login"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
          />
        </label>
        <label>
          <span>{t("session.password")}</span>
          <input
            ref={password}
            name="password"
            {...({ type: shown.value ? "text" : "password" } as { type: "password" })}
            autocomplete="current-password"
            required
          />
        </label>
        <button
          type="button"
          class="plain small start"
          aria-pressed={shown.value}
          onClick={() => {
            shown.value = !shown.value;
          }}
        >
          {t("session.show")}
        </button>
        <div role="alert">
          {failure.value && <p class="card message alarm">{explain(failure.value)}</p>}
        </div>
        <button type="submit" class="primary" disabled={busy.value}>
          {busy.value ? t("session.busy") : t("session.submit")}
        </button>
        <p class="small quiet">{t("session.forgotten")}</p>
      </form>
    </Entrance>
  );
}

function explain(failure: Failure): string {
  if (failure.status === 429) return t("session.locked", { count: failure.retryAfterS ?? 60 });
  if (failure.kind === "unreachable") return t("state.unreachable");
  if (failure.status === 401 || failure.status === 422) return t("session.wrong");
  return reasonOf(failure);
}
