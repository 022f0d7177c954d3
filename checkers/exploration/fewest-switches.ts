import type { Model } from "../../model/index.ts";
import { actorOf } from "./counterexample.ts";
import type { Finding } from "./expansion.ts";
import type { Path } from "./paths.ts";
import { Program } from "./program.ts";
import { field } from "./record.ts";
import type { Instance } from "./transitions.ts";
import { makeValueLog } from "./values.ts";
import { Walk } from "./walk.ts";
import type { Row } from "./packing.ts";

/** A way to a state: how many switches of the actor it takes when its last step is this actor's. */
interface Way {
  readonly actor: string | null;
  readonly switches: number;
  readonly instance: number;
  readonly before: Way | undefined;
}

interface Reached {
  readonly row: Row;
  /** The best way for each last actor. */
  readonly ways: Way[];
}

/** Beyond so many states before the last level a path is taken as it was found. */
export const statesMax = 100_000;

/**
 * Among all paths of `length` states to a violation of a property, one with the fewest switches between actors, as a
 * person reads it most easily. It goes through the levels once more, without symmetry, and keeps for each state the
 * best way for each actor that may have come last (Dijkstra's principle on the levels' graph).
 * Undefined where there are too many states, or no such path (as under an unsound symmetry or view).
 */
export function fewestSwitches(
  model: Model<unknown>,
  { kind, property }: Pick<Finding, "kind" | "property">,
  length: number,
): Path | undefined {
  const program = new Program(model, makeValueLog(), { ghosts: new Set(), permutations: [], unpacked: true });
  const search = new Levels(program, kind, property);
  for (let level = 1; level < length && search.size <= statesMax; level++)
    search.expand(level === length - 1);
  return search.size > statesMax ? undefined : search.best();
}

class Levels {
  readonly #program: Program;
  readonly #kind: Finding["kind"];
  readonly #property: string;
  readonly #seen: Set<number> = new Set();
  readonly #actors: (string | null)[] = [];
  #level: Map<number, Reached> = new Map();
  /** Ways of the right length to a violation. */
  readonly #goals: Way[] = [];
  readonly #initial: Map<Way, number> = new Map();

  constructor(program: Program, kind: Finding["kind"], property: string) {
    this.#program = program;
    this.#kind = kind;
    this.#property = property;
    for (const [index, state] of program.model.initial.entries()) {
      const row = program.rowOf(state);
      const way: Way = { actor: null, switches: -1, instance: -1, before: undefined };
      this.#initial.set(way, index);
      const key = this.#key(row);
      if (this.#seen.has(key) || !program.predicates.constraint(program.idsOf(row, 0))) continue;
      this.#seen.add(key);
      this.#level.set(key, { row, ways: [way] });
    }
  }

  get size(): number {
    return this.#seen.size;
  }

  best(): Path | undefined {
    if (this.#kind === "deadlock") this.#goals.push(...this.#deadlocked());
    const [best] = this.#goals.toSorted((a, b) => a.switches - b.switches);
    if (best === undefined) return undefined;
    const instances: Instance[] = [];
    let way: Way = best;
    for (; way.before !== undefined; way = way.before) {
      instances.unshift(this.#program.transitions.instances[way.instance] as Instance);
    }
    return { initial: this.#initial.get(way) as number, instances };
  }

  expand(isLast: boolean): void {
    const { transitions, stride } = this.#program;
    const walk = new Walk(transitions);
    const next = new Map<number, Reached>();
    for (const { row, ways } of this.#level.values()) {
      const enabled = walk.run(row, 0, stride, 1);
      for (let i = 0; i < enabled; i++) {
        const at = walk.effects[i] as number;
        const after = row.slice();
        transitions.effects.replay(at, after, 0);
        const instance = transitions.effects.records[at + field.instance] as number;
        if (isLast && this.#kind !== "deadlock") {
          if (this.#breaks(row, after, at))
            for (const way of ways) this.#goals.push(this.#after(way, instance));
          continue;
        }
        const key = this.#key(after);
        let reached = next.get(key);
        if (reached === undefined) {
          if (this.#seen.has(key) || !this.#program.predicates.constraint(this.#program.idsOf(after, 0)))
            continue;
          this.#seen.add(key);
          reached = { row: after, ways: [] };
          next.set(key, reached);
        }
        for (const way of ways) keepBest(reached.ways, this.#after(way, instance));
      }
    }
    this.#level = next;
  }

  #breaks(row: Row, after: Row, at: number): boolean {
    const { predicates, stepProperties } = this.#program;
    if (this.#kind === "step") return stepProperties.breaks(this.#property, at, row, 0);
    return predicates.breaks(this.#property, this.#program.idsOf(after, 0));
  }

  #deadlocked(): Way[] {
    const walk = new Walk(this.#program.transitions);
    const dead = [...this.#level.values()].filter(
      ({ row }) => walk.run(row, 0, this.#program.stride, 1) === 0,
    );
    return dead.flatMap(({ ways }) => ways);
  }

  #after(before: Way, instance: number): Way {
    const actor = this.#actorOf(instance);
    const switches =
      before.before !== undefined && before.actor === actor ? before.switches : before.switches + 1;
    return { actor, switches, instance, before };
  }

  #actorOf(instance: number): string | null {
    const known = this.#actors[instance];
    if (known !== undefined) return known;
    const { action, parameters } = this.#program.transitions.instances[instance] as Instance;
    return (this.#actors[instance] = actorOf(action, parameters));
  }

  /** 53 bits of the fingerprint. */
  #key(row: Row): number {
    const at = this.#program.packing.words;
    return ((row[at] as number) >>> 0) * 2 ** 21 + ((row[at + 1] as number) >>> 11);
  }
}

function keepBest(ways: Way[], way: Way): void {
  const index = ways.findIndex(({ actor }) => actor === way.actor);
  if (index < 0) ways.push(way);
  else if (way.switches < (ways[index] as Way).switches) ways[index] = way;
}
