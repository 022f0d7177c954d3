import {
  clients as clientSet,
  complete,
  disabled,
  each,
  invoke,
  nameOf,
  mention,
  opaque,
  plainStat,
  product,
  servers as serverSet,
  table,
  vocabulary,
  type Action,
  type Client,
  type IdentitySet,
  type Model,
  type ModelDefinition,
  type Now,
  type Parameters,
  type PerClient,
  type PerServer,
  type RecordedEvidence,
  type RecordedHistory,
  type Server,
  type Taken,
  type Value,
} from "../specification/index.ts";

/**
 * A replicated service as small as ZooKeeper can be told: one znode; writes are committed in one order, Zab's; every
 * server delivers them in that order at its own pace; reads are answered by the server that is asked, from what it has
 * delivered. Clients' operations are recorded, and their histories judged.
 *
 * That a quorum commits in one order is taken for granted here: the model zab is about that. An ensemble has one leader
 * that a quorum follows; one that was deposed does not know it for a while, and commits nothing, but still answers reads
 * and syncs (ZOOKEEPER-1675: sync asks no quorum).
 *
 * Sources: Hunt et al., USENIX ATC 2010, §2.3; Lev-Ari, Bortnikov, Keidar, Shraer, IPL 123, 2017.
 */
interface ReplicatedService {
  /** What was written, in Zab's order: the n-th write has zxid n + 1, the znode's creation has zxid 1. */
  log: readonly string[];
  /** How many writes each server has delivered. */
  delivered: PerServer<number>;
  /** Whom each server takes for the leader. */
  leader: PerServer<Server>;
  /** Where each client is connected, and how many writes it has seen. */
  at: PerClient<Server>;
  seen: PerClient<number>;
  call: PerClient<Call | null>;
  /** Operations of each client, for the values that it writes. */
  begun: PerClient<number>;
  moves: number;
  depositions: number;
  history: RecordedHistory;
}

/** An operation under way. `position`: of a write, its place in the order once it is committed; of a read, how many writes it must show. */
type Call = { readonly op: Operation; readonly data: string; readonly position: number | null };
type Operation = "setData" | "getData" | "sync+getData";

const path = "/x";

const { action, witness } = vocabulary<ReplicatedService>();

/** What a variant changes. */
interface Conduct {
  /** Reads ask the leader, and the leader a quorum, up to where they have to show the writes. */
  readonly readsAskQuorum?: boolean;
  /** A new leader may lack the last write, though it was committed. */
  readonly losesWrite?: boolean;
  /** A server takes a client that has seen more than it has delivered. */
  readonly takesAnybody?: boolean;
  /** A server may go back to an older snapshot. */
  readonly goesBack?: boolean;
}

interface Setting extends Conduct {
  readonly servers: IdentitySet<Server>;
  readonly clients: IdentitySet<Client>;
  readonly operations: number;
  readonly moves: number;
  readonly depositions: number;
}

function hasQuorum(now: Now<ReplicatedService>, { servers }: Setting, leader: Server): boolean {
  const followers = servers.members.filter((server) => now.leader[server] === leader);
  return now.leader[leader] === leader && 2 * followers.length > servers.members.length;
}

function dataAfter(log: readonly string[], writes: number): string {
  return log[writes - 1] ?? "";
}

/** What an answer tells of a znode after so many writes. */
function resultOf(log: readonly string[], writes: number): { readonly [name: string]: Value } {
  const data = dataAfter(log, writes);
  return { path, data, stat: plainStat(1, writes + 1, writes, data.length) as unknown as Value };
}

