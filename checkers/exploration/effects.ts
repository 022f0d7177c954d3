import type { Change } from "./evaluation.ts";
import type { Fingerprints } from "./fingerprints.ts";
import { Updates, type Values } from "./updates.ts";
import { field, shapeBits, shapeMask, updateInts, writeInts } from "./record.ts";
import { PackingOutgrown, type Packing, type Row } from "./packing.ts";

/** What one evaluation of an action read and wrote: components and ids. */
export interface Evaluated {
  readonly instance: number;
  readonly reads: readonly number[];
  readonly readIds: readonly number[];
  readonly writes: readonly number[];
  readonly writeIds: readonly number[];
  /** Components that become a function of what they are, and these functions. */
  readonly updated: readonly number[];
  readonly changes: readonly Change[];
}

/**
 * Every effect that was ever evaluated, each twice: as the components and ids that it read and wrote, which stand for
 * good, and as a record by which it is replayed on packed rows, which is written anew when the packing changes.
 */
export class Effects {
  /** See `field`. */
  records: Int32Array = new Int32Array(1 << 14);
  /** For each effect by number: where its record begins. */
  readonly #recordAt: number[] = [];
  readonly #factAt: number[] = [];
  readonly #changedSetOf: number[] = [];
  /** The different sets of components that effects change, in ascending order each. */
  readonly changedSets: (readonly number[])[] = [];
  readonly #setNumbers: Map<string, number> = new Map();
  /** What components become that effects update. */
  readonly updates: Updates;
  /** [instance, reads, writes, updates, (component, id) of each read and of each write, (component, number) of each update]. */
  #facts: Int32Array = new Int32Array(1 << 14);
  #factsUsed = 0;
  /** Record 0 is no record, so that 0 can say "none". */
  #recordsUsed = 2;
  readonly #fingerprints: Fingerprints;
  #packing: Packing;

  /** `valueOf` and `idOf` translate between a component's ids and its values. */
  constructor(fingerprints: Fingerprints, packing: Packing, values: Values) {
    this.#fingerprints = fingerprints;
    this.#packing = packing;
    this.updates = new Updates(fingerprints, values);
  }

  get count(): number {
    return this.#factAt.length;
  }

  get bytes(): number {
    return this.records.byteLength + this.#facts.byteLength + 16 * this.count + this.updates.bytes;
  }

  recordOf(effect: number): number {
    return this.#recordAt[effect] as number;
  }

  /** Throws PackingOutgrown where an id does not fit into its field; nothing is added then. */
  add(evaluated: Evaluated): number {
    const { instance, reads, readIds, writes, writeIds, updated, changes } = evaluated;
    for (const [i, component] of writes.entries()) {
      if (!this.#packing.fits(component, writeIds[i] as number)) throw new PackingOutgrown();
    }
    const at = this.#factsUsed;
    this.#factsUsed += factInts + 2 * (reads.length + writes.length + updated.length);
    this.#facts = withRoom(this.#facts, this.#factsUsed);
    const facts = this.#facts;
    let to = at;
    for (const number of [instance, reads.length, writes.length, updated.length]) facts[to++] = number;
    for (const [i, component] of reads.entries()) {
      facts[to++] = component;
      facts[to++] = readIds[i] as number;
    }
    for (const [i, component] of writes.entries()) {
      facts[to++] = component;
      facts[to++] = writeIds[i] as number;
    }
    for (const [i, component] of updated.entries()) {
      facts[to++] = component;
      facts[to++] = this.updates.number(component, changes[i] as Change);
    }
    this.#changedSetOf.push(this.#numberOfSet([...writes, ...updated]));
    const effect = this.#factAt.push(at) - 1;
    this.#recordAt.push(this.#encode(effect));
    return effect;
  }

  #numberOfSet(components: number[]): number {
    const key = components.sort((a, b) => a - b).join();
    const known = this.#setNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.changedSets.push(components) - 1;
    this.#setNumbers.set(key, number);
    return number;
  }

  /** Calls `visit` with each component that an effect read, and the id that it had. */
  forEachRead(effect: number, visit: (component: number, id: number) => void): void {
    this.#forEach(effect, 0, visit);
  }

  /** Calls `visit` with each component that an effect writes, and its new id. */
  forEachWrite(effect: number, visit: (component: number, id: number) => void): void {
    this.#forEach(effect, 1, visit);
  }

  /** Calls `visit` with each component that an effect updates, and the number of the update. */
  forEachUpdate(effect: number, visit: (component: number, update: number) => void): void {
    this.#forEach(effect, 2, visit);
  }

  /** The number of the set of components that an effect writes or updates, in `changedSets`. */
  changedSet(effect: number): number {
    return this.#changedSetOf[effect] as number;
  }

  /** The id of a component after an effect, by what it was before. */
  idAfter(effect: number, component: number, before: number): number {
    let after = before;
    this.forEachWrite(effect, (written, id) => {
      if (written === component) after = id;
    });
    this.forEachUpdate(effect, (updated, update) => {
      if (updated === component) after = this.updates.idAfter(update, before);
    });
    return after;
  }

