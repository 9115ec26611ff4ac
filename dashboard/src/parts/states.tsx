import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Failure } from "../api/client";
import type { Resource } from "../api/resource";
import { t } from "../words";

/** The heading of a screen: takes the focus when the screen opens and names the window. */
export function Title({ children, title }: { children: ComponentChildren; title: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${t("app.name")}`;
  }, [title]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** What came of a question: its answer, that it is on its way, or why there is none. */
export function Answered<T>(props: {
  of: Resource<T>;
  gone?: ComponentChildren;
  children: (value: T) => ComponentChildren;
}) {
  const { of } = props;
  if (of.value !== undefined) return <>{props.children(of.value)}</>;
  if (of.failure === null) return <Loading />;
  if (of.failure.kind === "gone" && props.gone !== undefined) return <>{props.gone}</>;
  return <Failed failure={of.failure} retry={of.retry} />;
}

export function Loading() {
  return (
    <div class="card stack" role="status">
      <span class="unseen">{t("state.loading")}</span>
      <div class="bar short" />
      <div class="bar" />
      <div class="bar" />
    </div>
  );
}

export function Failed({ failure, retry }: { failure: Failure; retry: () => void }) {
  const words = {
    unreachable: t("state.unreachable"),
    "signed-out": t("session.ended"),
    denied: t("state.denied"),
    gone: t("state.gone"),
    other: reasonOf(failure),
  }[failure.kind];
  const id = failure.problem?.request_id;
  return (
    <div class="card message alarm" role="alert">
      <h2>{t("state.failed")}</h2>
      <p>{words}</p>
      {id && <p class="small quiet">{t("state.request_id", { id })}</p>}
      <p class="row">
        <button type="button" onClick={retry}>
          {t("app.retry")}
        </button>
        {failure.kind === "gone" && (
          <a class="button" href="/">
            {t("app.home")}
          </a>
        )}
      </p>
    </div>
  );
}

/** Why, in the service's own words; where it gave none, at least its status. */
export function reasonOf(failure: Failure): string {
  return failure.problem?.detail ?? t("state.other", { status: String(failure.status) });
}

export function Empty(props: { title: string; more?: string; children?: ComponentChildren }) {
  return (
    <div class="card message">
      <h2>{props.title}</h2>
      {props.more && <p class="quiet">{props.more}</p>}
      {props.children}
    </div>
  );
}
