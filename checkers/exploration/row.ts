/**
 * A state: the ids of its components' values, then its fingerprints in halves of 16 bits. Narrow rows, of 16 bits an
 * entry, serve nearly all models and take half of the cache; wide ones serve variables of more than 65,536 values.
 */
export type Row = Uint16Array | Int32Array;

/** Ids in narrow rows are below this. */
export const narrowIdsMax: number = 2 ** 16;

/** Thrown where a variable takes more values than narrow rows can tell apart: the exploration begins anew with wide ones. */
export class RowsTooNarrow extends Error {}

export function makeRow(length: number, wide: boolean): Row {
  return wide ? new Int32Array(length) : new Uint16Array(length);
}

/** The 32 bits whose halves begin here. */
export function bitsAt(row: Row, at: number): number {
  return (row[at] as number) | ((row[at + 1] as number) << 16);
}

/** Exclusive or with 32 bits in halves. */
export function flipBits(row: Row, at: number, bits: number): void {
  row[at] = (row[at] as number) ^ (bits & 0xffff);
  row[at + 1] = (row[at + 1] as number) ^ (bits >>> 16);
}
