/** What decisions are made of: the tries of single instances, which know where a reference leads. */
export interface Waiting {
  /** The component that a reference (a node of an instance's own trie) asks for. */
  component(reference: number): number;
  /** Where it leads for an id; the row is at hand for what has to be learnt. */
  advance(reference: number, id: number, row: Int32Array, offset: number): number;
  /** What a leaf stands for: an enabled effect, or references of instances that begin here. */
  leaf(reference: number, row: Int32Array, offset: number, enabled: number[]): readonly number[];
}

/** The value of a component that was read on the way to a node. */
interface Known {
  readonly component: number;
  readonly id: number;
  readonly before: Known | undefined;
}

interface Pending {
  readonly references: readonly number[];
  readonly known: Known | undefined;
}

/** The target where no instance is enabled. */
export const nothing = -2;

/**
 * Decides all instances of all actions at once. A node asks for one component, and holds every instance that waits
 * for it, so that one look at a channel's head drops all that wait for another message; where instances ask for
 * different components next, it forks. What was read on the way to a node is known below it and not read again.
 *
 * Everything lies in one array, `code`:
 * a node is [component, mask, pairs [id + 1, target]...], a small hash table by id; a node that had to move to become
 * wider has left [0, 0, -1 - its new place];
 * a target is `nothing`, 2 * node, or 2 * fork + 1;
 * a fork is [effects, nodes, effect..., node...].
 */
export class Decisions {
  code: Int32Array = new Int32Array(1 << 15);
  /** Where every walk begins: a target, 0 before the first walk. */
  start = 0;
  nodes = 0;
  readonly #waiting: Waiting;
  /** By node: what waits there. */
  readonly #pending: Map<number, Pending> = new Map();
  /** By node: where in `code` it is pointed to. A node that grows moves. */
  readonly #pointers: Map<number, number> = new Map();
  readonly #children: Map<number, number> = new Map();
  #used = 2;

  constructor(waiting: Waiting) {
    this.#waiting = waiting;
  }

  get bytes(): number {
    return this.code.byteLength;
  }

  /** Begins with these references. */
  begin(references: readonly number[], row: Int32Array, offset: number): void {
    const at = this.#allocate(2);
    this.#point(at, this.#target(references, undefined, row, offset));
    this.start = at;
  }

  /** Where a row leads to from a node, found the slow way. */
  lookUp(from: number, row: Int32Array, offset: number): number {
    const { code } = this;
    let node = from;
    while ((code[node + 2] as number) < 0) node = -1 - (code[node + 2] as number);
    const mask = code[node + 1] as number;
    const id = row[offset + (code[node] as number)] as number;
    for (let pair = id & mask; code[node + 2 + 2 * pair] !== 0; pair = (pair + 1) & mask) {
      if (code[node + 2 + 2 * pair] === id + 1) return code[node + 3 + 2 * pair] as number;
    }
    return this.#extend(node, row, offset);
  }

  /** Learns where a row leads to from a node, and returns that target. */
  #extend(node: number, row: Int32Array, offset: number): number {
    const component = this.code[node] as number;
    const id = row[offset + component] as number;
    const { references, known } = this.#pending.get(node) as Pending;
    const further = references.map((reference) =>
      this.#waiting.component(reference) === component
        ? this.#waiting.advance(reference, id, row, offset)
        : reference,
    );
    const target = this.#target(further, { component, id, before: known }, row, offset);
    this.#put(node, id, target);
    return target;
  }

  /** Resolves what is known already, then forks or goes on with one node. */
  #target(references: readonly number[], known: Known | undefined, row: Int32Array, offset: number): number {
    const enabled: number[] = [];
    const groups = new Map<number, number[]>();
    const todo = [...references].reverse();
    while (todo.length > 0) {
      const reference = todo.pop() as number;
      if (reference < 0) {
        todo.push(...this.#waiting.leaf(reference, row, offset, enabled));
        continue;
      }
      const component = this.#waiting.component(reference);
      const id = idOf(known, component);
      if (id !== undefined) todo.push(this.#waiting.advance(reference, id, row, offset));
      else {
        const group = groups.get(component);
        if (group === undefined) groups.set(component, [reference]);
        else group.push(reference);
      }
    }
    const nodes = [...groups].map(([component, waiting]) =>
      this.#node(component, { references: waiting, known }),
    );
    if (enabled.length === 0 && nodes.length === 0) return nothing;
    if (enabled.length === 0 && nodes.length === 1) return 2 * (nodes[0] as number);
    const fork = this.#allocate(2 + enabled.length + nodes.length);
    this.code.set([enabled.length, nodes.length, ...enabled, ...nodes], fork);
    for (const [i, node] of nodes.entries()) this.#pointers.set(node, -(fork + 2 + enabled.length + i));
    return 2 * fork + 1;
  }

  #node(component: number, pending: Pending): number {
    const node = this.#allocate(2 + 2 * 2);
    this.nodes++;
    this.code[node] = component;
    this.code[node + 1] = 1;
    this.#pending.set(node, pending);
    this.#children.set(node, 0);
    return node;
  }

  /** Writes a target, and remembers where it stands when it is a node. */
  #point(at: number, target: number): void {
    this.code[at] = target;
    if (target > 0 && target % 2 === 0) this.#pointers.set(target / 2, at);
  }

  #put(node: number, id: number, target: number): void {
    const children = (this.#children.get(node) as number) + 1;
    const mask = this.code[node + 1] as number;
    const at = 2 * children > mask + 1 ? this.#move(node, 2 * (mask + 1)) : node;
    this.#children.set(at, children);
    this.#point(this.#freePair(at, id) + 1, target);
  }

  /** The pair for an id that is not there yet; its key is set. */
  #freePair(node: number, id: number): number {
    const mask = this.code[node + 1] as number;
    let pair = id & mask;
    while (this.code[node + 2 + 2 * pair] !== 0) pair = (pair + 1) & mask;
    this.code[node + 2 + 2 * pair] = id + 1;
    return node + 2 + 2 * pair;
  }

  /** A wider copy of a node. */
  #move(node: number, pairs: number): number {
    const wider = this.#allocate(2 + 2 * pairs);
    const { code } = this;
    code[wider] = code[node] as number;
    code[wider + 1] = pairs - 1;
    const oldMask = code[node + 1] as number;
    for (let pair = node + 2; pair < node + 4 + 2 * oldMask; pair += 2) {
      const key = code[pair] as number;
      if (key !== 0) this.#point(this.#freePair(wider, key - 1) + 1, code[pair + 1] as number);
    }
    const pointer = this.#pointers.get(node) as number;
    if (pointer < 0) code[-pointer] = wider;
    else code[pointer] = 2 * wider;
    // No id has such a key, so that whoever still comes here looks the way up.
    code.fill(0, node, node + 4 + 2 * oldMask);
    code[node + 2] = -1 - wider;
    for (const map of [this.#pending, this.#pointers, this.#children] as Map<number, unknown>[]) {
      map.set(wider, map.get(node));
      map.delete(node);
    }
    return wider;
  }

  #allocate(length: number): number {
    const at = this.#used;
    this.#used += length;
    if (this.#used > this.code.length) {
      const code = new Int32Array(Math.max(this.#used, 2 * this.code.length));
      code.set(this.code);
      this.code = code;
    }
    return at;
  }
}

function idOf(known: Known | undefined, component: number): number | undefined {
  for (let at = known; at !== undefined; at = at.before) if (at.component === component) return at.id;
  return undefined;
}
