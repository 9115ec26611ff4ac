/** The days of a field's season, computed ones and those that the advice expects, on one line. */
import type { AdviceDay, BalanceDay } from "../api/schema";

export interface SeasonDays {
  readonly days: readonly string[];
  readonly balance: readonly (BalanceDay | null)[];
  readonly expected: readonly (AdviceDay | null)[];
}

/** Join both by day; the days expected begin where the advice does. */
export function joined(balance: readonly BalanceDay[], expected: readonly AdviceDay[]): SeasonDays {
  const computed = new Map(balance.map((one) => [one.day, one]));
  const ahead = new Map(expected.map((one) => [one.day, one]));
  const days = [...new Set([...computed.keys(), ...ahead.keys()])].sort();
  return {
    days,
    balance: days.map((day) => computed.get(day) ?? null),
    expected: days.map((day) => ahead.get(day) ?? null),
  };
}

/** One number of each computed day, times a factor; null where there is none. */
export function column(
  of: SeasonDays,
  pick: (day: BalanceDay) => number | null,
  factor = 1,
): (number | null)[] {
  return of.balance.map((day) => {
    const value = day === null ? null : pick(day);
    return value === null ? null : value * factor;
  });
}

/** The depletion expected without irrigation, joined to the evening that it begins from. */
export function expectedDepletion(of: SeasonDays, factor = 1): (number | null)[] {
  const first = of.expected.findIndex((day) => day !== null);
  return of.expected.map((day, index) => {
    if (day !== null) return day.depletion_without_irrigation_mm * factor;
    const evening = index === first - 1 ? of.balance[index] : null;
    return evening ? evening.depletion_mm * factor : null;
  });
}
