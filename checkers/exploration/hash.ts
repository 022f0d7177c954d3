/**
 * 64-bit hashes as two 32-bit halves. They depend on contents only, so that fingerprints are the same in every
 * worker, every run and every version of the engine that keeps this file.
 */
export interface Hash {
  readonly lo: number;
  readonly hi: number;
}

/** Two streams of MurmurHash3's 32-bit variant (Appleby 2011) over the text's 16-bit units, with different constants. */
export function hashText(text: string): Hash {
  let lo = 0x2c1b3c6d;
  let hi = 0x297a2d39;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    let k = Math.imul(unit, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    lo ^= k;
    lo = (Math.imul((lo << 13) | (lo >>> 19), 5) + 0xe6546b64) | 0;
    k = Math.imul(unit, 0x85ebca6b);
    k = Math.imul((k << 16) | (k >>> 16), 0xc2b2ae35);
    hi ^= k;
    hi = (Math.imul((hi << 17) | (hi >>> 15), 9) + 0x38b34ae5) | 0;
  }
  lo = finalise(lo ^ text.length);
  hi = finalise(hi ^ Math.imul(text.length, 0x9e3779b1));
  return { lo: (lo + hi) | 0, hi: (Math.imul(lo, 0x7feb352d) + hi) | 0 };
}

/** The hash of a value in a place: another for each pair of them. */
export function hashInPlace(place: Hash, value: Hash): Hash {
  const lo = finalise(value.lo ^ place.lo);
  const hi = finalise((value.hi + Math.imul(place.hi, 0x9e3779b1)) ^ lo);
  return { lo: finalise(lo + hi), hi };
}

function finalise(bits: number): number {
  let h = bits;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
