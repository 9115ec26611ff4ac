import { useSignal } from "@preact/signals";
import { type AlertState, acknowledge, useAlerts } from "../api/alerts";
import type { AlertOut } from "../api/schema";
import { mayDo } from "../api/session";
import { moment } from "../format";
import { type At, go } from "../router";
import { t } from "../words";
import { AlertWords, type Names } from "./alerts";
import { useFirst } from "./first";
import { useSending } from "./sending";
import { Answered, Failed } from "./states";

type Here = At<"devices">;
const FIRST = 20;

/** Alerts by state and by whether somebody knows of them, with who and when. */
export function AlertList({ at, names }: { at: Here; names: Names }) {
  const state: AlertState =
    at.alerts === "cleared" ? "cleared" : at.alerts === "both" ? null : "active";
  const acknowledged = at.acknowledged === null ? null : at.acknowledged === "yes";
  const alerts = useAlerts(at.farm, state, acknowledged);
  return (
    <section class="card stack" aria-labelledby="alerts">
      <h2 id="alerts">{t("alerts.title")}</h2>
      <div class="row choices">
        <label>
          <span>{t("alerts.state")}</span>
          <select
            value={state ?? "both"}
            onChange={({ currentTarget: { value } }) =>
              go({ ...at, alerts: value === "active" ? null : value }, true)
            }
          >
            <option value="active">{t("alerts.active")}</option>
            <option value="cleared">{t("alerts.cleared")}</option>
            <option value="both">{t("alerts.both")}</option>
          </select>
        </label>
        <label>
          <span>{t("alerts.acknowledged")}</span>
          <select
            value={at.acknowledged ?? ""}
            onChange={({ currentTarget: { value } }) =>
              go({ ...at, acknowledged: value || null }, true)
            }
          >
            <option value="">{t("alerts.ack_any")}</option>
            <option value="no">{t("alerts.ack_no")}</option>
            <option value="yes">{t("alerts.ack_yes")}</option>
          </select>
        </label>
      </div>
      <Answered of={alerts}>
        {(found) =>
          found.length === 0 ? <p>{t("alerts.none")}</p> : <List of={found} names={names} />
        }
      </Answered>
    </section>
  );
}

function List({ of, names }: { of: readonly AlertOut[]; names: Names }) {
  const { shown, more } = useFirst(of, FIRST);
  return (
    <>
      <ul class="alerts">
        {shown.map((one) => (
          <Alert key={one.id} of={one} names={names} />
        ))}
      </ul>
      {more}
    </>
  );
}

function Alert({ of, names }: { of: AlertOut; names: Names }) {
  const writing = useSignal(false);
  const may = mayDo("write:alerts");
  return (
    <li class={of.severity}>
      <AlertWords of={of} names={names} />
      <p class="small quiet">
        {of.cleared_at === null
          ? t("alerts.open_since", { time: moment(of.opened_at) })
          : t("alerts.was_open", { from: moment(of.opened_at), to: moment(of.cleared_at) })}
      </p>
      {of.acknowledged_by && of.acknowledged_at && (
        <p class="small">
          {t("alerts.by", {
            name: of.acknowledged_by.replace(/^account:/, ""),
            time: moment(of.acknowledged_at),
          })}
          {of.note && <q>{of.note}</q>}
        </p>
      )}
      {!of.acknowledged && may && !writing.value && (
        <button
          type="button"
          class="start-button"
          aria-label={`${t("alert.acknowledge")}: ${of.text}`}
          onClick={() => {
            writing.value = true;
          }}
        >
          {t("alert.acknowledge")}
        </button>
      )}
      {writing.value && (
        <Acknowledge
          of={of}
          done={() => {
            writing.value = false;
          }}
          cancel={() => {
            writing.value = false;
          }}
        />
      )}
    </li>
  );
}

function Acknowledge(props: { of: AlertOut; done: () => void; cancel: () => void }) {
  const note = useSignal("");
  const { busy, failure, send } = useSending();
  const say = () =>
    void send(async () => {
      await acknowledge(props.of.id, note.value);
      props.done();
    });
  const help = `note-help-${props.of.id}`;
  return (
    <form
      class="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        say();
      }}
    >
      <label>
        <span>{t("alerts.note")}</span>
        <input
          maxLength={500}
          value={note.value}
          aria-describedby={help}
          onInput={(event) => {
            note.value = event.currentTarget.value;
          }}
        />
      </label>
      <p class="small quiet" id={help}>
        {t("alerts.note_help")}
      </p>
      <p class="row">
        <button type="submit" class="primary" disabled={busy.value}>
          {t("alert.acknowledge")}
        </button>
        <button type="button" onClick={props.cancel}>
          {t("alerts.cancel")}
        </button>
      </p>
      {failure.value && <Failed failure={failure.value} retry={say} />}
    </form>
  );
}
