import type { LearnerLink } from "./learner-link.ts";
import { synchronized } from "./learner-sync.ts";
import type { LinkMessage } from "./messages.ts";
import type { EmbeddedServer } from "./server.ts";
import type { Logged, ServerId } from "./zab-state.ts";

const dialMs = 200;

/**
 * A server without a vote: it is sent what is committed, and serves clients as a follower does. It acknowledges
 * nothing and is in none of the leader's books. Differs: Zab.tla knows no observers.
 */
export class Observer {
  readonly #server: EmbeddedServer;
  readonly leaderId: ServerId;
  #link: LearnerLink | undefined;
  #silentTicks = 0;
  #over = false;
  #synchronized = false;

  constructor(server: EmbeddedServer, leaderId: ServerId) {
    this.#server = server;
    this.leaderId = leaderId;
    this.#dial();
  }

  get link(): LearnerLink | undefined {
    return this.#link;
  }

  get dialling(): boolean {
    return !this.#over && this.#link === undefined;
  }

  connected(link: LearnerLink): void {
    this.#link = link;
    this.#silentTicks = 0;
    link.toLeader.send({ type: "OBSERVE", history: this.#server.zab.captured });
  }

  receive(message: LinkMessage): void {
    this.#silentTicks = 0;
    switch (message.type) {
      case "OBSERVED": {
        const { zab } = this.#server;
        // A leader that was deposed and does not know it yet would take the observer back in time.
        if (message.epoch < zab.acceptedEpoch) return this.shutdown(`epoch ${message.epoch} is over`);
        zab.acceptedEpoch = zab.currentEpoch = message.epoch;
        this.#synchronized = true;
        this.#server.adopt(synchronized(zab.history, message.sync));
        if (message.sync.kind === "SNAP") this.#server.restore(message.sync);
        this.#server.count(message.sync.kind);
        zab.zabState = "BROADCAST";
        this.#commitAll();
        this.#server.note(
          `observes ${this.#server.nameOf(this.leaderId)}, synchronized by ${message.sync.kind}`,
        );
        return this.#server.service.start();
      }
      case "INFORM":
        return this.#inform(message.transactions);
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
        throw new Error(`${this.#server.name} observes and received ${message.type}`);
    }
  }

  tick(): void {
    const { timing } = this.#server;
    const serving = this.#server.service.serving;
    if (++this.#silentTicks > (serving ? timing.syncLimitTicks : timing.initLimitTicks)) {
      this.shutdown("no word from the leader");
    }
  }

  shutdown(reason: string): void {
    if (this.#over) return;
    this.crash();
    this.#server.look(reason);
  }

  crash(): void {
    this.#over = true;
    this.#link?.closeByLearner();
  }

  #inform(transactions: readonly Logged[]): void {
    const { zab } = this.#server;
    // What was committed before the leader synchronized this observer comes with the history, and with all before it.
    if (!this.#synchronized) return;
    zab.history.push(...transactions);
    this.#commitAll();
  }

  #commitAll(): void {
    const { zab } = this.#server;
    zab.lastCommitted = zab.history.length;
    this.#server.applyCommitted();
  }

  #dial(): void {
    if (!this.dialling) return;
    this.#server.dial(this.leaderId, this);
    this.#server.after(dialMs, () => this.#dial());
  }
}
