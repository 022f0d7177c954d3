import {
  at,
  clients,
  disabled,
  each,
  forAll,
  opaque,
  pairs,
  product,
  project,
  servers,
  setOf,
  table,
  update,
  vacuous,
  vocabulary,
  type FiniteSet,
  type Model,
  type ModelDefinition,
  type Now,
  type PerClient,
  type PerPair,
  type PerServer,
  type Server,
} from "../specification/index.ts";
import {
  everSent,
  has,
  put,
  receive,
  undelivered,
  type Bag,
  type Message,
  type LogEntry,
} from "./raft-messages.ts";

/**
 * Raft: a replicated log by elected leaders, one for a term.
 * Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014; the specification is
 * Raft of Vanlightly/raft-tlaplus (standard-raft), state for state, without its view.
 */
interface Raft {
  /** By destination. A message that was delivered stays, with the count 0, and takes part in the state. */
  messages: PerServer<Bag>;
  /** Whether a client knows its value committed; null before it was submitted. */
  acked: PerClient<boolean | null>;
  electionCtr: number;
  restartCtr: number;
  currentTerm: PerServer<number>;
  state: PerServer<"Follower" | "Candidate" | "Leader">;
  votedFor: PerServer<Server | null>;
  log: PerServer<readonly LogEntry[]>;
  commitIndex: PerServer<number>;
  votesGranted: PerServer<FiniteSet<Server>>;
  nextIndex: PerPair<number>;
  matchIndex: PerPair<number>;
  /** At most one request under way to each follower. */
  pendingResponse: PerPair<boolean>;
}

interface Bounds {
  readonly servers: number;
  readonly values: number;
  readonly elections: number;
  readonly restarts: number;
}

const { action, invariant, witness } = vocabulary<Raft>();

const lastTerm = (log: readonly LogEntry[]): number => log.at(-1)?.term ?? 0;

