import { useSignal } from "@preact/signals";
import { Failure, onceKey } from "../api/client";
import { decide, takeBack, useDecisions } from "../api/decisions";
import type { DecisionOut, ZoneAdvice } from "../api/schema";
import { mayDo } from "../api/session";
import { day as dayText, depth, hours, moment, percent, volume } from "../format";
import { isIdle, leftOf, statusOf } from "../model/water";
import { t } from "../words";
import { useSending } from "./sending";
import { Failed } from "./states";
import { StatusMark } from "./status";
import { Reasons } from "./to-do";

/** What to do on a field, how much and why; who may, says here whether it is done. */
export function AdviceCard(props: { zone: ZoneAdvice; day: string; changed: () => void }) {
  const { zone } = props;
  const pressing = zone.decision === "irrigate-now";
  return (
    <section class={`card todo stack ${pressing ? "now" : ""}`} aria-labelledby="advice">
      <h2 id="advice">{zone.decision_text}</h2>
      {zone.depletion_mm !== null && <Facts zone={zone} />}
      {zone.stale_days !== null && zone.stale_days > 0 && (
        <p class="small">{t("today.old_balance", { count: zone.stale_days })}</p>
      )}
      <h3>{t("today.why")}</h3>
      <Reasons zone={zone} />
      {!isIdle(zone) && zone.decision !== "no-balance" && zone.decision !== "rain-fed" && (
        <Decision zone={zone} day={props.day} changed={props.changed} />
      )}
    </section>
  );
}

function Facts({ zone }: { zone: ZoneAdvice }) {
  const next = zone.next_irrigation;
  const left = leftOf(zone);
  const [first, last] = [zone.refill_day_earliest, zone.refill_day_latest];
  const range =
    first && last && first !== last
      ? t("field.reached_range", { first: dayText(first), last: dayText(last) })
      : "";
  return (
    <dl class="facts">
      <div>
        <dt>{t("fields.left")}</dt>
        <dd class="row">
          <StatusMark status={isIdle(zone) ? "idle" : statusOf(zone)} />{" "}
          {left === null ? "" : percent(Math.max(left, 0))}
        </dd>
      </div>
      <div>
        <dt>{t("field.depletion")}</dt>
        <dd>
          {depth(zone.depletion_mm)}
          {zone.raw_mm !== null && <small>{t("field.of_raw", { raw: depth(zone.raw_mm) })}</small>}
        </dd>
      </div>
      <div>
        <dt>{t("field.next")}</dt>
        <dd>
          {next ? depth(next.irrigation_gross_mm) : t("field.not_within")}
          {next && (
            <small>
              {dayText(next.day)} · {volume(next.irrigation_m3)}
              {next.irrigation_hours !== null && ` · ${hours(next.irrigation_hours)}`}
            </small>
          )}
        </dd>
      </div>
      <div>
        <dt>{t("field.reached")}</dt>
        <dd>
          {zone.refill_day ? dayText(zone.refill_day) : t("field.not_within")}
          {range && <small>{range}</small>}
        </dd>
      </div>
    </dl>
  );
}

/** What was decided for the day, or the question whether the advice is followed. */
function Decision(props: { zone: ZoneAdvice; day: string; changed: () => void }) {
  const { zone, day } = props;
  const decisions = useDecisions(zone.field_id);
  const anew = useSignal(false);
  const may = mayDo("write:records");
  const stands = decisions.value?.find(
    (one) => one.crop_zone_id === zone.crop_zone_id && one.day === day && one.withdrawn_at === null,
  );
  const changed = () => {
    anew.value = false;
    decisions.retry();
    props.changed();
  };
  if (decisions.value === undefined) {
    return decisions.failure ? (
      <Failed failure={decisions.failure} retry={decisions.retry} />
    ) : null;
  }
  return (
    <>
      {stands && (
        <Standing of={stands} may={may} anew={() => (anew.value = true)} changed={changed} />
      )}
      {may && (!stands || anew.value) && <Choose zone={zone} day={day} changed={changed} />}
    </>
  );
}

function Standing(props: { of: DecisionOut; may: boolean; anew: () => void; changed: () => void }) {
  const { of } = props;
  const { failure, send } = useSending();
  const undo = () => void send(() => orChanged(() => takeBack(of.id), props.changed));
  return (
    <div class="decided" role="status">
      <p>
        <strong>
          <span aria-hidden="true">{of.choice === "accepted" ? "✓" : "✕"}</span>{" "}
          {t(`decision.${of.choice}`)}
        </strong>{" "}
        <span class="small quiet">
          {of.created_by.replace(/^account:/, "")}, {moment(of.created_at)}
        </span>
      </p>
      {of.note && <p>{of.note}</p>}
      {props.may && (
        <p class="row">
          <button type="button" class="small" onClick={props.anew}>
            {t("decision.anew")}
          </button>
          <button type="button" class="small" onClick={undo}>
            {t("decision.take_back")}
          </button>
        </p>
      )}
      {failure.value && <Failed failure={failure.value} retry={undo} />}
    </div>
  );
}

function Choose(props: { zone: ZoneAdvice; day: string; changed: () => void }) {
  const { zone, day } = props;
  const note = useSignal("");
  const key = useSignal(onceKey());
  const { busy, failure, send } = useSending();
  const last = useSignal<DecisionOut["choice"]>("accepted"); // what trying again means
  function take(choice: DecisionOut["choice"]): void {
    last.value = choice;
    const asked = {
      crop_zone_id: zone.crop_zone_id,
      day,
      decision: zone.decision,
      choice,
      note: note.value,
    };
    void send(() => orChanged(() => decide(asked, `${key.value}-${choice}`), props.changed));
  }
  return (
    <form class="stack decide" onSubmit={(event) => event.preventDefault()}>
      <h3>{t("decision.question")}</h3>
      <label>
        <span>{t("decision.note")}</span>
        <input
          value={note.value}
          maxLength={1000}
          onInput={(event) => {
            note.value = event.currentTarget.value;
            key.value = onceKey();
          }}
        />
      </label>
      <p class="row">
        <button
          type="button"
          class="primary"
          disabled={busy.value}
          onClick={() => take("accepted")}
        >
          {t("decision.accept")}
        </button>
        <button type="button" disabled={busy.value} onClick={() => take("skipped")}>
          {t("decision.skip")}
        </button>
      </p>
      {failure.value?.status === 409 ? (
        <p class="card message alarm" role="alert">
          {t("decision.changed")}
        </p>
      ) : (
        failure.value && <Failed failure={failure.value} retry={() => take(last.value)} />
      )}
    </form>
  );
}

/** Acts, and looks anew once it is done or can no longer be: by then the advice is another. */
async function orChanged(act: () => Promise<void>, changed: () => void): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (error instanceof Failure && error.status === 409) changed();
    throw error;
  }
  changed();
}
