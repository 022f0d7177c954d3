import type { Call, Json, SequentialSpecification } from "../../model/light.ts";
import type { TimedOperation } from "./operations.ts";
import { Transitions } from "./transitions.ts";

/**
 * One object's operations, laid out for the search.
 *
 * A *level* is the number of completions passed; level L ends with the completion of `returning[L]`. Each answered
 * operation holds a *slot*, a bit of the configurations, while it is open. Unanswered operations have no slot: equal
 * ones are a class, and a configuration counts how many of each it has used.
 */
export interface Problem<State> {
  readonly operations: readonly TimedOperation[];
  readonly transitions: Transitions<State>;
  readonly levels: number;
  /** Operation that completes at the end of each level. */
  readonly returning: Int32Array;
  /** By operation: class of its call, slot (-1 when unanswered), 1 when it can never change a state. */
  readonly classOf: Int32Array;
  readonly slotOf: Int32Array;
  readonly isReadOnly: Uint8Array;
  /** By class of calls: 1 when possible in every state, 2 when, moreover, nothing of the state before is left. */
  readonly effectOf: Uint8Array;
  /** Answered operations open at level L, earliest completion first: `open[openFrom[L]..openFrom[L+1]]`. */
  readonly open: Int32Array;
  readonly openFrom: Int32Array;
  /** Read-only operations first open at level L. */
  readonly newReads: Int32Array;
  readonly newReadsFrom: Int32Array;
  /** Words of 32 bits that the slots need. */
  readonly words: number;
  /** Unanswered operations by class, in the order in which the classes first appear. */
  readonly unanswered: readonly UnansweredClass[];
}

export interface UnansweredClass {
  readonly call: number;
  readonly operations: readonly number[];
  /** Level from which each of `operations` is available, ascending. */
  readonly levels: readonly number[];
  /** True when any number of them leads to few states, so that a search may begin without counting them. */
  readonly isInexhaustible: boolean;
}

/** A problem, and for each of its operations the index it has among all. */
export interface NumberedProblem {
  readonly problem: Problem<unknown>;
  readonly indexes: Int32Array;
}

/** Lays out operations, which must be in the order of their calls. Unanswered reads tell nothing and are left out. */
export function problemOf<State>(
  all: readonly TimedOperation[],
  specification: SequentialSpecification<State>,
): NumberedProblem {
  const calls = new CallClasses();
  const readOnlyClass: boolean[] = [];
  const operations: TimedOperation[] = [];
  const indexes: number[] = [];
  const classes: number[] = [];
  for (let at = 0; at < all.length; at++) {
    const operation = all[at] as TimedOperation;
    const id = calls.idOf(operation);
    if (id === readOnlyClass.length)
      readOnlyClass.push(specification.readOnly?.(calls.calls[id] as Call) ?? false);
    if (operation.return === Infinity && readOnlyClass[id] === true) continue;
    operations.push(operation);
    indexes.push(at);
    classes.push(id);
  }
  const smaller =
    specification.restrictedTo?.(operations) ?? (specification as SequentialSpecification<unknown>);
  const classOf = Int32Array.from(classes);
  const isReadOnly = Uint8Array.from(classes, (id) => (readOnlyClass[id] === true ? 1 : 0));
  const effects = { none: 0, total: 1, overwrites: 2 };
  const effectOf = Uint8Array.from(calls.calls, (call) => effects[specification.effect?.(call) ?? "none"]);
  const isRegister = specification.dataType === "register" || specification.dataType === "cas-register";
  const layout = layOut(operations, classOf, isReadOnly, (call) => isRegister || effectOf[call] === 2);
  const transitions = new Transitions(smaller, calls.calls);
  return {
    problem: { operations, transitions, classOf, isReadOnly, effectOf, ...layout },
    indexes: Int32Array.from(indexes),
  };
}

type Layout = Omit<Problem<unknown>, "operations" | "transitions" | "classOf" | "isReadOnly" | "effectOf">;

function layOut(
  operations: readonly TimedOperation[],
  classOf: Int32Array,
  isReadOnly: Uint8Array,
  isInexhaustible: (call: number) => boolean,
): Layout {
  const answered: number[] = [];
  for (let at = 0; at < operations.length; at++) if (returnOf(operations, at) !== Infinity) answered.push(at);
  const returning = Int32Array.from(answered).sort(
    (a, b) => returnOf(operations, a) - returnOf(operations, b),
  );
  const levels = returning.length;
  const slotOf = new Int32Array(operations.length).fill(-1);
  const freeSlots: number[] = [];
  let slots = 0;
  const open: number[] = [];
  const openFrom = new Int32Array(levels + 1);
  const newReads: number[] = [];
  const newReadsFrom = new Int32Array(levels + 1);
  const unanswered = new Map<number, UnansweredClass & { operations: number[]; levels: number[] }>();
  let current: number[] = [];
  let called = 0;
  for (let level = 0; level < levels; level++) {
    const end = returnOf(operations, returning[level] as number);
    for (; called < operations.length && (operations[called] as TimedOperation).call < end; called++) {
      if (returnOf(operations, called) === Infinity) {
        const id = classOf[called] as number;
        const known = unanswered.get(id) ?? {
          call: id,
          operations: [],
          levels: [],
          isInexhaustible: isInexhaustible(id),
        };
        unanswered.set(id, known);
        known.operations.push(called);
        known.levels.push(level);
        continue;
      }
      slotOf[called] = freeSlots.pop() ?? slots++;
      insertByReturn(current, called, operations);
      if (isReadOnly[called] === 1) newReads.push(called);
    }
    for (const operation of current) open.push(operation);
    openFrom[level + 1] = open.length;
    newReadsFrom[level + 1] = newReads.length;
    freeSlots.push(slotOf[returning[level] as number] as number);
    current = current.slice(1);
  }
  return {
    levels,
    returning,
    slotOf,
    open: Int32Array.from(open),
    openFrom,
    newReads: Int32Array.from(newReads),
    newReadsFrom,
    words: Math.max(1, (slots + 31) >>> 5),
    unanswered: [...unanswered.values()],
  };
}

const returnOf = (operations: readonly TimedOperation[], at: number): number =>
  (operations[at] as TimedOperation).return;

function insertByReturn(current: number[], operation: number, operations: readonly TimedOperation[]): void {
  const end = returnOf(operations, operation);
  let at = current.length;
  while (at > 0 && returnOf(operations, current[at - 1] as number) > end) at--;
  current.splice(at, 0, operation);
}

/** Numbers calls so that equal calls share a number. */
class CallClasses {
  readonly calls: Call[] = [];
  readonly #ids: Map<string, number> = new Map();

  idOf(call: Call): number {
    const key = `${call.f} ${textOf(call.argument)} ${call.result === undefined ? "?" : textOf(call.result)}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.calls.length;
      this.#ids.set(key, id);
      this.calls.push({ f: call.f, argument: call.argument, result: call.result });
    }
    return id;
  }
}

function textOf(value: Json): string {
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}
