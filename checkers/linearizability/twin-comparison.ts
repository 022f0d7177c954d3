import type { Call, Event, Json, SequentialSpecification } from "../../model/light.ts";
import {
  casRegister,
  counter,
  keyValue,
  mutex,
  priorityQueue,
  fifoQueue,
  setOfValues,
  stack,
} from "../../model/light.ts";
import { linearizable } from "./linearizable.ts";
import { operationsOf } from "./operations.ts";
import {
  drawFrom,
  randomHistory,
  randomTypes,
  simulatedHistory,
  simulatedTypes,
} from "./random-histories.ts";
import { isLinearizableSlowly } from "./slow-twin.ts";

/** `put v`; `take` hides which equal or unequal element it removes when its answer is not known or says only `true`. */
const bag: SequentialSpecification<readonly number[]> = {
  name: "bag",
  initial: [],
  key: (state) => state.join(),
  step: (state, call: Call) => {
    if (call.f === "put") return [[...state, call.argument as number].sort()];
    if (call.result === 0)
      return state.length === 0 ? [] : state.map((_, i) => state.filter((__, j) => j !== i));
    if (call.result === undefined) return [state, ...state.map((_, i) => state.filter((__, j) => j !== i))];
    if (call.result === null) return state.length === 0 ? [state] : [];
    return state.includes(1) ? [state.filter((_, i) => i !== state.indexOf(1))] : [];
  },
};

export const specifications: { readonly [name: string]: SequentialSpecification<never> } = {
  "cas-register": casRegister(),
  kv: keyValue(),
  set: setOfValues(),
  queue: fifoQueue(),
  stack: stack(),
  "priority-queue": priorityQueue(),
  mutex: mutex(),
  counter: counter(),
  bag,
} as { readonly [name: string]: unknown } as { readonly [name: string]: SequentialSpecification<never> };

export interface Comparison {
  readonly histories: number;
  readonly violated: number;
  /** The histories on which the twins disagree, with what the fast one said. */
  readonly mismatches: readonly {
    readonly type: string;
    readonly seed: number;
    readonly said: string;
    readonly events: readonly Event[];
  }[];
}

/** Compares the check with its slow twin on random histories of up to `operationsMax` operations. */
export function compareWithSlowTwin(
  histories: number,
  operationsMax: number,
  algorithm: "auto" | "search",
  firstSeed: number = 1,
): Comparison {
  const names = Object.keys(specifications);
  const mismatches: Comparison["mismatches"][number][] = [];
  let violated = 0;
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    const draw = drawFrom(seed);
    const type = names[seed % names.length] as string;
    const shape = {
      processes: 1 + draw(4),
      operations: 1 + draw(operationsMax),
      unanswered: draw(3) * 15,
      failed: draw(2) * 10,
    };
    const events = randomHistory(randomTypes[type] as (typeof randomTypes)[string], shape, draw);
    const specification = specifications[type] as SequentialSpecification<Json>;
    const expected = isLinearizableSlowly(operationsOf(events), specification) ? "holds" : "violated";
    const said = linearizable(events, specification, { algorithm }).verdict;
    if (said === "violated") violated++;
    if (said !== expected) mismatches.push({ type, seed, said, events });
  }
  return { histories, violated, mismatches };
}

/** Compares the specialised algorithms with the slow twin; counts, by type, the histories that they decided themselves. */
export function compareSpecialised(
  histories: number,
  operationsMax: number,
  firstSeed: number = 1,
): Comparison & { readonly decided: { readonly [type: string]: number } } {
  const names = Object.keys(simulatedTypes);
  const mismatches: Comparison["mismatches"][number][] = [];
  const decided: { [type: string]: number } = {};
  let violated = 0;
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    const draw = drawFrom(seed);
    const type = names[seed % names.length] as string;
    const { specification } = simulatedTypes[type] as (typeof simulatedTypes)[string];
    const shape = {
      processes: 1 + draw(5),
      operations: 1 + draw(operationsMax),
      unanswered: draw(3) * 10,
      failed: 0,
    };
    const events = simulatedHistory(
      simulatedTypes[type] as (typeof simulatedTypes)[string],
      shape,
      draw(5),
      draw,
    );
    const expected = isLinearizableSlowly(operationsOf(events), specification) ? "holds" : "violated";
    const verdict = linearizable(events, specification);
    if (verdict.verdict === "violated") violated++;
    if (verdict.objects.every(({ algorithm }) => algorithm !== "search"))
      decided[type] = (decided[type] ?? 0) + 1;
    if (verdict.verdict !== expected)
      mismatches.push({
        type,
        seed,
        said: `${verdict.verdict} (${verdict.objects.map((o) => o.algorithm).join()})`,
        events,
      });
  }
  return { histories, violated, mismatches, decided };
}
