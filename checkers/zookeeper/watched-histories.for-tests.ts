import fc from "fast-check";
import {
  type Event,
  HistoryBuilder,
  isWrite,
  type LocalRequest,
  RequestPreparation,
  serverFeatures,
  sessionEventDraft,
  type Transaction,
  type WatchEvent,
  watchEventDraft,
  watchesProcess,
  type WriteRequest,
  type ZnodeAnswer,
  znodeCompletion,
  znodeInvocation,
  type ZnodeRequest,
  ZnodeServer,
  type Zxid,
} from "../../model/index.ts";

/** What happens next, of two sessions that watch and others that write. */
export type Move =
  | { readonly what: "ask"; readonly session: 0 | 1; readonly request: ZnodeRequest }
  /** The session's server takes up its next request, or applies what it has not yet. */
  | { readonly what: "serve" | "apply"; readonly session: 0 | 1 }
  /** One of the replies that were delivered is noted. */
  | { readonly what: "note"; readonly session: 0 | 1; readonly which: number }
  | { readonly what: "write"; readonly request: ZnodeRequest }
  /** The session loses its connection, and with `isLost` the answer to its last request; it sets its watches again. */
  | {
      readonly what: "cut";
      readonly session: 0 | 1;
      readonly isLost: boolean;
      /** Nothing in the history says so, if an answer is lost. */
      readonly isUntold?: boolean;
      readonly toOld: boolean;
      readonly meanwhile: readonly ZnodeRequest[];
    };

const paths = fc.constantFrom("/a", "/a/b", "/c");
const change = fc.oneof(
  paths.map((path): ZnodeRequest => ({ op: "setData", path, data: "x", version: -1 })),
  paths.map((path): ZnodeRequest => ({ op: "create", path, data: "", mode: "persistent" })),
  paths.map((path): ZnodeRequest => ({ op: "delete", path, version: -1 })),
);
const multi = fc
  .array(change, { minLength: 2, maxLength: 3 })
  .map((operations) => ({ op: "multi", operations }) as unknown as ZnodeRequest);
const numbered: ZnodeRequest = { op: "create", path: "/a/s-", data: "", mode: "persistent-sequential" };
const write = fc.oneof(
  { weight: 12, arbitrary: change },
  { weight: 2, arbitrary: multi },
  { weight: 1, arbitrary: fc.constant(numbered) },
);
const mortalWrite = fc.oneof(
  { weight: 4, arbitrary: write },
  { weight: 2, arbitrary: paths.map((path) => ({ ...ephemeral, path })) },
  { weight: 1, arbitrary: fc.constant<ZnodeRequest>({ op: "closeSession" }) },
);
const ephemeral: ZnodeRequest = { op: "create", path: "/a/b", data: "", mode: "ephemeral" };

const watching = fc
  .tuple(
    fc.constantFrom(true, true, true, false),
    paths,
    fc.nat(13),
    fc.constantFrom("any" as const, "any" as const, "data" as const, "children" as const),
  )
  .map(([watch, path, kind, removed]): ZnodeRequest => {
    if (kind === 0) return { op: "addWatch", path, mode: "persistent" };
    if (kind === 1) return { op: "addWatch", path, mode: "persistent-recursive" };
    if (kind === 2) return { op: "removeWatches", path, kind: removed };
    return { op: (["getData", "exists", "getChildren"] as const)[kind % 3] as "exists", path, watch };
  });
const session = fc.constantFrom(0, 0, 0, 1) as fc.Arbitrary<0 | 1>;

function movesOf(writes: fc.Arbitrary<ZnodeRequest>): fc.Arbitrary<readonly Move[]> {
  const ask = fc.oneof({ weight: 6, arbitrary: watching }, { weight: 1, arbitrary: change });
  const move = fc.oneof<fc.MaybeWeightedArbitrary<Move>[]>(
    { weight: 5, arbitrary: fc.record({ what: fc.constant("ask"), session, request: ask }) },
    {
      weight: 5,
      arbitrary: fc.record({ what: fc.constantFrom("serve", "serve", "serve", "apply"), session }),
    },
    { weight: 4, arbitrary: fc.record({ what: fc.constant("note"), session, which: fc.nat(2) }) },
    { weight: 6, arbitrary: fc.record({ what: fc.constant("write"), request: writes }) },
    {
      weight: 1,
      arbitrary: fc.record({
        what: fc.constant("cut"),
        session,
        isLost: fc.boolean(),
        isUntold: fc.boolean(),
        toOld: fc.boolean(),
        meanwhile: fc.array(writes, { maxLength: 3 }),
      }),
    },
  );
  return fc.array(move, { minLength: 4, maxLength: 40, size: "max" });
}

