/**
 * Multisets of unanswered operations that a configuration has made use of, interned to integers; 0 is the empty one.
 * A configuration that used a subset can do whatever one that used more can: the latter is dominated.
 */
export class UsedSets {
  readonly #members: Int32Array[] = [new Int32Array(0)];
  readonly #signatures: number[] = [0];
  readonly #ids: Map<string, number> = new Map([["", 0]]);
  readonly #added: Map<number, number>[] = [new Map()];

  size(id: number): number {
    return (this.#members[id] as Int32Array).length;
  }

  count(id: number, member: number): number {
    if (((this.#signatures[id] as number) & (1 << (member & 31))) === 0) return 0;
    let count = 0;
    for (const other of this.#members[id] as Int32Array) if (other === member) count++;
    return count;
  }

  add(id: number, member: number): number {
    const added = this.#added[id] as Map<number, number>;
    const known = added.get(member);
    if (known !== undefined) return known;
    const before = this.#members[id] as Int32Array;
    const members = new Int32Array(before.length + 1);
    members.set(before);
    members[before.length] = member;
    members.sort();
    const key = members.join();
    let larger = this.#ids.get(key);
    if (larger === undefined) {
      larger = this.#members.length;
      this.#ids.set(key, larger);
      this.#members.push(members);
      this.#signatures.push((this.#signatures[id] as number) | (1 << (member & 31)));
      this.#added.push(new Map());
    }
    added.set(member, larger);
    return larger;
  }

  /** Whether every member of `a` is in `b`, as often. */
  isSubset(a: number, b: number): boolean {
    if (a === b || a === 0) return true;
    if (((this.#signatures[a] as number) & ~(this.#signatures[b] as number)) !== 0) return false;
    const small = this.#members[a] as Int32Array;
    const large = this.#members[b] as Int32Array;
    if (small.length >= large.length) return false;
    let at = 0;
    for (let i = 0; i < large.length && at < small.length; i++) {
      if (large[i] === small[at]) at++;
      else if ((large[i] as number) > (small[at] as number)) return false;
    }
    return at === small.length;
  }
}
