/** What an event does when its time has come. */
export interface Task {
  fire(): void;
}

/** A process whose events stop while it is paused, and are forgotten when it crashes. */
export interface Host {
  readonly name: string;
  /** Grows with each crash: events of an earlier life are dropped. */
  incarnation: number;
  paused: boolean;
  /** Events that came due during a pause, or that a starved process has not got to yet, in order. */
  held: Task[];
  /** How long a starved process takes for each event; 0 for one that is not starved. */
  eventNs: number;
  /** When a starved process can take its next event. */
  freeNs: number;
}

/** An event of virtual time. Objects are reused once they have fired. */
export interface Scheduled {
  /** Virtual ns. */
  time: number;
  order: number;
  task: Task;
  host: Host | undefined;
  incarnation: number;
}

/** A binary heap of events, by time and, at equal times, in the order in which they were scheduled. */
export class EventQueue {
  readonly #heap: Scheduled[] = [];
  readonly #free: Scheduled[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  push(time: number, host: Host | undefined, task: Task): void {
    const order = this.#order++;
    const incarnation = host === undefined ? 0 : host.incarnation;
    let event = this.#free.pop();
    if (event === undefined) event = { time, order, task, host, incarnation };
    else {
      event.time = time;
      event.order = order;
      event.task = task;
      event.host = host;
      event.incarnation = incarnation;
    }
    this.#siftUp(event);
  }

  /** The earliest event, or undefined. Hand it to `release` when it is done with. */
  pop(): Scheduled | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (first !== last) this.#siftDown(last);
    return first;
  }

  release(event: Scheduled): void {
    if (this.#free.length < 4096) this.#free.push(event);
  }

  #siftUp(event: Scheduled): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt] as Scheduled;
      if (parent.time < event.time || (parent.time === event.time && parent.order < event.order)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = event;
  }

  #siftDown(event: Scheduled): void {
    const heap = this.#heap;
    const size = heap.length;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= size) break;
      let child = heap[childAt] as Scheduled;
      if (childAt + 1 < size) {
        const right = heap[childAt + 1] as Scheduled;
        if (earlier(right, child)) {
          child = right;
          childAt++;
        }
      }
      if (earlier(event, child)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = event;
  }
}

function earlier(one: Scheduled, other: Scheduled): boolean {
  return one.time < other.time || (one.time === other.time && one.order < other.order);
}
