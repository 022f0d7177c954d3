import { type Event, InputError, type Json, type Operation, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";
import { completionOf, Member, MissingMembers } from "./member.ts";

/**
 * Group membership: `join m`, `leave m`, `members` -> list. Lists may be stale, and who joined may have gone with its
 * session at any time, so that members who are missing are only counted, and told. A list is violated where it holds
 *
 * - somebody who had not begun to join;
 * - somebody who had left in every state that the list may show: these are not older than what else the list shows,
 *   than the writes of its session, and than its session's lists before; with zxids, than the list's own;
 * - somebody whom its session has seen going, and who had not begun to join again.
 *
 * Sound, and complete but for what only the lists of several sessions together rule out (with zxids nothing is).
 * Sessions are told by the completions' evidence, by the process where there is none.
 * O(n log n + l), l the lengths of all lists together.
 */
export function checkMembership(events: readonly Event[]): Verdict[] {
  const check = new MembershipCheck(pairOperations(events));
  return [
    check.run().verdict("lists hold nobody who had not begun to join or was known to have left", "lists"),
  ];
}

/** What a session has seen. */
interface Session {
  /** The greatest index of an invocation whose write it is known to have seen: no older state is shown to it. */
  since: number;
  /** Lists so far. */
  lists: number;
  /** Of each member: how often it came into sight, and the number of the last list that showed it. */
  readonly seen: Map<string, { times: number; last: number }>;
  /** Its own last answered join and leave of each member. */
  readonly joins: Map<string, Operation>;
  readonly leaves: Map<string, Operation>;
  /** When it was answered last. */
  answered: number;
  /** What `since` was when it saw its last list, and when that was answered. */
  listedSince: number;
  listedAt: number;
}

class MembershipCheck {
  readonly #promise = new PromiseCheck("membership");
  readonly #operations: readonly Operation[];
  readonly #members = new Map<string, Member>();
  readonly #sessions = new Map<string, Session>();

  constructor(operations: readonly Operation[]) {
    this.#operations = operations.filter(({ completion }) => completion?.type !== "fail");
    for (const operation of this.#operations) {
      if (operation.f !== "join" && operation.f !== "leave") continue;
      const name = JSON.stringify(operation.invocation.value);
      let member = this.#members.get(name);
      if (member === undefined) this.#members.set(name, (member = new Member()));
      member.add(operation);
    }
    for (const { f, completion } of this.#operations) {
      if (f !== "members" || completion?.type !== "ok") continue;
      for (const name of listOf(completion)) this.#members.get(name)?.shownAt(completion.index);
    }
  }

  run(): PromiseCheck {
    const missing = new MissingMembers(this.#members.values());
    const answered = this.#operations.filter(({ completion }) => completion?.type === "ok");
    answered.sort((a, b) => completionOf(a).index - completionOf(b).index);
    for (const operation of answered) {
      const { f, invocation } = operation;
      const completion = completionOf(operation);
      const session = this.#sessionOf(operation);
      if (f === "members") {
        this.#promise.checked();
        const listed = listOf(completion);
        this.#list(operation, session, listed);
        const known = [...listed].flatMap((name) => this.#members.get(name) ?? []);
        const count = missing.from(operation, known);
        if (count > 0) this.#promise.count("members missing from stale lists", count);
      } else if (f === "join" || f === "leave") {
        session.since = Math.max(session.since, invocation.index);
        const own = f === "join" ? session.joins : session.leaves;
        own.set(JSON.stringify(invocation.value), operation);
      }
      session.answered = completion.index;
    }
    return this.#promise;
  }

  #list(operation: Operation, session: Session, listed: ReadonlySet<string>): void {
    const until = completionOf(operation).index;
    // Where requests of a session overlap, nothing tells which of them was answered first.
    const isInTurn = session.answered < operation.invocation.index;
    let since = isInTurn ? session.since : -1;
    for (const name of listed) {
      const member = this.#members.get(name);
      if (member === undefined || member.begun(until) === 0)
        this.#broken(`${name} is listed as a member and had not begun to join`, operation);
      else since = Math.max(since, member.firstBegun);
    }
    const shown = { since, until, zxid: operation.completion?.zxid ?? 0 };
    if (isInTurn) session.lists++;
    for (const name of listed) {
      const member = this.#members.get(name);
      if (member === undefined || member.begun(until) === 0) continue;
      const absence = member.absentFrom(shown, isInTurn ? session.leaves.get(name) : undefined);
      if (absence !== undefined) {
        const { invocation, completion } = absence.operation;
        const what = `${name} is listed as a member and ${absence.why} (event ${completion?.index ?? invocation.index})`;
        this.#broken(what, operation, [invocation, completion]);
      } else if (isInTurn && isBack(session, name, member, until))
        this.#broken(`${name} is listed as a member again, and had not begun to join again`, operation);
    }
    session.since = Math.max(session.since, since);
    if (!isInTurn) return;
    session.listedSince = session.since;
    session.listedAt = until;
  }

  #broken(
    what: string,
    { invocation, completion }: Operation,
    others: readonly (Event | undefined)[] = [],
  ): void {
    this.#promise.broken(what, completion as Event, [invocation, ...others]);
  }

  #sessionOf({ process, completion }: Operation): Session {
    const name = completion?.session ?? `process ${typeof process} ${process}`;
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = {
        since: -1,
        lists: 0,
        seen: new Map(),
        joins: new Map(),
        leaves: new Map(),
        answered: -1,
        listedSince: -1,
        listedAt: -1,
      };
      this.#sessions.set(name, session);
    }
    return session;
  }
}

/** Throws InputError for an answer that is no list. */
function listOf({ value, index }: Event): ReadonlySet<string> {
  if (Array.isArray(value)) return new Set((value as readonly Json[]).map((each) => JSON.stringify(each)));
  throw new InputError(
    `event ${index}: members answered ${JSON.stringify(value)}; expected a list`,
    "The answer to members is the list of those who are there.",
  );
}

/** Notes that another list shows the member, and says whether it can't have come back since lists did not show it. */
function isBack(
  { seen, lists, listedSince, listedAt, joins }: Session,
  name: string,
  member: Member,
  until: number,
): boolean {
  const known = seen.get(name) ?? { times: 0, last: 0 };
  seen.set(name, known);
  const wasListed = known.last === lists - 1;
  known.last = lists;
  if (wasListed && lists > 1) return false;
  known.times++;
  if (known.times > member.begun(until)) return true;
  const ownJoin = joins.get(name);
  const isShown = ownJoin !== undefined && completionOf(ownJoin).index < listedAt;
  return lists > 1 && !member.mayComeBack(listedSince, until, isShown ? ownJoin : undefined);
}
