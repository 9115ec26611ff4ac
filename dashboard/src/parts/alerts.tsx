import { acknowledge, useAlerts } from "../api/alerts";
import type { AlertOut } from "../api/schema";
import { who } from "../api/session";
import { moment } from "../format";
import { t } from "../words";
import { useSending } from "./sending";
import { Failed } from "./states";

const RANK = { critical: 0, warning: 1, info: 2 } as const;

/** What is wrong on a farm and not over, the gravest first; who may acknowledge does so here. */
export function Alerts({ farm }: { farm: string }) {
  const alerts = useAlerts(farm, "active");
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
          <Alert key={one.id} of={one} />
        ))}
      </ul>
    </section>
  );
}

/** What an alert says: how grave it is, of which device, what is wrong, what to do. */
export function AlertWords({ of }: { of: AlertOut }) {
  return (
    <>
      <p>
        <strong>{t(`alert.severity.${of.severity}`)}</strong>
        {of.device && <span class="quiet"> · {of.device}</span>}
      </p>
      <p>{of.text}</p>
      <p class="small quiet">{of.action}</p>
    </>
  );
}

function Alert({ of }: { of: AlertOut }) {
  const { busy, failure, send } = useSending();
  const may = who.value.state === "person" && who.value.session.scopes.includes("write:alerts");

  const know = () => void send(() => acknowledge(of.id));

  return (
    <li class={of.severity}>
      <AlertWords of={of} />
      <p class="row small quiet">
        {t("alert.since", { time: moment(of.opened_at) })}
        {of.acknowledged && of.acknowledged_by && (
          <span>
            {t("alert.acknowledged", { name: of.acknowledged_by.replace(/^account:/, "") })}
          </span>
        )}
        {!of.acknowledged && may && (
          <button
            type="button"
            class="small"
            disabled={busy.value}
            aria-label={`${t("alert.acknowledge")}: ${of.text}`}
            onClick={know}
          >
            {t("alert.acknowledge")}
          </button>
        )}
      </p>
      {failure.value && <Failed failure={failure.value} retry={know} />}
    </li>
  );
}
