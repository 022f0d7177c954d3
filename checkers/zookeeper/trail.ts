/** Changes of collections that can be undone, the latest first: what lets a replay go back and on in another way. */
export class Trail {
  /** Of each change the collection, the item or key, and what a Map had for the key: lists, as most are never undone. */
  readonly #changed: (Set<unknown> | Map<unknown, unknown> | unknown[])[] = [];
  readonly #keys: unknown[] = [];
  readonly #before: unknown[] = [];

  /** Where the trail stands now, for `backTo`. */
  get mark(): number {
    return this.#changed.length;
  }

  backTo(mark: number): void {
    while (this.#changed.length > mark) {
      const changed = this.#changed.pop();
      const key = this.#keys.pop();
      const before = this.#before.pop();
      if (Array.isArray(changed)) changed.pop();
      else if (changed instanceof Map && before !== undefined) changed.set(key, before);
      else changed?.delete(key);
    }
  }

  add<T>(set: Set<T>, item: T): void {
    if (set.has(item)) return;
    set.add(item);
    this.#note(set as Set<unknown>, item, undefined);
  }

  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const before = map.get(key);
    map.set(key, value);
    this.#note(map as Map<unknown, unknown>, key, before);
  }

  push<T>(list: T[], item: T): void {
    list.push(item);
    this.#note(list, undefined, undefined);
  }

  #note(changed: Set<unknown> | Map<unknown, unknown> | unknown[], key: unknown, before: unknown): void {
    this.#changed.push(changed);
    this.#keys.push(key);
    this.#before.push(before);
  }
}
