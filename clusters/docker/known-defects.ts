/** What a server's last words tell of a defect that is known by number. */
export interface KnownDefect {
  readonly issue: string;
  /** A sentence. */
  readonly summary: string;
}

/** An error of the disk while a server logs, seen in its logs and not in its words. */
export const holeInLog = "ZOOKEEPER-4882";

const known: readonly (KnownDefect & { readonly words: RegExp })[] = [
  {
    issue: holeInLog,
    summary:
      "An error of its disk left a hole in its transaction log, with which it refuses to start (3.9.4 and later; earlier releases go on without what is missing).",
    words: /Committed proposal cached out of order/,
  },
  {
    issue: "ZOOKEEPER-2310",
    summary:
      "Its first snapshot, which it does not sync, was lost with the power, and with a log and no snapshot it refuses to start (seen on 3.9.5, though resolved for 3.6.0).",
    words: /No snapshot found, but there are log entries/,
  },
];

/** The defect that the end of a server's log shows; undefined where it shows none that is known. */
export function knownDefect(log: string): KnownDefect | undefined {
  return known.find(({ words }) => words.test(log));
}
