import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";

/** What is behind a heading: made when it is opened first, since most of it is never looked at. */
export function Unfold(props: { title: string; children: () => ComponentChildren }) {
  const opened = useSignal(false);
  return (
    <details
      class="card"
      onToggle={(event) => {
        if (event.currentTarget.open) opened.value = true;
      }}
    >
      <summary>{props.title}</summary>
      {opened.value && props.children()}
    </details>
  );
}
