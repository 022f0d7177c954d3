import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Client, Cluster, ServerName } from "../cluster.ts";
import { createDockerCluster } from "./docker-cluster.ts";
import { connectEngine } from "./engine.ts";
import { dockerForTests } from "./for-tests.ts";
import { imageOfRelease } from "./images/server-image.ts";

const docker = await dockerForTests();
const timeoutMs = 120_000;

/** Shorter than the contract, for releases that differ from the newest in what they can, not in how they are run. */
describe.skipIf(docker.reason !== undefined)(docker.title("older releases"), () => {
  test.for(["3.8.6", "3.6.4", "3.4.14"])(
    "%s serves, loses its leader and finds another",
    { timeout: timeoutMs },
    async (release) => {
      const cluster = await createDockerCluster({ release, servers: 3 });
      try {
        await cluster.start();
        expect(cluster.version).toBe(`zookeeper ${release}`);
        const client = await connect(cluster, "server-1");
        await write(client, "before");
        client.disconnect();
        const leader = await leaderOf(cluster);
        const killed = await cluster.apply({ kind: "kill", servers: [leader] });
        await cluster.awaitQuorum(20_000);
        expect((await cluster.roles()).get(leader)).toBe("none");
        await killed.undo();
        await cluster.awaitQuorum(20_000);
        for (const server of cluster.servers) {
          const reader = await connect(cluster, server);
          await reader.request({ op: "sync", path: "/kept" });
          const read = await reader.request({ op: "getData", path: "/kept" });
          expect(read).toMatchObject({ answer: { error: null, result: { data: "before" } } });
          await reader.close();
        }
      } finally {
        await cluster.stop();
      }
    },
  );

  test("servers of two releases form one ensemble", { timeout: timeoutMs }, async () => {
    const engine = await connectEngine();
    const older = await imageOfRelease(engine, "3.8.6", () => {});
    const newer = await imageOfRelease(engine, "3.9.5", () => {});
    const cluster = await createDockerCluster({ image: [older, newer, newer], servers: 3 });
    try {
      await cluster.start();
      expect(cluster.version).toBe("zookeeper 3.8.6, 3.9.5");
    } finally {
      await cluster.stop();
    }
  });

  test("one server alone serves, and leaves its files when it is dead", { timeout: timeoutMs }, async () => {
    const cluster = await createDockerCluster({ release: "3.9.5", servers: 1 });
    const folder = mkdtempSync(join(tmpdir(), "zabcheck-collected-"));
    try {
      await cluster.start();
      expect([...(await cluster.roles()).values()]).toEqual(["standalone"]);
      await write(await connect(cluster, "server-1"), "x");
      await cluster.apply({ kind: "kill", servers: ["server-1"] });
      await cluster.collect(folder);
      expect(readdirSync(join(folder, "server-1")).toSorted()).toEqual(["data", "datalog", "server.log"]);
      expect(readdirSync(join(folder, "server-1/datalog/version-2"))).toContain("log.1");
    } finally {
      await cluster.stop();
      rmSync(folder, { recursive: true });
    }
  });
});

async function connect(cluster: Cluster, server: ServerName): Promise<Client> {
  const result = await cluster.connect({ server, sessionTimeoutMs: 4_000 });
  if (!result.connected) throw new Error(`${server}: ${result.reason}`);
  return result.client;
}

async function write(client: Client, data: string): Promise<void> {
  const outcome = await client.request({ op: "create", path: "/kept", data, mode: "persistent" });
  expect(outcome).toMatchObject({ outcome: "answered", answer: { error: null } });
}

async function leaderOf(cluster: Cluster): Promise<ServerName> {
  const leader = [...(await cluster.roles())].find(([, role]) => role === "leader")?.[0];
  if (leader === undefined) throw new Error("nobody leads");
  return leader;
}
