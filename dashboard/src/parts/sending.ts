import { useSignal } from "@preact/signals";
import { Failure } from "../api/client";

/** What a person sends: whether it is on its way, and why it did not arrive. */
export function useSending() {
  const busy = useSignal(false);
  const failure = useSignal<Failure | null>(null);

  async function send(work: () => Promise<void>): Promise<void> {
    busy.value = true;
    failure.value = null;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure.value = error;
    } finally {
      busy.value = false;
    }
  }

  return { busy, failure, send };
}
