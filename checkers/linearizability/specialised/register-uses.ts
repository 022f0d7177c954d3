import { kinds, type RegisterOperations } from "./register-layout.ts";

/** No uses. */
export const noUses = -1;

const nowhere: readonly number[] = [];

/**
 * Which unanswered operations a configuration has used: of those that do the same the one called first. Uses are
 * chains that share their beginnings, each the number of its last link.
 */
export class Uses {
  readonly #operations: RegisterOperations;
  /** By what they do: the unanswered operations in the order of their calls. */
  readonly #alike: Map<number, number[]> = new Map();
  /** By value: those from which an unanswered exchange leads to it. */
  readonly #sources: Map<number, number[]> = new Map();
  /** By link: the one before, what was used, how many alike with it. */
  readonly #before: number[] = [];
  readonly #keys: number[] = [];
  readonly #counts: number[] = [];
  readonly #sizes: number[] = [];

  constructor(operations: RegisterOperations) {
    this.#operations = operations;
    const { count, kind, isAnswered, needed, left } = operations;
    for (let at = 0; at < count; at++) {
      if (isAnswered[at] === 1 || kind[at] === kinds.idle) continue;
      const key = this.#keyOf(at);
      const alike = this.#alike.get(key);
      if (alike !== undefined) {
        alike.push(at);
        continue;
      }
      this.#alike.set(key, [at]);
      if (kind[at] === kinds.exchange) this.#addSource(needed[at] as number, left[at] as number);
    }
  }

  #addSource(from: number, to: number): void {
    const sources = this.#sources.get(to);
    if (sources === undefined) this.#sources.set(to, [from]);
    else sources.push(from);
  }

  /** The values from which some unanswered exchange, called or not yet, leads to a value. */
  sources(to: number): readonly number[] {
    return this.#sources.size === 0 ? nowhere : (this.#sources.get(to) ?? nowhere);
  }

  /** An unused write of a value among the first `called` operations; -1 if there is none. */
  findWrite(uses: number, called: number, value: number): number {
    return this.#unused(uses, called, this.#key(-1, value));
  }

  /** The same of exchanges that lead from one value to another. */
  findExchange(uses: number, called: number, from: number, to: number): number {
    return this.#sources.size === 0 ? -1 : this.#unused(uses, called, this.#key(from, to));
  }

  /** The uses with one more. */
  use(uses: number, operation: number): number {
    const key = this.#keyOf(operation);
    this.#counts.push(1 + this.#count(uses, key));
    this.#keys.push(key);
    this.#sizes.push(1 + this.size(uses));
    return this.#before.push(uses) - 1;
  }

  /** How many there are. */
  size(uses: number): number {
    return uses === noUses ? 0 : (this.#sizes[uses] as number);
  }

  /** Whether the uses `few` are known to be among `many`: they are its beginning. */
  isPart(few: number, many: number): boolean {
    let at = many;
    while (at > few) at = this.#before[at] as number;
    return at === few;
  }

  #unused(uses: number, called: number, key: number): number {
    const alike = this.#alike.get(key);
    if (alike === undefined) return -1;
    const operation = alike[this.#count(uses, key)];
    return operation !== undefined && operation < called ? operation : -1;
  }

  #count(uses: number, key: number): number {
    for (let at = uses; at !== noUses; at = this.#before[at] as number)
      if (this.#keys[at] === key) return this.#counts[at] as number;
    return 0;
  }

  #keyOf(operation: number): number {
    const { kind, needed, left } = this.#operations;
    const from = kind[operation] === kinds.exchange ? (needed[operation] as number) : -1;
    return this.#key(from, left[operation] as number);
  }

  #key(from: number, to: number): number {
    return (from + 1) * this.#operations.values + to;
  }
}
