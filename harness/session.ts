import type { Client, RequestOutcome, ServerName, SessionCredentials } from "../clusters/index.ts";
import {
  sessionEventDraft,
  watchEventDraft,
  znodeCompletion,
  znodeInvocation,
  type InvocationOptions,
  type WatchEvent,
  type ZnodeAnswer,
  type ZnodeRequest,
} from "../model/index.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** How an operation ended for its caller. `none`: nothing was invoked, as no connection could be had in time. */
export type Performed =
  | { readonly type: "ok"; readonly answer: Extract<ZnodeAnswer, { error: null }> }
  | { readonly type: "fail"; readonly error: string }
  | { readonly type: "info"; readonly reason: string }
  | { readonly type: "none" };

export interface SessionOptions {
  readonly process: number;
  readonly random: Random;
  /** Connects only there; else to any server, another one after each disconnection. */
  readonly only?: ServerName;
  /** Where to begin. */
  readonly first?: ServerName;
  /** An operation that finds the session expired ends there; the next one opens a new session. */
  readonly pausesAtExpiry?: boolean;
  /** Goes on connecting until then, in ns of the cluster's clock, also while the world stops. */
  readonly untilNs?: number;
  readonly onWatch?: (event: WatchEvent) => void;
  /** The session was found to be expired: its ephemeral nodes and watches are gone. */
  readonly onExpired?: () => void;
  /** The connection was lost; the session may live on. */
  readonly onDisconnected?: () => void;
}

const connectTimeoutMs = 1000;

/** Connection attempts before one operation; each failed one is followed by a pause, so that no loop is endless. */
const attemptsMax = 10_000;
const retryMs: readonly [min: number, max: number] = [20, 120];

/** Answers that leave open whether the operation took effect: the server gave up waiting, as when a leader is removed. */
const uncertainErrors: ReadonlySet<string> = new Set([
  "ConnectionLoss",
  "OperationTimeout",
  "RequestTimeout",
]);

/** Why a client leaves a server of its own will, as its `disconnect` events tell. */
const departures = {
  move: "moves to another server",
  crash: "the client crashed",
  close: "closed",
  /** The two kinds of clients say so when a closeSession was answered. */
  closed: "the session was closed",
} as const;

/** Whether a `disconnect` with this reason is nothing that happened to the client. */
export function isOwnDeparture(reason: string): boolean {
  return Object.values<string>(departures).includes(reason);
}

interface Connection {
  readonly client: Client;
  /** False from the moment its end was recorded; nothing that it delivers afterwards counts. */
  live: boolean;
}

/**
 * A client's session over the connections that it takes: one operation at a time, each recorded before it is sent
 * and after it is answered. On a disconnection the session moves to another server with its credentials, and its
 * one-shot watches are set again, as ZooKeeper's own client does.
 */
export class Session {
  readonly #world: World;
  readonly #options: SessionOptions;
  #process: number;
  #connection: Connection | undefined;
  #credentials: SessionCredentials | undefined;
  #lastServer: ServerName | undefined;
  readonly #watches: { readonly [kind in "data" | "exists" | "children"]: Set<string> };

  constructor(world: World, options: SessionOptions) {
    this.#world = world;
    this.#options = options;
    this.#process = options.process;
    this.#watches = { data: new Set(), exists: new Set(), children: new Set() };
  }

  /** Changes after each operation that ended `info`: as in Jepsen, its process is never heard of again. */
  get process(): number {
    return this.#process;
  }

  /** In hex; undefined before the first connection and after an expiry. */
  get id(): string | undefined {
    return this.#credentials?.session;
  }

  get connectedTo(): ServerName | undefined {
    return this.#connection?.client.server;
  }

