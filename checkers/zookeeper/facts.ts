import { nodeName, noOwner, parentPath, sequenceNumber, type Stat, type Zxid } from "../../model/index.ts";
import { firstAtLeast } from "../ascending.ts";
import { eachSighting, type SeeStat } from "./mentions.ts";
import type { See } from "./passes.ts";
import type { SessionLives } from "./session-ends.ts";
import type { Step } from "./history/steps.ts";
import type { ZookeeperHistory } from "./history/zookeeper-history.ts";
import type { Candidate } from "./unanswered.ts";

/** The versions of one path's data that answers have shown, in the order of the zxids that made them. */
interface Versions {
  readonly mzxids: Zxid[];
  readonly czxids: Zxid[];
  readonly versions: number[];
}

/** The lists of one node's children that answers have shown, in the order of their zxids. */
interface Lists {
  zxids: Zxid[];
  names: (readonly string[])[];
}

/** One of the nodes that lived at a path, with the greatest zxid at which somebody saw it. */
interface Life {
  readonly czxid: Zxid;
  seenAt: Zxid;
}

/** A node as the replay has it, of which a change is considered. */
interface Present {
  readonly czxid: Zxid;
  readonly version: number;
}

/**
 * What answers tell of the future, as the replay sees it: which versions of its data a node will be seen with, and
 * until when it will be seen at all. An unseen transaction that does not agree with it cannot have happened there, as
 * no way of going on would explain those answers.
 */
export class Facts {
  readonly #versions = new Map<string, Versions>();
  /** The nodes that were seen at a path, in the order of their czxids. */
  readonly #lives = new Map<string, Life[]>();

  readonly #lists = new Map<string, Lists>();
  /** Paths that a client asked to delete. */
  readonly #deletedByClients: ReadonlySet<string>;
  readonly #sessions: SessionLives;

  readonly #written = new Set<string>();
  readonly #deleted = new Set<string>();
  readonly #latest = new Map<string, Stat>();

  /** Keeps what can matter for the candidates, and for the ends of sessions. */
  constructor(
    { deletedPaths }: Pick<ZookeeperHistory, "deletedPaths">,
    candidates: readonly Candidate[],
    sessions: SessionLives,
  ) {
    this.#sessions = sessions;
    this.#deletedByClients = deletedPaths;
    for (const { requests } of candidates) {
      for (const { op, path } of requests) {
        if (op === "setData") this.#written.add(path);
        else if (op === "delete") this.#deleted.add(path);
      }
    }
  }

