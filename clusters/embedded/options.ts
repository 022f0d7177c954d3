import { InputError } from "../../model/index.ts";

/**
 * Defects that can be seeded into the ensemble, so that checkers can be seen to find them.
 *
 * - `commit-without-quorum`: the leader commits and answers before a majority has logged; it proposes a little later.
 * - `ack-before-log`: a server acknowledges what it has not logged. A crash loses it, and so does the end of the
 *   leader's term, when the queue to the disk is dropped.
 * - `unsynced-log`: a server acknowledges what it has handed to its system and not synced (ZooKeeper's forceSync=no).
 *   A kill leaves it; only a power cut loses it.
 * - `session-from-the-future`: a server that lags behind accepts a session that has already seen a newer zxid, and
 *   does so by itself: it does not ask the leader, from which it may be cut off.
 * - `unadopted-history`: a follower acknowledges NEWLEADER and keeps its own history.
 * - `reused-epoch`: a new leader takes the highest epoch that it was told, without the plus one.
 */
export const defects = {
  "commit-without-quorum": "the leader answers before a majority has logged",
  "ack-before-log": "a server acknowledges what it has not logged; a crash loses it",
  "unsynced-log": "a server acknowledges what it has not synced; a power cut loses it",
  "session-from-the-future": "a server that lags behind accepts a session that has seen a newer zxid",
  "unadopted-history": "a follower acknowledges NEWLEADER and keeps its own history",
  "reused-epoch": "a new leader takes the highest epoch that it was told, without the plus one",
} as const;

export type Defect = keyof typeof defects;

export interface EmbeddedOptions {
  /** All chance: latencies, the disk's, elections. The same seed and the same calls give the same history. */
  readonly seed: number | string;
  /** Voters; 3 by default. */
  readonly servers?: number;
  /** Servers without a vote, named after the voters; 0 by default. */
  readonly observers?: number;
  readonly defect?: Defect;
  readonly timing?: Partial<Timing>;
  /** A learner that lacks more transactions than this gets the whole tree (SNAP); 500 by default, as in ZooKeeper. */
  readonly snapshotBeyond?: number;
  /** The server's clock at virtual time 0, in ms since 1970. */
  readonly epochMs?: number;
}

/** Durations in the ensemble's virtual time. Ranges are [shortest, longest], in microseconds. */
export interface Timing {
  /** As ZooKeeper's tickTime, initLimit and syncLimit. */
  readonly tickMs: number;
  readonly initLimitTicks: number;
  readonly syncLimitTicks: number;
  /** As ZooKeeper's maxSessionTimeout; the least timeout is two ticks. */
  readonly maxSessionTimeoutMs: number;
  readonly bootMs: number;
  /** How long an election waits for a better vote once it has a quorum. */
  readonly finalizeWaitMs: number;
  /** Between two servers, one way. */
  readonly serverLatencyUs: readonly [number, number];
  /** Between client and server, one way. */
  readonly clientLatencyUs: readonly [number, number];
  readonly fsyncUs: readonly [number, number];
  /** The share of messages and disk writes that take ten times as long. */
  readonly slowShare: number;
  /** How soon after a cut has healed a connection's packets get through. */
  readonly retransmitMs: readonly [number, number];
  /** With `ack-before-log` and `unsynced-log`: how long the disk lags behind. */
  readonly writeBackMs: number;
  /** With `commit-without-quorum`: how long after its answer the leader proposes. */
  readonly lateProposalMs: number;
}

/** Failures are noticed within about a second, so that most of what lasts longer has consequences. */
export const defaultTiming: Timing = {
  tickMs: 200,
  initLimitTicks: 15,
  syncLimitTicks: 4,
  maxSessionTimeoutMs: 40_000,
  bootMs: 300,
  finalizeWaitMs: 200,
  serverLatencyUs: [80, 300],
  clientLatencyUs: [60, 250],
  fsyncUs: [150, 800],
  slowShare: 0.01,
  retransmitMs: [5, 200],
  writeBackMs: 1500,
  lateProposalMs: 10,
};

export interface Settings {
  readonly voters: number;
  readonly observers: number;
  readonly defect: Defect | undefined;
  readonly timing: Timing;
  readonly snapshotBeyond: number;
  readonly epochMs: number;
}

/** Options with their defaults. Throws InputError where they make no ensemble. */
export function settingsOf(options: EmbeddedOptions): Settings {
  const voters = options.servers ?? 3;
  const observers = options.observers ?? 0;
  if (!Number.isInteger(voters) || voters < 1 || voters > 63) {
    throw new InputError(`an embedded ensemble of ${voters} servers`, "take 1 to 63, such as 3 or 5");
  }
  if (!Number.isInteger(observers) || observers < 0 || observers > 63) {
    throw new InputError(`${observers} observers`, "take 0 to 63");
  }
  if (options.defect !== undefined && !Object.hasOwn(defects, options.defect)) {
    throw new InputError(
      `unknown defect '${String(options.defect)}'`,
      `there are: ${Object.keys(defects).join(", ")}`,
    );
  }
  return {
    voters,
    observers,
    defect: options.defect,
    timing: { ...defaultTiming, ...options.timing },
    snapshotBeyond: options.snapshotBeyond ?? 500,
    epochMs: options.epochMs ?? Date.UTC(2026, 0, 1),
  };
}
