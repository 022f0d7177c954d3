import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError, type ZnodeRequest } from "../../model/index.ts";
import type { Client, ConnectOptions, ServerName } from "../cluster.ts";
import { readServerDisks } from "../protocol/disk/index.ts";
import { EmbeddedCluster } from "./embedded-cluster.ts";
import type { Defect, EmbeddedOptions } from "./options.ts";
import { Random } from "./random.ts";
import type { EmbeddedServer } from "./server.ts";
import { drawFaults, drive } from "./test-driver.ts";

const durationMs = 12_000;

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
    await fc.assert(property, { numRuns: 2, endOnFailure: true });
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

  it("has observers that miss nothing of what is committed while they are synchronized", async () => {
    const cluster = await started({ seed: 4, observers: 1 });
    const leader = await leaderOf(cluster);
    const killed = await cluster.apply({ kind: "kill", servers: ["server-4"] });
    // The leader knows the observer for a while before it is asked for the history.
    await cluster.apply({ kind: "delay", links: [["server-4", leader]], delayMs: [300, 300] });
    const client = await connect(cluster, leader);
    await client.request(create("/a", ""));
    await killed.undo();
    for (let i = 0; i < 200; i++) {
      await client.request({ op: "setData", path: "/a", data: `${i}`, version: -1 });
      await cluster.clock.sleep(20);
    }
    await cluster.heal();
    await cluster.awaitQuorum(20_000);
    await cluster.clock.sleep(1_000);
    const zxids = cluster.ensemble.servers.map(({ zab }) => zab.history.map(({ zxid }) => zxid));
    expect(zxids[3]).toEqual(zxids[0]);
    expect(zxids[3]!.length).toBeGreaterThan(200);
  });

  it("has observers that do not go back to a leader that was deposed and does not know it", async () => {
    const cluster = await started({ seed: 4, observers: 1 });
    const old = await leaderOf(cluster);
    const voters = cluster.voters.filter((server) => server !== old);
    const cuts = voters.flatMap((other) => [[old, other] as const, [other, old] as const]);
    await cluster.apply({ kind: "clock-rate", servers: [old], rate: 0.05 });
    await cluster.apply({ kind: "partition", cuts });
    await (await cluster.apply({ kind: "kill", servers: ["server-4"] })).undo();
    await cluster.clock.sleep(5_000);
    const { servers } = cluster.ensemble;
    const [deposed, observer] = [servers.find(({ name }) => name === old)!, servers[3]!];
    expect([deposed.role, observer.role]).toEqual(["leader", "observer"]);
    expect(observer.zab.acceptedEpoch).toBe(deposed.zab.acceptedEpoch + 1);
    observer.look("it is misled");
    observer.follow(deposed.id);
    await cluster.clock.sleep(1_000);
    expect(observer.notes).toContainEqual(expect.stringMatching(/epoch 1 is over/));
  });

  it("leaves disks that read as ZooKeeper's", async () => {
    const cluster = await started({ seed: 1 });
    const client = await connect(cluster, "server-1");
    await client.request({ op: "create", path: "/a", data: "one", mode: "persistent" });
    await client.request({ op: "setData", path: "/a", data: "two", version: 7 });
    await client.close();
    const folder = await mkdtemp(join(tmpdir(), "zabcheck-embedded-"));
    try {
      await cluster.collect(folder);
      const disks = readServerDisks([folder]);
      expect(disks.map(({ name }) => name)).toEqual(cluster.servers);
      for (const [index, disk] of disks.entries()) {
        const { zab } = cluster.ensemble.servers[index] as EmbeddedServer;
        const read = disk.logs.flatMap((log) => log.records.map(({ transaction }) => transaction));
        expect(read).toEqual(zab.history.map(({ header, body }) => ({ header, body })));
        expect(read.map(({ body }) => body.type)).toEqual([
          "createSession",
          "create",
          "error",
          "closeSession",
        ]);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("refuses options that make no ensemble", () => {
    expect(() => new EmbeddedCluster({ seed: 1, servers: 0 })).toThrow(InputError);
    expect(() => new EmbeddedCluster({ seed: 1, observers: -1 })).toThrow(InputError);
    expect(() => new EmbeddedCluster({ seed: 1, defect: "none" as Defect })).toThrow(InputError);
  });
});

describe("seeded defects", () => {
  for (const defect of [undefined, "commit-without-quorum"] as const) {
    it(`${defect ?? "no defect"}: a leader alone answers writes: ${defect !== undefined}`, async () => {
      const cluster = await started({ seed: 1, ...(defect === undefined ? {} : { defect }) });
      const leader = await leaderOf(cluster);
      const client = await connect(cluster, leader, { requestTimeoutMs: 1000 });
      await client.request(create("/a", "before"));
      await cluster.clock.sleep(100);
      await cluster.apply({ kind: "partition", cuts: isolate(cluster, leader) });
      const outcome = await client.request({ op: "setData", path: "/a", data: "alone", version: -1 });
      expect(outcome.outcome).toBe(defect === undefined ? "unknown" : "answered");
      await cluster.clock.sleep(10_000);
      await cluster.heal();
      await cluster.awaitQuorum(20_000);
      expect(await read(cluster, leader, "/a")).toBe("before");
    });
  }

  for (const defect of [undefined, "ack-before-log"] as const) {
    it(`${defect ?? "no defect"}: a crash of all loses an acknowledged write: ${defect !== undefined}`, async () => {
      const cluster = await started({ seed: 1, ...(defect === undefined ? {} : { defect }) });
      const client = await connect(cluster, "server-1");
      await client.request(create("/a", "before"));
      await cluster.clock.sleep(3_000);
      const outcome = await client.request({ op: "setData", path: "/a", data: "after", version: -1 });
      expect(outcome).toMatchObject({ outcome: "answered", answer: { error: null } });
      const kill = await cluster.apply({ kind: "kill", servers: cluster.servers });
      await kill.undo();
      await cluster.awaitQuorum(20_000);
      expect(await read(cluster, "server-1", "/a")).toBe(defect === undefined ? "after" : "before");
    });
  }

  for (const defect of [undefined, "session-from-the-future"] as const) {
    it(`${defect ?? "no defect"}: a session moves into the past: ${defect !== undefined}`, async () => {
      const cluster = await started({ seed: 1, ...(defect === undefined ? {} : { defect }) });
      const leader = await leaderOf(cluster);
      const follower = cluster.servers.find((server) => server !== leader) as ServerName;
      const client = await connect(cluster, leader);
      await client.request(create("/a", "before"));
      await cluster.clock.sleep(100);
      await cluster.apply({ kind: "partition", cuts: isolate(cluster, follower) });
      await client.request({ op: "setData", path: "/a", data: "after", version: -1 });
      client.disconnect();
      const resume = client.credentials;
      const moved = await cluster.connect({ server: follower, sessionTimeoutMs: 4000, resume });
      if (defect === undefined) {
        expect(moved).toMatchObject({ connected: false, failure: "refused" });
        return;
      }
      if (!moved.connected) throw new Error(moved.reason);
      const seen = await moved.client.request({ op: "getData", path: "/a" });
      expect(seen).toMatchObject({ answer: { result: { data: "before" } } });
    });
  }
});

function create(path: string, data: string): ZnodeRequest {
  return { op: "create", path, data, mode: "persistent" };
}

function isolate(cluster: EmbeddedCluster, server: ServerName): (readonly [ServerName, ServerName])[] {
  const others = cluster.servers.filter((other) => other !== server);
  return others.flatMap((other) => [[server, other] as const, [other, server] as const]);
}

async function leaderOf(cluster: EmbeddedCluster): Promise<ServerName> {
  const roles = await cluster.roles();
  return cluster.servers.find((server) => roles.get(server) === "leader") as ServerName;
}

/** What a server shows once it has caught up. */
async function read(cluster: EmbeddedCluster, server: ServerName, path: string): Promise<unknown> {
  const client = await connect(cluster, server);
  await client.request({ op: "sync", path });
  const outcome = await client.request({ op: "getData", path });
  return outcome.outcome === "answered" && outcome.answer.error === null
    ? outcome.answer.result.data
    : outcome;
}

async function started(options: EmbeddedOptions): Promise<EmbeddedCluster> {
  const cluster = new EmbeddedCluster(options);
  await cluster.start();
  return cluster;
}

async function connect(
  cluster: EmbeddedCluster,
  server: ServerName,
  options: Partial<ConnectOptions> = {},
): Promise<Client> {
  const result = await cluster.connect({ server, sessionTimeoutMs: 4000, ...options });
  if (!result.connected) throw new Error(result.reason);
  return result.client;
}
