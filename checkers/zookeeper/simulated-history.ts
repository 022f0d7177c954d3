import {
  type Event,
  type EventDraft,
  type Json,
  latestFeatures,
  RequestPreparation,
  serverFeatures,
  sessionEventDraft,
  type SubRequest,
  type Transaction,
  watchEventDraft,
  type WatchEvent,
  type WriteRequest,
  isWrite,
  type LocalRequest,
  znodeCompletion,
  znodeInvocation,
  type ZnodeAnswer,
  type ZnodeRequest,
  ZnodeServer,
} from "../../model/index.ts";

/** Ways in which the simulated ensemble breaks its promises, for tests that the checks can fail. */
export type SimulatedDefect =
  | "lost-write"
  | "applied-twice"
  | "torn-multi"
  | "session-from-the-future"
  | "stale-server-jumps-back"
  | "event-after-data"
  | "event-twice"
  | "event-lost"
  | "missed-change-untold"
  | "ephemeral-survives"
  | "session-lives-on"
  | "number-reused"
  | "wrong-data"
  | "zxid-not-in-real-time"
  | "diverged-server";

export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
  readonly clients?: number;
  readonly servers?: number;
  /** Of 1000 steps of a client, how many end in a lost connection, and how many in a lost session. */
  readonly losses?: number;
  readonly expiries?: number;
  /** Operations on the registers only, for long histories. */
  readonly registersOnly?: boolean;
  readonly defect?: SimulatedDefect;
  /** Releases of the servers, one after the other, where they are not the latest one: "3.8.6". */
  readonly releases?: readonly string[];
  /** Clients ask for persistent and recursive watches, too, and to be rid of them. */
  readonly lastingWatches?: boolean;
}

interface ClientWatches {
  readonly data: Set<string>;
  readonly exists: Set<string>;
  readonly children: Set<string>;
  readonly persistent: Set<string>;
  readonly persistentRecursive: Set<string>;
}

function noWatches(): ClientWatches {
  return {
    data: new Set(),
    exists: new Set(),
    children: new Set(),
    persistent: new Set(),
    persistentRecursive: new Set(),
  };
}

interface Client {
  readonly number: number;
  process: number;
  session: string;
  server: number;
  connection: string;
  lastZxid: number;
  watches: ClientWatches;
  versions: Map<string, number>;
  open:
    | { request: ZnodeRequest; options: { synced?: boolean }; executed: ZnodeAnswer | undefined; xid: number }
    | undefined;
}

interface Drawn {
  readonly request: ZnodeRequest;
  readonly options: { synced?: boolean };
}

const registers = ["/r0", "/r1", "/r2"];
const parents = ["/d0", "/d1"];

/**
 * A history of an ensemble that exists only here: one log, servers that apply it at their own pace, clients whose
 * sessions move and end, all drawn from a seed. Without a defect it keeps every promise by construction.
 */
