import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HistoryBuilder, type Event, type EventDraft, sessionEventDraft } from "../../model/index.ts";
import { notApplied, withoutEffect, type RunEvidence } from "../../results/index.ts";
import type { Schedule } from "../faults/schedule.ts";
import { runEvidence } from "./run-evidence.ts";
import { evidenceLines } from "./text.ts";

let logs = "";
beforeEach(() => (logs = mkdtempSync(join(tmpdir(), "zabcheck-evidence-"))));
afterEach(() => rmSync(logs, { recursive: true, force: true }));

const ms = 1_000_000;
const session = "0x1";

/** Events at times in ms: a fault of ten seconds from 10 s on, whatever else a test needs between. */
class Story {
  readonly #builder = new HistoryBuilder();

  get events(): readonly Event[] {
    return this.#builder.events;
  }

  add(atMs: number, draft: EventDraft): this {
    this.#builder.at(atMs * ms).add(draft);
    return this;
  }

  fault(atMs: number, id: number, action: string): this {
    const fault = { kind: "pause", servers: ["server-1"] };
    const more = action === "apply" ? { plan: { target: "leader" }, fault } : {};
    return this.add(atMs, { process: "faults", type: "info", f: "pause", value: { id, action, ...more } });
  }

  read(fromMs: number, toMs: number, how: "ok" | "info" = "ok", watch = false): this {
    const value = { path: "/a", ...(watch ? { watch } : {}) };
    this.#builder.at(fromMs * ms).invoke(0, "getData", value);
    this.#builder.at(toMs * ms);
    if (how === "ok") this.#builder.ok(0, value, { session, server: "server-1" });
    else this.#builder.info(0, value, { session, error: "no answer" });
    return this;
  }

  /** Quick answers, one each second. */
  quiet(fromMs: number, toMs: number): this {
    for (let at = fromMs; at < toMs; at += 1000) this.read(at, at + 2);
    return this;
  }

  ends(atMs: number, reason: string): this {
    return this.add(
      atMs,
      sessionEventDraft({ f: "disconnect", session, process: 0, server: "server-1", reason }),
    );
  }

  connects(atMs: number, server: string): this {
    const resumed = { resumed: atMs > 0, timeoutMs: 2000, lastZxidSeen: 0 };
    return this.add(atMs, sessionEventDraft({ f: "connect", session, process: 0, server, ...resumed }));
  }
}

const pause = { startMs: 10_000, holdMs: 10_000, family: "pause", plan: { target: "leader" } } as const;

function evidenceOf(story: Story, schedule: Schedule = [pause], zeroMs = 0): Promise<RunEvidence> {
  return runEvidence({
    events: story.events,
    schedule,
    verdicts: [{ name: "staleness", verdict: "holds", detail: "", counts: { reads: 9, stale: 4 } }],
    cluster: "embedded",
    logs,
    zeroMs,
  });
}

function log(server: string, ...notes: readonly string[]): void {
  mkdirSync(join(logs, server), { recursive: true });
  writeFileSync(join(logs, server, "server.log"), `${notes.join("\n")}\n`);
}

/** A fault in force from 10 s to 20 s, and what happens then. */
function during(what: (story: Story) => void): Story {
  const story = new Story().quiet(0, 10_000).fault(10_000, 0, "apply").fault(10_001, 0, "applied");
  what(story);
  return story.fault(20_000, 0, "undone").quiet(40_000, 45_000);
}

test("a fault in which nothing happens is named", async () => {
  const evidence = await evidenceOf(during((story) => story.quiet(11_000, 20_000)));
  expect(evidence.faults[0]).toMatchObject({
    label: "pause leader: server-1",
    outcome: "applied",
    effects: {},
  });
  expect(withoutEffect(evidence).map(({ id }) => id)).toEqual([0]);
  expect(evidenceLines(evidence).at(-1)).toBe("no effect pause leader: server-1 (fault 0)");
});

test("a connection that is lost under a fault is its effect, one that its client left is not", async () => {
  const lost = await evidenceOf(during((story) => story.ends(12_000, "the server closed the connection")));
  expect([lost.disconnections, lost.faults[0]?.effects]).toEqual([1, { disconnections: 1 }]);
  const left = await evidenceOf(during((story) => story.ends(12_000, "moves to another server")));
  expect([left.disconnections, left.faults[0]?.effects]).toEqual([0, {}]);
});

test("operations without an answer are counted, and are an effect", async () => {
  const evidence = await evidenceOf(during((story) => story.read(12_000, 13_000, "info")));
  expect(evidence.unanswered).toBe(1);
  expect(evidence.faults[0]?.effects).toEqual({ unanswered: 1 });
});

test("answers that take three times as long as in quiet times are an effect, a single one among many is not", async () => {
  const slow = during((story) => {
    for (let at = 11_000; at < 20_000; at += 1000) story.read(at, at + 400);
  });
  expect((await evidenceOf(slow)).faults[0]?.effects).toEqual({ "slow answers": 9 });
  const once = during((story) => story.quiet(11_000, 19_000).read(19_000, 19_500));
  expect((await evidenceOf(once)).faults[0]?.effects).toEqual({});
});

