import { createConnection, type Socket } from "node:net";

import { InputError, type WatchEvent, type ZnodeAnswer, type ZnodeRequest } from "../../model/index.ts";
import type {
  Client,
  ConnectOptions,
  ConnectResult,
  RequestOutcome,
  ServerName,
  SessionCredentials,
} from "../cluster.ts";
import { type Dialect, opCode, specialXid } from "./codes.ts";
import { ProtocolError } from "./errors.ts";
import { frameBytesMaxDefault, FrameReader } from "./frames.ts";
import { JuteReader } from "./jute-reader.ts";
import { JuteWriter } from "./jute-writer.ts";
import {
  type ConnectResponse,
  readConnectResponse,
  readReplyHeader,
  readWatchEvent,
  writeConnectRequest,
} from "./records.ts";
import { readAnswer } from "./replies.ts";
import { fixedXid, requestType, unsupported, writeRequest } from "./requests.ts";
import { RequestQueue } from "./request-queue.ts";

export interface ConnectionOptions extends ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** What the server understands; the newest by default. */
  readonly dialect?: Dialect;
  /** The longest frame that is accepted; 4 MiB by default. */
  readonly frameBytesMax?: number;
  /** How many requests may be open at a time; further ones are `unsent`. 10,000 by default. */
  readonly openRequestsMax?: number;
}

const connectTimeoutDefaultMs = 5_000;
const requestTimeoutDefaultMs = 10_000;
const openRequestsMaxDefault = 10_000;
/** A request of jute.maxbuffer's size fits; a caller who outruns the socket is told so. */
const unsentBytesMax = 16 * 1024 * 1024;
const noPassword = "00".repeat(16);

/**
 * Opens a session at one server, or moves one there (`resume`).
 *
 * Never throws for what a server or network does: that is a ConnectResult. Throws InputError for options that
 * cannot be sent.
 */
export async function connectToServer(options: ConnectionOptions): Promise<ConnectResult> {
  const first = new JuteWriter();
  first.frame((writer) =>
    writeConnectRequest(writer, {
      protocolVersion: 0,
      lastZxidSeen: options.resume?.lastZxidSeen ?? 0,
      timeoutMs: options.sessionTimeoutMs,
      session: options.resume?.session ?? "0x0",
      password: options.resume?.password ?? noPassword,
      readOnly: options.readOnly ?? false,
    }),
  );
  return new Promise((resolve) => {
    new Handshake(options, first.take(), resolve);
  });
}

/** From the dial to the server's answer; then the socket goes to a Connection. */
class Handshake {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #frames: FrameReader;
  readonly #timer: NodeJS.Timeout;
  readonly #resolve: (result: ConnectResult) => void;
  #dialled = false;
  #settled = false;

  constructor(options: ConnectionOptions, request: Buffer, resolve: (result: ConnectResult) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#frames = new FrameReader(options.frameBytesMax ?? frameBytesMaxDefault);
    const timeoutMs = options.connectTimeoutMs ?? connectTimeoutDefaultMs;
    this.#timer = setTimeout(() => this.#fail("timeout", `no session within ${timeoutMs} ms`), timeoutMs);
    this.#socket = createConnection({ host: options.host, port: options.port, noDelay: true });
    this.#socket.on("connect", () => {
      this.#dialled = true;
      this.#socket.write(request);
    });
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", (error) => this.#fail(this.#dialled ? "closed" : "refused", error.message));
    this.#socket.on("close", () =>
      this.#fail("closed", "the server closed the connection without an answer"),
    );
  }

  #receive(chunk: Buffer): void {
    try {
      this.#frames.push(chunk);
      const frame = this.#frames.next();
      if (frame !== undefined) this.#answered(readConnectResponse(new JuteReader(frame)));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fail(
        "closed",
        `no ZooKeeper server at ${this.#options.host}:${this.#options.port}? ${error.message}`,
      );
    }
  }

  #answered(response: ConnectResponse): void {
    if (response.timeoutMs < 0) {
      throw new ProtocolError(`timeOut: expected 0 or more, found ${response.timeoutMs}`);
    }
    if (response.timeoutMs === 0 || response.session === "0x0") {
      this.#fail("expired", "the server does not know the session, or no longer");
      return;
    }
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#socket.removeAllListeners();
    const client = new Connection(this.#options, this.#socket, this.#frames, response);
    this.#resolve({ connected: true, client });
  }

  #fail(failure: "expired" | "refused" | "timeout" | "closed", reason: string): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#resolve({ connected: false, failure, reason });
  }
}

/** A request from `request()` to its outcome. */
interface OpenRequest {
  readonly request: ZnodeRequest;
  readonly type: number;
  readonly xid: number;
  /** On performance.now()'s clock, ms. */
  readonly deadline: number;
  readonly resolve: (outcome: RequestOutcome) => void;
  /** True from the moment on at which its first byte was handed to the socket. */
  written: boolean;
}

