import {
  authenticate,
  isWrite,
  ZnodeServer,
  type LocalRequest,
  type WatchEvent,
  type ZnodeAnswer,
} from "../../model/index.ts";
import type { SessionCredentials } from "../cluster.ts";
import type { ClientConnection, PendingRequest, ToServer } from "./client-connection.ts";
import type { EmbeddedServer } from "./server.ts";

/**
 * How one server serves its clients: what ZooKeeper's connections, FollowerRequestProcessor and CommitProcessor do.
 * Reads are answered from the server's own tree; writes, session requests and syncs go to the leader. Each
 * connection's requests are answered in the order in which they came.
 */
export class ClientService {
  readonly #server: EmbeddedServer;
  readonly #connections: Set<ClientConnection> = new Set();
  readonly #bySession: Map<string, ClientConnection> = new Map();
  readonly #revalidations: Map<object, { connection: ClientConnection; credentials: SessionCredentials }> =
    new Map();
  #serving = false;
  #sessions = 0;

  constructor(server: EmbeddedServer) {
    this.#server = server;
  }

  get serving(): boolean {
    return this.#serving;
  }

  /** A tree whose watch events go to the connections that watch. */
  makeTree(): ZnodeServer<ClientConnection> {
    return new ZnodeServer<ClientConnection>({
      deliver: (connection: ClientConnection, event: WatchEvent) => {
        if (connection.open) connection.toClient.send({ type: "event", event });
      },
      identities: (connection: ClientConnection) => connection.identities,
    });
  }

  start(): void {
    this.#serving = true;
  }

  /** The server has no leader any more, or is going down. */
  stop(reason: string): void {
    this.#serving = false;
    for (const connection of [...this.#connections]) this.#end(connection, reason);
    this.#revalidations.clear();
  }

  /** The process has a new connection, of which it knows nothing yet. */
  accept(connection: ClientConnection): void {
    this.#connections.add(connection);
  }

  receive(connection: ClientConnection, message: ToServer): void {
    if (!connection.open) return;
    connection.heard = true;
    switch (message.type) {
      case "connect":
        return this.#connect(connection, message);
      case "request":
        return this.#request({ connection, xid: message.xid, request: message.request });
      case "ping":
        return connection.toClient.send({ type: "pong" });
      case "bye":
        return this.#end(connection, "left by the client");
    }
  }

  /** A transaction that came in here is applied. */
  applied(pending: PendingRequest, answer: ZnodeAnswer): void {
    const { connection, request } = pending;
    if (!connection.open) return;
    if (request.op === "createSession") return this.#established(connection);
    this.#complete(pending, answer);
  }

  /** The leader has passed on a sync, and everything before it is applied; or it has refused it. */
  synced(pending: PendingRequest, error: "SessionExpired" | "SessionMoved" | undefined): void {
    if (!pending.connection.open || pending.request.op !== "sync") return;
    const zxid = this.#server.tree.tree.lastProcessedZxid;
    const { path } = pending.request;
    this.#complete(pending, error === undefined ? { error: null, zxid, result: { path } } : { error, zxid });
  }

  revalidated(token: object, valid: boolean): void {
    const waiting = this.#revalidations.get(token);
    this.#revalidations.delete(token);
    if (waiting === undefined || !waiting.connection.open) return;
    const { connection, credentials } = waiting;
    if (valid) this.#adoptSession(connection, credentials);
    else this.#refuse(connection, "expired", "the session has expired");
  }

  /** The session's closing transaction is applied. */
  sessionClosed(session: string): void {
    const connection = this.#bySession.get(session);
    if (connection !== undefined) this.#end(connection, "the session was closed");
  }

  /** The sessions that were heard since the last call, for the leader. */
  takeHeard(): string[] {
    const heard: string[] = [];
    for (const connection of this.#connections) {
      if (!connection.heard || connection.session === "") continue;
      connection.heard = false;
      heard.push(connection.session);
    }
    return heard;
  }

  #connect(
    connection: ClientConnection,
    { timeoutMs, resume }: Extract<ToServer, { type: "connect" }>,
  ): void {
    const { defect, tree } = this.#server;
    if (!this.#serving) return this.#refuse(connection, "closed", `${this.#server.name} is not serving`);
    if (resume === undefined) {
      connection.session = this.#newSession();
      connection.timeoutMs = this.#granted(timeoutMs);
      const pending: PendingRequest = { connection, xid: 0, request: { op: "createSession" } };
      return this.#server.submit({
        kind: "createSession",
        session: connection.session,
        xid: 0,
        server: this.#server.id,
        origin: pending,
        timeoutMs: connection.timeoutMs,
      });
    }
    const last = tree.tree.lastProcessedZxid;
    if (resume.lastZxidSeen > last) {
      if (defect === "session-from-the-future") return this.#adoptSession(connection, resume);
      const reason = `the session has seen 0x${resume.lastZxidSeen.toString(16)}, ${this.#server.name} only 0x${last.toString(16)}`;
      return this.#refuse(connection, "refused", reason);
    }
    if (resume.password !== this.#server.passwordOf(resume.session)) {
      return this.#refuse(connection, "expired", "the password is not the session's");
    }
    const token = {};
    this.#revalidations.set(token, { connection, credentials: resume });
    this.#server.revalidate(resume.session, token);
  }

