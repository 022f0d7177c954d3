import {
  judgeState,
  judgeStep,
  permuteState,
  stateKey,
  successors,
  vacuous,
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
  /** Properties whose premise was true somewhere, and witnesses that were seen. */
  readonly exercised: ReadonlySet<string>;
  /**
   * Every property that is broken in a shortest counterexample, with a path of states that shows the first; undefined
   * when all hold. The level in which it was found is explored to its end.
   */
  readonly violation: NaiveViolation | undefined;
}

export interface NaiveViolation {
  /** The first one that was met. */
  readonly property: string;
  readonly properties: ReadonlySet<string>;
  readonly path: readonly Step<unknown>[];
}

export interface NaiveOptions {
  readonly symmetry?: boolean;
  readonly without?: readonly string[];
  readonly deadlock?: boolean;
  readonly statesMax?: number;
}

/**
 * Explores a model breadth-first in the obvious way: a map of whole states, no fingerprints, symmetry by trying every
 * permutation. The twin that the engine is compared with; for tens of thousands of states.
 */
export function exploreNaively(model: Model<unknown>, options: NaiveOptions = {}): NaiveResult {
  return new Naive(model, options).run();
}

interface Path {
  readonly step: Step<unknown>;
  readonly before: Path | undefined;
}

class Naive {
  readonly #model: Model<unknown>;
  readonly #options: NaiveOptions;
  readonly #permutations: readonly ReadonlyMap<Identity, Identity>[];
  readonly #seen = new Set<string>();
  readonly #perAction = new Map<string, number>();
  readonly #exercised = new Set<string>();
  readonly #broken = new Set<string>();
  #first: { readonly property: string; readonly path: Path } | undefined;
  #generated = 0;
  #depth = 0;

  constructor(model: Model<unknown>, options: NaiveOptions) {
    this.#model = model;
    this.#options = options;
    this.#permutations = options.symmetry === true ? symmetries(model) : [];
  }

  run(): NaiveResult {
    let next: Path[] = [];
    for (const state of this.#model.initial) {
      this.#visit({ step: { action: "Init", parameters: [], state }, before: undefined }, next);
    }
    while (next.length > 0) {
      this.#depth++;
      if (this.#first !== undefined) break;
      const frontier = next;
      next = [];
      for (const path of frontier) this.#expand(path, next);
    }
    const first = this.#first;
    return {
      generated: this.#generated,
      distinct: this.#seen.size,
      depth: this.#depth,
      perAction: this.#perAction,
      exercised: this.#exercised,
      violation:
        first === undefined
          ? undefined
          : { property: first.property, properties: this.#broken, path: unroll(first.path) },
    };
  }

  #expand(path: Path, next: Path[]): void {
    const steps = successors(this.#model, path.step.state);
    if (steps.length === 0 && this.#options.deadlock === true) this.#break("Deadlock", path);
    for (const step of steps) {
      this.#perAction.set(step.action, (this.#perAction.get(step.action) ?? 0) + 1);
      const after = { step, before: path };
      for (const property of this.#model.stepProperties ?? []) {
        const { name } = property;
        const before = path.step.state as Now<unknown>;
        const judgement = judgeStep(property, before, step.state as Now<unknown>, step);
        if (judgement === true) this.#exercised.add(name);
        if (judgement === false) this.#break(name, after);
      }
      this.#visit(after, next);
    }
    if (this.#seen.size > (this.#options.statesMax ?? 1_000_000)) {
      throw new RangeError("too many states for the slow twin");
    }
  }

  #visit(path: Path, into: Path[]): void {
    this.#generated++;
    const state = path.step.state as Now<unknown>;
    const isKept = this.#model.constraint === undefined || this.#model.constraint(state);
    const key = this.#keyOf(state);
    if (this.#seen.has(key)) return;
    this.#check(path);
    if (!isKept) return;
    this.#seen.add(key);
    into.push(path);
  }

  #check(path: Path): void {
    const state = path.step.state as Now<unknown>;
    for (const { name, seen } of this.#model.witnesses ?? []) if (seen(state)) this.#exercised.add(name);
    for (const invariant of this.#model.invariants ?? []) {
      const { name } = invariant;
      const judgement = judgeState(invariant, state);
      if (judgement !== false && judgement !== vacuous) this.#exercised.add(name);
      if (judgement !== false) continue;
      this.#break(name, path);
      return;
    }
  }

  #break(property: string, path: Path): void {
    this.#broken.add(property);
    // A state without successors is found after steps from states as deep as it, and its path is shorter than theirs.
    const first = this.#first;
    if (first === undefined || unroll(path).length < unroll(first.path).length) {
      this.#first = { property, path };
    }
  }

  #keyOf(state: unknown): string {
    let least = stateKey(state, this.#options.without);
    for (const permutation of this.#permutations) {
      const key = stateKey(permuteState(state, permutation), this.#options.without);
      if (key < least) least = key;
    }
    return least;
  }
}

function unroll(last: Path): Step<unknown>[] {
  const steps: Step<unknown>[] = [];
  for (let path: Path | undefined = last; path !== undefined; path = path.before) steps.push(path.step);
  return steps.reverse();
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
