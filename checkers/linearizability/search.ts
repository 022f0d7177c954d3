import { Configurations } from "./configurations.ts";
import type { Problem, UnansweredClass } from "./problem.ts";
import { impossible } from "./transitions.ts";
import { Usefulness } from "./usefulness.ts";
import { UsedSets } from "./used-sets.ts";

/** What a search may spend. */
export interface Budget {
  /** `performance.now()` at which to stop. */
  readonly deadline: number;
  readonly bytesMax: number;
}

export type SearchResult =
  | {
      readonly outcome: "holds";
      /** Indexes into the problem's operations. */ readonly order: readonly number[];
      readonly configurations: number;
    }
  | {
      readonly outcome: "violated";
      /** The completion that ends this level cannot be explained; perhaps one before it can't either. */
      readonly level: number;
      /** The longest linearizations found up to there, one for each state. */
      readonly longest: readonly (readonly number[])[];
      readonly configurations: number;
    }
  | {
      readonly outcome: "unknown";
      readonly level: number;
      readonly reason: "time" | "memory";
      readonly configurations: number;
    };

/** Configurations that the first turn of a strategy may expand; each later turn is twice as long. */
const firstTurn = 2_000;
const longestMax = 4;

/**
 * Searches for a linearization (Wing & Gong, JPDC 1993) among configurations that know only the state and the open
 * operations, with Lowe's memory of those already met (Concurrency & Computation 29, 2017) and his just-in-time
 * rule: an operation is linearized no earlier than is needed for the next completion.
 *
 * When a first turn decides nothing, classes of equal unanswered operations are taken to be inexhaustible (those that
 * can't go on making new states): a history that can't be explained
 * so can't be explained at all, and a linearization that uses none more often than it was called is one. Else the
 * classes used too often are counted and the search begins again, as refinement of an abstraction by its
 * counterexamples (Clarke et al., CAV 2000).
 *
 * Two strategies take turns, each alone explodes somewhere: depth first finds linearizations, breadth first by
 * completions refutes them. Both drop dominated configurations and linearize reads as soon as they fit.
 */
export class Search {
  readonly #problem: Problem<unknown>;
  /** By unanswered class: 1 when its uses are counted. */
  readonly #counted: Uint8Array;
  #depthFirst: Exploration<unknown>;
  #breadthFirst: Exploration<unknown> | undefined;
  #mayAbstract: boolean;
  #turn: number;
  #configurationsBefore: number = 0;

  /** `exact` counts every use of an unanswered operation, so that `longest` and `level` are exact. */
  constructor(problem: Problem<unknown>, exact: boolean = false) {
    this.#problem = problem;
    this.#counted = new Uint8Array(problem.unanswered.length).fill(1);
    this.#mayAbstract = !exact && problem.unanswered.some(({ isInexhaustible }) => isInexhaustible);
    this.#turn = Math.max(firstTurn, 2 * problem.levels);
    this.#depthFirst = new Exploration(problem, new Stack(), this.#counted);
  }

  /** Searches on until decided or out of budget. */
  run(budget: Budget): SearchResult {
    for (;;) {
      const decision = this.#decide(budget);
      if (decision === undefined) {
        this.#problem.unanswered.forEach(
          ({ isInexhaustible }, i) => (this.#counted[i] = isInexhaustible ? 0 : 1),
        );
        this.#mayAbstract = false;
        this.#beginAgain();
        continue;
      }
      const { strategy, result } = decision;
      const configurations = this.#configurationsBefore + result.configurations;
      if (result.outcome !== "holds") return { ...result, configurations };
      const overused = strategy.overused();
      if (overused.length === 0) return { ...result, order: strategy.found(), configurations };
      for (const used of overused) this.#counted[used] = 1;
      this.#beginAgain();
    }
  }

  /** By level, the states of the configurations met, by whichever strategy got deepest. */
  statesByLevel(): ReadonlyMap<number, ReadonlySet<unknown>> {
    const strategies = [this.#depthFirst, ...(this.#breadthFirst === undefined ? [] : [this.#breadthFirst])];
    return (strategies.find(({ isExhausted }) => isExhausted) as Exploration<unknown>).statesByLevel();
  }

  #beginAgain(): void {
    this.#configurationsBefore += this.#depthFirst.configurations + (this.#breadthFirst?.configurations ?? 0);
    this.#depthFirst = new Exploration(this.#problem, new Stack(), this.#counted);
    this.#breadthFirst = undefined;
    this.#turn = firstTurn;
  }

