import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../model/index.ts";
import type { Client, ServerName } from "../cluster.ts";
import { EmbeddedCluster } from "./embedded-cluster.ts";
import type { Defect, EmbeddedOptions } from "./options.ts";
import { Random } from "./random.ts";
import { drawFaults, drive } from "./test-driver.ts";

const durationMs = 20_000;

async function history(options: EmbeddedOptions & { readonly seed: number }): Promise<string[]> {
  const cluster = new EmbeddedCluster(options);
  await cluster.start();
  const faults = drawFaults(new Random(options.seed), cluster.servers, durationMs);
  const lines = await drive(cluster, {
    seed: options.seed,
    clients: 6,
    durationMs,
    pauseMs: [1, 30],
    keys: 3,
    faults,
  });
  await cluster.stop();
  return lines;
}

describe("the embedded ensemble", () => {
  it("gives the same history for the same seed, byte for byte", { timeout: 60_000 }, async () => {
    const property = fc.asyncProperty(fc.nat(), async (seed) => {
      const [one, other] = [await history({ seed }), await history({ seed })];
      expect(one.join("\n")).toBe(other.join("\n"));
      expect(one.length).toBeGreaterThan(100);
    });
    await fc.assert(property, { numRuns: 3, endOnFailure: true });
  });

  it("gives the same history when real time is out of joint", { timeout: 60_000 }, async () => {
    const undisturbed = await history({ seed: 5 });
    const busy = setInterval(() => {
      const until = performance.now() + 3;
      while (performance.now() < until);
    }, 1);
    try {
      expect(await history({ seed: 5 })).toEqual(undisturbed);
    } finally {
      clearInterval(busy);
    }
  });

  it("gives different histories for different seeds", async () => {
    expect(await history({ seed: 1 })).not.toEqual(await history({ seed: 2 }));
  });

  it("stands still while nobody waits for it", async () => {
    const cluster = await started({ seed: 1 });
    const before = cluster.clock.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(cluster.clock.now()).toBe(before);
    await cluster.clock.sleep(1);
    expect(cluster.clock.now()).toBe(before + 1e6);
  });

  it("lets timers and I/O have their turn in a long run", async () => {
    const cluster = await started({ seed: 1 });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await cluster.clock.sleep(3_600_000);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  it("runs whoever waits at the very time at which they are woken", async () => {
    const cluster = await started({ seed: 1 });
    const began = cluster.clock.now();
    const woken: number[] = [];
    const chain = async (ms: number): Promise<void> => {
      await cluster.clock.sleep(ms);
      for (let i = 0; i < 50; i++) await Promise.resolve();
      woken.push(cluster.clock.now() - began);
    };
    await Promise.all([chain(3), chain(1), chain(2), chain(2)]);
    expect(woken).toEqual([1e6, 2e6, 2e6, 3e6]);
  });

  it("serves as an ensemble of one, which is standalone", async () => {
    const cluster = await started({ seed: 1, servers: 1 });
    expect([...(await cluster.roles()).values()]).toEqual(["standalone"]);
    const client = await connect(cluster, "server-1");
    await client.request({ op: "create", path: "/a", data: "kept", mode: "persistent" });
    const kill = await cluster.apply({ kind: "kill", servers: ["server-1"] });
    await kill.undo();
    await cluster.awaitQuorum(10_000);
    const again = await connect(cluster, "server-1");
    const read = await again.request({ op: "getData", path: "/a" });
    expect(read).toMatchObject({ answer: { result: { data: "kept" } } });
  });

  it("has observers, which serve clients and count for no quorum", async () => {
    const cluster = await started({ seed: 3, observers: 2, snapshotBeyond: 5 });
    expect([...(await cluster.roles()).values()].sort()).toEqual([
      ...["follower", "follower", "leader", "observer", "observer"],
    ]);
    const client = await connect(cluster, "server-4");
    await client.request({ op: "create", path: "/a", data: "", mode: "persistent" });
    await cluster.apply({ kind: "kill", servers: ["server-5"] });
    for (let i = 0; i < 20; i++) {
      const written = await client.request({ op: "setData", path: "/a", data: `${i}`, version: -1 });
      expect(written).toMatchObject({ outcome: "answered", answer: { error: null } });
    }
    await cluster.heal();
    await cluster.awaitQuorum(20_000);
    const other = await connect(cluster, "server-5");
    await other.request({ op: "sync", path: "/a" });
    expect(await other.request({ op: "getData", path: "/a" })).toMatchObject({
      answer: { result: { data: "19" } },
    });
    await cluster.apply({ kind: "kill", servers: ["server-1", "server-2"] });
    await cluster.clock.sleep(10_000);
    await expect(cluster.awaitQuorum(1000)).rejects.toThrow(/no quorum/);
  });

  it("refuses options that make no ensemble", () => {
    expect(() => new EmbeddedCluster({ seed: 1, servers: 0 })).toThrow(InputError);
    expect(() => new EmbeddedCluster({ seed: 1, observers: -1 })).toThrow(InputError);
    expect(() => new EmbeddedCluster({ seed: 1, defect: "none" as Defect })).toThrow(InputError);
  });
});

describe("seeded defects", () => {
  it("session-from-the-future: sessions see the past again, as they never do without it", async () => {
    const runsBack = async (seed: number, defect: { defect?: Defect }): Promise<number> =>
      zxidsRunBack(await history({ seed, ...defect }));
    let back: number = 0;
    for (const seed of [1, 2, 3, 4]) {
      expect(await runsBack(seed, {})).toBe(0);
      back += await runsBack(seed, { defect: "session-from-the-future" });
    }
    expect(back).toBeGreaterThan(0);
  }, 60_000);
});

/** How often a process was answered from before what it had seen. Its session may have ended in between: then it starts anew. */
function zxidsRunBack(lines: readonly string[]): number {
  const seen = new Map<unknown, number>();
  let back = 0;
  for (const line of lines) {
    const [, process, outcome, answer] = JSON.parse(line) as [number, unknown, string, unknown];
    if (answer === "expired") seen.delete(process);
    if (outcome !== "answered") continue;
    const { zxid } = answer as { readonly zxid: number };
    if (zxid < (seen.get(process) ?? 0)) back++;
    seen.set(process, zxid);
  }
  return back;
}

async function started(options: EmbeddedOptions): Promise<EmbeddedCluster> {
  const cluster = new EmbeddedCluster(options);
  await cluster.start();
  return cluster;
}

async function connect(cluster: EmbeddedCluster, server: ServerName): Promise<Client> {
  const result = await cluster.connect({ server, sessionTimeoutMs: 4000 });
  if (!result.connected) throw new Error(result.reason);
  return result.client;
}
