import type { ComponentChildren } from "preact";
import { area, day as dayText, depth, moment, number, volume } from "../format";
import { lookOf, type Sign } from "../model/signs";
import type { FieldRow } from "../model/water";
import { named, t } from "../words";
import { directionOf } from "./sign-list";
import { left, StatusMark } from "./status";

function Card(props: { title: string; close: () => void; children: ComponentChildren }) {
  return (
    <section class="card stack onmap" aria-label={props.title}>
      <div class="row spread">
        <h2>{props.title}</h2>
        <button type="button" class="plain" aria-label={t("fields.close")} onClick={props.close}>
          ✕
        </button>
      </div>
      {props.children}
    </section>
  );
}

/** The field that was clicked on: how it stands and what to do. */
export function FieldCard(props: { row: FieldRow; open: string; close: () => void }) {
  const { field, crop, status } = props.row;
  const next = crop?.advice?.next_irrigation;
  return (
    <Card title={field.name} close={props.close}>
      <p class="row">
        <StatusMark status={status} /> <span class="quiet">{left(props.row)}</span>
      </p>
      {crop && (
        <p>
          {named("crop", crop.crop)}, {area(field.area_ha)}. {crop.advice?.decision_text}
          {next && (
            <>
              {": "}
              <strong class="number">
                {depth(next.irrigation_gross_mm)} · {volume(next.irrigation_m3)}
              </strong>
            </>
          )}
        </p>
      )}
      <a class="button primary" href={props.open}>
        {t("fields.open")}
      </a>
    </Card>
  );
}

/** The machine, herd or device that was clicked on: what it does, and as of when. */
export function SignCard({ sign, close }: { sign: Sign; close: () => void }) {
  const { position, herd } = sign;
  return (
    <Card title={sign.name} close={close}>
      <p class="row">
        <span class={`sign ${lookOf(sign)}`} aria-hidden="true" />
        {t(`map.sign.${sign.kind}`)}
        {sign.silent && <strong>{t("map.sign.silent")}</strong>}
      </p>
      {herd && (
        <p>
          {t("map.animals", { count: Math.round(herd.animals) })}, {dayText(herd.day, "year")}
        </p>
      )}
      {position?.time && (
        <p>
          {position.speed_m_s !== null &&
            `${number(position.speed_m_s * 3.6, 1)}\u00a0${t("unit.km_h")}`}
          {position.heading_deg !== null && `, ${directionOf(position.heading_deg)}`}
          {position.work_state !== null &&
            ` · ${position.work_state === 0 ? t("map.idle") : t("map.working")}`}
        </p>
      )}
      <p class="small quiet">
        {position?.time
          ? t("map.seen", { time: moment(position.time) })
          : position?.heard_at
            ? t("map.heard", { time: moment(position.heard_at) })
            : !herd && t("map.never_heard")}
      </p>
    </Card>
  );
}