/** What a client knows of its watches: those that it will set again after a reconnection. */
class ClientWatches {
  readonly #paths = {
    data: new Set<string>(),
    exists: new Set<string>(),
    children: new Set<string>(),
    persistent: new Set<string>(),
    persistentRecursive: new Set<string>(),
  };
  #newest: Zxid = 0;

  answered(request: ZnodeRequest, { error, zxid }: ZnodeAnswer): void {
    this.#newest = Math.max(this.#newest, zxid);
    if (request.op === "addWatch")
      this.#paths[request.mode === "persistent" ? "persistent" : "persistentRecursive"].add(request.path);
    if (request.op === "removeWatches" && error === null) {
      const { data, exists, children } = this.#paths;
      const removed = { any: Object.values(this.#paths), data: [data, exists], children: [children] };
      for (const paths of removed[request.kind]) paths.delete(request.path);
    }
    if (!("watch" in request) || request.watch !== true) return;
    if (error === null) this.#paths[request.op === "getChildren" ? "children" : "data"].add(request.path);
    else if (request.op === "exists") this.#paths.exists.add(request.path);
  }

  told({ type, path }: WatchEvent): void {
    const { data, exists, children } = this.#paths;
    if (type !== "NodeChildrenChanged") for (const paths of [data, exists]) paths.delete(path);
    if (type === "NodeChildrenChanged" || type === "NodeDeleted") children.delete(path);
  }

  setAgain(): ZnodeRequest {
    const { data, exists, children, persistent, persistentRecursive } = this.#paths;
    return {
      op: "setWatches",
      relativeZxid: this.#newest,
      data: [...data],
      exists: [...exists],
      children: [...children],
      persistent: [...persistent],
      persistentRecursive: [...persistentRecursive],
    };
  }
}

interface OpenRequest {
  readonly process: number;
  readonly request: ZnodeRequest;
  answer: ZnodeAnswer | undefined;
}

/** A session that watches: its requests are answered in order, and noted at any time after that. */
interface Watcher {
  readonly name: string;
  readonly first: number;
  readonly watches: ClientWatches;
  server: Server;
  open: OpenRequest[];
  requests: number;
}

interface Server {
  readonly state: ZnodeServer<string>;
  applied: number;
}

const openMax = 3;

/** Servers of two releases that apply one log at their own pace, and what their clients see. */
class World {
  readonly builder = new HistoryBuilder();
  readonly #log: Transaction[] = [];
  readonly #leader = new ZnodeServer<string>({ deliver: () => {} });
  readonly #preparation = new RequestPreparation(this.#leader.tree, { checkSessions: false });
  readonly #servers: readonly (readonly [recent: Server, old: Server])[];
  readonly #watchers: readonly Watcher[];
  #zxid = 0;
  #xid = 0;
  #writers = 2;
  readonly #losesAny: boolean;

  constructor({ startsOld, losesAny = false }: Plan) {
    this.#losesAny = losesAny;
    this.#servers = [0, 1].map(() => [this.#server("3.9.5"), this.#server("3.8.6")]);
    this.#watchers = [0, 1].map((i) => ({
      name: `0x${i + 1}00`,
      first: 100 * (i + 1),
      watches: new ClientWatches(),
      server: (this.#servers[i] as readonly Server[])[startsOld ? 1 : 0] as Server,
      open: [],
      requests: 0,
    }));
    for (const path of ["/a", "/c"]) this.write({ op: "create", path, data: "", mode: "persistent" });
    for (const server of this.#servers.flat()) this.#apply(server, this.#log.length);
  }

  take(move: Move): void {
    if (move.what === "write") return this.write(move.request);
    const watcher = this.#watchers[move.session] as Watcher;
    if (move.what === "ask") this.#ask(watcher, move.request);
    else if (move.what === "serve") this.#serve(watcher);
    else if (move.what === "note") this.#note(watcher, move.which);
    else if (move.what === "cut") this.#cut(watcher, move);
    else this.#apply(watcher.server, this.#log.length);
  }

  end(): void {
    for (const watcher of this.#watchers) {
      this.#finish(watcher, 0);
      this.#apply(watcher.server, this.#log.length);
    }
  }

  write(request: ZnodeRequest): void {
    const process = this.#writers;
    const name = `0x${process}`;
    this.builder.add({ ...znodeInvocation(process, request), session: name });
    const answer = this.#append(name, request as WriteRequest);
    this.#complete(process, name, request, answer);
    if (request.op === "closeSession") this.#writers++;
  }

  #server(version: string): Server {
    const deliver = (name: string, event: WatchEvent): void => {
      const watcher = this.#watchers.find((each) => each.name === name) as Watcher;
      this.builder.add(watchEventDraft(event, { session: name, server: version, process: watcher.first }));
      watcher.watches.told(event);
    };
    return { state: new ZnodeServer<string>({ deliver, features: serverFeatures(version) }), applied: 0 };
  }

  #append(session: string, request: WriteRequest): ZnodeAnswer {
    const header = { session, cxid: 0, zxid: ++this.#zxid, timeMs: 0 };
    const body = this.#preparation.prepare(header, request);
    this.#log.push({ header, body });
    const answer = this.#leader.apply(header, body);
    this.#preparation.applied(this.#zxid);
    return answer;
  }

  #apply(server: Server, upTo: number): void {
    for (; server.applied < upTo; server.applied++) {
      const { header, body } = this.#log[server.applied] as Transaction;
      server.state.apply(header, body);
    }
  }

  #complete(process: number, session: string, request: ZnodeRequest, answer: ZnodeAnswer | undefined): void {
    const where = { session, server: "server" };
    const xid = ++this.#xid;
    const outcome =
      answer === undefined
        ? ({ outcome: "unknown", reason: "the connection was lost", xid } as const)
        : ({ outcome: "answered", answer, xid } as const);
    this.builder.add(znodeCompletion(process, request, outcome, where));
  }

  #ask(watcher: Watcher, request: ZnodeRequest): void {
    if (watcher.open.length === openMax) return;
    const process = watcher.first + watcher.requests++;
    this.builder.add({ ...znodeInvocation(process, request), session: watcher.name });
    watcher.open.push({ process, request, answer: undefined });
  }

  #serve({ name, open, server }: Watcher): void {
    const next = open.find(({ answer }) => answer === undefined);
    if (next === undefined) return;
    if (isWrite(next.request)) {
      next.answer = this.#append(name, next.request as WriteRequest);
      this.#apply(server, this.#log.length);
    } else next.answer = server.state.answer(next.request as LocalRequest, name);
  }

  #note(watcher: Watcher, which: number): void {
    const delivered = watcher.open.filter(({ answer }) => answer !== undefined);
    const one = delivered[which % Math.max(1, delivered.length)];
    if (one?.answer === undefined) return;
    watcher.open = watcher.open.filter((each) => each !== one);
    this.#complete(one.process, watcher.name, one.request, one.answer);
    watcher.watches.answered(one.request, one.answer);
  }

  /** All requests but so many are answered, and noted. */
  #finish(watcher: Watcher, except: number): void {
    while (watcher.open.length > except) {
      if (watcher.open[0]?.answer === undefined) this.#serve(watcher);
      this.#note(watcher, 0);
    }
  }

  #cut(watcher: Watcher, move: Extract<Move, { what: "cut" }>): void {
    const { isLost, isUntold = false, toOld, meanwhile } = move;
    const last = watcher.open.at(-1);
    // A reply to a later request would show that this one was answered.
    const isLast = last?.process === watcher.first + watcher.requests - 1;
    const asksWatch = last !== undefined && ("watch" in last.request || last.request.op === "addWatch");
    this.#finish(watcher, isLost && isLast && (asksWatch || this.#losesAny) ? 1 : 0);
    const isSilent = this.#losesAny && isUntold && watcher.open.length > 0;
    const { name, first, server } = watcher;
    for (const { process, request } of watcher.open.splice(0))
      this.#complete(process, name, request, undefined);
    server.state.disconnect(name);
    const parting = { session: name, server: "server", process: first, reason: "lost" };
    if (!isSilent) this.builder.add(sessionEventDraft({ f: "disconnect", ...parting }));
    for (const request of meanwhile) this.write(request);
    const [recent, old] = this.#servers[this.#watchers.indexOf(watcher)] as readonly [Server, Server];
    watcher.server = toOld ? old : recent;
    this.#apply(watcher.server, this.#log.length);
    this.#ask(watcher, watcher.watches.setAgain());
  }
}

