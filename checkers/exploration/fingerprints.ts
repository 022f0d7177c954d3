import { canonical, permute, type Identity, type Value } from "../../model/index.ts";
import { hashInPlace, hashText, type Hash } from "./hash.ts";
import { componentName, type Layout } from "./layout.ts";
import type { Ids, Row } from "./packing.ts";

/** A renaming of identities. */
export type Permutation = ReadonlyMap<Identity, Identity>;

/** Ids that have room at first: so few that every model outgrows it, small ones of tests, too. */
const firstRoom = 2;

const identical: Permutation = new Map();

/**
 * The parts of a state's fingerprints: a state's fingerprint is the exclusive or of the hashes of its components'
 * values, each hashed together with its place (Zobrist 1970), so that a step changes it by what it writes alone.
 *
 * With symmetry there is one fingerprint for each permutation, that of the permuted state; the least of them stands
 * for the whole orbit, and all of them change incrementally.
 */
export class Fingerprints {
  readonly permutations: readonly Permutation[];
  /** Ints that a state's fingerprints take: two for each permutation. */
  readonly width: number;
  /** For each component and id the halves [lo, hi] for each permutation: `hashes[hashAt[component] + id * width + 2 * p]`. */
  hashes: Int32Array;
  readonly hashAt: Int32Array;
  /** For each component: how many ids have room. */
  readonly #room: Int32Array;
  readonly #layout: Layout;
  /** `#places[p][component]`: the hash of the place to which the permutation moves the component. */
  readonly #places: readonly (readonly Hash[])[];
  readonly #componentsOf: readonly (readonly number[])[];

  constructor(layout: Layout, permutations: readonly Permutation[] = []) {
    this.#layout = layout;
    this.permutations = [identical, ...permutations];
    this.width = 2 * this.permutations.length;
    const components = layout.components.length;
    this.#room = new Int32Array(components).fill(firstRoom);
    this.hashAt = Int32Array.from(
      { length: components },
      (_, component) => component * firstRoom * this.width,
    );
    this.hashes = new Int32Array(components * firstRoom * this.width);
    this.#places = this.permutations.map((permutation) =>
      layout.components.map(({ variable, path }) => {
        const moved = path.map((identity) => permutation.get(identity) ?? identity);
        return hashText(componentName(variable.name, moved));
      }),
    );
    this.#componentsOf = layout.variables.map((variable) =>
      layout.components.filter((component) => component.variable === variable).map(({ index }) => index),
    );
  }

  /** Learns the hashes of a variable's new value. Ghosts hash to nothing. */
  add(variable: number, id: number, value: Value): void {
    const ghost = this.#layout.variables[variable]?.ghost !== false;
    const components = this.#componentsOf[variable] ?? [];
    if (components.some((component) => id >= (this.#room[component] as number))) this.#widen(components);
    if (ghost) return;
    for (const [p, permutation] of this.permutations.entries()) {
      const hash = hashText(canonical(p === 0 ? value : permute(value, permutation)));
      for (const component of components) {
        const { lo, hi } = hashInPlace(this.#places[p]?.[component] as Hash, hash);
        const at = (this.hashAt[component] as number) + id * this.width + 2 * p;
        this.hashes[at] = lo;
        this.hashes[at + 1] = hi;
      }
    }
  }

  /** Doubles the room of these components' hashes; they move. */
  #widen(components: readonly number[]): void {
    const before = this.hashes;
    const moved = new Set(components);
    const room = this.#room.map((ids, component) => (moved.has(component) ? 2 * ids : ids));
    const length = room.reduce((sum, ids) => sum + ids * this.width, 0);
    this.hashes = new Int32Array(length);
    let at = 0;
    for (let component = 0; component < room.length; component++) {
      const from = this.hashAt[component] as number;
      this.hashes.set(before.subarray(from, from + (this.#room[component] as number) * this.width), at);
      this.hashAt[component] = at;
      at += (room[component] as number) * this.width;
    }
    this.#room.set(room);
  }

  /** Writes the fingerprints of a state behind its packed ids. */
  write(ids: Ids, row: Row, at: number): void {
    row.fill(0, at, at + this.width);
    for (let component = 0; component < this.hashAt.length; component++) {
      const from = (this.hashAt[component] as number) + (ids[component] as number) * this.width;
      for (let i = 0; i < this.width; i++)
        row[at + i] = (row[at + i] as number) ^ (this.hashes[from + i] as number);
    }
  }
}

/**
 * The least of a row's fingerprints, which stands for its orbit. `prints`: where they begin. Halves of 0 become 1.
 *
 * The high half decides: the low one tells where the fingerprint lies in the table, and must stay evenly spread.
 */
export function leastFingerprint(row: Row, prints: number, width: number): Hash {
  let lo = row[prints] as number;
  let hi = row[prints + 1] as number;
  for (let p = 2; p < width; p += 2) {
    const otherLo = row[prints + p] as number;
    const otherHi = row[prints + p + 1] as number;
    if (otherHi < hi || (otherHi === hi && otherLo < lo)) [lo, hi] = [otherLo, otherHi];
  }
  return { lo: lo === 0 ? 1 : lo, hi: hi === 0 ? 1 : hi };
}
