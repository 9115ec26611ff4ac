import type { ComponentChildren } from "preact";
import { keepFile, wholeTable } from "../api/files";
import { useSending } from "./sending";
import { Failed } from "./states";

/** A link to a list as a file: of all its rows, where the address itself would give a page of them. */
export function WholeTable(props: { address: string; name: string; children: ComponentChildren }) {
  const { busy, failure, send } = useSending();
  const fetchIt = () =>
    void send(async () => keepFile(await wholeTable(props.address), `${props.name}.csv`));
  return (
    <>
      <a
        href={props.address}
        download
        aria-busy={busy.value}
        onClick={(click) => {
          click.preventDefault();
          if (!busy.value) fetchIt();
        }}
      >
        {props.children}
      </a>
      {failure.value && <Failed failure={failure.value} retry={fetchIt} />}
    </>
  );
}
