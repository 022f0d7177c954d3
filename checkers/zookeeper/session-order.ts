import type { Event, Stat, Zxid } from "../../model/index.ts";
import { PromiseCheck } from "./findings.ts";
import { nameOf, show } from "./real-time.ts";
import type { Step, ZookeeperHistory } from "./steps.ts";
import type { Candidate } from "./unanswered.ts";

/**
 * What a session sees never runs back: the zxids of its replies do not fall, and each of its own writes has a greater
 * one than all before. Where the session has moved in between it is the promise of a single system image.
 */
export function checkSessionOrder(history: ZookeeperHistory): {
  readonly sameServer: PromiseCheck;
  readonly acrossServers: PromiseCheck;
} {
  const sameServer = new PromiseCheck("session-order");
  const acrossServers = new PromiseCheck("single-system-image");
  const newest = new Map<string, Step>();
  for (const step of history.steps) {
    if (!step.isAnswered || step.zxid <= 0 || step.session === "" || step.op === "addAuth") continue;
    if (step.isWrite && !step.hasPosition) continue;
    const last = newest.get(step.session);
    if (last !== undefined) {
      const moved = last.server !== step.server;
      const promise = moved ? acrossServers : sameServer;
      promise.checked();
      const back = step.hasPosition ? step.zxid <= last.zxid : step.zxid < last.zxid;
      if (back) {
        const where = moved ? `, having moved from ${last.server} to ${step.server}` : "";
        const what = `session ${step.session} was at zxid ${show(last.zxid)} with ${nameOf(last)}`;
        promise.broken(
          `${what}; ${nameOf(step)} was answered at ${show(step.zxid)}${where}`,
          step.completion as Event,
          [last.invocation, last.completion, step.invocation],
        );
        // The older view is what the session has now; the next reply is held against the newest one all the same.
        continue;
      }
    }
    newest.set(step.session, step);
  }
  return { sameServer, acrossServers };
}

/**
 * The same without believing zxids: on a znode that nobody deletes, the versions that a session sees in answers do not
 * fall, and after its own setData they are at least the version that it made.
 */
export function checkVersionOrder(history: ZookeeperHistory): PromiseCheck {
  const promise = new PromiseCheck("session-order-by-version");
  const mortal = mortalPaths(history);
  const newest = new Map<string, { readonly version: number; readonly step: Step }>();
  for (const step of history.steps) {
    const stat = step.outcome === "ok" ? (step.answer["stat"] as unknown as Stat | undefined) : undefined;
    if (stat === undefined || step.session === "" || step.op === "create" || mortal.has(step.path)) continue;
    const key = `${step.session} ${step.path}`;
    const last = newest.get(key);
    if (last !== undefined) {
      promise.checked();
      if (stat.version < last.version) {
        const what = `session ${step.session} saw version ${last.version} of ${step.path} with ${nameOf(last.step)}`;
        promise.broken(
          `${what}, then version ${stat.version} with ${nameOf(step)}`,
          step.completion as Event,
          [last.step.invocation, last.step.completion, step.invocation],
        );
        continue;
      }
    }
    newest.set(key, { version: stat.version, step });
  }
  return promise;
}

/** Paths that may be deleted, and then start again from version 0. */
function mortalPaths(history: ZookeeperHistory): ReadonlySet<string> {
  const mortal = new Set<string>();
  for (const step of history.steps) {
    if (step.op === "delete" || step.op === "create") mortal.add(step.path);
    if (step.op !== "multi") continue;
    for (const part of step.request["operations"] as unknown as readonly { op: string; path: string }[]) {
      if (part.op === "delete" || part.op === "create") mortal.add(part.path);
    }
  }
  // A node that is created once, for good, and never deleted starts only once.
  for (const path of createdOnce(history)) mortal.delete(path);
  return mortal;
}

function createdOnce(history: ZookeeperHistory): Set<string> {
  const once = new Set<string>();
  const deleted = new Set<string>();
  for (const step of history.steps) {
    if (step.op === "create" && step.request["mode"] === "persistent") once.add(step.path);
    else if (step.op === "create" || step.op === "delete") deleted.add(step.path);
    else if (step.op === "multi") {
      for (const part of step.request["operations"] as unknown as readonly { path: string }[])
        deleted.add(part.path);
    }
  }
  return new Set([...once].filter((path) => !deleted.has(path)));
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
export function checkClientOrder(history: ZookeeperHistory, happened: readonly Happened[]): PromiseCheck {
  const promise = new PromiseCheck("client-order");
  const bySession = new Map<string, Step[]>();
  for (const step of history.steps) {
    if (!step.hasPosition || step.session === "") continue;
    const steps = bySession.get(step.session);
    if (steps === undefined) {
      bySession.set(step.session, [step]);
      continue;
    }
    promise.checked();
    steps.push(step);
  }
  for (const { candidate, zxid } of happened) {
    const { session, invocation } = candidate.step;
    promise.checked();
    const early = bySession
      .get(session)
      ?.find((step) => step.invocation.index > invocation.index && step.zxid <= zxid);
    if (early === undefined) continue;
    const what = `${nameOf(candidate.step)} was sent before ${nameOf(early)} by session ${session}`;
    promise.broken(
      `${what} and took effect at ${show(zxid)}, after it (${show(early.zxid)})`,
      early.completion as Event,
      [invocation, early.invocation],
    );
  }
  const last = new Map<string, Step>();
  for (const step of history.steps) {
    if (!step.hasPosition || step.session === "") continue;
    const before = last.get(step.session);
    if (before !== undefined && before.zxid >= step.zxid) {
      const what = `session ${step.session} sent ${nameOf(before)} before ${nameOf(step)}`;
      promise.broken(
        `${what}, and got zxid ${show(before.zxid)} before ${show(step.zxid)}`,
        step.completion as Event,
        [before.invocation, before.completion, step.invocation],
      );
    }
    last.set(step.session, step);
  }
  return promise;
}
