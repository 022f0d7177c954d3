import { childPath, nodeName } from "../../sequential/index.ts";
import { inSequence, rest, send, type Decision, type Decisions } from "../decisions.ts";

/*
 * Locks and read/write locks (ZooKeeper Recipes and Solutions, Locks, Shared Locks): ephemeral sequential znodes in
 * a queue; a writer waits for whoever stands before it, a reader for the last writer before it. Both watch one znode
 * only, and read the queue again when it goes.
 *
 * Differs: the znode's name begins with the tag of the request, so that a create whose reply was lost is found again;
 * on a lost connection a holder stops to believe that it holds the lock and looks again.
 */
export type LockMode = "read" | "write";

/** What a client knows. Znodes are named by their last path element. */
export type LockState =
  | { readonly phase: "free" }
  | { readonly phase: "creating"; readonly tag: string; readonly mode: LockMode }
  /** It reads the queue. `node` is null while it cannot know whether its own was created. */
  | { readonly phase: "listing"; readonly tag: string; readonly mode: LockMode; readonly node: string | null }
  /** It sets watches on those that it waits for, one after the other: on the first of `ahead` now. */
  | {
      readonly phase: "watching";
      readonly tag: string;
      readonly mode: LockMode;
      readonly node: string;
      readonly ahead: readonly string[];
    }
  | {
      readonly phase: "waiting" | "holding" | "releasing";
      readonly tag: string;
      readonly mode: LockMode;
      readonly node: string;
    };

export type LockCommand = "acquire-read" | "acquire-write" | "release";

export type LockDecision = Decision<LockState>;
export type LockDecisions = Decisions<LockState, LockCommand>;

/** Whom a client watches, of those in the queue before it. Nobody: the lock is its own. */
export type Blockers = (ahead: readonly string[], mode: LockMode) => readonly string[];

/** The recipe's: a writer watches the one before it, a reader the last writer before it. */
export const recipeBlockers: Blockers = (ahead, mode) =>
  (mode === "write" ? ahead : ahead.filter((node) => modeOf(node) === "write")).slice(-1);

export function modeOf(node: string): LockMode {
  return node.includes("-write-") ? "write" : "read";
}

/** One client of the lock whose queue is the children of `path`. `blockers`: for variants. */
export function lockDecisions(
  path: string,
  modes: readonly LockMode[] = ["write"],
  blockers: Blockers = recipeBlockers,
): LockDecisions {
  const create = (tag: string, mode: LockMode): LockDecision =>
    send(
      { phase: "creating", tag, mode },
      { op: "create", path: childPath(path, `${tag}-${mode}-`), data: "", ephemeral: true, sequential: true },
    );
  /** Behind a sync where a create may have taken effect that this server has not yet applied. */
  const list = (tag: string, mode: LockMode, node: string | null): LockDecision =>
    send(
      { phase: "listing", tag, mode, node },
      { op: "getChildren", path, watch: false, sync: node === null },
    );
  const watch = (state: Extract<LockState, { phase: "watching" }>): LockDecision =>
    send(state, { op: "exists", path: childPath(path, state.ahead[0] ?? ""), watch: true, sync: false });
  const release = (tag: string, mode: LockMode, node: string): LockDecision =>
    send({ phase: "releasing", tag, mode, node }, { op: "delete", path: childPath(path, node), version: -1 });
  const judge = (
    { tag, mode, node: known }: Extract<LockState, { phase: "listing" }>,
    children: readonly string[],
  ): LockDecision => {
    const queue = inSequence(children);
    const node = queue.find((each) => each.startsWith(`${tag}-`));
    if (node === undefined) return known === null ? create(tag, mode) : rest({ phase: "free" });
    const ahead = blockers(queue.slice(0, queue.indexOf(node)), mode);
    if (ahead.length === 0) return rest({ phase: "holding", tag, mode, node });
    return watch({ phase: "watching", tag, mode, node, ahead });
  };
  return {
    start: { phase: "free" },
    commands({ phase }) {
      if (phase === "free") return modes.map((mode) => `acquire-${mode}` as const);
      return phase === "holding" ? ["release"] : [];
    },
    decide(state, event) {
      if (event.type === "expired") return rest({ phase: "free" });
      if (state.phase === "free") {
        if (event.type !== "command" || event.command === "release") return rest(state);
        return create(event.tag, event.command === "acquire-read" ? "read" : "write");
      }
      const { tag, mode } = state;
      switch (state.phase) {
        case "creating":
          if (event.type === "disconnected") return list(tag, mode, null);
          if (event.type !== "answer") break;
          return event.answer.error === null
            ? list(tag, mode, nodeName(event.answer.path))
            : create(tag, mode);
        case "listing":
          if (event.type === "disconnected") return list(tag, mode, state.node);
          if (event.type === "answer")
            return judge(state, event.answer.error === null ? event.answer.children : []);
          break;
        case "watching": {
          if (event.type === "disconnected") return list(tag, mode, state.node);
          if (event.type !== "answer") break;
          // Who is gone leaves no watch, and may have let others pass: only the list tells.
          if (event.answer.error !== null) return list(tag, mode, state.node);
          const ahead = state.ahead.slice(1);
          return ahead.length > 0
            ? watch({ ...state, ahead })
            : rest({ phase: "waiting", tag, mode, node: state.node });
        }
        case "waiting":
          if (event.type === "event") return list(tag, mode, state.node);
          break;
        case "holding":
          if (event.type === "command" && event.command === "release") return release(tag, mode, state.node);
          if (event.type === "disconnected") return list(tag, mode, state.node);
          break;
        case "releasing":
          if (event.type === "disconnected") return release(tag, mode, state.node);
          if (event.type === "answer") return rest({ phase: "free" });
          break;
      }
      return rest(state);
    },
  };
}
