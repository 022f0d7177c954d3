import type { Event, Operation, Zxid } from "../../model/index.ts";
import { firstAtLeast } from "../ascending.ts";

/** The states that a list of members may show. */
export interface Shown {
  /** None from before this event. */
  readonly since: number;
  /** None from after this event. */
  readonly until: number;
  /** The state at this zxid; 0 where it is not known. */
  readonly zxid: Zxid;
}

/** Why a member cannot stand in a list: it left, or joined, at the wrong time. */
export interface Absence {
  readonly operation: Operation;
  readonly why: string;
}

interface InOrder {
  readonly leaves: Leaves;
  /** In order of their zxids, which `joined` repeats. */
  readonly joins: readonly Operation[];
  readonly joined: readonly number[];
  /** By join: when it and those before had certainly happened. */
  readonly doneBy: readonly number[];
}

/** All that was done to one member: joins and leaves that did not fail, added in the order of their calls. */
export class Member {
  readonly #begun: number[] = [];
  /** By join: when it had certainly happened, Infinity where nothing tells. */
  readonly #done: number[] = [];
  /** By join: the first one up to it without a zxid that is known. */
  #withoutZxid = Infinity;
  readonly #joins: Operation[] = [];
  readonly #joinsByZxid: Operation[] = [];
  readonly #leaves: Operation[] = [];
  #sorted: InOrder | undefined;
  /** The first answer to a join, Infinity where there is none. */
  joinedAt: number = Infinity;
  /** The first call of a leave, Infinity where there is none. */
  leavesAt: number = Infinity;

  add(operation: Operation): void {
    const { f, invocation, completion } = operation;
    const isAnswered = completion?.type === "ok";
    if (f === "leave") {
      this.leavesAt = Math.min(this.leavesAt, invocation.index);
      if (isAnswered) this.#leaves.push(operation);
      return;
    }
    const done = isAnswered ? completion.index : Infinity;
    this.#joins.push(operation);
    this.#begun.push(invocation.index);
    this.#done.push(done);
    this.joinedAt = Math.min(this.joinedAt, done);
    if (isAnswered && (completion.zxid ?? 0) > 0) this.#joinsByZxid.push(operation);
    else this.#withoutZxid = Math.min(this.#withoutZxid, invocation.index);
  }

  /** A list that was answered then shows the member; all joins are added. Where there was one join only, it was this. */
  shownAt(index: number): void {
    if (this.begun(index) === 1) this.#done[0] = Math.min(this.#done[0] as number, index);
  }

