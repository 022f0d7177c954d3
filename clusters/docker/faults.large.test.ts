import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createDockerCluster, type DockerCluster } from "./docker-cluster.ts";
import { dockerForTests } from "./for-tests.ts";
import { followerOf, inside, logOf, membersOf, read, until, write } from "./test-driver.ts";

const docker = await dockerForTests();
const timeoutMs = 90_000;

/** As faults.docker.test.ts: what takes longer, and what hangs on a release. */
describe.skipIf(docker.reason !== undefined)(docker.title("faults on real servers"), () => {
  let cluster: DockerCluster;
  beforeAll(async () => {
    cluster = await createDockerCluster({ release: "3.9.5", servers: 3, upgradeTo: "3.8.6" });
    await cluster.prepare(["disk-full", "power-cut", "reconfig"]);
    await cluster.start();
    await write(cluster, "/kept", "from the beginning");
  }, timeoutMs);
  afterEach(async () => {
    await cluster.heal();
    await cluster.awaitQuorum(30_000);
    for (const server of cluster.servers) {
      expect(await read(cluster, "/kept", server)).toBe("from the beginning");
    }
  }, timeoutMs);
  afterAll(() => cluster?.stop(), timeoutMs);

  test(
    "disk error: the log cannot be synced, and its server logs again after a restart",
    { timeout: timeoutMs },
    async () => {
      const follower = await followerOf(cluster);
      const fault = await cluster.apply({ kind: "disk-error", servers: [follower], operation: "fsync" });
      await until(async () => {
        await write(cluster, "/error", "meanwhile");
        return /SyncThread.*\n.*java.io.IOException: Input\/output error/.test(
          await logOf(cluster, follower),
        );
      }, "disk error");
      await fault.undo();
      await cluster.awaitQuorum(20_000);
      expect(await read(cluster, "/error", follower)).toBe("meanwhile");
    },
  );

  test(
    "damage: a torn log loses its last record, and its server gets it from the leader",
    { timeout: timeoutMs },
    async () => {
      await write(cluster, "/torn", "the last record");
      const follower = await followerOf(cluster);
      const fault = await cluster.apply({ kind: "damage", servers: [follower], damage: "torn" });
      const logs = await inside(cluster, follower, "server", "cd /data/version-2 && ls -l log.*");
      // A header of 16 bytes and what was preallocated: only the torn one is of another size.
      const bytes = logs.split("\n").map((line) => Number(line.split(/\s+/)[4]));
      expect(bytes.filter((size) => size % 1024 !== 16)).toHaveLength(1);
      expect(await read(cluster, "/torn", follower)).toBe("the last record");
      await fault.undo();
    },
  );

  test(
    "rolling restart: every server has begun anew, and the ensemble served on",
    { timeout: timeoutMs },
    async () => {
      const starts = () =>
        Promise.all(
          cluster.servers.map((server) =>
            inside(cluster, server, "server", "stat -c %Y /proc/1; ls -di /proc/1"),
          ),
        );
      const before = await starts();
      await cluster.apply({ kind: "rolling-restart", servers: cluster.servers });
      expect((await starts()).filter((start) => before.includes(start))).toEqual([]);
    },
  );

  test(
    "upgrade: every server is of the other release, and of its own again",
    { timeout: timeoutMs },
    async () => {
      const fault = await cluster.apply({ kind: "upgrade", servers: cluster.servers });
      expect(cluster.version).toBe("zookeeper 3.8.6");
      await write(cluster, "/upgraded", "by the other release");
      await fault.undo();
      expect(cluster.version).toBe("zookeeper 3.9.5");
      expect(await read(cluster, "/upgraded", "server-1")).toBe("by the other release");
    },
  );

  test("power cut: all servers at once keep what they have acknowledged", async () => {
    await write(cluster, "/acknowledged", "before");
    const fault = await cluster.apply({ kind: "power-cut", servers: cluster.servers });
    expect([...(await cluster.roles()).values()]).toEqual(["none", "none", "none"]);
    await fault.undo();
    await cluster.awaitQuorum(30_000);
    for (const server of cluster.servers) expect(await read(cluster, "/acknowledged", server)).toBe("before");
  });

  test("reconfig: a server that is started while it is removed gives up, and is back all the same", async () => {
    const removed = await cluster.apply({ kind: "reconfig", leaving: ["server-1"], joining: [] });
    await (await cluster.apply({ kind: "kill", servers: ["server-1"] })).undo();
    await until(async () => /My id 1 not in the peer list/.test(await logOf(cluster, "server-1")), "refusal");
    await removed.undo();
    expect(await membersOf(cluster)).toBe("1 2 3");
  });

  test("disk error, writes: the hole that 3.9.5 leaves in its log is found by number, and its server repaired", async () => {
    for (let attempt = 0; attempt < 5 && cluster.findings.length === 0; attempt++) {
      const follower = await followerOf(cluster);
      const fault = await cluster.apply({ kind: "disk-error", servers: [follower], operation: "write" });
      const until = performance.now() + 2_000;
      while (performance.now() < until) await write(cluster, "/hole", String(performance.now()));
      await fault.undo();
      await cluster.awaitQuorum(30_000);
    }
    expect(cluster.findings[0]).toMatchObject({ issue: expect.stringContaining("ZOOKEEPER-4882") });
  });

  test("a fault that cannot be applied whole is not applied in part", async () => {
    const fresh = await createDockerCluster({ release: "3.9.5", servers: 3 });
    try {
      await fresh.start();
      const torn = { kind: "damage", servers: ["server-1"], damage: "torn" } as const;
      await expect(fresh.apply(torn)).rejects.toMatchObject({
        code: "fault",
        message: /has logged nothing yet/,
      });
      await fresh.awaitQuorum(20_000);
      expect((await fresh.roles()).get("server-1")).not.toBe("none");
      const unprepared = { kind: "disk-full", servers: ["server-1"] } as const;
      await expect(fresh.apply(unprepared)).rejects.toMatchObject({ message: /was not prepared/ });
    } finally {
      await fresh.stop();
    }
  });
});
