import { useSignal } from "@preact/signals";
import { Failure } from "../api/client";
import { acknowledge, useAlerts } from "../api/farm";
import type { AlertOut } from "../api/schema";
import { who } from "../api/session";
import { moment } from "../format";
import { t } from "../words";
import { Failed } from "./states";

const RANK = { critical: 0, warning: 1, info: 2 } as const;

/** What is wrong on a farm and not over, the gravest first; who may acknowledge does so here. */
export function Alerts({ farm }: { farm: string }) {
  const alerts = useAlerts(farm);
  if (alerts.failure?.kind === "denied") return null; // not for this account
  if (alerts.value === undefined) {
    return alerts.failure ? <Failed failure={alerts.failure} retry={alerts.retry} /> : null;
  }
  const open = [...alerts.value].sort(
    (a, b) =>
      Number(a.acknowledged) - Number(b.acknowledged) ||
      RANK[a.severity] - RANK[b.severity] ||
      b.opened_at.localeCompare(a.opened_at),
  );
  if (open.length === 0) return <p class="small quiet">{t("today.no_alerts")}</p>;
  return (
    <section class="card stack" aria-labelledby="alerts">
      <h2 id="alerts">{t("today.alerts", { count: open.length })}</h2>
      <ul class="alerts">
        {open.map((one) => (
          <Alert key={one.id} of={one} changed={alerts.retry} />
        ))}
      </ul>
    </section>
  );
}

function Alert({ of, changed }: { of: AlertOut; changed: () => void }) {
  const failure = useSignal<Failure | null>(null);
  const may = who.value.state === "person" && who.value.session.scopes.includes("write:alerts");

  async function know(): Promise<void> {
    try {
      await acknowledge(of.id);
      changed();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure.value = error;
    }
  }

  return (
    <li class={of.severity}>
      <p>
        <strong>{t(`alert.severity.${of.severity}`)}</strong>
        {of.device && <span class="quiet"> · {of.device}</span>}
      </p>
      <p>{of.text}</p>
      <p class="small quiet">{of.action}</p>
      <p class="row small quiet">
        {t("alert.since", { time: moment(of.opened_at) })}
        {of.acknowledged && of.acknowledged_by && (
          <span>
            {t("alert.acknowledged", { name: of.acknowledged_by.replace(/^account:/, "") })}
          </span>
        )}
        {!of.acknowledged && may && (
          <button type="button" class="small" onClick={() => void know()}>
            {t("alert.acknowledge")}
          </button>
        )}
      </p>
      {failure.value && <Failed failure={failure.value} retry={() => void know()} />}
    </li>
  );
}
