import type { Json } from "../../history.ts";
import type { Call, SequentialSpecification } from "../specification.ts";

/** Who holds a read/write lock: owners as JSON texts, `null` for calls that name none. */
export interface ReadWriteState {
  readonly readers: readonly string[];
  readonly writer: string | undefined;
}

/**
 * A read/write lock: `acquire-read`, `release-read`, `acquire-write`, `release-write`; the argument names the owner,
 * null where owners are not told apart. Readers share it, a writer is alone, an owner may hold it several times only
 * for reading, and only an owner that holds it can release it.
 */
export function readWriteLock(): SequentialSpecification<ReadWriteState> {
  return {
    name: "read-write-lock",
    initial: { readers: [], writer: undefined },
    key: ({ readers, writer }) => `${writer ?? ""}|${readers.join(",")}`,
    step: (state, call) => {
      const next = afterLockCall(state, call);
      if (next !== undefined) return [next];
      return call.result === undefined ? [state] : [];
    },
    describeState: ({ readers, writer }) =>
      writer !== undefined
        ? `written by ${writer}`
        : readers.length > 0
          ? `read by ${readers.join(", ")}`
          : "free",
  };
}

function afterLockCall(state: ReadWriteState, call: Call): ReadWriteState | undefined {
  const owner = JSON.stringify(call.argument);
  const { readers, writer } = state;
  switch (call.f) {
    case "acquire-read":
      return writer === undefined ? { readers: [...readers, owner].sort(), writer } : undefined;
    case "release-read": {
      const at = readers.indexOf(owner);
      return at === -1 ? undefined : { readers: readers.filter((_, i) => i !== at), writer };
    }
    case "acquire-write":
      return writer === undefined && readers.length === 0 ? { readers, writer: owner } : undefined;
    case "release-write":
      return writer === owner ? { readers, writer: undefined } : undefined;
    default:
      return undefined;
  }
}

/** A list that grows at its end: `append v`, `read` -> every element in order. */
export function appendList(initial: readonly Json[] = []): SequentialSpecification<readonly Json[]> {
  return {
    name: "append-list",
    initial,
    key: (state) => JSON.stringify(state),
    step: (state, call) => {
      if (call.f === "append") return [[...state, call.argument]];
      if (call.f !== "read") return [];
      return call.result === undefined || JSON.stringify(call.result) === JSON.stringify(state)
        ? [state]
        : [];
    },
    readOnly: (call) => call.f === "read",
    describeState: (state) => JSON.stringify(state),
  };
}

/** A source of unique ids: `generate` -> an id never given before. The state is what was given. */
export function uniqueIds(): SequentialSpecification<readonly string[]> {
  return {
    name: "unique-ids",
    initial: [],
    key: (state) => state.join(","),
    step: (state, call) => {
      if (call.f !== "generate") return [];
      if (call.result === undefined) return [state];
      const id = JSON.stringify(call.result);
      return state.includes(id) ? [] : [[...state, id].sort()];
    },
    partition: (call) => (call.result === undefined ? "unanswered" : JSON.stringify(call.result)),
    describeState: (state) => `${state.length} ids given`,
  };
}
