import type { ComponentChildren } from "preact";
import { NONE } from "../format";
import { useFirst } from "./first";

export interface Column<T> {
  readonly name: string;
  readonly cell: (row: T) => ComponentChildren;
  readonly number?: boolean;
}

const FIRST = 100; // rows shown at once; the rest on demand

/** A table whose first column names its rows; on a phone each row is a card with named figures. */
export function Table<T>(props: {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string | number;
  chosen?: (row: T) => boolean;
}) {
  const { shown, more } = useFirst(props.rows, FIRST);
  const [first, ...others] = props.columns;
  if (first === undefined) return null;
  // Roles are said in full: what is no grid of cells on a phone is still a table to listen to.
  return (
    <>
      {/* biome-ignore-start lint/a11y/noRedundantRoles: the display of a card takes them away */}
      <table class="figures" role="table" aria-label={props.label}>
        <thead role="rowgroup">
          <tr role="row">
            {props.columns.map((one) => (
              <th key={one.name} role="columnheader" scope="col" class={one.number ? "number" : ""}>
                {one.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {shown.map((row) => (
            <tr
              key={props.rowKey(row)}
              role="row"
              class={props.chosen?.(row) ? "chosen" : undefined}
            >
              <th role="rowheader" scope="row">
                {first.cell(row)}
              </th>
              {others.map((one) => {
                const said = one.cell(row);
                const look = [one.number ? "number" : "", said === NONE ? "nothing" : ""];
                return (
                  <td key={one.name} role="cell" class={look.join(" ").trim()}>
                    <span class="label" aria-hidden="true">
                      {one.name}
                    </span>
                    <span>{said}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {/* biome-ignore-end lint/a11y/noRedundantRoles: see above */}
      {more}
    </>
  );
}
