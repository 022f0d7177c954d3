import {
  isPermitted,
  ownerKind,
  permission,
  type Stat,
  statOf,
  type ZnodeTree,
  type Zxid,
} from "../../model/index.ts";
import type { Acknowledged } from "./acknowledged.ts";
import { Choices } from "./choices.ts";
import type { Mention, MentionGroup } from "./mentions.ts";
import {
  childrenDifference,
  describe,
  differenceOf,
  listDifference,
  nodeDifference,
  type ReadDifference,
  showsChildren,
  showsNode,
  unknownStat,
} from "./replay-differences.ts";
import { adoptRead, adoptWrite, repairRead, repairWrite } from "./replay-repairs.ts";
import {
  type Change,
  type Ending,
  type Happening,
  ReplayState,
  type SavedState,
  type WantsChange,
} from "./replay-state.ts";
import type { Step } from "./history/steps.ts";
import { headerOf, type Place, type UnseenSources } from "./unseen.ts";

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
  /** Other ways of working in unanswered writes, that were left untried, may explain it. */
  readonly isDoubtful: boolean;
}

/** A transaction that nobody can have asked for. */
export interface FromNowhere {
  readonly mention: Mention;
  readonly isDoubtful: boolean;
}

/** What the attempts at a replay have in common. */
export interface ReplayInput extends UnseenSources {
  /** The answered operations that the tree determines, in the order of their zxids. */
  readonly steps: readonly Step[];
  readonly groups: readonly MentionGroup[];
  readonly acknowledged: Acknowledged;
  /** The least zxid of the history: what is older was there before it. */
  readonly floor: Zxid;
}

export interface ReplayOptions {
  /** Called after each read, with the tree as it was when the read was answered. */
  readonly look?: (step: Step, tree: ZnodeTree) => void;
  /** Unless given, no changes are kept. */
  readonly wants?: WantsChange;
  /** Begin each attempt at the very beginning: what attempts from checkpoints are compared with. */
  readonly fromTheBeginning?: boolean;
}

/** How far one attempt came, and what it found. */
export interface AttemptResult {
  readonly contradictions: readonly Contradiction[];
  readonly fromNowhere: readonly FromNowhere[];
  readonly happened: readonly Happening[];
  readonly expired: readonly Ending[];
  readonly changes: ReadonlyMap<string, readonly Change[]>;
  readonly choices: Choices;
  /** Steps that are explained, from the first on. */
  readonly replayed: number;
  /** Steps that this attempt replayed anew. */
  readonly spent: number;
  /** What is about something that this attempt can't explain and others might. Undefined where it came to the end. */
  readonly stuckAt: string | undefined;
}

/** What one attempt is to do. */
export interface Attempt {
  /** The ways that it takes first. */
  readonly prefix: readonly number[];
  /** How many of them are settled: no other attempt takes others. */
  readonly settled: number;
  /** The settled ones were not the only ones left. */
  readonly isDoubtful: boolean;
  /** Go on to the end, whatever stays inexplicable. */
  readonly toTheEnd?: boolean;
}

/** Where an attempt can begin, once so many ways are taken. */
interface Checkpoint {
  readonly at: number;
  readonly group: number;
  readonly choices: number;
  readonly state: SavedState;
  readonly contradictions: number;
  readonly fromNowhere: number;
}

/** Repairs of one answer; each works in at least one unseen transaction. */
const repairsMax = 256;
const checkpointsMax = 32;
/** Steps for each node of the tree, below which another checkpoint would cost more than it saves. */
const stepsPerNode = 4;
const stepsBetweenMin = 512;

/**
 * Ways through a history: replays the answered operations in the order of their zxids on the sequential specification
 * of znodes and compares every answer, working in unseen transactions as its choices say. An answer that none explains
 * is a contradiction: the attempt stops there if another way is open, else it goes on with what the answer shows.
 *
 * Attempts go depth first: each takes the ways of one before it up to some choice, and begins at the last checkpoint
 * before that.
 */