/**
 * One session's connection to one server.
 *
 * Requests are answered in order; a reply out of order ends the connection, as does everything else that the
 * protocol does not allow. A watch event is handed over before the replies that came behind it are, and after the
 * awaiting callers of those that came before it have run.
 */
class Connection implements Client {
  readonly server: ServerName;
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #frames: FrameReader;
  readonly #response: ConnectResponse;
  readonly #dialect: Dialect;
  readonly #requestTimeoutMs: number;
  readonly #open = new RequestQueue<OpenRequest>();
  /** Authentications are answered at once, past the other requests. */
  readonly #openAuth = new RequestQueue<OpenRequest>();
  readonly #unsent = new JuteWriter(4096);
  #unwritten: OpenRequest[] = [];
  #flushScheduled = false;
  #lastZxidSeen: number;
  #xid = 0;
  #closed: string | undefined;
  #closing = false;
  /** Replies handed over since the last time that their callers could run. */
  #repliesPending = false;
  #deferred = false;
  #closeAfterFrames: string | undefined;
  #lastSent = performance.now();
  #lastReceived = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Infinity;

  constructor(options: ConnectionOptions, socket: Socket, frames: FrameReader, response: ConnectResponse) {
    this.server = options.server;
    this.#options = options;
    this.#socket = socket;
    this.#frames = frames;
    this.#response = response;
    this.#dialect = options.dialect ?? "3.6";
    this.#requestTimeoutMs = options.requestTimeoutMs ?? requestTimeoutDefaultMs;
    this.#lastZxidSeen = options.resume?.lastZxidSeen ?? 0;
    this.#xid = options.resume?.lastXid ?? 0;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => this.#flush());
    socket.on("error", (error) => this.#ended(`the connection broke: ${error.message}`));
    socket.on("close", () => this.#ended("the server closed the connection"));
    this.#arm(this.#lastSent + response.timeoutMs / 3);
    // What came in one chunk with the handshake's answer, once the caller has the client.
    this.#deferred = true;
    socket.pause();
    setImmediate(() => this.#resume());
  }

  get connected(): boolean {
    return this.#closed === undefined && this.#closeAfterFrames === undefined;
  }

  get credentials(): SessionCredentials {
    const { session, password, timeoutMs } = this.#response;
    return { session, password, timeoutMs, lastZxidSeen: this.#lastZxidSeen, lastXid: this.#xid };
  }

  request(request: ZnodeRequest): Promise<RequestOutcome> {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) return Promise.resolve({ outcome: "unsent", reason: refusal });
    const xid = fixedXid(request) ?? this.#nextXid();
    try {
      this.#unsent.frame((writer) => writeRequest(writer, request, xid, this.#dialect));
    } catch (error) {
      if (error instanceof InputError) return Promise.reject(error);
      throw error;
    }
    if (request.op === "closeSession") this.#closing = true;
    return new Promise((resolve) => {
      const type = requestType(request, this.#dialect);
      const deadline = performance.now() + this.#requestTimeoutMs;
      const open: OpenRequest = { request, type, xid, deadline, resolve, written: false };
      (xid === specialXid.auth ? this.#openAuth : this.#open).push(open);
      this.#unwritten.push(open);
      this.#scheduleFlush();
      this.#arm(deadline);
    });
  }

  async close(): Promise<void> {
    if (this.connected && !this.#closing) await this.request({ op: "closeSession" });
    this.#end("closed by the client");
  }

  disconnect(): void {
    this.#end("disconnected by the client");
  }

  #refusal(request: ZnodeRequest): string | undefined {
    if (!this.connected) return `not connected: ${this.#closed ?? this.#closeAfterFrames}`;
    if (this.#closing) return "the session is being closed";
    const openMax = this.#options.openRequestsMax ?? openRequestsMaxDefault;
    if (this.#open.length >= openMax) return `${openMax} requests are open already`;
    if (this.#unsent.length >= unsentBytesMax) return `${this.#unsent.length} bytes wait to be sent already`;
    return unsupported(request, this.#dialect);
  }

  #nextXid(): number {
    this.#xid = this.#xid === 0x7fff_ffff ? 1 : this.#xid + 1;
    return this.#xid;
  }

  // Sending

  /** Requests of one turn of the event loop leave in one write. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#unsent.length === 0 || this.#closed !== undefined || this.#socket.writableNeedDrain) return;
    for (const open of this.#unwritten) open.written = true;
    this.#unwritten = [];
    this.#lastSent = performance.now();
    this.#socket.write(this.#unsent.take());
  }

  #ping(): void {
    this.#unsent.frame((writer) => {
      writer.i32(specialXid.ping);
      writer.i32(opCode.ping);
    });
    this.#lastSent = performance.now();
    this.#flush();
  }

  // Receiving

  #receive(chunk: Buffer): void {
    this.#lastReceived = performance.now();
    this.#guarded(() => {
      this.#frames.push(chunk);
      this.#takeFrames();
    });
  }

  #resume(): void {
    this.#deferred = false;
    this.#repliesPending = false;
    this.#socket.resume();
    this.#guarded(() => this.#takeFrames());
    if (!this.#deferred && this.#closeAfterFrames !== undefined) this.#end(this.#closeAfterFrames);
  }

  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#end(`${this.server} broke the protocol: ${error.message}`);
    }
  }

  #takeFrames(): void {
    this.#repliesPending = false;
    while (!this.#deferred && this.#closed === undefined) {
      const frame = this.#frames.next();
      if (frame === undefined) return;
      this.#take(frame);
    }
  }

  #take(frame: Buffer): void {
    const reader = new JuteReader(frame);
    const header = readReplyHeader(reader);
    if (header.xid === specialXid.event) {
      const event = readWatchEvent(reader, header.zxid);
      if (this.#repliesPending) this.#deferEvent(event);
      else this.#options.onEvent?.(event);
      return;
    }
    if (header.xid === specialXid.ping) return;
    const queue = header.xid === specialXid.auth ? this.#openAuth : this.#open;
    const open = matching(queue, header.xid);
    // Not taken off the queue before its answer has been read: where that fails, it is still to be resolved.
    const answer = readAnswer(reader, open.request, open.type, header);
    queue.shift();
    if (header.zxid > this.#lastZxidSeen) this.#lastZxidSeen = header.zxid;
    this.#settle(open, answer);
  }

  #settle(open: OpenRequest, answer: ZnodeAnswer): void {
    this.#repliesPending = true;
    open.resolve({ outcome: "answered", answer, xid: open.xid });
    if (open.request.op === "closeSession") this.#end("the session was closed");
  }

  /** Lets the callers of the replies before the event run first: promises settle only when this turn has ended. */
  #deferEvent(event: WatchEvent): void {
    this.#deferred = true;
    this.#socket.pause();
    setImmediate(() => {
      if (this.#closed === undefined) this.#options.onEvent?.(event);
      this.#resume();
    });
  }

  // Time

  /** Wakes up at `due` (performance.now(), ms), or earlier. */
  #arm(due: number): void {
    if (due >= this.#timerDue || this.#closed !== undefined) return;
    clearTimeout(this.#timer);
    this.#timerDue = due;
    const delay = Math.max(1, Math.ceil(due - performance.now()));
    // When this process itself was held up, what has arrived meanwhile is read before anyone is declared late.
    this.#timer = setTimeout(() => setImmediate(() => this.#wake()), delay);
  }

  #wake(): void {
    if (this.#closed !== undefined || this.#deferred) return this.#rearm();
    const now = performance.now();
    const { timeoutMs } = this.#response;
    const late = this.#late(now);
    if (late !== undefined) {
      this.#end(`no reply to ${late.request.op} (xid ${late.xid}) within ${this.#requestTimeoutMs} ms`);
      return;
    }
    if (now - this.#lastReceived > (timeoutMs * 2) / 3) {
      this.#end(`nothing came from the server for ${Math.round(now - this.#lastReceived)} ms`);
      return;
    }
    if (now - this.#lastSent >= timeoutMs / 3 - 1) this.#ping();
    this.#rearm();
  }

  #late(now: number): OpenRequest | undefined {
    return [this.#open.first(), this.#openAuth.first()].find(
      (open) => open !== undefined && open.deadline <= now,
    );
  }

  #rearm(): void {
    this.#timerDue = Infinity;
    const { timeoutMs } = this.#response;
    const now = performance.now();
    const due = Math.min(
      this.#lastSent + timeoutMs / 3,
      this.#lastReceived + (timeoutMs * 2) / 3 + 1,
      this.#open.first()?.deadline ?? Infinity,
      this.#openAuth.first()?.deadline ?? Infinity,
    );
    this.#arm(Math.max(due, now + 1));
  }

  // Ending

  /** The socket ended; what it brought before is still taken, in order. */
  #ended(reason: string): void {
    if (!this.#deferred) this.#end(reason);
    else this.#closeAfterFrames ??= reason;
  }

  #end(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    clearTimeout(this.#timer);
    this.#socket.removeAllListeners();
    this.#socket.on("error", () => {});
    this.#socket.destroy();
    for (const open of [...this.#open.drain(), ...this.#openAuth.drain()]) {
      open.resolve(
        open.written ? { outcome: "unknown", reason, xid: open.xid } : { outcome: "unsent", reason },
      );
    }
    this.#unwritten = [];
    this.#options.onClose?.(reason);
  }
}

/** Replies come in the order of their requests. */
function matching(queue: RequestQueue<OpenRequest>, xid: number): OpenRequest {
  const first = queue.first();
  if (first === undefined) {
    throw new ProtocolError(`xid: expected an event or a ping, as no request is open, found ${xid}`);
  }
  if (first.xid !== xid) {
    throw new ProtocolError(`xid: expected ${first.xid}, the oldest open request's, found ${xid}`);
  }
  return first;
}
