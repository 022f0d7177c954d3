import { childPath } from "../../sequential/index.ts";
import { rest, send, type Decision, type Decisions } from "../decisions.ts";

/*
 * The double barrier (ZooKeeper Recipes and Solutions, Double Barriers): clients begin together, when enough of them
 * have joined, and end together. A barrier is used once.
 *
 * Differs: the published recipe says nothing of sessions that expire. Here whose session expires before it has begun
 * joins again, and begins only if it finds that the others have not begun yet: else they may be done already. Whose
 * session expires while it works is told that the others do not wait for it any more. Who leaves goes on leaving.
 */

/** What a participant knows. `again`: it has joined before, with a session that expired. */
export type ParticipantState = {
  readonly phase:
    | "outside"
    /** It looks for the znode that says that all are there, with a watch. */
    | "looking for ready"
    | "joining"
    | "counting"
    | "announcing"
    | "waiting"
    | "working"
    /** It has finished: it reads who is still there, removes its own znode, watches another's. */
    | "looking for others"
    | "removing"
    | "watching others"
    | "waiting for others"
    | "done"
    /** Its session expired, and the others have begun or go on without it. */
    | "withdrawing"
    | "expelled";
  readonly again: boolean;
};
type Phase = ParticipantState["phase"];

export type ParticipantCommand = "enter" | "leave";
export type ParticipantDecision = Decision<ParticipantState>;
export type ParticipantDecisions = Decisions<ParticipantState, ParticipantCommand>;

const ready = "ready";

/** One of `size` participants in the barrier at `path`; `name` is its own, and not "ready". */
export function participantDecisions(path: string, name: string, size: number): ParticipantDecisions {
  const own = childPath(path, name);
  const step = (again: boolean): { readonly [step in Phase]?: ParticipantDecision } => {
    const sending = (phase: Phase, request: ParticipantDecision["request"] & object): ParticipantDecision =>
      send({ phase, again }, request);
    return {
      // Behind a sync where it matters whether the others have begun without it.
      "looking for ready": sending("looking for ready", {
        op: "exists",
        path: childPath(path, ready),
        watch: true,
        sync: again,
      }),
      joining: sending("joining", { op: "create", path: own, data: "", ephemeral: true, sequential: false }),
      counting: sending("counting", { op: "getChildren", path, watch: false, sync: false }),
      announcing: sending("announcing", {
        op: "create",
        path: childPath(path, ready),
        data: "",
        ephemeral: false,
        sequential: false,
      }),
      "looking for others": sending("looking for others", {
        op: "getChildren",
        path,
        watch: false,
        sync: false,
      }),
      removing: sending("removing", { op: "delete", path: own, version: -1 }),
      withdrawing: sending("withdrawing", { op: "delete", path: own, version: -1 }),
    };
  };
  const steps = { first: step(false), again: step(true) };
  const go = (phase: Phase, again: boolean): ParticipantDecision =>
    (again ? steps.again : steps.first)[phase] ?? rest({ phase, again });
  const watch = (other: string, again: boolean): ParticipantDecision =>
    send(
      { phase: "watching others", again },
      { op: "exists", path: childPath(path, other), watch: true, sync: false },
    );

  /** The lowest stays to the last and waits for the highest; the others remove theirs and wait for the lowest. */
  const leave = (children: readonly string[], again: boolean): ParticipantDecision => {
    const others = children.filter((child) => child !== ready).toSorted();
    const [lowest] = others;
    if (lowest === undefined) return go("done", again);
    if (!others.includes(name)) return watch(lowest, again);
    if (lowest !== name || others.length === 1) return go("removing", again);
    return watch(others.at(-1) ?? lowest, again);
  };

  return {
    start: { phase: "outside", again: false },
    commands: ({ phase }) => (phase === "outside" ? ["enter"] : phase === "working" ? ["leave"] : []),
    decide(state, event) {
      const { phase, again } = state;
      if (event.type === "expired") return afterExpiry(phase, go, again);
      switch (phase) {
        case "outside":
          return event.type === "command" && event.command === "enter"
            ? go("looking for ready", again)
            : rest(state);
        case "looking for ready":
          if (event.type !== "answer") return go(phase, again);
          return again && event.answer.error === null ? go("expelled", again) : go("joining", again);
        case "joining":
          // There already: its own, of which the answer was lost.
          return event.type === "answer" ? go("counting", again) : go(phase, again);
        case "counting": {
          if (event.type !== "answer") return go(phase, again);
          const children = event.answer.error === null ? event.answer.children : [];
          if (children.includes(ready)) return go(again ? "withdrawing" : "working", again);
          return go(children.length >= size ? "announcing" : "waiting", again);
        }
        case "announcing":
          return event.type === "answer" ? go("working", again) : go(phase, again);
        case "waiting":
          return event.type === "event" && event.event.type === "NodeCreated"
            ? go("working", again)
            : rest(state);
        case "working":
          return event.type === "command" && event.command === "leave"
            ? go("looking for others", again)
            : rest(state);
        case "looking for others":
          if (event.type !== "answer") return go(phase, again);
          return leave(event.answer.error === null ? event.answer.children : [], again);
        case "removing":
          return event.type === "answer" ? go("looking for others", again) : go(phase, again);
        case "watching others":
          return event.type === "answer" && event.answer.error === null
            ? go("waiting for others", again)
            : go("looking for others", again);
        case "waiting for others":
          return event.type === "event" ? go("looking for others", again) : rest(state);
        case "withdrawing":
          return go(event.type === "answer" ? "expelled" : phase, again);
        default:
          return rest(state);
      }
    },
  };
}

function afterExpiry(
  phase: Phase,
  go: (phase: Phase, again: boolean) => ParticipantDecision,
  again: boolean,
): ParticipantDecision {
  switch (phase) {
    case "outside":
    case "looking for ready":
    case "done":
    case "expelled":
      return go(phase, again);
    case "joining":
    case "counting":
    case "announcing":
    case "waiting":
      return go("looking for ready", true);
    case "working":
    case "withdrawing":
      return go("expelled", true);
    default:
      return go("looking for others", again);
  }
}
