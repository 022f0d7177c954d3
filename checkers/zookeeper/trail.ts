/** Changes of collections that can be undone, the latest first: what lets a replay go back and on in another way. */
export class Trail {
  readonly #undo: (() => void)[] = [];

  /** Where the trail stands now, for `backTo`. */
  get mark(): number {
    return this.#undo.length;
  }

  backTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  add<T>(set: Set<T>, item: T): void {
    if (set.has(item)) return;
    set.add(item);
    this.#undo.push(() => set.delete(item));
  }

  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const before = map.get(key);
    map.set(key, value);
    this.#undo.push(() => (before === undefined ? map.delete(key) : map.set(key, before)));
  }

  push<T>(list: T[], item: T): void {
    list.push(item);
    this.#undo.push(() => list.pop());
  }
}