  /** Joins that had begun before an event. */
  begun(before: number): number {
    return firstAtLeast(this.#begun, before);
  }

  get firstBegun(): number {
    return this.#begun[0] ?? Infinity;
  }

  /**
   * Whether a join that had begun before `until` may come after a state in which the member was missing: a state that
   * shows what was answered before `since`, and the session's own join.
   */
  mayComeBack(since: number, until: number, ownJoin: Operation | undefined): boolean {
    const { doneBy } = this.#inOrder;
    for (let at = this.begun(until) - 1; at >= 0 && (doneBy[at] as number) >= since; at--)
      if ((this.#done[at] as number) >= since && this.#joins[at] !== ownJoin) return true;
    return false;
  }

  /** When all joins that had begun before an event had certainly happened. */
  #doneBy(before: number): number {
    const begun = this.begun(before);
    return begun === 0 ? -1 : (this.#inOrder.doneBy[begun - 1] as number);
  }

  /** Why none of the states shows the member, given the session's own last leave of it; undefined where one may. */
  absentFrom(shown: Shown, ownLeave: Operation | undefined): Absence | undefined {
    const done = this.#doneBy(shown.until);
    for (const leave of [ownLeave, this.#inOrder.leaves.latestBefore(shown.since)]) {
      if (leave !== undefined && done < leave.invocation.index)
        return { operation: leave, why: "had left before" };
    }
    return shown.zxid > 0 && this.#withoutZxid > shown.until ? this.#absentAt(shown.zxid) : undefined;
  }

  /** The same by zxids, where those of all joins are known. */
  #absentAt(zxid: Zxid): Absence | undefined {
    const { leaves, joins, joined } = this.#inOrder;
    const join = joins[firstAtLeast(joined, zxid + 1) - 1];
    if (join === undefined) return joins[0] && { operation: joins[0], why: "joined at a later zxid" };
    const leave = leaves.latestUpTo(zxid);
    if (leave === undefined || zxidOf(leave) < zxidOf(join)) return undefined;
    return { operation: leave, why: "had left at a zxid before" };
  }

  get #inOrder(): InOrder {
    if (this.#sorted !== undefined) return this.#sorted;
    const joins = this.#joinsByZxid.toSorted((a, b) => zxidOf(a) - zxidOf(b));
    let latest = -1;
    const doneBy = this.#done.map((done) => (latest = Math.max(latest, done)));
    return (this.#sorted = { leaves: new Leaves(this.#leaves), joins, joined: joins.map(zxidOf), doneBy });
  }
}

/** Answered leaves of a member, by their answers and by their zxids. */
class Leaves {
  readonly #answered: number[];
  /** By answer: of the leaves up to it, the one that was called last. */
  readonly #latest: Operation[] = [];
  readonly #byZxid: readonly Operation[];
  readonly #zxids: number[];

  constructor(leaves: readonly Operation[]) {
    const answered = leaves.toSorted((a, b) => completionOf(a).index - completionOf(b).index);
    this.#answered = answered.map((leave) => completionOf(leave).index);
    for (const leave of answered) {
      const last = this.#latest.at(-1);
      this.#latest.push(last !== undefined && last.invocation.index > leave.invocation.index ? last : leave);
    }
    this.#byZxid = leaves.filter((leave) => zxidOf(leave) > 0).sort((a, b) => zxidOf(a) - zxidOf(b));
    this.#zxids = this.#byZxid.map(zxidOf);
  }

  /** Of those that were answered before an event, the one that was called last. */
  latestBefore(index: number): Operation | undefined {
    return this.#latest[firstAtLeast(this.#answered, index) - 1];
  }

  latestUpTo(zxid: Zxid): Operation | undefined {
    return this.#byZxid[firstAtLeast(this.#zxids, zxid + 1) - 1];
  }
}

/**
 * Counts those whom lists do not show although they had joined before the list was asked for, and nobody had begun to
 * take them away when it was answered. Lists are asked about in the order of their answers. A tree of partial sums
 * (Fenwick, Software: Practice and Experience 24(3), 1994): O(log n) for a list, and for each member in it.
 */
export class MissingMembers {
  readonly #joined: number[];
  readonly #leaving: readonly Member[];
  readonly #sums: Int32Array;
  #left = 0;

  constructor(members: Iterable<Member>) {
    const standing = [...members].filter(({ joinedAt }) => joinedAt !== Infinity);
    this.#joined = standing.map(({ joinedAt }) => joinedAt).sort((a, b) => a - b);
    this.#leaving = standing.sort((a, b) => a.leavesAt - b.leavesAt);
    this.#sums = new Int32Array(standing.length + 1);
    for (const member of standing) this.#add(member, 1);
  }

  from({ invocation, completion }: Operation, listed: readonly Member[]): number {
    const answered = completion?.index ?? Infinity;
    for (; this.#left < this.#leaving.length; this.#left++) {
      const member = this.#leaving[this.#left] as Member;
      if (member.leavesAt > answered) break;
      this.#add(member, -1);
    }
    let count = 0;
    for (let at = firstAtLeast(this.#joined, invocation.index); at > 0; at &= at - 1)
      count += this.#sums[at] as number;
    for (const { joinedAt, leavesAt } of listed)
      if (joinedAt < invocation.index && leavesAt > answered) count--;
    return count;
  }

  #add(member: Member, by: number): void {
    const first = firstAtLeast(this.#joined, member.joinedAt) + 1;
    for (let at = first; at < this.#sums.length; at += at & -at)
      this.#sums[at] = (this.#sums[at] as number) + by;
  }
}

export function completionOf(operation: Operation): Event {
  return operation.completion as Event;
}

function zxidOf(operation: Operation): Zxid {
  return operation.completion?.zxid ?? 0;
}
