import {
  type LogEnd,
  type LoggedTransaction,
  type ServerDisk,
  type TransactionBody,
  ZnodeTree,
  type Zxid,
} from "../../model/index.ts";

// Ensembles that leave disks behind without a defect, move by move, for tests: Zab as it shows on disk.

/** A source of choices: an integer from 0 to below `bound`. */
export type Choose = (bound: number) => number;

export const clean: LogEnd = { kind: "clean", offset: 0 };

export function zxidOf(epoch: number, counter: number): Zxid {
  return epoch * 0x1_0000_0000 + counter;
}

export interface RecordOptions {
  readonly body?: TransactionBody;
  readonly session?: string;
  readonly cxid?: number;
  readonly digest?: string;
  readonly offset?: number;
}

/** A logged setData, or whatever `body` says. */
export function record(zxid: Zxid, options: RecordOptions = {}): LoggedTransaction {
  const body = options.body ?? { type: "setData", path: "/a", data: `at ${zxid}`, version: 1 };
  const header = { session: options.session ?? "0x1", cxid: options.cxid ?? zxid % 1000, zxid, timeMs: zxid };
  return {
    transaction: { header, body },
    offset: options.offset ?? 16,
    content: JSON.stringify([header, body]),
    ...(options.digest === undefined ? {} : { digest: { version: 2, value: options.digest } }),
  };
}

export interface DiskOptions {
  readonly snapshots?: readonly Zxid[];
  readonly currentEpoch?: number;
  readonly acceptedEpoch?: number;
  readonly end?: LogEnd;
}

/** A server with one log; without snapshots it has the empty one that a new server writes. */
export function disk(
  name: string,
  records: readonly LoggedTransaction[],
  options: DiskOptions = {},
): ServerDisk {
  const epoch = (what: string, value: number | undefined): object =>
    value === undefined ? {} : { [what]: { path: `/${name}/${what}`, epoch: value } };
  const first = records[0]?.transaction.header.zxid ?? zxidOf(1, 1);
  return {
    name,
    logs: [
      { path: `/${name}/log.${first.toString(16)}`, firstZxid: first, records, end: options.end ?? clean },
    ],
    snapshots: (options.snapshots ?? [0]).map((zxid) => ({
      path: `/${name}/snapshot.${zxid.toString(16)}`,
      zxid,
      invalid: undefined,
      sessions: 0,
      nodes: 4,
      newestZxid: zxid,
    })),
    ...epoch("currentEpoch", options.currentEpoch),
    ...epoch("acceptedEpoch", options.acceptedEpoch),
  };
}

interface Server {
  /** What it would know after a restart. */
  history: LoggedTransaction[];
  /** What its logs hold, older divergent records included. */
  log: LoggedTransaction[];
  snapshots: Zxid[];
  currentEpoch: number;
  acceptedEpoch: number;
  /** A record of which only a part was written when the server was killed. */
  torn: boolean;
}

/** An ensemble that follows Zab: elections, synchronization by DIFF, TRUNC and SNAP, broadcast, crashes. */
export class DefectFreeEnsemble {
  readonly #choose: Choose;
  readonly servers: readonly Server[];
  /** Everything that a quorum logged, in order: the acknowledged writes. */
  readonly committed: Set<Zxid> = new Set<Zxid>();
  #epoch = 0;

  constructor(size: number, choose: Choose) {
    this.#choose = choose;
    this.servers = Array.from({ length: size }, () => ({
      history: [],
      log: [],
      snapshots: [0],
      currentEpoch: 0,
      acceptedEpoch: 0,
      torn: false,
    }));
  }

