import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EmbeddedCluster } from "./embedded-cluster.ts";
import type { Defect } from "./options.ts";
import { Random } from "./random.ts";
import { Refinement } from "./refinement.ts";
import { drawFaults, drive } from "./test-driver.ts";

interface Walked {
  readonly failure: string | undefined;
  readonly judged: number;
  readonly taken: ReadonlyMap<string, number>;
  readonly counts: Readonly<Record<string, number>>;
}

interface WalkOptions {
  readonly servers?: number;
  readonly defect?: Defect;
  readonly durationMs?: number;
  /** What happens, instead of a drawn workload under drawn faults. */
  readonly story?: (cluster: EmbeddedCluster) => Promise<void>;
}

/** Runs the ensemble beside the model; every so many events the model's invariants are evaluated, too. */
async function walk(seed: number, options: WalkOptions = {}): Promise<Walked> {
  const { defect, servers = 3, durationMs = 15_000, story } = options;
  const seeded = defect === undefined ? {} : { defect };
  const cluster = new EmbeddedCluster({ seed, servers, snapshotBeyond: 8, ...seeded });
  const refinement = new Refinement(cluster.ensemble);
  let events = 0;
  cluster.ensemble.trace((steps) => {
    refinement.walk(steps);
    if (++events % 40 === 0) refinement.checkInvariants();
  });
  await cluster.start();
  if (story === undefined) {
    const faults = drawFaults(new Random(seed), cluster.servers, durationMs);
    const driven = drive(cluster, { seed, clients: 3, durationMs, pauseMs: [100, 500], keys: 2, faults });
    // An ensemble with a defect need not find together again.
    await (defect === undefined ? driven : driven.catch(() => undefined));
  } else await story(cluster);
  refinement.compare();
  refinement.checkInvariants();
  await cluster.stop();
  const { failure, taken, judged } = refinement;
  return { failure, taken, judged, counts: cluster.counts() };
}

/** The leader alone logs what nobody acknowledges; the others elect, and go on. */
async function deposeWithUncommitted(cluster: EmbeddedCluster): Promise<void> {
  const roles = await cluster.roles();
  const leader = cluster.servers.find((server) => roles.get(server) === "leader") as string;
  const others = cluster.servers.filter((server) => server !== leader);
  const connected = await cluster.connect({ server: leader, sessionTimeoutMs: 4000 });
  if (!connected.connected) throw new Error(connected.reason);
  await connected.client.request({ op: "create", path: "/a", data: "", mode: "persistent" });
  const cuts = others.flatMap((other) => [[leader, other] as const, [other, leader] as const]);
  await cluster.apply({ kind: "partition", cuts });
  const outcome = await connected.client.request({ op: "setData", path: "/a", data: "lost", version: -1 });
  expect(outcome.outcome).toBe("unknown");
  await cluster.clock.sleep(10_000);
  await cluster.heal();
  await cluster.awaitQuorum(20_000);
}

const actions = [
  ...["UpdateLeader", "FollowLeader", "FollowerTimeout", "LeaderTimeout", "LeaderShutdown", "Restart"],
  ...["ConnectAndFollowerSendCEPOCH", "LeaderProcessCEPOCH", "FollowerProcessNEWEPOCH"],
  ...["LeaderProcessACKEPOCH", "FollowerProcessNEWLEADER", "LeaderProcessACKLD", "FollowerProcessCOMMITLD"],
  ...["LeaderProcessRequest", "LeaderBroadcastPROPOSE", "FollowerProcessPROPOSE"],
  ...["LeaderProcessACK", "FollowerProcessCOMMIT"],
];

describe("the embedded ensemble refines the model of Zab", () => {
  it("takes only steps of the model under faults, and every one of them", { timeout: 120_000 }, async () => {
    const taken = new Set<string>();
    const synchronizations = new Set<string>();
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const walked = await walk(seed);
      expect(walked.failure).toBeUndefined();
      expect(walked.judged).toBeGreaterThan(0);
      for (const name of walked.taken.keys()) taken.add(name);
      for (const [kind, count] of Object.entries(walked.counts)) if (count > 0) synchronizations.add(kind);
    }
    expect([...taken].sort()).toEqual([...actions].sort());
    expect(synchronizations).toContain("DIFF");
    expect(synchronizations).toContain("SNAP");
  });

  it("takes only steps of the model, whatever the seed", { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(fc.nat(), fc.constantFrom(3, 3, 5), async (seed, servers) => {
      expect((await walk(seed, { servers, durationMs: 10_000 })).failure).toBeUndefined();
    });
    await fc.assert(property, { numRuns: 8, endOnFailure: true });
  });

  it("drops what a deposed leader had logged alone, by TRUNC", async () => {
    const walked = await walk(1, { story: deposeWithUncommitted });
    expect(walked.failure).toBeUndefined();
    expect(walked.counts["TRUNC"]).toBe(1);
  });

  // Each of these is a way to be no Zab; a walk that does not notice would be worth nothing.
  for (const defect of [
    "commit-without-quorum",
    "ack-before-log",
    "unadopted-history",
    "reused-epoch",
  ] as const) {
    it(`notices ${defect}`, { timeout: 60_000 }, async () => {
      const failures: string[] = [];
      for (let seed = 1; seed <= 6 && failures.length === 0; seed++) {
        const { failure } = await walk(seed, { defect });
        if (failure !== undefined) failures.push(failure);
      }
      expect(failures).toHaveLength(1);
    });
  }
});
