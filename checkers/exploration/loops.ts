import { field, shapeBits, shapeMask, updateInts, writeInts } from "./record.ts";

// Constants of this module are folded into the code, imported ones are loaded at each use.
const instanceAt: number = field.instance;
const effectAt: number = field.effect;
const shapeAt: number = field.shape;
const changeAt: number = field.change;
const ofShape: number = shapeBits;
const numberMask: number = shapeMask;
const write: number = writeInts;
const update: number = updateInts;

/*
 * The loops that an exploration spends its time in. Each is a function of typed arrays and numbers alone: arrays that
 * come as parameters and are not assigned to are what V8 compiles best (four times faster than fields or captured
 * variables in the first of them). Each does one thing to a whole batch, so that the cache misses of neighbours
 * overlap; looking up the table in a loop of its own was four times faster than together with the fingerprints. What
 * is rare ends the loop, is done by the caller, and the loop is entered again.
 */

/** Rows of a walk are numbered below this; an item of a walk is `node << rowBits | row`. */
export const rowBits = 10;
const bitsOfRow: number = rowBits;
const rowMask: number = 2 ** rowBits - 1;

/** Where `walkGeneration` stands: [items waiting for the next generation, effects enabled]. */
export type WalkState = Int32Array;

/**
 * Takes every waiting item one node further. See `Decisions` for what stands in `heads` and `code`.
 * Returns the position of the first item whose node does not know where to; `count` when there is none.
 */
export function walkGeneration(
  heads: Int32Array,
  code: Int32Array,
  rows: Int32Array,
  first: number,
  stride: number,
  items: Int32Array,
  begin: number,
  count: number,
  next: Int32Array,
  effects: Int32Array,
  offsets: Int32Array,
  state: WalkState,
): number {
  let waiting = state[0] as number;
  let enabled = state[1] as number;
  let i = begin;
  for (; i < count; i++) {
    const item = items[i] as number;
    const row = item & rowMask;
    const head = (item >>> bitsOfRow) << 2;
    const at = first + row * stride;
    const key = (rows[at + (heads[head] as number)] as number) & (heads[head + 1] as number);
    const mask = heads[head + 2] as number;
    const table = heads[head + 3] as number;
    let hash = Math.imul(key, 0x9e3779b1);
    hash = (hash ^ (hash >>> 15)) & mask;
    let pair = table + 2 * hash;
    let target = code[pair + 1] as number;
    while (code[pair] !== key && target !== 0) {
      hash = (hash + 1) & mask;
      pair = table + 2 * hash;
      target = code[pair + 1] as number;
    }
    if (target === 0) break;
    if ((target & 1) === 0) {
      // Without a branch, as nothing predicts it: what is written and not counted is overwritten by the next.
      const isEffect = (target >> 1) & 1;
      next[waiting] = ((target >> 2) << bitsOfRow) | row;
      waiting += (1 + (target >> 31)) ^ isEffect;
      effects[enabled] = target >> 2;
      offsets[enabled] = at;
      enabled += isEffect;
      continue;
    }
    const fork = target >> 2;
    const endOfEffects = fork + 2 + (code[fork] as number);
    const end = endOfEffects + (code[fork + 1] as number);
    for (let k = fork + 2; k < endOfEffects; k++) {
      effects[enabled] = code[k] as number;
      offsets[enabled++] = at;
    }
    for (let k = endOfEffects; k < end; k++) next[waiting++] = ((code[k] as number) << bitsOfRow) | row;
  }
  state[0] = waiting;
  state[1] = enabled;
  return i;
}

/**
 * Computes the fingerprints of successors `begin` to `end` without making them: all of them into `prints`, `width` ints
 * each, and the least of each orbit into `lo` and `hi`. Ends at the first of which an update is not known for the row in
 * which it is enabled, and returns its position; else `end`.
 *
 * The high half decides which is the least: the low one tells where the fingerprint lies in the table, and must stay
 * evenly spread.
 */
