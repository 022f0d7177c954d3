import { type Event, versionedRegister } from "../../model/index.ts";
import { linearizable, type LinearizabilityOptions } from "../linearizability/index.ts";
import type { Verdict } from "../verdict.ts";
import { readHistory } from "./history/intake.ts";
import type { Step } from "./history/steps.ts";

/**
 * Whether the writes are linearizable, found by search without believing any zxid: each znode on its own, as a register
 * with versions. Its writes, with the versions that they made, and the errors that they got (BadVersion, NoNode,
 * NodeExists) must fit into one order that respects real time.
 *
 * Plain and synced reads are left out, as ZooKeeper does not promise that they are linearizable. Left out, and counted,
 * are znodes that a multi touches, that are ephemeral or sequential, or that were there before the history.
 */
export function checkWritesBySearch(events: readonly Event[], options: LinearizabilityOptions = {}): Verdict {
  const name = "writes-linearizable-by-search";
  const { steps } = readHistory(events);
  const left = pathsLeftOut(steps);
  const chosen = new Map<Event, Event>();
  const paths = new Set<string>();
  for (const step of steps) {
    if (!isJudged(step) || left.has(step.path)) continue;
    paths.add(step.path);
    const [invocation, completion] = [step.invocation.read(), step.completion?.read()];
    chosen.set(invocation, invocation);
    if (completion !== undefined) chosen.set(completion, asAnswer(step, completion));
  }
  const written = events.flatMap((event) => chosen.get(event) ?? []);
  const counts = { znodes: paths.size, "znodes left out": left.size };
  if (paths.size === 0) {
    return { name, verdict: "holds", vacuous: true, detail: "no znode stands on its own", counts };
  }
  const verdict = linearizable(written, versionedRegister("absent"), options);
  const { detail, violation } = verdict;
  const told = left.size === 0 ? detail : `${detail} (${left.size} znodes left out)`;
  const all = { ...verdict.counts, ...counts };
  return {
    name,
    verdict: verdict.verdict,
    detail: told,
    counts: all,
    ...(violation === undefined ? {} : { violation }),
  };
}

function isJudged(step: Step): boolean {
  if (step.op !== "create" && step.op !== "setData" && step.op !== "delete" && step.op !== "check")
    return false;
  if (step.outcome === "unsent") return false;
  // That of a create speaks of the parent.
  return !(step.op === "create" && step.error === "NoNode");
}

/** A definite error is an answer, too: it tells what the znode was. */
function asAnswer(step: Step, completion: Event): Event {
  if (step.outcome !== "rejected") return completion;
  return { ...completion, type: "ok", value: { error: step.error ?? "" } };
}

function pathsLeftOut(steps: readonly Step[]): ReadonlySet<string> {
  const left = new Set<string>();
  const created = new Set<string>();
  for (const step of steps) {
    if (step.op === "multi") {
      for (const part of step.operations) left.add(part.path);
    } else if (step.op === "create") {
      created.add(step.path);
      if (step.mode !== "persistent") left.add(step.path);
    }
  }
  for (const step of steps) if (isJudged(step) && !created.has(step.path)) left.add(step.path);
  return left;
}
