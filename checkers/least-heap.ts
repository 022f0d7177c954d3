/** Items, least first by a number that stays as it is while they are in the heap. */
export class LeastHeap<Item> {
  readonly #items: Item[] = [];
  readonly #by: (item: Item) => number;

  constructor(by: (item: Item) => number) {
    this.#by = by;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The least one; undefined where there is none. */
  get least(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (this.#by(items[parent] as Item) <= this.#by(item)) break;
      items[at] = items[parent] as Item;
      at = parent;
    }
    items[at] = item;
  }

  /** Takes the least one away, if it is not above `limit`. */
  popUntil(limit: number): Item | undefined {
    const items = this.#items;
    if (items.length === 0 || this.#by(items[0] as Item) > limit) return undefined;
    const first = items[0] as Item;
    const last = items.pop() as Item;
    if (items.length > 0) this.#sink(last);
    return first;
  }

  #sink(item: Item): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#by(items[child + 1] as Item) < this.#by(items[child] as Item))
        child++;
      if (this.#by(items[child] as Item) >= this.#by(item)) break;
      items[at] = items[child] as Item;
      at = child;
    }
    items[at] = item;
  }
}