  /** To be shown the answered steps. */
  readonly see: See = (step) => {
    eachSighting(step, this.#seeStat);
    if (step.op === "getChildren" && step.outcome === "ok" && step.zxid > 0) this.#list(step);
  };

  readonly #seeStat: SeeStat = (path, stat, { zxid }) => {
    if (stat.ephemeralOwner !== noOwner || this.#deleted.has(path)) this.#live(path, stat.czxid, zxid);
    if (!this.#written.has(path)) return;
    const last = this.#latest.get(path);
    if (last === stat || (last?.mzxid === stat.mzxid && last.version === stat.version)) return;
    this.#latest.set(path, stat);
    this.#note(path, stat.mzxid, stat.czxid, stat.version);
  };

  /** Once all are shown. */
  sort(): void {
    for (const versions of this.#versions.values()) sortByMzxid(versions);
    for (const lists of this.#lists.values()) sortByZxid(lists);
  }

  /** Whether one more change of the data at `zxid` leaves the versions that are seen later possible. */
  mayChangeData(path: string, node: Present, zxid: Zxid): boolean {
    const known = this.#versions.get(path);
    if (known === undefined) return true;
    const next = firstAtLeast(known.mzxids, zxid);
    if (known.czxids[next] !== node.czxid) return true;
    const version = known.versions[next] as number;
    return known.mzxids[next] === zxid ? version === node.version + 1 : version > node.version + 1;
  }

  /** Whether the node can be gone from `zxid` on. */
  mayDelete(path: string, node: Present, zxid: Zxid): boolean {
    const lives = this.#lives.get(path);
    const life = lives?.[firstSince(lives, node.czxid)];
    if (life?.czxid === node.czxid && life.seenAt >= zxid) return false;
    return !isUnique(path) || this.#isListed(path, zxid) !== true;
  }

  /**
   * Whether a session can have created the sequential ephemeral node at `zxid`: the node goes when the session ends, or
   * when a client deletes it, and not before.
   */
  mayOwn(path: string, session: string, zxid: Zxid): boolean {
    const lists = this.#lists.get(parentPath(path));
    if (lists === undefined) return true;
    const name = nodeName(path);
    let at = firstAtLeast(lists.zxids, zxid);
    if (at === lists.zxids.length) return true;
    while (at < lists.zxids.length && (lists.names[at] as readonly string[]).includes(name)) at++;
    const seenAt = at === 0 ? 0 : (lists.zxids[at - 1] as Zxid);
    const goneAt = lists.zxids[at] ?? Infinity;
    if (this.#sessions.overAt(session) <= seenAt) return false;
    return this.#sessions.lastAlive(session) < goneAt || this.#deletedByClients.has(path);
  }

  /** Whether the first list of the siblings from `zxid` on holds the node; undefined where there is none. */
  #isListed(path: string, zxid: Zxid): boolean | undefined {
    const lists = this.#lists.get(parentPath(path));
    return lists?.names[firstAtLeast(lists.zxids, zxid)]?.includes(nodeName(path));
  }

  #list(step: Step): void {
    let lists = this.#lists.get(step.path);
    if (lists === undefined) this.#lists.set(step.path, (lists = { zxids: [], names: [] }));
    const { children } = step;
    if (children === undefined) return;
    lists.zxids.push(step.zxid);
    lists.names.push(children);
  }

  #note(path: string, mzxid: Zxid, czxid: Zxid, version: number): void {
    let known = this.#versions.get(path);
    if (known === undefined) this.#versions.set(path, (known = { mzxids: [], czxids: [], versions: [] }));
    known.mzxids.push(mzxid);
    known.czxids.push(czxid);
    known.versions.push(version);
  }

  #live(path: string, czxid: Zxid, zxid: Zxid): void {
    const lives = this.#lives.get(path);
    if (lives === undefined) {
      this.#lives.set(path, [{ czxid, seenAt: zxid }]);
      return;
    }
    const at = firstSince(lives, czxid);
    const life = lives[at];
    if (life?.czxid !== czxid) lives.splice(at, 0, { czxid, seenAt: zxid });
    else if (life.seenAt < zxid) life.seenAt = zxid;
  }
}

/** Whether the name is one of a sequential node, which never comes again while its parent lives. */
function isUnique(path: string): boolean {
  return sequenceNumber(path) !== undefined;
}

/** The position of the first life that does not begin before `czxid`; mostly it is the last one. */
function firstSince(lives: readonly Life[], czxid: Zxid): number {
  let [from, to] = [0, lives.length];
  while (from < to) {
    const middle = to === lives.length ? to - 1 : (from + to) >>> 1;
    if ((lives[middle] as Life).czxid >= czxid) to = middle;
    else from = middle + 1;
  }
  return from;
}

function sortByMzxid(versions: Versions): void {
  const order = ascending(versions.mzxids);
  for (const list of [versions.mzxids, versions.czxids, versions.versions]) {
    const sorted = order.map((at) => list[at] as number);
    for (let i = 0; i < sorted.length; i++) list[i] = sorted[i] as number;
  }
}

function sortByZxid(lists: Lists): void {
  const order = ascending(lists.zxids);
  lists.names = order.map((at) => lists.names[at] as readonly string[]);
  lists.zxids = order.map((at) => lists.zxids[at] as Zxid);
}

function ascending(numbers: readonly number[]): number[] {
  return numbers.map((_, i) => i).sort((a, b) => (numbers[a] as number) - (numbers[b] as number));
}
