import type { Follower } from "./follower.ts";
import { LearnerLink } from "./learner-link.ts";
import type { Notification } from "./messages.ts";
import { durations, Route } from "./network.ts";
import type { Observer } from "./observer.ts";
import type { Settings } from "./options.ts";
import { Random } from "./random.ts";
import { EmbeddedServer, type Ensemble } from "./server.ts";
import type { TracedAction } from "./trace.ts";
import { World } from "./world.ts";
import type { ServerId } from "./zab-state.ts";

/** The servers of one ensemble and the network between them. */
export class EmbeddedEnsemble implements Ensemble {
  readonly world: World = new World();
  readonly settings: Settings;
  readonly servers: readonly EmbeddedServer[];
  readonly clientLatency: () => number;
  readonly #routes: readonly (readonly Route[])[];
  readonly #latency: () => number;
  readonly #secret: string;
  #onSteps: ((steps: readonly TracedAction[]) => void) | undefined;
  #steps: TracedAction[] = [];

  constructor(settings: Settings, seed: number | string) {
    this.settings = settings;
    const random = new Random(seed);
    const { serverLatencyUs, clientLatencyUs, slowShare, retransmitMs } = settings.timing;
    this.#secret = random.fork("passwords").hex(8);
    this.#latency = durations(random.fork("network"), serverLatencyUs, slowShare);
    this.clientLatency = durations(random.fork("clients"), clientLatencyUs, slowShare);
    const ids = Array.from({ length: settings.voters + settings.observers }, (_, id) => id);
    const retransmissions = random.fork("retransmissions");
    this.#routes = ids.map(() => ids.map(() => new Route(this.world, retransmissions, retransmitMs)));
    this.servers = ids.map((id) => new EmbeddedServer(this, id, random.fork(`server ${id}`)));
  }

  /** The links of leaders with their learners that are open at one end at least. */
  readonly links: Set<LearnerLink> = new Set();

  readonly route = (from: ServerId, to: ServerId): Route => this.#routes[from]?.[to] as Route;

  dial(from: EmbeddedServer, to: ServerId, caller: Follower | Observer): void {
    const leader = this.servers[to] as EmbeddedServer;
    const [toLeader, toLearner] = [this.route(from.id, to), this.route(to, from.id)];
    const connect = (): void => {
      // A handshake needs both directions, and somebody who still waits for it.
      if (toLeader.isClosed || toLearner.isClosed || !caller.dialling) return;
      const link = new LearnerLink(this.world, leader, from, { toLeader, toLearner }, this.#latency);
      if (!leader.accepts(link)) return;
      this.#keep(link);
      caller.connected(link);
    };
    const extraNs = toLeader.extraNs() + toLearner.extraNs();
    this.world.schedule(this.#latency() + extraNs, leader.host, { fire: connect });
  }

  notify(from: ServerId, to: ServerId, notification: Notification): void {
    const server = this.servers[to] as EmbeddedServer;
    const route = this.route(from, to);
    const extraNs = route.extraNsOfDatagram();
    if (extraNs === undefined) return;
    const arrive = (): void => {
      if (!route.isClosed) server.receiveNotification(notification);
    };
    this.world.schedule(this.#latency() + extraNs, server.host, { fire: arrive });
  }

  passwordOf(session: string): string {
    return new Random(`${this.#secret}/${session}`).hex(16);
  }

  get tracing(): boolean {
    return this.#onSteps !== undefined;
  }

  took(action: TracedAction): void {
    this.#steps.push(action);
  }

  /** Has `told` called with the protocol's steps from now on, those of one event together, after they were taken. */
  trace(told: (steps: readonly TracedAction[]) => void): void {
    this.#onSteps = told;
    this.world.afterEvent = () => this.settleSteps();
  }

  /** Tells of the steps since the last time. */
  settleSteps(): void {
    if (this.#steps.length === 0) return;
    const steps = this.#steps;
    this.#steps = [];
    this.#onSteps?.(steps);
  }

  #keep(link: LearnerLink): void {
    for (const old of this.links) if (!old.leaderOpen && !old.learnerOpen) this.links.delete(old);
    this.links.add(link);
  }
}
