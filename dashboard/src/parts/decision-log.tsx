import { useDecisions } from "../api/decisions";
import { day as dayText, depth, moment, volume } from "../format";
import { t } from "../words";
import { useFirst } from "./first";
import { Scroll } from "./scroll";
import { WholeTable } from "./whole-table";

const FIRST = 20;

/** What was advised and decided, the newest first; what was decided anew stays to be seen. */
export function DecisionLog({ field }: { field: number }) {
  const decisions = useDecisions(field).value ?? [];
  const { shown, more } = useFirst(decisions.toReversed(), FIRST);
  if (decisions.length === 0) return null;
  return (
    <section class="card stack" aria-labelledby="decisions">
      <h2 id="decisions">{t("decision.log")}</h2>
      <Scroll label={t("decision.log")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("field.day")}</th>
              <th scope="col">{t("decision.advised")}</th>
              <th scope="col">{t("decision.decided")}</th>
              <th scope="col">{t("decision.note")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <tr key={one.id} class={one.withdrawn_at ? "gone" : undefined}>
                <th scope="row">{dayText(one.day, "year")}</th>
                <td>
                  {t(`decision.was.${one.advised.decision}`)}
                  {one.advised.irrigation_gross_mm !== null && (
                    <div class="small quiet number">
                      {depth(one.advised.irrigation_gross_mm)} · {volume(one.advised.irrigation_m3)}
                      {one.advised.irrigation_day && ` · ${dayText(one.advised.irrigation_day)}`}
                    </div>
                  )}
                </td>
                <td>
                  <span aria-hidden="true">{one.choice === "accepted" ? "✓" : "✕"}</span>{" "}
                  {t(`decision.${one.choice}`)}
                  {one.withdrawn_at && `, ${t("decision.no_longer")}`}
                  <div class="small quiet">
                    {one.created_by.replace(/^account:/, "")}, {moment(one.created_at)}
                  </div>
                </td>
                <td>{one.note}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {more}
      <p class="small">
        <WholeTable
          address={`/v1/advice-decisions?field_id=${field}&withdrawn=true&format=csv`}
          name={`field-${field}-decisions`}
        >
          {t("savings.as_table")}
        </WholeTable>
      </p>
    </section>
  );
}
