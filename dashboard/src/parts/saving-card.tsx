import type { Saving } from "../api/schema";
import { volume } from "../format";
import { t } from "../words";
import { Interval } from "./interval";

/** A saving, whether it is demonstrated, and between what it lies. */
export function SavingCard(props: {
  title: string;
  more: string;
  saving: Saving | null;
  beside: Saving | null; // the other saving, which shares the scale
  note: (saving: Saving) => string;
}) {
  const { saving } = props;
  return (
    <section class="card stack">
      <div>
        <h2>{props.title}</h2>
        <p class="small quiet">{props.more}</p>
      </div>
      {saving === null ? (
        <p>{t("savings.none")}</p>
      ) : (
        <>
          <p class="row">
            <span class="big">{volume(saving.value)}</span>
            <span class={`badge ${saving.demonstrated ? "yes" : "no"}`}>
              <span aria-hidden="true">{saving.demonstrated ? "✓" : "?"}</span>
              {saving.demonstrated ? t("savings.demonstrated") : t("savings.not_demonstrated")}
            </span>
          </p>
          <Interval saving={saving} beside={props.beside} />
          <p class="number">{intervalOf(saving)}</p>
          <p class="small quiet">{props.note(saving)}</p>
        </>
      )}
    </section>
  );
}

export function intervalOf(saving: Saving): string {
  if (saving.ci95 === null) return t("savings.no_interval");
  const [low, high] = saving.ci95;
  return t("savings.interval", { low: volume(low), high: volume(high) });
}
