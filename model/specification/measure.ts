import type { Now, Witness } from "./model.ts";

/**
 * A figure of a state of which the greatest value within the bounds is of interest: how many clients the departure of a
 * znode would wake. Engines need not know of it: it is told by witnesses, one for each value that it may reach.
 */
export interface Measure<State> {
  readonly name: string;
  /** It is never greater. */
  readonly most: number;
  readonly of: (now: Now<State>) => number;
}

/** The witnesses that tell a measure's greatest value: "clients woken: 2 or more", from 1 on. */
export function measuring<State>({ name, most, of }: Measure<State>): Witness<State>[] {
  return Array.from({ length: most }, (_, i) => ({
    name: witnessName(name, i + 1),
    seen: (now) => of(now) > i,
  }));
}

/** The greatest value that a measure was seen to have. */
export function greatest(
  { name, most }: Measure<unknown>,
  witnesses: readonly { readonly name: string; readonly seen: boolean }[],
): number {
  const seen = new Set(witnesses.filter((witness) => witness.seen).map((witness) => witness.name));
  let value = 0;
  while (value < most && seen.has(witnessName(name, value + 1))) value++;
  return value;
}

/** Whether a witness belongs to a measure, and so need not be seen. */
export function isMeasuring(
  measures: readonly Pick<Measure<unknown>, "name" | "most">[],
  witness: string,
): boolean {
  return measures.some(({ name, most }) =>
    Array.from({ length: most }, (_, i) => witnessName(name, i + 1)).includes(witness),
  );
}

function witnessName(measure: string, value: number): string {
  return `${measure}: ${value} or more`;
}
