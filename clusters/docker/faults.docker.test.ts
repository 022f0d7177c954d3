import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Link, ServerName } from "../fault.ts";
import { createDockerCluster, type DockerCluster } from "./docker-cluster.ts";
import { dockerForTests } from "./for-tests.ts";
import {
  ask,
  connect,
  dial,
  followerOf,
  inside,
  leaderOf,
  logOf,
  membersOf,
  read,
  until,
  write,
} from "./test-driver.ts";

const docker = await dockerForTests();
const timeoutMs = 90_000;

/**
 * Every fault has an effect that is seen without ZooKeeper's help, and service is back when it is undone. What takes
 * longer is in faults.large.test.ts.
 */
describe.skipIf(docker.reason !== undefined)(docker.title("faults on real servers"), () => {
  let cluster: DockerCluster;
  beforeAll(async () => {
    cluster = await createDockerCluster({ release: "3.9.5", servers: 3 });
    await cluster.prepare(["delay", "clock", "disk-full", "reconfig"]);
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

  const others = (server: ServerName): readonly ServerName[] =>
    cluster.servers.filter((other) => other !== server);
  const both = (a: ServerName, b: ServerName): readonly Link[] => [
    [a, b],
    [b, a],
  ];

  test("delay: packets of one direction arrive later", { timeout: timeoutMs }, async () => {
    expect(await dial(cluster, "server-1", "server-2")).toBeLessThan(100);
    const fault = await cluster.apply({
      kind: "delay",
      links: [["server-1", "server-2"]],
      delayMs: [300, 400],
    });
    expect(await dial(cluster, "server-1", "server-2")).toBeGreaterThanOrEqual(290);
    // The answer to the dial of the other direction is what is late.
    expect(await dial(cluster, "server-2", "server-1")).toBeGreaterThanOrEqual(290);
    expect(await dial(cluster, "server-1", "server-3")).toBeLessThan(100);
    await fault.undo();
    expect(await dial(cluster, "server-1", "server-2")).toBeLessThan(100);
    // What was held is still sent.
    const left = () => inside(cluster, "server-1", "side", "ip link | grep -c slow; pgrep -r S,R,D -c perl");
    await until(async () => (await left()) === "0\n0", "end of the process that holds packets");
  });

  test("loss: about that share of the packets is lost", { timeout: timeoutMs }, async () => {
    const received = async (): Promise<number> => {
      const address = await inside(cluster, "server-2", "side", "hostname -i");
      const listen = `use Socket; socket(S, AF_INET, SOCK_DGRAM, 0); bind(S, pack_sockaddr_in(9, INADDR_ANY));
        my $n = 0; my $r = ""; vec($r, fileno(S), 1) = 1; print STDERR "listens\\n";
        while (select(my $x = $r, undef, undef, 0.6) > 0) { recv(S, my $b, 100, 0); $n++ } print $n`;
      const send = `use Socket; socket(S, AF_INET, SOCK_DGRAM, 0);
        for (1..400) { send(S, "x", 0, pack_sockaddr_in(9, inet_aton("${address}"))); select(undef, undef, undef, 0.0005) }`;
      const counted = inside(cluster, "server-2", "side", `perl -e '${listen}' 2>/dev/null`);
      await cluster.clock.sleep(200);
      await inside(cluster, "server-1", "side", `perl -e '${send}'`);
      return Number(await counted);
    };
    expect(await received()).toBe(400);
    const fault = await cluster.apply({ kind: "loss", links: [["server-1", "server-2"]], share: 0.5 });
    const half = await received();
    expect(half).toBeGreaterThan(120);
    expect(half).toBeLessThan(280);
    await fault.undo();
    expect(await received()).toBe(400);
  });

  test(
    "reset: a leader loses its followers at once, and finds none until it is undone",
    { timeout: timeoutMs },
    async () => {
      const leader = await leaderOf(cluster);
      expect(await dial(cluster, leader, others(leader)[0]!)).toBeTypeOf("number");
      const fault = await cluster.apply({
        kind: "reset",
        links: others(leader).flatMap((other) => both(leader, other)),
      });
      expect(await dial(cluster, leader, others(leader)[0]!)).toMatch(/refused/i);
      await until(async () => {
        const roles = await cluster.roles();
        return others(leader).some((other) => roles.get(other) === "leader");
      }, "other leader");
      await fault.undo();
      expect(await dial(cluster, leader, others(leader)[0]!)).toBeTypeOf("number");
    },
  );

  test("starve: the server's container gets that share of a processor", { timeout: timeoutMs }, async () => {
    const count = async (): Promise<number> =>
      Number(
        await inside(
          cluster,
          "server-1",
          "server",
          `i=0; end=$(( $(date +%s%N) + 500000000 )); while [ $(date +%s%N) -lt $end ]; do i=$((i+1)); done; echo $i`,
        ),
      );
    const before = await count();
    const fault = await cluster.apply({ kind: "starve", servers: ["server-1"], share: 0.05 });
    expect(await count()).toBeLessThan(before / 3);
    await fault.undo();
    expect(await count()).toBeGreaterThan(before / 3);
  });

  test("clock: a leader's clock jumps, and what it writes says so", { timeout: timeoutMs }, async () => {
    const offsetS = async (): Promise<number> => {
      await write(cluster, "/clock", String(performance.now()));
      const answer = await ask(await connect(cluster), { op: "exists", path: "/clock" });
      const mtime = answer.error === null ? (answer.result.stat?.mtime ?? 0) : 0;
      return Math.round((mtime - Date.now()) / 1000);
    };
    expect(Math.abs(await offsetS())).toBeLessThan(5);
    const fault = await cluster.apply({
      kind: "clock",
      servers: [await leaderOf(cluster)],
      offsetMs: -3_600_000,
    });
    await until(async () => Math.abs((await offsetS()) + 3600) < 5, "jump of the clock");
    await fault.undo();
    await until(async () => Math.abs(await offsetS()) < 5, "right clock");
  });

  test("slow disk: a write waits for the fsync of a majority", { timeout: timeoutMs }, async () => {
    expect(await write(cluster, "/slow", "before")).toBeLessThan(150);
    const fault = await cluster.apply({ kind: "slow-disk", servers: cluster.servers, delayMs: 200 });
    await until(async () => (await write(cluster, "/slow", "slow")) >= 200, "slow write");
    await fault.undo();
    expect(await write(cluster, "/slow", "after")).toBeLessThan(150);
    expect(await inside(cluster, "server-1", "server", "pgrep -c strace")).toBe("0");
  });

  test(
    "disk full: nothing more can be logged, and all is well when there is room again",
    { timeout: timeoutMs },
    async () => {
      const follower = await followerOf(cluster);
      const free = () => inside(cluster, follower, "server", "stat -f -c %a /data");
      expect(Number(await free())).toBeGreaterThan(10_000);
      const fault = await cluster.apply({ kind: "disk-full", servers: [follower] });
      expect(await free()).toBe("0");
      await until(async () => {
        await write(cluster, "/full", "x".repeat(10_000));
        return /No space left on device/.test(await logOf(cluster, follower));
      }, "full disk");
      await fault.undo();
      expect(Number(await free())).toBeGreaterThan(10_000);
      await cluster.awaitQuorum(20_000);
      expect((await read(cluster, "/full", follower))?.length).toBe(10_000);
    },
  );

  test(
    "damage: a flipped bit stops its server until it has its log again",
    { timeout: timeoutMs },
    async () => {
      const follower = await followerOf(cluster);
      const fault = await cluster.apply({ kind: "damage", servers: [follower], damage: "flipped" });
      expect((await cluster.roles()).get(follower)).toBe("none");
      expect(await logOf(cluster, follower)).toContain("CRC check failed");
      await fault.undo();
      await cluster.awaitQuorum(20_000);
    },
  );

  test(
    "reconfig: servers leave and join, and the ensemble's configuration says so",
    { timeout: timeoutMs },
    async () => {
      expect(await membersOf(cluster)).toBe("1 2 3");
      const leader = await leaderOf(cluster);
      const removed = await cluster.apply({ kind: "reconfig", leaving: [leader], joining: [] });
      expect(await membersOf(cluster)).toBe(
        ["1", "2", "3"].filter((number) => `server-${number}` !== leader).join(" "),
      );
      await removed.undo();
      expect(await membersOf(cluster)).toBe("1 2 3");
      const added = await cluster.apply({ kind: "reconfig", leaving: [], joining: cluster.spares });
      expect(await membersOf(cluster)).toBe("1 2 3 4");
      await added.undo();
      expect(await membersOf(cluster)).toBe("1 2 3");
    },
  );
});

describe.skipIf(docker.reason !== undefined)(docker.title("a power cut"), () => {
  test(
    "loses what was acknowledged and not synced, where a kill keeps it",
    { timeout: timeoutMs },
    async () => {
      const settings = { forceSync: "no" };
      const cluster = await createDockerCluster({ release: "3.9.5", servers: 1, settings });
      try {
        await cluster.prepare(["power-cut"]);
        await cluster.start();
        for (const kind of ["kill", "power-cut"] as const) {
          await write(cluster, `/${kind}`, "acknowledged");
          const fault = await cluster.apply({ kind, servers: cluster.servers });
          await fault.undo();
          await cluster.awaitQuorum(20_000);
        }
        expect(await read(cluster, "/kill", "server-1")).toBe("acknowledged");
        expect(await read(cluster, "/power-cut", "server-1")).toBe(null);
      } finally {
        await cluster.stop();
      }
    },
  );
});