export function simulatedHistory(options: SimulationOptions): readonly Event[] {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #events: Event[] = [];
  readonly #log: Transaction[] = [];
  readonly #servers: { readonly state: ZnodeServer<string>; applied: number }[] = [];
  readonly #leader: ZnodeServer<string>;
  readonly #preparation: RequestPreparation;
  readonly #clients: Client[] = [];
  readonly #byConnection = new Map<string, Client>();
  readonly #dead = new Set<string>();
  #late: { event: WatchEvent; client: Client }[] = [];
  #random: number;
  #time = 0;
  #sessions = 0;
  #connections = 0;
  #values = 0;
  /** As after an election: epoch 1. */
  #zxid = 2 ** 32;
  #xid = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = (options.seed ^ 0x9e3779b9) >>> 0 || 1;
    const deliver = (connection: string, event: WatchEvent): void => this.#deliver(connection, event);
    for (let i = 0; i < (options.servers ?? 3); i++) {
      const release = options.releases?.[i % options.releases.length];
      const features = release === undefined ? latestFeatures : serverFeatures(release);
      this.#servers.push({ state: new ZnodeServer<string>({ deliver, features }), applied: 0 });
    }
    this.#leader = new ZnodeServer<string>({ deliver: () => {} });
    this.#preparation = new RequestPreparation(this.#leader.tree);
    for (let i = 0; i < (options.clients ?? 4); i++) this.#clients.push(this.#newClient(i));
  }

  run(): readonly Event[] {
    const [first] = this.#clients;
    if (first === undefined) return [];
    for (const path of [...registers, ...parents]) {
      this.#finish(first, { op: "create", path, data: "", mode: "persistent" });
    }
    for (let i = 0; i < this.#options.steps; i++) this.#step();
    for (const client of this.#clients) if (client.open !== undefined) this.#answer(client);
    for (const server of this.#servers) this.#apply(server, this.#log.length);
    this.#finalReads();
    return this.#events;
  }

  #finalReads(): void {
    this.#servers.forEach((_, server) => {
      const client = this.#newClient(100 + server, server);
      this.#servers.forEach((each) => this.#apply(each, this.#log.length));
      for (const path of [...registers, ...parents]) {
        const request: ZnodeRequest = { op: parents.includes(path) ? "getChildren" : "getData", path };
        const marks = { final: true };
        this.#record(znodeInvocation(client.process, request, marks), client);
        let answer = this.#servers[server]?.state.answer(
          request as LocalRequest,
          client.connection,
        ) as ZnodeAnswer;
        if (
          this.#is("diverged-server") &&
          server === 1 &&
          answer.error === null &&
          request.op === "getData"
        ) {
          answer = { ...answer, result: { ...answer.result, data: "diverged" } };
        }
        const outcome = { outcome: "answered", answer, xid: ++this.#xid } as const;
        this.#record(znodeCompletion(client.process, request, outcome, this.#at(client), marks));
      }
    });
  }

  #step(): void {
    const client = this.#pick(this.#clients);
    if (this.#below(3) === 0) {
      const server = this.#pick(this.#servers);
      this.#apply(server, Math.min(this.#log.length, server.applied + 1 + this.#below(3)));
    }
    if (client.open === undefined) {
      if (this.#below(1000) < (this.#options.expiries ?? 5)) this.#expire(client);
      else this.#invoke(client, this.#draw(client));
      return;
    }
    if (this.#below(1000) < (this.#options.losses ?? 20)) this.#lose(client);
    else if (client.open.executed === undefined && this.#below(2) === 0) this.#execute(client);
    else this.#answer(client);
  }

  // ---- clients

  #newClient(number: number, server = this.#below(this.#servers.length)): Client {
    const client: Client = {
      number,
      process: number,
      session: "",
      server,
      connection: "",
      lastZxid: 0,
      watches: noWatches(),
      versions: new Map(),
      open: undefined,
    };
    this.#openSession(client);
    return client;
  }

  #openSession(client: Client): void {
    client.session = `0x${(0x1000 + ++this.#sessions).toString(16)}`;
    const header = { session: client.session, cxid: 0, zxid: ++this.#zxid, timeMs: this.#timeMs() };
    this.#append({ header, body: this.#preparation.createSession(header, 4000) });
    client.lastZxid = 0;
    client.watches = noWatches();
    this.#connect(client, false);
  }

  #connect(client: Client, resumed: boolean): void {
    client.connection = `c${++this.#connections}`;
    this.#byConnection.set(client.connection, client);
    const { session, process, lastZxid } = client;
    const server = this.#nameOf(client.server);
    this.#record(
      sessionEventDraft({
        f: "connect",
        session,
        process,
        server,
        resumed,
        timeoutMs: 4000,
        lastZxidSeen: lastZxid,
      }),
    );
  }

  #disconnect(client: Client): void {
    this.#servers[client.server]?.state.disconnect(client.connection);
    this.#byConnection.delete(client.connection);
    this.#late = this.#late.filter((late) => late.client !== client);
    const { session, process } = client;
    const server = this.#nameOf(client.server);
    this.#record(sessionEventDraft({ f: "disconnect", session, process, server, reason: "lost" }));
  }

  /** The connection is lost while a request is under way: it may have been executed, or may be later, or never. */
  #lose(client: Client): void {
    const open = client.open;
    if (open === undefined) return;
    if (open.executed === undefined && this.#below(2) === 0) this.#execute(client);
    const outcome = { outcome: "unknown", reason: "connection lost", xid: open.xid } as const;
    this.#record(znodeCompletion(client.process, open.request, outcome, this.#at(client), open.options));
    client.open = undefined;
    this.#disconnect(client);
    client.process += 1000;
    if (open.request.op === "closeSession") this.#openSession(client);
    else this.#move(client);
  }

  #move(client: Client): void {
    client.server = (client.server + 1 + this.#below(this.#servers.length - 1)) % this.#servers.length;
    const server = this.#servers[client.server];
    if (server === undefined) return;
    const seen = this.#log.findIndex(({ header }) => header.zxid > client.lastZxid);
    const needed = seen === -1 ? this.#log.length : seen;
    if (!this.#is("session-from-the-future") && server.applied < needed) this.#apply(server, needed);
    this.#connect(client, true);
    const { data, exists, children, persistent, persistentRecursive } = client.watches;
    const lists = {
      data: [...data],
      exists: [...exists],
      children: [...children],
      persistent: [...persistent],
      persistentRecursive: [...persistentRecursive],
    };
    if (Object.values(lists).every((list) => list.length === 0)) return;
    const relativeZxid = this.#is("missed-change-untold") ? this.#zxid : client.lastZxid;
    const request: ZnodeRequest = { op: "setWatches", relativeZxid, ...lists };
    const told = { ...request, relativeZxid: client.lastZxid };
    this.#record(znodeInvocation(client.process, told), client);
    const answer = server.state.answer(request, client.connection);
    const outcome = { outcome: "answered", answer, xid: ++this.#xid } as const;
    this.#record(znodeCompletion(client.process, told, outcome, this.#at(client)));
    client.lastZxid = Math.max(client.lastZxid, answer.zxid);
  }

  /** The session ends unseen by its client, which finds out and opens another one. */
  #expire(client: Client): void {
    const session = client.session;
    this.#disconnect(client);
    const header = { session, cxid: 0, zxid: ++this.#zxid, timeMs: this.#timeMs() };
    this.#time += 5e9;
    this.#append({ header, body: this.#closing(header) });
    this.#dead.add(session);
    this.#record(sessionEventDraft({ f: "session-expired", session, process: client.process }));
    if (this.#is("session-lives-on") && this.#below(2) === 0) {
      client.connection = `c${++this.#connections}`;
      this.#finish(client, { op: "getData", path: "/r0" });
    }
    client.process += 1000;
    this.#openSession(client);
  }

  #closing(header: Transaction["header"]): Transaction["body"] {
    const body = this.#preparation.closeSession(header);
    if (!this.#is("ephemeral-survives") || body.type !== "closeSession") return body;
    const [, ...others] = body.paths ?? [];
    return { type: "multi", transactions: others.map((path) => ({ type: "delete", path })) };
  }

  #draw(client: Client): Drawn {
    const path = this.#pick(registers);
    const watch = this.#below(4) === 0 ? { watch: true } : {};
    const data = `${client.number}.${++this.#values}`;
    const version = this.#below(2) === 0 ? -1 : (client.versions.get(path) ?? 0);
    const lasting = this.#options.lastingWatches === true;
    if (lasting && this.#below(12) === 0) return { request: this.#drawLasting(path), options: {} };
    const kinds = this.#options.registersOnly === true ? 6 : 14;
    const plain = (request: ZnodeRequest): { request: ZnodeRequest; options: object } => ({
      request,
      options: {},
    });
    const parent = this.#pick(parents);
    switch (this.#below(kinds)) {
      case 0:
      case 1:
        return plain({ op: "setData", path, data, version });
      case 2:
      case 3:
        return plain({ op: "getData", path, ...watch });
      case 4:
        return plain({ op: "exists", path, ...watch });
      case 5:
        return { request: { op: "getData", path }, options: { synced: true } };
      case 6:
        return plain({ op: "create", path: `${parent}/e-`, data, mode: "ephemeral-sequential" });
      case 7:
        return plain({ op: "create", path: `${parent}/n${this.#below(3)}`, data, mode: "ephemeral" });
      case 8:
        return plain({ op: "create", path: `${parent}/p${this.#below(2)}`, data, mode: "persistent" });
      case 9:
        return plain({
          op: "delete",
          path: `${parent}/${this.#pick(["n0", "n1", "p0", "p1"])}`,
          version: -1,
        });
      case 10:
      case 11:
        return plain({ op: "getChildren", path: parent, ...watch });
      case 12:
        return plain({ op: "exists", path: `${parent}/${this.#pick(["n0", "n1", "p0"])}`, ...watch });
      default:
        return plain({ op: "multi", operations: this.#multi(data) });
    }
  }

  #drawLasting(register: string): ZnodeRequest {
    const path = this.#pick([register, ...parents]);
    const kind = this.#below(3);
    if (kind === 0) return { op: "removeWatches", path, kind: "any" };
    return { op: "addWatch", path, mode: kind === 1 ? "persistent" : "persistent-recursive" };
  }

  #multi(data: string): readonly SubRequest[] {
    return [
      { op: "setData", path: "/r0", data, version: -1 },
      { op: "setData", path: "/r1", data, version: -1 },
      ...(this.#below(3) === 0 ? [{ op: "check", path: "/r2", version: 1 } as const] : []),
    ];
  }

  #invoke(client: Client, { request, options }: Drawn): void {
    this.#record(znodeInvocation(client.process, request, options), client);
    client.open = { request, options, executed: undefined, xid: ++this.#xid };
  }

  /** The leader takes a write up; its answer is to come from the client's own server. */
  #execute(client: Client): void {
    const open = client.open;
    if (open === undefined || !isWrite(open.request)) return;
    open.executed = this.#write(client, open.request, open.xid);
  }

  #write(client: Client, request: WriteRequest, xid: number): ZnodeAnswer {
    const defective = this.#below(20) === 0;
    if (this.#is("lost-write") && defective && request.op === "setData") return this.#pretend(request);
    const header = { session: client.session, cxid: xid, zxid: ++this.#zxid, timeMs: this.#timeMs() };
    let body = this.#preparation.prepare(header, request);
    if (this.#is("torn-multi") && defective && body.type === "multi") {
      const [first] = body.transactions;
      const answer = this.#append({ header, body: first ?? body });
      if (answer.error !== null) return answer;
      const stat = answer.result.stat;
      if (stat === undefined) return answer;
      const results = body.transactions.map((part) =>
        part.type === "check" ? ({ op: "check" } as const) : ({ op: "setData", stat } as const),
      );
      return { error: null, zxid: header.zxid, result: { results } };
    }
    if (this.#is("number-reused") && body.type === "create" && body.path.includes("/e-")) {
      const again = body.path.replace(/\d{10}$/, "0000000000");
      if (this.#leader.tree.node(again) === undefined) body = { ...body, path: again };
    }
    const answer = this.#append({ header, body });
    if (this.#is("applied-twice") && defective && body.type === "setData" && answer.error === null) {
      this.#append({ header, body: { ...body, version: body.version + 1 } });
    }
    if (this.#is("zxid-not-in-real-time") && defective)
      return { ...answer, zxid: Math.max(1, answer.zxid - 5) };
    return answer;
  }

  /** An answer to a write that never reached the log. */
  #pretend(request: Extract<WriteRequest, { op: "setData" }>): ZnodeAnswer {
    const node = this.#leader.answer({ op: "exists", path: request.path }, "");
    const zxid = ++this.#zxid;
    if (node.error !== null || node.result.stat === undefined) return { error: "NoNode", zxid };
    const { stat } = node.result;
    if (request.version !== -1 && request.version !== stat.version) return { error: "BadVersion", zxid };
    const dataLength = request.data?.length ?? 0;
    const changed = { ...stat, mzxid: zxid, version: stat.version + 1, dataLength };
    return { error: null, zxid, result: { stat: changed } };
  }

  #answer(client: Client): void {
    const open = client.open;
    const server = this.#servers[client.server];
    if (open === undefined || server === undefined) return;
    if (isWrite(open.request) && open.executed === undefined) this.#execute(client);
    let answer = open.executed;
    if (answer !== undefined) {
      this.#apply(server, this.#log.length);
    } else {
      if (open.options.synced === true) this.#apply(server, this.#log.length);
      answer = server.state.answer(open.request as LocalRequest, client.connection);
      if (this.#is("stale-server-jumps-back") && this.#below(30) === 0)
        answer = this.#older(open.request, answer);
      if (
        this.#is("wrong-data") &&
        this.#below(30) === 0 &&
        answer.error === null &&
        open.request.op === "getData"
      ) {
        answer = { ...answer, result: { ...answer.result, data: "wrong" } };
      }
    }
    client.open = undefined;
    const outcome = { outcome: "answered", answer, xid: open.xid } as const;
    this.#record(znodeCompletion(client.process, open.request, outcome, this.#at(client), open.options));
    client.lastZxid = Math.max(client.lastZxid, answer.zxid);
    this.#note(client, open.request, answer);
    this.#deliverLate();
  }

  /** What the tree showed some transactions ago. */
  #older(request: ZnodeRequest, answer: ZnodeAnswer): ZnodeAnswer {
    if (isWrite(request) || this.#log.length < 12) return answer;
    const past = new ZnodeServer<string>({ deliver: () => {} });
    const until = this.#log.findIndex(({ header }) => header.zxid >= answer.zxid) - 4;
    for (const { header, body } of this.#log.slice(0, Math.max(8, until))) past.apply(header, body);
    return past.answer(request as LocalRequest, "");
  }

  #finish(client: Client, request: ZnodeRequest): void {
    this.#invoke(client, { request, options: {} });
    this.#answer(client);
  }

  #note(client: Client, request: ZnodeRequest, answer: ZnodeAnswer): void {
    const stat = answer.error === null ? answer.result.stat : undefined;
    if (stat !== undefined && "path" in request) client.versions.set(request.path, stat.version);
    if (answer.error === null && request.op === "addWatch")
      client.watches[request.mode === "persistent" ? "persistent" : "persistentRecursive"].add(request.path);
    if (answer.error === null && request.op === "removeWatches")
      for (const paths of Object.values(client.watches)) paths.delete(request.path);
    if (!("watch" in request) || request.watch !== true) return;
    if (answer.error === null)
      client.watches[request.op === "getChildren" ? "children" : "data"].add(request.path);
    else if (request.op === "exists" && answer.error === "NoNode") client.watches.exists.add(request.path);
  }

  // ---- servers

  #append(transaction: Transaction): ZnodeAnswer {
    this.#log.push(transaction);
    const answer = this.#leader.apply(transaction.header, transaction.body);
    this.#preparation.applied(transaction.header.zxid);
    return answer;
  }

  #apply(server: { readonly state: ZnodeServer<string>; applied: number }, until: number): void {
    for (; server.applied < until; server.applied++) {
      const transaction = this.#log[server.applied];
      if (transaction !== undefined) server.state.apply(transaction.header, transaction.body);
    }
  }

  #deliver(connection: string, event: WatchEvent): void {
    const client = this.#byConnection.get(connection);
    if (client === undefined || this.#dead.has(client.session)) return;
    const defective = this.#below(5) === 0;
    if (this.#is("event-lost") && defective) return;
    if (this.#is("event-after-data") && defective) {
      this.#late.push({ event, client });
      return;
    }
    this.#tell(client, event);
    if (this.#is("event-twice") && defective) this.#tell(client, event);
  }

  #deliverLate(): void {
    const late = this.#late;
    this.#late = [];
    for (const { event, client } of late) this.#tell(client, event);
  }

  #tell(client: Client, event: WatchEvent): void {
    this.#record(watchEventDraft(event, { ...this.#at(client), process: client.process }));
    const { data, exists, children } = client.watches;
    if (event.type !== "NodeChildrenChanged") for (const paths of [data, exists]) paths.delete(event.path);
    if (event.type === "NodeChildrenChanged" || event.type === "NodeDeleted") children.delete(event.path);
  }

  // ---- history and chance

  #record(draft: EventDraft, client?: Client): void {
    const { process, type, f, value, ...evidence } = draft;
    const place = client === undefined ? {} : this.#at(client);
    this.#time += 1 + this.#below(1_000_000);
    const copied = JSON.parse(JSON.stringify(value)) as Json;
    this.#events.push({
      index: this.#events.length,
      time: this.#time,
      process,
      type,
      f,
      value: copied,
      ...place,
      ...evidence,
    });
  }

  #at(client: Client): { session: string; server: string } {
    return { session: client.session, server: this.#nameOf(client.server) };
  }

  #nameOf(server: number): string {
    return `server-${server + 1}`;
  }

  #timeMs(): number {
    return Math.floor(this.#time / 1e6);
  }

  #is(defect: SimulatedDefect): boolean {
    return this.#options.defect === defect;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  /** xorshift32 (Marsaglia, Journal of Statistical Software 8(14), 2003). */
  #below(bound: number): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x >>> 0;
    return this.#random % bound;
  }
}
