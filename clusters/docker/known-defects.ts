/** What a server's last words tell of a defect that is known by number. */
export interface KnownDefect {
  readonly issue: string;
  /** A sentence. */
  readonly summary: string;
}

const known: readonly (KnownDefect & { readonly words: RegExp })[] = [
  {
    issue: "ZOOKEEPER-4882",
    summary:
      "An error of its disk left a hole in its transaction log, with which it refuses to start (3.9.4 and later; earlier releases go on without what is missing).",
    words: /Committed proposal cached out of order/,
  },
];

/** The defect that the end of a server's log shows; undefined where it shows none that is known. */
export function knownDefect(log: string): KnownDefect | undefined {
  return known.find(({ words }) => words.test(log));
}
