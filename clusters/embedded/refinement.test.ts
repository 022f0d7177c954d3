import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EmbeddedCluster } from "./embedded-cluster.ts";
import type { Defect } from "./options.ts";
import { Random } from "./random.ts";
import { Refinement } from "./refinement.ts";
import { drawFaults, drive, type TimedFault } from "./test-driver.ts";

interface Walked {
  readonly failure: string | undefined;
  readonly taken: ReadonlyMap<string, number>;
  readonly counts: Readonly<Record<string, number>>;
}

/** Runs the ensemble beside the model. Every so many events the model's invariants are evaluated, too. */
async function walk(
  seed: number,
  options: { servers?: number; defect?: Defect; durationMs?: number; faults?: readonly TimedFault[] } = {},
): Promise<Walked> {
  const { defect, servers = 3, durationMs = 20_000 } = options;
  const cluster = new EmbeddedCluster({
    seed,
    servers,
    snapshotBeyond: 12,
    ...(defect === undefined ? {} : { defect }),
  });
  const refinement = new Refinement(cluster.ensemble);
  let events = 0;
  cluster.ensemble.trace((steps) => {
    refinement.walk(steps);
    if (++events % 40 === 0) refinement.checkInvariants();
  });
  await cluster.start();
  const faults = options.faults ?? drawFaults(new Random(seed), cluster.servers, durationMs);
  await drive(cluster, { seed, clients: 3, durationMs, pauseMs: [100, 400], keys: 2, faults });
  refinement.compare();
  refinement.checkInvariants();
  await cluster.stop();
  return { failure: refinement.failure, taken: refinement.taken, counts: cluster.counts() };
}

describe("the embedded ensemble refines the model of Zab", () => {
  it("takes only steps of the model, under any faults", { timeout: 120_000 }, async () => {
    const taken = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), fc.constantFrom(3, 3, 3, 5), async (seed, servers) => {
        const walked = await walk(seed, { servers });
        for (const [name, count] of walked.taken) taken.set(name, (taken.get(name) ?? 0) + count);
        expect(walked.failure).toBeUndefined();
      }),
      { numRuns: 12, endOnFailure: true },
    );
    console.log(taken);
  });
});
