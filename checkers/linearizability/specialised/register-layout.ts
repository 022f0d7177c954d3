import type { Json } from "../../../model/light.ts";
import type { TimedOperation } from "../operations.ts";
import { ValueIds } from "./value-ids.ts";

/** What an operation asks of a register and does to it. */
export const kinds = {
  /** Unanswered and without effect: it tells nothing. */
  idle: 0,
  read: 1,
  write: 2,
  exchange: 3,
} as const;

/** A register's operations as integers, by operation; values are numbered. */
export interface RegisterOperations {
  readonly count: number;
  readonly kind: Uint8Array;
  readonly isAnswered: Uint8Array;
  /** The value that a read and an exchange need; -1 for writes. */
  readonly needed: Int32Array;
  /** The value that a write and an exchange leave; -1 for reads. */
  readonly left: Int32Array;
  readonly values: number;
  readonly initial: number;
}

/** Besides, what is open when; a level ends with the completion of `returning[level]`. */
export interface RegisterLayout extends RegisterOperations {
  readonly levels: number;
  readonly returning: Int32Array;
  /** By operation: its bit while it is open; 0 when unanswered. */
  readonly bitOf: Int32Array;
  /** By level: how many operations are called before its end. */
  readonly called: Int32Array;
  /** Answered operations open at the end of a level, earliest completion first: `open[openFrom[L]..openFrom[L+1]]`. */
  readonly open: Int32Array;
  readonly openFrom: Int32Array;
  /** By level: the bits of the exchanges among them. */
  readonly exchanges: Int32Array;
}

/**
 * Lays out a register's operations; undefined where a cas was answered that it found another value, or where more are
 * open at a time than a word has bits.
 */
export function layOutRegister(
  operations: readonly TimedOperation[],
  initial: Json,
): RegisterLayout | undefined {
  const numbered = numberedOperations(operations, initial);
  return numbered === undefined ? undefined : withLevels(operations, numbered);
}

function numberedOperations(
  operations: readonly TimedOperation[],
  initial: Json,
): RegisterOperations | undefined {
  const ids = new ValueIds();
  const count = operations.length;
  const kind = new Uint8Array(count);
  const isAnswered = new Uint8Array(count);
  const needed = new Int32Array(count).fill(-1);
  const left = new Int32Array(count).fill(-1);
  const initialId = ids.idOf(initial);
  for (let at = 0; at < count; at++) {
    const { f, argument, result, return: returned } = operations[at] as TimedOperation;
    if (returned !== Infinity) isAnswered[at] = 1;
    if (f === "write") {
      kind[at] = kinds.write;
      left[at] = ids.idOf(argument);
    } else if (f === "read") {
      if (returned === Infinity) continue;
      kind[at] = kinds.read;
      needed[at] = ids.idOf(result as Json);
    } else if (result === false) {
      if (returned !== Infinity) return undefined;
    } else {
      const [old, exchanged] = argument as readonly Json[];
      kind[at] = kinds.exchange;
      needed[at] = ids.idOf(old as Json);
      left[at] = ids.idOf(exchanged as Json);
    }
  }
  return { count, kind, isAnswered, needed, left, values: ids.size, initial: initialId };
}

function withLevels(
  operations: readonly TimedOperation[],
  numbered: RegisterOperations,
): RegisterLayout | undefined {
  const { count, isAnswered, kind } = numbered;
  const returning = new Int32Array(count);
  const called = new Int32Array(count);
  const openFrom = new Int32Array(count + 1);
  const exchanges = new Int32Array(count + 1);
  const bitOf = new Int32Array(count);
  const open: number[] = [];
  /** Open operations by their return, and the ends of the earliest. */
  const current: number[] = [];
  let levels = 0;
  let freeBits = ~0;
  const returnOf = (at: number): number => (operations[at] as TimedOperation).return;
  const endLevel = (before: number): void => {
    const first = current[0] as number;
    let bits = 0;
    for (const operation of current) {
      open.push(operation);
      if (kind[operation] === kinds.exchange) bits |= bitOf[operation] as number;
    }
    exchanges[levels] = bits;
    returning[levels] = first;
    called[levels++] = before;
    openFrom[levels] = open.length;
    freeBits |= bitOf[first] as number;
    current.shift();
  };
  for (let at = 0; at < count; at++) {
    const { call, return: returned } = operations[at] as TimedOperation;
    while (current.length > 0 && returnOf(current[0] as number) < call) endLevel(at);
    if (isAnswered[at] === 0) continue;
    if (freeBits === 0) return undefined;
    const bit = freeBits & -freeBits;
    freeBits &= ~bit;
    bitOf[at] = bit;
    let place = current.length;
    for (; place > 0 && returnOf(current[place - 1] as number) > returned; place--)
      current[place] = current[place - 1] as number;
    current[place] = at;
  }
  while (current.length > 0) endLevel(count);
  return { ...numbered, levels, returning, bitOf, called, open: Int32Array.from(open), openFrom, exchanges };
}
