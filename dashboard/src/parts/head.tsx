import type { ComponentChildren } from "preact";
import { href } from "../router";
import { Title } from "./states";

/** The top of a screen: the way up, what the screen is of, and what is chosen or begun on it. */
export function Head(props: {
  up: ComponentChildren;
  title: string;
  heading?: string; // where it says more than the window is named
  under?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <div class="head">
      <div>
        {props.up}
        <Title title={props.title}>{props.heading ?? props.title}</Title>
        {props.under}
      </div>
      {props.children}
    </div>
  );
}

export function Up({ to, children }: { to: string; children: ComponentChildren }) {
  return (
    <p class="small">
      <a href={to}>{children}</a>
    </p>
  );
}

/** From a screen of a farm to the farm. */
export function ToFarm({ farm, name }: { farm: string; name: string | undefined }) {
  return <Up to={href({ name: "today", farm, day: null, field: null })}>{name ?? farm}</Up>;
}

const [FIRST, LAST] = [1990, 2100];

/** A season to write or to step to. */
export function SeasonInput(props: {
  label: string;
  season: number;
  choose: (season: number) => void;
}) {
  return (
    <label>
      <span>{props.label}</span>
      <input
        type="number"
        inputMode="numeric"
        min={FIRST}
        max={LAST}
        value={props.season}
        onChange={(change) => {
          const chosen = Number(change.currentTarget.value);
          if (chosen >= FIRST && chosen <= LAST) props.choose(chosen);
        }}
      />
    </label>
  );
}
