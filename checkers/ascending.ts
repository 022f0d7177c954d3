/** The position of the first of the ascending numbers that is not below the value; their count where none is. */
export function firstAtLeast(ascending: ArrayLike<number>, value: number): number {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((ascending[middle] as number) >= value) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** The first of so many positions that passes, where all behind it do, too; their count where none does. */
export function firstThat(count: number, passes: (at: number) => boolean): number {
  let [from, to] = [0, count];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (passes(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
