import type { Fingerprints } from "./fingerprints.ts";
import { PackingOutgrown, type Packing, type Row } from "./packing.ts";

/**
 * Fields of a record in `records`. `shape` holds the number of written words, and above them that of the components
 * written without having been read. After the fields come the fingerprints' change by what is known (the old values
 * of components that were read, the new values of all), then for each written word [word, bits that stay, new bits],
 * then the components that were not read: whoever replays the effect takes their old values out of the fingerprint.
 *
 * `predicates` and `steps` are the properties' own notes on an effect, 0 at first.
 */
export const field = { instance: 0, effect: 1, predicates: 2, steps: 3, shape: 4, change: 5 } as const;
export const shapeBits = 16;
export const shapeMask: number = 2 ** shapeBits - 1;
/** Ints for each written word. */
export const writeInts = 3;

/** What one evaluation of an action read and wrote: components and ids. */
export interface Evaluated {
  readonly instance: number;
  readonly reads: readonly number[];
  readonly readIds: readonly number[];
  readonly writes: readonly number[];
  readonly writeIds: readonly number[];
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
  /** [instance, reads, writes, (component, id) of each read, (component, id) of each write]. */
  #facts: Int32Array = new Int32Array(1 << 14);
  #factsUsed = 0;
  /** Record 0 is no record, so that 0 can say "none". */
  #recordsUsed = 2;
  readonly #fingerprints: Fingerprints;
  #packing: Packing;

  constructor(fingerprints: Fingerprints, packing: Packing) {
    this.#fingerprints = fingerprints;
    this.#packing = packing;
  }

  get count(): number {
    return this.#factAt.length;
  }

  get bytes(): number {
    return this.records.byteLength + this.#facts.byteLength + 16 * this.count;
  }

  recordOf(effect: number): number {
    return this.#recordAt[effect] as number;
  }

  /** Throws PackingOutgrown where an id does not fit into its field; nothing is added then. */
  add(evaluated: Evaluated): number {
    const { instance, reads, readIds, writes, writeIds } = evaluated;
    for (const [i, component] of writes.entries()) {
      if (!this.#packing.fits(component, writeIds[i] as number)) throw new PackingOutgrown();
    }
    const at = this.#factsUsed;
    this.#factsUsed += 3 + 2 * (reads.length + writes.length);
    this.#facts = withRoom(this.#facts, this.#factsUsed);
    let to = at;
    for (const number of [instance, reads.length, writes.length]) this.#facts[to++] = number;
    for (const [i, component] of reads.entries()) {
      this.#facts[to++] = component;
      this.#facts[to++] = readIds[i] as number;
    }
    for (const [i, component] of writes.entries()) {
      this.#facts[to++] = component;
      this.#facts[to++] = writeIds[i] as number;
    }
    const effect = this.#factAt.push(at) - 1;
    this.#recordAt.push(this.#encode(effect));
    return effect;
  }

  /** Calls `visit` with each component that an effect read, and the id that it had. */
  forEachRead(effect: number, visit: (component: number, id: number) => void): void {
    const at = this.#factAt[effect] as number;
    const first = at + 3;
    const end = first + 2 * (this.#facts[at + 1] as number);
    for (let i = first; i < end; i += 2) visit(this.#facts[i] as number, this.#facts[i + 1] as number);
  }

  /** Calls `visit` with each component that an effect writes, and its new id. */
  forEachWrite(effect: number, visit: (component: number, id: number) => void): void {
    const at = this.#factAt[effect] as number;
    const first = at + 3 + 2 * (this.#facts[at + 1] as number);
    const end = first + 2 * (this.#facts[at + 2] as number);
    for (let i = first; i < end; i += 2) visit(this.#facts[i] as number, this.#facts[i + 1] as number);
  }

  /** The id that an effect writes to a component; -1 where it does not write it. */
  writtenId(effect: number, component: number): number {
    const facts = this.#facts;
    const at = this.#factAt[effect] as number;
    const first = at + 3 + 2 * (facts[at + 1] as number);
    const end = first + 2 * (facts[at + 2] as number);
    for (let i = first; i < end; i += 2) if (facts[i] === component) return facts[i + 1] as number;
    return -1;
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
    const at = this.#recordsUsed;
    this.#recordsUsed += field.change + width + writeInts * words.size + unread.length;
    this.records = withRoom(this.records, this.#recordsUsed);
    const { records } = this;
    records[at + field.instance] = this.#facts[this.#factAt[effect] as number] as number;
    records[at + field.effect] = effect;
    records[at + field.predicates] = records[at + field.steps] = 0;
    records[at + field.shape] = words.size | (unread.length << shapeBits);
    records.set(change, at + field.change);
    let to = at + field.change + width;
    for (const [word, [keep, bits]] of words) {
      records[to++] = word;
      records[to++] = keep;
      records[to++] = bits;
    }
    for (const component of unread) records[to++] = component;
    return at;
  }

  /** Replays an effect on a row in place, with its fingerprints. */
  replay(at: number, row: Row, offset: number): void {
    const { records } = this;
    const { hashes, hashAt, width } = this.#fingerprints;
    const packing = this.#packing;
    const shape = records[at + field.shape] as number;
    const firstWrite = at + field.change + width;
    const firstUnread = firstWrite + writeInts * (shape & shapeMask);
    const prints = offset + packing.words;
    for (let i = 0; i < width; i++) {
      let bits = records[at + field.change + i] as number;
      for (let u = firstUnread; u < firstUnread + (shape >>> shapeBits); u++) {
        const component = records[u] as number;
        const id = packing.idAt(component, row, offset);
        bits ^= hashes[(hashAt[component] as number) + id * width + i] as number;
      }
      row[prints + i] = (row[prints + i] as number) ^ bits;
    }
    for (let w = firstWrite; w < firstUnread; w += writeInts) {
      const to = offset + (records[w] as number);
      row[to] = ((row[to] as number) & (records[w + 1] as number)) | (records[w + 2] as number);
    }
  }
}

function withRoom(array: Int32Array, length: number): Int32Array {
  if (length <= array.length) return array;
  const result = new Int32Array(Math.max(length, 2 * array.length));
  result.set(array);
  return result;
}
