import { successors, type Model } from "../../model/index.ts";
import { symmetries } from "../exploration/naive.ts";
import { randomFrom } from "../exploration/random.ts";
import { checkSymmetry } from "../exploration/symmetry.ts";

const walks = 6;
const stepsMax = 40;

/**
 * Exchanges identities in states on random ways through a model, and compares what follows; returns how many states.
 * Throws SymmetryError where the model tells them apart.
 */
export function exchangeIdentities(model: Model<unknown>): number {
  const permutations = symmetries(model);
  let checked = 0;
  const random = randomFrom(1);
  for (let walk = 0; walk < walks; walk++) {
    let state: unknown = model.initial[random() % model.initial.length];
    for (let step = 0; step < stepsMax; step++) {
      const permutation = permutations[random() % permutations.length];
      if (permutation === undefined) return checked;
      checkSymmetry(model, state, permutation);
      checked++;
      const next = successors(model, state);
      if (next.length === 0) break;
      state = next[random() % next.length]?.state;
    }
  }
  return checked;
}
