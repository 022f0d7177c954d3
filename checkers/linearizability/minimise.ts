import type { TimedOperation } from "./operations.ts";
import type { Oracle } from "./oracle.ts";

export interface Minimised {
  /** Indexes of the operations that are needed for the failure, ascending. */
  readonly kept: readonly number[];
  /** False when the time ran out before none could be spared. */
  readonly isMinimal: boolean;
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
  const answered = [...operations.keys()].filter(
    (at) => at !== earliest && operations[at]?.return !== Infinity,
  );
  const fails = (kept: readonly number[]): boolean =>
    oracle.fails(harmlessBut(operations, [earliest, ...kept], oracle));
  const ascending = (kept: readonly number[]): number[] => [...kept, earliest].sort((a, b) => a - b);
  const window = failingWindow(
    answered,
    involved.filter((at) => at !== earliest),
    fails,
    oracle,
  );
  if (window === undefined)
    return {
      kept: ascending(involved.length > 0 ? involved.filter((at) => at !== earliest) : answered),
      isMinimal: false,
    };
  const kept = fails([]) ? [] : quickXplain([], false, window, fails);
  return { kept: ascending(kept), isMinimal: !oracle.isOutOfTime };
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