function build(bounds: Bounds, variant: string | undefined): Model<Raft> {
  const Server = servers(bounds.servers, { symmetric: true });
  const Value = clients(bounds.values, { symmetric: true, prefix: "v" });
  const all = Server.members;
  const isQuorum = (set: FiniteSet<Server>): boolean => set.size * 2 > all.length;

  const isEnough = variant === "commits-alone" ? (): boolean => true : isQuorum;
  const checked = (name: string): boolean => variant !== "commits-alone" || name === "NoLogDivergence";

  /** For each server, every message of the type that was not delivered yet, if its term permits it. */
  const receivable = <T extends Message["mtype"]>(
    mtype: T,
    earlierTerms: boolean,
  ): ((now: Now<Raft>) => (readonly [Extract<Message, { mtype: T }>])[])[] =>
    all.map(
      (i) => (now: Now<Raft>) =>
        [...project(now.messages, i, undelivered, mtype)]
          .map((m) => m as Extract<Message, { mtype: T }>)
          .filter((m) => m.mterm === now.currentTerm[i] || (earlierTerms && m.mterm < now.currentTerm[i]))
          .map((m) => [m] as const),
    );

  const send = (next: Raft, message: Message): void => update(next.messages, message.mdest, put, message);
  const deliver = (next: Raft, message: Message): void =>
    update(next.messages, message.mdest, receive, message);
  const wasSent = (now: Now<Raft>, message: Message): boolean =>
    project(now.messages, message.mdest, has, message);

  /** `Reply`: the request is delivered, the response sent, perhaps again. */
  const reply = (next: Raft, response: Message, request: Message): void => {
    deliver(next, request);
    send(next, response);
  };

  const Restart = action(
    "Restart",
    each(Server),
    (now, next, i) => {
      if (now.restartCtr >= bounds.restarts) return disabled;
      next.state[i] = "Follower";
      next.votesGranted[i] = setOf();
      for (const j of all) {
        next.nextIndex[i][j] = 1;
        next.matchIndex[i][j] = 0;
        next.pendingResponse[i][j] = false;
      }
      next.commitIndex[i] = 0;
      next.restartCtr = now.restartCtr + 1;
    },
    { fault: true },
  );

  /** The server times out, votes for itself, and asks all others. */
  const RequestVote = action("RequestVote", each(Server), (now, next, i) => {
    if (now.electionCtr >= bounds.elections || now.state[i] === "Leader") return disabled;
    const mterm = now.currentTerm[i] + 1;
    for (const j of all.filter((other) => other !== i)) {
      const request: Message = {
        mtype: "RequestVoteRequest",
        mterm,
        mlastLogTerm: lastTerm(now.log[i]),
        mlastLogIndex: now.log[i].length,
        msource: i,
        mdest: j,
      };
      if (wasSent(now, request)) return disabled;
      send(next, request);
    }
    next.state[i] = "Candidate";
    next.currentTerm[i] = mterm;
    next.votedFor[i] = i;
    next.votesGranted[i] = setOf(i);
    next.electionCtr = now.electionCtr + 1;
  });

  const BecomeLeader = action("BecomeLeader", each(Server), (now, next, i) => {
    if (now.state[i] !== "Candidate" || !isQuorum(now.votesGranted[i])) return disabled;
    next.state[i] = "Leader";
    for (const j of all) {
      next.nextIndex[i][j] = now.log[i].length + 1;
      next.matchIndex[i][j] = 0;
      next.pendingResponse[i][j] = false;
    }
  });

  const ClientRequest = action("ClientRequest", product(Server, Value), (now, next, i, value) => {
    if (now.state[i] !== "Leader" || now.acked[value] !== null) return disabled;
    next.log[i] = [...now.log[i], { term: now.currentTerm[i], value }];
    next.acked[value] = false;
  });

  /** The leader commits what a quorum has, if the last of it is of its own term. */
  const AdvanceCommitIndex = action("AdvanceCommitIndex", each(Server), (now, next, i) => {
    if (now.state[i] !== "Leader") return disabled;
    const log = now.log[i];
    const agreed = log.findLastIndex((_, index) =>
      isEnough(setOf(i, ...all.filter((k) => now.matchIndex[i][k] >= index + 1))),
    );
    const commitIndex = agreed + 1;
    if (commitIndex <= now.commitIndex[i]) return disabled;
    if (at(log, commitIndex).term !== now.currentTerm[i]) return disabled;
    const committed = log.slice(now.commitIndex[i], commitIndex).map((entry) => entry.value);
    next.commitIndex[i] = commitIndex;
    for (const value of Value.members) {
      if (now.acked[value] === false) next.acked[value] = committed.includes(value);
    }
  });

  /** The leader sends a follower the next entry, or none. An empty request is sent only once. */
  const AppendEntries = action("AppendEntries", pairs(Server), (now, next, i, j) => {
    if (now.state[i] !== "Leader" || now.pendingResponse[i][j]) return disabled;
    const log = now.log[i];
    const nextIndex = now.nextIndex[i][j];
    const lastEntry = Math.min(log.length, nextIndex);
    const request: Message = {
      mtype: "AppendEntriesRequest",
      mterm: now.currentTerm[i],
      mprevLogIndex: nextIndex - 1,
      mprevLogTerm: nextIndex > 1 ? at(log, nextIndex - 1).term : 0,
      mentries: log.slice(nextIndex - 1, lastEntry),
      mcommitIndex: Math.min(now.commitIndex[i], lastEntry),
      msource: i,
      mdest: j,
    };
    if (request.mentries.length === 0 && wasSent(now, request)) return disabled;
    next.pendingResponse[i][j] = true;
    send(next, request);
  });

  /** A message of a later term, delivered or not, advances the term of its receiver. */
  const UpdateTerm = action(
    "UpdateTerm",
    all.map((i) => (now: Now<Raft>) => {
      const term = now.currentTerm[i];
      return [...project(now.messages, i, everSent)].filter((m) => m.mterm > term).map((m) => [m] as const);
    }),
    (_, next, m) => {
      next.currentTerm[m.mdest] = m.mterm;
      next.state[m.mdest] = "Follower";
      next.votedFor[m.mdest] = null;
    },
    { actor: (m) => m.mdest },
  );

  const HandleRequestVoteRequest = action(
    "HandleRequestVoteRequest",
    receivable("RequestVoteRequest", true),
    (now, next, m) => {
      const { mdest: i, msource: j } = m;
      const logOk =
        m.mlastLogTerm > lastTerm(now.log[i]) ||
        (m.mlastLogTerm === lastTerm(now.log[i]) && m.mlastLogIndex >= now.log[i].length);
      const free = now.votedFor[i] === null || now.votedFor[i] === j || variant === "votes-twice";
      const mvoteGranted = m.mterm === now.currentTerm[i] && (logOk || variant === "ignores-logs") && free;
      if (mvoteGranted) next.votedFor[i] = j;
      const mterm = now.currentTerm[i];
      reply(next, { mtype: "RequestVoteResponse", mterm, mvoteGranted, msource: i, mdest: j }, m);
    },
    { actor: (m) => m.mdest },
  );

  const HandleRequestVoteResponse = action(
    "HandleRequestVoteResponse",
    receivable("RequestVoteResponse", false),
    (now, next, m) => {
      if (m.mvoteGranted) next.votesGranted[m.mdest] = now.votesGranted[m.mdest].with(m.msource);
      deliver(next, m);
    },
    { actor: (m) => m.mdest },
  );

  /** `LogOk`: the follower has the entry before. */
  const logOk = (log: readonly LogEntry[], m: Extract<Message, { mtype: "AppendEntriesRequest" }>): boolean =>
    m.mprevLogIndex === 0 || log[m.mprevLogIndex - 1]?.term === m.mprevLogTerm;

  const RejectAppendEntriesRequest = action(
    "RejectAppendEntriesRequest",
    receivable("AppendEntriesRequest", true),
    (now, next, m) => {
      const { mdest: i, msource: j } = m;
      const mterm = now.currentTerm[i];
      if (m.mterm === mterm && (now.state[i] !== "Follower" || logOk(now.log[i], m))) return disabled;
      reply(
        next,
        { mtype: "AppendEntriesResponse", mterm, msuccess: false, mmatchIndex: 0, msource: i, mdest: j },
        m,
      );
    },
    { actor: (m) => m.mdest },
  );

  /** The follower replaces whatever it has after the entry before. */
  const AcceptAppendEntriesRequest = action(
    "AcceptAppendEntriesRequest",
    receivable("AppendEntriesRequest", false),
    (now, next, m) => {
      const { mdest: i, msource: j } = m;
      const log = now.log[i];
      if (now.state[i] === "Leader" || !logOk(log, m)) return disabled;
      next.state[i] = "Follower";
      next.commitIndex[i] = m.mcommitIndex;
      next.log[i] = [...log.slice(0, m.mprevLogIndex), ...m.mentries];
      const response: Message = {
        mtype: "AppendEntriesResponse",
        mterm: now.currentTerm[i],
        msuccess: true,
        mmatchIndex: m.mprevLogIndex + m.mentries.length,
        msource: i,
        mdest: j,
      };
      reply(next, response, m);
    },
    { actor: (m) => m.mdest },
  );

  const HandleAppendEntriesResponse = action(
    "HandleAppendEntriesResponse",
    receivable("AppendEntriesResponse", false),
    (now, next, m) => {
      const { mdest: i, msource: j } = m;
      if (m.msuccess) {
        next.nextIndex[i][j] = m.mmatchIndex + 1;
        next.matchIndex[i][j] = m.mmatchIndex;
      } else next.nextIndex[i][j] = Math.max(now.nextIndex[i][j] - 1, 1);
      next.pendingResponse[i][j] = false;
      deliver(next, m);
    },
    { actor: (m) => m.mdest },
  );

  return {
    name: "raft",
    parameters: { ...bounds },
    ...(variant === undefined ? {} : { variant }),
    identities: [Server, Value],
    initial: [
      {
        messages: table(Server, () => setOf()),
        acked: table(Value, () => null),
        electionCtr: 0,
        restartCtr: 0,
        currentTerm: table(Server, () => 1),
        state: table(Server, () => "Follower"),
        votedFor: table(Server, () => null),
        log: table(Server, () => []),
        commitIndex: table(Server, () => 0),
        votesGranted: table(Server, () => setOf()),
        nextIndex: table(Server, () => table(Server, () => 1)),
        matchIndex: table(Server, () => table(Server, () => 0)),
        pendingResponse: table(Server, () => table(Server, () => false)),
      },
    ],
    actions: [
      Restart,
      RequestVote,
      BecomeLeader,
      ClientRequest,
      AdvanceCommitIndex,
      AppendEntries,
      UpdateTerm,
      HandleRequestVoteRequest,
      HandleRequestVoteResponse,
      RejectAppendEntriesRequest,
      AcceptAppendEntriesRequest,
      HandleAppendEntriesResponse,
    ],
    invariants: [
      /** What two servers have committed is the same. */
      invariant("NoLogDivergence", (now) =>
        forAll(pairs(Server), ([one, other]) => {
          const common = Math.min(now.commitIndex[one], now.commitIndex[other]);
          if (common === 0) return vacuous;
          return [...Array(common).keys()].every((index) => {
            const [a, b] = [at(now.log[one], index + 1), at(now.log[other], index + 1)];
            return a.term === b.term && a.value === b.value;
          });
        }),
      ),
      /** The leader of the highest term has every acknowledged value. */
      invariant("LeaderHasAllAckedValues", (now) =>
        forAll(product(Server, Value), ([i, value]) => {
          if (now.acked[value] !== true || now.state[i] !== "Leader") return vacuous;
          if (all.some((l) => now.currentTerm[l] > now.currentTerm[i])) return vacuous;
          return now.log[i].some((entry) => entry.value === value);
        }),
      ),
      /** Not in the specification; the paper's Election Safety. */
      invariant("OneLeaderPerTerm", (now) => {
        const terms = all.filter((i) => now.state[i] === "Leader").map((i) => now.currentTerm[i]);
        return terms.length === 0 ? vacuous : new Set(terms).size === terms.length;
      }),
    ].filter(({ name }) => checked(name)),
    witnesses: [witness("ValueCommits", (now) => Value.members.some((value) => now.acked[value] === true))],
  };
}

