/** Ranks of what is known with an interval: those that intervals do not separate are ties. */

export interface Estimate {
  readonly value: number;
  readonly interval: readonly [low: number, high: number] | null; // null: not known
}

export interface Ranked<T> {
  readonly of: T;
  readonly estimate: Estimate;
  readonly best: number; // 1: nothing lies surely above
  readonly worst: number;
}

/** Order by value, the highest first, with the ranks that each may have.
 *
 * One lies surely above another where their intervals do not meet. Without an interval nothing is
 * sure: it may have any rank that the others leave. (After H. Goldstein and D. J. Spiegelhalter,
 * "League tables and their limitations", J. R. Statist. Soc. A 159, 385-443, 1996.)
 */
export function ranked<T>(all: readonly T[], estimate: (one: T) => Estimate | null): Ranked<T>[] {
  const known = all.flatMap((of) => {
    const found = estimate(of);
    return found === null ? [] : [{ of, estimate: found }];
  });
  const surely = (one: Estimate, above: Estimate) =>
    one.interval !== null && above.interval !== null && one.interval[0] > above.interval[1];
  return known
    .map((one) => {
      const others = known.filter((other) => other !== one);
      const above = others.filter((other) => surely(other.estimate, one.estimate)).length;
      const below = others.filter((other) => surely(one.estimate, other.estimate)).length;
      return { ...one, best: 1 + above, worst: known.length - below };
    })
    .sort((a, b) => b.estimate.value - a.estimate.value);
}
