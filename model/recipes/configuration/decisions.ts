import { rest, send, type Decision, type Decisions } from "../decisions.ts";

/*
 * Configuration in a znode: one client writes it, others keep what they last read, and a watch on it.
 * Source: ZooKeeper Recipes and Solutions, Out-of-the-box Applications; Hunt et al., USENIX ATC 2010, §2.4.
 */

/** What a reader knows. `version` -1: the znode did not exist. */
export type ReaderState =
  | { readonly phase: "unread" | "reading" }
  /** It reads once more whether the znode exists, and watches for its creation. */
  | { readonly phase: "looking" }
  /** What it last read, and a watch that tells of the next change. */
  | { readonly phase: "settled"; readonly data: string; readonly version: number };

/** `read`: it reads, and keeps what it read up to date. */
export type ReaderDecisions = Decisions<ReaderState, "read">;

/** A reader of the configuration at `path`. */
export function readerDecisions(path: string): ReaderDecisions {
  const read: Decision<ReaderState> = send(
    { phase: "reading" },
    { op: "getData", path, watch: true, sync: false },
  );
  const look: Decision<ReaderState> = send(
    { phase: "looking" },
    { op: "exists", path, watch: true, sync: false },
  );
  return {
    start: { phase: "unread" },
    commands: ({ phase }) => (phase === "unread" ? ["read"] : []),
    decide(state, event) {
      switch (state.phase) {
        case "unread":
          return event.type === "command" ? read : rest(state);
        case "reading":
          if (event.type !== "answer") return read;
          if (event.answer.error !== null) return look;
          return rest({ phase: "settled", data: event.answer.data, version: event.answer.version });
        case "looking":
          if (event.type !== "answer" || event.answer.error === null) return read;
          return rest({ phase: "settled", data: "", version: -1 });
        case "settled":
          // With a watch set, a disconnection alone loses nothing: the watch is set again on the next connection.
          return event.type === "event" || event.type === "expired" ? read : rest(state);
      }
    },
  };
}

/** What the writer knows: what it writes at the moment. */
export type WriterState =
  { readonly phase: "idle" } | { readonly phase: "writing" | "creating"; readonly data: string };

/** `write`: the command's tag becomes the configuration. */
export type WriterDecisions = Decisions<WriterState, "write">;

/** The only writer of the configuration at `path`, which it makes if need be: so it may write again what was not answered. */
export function writerDecisions(path: string): WriterDecisions {
  const write = (data: string): Decision<WriterState> =>
    send({ phase: "writing", data }, { op: "setData", path, data, version: -1 });
  const create = (data: string): Decision<WriterState> =>
    send({ phase: "creating", data }, { op: "create", path, data, ephemeral: false, sequential: false });
  return {
    start: { phase: "idle" },
    commands: ({ phase }) => (phase === "idle" ? ["write"] : []),
    decide(state, event) {
      switch (state.phase) {
        case "idle":
          return event.type === "command" ? write(event.tag) : rest(state);
        case "writing":
          if (event.type !== "answer") return write(state.data);
          return event.answer.error === null ? rest({ phase: "idle" }) : create(state.data);
        case "creating":
          // There already: its own, of which the answer was lost.
          if (event.type !== "answer") return write(state.data);
          return event.answer.error === null ? rest({ phase: "idle" }) : write(state.data);
      }
    },
  };
}
