import {
  isPermitted,
  nodeName,
  ownerKind,
  parentPath,
  permission,
  RequestPreparation,
  sequenceNumber,
  type Stat,
  statOf,
  type TransactionBody,
  type TreeListener,
  type WriteRequest,
  ZnodeTree,
  type Zxid,
} from "../../model/index.ts";
import { Choices } from "./choices.ts";
import { type ChangeType, eachSighting, type Mention, type MentionGroup } from "./mentions.ts";
import {
  childrenDifference,
  describe,
  type Difference,
  differenceOf,
  nodeDifference,
  type ReadDifference,
  unknownStat,
} from "./replay-differences.ts";
import type { Step } from "./steps.ts";
import { type Candidate, childPaths } from "./unanswered.ts";
import { headerOf, type Place, Unseen, type UnseenSources } from "./unseen.ts";

/** A change that the replay made, as watches see it. `exact` is false where only its order is known. */
export interface Change {
  readonly zxid: Zxid;
  readonly type: ChangeType;
  readonly exact: boolean;
}

/** What an answer says that the replay does not. */
export interface Contradiction {
  readonly step: Step;
  readonly path: string;
  readonly expected: string;
  readonly found: string;
  /** The write whose effect is missing or that was not to be seen, where it is known. */
  readonly because: Step | undefined;
  /** The owner of the ephemeral node in question, or undefined. */
  readonly ephemeralOwner: string | undefined;
}

/** What the attempts at a replay have in common. */
export interface ReplayInput extends UnseenSources {
  /** The answered operations that the tree determines, in the order of their zxids. */
  readonly steps: readonly Step[];
  readonly groups: readonly MentionGroup[];
  readonly acknowledged: ReadonlyMap<Zxid, Step>;
  /** The least zxid of the history: what is older was there before it. */
  readonly floor: Zxid;
}

/** How far one attempt came, and what it found. */
export interface AttemptResult {
  readonly contradictions: readonly Contradiction[];
  readonly fromNowhere: readonly Mention[];
  readonly happened: readonly { readonly candidate: Candidate; readonly place: Place }[];
  readonly expired: readonly { readonly session: string; readonly place: Place }[];
  readonly changes: ReadonlyMap<string, readonly Change[]>;
  readonly choices: Choices;
  /** Steps that were replayed before it stopped. */
  readonly replayed: number;
  /** What the first inexplicable thing is about. */
  readonly stuckAt: string | undefined;
}

/** Repairs of one answer; each works in at least one unseen transaction. */
const repairsMax = 256;

/**
 * One way through a history: replays the answered operations in the order of their zxids on the sequential
 * specification of znodes and compares every answer, working in unseen transactions as `choices` says. An answer
 * that none explains is a contradiction; the attempt stops there if other choices are open, else it goes on with what
 * the answer shows.
 */
export class ReplayAttempt implements TreeListener {
  readonly tree: ZnodeTree;
  readonly #input: ReplayInput;
  readonly #choices: Choices;
  readonly #toTheEnd: boolean;
  readonly #unseen: Unseen;
  readonly #preparation: RequestPreparation;
  readonly #changes = new Map<string, Change[]>();
  readonly #contradictions: Contradiction[] = [];
  readonly #fromNowhere: Mention[] = [];
  readonly #happened: { readonly candidate: Candidate; readonly place: Place }[] = [];
  readonly #expired: { readonly session: string; readonly place: Place }[] = [];
  /** Paths that were there before the history began, so that not all their children are known. */
  readonly #partial = new Set<string>(["/", "/zookeeper"]);
  readonly #ephemeralParents = new Set<string>();
  /** Nodes that went with their session, and which it was. */
  readonly #goneWith = new Map<string, string>();
  #stuckAt: string | undefined;
  #exact = true;