  #forEach(effect: number, kind: 0 | 1 | 2, visit: (component: number, number: number) => void): void {
    const facts = this.#facts;
    const at = this.#factAt[effect] as number;
    let first = at + factInts;
    for (let before = 0; before < kind; before++) first += 2 * (facts[at + 1 + before] as number);
    const end = first + 2 * (facts[at + 1 + kind] as number);
    for (let i = first; i < end; i += 2) visit(facts[i] as number, facts[i + 1] as number);
  }

  /** Writes all records anew. */
  repack(packing: Packing): void {
    this.#packing = packing;
    this.#recordsUsed = 2;
    for (let effect = 0; effect < this.count; effect++) this.#recordAt[effect] = this.#encode(effect);
  }

  #encode(effect: number): number {
    const { hashes, hashAt, width } = this.#fingerprints;
    const packing = this.#packing;
    const old = new Map<number, number>();
    this.forEachRead(effect, (component, id) => old.set(component, id));
    const change = new Int32Array(width);
    const flip = (component: number, id: number): void => {
      const at = (hashAt[component] as number) + id * width;
      for (let i = 0; i < width; i++) change[i] = (change[i] as number) ^ (hashes[at + i] as number);
    };
    const unread: number[] = [];
    const words = new Map<number, [keep: number, bits: number]>();
    this.forEachWrite(effect, (component, id) => {
      const before = old.get(component);
      if (before === undefined) unread.push(component);
      else flip(component, before);
      flip(component, id);
      const word = packing.word[component] as number;
      const [keep, bits] = words.get(word) ?? [-1, 0];
      words.set(word, [
        keep & ~packing.fieldMask(component),
        bits | (id << (packing.shift[component] as number)),
      ]);
    });
    const updates: number[] = [];
    this.forEachUpdate(effect, (component, update) => updates.push(component, update));
    const at = this.#recordsUsed;
    this.#recordsUsed += field.change + width + writeInts * words.size + unread.length + updates.length;
    this.records = withRoom(this.records, this.#recordsUsed);
    const { records } = this;
    records[at + field.instance] = this.#facts[this.#factAt[effect] as number] as number;
    records[at + field.effect] = effect;
    records[at + field.predicates] = records[at + field.steps] = 0;
    records[at + field.shape] =
      words.size | (unread.length << shapeBits) | ((updates.length / updateInts) << (2 * shapeBits));
    records.set(change, at + field.change);
    let to = at + field.change + width;
    for (const [word, [keep, bits]] of words) {
      records[to++] = word;
      records[to++] = keep;
      records[to++] = bits;
    }
    for (const component of unread) records[to++] = component;
    for (const number of updates) records[to++] = number;
    return at;
  }

  /** Replays an effect on a row in place, with its fingerprints. */
  replay(at: number, row: Row, offset: number): void {
    const { records } = this;
    const fingerprints = this.#fingerprints;
    const { width } = fingerprints;
    const packing = this.#packing;
    const shape = records[at + field.shape] as number;
    const firstWrite = at + field.change + width;
    const firstUnread = firstWrite + writeInts * (shape & shapeMask);
    const firstUpdate = firstUnread + ((shape >>> shapeBits) & shapeMask);
    const end = firstUpdate + updateInts * (shape >>> (2 * shapeBits));
    const prints = offset + packing.words;
    for (let i = 0; i < width; i++)
      row[prints + i] = (row[prints + i] as number) ^ (records[at + field.change + i] as number);
    const flip = (component: number, id: number): void => {
      // Read at each time: an update that is learnt here may have moved them.
      const { hashes, hashAt } = fingerprints;
      const from = (hashAt[component] as number) + id * width;
      for (let i = 0; i < width; i++)
        row[prints + i] = (row[prints + i] as number) ^ (hashes[from + i] as number);
    };
    for (let u = firstUnread; u < firstUpdate; u++) {
      const component = records[u] as number;
      flip(component, packing.idAt(component, row, offset));
    }
    for (let u = firstUpdate; u < end; u += updateInts) {
      const component = records[u] as number;
      const before = packing.idAt(component, row, offset);
      const after = this.updates.idAfter(records[u + 1] as number, before);
      if (!packing.fits(component, after)) throw new PackingOutgrown();
      flip(component, before);
      flip(component, after);
      const to = offset + (packing.word[component] as number);
      const bits = after << (packing.shift[component] as number);
      row[to] = ((row[to] as number) & ~packing.fieldMask(component)) | bits;
    }
    for (let w = firstWrite; w < firstUnread; w += writeInts) {
      const to = offset + (records[w] as number);
      row[to] = ((row[to] as number) & (records[w + 1] as number)) | (records[w + 2] as number);
    }
  }

  /**
   * Learns the updates of an effect, by its record, for a row in which it is enabled.
   * Throws PackingOutgrown where one leads to an id that does not fit into its field.
   */
  learnUpdates(at: number, row: Row, offset: number): void {
    const packing = this.#packing;
    this.forEachUpdate(this.records[at + field.effect] as number, (component, update) => {
      const before = packing.idAt(component, row, offset);
      if (!packing.fits(component, this.updates.idAfter(update, before))) throw new PackingOutgrown();
    });
  }
}

/** Ints before the pairs of a fact. */
const factInts = 4;

function withRoom(array: Int32Array, length: number): Int32Array {
  if (length <= array.length) return array;
  const result = new Int32Array(Math.max(length, 2 * array.length));
  result.set(array);
  return result;
}
