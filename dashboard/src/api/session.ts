/** Who is signed in, if anybody. */
import { signal } from "@preact/signals";
import { suggest } from "../display";
import { go } from "../router";
import { answer, api, csrf, Failure } from "./client";
import { forget } from "./resource";
import type { SessionOut } from "./schema";

export type Who =
  | { state: "unknown" }
  | { state: "nobody"; ended: boolean }
  | { state: "visitor" } // an open server: reads everything, writes nothing
  | { state: "person"; session: SessionOut }
  | { state: "unreachable" };

export const who = signal<Who>({ state: "unknown" });

/** Whether whoever is here may: who is signed in, as their session says. */
export function mayDo(scope: string): boolean {
  return who.value.state === "person" && who.value.session.scopes.includes(scope);
}

/** Whether whoever is here may see: an open server lets everybody read. */
export function maySee(scope: string): boolean {
  return who.value.state === "visitor" || mayDo(scope);
}

/** Find out who is signed in. */
export async function recognise(): Promise<void> {
  try {
    await welcome(await answer(api.GET("/v1/session")));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.kind === "signed-out") who.value = { state: "nobody", ended: false };
    else if (error.kind === "denied") who.value = { state: "visitor" };
    else who.value = { state: "unreachable" };
  }
}

export async function signIn(login: string, password: string): Promise<void> {
  await welcome(await answer(api.POST("/v1/session", { body: { login, password } })));
}

export async function signOut(): Promise<void> {
  await answer(api.DELETE("/v1/session")).catch((error: unknown) => {
    if (!(error instanceof Failure && error.kind === "signed-out")) throw error;
  });
  leave(false);
  go({ name: "sign-in", back: "/" });
}

/** Choose a password with the one-time token of a link. */
export async function setPassword(token: string, fresh: string): Promise<void> {
  await answer(api.POST("/v1/session/password", { body: { token, new: fresh } }));
}

/** The session is over: nothing of it stays on the screen or in memory. */
export function leave(ended: boolean): void {
  csrf.value = null;
  forget();
  who.value = { state: "nobody", ended };
}

async function welcome(session: SessionOut): Promise<void> {
  csrf.value = session.csrf_token;
  await suggest(session.language);
  who.value = { state: "person", session };
}