  /** Connects, if need be, and sets its watches again. False where it could not, or has found its session expired. */
  async connect(): Promise<boolean> {
    return (await this.#connected()) !== undefined;
  }

  /** Performs one operation, connecting before it if need be. `synced` sends a sync first, as part of the operation. */
  async perform(request: ZnodeRequest, options: InvocationOptions = {}): Promise<Performed> {
    const connection = await this.#connected();
    if (connection === undefined) return { type: "none" };
    return this.#performOn(connection, request, options);
  }

  /** Performs one operation if there is a connection, and nothing else. */
  async performConnected(request: ZnodeRequest): Promise<Performed> {
    const connection = this.#connection;
    return connection === undefined ? { type: "none" } : this.#performOn(connection, request, {});
  }

  /** Leaves the server; the next operation moves the session to another one. */
  move(): void {
    this.#disconnect(departures.move);
  }

  /** As if the client's machine died: nobody closes the session, it has to expire. The next operation opens a new one. */
  crash(): void {
    this.#disconnect(departures.crash);
    this.#forget();
    this.#process = this.#world.successor(this.#process);
  }

  /** Closes the session if there is a connection, then the connection. */
  async close(): Promise<void> {
    await this.performConnected({ op: "closeSession" });
    this.#disconnect(departures.close);
    this.#forget();
  }

  async #performOn(
    connection: Connection,
    request: ZnodeRequest,
    options: InvocationOptions,
  ): Promise<Performed> {
    const process = this.#process;
    const { client } = connection;
    const where = { server: client.server, session: client.credentials.session };
    this.#world.record({ ...znodeInvocation(process, request, options), ...where });
    const outcome = settled(await send(client, request, options));
    const completion = znodeCompletion(process, request, outcome, where, options);
    this.#world.record(completion);
    if (outcome.outcome === "unknown") {
      this.#process = this.#world.successor(process);
      this.#ended(connection, outcome.reason);
      return { type: "info", reason: outcome.reason };
    }
    if (outcome.outcome === "unsent") {
      this.#ended(connection, outcome.reason);
      return { type: "fail", error: outcome.reason };
    }
    const { answer } = outcome;
    this.#noteWatch(request, answer);
    if (answer.error === null) return { type: "ok", answer };
    if (answer.error === "SessionExpired") this.#expired();
    else if (answer.error === "SessionMoved") this.#ended(connection, "the session moved");
    return { type: "fail", error: answer.error };
  }

