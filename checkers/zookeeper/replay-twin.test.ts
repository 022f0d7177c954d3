import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Event,
  type Json,
  RequestPreparation,
  type Stat,
  statOf,
  watchesProcess,
  ZnodeTree,
} from "../../model/index.ts";
import { replayHistory } from "./replay.ts";
import { differenceOf, nodeDifference } from "./replay-differences.ts";
import { simulatedHistory } from "./simulated-history.ts";
import { readHistory } from "./history/intake.ts";
import type { Step } from "./history/steps.ts";

/*
 * The slow twin of the replay: every unanswered write at every position or nowhere, the whole history replayed for
 * each combination, every answer compared. For registers only, with at most two unanswered writes.
 */
interface Placed {
  readonly step: Step;
  readonly zxid: number;
}

function explainable(events: readonly Event[]): boolean | undefined {
  const { steps } = readHistory(events);
  const answered = steps.filter(
    (step) => step.isAnswered && step.zxid > 0 && (!step.isWrite || step.hasPosition),
  );
  const compared = answered.filter((step) => step.isWrite || step.op === "getData" || step.op === "exists");
  const unanswered = steps.filter((step) => step.outcome === "unknown" && step.isWrite);
  if (unanswered.length > 2) return undefined;
  const zxids = [...new Set(answered.map((step) => step.zxid))];
  const positions = zxids.flatMap((zxid) => [zxid - 0.5]).concat(mentioned(answered));
  const choices = unanswered.map((step) => {
    const above = Math.max(
      0,
      ...answered
        .filter((each) => (each.completion?.index ?? 0) < step.invocation.index)
        .map((each) => each.zxid),
    );
    return [undefined, ...positions.filter((zxid) => zxid > above)].map((zxid) => ({ step, zxid }));
  });
  return combinations(choices).some((chosen) => {
    const placed = chosen.flatMap(({ step, zxid }) => (zxid === undefined ? [] : [{ step, zxid }]));
    return fits(compared, placed) || (placed.length === 2 && fits(compared, placed.toReversed()));
  });
}

/** Zxids that answers show and that no answered write has. */
function mentioned(answered: readonly Step[]): number[] {
  const own = new Set(answered.filter((step) => step.hasPosition).map((step) => step.zxid));
  const shown = answered.flatMap((step) => {
    const { stat } = step;
    return stat === undefined ? [] : [stat.mzxid, stat.czxid];
  });
  return [...new Set(shown)].filter((zxid) => !own.has(zxid));
}

function combinations<T>(choices: readonly (readonly T[])[]): T[][] {
  return choices.reduce<T[][]>((all, some) => all.flatMap((list) => some.map((one) => [...list, one])), [[]]);
}

function fits(answered: readonly Step[], placed: readonly Placed[]): boolean {
  const tree = new ZnodeTree();
  const preparation = new RequestPreparation(tree, { checkSessions: false });
  const order = [...answered.map((step) => ({ step, zxid: step.zxid })), ...placed];
  order.sort((a, b) => a.zxid - b.zxid || Number(b.step.isWrite) - Number(a.step.isWrite));
  for (const { step, zxid } of order) {
    if (step.isWrite) {
      const request = step.writeRequest;
      const header = { session: step.session, cxid: 0, zxid, timeMs: 0 };
      const body = preparation.prepare(header, request);
      const hidden = step.outcome === "unknown";
      if (hidden ? body.type === "error" : differenceOf(step, request, body) !== undefined) return false;
      tree.apply(header, body);
      preparation.applied(zxid);
    } else if (!readFits(step, tree, placed)) return false;
  }
  return true;
}

function readFits(step: Step, tree: ZnodeTree, placed: readonly Placed[]): boolean {
  const node = tree.node(step.path);
  if (node === undefined) return step.error === "NoNode";
  if (step.error !== undefined) return false;
  const writer = placed.find(({ zxid }) => zxid === node.mzxid);
  if (writer !== undefined && writer.step.invocation.index > (step.completion?.index ?? 0)) return false;
  const stat = step.stat as Stat;
  if (nodeDifference(statOf(node), stat) !== undefined) return false;
  return step.op !== "getData" || step.data === node.data;
}

/** Changes one answer: what it says, not where it stands. */
function withMistake(events: readonly Event[], at: number, kind: number): Event[] {
  const answers = events.filter(
    (event) => event.type === "ok" && ["getData", "exists", "setData"].includes(event.f),
  );
  const chosen = answers[at % Math.max(1, answers.length)];
  return events.map((event) => {
    if (event !== chosen) return event;
    const value = event.value as { readonly [name: string]: Json };
    const stat = value["stat"] as unknown as Stat;
    const version = { ...stat, version: stat.version + (kind === 0 ? 1 : -1) };
    if (kind < 2) return { ...event, value: { ...value, stat: version as unknown as Json } };
    if (event.f !== "getData") return event;
    return { ...event, value: { ...value, data: kind === 2 ? "nobody's" : "0.1" } };
  });
}

describe("the replay and its slow twin", () => {
  test("attempts from checkpoints find what attempts from the beginning find", () => {
    let several = 0;
    const defects = [undefined, "torn-multi", "lost-write", "applied-twice", "ephemeral-survives"] as const;
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.constantFrom(...defects), (seed, defect) => {
        const options = { seed, steps: 6000, losses: 40, expiries: 20, clients: 6 };
        const history = readHistory(
          simulatedHistory(defect === undefined ? options : { ...options, defect }),
        );
        const [fast, slow] = [{}, { fromTheBeginning: true }].map((how) => {
          const { contradictions, fromNowhere, happened, attempts } = replayHistory(history, {
            wants: () => true,
            ...how,
          });
          if (attempts > 1) several++;
          const found = contradictions.map(({ step, path, expected }) => [step.invokedAt, path, expected]);
          return [found, fromNowhere.length, happened.map(({ place }) => place.zxid), attempts];
        });
        expect(fast).toEqual(slow);
      }),
      { numRuns: 12, seed: 11 },
    );
    expect(several).toBeGreaterThan(8);
  });

  test("explain the same histories of registers", () => {
    let [good, bad] = [0, 0];
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.nat(40), fc.nat(8), fc.nat(200), (seed, steps, kind, at) => {
        const options = { seed, steps: 10 + steps, clients: 3, losses: 60, expiries: 0, registersOnly: true };
        // The twin does not read what events tell.
        const history = simulatedHistory(options).filter(({ process }) => process !== watchesProcess);
        const events = kind < 4 ? withMistake(history, at, kind) : history;
        const expected = explainable(events);
        if (expected === undefined) return;
        const { contradictions, fromNowhere } = replayHistory(readHistory(events));
        expect(contradictions.length === 0 && fromNowhere.length === 0).toBe(expected);
        if (expected) good++;
        else bad++;
      }),
      { numRuns: 400 },
    );
    expect(Math.min(good, bad)).toBeGreaterThan(20);
  });
});
