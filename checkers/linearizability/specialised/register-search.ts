import { kinds, type RegisterLayout } from "./register-layout.ts";
import { RegisterAgenda, RegisterConfigurations } from "./register-configurations.ts";
import type { Move } from "./register-order.ts";
import { noUses, Uses } from "./register-uses.ts";

/** The move of a configuration that lets a completion pass without using the write. */
const passed = -1;
/** Of configurations at the same level, how many a new one is compared with. */
const comparedMax = 32;
/**
 * Configurations after which it gives up when none of them got further than those before: in a short history that is
 * violated it should not take longer than the search that has to refute it.
 */
const patienceMax = (levels: number): number => Math.min(5_000, 50 + (levels >> 2));
/** Configurations in all, after which it gives up, too. */
const configurationsMax = (levels: number): number => 10_000 + 32 * levels;

export type RegisterResult =
  | {
      readonly outcome: "holds";
      /** The writes and exchanges that explain all answers, in order. */
      readonly moves: readonly Move[];
    }
  | {
      readonly outcome: "violated";
      /** The completion that can't be explained; perhaps one before it can't either. */
      readonly unexplained: number;
    };

/**
 * Depth first among configurations: level, value, bits of the open operations that are due, bits of the open writes
 * that are spent, unanswered operations used. A write that is open and neither due nor spent may still be used, but
 * need not: it can have happened just before another.
 */
export class RegisterSearch {
  readonly #layout: RegisterLayout;
  readonly #uses: Uses;
  readonly #met: RegisterConfigurations = new RegisterConfigurations();
  /** By level: the configuration met last. */
  readonly #latest: Int32Array;
  readonly #waiting: RegisterAgenda;
  #children: number[] = [];
  /** By value: the last expansion in which something open waited for it, and in which it was brought about. */
  readonly #wanted: Int32Array;
  readonly #tried: Int32Array;
  #expansions: number = 0;
  readonly #wantedList: number[] = [];
  #isWriteDue: boolean = false;

  constructor(layout: RegisterLayout) {
    this.#layout = layout;
    this.#uses = new Uses(layout);
    this.#latest = new Int32Array(layout.levels + 1).fill(-1);
    this.#wanted = new Int32Array(layout.values);
    this.#tried = new Int32Array(layout.values);
    this.#waiting = new RegisterAgenda(this.#met, layout.levels);
  }

