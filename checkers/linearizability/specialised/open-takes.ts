import type { Json } from "../../../model/light.ts";
import type { TimedOperation } from "../operations.ts";
import type { Decision } from "./algorithm.ts";
import { contentsOf, type Container, type Value } from "./values.ts";

/** When a value that nobody was seen taking must have been taken: before this rank; Infinity if it need not be. */
export type Deadlines = (value: Value) => number;

/** What is made of a history with unanswered takings, or the first deadline that can't be met. */
type Assignment = { readonly values: readonly Value[] } | { readonly missed: number };

/**
 * Gives unanswered takings to values that must have been taken though nobody was seen taking them.
 *
 * An unanswered taking may have happened at any time after its call, or never. So the earliest deadlines get the
 * earliest calls: if any assignment meets all deadlines, this one does (Jackson 1955, earliest due date).
 */
function assign(
  { values, openTakes }: Container,
  operations: readonly TimedOperation[],
  deadlineOf: Deadlines,
): Assignment {
  const needed: { readonly value: Value; readonly deadline: number }[] = [];
  for (const value of values) {
    const deadline = value.take === undefined ? deadlineOf(value) : Infinity;
    if (deadline !== Infinity) needed.push({ value, deadline });
  }
  needed.sort((x, y) => x.deadline - y.deadline || x.value.a - y.value.a);
  const assigned = new Map<Value, Value>();
  for (const [i, { value, deadline }] of needed.entries()) {
    const take = openTakes[i];
    const call = take === undefined ? Infinity : (operations[take] as TimedOperation).call;
    if (call >= deadline) return { missed: deadline };
    assigned.set(value, { ...value, take, c: Math.max(call, value.a), d: Infinity });
  }
  return { values: values.map((value) => assigned.get(value) ?? value) };
}

/** An order of the values' operations, or operations that leave none; undefined where it can't be told. */
export type Arranged =
  { readonly order: readonly number[] } | { readonly involved: readonly number[] } | undefined;

/** What tells one kind of container from another. */
export interface ContainerKind {
  readonly put: string;
  readonly take: string;
  /** Whether its takings can be told of; they can where absent. */
  canTell?(container: Container): boolean;
  arrange(
    values: readonly Value[],
    empties: readonly number[],
    operations: readonly TimedOperation[],
  ): Arranged;
  /** Deadlines that hold in every linearization; where `isLoose`, some that are met in many. */
  deadlines(container: Container, operations: readonly TimedOperation[], isLoose: boolean): Deadlines;
  /** What is tried where the necessary deadlines lead to no order; the loose ones where absent. */
  others?(loose: Deadlines, necessary: Deadlines): readonly Deadlines[];
}

/**
 * Decides on a container, some of whose takings may not have been answered; undefined where it can't tell.
 *
 * A violation remains one without the values that nobody was seen taking, or it shows by a necessary deadline that
 * can't be met: whatever was called before it is then a contradiction. Between the two nothing is decided.
 */
export function decideContainer(
  kind: ContainerKind,
  operations: readonly TimedOperation[],
  initial: Json,
): Decision | undefined {
  if ((initial as readonly Json[]).length > 0) return undefined;
  const container = contentsOf(operations, kind.put, kind.take);
  if (container === undefined) return undefined;
  if ("involved" in container) return { verdict: "violated", involved: container.involved };
  if (kind.canTell?.(container) === false) return undefined;
  const arrange = (values: readonly Value[]): Arranged => kind.arrange(values, container.empties, operations);
  const asSeen = arrange(container.values);
  if (asSeen !== undefined && "order" in asSeen) return { verdict: "holds", ...asSeen };
  if (container.openTakes.length === 0) return asSeen && { verdict: "violated", ...asSeen };
  const taken = arrange(container.values.filter(({ take }) => take !== undefined));
  if (taken !== undefined && "involved" in taken) return { verdict: "violated", ...taken };
  const necessary = kind.deadlines(container, operations, false);
  const first = assign(container, operations, necessary);
  if ("missed" in first) return { verdict: "violated", involved: calledBefore(first.missed, operations) };
  const found = arrange(first.values);
  if (found !== undefined && "order" in found) return { verdict: "holds", ...found };
  const loose = kind.deadlines(container, operations, true);
  for (const deadlines of kind.others?.(loose, necessary) ?? [loose]) {
    const assignment = assign(container, operations, deadlines);
    const other = "values" in assignment ? arrange(assignment.values) : undefined;
    if (other !== undefined && "order" in other) return { verdict: "holds", ...other };
  }
  return undefined;
}

function calledBefore(rank: number, operations: readonly TimedOperation[]): number[] {
  return [...operations.keys()].filter((at) => (operations[at] as TimedOperation).call < rank);
}

/** Ranks with a number each: the least number from some rank on (a Fenwick tree; Fenwick, SP&E 24(3), 1994). */
export class LeastFrom {
  readonly #least: Float64Array;

  /** For ranks below `end`. */
  constructor(end: number) {
    this.#least = new Float64Array(end + 1).fill(Infinity);
  }

  add(rank: number, number: number): void {
    for (let at = this.#least.length - 1 - rank; at < this.#least.length; at += at & -at)
      this.#least[at] = Math.min(this.#least[at] as number, number);
  }

  /** The least number of a rank that is not below this one. */
  least(rank: number): number {
    let least = Infinity;
    for (let at = this.#least.length - 1 - rank; at > 0; at -= at & -at)
      least = Math.min(least, this.#least[at] as number);
    return least;
  }
}

/** A rank after all that the operations have. */
export function endOf(operations: readonly TimedOperation[]): number {
  let end = 1;
  for (const { call, return: returned } of operations)
    end = Math.max(end, call + 2, returned === Infinity ? 0 : returned + 2);
  return end;
}

/**
 * Where a container was found empty no value that was in it before can be left. `isLoose` counts those, too, that came
 * in while that operation was open.
 */
export function emptinessDeadlines(
  empties: readonly number[],
  operations: readonly TimedOperation[],
  isLoose: boolean,
): Deadlines {
  const least = new LeastFrom(endOf(operations));
  for (const empty of empties) {
    const { call, return: returned } = operations[empty] as TimedOperation;
    least.add(isLoose ? returned : call, returned);
  }
  return ({ b }) => (b === Infinity ? Infinity : least.least(b + 1));
}
