import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OperationError } from "../../model/index.ts";
import { createDockerCluster } from "./docker-cluster.ts";
import type { DockerCluster } from "./docker-cluster.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { dockerForTests } from "./for-tests.ts";
import { startOtherRun } from "./killed-run.ts";
import type { DockerClusterOptions } from "./options.ts";
import { runLabel, sweep } from "./sweep.ts";
import { containersOf, tracesOf } from "./test-driver.ts";

const docker = await dockerForTests();
const timeoutMs = 90_000;

/** How many containers, networks and volumes of a run the Engine keeps. */
async function kept(engine: Engine, run: string): Promise<readonly [number, number, number]> {
  const filters = { label: [`${runLabel}=${run}`] };
  const [containers, networks, { Volumes }] = await Promise.all([
    engine.listContainers({ all: true, filters }),
    engine.listNetworks({ filters }),
    engine.listVolumes({ filters }),
  ]);
  return [containers.length, networks.length, (Volumes ?? []).length];
}

describe.skipIf(docker.reason !== undefined)(docker.title("what a run leaves"), () => {
  test("is nothing, when it was stopped, also with faults in force", { timeout: timeoutMs }, async () => {
    const engine = await connectEngine();
    const cluster = await createDockerCluster({ release: "3.9.5", servers: 3 });
    await cluster.start();
    expect(await kept(engine, cluster.run)).toEqual([6, 1, 9]);
    await cluster.apply({ kind: "pause", servers: ["server-1"] });
    await cluster.apply({ kind: "kill", servers: ["server-2"] });
    await sweep(engine);
    expect(await kept(engine, cluster.run)).toEqual([6, 1, 9]);
    await cluster.stop();
    expect(await kept(engine, cluster.run)).toEqual([0, 0, 0]);
  });

  test(
    "is swept by the next run when its process was killed amid faults, and a living run is left alone",
    { timeout: timeoutMs },
    async () => {
      const engine = await connectEngine();
      // Every means of doing harm at once: packet filters, held packets, tracers, a full disk, a quota, a spare.
      const { child, run } = await startOtherRun({
        prepared: ["delay", "disk-full", "clock", "reconfig"],
        faults: [
          { kind: "reconfig", leaving: [], joining: ["server-4"] },
          { kind: "slow-disk", servers: ["server-1"], delayMs: 200 },
          { kind: "delay", links: [["server-1", "server-2"]], delayMs: [200, 300] },
          { kind: "loss", links: [["server-1", "server-2"]], share: 0.2 },
          { kind: "starve", servers: ["server-2"], share: 0.1 },
          { kind: "clock", servers: ["server-1"], offsetMs: 3_600_000 },
          { kind: "disk-full", servers: ["server-2"] },
          { kind: "reset", links: [["server-2", "server-3"]] },
          { kind: "partition", cuts: [["server-1", "server-2"]] },
          { kind: "pause", servers: ["server-1"] },
          { kind: "kill", servers: ["server-3"] },
        ],
      });
      const containers = await containersOf(run);
      try {
        await sweep(engine);
        expect(await kept(engine, run)).toEqual([10, 1, 13]);
      } finally {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      expect(await kept(engine, run)).toEqual([10, 1, 13]);
      const traces = tracesOf(run, containers).join("\n");
      expect(traces.match(/^loop/gm)).toHaveLength(4);
      for (const what of ["strace ", "slow-links.pl", "a mount"]) expect(traces).toContain(what);
      const next = await createDockerCluster({ release: "3.9.5", servers: 1 });
      expect(await kept(engine, run)).toEqual([0, 0, 0]);
      expect(tracesOf(run, containers)).toEqual([]);
      await next.stop();
    },
  );
});

describe.skipIf(docker.reason !== undefined)(docker.title("faults that overlap"), () => {
  let cluster: DockerCluster;
  beforeAll(async () => {
    cluster = await createDockerCluster({ release: "3.9.5", servers: 3 });
    await cluster.start();
  }, timeoutMs);
  afterAll(() => cluster?.stop(), timeoutMs);

  const role = async (): Promise<string | undefined> => (await cluster.roles()).get("server-1");

  test(
    "a server killed twice comes back when both are undone, and is frozen if it was paused meanwhile",
    { timeout: timeoutMs },
    async () => {
      const first = await cluster.apply({ kind: "kill", servers: ["server-1"] });
      const second = await cluster.apply({ kind: "kill", servers: ["server-1", "server-2"] });
      const pause = await cluster.apply({ kind: "pause", servers: ["server-1"] });
      await first.undo();
      await cluster.clock.sleep(200);
      expect(await role()).toBe("none");
      await second.undo();
      await cluster.clock.sleep(1_000);
      expect(await role()).toBe("none");
      await pause.undo();
      await cluster.awaitQuorum(20_000);
      expect(await role()).not.toBe("none");
    },
  );

  test(
    "a partition holds through a kill and restart of the server that it cuts off",
    { timeout: timeoutMs },
    async () => {
      const others = cluster.servers.filter((server) => server !== "server-1");
      const cuts = others.flatMap((other) => [[other, "server-1"] as const, ["server-1", other] as const]);
      const partition = await cluster.apply({ kind: "partition", cuts });
      const killed = await cluster.apply({ kind: "kill", servers: ["server-1"] });
      await killed.undo();
      await cluster.awaitQuorum(20_000);
      // Long enough for it to join, were it not cut off.
      await cluster.clock.sleep(4_000);
      expect(await role()).toBe("none");
      await partition.undo();
      await cluster.awaitQuorum(20_000);
      expect(await role()).toBe("follower");
    },
  );

  test(
    "a server that ends by itself is found and named when the quorum is awaited",
    { timeout: timeoutMs },
    async () => {
      const engine = await connectEngine();
      const filters = {
        label: [`${runLabel}=${cluster.run}`, "zabcheck.role=server", "zabcheck.server=server-3"],
      };
      const [server] = await engine.listContainers({ filters });
      await engine.getContainer(server!.Id).kill();
      await expect(cluster.awaitQuorum(10_000)).rejects.toMatchObject({
        code: "server-died",
        message: expect.stringMatching(/^server-3 .*ended by itself, exit code 137; its log ends: /),
      });
    },
  );
});

describe.skipIf(docker.reason !== undefined)(docker.title("a cluster that cannot be brought up"), () => {
  const failureOf = async (options: Partial<DockerClusterOptions>): Promise<OperationError> => {
    let cluster: DockerCluster | undefined;
    try {
      cluster = await createDockerCluster({ servers: 1, ...options });
      await cluster.start();
    } catch (error) {
      expect(error).toBeInstanceOf(OperationError);
      const failure = error as OperationError;
      expect(failure.message).not.toContain("\n");
      expect(failure.hint).not.toBe("");
      if (cluster !== undefined) expect(await kept(await connectEngine(), cluster.run)).toEqual([0, 0, 0]);
      return failure;
    }
    await cluster.stop();
    throw new Error("it came up");
  };

  test("for want of its image", { timeout: timeoutMs }, async () => {
    expect(await failureOf({ image: "nobody/nothing:1" })).toMatchObject({ code: "unknown-image" });
    expect((await failureOf({ image: "zookeeper:3.9.0" })).hint).toContain("zabcheck image --release 3.9.0");
  });

  test("because the image is no server", { timeout: timeoutMs }, async () => {
    expect((await failureOf({ image: "zabcheck/base:bookworm" })).hint).toContain("contract");
  });

  test("because the server ends at its start, with what it said last", { timeout: timeoutMs }, async () => {
    const failure = await failureOf({ release: "3.9.5", settings: { tickTime: "often" } });
    expect(failure).toMatchObject({ code: "server-died", message: expect.stringContaining("often") });
  });

  test("because its subnet is another's", { timeout: timeoutMs }, async () => {
    expect(await failureOf({ release: "3.9.5", subnet: "127.0.0.0/24" })).toMatchObject({ code: "subnet" });
  });

  test("because its port is in use", { timeout: timeoutMs }, async () => {
    const listener: Server = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const address = listener.address();
    const publishPort = typeof address === "object" && address !== null ? address.port : 0;
    try {
      expect(await failureOf({ release: "3.9.5", publishPort })).toMatchObject({ code: "port-in-use" });
    } finally {
      listener.close();
    }
  });
});