  /** Undefined when it gave up. */
  run(): RegisterResult | undefined {
    const { levels, initial, returning } = this.#layout;
    if (levels === 0) return { outcome: "holds", moves: [] };
    let deepest = 0;
    let patience = patienceMax(levels);
    this.#reach(0, initial, this.#opened(0, initial), 0, noUses, -1, passed, false);
    for (;;) {
      for (let child = this.#children.pop(); child !== undefined; child = this.#children.pop())
        this.#waiting.push(child, this.#uses.size(this.#met.used[child] as number));
      const configuration = this.#waiting.pop();
      if (configuration === -1) return { outcome: "violated", unexplained: returning[deepest] as number };
      if (patience-- === 0 || this.#met.size > configurationsMax(levels)) return undefined;
      const level = this.#met.level[configuration] as number;
      if (level > deepest) {
        deepest = level;
        patience = patienceMax(levels);
      }
      if (level === levels) return { outcome: "holds", moves: this.#movesTo(configuration) };
      this.#expand(configuration);
    }
  }

  /** What becomes due when a level begins, and the value is this one. */
  #opened(level: number, value: number): number {
    const { called, bitOf, needed, kind } = this.#layout;
    let due = 0;
    const end = called[level] as number;
    for (let at = level === 0 ? 0 : (called[level - 1] as number); at < end; at++)
      if (kind[at] !== kinds.read || needed[at] !== value) due |= bitOf[at] as number;
    return due;
  }

  /** Adds a configuration, once it has passed the completions that ask nothing of it. */
  #reach(
    from: number,
    value: number,
    dueNow: number,
    spentNow: number,
    used: number,
    parent: number,
    move: number,
    isBound: boolean,
  ): void {
    const { levels, returning, bitOf, kind } = this.#layout;
    let [level, due, spent, bound] = [from, dueNow, spentNow, isBound];
    for (; level < levels; level++) {
      const operation = returning[level] as number;
      const bit = bitOf[operation] as number;
      if ((due & bit) !== 0) break;
      if (kind[operation] === kinds.write && (spent & bit) === 0) break;
      spent &= ~bit;
      bound = false;
      if (level + 1 < levels) due |= this.#opened(level + 1, value);
    }
    if (this.#isKnown(level, value, due, spent, used, bound)) return;
    const met = this.#met;
    const id = met.add();
    met.level[id] = level;
    met.value[id] = value;
    met.due[id] = due;
    met.spent[id] = spent;
    met.used[id] = used;
    met.parent[id] = parent;
    met.move[id] = move;
    met.isBound[id] = bound ? 1 : 0;
    met.earlier[id] = this.#latest[level] as number;
    this.#latest[level] = id;
    this.#children.push(id);
  }

  /** Whether a configuration was met at the level that can do whatever this one can. */
  #isKnown(
    level: number,
    value: number,
    due: number,
    spent: number,
    used: number,
    isBound: boolean,
  ): boolean {
    const met = this.#met;
    // An exchange that is still to come may be of use, other than a read or a write that nobody waits for any more.
    const fixed = ~due | (this.#layout.exchanges[level] as number);
    let id = this.#latest[level] as number;
    for (let compared = 0; id !== -1 && compared < comparedMax; compared++) {
      if (
        met.value[id] === value &&
        (((met.due[id] as number) ^ due) & fixed) === 0 &&
        ((met.spent[id] as number) & ~spent) === 0 &&
        (isBound || met.isBound[id] === 0) &&
        this.#uses.isPart(met.used[id] as number, used)
      )
        return true;
      id = met.earlier[id] as number;
    }
    return false;
  }

  #expand(configuration: number): void {
    const { returning, bitOf, kind, needed, left, open, openFrom } = this.#layout;
    const level = this.#met.level[configuration] as number;
    const value = this.#met.value[configuration] as number;
    const due = this.#met.due[configuration] as number;
    const spent = this.#met.spent[configuration] as number;
    const completing = returning[level] as number;
    const isDue = (due & (bitOf[completing] as number)) !== 0;
    if (!isDue && this.#met.isBound[configuration] === 0) this.#pass(configuration, completing);
    const stamp = this.#collectWanted(level, due);
    this.#tried[value] = stamp;
    const end = openFrom[level + 1] as number;
    for (let i = openFrom[level] as number; i < end; i++) {
      const operation = open[i] as number;
      const bit = bitOf[operation] as number;
      if (kind[operation] === kinds.exchange) {
        if ((due & bit) !== 0 && needed[operation] === value) this.#moveTo(configuration, operation, !isDue);
      } else if (kind[operation] === kinds.write && (spent & bit) === 0) {
        // Of writes of one value the one that completes first. The one that completes now is given its last chance.
        const next = left[operation] as number;
        const isNeeded = this.#wanted[next] === stamp && this.#tried[next] !== stamp;
        if (!isNeeded && operation !== completing) continue;
        this.#tried[next] = stamp;
        this.#moveTo(configuration, operation, !isDue);
      }
    }
    this.#useUnanswered(configuration, stamp, !isDue);
    // Before an exchange the value that is there is worth writing once more, where that covers a write that is due.
    if (this.#isWriteDue && this.#wanted[value] === stamp) this.#bringAbout(configuration, value, !isDue);
  }

  /** Lists the values that due operations wait for, marks them with a stamp, and tells it. */
  #collectWanted(level: number, due: number): number {
    const { bitOf, kind, needed, open, openFrom } = this.#layout;
    const stamp = ++this.#expansions;
    this.#wantedList.length = 0;
    this.#isWriteDue = false;
    const end = openFrom[level + 1] as number;
    for (let i = openFrom[level] as number; i < end; i++) {
      const operation = open[i] as number;
      if ((due & (bitOf[operation] as number)) === 0) continue;
      if (kind[operation] === kinds.write) this.#isWriteDue = true;
      else this.#want(needed[operation] as number, stamp);
    }
    return stamp;
  }

  #want(value: number, stamp: number): void {
    if (this.#wanted[value] === stamp) return;
    this.#wanted[value] = stamp;
    this.#wantedList.push(value);
  }

  /** Brings wanted values about by unanswered operations; where these are exchanges, what they ask for is wanted, too. */
  #useUnanswered(configuration: number, stamp: number, isBound: boolean): void {
    const { called } = this.#layout;
    const level = this.#met.level[configuration] as number;
    const value = this.#met.value[configuration] as number;
    const used = this.#met.used[configuration] as number;
    for (let i = 0; i < this.#wantedList.length; i++) {
      const wanted = this.#wantedList[i] as number;
      // What is there need not be brought about, unless a write that is due comes between.
      if (wanted !== value || this.#isWriteDue)
        for (const source of this.#uses.sources(wanted)) this.#want(source, stamp);
      if (wanted === value) continue;
      if (this.#tried[wanted] !== stamp) this.#bringAbout(configuration, wanted, isBound);
      // A write can be put off until this value is wanted again; an exchange needs the value that is there now.
      const exchange = this.#uses.findExchange(used, called[level] as number, value, wanted);
      if (exchange !== -1) this.#moveTo(configuration, exchange, isBound);
    }
  }

  /** By the open write that completes first, as it can wait the least, else by an unanswered one. */
  #bringAbout(configuration: number, value: number, isBound: boolean): void {
    const level = this.#met.level[configuration] as number;
    const open = this.#openWrite(configuration, value);
    const called = this.#layout.called[level] as number;
    const write =
      open !== -1 ? open : this.#uses.findWrite(this.#met.used[configuration] as number, called, value);
    if (write !== -1) this.#moveTo(configuration, write, isBound);
  }

  /** The open write of a value that completes first and is not spent; -1 if there is none. */
  #openWrite(configuration: number, value: number): number {
    const { bitOf, left, kind, open, openFrom } = this.#layout;
    const level = this.#met.level[configuration] as number;
    const spent = this.#met.spent[configuration] as number;
    const end = openFrom[level + 1] as number;
    for (let i = openFrom[level] as number; i < end; i++) {
      const operation = open[i] as number;
      const isUsable = kind[operation] === kinds.write && (spent & (bitOf[operation] as number)) === 0;
      if (isUsable && left[operation] === value) return operation;
    }
    return -1;
  }

  #pass(configuration: number, completing: number): void {
    // As if it were spent: its completion asks nothing any more.
    const spent = (this.#met.spent[configuration] as number) | (this.#layout.bitOf[completing] as number);
    this.#reach(
      this.#met.level[configuration] as number,
      this.#met.value[configuration] as number,
      this.#met.due[configuration] as number,
      spent,
      this.#met.used[configuration] as number,
      configuration,
      passed,
      false,
    );
  }

  /** The configuration that follows when an operation takes effect. */
  #moveTo(configuration: number, operation: number, isBound: boolean): void {
    const { kind, needed, left, bitOf, isAnswered, open, openFrom } = this.#layout;
    const level = this.#met.level[configuration] as number;
    const value = left[operation] as number;
    const isWrite = kind[operation] === kinds.write;
    const bit = bitOf[operation] as number;
    let due = (this.#met.due[configuration] as number) & ~bit;
    const end = openFrom[level + 1] as number;
    for (let i = openFrom[level] as number; i < end; i++) {
      const other = open[i] as number;
      const isCovered =
        kind[other] === kinds.write ? isWrite : kind[other] === kinds.read && needed[other] === value;
      if (isCovered) due &= ~(bitOf[other] as number);
    }
    const spent = (this.#met.spent[configuration] as number) | (isWrite ? bit : 0);
    const before = this.#met.used[configuration] as number;
    const used = isAnswered[operation] === 1 ? before : this.#uses.use(before, operation);
    this.#reach(level, value, due, spent, used, configuration, operation, isBound);
  }

  #movesTo(configuration: number): Move[] {
    const moves: Move[] = [];
    for (let at = configuration; this.#met.parent[at] !== -1; at = this.#met.parent[at] as number) {
      const operation = this.#met.move[at] as number;
      const level = this.#met.level[this.#met.parent[at] as number] as number;
      if (operation !== passed) moves.push({ operation, called: this.#layout.called[level] as number });
    }
    return moves.reverse();
  }
}