  async #connected(): Promise<Connection | undefined> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (this.#connection?.client.connected === true) return this.#connection;
      this.#disconnect("the connection was lost");
      if (this.#givesUp()) return undefined;
      const resume = this.#credentials;
      const failure = await this.#connect(this.#nextServer(), resume);
      if (failure === undefined) {
        const connection = this.#connection as Connection | undefined;
        if (connection !== undefined && (await this.#watchAgain(connection, resume))) return connection;
      } else if (failure === "expired") {
        this.#expired();
        if (this.#options.pausesAtExpiry === true) return undefined;
      } else {
        await this.#world.sleep(this.#options.random.between(...retryMs));
      }
    }
    return undefined;
  }

  /** Resolves to why there is no connection now, undefined where there is one. */
  async #connect(server: ServerName, resume: SessionCredentials | undefined): Promise<string | undefined> {
    const { sessionTimeoutMs, requestTimeoutMs } = this.#world.options;
    let connection: Connection | undefined;
    const early: WatchEvent[] = [];
    this.#lastServer = server;
    const result = await this.#world.cluster.connect({
      server,
      sessionTimeoutMs,
      connectTimeoutMs,
      requestTimeoutMs,
      ...(resume === undefined ? {} : { resume }),
      onEvent: (event) => {
        if (connection === undefined) early.push(event);
        else this.#watchFired(connection, event);
      },
      onClose: (reason) => {
        if (connection !== undefined) this.#ended(connection, reason);
      },
    });
    if (!result.connected) return result.failure;
    const { client } = result;
    connection = { client, live: true };
    this.#connection = connection;
    this.#credentials = client.credentials;
    const { session, timeoutMs } = client.credentials;
    this.#world.record(
      sessionEventDraft({
        f: "connect",
        session,
        process: this.#process,
        server,
        resumed: resume !== undefined,
        timeoutMs,
        lastZxidSeen: resume?.lastZxidSeen ?? 0,
      }),
    );
    for (const event of early) this.#watchFired(connection, event);
    return undefined;
  }

  #givesUp(): boolean {
    const { untilNs } = this.#options;
    return untilNs === undefined ? this.#world.stopping : this.#world.cluster.clock.now() > untilNs;
  }

  #nextServer(): ServerName {
    const { only, first, random } = this.#options;
    if (only !== undefined) return only;
    if (first !== undefined && this.#lastServer === undefined) return first;
    const { servers } = this.#world.cluster;
    const others = servers.filter((server) => server !== this.#lastServer);
    return random.pick(others.length === 0 ? servers : others);
  }

  /** False if the connection was lost over it. */
  async #watchAgain(connection: Connection, resume: SessionCredentials | undefined): Promise<boolean> {
    const { data, exists, children } = this.#watches;
    if (resume === undefined || data.size + exists.size + children.size === 0) return true;
    const request = {
      op: "setWatches",
      relativeZxid: resume.lastZxidSeen,
      data: [...data],
      exists: [...exists],
      children: [...children],
      persistent: [],
      persistentRecursive: [],
    } as const;
    return (await this.#performOn(connection, request, {})).type === "ok";
  }

  #noteWatch(request: ZnodeRequest, answer: ZnodeAnswer): void {
    if (!("watch" in request) || request.watch !== true) return;
    if (answer.error === null) {
      this.#watches[request.op === "getChildren" ? "children" : "data"].add(request.path);
    } else if (request.op === "exists" && answer.error === "NoNode") {
      this.#watches.exists.add(request.path);
    }
  }

  #watchFired(connection: Connection, event: WatchEvent): void {
    if (!connection.live) return;
    const { server, credentials } = connection.client;
    const { session } = credentials;
    this.#world.record(watchEventDraft(event, { session, server, process: this.#process }));
    const { data, exists, children } = this.#watches;
    if (event.type !== "NodeChildrenChanged") for (const paths of [data, exists]) paths.delete(event.path);
    if (event.type === "NodeChildrenChanged" || event.type === "NodeDeleted") children.delete(event.path);
    this.#options.onWatch?.(event);
  }

  #expired(): void {
    const session = this.#credentials?.session;
    if (session !== undefined) {
      this.#world.record(sessionEventDraft({ f: "session-expired", session, process: this.#process }));
    }
    this.#disconnect("the session expired");
    this.#forget();
    this.#process = this.#world.successor(this.#process);
    this.#options.onExpired?.();
  }

  #disconnect(reason: string): void {
    if (this.#connection !== undefined) this.#ended(this.#connection, reason);
  }

  /** Records the end of a connection, once, and sees to it that it is one. */
  #ended(connection: Connection, reason: string): void {
    if (!connection.live) return;
    connection.live = false;
    const { client } = connection;
    const { session } = client.credentials;
    if (this.#connection === connection) {
      this.#connection = undefined;
      this.#credentials = client.credentials;
    }
    this.#world.record(
      sessionEventDraft({ f: "disconnect", session, process: this.#process, server: client.server, reason }),
    );
    client.disconnect();
    this.#options.onDisconnected?.();
  }

  #forget(): void {
    this.#credentials = undefined;
    for (const paths of Object.values(this.#watches)) paths.clear();
  }
}

/** A synced read is a sync and the read on one connection; a sync that fails is how the whole failed. */
async function send(
  client: Client,
  request: ZnodeRequest,
  options: InvocationOptions,
): Promise<RequestOutcome> {
  if (options.synced === true && "path" in request) {
    const synced = await client.request({ op: "sync", path: request.path });
    if (synced.outcome !== "answered" || synced.answer.error !== null) return synced;
  }
  return client.request(request);
}

function settled(outcome: RequestOutcome): RequestOutcome {
  if (outcome.outcome !== "answered" || outcome.answer.error === null) return outcome;
  const { error } = outcome.answer;
  return uncertainErrors.has(error) ? { outcome: "unknown", reason: error, xid: outcome.xid } : outcome;
}
