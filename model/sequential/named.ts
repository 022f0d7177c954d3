import { InputError } from "../errors.ts";
import type { Json } from "../history.ts";
import {
  appendList,
  casRegister,
  counter,
  keyValue,
  mutex,
  priorityQueue,
  fifoQueue,
  readWriteLock,
  register,
  setOfValues,
  stack,
  uniqueIds,
  versionedRegister,
} from "./data-types/index.ts";
import type { SequentialSpecification } from "./specification.ts";
import { znodes } from "./znodes/specification.ts";

/** A specification that can be named on a command line. */
export interface NamedSpecification {
  readonly name: string;
  /** One line: what it is and which operations it has. */
  readonly summary: string;
  /** What `initial` may be; absent where the initial state can't be chosen. */
  readonly initial?: string;
  make(initial?: Json): SequentialSpecification<unknown>;
}

/** Every specification by its name, in the order in which help shows them. */
export const namedSpecifications: readonly NamedSpecification[] = [
  {
    name: "register",
    summary: "write v, read -> v",
    initial: "any value, usually null",
    make: (initial) => whole(register(initial ?? null)),
  },
  {
    name: "cas-register",
    summary: "write v, read -> v, cas [old, new]",
    initial: "any value, usually null",
    make: (initial) => whole(casRegister(initial ?? null)),
  },
  {
    name: "versioned-register",
    summary: "znodes apart from each other: setData, getData, exists, check, create, delete with versions",
    initial: 'data of version 0, or null for "does not exist"',
    make: (initial) => whole(versionedRegister(versionedInitial(initial))),
  },
  {
    name: "kv",
    summary: "put, append {key, value}, get {key} -> {key, value}",
    make: () => whole(keyValue()),
  },
  {
    name: "set",
    summary: "add v, remove v, contains v -> boolean, read -> all",
    initial: "an array",
    make: (initial) => whole(setOfValues(list(initial, "set"))),
  },
  {
    name: "queue",
    summary: "enqueue v, dequeue -> v or null",
    initial: "an array, first out first",
    make: (initial) => whole(fifoQueue(list(initial, "queue"))),
  },
  {
    name: "stack",
    summary: "push v, pop -> v or null",
    initial: "an array, top last",
    make: (initial) => whole(stack(list(initial, "stack"))),
  },
  {
    name: "priority-queue",
    summary: "insert v, delete-min -> v or null",
    initial: "an array",
    make: (initial) => whole(priorityQueue(list(initial, "priority-queue"))),
  },
  { name: "mutex", summary: "acquire, release", make: () => whole(mutex()) },
  {
    name: "read-write-lock",
    summary: "acquire-read, release-read, acquire-write, release-write; the argument names the owner",
    make: () => whole(readWriteLock()),
  },
  {
    name: "counter",
    summary: "add n, read -> sum",
    initial: "a number",
    make: (initial) => whole(counter(numberOf(initial))),
  },
  {
    name: "append-list",
    summary: "append v, read -> all in order",
    initial: "an array",
    make: (initial) => whole(appendList(list(initial, "append-list"))),
  },
  { name: "unique-ids", summary: "generate -> an id never given before", make: () => whole(uniqueIds()) },
  {
    name: "znodes",
    summary: "a whole tree of ZooKeeper, operations as its clients call them (small trees)",
    make: () => whole(znodes()),
  },
];

/** The specification of that name. Throws InputError for an unknown name or an initial value that does not fit. */
export function specificationNamed(name: string, initial?: Json): SequentialSpecification<unknown> {
  const named = namedSpecifications.find((candidate) => candidate.name === name);
  if (named === undefined) {
    const names = namedSpecifications.map((candidate) => candidate.name).join(", ");
    throw new InputError(`there is no specification "${name}"`, `choose one of: ${names}`);
  }
  if (initial !== undefined && named.initial === undefined) {
    throw new InputError(`${name} has one initial state only`, "leave the initial value out");
  }
  return named.make(initial);
}

function whole<State>(specification: SequentialSpecification<State>): SequentialSpecification<unknown> {
  return specification as SequentialSpecification<unknown>;
}

function list(initial: Json | undefined, name: string): readonly Json[] {
  if (initial === undefined) return [];
  if (Array.isArray(initial)) return initial as readonly Json[];
  throw new InputError(
    `the initial value of a ${name} is ${JSON.stringify(initial)}`,
    "give an array, such as []",
  );
}

function numberOf(initial: Json | undefined): number {
  if (initial === undefined) return 0;
  if (typeof initial === "number") return initial;
  throw new InputError(`the initial value of a counter is ${JSON.stringify(initial)}`, "give a number");
}

function versionedInitial(initial: Json | undefined): Parameters<typeof versionedRegister>[0] {
  if (initial === undefined) return { data: "", version: 0 };
  if (initial === null) return "absent";
  if (typeof initial === "string") return { data: initial, version: 0 };
  throw new InputError(`a znode's initial value is ${JSON.stringify(initial)}`, "give text, or null");
}
