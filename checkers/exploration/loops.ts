import type { Row } from "./row.ts";
import { effect, idBits, idMask, shapeBits, shapeMask } from "./transitions.ts";

// Constants of this module are folded into the code, imported ones are loaded at each use.
const shapeAt: number = effect.shape;
const changeAt: number = effect.change;
const ofShape: number = shapeBits;
const writesOfShape: number = shapeMask;
const ofWrite: number = idBits;
const idOfWrite: number = idMask;

/*
 * The loops that an exploration spends its time in. Each is a function of typed arrays and numbers alone: arrays that
 * come as parameters and are not assigned to are what V8 compiles best (four times faster than fields or captured
 * variables in the first of them). What is rare ends the loop, is done by the caller, and the loop is entered again.
 */

/** Where `walkGeneration` stands: [nodes waiting for the next generation, effects enabled]. */
export type WalkState = Int32Array;

/**
 * Takes every waiting pair (node, row) one node further. See `Decisions` for what stands in `code`.
 * Returns the position of the first pair that the node's table does not answer at once; `count` when there is none.
 */
export function walkGeneration(
  code: Int32Array,
  rows: Row,
  nodes: Int32Array,
  ats: Int32Array,
  begin: number,
  count: number,
  nextNodes: Int32Array,
  nextAts: Int32Array,
  effects: Int32Array,
  offsets: Int32Array,
  state: WalkState,
): number {
  let next = state[0] as number;
  let enabled = state[1] as number;
  let i = begin;
  for (; i < count; i++) {
    const at = ats[i] as number;
    const node = nodes[i] as number;
    const id = rows[at + (code[node] as number)] as number;
    const pair = node + 2 + 2 * (id & (code[node + 1] as number));
    if (code[pair] !== id + 1) break;
    const target = code[pair + 1] as number;
    if ((target & 1) === 0) {
      // Without a branch, as nothing predicts it: a target of "nothing" is overwritten by the next.
      nextNodes[next] = target >> 1;
      nextAts[next] = at;
      next += 1 + (target >> 31);
      continue;
    }
    const fork = target >> 1;
    const endOfEffects = fork + 2 + (code[fork] as number);
    const end = endOfEffects + (code[fork + 1] as number);
    for (let k = fork + 2; k < endOfEffects; k++) {
      effects[enabled] = code[k] as number;
      offsets[enabled++] = at;
    }
    for (let k = endOfEffects; k < end; k++) {
      nextNodes[next] = code[k] as number;
      nextAts[next++] = at;
    }
  }
  state[0] = next;
  state[1] = enabled;
  return i;
}

/**
 * Computes the fingerprints of successors `begin` to `end` without making them, the least of each orbit into `lo` and
 * `hi`, and touches their places in the table, so that the cache misses of all of them overlap.
 */
export function fingerprintSuccessors(
  rows: Row,
  effects: Int32Array,
  offsets: Int32Array,
  begin: number,
  end: number,
  records: Int32Array,
  hashes: Int32Array,
  hashAt: Int32Array,
  components: number,
  width: number,
  slots: Int32Array,
  scale: number,
  lo: Int32Array,
  hi: Int32Array,
  touched: Int32Array,
): void {
  for (let i = begin; i < end; i++) {
    const at = effects[i] as number;
    const from = offsets[i] as number;
    const firstWrite = at + changeAt + width;
    const endOfUnread = firstWrite + ((records[at + shapeAt] as number) >>> ofShape);
    let leastLo = 0;
    let leastHi = 0;
    for (let p = 0; p < width; p += 2) {
      const print = from + components + 2 * p;
      const change = at + changeAt + p;
      let l = ((rows[print] as number) | ((rows[print + 1] as number) << 16)) ^ (records[change] as number);
      let h =
        ((rows[print + 2] as number) | ((rows[print + 3] as number) << 16)) ^ (records[change + 1] as number);
      for (let w = firstWrite; w < endOfUnread; w++) {
        const component = (records[w] as number) >>> ofWrite;
        const entry = (hashAt[component] as number) + (rows[from + component] as number) * width + p;
        l ^= hashes[entry] as number;
        h ^= hashes[entry + 1] as number;
      }
      if (p === 0 || h < leastHi || (h === leastHi && l < leastLo)) {
        leastLo = l;
        leastHi = h;
      }
    }
    if (leastLo === 0) leastLo = 1;
    if (leastHi === 0) leastHi = 1;
    lo[i - begin] = leastLo;
    hi[i - begin] = leastHi;
    touched[i - begin] = slots[2 * (((leastLo >>> 0) * scale) | 0)] as number;
  }
}

