export type Fact = readonly [name: string, value: string, more?: string | null];

/** Figures by name, each with what it is of or when it was. */
export function Facts({ of, narrow = false }: { of: readonly Fact[]; narrow?: boolean }) {
  return (
    <dl class={narrow ? "facts narrow" : "facts"}>
      {of.map(([name, value, more]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {more && <small>{more}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