  #adoptSession(connection: ClientConnection, { session, timeoutMs }: SessionCredentials): void {
    connection.session = session;
    connection.timeoutMs = timeoutMs;
    this.#established(connection);
  }

  #established(connection: ClientConnection): void {
    const { session, timeoutMs } = connection;
    const earlier = this.#bySession.get(session);
    if (earlier !== undefined && earlier !== connection) this.#end(earlier, "the session has moved");
    this.#bySession.set(session, connection);
    const password = this.#server.passwordOf(session);
    connection.toClient.send({ type: "connected", session, password, timeoutMs });
  }

  #refuse(connection: ClientConnection, failure: "expired" | "refused" | "closed", reason: string): void {
    connection.toClient.send({ type: "refused", failure, reason });
    this.#end(connection, reason);
  }

  #request(pending: PendingRequest): void {
    const { connection, xid } = pending;
    const request = pending.request;
    if (request.op === "createSession") return;
    if (request.op === "addAuth") return this.#authenticate(connection, xid, request);
    if (isWrite(request) || request.op === "sync") {
      connection.pending.push(pending);
      const kind = request.op === "closeSession" ? "closeSession" : request.op === "sync" ? "sync" : "write";
      return this.#server.submit({
        kind,
        session: connection.session,
        xid,
        server: this.#server.id,
        origin: pending,
        ...(request.op === "sync" ? {} : { write: request }),
      });
    }
    if (connection.pending.length > 0) connection.pending.push(pending);
    else this.#answer(connection, xid, request);
  }

  #answer(connection: ClientConnection, xid: number, request: LocalRequest): void {
    connection.toClient.send({ type: "reply", xid, answer: this.#server.tree.answer(request, connection) });
  }

  #authenticate(
    connection: ClientConnection,
    xid: number,
    request: Extract<LocalRequest, { op: "addAuth" }>,
  ): void {
    const identity = authenticate(request.scheme, request.auth);
    this.#answer(connection, xid, request);
    if (identity === undefined) this.#end(connection, `unknown authentication scheme ${request.scheme}`);
    else connection.identities = [...connection.identities, identity];
  }

  /** Answers the oldest request of its connection, and the reads that waited behind it. */
  #complete(done: PendingRequest, answer: ZnodeAnswer): void {
    const { connection } = done;
    const { pending } = connection;
    if (pending[0] !== done) throw new Error(`${this.#server.name} answers a request out of order`);
    pending.shift();
    connection.toClient.send({ type: "reply", xid: done.xid, answer });
    for (let next = pending[0]; next !== undefined; next = pending[0]) {
      const { request, xid } = next;
      if (request.op === "createSession" || request.op === "sync" || isWrite(request)) return;
      pending.shift();
      this.#answer(connection, xid, request);
    }
  }

  #end(connection: ClientConnection, reason: string): void {
    connection.close(reason);
    this.#connections.delete(connection);
    if (this.#bySession.get(connection.session) === connection) this.#bySession.delete(connection.session);
    this.#server.tree.disconnect(connection);
  }

  #granted(timeoutMs: number): number {
    const { tickMs, maxSessionTimeoutMs } = this.#server.timing;
    return Math.min(maxSessionTimeoutMs, Math.max(2 * tickMs, Math.round(timeoutMs)));
  }

  /** As ZooKeeper's: the server in the highest byte, then the time, then a counter. */
  #newSession(): string {
    const high = BigInt(this.#server.id + 1) << 56n;
    const time = (BigInt(this.#server.wallMs()) & 0xff_ffff_ffffn) << 16n;
    return `0x${(high | time | BigInt(this.#sessions++ & 0xffff)).toString(16)}`;
  }
}
