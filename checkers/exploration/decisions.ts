import type { Ids, Packing } from "./packing.ts";

/** What decisions are made of: the tries of single instances, which know where a reference leads for the ids at hand. */
export interface Waiting {
  /** The component that a reference (a node of an instance's own trie) asks for. */
  component(reference: number): number;
  /** One word of the set of components that have ever been asked for there or below. */
  below(reference: number, word: number): number;
  readonly setWords: number;
  /** Where a reference leads for the id of the component that it asks for. */
  advance(reference: number, id: number): number;
  /** What a leaf stands for: an enabled effect, or references of instances that begin here. */
  leaf(reference: number, enabled: number[]): readonly number[];
  /** How many values a component's variable has had so far. */
  valueCount(component: number): number;
}

/**
 * A target is 0 where it is not known yet, and else `4 * number + kind`: a node to go on with, a fork in `code`, or the
 * record of the one effect that is enabled. Where nothing is, it is `nothing`, the only negative one.
 */
export const targetKind = { node: 0, fork: 1, effect: 2 } as const;
export const nothing = -4;

/** Ints of a node's head: [word, mask, mask of its table, start of its table]. */
export const headInts = 4;

/** Components of at most so many values are read together with others of their word, and early, for all. */
const fewValues = 8;
/** A word with at most so many combinations of them may be looked at before all others. */
const fewCombinations = 4096;
/** A table has at least so many places for each child, and is widened further as long as the children collide. */
const sparse = 2;
const sparsest = 8;

interface Node {
  /** The components that it looks at, all of one word. */
  readonly components: readonly number[];
  /** The references that wait there, in ascending order. */
  readonly members: readonly number[];
  /** What was read on the way there and may still be asked for: pairs of component and id. */
  readonly known: readonly number[];
  children: number;
}

/**
 * Decides all instances of all actions at once. A node looks at some components of one word of a row and holds every
 * instance that waits for them, so that one look at a server's role, or at a channel's head, drops all instances that
 * want it otherwise. Instances that wait for different words go on in different nodes: a fork. Nodes at which the same
 * instances wait, and know the same, are one.
 *
 * It is a cache of what the instances' own tries know: it may be thrown away between two walks. It must be before rows
 * are walked in which a variable has its second value.
 *
 * A node's table in `code` is a hash table of pairs [masked word, target]; a fork in `code` is
 * [effects, nodes, effect..., node...].
 */
export class Decisions {
  heads: Int32Array = new Int32Array(headInts * 1024);
  code: Int32Array = new Int32Array(1 << 15);
  /** The target with which every walk begins; 0 before the first. */
  start = 0;
  /** The most nodes, and the most effects, of any fork. */
  widestFork = 1;
  mostEffects = 1;
  readonly #waiting: Waiting;
  readonly #packing: Packing;
  readonly #nodes: Node[] = [{ components: [], members: [], known: [], children: 0 }];
  readonly #byHash: Map<number, number[]> = new Map();
  /** For each word of a row: the set of its components, `setWords` ints each. */
  readonly #ofWord: Int32Array;
  /** What is known while a target is made: ids by component, -1 for what is not. */
  readonly #known: Int32Array;
  /** Scratch: the set of open components, and of those below a node's members. */
  readonly #open: Int32Array;
  readonly #below: Int32Array;
  #used = 2;

  constructor(waiting: Waiting, packing: Packing) {
    this.#waiting = waiting;
    this.#packing = packing;
    this.#known = new Int32Array(packing.word.length).fill(-1);
    const { setWords } = waiting;
    this.#open = new Int32Array(setWords);
    this.#below = new Int32Array(setWords);
    this.#ofWord = new Int32Array(packing.words * setWords);
    for (const [component, word] of packing.word.entries()) {
      const at = word * setWords + (component >>> 5);
      this.#ofWord[at] = (this.#ofWord[at] as number) | (1 << (component & 31));
    }
  }

  get nodeCount(): number {
    return this.#nodes.length;
  }

  get bytes(): number {
    return this.code.byteLength + this.heads.byteLength + nodeBytes * this.#nodes.length;
  }

  /** Begins with these references. */
  begin(references: readonly number[]): number {
    this.start = this.#target(references, []);
    return this.start;
  }

  /** Learns where a node leads to for a masked word, the ids of that row being at hand. */
  learn(node: number, key: number, ids: Ids): number {
    const { components, members, known } = this.#nodes[node] as Node;
    const further = known.slice();
    for (const component of components) further.push(component, ids[component] as number);
    const target = this.#target(members, further);
    this.#put(node, key, target);
    return target;
  }

