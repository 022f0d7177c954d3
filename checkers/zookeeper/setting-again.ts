import type { WatchEventType, Zxid } from "../../model/index.ts";
import type { MissedChange } from "./missed-changes.ts";
import type { Step } from "./history/steps.ts";
import { firstAfter, type WatchedChanges } from "./watch-changes.ts";
import { pathsOf, type WatchList } from "./watch-kinds.ts";

/** A watch of a setWatches whose change was missed, or may have been. */
interface Missed {
  readonly list: WatchList;
  readonly path: string;
  /** Undefined where it is not known. */
  readonly type: WatchEventType | undefined;
  /** Whether it must be told. */
  readonly isOwed: boolean;
  isTold: boolean;
}

/**
 * A setWatches that a server is answering: it tells each watch for itself what it has missed, and then replies. What
 * it has to tell is known where no change of the path can have been overlooked.
 */
export class SettingAgain {
  readonly step: Step;
  /** By path. */
  readonly #missed = new Map<string, Missed[]>();
  readonly #toldOf = new Set<string>();
  /** Paths of which an event came that may be one of these, or from a watch that is set by now. */
  readonly doubtful: string[] = [];

  /** `missed` is undefined where the tree at that time is not known; where ACLs may hide events none is owed. */
  constructor(
    step: Step,
    missed: readonly MissedChange[] | undefined,
    changes: WatchedChanges,
    mayHide: boolean,
  ) {
    this.step = step;
    for (const each of missed ?? []) {
      const { list, path } = each;
      if (changes.isUncertain(path)) continue;
      this.#add({ list, path, type: each.type, isOwed: !mayHide, isTold: false });
    }
    for (const list of ["data", "exists", "children"] as const) {
      for (const path of pathsOf(step, list)) {
        if (missed !== undefined && !changes.isUncertain(path)) continue;
        const isOwed = !mayHide && list !== "exists" && hasChanged(step, list, path, changes);
        this.#add({ list, path, type: undefined, isOwed, isTold: false });
      }
    }
  }

  #add(missed: Missed): void {
    const known = this.#missed.get(missed.path);
    if (known === undefined) this.#missed.set(missed.path, [missed]);
    else known.push(missed);
  }

  #of(path: string): readonly Missed[] {
    return this.#missed.get(path) ?? [];
  }

  /** Takes an event as one that tells what was missed; false where none such is left. */
  tell(type: WatchEventType, path: string): boolean {
    const found = this.#of(path).filter((each) => !each.isTold && mayBe(each, type));
    const one = found.find(({ isOwed }) => isOwed) ?? found[0];
    if (one === undefined) return false;
    one.isTold = true;
    this.#toldOf.add(path);
    return true;
  }

  /** What must be told and is not yet. */
  owed(): readonly Missed[] {
    return [...this.#missed.values()]
      .flat()
      .filter(({ isOwed, isTold, path }) => isOwed && !isTold && !this.doubtful.includes(path));
  }

  doubt(path: string): void {
    this.doubtful.push(path);
  }

  /** Whether the watch is set: not where it told, instead, what it had missed. Undefined where that is not known. */
  sets(list: WatchList, path: string): boolean | undefined {
    if (this.doubtful.includes(path)) return undefined;
    const missed = this.#of(path).find((each) => each.list === list);
    if (missed === undefined) return true;
    if (missed.isTold || missed.isOwed) return this.#isOneOfSeveral(missed) ? undefined : false;
    return this.#toldOf.has(path) ? undefined : true;
  }

  /** Whether another watch of the path may have told what this one is said to have told. */
  #isOneOfSeveral({ path, type }: Missed): boolean {
    return type === undefined && this.#of(path).some((each) => !each.isTold && !each.isOwed);
  }
}

function mayBe({ list, type }: Missed, told: WatchEventType): boolean {
  if (type !== undefined) return type === told;
  if (list === "exists") return told === "NodeCreated";
  return told === "NodeDeleted" || told === (list === "data" ? "NodeDataChanged" : "NodeChildrenChanged");
}

/** Whether something is known to have changed between what the client had seen and the answer. */
function hasChanged(step: Step, list: "data" | "children", path: string, changes: WatchedChanges): boolean {
  const told = changes.of(list, path);
  const first = told[firstAfter(told, step.request["relativeZxid"] as Zxid)];
  return first !== undefined && first.zxid <= step.zxid;
}
