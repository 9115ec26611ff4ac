import { afterEach, beforeEach, expect, it, vi } from "vitest";

const refresh = vi.hoisted(() => vi.fn());
vi.mock("./resource", () => ({ refresh }));
vi.mock("./session", () => ({ maySee: () => true }));
vi.mock("../words", () => ({ language: { value: "en" } }));

import { follow, live } from "./live";

/** A stream of events, as a browser has it. */
class Stream extends EventTarget {
  static readonly CLOSED = 2;
  static readonly opened: Stream[] = [];
  readyState = 0;

  constructor(readonly address: string) {
    super();
    Stream.opened.push(this);
  }

  tell(name: string, readyState: number): void {
    this.readyState = readyState;
    this.dispatchEvent(new Event(name));
  }

  close(): void {
    this.readyState = Stream.CLOSED;
  }
}

let browser = new EventTarget();

beforeEach(() => {
  browser = new EventTarget();
  Stream.opened.length = 0;
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Stream);
  vi.stubGlobal("addEventListener", browser.addEventListener.bind(browser));
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it("a page that was turned away listens again and asks for what it missed", () => {
  follow();
  const [first] = Stream.opened;
  first?.tell("open", 1);
  expect(live.value).toBe(true);

  first?.tell("error", 0); // cut off: a browser comes again by itself
  vi.advanceTimersByTime(120_000);
  expect(Stream.opened.length).toBe(1);
  first?.tell("error", Stream.CLOSED); // 429 or 503: a browser gives up
  expect(live.value).toBe(false);
  vi.advanceTimersByTime(60_000);

  expect(Stream.opened.map((one) => one.address)).toEqual(Array(2).fill("/v1/events?language=en"));
  expect(refresh).not.toHaveBeenCalled();
  Stream.opened[1]?.tell("open", 1);
  expect(live.value).toBe(true);
  expect(refresh).toHaveBeenCalledWith("");
});

it("a page whose connection is back listens at once, without waiting for the browser", () => {
  follow();
  Stream.opened[0]?.tell("open", 1);
  browser.dispatchEvent(new Event("online")); // it was never away: nothing to do
  expect(Stream.opened.length).toBe(1);

  Stream.opened[0]?.tell("error", 0);
  browser.dispatchEvent(new Event("online"));
  expect(Stream.opened[0]?.readyState).toBe(Stream.CLOSED);
  expect(Stream.opened.at(-1)?.readyState).toBe(0);
});
