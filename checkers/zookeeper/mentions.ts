import type { Stat, Zxid } from "../../model/index.ts";
import type { Acknowledged } from "./acknowledged.ts";
import type { See } from "./passes.ts";
import type { Step } from "./history/steps.ts";
import type { WatchStep } from "./history/zookeeper-history.ts";

export type ChangeType = "created" | "deleted" | "data" | "children";

/** A reply or event that proves a transaction which nobody was told of: at this zxid that path changed so. */
export interface Mention {
  readonly zxid: Zxid;
  readonly path: string;
  readonly type: ChangeType;
  /** What was read there, where it was read. */
  data: string | null | undefined;
  version: number | undefined;
  dataLength: number | undefined;
  /** Of what was created: its ephemeralOwner. */
  owner: string | undefined;
  /** Index of the first event that shows it. */
  seenAt: number;
}

/** Everything that is known of one unacknowledged transaction. */
export interface MentionGroup {
  readonly zxid: Zxid;
  readonly mentions: readonly Mention[];
}

/** Is told a Stat with the path that it is of, and the step whose answer holds it. */
export type SeeStat = (path: string, stat: Stat, step: Step) => void;

/** Calls back for every Stat that an answer holds. */
export function eachSighting(step: Step, see: SeeStat): void {
  const { op, stat } = step;
  if (op === "multi") eachOfMulti(step, see);
  else if (stat !== undefined) see(op === "create" ? step.created : step.path, stat, step);
}

/** Apart, as a function that makes a closure makes a context for it, whether or not it comes to that. */
function eachOfMulti(step: Step, see: SeeStat): void {
  const { results, operations } = step;
  results?.forEach((result, i) => {
    if (result.op === "create" && result.stat !== undefined) see(result.path, result.stat, step);
    else if (result.op === "setData") see(operations[i]?.path ?? "", result.stat, step);
  });
}

const changeTypes: { readonly [type: string]: ChangeType } = {
  NodeCreated: "created",
  NodeDeleted: "deleted",
  NodeDataChanged: "data",
  NodeChildrenChanged: "children",
};

/** Every transaction at or above `floor` that replies and events speak of and no acknowledged write is. */
export class Mentions {
  readonly #acknowledged: Acknowledged;
  readonly #floor: Zxid;
  readonly #mentions = new Map<string, Mention>();

  constructor(acknowledged: Acknowledged, floor: Zxid) {
    this.#acknowledged = acknowledged;
    this.#floor = floor;
  }

  /** To be shown the answered steps. */
  readonly see: See = (step) => eachSighting(step, this.#seeStat);

  readonly #seeStat: SeeStat = (path, stat, step) => {
    const { czxid, mzxid, pzxid } = stat;
    if (this.#isKnown(mzxid) && this.#isKnown(pzxid) && this.#isKnown(czxid)) return;
    const seenAt = step.completedAt;
    const created = this.#mention(czxid, path, "created", seenAt);
    if (created !== undefined) created.owner ??= stat.ephemeralOwner;
    const written = mzxid > czxid ? this.#mention(mzxid, path, "data", seenAt) : created;
    if (written !== undefined) {
      written.data ??= step.dataRead;
      written.dataLength ??= stat.dataLength;
      if (mzxid > czxid) written.version ??= stat.version;
    }
    if (pzxid > czxid) this.#mention(pzxid, path, "children", seenAt);
  };

  seeEvents(watches: readonly WatchStep[]): void {
    for (const { index, type, path, zxid } of watches) {
      const change = changeTypes[type];
      if (zxid > 0 && change !== undefined) this.#mention(zxid, path, change, index);
    }
  }

  /** What is known of each transaction, by zxid. */
  groups(): MentionGroup[] {
    const rank = { deleted: 0, created: 1, data: 2, children: 3 };
    const groups = new Map<Zxid, Mention[]>();
    for (const each of this.#mentions.values()) {
      const group = groups.get(each.zxid);
      if (group === undefined) groups.set(each.zxid, [each]);
      else group.push(each);
    }
    return [...groups]
      .sort((a, b) => a[0] - b[0])
      .map(([zxid, group]) => ({ zxid, mentions: group.sort((a, b) => rank[a.type] - rank[b.type]) }));
  }

  #isKnown(zxid: Zxid): boolean {
    return zxid < this.#floor || this.#acknowledged.at(zxid) !== undefined;
  }

  #mention(zxid: Zxid, path: string, type: ChangeType, seenAt: number): Mention | undefined {
    if (this.#isKnown(zxid)) return undefined;
    const key = `${zxid} ${type} ${path}`;
    const known = this.#mentions.get(key);
    if (known !== undefined) {
      if (seenAt < known.seenAt) known.seenAt = seenAt;
      return known;
    }
    const first: Mention = {
      zxid,
      path,
      type,
      seenAt,
      data: undefined,
      version: undefined,
      dataLength: undefined,
      owner: undefined,
    };
    this.#mentions.set(key, first);
    return first;
  }
}
