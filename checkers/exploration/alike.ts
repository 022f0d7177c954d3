import type { Effects } from "./effects.ts";
import type { Fingerprints } from "./fingerprints.ts";
import type { Liveness } from "./liveness.ts";
import {
  alikeInts,
  claimAlike,
  countInstances,
  liveFingerprints,
  mateInts,
  noteAlike,
  takeWeights,
  touchHomes,
} from "./loops.ts";
import type { Program } from "./program.ts";
import { field } from "./record.ts";
import { GrowingView, word, type SharedMemory } from "./shared.ts";

/** Of the memory allowed, what the table takes at most, and how many slots are ever worth their memory. */
const tableShare = 0.03;
const slotsMax = 2 ** 22;
/** Slots behind the last home. */
const overhang = 16;

/** A state that is kept in no row, because another one of its level is alike. */
export interface Mate {
  /** The number of the state that stands for it. */
  readonly kept: number;
  /** The number of the state before, and the instance that led from it. */
  readonly parent: number;
  readonly instance: number;
}

/**
 * New states that differ from another one of their level in dead components alone (see `Liveness`): they are alike to all
 * that will ever be asked, and have the same successors by the same instances. The first of them alone is kept in a row
 * and expanded; its weight says for how many others its steps count.
 *
 * Should a component turn out to be live after all, those that were not kept are made from their parents again
 * (take-back.ts).
 */
export class Alike {
  /** What was touched only to be in the cache. */
  touched = 0;
  readonly #control: Int32Array;
  readonly #liveness: Liveness;
  readonly #effects: Effects;
  readonly #fingerprints: Fingerprints;
  readonly #slots: GrowingView;
  readonly #weights: readonly [GrowingView, GrowingView];
  readonly #mates: readonly [GrowingView, GrowingView];
  readonly #isShared: boolean;
  readonly #slotsMax: number;
  /** Less n it stands in the table for the nth state kept of the batch at hand, until that has a number. */
  readonly #tag: number;
  /** For each effect by number: whether its dead components are hashed, and their hashes. */
  #isHashed: Uint8Array = new Uint8Array(0);
  #deadHashes: Int32Array = new Int32Array(0);
  #hashedFor: Int32Array = new Int32Array(0);
  /** Of the batch at hand: how many states are kept, and how many are not. */
  readonly #counts: Int32Array = new Int32Array(2);
  /** The slots of those kept (-1 for none), and their numbers. */
  readonly #claims: Int32Array;
  readonly numbers: Int32Array;
  /** The positions of those not kept, and who stands for each: a number plus one, or below 0 one of the same batch. */
  readonly #positions: Int32Array;
  readonly #keptFor: Int32Array;
  readonly #lo: Int32Array;
  readonly #hi: Int32Array;
  /** What the steps of each row of the chunk at hand count for. */
  readonly #rowWeights: Int32Array;

  constructor(
    control: Int32Array,
    memory: SharedMemory["alike"],
    { liveness, transitions, fingerprints }: Pick<Program, "liveness" | "transitions" | "fingerprints">,
    options: {
      readonly worker: number;
      readonly workers: number;
      readonly memoryBytesMax: number;
      readonly batchMax: number;
      readonly rowsMax: number;
    },
  ) {
    const { worker, workers, memoryBytesMax, batchMax, rowsMax } = options;
    this.#control = control;
    this.#liveness = liveness;
    this.#effects = transitions.effects;
    this.#fingerprints = fingerprints;
    this.#slots = new GrowingView(memory.slots);
    this.#weights = [new GrowingView(memory.weights[0]), new GrowingView(memory.weights[1])];
    this.#mates = [new GrowingView(memory.mates[0]), new GrowingView(memory.mates[1])];
    this.#isShared = workers > 1;
    this.#slotsMax = Math.min(slotsMax, Math.floor((tableShare * memoryBytesMax) / (4 * alikeInts)));
    this.#tag = -1 - worker * batchMax;
    this.#claims = new Int32Array(batchMax);
    this.numbers = new Int32Array(batchMax);
    this.#positions = new Int32Array(batchMax);
    this.#keptFor = new Int32Array(batchMax);
    this.#lo = new Int32Array(batchMax);
    this.#hi = new Int32Array(batchMax);
    this.#rowWeights = new Int32Array(rowsMax);
  }

