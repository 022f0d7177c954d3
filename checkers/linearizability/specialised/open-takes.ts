import type { TimedOperation } from "../operations.ts";
import type { Decision } from "./algorithm.ts";
import type { Container, Value } from "./values.ts";

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

/** How one kind of container orders its values; undefined where it can't tell. */
export type Arrangement = (
  values: readonly Value[],
) => { readonly order: readonly number[] } | { readonly involved: readonly number[] } | undefined;

/**
 * Decides on a container, some of whose takings may not have been answered. `necessary` are deadlines that hold in
 * every linearization, `others` are tried besides.
 *
 * A violation remains one without the values that nobody was seen taking, or it shows by a necessary deadline that
 * can't be met: whatever was called before it is then a contradiction. Between the two nothing is decided.
 */
export function decideContainer(
  container: Container,
  operations: readonly TimedOperation[],
  arrange: Arrangement,
  necessary: () => Deadlines,
  others: () => readonly Deadlines[],
): Decision | undefined {
  const asSeen = arrange(container.values);
  if (asSeen !== undefined && "order" in asSeen) return { verdict: "holds", ...asSeen };
  if (container.openTakes.length === 0) return asSeen && { verdict: "violated", ...asSeen };
  const taken = arrange(container.values.filter(({ take }) => take !== undefined));
  if (taken !== undefined && "involved" in taken) return { verdict: "violated", ...taken };
  const bounds = necessary();
  const first = assign(container, operations, bounds);
  if ("missed" in first) return { verdict: "violated", involved: calledBefore(first.missed, operations) };
  const found = arrange(first.values);
  if (found !== undefined && "order" in found) return { verdict: "holds", ...found };
  for (const deadlines of others()) {
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
