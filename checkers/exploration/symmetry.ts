import type { Model } from "../../model/index.ts";
import type { Permutation } from "./fingerprints.ts";
import { symmetries } from "./naive.ts";

/** The permutations under which a model's states count as one, the identity left out. */
export function symmetriesOf(model: Model<unknown>): readonly Permutation[] {
  return symmetries(model);
}
