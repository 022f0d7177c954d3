import { parentPath, type WatchEventType, type Zxid } from "../../model/index.ts";
import { firstThat } from "../ascending.ts";
import type { Acknowledged } from "./acknowledged.ts";
import type { ChangeType } from "./mentions.ts";
import type { MissedChange } from "./missed-changes.ts";
import type { Change, Ending, WantsChange } from "./replay-state.ts";
import type { Step } from "./history/steps.ts";
import type { ZookeeperHistory } from "./history/zookeeper-history.ts";
import { UnansweredChanges } from "./unanswered-changes.ts";
import { ByKind, changeOf, kinds, pathsUpwards, type WatchKind, watchesOf } from "./watch-kinds.ts";

/** What a replay tells of the watches' side of a history. */
export interface WatchedReplay {
  /** Of each path that is watched (`watchedChanges`), in order. */
  readonly changes: ReadonlyMap<string, readonly Change[]>;
  readonly acknowledged: Acknowledged;
  /** The sessions that were found to have ended by themselves. */
  readonly expired: readonly Ending[];
  /** By setWatches. */
  readonly missed: ReadonlyMap<Step, readonly MissedChange[]>;
}

/** Everything that happened to the tree, as watches see it. */
export class WatchedChanges {
  readonly #changes: ReadonlyMap<string, readonly Change[]>;
  readonly #acknowledged: Acknowledged;
  /** By kind and path: what its watches tell. */
  readonly #told = new ByKind<readonly Change[]>();
  readonly #uncertain = new Map<string, boolean>();
  /** The paths that have changed, by the paths above them; filled where anybody has a recursive watch. */
  readonly #byAncestor = new Map<string, string[]>();
  readonly unanswered: UnansweredChanges;
  /** The zxids at which sessions were found to have ended by themselves. */
  readonly #endings: ReadonlySet<Zxid>;

  /** `changes` are those of each path that is watched (`watchedChanges`), as the replay made them, in order. */
  constructor(
    { changes, acknowledged, expired }: Pick<WatchedReplay, "changes" | "acknowledged" | "expired">,
    history: Pick<ZookeeperHistory, "open">,
  ) {
    this.#changes = changes;
    this.#acknowledged = acknowledged;
    this.#endings = new Set(expired.map(({ place }) => place.zxid));
    this.unanswered = new UnansweredChanges(history.open);
  }

  /**
   * Every change that such a watch tells and whose zxid is known, in order.
   *
   * A change of unknown zxid is left out: a watch that has not fired yet has to tell the next one that is known, if it
   * has not told that one. So is what a session took along that unanswered writes may have taken before.
   */
  of(kind: WatchKind, path: string): readonly Change[] {
    const known = this.#told.get(kind, path);
    if (known !== undefined) return known;
    const { tells, isRecursive } = kinds[kind];
    const all = isRecursive ? this.#below(path) : (this.#changes.get(path) ?? []);
    const list = all.filter(
      (change) => change.exact && tells.has(change.type) && !this.#mayBeGoneBefore(change),
    );
    this.#told.set(kind, path, list);
    return list;
  }

