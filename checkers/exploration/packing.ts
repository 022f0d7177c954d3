import type { Component, Layout } from "./layout.ts";

/** A state as the engine keeps it: its components' ids in bit fields of 32-bit words, then its fingerprints. */
export type Row = Int32Array;

/** The ids of a state's components, one an entry. */
export type Ids = Int32Array;

const wordBits = 32;
/** The widest field: ids stay below 2^30. */
export const fieldBitsMax = 30;
/** A variable begins with so many bits: room for four values. */
const firstBits = 2;

/** Thrown where a value's id does not fit into its field: the rows are packed anew, and the work is taken up again. */
export class PackingOutgrown extends Error {}

/**
 * How components lie in a row. Each has a field as wide as its variable's values need; small fields of one identity
 * share a word, so that one look at it answers most of what guards ask about that server.
 *
 * Packings are never changed: when a variable takes more values than its fields can hold, a wider packing follows, and
 * rows of earlier ones are converted as they are met.
 */
export class Packing {
  /** For each component: its word, how far it is shifted there, and its field's mask, right-aligned. */
  readonly word: Int32Array;
  readonly shift: Int32Array;
  readonly mask: Int32Array;
  /** Words of a row, without fingerprints. */
  readonly words: number;
  /** For each variable: the bits of its fields. */
  readonly bits: readonly number[];

  constructor(layout: Layout, bits: readonly number[]) {
    const { components } = layout;
    this.bits = bits;
    this.word = new Int32Array(components.length);
    this.shift = new Int32Array(components.length);
    this.mask = new Int32Array(components.length);
    let word = -1;
    for (const group of neighbourhoods(components)) {
      let used = wordBits;
      for (const { index, variable } of group.toSorted((a, b) => bitsOf(bits, a) - bitsOf(bits, b))) {
        const width = bits[variable.index] as number;
        if (used + width > wordBits) {
          word++;
          used = 0;
        }
        this.word[index] = word;
        this.shift[index] = used;
        this.mask[index] = 2 ** width - 1;
        used += width;
      }
    }
    this.words = word + 1;
  }

  /** Whether an id has room in a component's field. */
  fits(component: number, id: number): boolean {
    return id <= (this.mask[component] as number);
  }

  /** Reads one component of a row. */
  idAt(component: number, row: Row, at: number): number {
    const word = row[at + (this.word[component] as number)] as number;
    return (word >>> (this.shift[component] as number)) & (this.mask[component] as number);
  }

  /** The bits of a component's field, in its word. */
  fieldMask(component: number): number {
    return (this.mask[component] as number) << (this.shift[component] as number);
  }

  unpack(row: Row, at: number, ids: Ids): void {
    const { word, shift, mask } = this;
    for (let component = 0; component < word.length; component++) {
      const bits = row[at + (word[component] as number)] as number;
      ids[component] = (bits >>> (shift[component] as number)) & (mask[component] as number);
    }
  }

  pack(ids: Ids, row: Row, at: number): void {
    const { word, shift } = this;
    row.fill(0, at, at + this.words);
    for (let component = 0; component < word.length; component++) {
      const to = at + (word[component] as number);
      row[to] = (row[to] as number) | ((ids[component] as number) << (shift[component] as number));
    }
  }
}

/** The bits of each variable's fields with which an exploration begins, where its variables have so many values. */
export function firstPacking(valueCounts: readonly number[]): number[] {
  return valueCounts.map((count) => Math.max(firstBits, bitsFor(count)));
}

/** A packing that is never outgrown: a word for each component. */
export function widestPacking(layout: Layout): Packing {
  return new Packing(
    layout,
    layout.variables.map(() => fieldBitsMax),
  );
}

/**
 * The bits with which variables have room for several times their values, after one of them has outgrown its fields.
 * Generously, as a new packing costs all that was learnt of the old one; those that have stayed as small as at first
 * may stay so for good.
 */
export function widened(bits: readonly number[], valueCounts: readonly number[]): number[] {
  return bits.map((width, variable) => {
    const count = valueCounts[variable] as number;
    return count <= 2 ** firstBits ? width : Math.min(fieldBitsMax, Math.max(width, bitsFor(growth * count)));
  });
}

const growth = 8;

/** Bits that tell so many values apart. */
function bitsFor(count: number): number {
  return Math.max(1, Math.ceil(Math.log2(count)));
}

function bitsOf(bits: readonly number[], { variable }: Component): number {
  return bits[variable.index] as number;
}

/** Components that are put into the same words: those of one server (or client), those of pairs, global ones. */
function neighbourhoods(components: readonly Component[]): Component[][] {
  const groups = new Map<unknown, Component[]>();
  for (const component of components) {
    const { path } = component;
    const key = path.length === 1 ? path[0] : path.length;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [component]);
    else group.push(component);
  }
  return [...groups.values()];
}
