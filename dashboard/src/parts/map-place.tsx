import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Failure } from "../api/client";
import { type Resource, useResource } from "../api/resource";

export interface Tiles {
  tile_url: string | null;
  tile_attribution: string;
}

/** The tiles that an operator chose, if any. */
export function useTiles(): Resource<Tiles> {
  return useResource("page.json", tilesOfService);
}

async function tilesOfService(): Promise<Tiles> {
  const said = await fetch("/page.json").catch(() => {
    throw new Failure("unreachable", 0, null);
  });
  return said.ok ? ((await said.json()) as Tiles) : { tile_url: null, tile_attribution: "" };
}

type Make<Engine> = (place: HTMLElement, tiles: Tiles | null) => Engine;

interface MapOf<Engine> {
  readonly place: RefObject<HTMLDivElement | null>;
  readonly engine: Signal<Engine | null>; // null until it is loaded
  readonly failed: Signal<boolean>;
}

/** A map of an engine that is loaded once tiles are known, and goes when its place does. */
export function useMap<Engine extends { remove: () => void }>(
  load: () => Promise<Make<Engine>>,
): MapOf<Engine> {
  const place = useRef<HTMLDivElement>(null);
  const engine = useSignal<Engine | null>(null);
  const failed = useSignal(false);
  const tiles = useTiles();
  const known = tiles.value !== undefined || tiles.failure !== null;
  useEffect(() => {
    if (!known || place.current === null) return;
    const target = place.current;
    let gone = false;
    load()
      .then((make) => {
        if (!gone) engine.value = make(target, tiles.value ?? null);
      })
      .catch((error: unknown) => {
        failed.value = true;
        reportError(error); // what is said is a guess; the console has the cause
      });
    return () => {
      gone = true;
      engine.value?.remove();
      engine.value = null;
    };
  }, [known]);
  return { place, engine, failed };
}

/** Where a map is, with what a listener is told of it and what is said if it did not load. */
export function MapPlace(props: {
  of: MapOf<unknown>;
  id: string; // of the help, which the engine names as the description of its picture
  help: string;
  failure: string;
}) {
  return (
    <>
      <p class="unseen" id={props.id}>
        {props.help}
      </p>
      <div class="ground" ref={props.of.place} />
      {props.of.failed.value && <p class="message">{props.failure}</p>}
    </>
  );
}