export type Damage =
  "none" | "lost" | "twice" | "moved" | "elsewhere" | "retyped" | "without zxid" | "other zxid";

/** The history with one watch event lost, told twice, at another time, or saying something else. */
export interface Plan {
  readonly moves: readonly Move[];
  /** Whether the sessions begin on servers that tell no zxids and have one mode for each watched path. */
  readonly startsOld: boolean;
  /** Any answer may be lost, those to writes among them, and no event need tell that a connection is gone. */
  readonly losesAny?: boolean;
  readonly damage: Damage;
  readonly which: number;
  readonly by: number;
}

/** What the sessions see on servers that keep their promises. */
export function historyOf(plan: Plan): readonly Event[] {
  const world = new World(plan);
  for (const move of plan.moves) world.take(move);
  world.end();
  return world.builder.events;
}

const others = ["/a", "/a/b", "/c", "/nobody"];
const types = ["NodeCreated", "NodeDeleted", "NodeDataChanged", "NodeChildrenChanged"];

/** What is changed in an event of a watch. */
function altered(event: Event, damage: Damage, by: number): Event {
  const value = event.value as { readonly path: string; readonly watchZxid: number };
  const at = (list: readonly string[], one: string): string =>
    list[(list.indexOf(one) + 1 + Math.abs(by)) % list.length] as string;
  if (damage === "elsewhere") return { ...event, value: { ...value, path: at(others, value.path) } };
  if (damage === "retyped") return { ...event, f: at(types, event.f) };
  if (damage === "without zxid") {
    const { zxid: _, ...rest } = event;
    return { ...rest, value: { ...value, watchZxid: -1 } };
  }
  if (damage !== "other zxid") return event;
  const zxid = Math.max(1, value.watchZxid + (by === 0 ? 1 : by));
  return { ...event, zxid, value: { ...value, watchZxid: zxid } };
}

