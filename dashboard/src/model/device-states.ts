/** The states of devices, those first that want somebody. */
import type { DeviceStateOut } from "../api/schema";

export type DeviceState = DeviceStateOut["state"];
export const STATES: readonly DeviceState[] = [
  "silent",
  "never",
  "reporting",
  "resting",
  "disabled",
];
/** A sign beside the word: states are told apart without colour. */
export const SIGNS: Record<DeviceState, string> = {
  silent: "○",
  never: "?",
  reporting: "●",
  resting: "◐",
  disabled: "✕",
};

/** Devices that want somebody first, then by name. */
export function byNeed(devices: readonly DeviceStateOut[]): DeviceStateOut[] {
  return [...devices].sort(
    (a, b) =>
      STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
      a.name.localeCompare(b.name, undefined, { numeric: true }),
  );
}

/** How many devices are in each state that any is in. */
export function countsOf(devices: readonly DeviceStateOut[]): [DeviceState, number][] {
  return STATES.map((state): [DeviceState, number] => [
    state,
    devices.filter((one) => one.state === state).length,
  ]).filter(([, count]) => count > 0);
}
