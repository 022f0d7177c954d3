/**
 * Counts, for each cut between two events, the intervals that cover it: a segment tree with range addition and the
 * leftmost cut with the count 0.
 */
export class Cuts {
  readonly #size: number;
  readonly #least: Int32Array;
  readonly #added: Int32Array;

  constructor(count: number) {
    let size = 1;
    while (size < count) size *= 2;
    this.#size = size;
    this.#least = new Int32Array(2 * size);
    this.#added = new Int32Array(2 * size);
  }

  /** Adds to the cuts from..to, both included. */
  add(from: number, to: number, amount: number): void {
    if (from <= to) this.#add(1, 0, this.#size - 1, from, to, amount);
  }

  /** The leftmost uncovered cut of from..to, or -1. */
  firstFree(from: number, to: number): number {
    return from > to ? -1 : this.#firstFree(1, 0, this.#size - 1, from, to, 0);
  }

  #add(node: number, low: number, high: number, from: number, to: number, amount: number): void {
    if (to < low || high < from) return;
    if (from <= low && high <= to) {
      this.#added[node] = (this.#added[node] as number) + amount;
      this.#least[node] = (this.#least[node] as number) + amount;
      return;
    }
    const middle = (low + high) >>> 1;
    this.#add(2 * node, low, middle, from, to, amount);
    this.#add(2 * node + 1, middle + 1, high, from, to, amount);
    this.#least[node] =
      Math.min(this.#least[2 * node] as number, this.#least[2 * node + 1] as number) +
      (this.#added[node] as number);
  }

  #firstFree(node: number, low: number, high: number, from: number, to: number, above: number): number {
    if (to < low || high < from || (this.#least[node] as number) + above > 0) return -1;
    if (low === high) return low;
    const middle = (low + high) >>> 1;
    const inside = above + (this.#added[node] as number);
    const left = this.#firstFree(2 * node, low, middle, from, to, inside);
    return left !== -1 ? left : this.#firstFree(2 * node + 1, middle + 1, high, from, to, inside);
  }
}
