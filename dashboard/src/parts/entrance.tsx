import type { ComponentChildren } from "preact";
import { t } from "../words";
import { LanguageSwitch } from "./frame";
import { Title } from "./states";

/** What stands outside of every farm: whose page it is, a choice of language, and one thing to do. */
export function Entrance(props: {
  title: string;
  lead: string;
  notice?: string | undefined;
  children: ComponentChildren;
}) {
  return (
    <main class="entrance" id="content">
      <div class="stack">
        <div class="row spread">
          <span class="brand">
            <img src="/icon.svg" alt="" width="48" height="48" />
            <span>{t("app.name")}</span>
          </span>
          <LanguageSwitch />
        </div>
        <Title title={props.title}>{props.title}</Title>
        <p class="quiet">{props.lead}</p>
        {props.notice && <p class="card">{props.notice}</p>}
      </div>
      {props.children}
    </main>
  );
}