/** Adds fingerprints to the table of `Visited`; writes the positions of the new ones, and returns how many there are. */
export function insertFingerprints(
  slots: Int32Array,
  scale: number,
  lo: Int32Array,
  hi: Int32Array,
  count: number,
  fresh: Int32Array,
): number {
  let found = 0;
  for (let i = 0; i < count; i++) {
    const l = lo[i] as number;
    const h = hi[i] as number;
    let at = 2 * (((l >>> 0) * scale) | 0);
    for (;;) {
      let first = slots[at] as number;
      if (first === 0) {
        first = Atomics.compareExchange(slots, at, 0, l);
        if (first === 0) {
          slots[at + 1] = h;
          fresh[found++] = i;
          break;
        }
      }
      if (first === l) {
        let second = slots[at + 1] as number;
        while (second === 0) second = Atomics.load(slots, at + 1);
        if (second === h) break;
      }
      at += 2;
      if (at >= slots.length) throw new RangeError("the table of fingerprints ran over");
    }
  }
  return found;
}

/**
 * Makes the new states `begin` to `end` of `fresh`: copies of the rows before, with the effects replayed.
 * `words` is the rows' memory in units of 32 bits, in which rows are copied; an entry's offset shifted by `wordShift` is
 * its word.
 */
export function appendSuccessors(
  rows: Row,
  words: Int32Array,
  wordShift: number,
  stride: number,
  effects: Int32Array,
  offsets: Int32Array,
  base: number,
  fresh: Int32Array,
  begin: number,
  end: number,
  to: number,
  records: Int32Array,
  hashes: Int32Array,
  hashAt: Int32Array,
  components: number,
  width: number,
): void {
  const rowWords = stride >> wordShift;
  let out = to;
  for (let f = begin; f < end; f++, out += stride) {
    const i = base + (fresh[f] as number);
    const at = effects[i] as number;
    const fromWord = (offsets[i] as number) >> wordShift;
    const toWord = out >> wordShift;
    for (let k = 0; k < rowWords; k++) words[toWord + k] = words[fromWord + k] as number;
    const shape = records[at + shapeAt] as number;
    const firstWrite = at + changeAt + width;
    const endOfUnread = firstWrite + (shape >>> ofShape);
    const endOfWrites = firstWrite + (shape & writesOfShape);
    const prints = out + components;
    for (let p = 0; p < width; p++) {
      let bits = records[at + changeAt + p] as number;
      for (let w = firstWrite; w < endOfUnread; w++) {
        const component = (records[w] as number) >>> ofWrite;
        bits ^= hashes[
          (hashAt[component] as number) + (rows[out + component] as number) * width + p
        ] as number;
      }
      rows[prints + 2 * p] = (rows[prints + 2 * p] as number) ^ (bits & 0xffff);
      rows[prints + 2 * p + 1] = (rows[prints + 2 * p + 1] as number) ^ (bits >>> 16);
    }
    for (let w = firstWrite; w < endOfWrites; w++) {
      const write = records[w] as number;
      rows[out + (write >>> ofWrite)] = write & idOfWrite;
    }
  }
}

/** Counts successors by instance. */
export function countInstances(
  counts: Float64Array,
  records: Int32Array,
  effects: Int32Array,
  begin: number,
  end: number,
): void {
  for (let i = begin; i < end; i++) {
    const instance = records[effects[i] as number] as number;
    counts[instance] = (counts[instance] as number) + 1;
  }
}

/**
 * Moves the entries of a table that has grown from `before` slots to their new homes, in place and from the end.
 * Those that ran over so far that their new home is still below must wait until what is there has moved: they are
 * returned, [lo, hi] each.
 */
export function rehash(slots: Int32Array, before: number, scale: number): number[] {
  const early: number[] = [];
  for (let from = 2 * before - 2; from >= 0; from -= 2) {
    const lo = slots[from] as number;
    if (lo === 0) continue;
    const hi = slots[from + 1] as number;
    slots[from] = 0;
    slots[from + 1] = 0;
    let to = 2 * (((lo >>> 0) * scale) | 0);
    if (to < from) {
      early.push(lo, hi);
      continue;
    }
    while (slots[to] !== 0) to += 2;
    slots[to] = lo;
    slots[to + 1] = hi;
  }
  return early;
}
