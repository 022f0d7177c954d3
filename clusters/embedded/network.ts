import type { Host, Task } from "./event-queue.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** The way from one server to another. While it is cut nothing passes, and connections keep their packets (TCP). */
export class Route {
  readonly #world: World;
  readonly #random: Random;
  readonly #retransmitMs: readonly [number, number];
  #cut = false;
  #stalled: Task[] = [];

  constructor(world: World, random: Random, retransmitMs: readonly [number, number]) {
    this.#world = world;
    this.#random = random;
    this.#retransmitMs = retransmitMs;
  }

  get isCut(): boolean {
    return this.#cut;
  }

  setCut(cut: boolean): void {
    if (cut === this.#cut) return;
    this.#cut = cut;
    if (cut) return;
    const [min, max] = this.#retransmitMs;
    for (const task of this.#stalled.splice(0)) {
      this.#world.schedule(this.#random.between(min * 1e6, max * 1e6), undefined, task);
    }
  }

  /** To be fired some time after the cut has healed. */
  stall(task: Task): void {
    this.#stalled.push(task);
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
    let time = world.now() + this.#options.latency();
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
    if (route?.isCut === true) {
      this.#scheduled = true;
      route.stall(this);
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
