import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

import type { WatchEvent, ZnodeAnswer, ZnodeRequest, Zxid } from "../../model/index.ts";
import { specialXid } from "./codes.ts";
import { ProtocolError } from "./errors.ts";
import { FrameReader } from "./frames.ts";
import { JuteReader } from "./jute-reader.ts";
import { JuteWriter } from "./jute-writer.ts";
import {
  type ConnectRequest,
  readConnectRequest,
  writeConnectResponse,
  writeReplyHeader,
  writeWatchEvent,
} from "./records.ts";
import { writeAnswer } from "./replies.ts";
import { readRequest, type ReceivedRequest } from "./requests.ts";

/** What a fake server does with a request: answer it, keep silent, or end the connection. */
export type FakeReaction = ZnodeAnswer | "silence" | "hang up";

export interface FakeServerOptions {
  /** Asked for each request but pings. */
  readonly onRequest: (request: ZnodeRequest, connection: FakeConnection) => FakeReaction;
  /** What is granted; the timeout asked for by default. */
  readonly sessionTimeoutMs?: number;
  /** Sessions that have seen more are turned away, as a server that lags behind does. */
  readonly lastZxid?: Zxid;
  /** Leaves pings, or the connect request, without an answer. */
  readonly ignores?: "pings" | "connect";
}

/** A ZooKeeper server for tests of the wire: it speaks the protocol on loopback and does what it is told. */
export class FakeServer {
  readonly options: FakeServerOptions;
  readonly connections: FakeConnection[] = [];
  readonly sessions: Map<string, string> = new Map<string, string>();
  readonly #server: Server;
  #nextSession = 1;

  private constructor(options: FakeServerOptions) {
    this.options = options;
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.connections.push(new FakeConnection(this, socket));
    });
  }

  static async start(options: FakeServerOptions): Promise<FakeServer> {
    const fake = new FakeServer(options);
    await new Promise<void>((resolve) => {
      fake.#server.listen(0, "127.0.0.1", resolve);
    });
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  newSession(): string {
    const session = `0x1000000000${(this.#nextSession++).toString(16).padStart(5, "0")}`;
    this.sessions.set(session, session.slice(2).padStart(32, "0"));
    return session;
  }

  async stop(): Promise<void> {
    for (const connection of this.connections) connection.hangUp();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

export class FakeConnection {
  /** Undefined until the connect request has been answered. */
  session: string | undefined;
  readonly received: ReceivedRequest[] = [];
  /** The last ones are kept, so that a benchmark does not fill the memory. */
  readonly receivedMax = 10_000;
  pings = 0;
  connectRequest: ConnectRequest | undefined;
  readonly #fake: FakeServer;
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  readonly #writer = new JuteWriter(4096);

  constructor(fake: FakeServer, socket: Socket) {
    this.#fake = fake;
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  hangUp(): void {
    this.#socket.destroy();
  }

  /** Bytes as they are. */
  sendRaw(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  sendEvent(event: WatchEvent): void {
    this.#writer.frame((writer) => {
      writeReplyHeader(writer, { xid: specialXid.event, zxid: event.zxid, error: 0 });
      writeWatchEvent(writer, event);
    });
  }

  sendAnswer(received: ReceivedRequest, answer: ZnodeAnswer): void {
    this.#writer.frame((writer) => writeAnswer(writer, received.xid, received.type, answer));
  }

  flush(): void {
    if (this.#writer.length > 0) this.#socket.write(this.#writer.take());
  }

  #receive(chunk: Buffer): void {
    this.#frames.push(chunk);
    try {
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        if (this.session === undefined) this.#connect(readConnectRequest(new JuteReader(frame)));
        else this.#take(readRequest(new JuteReader(frame)));
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.hangUp();
    }
    this.flush();
  }

  #connect(request: ConnectRequest): void {
    this.connectRequest = request;
    const { options, sessions } = this.#fake;
    if (options.ignores === "connect") return;
    if (options.lastZxid !== undefined && request.lastZxidSeen > options.lastZxid) return this.hangUp();
    const session = request.session === "0x0" ? this.#fake.newSession() : request.session;
    const password = sessions.get(session);
    const known = request.session === "0x0" || password === request.password;
    this.session = known ? session : "0x0";
    this.#writer.frame((writer) =>
      writeConnectResponse(writer, {
        protocolVersion: 0,
        timeoutMs: known ? (options.sessionTimeoutMs ?? request.timeoutMs) : 0,
        session: known ? session : "0x0",
        password: known ? (password ?? "") : "",
        readOnly: false,
      }),
    );
  }

  #take(received: ReceivedRequest): void {
    if (received.request === undefined) {
      this.pings += 1;
      if (this.#fake.options.ignores === "pings") return;
      this.#writer.frame((writer) => writeReplyHeader(writer, { xid: specialXid.ping, zxid: 0, error: 0 }));
      return;
    }
    if (this.received.length < this.receivedMax) this.received.push(received);
    const reaction = this.#fake.options.onRequest(received.request, this);
    if (reaction === "silence") return;
    if (reaction === "hang up") return this.hangUp();
    this.sendAnswer(received, reaction);
  }
}