  /** Undefined when nothing is decided after a turn and the search had better begin again without counting. */
  #decide(
    budget: Budget,
  ): { readonly strategy: Exploration<unknown>; readonly result: SearchResult } | undefined {
    for (; ; this.#turn *= 2) {
      const result = this.#depthFirst.run(this.#turn, budget);
      if (result !== undefined) return { strategy: this.#depthFirst, result };
      this.#breadthFirst ??= new Exploration(this.#problem, new Levels(), this.#counted);
      const other = this.#breadthFirst.run(this.#turn, budget);
      if (other !== undefined) return { strategy: this.#breadthFirst, result: other };
      if (this.#mayAbstract) return undefined;
    }
  }

  /** The operation whose completion ends a level. */
  returning(level: number): number {
    return this.#problem.returning[level] as number;
  }
}

/** Configurations that wait for their turn; a strategy is an order among them. */
interface Agenda {
  push(configurations: readonly number[], store: Configurations, used: UsedSets): void;
  pop(): number;
}

class Stack implements Agenda {
  readonly #stack: number[] = [];
  push(configurations: readonly number[]): void {
    for (let i = configurations.length - 1; i >= 0; i--) this.#stack.push(configurations[i] as number);
  }
  pop(): number {
    return this.#stack.pop() ?? -1;
  }
}

/** By level; within one, those first that used the fewest unanswered operations, so that they dominate the others. */
class Levels implements Agenda {
  readonly #levels: Map<number, number[][]> = new Map();
  #level: number = 0;
  #pending: number = 0;

  push(configurations: readonly number[], store: Configurations, used: UsedSets): void {
    for (const configuration of configurations) {
      const level = store.level(configuration);
      let bySize = this.#levels.get(level);
      if (bySize === undefined) this.#levels.set(level, (bySize = []));
      const size = used.size(store.used(configuration));
      while (bySize.length <= size) bySize.push([]);
      (bySize[size] as number[]).push(configuration);
      this.#pending++;
    }
  }

  pop(): number {
    if (this.#pending === 0) return -1;
    for (;;) {
      for (const configurations of this.#levels.get(this.#level) ?? []) {
        const configuration = configurations.pop();
        if (configuration === undefined) continue;
        this.#pending--;
        return configuration;
      }
      this.#levels.delete(this.#level++);
    }
  }
}

/** The move of a configuration that passed a completion without linearizing anything. */
const passed = 0x7fffffff;

/** Whether the operation that completes next has to be linearized before it does. Level and this bit share a word. */
function isCommitted(row: Int32Array): boolean {
  return ((row[0] as number) & 1) === 1;
}

/** While a path is gone through again: what has been linearized so far. */
interface Replay {
  readonly order: number[];
  /** The operations that the path linearizes by themselves. */
  readonly later: ReadonlySet<number>;
  /** The operation that is linearized next. */
  readonly operation: number;
}

class Exploration<State> {
  readonly #problem: Problem<State>;
  readonly #agenda: Agenda;
  readonly #counted: Uint8Array;
  readonly #used: UsedSets = new UsedSets();
  readonly #store: Configurations;
  readonly #scratch: Int32Array;
  readonly #row: Int32Array;
  /** By class of calls: the last expansion in which an operation of the class was tried that has yet to happen. */
  readonly #triedDue: Int32Array;
  /** The same for operations that need not happen any more, and by state for overwriting operations that led to it. */
  readonly #triedSpare: Int32Array;
  readonly #overwrittenTo: number[] = [];
  readonly #usefulness: Usefulness<State>;
  #expansions: number = 0;
  #deepest: number = 0;
  #successors: number[] = [];
  #goal: number = -1;
  isExhausted: boolean = false;

  constructor(problem: Problem<State>, agenda: Agenda, counted: Uint8Array) {
    this.#problem = problem;
    this.#agenda = agenda;
    this.#usefulness = new Usefulness(problem);
    this.#counted = counted;
    this.#store = new Configurations(problem.words, this.#used);
    this.#scratch = new Int32Array(this.#store.width);
    this.#row = new Int32Array(this.#store.width);
    this.#triedDue = new Int32Array(problem.transitions.classes.length);
    this.#triedSpare = new Int32Array(problem.transitions.classes.length);
    this.#start(undefined);
    this.#admit(0, -1, 0);
    agenda.push(this.#successors, this.#store, this.#used);
  }

  /** Expands up to `turn` configurations; undefined when neither decided nor out of budget. */
  run(turn: number, budget: Budget): SearchResult | undefined {
    for (let left = turn; left > 0; left--) {
      if (this.#goal !== -1) return { outcome: "holds", order: [], configurations: this.#store.size };
      const configuration = this.#agenda.pop();
      if (configuration === -1) return this.#refuted();
      if (this.#store.isDominated(configuration)) continue;
      this.#successors = [];
      this.#expand(configuration);
      this.#agenda.push(this.#successors, this.#store, this.#used);
      if ((left & 255) === 0) {
        if (performance.now() > budget.deadline) return this.#gaveUp("time");
        if (this.#store.bytes > budget.bytesMax) return this.#gaveUp("memory");
      }
    }
    return undefined;
  }

  #expand(configuration: number): void {
    const { isReadOnly, open, openFrom } = this.#problem;
    this.#expansions++;
    this.#store.copyRow(configuration, this.#row);
    const level = (this.#row[0] as number) >> 1;
    const used = this.#store.used(configuration);
    if (this.#isReturningSpare(this.#row) && !isCommitted(this.#row)) this.#pass(configuration, used);
    const end = openFrom[level + 1] as number;
    for (let at = openFrom[level] as number; at < end; at++) {
      const operation = open[at] as number;
      if (
        isReadOnly[operation] === 1 ||
        this.#isConsumed(this.#row, operation) ||
        this.#isLikeAnEarlierOne(operation)
      )
        continue;
      this.#move(configuration, operation, used);
    }
    const state = this.#row[1] as number;
    for (const i of this.#usefulness.overwriting(level, state))
      this.#moveUnanswered(configuration, i, level, used);
    for (const i of this.#usefulness.changing(state)) this.#moveUnanswered(configuration, i, level, used);
  }

  #moveUnanswered(configuration: number, i: number, level: number, used: number): void {
    const { levels } = this.#problem.unanswered[i] as UnansweredClass;
    const earliest = this.#counted[i] === 1 ? levels[this.#used.count(used, i)] : levels[0];
    if (earliest !== undefined && earliest <= level) this.#move(configuration, ~i, used);
  }

  /**
   * Of equal operations the one that completes first goes first: any linearization can be rearranged so, unless that
   * would leave one undone that has yet to happen in favour of one that need not.
   */
  #isLikeAnEarlierOne(operation: number): boolean {
    const call = this.#problem.classOf[operation] as number;
    const stamp = this.#expansions;
    if (this.#triedDue[call] === stamp) return true;
    const isSpare = this.#isDischarged(this.#row, operation);
    if (this.#triedSpare[call] === stamp && isSpare) return true;
    (isSpare ? this.#triedSpare : this.#triedDue)[call] = stamp;
    return false;
  }

  /** Linearizes an operation next: the answered one with this index, or one of the unanswered class ~operation. */
  #move(configuration: number, operation: number, used: number): void {
    const { transitions, effectOf } = this.#problem;
    const call = this.#callOf(operation);
    const code = transitions.next(this.#row[1] as number, call);
    if (code === impossible) return;
    if (code < 0) {
      for (const state of transitions.several(code)) this.#reach(configuration, operation, state, used);
      return;
    }
    if (effectOf[call] === 2) {
      // All that overwrite alike: whichever completes first, and it makes the others of them spare.
      if (this.#overwrittenTo[code] === this.#expansions) return;
      this.#overwrittenTo[code] = this.#expansions;
      const level = (this.#row[0] as number) >> 1;
      const isReturning = operation === this.#problem.returning[level];
      if (!isReturning && !this.#usefulness.isUseful(code, level)) return;
    }
    this.#reach(configuration, operation, code, used);
  }

  #callOf(operation: number): number {
    const { classOf, unanswered } = this.#problem;
    return operation >= 0 ? (classOf[operation] as number) : (unanswered[~operation]?.call as number);
  }

  #reach(configuration: number, operation: number, state: number, used: number): void {
    // What need not happen and changes nothing is better kept, unless it covers up what has yet to happen.
    const isSpare = operation < 0 || this.#isDischarged(this.#row, operation);
    if (isSpare && state === this.#row[1] && !this.#coversUp(operation)) return;
    this.#scratch.set(this.#row);
    this.#apply(operation, state, undefined);
    const isCounted = operation < 0 && this.#counted[~operation] === 1;
    this.#admit(isCounted ? this.#used.add(used, ~operation) : used, configuration, operation);
  }

  #admit(used: number, parent: number, move: number): void {
    const id = this.#store.add(this.#scratch, used, parent, move);
    if (id === -1) return;
    this.#successors.push(id);
    const level = (this.#scratch[0] as number) >> 1;
    if (level > this.#deepest) this.#deepest = level;
    if (level === this.#problem.levels) this.#goal = id;
  }

  #start(replay: Replay | undefined): void {
    this.#scratch.fill(0);
    if (this.#problem.levels === 0) return;
    this.#readNew(replay);
    this.#advance(replay);
  }

  /** Whether the operation would overwrite what has yet to happen. */
  #coversUp(operation: number): boolean {
    const { open, openFrom, effectOf } = this.#problem;
    if (effectOf[this.#callOf(operation)] !== 2) return false;
    const level = (this.#row[0] as number) >> 1;
    const end = openFrom[level + 1] as number;
    for (let at = openFrom[level] as number; at < end; at++) {
      const other = open[at] as number;
      if (effectOf[this.#callOf(other)] !== 0 && !this.#isDischarged(this.#row, other)) return true;
    }
    return false;
  }

  /** Makes the scratch row what follows when `operation` leads to `state`. */
  #apply(operation: number, state: number, replay: Replay | undefined): void {
    const { open, openFrom, isReadOnly, effectOf, slotOf, words } = this.#problem;
    const row = this.#scratch;
    const level = (row[0] as number) >> 1;
    const end = openFrom[level + 1] as number;
    if (this.#isReturningSpare(row)) row[0] = (row[0] as number) | 1;
    if (operation >= 0) {
      this.#discharge(operation);
      this.#setBit(2 + words, slotOf[operation] as number);
    }
    if (effectOf[this.#callOf(operation)] === 2) {
      for (let at = openFrom[level] as number; at < end; at++) this.#forget(open[at] as number, replay);
    }
    replay?.order.push(replay.operation);
    if (row[1] !== state) {
      row[1] = state;
      for (let at = openFrom[level] as number; at < end; at++) {
        const read = open[at] as number;
        if (isReadOnly[read] === 1 && !this.#isDischarged(row, read)) this.#read(read, replay);
      }
    }
    this.#advance(replay);
  }

  /** What is possible in every state can have happened just before it was overwritten: it need not happen any more. */
  #forget(operation: number, replay: Replay | undefined): void {
    const { effectOf, classOf } = this.#problem;
    if (effectOf[classOf[operation] as number] === 0 || this.#isDischarged(this.#scratch, operation)) return;
    this.#discharge(operation);
    if (replay?.later.has(operation) === false) replay.order.push(operation);
  }

  /**
   * Whether the operation that completes next need not happen any more but still could. Then its completion may be
   * passed at once; or else the configuration is committed to linearizing it before.
   */
  #isReturningSpare(row: Int32Array): boolean {
    const { returning, isReadOnly } = this.#problem;
    const operation = returning[(row[0] as number) >> 1] as number;
    return (
      isReadOnly[operation] === 0 && this.#isDischarged(row, operation) && !this.#isConsumed(row, operation)
    );
  }

  #pass(configuration: number, used: number): void {
    this.#scratch.set(this.#row);
    this.#passCompletion(undefined);
    this.#advance(undefined);
    this.#admit(used, configuration, passed);
  }

  /** Passes the completions of operations that are discharged, up to one that still could happen. */
  #advance(replay: Replay | undefined): void {
    const { levels, returning } = this.#problem;
    const row = this.#scratch;
    for (;;) {
      const level = (row[0] as number) >> 1;
      if (level === levels || !this.#isDischarged(row, returning[level] as number)) return;
      if (this.#isReturningSpare(row)) return;
      this.#passCompletion(replay);
    }
  }

  #passCompletion(replay: Replay | undefined): void {
    const { levels, returning, slotOf, words } = this.#problem;
    const row = this.#scratch;
    const level = (row[0] as number) >> 1;
    const slot = slotOf[returning[level] as number] as number;
    const [word, mask] = [2 + (slot >>> 5), ~(1 << (slot & 31))];
    row[word] = (row[word] as number) & mask;
    row[word + words] = (row[word + words] as number) & mask;
    row[0] = 2 * (level + 1);
    if (level + 1 < levels) this.#readNew(replay);
  }

  #readNew(replay: Replay | undefined): void {
    const { newReads, newReadsFrom } = this.#problem;
    const level = (this.#scratch[0] as number) >> 1;
    const end = newReadsFrom[level + 1] as number;
    for (let at = newReadsFrom[level] as number; at < end; at++) this.#read(newReads[at] as number, replay);
  }

  #read(operation: number, replay: Replay | undefined): void {
    const { transitions, classOf } = this.#problem;
    if (transitions.next(this.#scratch[1] as number, classOf[operation] as number) === impossible) return;
    this.#discharge(operation);
    replay?.order.push(operation);
  }

  #discharge(operation: number): void {
    this.#setBit(2, this.#problem.slotOf[operation] as number);
  }

  #setBit(from: number, slot: number): void {
    const word = from + (slot >>> 5);
    this.#scratch[word] = (this.#scratch[word] as number) | (1 << (slot & 31));
  }

  #isDischarged(row: Int32Array, operation: number): boolean {
    const slot = this.#problem.slotOf[operation] as number;
    return (((row[2 + (slot >>> 5)] as number) >>> (slot & 31)) & 1) === 1;
  }

  #isConsumed(row: Int32Array, operation: number): boolean {
    const slot = this.#problem.slotOf[operation] as number;
    return (((row[2 + this.#problem.words + (slot >>> 5)] as number) >>> (slot & 31)) & 1) === 1;
  }

  get configurations(): number {
    return this.#store.size;
  }

  /** The linearization found. */
  found(): number[] {
    return this.#order(this.#goal);
  }

  /** The classes of unanswered operations that the linearization found uses more often than they were called by then. */
  overused(): number[] {
    const uses = new Map<number, number>();
    const overused = new Set<number>();
    for (const at of this.#path(this.#goal)) {
      const move = this.#store.move(at);
      if (move >= 0) continue;
      const count = uses.get(move) ?? 0;
      uses.set(move, count + 1);
      const available = this.#problem.unanswered[~move]?.levels[count] ?? Infinity;
      if (available > this.#store.level(this.#store.parent(at))) overused.add(~move);
    }
    return [...overused];
  }

  /** The configurations that lead to one, from the first that linearizes something. */
  #path(configuration: number): number[] {
    const path: number[] = [];
    for (let at = configuration; this.#store.parent(at) !== -1; at = this.#store.parent(at)) path.push(at);
    return path.reverse();
  }

  /** The linearization that led to a configuration. */
  #order(configuration: number): number[] {
    const path = this.#path(configuration);
    const later = new Set(path.map((at) => this.#store.move(at)));
    const order: number[] = [];
    const uses = new Map<number, number>();
    this.#start({ order, later, operation: -1 });
    for (const at of path) {
      const move = this.#store.move(at);
      this.#store.copyRow(this.#store.parent(at), this.#scratch);
      if (move === passed) {
        const replay = { order, later, operation: passed };
        this.#passCompletion(replay);
        this.#advance(replay);
        continue;
      }
      const count = uses.get(move) ?? 0;
      uses.set(move, count + 1);
      const operation = move >= 0 ? move : (this.#problem.unanswered[~move]?.operations[count] as number);
      this.#apply(move, this.#store.state(at), { order, later, operation });
    }
    return order;
  }

  statesByLevel(): ReadonlyMap<number, ReadonlySet<unknown>> {
    const byLevel = new Map<number, Set<unknown>>();
    for (let id = 0; id < this.#store.size; id++) {
      const level = this.#store.level(id);
      const parent = this.#store.parent(id);
      const state = this.#problem.transitions.states[this.#store.state(id)];
      // Several completions may have been passed at once.
      const from = parent === -1 ? 0 : Math.min(level, this.#store.level(parent) + 1);
      for (let passing = from; passing <= level; passing++) {
        byLevel.set(passing, (byLevel.get(passing) ?? new Set()).add(state));
      }
    }
    return byLevel;
  }

  #refuted(): SearchResult {
    this.isExhausted = true;
    const isExact = this.#counted.every((counted) => counted === 1);
    const longest = isExact ? this.#longest() : [];
    return { outcome: "violated", level: this.#deepest, longest, configurations: this.#store.size };
  }

  /** The longest linearizations, one for each of a few states. */
  #longest(): number[][] {
    const byState = new Map<number, number[]>();
    for (let id = this.#store.size - 1; id >= 0; id--) {
      if (this.#store.level(id) !== this.#deepest) continue;
      const state = this.#store.state(id);
      if (byState.size >= longestMax && !byState.has(state)) continue;
      const order = this.#order(id);
      if (order.length > (byState.get(state)?.length ?? -1)) byState.set(state, order);
      if (this.#store.size - id > 10_000) break;
    }
    return [...byState.values()].sort((a, b) => b.length - a.length);
  }

  #gaveUp(reason: "time" | "memory"): SearchResult {
    return { outcome: "unknown", level: this.#deepest, reason, configurations: this.#store.size };
  }
}