  /** Takes out what is decided; the rest goes on with one node, or forks. */
  #target(references: readonly number[], known: readonly number[]): number {
    const enabled: number[] = [];
    let nodes: readonly number[] = [];
    for (let i = 0; i < known.length; i += 2) this.#known[known[i] as number] = known[i + 1] as number;
    try {
      const rest = this.#advance(references, enabled);
      if (rest.length > 0) {
        this.#openSet();
        const first = known.length === 0 ? this.#first(rest) : undefined;
        const groups = first === undefined ? this.#group(rest) : [first];
        nodes = groups.map((group) => this.#node(group, known));
      }
    } finally {
      for (let i = 0; i < known.length; i += 2) this.#known[known[i] as number] = -1;
    }
    if (enabled.length === 0 && nodes.length === 0) return nothing;
    if (enabled.length === 0 && nodes.length === 1) return 4 * (nodes[0] as number) + targetKind.node;
    if (enabled.length === 1 && nodes.length === 0) return 4 * (enabled[0] as number) + targetKind.effect;
    this.widestFork = Math.max(this.widestFork, nodes.length);
    this.mostEffects = Math.max(this.mostEffects, enabled.length);
    const fork = this.#allocate(2 + enabled.length + nodes.length);
    this.code.set([enabled.length, nodes.length, ...enabled, ...nodes], fork);
    return 4 * fork + targetKind.fork;
  }

  /** Those of the references that wait for what is not known; the effects of those that are enabled. */
  #advance(references: readonly number[], enabled: number[]): number[] {
    const waiting = this.#waiting;
    const rest: number[] = [];
    for (const reference of references) {
      let at = reference;
      while (at > 0) {
        const component = waiting.component(at);
        const id = this.#known[component] as number;
        // Where there is one value only, so far, it needs no look.
        if (id < 0 && waiting.valueCount(component) > 1) break;
        at = waiting.advance(at, Math.max(0, id));
      }
      if (at > 0) rest.push(at);
      else for (const begun of this.#advance(waiting.leaf(at, enabled), enabled)) rest.push(begun);
    }
    return rest;
  }

