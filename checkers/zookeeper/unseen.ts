import {
  ownerKind,
  parentPath,
  type RequestPreparation,
  sequenceNumber,
  type SubRequest,
  type TransactionBody,
  type WriteRequest,
  type Znode,
  type ZnodeTree,
  type Zxid,
} from "../../model/index.ts";
import type { Choices } from "./choices.ts";
import { explains, mayCreate, rank } from "./explaining.ts";
import type { Facts } from "./facts.ts";
import type { Mention, MentionGroup } from "./mentions.ts";
import type { SequenceBounds } from "./sequence-bounds.ts";
import type { SessionLives } from "./session-ends.ts";
import type { Trail } from "./trail.ts";
import { type Candidate, type CandidateKind, createsPath, type Unanswered } from "./unanswered.ts";

/** What the attempts of a replay share: nothing of it changes. */
export interface UnseenSources {
  readonly unanswered: Unanswered;
  readonly lives: SessionLives;
  readonly bounds: SequenceBounds;
  readonly facts: Facts;
  /** Candidates whose data was read at a zxid, so that they happened there. */
  readonly reserved: ReadonlyMap<Candidate, Zxid>;
}

/** How many unanswered writes may have to go before each other for one to become possible. */
const depthMax = 3;
/** Ways at a zxid that is inferred come before all others. */
const refinedRanks = 4;

/** Where an unseen transaction goes. `exact` is false where only its order is known. */
export interface Place {
  readonly zxid: Zxid;
  readonly exact: boolean;
  /** The zxid is a guess: the one change of the children that is known and has no other cause yet. */
  readonly guessed?: boolean;
  /** Index of the event that shows it. */
  readonly seenAt: number;
  /** Everything that is known of the transaction at an exact zxid. */
  readonly group?: MentionGroup;
}

export interface UnseenListener {
  /** About to change the tree. */
  placing(place: Place): void;
  happened(candidate: Candidate, place: Place): void;
  /** About to end a session. */
  ending(session: string): void;
  expired(session: string, place: Place): void;
}

/** A way in which something can have happened; the least `rank` is the most likely. */
interface Option {
  /** The unanswered write, or the session or path, that it is about. */
  readonly of: Candidate | string;
  readonly rank: number;
  readonly take: () => void;
}

/** What an unseen transaction is worked into. */
export interface UnseenHost {
  readonly tree: ZnodeTree;
  readonly preparation: RequestPreparation;
  readonly trail: Trail;
}

/** Works transactions that nobody acknowledged into a replay: unanswered writes, ends of sessions, deletions by the leader. */
export class Unseen {
  readonly #host: UnseenHost;
  readonly #sources: UnseenSources;
  readonly #choices: Choices;
  readonly #listener: UnseenListener;
  readonly #used = new Set<Candidate>();
  readonly #over = new Set<string>();
  /** Zxids whose transaction is found. */
  readonly #placed = new Set<Zxid>();
  /** Creates below a path that the numbers of sequential nodes have shown, and that are not worked in yet. */
  readonly #owed = new Map<string, number>();
  /** Where children of a node changed at a zxid and the cause is not yet known. */
  readonly #pending = new Map<string, readonly Zxid[]>();
  /** Of unanswered writes that are worked in so that others become possible. */
  #depth = 0;
  /** A multi before which others are worked in. */
  #put: Candidate | undefined;

  constructor(host: UnseenHost, sources: UnseenSources, choices: Choices, listener: UnseenListener) {
    this.#host = host;
    this.#sources = sources;
    this.#choices = choices;
    this.#listener = listener;
  }

  isPlaced(zxid: Zxid): boolean {
    return this.#placed.has(zxid);
  }

  isOver(session: string): boolean {
    return this.#over.has(session);
  }

  /** The session's end is acknowledged. */
  ended(session: string): void {
    this.#host.trail.add(this.#over, session);
  }

