import type { Notification, Vote } from "./messages.ts";
import type { EmbeddedServer } from "./server.ts";
import type { ServerId } from "./zab-state.ts";

const resendMinMs = 200;
const resendMaxMs = 1600;

/**
 * One server's own election: ZooKeeper's FastLeaderElection (lookForLeader), as events. It stands for the oracle of
 * Zab.tla: its outcome is UpdateLeader of the elected and FollowLeader of the others.
 *
 * Differs: notifications are datagrams, sent anew until the election is over; ZooKeeper keeps the last one for each
 * peer in a queue of length one, and sends it when there is a connection.
 */
export class Election {
  readonly #server: EmbeddedServer;
  #round = 0;
  #vote: Vote = { leader: 0, epoch: 0, zxid: 0 };
  #received: Map<ServerId, Vote> = new Map();
  #outOfElection: Map<ServerId, Notification> = new Map();
  /** Changes with each event that makes earlier timers void. */
  #attempt = 0;
  #resendMs = resendMinMs;
  #finalizing = false;

  constructor(server: EmbeddedServer) {
    this.#server = server;
  }

  /** The server is LOOKING. An observer asks for votes, and has none. */
  start(): void {
    this.#attempt++;
    this.#round = this.#server.isVoter(this.#server.id) ? this.#round + 1 : 0;
    this.#finalizing = false;
    this.#received.clear();
    this.#outOfElection.clear();
    this.#vote = this.#own();
    this.#resendMs = resendMinMs;
    this.#record(this.#server.id, this.#vote);
    this.#broadcast();
    this.#resendLater(this.#attempt);
    this.#decideSoon();
  }

  stop(): void {
    this.#attempt++;
    this.#finalizing = false;
  }

  /** The server has crashed: rounds start anew. */
  forget(): void {
    this.stop();
    this.#round = 0;
  }

  receive(notification: Notification): void {
    if (this.#server.zab.role !== "LOOKING") {
      if (notification.role === "LOOKING") this.#send(notification.from);
      return;
    }
    if (notification.role === "LOOKING") this.#receiveVote(notification);
    else this.#receiveOutcome(notification);
  }

  #receiveVote({ from, round, vote }: Notification): void {
    if (!this.#server.isVoter(from)) return this.#send(from);
    if (round < this.#round) return this.#server.isVoter(this.#server.id) ? this.#send(from) : undefined;
    if (round > this.#round) {
      this.#round = round;
      this.#received.clear();
      this.#finalizing = false;
      this.#vote = this.#best(vote, this.#own());
      this.#broadcast();
    } else if (this.#best(vote, this.#vote) !== this.#vote) {
      this.#vote = vote;
      this.#finalizing = false;
      this.#broadcast();
    }
    this.#record(from, vote);
    this.#decideSoon();
  }

  #receiveOutcome(notification: Notification): void {
    const { from, round, vote } = notification;
    if (!this.#server.isVoter(from)) return;
    if (round === this.#round) this.#record(from, vote);
    this.#outOfElection.set(from, notification);
    const supporters = [...this.#outOfElection.values()].filter((other) => other.vote.leader === vote.leader);
    const leads = this.#outOfElection.get(vote.leader)?.role === "LEADING";
    if (!leads || !this.#server.isQuorum(supporters.length)) return;
    this.#round = round;
    this.#decide(vote);
  }

  #record(from: ServerId, vote: Vote): void {
    if (this.#server.isVoter(from)) this.#received.set(from, vote);
  }

  /** With a quorum for its vote, a server waits a little for a better one. */
  #decideSoon(): void {
    const { leader, epoch, zxid } = this.#vote;
    this.#record(this.#server.id, this.#vote);
    const same = [...this.#received.values()].filter(
      (vote) => vote.leader === leader && vote.epoch === epoch && vote.zxid === zxid,
    );
    if (this.#finalizing || !this.#server.isQuorum(same.length)) return;
    this.#finalizing = true;
    const attempt = this.#attempt;
    const vote = this.#vote;
    this.#server.after(this.#server.timing.finalizeWaitMs, () => {
      if (attempt === this.#attempt && this.#finalizing && vote === this.#vote) this.#decide(vote);
    });
  }

  #decide(vote: Vote): void {
    this.#attempt++;
    this.#finalizing = false;
    this.#vote = vote;
    if (vote.leader === this.#server.id) this.#server.lead();
    else this.#server.follow(vote.leader);
  }

  #resendLater(attempt: number): void {
    this.#server.after(this.#resendMs, () => {
      if (attempt !== this.#attempt || this.#server.zab.role !== "LOOKING") return;
      this.#resendMs = Math.min(resendMaxMs, this.#resendMs * 2);
      this.#broadcast();
      this.#resendLater(attempt);
    });
  }

  /** totalOrderPredicate: the newest epoch, then the longest log, then the highest id. */
  #best(one: Vote, other: Vote): Vote {
    if (one.epoch !== other.epoch) return one.epoch > other.epoch ? one : other;
    if (one.zxid !== other.zxid) return one.zxid > other.zxid ? one : other;
    return one.leader > other.leader ? one : other;
  }

  #own(): Vote {
    const { id, zab } = this.#server;
    if (!this.#server.isVoter(id)) return { leader: -1, epoch: -1, zxid: -1 };
    return { leader: id, epoch: zab.currentEpoch, zxid: zab.lastZxid };
  }

  #broadcast(): void {
    for (const id of this.#server.voters) if (id !== this.#server.id) this.#send(id);
  }

  #send(to: ServerId): void {
    const { id, zab } = this.#server;
    this.#server.notify(to, { from: id, role: zab.role, round: this.#round, vote: this.#vote });
  }
}
