import { area } from "../format";
import { type FieldRow, type Filter, STATUSES } from "../model/water";
import { named, t } from "../words";
import { useFirst } from "./first";
import { left, missing, StatusMark } from "./status";

const FIRST = 100; // rows shown at once; the rest on demand

export function Filters(props: {
  rows: readonly FieldRow[];
  filter: Filter;
  set: (filter: Filter) => void;
}) {
  const { filter, set } = props;
  const crops = [
    ...new Set(
      props.rows.flatMap((row) =>
        row.crop ? [row.crop, ...row.others].map((one) => one.crop) : [],
      ),
    ),
  ];
  const present = STATUSES.filter((status) => props.rows.some((row) => row.status === status));
  return (
    <search class="filters">
      <label>
        <span>{t("fields.search")}</span>
        <input
          type="search"
          value={filter.text}
          onInput={(event) => set({ ...filter, text: event.currentTarget.value })}
        />
      </label>
      <label>
        <span>{t("fields.crop")}</span>
        <select
          value={filter.crop}
          onChange={(event) => set({ ...filter, crop: event.currentTarget.value })}
        >
          <option value="">{t("fields.crop_all")}</option>
          {crops
            .map((crop) => [crop, named("crop", crop)] as const)
            .sort((a, b) => a[1].localeCompare(b[1]))
            .map(([crop, words]) => (
              <option key={crop} value={crop}>
                {words}
              </option>
            ))}
        </select>
      </label>
      <label>
        <span>{t("fields.status")}</span>
        <select
          value={filter.status}
          onChange={(event) =>
            set({
              ...filter,
              status: STATUSES.find((one) => one === event.currentTarget.value) ?? "",
            })
          }
        >
          <option value="">{t("fields.status_all")}</option>
          {present.map((status) => (
            <option key={status} value={status}>
              {t(`status.${status}`)}
            </option>
          ))}
        </select>
      </label>
    </search>
  );
}

/** The map's twin: the same fields in the same order of need, for keyboards and screen readers. */
export function FieldTable(props: {
  rows: readonly FieldRow[];
  chosen: number | null;
  open: (field: number) => string;
}) {
  const { shown, more } = useFirst(props.rows, FIRST);
  return (
    <>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">{t("fields.field")}</th>
            <th scope="col">{t("fields.status")}</th>
            <th scope="col" class="number">
              {t("fields.left")}
            </th>
            <th scope="col" class="number">
              {t("field.depletion")}
            </th>
            <th scope="col">{t("fields.advice")}</th>
            <th scope="col" class="number">
              {t("fields.area")}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.field.id} class={row.field.id === props.chosen ? "chosen" : undefined}>
              <th scope="row">
                <a href={props.open(row.field.id)}>{row.field.name}</a>
                <div class="small quiet">
                  {(row.crop ? [row.crop, ...row.others] : [])
                    .map((one) => named("crop", one.crop))
                    .join(", ")}
                </div>
              </th>
              <td>
                <StatusMark status={row.status} />
              </td>
              <td class="number">{left(row)}</td>
              <td class="number only-wide">{missing(row)}</td>
              <td class="wide">{row.crop?.advice?.decision_text ?? ""}</td>
              <td class="number only-wide">{area(row.field.area_ha)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more}
    </>
  );
}
