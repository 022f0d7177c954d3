import { Broadcast } from "./broadcast.ts";
import type { LearnerLink } from "./learner-link.ts";
import { planSynchronization, positionUpTo } from "./learner-sync.ts";
import type { LeaderRequest, LinkMessage, ZabMessage } from "./messages.ts";
import type { EmbeddedServer } from "./server.ts";
import { acknowledge, lastZxid, type Captured, type Logged, type ServerId } from "./zab-state.ts";

/**
 * A server that leads, or wants to: the leader's side of discovery, synchronization and broadcast (Zab.tla, DSN 2011
 * §IV); broadcast itself is in Broadcast. Methods named after an action of the specification take that step, no more
 * and no less.
 */
export class Leader {
  readonly #server: EmbeddedServer;
  readonly #links: Map<ServerId, LearnerLink> = new Map();
  readonly #observers: Map<ServerId, LearnerLink> = new Map();
  #over = false;
  #ticks = 0;
  /** From the moment at which the leader is established. */
  #broadcast: Broadcast | undefined;
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

  /** The connection with a learner was reset. */
  resetFrom(link: LearnerLink): void {
    if (this.#observers.get(link.learner.id) === link) this.#removeObserver(link);
    else this.#removeLearner(link, "its connection was reset");
  }

  /** Whether new requests must wait, because a learner waits for the open ones. */
  get isJoined(): boolean {
    return this.#joining.size > 0;
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
    const old = this.#links.get(learner.id);
    if (old !== undefined) this.#removeLearner(old, "it has connected anew");
    this.#links.set(learner.id, link);
    this.#server.zab.learners.add(learner.id);
    this.#server.took("ConnectAndFollowerSendCEPOCH", this.#server.id, learner.id);
  }

  /** Observers are served by established leaders only. */
  acceptObserver(link: LearnerLink): boolean {
    if (this.#broadcast === undefined) return false;
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
    this.#broadcast?.submit(request);
  }

  /** Whether the session is alive; it belongs to that server from now on. */
  revalidate(session: string, owner: ServerId): boolean {
    return this.#broadcast?.revalidate(session, owner) === true;
  }

  /** Where to answer a server of the ensemble that is a learner. */
  linkWith(learner: ServerId): LearnerLink | undefined {
    return this.#links.get(learner) ?? this.#observers.get(learner);
  }

  /** Twice in a tick: pings; once in a tick, who is silent, what has expired, and whether a quorum is left. */
  tick(): void {
    const { timing, service } = this.#server;
    for (const link of [...this.#links.values(), ...this.#observers.values()]) {
      if (link.leaderOpen) link.toLearner.send({ type: "PING" });
    }
    this.#broadcast?.touch(service.takeHeard());
    if (++this.#ticks % 2 === 1) return;
    const limit = this.#broadcast === undefined ? timing.initLimitTicks : timing.syncLimitTicks;
    for (const link of this.#links.values()) {
      if (++link.silentTicks > limit) this.#removeLearner(link, "no word from it");
    }
    for (const link of this.#observers.values()) {
      if (++link.silentTicks > limit) this.#removeObserver(link);
    }
    if (this.#broadcast === undefined) {
      if (this.#ticks > 2 * timing.initLimitTicks) this.shutdown("no quorum followed in time");
    } else if (this.#server.isQuorum(this.#synchronized())) this.#broadcast.expireSessions();
    else this.shutdown("no quorum follows any more");
  }

  /** A committed transaction is applied here. */
  applied(transaction: Logged): void {
    this.#broadcast?.applied(transaction);
  }

  /** LeaderShutdown: back to the election; what the disk was writing it has written. */
  shutdown(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#broadcast?.end((pending) => pending);
    this.#closeLinks();
    this.#server.zab.learners.clear();
    this.#server.took("LeaderShutdown", this.#server.id);
    this.#server.look(reason);
  }

  /** The server has crashed: some of what the disk was writing is on it. */
  crash(written: (pending: number) => number): void {
    this.#over = true;
    this.#broadcast?.end(written);
    this.#closeLinks();
    this.#server.zab.learners.clear();
  }

  #closeLinks(): void {
    for (const link of [...this.#links.values(), ...this.#observers.values()]) link.closeByLeader();
    this.#links.clear();
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
        return this.#broadcast?.leaderProcessACK(link, message.transactions);
      case "PONG":
        return this.#broadcast?.touch(message.sessions);
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
      this.send(zab.cepochRecv, { type: "NEWEPOCH", epoch: zab.acceptedEpoch });
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
    this.#broadcast?.proposeLate();
    const formed = this.#server.isQuorum(zab.ackeRecv.size);
    if (formed && this.#broadcast !== undefined && zab.lastCommitted < zab.history.length) {
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
        const other = this.#links.get(learner);
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
    acknowledge(zab, link.learner.id, positionUpTo(zab.captured, zxid));
    if (formed) {
      link.toLearner.send({ type: "COMMITLD", zxid: this.#committedZxid() });
    } else if (this.#server.isQuorum(zab.ackldRecv.size)) {
      this.#establish();
      this.send(zab.ackldRecv, { type: "COMMITLD", zxid: this.#committedZxid() });
    }
    this.#server.took("LeaderProcessACKLD", id, link.learner.id);
  }

  #establish(): void {
    const { zab } = this.#server;
    zab.lastCommitted = zab.history.length;
    zab.zabState = "BROADCAST";
    this.#server.applyCommitted();
    this.#broadcast = new Broadcast(this.#server, this);
    for (const link of this.#links.values()) link.silentTicks = 0;
    this.#server.note(`leads in epoch ${zab.currentEpoch}, ${zab.history.length} transactions`);
    this.#server.count("election");
    this.#server.service.start();
  }

  #committedZxid(): number {
    const { log } = this.#server.zab.captured;
    return lastZxid({ log, length: this.#server.zab.lastCommitted });
  }

  // Broadcast

  /** What was committed goes to the learners; those that waited for this moment are sent the history. */
  committed(transactions: readonly Logged[]): void {
    const { zab } = this.#server;
    this.send(zab.ackldRecv, { type: "COMMIT", transactions });
    for (const link of this.#observers.values()) link.toLearner.send({ type: "INFORM", transactions });
    this.#server.applyCommitted();
    this.#broadcast?.answerSyncs();
    if (this.#joining.size === 0 || zab.lastCommitted < zab.history.length) return;
    for (const link of this.#joining) {
      this.#joining.delete(link);
      for (const message of link.deferred.splice(0)) if (link.leaderOpen) this.#process(link, message);
    }
    this.#broadcast?.takeRequests();
  }

  /** To the connected learners of a book of acknowledgements. */
  send(recipients: ReadonlyMap<ServerId, { readonly connected: boolean }>, message: ZabMessage): void {
    for (const [learner, { connected }] of recipients) {
      if (connected) this.#links.get(learner)?.toLearner.send(message);
    }
  }

  // Learners

  /** LeaderTimeout: the connection is closed, and the books say so. */
  #removeLearner(link: LearnerLink, reason: string): void {
    const { zab, id } = this.#server;
    const learner = link.learner.id;
    if (this.#links.get(learner) !== link) return;
    link.closeByLeader();
    this.#links.delete(learner);
    this.#joining.delete(link);
    zab.learners.delete(learner);
    for (const book of [zab.cepochRecv, zab.ackeRecv, zab.ackldRecv]) {
      const entry = book.get(learner);
      if (entry !== undefined) entry.connected = false;
    }
    this.#server.note(`loses ${link.learner.name}: ${reason}`);
    this.#server.took("LeaderTimeout", id, learner);
    if (this.#joining.size === 0) this.#broadcast?.takeRequests();
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
    link.toLearner.send({ type: "OBSERVED", epoch: zab.currentEpoch, history: committed, sync });
  }

  /** The leader itself, and the learners that have its history and are connected. */
  #synchronized(): number {
    let count = 0;
    for (const { connected } of this.#server.zab.ackldRecv.values()) if (connected) count++;
    return count;
  }
}
