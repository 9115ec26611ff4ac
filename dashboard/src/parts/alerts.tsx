import { acknowledge, useAlerts } from "../api/alerts";
import type { AlertOut } from "../api/schema";
import { mayDo } from "../api/session";
import { moment } from "../format";
import { href } from "../router";
import { t } from "../words";
import { useSending } from "./sending";
import { Failed } from "./states";

const RANK = { critical: 0, warning: 1, info: 2 } as const;

/** What people call a device or a field; its id, where they gave it no name. */
export interface Names {
  readonly device: (id: string) => string;
  readonly field: (id: number) => string | undefined;
}

/** What is wrong on a farm and not over, the gravest first; who may acknowledge does so here. */
export function Alerts({ farm, names }: { farm: string; names: Names }) {
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
          <Alert key={one.id} of={one} names={names} />
        ))}
      </ul>
    </section>
  );
}

/** What an alert says: how grave it is, of what, what is wrong, what to do. */
export function AlertWords({ of, names }: { of: AlertOut; names: Names }) {
  return (
    <>
      <p>
        <strong>{t(`alert.severity.${of.severity}`)}</strong> <Cause of={of} names={names} />
      </p>
      <p>{of.text}</p>
      <p class="small quiet">{of.action}</p>
    </>
  );
}

/** The device or the field that an alert is about, with a way to it. */
function Cause({ of, names }: { of: AlertOut; names: Names }) {
  if (of.device !== null) {
    const name = names.device(of.device);
    if (of.farm === null) return <span class="quiet">· {name}</span>;
    const device = { name: "devices", farm: of.farm, device: of.device } as const;
    const all = { state: null, alerts: null, acknowledged: null };
    return (
      <>
        · <a href={href({ ...device, ...all })}>{name}</a>
      </>
    );
  }
  const field = of.field_id === null ? undefined : names.field(of.field_id);
  if (of.field_id === null || of.farm === null || field === undefined) return null;
  const at = { farm: of.farm, field: of.field_id, season: null, day: null, crop_zone: null };
  return (
    <>
      · <a href={href({ name: "field", ...at })}>{field}</a>
    </>
  );
}

function Alert({ of, names }: { of: AlertOut; names: Names }) {
  const { busy, failure, send } = useSending();
  const may = mayDo("write:alerts");

  const know = () => void send(() => acknowledge(of.id));

  return (
    <li class={of.severity}>
      <AlertWords of={of} names={names} />
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
