import { childPath } from "../../sequential/index.ts";
import { inSequence, rest, send, type Decision, type Decisions } from "../decisions.ts";
import type { RecipeRequest } from "../service/index.ts";

/*
 * A queue (ZooKeeper Recipes and Solutions, Queues): an element is a persistent sequential znode, the lowest is the
 * first. A client puts elements in, takes them out and processes them. When an element is deleted decides what its
 * loss or its repetition may be.
 */

/**
 * When an element is deleted: before it is processed (then a crash loses it), after it was (then a crash processes it
 * twice), or in one multi with what processing it means, here a znode below `done`.
 */
export type Delivery = "at-most-once" | "at-least-once" | "multi";

/** What a client knows. An element is named by its znode's last path element. */
export type ConsumerState =
  | { readonly phase: "idle" | "putting" | "listing" }
  | { readonly phase: "deleting" | "processing" | "moving"; readonly element: string };

/** `put`: the command's tag becomes an element. `processed`: the element that it was given has been dealt with. */
export type ConsumerCommand = "put" | "take" | "processed";

export type ConsumerDecision = Decision<ConsumerState>;
export type ConsumerDecisions = Decisions<ConsumerState, ConsumerCommand>;

export interface QueuePaths {
  readonly queue: string;
  /** Of a multi: what was processed. */
  readonly done: string;
}

const idle: ConsumerDecision = rest({ phase: "idle" });

/** One client of a queue. */
export function consumerDecisions({ queue, done }: QueuePaths, delivery: Delivery): ConsumerDecisions {
  const list: ConsumerDecision = send(
    { phase: "listing" },
    { op: "getChildren", path: queue, watch: false, sync: false },
  );
  const removal = (element: string): RecipeRequest & { readonly op: "delete" } => {
    return { op: "delete", path: childPath(queue, element), version: -1 };
  };
  const take = (element: string): ConsumerDecision => {
    if (delivery === "at-least-once") return rest({ phase: "processing", element });
    if (delivery === "at-most-once") return send({ phase: "deleting", element }, removal(element));
    const record = {
      op: "create",
      path: childPath(done, element),
      data: "",
      ephemeral: false,
      sequential: false,
    } as const;
    return send({ phase: "moving", element }, { op: "multi", operations: [removal(element), record] });
  };
  return {
    start: { phase: "idle" },
    commands({ phase }) {
      if (phase === "idle") return ["put", "take"];
      return phase === "processing" ? ["processed"] : [];
    },
    decide(state, event) {
      // Whether a request without an answer took effect nobody can tell: its element may be lost, or taken again.
      if (event.type === "expired") return idle;
      if (event.type === "disconnected") return state.phase === "processing" ? rest(state) : idle;
      switch (state.phase) {
        case "idle":
          if (event.type !== "command") break;
          if (event.command === "take") return list;
          return send(
            { phase: "putting" },
            {
              op: "create",
              path: childPath(queue, `${event.tag}-`),
              data: "",
              ephemeral: false,
              sequential: true,
            },
          );
        case "putting":
          return idle;
        case "listing": {
          if (event.type !== "answer") break;
          const [first] = event.answer.error === null ? inSequence(event.answer.children) : [];
          return first === undefined ? idle : take(first);
        }
        case "processing":
          if (event.type !== "command") break;
          return delivery === "at-least-once"
            ? send({ phase: "deleting", element: state.element }, removal(state.element))
            : idle;
        case "deleting":
          if (event.type !== "answer") break;
          // Another was faster: the element is that one's.
          if (delivery === "at-least-once" || event.answer.error !== null) return idle;
          return rest({ phase: "processing", element: state.element });
        case "moving":
          return event.type === "answer" ? idle : rest(state);
      }
      return rest(state);
    },
  };
}
