import type { LinkMessage, ZabMessage } from "./messages.ts";
import { Pipe, type Route } from "./network.ts";
import type { EmbeddedServer } from "./server.ts";
import type { World } from "./world.ts";

/**
 * The connection of one learner with its leader. Each end closes for itself: whoever closes first destroys what is
 * under way in both directions (a reset), and the other end notices when the news arrives, or by silence.
 *
 * Differs from TCP, where bytes that have arrived may still be read after the peer is gone: here they never arrived.
 * That is one of the possible runs of an asynchronous network, and it keeps the two directions of a connection as one
 * thing, as the specification's channels are.
 */
export class LearnerLink {
  readonly leader: EmbeddedServer;
  readonly learner: EmbeddedServer;
  readonly toLeader: Pipe<LinkMessage>;
  readonly toLearner: Pipe<LinkMessage>;
  leaderOpen = true;
  learnerOpen = true;
  /** What the learner is making durable; it has left the pipe and is not processed yet. */
  processing: ZabMessage | undefined;
  /** What has reached the learner behind that. */
  inbox: LinkMessage[] = [];
  /** What has reached the leader, which is not ready for it. */
  deferred: LinkMessage[] = [];
  /** Full ticks since the leader last heard from the learner. */
  silentTicks = 0;

  constructor(
    world: World,
    leader: EmbeddedServer,
    learner: EmbeddedServer,
    routes: { readonly toLeader: Route; readonly toLearner: Route },
    latency: () => number,
  ) {
    this.leader = leader;
    this.learner = learner;
    this.toLeader = new Pipe<LinkMessage>({
      world,
      host: leader.host,
      route: routes.toLeader,
      latency,
      receive: (message) => leader.receiveFromLearner(this, message),
      reset: () => world.schedule(latency(), learner.host, { fire: () => learner.resetFromLeader(this) }),
    });
    this.toLearner = new Pipe<LinkMessage>({
      world,
      host: learner.host,
      route: routes.toLearner,
      latency,
      receive: (message) => learner.receiveFromLeader(this, message),
      reset: () => world.schedule(latency(), leader.host, { fire: () => leader.resetFromLearner(this) }),
    });
  }

  closeByLeader(): void {
    if (!this.leaderOpen) return;
    if (this.learnerOpen) this.learner.linkBreaks(this);
    this.leaderOpen = false;
    this.#destroy();
    this.toLeader.plug();
    if (this.learnerOpen) this.toLearner.send({ type: "CLOSE" });
  }

  closeByLearner(): void {
    if (!this.learnerOpen) return;
    this.learnerOpen = false;
    this.#destroy();
    this.toLearner.plug();
    if (this.leaderOpen) this.toLeader.send({ type: "CLOSE" });
  }

  #destroy(): void {
    this.toLeader.clear();
    this.toLearner.clear();
    this.processing = undefined;
    this.inbox = [];
    this.deferred = [];
  }
}
