import type { Fingerprints } from "./fingerprints.ts";
import {
  claimExpanded,
  countLogged,
  expandedInts,
  liveFingerprints,
  logInstances,
  touchHomes,
} from "./loops.ts";
import type { Packing, Row } from "./packing.ts";
import { GrowingView, word, type SharedMemory } from "./shared.ts";

/** Of the memory allowed, what the table and its log take at most. */
const expandedShare = 0.03;
/** A table of more slots than this is not worth its memory. */
const slotsMax = 2 ** 22;
/** Slots behind the last home. */
const overhang = 16;
/** Ints of the log for each slot of the table: what successors take, and some more. */
const logInts = 4;

/**
 * The states of the current level that were expanded, by the fingerprints of what is live of them (see `Liveness`).
 * A state that differs from one of them in dead components alone has the same successors, by the same instances: they
 * are counted once more, and neither made nor looked up.
 *
 * A cache that all workers share: where it is full, and while another worker is at the other state, a state is expanded
 * all the same.
 */
export class Expanded {
  /** The rows of a chunk that are to be expanded. */
  readonly chosen: Int32Array;
  /** What was touched only to be in the cache. */
  touched = 0;
  readonly #control: Int32Array;
  readonly #slots: GrowingView;
  readonly #log: GrowingView;
  readonly #isShared: boolean;
  readonly #slotsMax: number;
  /** Less n it stands for the nth of `chosen` in the table, until its successors are in the log. */
  readonly #tag: number;
  /** Whether rows of the chunk at hand were looked up. */
  #isUsed = false;
  /** How many rows are chosen, and for how many their successors are counted only. */
  readonly #state: Int32Array = new Int32Array(2);
  /** For each of `chosen`: its slot, -1 where it has none. */
  readonly #claims: Int32Array;
  /** For each row: which of the chosen it is. */
  readonly #order: Int32Array;
  /** For each row that is not expanded: where its successors stand in the log, or -1 - which of the chosen has the same. */
  readonly #counted: Int32Array;
  /** For each of `chosen`: how many successors it has, then where they stand in the log. */
  readonly #logged: Int32Array;
  readonly #lo: Int32Array;
  readonly #hi: Int32Array;

  constructor(
    control: Int32Array,
    memory: SharedMemory["expanded"],
    options: {
      readonly worker: number;
      readonly workers: number;
      readonly rowsMax: number;
      readonly memoryBytesMax: number;
    },
  ) {
    const { worker, workers, rowsMax, memoryBytesMax } = options;
    this.#control = control;
    this.#slots = new GrowingView(memory.slots);
    this.#log = new GrowingView(memory.log);
    this.#isShared = workers > 1;
    this.#slotsMax = Math.min(
      slotsMax,
      Math.floor((expandedShare * memoryBytesMax) / (4 * (expandedInts + logInts))),
    );
    this.#tag = -1 - worker * rowsMax;
    this.chosen = new Int32Array(rowsMax);
    this.#claims = new Int32Array(rowsMax);
    this.#order = new Int32Array(rowsMax);
    this.#counted = new Int32Array(rowsMax);
    this.#logged = new Int32Array(rowsMax);
    this.#lo = new Int32Array(rowsMax);
    this.#hi = new Int32Array(rowsMax);
  }

  get bytes(): number {
    return this.#slots.ints.byteLength + this.#log.ints.byteLength;
  }

  /** Forgets all, and makes room for a level of so many states. Nobody else may use it meanwhile. */
  begin(states: number): void {
    const control = this.#control;
    const slots = Math.min(states, this.#slotsMax);
    const view = this.#slots.reach(expandedInts * (slots + overhang));
    const before = control[word.expandedSlots] as number;
    if (before > 0) view?.fill(0, 0, expandedInts * (before + overhang));
    control[word.expandedSlots] = view === undefined ? 0 : slots;
    control[word.expandedLogged] = 1;
  }

  /**
   * Fills `chosen` with those of a chunk's rows whose successors are not known, and returns how many they are. All of
   * them where nothing is dead.
   */
  choose(
    rows: Row,
    first: number,
    stride: number,
    count: number,
    dead: Int32Array,
    packing: Packing,
    fingerprints: Fingerprints,
  ): number {
    const state = this.#state.fill(0);
    const capacity = this.#control[word.expandedSlots] as number;
    this.#isUsed = dead.length > 0 && capacity > 0;
    if (!this.#isUsed) {
      for (let row = 0; row < count; row++) this.chosen[row] = row;
      return count;
    }
    const { hashes, hashAt, width } = fingerprints;
    const [lo, hi] = [this.#lo, this.#hi];
    const { word: words, shift, mask } = packing;
    liveFingerprints(
      rows,
      first,
      stride,
      count,
      packing.words,
      width,
      dead,
      words,
      shift,
      mask,
      hashes,
      hashAt,
      lo,
      hi,
    );
    const slots = this.#slots.reach(expandedInts * (capacity + overhang)) as Int32Array;
    const scale = capacity / 2 ** 32;
    this.touched ^= touchHomes(slots, expandedInts, scale, lo, 0, count);
    claimExpanded(
      slots,
      scale,
      lo,
      hi,
      count,
      this.#tag,
      this.#isShared,
      this.chosen,
      this.#claims,
      this.#order,
      this.#counted,
      state,
    );
    return state[0] as number;
  }

  /**
   * The chosen rows were expanded: their successors (records of effects, and offsets of rows) become known, and those
   * of the other rows are counted by instance.
   */
  finish(
    effects: Int32Array,
    offsets: Int32Array,
    enabled: number,
    first: number,
    stride: number,
    records: Int32Array,
    generated: Float64Array,
  ): void {
    const control = this.#control;
    if (!this.#isUsed) return;
    const [chosen, counted] = this.#state as unknown as readonly [number, number];
    Atomics.add(control, word.counted, counted);
    const length = chosen + enabled;
    const start = Atomics.add(control, word.expandedLogged, length);
    const hasRoom = start + length <= logInts * (control[word.expandedSlots] as number);
    const shared = hasRoom ? this.#log.reach(start + length) : undefined;
    const log = shared ?? new Int32Array(length);
    logInstances(
      effects,
      offsets,
      enabled,
      first,
      stride,
      records,
      this.#order,
      chosen,
      shared === undefined ? 0 : start,
      log,
      this.#logged,
    );
    countLogged(this.#log.ints, log, this.#logged, this.#counted, counted, generated);
    if (shared === undefined) this.abandon();
    else this.#publish(chosen);
  }

  /** The chosen rows could not be expanded as they were chosen. */
  abandon(): void {
    if (!this.#isUsed) return;
    const chosen = this.#state[0] as number;
    this.#logged.fill(0, 0, chosen);
    this.#publish(chosen);
  }

  #publish(chosen: number): void {
    const slots = this.#slots.ints;
    for (let k = 0; k < chosen; k++) {
      const claim = this.#claims[k] as number;
      if (claim < 0) continue;
      if (this.#isShared) Atomics.store(slots, claim + 2, this.#logged[k] as number);
      else slots[claim + 2] = this.#logged[k] as number;
    }
  }
}
