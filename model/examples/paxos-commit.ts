import {
  disabled,
  each,
  opaque,
  product,
  servers,
  setOf,
  table,
  vocabulary,
  type FiniteSet,
  type Invariant,
  type Model,
  type ModelDefinition,
  type PerServer,
  type Server,
  type Table,
} from "../specification/index.ts";
import { minimalMajorities } from "./paxos.ts";
import { consistent, decided } from "./two-phase-commit.ts";

/**
 * Paxos Commit: the decision of each resource manager is an instance of Paxos, so that no single process can block
 * the others. Gray and Lamport, "Consensus on Transaction Commit", TODS 2006; the specification is PaxosCommit of
 * tlaplus/Examples (transaction_commit), state for state.
 * Differs: the set `msgs` is kept by instance, and the leaders' decisions apart, which says the same.
 */
type Vote = "prepared" | "aborted";
type Message =
  | { readonly type: "phase1a"; readonly bal: number }
  | {
      readonly type: "phase1b";
      readonly mbal: number;
      readonly bal: number;
      readonly val: Vote | "none";
      readonly acc: Server;
    }
  | { readonly type: "phase2a"; readonly bal: number; readonly val: Vote }
  | { readonly type: "phase2b"; readonly acc: Server; readonly bal: number; readonly val: Vote };

interface PaxosCommit {
  rmState: PerServer<"working" | "prepared" | "committed" | "aborted">;
  /** Of each instance at each acceptor. */
  aState: PerServer<PerServer<{ readonly mbal: number; readonly bal: number; readonly val: Vote | "none" }>>;
  /** By instance. */
  msgs: PerServer<FiniteSet<Message>>;
  decisions: FiniteSet<"Commit" | "Abort">;
}

const { action, witness } = vocabulary<PaxosCommit>();

/** A ballot and the majority that voted in it. */
type Evidence = readonly [number, FiniteSet<Server>];

