import {
  clients,
  disabled,
  each,
  opaque,
  servers,
  setOf,
  table,
  vacuous,
  vocabulary,
  type Client,
  type FiniteSet,
  type Model,
  type ModelDefinition,
  type Now,
  type PerServer,
  type Server,
} from "../specification/index.ts";

/**
 * Paxos: acceptors choose one value for ever, over numbered ballots, in two phases.
 * Lamport, "The Part-Time Parliament", TOCS 1998; the specification is Paxos of tlaplus/Examples, state for state.
 * Messages stay for ever, so that losing one is never receiving it.
 * Differs: the set `msgs` is kept by its senders, which says the same.
 */
type Request =
  | { readonly type: "1a"; readonly bal: number }
  | { readonly type: "2a"; readonly bal: number; readonly val: Client };
type Promise1b = {
  readonly type: "1b";
  readonly bal: number;
  readonly mbal: number;
  readonly mval: Client | null;
};
type Vote = { readonly type: "2b"; readonly bal: number; readonly val: Client };

interface Paxos {
  /** The highest ballot that an acceptor has heard of. */
  maxBal: PerServer<number>;
  /** Its last vote: the ballot and the value. */
  maxVBal: PerServer<number>;
  maxVal: PerServer<Client | null>;
  /** What the ballots' leaders have sent. */
  requests: FiniteSet<Request>;
  /** What each acceptor has answered. */
  answers: PerServer<FiniteSet<Promise1b | Vote>>;
}

const { action, invariant, witness } = vocabulary<Paxos>();

/** Every smallest majority of a set. */
export function minimalMajorities(members: readonly Server[]): readonly FiniteSet<Server>[] {
  const size = Math.floor(members.length / 2) + 1;
  const choose = (from: readonly Server[], count: number): Server[][] =>
    count === 0
      ? [[]]
      : from.flatMap((first, index) =>
          choose(from.slice(index + 1), count - 1).map((more): Server[] => [first, ...more]),
        );
  return choose(members, size).map((quorum) => setOf(...quorum));
}