  #mayBeGoneBefore({ path, zxid }: Change): boolean {
    if (!this.unanswered.mayChange(path)) return false;
    return this.#endings.has(zxid) || this.#acknowledged.at(zxid)?.op === "closeSession";
  }

  /** How many changes of a path itself there were after one zxid, up to another. */
  between(path: string, after: Zxid, upTo: Zxid): number {
    const changes = this.#changes.get(path) ?? [];
    return firstAfter(changes, upTo) - firstAfter(changes, after);
  }

  /**
   * Whether the path may have changed without the replay's knowing, or knowing at which zxid: by a write that nobody
   * answered, by the end of a session or of a node's time, or as it, or a child, is older than the history.
   */
  isUncertain(path: string): boolean {
    let known = this.#uncertain.get(path);
    if (known === undefined) {
      const changes = this.#changes.get(path) ?? [];
      known =
        changes.some(({ exact, isMortal }) => !exact || isMortal) ||
        this.#mayBeOlder(path) ||
        this.unanswered.mayChange(path);
      this.#uncertain.set(path, known);
    }
    return known;
  }

  /**
   * How often a transaction made the change: a multi may more than once. Undefined where the transaction, or what it
   * did, is not known for certain.
   */
  timesMade(type: WatchEventType, path: string, zxid: Zxid): number | undefined {
    const step = this.#acknowledged.at(zxid);
    const change = changeOf[type];
    if (change === undefined) return undefined;
    // A session takes along what nobody may know of.
    if (step === undefined || step.op === "closeSession" || step.op === "reconfig")
      return this.isUncertain(path) ? undefined : this.#timesReplayed(change, path, zxid);
    let times = 0;
    if (step.outcome === "ok")
      eachChange(step, (at, made) => {
        if (at === path && made === change) times++;
      });
    // Where the replay found a contradiction it may not have made what was acknowledged.
    return times > 0 && this.#timesReplayed(change, path, zxid) === 0 ? undefined : times;
  }

  #timesReplayed(type: ChangeType, path: string, zxid: Zxid): number {
    const changes = this.#changes.get(path) ?? [];
    let times = 0;
    for (let at = firstAfter(changes, zxid) - 1; changes[at]?.zxid === zxid; at--)
      if (changes[at]?.type === type) times++;
    return times;
  }

  #mayBeOlder(path: string): boolean {
    const first = (each: string): ChangeType | undefined => this.#changes.get(each)?.[0]?.type;
    if (path.startsWith("/zookeeper")) return true;
    if (first(path) !== undefined) return first(path) !== "created";
    return !pathsUpwards(path).some((above) => first(above) === "created");
  }

  /** The changes of the path and of all below it. */
  #below(path: string): readonly Change[] {
    if (this.#byAncestor.size === 0)
      for (const each of this.#changes.keys())
        for (const above of pathsUpwards(each)) {
          const paths = this.#byAncestor.get(above);
          if (paths === undefined) this.#byAncestor.set(above, [each]);
          else paths.push(each);
        }
    const found: Change[] = [];
    for (const each of this.#byAncestor.get(path) ?? [])
      for (const change of this.#changes.get(each) ?? []) found.push(change);
    return found.sort((a, b) => a.order - b.order);
  }
}

/** The index of the first change after `zxid`. */
export function firstAfter(changes: readonly Change[], zxid: Zxid): number {
  return firstThat(changes.length, (at) => (changes[at] as Change).zxid > zxid);
}

/**
 * Which changes are needed: of every path that anybody watches, and of all that is below a recursive watch. Of the nodes
 * above, that they were created: what is below them then cannot be older than the history.
 */
export function watchedChanges(history: Pick<ZookeeperHistory, "watching">): WantsChange {
  const paths = new Set<string>();
  const above = new Set<string>();
  const trees = new Set<string>();
  for (const step of history.watching)
    for (const { kinds: of, path } of watchesOf(step)) {
      const isTree = of.includes("recursive");
      if ((isTree ? trees : paths).has(path)) continue;
      (isTree ? trees : paths).add(path);
      for (const each of pathsUpwards(path)) above.add(each);
    }
  const isWanted: WantsChange = (path, type) => paths.has(path) || (type === "created" && above.has(path));
  if (trees.size === 0) return isWanted;
  return (path, type) => isWanted(path, type) || pathsUpwards(path).some((each) => trees.has(each));
}

/** Calls back for each change that an acknowledged write made, in order. */
function eachChange(step: Step, made: (path: string, type: ChangeType) => void): void {
  const change = (op: string, path: string): void => {
    if (op === "create") made(path, "created");
    else if (op === "delete") made(path, "deleted");
    else if (op === "setData") made(path, "data");
    if (op === "create" || op === "delete") made(parentPath(path), "children");
  };
  if (step.op !== "multi") return change(step.op, step.op === "create" ? step.created : step.path);
  const results = step.results ?? [];
  step.operations.forEach((operation, i) => {
    const result = results[i];
    change(operation.op, result?.op === "create" ? result.path : operation.path);
  });
}
