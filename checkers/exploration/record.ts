/**
 * Fields of the record by which an effect is replayed. `shape` holds three numbers: of the written words, of the components written without
 * having been read, and of the updates. After the fields come the fingerprints' change by what is known (the old values
 * of components that were read, the new values of all), then
 * - for each written word [word, bits that stay, new bits],
 * - the components that were not read: whoever replays the effect takes their old values out of the fingerprint,
 * - for each update [component, number of the update], see `Updates`.
 *
 * `predicates` and `steps` are the properties' own notes on an effect, 0 at first.
 */
export const field = { instance: 0, effect: 1, predicates: 2, steps: 3, shape: 4, change: 5 } as const;
/** Bits of each number in a shape. */
export const shapeBits = 10;
export const shapeMask: number = 2 ** shapeBits - 1;
/** Ints for each written word, and for each update. */
export const writeInts = 3;
export const updateInts = 2;
