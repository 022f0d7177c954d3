import { sequenceNumber } from "../sequential/index.ts";
import type { Value } from "../specification/index.ts";
import type { RecipeAnswer, RecipeRequest, RecipeWatchEvent } from "./service/index.ts";

/*
 * THE COMMON FORM OF A RECIPE'S DECISIONS: what one client does on which event, as a pure function of what it knows.
 * The models explore it above the service (service/), and a workload runs it against an ensemble (harness/recipe-client.ts):
 * what was proved is what runs.
 *
 * - A client has at most one request in flight. While one is, watch events wait; nothing but its answer, the loss of
 *   the connection and the end of the session is told before them.
 * - A decision without a request leaves the client at rest, until its user commands something or an event comes.
 * - What the user may command depends on the state (`commands`), and what the state says is what the user is told: that
 *   it holds the lock, that it leads with that token. A state is immutable and has a `phase`.
 * - A recipe knows the paths that it works on; clients are told apart by tags (a GUID in a run), never by time or chance.
 */

/** What a client learns. */
export type RecipeEvent<Command extends string = string> =
  /** Its user wants something of it. The tag is new and unique for each command: GUIDs and data are made of it. */
  | { readonly type: "command"; readonly command: Command; readonly tag: string }
  | { readonly type: "answer"; readonly request: RecipeRequest; readonly answer: RecipeAnswer }
  /** A watch has fired. Watches are set again on the next connection, by the client library. */
  | { readonly type: "event"; readonly event: RecipeWatchEvent }
  /** The connection is gone; a request in flight may or may not have taken effect, and will not any more. */
  | { readonly type: "disconnected" }
  /** The session is over, and with it every ephemeral znode and watch. */
  | { readonly type: "expired" };

/** What a client knows from now on, and the request that it sends, if any. */
export type Decision<State> = { readonly state: State; readonly request: RecipeRequest | null };

/** One client's part in a recipe. */
export interface Decisions<State extends Value, Command extends string = string> {
  readonly start: State;
  /** What its user may command in this state, when no request is in flight. Other commands change nothing. */
  commands(state: State): readonly Command[];
  decide(state: State, event: RecipeEvent<Command>): Decision<State>;
}

/** It sends nothing. */
export function rest<State>(state: State): Decision<State> {
  return { state, request: null };
}

export function send<State>(state: State, request: RecipeRequest): Decision<State> {
  return { state, request };
}

/** Children with a sequence number at the end of their names, in its order; others are left out. */
export function inSequence(children: readonly string[]): readonly string[] {
  const sequenced = children.flatMap((child) => {
    const sequence = sequenceNumber(child);
    return sequence === undefined ? [] : [{ child, sequence }];
  });
  return sequenced.toSorted((a, b) => a.sequence - b.sequence).map(({ child }) => child);
}
