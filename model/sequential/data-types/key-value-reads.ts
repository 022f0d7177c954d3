import type { Call, SequentialSpecification } from "../specification.ts";

/** A call on one string; `text` is what was put, appended or read, undefined for an unanswered read. */
export interface StringCall {
  readonly key: string;
  readonly f: string;
  readonly text: string | undefined;
}

/** A state that is no beginning of any value read: all such states are one, they differ for no read. */
const unread = "!";
const live = (text: string): string => `=${text}`;

/** Decompositions stop being looked for after this many steps; they only make the search faster. */
const stepsMax = 5_000_000;

/**
 * One key's strings as far as the history's reads can tell them apart.
 *
 * A value read tells more than a register's: where it can be composed in one way only, each append in it had exactly
 * one string before it, and once begun the composition must be gone through to its end, for what was overwritten
 * can't come back. Undefined when the calls concern several keys.
 */
export function readsOnly(calls: readonly StringCall[]): SequentialSpecification<unknown> | undefined {
  const key = calls[0]?.key;
  if (calls.some((call) => call.key !== key)) return undefined;
  const reads = [
    ...new Set(calls.flatMap((call) => (call.f === "get" && call.text !== undefined ? [call.text] : []))),
  ].sort();
  const { before, continues } = compositions(calls, reads);
  const stateOf = (text: string): string => (isBeginning(text, reads) ? live(text) : unread);
  const leave = (state: string, next: string, answered: boolean): readonly string[] =>
    continues.has(state) || (next === unread && !answered) ? [] : [next];
  const step = (state: string, call: Call): readonly string[] => {
    const value = call.argument as { readonly value?: string };
    const text = value.value ?? "";
    const answered = call.result !== undefined;
    if (call.f === "get")
      return !answered || state === live((call.result as { readonly value: string }).value) ? [state] : [];
    if (call.f === "put") return leave(state, stateOf(text), answered);
    const place = before.get(text);
    if (place !== undefined) return state === place ? [stateOf(state.slice(1) + text)] : [];
    if (state === unread) return answered ? [unread] : [];
    return leave(state, stateOf(state.slice(1) + text), answered);
  };
  const specification: SequentialSpecification<string> = {
    name: "kv",
    initial: stateOf(""),
    key: (state) => state,
    step,
  };
  return specification as SequentialSpecification<unknown>;
}

/** Whether a value that was read begins with the text; `reads` ascending. */
function isBeginning(text: string, reads: readonly string[]): boolean {
  let low = 0;
  let high = reads.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((reads[middle] as string) < text) low = middle + 1;
    else high = middle;
  }
  return reads[low]?.startsWith(text) ?? false;
}

interface Compositions {
  /** By text of an append: the only state in which it can stand. */
  readonly before: ReadonlyMap<string, string>;
  /** States that only one append leaves. */
  readonly continues: ReadonlySet<string>;
}

function compositions(calls: readonly StringCall[], reads: readonly string[]): Compositions {
  const before = new Map<string, string>();
  const continues = new Set<string>();
  const appends = countByText(calls, "append");
  const puts = countByText(calls, "put");
  if (appends.has("") || puts.has("")) return { before, continues };
  puts.set("", 1);
  let steps = 0;
  for (const read of reads) {
    const places = onlyComposition(read, puts, appends, () => steps++ < stepsMax);
    if (steps >= stepsMax) return { before: new Map(), continues: new Set() };
    for (let i = 0; i + 1 < (places?.length ?? 0); i++) {
      const [from, to] = [places?.[i] as number, places?.[i + 1] as number];
      const state = live(read.slice(0, from));
      before.set(read.slice(from, to), state);
      continues.add(state);
    }
  }
  return { before, continues };
}

function countByText(calls: readonly StringCall[], f: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const call of calls)
    if (call.f === f && call.text !== undefined) counts.set(call.text, (counts.get(call.text) ?? 0) + 1);
  return counts;
}

/** The ends of the put and of each append that make up a value, if there is exactly one way to compose it. */
function onlyComposition(
  read: string,
  puts: ReadonlyMap<string, number>,
  appends: ReadonlyMap<string, number>,
  mayGoOn: () => boolean,
): number[] | undefined {
  const lengthsOf = (texts: Iterable<string>): number[] => [
    ...new Set([...texts].map((text) => text.length)),
  ];
  const appendLengths = lengthsOf(appends.keys());
  /** By end of a composition: its ways to get there, as the place before (-1: a put), one for each operation. */
  const ways = new Map<number, number[]>();
  const places: number[] = [];
  const reach = (from: number, to: number, operations: number): void => {
    const known = ways.get(to);
    if (known === undefined) places.push(to);
    ways.set(to, [...(known ?? []), ...Array<number>(Math.min(operations, 2)).fill(from)]);
  };
  for (const length of lengthsOf(puts.keys())) {
    const count = puts.get(read.slice(0, length));
    if (count !== undefined && length <= read.length) reach(-1, length, count);
  }
  for (let i = 0; i < places.length; i++) {
    const from = places[i] as number;
    for (const length of appendLengths) {
      if (!mayGoOn()) return undefined;
      if (from + length > read.length) continue;
      const count = appends.get(read.slice(from, from + length));
      if (count !== undefined) reach(from, from + length, count);
    }
  }
  const composition: number[] = [];
  for (let at = read.length; at !== -1;) {
    const from = ways.get(at);
    if (from?.length !== 1) return undefined;
    composition.push(at);
    at = from[0] as number;
  }
  return composition.reverse();
}
