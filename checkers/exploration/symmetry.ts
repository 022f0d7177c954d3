import {
  judgeState,
  ModelError,
  nameOf,
  permuteState,
  stateKey,
  successors,
  type Model,
  type Now,
} from "../../model/index.ts";
import type { Permutation } from "./fingerprints.ts";
import { symmetries } from "./naive.ts";

/** The permutations under which a model's states count as one, the identity left out. */
export function symmetriesOf(model: Model<unknown>): readonly Permutation[] {
  return symmetries(model);
}

/** A model that declares identities symmetric and tells them apart. */
export class SymmetryError extends ModelError {
  override readonly name: string = "SymmetryError";
}

/**
 * Checks on one state that permuting identities permutes its successors and changes no property.
 * Throws SymmetryError that names what tells them apart.
 */
export function checkSymmetry(model: Model<unknown>, state: unknown, permutation: Permutation): void {
  const image = permuteState(state, permutation);
  const told = whatDiffers(model, state, image, permutation);
  if (told === undefined) return;
  const moved = [...permutation].filter(([from, to]) => from !== to);
  const renaming = moved.map(([from, to]) => `${nameOf(from)} for ${nameOf(to)}`).join(", ");
  throw new SymmetryError(
    `declares identities symmetric and tells them apart: with ${renaming} exchanged, ${told}`,
  );
}

function whatDiffers(
  model: Model<unknown>,
  state: unknown,
  image: unknown,
  permutation: Permutation,
): string | undefined {
  for (const invariant of model.invariants ?? []) {
    const said = judgeState(invariant, state as Now<unknown>);
    if (said !== judgeState(invariant, image as Now<unknown>)) return `${invariant.name} says otherwise`;
  }
  for (const { name, seen } of model.witnesses ?? []) {
    if (seen(state as Now<unknown>) !== seen(image as Now<unknown>)) return `${name} says otherwise`;
  }
  const ofState = byAction(model, state, permutation);
  const ofImage = byAction(model, image, undefined);
  for (const { name } of model.actions) {
    const [expected, found] = [ofState.get(name) ?? [], ofImage.get(name) ?? []];
    if (expected.length !== found.length) {
      return `${name} has ${found.length} successors in place of ${expected.length}`;
    }
    if (expected.some((key, index) => key !== found[index])) return `${name} leads elsewhere`;
  }
  return undefined;
}

/** The successors' keys by action, sorted. */
function byAction(
  model: Model<unknown>,
  state: unknown,
  permutation: Permutation | undefined,
): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>();
  for (const { action, state: after } of successors(model, state)) {
    const key = stateKey(permutation === undefined ? after : permuteState(after, permutation));
    const group = keys.get(action);
    if (group === undefined) keys.set(action, [key]);
    else group.push(key);
  }
  for (const group of keys.values()) group.sort();
  return keys;
}