export const raft: ModelDefinition = {
  kind: "model",
  name: "raft",
  summary: "a replicated log by elected leaders",
  source: "Vanlightly/raft-tlaplus, standard-raft; Ongaro and Ousterhout, USENIX ATC 2014",
  parameters: {
    servers: { kind: "integer", summary: "servers", default: 3, minimum: 1, maximum: 5 },
    values: { kind: "integer", summary: "values that clients submit", default: 1, minimum: 1, maximum: 4 },
    elections: { kind: "integer", summary: "MaxElections", default: 1, minimum: 0, maximum: 5 },
    restarts: { kind: "integer", summary: "MaxRestarts", default: 0, minimum: 0, maximum: 5 },
  },
  variants: {
    "votes-twice": {
      summary: "a server votes for whoever asks, also a second time in a term",
      holds: false,
      property: "OneLeaderPerTerm",
      parameters: { elections: 2 },
    },
    "commits-alone": {
      summary: "a leader commits what it has, whoever else has it",
      holds: false,
      property: "NoLogDivergence",
      alone: true,
      parameters: { values: 2, elections: 2 },
    },
    "ignores-logs": {
      summary: "a server votes for a candidate whose log is behind its own",
      holds: false,
      property: "LeaderHasAllAckedValues",
      parameters: { elections: 2 },
    },
  },
  build(parameters, variant) {
    const { servers: count, values, elections, restarts } = parameters as { readonly [name: string]: number };
    return opaque(
      build(
        {
          servers: count as number,
          values: values as number,
          elections: elections as number,
          restarts: restarts as number,
        },
        variant,
      ),
    );
  },
};
