import { type Problem, type UnansweredClass } from "./problem.ts";
import { impossible } from "./transitions.ts";

/** The effect of a call that leads to one state, whatever state it is allowed in. */
const overwrites = 2;

/**
 * Which states are worth overwriting another with: those in which an operation that is open, or unanswered, could follow
 * other than by overwriting it. If none can, then the state may as well be brought about later, when it is needed.
 */
export class Usefulness<State> {
  readonly #problem: Problem<State>;
  readonly #changingFrom: (readonly number[])[] = [];
  /** By level, then by state. */
  readonly #useful: Map<number, Map<number, boolean>> = new Map();
  readonly #overwriting: (readonly number[])[] = [];
  /** Unanswered classes that overwrite, of which it is not known with what: no state that allowed them has been met. */
  #unknown: number[];
  /** The others, in the order in which they became known, and the states to which they lead. */
  readonly #known: number[] = [];
  readonly #states: number[] = [];
  /** Those of the known after which an unanswered operation could follow, with the level from which on it could. */
  readonly #followed: { readonly i: number; readonly level: number }[] = [];
  /** By class of calls: the known ones that make it possible, of the first `seen`. */
  readonly #enabling: { seen: number; readonly list: number[] }[] = [];

  constructor(problem: Problem<State>) {
    this.#problem = problem;
    const { unanswered, effectOf } = problem;
    this.#unknown = [...unanswered.keys()].filter((i) => effectOf[this.#class(i).call] === overwrites);
  }

  /** Unanswered classes, other than those that overwrite, that lead from a state to another. */
  changing(state: number): readonly number[] {
    let changing = this.#changingFrom[state];
    if (changing === undefined) {
      const { unanswered, transitions, effectOf } = this.#problem;
      changing = [...unanswered.keys()].filter((i) => {
        const { call } = this.#class(i);
        if (effectOf[call] === overwrites) return false;
        const code = transitions.next(state, call);
        return code !== impossible && code !== state;
      });
      this.#changingFrom[state] = changing;
    }
    return changing;
  }

  /** Whether an operation that is open at the level, or unanswered, could follow in the state other than by overwriting it. */
  isUseful(state: number, level: number): boolean {
    let states = this.#useful.get(level);
    if (states === undefined) this.#useful.set(level, (states = new Map()));
    const known = states.get(state);
    if (known !== undefined) return known;
    const { open, openFrom, transitions, classOf, effectOf } = this.#problem;
    let isUseful = this.changing(state).some((i) => this.#from(i) <= level);
    const end = openFrom[level + 1] as number;
    for (let at = openFrom[level] as number; at < end && !isUseful; at++) {
      const call = classOf[open[at] as number] as number;
      isUseful = effectOf[call] !== overwrites && transitions.next(state, call) !== impossible;
    }
    states.set(state, isUseful);
    return isUseful;
  }

  /**
   * The unanswered classes that overwrite with a useful state at a level, or may, in ascending order; `state` is one
   * that was reached there. What is open at the level is asked what it needs: of hundreds of classes few are.
   */
  overwriting(level: number, state: number): readonly number[] {
    const known = this.#overwriting[level];
    if (known !== undefined) return known;
    this.#meet(state, level);
    // Where the specification forbids them in the states met so far it may still allow them in another.
    const found = new Set<number>();
    for (const i of this.#unknown) {
      if (this.#from(i) > level) break;
      found.add(i);
    }
    for (const { i, level: from } of this.#followed) {
      if (from <= level && this.#from(i) <= level) found.add(i);
    }
    const { open, openFrom, classOf, effectOf } = this.#problem;
    const end = openFrom[level + 1] as number;
    for (let at = openFrom[level] as number; at < end; at++) {
      const call = classOf[open[at] as number] as number;
      if (effectOf[call] === overwrites) continue;
      for (const i of this.#enablingOf(call)) if (this.#from(i) <= level) found.add(i);
    }
    const result = found.size === 0 ? none : [...found].sort((a, b) => a - b);
    this.#overwriting[level] = result;
    return result;
  }

  /** Learns of classes what they overwrite with, from a state in which they are allowed. */
  #meet(state: number, level: number): void {
    const { transitions } = this.#problem;
    const unknown: number[] = [];
    let met = 0;
    // They are in the order of their levels.
    for (; met < this.#unknown.length; met++) {
      const i = this.#unknown[met] as number;
      if (this.#from(i) > level) break;
      const code = transitions.next(state, this.#class(i).call);
      if (code < 0) {
        unknown.push(i);
        continue;
      }
      this.#known.push(i);
      this.#states.push(code);
      const following = this.changing(code).map((j) => this.#from(j));
      if (following.length > 0) this.#followed.push({ i, level: Math.min(...following) });
    }
    if (unknown.length < met) this.#unknown = [...unknown, ...this.#unknown.slice(met)];
  }

  /** The known classes after which a call of a class is possible. */
  #enablingOf(call: number): readonly number[] {
    const { transitions } = this.#problem;
    const enabling = (this.#enabling[call] ??= { seen: 0, list: [] });
    for (; enabling.seen < this.#known.length; enabling.seen++) {
      if (transitions.next(this.#states[enabling.seen] as number, call) !== impossible)
        enabling.list.push(this.#known[enabling.seen] as number);
    }
    return enabling.list;
  }

  /** The level from which on one of a class may have happened. */
  #from(i: number): number {
    return this.#class(i).levels[0] as number;
  }

  #class(i: number): UnansweredClass {
    return this.#problem.unanswered[i] as UnansweredClass;
  }
}

const none: readonly number[] = [];
