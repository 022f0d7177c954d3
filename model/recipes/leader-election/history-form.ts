import type { Event, Json, Zxid } from "../../history.ts";

/*
 * How leadership stands in a history, beside the operations on znodes by which it is won.
 *
 * BELIEF is told by events of the process "leaders", type info, evidence session:
 *   lead  {process, session, candidate, token}          from here on the client believes that it leads
 *   step  {process, session, candidate, token, reason}  from here on it no longer does
 * `candidate` is the full path of its znode, `token` that znode's czxid (the fencing token). `process` is the one
 * that the client had then; an operation that ends `info` replaces it, so `candidate` names the belief, not `process`.
 * `reason`: "resigned", "disconnected", "deposed" (its guarded write was refused, or a later token stood there),
 * "expired", "crashed" (the client is gone and its session has to expire).
 *
 * THE GUARDED RESOURCE is the znode `guard` below the election's root. Its data is the list of accepted tokens, as
 * decimal numbers with a blank between; each leader appends its own by a setData on the version that it has read.
 * Only the last `guardTokensMax` are kept. Candidates are children of `candidates` below the root.
 */
export const leadersProcess = "leaders";

export const electionRoot = "/zabcheck/leader-election";
export const candidatesPath: string = `${electionRoot}/candidates`;
export const guardPath: string = `${electionRoot}/guard`;

/** How many tokens the guarded znode keeps, so that it stays small however long a run is. */
export const guardTokensMax = 100;

export type StepReason = "resigned" | "disconnected" | "deposed" | "expired" | "crashed";

export type LeadershipEvent =
  | {
      readonly f: "lead";
      readonly process: number;
      readonly session: string;
      readonly candidate: string;
      readonly token: Zxid;
    }
  | {
      readonly f: "step";
      readonly process: number;
      readonly session: string;
      readonly candidate: string;
      readonly token: Zxid;
      readonly reason: StepReason;
    };

/** The event of a belief, without what the recorder adds. */
export function leadershipDraft(event: LeadershipEvent): Omit<Event, "index" | "time"> {
  const { f, ...value } = event;
  return { process: leadersProcess, type: "info", f, value: value as Json, session: event.session };
}

/** What an event of the process "leaders" says; undefined for others, and for what is not of the form. */
export function parseLeadership(event: Event): LeadershipEvent | undefined {
  if (event.process !== leadersProcess || (event.f !== "lead" && event.f !== "step")) return undefined;
  const value = event.value as { readonly [name: string]: Json } | null;
  if (typeof value !== "object" || value === null) return undefined;
  const { process, session, candidate, token, reason } = value;
  if (typeof process !== "number" || typeof session !== "string") return undefined;
  if (typeof candidate !== "string" || typeof token !== "number") return undefined;
  if (event.f === "lead") return { f: "lead", process, session, candidate, token };
  return { f: "step", process, session, candidate, token, reason: reason as StepReason };
}

/** The guarded znode's data as tokens; undefined where it is not of the form. */
export function parseTokens(data: string | null): readonly Zxid[] | undefined {
  const words = (data ?? "").split(" ").filter((word) => word !== "");
  const tokens = words.map(Number);
  return tokens.every((token) => Number.isSafeInteger(token) && token > 0) ? tokens : undefined;
}

export function formatTokens(tokens: readonly Zxid[]): string {
  return tokens.slice(-guardTokensMax).join(" ");
}
