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
    // The check is of 3.9.4 (ZOOKEEPER-4925). A hole is what a failing disk leaves; before 3.9.3 also the end of a term
    // with requests that wait for the disk (ZOOKEEPER-4712), or with nobody to acknowledge to (ZOOKEEPER-4409).
    issue: "ZOOKEEPER-4882, or 4712 before 3.9.3",
    summary: "There is a hole in its transaction log, with which it refuses to start.",
    words: /Committed proposal cached out of order/,
  },
  {
    issue: "ZOOKEEPER-2310",
    summary:
      "Its first snapshot, which it does not sync, was lost with the power, and with a log and no snapshot it refuses to start (seen on 3.9.5, though resolved for 3.6.0).",
    words: /No snapshot found, but there are log entries/,
  },
  {
    // The order of the fix of ZOOKEEPER-4643: first the transactions, then the epoch.
    issue: "ZOOKEEPER-1653",
    summary:
      "It ended after it had logged transactions of a new epoch and before it had written down the epoch, and refuses to start.",
    words: /The current epoch, \d+, is older than the last zxid/,
  },
];

/** The defect that the end of a server's log shows; undefined where it shows none that is known. */
export function knownDefect(log: string): KnownDefect | undefined {
  return known.find(({ words }) => words.test(log));
}