  get bytes(): number {
    const views = [this.#slots, ...this.#weights, ...this.#mates];
    return views.reduce((sum, { ints }) => sum + ints.byteLength, 0);
  }

  /** The next level begins to be filled. To be called while all wait. */
  beginLevel(): void {
    const next = this.#next;
    const control = this.#control;
    this.#weights[next].whole.fill(0);
    control[word.mates + next] = 0;
    control[word.firstWeighted + next] = control[word.numbers] as number;
  }

  /** The table forgets all, and gets room for a level of so many states. To be called while all wait. */
  clear(states: number): void {
    const control = this.#control;
    const slots = this.#liveness.dead.length === 0 ? 0 : Math.min(2 * states, this.#slotsMax);
    const view = this.#slots.reach(alikeInts * (slots + overhang));
    const before = control[word.alikeSlots] as number;
    if (before > 0) view?.fill(0, 0, alikeInts * (before + overhang));
    control[word.alikeSlots] = view === undefined ? 0 : slots;
  }

  get #next(): 0 | 1 {
    return (1 - (this.#control[word.current] as number)) as 0 | 1;
  }

  // ---- the states before

  /** Takes what the steps of rows count for, once for all. */
  take(firstNumber: number, rows: number): void {
    const control = this.#control;
    const list = control[word.current] as 0 | 1;
    const first = firstNumber - (control[word.firstWeighted + list] as number);
    if ((control[word.mates + list] as number) === 0) {
      this.#rowWeights.fill(1, 0, rows);
      return;
    }
    const weights = reached(this.#weights[list].reach(first + rows));
    const mates = takeWeights(weights, first, rows, this.#rowWeights);
    Atomics.add(control, word.alike, mates);
    Atomics.sub(control, word.matesWaiting, mates);
  }

  /** Counts steps by instance: each for its row and those that are alike. */
  count(
    counts: Float64Array,
    records: Int32Array,
    effects: Int32Array,
    offsets: Int32Array,
    begin: number,
    end: number,
    first: number,
    stride: number,
  ): void {
    countInstances(counts, records, effects, offsets, begin, end, first, stride, this.#rowWeights);
  }

  // ---- the states after

  /**
   * Of the new states `fresh` (positions in `effects`, in ascending order) puts those that are to be kept first, and
   * returns how many they are. Once these have their numbers, `settle` is to be called.
   */
  sift(effects: Int32Array, prints: Int32Array, fresh: Int32Array, found: number): number {
    const counts = this.#counts.fill(0);
    const capacity = this.#control[word.alikeSlots] as number;
    if (capacity === 0) return found;
    const { records } = this.#effects;
    const { width } = this.#fingerprints;
    this.#reserveHashes();
    for (let f = 0; f < found;) {
      f = liveFingerprints(
        prints,
        width,
        effects,
        records,
        fresh,
        f,
        found,
        this.#isHashed,
        this.#deadHashes,
        this.#lo,
        this.#hi,
      );
      if (f < found) this.#hash(records[(effects[fresh[f] as number] as number) + field.effect] as number);
    }
    const slots = this.#slots.reach(alikeInts * (capacity + overhang)) as Int32Array;
    const scale = capacity / 2 ** 32;
    this.touched ^= touchHomes(slots, alikeInts, scale, this.#lo, 0, found);
    claimAlike(
      slots,
      scale,
      this.#lo,
      this.#hi,
      found,
      this.#tag,
      this.#isShared,
      fresh,
      this.#claims,
      this.#positions,
      this.#keptFor,
      counts,
    );
    return counts[0] as number;
  }

  /** Those that are kept have got `numbers`: the others are noted with them, and counted by instance. */
  settle(
    effects: Int32Array,
    offsets: Int32Array,
    firstOffset: number,
    firstNumber: number,
    stride: number,
    fresh: Float64Array,
  ): void {
    const [kept, mates] = this.#counts as unknown as readonly [number, number];
    const control = this.#control;
    const slots = this.#slots.ints;
    for (let k = 0; k < kept; k++) {
      const claim = this.#claims[k] as number;
      if (claim >= 0) slots[claim + 2] = (this.numbers[k] as number) + 1;
    }
    if (mates === 0) return;
    const next = this.#next;
    const to = mateInts * Atomics.add(control, word.mates + next, mates);
    Atomics.add(control, word.matesWaiting, mates);
    const first = control[word.firstWeighted + next] as number;
    const last = control[word.numbers] as number;
    noteAlike(
      this.#keptFor,
      this.#positions,
      mates,
      this.#tag,
      this.numbers,
      effects,
      offsets,
      this.#effects.records,
      firstOffset,
      firstNumber,
      stride,
      reached(this.#weights[next].reach(last - first)),
      first,
      this.#isShared,
      reached(this.#mates[next].reach(to + mateInts * mates)),
      to,
      fresh,
    );
  }

  #reserveHashes(): void {
    const { count } = this.#effects;
    const { dead } = this.#liveness;
    if (this.#hashedFor !== dead) {
      this.#hashedFor = dead;
      this.#isHashed.fill(0);
    }
    if (count <= this.#isHashed.length) return;
    const isHashed = new Uint8Array(2 * count);
    isHashed.set(this.#isHashed);
    this.#isHashed = isHashed;
    const hashes = new Int32Array(2 * count * this.#fingerprints.width);
    hashes.set(this.#deadHashes);
    this.#deadHashes = hashes;
  }

  /** Hashes what an effect writes into dead components. */
  #hash(effect: number): void {
    const { hashes, hashAt, width } = this.#fingerprints;
    const to = effect * width;
    this.#deadHashes.fill(0, to, to + width);
    this.#effects.forEachWrite(effect, (component, id) => {
      if (!this.#liveness.dead.includes(component)) return;
      const from = (hashAt[component] as number) + id * width;
      for (let p = 0; p < width; p++) {
        this.#deadHashes[to + p] = (this.#deadHashes[to + p] as number) ^ (hashes[from + p] as number);
      }
    });
    this.#isHashed[effect] = 1;
  }

  // ---- when something dead has turned out to be live

  /** Takes back all of a list that nobody has counted yet, while all wait. */
  takeBack(list: 0 | 1): Mate[] {
    const control = this.#control;
    const count = control[word.mates + list] as number;
    const first = control[word.firstWeighted + list] as number;
    const records = this.#mates[list].reach(mateInts * count) as Int32Array;
    const weights = this.#weights[list].whole;
    const mates: Mate[] = [];
    for (let at = 0; at < mateInts * count; at += mateInts) {
      const [kept, parent, instance] = records.subarray(at, at + mateInts) as unknown as [
        number,
        number,
        number,
      ];
      if ((weights[kept - first] as number) > 0) mates.push({ kept, parent, instance });
    }
    for (const { kept } of mates) weights[kept - first] = 0;
    control[word.mates + list] = 0;
    control[word.matesWaiting] = (control[word.matesWaiting] as number) - mates.length;
    return mates;
  }
}

function reached(view: Int32Array | undefined): Int32Array {
  if (view === undefined) throw new RangeError("too many states in one level");
  return view;
}
