import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

/** A stream of random choices. Streams of one seed and different names are independent of each other's use. */
export class Random {
  readonly #generator: RandomGenerator;

  constructor(seed: number, stream: string) {
    this.#generator = xoroshiro128plus(mixed(seed, stream));
  }

  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number {
    return uniformInt(this.#generator, 0, bound - 1);
  }

  /** A whole number from `min` to `max`. */
  between(min: number, max: number): number {
    return uniformInt(this.#generator, min, max);
  }

  /** From 0 to 1, without 1. */
  fraction(): number {
    return this.below(0x7fffffff) / 0x7fffffff;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Throws RangeError on an empty list. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("nothing to choose from");
    return items[this.below(items.length)]!;
  }

  /** One of the names, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries<number>(weights) as [Name, number][];
    let point = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) if ((point -= weight) < 0) return name;
    return entries[entries.length - 1]![0];
  }

  /** `length` hexadecimal digits. */
  hex(length: number): string {
    return Array.from({ length }, () => this.below(16).toString(16)).join("");
  }
}

/** FNV-1a over the seed and the name, finished as in MurmurHash3, so that near seeds begin far apart. */
function mixed(seed: number, stream: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${seed}/${stream}`, "utf8")) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