export function damaged(events: readonly Event[], { damage, which, by }: Plan): readonly Event[] {
  const all = events.filter(({ process }) => process === watchesProcess);
  const one = all[which % Math.max(1, all.length)];
  if (one === undefined || damage === "none") return events;
  const at = events.indexOf(one);
  const rest = damage === "twice" ? [...events] : events.toSpliced(at, 1);
  const place = damage === "moved" || damage === "twice" ? Math.max(0, at + by) : at;
  const list = damage === "lost" ? rest : rest.toSpliced(place, 0, altered(one, damage, by));
  return list.map((event, index) => ({ ...event, index, time: index }));
}

const damages: readonly Damage[] = [
  "none",
  "lost",
  "twice",
  "moved",
  "elsewhere",
  "retyped",
  "without zxid",
  "other zxid",
];

function plansOf(writes: fc.Arbitrary<ZnodeRequest>, losesAny = false): fc.Arbitrary<Plan> {
  return fc.record({
    losesAny: fc.constant(losesAny),
    moves: movesOf(writes),
    startsOld: fc.boolean(),
    damage: fc.constantFrom(...damages),
    which: fc.nat(20),
    by: fc.integer({ min: -4, max: 4 }),
  });
}

export const plan: fc.Arbitrary<Plan> = plansOf(write);
/** With ephemeral nodes, which may go at any time without anybody's being told. */
export const mortalPlan: fc.Arbitrary<Plan> = plansOf(mortalWrite);
export const lossyPlan: fc.Arbitrary<Plan> = plansOf(write, true);
