import {
  casRegister,
  fifoQueue,
  priorityQueue,
  register,
  setOfValues,
  stack,
  type Event,
  type Json,
  type SequentialSpecification,
} from "../../model/light.ts";

/** A source of random integers: from 0 up to, not including, the bound. */
export type Draw = (bound: number) => number;

/** A repeatable source (Marsaglia's xorshift32). */
export function drawFrom(seed: number): Draw {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

/** A data type for random histories: draws a call, and an answer that may or may not be right. */
export interface RandomType {
  invoke(draw: Draw): { readonly f: string; readonly value: Json };
  answer(draw: Draw, f: string, value: Json): Json;
}

export interface RandomShape {
  readonly processes: number;
  readonly operations: number;
  /** Of 100 operations, how many get no answer, and how many fail. */
  readonly unanswered: number;
  readonly failed: number;
}

/** A history of random intervals, times often equal. A process goes on under a new name after an unanswered operation. */
export function randomHistory(type: RandomType, shape: RandomShape, draw: Draw): Event[] {
  const events: Event[] = [];
  const names = Array.from({ length: shape.processes }, (_, i) => i);
  const open: ({ f: string; value: Json } | undefined)[] = names.map(() => undefined);
  let time = 0;
  let left = shape.operations;
  let fresh = shape.processes;
  const add = (process: number, eventType: Event["type"], f: string, value: Json): void => {
    time += draw(3);
    events.push({ index: events.length, time, process, type: eventType, f, value });
  };
  while (left > 0 || open.some((operation) => operation !== undefined)) {
    const at = draw(shape.processes);
    const operation = open[at];
    if (operation === undefined) {
      if (left === 0) continue;
      left--;
      const invoked = type.invoke(draw);
      open[at] = invoked;
      add(names[at] as number, "invoke", invoked.f, invoked.value);
      continue;
    }
    open[at] = undefined;
    const chance = draw(100);
    if (chance < shape.unanswered) {
      if (draw(2) === 0) add(names[at] as number, "info", operation.f, operation.value);
      names[at] = fresh++;
    } else if (chance < shape.unanswered + shape.failed)
      add(names[at] as number, "fail", operation.f, operation.value);
    else add(names[at] as number, "ok", operation.f, type.answer(draw, operation.f, operation.value));
  }
  return events;
}

/** Small values that repeat. */
export const randomTypes: { readonly [name: string]: RandomType } = {
  "cas-register": {
    invoke: (draw) =>
      [
        { f: "read", value: null },
        { f: "write", value: draw(3) },
        { f: "cas", value: [draw(3), draw(3)] },
      ][draw(3)] as { f: string; value: Json },
    answer: (draw, f, value) =>
      f === "read" ? ([null, 0, 1, 2][draw(4)] as Json) : f === "cas" && draw(3) === 0 ? false : value,
  },
  kv: {
    invoke: (draw) => {
      const text = ["a", "b", "ab", "c"][draw(4)] as string;
      return { f: ["get", "put", "append"][draw(3)] as string, value: { key: "k", value: text } };
    },
    answer: (draw, f, value) =>
      f === "get"
        ? { key: "k", value: ["", "a", "b", "ab", "ba", "abc", "c", "cab"][draw(8)] as string }
        : value,
  },
  set: {
    invoke: (draw) => ({ f: ["add", "remove", "contains"][draw(3)] as string, value: draw(2) }),
    answer: (draw) => draw(2) === 0,
  },
  queue: {
    invoke: (draw) => (draw(2) === 0 ? { f: "enqueue", value: draw(3) } : { f: "dequeue", value: null }),
    answer: (draw, f) => (f === "enqueue" ? null : ([null, 0, 1, 2][draw(4)] as Json)),
  },
  stack: {
    invoke: (draw) => (draw(2) === 0 ? { f: "push", value: draw(3) } : { f: "pop", value: null }),
    answer: (draw, f) => (f === "push" ? null : ([null, 0, 1, 2][draw(4)] as Json)),
  },
  "priority-queue": {
    invoke: (draw) => (draw(2) === 0 ? { f: "insert", value: draw(3) } : { f: "delete-min", value: null }),
    answer: (draw, f) => (f === "insert" ? null : ([null, 0, 1, 2][draw(4)] as Json)),
  },
  mutex: {
    invoke: (draw) => ({ f: draw(2) === 0 ? "acquire" : "release", value: null }),
    answer: () => null,
  },
  counter: {
    invoke: (draw) => (draw(2) === 0 ? { f: "read", value: null } : { f: "add", value: draw(2) + 1 }),
    answer: (draw, f, value) => (f === "read" ? draw(5) : value),
  },
  /** Nondeterministic: `take` gives any of the elements put in. */
  bag: {
    invoke: (draw) => (draw(2) === 0 ? { f: "put", value: draw(2) } : { f: "take", value: null }),
    answer: (draw, f) => (f === "put" ? null : draw(3) === 0 ? null : draw(2)),
  },
};

/** A data type for histories that come from an object which works: draws calls, a fresh value given. */
export interface SimulatedType {
  readonly specification: SequentialSpecification<Json>;
  invoke(draw: Draw, fresh: number): { readonly f: string; readonly value: Json };
  /** Possible answers; the first that the object allows is taken. */
  answers(call: { readonly f: string; readonly value: Json }, fresh: number): readonly Json[];
}

interface Running {
  readonly f: string;
  readonly value: Json;
  result?: Json;
}

/**
 * A history of an object that works, with random moments at which operations take effect; `broken` answers of it are
 * then exchanged for others.
 */
export function simulatedHistory(
  type: SimulatedType,
  shape: RandomShape,
  broken: number,
  draw: Draw,
): Event[] {
  const events: Event[] = [];
  const open: (Running | undefined)[] = Array.from({ length: shape.processes }, () => undefined);
  const names = open.map((_, i) => i);
  let state = type.specification.initial;
  let [left, fresh, freshName, time] = [shape.operations, 0, shape.processes, 0];
  const add = (process: number, eventType: Event["type"], f: string, value: Json): void => {
    time += draw(3);
    events.push({ index: events.length, time, process, type: eventType, f, value });
  };
  const takeEffect = (operation: Running): void => {
    for (const result of type.answers(operation, fresh)) {
      const [next] = type.specification.step(state, { f: operation.f, argument: operation.value, result });
      if (next === undefined) continue;
      state = next;
      operation.result = result;
      return;
    }
  };
  while (left > 0 || open.some((operation) => operation !== undefined)) {
    const at = draw(shape.processes);
    const operation = open[at];
    if (operation === undefined) {
      if (left-- <= 0) continue;
      const invoked = type.invoke(draw, ++fresh);
      open[at] = { ...invoked };
      add(names[at] as number, "invoke", invoked.f, invoked.value);
    } else if (operation.result === undefined && draw(100) >= shape.unanswered) takeEffect(operation);
    else {
      open[at] = undefined;
      if (operation.result !== undefined && draw(100) >= shape.unanswered)
        add(names[at] as number, "ok", operation.f, operation.result);
      else {
        add(names[at] as number, "info", operation.f, operation.value);
        names[at] = freshName++;
      }
    }
  }
  for (let i = 0; i < broken; i++) breakAnswer(events, draw);
  return events;
}

/** Gives an answered operation the answer of another of the same kind. */
function breakAnswer(events: Event[], draw: Draw): void {
  const answered = events.filter((event) => event.type === "ok");
  const one = answered[draw(Math.max(1, answered.length))];
  const alike = answered.filter((event) => event.f === one?.f);
  const other = alike[draw(Math.max(1, alike.length))];
  if (one !== undefined && other !== undefined) events[one.index] = { ...one, value: other.value };
}

const simulated = <State>(specification: SequentialSpecification<State>): SequentialSpecification<Json> =>
  specification as unknown as SequentialSpecification<Json>;

const upTo = (fresh: number): Json[] => Array.from({ length: fresh }, (_, i) => i + 1);

/** Values that never repeat: what the specialised algorithms ask for. */
export const simulatedTypes: { readonly [name: string]: SimulatedType } = {
  register: {
    specification: simulated(casRegister()),
    invoke: (draw, fresh) =>
      [
        { f: "read", value: null },
        { f: "write", value: fresh },
        { f: "cas", value: [draw(fresh) || null, fresh] },
      ][draw(3)] as { f: string; value: Json },
    answers: ({ f, value }, fresh) =>
      f === "read" ? [null, ...upTo(fresh)] : f === "cas" ? [value, false] : [value],
  },
  "plain register": {
    specification: simulated(register()),
    invoke: (draw, fresh) => (draw(2) === 0 ? { f: "read", value: null } : { f: "write", value: fresh }),
    answers: ({ f, value }, fresh) => (f === "read" ? [null, ...upTo(fresh)] : [value]),
  },
  set: {
    specification: simulated(setOfValues()),
    invoke: (draw) => ({ f: ["add", "remove", "contains", "contains"][draw(4)] as string, value: draw(3) }),
    answers: () => [true, false],
  },
  queue: {
    specification: simulated(fifoQueue()),
    invoke: (draw, fresh) => (draw(2) === 0 ? { f: "enqueue", value: fresh } : { f: "dequeue", value: null }),
    answers: ({ f, value }, fresh) => (f === "enqueue" ? [value] : [null, ...upTo(fresh)]),
  },
  stack: {
    specification: simulated(stack()),
    invoke: (draw, fresh) => (draw(2) === 0 ? { f: "push", value: fresh } : { f: "pop", value: null }),
    answers: ({ f, value }, fresh) => (f === "push" ? [value] : [null, ...upTo(fresh)]),
  },
  "priority-queue": {
    specification: simulated(priorityQueue()),
    invoke: (draw, fresh) =>
      draw(2) === 0 ? { f: "insert", value: (fresh * 7) % 31 } : { f: "delete-min", value: null },
    answers: ({ f, value }) => (f === "insert" ? [value] : [null, ...upTo(31)]),
  },
};
