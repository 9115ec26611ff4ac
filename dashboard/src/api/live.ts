/** What changes, as it changes: the service tells, and what is on the screen is asked for anew. */
import { effect, signal } from "@preact/signals";
import { language } from "../words";
import { refresh } from "./resource";
import { maySee } from "./session";

/** Whether changes come by themselves now; null for who may not see devices. */
export const live = signal<boolean | null>(null);

const CALM_MS = 3_000; // a screen is not asked for anew more often
const AGAIN_MS = 60_000; // after the server turned us away: it says so where no page can read it
const asked = new Map<string, number>(); // when, ms since 1970
const waiting = new Map<string, ReturnType<typeof setTimeout>>();

const begun = signal(0); // how often the connection came back

/** Listen for as long as somebody is there who may. */
export function follow(): void {
  // A browser tries again when it likes. What was missed comes all the same: all is asked for anew.
  addEventListener("online", () => {
    if (live.value === false) begun.value += 1;
  });
  effect(() => {
    begun.value;
    const spoken = language.value;
    if (!maySee("read:devices")) {
      live.value = null;
      return;
    }
    live.value = false;
    return listen(`/v1/events?language=${spoken}`);
  });
}

/** Listen until told to stop; a browser alone comes again but where it was answered "not now". */
function listen(address: string): () => void {
  let events: EventSource;
  let again: ReturnType<typeof setTimeout>;
  const open = (missed: boolean) => {
    events = new EventSource(address);
    events.addEventListener("open", () => {
      live.value = true;
      if (missed) soon("");
    });
    events.addEventListener("error", () => {
      live.value = false;
      if (events.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_MS, true);
    });
    events.addEventListener("alert", () => soon("alerts "));
    events.addEventListener("devices", () => {
      for (const prefix of ["positions ", "devices ", "tracks "]) soon(prefix);
    });
    events.addEventListener("reset", () => soon(""));
  };
  open(false);
  return () => {
    clearTimeout(again);
    events.close();
  };
}

/** Ask anew: at once where that was not done just now, else when it is due again. */
function soon(prefix: string): void {
  if (waiting.has(prefix)) return;
  const call = () => {
    waiting.delete(prefix);
    asked.set(prefix, Date.now());
    refresh(prefix);
  };
  const due = (asked.get(prefix) ?? 0) + CALM_MS - Date.now();
  if (due <= 0) call();
  else waiting.set(prefix, setTimeout(call, due));
}