function clientActions(setting: Setting): Action<ReplicatedService>[] {
  const { clients, servers, operations, readsAskQuorum } = setting;
  const all: readonly Operation[] = ["setData", "getData", "sync+getData"];
  const evidence = (now: Now<ReplicatedService>, client: Client, writes: number): RecordedEvidence => {
    return { zxid: writes + 1, server: now.at[client], session: client };
  };
  return [
    action(
      "Invoke",
      clients.members.flatMap((client) => all.map((op): [Client, Operation] => [client, op])),
      (now, next, client, op: Operation) => {
        const begun = clients.members.reduce((sum, each) => sum + now.begun[each], 0);
        if (now.call[client] !== null || begun === operations) return disabled;
        next.begun[client] = now.begun[client] + 1;
        const data = op === "setData" ? `${mention(client)}.${next.begun[client]}` : "";
        next.call[client] = { op, data, position: null };
        const request = op === "setData" ? { path, data, version: -1 } : { path };
        next.history = invoke(next.history, client, op, request);
      },
    ),
    action("Commit", each(clients), (now, next, client) => {
      const call = now.call[client];
      if (call?.op !== "setData" || call.position !== null) return disabled;
      if (!hasQuorum(now, setting, now.leader[now.at[client]])) return disabled;
      next.log = [...now.log, call.data];
      next.call[client] = { ...call, position: next.log.length };
    }),
    // The leader tells up to where a read has to show the writes; a deposed one tells what it knows.
    action("Sync", each(clients), (now, next, client) => {
      const call = now.call[client];
      const asks = call?.op === "sync+getData" || (readsAskQuorum === true && call?.op === "getData");
      if (!asks || call.position !== null) return disabled;
      const leader = now.leader[now.at[client]];
      const isEstablished = hasQuorum(now, setting, leader);
      if (readsAskQuorum === true && !isEstablished) return disabled;
      next.call[client] = { ...call, position: isEstablished ? now.log.length : now.delivered[leader] };
    }),
    action("Answer", each(clients), (now, next, client) => {
      const call = now.call[client];
      const delivered = now.delivered[now.at[client]];
      const isPlainRead = call?.op === "getData" && readsAskQuorum !== true;
      if (call === null || (call.position === null && !isPlainRead)) return disabled;
      if (delivered < (call.position ?? 0)) return disabled;
      const writes = call.op === "setData" ? (call.position ?? 0) : delivered;
      next.call[client] = null;
      next.seen[client] = call.op === "setData" ? writes : Math.max(now.seen[client], writes);
      const result = resultOf(now.log, writes);
      const value = call.op === "setData" ? { ...result, version: -1 } : result;
      next.history = complete(next.history, client, "ok", value, evidence(now, client, writes));
    }),
    action(
      "Move",
      product(clients, servers),
      (now, next, client, server) => {
        if (now.moves === setting.moves || now.at[client] === server) return disabled;
        if (now.delivered[server] < now.seen[client] && setting.takesAnybody !== true) return disabled;
        next.moves = now.moves + 1;
        next.at[client] = server;
        const call = now.call[client];
        if (call === null) return;
        // Nobody knows whether it took effect; what was not committed by now never will.
        next.call[client] = null;
        const request = call.op === "setData" ? { path, data: call.data, version: -1 } : { path };
        next.history = complete(next.history, client, "info", request, {
          session: client,
          server: now.at[client],
          error: "the connection was lost",
        });
      },
      { fault: true },
    ),
  ];
}

function serverActions(setting: Setting): Action<ReplicatedService>[] {
  const { servers, goesBack, losesWrite } = setting;
  return [
    action("Deliver", each(servers), (now, next, server) => {
      if (!hasQuorum(now, setting, now.leader[server]) || now.delivered[server] >= now.log.length)
        return disabled;
      next.delivered[server] = now.delivered[server] + 1;
    }),
    // A quorum follows another leader, which has delivered all that was committed; the old one does not know.
    action(
      "Depose",
      product(servers, servers),
      (now, next, old, leader) => {
        if (now.depositions === setting.depositions || old === leader) return disabled;
        if (!hasQuorum(now, setting, old)) return disabled;
        next.depositions = now.depositions + 1;
        if (losesWrite === true) next.log = now.log.slice(0, -1);
        for (const server of servers.members) {
          if (server !== old) next.leader[server] = leader;
          next.delivered[server] = Math.min(now.delivered[server], next.log.length);
        }
        next.delivered[leader] = next.log.length;
      },
      { fault: true },
    ),
    action("StepDown", each(servers), (now, next, server) => {
      const established = servers.members.find((leader) => hasQuorum(now, setting, leader));
      if (established === undefined || now.leader[server] === established) return disabled;
      next.leader[server] = established;
    }),
    ...(goesBack === true
      ? [
          action("RestoreSnapshot", each(servers), (now, next, server) => {
            if (now.delivered[server] === 0) return disabled;
            next.delivered[server] = now.delivered[server] - 1;
          }),
        ]
      : []),
  ];
}

