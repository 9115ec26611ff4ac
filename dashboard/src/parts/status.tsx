import { depth, percent } from "../format";
import { LOOKS, lookOf, type Sign } from "../model/signs";
import { type FieldRow, STATUSES, type Status } from "../model/water";
import { t } from "../words";

/** A status as colour, pattern and word. */
export function StatusMark({ status }: { status: Status }) {
  return (
    <span class="status">
      <span class={`swatch ${status}`} aria-hidden="true" />
      {t(`status.${status}`)}
    </span>
  );
}

/** How much is left, in words for one field. */
export function left(row: FieldRow): string {
  if (row.left === null || row.status === "idle") return "";
  return percent(Math.max(row.left, 0));
}

/** What is missing, in words for one field. */
export function missing(row: FieldRow): string {
  return row.crop === null ? "" : depth(row.crop.depletion_mm);
}

/** What the colours, patterns and signs of the map mean. */
export function Legend({ signs }: { signs: readonly Sign[] }) {
  const shown = LOOKS.filter((look) => signs.some((one) => lookOf(one) === look));
  return (
    <section class="stack" aria-labelledby="legend">
      <h3 id="legend">{t("status.legend")}</h3>
      <ul class="legend">
        {STATUSES.map((status) => (
          <li key={status}>
            <span class={`swatch ${status}`} aria-hidden="true" />
            <span>
              {t(`status.${status}`)}: <span class="quiet">{t(`status.${status}_more`)}</span>
            </span>
          </li>
        ))}
        {shown.map((look) => (
          <li key={look}>
            <span class={`sign ${look}`} aria-hidden="true" />
            {t(`map.sign.${look}`)}
          </li>
        ))}
      </ul>
    </section>
  );
}
