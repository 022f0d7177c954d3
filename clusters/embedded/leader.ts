import { RequestPreparation, type TransactionBody, type TransactionHeader } from "../../model/index.ts";
import { LearnerLink } from "./learner-link.ts";
import { planSynchronization, positionUpTo } from "./learner-sync.ts";
import type { LeaderRequest, LinkMessage, ZabMessage } from "./messages.ts";
import type { EmbeddedServer } from "./server.ts";
import { SessionTracker } from "./session-tracker.ts";
import {
  counterOf,
  epochOf,
  epochSize,
  lastZxid,
  type Captured,
  type Logged,
  type ServerId,
} from "./zab-state.ts";

/** Requests that the leader holds; further ones are dropped with their connection. */
const queueMax = 100_000;

/**
 * A server that leads, or wants to: the leader's side of discovery, synchronization and broadcast (Zab.tla, DSN 2011
 * §IV). Methods named after an action of the specification take that step, no more and no less.
 *
 * Differs: the leader logs a transaction before it proposes it (ZooKeeper does both at once), so that the action
 * LeaderProcessRequest, with which the leader has its own acknowledgement, is the moment in which it is on disk.
 */
export class Leader {
  readonly #server: EmbeddedServer;
  readonly links: Map<ServerId, LearnerLink> = new Map();
  readonly #observers: Map<ServerId, LearnerLink> = new Map();
  #over = false;
  #ticks = 0;
  #established = false;
  #preparation: RequestPreparation | undefined;
  #sessions: SessionTracker | undefined;
  /** Transactions of earlier epochs: the position of a transaction of this one is this plus its counter. */
  #epochBase = 0;
  #lastZxid = 0;
  #queue: LeaderRequest[] = [];
  /** What the disk is writing, and whether it is. */
  #logging: readonly Logged[] = [];
  #busy: object | undefined;
  /** Syncs that wait until so many transactions are committed, in order. */
  #syncs: { readonly position: number; readonly request: LeaderRequest }[] = [];
  /** Learners that wait for everything proposed to be committed, before they are sent the history. */
  readonly #joining: Set<LearnerLink> = new Set();

  constructor(server: EmbeddedServer) {
    this.#server = server;
    const { id, zab } = server;
    zab.learners.clear();
    zab.learners.add(id);
    zab.cepochRecv.clear();
    zab.cepochRecv.set(id, { connected: true, epoch: zab.acceptedEpoch });
    zab.ackeRecv.clear();
    const peerHistory = zab.captured;
    zab.ackeRecv.set(id, { connected: true, peerLastEpoch: zab.currentEpoch, peerHistory });
    zab.ackldRecv.clear();
    zab.ackldRecv.set(id, { connected: true });
    zab.ackIndex.clear();
    zab.sendCounter = 0;
  }

  get established(): boolean {
    return this.#established;
  }

  /** An ensemble of one: nobody to discover, nobody to synchronize. Differs: Zab.tla has no such ensemble. */
  leadAlone(): void {
    const { zab } = this.#server;
    zab.acceptedEpoch++;
    zab.currentEpoch = zab.acceptedEpoch;
    this.#establish();
  }

  /** ConnectAndFollowerSendCEPOCH: a follower has dialled. An earlier connection with it is closed first. */
  accept(link: LearnerLink): void {
    const { learner } = link;
    const old = this.links.get(learner.id);
    if (old !== undefined) this.#removeLearner(old, "it has connected anew");
    this.links.set(learner.id, link);
    this.#server.zab.learners.add(learner.id);
    this.#server.took("ConnectAndFollowerSendCEPOCH", this.#server.id, learner.id);
  }

