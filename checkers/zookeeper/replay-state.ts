import {
  ownerKind,
  parentPath,
  RequestPreparation,
  type Stat,
  type TransactionBody,
  type TransactionHeader,
  type TreeListener,
  ZnodeTree,
  type Zxid,
} from "../../model/index.ts";
import type { Choices } from "./choices.ts";
import type { ChangeType } from "./mentions.ts";
import type { Step } from "./history/steps.ts";
import { Trail } from "./trail.ts";
import type { Candidate } from "./unanswered.ts";
import { type Place, Unseen, type UnseenSources } from "./unseen.ts";

/** A change that the replay made, as watches see it. `exact` is false where only its order is known. */
export interface Change {
  readonly path: string;
  readonly zxid: Zxid;
  readonly type: ChangeType;
  readonly exact: boolean;
  /** Rises from change to change, also within a transaction. */
  readonly order: number;
  /** The node that was created, here or as a child, can go without anybody's asking: with its session, or its time. */
  readonly isMortal: boolean;
}

/** Whether changes of a path are kept. */
export type WantsChange = (path: string, type: ChangeType) => boolean;

/** An unanswered write that was found to have happened. */
export interface Happening {
  readonly candidate: Candidate;
  readonly place: Place;
}

/** A session that was found to have ended by itself. */
export interface Ending {
  readonly session: string;
  readonly place: Place;
}

/** A state to which a replay can go back; the tree is its own. */
export interface SavedState {
  readonly tree: ZnodeTree;
  readonly trail: number;
  readonly changes: number;
}

/**
 * What a replay has come to: the tree, what was worked in unseen, and what is known of nodes that were there before the
 * history. It can be saved and restored.
 */
export class ReplayState implements TreeListener {
  tree: ZnodeTree;
  preparation: RequestPreparation;
  readonly unseen: Unseen;
  readonly trail: Trail = new Trail();
  readonly happened: Happening[] = [];
  readonly expired: Ending[] = [];
  readonly changes: Map<string, Change[]> = new Map();
  /** What an unseen transaction was worked in for that broke the order of its session's writes. */
  disorder: string | undefined;
  readonly #sources: UnseenSources;
  readonly #wants: WantsChange;
  /** Paths with changes that are kept, one for each, in order. */
  readonly #changed: string[] = [];
  readonly #touched = new Set<string>();
  /** Paths that were there before the history began, so that not all their children are known. */
  readonly #partial = new Set<string>(["/", "/zookeeper"]);
  readonly #ephemeralParents = new Set<string>();
  /** Nodes that went with their session, and which it was. */
  readonly #goneWith = new Map<string, string>();
  #exact = true;

  /** `wants` says which changes are kept. */
  constructor(sources: UnseenSources, choices: Choices, wants: WantsChange) {
    this.#sources = sources;
    this.#wants = wants;
    this.tree = new ZnodeTree({ listener: this });
    this.preparation = preparationOf(this.tree);
    this.unseen = new Unseen(this, sources, choices, {
      placing: (place) => {
        this.#exact = place.exact && place.guessed !== true;
      },
      happened: (candidate, place) => this.#noteHappening(candidate, place),
      ending: (session) => this.#noteEphemerals(session),
      expired: (session, place) => this.trail.push(this.expired, { session, place }),
    });
  }

  save(): SavedState {
    return { tree: this.tree.copy(), trail: this.trail.mark, changes: this.#changed.length };
  }

  restore({ tree, trail, changes }: SavedState): void {
    this.tree = tree.copy(this);
    this.preparation = preparationOf(this.tree);
    this.trail.backTo(trail);
    while (this.#changed.length > changes) this.changes.get(this.#changed.pop() as string)?.pop();
    this.disorder = undefined;
  }

  created(path: string, parent: string, zxid: Zxid): void {
    this.#change(path, zxid, "created", path);
    this.#change(parent, zxid, "children", path);
  }

  deleted(path: string, parent: string, zxid: Zxid): void {
    this.#change(path, zxid, "deleted");
    this.#change(parent, zxid, "children");
  }

  dataChanged(path: string, zxid: Zxid): void {
    this.#change(path, zxid, "data");
  }

  /** Applies an acknowledged write. */
  apply(step: Step, header: TransactionHeader, body: TransactionBody): void {
    this.#exact = true;
    if (body.type === "closeSession") this.#noteEphemerals(step.session);
    if (body.type === "multi") for (const part of body.transactions) this.#noteParent(part);
    else this.#noteParent(body);
    this.tree.applyUnasked(header, body);
  }

  /** Takes an answer's word for a node that is not known whole: some of its children may not be known either. */
  observe(path: string, stat: Stat, data: string | null | undefined): void {
    this.tree.observe(path, stat, data);
    this.trail.add(this.#partial, path);
  }

  isPartial(path: string): boolean {
    return this.#partial.has(path);
  }

  /** Whether nothing in the history touched the node, which then may have been there before it. */
  isOlder(path: string): boolean {
    return !this.#touched.has(path);
  }

  mayChangeChildren(path: string): boolean {
    return this.#sources.unanswered.mayChangeChildren(path) || this.#ephemeralParents.has(path);
  }

  /** The session that took the node with it, where one did. */
  goneWith(path: string): string | undefined {
    return this.#goneWith.get(path);
  }

  #change(path: string, zxid: Zxid, type: ChangeType, created?: string): void {
    if (!this.#touched.has(path)) this.trail.add(this.#touched, path);
    if (!this.#wants(path, type)) return;
    const owner = created === undefined ? undefined : this.tree.node(created)?.ephemeralOwner;
    const isMortal = owner !== undefined && ownerKind(owner) !== "none";
    const [exact, order] = [this.#exact, this.#changed.length];
    const change: Change = { path, zxid, type, exact, order, isMortal };
    const changes = this.changes.get(path);
    if (changes === undefined) this.changes.set(path, [change]);
    else changes.push(change);
    this.#changed.push(path);
  }

  #noteParent(body: TransactionBody): void {
    if (body.type === "create" && body.ephemeral)
      this.trail.add(this.#ephemeralParents, parentPath(body.path));
  }

  #noteHappening(candidate: Candidate, place: Place): void {
    this.trail.push(this.happened, { candidate, place });
    // That would break the order of its session's writes: worth looking for another explanation.
    if (place.exact && place.zxid >= candidate.below) this.disorder ??= candidate.requests[0]?.path;
    for (const part of candidate.requests) {
      if (part.op === "create" && part.mode.startsWith("ephemeral"))
        this.trail.add(this.#ephemeralParents, parentPath(part.path));
    }
  }

  #noteEphemerals(session: string): void {
    for (const path of this.tree.ephemeralsOf(session)) this.trail.set(this.#goneWith, path, session);
  }
}

function preparationOf(tree: ZnodeTree): RequestPreparation {
  return new RequestPreparation(tree, {
    checkSessions: false,
    extendedTypes: true,
    appliesAtOnce: true,
  });
}
