import type { Ids } from "./packing.ts";

/** A function that read something else, or came to something else, after reading the same. */
export class TrieConflict extends Error {}

/**
 * Decision tries over the ids of components, many in one store. A node asks for one component; a child is kept for each
 * id met there, in a small hash table with the id itself as hash.
 *
 * References: 0 is "not met yet", n > 0 is node n, anything below 0 is a leaf whose meaning is the owner's.
 */
export class Trie {
  /** For each node: [component, start of its children in `slots`, mask, children]. Node 0 is not used. */
  #nodes: Int32Array = new Int32Array(4 * 1024);
  /** Pairs [id + 1, reference]; 0 marks a free pair. */
  #slots: Int32Array = new Int32Array(2 * 8 * 1024);
  /** For each node: a set of the components that are asked for there or below, as bits. */
  #below: Int32Array;
  #nodesUsed = 1;
  #slotsUsed = 0;
  /** Words of a set of components. */
  readonly setWords: number;
  readonly #componentOf: (asked: number) => number;

  /** `componentOf`: which component of a set stands for what a node asks for, where that is none itself. */
  constructor(components: number, componentOf: (asked: number) => number = (asked) => asked) {
    this.#componentOf = componentOf;
    this.setWords = Math.ceil(components / 32);
    this.#below = new Int32Array(this.setWords * 1024);
  }

  /** Nodes are numbered below this. */
  get nodeCount(): number {
    return this.#nodesUsed;
  }

  get bytes(): number {
    return this.#nodes.byteLength + this.#slots.byteLength + this.#below.byteLength;
  }

  component(node: number): number {
    return this.#nodes[4 * node] as number;
  }

  /** One word of the set of components that are asked for at a node or below. */
  below(node: number, word: number): number {
    return this.#below[node * this.setWords + word] as number;
  }

  child(node: number, id: number): number {
    const nodes = this.#nodes;
    const slots = this.#slots;
    const start = nodes[4 * node + 1] as number;
    const mask = nodes[4 * node + 2] as number;
    let slot = id & mask;
    for (;;) {
      const key = slots[start + 2 * slot] as number;
      if (key === id + 1) return slots[start + 2 * slot + 1] as number;
      if (key === 0) return 0;
      slot = (slot + 1) & mask;
    }
  }

  /** Where a state leads to: a leaf, or 0 for a path not met yet. */
  find(root: number, ids: Ids): number {
    let reference = root;
    while (reference > 0) reference = this.child(reference, ids[this.component(reference)] as number);
    return reference;
  }

  /**
   * Adds a path: the components read in order, their ids, and the leaf. Returns the root, which is new when `root` is 0.
   * Throws TrieConflict when the path contradicts an earlier one: then the function read depends on more than it reads.
   */
  insert(root: number, components: readonly number[], ids: readonly number[], leaf: number): number {
    if (components.length === 0) {
      if (root !== 0 && root !== leaf) throw new TrieConflict("another outcome");
      return leaf;
    }
    let node = root === 0 ? this.#newNode(components[0] as number) : root;
    const first = node;
    for (let i = 0; i < components.length; i++) {
      if (node < 0 || this.component(node) !== components[i]) throw new TrieConflict("another read");
      this.#addBelow(node, components, i);
      const id = ids[i] as number;
      let next = this.child(node, id);
      if (i === components.length - 1) {
        if (next !== 0 && next !== leaf) throw new TrieConflict("another outcome");
        this.#setChild(node, id, leaf);
      } else if (next === 0) {
        next = this.#newNode(components[i + 1] as number);
        this.#setChild(node, id, next);
      }
      node = next;
    }
    return first;
  }

  #newNode(component: number): number {
    const node = this.#nodesUsed++;
    if (4 * this.#nodesUsed > this.#nodes.length) this.#nodes = doubled(this.#nodes);
    if (this.setWords * this.#nodesUsed > this.#below.length) this.#below = doubled(this.#below);
    const at = 4 * node;
    this.#nodes[at] = component;
    this.#nodes[at + 1] = this.#allocate(2);
    this.#nodes[at + 2] = 1;
    this.#nodes[at + 3] = 0;
    return node;
  }

  #addBelow(node: number, components: readonly number[], from: number): void {
    const at = node * this.setWords;
    for (let i = from; i < components.length; i++) {
      const component = this.#componentOf(components[i] as number);
      const word = at + (component >>> 5);
      this.#below[word] = (this.#below[word] as number) | (1 << (component & 31));
    }
  }

  #setChild(node: number, id: number, reference: number): void {
    const at = 4 * node;
    const children = this.#nodes[at + 3] as number;
    const mask = this.#nodes[at + 2] as number;
    if (2 * (children + 1) > mask + 1) this.#widen(node);
    this.#nodes[at + 3] = children + (this.#put(node, id, reference) ? 1 : 0);
  }

  #put(node: number, id: number, reference: number): boolean {
    const start = this.#nodes[4 * node + 1] as number;
    const mask = this.#nodes[4 * node + 2] as number;
    const slots = this.#slots;
    let slot = id & mask;
    while (slots[start + 2 * slot] !== 0 && slots[start + 2 * slot] !== id + 1) slot = (slot + 1) & mask;
    const isNew = slots[start + 2 * slot] === 0;
    slots[start + 2 * slot] = id + 1;
    slots[start + 2 * slot + 1] = reference;
    return isNew;
  }

  #widen(node: number): void {
    const at = 4 * node;
    const start = this.#nodes[at + 1] as number;
    const size = (this.#nodes[at + 2] as number) + 1;
    this.#nodes[at + 1] = this.#allocate(2 * size);
    this.#nodes[at + 2] = 2 * size - 1;
    for (let slot = start; slot < start + 2 * size; slot += 2) {
      const key = this.#slots[slot] as number;
      if (key !== 0) this.#put(node, key - 1, this.#slots[slot + 1] as number);
    }
  }

  #allocate(pairs: number): number {
    const start = this.#slotsUsed;
    this.#slotsUsed += 2 * pairs;
    while (this.#slotsUsed > this.#slots.length) this.#slots = doubled(this.#slots);
    return start;
  }
}

function doubled(array: Int32Array): Int32Array {
  const result = new Int32Array(2 * array.length);
  result.set(array);
  return result;
}