export function fingerprintSuccessors(
  rows: Int32Array,
  words: number,
  effects: Int32Array,
  offsets: Int32Array,
  begin: number,
  end: number,
  records: Int32Array,
  hashes: Int32Array,
  hashAt: Int32Array,
  heads: Int32Array,
  table: Int32Array,
  word: Int32Array,
  shift: Int32Array,
  fieldMask: Int32Array,
  width: number,
  prints: Int32Array,
  lo: Int32Array,
  hi: Int32Array,
): number {
  for (let i = begin; i < end; i++) {
    const at = effects[i] as number;
    const from = offsets[i] as number;
    const first = i * width;
    // Those of the identity stay in registers.
    let leastLo = (rows[from + words] as number) ^ (records[at + changeAt] as number);
    let leastHi = (rows[from + words + 1] as number) ^ (records[at + changeAt + 1] as number);
    for (let p = 2; p < width; p++) {
      prints[first + p] = (rows[from + words + p] as number) ^ (records[at + changeAt + p] as number);
    }
    const shape = records[at + shapeAt] as number;
    let u = at + changeAt + width + write * (shape & numberMask);
    const endOfUnread = u + ((shape >>> ofShape) & numberMask);
    for (; u < endOfUnread; u++) {
      const component = records[u] as number;
      const bits = rows[from + (word[component] as number)] as number;
      const id = (bits >>> (shift[component] as number)) & (fieldMask[component] as number);
      const entry = (hashAt[component] as number) + id * width;
      leastLo ^= hashes[entry] as number;
      leastHi ^= hashes[entry + 1] as number;
      for (let p = 2; p < width; p++) {
        prints[first + p] = (prints[first + p] as number) ^ (hashes[entry + p] as number);
      }
    }
    const endOfUpdates = u + update * (shape >>> (2 * ofShape));
    for (; u < endOfUpdates; u += update) {
      const component = records[u] as number;
      const bits = rows[from + (word[component] as number)] as number;
      const id = (bits >>> (shift[component] as number)) & (fieldMask[component] as number);
      const head = 2 * (records[u + 1] as number);
      const start = heads[head] as number;
      const mask = heads[head + 1] as number;
      let slot = id & mask;
      let key = table[start + (2 + width) * slot] as number;
      while (key !== id + 1 && key !== 0) {
        slot = (slot + 1) & mask;
        key = table[start + (2 + width) * slot] as number;
      }
      if (key === 0) return i;
      const entry = start + (2 + width) * slot + 2;
      leastLo ^= table[entry] as number;
      leastHi ^= table[entry + 1] as number;
      for (let p = 2; p < width; p++) {
        prints[first + p] = (prints[first + p] as number) ^ (table[entry + p] as number);
      }
    }
    prints[first] = leastLo;
    prints[first + 1] = leastHi;
    for (let p = 2; p < width; p += 2) {
      const h = prints[first + p + 1] as number;
      if (h > leastHi || (h === leastHi && (prints[first + p] as number) >= leastLo)) continue;
      leastLo = prints[first + p] as number;
      leastHi = h;
    }
    lo[i] = leastLo === 0 ? 1 : leastLo;
    hi[i] = leastHi === 0 ? 1 : leastHi;
  }
  return end;
}

/** Reads the homes of fingerprints in a table, so that they are in the cache when they are looked for. */
export function touchHomes(
  slots: Int32Array,
  entryInts: number,
  scale: number,
  lo: Int32Array,
  begin: number,
  end: number,
): number {
  let sum = 0;
  for (let i = begin; i < end; i++)
    sum ^= slots[entryInts * ((((lo[i] as number) >>> 0) * scale) | 0)] as number;
  return sum;
}

/**
 * Adds fingerprints `begin` to `end` to the table of `Visited`; writes the positions of the new ones, and returns how
 * many there are. `isShared`: others may be adding theirs.
 */
