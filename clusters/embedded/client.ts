import type { ZnodeRequest } from "../../model/index.ts";
import type {
  Client,
  ConnectOptions,
  ConnectResult,
  RequestOutcome,
  ServerName,
  SessionCredentials,
} from "../cluster.ts";
import type { ClientConnection, ToClient, ToServer } from "./client-connection.ts";
import { Pipe } from "./network.ts";
import type { EmbeddedServer } from "./server.ts";
import type { World } from "./world.ts";

const connectTimeoutDefaultMs = 5_000;
const requestTimeoutDefaultMs = 10_000;
const authXid = -4;
const setWatchesXid = -8;

interface OpenRequest {
  readonly xid: number;
  readonly request: ZnodeRequest;
  /** Virtual ns. */
  readonly deadline: number;
  readonly settle: (outcome: RequestOutcome) => void;
}

/** Opens a session at a server, or moves one there. */
export function connectEmbedded(
  world: World,
  server: EmbeddedServer,
  latency: () => number,
  options: ConnectOptions,
): Promise<ConnectResult> {
  return world.waiting((settle) => {
    new EmbeddedClient(world, server, latency, options, settle);
  });
}

/**
 * A client's end of a connection. As the client of clusters/protocol: requests are answered in order, a request that
 * takes too long or a server that says nothing for two thirds of the session's timeout ends the connection, and
 * what was sent and not answered has an unknown outcome.
 */
class EmbeddedClient implements Client {
  readonly server: ServerName;
  readonly #world: World;
  readonly #options: ConnectOptions;
  readonly #requestTimeoutNs: number;
  readonly #toServer: Pipe<ToServer>;
  readonly #openAuth: OpenRequest[] = [];
  readonly #open: OpenRequest[] = [];
  #connecting: ((result: ConnectResult) => void) | undefined;
  #connection: ClientConnection | undefined;
  #session = "0x0";
  #password = "";
  #timeoutMs = 0;
  #lastZxidSeen: number;
  #xid = 0;
  #closed: string | undefined;
  #closing = false;
  #lastSent = 0;
  #lastReceived = 0;
  #wakeAt = Infinity;

