import { depth, percent } from "../format";
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
  return row.zone === null || row.status === "idle" ? "" : depth(row.zone.depletion_mm);
}

/** What the colours and patterns of the map mean; with machines, their sign too. */
export function Legend({ machines }: { machines: boolean }) {
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
        {machines && (
          <li>
            <svg class="machine" viewBox="0 0 44 44" width="20" height="20" aria-hidden="true">
              <path d="M22 4 38 40 22 31 6 40z" />
            </svg>
            {t("map.machines")}
          </li>
        )}
      </ul>
    </section>
  );
}