function build(
  counts: { readonly acceptors: number; readonly ballots: number; readonly values: number },
  variant: string | undefined,
): Model<Paxos> {
  const Acceptor = servers(counts.acceptors, { symmetric: true, prefix: "a" });
  const Value = clients(counts.values, { symmetric: true, prefix: "v" });
  const Ballot = Array.from({ length: counts.ballots }, (_, ballot) => ballot);
  const Quorum = minimalMajorities(Acceptor.members);

  /** Asks the acceptors to join the ballot. Never disabled. */
  const Phase1a = action(
    "Phase1a",
    Ballot.map((b) => [b] as const),
    (now, next, b) => {
      next.requests = now.requests.with({ type: "1a", bal: b });
    },
  );

  /** The acceptor joins a ballot, and tells how it voted last. */
  const Phase1b = action(
    "Phase1b",
    each(Acceptor).flatMap(([a]) => Ballot.map((b) => [a, b] as const)),
    (now, next, a, b) => {
      if (b <= now.maxBal[a] || !now.requests.has({ type: "1a", bal: b })) return disabled;
      next.maxBal[a] = b;
      next.answers[a] = now.answers[a].with({
        type: "1b",
        bal: b,
        mbal: now.maxVBal[a],
        mval: now.maxVal[a],
      });
    },
  );

  /**
   * Proposes v in the ballot b, when a quorum Q has joined it and nobody of Q has voted, or when v is what the member
   * `voter` of Q voted for in the highest ballot. TLC yields a successor for each such Q and voter.
   */
  const choices = Ballot.flatMap((b) =>
    Value.members.flatMap((v) =>
      Quorum.flatMap((Q) => [null, ...Q].map((voter) => [b, v, Q, voter] as const)),
    ),
  );
  const Phase2a = action("Phase2a", choices, (now, next, b, v, Q, voter) => {
    if (now.requests.some((m) => m.type === "2a" && m.bal === b)) return disabled;
    const promises = new Map<Server, Promise1b>();
    for (const a of Q) {
      const promise = now.answers[a].find((m) => m.type === "1b" && m.bal === b) as Promise1b | undefined;
      if (promise === undefined) return disabled;
      promises.set(a, promise);
    }
    const votes = [...promises.values()].filter((m) => m.mbal >= 0);
    if (voter === null) {
      if (votes.length > 0 && variant !== "ignored-votes") return disabled;
    } else {
      const vote = promises.get(voter);
      if (vote === undefined || vote.mbal < 0 || vote.mval !== v) return disabled;
      if (votes.some((m) => m.mbal > vote.mbal)) return disabled;
    }
    next.requests = now.requests.with({ type: "2a", bal: b, val: v });
  });

  /** The acceptor votes, unless it has joined a higher ballot. */
  const Phase2b = action(
    "Phase2b",
    each(Acceptor).flatMap(([a]) => Ballot.flatMap((b) => Value.members.map((v) => [a, b, v] as const))),
    (now, next, a, b, v) => {
      if (!now.requests.has({ type: "2a", bal: b, val: v })) return disabled;
      if (b < now.maxBal[a] && variant !== "broken-promise") return disabled;
      next.maxBal[a] = b;
      next.maxVBal[a] = b;
      next.maxVal[a] = v;
      next.answers[a] = now.answers[a].with({ type: "2b", bal: b, val: v });
    },
  );

  const chosen = ({ answers }: Now<Paxos>): readonly Client[] =>
    Value.members.filter((v) =>
      Ballot.some((b) => Quorum.some((Q) => Q.every((a) => answers[a].has({ type: "2b", bal: b, val: v })))),
    );

  return {
    name: "paxos",
    parameters: counts,
    ...(variant === undefined ? {} : { variant }),
    identities: [Acceptor, Value],
    initial: [
      {
        maxBal: table(Acceptor, () => -1),
        maxVBal: table(Acceptor, () => -1),
        maxVal: table(Acceptor, () => null),
        requests: setOf(),
        answers: table(Acceptor, () => setOf()),
      },
    ],
    actions: [Phase1a, Phase2a, Phase1b, Phase2b],
    invariants: [
      invariant("Consistency", (now) => {
        const values = chosen(now);
        return values.length === 0 ? vacuous : values.length === 1;
      }),
    ],
    witnesses: [witness("ValueChosen", (now) => chosen(now).length > 0)],
    recoverable: [
      {
        name: "ValueCanBeChosen",
        from: (now) => Acceptor.members.every((a) => now.maxBal[a] < counts.ballots - 1),
        to: (now) => chosen(now).length > 0,
      },
    ],
  };
}

export const paxos: ModelDefinition = {
  kind: "model",
  name: "paxos",
  summary: "consensus on one value by ballots and quorums",
  source: "tlaplus/Examples, Paxos; Lamport, TOCS 1998",
  parameters: {
    acceptors: { kind: "integer", summary: "acceptors", default: 3, minimum: 1, maximum: 7 },
    ballots: { kind: "integer", summary: "ballots", default: 2, minimum: 1, maximum: 5 },
    values: { kind: "integer", summary: "values that may be proposed", default: 2, minimum: 1, maximum: 5 },
  },
  variants: {
    "ignored-votes": {
      summary: "a new ballot proposes any value, whatever was voted for before",
      holds: false,
      property: "Consistency",
    },
    "broken-promise": {
      summary: "acceptors vote in a ballot lower than the one that they have joined",
      holds: false,
      property: "Consistency",
    },
  },
  build(parameters, variant) {
    const { acceptors, ballots, values } = parameters as {
      acceptors: number;
      ballots: number;
      values: number;
    };
    return opaque(build({ acceptors, ballots, values }, variant));
  },
};
