import { RequestPreparation, type TransactionBody, type TransactionHeader } from "../../model/index.ts";
import type { Leader } from "./leader.ts";
import type { LearnerLink } from "./learner-link.ts";
import type { LeaderRequest } from "./messages.ts";
import type { EmbeddedServer } from "./server.ts";
import { SessionTracker } from "./session-tracker.ts";
import { acknowledge, counterOf, epochOf, epochSize, type Logged, type ServerId } from "./zab-state.ts";

/** Transactions that wait for the disk; a request beyond is lost, and its client will never know. */
const waitingMax = 100_000;

/**
 * An established leader's broadcast (Zab.tla, DSN 2011 §IV phase 3): requests become transactions, are logged,
 * proposed, acknowledged and committed.
 *
 * Differs: the leader logs a transaction before it proposes it (ZooKeeper does both at once), so that the action
 * LeaderProcessRequest, with which the leader has its own acknowledgement, is the moment in which it is on disk.
 */
export class Broadcast {
  readonly #server: EmbeddedServer;
  readonly #leader: Leader;
  readonly #preparation: RequestPreparation;
  readonly #sessions: SessionTracker;
  /** Transactions of earlier epochs: the position of a transaction of this one is this plus its counter. */
  readonly #epochBase: number;
  #lastZxid: number;
  /** What waits for the disk. */
  #waiting: Logged[] = [];
  /** What the disk is writing, and whether it is. */
  #logging: readonly Logged[] = [];
  #busy: object | undefined;
  /** Syncs that wait until so many transactions are committed, in order. */
  #syncs: { readonly position: number; readonly request: LeaderRequest }[] = [];
  /** Only with `commit-without-quorum`: committed, and nobody knows. */
  #unproposed: readonly Logged[] = [];
  #over = false;

  constructor(server: EmbeddedServer, leader: Leader) {
    const { tree } = server.tree;
    this.#server = server;
    this.#leader = leader;
    this.#preparation = new RequestPreparation(tree, { extendedTypes: true });
    this.#sessions = new SessionTracker(tree.sessions, server.localNs());
    this.#epochBase = server.zab.history.length;
    this.#lastZxid = server.zab.lastZxid;
  }