  /** One epoch: election, synchronization, broadcast, until everyone is killed. */
  epoch(): void {
    const quorum = Math.floor(this.servers.length / 2) + 1;
    const members = this.#shuffled().slice(0, quorum + this.#choose(this.servers.length - quorum + 1));
    const leader = members.reduce((best, server) => (newer(server, best) ? server : best));
    this.#epoch += 1;
    for (const server of members) {
      server.acceptedEpoch = this.#epoch;
      server.torn = false;
    }
    const synchronised = [leader];
    leader.currentEpoch = this.#epoch;
    for (const server of members) {
      if (server === leader || this.#choose(8) === 0) continue;
      this.#synchronise(server, leader);
      synchronised.push(server);
    }
    if (synchronised.length >= quorum) this.#broadcast(leader, synchronised, quorum);
    for (const server of this.servers) if (this.#choose(6) === 0) server.torn = true;
  }

  disks(): ServerDisk[] {
    return this.servers.map((server, index) =>
      disk(`server-${index + 1}`, server.log, {
        snapshots: server.snapshots,
        currentEpoch: server.currentEpoch,
        acceptedEpoch: server.acceptedEpoch,
        end: server.torn
          ? { kind: "torn", offset: 99, reason: "the file ends 5 bytes into the record" }
          : clean,
      }),
    );
  }

  #synchronise(server: Server, leader: Server): void {
    const shared = sharedPrefix(server.history, leader.history);
    const before = lastOf(server.history);
    if (this.#choose(3) === 0 || !reachesBack(server, leader)) {
      // SNAP: what the log held stays, and what the snapshot covers is not logged again.
      server.history = [...leader.history];
      server.snapshots.push(Math.max(zxidOf(this.#epoch, 0), lastOf(leader.history)));
    } else {
      if (shared < server.history.length) {
        // TRUNC, which also ends a log that an older divergence would have left behind.
        const kept = new Set(server.history.slice(0, shared).map(({ content }) => content));
        server.log = server.log.filter(
          (each) => kept.has(each.content) || each.transaction.header.zxid <= Math.max(...server.snapshots),
        );
      }
      if (server.snapshots.some((zxid) => zxid > lastOf(leader.history) && before > lastOf(leader.history))) {
        server.snapshots = server.snapshots.filter((zxid) => zxid <= lastOf(leader.history));
      }
      server.log = [...server.log, ...leader.history.slice(shared)];
      server.history = [...leader.history];
      // It broke off and joined again: the last proposal comes a second time.
      const again = server.history.at(-1);
      if (shared < server.history.length && again !== undefined && this.#choose(10) === 0)
        server.log.push(again);
    }
    server.currentEpoch = this.#epoch;
  }

  #broadcast(leader: Server, members: readonly Server[], quorum: number): void {
    for (const each of leader.history) this.committed.add(each.transaction.header.zxid);
    const proposals = this.#choose(5);
    let alive = [...members];
    for (let counter = 1; counter <= proposals; counter += 1) {
      const proposal = this.#proposal(leader, zxidOf(this.#epoch, counter));
      alive = alive.filter((server) => server === leader || this.#choose(5) > 0);
      for (const server of alive) {
        server.history = [...server.history, proposal];
        server.log = [...server.log, proposal];
      }
      if (alive.length < quorum) return;
      this.committed.add(proposal.transaction.header.zxid);
      for (const server of alive) {
        if (this.#choose(8) === 0) server.snapshots.push(proposal.transaction.header.zxid);
      }
      const late = this.servers.find((server) => !members.includes(server) && this.#choose(6) === 0);
      if (late !== undefined && !alive.includes(late)) {
        late.acceptedEpoch = this.#epoch;
        late.torn = false;
        this.#synchronise(late, leader);
        alive.push(late);
      }
    }
  }

  #proposal(leader: Server, zxid: Zxid): LoggedTransaction {
    const path = `/n${this.#choose(4)}`;
    const tree = treeOf(leader.history);
    const node = tree.node(path);
    const kind = this.#choose(4);
    const body: TransactionBody =
      kind === 0
        ? { type: "createSession", timeoutMs: 4000 }
        : node === undefined
          ? {
              type: "create",
              path,
              data: `${zxid}`,
              acl: [],
              ephemeral: false,
              parentCversion: (tree.node("/")?.creates ?? 0) + 1,
            }
          : kind === 1
            ? { type: "delete", path }
            : { type: "setData", path, data: `${zxid}`, version: node.version + 1 };
    const draft = record(zxid, { body, session: `0x${this.#choose(3) + 1}` });
    tree.apply(draft.transaction.header, body);
    return { ...draft, digest: { version: 2, value: `0x${tree.digest.toString(16)}` } };
  }

  #shuffled(): Server[] {
    const order = [...this.servers];
    for (let index = order.length - 1; index > 0; index -= 1) {
      const other = this.#choose(index + 1);
      [order[index], order[other]] = [order[other] as Server, order[index] as Server];
    }
    return order;
  }
}

function treeOf(history: readonly LoggedTransaction[]): ZnodeTree {
  const tree = new ZnodeTree({ digests: true });
  for (const { transaction } of history) tree.apply(transaction.header, transaction.body);
  return tree;
}

function lastOf(history: readonly LoggedTransaction[]): Zxid {
  return history.at(-1)?.transaction.header.zxid ?? 0;
}

/** Whether what remains of the server's snapshots and log after a TRUNC to the leader's history would be that history. */
function reachesBack(server: Server, leader: Server): boolean {
  const last = lastOf(leader.history);
  if (lastOf(server.history) <= last) return true;
  const base = Math.max(...server.snapshots.filter((zxid) => zxid <= last));
  const logged = new Set(server.log.map(({ content }) => content));
  const shared = leader.history.slice(0, sharedPrefix(server.history, leader.history));
  return shared.every(({ transaction, content }) => transaction.header.zxid <= base || logged.has(content));
}

function newer(one: Server, other: Server): boolean {
  if (one.currentEpoch !== other.currentEpoch) return one.currentEpoch > other.currentEpoch;
  return lastOf(one.history) > lastOf(other.history);
}

function sharedPrefix(one: readonly LoggedTransaction[], other: readonly LoggedTransaction[]): number {
  let length = 0;
  while (length < one.length && one[length]?.content === other[length]?.content) length += 1;
  return length;
}
