import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { OperationError } from "../../model/index.ts";
import type { Client, Cluster } from "../cluster.ts";
import { type FaultKind, faultKinds, type ServerName } from "../fault.ts";
import { archiveOf } from "./archive.ts";
import { createDockerCluster } from "./docker-cluster.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { dockerForTests } from "./for-tests.ts";
import type { DockerClusterOptions } from "./options.ts";

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

  test("servers of two releases form one ensemble, with an observer", { timeout: timeoutMs }, async () => {
    const cluster = await createDockerCluster({ release: ["3.8.6", "3.9.5"], servers: 3, observers: 1 });
    try {
      await cluster.start();
      expect(cluster.version).toBe("zookeeper 3.8.6, 3.9.5");
      expect([...(await cluster.roles()).values()].toSorted()).toEqual([
        ...["follower", "follower", "leader", "observer"],
      ]);
      const client = await connect(cluster, "server-4");
      await write(client, "through an observer");
      // It counts for no quorum: two of the three voters are one.
      await cluster.apply({ kind: "kill", servers: [await followerOf(cluster), "server-4"] });
      await write(await connect(cluster, await leaderOf(cluster)), "through the leader", "/other");
      await cluster.heal();
      await cluster.awaitQuorum(30_000);
    } finally {
      await cluster.stop();
    }
  });

  test("what a release, an image or so few servers cannot do is refused, with the reason", async () => {
    const reasonOf = async (options: DockerClusterOptions, kind: FaultKind): Promise<string> => {
      const cluster = await createDockerCluster(options);
      try {
        await expect(cluster.prepare([kind])).rejects.toBeInstanceOf(OperationError);
        const support = await cluster.supports(kind);
        return support.supported ? "" : support.reason;
      } finally {
        await cluster.stop();
      }
    };
    expect(await reasonOf({ release: "3.4.14", servers: 3 }, "reconfig")).toMatch(/3\.4\.14 has no reconfig/);
    expect(await reasonOf({ release: "3.4.14", servers: 3, upgradeTo: "3.9.5" }, "upgrade")).toMatch(
      /3\.4\.14/,
    );
    expect(await reasonOf({ release: "3.9.5", servers: 3 }, "upgrade")).toMatch(/no second release/);
    expect(await reasonOf({ release: "3.9.5", servers: 1 }, "damage")).toMatch(/no minority/);
    expect(await reasonOf({ release: "3.9.5", servers: 2 }, "reconfig")).toMatch(/nobody to lose/);
  });

  test("without its tools, an image lets servers run, and every fault that needs one is refused", async () => {
    const engine = await connectEngine();
    const tag = "zabcheck/test-no-tools:1";
    const made = await importNothing(engine, tag);
    try {
      const cluster = await createDockerCluster({ release: "3.9.5", servers: 3, sideImage: made });
      const refused: FaultKind[] = [];
      for (const kind of faultKinds) {
        const support = await cluster.supports(kind);
        if (support.supported) continue;
        expect(support.reason.length).toBeGreaterThan(20);
        refused.push(kind);
      }
      await cluster.stop();
      expect(refused.toSorted()).toEqual(
        [
          ...["partition", "loss", "delay", "reset", "power-cut", "disk-full", "disk-error", "slow-disk"],
          ...["clock-rate", "upgrade"],
        ].toSorted(),
      );
    } finally {
      await engine.getImage(made).remove({ force: true });
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

/** An image with a file in it and nothing that runs. */
async function importNothing(engine: Engine, tag: string): Promise<string> {
  const answer = await engine.importImage(Readable.from([await archiveOf({ empty: "" })]));
  let text = "";
  for await (const chunk of answer as Readable) text += String(chunk);
  const [repo, version] = tag.split(":");
  const id = /sha256:[0-9a-f]{64}/.exec(text)?.[0] ?? "";
  await engine.getImage(id).tag({ repo: repo!, tag: version! });
  return tag;
}

async function write(client: Client, data: string, path = "/kept"): Promise<void> {
  const outcome = await client.request({ op: "create", path, data, mode: "persistent" });
  expect(outcome).toMatchObject({ outcome: "answered", answer: { error: null } });
}

async function followerOf(cluster: Cluster): Promise<ServerName> {
  const follower = [...(await cluster.roles())].find(([, role]) => role === "follower")?.[0];
  if (follower === undefined) throw new Error("nobody follows");
  return follower;
}

async function leaderOf(cluster: Cluster): Promise<ServerName> {
  const leader = [...(await cluster.roles())].find(([, role]) => role === "leader")?.[0];
  if (leader === undefined) throw new Error("nobody leads");
  return leader;
}
