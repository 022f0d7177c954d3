import {
  permuteState,
  stateKey,
  successors,
  type Identity,
  type Model,
  type Now,
  type Step,
} from "../../model/index.ts";

/** What the slow twin counts, as TLC counts it. */
export interface NaiveResult {
  /** Initial states and every successor, before constraints. */
  readonly generated: number;
  readonly distinct: number;
  /** States on the longest shortest path; the initial state is level 1. */
  readonly depth: number;
  readonly perAction: ReadonlyMap<string, number>;
  /** The first invariant that failed, with a shortest path of states that shows it; undefined when all hold. */
  readonly violation: { readonly property: string; readonly path: readonly Step<unknown>[] } | undefined;
}

/**
 * Explores a model breadth-first in the obvious way: a map of whole states, no fingerprints, symmetry by trying every
 * permutation. The twin that the engine is compared with; for tens of thousands of states.
 */
export function exploreNaively(
  model: Model<unknown>,
  options: {
    readonly symmetry?: boolean;
    readonly without?: readonly string[];
    readonly statesMax?: number;
  } = {},
): NaiveResult {
  const permutations = options.symmetry === true ? symmetries(model) : [];
  const keyOf = (state: unknown): string => {
    let least = stateKey(state, options.without);
    for (const permutation of permutations) {
      const key = stateKey(permuteState(state, permutation), options.without);
      if (key < least) least = key;
    }
    return least;
  };
  const seen = new Set<string>();
  const perAction = new Map<string, number>();
  let generated = 0;
  let depth = 0;
  let frontier: Path[] = [];
  const visit = (path: Path, into: Path[]): Path | undefined => {
    generated++;
    const key = keyOf(path.step.state);
    if (seen.has(key)) return undefined;
    const broken = failing(model, path.step.state);
    if (broken !== undefined) return path;
    if (model.constraint !== undefined && !model.constraint(path.step.state as Now<unknown>))
      return undefined;
    seen.add(key);
    into.push(path);
    return undefined;
  };
  const result = (broken?: Path): NaiveResult => ({
    generated,
    distinct: seen.size,
    depth,
    perAction,
    violation:
      broken === undefined
        ? undefined
        : { property: failing(model, broken.step.state) as string, path: unroll(broken) },
  });
  let next: Path[] = [];
  for (const state of model.initial) {
    const broken = visit({ step: { action: "Init", parameters: [], state }, before: undefined }, next);
    if (broken !== undefined) return result(broken);
  }
  while (next.length > 0) {
    depth++;
    frontier = next;
    next = [];
    for (const path of frontier) {
      for (const step of successors(model, path.step.state)) {
        perAction.set(step.action, (perAction.get(step.action) ?? 0) + 1);
        const broken = visit({ step, before: path }, next);
        if (broken !== undefined) return result(broken);
      }
      if (seen.size > (options.statesMax ?? 1_000_000))
        throw new RangeError("too many states for the slow twin");
    }
  }
  return result();
}

interface Path {
  readonly step: Step<unknown>;
  readonly before: Path | undefined;
}

function unroll(last: Path): Step<unknown>[] {
  const steps: Step<unknown>[] = [];
  for (let path: Path | undefined = last; path !== undefined; path = path.before) steps.push(path.step);
  return steps.reverse();
}

function failing(model: Model<unknown>, state: unknown): string | undefined {
  return model.invariants?.find((invariant) => invariant.holds(state as Now<unknown>) === false)?.name;
}

/** Every combination of permutations of the symmetric sets, the identity left out. */
export function symmetries(model: Model<unknown>): ReadonlyMap<Identity, Identity>[] {
  let combined: (readonly (readonly [Identity, Identity])[])[] = [[]];
  for (const set of model.identities.filter((each) => each.symmetric)) {
    const images = orders(set.members);
    combined = combined.flatMap((before) =>
      images.map((image) => [
        ...before,
        ...set.members.map((member, i) => [member, image[i] as Identity] as const),
      ]),
    );
  }
  return combined.slice(1).map((entries) => new Map(entries));
}

function orders<T>(members: readonly T[]): T[][] {
  if (members.length === 0) return [[]];
  return members.flatMap((first, i) => orders(members.toSpliced(i, 1)).map((rest) => [first, ...rest]));
}
