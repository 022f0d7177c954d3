import type { LearnerLink } from "./learner-link.ts";
import { positionUpTo, synchronized } from "./learner-sync.ts";
import type { LinkMessage, ZabMessage } from "./messages.ts";
import type { EmbeddedServer } from "./server.ts";
import { lastZxid, type Logged, type ServerId } from "./zab-state.ts";

const dialMs = 100;

type NewLeader = Extract<ZabMessage, { type: "NEWLEADER" }>;

/**
 * A server that follows: the follower's side of discovery, synchronization and broadcast (Zab.tla, DSN 2011 §IV).
 * Methods named after an action of the specification take that step, no more and no less.
 *
 * Messages are processed strictly in order: while one is being made durable, those behind it wait. So the action
 * FollowerProcessPROPOSE is the moment in which the transaction is on disk, and the acknowledgement leaves then.
 */
export class Follower {
  readonly #server: EmbeddedServer;
  readonly leaderId: ServerId;
  #link: LearnerLink | undefined;
  #silentTicks = 0;
  #over = false;
  /** What the disk is writing. */
  #logging: readonly Logged[] = [];
  #busy: object | undefined;

  constructor(server: EmbeddedServer, leaderId: ServerId) {
    this.#server = server;
    this.leaderId = leaderId;
    this.#dial();
  }

  get link(): LearnerLink | undefined {
    return this.#link;
  }

  /** Whether a connection may be made now. */
  get dialling(): boolean {
    return !this.#over && this.#link === undefined;
  }

  /** The leader has accepted the connection (ConnectAndFollowerSendCEPOCH, which the leader's side reports). */
  connected(link: LearnerLink): void {
    const { zab } = this.#server;
    this.#link = link;
    this.#silentTicks = 0;
    zab.connectInfo = this.leaderId;
    link.toLeader.send({ type: "CEPOCH", epoch: zab.acceptedEpoch });
  }

  receive(message: LinkMessage): void {
    this.#silentTicks = 0;
    if (this.#busy === undefined) this.#process(message);
    else this.#link?.inbox.push(message);
  }

  /** Once a full tick. */
  tick(): void {
    const { timing, zab } = this.#server;
    const limit = zab.zabState === "BROADCAST" ? timing.syncLimitTicks : timing.initLimitTicks;
    if (++this.#silentTicks > limit) this.shutdown("no word from the leader");
  }

  /** FollowerTimeout: back to the election; what the disk was writing it has written. */
  shutdown(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.logWhatIsWritten(this.#logging.length);
    this.#link?.closeByLearner();
    this.#server.took("FollowerTimeout", this.#server.id);
    this.#server.look(reason);
  }

  /** The server has crashed: some of what the disk was writing is on it. */
  crash(written: (pending: number) => number): void {
    this.#over = true;
    this.logWhatIsWritten(written(this.#logging.length));
    this.#link?.closeByLearner();
  }

  /** The leader has closed its end: nothing of what was under way arrives any more. */
  linkBreaks(): void {
    this.logWhatIsWritten(this.#logging.length);
  }

  /** Ends the write that the disk is at: so many of its transactions are on it, the others are not. */
  logWhatIsWritten(count: number): void {
    const written = this.#logging.slice(0, count);
    this.#logging = [];
    this.#busy = undefined;
    for (const transaction of written) this.#followerProcessPROPOSE(transaction);
    if (written.length > 0) this.#link?.toLeader.send({ type: "ACK", transactions: written });
  }

  #dial(): void {
    if (!this.dialling) return;
    this.#server.dial(this.leaderId, this);
    this.#server.after(dialMs, () => this.#dial());
  }

  #process(message: LinkMessage): void {
    switch (message.type) {
      case "NEWEPOCH":
        return this.#followerProcessNEWEPOCH(message.epoch);
      case "NEWLEADER":
        return this.#beginNEWLEADER(message);
      case "COMMITLD":
        return this.#followerProcessCOMMITLD(message.zxid);
      case "PROPOSE":
        return this.#beginPROPOSE(message.transactions);
      case "COMMIT":
        return this.#followerProcessCOMMIT(message.transactions);
      case "PING":
        this.#link?.toLeader.send({ type: "PONG", sessions: this.#server.service.takeHeard() });
        return;
      case "SYNC":
        return this.#server.service.synced(message.request, message.error);
      case "REVALIDATED":
        return this.#server.service.revalidated(message.token, message.valid);
      case "CLOSE":
        return this.shutdown("the leader closed the connection");
      default:
        throw new Error(`${this.#server.name} follows and received ${message.type}`);
    }
  }

  /** Goes on with what has arrived meanwhile. */
  #drain(): void {
    for (;;) {
      if (this.#busy !== undefined || this.#over) return;
      const message = this.#link?.inbox.shift();
      if (message === undefined) return;
      this.#process(message);
    }
  }

  /** Accepts the new epoch and tells its own last epoch and history. */
  #followerProcessNEWEPOCH(epoch: number): void {
    const { zab } = this.#server;
    if (epoch < zab.acceptedEpoch) return this.shutdown(`epoch ${epoch} is older than ${zab.acceptedEpoch}`);
    zab.acceptedEpoch = epoch;
    zab.zabState = "SYNCHRONIZATION";
    this.#link?.toLeader.send({ type: "ACKEPOCH", epoch: zab.currentEpoch, history: zab.captured });
    this.#server.took("FollowerProcessNEWEPOCH", this.#server.id, this.leaderId);
  }

  #beginNEWLEADER(message: NewLeader): void {
    const { zab } = this.#server;
    if (message.epoch !== zab.acceptedEpoch) return this.shutdown(`epoch ${message.epoch} was not accepted`);
    this.#write(message, () => {
      this.#followerProcessNEWLEADER(message);
      this.#link?.toLeader.send({ type: "ACKLD", zxid: lastZxid(zab.captured) });
    });
  }