  /**
   * All references, at the word that the most of them ask for now or later, of those that have few combinations of
   * values: what bounds the model, in most. Undefined where there is none.
   */
  #first(references: readonly number[]): Group | undefined {
    const below = this.#belowAll(references);
    let [best, most] = [-1, 1];
    for (let word = 0; word < this.#packing.words; word++) {
      const group = { word, component: -1, members: [] };
      const components = this.#componentsOf(group, below);
      const combinations = components.reduce((product, c) => product * this.#waiting.valueCount(c), 1);
      if (components.length === 0 || combinations > fewCombinations) continue;
      const asking = references.filter((reference) => this.#asks(reference, word)).length;
      if (asking > most) [best, most] = [word, asking];
    }
    return best < 0 ? undefined : { word: best, component: -1, members: [...references] };
  }

  /** Whether a reference asks for components of few values of a word, now or later. */
  #asks(reference: number, word: number): boolean {
    const { setWords } = this.#waiting;
    for (let i = 0; i < setWords; i++) {
      const open = (this.#open[i] as number) & (this.#ofWord[word * setWords + i] as number);
      if ((open & this.#waiting.below(reference, i)) !== 0) return true;
    }
    return false;
  }

  /**
   * Who waits for what. A reference goes with those that ask for the same as it does now: for components of few values
   * that lie in one word, or else for one component. Where nobody else does, it goes with the most who ask for a word of
   * which it will ask later: that look is taken anyhow, and may be the last that it needs.
   */
  #group(references: readonly number[]): Group[] {
    const { words } = this.#packing;
    const groups = new Map<number, Group>();
    for (const reference of references) {
      const component = this.#waiting.component(reference);
      const word = this.#isOpen(component) ? (this.#packing.word[component] as number) : -1;
      const key = word < 0 ? words + component : word;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { word, component, members: [reference] });
      else group.members.push(reference);
    }
    for (const [key, group] of groups) {
      if (group.members.length > 1) continue;
      const joined = this.#askedLater(group.members[0] as number, groups);
      if (joined === undefined || joined === group) continue;
      joined.members.push(group.members[0] as number);
      groups.delete(key);
    }
    return [...groups.values()];
  }

  /** The largest of the groups that look at a word of which a reference asks. */
  #askedLater(reference: number, groups: ReadonlyMap<number, Group>): Group | undefined {
    let best: Group | undefined;
    for (const group of groups.values()) {
      if (group.word < 0 || group.members.length < 2) continue;
      if (best !== undefined && best.members.length >= group.members.length) continue;
      if (this.#asks(reference, group.word)) best = group;
    }
    return best;
  }

  #isOpen(component: number): boolean {
    return ((this.#open[component >>> 5] as number) & (1 << (component & 31))) !== 0;
  }

  /** The components of few values that are not known. */
  #openSet(): void {
    const set = this.#open.fill(0);
    for (let component = 0; component < this.#known.length; component++) {
      if ((this.#known[component] as number) >= 0 || this.#waiting.valueCount(component) > fewValues)
        continue;
      set[component >>> 5] = (set[component >>> 5] as number) | (1 << (component & 31));
    }
  }

  /** The components that members may ask for. */
  #belowAll(members: readonly number[]): Int32Array {
    const { setWords } = this.#waiting;
    const set = this.#below.fill(0);
    for (const reference of members) {
      for (let i = 0; i < setWords; i++) set[i] = (set[i] as number) | this.#waiting.below(reference, i);
    }
    return set;
  }

  /** The components that a group's node looks at. */
  #componentsOf({ word, component }: Group, below: Int32Array): number[] {
    if (word < 0) return [component];
    const components: number[] = [];
    for (let c = 0; c < this.#known.length; c++) {
      const bit = 1 << (c & 31);
      const isAsked = ((below[c >>> 5] as number) & (this.#open[c >>> 5] as number) & bit) !== 0;
      if (isAsked && this.#packing.word[c] === word) components.push(c);
    }
    return components;
  }

  #node(group: Group, known: readonly number[]): number {
    const { members } = group;
    members.sort((a, b) => a - b);
    const below = this.#belowAll(members);
    const components = this.#componentsOf(group, below);
    const relevant: number[] = [];
    for (let i = 0; i < known.length; i += 2) {
      const component = known[i] as number;
      if (((below[component >>> 5] as number) & (1 << (component & 31))) !== 0) {
        relevant.push(component, known[i + 1] as number);
      }
    }
    const hash = hashOf(hashOf(hashOf(0, components), members), relevant);
    let alike = this.#byHash.get(hash);
    if (alike === undefined) this.#byHash.set(hash, (alike = []));
    for (const node of alike) {
      const it = this.#nodes[node] as Node;
      if (same(it.members, members) && same(it.components, components) && same(it.known, relevant))
        return node;
    }
    const node = this.#nodes.length;
    this.#nodes.push({ components, members, known: relevant, children: 0 });
    alike.push(node);
    this.#newHead(node, components);
    return node;
  }

  #newHead(node: number, components: readonly number[]): void {
    const at = headInts * node;
    if (at + headInts > this.heads.length) this.heads = doubled(this.heads);
    this.heads[at] = this.#packing.word[components[0] as number] as number;
    this.heads[at + 1] = components.reduce((mask, component) => mask | this.#packing.fieldMask(component), 0);
    this.heads[at + 2] = 0;
    this.heads[at + 3] = this.#allocate(2);
  }

  #put(node: number, key: number, target: number): void {
    const it = this.#nodes[node] as Node;
    it.children++;
    const head = headInts * node;
    const size = (): number => (this.heads[head + 2] as number) + 1;
    while (size() < sparse * it.children || (size() < sparsest * it.children && this.#isTaken(head, key))) {
      this.#widen(head);
    }
    const pair = this.#freePair(head, key);
    this.code[pair] = key;
    this.code[pair + 1] = target;
  }

  #isTaken(head: number, key: number): boolean {
    const start = this.heads[head + 3] as number;
    return this.code[start + 2 * (spread(key) & (this.heads[head + 2] as number)) + 1] !== 0;
  }

  #freePair(head: number, key: number): number {
    const mask = this.heads[head + 2] as number;
    const start = this.heads[head + 3] as number;
    let slot = spread(key) & mask;
    while (this.code[start + 2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    return start + 2 * slot;
  }

  #widen(head: number): void {
    const before = this.heads[head + 3] as number;
    const size = (this.heads[head + 2] as number) + 1;
    this.heads[head + 2] = 2 * size - 1;
    this.heads[head + 3] = this.#allocate(4 * size);
    for (let from = before; from < before + 2 * size; from += 2) {
      const target = this.code[from + 1] as number;
      if (target === 0) continue;
      const pair = this.#freePair(head, this.code[from] as number);
      this.code[pair] = this.code[from] as number;
      this.code[pair + 1] = target;
    }
  }

  #allocate(length: number): number {
    const at = this.#used;
    this.#used += length;
    while (this.#used > this.code.length) this.code = doubled(this.code);
    return at;
  }
}

/** What a node takes beside its head and its table. */
const nodeBytes = 250;

/** References that wait for the same: for components of few values of one word, or (where that is -1) for one component. */
interface Group {
  readonly word: number;
  readonly component: number;
  readonly members: number[];
}

/** The hash of a masked word; `walkGeneration` has a copy of its own, as it is called at every look. */
export function spread(key: number): number {
  const hash = Math.imul(key, 0x9e3779b1);
  return hash ^ (hash >>> 15);
}

function hashOf(start: number, list: readonly number[]): number {
  let hash = start;
  for (let i = 0; i < list.length; i++) {
    hash = Math.imul(hash ^ (list[i] as number), 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  return Math.imul(hash + list.length, 0xc2b2ae35);
}

function same(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

function doubled(array: Int32Array): Int32Array {
  const result = new Int32Array(2 * array.length);
  result.set(array);
  return result;
}
