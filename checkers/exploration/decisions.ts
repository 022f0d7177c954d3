import type { Row } from "./row.ts";
/** What decisions are made of: the tries of single instances, which know where a reference leads. */
export interface Waiting {
  /** The component that a reference (a node of an instance's own trie) asks for. */
  component(reference: number): number;
  /** Where it leads for an id; the row is at hand for what has to be learnt. */
  advance(reference: number, id: number, row: Row, offset: number): number;
  /** What a leaf stands for: an enabled effect, or references of instances that begin here. */
  leaf(reference: number, row: Row, offset: number, enabled: number[]): readonly number[];
  /** How many values a component's variable has had so far. */
  valueCount(component: number): number;
}

/** A component that was read on the way to a node, and what was before it. */
interface Read {
  readonly component: number;
  readonly id: number;
  readonly before: Read | undefined;
}

/** A component of at most so many values is read early, for all. */
const fewValues = 6;
/** A node has at most about so many places for each child. */
const sparsest = 4;
/** Beyond so many nodes nothing is carried along any more. */
const carriersMax = 100_000;

/** The target where no instance is enabled. */
export const nothing = -2;

/**
 * Decides all instances of all actions at once. A node asks for one component, and holds every instance that waits
 * for it, so that one look at a channel's head drops all that wait for another message. Where a component has few
 * values, its node carries those along that wait for others, so that it is read once for all; else it forks into one
 * node for each component. Nodes that hold the same instances are one.
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
  /** The most nodes, and the most effects, of any fork. */
  widestFork = 1;
  mostEffects = 1;
  readonly #waiting: Waiting;
  /** By node: the references that wait there. */
  readonly #members: Map<number, readonly number[]> = new Map();
  /** By node that carries: what was read on the way to it. */
  readonly #read: Map<number, Read> = new Map();
  /** By node: where in `code` it is pointed to, negative within forks. A node that grows moves. */
  readonly #pointers: Map<number, number[]> = new Map();
  readonly #children: Map<number, number> = new Map();
  /** Nodes that carry nobody, by component and members. */
  readonly #shareds: Map<string, number> = new Map();
  /** The first node that carries; 0 where there is none. */
  #first = 0;
  #used = 2;

  constructor(waiting: Waiting) {
    this.#waiting = waiting;
  }

  get bytes(): number {
    return this.code.byteLength;
  }

  /** Begins with these references. */
  begin(references: readonly number[], row: Row, offset: number): void {
    const at = this.#allocate(2);
    this.#point(at, this.#target(references, undefined, row, offset));
    this.start = at;
  }

  /** Where a row leads to from a node, found the slow way. */
  lookUp(from: number, row: Row, offset: number): number {
    const { code } = this;
    let node = from;
    while ((code[node + 2] as number) < 0) node = -1 - (code[node + 2] as number);
    const mask = code[node + 1] as number;
    const id = row[offset + (code[node] as number)] as number;
    for (let looks = 0, pair = id & mask; looks <= mask; looks++, pair = (pair + 1) & mask) {
      if (code[node + 2 + 2 * pair] === id + 1) return code[node + 3 + 2 * pair] as number;
      if (code[node + 2 + 2 * pair] === 0) break;
    }
    return this.#extend(node, row, offset);
  }

  /** Learns where a row leads to from a node, and returns that target. */
  #extend(node: number, row: Row, offset: number): number {
    const component = this.code[node] as number;
    const id = row[offset + component] as number;
    const members = this.#members.get(node) as readonly number[];
    const further = members.map((reference) =>
      this.#waiting.component(reference) === component
        ? this.#waiting.advance(reference, id, row, offset)
        : reference,
    );
    const before = this.#read.get(node);
    const isFirst = node === this.#first;
    const read = before === undefined && !isFirst ? undefined : { component, id, before };
    const target = this.#target(further, read, row, offset);
    this.#put(node, id, target);
    return target;
  }

  /** Takes out what is decided; the rest goes on with one node, or forks. */
  #target(references: readonly number[], read: Read | undefined, row: Row, offset: number): number {
    const enabled: number[] = [];
    const groups = new Map<number, number[]>();
    const todo = references.toReversed();
    while (todo.length > 0) {
      const reference = todo.pop() as number;
      if (reference < 0) {
        todo.push(...this.#waiting.leaf(reference, row, offset, enabled).toReversed());
        continue;
      }
      const component = this.#waiting.component(reference);
      const id = idOf(read, component);
      if (id !== undefined) {
        todo.push(this.#waiting.advance(reference, id, row, offset));
        continue;
      }
      const group = groups.get(component);
      if (group === undefined) groups.set(component, [reference]);
      else group.push(reference);
    }
    const nodes = this.#nodes(groups, read);
    if (enabled.length === 0 && nodes.length === 0) return nothing;
    if (enabled.length === 0 && nodes.length === 1) return 2 * (nodes[0] as number);
    this.widestFork = Math.max(this.widestFork, nodes.length);
    this.mostEffects = Math.max(this.mostEffects, enabled.length);
    const fork = this.#allocate(2 + enabled.length + nodes.length);
    this.code.set([enabled.length, nodes.length, ...enabled, ...nodes], fork);
    for (const [i, node] of nodes.entries()) this.#pointers.get(node)?.push(-(fork + 2 + enabled.length + i));
    return 2 * fork + 1;
  }

  #nodes(groups: ReadonlyMap<number, readonly number[]>, read: Read | undefined): number[] {
    const carrying = this.#first === 0 || read !== undefined;
    let first: number | undefined;
    if (carrying && groups.size > 1 && this.nodes < carriersMax) {
      for (const [component, group] of groups) {
        if (this.#waiting.valueCount(component) > fewValues) continue;
        if (first === undefined || group.length > (groups.get(first) as readonly number[]).length) {
          first = component;
        }
      }
    }
    if (first === undefined)
      return [...groups].map(([component, members]) => this.#shared(component, members));
    const node = this.#node(first, [...groups.values()].flat());
    if (read === undefined) this.#first = node;
    else this.#read.set(node, read);
    return [node];
  }

  /** The node at which these instances wait, whatever was read before. */
  #shared(component: number, members: readonly number[]): number {
    const sorted = members.toSorted((a, b) => a - b);
    const key = keyOf(component, sorted);
    const known = this.#shareds.get(key);
    if (known !== undefined) return known;
    const node = this.#node(component, sorted);
    this.#shareds.set(key, node);
    return node;
  }

  #node(component: number, members: readonly number[]): number {
    const node = this.#allocate(2 + 2);
    this.nodes++;
    this.code[node] = component;
    this.code[node + 1] = 0;
    this.#members.set(node, members);
    this.#pointers.set(node, []);
    this.#children.set(node, 0);
    return node;
  }

  /** Writes a target, and remembers where it stands when it is a node. */
  #point(at: number, target: number): void {
    this.code[at] = target;
    if (target > 0 && target % 2 === 0) this.#pointers.get(target / 2)?.push(at);
  }

  #put(node: number, id: number, target: number): void {
    const children = (this.#children.get(node) as number) + 1;
    let at = node;
    // An id's first place is free in most nodes of twice the size, and then one look finds it.
    while (this.#isTaken(at, id) && (this.code[at + 1] as number) < sparsest * children) {
      at = this.#move(at, 2 * ((this.code[at + 1] as number) + 1));
    }
    if (children > (this.code[at + 1] as number) + 1)
      at = this.#move(at, 2 * ((this.code[at + 1] as number) + 1));
    this.#children.set(at, children);
    this.#point(this.#freePair(at, id) + 1, target);
  }

  #isTaken(node: number, id: number): boolean {
    return this.code[node + 2 + 2 * (id & (this.code[node + 1] as number))] !== 0;
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
    for (const pointer of this.#pointers.get(node) ?? []) {
      if (pointer < 0) code[-pointer] = wider;
      else if (code[pointer] === 2 * node) code[pointer] = 2 * wider;
    }
    // No id has such a key, so that whoever still comes here looks the way up.
    code.fill(0, node, node + 4 + 2 * oldMask);
    code[node + 2] = -1 - wider;
    const members = this.#members.get(node) as readonly number[];
    const key = keyOf(code[wider] as number, members);
    if (this.#shareds.get(key) === node) this.#shareds.set(key, wider);
    if (this.#first === node) this.#first = wider;
    for (const map of [this.#members, this.#read, this.#pointers, this.#children] as Map<number, unknown>[]) {
      if (map.has(node)) map.set(wider, map.get(node));
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

function keyOf(component: number, members: readonly number[]): string {
  return `${component}:${members.join(" ")}`;
}

function idOf(read: Read | undefined, component: number): number | undefined {
  for (let at = read; at !== undefined; at = at.before) if (at.component === component) return at.id;
  return undefined;
}
