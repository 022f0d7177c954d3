import { parentPath, sequenceNumber, type SubRequest, type Zxid } from "../../model/index.ts";
import type { Step } from "./history/steps.ts";
import type { ZookeeperHistory } from "./history/zookeeper-history.ts";

/** A write that nobody answered: it may have happened, once. */
export interface Candidate {
  readonly step: Step;
  /** The write, or the parts of a multi. */
  readonly requests: readonly SubRequest[];
  /** The newest zxid that anyone had seen when it was sent: it has a greater one. */
  readonly above: Zxid;
  /** The zxid of the next acknowledged write of its session, which it must not follow; Infinity where there is none. */
  readonly below: Zxid;
}

export type CandidateKind = "create" | "delete" | "setData";

/** The unanswered writes of a history, by the paths that they would change. */
export class Unanswered {
  readonly #byPath: { readonly [kind in CandidateKind]: Map<string, Candidate[]> } = {
    create: new Map(),
    delete: new Map(),
    setData: new Map(),
  };
  /** Creates of sequential nodes, by the path without the number. */
  readonly #byPrefix = new Map<string, Candidate[]>();
  /** Parents whose children an unanswered write may have changed. */
  readonly #parents = new Set<string>();
  /** Creates of ephemeral nodes, by session. */
  readonly #ephemerals = new Map<string, Candidate[]>();
  readonly candidates: readonly Candidate[];

  constructor(history: Pick<ZookeeperHistory, "open" | "positioned" | "answered">) {
    const open = history.open.filter((step) => requestsOf(step).length > 0);
    const above = newestSeen(open, history.answered);
    const below = nextWrites(open, history.positioned);
    this.candidates = open.map((step, i) => ({
      step,
      requests: requestsOf(step),
      above: above[i] ?? 0,
      below: below[i] ?? Infinity,
    }));
    for (const candidate of this.candidates)
      for (const request of candidate.requests) this.#index(candidate, request);
  }

  /** Those that would create ephemeral nodes of the session. */
  ephemeralsOf(session: string): readonly Candidate[] {
    return this.#ephemerals.get(session) ?? none;
  }

  /** Whether the children of the path may have changed unseen. */
  mayChangeChildren(path: string): boolean {
    return this.#parents.has(path);
  }

  /** The candidates for a change of the path that were sent before `seenAt` and can lie before `zxid`. */
  find(kind: CandidateKind, path: string, zxid: Zxid, seenAt: number): Candidate[] {
    const found: Candidate[] = [];
    for (const candidate of this.#byPath[kind].get(path) ?? []) {
      if (fits(candidate, zxid, seenAt)) found.push(candidate);
    }
    if (kind !== "create" || sequenceNumber(path) === undefined) return found;
    for (const candidate of this.#byPrefix.get(withoutNumber(path)) ?? []) {
      if (fits(candidate, zxid, seenAt)) found.push(candidate);
    }
    return found;
  }

  #index(candidate: Candidate, request: SubRequest): void {
    if (request.op === "check") return;
    if (request.op !== "setData") this.#parents.add(parentPath(request.path));
    if (request.op === "create" && request.mode.startsWith("ephemeral"))
      note(this.#ephemerals, candidate.step.session, candidate);
    const sequential = request.op === "create" && request.mode.includes("sequential");
    const index = sequential ? this.#byPrefix : this.#byPath[request.op];
    note(index, request.path, candidate);
  }
}

const none: readonly Candidate[] = [];

function note(index: Map<string, Candidate[]>, key: string, candidate: Candidate): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [candidate]);
  else if (list.at(-1) !== candidate) list.push(candidate);
}

/** The path that was asked for when a sequential node was created. */
export function withoutNumber(path: string): string {
  return path.replace(/(\d{10}|-\d{9})$/, "");
}

/** Whether the request can have created the node. */
export function createsPath(request: SubRequest, path: string): boolean {
  if (request.op !== "create") return false;
  return request.mode.includes("sequential") ? request.path === withoutNumber(path) : request.path === path;
}

function fits(candidate: Candidate, zxid: Zxid, seenAt: number): boolean {
  return candidate.above < zxid && candidate.step.invokedAt < seenAt;
}

function requestsOf(step: Step): readonly SubRequest[] {
  if (step.op === "multi") return step.operations;
  const isOne = step.op === "create" || step.op === "delete" || step.op === "setData";
  return isOne ? [step.writeRequest as SubRequest] : [];
}

/** For each open step the newest zxid of a reply that was there before its invocation. */
function newestSeen(open: readonly Step[], answered: readonly Step[]): Float64Array {
  const seen = new Float64Array(open.length);
  let [newest, next] = [0, 0];
  open.forEach((step, i) => {
    for (; next < answered.length; next++) {
      const reply = answered[next] as Step;
      if (reply.completedAt > step.invokedAt) break;
      if (reply.zxid > newest) newest = reply.zxid;
    }
    seen[i] = newest;
  });
  return seen;
}

/** For each open step the least zxid of a later acknowledged write of its session. */
function nextWrites(open: readonly Step[], acknowledged: readonly Step[]): Float64Array {
  const next = new Float64Array(open.length).fill(Infinity);
  const bySession = new Map<string, Zxid>(open.map(({ session }) => [session, Infinity]));
  let later = acknowledged.length - 1;
  for (let at = open.length - 1; at >= 0; at--) {
    const { session, invokedAt } = open[at] as Step;
    for (; later >= 0; later--) {
      const write = acknowledged[later] as Step;
      if (write.invokedAt < invokedAt) break;
      const known = bySession.get(write.session);
      if (known !== undefined && write.zxid < known) bySession.set(write.session, write.zxid);
    }
    next[at] = bySession.get(session) ?? Infinity;
  }
  return next;
}
