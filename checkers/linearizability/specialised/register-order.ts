import { kinds, type RegisterOperations } from "./register-layout.ts";

/** A write or an exchange that takes effect when the first `called` operations have been called. */
export interface Move {
  readonly operation: number;
  readonly called: number;
}

/**
 * The linearization that moves stand for: each read at its first chance, each answered write that is no move just
 * before the next move that overwrites it.
 */
export function arrangeRegister(operations: RegisterOperations, moves: readonly Move[]): number[] {
  const { count, kind, isAnswered, needed, left } = operations;
  const isMove = new Uint8Array(count);
  for (const { operation } of moves) isMove[operation] = 1;
  const order: number[] = [];
  let value = operations.initial;
  let writes: number[] = [];
  let reads: number[] = [];
  const apply = (operation: number): void => {
    if (kind[operation] === kinds.write) {
      for (const covered of writes) order.push(covered);
      writes = [];
    }
    order.push(operation);
    value = left[operation] as number;
    const later: number[] = [];
    for (const read of reads) (needed[read] === value ? order : later).push(read);
    reads = later;
  };
  let next = 0;
  for (let at = 0; at <= count; at++) {
    for (; moves[next]?.called === at; next++) apply((moves[next] as Move).operation);
    if (at === count || isMove[at] === 1 || isAnswered[at] === 0) continue;
    if (kind[at] === kinds.write) writes.push(at);
    else if (kind[at] === kinds.read) (needed[at] === value ? order : reads).push(at);
  }
  return order;
}