test("what the servers' logs tell is counted, and placed on the history's clock", async () => {
  log(
    "server-1",
    "1.000000 starts",
    "2.000000 leads in epoch 1, 0 transactions",
    "15.000000 looks for a leader: x",
  );
  log("server-2", "1.000000 starts", "16.000000 synchronized by TRUNC, epoch 2, 9 transactions");
  log("server-3", "1.000000 starts", "16.000000 leads in epoch 2, 9 transactions");
  const evidence = await evidenceOf(during((story) => story.quiet(11_000, 20_000)));
  expect(evidence).toMatchObject({
    elections: 2,
    deposedLeaders: 1,
    synchronizations: { DIFF: 0, TRUNC: 1, SNAP: 0 },
  });
  const effects = { "deposed leaders": 1, elections: 1, synchronizations: 1 };
  expect(evidence.faults[0]?.effects).toEqual(effects);
  // A history that began at second 7 of the ensemble: the election was before its fault.
  const later = await evidenceOf(
    during((story) => story.quiet(11_000, 20_000)),
    [pause],
    7000,
  );
  expect(later.faults[0]?.effects).toEqual({});
  // A log whose clock is hours away says what, not when.
  const turned = await evidenceOf(
    during((story) => story.quiet(11_000, 20_000)),
    [pause],
    -3_600_000,
  );
  expect([turned.elections, turned.faults[0]?.effects]).toEqual([2, {}]);
});

test("without logs nothing is known of elections, and that is said", async () => {
  const evidence = await evidenceOf(during((story) => story.quiet(11_000, 20_000)));
  expect([evidence.elections, evidence.deposedLeaders, evidence.synchronizations]).toEqual([
    null,
    null,
    null,
  ]);
  expect(evidenceLines(evidence)[0]).toContain("elections and synchronizations unknown");
});

test("what is under way at the moment of a fault is counted: operations in flight, and watches that have not fired", async () => {
  const story = new Story().connects(0, "server-1").read(1000, 1001, "ok", true).read(2000, 2001, "ok", true);
  story.add(9_000, {
    process: 3,
    type: "invoke",
    f: "setData",
    value: { path: "/b", data: "1", version: -1 },
  });
  story.fault(10_000, 0, "apply").fault(10_001, 0, "applied").fault(20_000, 0, "undone");
  story.add(20_500, {
    process: "watches",
    type: "info",
    f: "NodeDataChanged",
    value: { path: "/a", session, process: 0, watchZxid: -1 },
  });
  story.fault(21_000, 1, "apply").fault(21_001, 1, "applied").fault(22_000, 1, "undone");
  const { faults } = await evidenceOf(story, [pause, pause]);
  expect(
    faults.map(({ operationsInFlight, watchesPending }) => [operationsInFlight, watchesPending]),
  ).toEqual([
    [1, 1],
    [1, 0],
  ]);
});

test("a session that goes on at another server has moved, one that comes back has not", async () => {
  const story = new Story().connects(0, "server-1").connects(1000, "server-1").connects(2000, "server-2");
  story.add(3000, sessionEventDraft({ f: "session-expired", session, process: 0 }));
  const evidence = await evidenceOf(story, []);
  expect([evidence.movedSessions, evidence.expiredSessions, evidence.staleReads]).toEqual([1, 1, 4]);
  expect(evidence.staleSyncedReads).toBeNull();
});

test("what happens shortly after a fault counts as its effect, until the next one begins", async () => {
  const after = new Story().fault(10_000, 0, "apply").fault(10_001, 0, "applied").fault(20_000, 0, "undone");
  after.ends(21_000, "lost");
  expect((await evidenceOf(after)).faults[0]?.effects).toEqual({ disconnections: 1 });
  const next = new Story().fault(10_000, 0, "apply").fault(10_001, 0, "applied").fault(20_000, 0, "undone");
  next.fault(20_500, 1, "apply").fault(20_501, 1, "applied").ends(21_000, "lost").fault(30_000, 1, "undone");
  const { faults } = await evidenceOf(next, [pause, pause]);
  expect(faults.map(({ effects }) => effects)).toEqual([{}, { disconnections: 1 }]);
});

test("a defect known by number that a server's log shows is told, and which server's", async () => {
  const line = (text: string): string => `2026-11-28 17:08:10,622 [x] INFO Learner - ${text}\n`;
  const order = line("Truncating log to get in sync with the leader 0x1000018d0");
  for (const [server, snapshot] of [
    ["server-1", "1000018d4"],
    ["server-2", "1000018d0"],
  ] as const) {
    mkdirSync(join(logs, server));
    const read = line(`Reading snapshot /data/version-2/snapshot.${snapshot}`);
    writeFileSync(join(logs, server, "server.log"), order + read);
  }
  const evidence = await runEvidence({
    ...{ events: [], schedule: [], verdicts: [], cluster: "docker", logs, zeroMs: 0 },
  });
  expect(evidence.knownDefects).toEqual([expect.stringMatching(/^ZOOKEEPER-1549 at server-1: /)]);
  expect(evidenceLines(evidence).at(-1)).toMatch(/^known {5}ZOOKEEPER-1549 at server-1/);
});

test("faults that were skipped, failed or never reached are told apart from those without an effect", async () => {
  const story = new Story().fault(1000, 0, "skipped").fault(2000, 1, "apply").fault(2001, 1, "failed");
  const evidence = await evidenceOf(story, [pause, pause, pause]);
  expect(notApplied(evidence).map(({ outcome }) => outcome)).toEqual(["skipped", "failed", "not reached"]);
  expect(withoutEffect(evidence)).toEqual([]);
  expect(evidenceLines(evidence).at(-1)).toContain("pause leader (fault 2) not reached");
});
