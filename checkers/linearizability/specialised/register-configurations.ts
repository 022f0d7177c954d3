/** The configurations of a register's search, one column for each thing that they know, by their number. */
export class RegisterConfigurations {
  level: Int32Array = new Int32Array(capacityMin);
  value: Int32Array = new Int32Array(capacityMin);
  /** Bits of open operations that have yet to be linearized, and of open writes that can't be used any more. */
  due: Int32Array = new Int32Array(capacityMin);
  spent: Int32Array = new Int32Array(capacityMin);
  /** The unanswered operations used. */
  used: Int32Array = new Int32Array(capacityMin);
  /** Where it came from, and the operation that took effect. */
  parent: Int32Array = new Int32Array(capacityMin);
  move: Int32Array = new Int32Array(capacityMin);
  /** 1 when the write that completes has to be used before it does. */
  isBound: Uint8Array = new Uint8Array(capacityMin);
  /** The configuration of the same level that was met before it; -1 for the first. */
  earlier: Int32Array = new Int32Array(capacityMin);
  /** While it waits: the one that waits behind it. */
  behind: Int32Array = new Int32Array(capacityMin);
  size: number = 0;

  /** The number of a new configuration, all of whose columns are to be set. */
  add(): number {
    if (this.size === this.level.length) this.#grow();
    return this.size++;
  }

  #grow(): void {
    this.level = doubled(this.level);
    this.value = doubled(this.value);
    this.due = doubled(this.due);
    this.spent = doubled(this.spent);
    this.used = doubled(this.used);
    this.parent = doubled(this.parent);
    this.move = doubled(this.move);
    this.earlier = doubled(this.earlier);
    this.behind = doubled(this.behind);
    const isBound = new Uint8Array(2 * this.isBound.length);
    isBound.set(this.isBound);
    this.isBound = isBound;
  }
}

const capacityMin = 256;

/** Levels that a configuration may fall behind by before another goes on that used one more unanswered operation. */
const levelsPerUse = 4;

/** Configurations that wait: the deepest first, but for the unanswered operations that they used; else the latest. */
export class RegisterAgenda {
  readonly #configurations: RegisterConfigurations;
  readonly #levels: number;
  /** By rank: the configuration that is next. */
  #next: Int32Array;
  #first: number = 0;

  constructor(configurations: RegisterConfigurations, levels: number) {
    this.#configurations = configurations;
    this.#levels = levels;
    this.#next = new Int32Array(levels + 1).fill(-1);
  }

  push(configuration: number, uses: number): void {
    const { level, behind } = this.#configurations;
    const rank = this.#levels - (level[configuration] as number) + levelsPerUse * uses;
    while (rank >= this.#next.length) this.#next = doubled(this.#next, -1);
    behind[configuration] = this.#next[rank] as number;
    this.#next[rank] = configuration;
    if (rank < this.#first) this.#first = rank;
  }

  /** -1 when there is none. */
  pop(): number {
    for (; this.#first < this.#next.length; this.#first++) {
      const configuration = this.#next[this.#first] as number;
      if (configuration === -1) continue;
      this.#next[this.#first] = this.#configurations.behind[configuration] as number;
      return configuration;
    }
    return -1;
  }
}

function doubled(old: Int32Array, filler: number = 0): Int32Array {
  const larger = new Int32Array(2 * old.length);
  larger.set(old);
  if (filler !== 0) larger.fill(filler, old.length);
  return larger;
}
