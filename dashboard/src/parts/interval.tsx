import type { Saving } from "../api/schema";

/** A saving with its interval on a line with zero; both savings of a farm share the scale. */
export function Interval({ saving, beside }: { saving: Saving; beside: Saving | null }) {
  const ends = [saving, beside].flatMap((one) => (one ? [one.value, ...(one.ci95 ?? [])] : []));
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const place = (m3: number) => 2 + (96 * (m3 - low)) / (high - low || 1);
  const [from, to] = saving.ci95 ?? [saving.value, saving.value];
  const colour = saving.demonstrated ? "var(--accent)" : "var(--alarm)";
  const percent = (m3: number) => `${place(m3)}%`;
  return (
    <svg class="interval" aria-hidden="true">
      <line x1="0" x2="100%" y1="26" y2="26" stroke="var(--line)" stroke-width="2" />
      <line x1={percent(0)} x2={percent(0)} y1="4" y2="44" stroke="var(--ink)" stroke-width="1.5" />
      <line x1={percent(from)} x2={percent(to)} y1="26" y2="26" stroke={colour} stroke-width="6" />
      {[from, to].map((end) => (
        <line
          key={end}
          x1={percent(end)}
          x2={percent(end)}
          y1="18"
          y2="34"
          stroke={colour}
          stroke-width="2.5"
        />
      ))}
      <circle
        cx={percent(saving.value)}
        cy="26"
        r="7"
        fill={colour}
        stroke="var(--surface)"
        stroke-width="2"
      />
      <text x={percent(0)} dx="5" y="14" fill="var(--quiet)" font-size="12">
        0
      </text>
    </svg>
  );
}
