import type { Host, Task } from "./event-queue.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** What becomes of packets on the way from one server to another. */
export interface Weather {
  /** `resets`: packets are answered with a reset of their connection. */
  readonly way: "open" | "cut" | "resets";
  /** The share of packets that is lost. */
  readonly loss: number;
  readonly delayMs: readonly [min: number, max: number];
}

export const fairWeather: Weather = { way: "open", loss: 0, delayMs: [0, 0] };

/** TCP's first time of retransmission (RFC 6298's minimum on Linux); it doubles with each try. */
const retransmissionMs = 200;
const retransmissionsMax = 10;

/**
 * The way from one server to another. While it is cut nothing passes, and connections keep their packets (TCP). What
 * is lost is sent again, so a connection's messages arrive late and in order; a datagram is gone.
 */
export class Route {
  readonly #world: World;
  readonly #random: Random;
  readonly #retransmitMs: readonly [number, number];
  #weather: Weather = fairWeather;
  #stalled: Task[] = [];

  constructor(world: World, random: Random, retransmitMs: readonly [number, number]) {
    this.#world = world;
    this.#random = random;
    this.#retransmitMs = retransmitMs;
  }

  /** No connection can be made, and no datagram passes. */
  get isClosed(): boolean {
    return this.#weather.way !== "open";
  }

  get resets(): boolean {
    return this.#weather.way === "resets";
  }

  setWeather(weather: Weather): void {
    const before = this.#weather.way;
    this.#weather = weather;
    // What waits goes on, or is to be reset now.
    if (weather.way === before || weather.way === "cut") return;
    const [min, max] = this.#retransmitMs;
    for (const task of this.#stalled.splice(0)) {
      this.#world.schedule(this.#random.between(min * 1e6, max * 1e6), undefined, task);
    }
  }

  /** To be fired some time after the way is open again. */
  stall(task: Task): void {
    this.#stalled.push(task);
  }

  /** How much longer, in ns, a connection's message is under way than in fair weather. */
  extraNs(): number {
    const { loss } = this.#weather;
    let ns = this.#delayNs();
    for (let i = 0; i < retransmissionsMax && loss > 0 && this.#random.chance(loss); i++) {
      ns += retransmissionMs * 2 ** i * 1e6 + this.#delayNs();
    }
    return ns;
  }

  /** The same for a datagram; undefined where it is lost. */
  extraNsOfDatagram(): number | undefined {
    const { loss } = this.#weather;
    return loss > 0 && this.#random.chance(loss) ? undefined : this.#delayNs();
  }

  #delayNs(): number {
    const [min, max] = this.#weather.delayMs;
    return max === 0 ? 0 : Math.round((min + (max - min) * this.#random.fraction()) * 1e6);
  }
}

/** Draws durations in ns between bounds in microseconds, of which a share is ten times as long. */
export function durations(
  random: Random,
  [minUs, maxUs]: readonly [number, number],
  slowShare: number,
): () => number {
  const minNs = minUs * 1000;
  const spreadNs = Math.max(1, (maxUs - minUs) * 1000);
  const slow = Math.floor(slowShare * 2 ** 32);
  return () => {
    const ns = minNs + random.below(spreadNs);
    return random.next() < slow ? ns * 10 : ns;
  };
}

export interface PipeOptions<M> {
  readonly world: World;
  /** The receiver, whose pause holds what arrives; undefined for a client. */
  readonly host: Host | undefined;
  /** Absent between clients and servers, which no fault cuts. */
  readonly route?: Route;
  readonly latency: () => number;
  readonly receive: (message: M) => void;
  /** The route has reset the connection: its sender is to learn of it. */
  readonly reset?: () => void;
}

/** One direction of a connection: messages arrive once, in order, after some time, or never. */
export class Pipe<M> implements Task {
  readonly #options: PipeOptions<M>;
  #messages: M[] = [];
  #times: number[] = [];
  #lastTime = 0;
  #scheduled = false;
  #plugged = false;

  constructor(options: PipeOptions<M>) {
    this.#options = options;
  }

  /** What is under way, oldest first. */
  get contents(): readonly M[] {
    return this.#messages;
  }

  send(message: M): void {
    const { world } = this.#options;
    let time = world.now() + this.#options.latency() + (this.#options.route?.extraNs() ?? 0);
    if (time < this.#lastTime) time = this.#lastTime;
    this.#lastTime = time;
    this.#messages.push(message);
    this.#times.push(time);
    if (!this.#scheduled && !this.#plugged) this.#scheduleAt(time);
  }

  /** Everything under way is lost. */
  clear(): void {
    this.#messages = [];
    this.#times = [];
  }

  /** From now on nothing arrives any more; what is sent stays under way. */
  plug(): void {
    this.#plugged = true;
  }

  fire(): void {
    const { route, world, receive } = this.#options;
    this.#scheduled = false;
    const time = this.#times[0];
    if (time === undefined || this.#plugged) return;
    if (route?.isClosed === true) {
      this.#scheduled = true;
      route.stall(this);
      if (route.resets) this.#options.reset?.();
      return;
    }
    if (time > world.now()) return this.#scheduleAt(time);
    // One message an event: whoever awaits what it settles has run before the next one is handed over.
    const message = this.#messages.shift() as M;
    this.#times.shift();
    const next = this.#times[0];
    if (next !== undefined) this.#scheduleAt(Math.max(next, world.now()));
    receive(message);
  }

  #scheduleAt(time: number): void {
    this.#scheduled = true;
    this.#options.world.scheduleAt(time, this.#options.host, this);
  }
}
