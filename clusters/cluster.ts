import type { WatchEvent, ZnodeAnswer, ZnodeRequest, Zxid } from "../model/index.ts";
import type { Fault, FaultKind, ServerName } from "./fault.ts";

export type { Fault, FaultKind, ServerName } from "./fault.ts";

/**
 * The time of the world in which a cluster lives: the wall for Docker, virtual for the embedded ensemble.
 *
 * Code that drives a cluster is written the same for both: it awaits `sleep`, requests, connections and awaitQuorum,
 * and takes the time from `now`. Virtual time stands still while code runs, and moves only while somebody awaits one
 * of these promises; whoever is woken runs, with all that follows in microtasks, before anything else happens. For a
 * run that its seed repeats, such code must not await what real time decides (files, sockets, timers) while others
 * wait for the cluster: virtual time would go on meanwhile, how far depends on the machine. Write files synchronously.
 */
export interface Clock {
  /** Nanoseconds since the cluster was made, an integer, never running back. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/**
 * The three outcomes of a request. `answered` carries ZooKeeper's reply, also a definite error; `unsent` certainly
 * did not happen (nothing of it was written to the socket); of `unknown` nobody can tell.
 */
export type RequestOutcome =
  | { readonly outcome: "answered"; readonly answer: ZnodeAnswer; readonly xid: number }
  | { readonly outcome: "unsent"; readonly reason: string }
  | { readonly outcome: "unknown"; readonly reason: string; readonly xid: number };

/** What moves a session to another server. */
export interface SessionCredentials {
  readonly session: string;
  /** In hex. */
  readonly password: string;
  readonly timeoutMs: number;
  /** The newest zxid that the session has seen; a server that lags behind it must refuse the session. */
  readonly lastZxidSeen: Zxid;
  /** The number of the session's last request; the next connection goes on from it, so that (session, xid) names one request. */
  readonly lastXid?: number;
}

export interface ConnectOptions {
  readonly server: ServerName;
  /** Asked for; the server grants what it allows. */
  readonly sessionTimeoutMs: number;
  readonly connectTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /** Moves an existing session here instead of opening one. */
  readonly resume?: SessionCredentials;
  readonly readOnly?: boolean;
  readonly onEvent?: (event: WatchEvent) => void;
  /** The connection ended, once: by whom and why. */
  readonly onClose?: (reason: string) => void;
}

/** One connection to one server; it never reconnects by itself. */
export interface Client {
  readonly server: ServerName;
  readonly credentials: SessionCredentials;
  readonly connected: boolean;
  request(request: ZnodeRequest): Promise<RequestOutcome>;
  /** Ends the session, then the connection. */
  close(): Promise<void>;
  /** Ends the connection and leaves the session to expire, or to be moved. */
  disconnect(): void;
}

/** Why a session could not be had: "expired" is final for that session, the others may be tried again. */
export type ConnectFailure = "expired" | "refused" | "timeout" | "closed";

export type ConnectResult =
  | { readonly connected: true; readonly client: Client }
  | { readonly connected: false; readonly failure: ConnectFailure; readonly reason: string };

export type Role = "leader" | "follower" | "observer" | "standalone" | "none";

/** Whether a kind of fault can be done here, as a try has shown: by what means, or why not. */
export type Support =
  { readonly supported: true; readonly how: string } | { readonly supported: false; readonly reason: string };

/** A defect of a server that is known by number, and was met. */
export interface Finding {
  readonly server: ServerName;
  /** "ZOOKEEPER-4882". */
  readonly issue: string;
  /** What it did, in a sentence. */
  readonly summary: string;
}

/**
 * An ensemble under test. Faults accumulate until `undo`, which is idempotent; `heal` undoes all.
 * Throws OperationError (model/errors.ts) where something could not be done.
 */
export interface Cluster {
  readonly kind: "embedded" | "docker";
  /** For manifests: "embedded", "zookeeper 3.9.5". */
  readonly version: string;
  readonly servers: readonly ServerName[];
  /** Those that vote; the others are observers. */
  readonly voters: readonly ServerName[];
  /** Servers that run only while a fault has them join. They are none of `servers`. */
  readonly spares: readonly ServerName[];
  readonly clock: Clock;
  /** Known defects that were met so far, other than as promises broken. */
  readonly findings: readonly Finding[];
  /** Whether it can do a kind of fault here: found out by trying, before or after the start. */
  supports(kind: FaultKind): Promise<Support>;
  /**
   * Before the start: what faults of these kinds need will be there. Kinds that need nothing prepared need not be
   * named; the others are refused when they were not. Throws OperationError "fault" for one that is not supported.
   */
  prepare(kinds: readonly FaultKind[]): Promise<void>;
  /** Brings every server up and waits until a quorum serves. */
  start(): Promise<void>;
  connect(options: ConnectOptions): Promise<ConnectResult>;
  /** Each server's role as it says itself; "none" where it does not answer or is electing. */
  roles(): Promise<ReadonlyMap<ServerName, Role>>;
  /** Resolves when one leader serves, and every server that is not faulty serves, too. */
  awaitQuorum(timeoutMs: number): Promise<void>;
  apply(fault: Fault): Promise<AppliedFault>;
  /** Undoes every fault that is still in force. */
  heal(): Promise<void>;
  /** Copies logs and data directories into a folder, one sub-folder a server. */
  collect(directory: string): Promise<void>;
  /** Stops and removes everything; idempotent. Clients must be closed before. */
  stop(): Promise<void>;
}

export interface AppliedFault {
  readonly fault: Fault;
  undo(): Promise<void>;
}
