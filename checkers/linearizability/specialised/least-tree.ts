/** Numbers by index, all Infinity at first: a segment tree that finds one below a limit. */
export class LeastTree {
  readonly #size: number;
  readonly #least: Float64Array;

  constructor(count: number) {
    let size = 1;
    while (size < count) size *= 2;
    this.#size = size;
    this.#least = new Float64Array(2 * size).fill(Infinity);
  }

  set(index: number, value: number): void {
    let node = this.#size + index;
    this.#least[node] = value;
    for (node >>>= 1; node >= 1; node >>>= 1) {
      this.#least[node] = Math.min(this.#least[2 * node] as number, this.#least[2 * node + 1] as number);
    }
  }

  /** An index of from..to, both included, whose number is below the limit; -1 if there is none. */
  findBelow(from: number, to: number, limit: number): number {
    return this.#find(1, 0, this.#size - 1, from, to, limit);
  }

  #find(node: number, low: number, high: number, from: number, to: number, limit: number): number {
    if (to < low || high < from || (this.#least[node] as number) >= limit) return -1;
    if (low === high) return low;
    const middle = (low + high) >>> 1;
    const left = this.#find(2 * node, low, middle, from, to, limit);
    return left !== -1 ? left : this.#find(2 * node + 1, middle + 1, high, from, to, limit);
  }
}