export function insertFingerprints(
  slots: Int32Array,
  scale: number,
  lo: Int32Array,
  hi: Int32Array,
  begin: number,
  end: number,
  fresh: Int32Array,
  isShared: boolean,
): number {
  let found = 0;
  for (let i = begin; i < end; i++) {
    const l = lo[i] as number;
    const h = hi[i] as number;
    let at = 2 * (((l >>> 0) * scale) | 0);
    for (;;) {
      let first = slots[at] as number;
      if (first === 0) {
        if (isShared) first = Atomics.compareExchange(slots, at, 0, l);
        else slots[at] = l;
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

/** Makes the new states `begin` to `end` of `fresh`: copies of the rows before, with the effects replayed. */
export function appendSuccessors(
  rows: Int32Array,
  words: number,
  width: number,
  effects: Int32Array,
  offsets: Int32Array,
  fresh: Int32Array,
  begin: number,
  end: number,
  out: Int32Array,
  to: number,
  records: Int32Array,
  prints: Int32Array,
  heads: Int32Array,
  table: Int32Array,
  word: Int32Array,
  shift: Int32Array,
  fieldMask: Int32Array,
): void {
  let row = to;
  for (let f = begin; f < end; f++) {
    const position = fresh[f] as number;
    const at = effects[position] as number;
    const from = offsets[position] as number;
    for (let k = 0; k < words; k++) out[row + k] = rows[from + k] as number;
    const shape = records[at + shapeAt] as number;
    let w = at + changeAt + width;
    const endOfWrites = w + write * (shape & numberMask);
    for (; w < endOfWrites; w += write) {
      const changed = row + (records[w] as number);
      out[changed] = ((out[changed] as number) & (records[w + 1] as number)) | (records[w + 2] as number);
    }
    w += (shape >>> ofShape) & numberMask;
    const endOfUpdates = w + update * (shape >>> (2 * ofShape));
    for (; w < endOfUpdates; w += update) {
      const component = records[w] as number;
      const changed = row + (word[component] as number);
      const left = shift[component] as number;
      const right = fieldMask[component] as number;
      const id = ((out[changed] as number) >>> left) & right;
      const head = 2 * (records[w + 1] as number);
      const start = heads[head] as number;
      const mask = heads[head + 1] as number;
      let slot = id & mask;
      while (table[start + (2 + width) * slot] !== id + 1) slot = (slot + 1) & mask;
      const after = table[start + (2 + width) * slot + 1] as number;
      out[changed] = ((out[changed] as number) & ~(right << left)) | (after << left);
    }
    row += words;
    const print = position * width;
    for (let p = 0; p < width; p++) out[row++] = prints[print + p] as number;
  }
}

/** The row that begins so many ints behind the first; `perInt` is 1 / stride. Faster than a division. */
function rowOf(distance: number, perInt: number): number {
  return ((distance + 0.5) * perInt) | 0;
}

/** Notes where the new states `begin` to `end` of `fresh` came from, and counts them by instance. */
export function noteParents(
  effects: Int32Array,
  offsets: Int32Array,
  fresh: Int32Array,
  begin: number,
  end: number,
  records: Int32Array,
  firstOffset: number,
  firstNumber: number,
  stride: number,
  parents: Int32Array,
  to: number,
  counts: Float64Array,
): void {
  const perInt = 1 / stride;
  let at = to;
  for (let f = begin; f < end; f++) {
    const i = fresh[f] as number;
    const instance = records[(effects[i] as number) + instanceAt] as number;
    parents[at++] = firstNumber + rowOf((offsets[i] as number) - firstOffset, perInt);
    parents[at++] = instance;
    counts[instance] = (counts[instance] as number) + 1;
  }
}

/** Ints of an entry of the table of `Alike`: [lo, hi, number of the state that is kept, plus one]. */
export const alikeInts = 3;
const entryInts: number = alikeInts;
/** An entry of it lies in one of so many slots from its home on. */
const alikeReach = 8;
/** Ints for each state that is not kept, see `Mate`. */
export const mateInts = 3;
const perMate: number = mateInts;

/**
 * Computes the fingerprints of new states `begin` to `end` of `fresh` without their dead components: the least of each
 * orbit. Ends at the first whose effect's dead components are not hashed, and returns its position; else `end`.
 */
export function liveFingerprints(
  prints: Int32Array,
  width: number,
  effects: Int32Array,
  records: Int32Array,
  fresh: Int32Array,
  begin: number,
  end: number,
  isHashed: Uint8Array,
  deadHashes: Int32Array,
  lo: Int32Array,
  hi: Int32Array,
): number {
  for (let f = begin; f < end; f++) {
    const position = fresh[f] as number;
    const effect = records[(effects[position] as number) + effectAt] as number;
    if (isHashed[effect] === 0) return f;
    const print = position * width;
    const dead = effect * width;
    let leastLo = (prints[print] as number) ^ (deadHashes[dead] as number);
    let leastHi = (prints[print + 1] as number) ^ (deadHashes[dead + 1] as number);
    for (let p = 2; p < width; p += 2) {
      const l = (prints[print + p] as number) ^ (deadHashes[dead + p] as number);
      const h = (prints[print + p + 1] as number) ^ (deadHashes[dead + p + 1] as number);
      if (h > leastHi || (h === leastHi && l >= leastLo)) continue;
      leastLo = l;
      leastHi = h;
    }
    lo[f] = leastLo === 0 ? 1 : leastLo;
    hi[f] = leastHi === 0 ? 1 : leastHi;
  }
  return end;
}

/**
 * Looks new states up in the table of `Alike`, by their fingerprints. Those that are not there are claimed with `tag`
 * less their place among those kept, and kept, as are those whose claim another worker has not settled yet, and those
 * for which there is no room: they come first in `fresh`, their slots (-1 for none) into `claims`. The positions of the
 * others come into `positions`, and what stands in the table for them into `keptFor`. `counts`: how many are kept, and
 * how many not.
 */
export function claimAlike(
  slots: Int32Array,
  scale: number,
  lo: Int32Array,
  hi: Int32Array,
  found: number,
  tag: number,
  isShared: boolean,
  fresh: Int32Array,
  claims: Int32Array,
  positions: Int32Array,
  keptFor: Int32Array,
  counts: Int32Array,
): void {
  let kept = 0;
  let others = 0;
  for (let f = 0; f < found; f++) {
    const l = lo[f] as number;
    const h = hi[f] as number;
    let at = entryInts * (((l >>> 0) * scale) | 0);
    const end = at + entryInts * alikeReach;
    let claim = -1;
    let standing = 0;
    for (; at < end; at += entryInts) {
      let first = slots[at] as number;
      if (first === 0) {
        if (isShared) first = Atomics.compareExchange(slots, at, 0, l);
        else slots[at] = l;
        if (first === 0) {
          slots[at + 2] = tag - kept;
          slots[at + 1] = h;
          claim = at;
          break;
        }
      }
      if (first === l) {
        let second = slots[at + 1] as number;
        while (second === 0) second = Atomics.load(slots, at + 1);
        if (second === h) {
          // Whoever sees this too early keeps a state too many.
          standing = slots[at + 2] as number;
          break;
        }
      }
    }
    if (standing > 0 || (standing <= tag && standing > tag - kept)) {
      positions[others] = fresh[f] as number;
      keptFor[others++] = standing;
    } else {
      claims[kept] = claim;
      fresh[kept++] = fresh[f] as number;
    }
  }
  counts[0] = kept;
  counts[1] = others;
}

/**
 * Notes the states that are not kept, as `claimAlike` has found them: one more in the weight of the state that stands
 * for each (its number less `first`), [its number, number of the state before, instance] in `mates` from `to` on, and
 * one more by instance in `counts`. `numbers`: of the states of the batch that are kept.
 */
export function noteAlike(
  keptFor: Int32Array,
  positions: Int32Array,
  count: number,
  tag: number,
  numbers: Int32Array,
  effects: Int32Array,
  offsets: Int32Array,
  records: Int32Array,
  firstOffset: number,
  firstNumber: number,
  stride: number,
  weights: Int32Array,
  first: number,
  isShared: boolean,
  mates: Int32Array,
  to: number,
  counts: Float64Array,
): void {
  const perInt = 1 / stride;
  let at = to;
  for (let m = 0; m < count; m++) {
    const standing = keptFor[m] as number;
    const kept = standing > 0 ? standing - 1 : (numbers[tag - standing] as number);
    const position = positions[m] as number;
    const instance = records[(effects[position] as number) + instanceAt] as number;
    if (isShared) Atomics.add(weights, kept - first, 1);
    else weights[kept - first] = (weights[kept - first] as number) + 1;
    mates[at] = kept;
    mates[at + 1] = firstNumber + rowOf((offsets[position] as number) - firstOffset, perInt);
    mates[at + 2] = instance;
    at += perMate;
    counts[instance] = (counts[instance] as number) + 1;
  }
}

/**
 * Takes the weights of states `first` to `first + rows` away, leaving -1 where there was one, and writes what each row
 * counts for into `rowWeights`. Returns how many other states they stand for.
 */
export function takeWeights(
  weights: Int32Array,
  first: number,
  rows: number,
  rowWeights: Int32Array,
): number {
  let others = 0;
  for (let row = 0; row < rows; row++) {
    const weight = weights[first + row] as number;
    rowWeights[row] = 1 + weight;
    if (weight === 0) continue;
    weights[first + row] = -1;
    others += weight;
  }
  return others;
}

/** Counts successors by instance, each for as many states as its row stands for. */
export function countInstances(
  counts: Float64Array,
  records: Int32Array,
  effects: Int32Array,
  offsets: Int32Array,
  begin: number,
  end: number,
  first: number,
  stride: number,
  rowWeights: Int32Array,
): void {
  const perInt = 1 / stride;
  for (let i = begin; i < end; i++) {
    const instance = records[(effects[i] as number) + instanceAt] as number;
    const weight = rowWeights[rowOf((offsets[i] as number) - first, perInt)] as number;
    counts[instance] = (counts[instance] as number) + weight;
  }
}

/** Writes the positions of those effects whose note (a field of their records) differs from `usual`; returns how many. */
export function selectNoted(
  records: Int32Array,
  note: number,
  usual: number,
  effects: Int32Array,
  begin: number,
  end: number,
  selected: Int32Array,
): number {
  let count = 0;
  for (let i = begin; i < end; i++) {
    // Without a branch, as nothing predicts it.
    selected[count] = i;
    count += records[(effects[i] as number) + note] === usual ? 0 : 1;
  }
  return count;
}

/**
 * Of the new rows `begin` to `end` of `fresh`, which lie from `to` on, takes those whose effects' note differs from
 * `usual`, and hashes `words` of theirs, masked, into `lo` and `hi`, and their positions in `fresh` into `noted`.
 * Returns how many they are.
 */
export function hashProjections(
  rows: Int32Array,
  to: number,
  stride: number,
  effects: Int32Array,
  fresh: Int32Array,
  begin: number,
  end: number,
  records: Int32Array,
  note: number,
  usual: number,
  words: Int32Array,
  masks: Int32Array,
  seed: number,
  noted: Int32Array,
  los: Int32Array,
  his: Int32Array,
): number {
  let count = 0;
  let at = to;
  for (let f = begin; f < end; f++, at += stride) {
    if (records[(effects[fresh[f] as number] as number) + note] === usual) continue;
    let lo = seed;
    let hi = seed ^ 0x297a2d39;
    for (let w = 0; w < masks.length; w++) {
      const bits = (rows[at + (words[w] as number)] as number) & (masks[w] as number);
      lo = Math.imul(lo ^ bits, 0x85ebca6b);
      lo ^= lo >>> 15;
      hi = Math.imul(hi + bits, 0xcc9e2d51) ^ (hi >>> 13);
    }
    lo = Math.imul(lo ^ (hi >>> 16), 0xc2b2ae35);
    lo ^= lo >>> 13;
    noted[count] = f;
    los[count] = lo === 0 ? 1 : lo;
    his[count++] = hi;
  }
  return count;
}

/** Hashes of a cache of 64-bit hashes lie in one of so many slots of their home. */
const cacheWays = 4;

/** Reads the homes of hashes in a cache, as `touchHomes` does. */
export function touchCached(slots: Int32Array, slotMask: number, lo: Int32Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum ^= slots[2 * ((lo[i] as number) & slotMask & -cacheWays)] as number;
  return sum;
}

/**
 * Adds hashes to a cache: pairs in `slots`, of which `slotMask` is one less than the number, a power of two. A hash
 * pushes out another one where the slots of its home are taken. Keeps of `positions` those whose hashes were not there;
 * returns how many.
 */
export function addCached(
  slots: Int32Array,
  slotMask: number,
  los: Int32Array,
  his: Int32Array,
  count: number,
  positions: Int32Array,
): number {
  let added = 0;
  for (let i = 0; i < count; i++) {
    const lo = los[i] as number;
    const hi = his[i] as number;
    const home = 2 * (lo & slotMask & -cacheWays);
    const last = home + 2 * (cacheWays - 1);
    let slot = home;
    let found = slots[slot] as number;
    while (found !== 0 && (found !== lo || slots[slot + 1] !== hi) && slot !== last) {
      slot += 2;
      found = slots[slot] as number;
    }
    if (found === lo && slots[slot + 1] === hi) continue;
    if (found !== 0) slot = home + 2 * (hi & (cacheWays - 1));
    slots[slot] = lo;
    slots[slot + 1] = hi;
    positions[added++] = positions[i] as number;
  }
  return added;
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