  constructor(input: ReplayInput, choices: Choices, toTheEnd: boolean) {
    this.#input = input;
    this.#choices = choices;
    this.#toTheEnd = toTheEnd;
    this.tree = new ZnodeTree({ listener: this });
    this.#preparation = new RequestPreparation(this.tree, { checkSessions: false, extendedTypes: true });
    this.#unseen = new Unseen(this.tree, this.#preparation, input, choices, {
      placing: (place) => {
        this.#exact = place.exact;
      },
      happened: (candidate, place) => {
        this.#happened.push({ candidate, place });
        // That would break the order of its session's writes: worth looking for another explanation.
        if (place.exact && place.zxid >= candidate.below) this.#stuckAt ??= candidate.requests[0]?.path;
        for (const part of candidate.requests) {
          if (part.op === "create" && part.mode.startsWith("ephemeral")) {
            this.#ephemeralParents.add(parentPath(part.path));
          }
        }
      },
      ending: (session) => this.#noteEphemerals(session),
      expired: (session, place) => this.#expired.push({ session, place }),
    });
  }

  /** `look` is called after each read, with the tree as it was when the read was answered. */
  run(look?: (step: Step, tree: ZnodeTree) => void): AttemptResult {
    const { steps, groups } = this.#input;
    let [next, replayed] = [0, 0];
    for (const step of steps) {
      for (; next < groups.length && (groups[next] as MentionGroup).zxid <= step.zxid; next++) {
        this.#place(groups[next] as MentionGroup);
      }
      if (this.#stops()) break;
      this.#exact = true;
      if (step.isWrite) this.#write(step);
      else this.#read(step);
      if (this.#stops()) break;
      look?.(step, this.tree);
      replayed++;
    }
    for (; next < groups.length && !this.#stops(); next++) this.#place(groups[next] as MentionGroup);
    return {
      contradictions: this.#contradictions,
      fromNowhere: this.#fromNowhere,
      happened: this.#happened,
      expired: this.#expired,
      changes: this.#changes,
      choices: this.#choices,
      replayed,
      stuckAt: this.#stuckAt,
    };
  }

  created(path: string, parent: string, zxid: Zxid): void {
    this.#changed(path, zxid, "created");
    this.#changed(parent, zxid, "children");
  }

  deleted(path: string, parent: string, zxid: Zxid): void {
    this.#changed(path, zxid, "deleted");
    this.#changed(parent, zxid, "children");
  }

  dataChanged(path: string, zxid: Zxid): void {
    this.#changed(path, zxid, "data");
  }

  #changed(path: string, zxid: Zxid, type: ChangeType): void {
    const change: Change = { zxid, type, exact: this.#exact };
    const changes = this.#changes.get(path);
    if (changes === undefined) this.#changes.set(path, [change]);
    else changes.push(change);
  }

  #stops(): boolean {
    return this.#stuckAt !== undefined && !this.#toTheEnd && this.#choices.anyOther;
  }

  // ---- transactions that only replies and events speak of

  #place(group: MentionGroup): void {
    const { zxid, mentions } = group;
    for (const mention of mentions)
      if (mention.type === "children") this.#unseen.pendingChildren(mention.path, zxid);
    for (const mention of mentions) if (mention.type === "data") this.#fillBefore(mention);
    for (const mention of mentions) {
      if (this.#unseen.isPlaced(zxid)) return;
      if (this.#isExplained(mention, group)) continue;
      this.#stuckAt ??= mention.path;
      this.#fromNowhere.push(mention);
      return;
    }
  }

  #isExplained(mention: Mention, group: MentionGroup): boolean {
    const { path, type, data, seen, zxid } = mention;
    const place: Place = { zxid, exact: true, seen, group };
    const before: Place = { zxid: zxid - 0.5, exact: false, seen };
    const node = this.tree.node(path);
    if (type === "created") {
      if (node !== undefined) this.#unseen.delete(path, before);
      return this.#unseen.create(path, place, data);
    }
    if (type === "data") {
      if (node === undefined) return this.#isOlder(path) || this.#bringBack(path, place, data);
      return this.#unseen.setData(path, place, data);
    }
    if (type === "deleted") return node === undefined || this.#unseen.delete(path, place);
    return node === undefined || this.#partial.has(path) || this.#mayChangeChildren(path);
  }

  /** The versions between the last one known and the one that the transaction makes. */
  #fillBefore({ path, version, zxid, seen }: Mention): void {
    const node = this.tree.node(path);
    if (node === undefined || version === undefined || this.#unseen.isPlaced(zxid)) return;
    this.#unseen.fillVersions(path, version - 1 - node.version, { zxid: zxid - 0.5, exact: false, seen });
  }

  #bringBack(path: string, place: Place, data: string | null | undefined): boolean {
    const before: Place = { zxid: place.zxid - 0.5, exact: false, seen: place.seen };
    return this.#unseen.create(path, before) && this.#unseen.setData(path, place, data);
  }

  /** Whether nothing in the history touched the node, which then may have been there before it. */
  #isOlder(path: string): boolean {
    return !this.#changes.has(path);
  }

  // ---- writes

  #write(step: Step): void {
    if (step.op === "reconfig") return;
    if (step.op === "closeSession") {
      this.#unseen.ended(step.session);
      this.#noteEphemerals(step.session);
      this.#applyWrite(step, this.#preparation.closeSession(headerOf(step.session, step.zxid)));
      return;
    }
    if (this.#refusedAsOver(step)) return;
    const request = { ...step.request, op: step.op } as unknown as WriteRequest;
    for (let repairs = 0; ; repairs++) {
      const body = this.#preparation.prepare(headerOf(step.session, step.zxid), request, step.identities);
      const difference = differenceOf(step, request, body);
      if (difference === undefined) {
        this.#applyWrite(step, body);
        return;
      }
      this.#preparation.applied(Infinity);
      if (repairs < repairsMax && this.#repair(step, difference)) continue;
      this.#contradict(step, difference.path, difference.expected, difference.found);
      this.#adopt(step);
      return;
    }
  }

  /** The nodes that go with a session. */
  #noteEphemerals(session: string): void {
    for (const path of this.tree.ephemeralsOf(session)) this.#goneWith.set(path, session);
  }

  /** A write that succeeded in a session that is over: told as a contradiction, and not applied. */
  #refusedAsOver(step: Step): boolean {
    if (step.outcome !== "ok" || !this.#unseen.isOver(step.session)) return false;
    this.#contradict(step, step.path, "SessionExpired, as the session is over", "ok", step.session);
    this.#adopt(step);
    return true;
  }

  #applyWrite(step: Step, body: TransactionBody): void {
    this.#exact = true;
    for (const part of body.type === "multi" ? body.transactions : [body]) {
      if ("ephemeral" in part && part.ephemeral) this.#ephemeralParents.add(parentPath(part.path));
    }
    this.tree.apply(headerOf(step.session, step.zxid), body);
    this.#preparation.applied(Infinity);
    if (step.outcome !== "ok" || step.op === "multi") return;
    const stat = step.answer["stat"] as unknown as Stat | undefined;
    const path = step.op === "create" ? (step.answer["path"] as string) : step.path;
    if (stat !== undefined) this.#compareStat(step, path, stat);
  }

  /** Takes an answer's word for it, so that one contradiction does not entail others. */
  #adopt(step: Step): void {
    if (step.outcome !== "ok") return;
    eachSighting(step, ({ path, stat, data }) => {
      const writes = step.op === "create" || step.op === "setData";
      this.tree.observe(path, stat, writes ? (step.request["data"] as string | null) : data);
      this.#partial.add(path);
    });
    if (step.op === "delete") this.tree.observe(step.path, undefined, undefined);
  }

  /** Works in something unseen that takes the difference away. True when something was worked in. */
  #repair(step: Step, difference: Difference): boolean {
    const { request, predicted, actual, version, path } = difference;
    const place = beforeStep(step);
    const target = request.op === "create" ? parentPath(path) : path;
    const current = this.tree.node(path)?.version ?? 0;
    if (this.#learn(difference)) return true;
    if (predicted === "NoNode") return this.#unseen.create(target, place) || this.#assumeThere(target);
    if (predicted === "NodeExists") return this.#unseen.delete(path, place);
    if (predicted === "NotEmpty") {
      const [child] = this.tree.node(path)?.children ?? [];
      return child !== undefined && this.#unseen.delete(`${path}/${child}`, place);
    }
    if (predicted === "BadVersion" && "version" in request) {
      return this.#unseen.fillVersions(path, request.version - current, place);
    }
    if (predicted !== undefined) return false;
    if (actual === "BadVersion") return this.#unseen.setData(path, place);
    if (actual === "NoNode") return this.#unseen.delete(target, place);
    if (actual === "NodeExists") return this.#unseen.create(path, place) || this.#assumeChild(path);
    if (actual === "NotEmpty") return this.#partial.has(path) && this.#assumeThere(`${path}/unknown`);
    if (version !== undefined) return this.#unseen.fillVersions(path, version - 1 - current, place);
    return difference.created !== undefined && this.#learnSequence(difference.created, step);
  }

  /** What an answer tells of a node of which so far nothing was known but that it was there. */
  #learn({ request, path, predicted, actual, version }: Difference): boolean {
    const node = this.tree.node(path);
    if (node === undefined || node.czxid !== unknownStat.czxid || node.mzxid !== unknownStat.mzxid)
      return false;
    let known: number | undefined;
    if (version !== undefined) known = version - 1;
    else if (!("version" in request)) return false;
    else if (predicted === "BadVersion" && actual === undefined) known = request.version;
    else if (actual === "BadVersion" && request.version === node.version) known = node.version + 1;
    if (known === undefined || known === node.version) return false;
    this.tree.observe(path, { ...statOf(node), version: known }, undefined);
    return true;
  }

  /** A node that the history never touched may have been there before it. */
  #assumeThere(path: string): boolean {
    if (this.tree.node(path) !== undefined || !this.#isOlder(path)) return false;
    this.tree.observe(path, unknownStat, null);
    this.#partial.add(path);
    return true;
  }

  #assumeChild(path: string): boolean {
    return this.#partial.has(parentPath(path)) && this.#assumeThere(path);
  }

  /** The number of a sequential node tells how many were created before it, also by writes nobody answered. */
  #learnSequence(created: string, step: Step): boolean {
    const parent = parentPath(created);
    const node = this.tree.node(parent);
    const number = sequenceNumber(nodeName(created));
    if (node === undefined || number === undefined || !created.startsWith(step.path)) return false;
    const partial = this.#partial.has(parent);
    if (number === node.creates || (number < node.creates && !partial)) return false;
    if (!partial && !this.#mayChangeChildren(parent)) return false;
    if (!partial) this.#unseen.owe(parent, number - node.creates);
    const stat = statOf(node);
    this.tree.observe(parent, { ...stat, cversion: number * 2 - stat.numChildren }, undefined);
    return true;
  }

  // ---- reads

  #read(step: Step): void {
    if (step.op === "setWatches") return;
    for (let repairs = 0; ; repairs++) {
      const difference = this.#compareRead(step);
      if (difference === undefined) return;
      if (repairs < repairsMax && this.#repairRead(step, difference)) continue;
      this.#contradict(step, difference.path, difference.expected, difference.found);
      this.#adoptRead(step);
      return;
    }
  }

  #compareRead(step: Step): ReadDifference | undefined {
    const { path, error } = step;
    const node = this.tree.node(path);
    if (error !== undefined) {
      if (error !== "NoNode" || node === undefined) return undefined;
      return { path, kind: "missing", expected: `a node in version ${node.version}`, found: "NoNode" };
    }
    if (node === undefined) return { path, kind: "extra", expected: "NoNode", found: describe(step) };
    // Whether exists needs READ depends on the release.
    if (step.op !== "exists" && !isPermitted(node.acl, permission.read, step.identities)) {
      return { path, kind: "acl", expected: "NoAuth", found: "ok" };
    }
    const stat = step.answer["stat"] as unknown as Stat | undefined;
    const difference = stat === undefined ? undefined : nodeDifference(statOf(node), stat);
    if (difference !== undefined) return { path, kind: "node", ...difference };
    const data = step.answer["data"] as string | null | undefined;
    if (step.op === "getData" && data !== undefined && data !== node.data) {
      return { path, kind: "data", expected: JSON.stringify(node.data), found: JSON.stringify(data) };
    }
    return this.#compareChildren(step, path, stat);
  }

  #compareChildren(step: Step, path: string, stat: Stat | undefined): ReadDifference | undefined {
    const node = this.tree.node(path);
    if (node === undefined || this.#partial.has(path)) return undefined;
    const children = childPaths(path, step.answer);
    if (children !== undefined) {
      const seen = new Set(children);
      for (const child of children) {
        if (this.tree.node(child) === undefined) {
          return {
            path: child,
            kind: "extra",
            expected: `no ${child}`,
            found: `${child} among the children`,
          };
        }
      }
      for (const name of node.children ?? []) {
        const child = `${path}/${name}`;
        if (!seen.has(child)) {
          return {
            path: child,
            kind: "missing",
            expected: `${child} among the children`,
            found: `no ${child}`,
          };
        }
      }
    }
    const difference = stat === undefined ? undefined : childrenDifference(statOf(node), stat);
    if (difference === undefined || stat === undefined) return undefined;
    if (!this.#mayChangeChildren(path)) return { path, kind: "children", ...difference };
    if (children !== undefined) this.#adoptCounts(path, stat);
    return undefined;
  }

  #repairRead(step: Step, { path, kind }: ReadDifference): boolean {
    const place = beforeStep(step);
    const stat = step.answer["stat"] as unknown as Stat | undefined;
    const own = path === step.path ? stat : undefined;
    const data = step.answer["data"] as string | null | undefined;
    if (kind === "missing") return this.#unseen.delete(path, place);
    if (kind === "extra") {
      if (own !== undefined && own.czxid < this.#input.floor) {
        this.tree.observe(path, own, data);
        this.#partial.add(path);
        return true;
      }
      return this.#unseen.create(path, place) || (own === undefined && this.#assumeChild(path));
    }
    const node = this.tree.node(path);
    if (kind !== "node" || own === undefined || node === undefined) return false;
    if (node.czxid === unknownStat.czxid) {
      this.tree.observe(path, own, data);
      return true;
    }
    if (own.czxid > node.czxid) return this.#unseen.delete(path, place);
    return this.#unseen.fillVersions(path, own.version - node.version, place);
  }

  #adoptRead(step: Step): void {
    if (step.error === "NoNode") this.tree.observe(step.path, undefined, undefined);
    const stat = step.answer["stat"] as unknown as Stat | undefined;
    if (step.error !== undefined || stat === undefined) return;
    this.tree.observe(step.path, stat, step.answer["data"] as string | null | undefined);
    this.#partial.add(step.path);
  }

  // ---- what is common to reads and writes

  #compareStat(step: Step, path: string, stat: Stat): void {
    const node = this.tree.node(path);
    if (node === undefined) return;
    const own = statOf(node);
    const difference = nodeDifference(own, stat);
    if (difference !== undefined) {
      if (own.czxid !== unknownStat.czxid)
        this.#contradict(step, path, difference.expected, difference.found);
      this.tree.observe(path, stat, node.data);
      return;
    }
    const children = this.#partial.has(path) ? undefined : childrenDifference(own, stat);
    if (children === undefined) return;
    if (!this.#mayChangeChildren(path)) this.#contradict(step, path, children.expected, children.found);
    else if (own.numChildren === stat.numChildren) this.#adoptCounts(path, stat);
  }

  #mayChangeChildren(path: string): boolean {
    return this.#input.unanswered.mayChangeChildren(path) || this.#ephemeralParents.has(path);
  }

  #adoptCounts(path: string, { pzxid, cversion, numChildren }: Stat): void {
    const node = this.tree.node(path);
    if (node !== undefined)
      this.tree.observe(path, { ...statOf(node), pzxid, cversion, numChildren }, undefined);
  }

  #contradict(step: Step, path: string, expected: string, found: string, owner?: string): void {
    const node = this.tree.node(path);
    const because = node === undefined ? undefined : this.#input.acknowledged.get(node.mzxid);
    const kind = node === undefined ? "none" : ownerKind(node.ephemeralOwner);
    const gone = node === undefined ? this.#goneWith.get(path) : undefined;
    const ephemeralOwner = owner ?? gone ?? (kind === "session" ? node?.ephemeralOwner : undefined);
    this.#stuckAt ??= path;
    this.#contradictions.push({ step, path, expected, found, because, ephemeralOwner });
  }
}

/** Right before an answer that shows something unseen. */
function beforeStep(step: Step): Place {
  const seen = step.completion ?? step.invocation;
  return { zxid: step.zxid - 0.5, exact: false, seen };
}
