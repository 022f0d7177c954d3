import type { AuthId, WatchEvent, ZnodeAnswer, ZnodeRequest } from "../../model/index.ts";
import type { ConnectFailure, SessionCredentials } from "../cluster.ts";
import type { Pipe } from "./network.ts";

/** What a client sends to its server. */
export type ToServer =
  | { readonly type: "connect"; readonly timeoutMs: number; readonly resume: SessionCredentials | undefined }
  | { readonly type: "request"; readonly xid: number; readonly request: ZnodeRequest }
  | { readonly type: "ping" }
  /** The client has closed its end. */
  | { readonly type: "bye" };

/** What a server sends to a client. */
export type ToClient =
  | {
      readonly type: "connected";
      readonly session: string;
      readonly password: string;
      readonly timeoutMs: number;
    }
  | { readonly type: "refused"; readonly failure: ConnectFailure; readonly reason: string }
  | { readonly type: "reply"; readonly xid: number; readonly answer: ZnodeAnswer }
  | { readonly type: "event"; readonly event: WatchEvent }
  | { readonly type: "pong" }
  /** The server's end is closed; whatever it had sent before has arrived. */
  | { readonly type: "closed"; readonly reason: string };

/** A request that its connection has not been answered yet, in the order of arrival. */
export interface PendingRequest {
  readonly connection: ClientConnection;
  readonly xid: number;
  readonly request: ZnodeRequest | { readonly op: "createSession" };
}

/** A server's end of a connection with a client. */
export class ClientConnection {
  readonly toClient: Pipe<ToClient>;
  /** "" until the session is established. */
  session = "";
  timeoutMs = 0;
  open = true;
  /** Whether the client was heard since its session was last reported to the leader. */
  heard = true;
  identities: readonly AuthId[] = [];
  readonly pending: PendingRequest[] = [];

  constructor(toClient: Pipe<ToClient>) {
    this.toClient = toClient;
  }

  close(reason: string): void {
    if (!this.open) return;
    this.open = false;
    this.pending.length = 0;
    this.toClient.send({ type: "closed", reason });
  }
}
