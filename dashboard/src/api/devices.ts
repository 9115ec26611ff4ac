/** The questions about devices and what becomes of their messages; and claiming one. */
import { answer, api } from "./client";
import { everyPage } from "./farm";
import { useResource } from "./resource";
import type { DeviceIn, RegisteredOut } from "./schema";

export function useDeviceStates(farm: string) {
  return useResource(`devices ${farm}`, () =>
    everyPage((page) =>
      api.GET("/v1/farms/{farm}/devices", { params: { path: { farm }, query: page } }),
    ),
  );
}

export function useDevice(device: string | null) {
  return useResource(device === null ? null : `device ${device}`, () =>
    answer(api.GET("/v1/devices/{device_id}", { params: { path: { device_id: device ?? "" } } })),
  );
}

/** What came of a device on each of the days of [start, end). */
export function useHeardDays(device: string | null, start: string, end: string) {
  return useResource(device === null ? null : `devices days ${device} ${start} ${end}`, () =>
    answer(
      api.GET("/v1/devices/{device_id}/days", {
        params: { path: { device_id: device ?? "" }, query: { start, end } },
      }),
    ),
  );
}

export function useRefusals(device: string | null) {
  return useResource(device === null ? null : `devices refusals ${device}`, () =>
    answer(
      api.GET("/v1/devices/{device_id}/rejected-messages", {
        params: { path: { device_id: device ?? "" } },
      }),
    ),
  );
}

/** Who speaks without being registered; for who may see strangers. */
export function useUnknown(may: boolean) {
  return useResource(may ? "devices unknown" : null, () =>
    everyPage((page) => api.GET("/v1/unknown-devices", { params: { query: page } })),
  );
}

/** Register a device, or claim an unknown one; its token comes with the answer, this once. */
export function register(asked: DeviceIn): Promise<RegisteredOut> {
  return answer(api.POST("/v1/devices", { body: asked }));
}
