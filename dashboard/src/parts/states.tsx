import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Failure, reachable } from "../api/client";
import type { Resource } from "../api/resource";
import { moment } from "../format";
import { href } from "../router";
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

/** Whatever has this takes the focus, and the window with it, when a key names what was chosen further down. */
export function useArrival<T extends HTMLElement>(key: string | null) {
  const place = useRef<T>(null);
  useEffect(() => {
    if (key !== null) place.current?.focus();
  }, [key]);
  return place;
}

/** What came of a question: its answer, that it is on its way, or why there is none. */
export function Answered<T>(props: {
  of: Resource<T>;
  gone?: ComponentChildren;
  children: (value: T) => ComponentChildren;
}) {
  const { of } = props;
  if (of.value !== undefined)
    return (
      <>
        <Old of={of} />
        {props.children(of.value)}
      </>
    );
  if (of.failure === null) return <Loading />;
  if (of.failure.kind === "gone" && props.gone !== undefined) return <>{props.gone}</>;
  return <Failed failure={of.failure} retry={of.retry} />;
}

/** Nothing once all answers are there; else that they are on their way, or why one is not. */
export function Awaited({ of }: { of: readonly Resource<unknown>[] }) {
  const missing = of.filter((one) => one.value === undefined);
  const failed = missing.find((one) => one.failure !== null);
  if (failed?.failure) return <Failed failure={failed.failure} retry={failed.retry} />;
  return missing.length > 0 ? <Loading /> : null;
}

/** Of when an answer is that could not be had anew; without a connection the frame says so. */
function Old({ of }: { of: Resource<unknown> }) {
  if (of.failure === null || of.at === undefined || !reachable.value) return null;
  return (
    <p class="card small" role="status">
      {t("state.old", { time: moment(of.at) })}
    </p>
  );
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
          <a class="button" href={href({ name: "farms" })}>
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