  /** Adopts the leader's epoch and history, both at once on disk. */
  #followerProcessNEWLEADER({ sync }: NewLeader): void {
    const { zab, defect } = this.#server;
    zab.currentEpoch = zab.acceptedEpoch;
    if (defect !== "unadopted-history") {
      this.#server.adopt(synchronized(zab.history, sync));
      if (sync.kind === "SNAP") this.#server.restore(sync);
    }
    this.#server.count(sync.kind);
    this.#server.note(
      `synchronized by ${sync.kind}, epoch ${zab.currentEpoch}, ${zab.history.length} transactions`,
    );
    this.#server.took("FollowerProcessNEWLEADER", this.#server.id, this.leaderId);
  }

  #followerProcessCOMMITLD(zxid: number): void {
    const { zab } = this.#server;
    zab.lastCommitted = positionUpTo(zab.captured, zxid);
    zab.zabState = "BROADCAST";
    this.#server.took("FollowerProcessCOMMITLD", this.#server.id, this.leaderId);
    this.#server.applyCommitted();
    this.#server.note(`follows ${this.#server.nameOf(this.leaderId)} in epoch ${zab.currentEpoch}`);
    this.#server.service.start();
  }

  /** Logs the proposal and those behind it in one write. */
  #beginPROPOSE(transactions: readonly Logged[]): void {
    const link = this.#link as LearnerLink;
    let batch = transactions;
    for (let next = link.inbox[0]; next?.type === "PROPOSE"; next = link.inbox[0]) {
      batch = [...batch, ...next.transactions];
      link.inbox.shift();
    }
    this.#logging = batch;
    if (this.#server.skipsSync) return this.logWhatIsWritten(batch.length);
    this.#write({ type: "PROPOSE", transactions: batch }, () => this.logWhatIsWritten(batch.length));
  }

  #followerProcessPROPOSE(transaction: Logged): void {
    const { zab, id } = this.#server;
    zab.history.push(transaction);
    this.#server.took("FollowerProcessPROPOSE", id, this.leaderId);
  }

  #followerProcessCOMMIT(transactions: readonly Logged[]): void {
    const { zab, id } = this.#server;
    for (const { zxid } of transactions) {
      if (zab.history[zab.lastCommitted]?.zxid !== zxid) {
        if (this.#server.defect === undefined) throw new Error(`${this.#server.name}: commit out of order`);
        return this.shutdown("a commit out of order");
      }
      zab.lastCommitted++;
      this.#server.took("FollowerProcessCOMMIT", id, this.leaderId);
    }
    this.#server.applyCommitted();
  }

  #write(message: ZabMessage, done: () => void): void {
    const token = {};
    this.#busy = token;
    if (this.#link !== undefined) this.#link.processing = message;
    this.#server.fsync(() => {
      if (this.#busy !== token) return;
      this.#busy = undefined;
      if (this.#link !== undefined) this.#link.processing = undefined;
      done();
      this.#drain();
    });
  }
}
