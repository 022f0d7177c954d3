import type { Clock } from "../cluster.ts";
import { EventQueue, type Host, type Task } from "./event-queue.ts";

/** After so much wall time without a turn of the event loop, timers, signals and I/O get one. */
const turnMs = 20;
/** Events between two looks at the wall clock. */
const eventsPerLook = 512;

/**
 * Virtual time: a deterministic discrete-event simulation whose users are ordinary async functions.
 *
 * Time stands still while user code runs. Code waits for the world by awaiting a promise that the world gave
 * (`sleep`, or any made by `waiting`). As long as somebody waits, the world takes one event after the other; when an
 * event has settled a promise, all microtasks are drained before the next event, so that whatever user code does in
 * response happens at that very virtual time, in a fixed order. When nobody waits, the world stands still.
 *
 * Hence two rules for user code that is to be repeated by a seed: it must not await anything that real time decides
 * (files, sockets, timers) while others wait for the world, and must not draw from an unseeded source.
 *
 * Draining is a microtask that schedules a process.nextTick: Node runs nextTick callbacks only when the queue of
 * microtasks is empty (measured on Node 20: 1.0 us an event, setImmediate 2.7 us).
 */
export class World implements Clock {
  readonly #events = new EventQueue();
  #now = 0;
  #waiting = 0;
  /** Whether a promise was settled since user code last had its turn. */
  #settled = false;
  #pumping = false;
  #lastTurn = 0;
  /** Called after each event; for tests that compare states. */
  afterEvent: (() => void) | undefined;

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    return this.waiting((settle) => {
      this.schedule(Math.max(0, Math.round(ms * 1e6)), undefined, { fire: settle });
    });
  }

  /** Has the task done after `delay` ns of virtual time, by `host` if it lives and is not paused then. */
  schedule(delay: number, host: Host | undefined, task: Task): void {
    this.#events.push(this.#now + delay, host, task);
  }

  /** As `schedule`, at a time that has not passed. */
  scheduleAt(time: number, host: Host | undefined, task: Task): void {
    this.#events.push(time, host, task);
  }

  /** A promise that user code waits for; the world runs until it is settled. */
  waiting<T>(start: (settle: (value: T) => void) => void): Promise<T> {
    this.#waiting++;
    const promise = new Promise<T>((resolve) => {
      let settled = false;
      start((value) => {
        if (settled) return;
        settled = true;
        this.#waiting--;
        this.#settled = true;
        resolve(value);
      });
    });
    this.#wake();
    return promise;
  }

  /** User code is about to be called: what it sets off has run before the next event. */
  callsUser(): void {
    this.#settled = true;
  }

  /** A paused host goes on: what came due meanwhile is done now, in order, or as soon as a starved one gets to it. */
  resume(host: Host): void {
    host.paused = false;
    this.#release(host);
  }

  /** From now on the host takes so long for each event; 0: no longer than virtual time ever takes. */
  starve(host: Host, eventNs: number): void {
    host.eventNs = eventNs;
    if (!host.paused) this.#release(host);
  }

  #release(host: Host): void {
    if (host.eventNs > 0) return this.#workOff(host);
    for (const task of host.held.splice(0)) this.schedule(0, host, task);
  }

  /** A starved host takes the events that it holds, one after the other. */
  #workOff(host: Host): void {
    if (host.held.length === 0) return;
    const { incarnation } = host;
    const next = (): void => {
      // A crash, a pause or the end of the starvation has seen to the rest.
      if (host.incarnation !== incarnation || host.paused || host.eventNs === 0) return;
      if (this.#now < host.freeNs) return this.scheduleAt(host.freeNs, undefined, { fire: next });
      const task = host.held.shift();
      if (task === undefined) return;
      host.freeNs = this.#now + host.eventNs;
      if (host.held.length > 0) this.scheduleAt(host.freeNs, undefined, { fire: next });
      task.fire();
    };
    this.scheduleAt(Math.max(this.#now, host.freeNs), undefined, { fire: next });
  }

  #wake(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#lastTurn = performance.now();
    queueMicrotask(this.#afterMicrotasks);
  }

  readonly #afterMicrotasks = (): void => {
    process.nextTick(this.#pump);
  };

  readonly #pump = (): void => {
    let looks = eventsPerLook;
    while (this.#waiting > 0) {
      this.#settled = false;
      this.#step();
      if (this.#settled) {
        if (--looks > 0 && performance.now() - this.#lastTurn < turnMs) queueMicrotask(this.#afterMicrotasks);
        else this.#giveTurn();
        return;
      }
      if (--looks <= 0) {
        looks = eventsPerLook;
        if (performance.now() - this.#lastTurn >= turnMs) return this.#giveTurn();
      }
    }
    this.#pumping = false;
  };

  #giveTurn(): void {
    setImmediate(() => {
      this.#lastTurn = performance.now();
      this.#pump();
    });
  }

  #step(): void {
    const event = this.#events.pop();
    if (event === undefined) throw new Error("somebody waits, but nothing will ever happen");
    const { host, task, time, incarnation } = event;
    this.#events.release(event);
    this.#now = time;
    if (host !== undefined) {
      if (host.incarnation !== incarnation) return;
      if (host.paused || host.eventNs > 0) {
        host.held.push(task);
        if (!host.paused && host.held.length === 1) this.#workOff(host);
        return;
      }
    }
    task.fire();
    this.afterEvent?.();
  }
}
