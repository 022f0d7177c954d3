import type { Event, Stat, SubRequest, SubResult, Zxid } from "../../model/index.ts";
import type { Step, WatchStep } from "./steps.ts";

export type ChangeType = "created" | "deleted" | "data" | "children";

/** A reply or event that proves a transaction which nobody was told of: at this zxid that path changed so. */
export interface Mention {
  readonly zxid: Zxid;
  readonly path: string;
  readonly type: ChangeType;
  /** What was read there, where it was read. */
  data: string | null | undefined;
  version: number | undefined;
  /** The first that shows it. */
  seen: Event;
}

/** Everything that is known of one unacknowledged transaction. */
export interface MentionGroup {
  readonly zxid: Zxid;
  readonly mentions: readonly Mention[];
}

/** A Stat with the path that it is of and, from a getData, the data that belongs to its mzxid. */
export interface Sighting {
  readonly path: string;
  readonly stat: Stat;
  readonly data: string | null | undefined;
}

/** Calls back for every Stat that an answer holds. */
export function eachSighting(step: Step, see: (sighting: Sighting) => void): void {
  const answer = step.answer;
  if (step.op === "multi") {
    const results = answer["results"] as unknown as readonly SubResult[] | undefined;
    const operations = step.request["operations"] as unknown as readonly SubRequest[];
    results?.forEach((result, i) => {
      if (result.op === "create" && result.stat !== undefined) {
        see({ path: result.path, stat: result.stat, data: undefined });
      } else if (result.op === "setData") {
        see({ path: operations[i]?.path ?? "", stat: result.stat, data: undefined });
      }
    });
    return;
  }
  const stat = answer["stat"] as unknown as Stat | undefined;
  if (stat === undefined) return;
  const path = step.op === "create" ? (answer["path"] as string) : step.path;
  see({ path, stat, data: step.op === "getData" ? (answer["data"] as string | null) : undefined });
}

const changeTypes: { readonly [type: string]: ChangeType } = {
  NodeCreated: "created",
  NodeDeleted: "deleted",
  NodeDataChanged: "data",
  NodeChildrenChanged: "children",
};

/** Every transaction at or above `floor` that replies and events speak of and no acknowledged write is, by zxid. */
export function groupsOf(
  steps: readonly Step[],
  watches: readonly WatchStep[],
  acknowledged: ReadonlyMap<Zxid, Step>,
  floor: Zxid,
): MentionGroup[] {
  const mentions = new Map<string, Mention>();
  const mention = (
    zxid: Zxid,
    path: string,
    type: ChangeType,
    seen: Event,
    data?: string | null,
    version?: number,
  ): void => {
    if (zxid < floor || acknowledged.has(zxid)) return;
    const key = `${zxid} ${type} ${path}`;
    const known = mentions.get(key);
    if (known === undefined) {
      mentions.set(key, { zxid, path, type, data, version, seen });
      return;
    }
    if (seen.index < known.seen.index) known.seen = seen;
    known.data ??= data;
    known.version ??= version;
  };
  for (const step of steps) {
    const seen = step.completion;
    if (seen === undefined || !step.isAnswered) continue;
    eachSighting(step, ({ path, stat, data }) => {
      const { czxid, mzxid, pzxid, version } = stat;
      mention(czxid, path, "created", seen, mzxid === czxid ? data : undefined);
      if (mzxid > czxid) mention(mzxid, path, "data", seen, data, version);
      if (pzxid > czxid) mention(pzxid, path, "children", seen);
    });
  }
  for (const { event, type, path, zxid } of watches) {
    const change = changeTypes[type];
    if (zxid > 0 && change !== undefined) mention(zxid, path, change, event);
  }
  const rank = { deleted: 0, created: 1, data: 2, children: 3 };
  const groups = new Map<Zxid, Mention[]>();
  for (const each of mentions.values()) {
    const group = groups.get(each.zxid);
    if (group === undefined) groups.set(each.zxid, [each]);
    else group.push(each);
  }
  return [...groups]
    .sort((a, b) => a[0] - b[0])
    .map(([zxid, group]) => ({ zxid, mentions: group.sort((a, b) => rank[a.type] - rank[b.type]) }));
}