  constructor(
    world: World,
    server: EmbeddedServer,
    latency: () => number,
    options: ConnectOptions,
    settle: (result: ConnectResult) => void,
  ) {
    this.server = server.name;
    this.#world = world;
    this.#options = options;
    this.#connecting = settle;
    this.#lastZxidSeen = options.resume?.lastZxidSeen ?? 0;
    this.#xid = options.resume?.lastXid ?? 0;
    this.#requestTimeoutNs = (options.requestTimeoutMs ?? requestTimeoutDefaultMs) * 1e6;
    const toClient = new Pipe<ToClient>({
      world,
      host: undefined,
      latency,
      receive: (message) => this.#receive(message),
    });
    this.#toServer = new Pipe<ToServer>({
      world,
      host: server.host,
      latency,
      receive: (message) => {
        if (this.#connection !== undefined) server.receiveFromClient(this.#connection, message);
      },
    });
    const timeoutMs = options.connectTimeoutMs ?? connectTimeoutDefaultMs;
    world.schedule(timeoutMs * 1e6, undefined, {
      fire: () => this.#fail("timeout", `no session within ${timeoutMs} ms`),
    });
    world.schedule(latency(), undefined, { fire: () => this.#dial(server, toClient) });
  }

  get connected(): boolean {
    return this.#connecting === undefined && this.#closed === undefined;
  }

  get credentials(): SessionCredentials {
    return {
      session: this.#session,
      password: this.#password,
      timeoutMs: this.#timeoutMs,
      lastZxidSeen: this.#lastZxidSeen,
      lastXid: this.#xid,
    };
  }

  request(request: ZnodeRequest): Promise<RequestOutcome> {
    if (this.#closed !== undefined) return unsent(`not connected: ${this.#closed}`);
    if (this.#closing) return unsent("the session is being closed");
    if (request.op === "closeSession") this.#closing = true;
    return this.#world.waiting((settle) => {
      const now = this.#world.now();
      const deadline = now + this.#requestTimeoutNs;
      const xid = this.#xidFor(request);
      (xid === authXid ? this.#openAuth : this.#open).push({ xid, request, deadline, settle });
      this.#lastSent = now;
      this.#toServer.send({ type: "request", xid, request });
      if (deadline < this.#wakeAt) this.#wakeLater(deadline);
    });
  }

  async close(): Promise<void> {
    if (this.connected && !this.#closing) await this.request({ op: "closeSession" });
    this.#leave("closed by the client");
  }

  disconnect(): void {
    this.#leave("disconnected by the client");
  }

  #xidFor(request: ZnodeRequest): number {
    if (request.op === "addAuth") return authXid;
    if (request.op === "setWatches") return setWatchesXid;
    return ++this.#xid;
  }

  /** The packets that open the connection have arrived, where there is a process to take it. */
  #dial(server: EmbeddedServer, toClient: Pipe<ToClient>): void {
    if (this.#closed !== undefined) return;
    if (!server.listens) return this.#fail("refused", `${server.name} is down: connection refused`);
    this.#connection = server.acceptClient(toClient);
    const { sessionTimeoutMs, resume } = this.#options;
    this.#toServer.send({ type: "connect", timeoutMs: sessionTimeoutMs, resume });
  }

  #receive(message: ToClient): void {
    if (this.#closed !== undefined) return;
    this.#lastReceived = this.#world.now();
    switch (message.type) {
      case "connected":
        return this.#established(message);
      case "refused":
        return this.#fail(message.failure, message.reason);
      case "reply":
        return this.#reply(message);
      case "event":
        this.#world.callsUser();
        return this.#options.onEvent?.(message.event);
      case "pong":
        return;
      case "closed":
        return this.#end(message.reason);
    }
  }

  #established({ session, password, timeoutMs }: Extract<ToClient, { type: "connected" }>): void {
    const settle = this.#connecting;
    if (settle === undefined) return;
    this.#connecting = undefined;
    this.#session = session;
    this.#password = password;
    this.#timeoutMs = timeoutMs;
    this.#lastSent = this.#world.now();
    this.#wakeLater(this.#lastSent + (timeoutMs / 3) * 1e6);
    settle({ connected: true, client: this });
  }

  #reply({ xid, answer }: Extract<ToClient, { type: "reply" }>): void {
    const open = (xid === authXid ? this.#openAuth : this.#open).shift();
    if (open === undefined || open.xid !== xid) throw new Error(`${this.server} answered out of order`);
    if (answer.zxid > this.#lastZxidSeen) this.#lastZxidSeen = answer.zxid;
    open.settle({ outcome: "answered", answer, xid });
    if (open.request.op === "closeSession") this.#leave("the session was closed");
  }

  /** Wakes up at this time, or earlier. */
  #wakeLater(time: number): void {
    this.#wakeAt = time;
    this.#world.scheduleAt(time, undefined, { fire: () => this.#wake(time) });
  }

  #wake(time: number): void {
    if (this.#closed !== undefined || time !== this.#wakeAt) return;
    const now = this.#world.now();
    const late = [this.#open[0], this.#openAuth[0]].find(
      (open) => open !== undefined && open.deadline <= now,
    );
    if (late !== undefined) {
      const reason = `no reply to ${late.request.op} (xid ${late.xid}) within ${this.#requestTimeoutNs / 1e6} ms`;
      return this.#leave(reason);
    }
    const thirdNs = Math.round((this.#timeoutMs / 3) * 1e6);
    if (now - this.#lastReceived > 2 * thirdNs) {
      return this.#leave(
        `nothing came from the server for ${Math.round((now - this.#lastReceived) / 1e6)} ms`,
      );
    }
    if (now - this.#lastSent >= thirdNs) {
      this.#lastSent = now;
      this.#toServer.send({ type: "ping" });
    }
    const next = Math.min(this.#lastSent + thirdNs, this.#lastReceived + 2 * thirdNs + 1);
    const deadline = Math.min(this.#open[0]?.deadline ?? Infinity, this.#openAuth[0]?.deadline ?? Infinity);
    this.#wakeLater(Math.max(now + 1, Math.min(next, deadline)));
  }

  #fail(failure: "expired" | "refused" | "timeout" | "closed", reason: string): void {
    const settle = this.#connecting;
    if (settle === undefined) return;
    this.#connecting = undefined;
    this.#closed = reason;
    if (this.#connection !== undefined) this.#toServer.send({ type: "bye" });
    settle({ connected: false, failure, reason });
  }

  /** The client hangs up. */
  #leave(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#toServer.send({ type: "bye" });
    this.#end(reason);
  }

  /** The connection is over: what was sent and not answered may have happened. */
  #end(reason: string): void {
    if (this.#connecting !== undefined) return this.#fail("closed", reason);
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    for (const { settle, xid } of [...this.#open.splice(0), ...this.#openAuth.splice(0)]) {
      settle({ outcome: "unknown", reason, xid });
    }
    this.#world.callsUser();
    this.#options.onClose?.(reason);
  }
}

function unsent(reason: string): Promise<RequestOutcome> {
  return Promise.resolve({ outcome: "unsent", reason });
}