export class Replay {
  readonly #input: ReplayInput;
  readonly #options: ReplayOptions;
  readonly #choices = new Choices();
  readonly #state: ReplayState;
  readonly #checkpoints: Checkpoint[] = [];
  readonly #contradictions: Contradiction[] = [];
  readonly #fromNowhere: FromNowhere[] = [];
  #attempt: Attempt = { prefix: [], settled: 0, isDoubtful: false };
  #stuckAt: string | undefined;

  constructor(input: ReplayInput, options: ReplayOptions) {
    this.#input = input;
    this.#options = options;
    this.#state = new ReplayState(input, this.#choices, options.wants ?? (() => false));
    this.#checkpoints.push(this.#checkpoint(0, 0));
  }

  run(attempt: Attempt): AttemptResult {
    const { steps, groups } = this.#input;
    const { prefix } = attempt;
    const turn = this.#choices.taken[prefix.length - 1]?.at ?? -1;
    const from = this.#goBack(prefix);
    this.#attempt = attempt;
    let { at, group } = from;
    for (; at < steps.length; at++) {
      const step = steps[at] as Step;
      this.#choices.at = at;
      this.#mark(at, group, turn);
      for (; group < groups.length && (groups[group] as MentionGroup).zxid <= step.zxid; group++) {
        this.#place(groups[group] as MentionGroup);
      }
      if (this.#isStuck()) break;
      if (step.isWrite) this.#write(step);
      else this.#read(step);
      if (this.#isStuck()) break;
      this.#options.look?.(step, this.#state.tree);
    }
    this.#choices.at = at;
    for (; group < groups.length && !this.#isStuck(); group++) this.#place(groups[group] as MentionGroup);
    return {
      contradictions: this.#contradictions,
      fromNowhere: this.#fromNowhere,
      happened: this.#state.happened,
      expired: this.#state.expired,
      changes: this.#state.changes,
      choices: this.#choices,
      replayed: at,
      spent: at - from.at,
      stuckAt: this.#isStuck() ? (this.#stuckAt ?? this.#state.disorder) : undefined,
    };
  }

  /** The last checkpoint all of whose ways the prefix takes, too; the state is as it was there. */
  #goBack(prefix: readonly number[]): Checkpoint {
    const { taken } = this.#choices;
    let same = 0;
    while (same < prefix.length - 1 && taken[same]?.chosen === prefix[same]) same++;
    while (this.#checkpoints.length > 1 && (this.#checkpoints.at(-1) as Checkpoint).choices > same)
      this.#checkpoints.pop();
    const last = this.#checkpoints.at(-1) as Checkpoint;
    this.#state.restore(last.state);
    this.#contradictions.length = last.contradictions;
    this.#fromNowhere.length = last.fromNowhere;
    this.#stuckAt = undefined;
    this.#choices.begin(prefix, last.choices);
    return last;
  }

  #checkpoint(at: number, group: number): Checkpoint {
    return {
      at,
      group,
      choices: this.#choices.taken.length,
      state: this.#state.save(),
      contradictions: this.#contradictions.length,
      fromNowhere: this.#fromNowhere.length,
    };
  }

  /** Makes a checkpoint from time to time, and right before the step in which the attempt takes another way. */
  #mark(at: number, group: number, turn: number): void {
    const { unanswered, steps } = this.#input;
    if (unanswered.candidates.length === 0 || this.#options.fromTheBeginning === true) return;
    const since = at - (this.#checkpoints.at(-1) as Checkpoint).at;
    const between = Math.max(stepsBetweenMin, stepsPerNode * this.#state.tree.size);
    if (since < (at === turn ? between / 16 : Math.max(between, steps.length / checkpointsMax))) return;
    this.#checkpoints.push(this.#checkpoint(at, group));
  }

  /** Whether something can't be explained so, and other ways are open. Where none are, what was found stands. */
  #isStuck(): boolean {
    if (this.#stuckAt === undefined && this.#state.disorder === undefined) return false;
    if (this.#choices.taken.length > this.#attempt.settled && this.#attempt.toTheEnd !== true) return true;
    this.#stuckAt = this.#state.disorder = undefined;
    return false;
  }

  // ---- transactions that only replies and events speak of

  #place(group: MentionGroup): void {
    const { unseen } = this.#state;
    const { zxid, mentions } = group;
    for (const mention of mentions)
      if (mention.type === "children") unseen.pendingChildren(mention.path, zxid);
    for (const mention of mentions) if (mention.type === "data") this.#fillBefore(mention);
    let unexplained: Mention | undefined;
    for (const mention of mentions) {
      if (unseen.isPlaced(zxid)) return;
      if (!this.#isExplained(mention, group)) unexplained ??= mention;
    }
    if (unexplained === undefined || unseen.isPlaced(zxid)) return;
    this.#stuckAt ??= unexplained.path;
    this.#fromNowhere.push({ mention: unexplained, isDoubtful: this.#attempt.isDoubtful });
  }

  #isExplained(mention: Mention, group: MentionGroup): boolean {
    const { tree, unseen } = this.#state;
    const { path, type, data, seenAt, zxid } = mention;
    const place: Place = { zxid, exact: true, seenAt, group };
    const before: Place = { zxid: zxid - 0.5, exact: false, seenAt };
    const node = tree.node(path);
    if (type === "created") {
      if (node !== undefined) unseen.delete(path, before);
      return unseen.create(path, place, data);
    }
    if (type === "data") {
      if (node === undefined) return this.#state.isOlder(path) || this.#bringBack(path, place, data);
      return unseen.setData(path, place, data);
    }
    if (type === "deleted") return node === undefined || unseen.delete(path, place);
    return node === undefined || this.#state.isPartial(path) || this.#state.mayChangeChildren(path);
  }

  /** The versions between the last one known and the one that the transaction makes. */
  #fillBefore({ path, version, zxid, seenAt }: Mention): void {
    const { tree, unseen } = this.#state;
    const node = tree.node(path);
    if (node === undefined || version === undefined || unseen.isPlaced(zxid)) return;
    unseen.fillVersions(path, version - 1 - node.version, { zxid: zxid - 0.5, exact: false, seenAt });
  }

  #bringBack(path: string, place: Place, data: string | null | undefined): boolean {
    const before: Place = { zxid: place.zxid - 0.5, exact: false, seenAt: place.seenAt };
    return this.#state.unseen.create(path, before) && this.#state.unseen.setData(path, place, data);
  }

  // ---- writes

  #write(step: Step): void {
    const { preparation, unseen } = this.#state;
    if (step.op === "reconfig") return;
    const header = headerOf(step.session, step.zxid);
    if (step.op === "closeSession") {
      unseen.ended(step.session);
      this.#state.apply(step, header, preparation.closeSession(header));
      return;
    }
    if (this.#refusedAsOver(step)) return;
    const request = step.writeRequest;
    for (let repairs = 0; ; repairs++) {
      const body = preparation.prepare(header, request, step.identities);
      const difference = differenceOf(step, request, body);
      if (difference === undefined) {
        this.#state.apply(step, header, body);
        if (step.stat !== undefined && step.op !== "multi") this.#compareStat(step, step.stat);
        return;
      }
      if (repairs < repairsMax && repairWrite(this.#state, step, difference)) continue;
      this.#contradict(step, difference.path, difference.expected, difference.found);
      adoptWrite(this.#state, step);
      return;
    }
  }

  /** A write that succeeded in a session that is over: told as a contradiction, and not applied. */
  #refusedAsOver(step: Step): boolean {
    if (step.outcome !== "ok" || !this.#state.unseen.isOver(step.session)) return false;
    this.#contradict(step, step.path, "SessionExpired, as the session is over", "ok", step.session);
    adoptWrite(this.#state, step);
    return true;
  }

  // ---- reads

  #read(step: Step): void {
    if (step.op === "setWatches") return;
    for (let repairs = 0; ; repairs++) {
      const difference = this.#compareRead(step);
      if (difference === undefined) return;
      if (repairs < repairsMax && repairRead(this.#state, step, difference, this.#input.floor)) continue;
      this.#contradict(step, difference.path, difference.expected, difference.found);
      adoptRead(this.#state, step);
      return;
    }
  }

  #compareRead(step: Step): ReadDifference | undefined {
    const { path, error, stat } = step;
    const node = this.#state.tree.node(path);
    if (error !== undefined) {
      if (error !== "NoNode" || node === undefined) return undefined;
      return { path, kind: "missing", expected: `a node in version ${node.version}`, found: "NoNode" };
    }
    if (node === undefined) return { path, kind: "extra", expected: "NoNode", found: describe(step) };
    // Whether exists needs READ depends on the release.
    if (step.op !== "exists" && !isPermitted(node.acl, permission.read, step.identities)) {
      return { path, kind: "acl", expected: "NoAuth", found: "ok" };
    }
    const fits = stat === undefined || showsNode(node, stat);
    const difference = fits ? undefined : nodeDifference(statOf(node), stat);
    if (difference !== undefined) return { path, kind: "node", ...difference };
    const data = step.dataRead;
    if (data !== undefined && data !== node.data)
      return { path, kind: "data", expected: JSON.stringify(node.data), found: JSON.stringify(data) };
    return this.#compareChildren(step, path, stat);
  }

  #compareChildren(step: Step, path: string, stat: Stat | undefined): ReadDifference | undefined {
    const node = this.#state.tree.node(path);
    if (node === undefined || this.#state.isPartial(path)) return undefined;
    const { children } = step;
    if (children !== undefined) {
      const told = listDifference(node, path, children);
      if (told !== undefined) return told;
      this.#state.unseen.settledChildren(path);
    }
    if (stat === undefined || showsChildren(node, stat)) return undefined;
    const difference = childrenDifference(statOf(node), stat);
    if (difference === undefined) return undefined;
    if (!this.#state.mayChangeChildren(path)) return { path, kind: "children", ...difference };
    if (children !== undefined) this.#adoptCounts(path, stat);
    return undefined;
  }

  // ---- what is common to reads and writes

  #compareStat(step: Step, stat: Stat): void {
    const { tree } = this.#state;
    const path = step.op === "create" ? step.created : step.path;
    const node = tree.node(path);
    if (node === undefined || (showsNode(node, stat) && showsChildren(node, stat))) return;
    const own = statOf(node);
    const difference = nodeDifference(own, stat);
    if (difference !== undefined) {
      if (own.czxid !== unknownStat.czxid)
        this.#contradict(step, path, difference.expected, difference.found);
      tree.observe(path, stat, node.data);
      return;
    }
    const children = this.#state.isPartial(path) ? undefined : childrenDifference(own, stat);
    if (children === undefined) return;
    if (!this.#state.mayChangeChildren(path)) this.#contradict(step, path, children.expected, children.found);
    else if (own.numChildren === stat.numChildren) this.#adoptCounts(path, stat);
  }

  #adoptCounts(path: string, { pzxid, cversion, numChildren }: Stat): void {
    const { tree } = this.#state;
    const node = tree.node(path);
    if (node === undefined) return;
    const { creates } = node;
    tree.observe(path, { ...statOf(node), pzxid, cversion, numChildren }, undefined);
    // Creates that are found out about later are counted already.
    this.#state.unseen.owe(path, (tree.node(path)?.creates ?? creates) - creates);
  }

  #contradict(step: Step, path: string, expected: string, found: string, owner?: string): void {
    const node = this.#state.tree.node(path);
    const because = node === undefined ? undefined : this.#input.acknowledged.at(node.mzxid);
    const kind = node === undefined ? "none" : ownerKind(node.ephemeralOwner);
    const gone = node === undefined ? this.#state.goneWith(path) : undefined;
    const ephemeralOwner = owner ?? gone ?? (kind === "session" ? node?.ephemeralOwner : undefined);
    this.#stuckAt ??= path;
    const { isDoubtful } = this.#attempt;
    this.#contradictions.push({ step, path, expected, found, because, ephemeralOwner, isDoubtful });
  }
}
