import { decodeValue, type Counterexample, type ExplorationResult } from "../../checkers/index.ts";
import { greatest, type Measure, type Model, type Now } from "../../model/index.ts";

/** What a model's own words and figures say of an exploration. */
export interface Telling {
  /** Of each step of the counterexample; null where its name and parameters tell. */
  readonly words: readonly (string | null)[];
  readonly measures: readonly Measured[];
  /** The same of any other counterexample. */
  readonly wordsOf: (counterexample: Counterexample) => readonly (string | null)[];
}

export interface Measured {
  readonly name: string;
  readonly most: number;
  /** Of all states that were explored. */
  readonly greatest: number;
}

export function tellingOf(model: Model<unknown>, result: ExplorationResult): Telling {
  const { counterexample, witnesses } = result;
  return {
    words: counterexample === null ? [] : wordsOf(model, counterexample),
    measures: (model.measures ?? []).map((measure) => measured(measure, witnesses)),
    wordsOf: (other) => wordsOf(model, other),
  };
}

function measured(measure: Measure<unknown>, witnesses: ExplorationResult["witnesses"]): Measured {
  const { name, most } = measure;
  return { name, most, greatest: greatest(measure, witnesses) };
}

/** The steps of a counterexample in the words of the model's users. */
export function wordsOf(
  { presentation }: Model<unknown>,
  { initial, steps }: Counterexample,
): readonly (string | null)[] {
  let before = decodeValue(initial) as Now<unknown>;
  return steps.map(({ action, parameters, state }) => {
    const after = decodeValue(state) as Now<unknown>;
    const words = presentation?.step?.(before, after, { action, parameters: parameters.map(decodeValue) });
    before = after;
    return words ?? null;
  });
}
