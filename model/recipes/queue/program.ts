import { nameOf } from "../../specification/index.ts";
import type { Program, Reaction, Request } from "../service/index.ts";

/**
 * A client that puts elements into a queue and takes them out (ZooKeeper Recipes and Solutions, Queues: persistent
 * sequential znodes, the lowest is the first). `taken` is what the client has processed, in this order: its outside
 * effects, which a crash does not undo.
 */
export type Consumer = {
  readonly phase: "idle" | "putting" | "listing" | "deleting";
  /** The element that it deals with; "" for none. */
  readonly element: string;
  readonly put: number;
  readonly crashes: number;
  readonly taken: readonly string[];
};

/** When an element counts as processed: after its deletion, before it, or in one step with it. */
export type Delivery = "at-most-once" | "at-least-once" | "multi";

export interface QueueConduct {
  readonly delivery: Delivery;
  /** The mistake: any element will do, and one that is gone already is taken all the same. */
  readonly careless?: boolean;
}

export const queuePath = "/queue";
export const donePath = "/done";

export function queueProgram(conduct: QueueConduct, puts: number, crashes: number): Program<Consumer> {
  const { delivery } = conduct;
  const idle = (state: Consumer, taken: readonly string[] = state.taken): Reaction<Consumer> => ({
    state: { ...state, phase: "idle", element: "", taken },
    request: null,
  });
  const list = (state: Consumer): Reaction<Consumer> => ({
    state: { ...state, phase: "listing", element: "" },
    request: { op: "getChildren", path: queuePath, watch: false, sync: false },
  });
  const remove = (state: Consumer): Reaction<Consumer> => {
    const taken = delivery === "at-least-once" ? [...state.taken, state.element] : state.taken;
    return { state: { ...state, phase: "deleting", taken }, request: removal(state.element, delivery) };
  };
  return {
    start: () => ({ phase: "idle", element: "", put: 0, crashes: 0, taken: [] }),
    choices(state) {
      const crash = state.crashes < crashes && state.phase !== "idle" ? ["crash"] : [];
      if (state.phase !== "idle") return crash;
      return state.put < puts ? ["put", "take"] : ["take"];
    },
    react(state, input, client) {
      if (input.type === "choice") {
        if (input.choice === "take") return list(state);
        const path = `${queuePath}/${nameOf(client)}-`;
        return {
          state: { ...state, phase: "putting", put: state.put + 1 },
          request: { op: "create", path, data: "", ephemeral: false, sequential: true },
        };
      }
      if (input.type !== "answer") return idle(state);
      const { answer } = input;
      if (state.phase === "listing" && answer.error === null) {
        const bySequence = answer.children.toSorted((a, b) => Number(a.slice(-10)) - Number(b.slice(-10)));
        const element = conduct.careless === true ? bySequence.at(-1) : bySequence[0];
        return element === undefined ? idle(state) : remove({ ...state, element });
      }
      if (state.phase !== "deleting" || delivery === "at-least-once") return idle(state);
      if (answer.error === null || conduct.careless === true)
        return idle(state, [...state.taken, state.element]);
      return idle(state);
    },
  };
}

function removal(element: string, delivery: Delivery): Request {
  const path = `${queuePath}/${element}`;
  if (delivery !== "multi") return { op: "delete", path, version: -1 };
  const done = {
    op: "create",
    path: `${donePath}/${element}`,
    data: "",
    ephemeral: false,
    sequential: false,
  } as const;
  return { op: "multi", operations: [{ op: "delete", path, version: -1 }, done] };
}