  /** Requests are checked, and get their place, in the order in which they come: before anything else happens. */
  submit(request: LeaderRequest): void {
    if (this.#waiting.length >= waitingMax || this.#over) return;
    if (request.kind === "sync") {
      const position = this.#server.zab.history.length + this.#logging.length + this.#waiting.length;
      this.#syncs.push({ position, request });
      return this.answerSyncs();
    }
    this.#waiting.push(this.#prepare(request));
    this.takeRequests();
  }

  /** All waiting transactions go to the disk in one write, which must be over before the next. */
  takeRequests(): void {
    if (this.#busy !== undefined || this.#over || this.#leader.isJoined || this.#waiting.length === 0) return;
    this.#logging = this.#waiting;
    this.#waiting = [];
    if (this.#server.skipsSync) return this.#logged();
    const token = {};
    this.#busy = token;
    this.#server.fsync(() => {
      if (this.#busy === token) this.#logged();
    });
  }

  leaderProcessACK(link: LearnerLink, transactions: readonly Logged[]): void {
    const { zab, id } = this.#server;
    const learner = link.learner.id;
    const committed: Logged[] = [];
    for (const transaction of transactions) {
      const position = this.#epochBase + counterOf(transaction.zxid);
      acknowledge(zab, learner, position);
      if (position === zab.lastCommitted + 1 && this.#hasQuorum(position)) {
        zab.lastCommitted = position;
        committed.push(transaction);
      }
      this.#server.took("LeaderProcessACK", id, learner);
    }
    if (committed.length > 0) this.#leader.committed(committed);
  }

  /** The term is over: of what the disk was writing, so much of it as `written` says is on it. */
  end(written: (pending: number) => number): void {
    this.#over = true;
    this.#logWhatIsWritten(written(this.#logging.length));
  }

  /** A committed transaction is applied here. */
  applied({ header, body }: Logged): void {
    this.#preparation.applied(header.zxid);
    if (body.type !== "closeSession") return;
    this.#preparation.forgetSession(header.session);
    this.#sessions.remove(header.session);
  }

  /** A sync is no quorum operation: it is answered when all that was proposed before it is committed. */
  answerSyncs(): void {
    const { zab, service, id } = this.#server;
    for (let first = this.#syncs[0]; first !== undefined; first = this.#syncs[0]) {
      if (first.position > zab.lastCommitted) return;
      this.#syncs.shift();
      const { session, server, origin } = first.request;
      if (origin === undefined) continue;
      const code = this.#preparation.checkSession(session, this.#server.nameOf(server));
      const error = code === "SessionExpired" || code === "SessionMoved" ? code : undefined;
      if (server === id) service.synced(origin, error);
      else this.#leader.linkWith(server)?.toLearner.send({ type: "SYNC", request: origin, error });
    }
  }

  // Sessions

  touch(sessions: readonly string[]): void {
    const now = this.#server.localNs();
    for (const session of sessions) this.#sessions.touch(session, now);
  }

  revalidate(session: string, owner: ServerId): boolean {
    const valid = this.#sessions.touch(session, this.#server.localNs());
    if (valid) this.#preparation.moveSession(session, this.#server.nameOf(owner));
    return valid;
  }

  expireSessions(): void {
    const { id } = this.#server;
    for (const session of this.#sessions.expire(this.#server.localNs())) {
      this.#server.note(`expires session ${session}`);
      this.submit({ kind: "closeSession", session, xid: 0, server: id, origin: undefined });
    }
  }

  #prepare(request: LeaderRequest): Logged {
    const { zab } = this.#server;
    const { session, xid, origin, server } = request;
    const newEpoch = epochOf(this.#lastZxid) !== zab.currentEpoch;
    this.#lastZxid = newEpoch ? zab.currentEpoch * epochSize + 1 : this.#lastZxid + 1;
    const zxid = this.#lastZxid;
    const header: TransactionHeader = { session, cxid: xid, zxid, timeMs: this.#server.wallMs() };
    const body = this.#bodyOf(header, request);
    return { header, body, zxid, origin: origin === undefined ? undefined : { server, request: origin } };
  }

  #bodyOf(header: TransactionHeader, request: LeaderRequest): TransactionBody {
    const owner = this.#server.nameOf(request.server);
    if (request.kind === "createSession") {
      const timeoutMs = request.timeoutMs ?? 0;
      this.#sessions.open(request.session, timeoutMs, this.#server.localNs());
      return this.#preparation.createSession(header, timeoutMs, owner);
    }
    if (request.write === undefined) return this.#preparation.closeSession(header);
    if (request.kind === "closeSession") this.#sessions.remove(request.session);
    const identities = request.origin?.connection.identities ?? [];
    return this.#preparation.prepare(header, request.write, identities, owner);
  }

  #logged(): void {
    const batch = this.#logging;
    this.#logWhatIsWritten(batch.length);
    if (this.#server.defect === "commit-without-quorum") this.#commitUnproposed(batch);
    else {
      this.#propose(batch);
      // An ensemble of one is its own quorum.
      if (this.#server.isQuorum(1)) this.#commitAll();
    }
    this.takeRequests();
  }

  #propose(transactions: readonly Logged[]): void {
    const { zab, id } = this.#server;
    for (let i = 0; i < transactions.length; i++) {
      zab.sendCounter++;
      this.#server.took("LeaderBroadcastPROPOSE", id);
    }
    this.#leader.send(zab.ackeRecv, { type: "PROPOSE", transactions });
  }

  #commitAll(): void {
    const { zab } = this.#server;
    const open = zab.history.slice(zab.lastCommitted);
    zab.lastCommitted = zab.history.length;
    this.#leader.committed(open);
  }

  /** Only with `commit-without-quorum`: what the leader has logged it answers, and proposes when it gets to it. */
  #commitUnproposed(batch: readonly Logged[]): void {
    const { zab, timing } = this.#server;
    zab.lastCommitted = zab.history.length;
    this.#server.applyCommitted();
    this.answerSyncs();
    if (this.#unproposed.length === 0) this.#server.after(timing.lateProposalMs, () => this.proposeLate());
    this.#unproposed = [...this.#unproposed, ...batch];
  }

  /** Only with `commit-without-quorum`. */
  proposeLate(): void {
    if (this.#over || this.#unproposed.length === 0) return;
    const transactions = this.#unproposed;
    this.#unproposed = [];
    this.#propose(transactions);
    this.#leader.committed(transactions);
  }

  /** Ends the write that the disk is at: so many of its transactions are on it, the others are not. */
  #logWhatIsWritten(count: number): void {
    const { zab, id } = this.#server;
    const written = this.#logging;
    this.#logging = [];
    this.#busy = undefined;
    for (let i = 0; i < count; i++) {
      zab.history.push(written[i] as Logged);
      this.#server.took("LeaderProcessRequest", id);
    }
  }

  #hasQuorum(position: number): boolean {
    const { zab, id } = this.#server;
    let acknowledged = 1;
    for (const [learner, index] of zab.ackIndex) {
      if (learner !== id && index >= position) acknowledged++;
    }
    return this.#server.isQuorum(acknowledged);
  }
}