  /** The children of the path changed at the zxid. */
  pendingChildren(path: string, zxid: Zxid): void {
    const pending = this.#pending.get(path) ?? [];
    this.#host.trail.set(this.#pending, path, pending.filter((each) => !this.#placed.has(each)).concat(zxid));
  }

  /** The children of the path were seen as the replay has them, so that no change of them is unknown up to here. */
  settledChildren(path: string): void {
    if (this.#pending.get(path)?.length) this.#host.trail.set(this.#pending, path, []);
  }

  /** So many creates below the path are counted already, and not yet known. */
  owe(parent: string, creates: number): void {
    if (creates > 0) this.#host.trail.set(this.#owed, parent, (this.#owed.get(parent) ?? 0) + creates);
  }

  /** Works in a create of the path. True when there was one. */
  create(path: string, place: Place, data?: string | null): boolean {
    if (this.#host.tree.node(path) !== undefined) return false;
    const fits = (request: SubRequest): boolean => mayCreate(request, path, data);
    return this.#take(
      path,
      this.#refinedOptions(path, place, (at) => this.#options("create", path, at, fits)),
    );
  }

  setData(path: string, place: Place, data?: string | null): boolean {
    const version = this.#host.tree.node(path)?.version;
    if (version === undefined) return false;
    const fits = (request: SubRequest): boolean =>
      request.op === "setData" &&
      request.path === path &&
      (request.version === -1 || request.version >= version) &&
      (data === undefined || request.data === data);
    return this.#take(path, this.#options("setData", path, place, fits));
  }

  /** Works in `gap` changes of the data. */
  fillVersions(path: string, gap: number, place: Place): boolean {
    const open = this.#sources.unanswered.find("setData", path, place.zxid, place.seenAt);
    if (gap > open.filter((candidate) => !this.#used.has(candidate)).length) return false;
    for (let filled = 0; filled < gap; filled++) if (!this.setData(path, place)) return false;
    return gap > 0;
  }

  /** Works in a deletion of the path: by a client, by the end of its session, or by the leader. */
  delete(path: string, place: Place): boolean {
    const node = this.#host.tree.node(path);
    if (node === undefined) return false;
    return this.#take(
      path,
      this.#refinedOptions(path, place, (at) => this.#deletions(path, node, at)),
    );
  }

  /** The ways at the zxid of a change of the parent's children, where one may be it, and those that can't be that one. */
  #refinedOptions(
    path: string,
    place: Place,
    optionsAt: (at: Place) => readonly Option[],
  ): readonly Option[] {
    const at = this.#refined(parentPath(path), place);
    const refined = optionsAt(at);
    if (at === place) return refined;
    const known = new Set(refined.map((option) => option.of));
    const others = optionsAt(place).filter((option) => !known.has(option.of));
    return [...refined, ...others.map((option) => ({ ...option, rank: option.rank + refinedRanks }))];
  }

  #deletions(path: string, node: Readonly<Znode>, place: Place): Option[] {
    if (!this.#sources.facts.mayDelete(path, node, place.zxid)) return [];
    const childless = (node.children?.size ?? 0) === 0;
    const options = this.#options("delete", path, place, (request) => {
      const fits = request.op === "delete" && (request.version === -1 || request.version === node.version);
      return fits && childless && request.path === path;
    });
    const owner = node.ephemeralOwner;
    const kind = ownerKind(owner);
    if (kind === "session" && this.#mayExpire(owner, place))
      options.push({ of: owner, rank: 1, take: () => this.#expire(owner, place) });
    if ((kind === "container" || kind === "ttl") && childless)
      options.push({ of: path, rank: 1, take: () => this.#collect(path, place) });
    return options;
  }

  #take(path: string, options: readonly Option[]): boolean {
    const ranked = options.length < 2 ? options : options.toSorted((a, b) => a.rank - b.rank);
    const option = ranked[this.#choices.choose(ranked.length, path)];
    option?.take();
    return option !== undefined;
  }

  /** The ways in which an unanswered write can have changed the path, the most likely first. */
  #options(
    kind: CandidateKind,
    path: string,
    place: Place,
    fits: (request: SubRequest) => boolean,
  ): Option[] {
    const options: Option[] = [];
    const candidates = this.#sources.unanswered.find(kind, path, place.zxid, place.seenAt);
    const open = candidates.filter((candidate) => this.#isOpen(candidate, place));
    // Where only the order is known it may have happened at any time since the last change.
    const since = place.exact ? place.zxid : (this.#host.tree.node(path)?.mzxid ?? 0);
    open.sort((a, b) => rank(a, since, path) - rank(b, since, path) || a.below - b.below);
    let isSingle = false;
    for (const candidate of open) {
      const request = candidate.requests.find((part) => part.op === kind && fits(part));
      if (request === undefined || !this.#fitsNumber(candidate, request, path, place)) continue;
      if (!this.#fitsFacts(candidate, place) || !this.#mayOwn(candidate, request, path, place)) continue;
      const body = this.#bodyFor(candidate, request, path, place);
      if (body === undefined) {
        options.push(...this.#afterOthers(candidate, request, path, place));
        continue;
      }
      // Those that do this one thing only are alike, and the first of them is the one that can serve least elsewhere.
      if (kind !== "create" && candidate.requests.length === 1) {
        if (isSingle) continue;
        isSingle = true;
      }
      // It may be one of the creates that are counted already.
      if (kind === "create") options.push(...this.#counted(candidate, place, path, body));
      options.push({
        of: candidate,
        rank: rank(candidate, since, path),
        take: () => this.#apply(candidate, place, body),
      });
      options.push(...this.#behindOthers(candidate, request, path, place));
    }
    return options;
  }

  /** A multi may follow other unanswered writes of what else it writes, which can then not come later. */
  #behindOthers(candidate: Candidate, request: SubRequest, path: string, place: Place): Option[] {
    if (candidate.requests.length < 2 || this.#depth >= depthMax) return [];
    const before: Place = { zxid: place.zxid - 0.25, exact: false, seenAt: place.seenAt };
    const options: Option[] = [];
    for (const part of candidate.requests) {
      if (part.op !== "setData" || part.path === path) continue;
      const others = this.#sources.unanswered.find("setData", part.path, before.zxid, place.seenAt);
      if (!others.some((other) => other !== candidate && this.#isOpen(other, before))) continue;
      const take = (): void => {
        const outer = this.#put;
        this.#put = candidate;
        this.#depth++;
        const isDone = this.setData(part.path, before);
        this.#depth--;
        this.#put = outer;
        const body = isDone ? this.#bodyFor(candidate, request, path, place) : undefined;
        if (body !== undefined && !this.#used.has(candidate)) this.#apply(candidate, place, body);
      };
      options.push({ of: candidate, rank: 3, take });
    }
    return options;
  }

  /** Whether the number of a sequential node allows it to be the candidate's, and to lie there. */
  #fitsNumber(candidate: Candidate, request: SubRequest, path: string, place: Place): boolean {
    if (request.op !== "create" || !request.mode.includes("sequential")) return true;
    const { above, below } = this.#sources.bounds.of(path);
    if (place.exact && (place.zxid <= above || place.zxid >= below)) return false;
    return candidate.above < below && candidate.below > above;
  }

  /** Whether the answers to come leave room for all that the candidate changes. */
  #fitsFacts({ requests }: Candidate, place: Place): boolean {
    const { facts } = this.#sources;
    return requests.every((part) => {
      const node = this.#host.tree.node(part.path);
      if (node === undefined) return true;
      if (part.op === "setData") return facts.mayChangeData(part.path, node, place.zxid);
      return part.op !== "delete" || facts.mayDelete(part.path, node, place.zxid);
    });
  }

  /** Whether the node is seen to live and go as one of the candidate's session would. */
  #mayOwn(candidate: Candidate, request: SubRequest, path: string, place: Place): boolean {
    if (request.op !== "create" || request.mode !== "ephemeral-sequential") return true;
    return this.#sources.facts.mayOwn(path, candidate.step.session, place.zxid);
  }

  #bodyFor(
    candidate: Candidate,
    request: SubRequest,
    path: string,
    place: Place,
  ): TransactionBody | undefined {
    if (candidate.step.op !== "multi") return this.#bodyOf(candidate, request, path, place.zxid);
    // Where only the order is known the multi may have happened earlier, when its checks held.
    const operations = place.exact
      ? candidate.requests
      : candidate.requests.filter((part) => part.op !== "check");
    return this.#prepared(candidate, { op: "multi", operations }, place.zxid);
  }

  /** The candidate would have been refused as things are, but not after other unanswered writes. */
  #afterOthers(candidate: Candidate, request: SubRequest, path: string, place: Place): Option[] {
    const before: Place = { zxid: place.zxid - 0.25, exact: false, seenAt: place.seenAt };
    const needs: (() => boolean)[] = [];
    for (const part of candidate.requests) {
      const node = this.#host.tree.node(part.path);
      if (part.op === "create") {
        const parent = parentPath(part.path);
        if (this.#host.tree.node(parent) === undefined) needs.push(() => this.create(parent, before));
        if (node !== undefined) needs.push(() => this.delete(part.path, before));
      } else if (node === undefined) needs.push(() => this.create(part.path, before));
      else if (part.version > node.version) {
        const gap = part.version - node.version;
        needs.push(() => this.fillVersions(part.path, gap, before));
      }
    }
    if (needs.length === 0 || this.#depth >= depthMax) return [];
    const take = (): void => {
      this.#depth++;
      const isReady = !this.#used.has(candidate) && needs.every((need) => need());
      this.#depth--;
      if (!isReady) return;
      const body = this.#bodyFor(candidate, request, path, place);
      if (body !== undefined && !this.#used.has(candidate)) this.#apply(candidate, place, body);
    };
    return [{ of: candidate, rank: 3, take }];
  }

  #counted(candidate: Candidate, place: Place, path: string, body: TransactionBody): Option[] {
    const above = parentPath(path);
    const owed = this.#owed.get(above) ?? 0;
    const parent = this.#host.tree.node(above);
    if (owed === 0 || parent === undefined || !("parentCversion" in body)) return [];
    if (body.parentCversion === parent.creates) return [];
    const take = (): void => {
      this.#host.trail.set(this.#owed, above, owed - 1);
      this.#apply(candidate, place, { ...body, parentCversion: parent.creates });
    };
    return [{ of: candidate, rank: rank(candidate, place.exact ? place.zxid : 0, path), take }];
  }

  #isOpen(candidate: Candidate, place: Place): boolean {
    if (this.#used.has(candidate) || candidate === this.#put) return false;
    // A zxid that is only guessed must not contradict the order of the session's writes.
    if (place.exact && place.group === undefined && candidate.below <= place.zxid) return false;
    const reserved = this.#sources.reserved.get(candidate);
    if (reserved !== undefined && !(place.exact && reserved === place.zxid)) return false;
    return place.group === undefined || place.group.mentions.every((mention) => explains(candidate, mention));
  }

  #bodyOf(candidate: Candidate, request: SubRequest, path: string, zxid: Zxid): TransactionBody | undefined {
    if (request.op !== "create" || !request.mode.includes("sequential")) {
      return this.#prepared(candidate, request, zxid);
    }
    const parent = this.#host.tree.node(parentPath(path));
    const number = sequenceNumber(path);
    if (parent === undefined || number === undefined) return undefined;
    const mode = withoutSequence(request.mode);
    const body = this.#prepared(candidate, { ...request, path, mode }, zxid);
    if (body === undefined || !("parentCversion" in body)) return undefined;
    return { ...body, parentCversion: Math.max(number, parent.creates) + 1 };
  }

  /** The transaction that the leader would have made, undefined where it would have refused. */
  #prepared(candidate: Candidate, request: WriteRequest, zxid: Zxid): TransactionBody | undefined {
    const { step } = candidate;
    const body = this.#host.preparation.prepare(headerOf(step.session, zxid), request, step.identities);
    if (body.type === "error") return undefined;
    return body.type === "multi" && body.transactions.some((part) => part.type === "error")
      ? undefined
      : body;
  }

  #apply(candidate: Candidate, place: Place, body: TransactionBody): void {
    this.#host.trail.add(this.#used, candidate);
    this.#settle(candidate, body);
    this.#change(candidate.step.session, place, body);
    this.#listener.happened(candidate, place);
  }

  /** Counts the creates that the number of a sequential node shows, or takes it from those counted already. */
  #settle(candidate: Candidate, body: TransactionBody): void {
    const [request] = candidate.requests;
    if (request?.op !== "create" || !request.mode.includes("sequential") || !("parentCversion" in body))
      return;
    const above = parentPath(body.path);
    const creates = this.#host.tree.node(above)?.creates ?? 0;
    this.owe(above, Math.max(0, (sequenceNumber(body.path) ?? creates) - creates));
  }

  #change(session: string, place: Place, body: TransactionBody): void {
    if (place.exact) this.#host.trail.add(this.#placed, place.zxid);
    this.#listener.placing(place);
    this.#host.tree.applyUnasked(headerOf(session, place.zxid), body);
  }

  #mayExpire(session: string, place: Place): boolean {
    if (this.#over.has(session) || !this.#sources.lives.mayEnd(session, place.zxid)) return false;
    const own = this.#host.tree.ephemeralsOf(session);
    for (const path of own) {
      const node = this.#host.tree.node(path);
      if (node !== undefined && !this.#sources.facts.mayDelete(path, node, place.zxid)) return false;
    }
    const explained = ({ type, path }: Mention): boolean => {
      if (type === "deleted") return own.has(path) || mayOwn((request) => createsPath(request, path));
      if (type !== "children") return false;
      const isBelow = (child: string): boolean => parentPath(child) === path;
      return [...own].some(isBelow) || mayOwn((request) => isBelow(request.path));
    };
    // It may take along what an unanswered write of its own had created.
    const mayOwn = (creates: (request: SubRequest) => boolean): boolean =>
      this.#sources.unanswered
        .ephemeralsOf(session)
        .some(
          (candidate) =>
            !this.#used.has(candidate) &&
            candidate.above < place.zxid &&
            candidate.requests.some((request) => request.op === "create" && creates(request)),
        );
    return place.group === undefined || place.group.mentions.every(explained);
  }

  /** Ends a session: all its ephemeral nodes go in this one step. */
  #expire(session: string, place: Place): void {
    this.#host.trail.add(this.#over, session);
    this.#listener.ending(session);
    const body = this.#host.preparation.closeSession(headerOf(session, place.zxid));
    this.#change(session, place, body);
    this.#listener.expired(session, place);
  }

  #collect(path: string, place: Place): void {
    this.#change("0x0", place, { type: "deleteContainer", path });
  }

  /** The exact zxid of a change of children, where only one is known that has no cause yet. */
  #refined(parent: string, place: Place): Place {
    if (place.exact) return place;
    const pending = this.#pending
      .get(parent)
      ?.filter((zxid) => zxid <= place.zxid && !this.#placed.has(zxid));
    const [zxid] = pending ?? [];
    if (zxid === undefined || pending?.length !== 1) return place;
    return { ...place, zxid, exact: true, guessed: true };
  }
}

export function headerOf(
  session: string,
  zxid: Zxid,
): { session: string; cxid: number; zxid: Zxid; timeMs: number } {
  return { session, cxid: 0, zxid, timeMs: 0 };
}

function withoutSequence(mode: Extract<SubRequest, { op: "create" }>["mode"]): typeof mode {
  if (mode === "persistent-sequential") return "persistent";
  if (mode === "ephemeral-sequential") return "ephemeral";
  return mode === "persistent-sequential-ttl" ? "persistent-ttl" : mode;
}