const variants: ModelDefinition["variants"] & object = {
  "quorum-reads": {
    summary:
      "reads, too, ask a quorum up to where they have to show the writes: they are linearizable, and never stale",
    holds: true,
    source: "Ongaro, Consensus: Bridging Theory and Practice, 2014, §6.4 (read index)",
  },
  "lost-write": {
    summary: "a new leader lacks the last write that was committed: a commit without a quorum",
    holds: false,
    property: "WritesLinearizable",
    source: "Junqueira et al., DSN 2011: a committed transaction is in every later leader's history",
    parameters: { operations: 2, moves: 0 },
  },
  "takes-anybody": {
    summary: "a server takes a client that has seen more than it has delivered itself",
    holds: false,
    property: "SingleSystemImage",
    source: "ZooKeeper Programmer's Guide, Consistency Guarantees: single system image",
    parameters: { operations: 2, depositions: 0 },
  },
  "old-snapshot": {
    summary: "a server goes back to an older snapshot while clients are connected to it",
    holds: false,
    property: "SessionOrder",
    source: "ZooKeeper Programmer's Guide, Consistency Guarantees: reliability",
    parameters: { operations: 2, moves: 0, depositions: 0 },
  },
};

const conducts: { readonly [variant: string]: Conduct } = {
  "quorum-reads": { readsAskQuorum: true },
  "lost-write": { losesWrite: true },
  "takes-anybody": { takesAnybody: true },
  "old-snapshot": { goesBack: true },
};

/** The znode is there before anything else. */
function creation(server: Server): RecordedHistory {
  const request = { path, data: "", mode: "persistent" };
  const begun = invoke([], 0, "create", request);
  return complete(begun, 0, "ok", request, { zxid: 1, server, session: 0 });
}

function initialStates({ servers, clients }: Setting): ReplicatedService[] {
  const [leader] = servers.members as readonly [Server];
  const first = table(servers, () => leader);
  let places: PerClient<Server>[] = [{} as PerClient<Server>];
  for (const client of clients.members) {
    places = places.flatMap((place) => servers.members.map((server) => ({ ...place, [client]: server })));
  }
  return places.map((at) => ({
    log: [],
    delivered: table(servers, () => 0),
    leader: first,
    at,
    seen: table(clients, () => 0),
    call: table(clients, () => null),
    begun: table(clients, () => 0),
    moves: 0,
    depositions: 0,
    history: creation(leader),
  }));
}

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const all = serverSet(Number(parameters["servers"]), { symmetric: false });
  const setting: Setting = {
    servers: all,
    clients: clientSet(Number(parameters["clients"]), { symmetric: true }),
    operations: Number(parameters["operations"]),
    moves: Number(parameters["moves"]),
    depositions: Number(parameters["depositions"]),
    ...conducts[variant ?? ""],
  };
  const { servers, clients } = setting;
  const model: Model<ReplicatedService> = {
    name: "replicated-service",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    // The first server leads at first; the others are alike.
    identities: [{ kind: "identities", members: all.members.slice(1), symmetric: true }, clients],
    initial: initialStates(setting),
    actions: [...clientActions(setting), ...serverActions(setting)],
    witnesses: [
      witness("AServerLags", (now) =>
        servers.members.some((server) => now.delivered[server] < now.log.length),
      ),
      witness("TwoLeaders", (now) =>
        servers.members.some((server) => now.leader[server] === server && !hasQuorum(now, setting, server)),
      ),
    ],
    history: {
      variable: "history",
      promises: [
        { name: "WritesLinearizable", as: "versioned-register", initial: null, only: ["create", "setData"] },
        {
          name: "ReadsLinearizable",
          as: "versioned-register",
          initial: null,
          only: ["create", "setData", "getData"],
        },
        { name: "SessionOrder", as: "zookeeper", verdict: "session-order" },
        { name: "SingleSystemImage", as: "zookeeper", verdict: "single-system-image" },
        { name: "SyncedReads", as: "zookeeper", verdict: "synced-reads", anomaly: "stale-sync" },
      ],
    },
    ghosts: ["history"],
    presentation: { step: words },
  };
  return opaque(model);
}