function build(
  counts: { readonly managers: number; readonly acceptors: number; readonly ballots: number },
  variant: string | undefined,
): Model<PaxosCommit> {
  const RM = servers(counts.managers, { symmetric: true, prefix: "rm" });
  const Acceptor = servers(counts.acceptors, { symmetric: true, prefix: "a" });
  const Ballot = Array.from({ length: counts.ballots }, (_, ballot) => ballot);
  const Majority = minimalMajorities(Acceptor.members);
  const votes = ["prepared", "aborted"] as const;
  const laterBallots = Ballot.slice(1).flatMap((bal) => each(RM).map(([rm]) => [bal, rm] as const));

  const RMPrepare = action("RMPrepare", each(RM), (now, next, rm) => {
    if (now.rmState[rm] !== "working") return disabled;
    next.rmState[rm] = "prepared";
    next.msgs[rm] = now.msgs[rm].with({ type: "phase2a", bal: 0, val: "prepared" });
  });

  const RMChooseToAbort = action("RMChooseToAbort", each(RM), (now, next, rm) => {
    if (now.rmState[rm] !== "working") return disabled;
    next.rmState[rm] = "aborted";
    next.msgs[rm] = now.msgs[rm].with({ type: "phase2a", bal: 0, val: "aborted" });
  });

  const RMRcvCommitMsg = action("RMRcvCommitMsg", each(RM), (now, next, rm) => {
    if (!now.decisions.has("Commit")) return disabled;
    next.rmState[rm] = "committed";
  });

  const RMRcvAbortMsg = action("RMRcvAbortMsg", each(RM), (now, next, rm) => {
    if (!now.decisions.has("Abort")) return disabled;
    next.rmState[rm] = "aborted";
  });

  /** A leader starts a new ballot for a resource manager that does not answer. Never disabled. */
  const Phase1a = action("Phase1a", laterBallots, (now, next, bal, rm) => {
    next.msgs[rm] = now.msgs[rm].with({ type: "phase1a", bal });
  });

  /** The leader proposes what the majority MS voted for last; "aborted" where it has not voted. */
  const Phase2a = action(
    "Phase2a",
    laterBallots.flatMap(([bal, rm]) => Majority.map((MS) => [bal, rm, MS] as const)),
    (now, next, bal, rm, MS) => {
      if (now.msgs[rm].some((m) => m.type === "phase2a" && m.bal === bal)) return disabled;
      const promises = [...now.msgs[rm]]
        .filter((m) => m.type === "phase1b")
        .filter((m) => m.mbal === bal && MS.has(m.acc));
      if (!MS.every((acc) => promises.some((m) => m.acc === acc))) return disabled;
      const maxbal = Math.max(...promises.map((m) => m.bal));
      const last = promises.find((m) => m.bal === maxbal)?.val;
      const val = maxbal === -1 || variant === "ignored-votes" ? "aborted" : (last as Vote);
      next.msgs[rm] = now.msgs[rm].with({ type: "phase2a", bal, val });
    },
  );

  const chose = (msgs: FiniteSet<Message>, val: Vote, [bal, MS]: Evidence): boolean =>
    MS.every((acc) => msgs.has({ type: "phase2b", bal, val, acc }));

  /**
   * `Decide`: every instance has chosen "prepared", or one has chosen "aborted". TLC yields a successor for each
   * choice of a ballot and a majority that show it.
   */
  const evidence: readonly Evidence[] = Ballot.flatMap((bal) => Majority.map((MS) => [bal, MS] as const));
  const evidenceOfAll = RM.members.reduce<Table<Server, Evidence>[]>(
    (tables, rm) => tables.flatMap((before) => evidence.map((one) => ({ ...before, [rm]: one }))),
    [{} as Table<Server, Evidence>],
  );
  const DecideCommit = action(
    "DecideCommit",
    evidenceOfAll.map((shown) => [shown] as const),
    (now, next, shown) => {
      if (!RM.members.every((rm) => chose(now.msgs[rm], "prepared", shown[rm]))) return disabled;
      next.decisions = now.decisions.with("Commit");
    },
  );
  const DecideAbort = action(
    "DecideAbort",
    each(RM).flatMap(([rm]) => evidence.map((shown) => [rm, shown] as const)),
    (now, next, rm, shown) => {
      if (!chose(now.msgs[rm], "aborted", shown)) return disabled;
      next.decisions = now.decisions.with("Abort");
    },
    { actor: () => undefined },
  );

  /** The acceptor joins a ballot, and tells how it voted last. */
  const Phase1b = action(
    "Phase1b",
    each(Acceptor).flatMap(([acc]) => laterBallots.map(([bal, ins]) => [acc, ins, bal] as const)),
    (now, next, acc, ins, bal) => {
      if (!now.msgs[ins].has({ type: "phase1a", bal })) return disabled;
      const state = now.aState[ins][acc];
      if (state.mbal >= bal) return disabled;
      next.aState[ins][acc] = { ...state, mbal: bal };
      next.msgs[ins] = now.msgs[ins].with({
        type: "phase1b",
        mbal: bal,
        bal: state.bal,
        val: state.val,
        acc,
      });
    },
  );

  /** The acceptor votes, unless it has joined a higher ballot. */
  const Phase2b = action(
    "Phase2b",
    product(Acceptor, RM).flatMap(([acc, ins]) =>
      Ballot.flatMap((bal) => votes.map((val) => [acc, ins, bal, val] as const)),
    ),
    (now, next, acc, ins, bal, val) => {
      if (!now.msgs[ins].has({ type: "phase2a", bal, val }) || now.aState[ins][acc].mbal > bal)
        return disabled;
      next.aState[ins][acc] = { mbal: bal, bal, val };
      next.msgs[ins] = now.msgs[ins].with({ type: "phase2b", bal, val, acc });
    },
  );

  return {
    name: "paxos-commit",
    parameters: counts,
    ...(variant === undefined ? {} : { variant }),
    identities: [RM, Acceptor],
    initial: [
      {
        rmState: table(RM, () => "working"),
        aState: table(RM, () => table(Acceptor, () => ({ mbal: 0, bal: -1, val: "none" }))),
        msgs: table(RM, () => setOf()),
        decisions: setOf(),
      },
    ],
    actions: [
      RMPrepare,
      RMChooseToAbort,
      RMRcvCommitMsg,
      RMRcvAbortMsg,
      Phase1a,
      Phase2a,
      DecideCommit,
      DecideAbort,
      Phase1b,
      Phase2b,
    ],
    invariants: [consistent(RM.members) as unknown as Invariant<PaxosCommit>],
    witnesses: [
      witness("AllCommit", (now) => RM.members.every((rm) => now.rmState[rm] === "committed")),
      witness("AllAbort", (now) => RM.members.every((rm) => now.rmState[rm] === "aborted")),
    ],
    recoverable: [
      { name: "EveryManagerDecides", to: (now) => RM.members.every((rm) => decided(now.rmState[rm])) },
    ],
  };
}

export const paxosCommit: ModelDefinition = {
  kind: "model",
  name: "paxos-commit",
  summary: "atomic commit that no single crash blocks",
  source: "tlaplus/Examples, transaction_commit/PaxosCommit; Gray and Lamport, TODS 2006",
  parameters: {
    managers: { kind: "integer", summary: "resource managers", default: 2, minimum: 1, maximum: 5 },
    acceptors: { kind: "integer", summary: "acceptors", default: 3, minimum: 1, maximum: 5 },
    ballots: {
      kind: "integer",
      summary: "ballots, the resource manager's own included",
      default: 1,
      minimum: 1,
      maximum: 4,
    },
  },
  variants: {
    "ignored-votes": {
      summary: "a new ballot aborts, whatever was voted for before",
      holds: false,
      property: "TCConsistent",
      parameters: { ballots: 2 },
    },
  },
  build(parameters, variant) {
    const { managers, acceptors, ballots } = parameters as {
      managers: number;
      acceptors: number;
      ballots: number;
    };
    return opaque(build({ managers, acceptors, ballots }, variant));
  },
};
