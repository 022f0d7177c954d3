import { nameOf, type Client } from "../../specification/index.ts";
import type { Program, Reaction, Request } from "../service/index.ts";

/**
 * Locks and read/write locks (ZooKeeper Recipes and Solutions, Locks, Shared Locks): ephemeral sequential znodes in
 * a queue; a writer waits for whoever stands before it, a reader for the last writer before it.
 */
export type Mode = "read" | "write";

export type Locker =
  | { readonly phase: "free"; readonly asked: number }
  | { readonly phase: "creating"; readonly asked: number; readonly mode: Mode }
  /** It reads the queue. `node` is null while it cannot know whether its own was created. */
  | { readonly phase: "listing"; readonly asked: number; readonly mode: Mode; readonly node: string | null }
  /** It sets watches on those that it waits for, one after the other. */
  | {
      readonly phase: "watching";
      readonly asked: number;
      readonly mode: Mode;
      readonly node: string;
      readonly ahead: readonly string[];
    }
  | {
      readonly phase: "waiting" | "holding" | "releasing";
      readonly asked: number;
      readonly mode: Mode;
      readonly node: string;
    };

/** Whom a client waits for: those of the queue before it, of which it watches some. None: the lock is its own. */
export type Blockers = (ahead: readonly string[], mode: Mode) => readonly string[];

export const queuePath = "/lock";

export function modeOf(node: string): Mode {
  return node.includes("-write-") ? "write" : "read";
}

/** The recipe: a writer watches the one before it, a reader the last writer before it. */
export const recipeBlockers: Blockers = (ahead, mode) =>
  (mode === "write" ? ahead : ahead.filter((node) => modeOf(node) === "write")).slice(-1);

export interface LockConduct {
  readonly blockers: Blockers;
  /** The mistake: it waits for one that went before it could be watched. */
  readonly waitsForNobody?: boolean;
}

export function lockProgram(
  modes: readonly Mode[],
  times: number,
  { blockers, waitsForNobody }: LockConduct,
): Program<Locker> {
  const list = (asked: number, mode: Mode, node: string | null): Reaction<Locker> => ({
    state: { phase: "listing", asked, mode, node },
    request: { op: "getChildren", path: queuePath, watch: false, sync: node === null },
  });
  const create = (client: Client, asked: number, mode: Mode): Reaction<Locker> => ({
    state: { phase: "creating", asked, mode },
    request: {
      op: "create",
      path: `${prefix(client, asked)}-${mode}-`,
      data: "",
      ephemeral: true,
      sequential: true,
    },
  });
  const judge = (
    state: Extract<Locker, { phase: "listing" }>,
    nodes: readonly string[],
    client: Client,
  ): Reaction<Locker> => {
    const { asked, mode } = state;
    const own = nodes.find((node) => `${queuePath}/${node}`.startsWith(`${prefix(client, asked)}-`));
    if (own === undefined) return state.node === null ? create(client, asked, mode) : free(asked);
    const queue = nodes.toSorted((a, b) => sequenceOf(a) - sequenceOf(b));
    const ahead = blockers(queue.slice(0, queue.indexOf(own)), mode);
    if (ahead.length === 0) return stay({ phase: "holding", asked, mode, node: own });
    return watch({ phase: "watching", asked, mode, node: own, ahead });
  };
  return {
    start: () => ({ phase: "free", asked: 0 }),
    choices(state) {
      if (state.phase === "free") return state.asked < times ? modes : [];
      return state.phase === "holding" ? ["release"] : [];
    },
    react(state, input, client) {
      const { asked } = state;
      if (input.type === "expired") return free(asked);
      if (state.phase === "free") {
        return input.type === "choice" ? create(client, asked + 1, input.choice as Mode) : stay(state);
      }
      if (state.phase === "releasing" || (input.type === "choice" && state.phase === "holding")) {
        return input.type === "answer" ? free(asked) : release({ ...state, phase: "releasing" });
      }
      if (input.type === "disconnected")
        return list(asked, state.mode, state.phase === "creating" ? null : state.node);
      if (input.type === "event")
        return state.phase === "waiting" ? list(asked, state.mode, state.node) : stay(state);
      if (input.type !== "answer") return stay(state);
      const { answer } = input;
      if (state.phase === "creating") {
        return answer.error === null
          ? list(asked, state.mode, answer.path.slice(queuePath.length + 1))
          : create(client, asked, state.mode);
      }
      if (state.phase === "listing")
        return judge(state, answer.error === null ? answer.children : [], client);
      if (state.phase !== "watching") return stay(state);
      // Who is gone in the meantime may have let others pass: only the list tells.
      if (answer.error !== null && waitsForNobody !== true) return list(asked, state.mode, state.node);
      const ahead = state.ahead.slice(1);
      if (ahead.length > 0) return watch({ ...state, ahead });
      return stay({ phase: "waiting", asked, mode: state.mode, node: state.node });
    },
  };
}

function stay(state: Locker): Reaction<Locker> {
  return { state, request: null };
}

function free(asked: number): Reaction<Locker> {
  return stay({ phase: "free", asked });
}

function watch(state: Extract<Locker, { phase: "watching" }>): Reaction<Locker> {
  const request: Request = {
    op: "exists",
    path: `${queuePath}/${state.ahead[0] ?? ""}`,
    watch: true,
    sync: false,
  };
  return { state, request };
}

function release(state: Extract<Locker, { phase: "waiting" | "holding" | "releasing" }>): Reaction<Locker> {
  return { state, request: { op: "delete", path: `${queuePath}/${state.node}`, version: -1 } };
}

function prefix(client: Client, asked: number): string {
  return `${queuePath}/${nameOf(client)}.${asked}`;
}

function sequenceOf(node: string): number {
  return Number(node.slice(-10));
}
