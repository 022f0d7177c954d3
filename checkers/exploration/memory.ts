/**
 * Memory that workers share and that grows in place: address space is reserved once, pages are committed as needed.
 * Views have a fixed length, because V8 optimises those as well as plain arrays (length-tracking ones it does not).
 */

interface GrowableBuffer extends SharedArrayBuffer {
  readonly growable: boolean;
  readonly maxByteLength: number;
  grow(byteLength: number): void;
}

/** The most that one growable buffer can reserve on Node 20. */
export const bufferBytesMax: number = 2 ** 32;

const SharedBuffer = SharedArrayBuffer as unknown as new (
  byteLength: number,
  options: { maxByteLength: number },
) => GrowableBuffer;

/** A shared buffer that can grow to `bytesMax` (at most `bufferBytesMax`). */
export function growable(bytes: number, bytesMax: number): SharedArrayBuffer {
  return new SharedBuffer(bytes, { maxByteLength: Math.max(bytes, Math.min(bytesMax, bufferBytesMax)) });
}

/** Makes a buffer at least `bytes` long. Returns false where it cannot be. Safe to call from several threads. */
export function growTo(buffer: SharedArrayBuffer, bytes: number): boolean {
  const it = buffer as GrowableBuffer;
  if (bytes > it.maxByteLength) return false;
  while (it.byteLength < bytes) {
    try {
      it.grow(bytes);
    } catch (error) {
      // Another thread has grown it further meanwhile; a system without memory is no such case.
      if (it.byteLength < bytes) {
        if (error instanceof RangeError) return false;
        throw error;
      }
    }
  }
  return true;
}

/** Enters a critical section guarded by one word, 0 when free. Short sections only. */
export function lock(words: Int32Array, index: number): void {
  while (Atomics.compareExchange(words, index, 0, 1) !== 0) {
    Atomics.wait(words, index, 1, 1);
  }
}

export function unlock(words: Int32Array, index: number): void {
  Atomics.store(words, index, 0);
  Atomics.notify(words, index, 1);
}
