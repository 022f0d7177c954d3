import type { WatchEventType, Zxid } from "../../model/index.ts";
import type { Change } from "./replay-state.ts";
import { ServerWatches } from "./server-watches.ts";
import type { Step } from "./history/steps.ts";
import type { WatchStep } from "./history/zookeeper-history.ts";
import { firstAfter, type WatchedChanges } from "./watch-changes.ts";
import type { WatchFindings } from "./watch-findings.ts";
import { eventOf, kinds, removedKinds, type WantedWatch, watchesOf, type WatchKind } from "./watch-kinds.ts";
import { Registration, WatchTable } from "./watch-table.ts";

const nothing: readonly Change[] = [];
const nobody: readonly Registration[] = [];

export interface HeldWatchesOptions {
  readonly changes: WatchedChanges;
  /** Where ACLs may hide events, none can be demanded. */
  readonly mayHide: boolean;
  readonly found: WatchFindings;
  /** Whether watches of several modes live side by side on the server, as they do since 3.9. */
  readonly modesCoexist: () => boolean;
}

/** The watches that a server holds for a connection: those that are there, and those that may be there. */
export class HeldWatches {
  readonly certain: ServerWatches;
  #maybe: WatchTable | undefined;
  readonly #options: HeldWatchesOptions;
  #hasLasting = false;

  constructor(options: HeldWatchesOptions) {
    this.#options = options;
    this.certain = new ServerWatches(options.found);
  }

  get hasMaybes(): boolean {
    return this.#maybe !== undefined;
  }

  /** Those that may be there and that such an event may come from. */
  maybes(type: WatchEventType, path: string): readonly Registration[] {
    return this.#maybe === undefined ? nobody : this.#maybe.matching(type, path);
  }

  /** Every watch that such an event may come from. */
  sourcesOf({ type, path }: WatchStep): readonly Registration[] {
    const certain = this.certain.matching(type, path);
    return this.#maybe === undefined ? certain : [...certain, ...this.maybes(type, path)];
  }

  /** A watch that may be there and tell the event, where none that is there has to. */
  unlessExpected({ type, path }: WatchStep): Registration | undefined {
    if (this.certain.matching(type, path).some((each) => each.expects(type, path) !== undefined))
      return undefined;
    return this.maybes(type, path).find(({ step }) => type !== "NodeCreated" || step.op !== "getData");
  }

  /** A request sets a watch; if that is doubtful, it may be there. */
  register(kind: WatchKind, path: string, step: Step, isDoubtful: boolean): void {
    const { changes, mayHide } = this.#options;
    const modesCoexist = this.#options.modesCoexist();
    if (!kinds[kind].isOneShot) this.#hasLasting = true;
    if (kind === "recursive-children" && modesCoexist) return;
    if (this.#hasLasting && !modesCoexist)
      for (const other of kinds[kind].manager) this.#replace(other, kind, path, isDoubtful);
    if (isDoubtful) return this.setMaybe([{ kinds: [kind], path }], step);
    const told = mayHide ? nothing : changes.of(kind, path);
    this.certain.set(new Registration(kind, path, step, step.zxid, told));
  }

  /** A watch of another mode takes the place of the one that there is. */
  #replace(old: WatchKind, by: WatchKind, path: string, isDoubtful: boolean): void {
    const watch = this.certain.get(old, path);
    if (watch === undefined) return;
    if (!isDoubtful) this.certain.end(watch);
    else if (old !== by) this.demote(watch);
  }

  setMaybe(wanted: readonly WantedWatch[], step: Step): void {
    for (const { kinds: of, path } of wanted)
      for (const kind of of) {
        this.#maybe ??= new WatchTable();
        this.#maybe.set(new Registration(kind, path, step, -1, nothing));
      }
  }

  /** The watch need not be there any more. */
  demote(watch: Registration): void {
    this.end(watch);
    this.setMaybe([{ kinds: [watch.kind], path: watch.path }], watch.step);
  }

  /** Nobody knows which of them are still there, nor what has fired. */
  demoteAll(): void {
    for (const watch of this.certain.all()) this.demote(watch);
    this.certain.forget();
  }

  /** A request removes watches; where that is doubtful, they may still be there. */
  remove(step: Step, isDoubtful: boolean): void {
    for (const kind of removedKinds(step, this.#options.modesCoexist())) {
      const watch = this.certain.get(kind, step.path);
      if (isDoubtful) {
        if (watch !== undefined) this.demote(watch);
        continue;
      }
      this.end(watch);
      this.end(this.#maybe?.get(kind, step.path));
    }
  }

  end(watch: Registration | undefined): void {
    this.certain.end(watch);
    this.#maybe?.end(watch);
  }

  /** An event may be the one that the watch has to tell next. */
  skip(watch: Registration): void {
    this.end(watch);
    const { kind, path, step, zxid, changes } = watch;
    const next = new Registration(kind, path, step, zxid, changes);
    next.next = watch.next + 1;
    this.certain.set(next);
  }

  /** Whether a watch that may be there has to tell the event at that zxid, if it is; then it is there, and does. */
  isFrom(maybe: Registration, { type, path }: WatchStep, zxid: Zxid): boolean {
    const { step } = maybe;
    // A read that finds no node sets no watch.
    if (type === "NodeCreated" && step.op === "getData") return false;
    const together = this.#setTogether(maybe);
    const watches = together.map(({ kind, path: at }) => {
      return new Registration(kind, at, step, zxid - 1, this.#options.changes.of(kind, at));
    });
    const next = watches.flatMap((watch) => watch.changes.slice(watch.next, firstAfter(watch.changes, zxid)));
    next.sort((a, b) => a.order - b.order);
    // What others have told it has told with them.
    const first = next.find((change) => change.path === path && !this.certain.isFired(change));
    if (first === undefined || eventOf[first.type] !== type) return false;
    if (maybe.isOneShot && first !== next[0]) return false;
    for (const each of together) this.end(each);
    for (const watch of watches) this.certain.setLate(watch, zxid);
    return true;
  }

  /** The watches that may be there if this one is: of one wish, both managers have one, or neither. */
  #setTogether(maybe: Registration): readonly Registration[] {
    const isThis = ({ kinds: of, path }: WantedWatch): boolean =>
      path === maybe.path && of.includes(maybe.kind);
    const all = watchesOf(maybe.step).find(isThis)?.kinds ?? [];
    const together = all.map((kind) => this.#maybe?.get(kind, maybe.path));
    return together.filter((each): each is Registration => each?.step === maybe.step);
  }
}