/** A step in the words of its clients. */
function words(
  before: Now<ReplicatedService>,
  after: Now<ReplicatedService>,
  { action, parameters }: Taken,
): string | undefined {
  const client = parameters[0] as Client;
  const who = nameOf(client);
  const call = before.call[client];
  switch (action) {
    case "Invoke": {
      const data = after.call[client]?.data ?? "";
      return `${who}: ${String(parameters[1])}(${data === "" ? "" : JSON.stringify(data)}), to ${nameOf(before.at[client])}`;
    }
    case "Commit":
      return `${who}: its setData(${JSON.stringify(call?.data)}) is committed as write ${after.log.length}`;
    case "Sync": {
      const leader = before.leader[before.at[client]];
      const isDeposed = after.log.length > before.delivered[leader] && before.at[client] === leader;
      const knows = `${nameOf(leader)} says so${isDeposed ? ", and knows no more" : ""}`;
      return `${who}: its read has to show ${after.call[client]?.position ?? 0} writes: ${knows}`;
    }
    case "Answer": {
      const data = JSON.stringify(dataAfter(before.log, before.delivered[before.at[client]]));
      const writes = before.delivered[before.at[client]];
      const behind = before.log.length - writes;
      const told = `${call?.op} = ${data}${behind === 0 ? "" : `, from a server that is ${behind} behind`}`;
      return `${who}: ${call?.op === "setData" ? "setData is acknowledged" : told}`;
    }
    case "Deliver":
      return `${who}: delivers write ${after.delivered[parameters[0] as Server]}`;
    case "Depose":
      return `${who}: is deposed, and does not know it: a quorum follows ${nameOf(parameters[1] as Server)}`;
    case "StepDown":
      return `${who}: learns of the new leader, and follows it`;
    case "RestoreSnapshot":
      return `${who}: goes back to an older snapshot`;
    case "Move":
      return `${who}: loses its connection, and goes on at ${nameOf(after.at[client])}`;
    default:
      return undefined;
  }
}

/** A small replicated service whose histories are judged. Its reads are not linearizable, nor are ZooKeeper's. */
export const replicatedService: ModelDefinition = {
  kind: "model",
  name: "replicated-service",
  summary: "writes in Zab's order, local reads, syncs that ask no quorum: its clients' histories are judged",
  source: "Hunt et al., USENIX ATC 2010, §2.3; Lev-Ari et al., IPL 123, 2017; ZOOKEEPER-1675",
  parameters: {
    servers: { kind: "integer", summary: "servers", default: 3, minimum: 1, maximum: 5 },
    clients: { kind: "integer", summary: "clients", default: 2, minimum: 1, maximum: 4 },
    operations: { kind: "integer", summary: "operations of all clients", default: 3, minimum: 1, maximum: 9 },
    moves: {
      kind: "integer",
      summary: "how often clients move to another server",
      default: 1,
      minimum: 0,
      maximum: 9,
    },
    depositions: {
      kind: "integer",
      summary: "how often another server becomes leader",
      default: 1,
      minimum: 0,
      maximum: 9,
    },
  },
  variants,
  exploration: { symmetry: true },
  build,
};
