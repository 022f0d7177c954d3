import type { Json } from "../../history.ts";
import type { Call, SequentialSpecification } from "../specification.ts";
import { refusal, refuseNoList } from "./refusal.ts";

type Values = readonly Json[];

const calls = {
  set: ["add", "remove", "contains", "read"],
  queue: ["enqueue", "dequeue"],
  stack: ["push", "pop"],
  priorityQueue: ["insert", "delete-min"],
} as const;

/**
 * A set: `add v`, `remove v`, `contains v` -> boolean, `read` -> every element, in any order. `add` and `remove` may
 * answer false for "was there already" and "was not there"; true says the opposite, any other answer says nothing.
 */
export function setOfValues(initial: Values = []): SequentialSpecification<Values> {
  return {
    name: "set",
    dataType: "set",
    refuse: (call) => refusal(call, calls.set) ?? refuseNoList(call),
    initial: sorted(initial),
    key: (state) => JSON.stringify(state),
    step: stepOfSet,
    partition: (call) =>
      call.f === "read" || initial.length > 0 ? undefined : JSON.stringify(call.argument),
    readOnly: (call) => call.f === "contains" || call.f === "read",
    describeState: (state) => `{${state.map(textOf).join(" ")}}`,
    describeCall,
  };
}

function stepOfSet(state: Values, call: Call): readonly Values[] {
  if (call.f === "read") {
    return call.result === undefined ||
      JSON.stringify(sorted(call.result as Values)) === JSON.stringify(state)
      ? [state]
      : [];
  }
  const element = textOf(call.argument);
  const present = state.some((other) => textOf(other) === element);
  if (call.f === "contains") return call.result === undefined || call.result === present ? [state] : [];
  if (call.f !== "add" && call.f !== "remove") return [];
  const changes = call.f === "add" ? !present : present;
  if (typeof call.result === "boolean" && call.result !== changes) return [];
  if (!changes) return [state];
  return [
    call.f === "add" ? sorted([...state, call.argument]) : state.filter((other) => textOf(other) !== element),
  ];
}

/** A first-in first-out queue: `enqueue v`, `dequeue` -> v, or null when it was empty. */
export function fifoQueue(initial: Values = []): SequentialSpecification<Values> {
  return {
    name: "queue",
    dataType: "queue",
    refuse: (call) => refusal(call, calls.queue),
    initial,
    key: (state) => JSON.stringify(state),
    step: (state, call) => {
      if (call.f === "enqueue") return [[...state, call.argument]];
      return call.f === "dequeue" ? taken(state, call, 0) : [];
    },
    readOnly: emptyAnswer("dequeue"),
    describeState: (state) => `[${state.map(textOf).join(" ")}]`,
    describeCall,
  };
}

/** A stack: `push v`, `pop` -> v, or null when it was empty. */
export function stack(initial: Values = []): SequentialSpecification<Values> {
  return {
    name: "stack",
    dataType: "stack",
    refuse: (call) => refusal(call, calls.stack),
    initial,
    key: (state) => JSON.stringify(state),
    step: (state, call) => {
      if (call.f === "push") return [[...state, call.argument]];
      return call.f === "pop" ? taken(state, call, state.length - 1) : [];
    },
    readOnly: emptyAnswer("pop"),
    describeState: (state) => `[${state.map(textOf).join(" ")}`,
    describeCall,
  };
}

/** A priority queue: `insert v`, `delete-min` -> the least value, or null when it was empty. Numbers come before text. */
export function priorityQueue(initial: Values = []): SequentialSpecification<Values> {
  return {
    name: "priority-queue",
    dataType: "priority-queue",
    refuse: (call) => refusal(call, calls.priorityQueue),
    initial: sorted(initial),
    key: (state) => JSON.stringify(state),
    step: (state, call) => {
      if (call.f === "insert") return [sorted([...state, call.argument])];
      return call.f === "delete-min" ? taken(state, call, 0) : [];
    },
    readOnly: emptyAnswer("delete-min"),
    describeState: (state) => `{${state.map(textOf).join(" ")}}`,
    describeCall,
  };
}

/** Null is no value of these collections: it is the answer of an empty one. */
function taken(state: Values, call: Call, at: number): readonly Values[] {
  if (state.length === 0) return call.result === undefined || call.result === null ? [state] : [];
  if (call.result !== undefined && textOf(call.result) !== textOf(state[at] as Json)) return [];
  return [state.filter((_, i) => i !== at)];
}

function emptyAnswer(f: string): (call: Call) => boolean {
  return (call) => call.f === f && call.result === null;
}

/** The order of a priority queue: numbers by size, then everything else by its JSON text. */
export function compareValues(a: Json, b: Json): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return -1;
  if (typeof b === "number") return 1;
  const [left, right] = [textOf(a), textOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function sorted(values: Values): Values {
  return [...values].sort(compareValues);
}

function textOf(value: Json): string {
  return JSON.stringify(value);
}

function describeCall(call: Call): string {
  const argument = call.argument === null ? "" : ` ${textOf(call.argument)}`;
  return `${call.f}${argument} -> ${call.result === undefined ? "?" : textOf(call.result)}`;
}
