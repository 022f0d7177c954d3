import type { Event, Stat, SubRequest, SubResult, Zxid } from "../../model/index.ts";
import type { Acknowledged } from "./acknowledged.ts";
import type { Step, ZookeeperHistory } from "./steps.ts";

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
  /** The first that shows it. */
  seen: Event;
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
  if (step.op === "multi") {
    const results = step.answer["results"] as unknown as readonly SubResult[] | undefined;
    const operations = step.request["operations"] as unknown as readonly SubRequest[];
    results?.forEach((result, i) => {
      if (result.op === "create" && result.stat !== undefined) {
        see(result.path, result.stat, step);
      } else if (result.op === "setData") {
        see(operations[i]?.path ?? "", result.stat, step);
      }
    });
    return;
  }
  const { stat } = step;
  if (stat !== undefined) see(step.op === "create" ? step.created : step.path, stat, step);
}

const changeTypes: { readonly [type: string]: ChangeType } = {
  NodeCreated: "created",
  NodeDeleted: "deleted",
  NodeDataChanged: "data",
  NodeChildrenChanged: "children",
};

/** Every transaction at or above `floor` that replies and events speak of and no acknowledged write is, by zxid. */
export function groupsOf(
  history: Pick<ZookeeperHistory, "answered" | "watches">,
  acknowledged: Acknowledged,
  floor: Zxid,
): MentionGroup[] {
  const mentions = new Map<string, Mention>();
  const isKnown = (zxid: Zxid): boolean => zxid < floor || acknowledged.at(zxid) !== undefined;
  const mention = (zxid: Zxid, path: string, type: ChangeType, seen: Event): Mention | undefined => {
    if (isKnown(zxid)) return undefined;
    const key = `${zxid} ${type} ${path}`;
    const known = mentions.get(key);
    if (known !== undefined) {
      if (seen.index < known.seen.index) known.seen = seen;
      return known;
    }
    const first: Mention = {
      zxid,
      path,
      type,
      seen,
      data: undefined,
      version: undefined,
      dataLength: undefined,
      owner: undefined,
    };
    mentions.set(key, first);
    return first;
  };
  /** By path, the Stat seen last all of whose transactions are known: most replies show it again. */
  const settled = new Map<string, Stat>();
  const see: SeeStat = (path, stat, step) => {
    const last = settled.get(path);
    if (last === stat) return;
    const { czxid, mzxid, pzxid } = stat;
    if (last?.mzxid === mzxid && last.pzxid === pzxid && last.czxid === czxid) return;
    if (isKnown(mzxid) && isKnown(pzxid) && isKnown(czxid)) {
      settled.set(path, stat);
      return;
    }
    const seen = step.completion as Event;
    const created = mention(czxid, path, "created", seen);
    if (created !== undefined) created.owner ??= stat.ephemeralOwner;
    const written = mzxid > czxid ? mention(mzxid, path, "data", seen) : created;
    if (written !== undefined) {
      written.data ??= step.dataRead;
      written.dataLength ??= stat.dataLength;
      if (mzxid > czxid) written.version ??= stat.version;
    }
    if (pzxid > czxid) mention(pzxid, path, "children", seen);
  };
  history.answered.forEach((step) => eachSighting(step, see));
  for (const { event, type, path, zxid } of history.watches) {
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
