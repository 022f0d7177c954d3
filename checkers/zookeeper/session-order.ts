import type { Zxid } from "../../model/index.ts";
import { firstAtLeast } from "../ascending.ts";
import { PromiseCheck } from "./findings.ts";
import type { See } from "./passes.ts";
import { nameOf, show } from "./real-time.ts";
import type { Step } from "./history/steps.ts";
import type { ZookeeperHistory } from "./history/zookeeper-history.ts";
import type { Candidate } from "./unanswered.ts";

/**
 * What a session sees never runs back: the zxids of its replies do not fall, and each of its own writes has a greater
 * one than all before. Where the session has moved in between it is the promise of a single system image.
 */
export class SessionOrderCheck {
  readonly sameServer: PromiseCheck = new PromiseCheck("session-order");
  readonly acrossServers: PromiseCheck = new PromiseCheck("single-system-image");
  readonly #newest = new Map<string, Step>();

  /** To be shown all steps in order of their invocations. */
  readonly see: See = (step) => {
    if (!step.isAnswered || step.zxid <= 0 || step.session === "" || step.op === "addAuth") return;
    if (step.isWrite && !step.hasPosition) return;
    const last = this.#newest.get(step.session);
    if (last !== undefined) {
      const moved = last.server !== step.server;
      const promise = moved ? this.acrossServers : this.sameServer;
      promise.checked();
      const back = step.hasPosition ? step.zxid <= last.zxid : step.zxid < last.zxid;
      if (back) {
        const where = moved ? `, having moved from ${last.server} to ${step.server}` : "";
        const what = `session ${step.session} was at zxid ${show(last.zxid)} with ${nameOf(last)}`;
        promise.broken(`${what}; ${nameOf(step)} was answered at ${show(step.zxid)}${where}`, step.reply, [
          last.invocation,
          last.completion,
          step.invocation,
        ]);
        // The older view is what the session has now; the next reply is held against the newest one all the same.
        return;
      }
    }
    this.#newest.set(step.session, step);
  };
}

/**
 * The same without believing zxids: on a znode that nobody deletes, the versions that a session sees in answers do not
 * fall, and after its own setData they are at least the version that it made.
 */
export class VersionOrderCheck {
  readonly promise: PromiseCheck = new PromiseCheck("session-order-by-version");
  readonly #mortalPaths: ReadonlySet<string>;
  /** By session and path. */
  readonly #newest = new Map<string, Map<string, Step>>();

  constructor({ mortalPaths }: Pick<ZookeeperHistory, "mortalPaths">) {
    this.#mortalPaths = mortalPaths;
  }

  /** To be shown all steps in order of their invocations. */
  readonly see: See = (step) => {
    const { stat, session, path } = step;
    if (stat === undefined || session === "" || step.op === "create" || this.#mortalPaths.has(path)) return;
    let seen = this.#newest.get(session);
    if (seen === undefined) this.#newest.set(session, (seen = new Map()));
    const last = seen.get(path);
    if (last !== undefined) {
      this.promise.checked();
      const version = last.stat?.version ?? 0;
      if (stat.version < version) {
        this.promise.broken(
          `session ${session} saw version ${version} of ${path} with ${nameOf(last)}, then version ${stat.version} with ${nameOf(step)}`,
          step.reply,
          [last.invocation, last.completion, step.invocation],
        );
        return;
      }
    }
    seen.set(path, step);
  };
}

/** An unanswered write that happened, with its zxid. */
export interface Happened {
  readonly candidate: Candidate;
  readonly zxid: Zxid;
}

/**
 * The writes of one client apply in the order in which it sent them, the unanswered ones among them: one that turned
 * out to have happened did so before every later write of its session.
 */
export class ClientOrderCheck {
  readonly promise: PromiseCheck = new PromiseCheck("client-order");
  readonly #last = new Map<string, Step>();
  /** The acknowledged writes of the sessions of which an unanswered one has happened. */
  readonly #bySession: ReadonlyMap<string, Step[]>;
  readonly #happened: readonly Happened[];

  constructor(happened: readonly Happened[]) {
    this.#happened = happened;
    this.#bySession = new Map(happened.map(({ candidate }) => [candidate.step.session, []]));
  }

  /** To be shown the positioned ones in order of their invocations. */
  readonly see: See = (step) => {
    if (step.session === "") return;
    this.#bySession.get(step.session)?.push(step);
    const before = this.#last.get(step.session);
    if (before !== undefined) this.promise.checked();
    if (before !== undefined && before.zxid >= step.zxid) {
      const what = `session ${step.session} sent ${nameOf(before)} before ${nameOf(step)}`;
      this.promise.broken(
        `${what}, and got zxid ${show(before.zxid)} before ${show(step.zxid)}`,
        step.reply,
        [before.invocation, before.completion, step.invocation],
      );
    }
    this.#last.set(step.session, step);
  };

  /** Once all are shown. */
  checkUnanswered(): void {
    const byOwner = new Map<string, OwnWrites>();
    for (const { candidate, zxid } of this.#happened) {
      const { session, invokedAt } = candidate.step;
      this.promise.checked();
      let own = byOwner.get(session);
      if (own === undefined) byOwner.set(session, (own = new OwnWrites(this.#bySession.get(session) ?? [])));
      const early = own.overtaken(invokedAt, zxid);
      if (early === undefined) continue;
      const what = `${nameOf(candidate.step)} was sent before ${nameOf(early)} by session ${session}`;
      this.promise.broken(
        `${what} and took effect at ${show(zxid)}, after it (${show(early.zxid)})`,
        early.reply,
        [candidate.step.invocation, early.invocation],
      );
    }
  }
}

/** The acknowledged writes of one session, in the order in which it sent them. */
class OwnWrites {
  readonly #writes: readonly Step[];
  readonly #invoked: readonly number[];
  /** For each write the least zxid of it and all later ones. */
  readonly #least: Float64Array;

  constructor(writes: readonly Step[]) {
    this.#writes = writes;
    this.#invoked = writes.map((step) => step.invokedAt);
    this.#least = new Float64Array(writes.length + 1).fill(Infinity);
    for (let i = writes.length - 1; i >= 0; i--)
      this.#least[i] = Math.min(this.#least[i + 1] as number, (writes[i] as Step).zxid);
  }

  /** The first write sent after an event that took effect at a zxid or before. */
  overtaken(index: number, zxid: Zxid): Step | undefined {
    const next = firstAtLeast(this.#invoked, index);
    if ((this.#least[next] as number) > zxid) return undefined;
    return this.#writes.find((step, i) => i >= next && step.zxid <= zxid);
  }
}