  /** Observers are served by established leaders only. */
  acceptObserver(link: LearnerLink): boolean {
    if (!this.#established) return false;
    this.#observers.get(link.learner.id)?.closeByLeader();
    this.#observers.set(link.learner.id, link);
    return true;
  }

  receive(link: LearnerLink, message: LinkMessage): void {
    link.silentTicks = 0;
    if (link.deferred.length > 0 && message.type !== "CLOSE") link.deferred.push(message);
    else this.#process(link, message);
  }

  /** What a server of the ensemble asks its leader for. */
  submit(request: LeaderRequest): void {
    if (this.#queue.length >= queueMax) throw new Error(`${queueMax} requests wait at ${this.#server.name}`);
    this.#queue.push(request);
    this.#takeRequests();
  }

  /** Whether the session is alive; it belongs to that server from now on. */
  revalidate(session: string, owner: ServerId): boolean {
    const valid = this.#sessions?.touch(session, this.#server.now()) === true;
    if (valid) this.#preparation?.moveSession(session, this.#server.nameOf(owner));
    return valid;
  }

  /** Twice in a tick: pings; once in a tick, who is silent, what has expired, and whether a quorum is left. */
  tick(): void {
    const { timing, service } = this.#server;
    for (const link of [...this.links.values(), ...this.#observers.values()]) {
      if (link.leaderOpen) link.toLearner.send({ type: "PING" });
    }
    this.#touch(service.takeHeard());
    if (++this.#ticks % 2 === 1) return;
    const limit = this.#established ? timing.syncLimitTicks : timing.initLimitTicks;
    for (const link of this.links.values()) {
      if (++link.silentTicks > limit) this.#removeLearner(link, "no word from it");
    }
    for (const link of this.#observers.values()) {
      if (++link.silentTicks > limit) this.#removeObserver(link);
    }
    if (!this.#established) {
      if (this.#ticks > 2 * timing.initLimitTicks) this.shutdown("no quorum followed in time");
      return;
    }
    if (!this.#server.isQuorum(this.#synchronized())) return this.shutdown("no quorum follows any more");
    for (const session of this.#sessions?.expire(this.#server.now()) ?? []) this.#expire(session);
  }

  /** A committed transaction is applied here. */
  applied({ header, body }: Logged): void {
    this.#preparation?.applied(header.zxid);
    if (body.type === "closeSession") {
      this.#preparation?.forgetSession(header.session);
      this.#sessions?.remove(header.session);
    }
  }

  /** LeaderShutdown: back to the election; what the disk was writing it has written. */
  shutdown(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#logWhatIsWritten(this.#logging.length);
    this.#closeLinks();
    this.#server.zab.learners.clear();
    this.#server.took("LeaderShutdown", this.#server.id);
    this.#server.look(reason);
  }

  /** The server has crashed: some of what the disk was writing is on it. */
  crash(written: (pending: number) => number): void {
    this.#over = true;
    this.#logWhatIsWritten(written(this.#logging.length));
    this.#closeLinks();
    this.#server.zab.learners.clear();
  }

  #closeLinks(): void {
    for (const link of [...this.links.values(), ...this.#observers.values()]) link.closeByLeader();
    this.links.clear();
    this.#observers.clear();
  }

  #process(link: LearnerLink, message: LinkMessage): void {
    switch (message.type) {
      case "CEPOCH":
        return this.#leaderProcessCEPOCH(link, message.epoch);
      case "ACKEPOCH":
        return this.#leaderProcessACKEPOCH(link, message);
      case "ACKLD":
        return this.#leaderProcessACKLD(link, message.zxid);
      case "ACK":
        return this.#leaderProcessACK(link, message.transactions);
      case "PONG":
        return this.#touch(message.sessions);
      case "REQUEST":
        return this.submit(message.request);
      case "REVALIDATE": {
        const valid = this.revalidate(message.session, link.learner.id);
        return link.toLearner.send({ type: "REVALIDATED", token: message.token, valid });
      }
      case "OBSERVE":
        return this.#observe(link, message.history);
      case "CLOSE":
        if (this.#observers.get(link.learner.id) === link) return this.#removeObserver(link);
        return this.#removeLearner(link, "it closed the connection");
      default:
        throw new Error(`${this.#server.name} leads and received ${message.type}`);
    }
  }

  // Discovery

  /** A quorum's epochs are known: the new one is greater than all of them. */
  #leaderProcessCEPOCH(link: LearnerLink, epoch: number): void {
    const { zab, id, defect } = this.#server;
    const formed = this.#server.isQuorum(zab.cepochRecv.size);
    zab.cepochRecv.set(link.learner.id, { connected: true, epoch });
    if (formed) link.toLearner.send({ type: "NEWEPOCH", epoch: zab.acceptedEpoch });
    else if (this.#server.isQuorum(zab.cepochRecv.size)) {
      const highest = Math.max(...[...zab.cepochRecv.values()].map((entry) => entry.epoch));
      zab.acceptedEpoch = defect === "reused-epoch" ? Math.max(1, highest) : highest + 1;
      this.#broadcast(zab.cepochRecv, { type: "NEWEPOCH", epoch: zab.acceptedEpoch });
    }
    this.#server.took("LeaderProcessCEPOCH", id, link.learner.id);
  }

  // Synchronization

  /**
   * A quorum's histories are known: the most recent one becomes everybody's.
   *
   * A learner that comes later waits until everything proposed is committed, and new requests wait meanwhile. In the
   * specification such a learner may acknowledge open proposals together with the history; nobody tries to commit
   * them then, and the ensemble is stuck once the others have gone.
   */
  #leaderProcessACKEPOCH(link: LearnerLink, message: Extract<ZabMessage, { type: "ACKEPOCH" }>): void {
    const { zab, id } = this.#server;
    const formed = this.#server.isQuorum(zab.ackeRecv.size);
    if (formed && this.#established && zab.lastCommitted < zab.history.length) {
      this.#joining.add(link);
      link.deferred.push(message);
      return;
    }
    const entry = { connected: true, peerLastEpoch: message.epoch, peerHistory: message.history };
    zab.ackeRecv.set(link.learner.id, entry);
    if (formed) this.#sendNEWLEADER(link);
    else if (this.#server.isQuorum(zab.ackeRecv.size)) {
      zab.currentEpoch = zab.acceptedEpoch;
      this.#adopt(this.#initialHistory());
      zab.zabState = "SYNCHRONIZATION";
      for (const [learner, { connected }] of zab.ackeRecv) {
        const other = this.links.get(learner);
        if (connected && other !== undefined) this.#sendNEWLEADER(other);
      }
    }
    this.#server.took("LeaderProcessACKEPOCH", id, link.learner.id);
  }

  /** DetermineInitialHistory: the latest epoch, then the longest. */
  #initialHistory(): Captured {
    const candidates = [...this.#server.zab.ackeRecv.values()];
    const best = candidates.reduce((one, other) => {
      if (one.peerLastEpoch !== other.peerLastEpoch)
        return one.peerLastEpoch > other.peerLastEpoch ? one : other;
      return lastZxid(one.peerHistory) >= lastZxid(other.peerHistory) ? one : other;
    });
    return best.peerHistory;
  }

  #adopt({ log, length }: Captured): void {
    const { zab } = this.#server;
    zab.ackIndex.clear();
    if (log !== zab.history || length !== zab.history.length) this.#server.adopt(log.slice(0, length));
  }

  #sendNEWLEADER(link: LearnerLink): void {
    const { zab, settings, tree, appliedCount } = this.#server;
    const history = zab.captured;
    const peerHistory = zab.ackeRecv.get(link.learner.id)?.peerHistory ?? { log: [], length: 0 };
    const snapshot = () => ({ tree: tree.tree, applied: appliedCount });
    const sync = planSynchronization(history, lastZxid(peerHistory), settings.snapshotBeyond, snapshot);
    this.#server.note(`sends ${sync.kind} to ${link.learner.name}`);
    link.toLearner.send({ type: "NEWLEADER", epoch: zab.acceptedEpoch, history, sync });
  }

  /** A quorum has the initial history: it is committed, and the leader is established. */
  #leaderProcessACKLD(link: LearnerLink, zxid: number): void {
    const { zab, id } = this.#server;
    const formed = this.#server.isQuorum(zab.ackldRecv.size);
    zab.ackldRecv.set(link.learner.id, { connected: true });
    this.#acknowledge(link.learner.id, positionUpTo(zab.captured, zxid));
    if (formed) {
      link.toLearner.send({ type: "COMMITLD", zxid: this.#committedZxid() });
    } else if (this.#server.isQuorum(zab.ackldRecv.size)) {
      this.#establish();
      this.#broadcast(zab.ackldRecv, { type: "COMMITLD", zxid: this.#committedZxid() });
    }
    this.#server.took("LeaderProcessACKLD", id, link.learner.id);
  }

  #establish(): void {
    const { zab, id } = this.#server;
    zab.lastCommitted = zab.history.length;
    zab.zabState = "BROADCAST";
    this.#established = true;
    this.#epochBase = zab.history.length;
    this.#lastZxid = zab.lastZxid;
    this.#server.applyCommitted();
    const { tree } = this.#server.tree;
    this.#preparation = new RequestPreparation(tree, { extendedTypes: true });
    this.#sessions = new SessionTracker(tree.sessions, this.#server.now());
    this.#server.note(`leads in epoch ${zab.currentEpoch}, ${zab.history.length} transactions`);
    this.#server.count("election");
    for (const link of this.links.values()) link.silentTicks = 0;
    this.#acknowledge(id, zab.history.length);
    this.#server.service.start();
  }

  #committedZxid(): number {
    const { log } = this.#server.zab.captured;
    return lastZxid({ log, length: this.#server.zab.lastCommitted });
  }

  // Broadcast

  /** The transactions of all waiting requests go to the disk in one write, which must be over before the next. */
  #takeRequests(): void {
    if (!this.#established || this.#busy !== undefined || this.#joining.size > 0 || this.#over) return;
    if (this.#queue.length === 0) return;
    const batch: Logged[] = [];
    for (const request of this.#queue.splice(0)) {
      if (request.kind === "sync") this.#sync(request, this.#server.zab.history.length + batch.length);
      else batch.push(this.#prepare(request));
    }
    if (batch.length === 0) return;
    this.#logging = batch;
    const token = {};
    this.#busy = token;
    if (this.#server.defect === "ack-before-log") this.#logged();
    else this.#server.fsync(() => (this.#busy === token ? this.#logged() : undefined));
  }

  #prepare(request: LeaderRequest): Logged {
    const { zab } = this.#server;
    const { session, xid, origin, server } = request;
    const owner = this.#server.nameOf(server);
    const newEpoch = epochOf(this.#lastZxid) !== zab.currentEpoch;
    this.#lastZxid = newEpoch ? zab.currentEpoch * epochSize + 1 : this.#lastZxid + 1;
    const zxid = this.#lastZxid;
    const header: TransactionHeader = { session, cxid: xid, zxid, timeMs: this.#server.wallMs() };
    const body = this.#bodyOf(header, request, owner);
    return { header, body, zxid, origin: origin === undefined ? undefined : { server, request: origin } };
  }

  #bodyOf(header: TransactionHeader, request: LeaderRequest, owner: string): TransactionBody {
    const preparation = this.#preparation as RequestPreparation;
    if (request.kind === "createSession") {
      this.#sessions?.open(request.session, request.timeoutMs ?? 0, this.#server.now());
      return preparation.createSession(header, request.timeoutMs ?? 0, owner);
    }
    if (request.write === undefined) return preparation.closeSession(header);
    if (request.kind === "closeSession") this.#sessions?.remove(request.session);
    const identities = request.origin?.connection.identities ?? [];
    return preparation.prepare(header, request.write, identities, owner);
  }

  #logged(): void {
    const { zab, id, defect } = this.#server;
    const batch = this.#logging;
    this.#logWhatIsWritten(batch.length);
    for (let i = 0; i < batch.length; i++) {
      zab.sendCounter++;
      this.#server.took("LeaderBroadcastPROPOSE", id);
    }
    this.#broadcast(zab.ackeRecv, { type: "PROPOSE", transactions: batch });
    if (defect === "commit-without-quorum" || this.#server.isQuorum(1)) this.#commit(batch);
    this.#takeRequests();
  }

  /** Ends the write that the disk is at: so many of its transactions are on it, the others are not. */
  #logWhatIsWritten(count: number): void {
    const { zab, id } = this.#server;
    for (const transaction of this.#logging.slice(0, count)) {
      zab.history.push(transaction);
      this.#server.took("LeaderProcessRequest", id);
    }
    this.#logging = [];
    this.#busy = undefined;
  }

  #leaderProcessACK(link: LearnerLink, transactions: readonly Logged[]): void {
    const { zab, id } = this.#server;
    const learner = link.learner.id;
    const committed: Logged[] = [];
    for (const transaction of transactions) {
      const position = this.#epochBase + counterOf(transaction.zxid);
      this.#acknowledge(learner, position);
      if (position === zab.lastCommitted + 1 && this.#hasQuorum(position)) {
        zab.lastCommitted = position;
        committed.push(transaction);
      }
      this.#server.took("LeaderProcessACK", id, learner);
    }
    if (committed.length > 0) this.#afterCommit(committed);
  }

  /** Only the defect, or an ensemble of one, commits at once. */
  #commit(batch: readonly Logged[]): void {
    const { zab } = this.#server;
    const open = zab.history.slice(zab.lastCommitted);
    zab.lastCommitted = zab.history.length;
    if (open.length === batch.length) this.#afterCommit(batch);
    else this.#afterCommit(open);
  }

  #afterCommit(committed: readonly Logged[]): void {
    const { zab } = this.#server;
    this.#broadcast(zab.ackldRecv, { type: "COMMIT", transactions: committed });
    for (const link of this.#observers.values()) {
      link.toLearner.send({ type: "INFORM", transactions: committed });
    }
    this.#server.applyCommitted();
    this.#answerSyncs();
    if (this.#joining.size > 0 && zab.lastCommitted === zab.history.length) this.#join();
  }

  /** Learners that waited for this moment are sent the history. */
  #join(): void {
    for (const link of [...this.#joining]) {
      this.#joining.delete(link);
      for (const message of link.deferred.splice(0)) if (link.leaderOpen) this.#process(link, message);
    }
    this.#takeRequests();
  }

  #acknowledge(learner: ServerId, position: number): void {
    const { ackIndex } = this.#server.zab;
    ackIndex.set(learner, Math.max(position, ackIndex.get(learner) ?? 0));
  }

  #hasQuorum(position: number): boolean {
    let acknowledged = 1;
    for (const [learner, index] of this.#server.zab.ackIndex) {
      if (learner !== this.#server.id && index >= position) acknowledged++;
    }
    return this.#server.isQuorum(acknowledged);
  }

  #sync(request: LeaderRequest, position: number): void {
    this.#syncs.push({ position, request });
    this.#answerSyncs();
  }

  /** A sync is no quorum operation: it is answered when all that was proposed before it is committed. */
  #answerSyncs(): void {
    const { zab, service, id } = this.#server;
    for (let first = this.#syncs[0]; first !== undefined; first = this.#syncs[0]) {
      if (first.position > zab.lastCommitted) return;
      this.#syncs.shift();
      const { session, server, origin } = first.request;
      const code = this.#preparation?.checkSession(session, this.#server.nameOf(server));
      const error = code === "SessionExpired" || code === "SessionMoved" ? code : undefined;
      if (origin === undefined) continue;
      const link = this.links.get(server) ?? this.#observers.get(server);
      if (server === id) service.synced(origin, error);
      else if (link?.leaderOpen === true) link.toLearner.send({ type: "SYNC", request: origin, error });
    }
  }

  // Learners and sessions

  #broadcast(recipients: ReadonlyMap<ServerId, { readonly connected: boolean }>, message: ZabMessage): void {
    for (const [learner, { connected }] of recipients) {
      if (connected) this.links.get(learner)?.toLearner.send(message);
    }
  }

  /** LeaderTimeout: the connection is closed, and the books say so. */
  #removeLearner(link: LearnerLink, reason: string): void {
    const { zab, id } = this.#server;
    const learner = link.learner.id;
    if (this.links.get(learner) !== link) return;
    link.closeByLeader();
    this.links.delete(learner);
    this.#joining.delete(link);
    zab.learners.delete(learner);
    for (const book of [zab.cepochRecv, zab.ackeRecv, zab.ackldRecv]) {
      const entry = book.get(learner);
      if (entry !== undefined) entry.connected = false;
    }
    this.#server.note(`loses ${link.learner.name}: ${reason}`);
    this.#server.took("LeaderTimeout", id, learner);
    if (this.#joining.size === 0) this.#takeRequests();
  }

  #removeObserver(link: LearnerLink): void {
    link.closeByLeader();
    this.#observers.delete(link.learner.id);
  }

  #observe(link: LearnerLink, history: Captured): void {
    const { zab, settings, tree, appliedCount } = this.#server;
    const committed: Captured = { log: zab.history, length: zab.lastCommitted };
    const snapshot = () => ({ tree: tree.tree, applied: appliedCount });
    const sync = planSynchronization(committed, lastZxid(history), settings.snapshotBeyond, snapshot);
    link.toLearner.send({ type: "OBSERVED", history: committed, sync });
  }

  /** The leader itself, and the learners that have its history and are connected. */
  #synchronized(): number {
    let count = 0;
    for (const { connected } of this.#server.zab.ackldRecv.values()) if (connected) count++;
    return count;
  }

  #touch(sessions: readonly string[]): void {
    const now = this.#server.now();
    for (const session of sessions) this.#sessions?.touch(session, now);
  }

  #expire(session: string): void {
    const { id } = this.#server;
    this.#server.note(`expires session ${session}`);
    this.submit({ kind: "closeSession", session, xid: 0, server: id, origin: undefined });
  }
}
