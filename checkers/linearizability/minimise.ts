import type { TimedOperation } from "./operations.ts";
import type { Oracle } from "./oracle.ts";

export interface Minimised {
  /** Indexes of the operations that are needed for the failure, ascending. */
  readonly kept: readonly number[];
  /** False when the time ran out before none could be spared. */
  readonly isMinimal: boolean;
  /** States from each of which they fail: the initial one, and all in which the object can be before they begin. */
  readonly from: readonly unknown[];
  /** What had returned by then is left out: it has led to one of `from`. -1 where nothing is. */
  readonly cut: number;
}

/**
 * Reduces operations that fail to some that still do (QuickXplain: Junker, AAAI 2004). What is not kept is not
 * forgotten but made harmless: a read goes, anything else may have happened at any time after its call, with any
 * answer, or never. So whatever still fails makes the whole fail, and fails by itself, too.
 *
 * `earliest` is kept always; `involved` are operations among which the failure is likely to lie, may be empty.
 */
export function minimise<State>(
  operations: readonly TimedOperation[],
  earliest: number,
  involved: readonly number[],
  oracle: Oracle<State>,
): Minimised {
  const recent = minimiseRecent(operations, earliest, oracle);
  if (recent !== undefined) return recent;
  const answered = [...operations.keys()].filter((at) => at !== earliest && isAnswered(operations, at));
  const fails = (kept: readonly number[]): boolean =>
    oracle.fails(harmlessBut(operations, [earliest, ...kept], oracle)) ?? false;
  const others = involved.filter((at) => at !== earliest);
  const window = failingWindow(answered, others, fails, oracle);
  const from = [oracle.specification.initial];
  if (window === undefined)
    return {
      kept: withEarliest(involved.length > 0 ? others : answered, earliest),
      isMinimal: false,
      from,
      cut: -1,
    };
  const kept = fails([]) ? [] : quickXplain([], false, window, fails);
  return { kept: withEarliest(kept, earliest), isMinimal: !oracle.isOutOfTime, from, cut: -1 };
}

/** Also one that was answered later than the completion in question: its answer tells what it was then. */
function isAnswered(operations: readonly TimedOperation[], at: number): boolean {
  return operations[at]?.result !== undefined;
}

function withEarliest(kept: readonly number[], earliest: number): number[] {
  return [...kept, earliest].sort((a, b) => a - b);
}

const statesMax = 16;

/**
 * Minimises among the last operations only: what had completed before some moment is replaced by the states in which
 * the object can be then. Undefined when these are not known, or too many.
 */
function minimiseRecent<State>(
  operations: readonly TimedOperation[],
  earliest: number,
  oracle: Oracle<State>,
): Minimised | undefined {
  const statesByLevel = oracle.statesByLevel(operations);
  if (statesByLevel === undefined) return undefined;
  const { specification } = oracle;
  const ends = operations.map((operation) => operation.return).filter((end) => end !== Infinity);
  ends.sort((a, b) => a - b);
  for (let span = 1; ; span *= 2) {
    const level = Math.max(0, ends.length - 1 - span);
    const cut = level === 0 ? -1 : (ends[level - 1] as number);
    const byKey = new Map([[specification.key(specification.initial), specification.initial]]);
    if (level > 0)
      for (const state of statesByLevel.get(level) ?? []) byKey.set(specification.key(state), state);
    const from = [...byKey.values()];
    const recent = [...operations.keys()].filter((at) => (operations[at] as TimedOperation).return > cut);
    const strict = recent.filter(
      (at) => at !== earliest && (operations[at] as TimedOperation).call > cut && isAnswered(operations, at),
    );
    const fails = (kept: readonly number[]): boolean => {
      const part = recent.map((at) => operations[at] as TimedOperation);
      const keeps = [earliest, ...kept].map((at) => recent.indexOf(at));
      return oracle.failsFromAll(harmlessBut(part, keeps, oracle), from) ?? false;
    };
    if (from.length <= statesMax && (operations[earliest] as TimedOperation).call > cut && fails(strict)) {
      const kept = fails([]) ? [] : quickXplain([], false, strict, fails);
      return { kept: withEarliest(kept, earliest), isMinimal: !oracle.isOutOfTime, from, cut };
    }
    if (level === 0 || oracle.isOutOfTime) return undefined;
  }
}

/** The last few operations that suffice, in doubling steps: what breaks a history usually lies near. */
function failingWindow(
  answered: readonly number[],
  involved: readonly number[],
  fails: (kept: readonly number[]) => boolean,
  oracle: Oracle<unknown>,
): readonly number[] | undefined {
  if (involved.length > 0 && fails(involved)) return involved;
  for (let size = 8; !oracle.isOutOfTime; size *= 4) {
    const window = answered.slice(-size);
    if (fails(window)) return window;
    if (size >= answered.length) return undefined;
  }
  return undefined;
}

function quickXplain(
  background: readonly number[],
  backgroundGrew: boolean,
  candidates: readonly number[],
  fails: (kept: readonly number[]) => boolean,
): readonly number[] {
  if (backgroundGrew && fails(background)) return [];
  if (candidates.length <= 1) return candidates;
  const middle = candidates.length >>> 1;
  const [older, newer] = [candidates.slice(0, middle), candidates.slice(middle)];
  const fromOlder = quickXplain([...background, ...newer], true, older, fails);
  const fromNewer = quickXplain([...background, ...fromOlder], fromOlder.length > 0, newer, fails);
  return [...fromOlder, ...fromNewer];
}

function harmlessBut<State>(
  operations: readonly TimedOperation[],
  kept: readonly number[],
  oracle: Oracle<State>,
): TimedOperation[] {
  const keeps = new Set(kept);
  const result: TimedOperation[] = [];
  operations.forEach((operation, at) => {
    if (keeps.has(at)) result.push(operation);
    else if (oracle.specification.readOnly?.(operation) !== true)
      result.push({ ...operation, return: Infinity, result: undefined });
  });
  return result;
}
