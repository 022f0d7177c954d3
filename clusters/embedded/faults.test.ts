import { describe, expect, it } from "vitest";
import { OperationError } from "../../model/index.ts";
import type { Client } from "../cluster.ts";
import type { Fault, Link, ServerName } from "../fault.ts";
import { EmbeddedCluster } from "./embedded-cluster.ts";
import { fairWeather, Route } from "./network.ts";
import type { EmbeddedOptions } from "./options.ts";
import { Random } from "./random.ts";
import type { EmbeddedServer } from "./server.ts";
import { World } from "./world.ts";

/** Every fault has an effect. That all is well when it is undone, the contract's tests see to. */
describe("faults of the embedded ensemble", () => {
  it("loss: a share of the datagrams is gone, and a connection's messages come late and in order", () => {
    const route = new Route(new World(), new Random(1), [5, 200]);
    route.setWeather({ ...fairWeather, loss: 0.3 });
    const datagrams = Array.from({ length: 2000 }, () => route.extraNsOfDatagram());
    const lost = datagrams.filter((ns) => ns === undefined).length;
    expect(lost / 2000).toBeGreaterThan(0.25);
    expect(lost / 2000).toBeLessThan(0.35);
    const messages = Array.from({ length: 2000 }, () => route.extraNs());
    expect(messages.filter((ns) => ns === 0).length).toBe(2000 - messages.filter((ns) => ns >= 200e6).length);
    expect(messages.filter((ns) => ns >= 600e6).length).toBeGreaterThan(100);
    route.setWeather(fairWeather);
    expect(route.extraNs()).toBe(0);
    expect(route.extraNsOfDatagram()).toBe(0);
  });

  it("loss: a leader that hardly hears its followers loses them", async () => {
    const cluster = await started();
    const leader = await leaderOf(cluster);
    await cluster.apply({ kind: "loss", links: around(cluster, leader), share: 0.97 });
    await cluster.clock.sleep(20_000);
    expect((await cluster.roles()).get(leader)).toBe("none");
  });

  it("delay: a follower's client waits for both ways to the leader", async () => {
    const cluster = await started();
    const follower = await followerOf(cluster);
    const client = await connect(cluster, follower);
    expect(await writeMs(cluster, client)).toBeLessThan(20);
    const fault = await cluster.apply({
      kind: "delay",
      links: around(cluster, follower),
      delayMs: [100, 120],
    });
    expect(await writeMs(cluster, client)).toBeGreaterThan(200);
    await fault.undo();
    await cluster.clock.sleep(500);
    expect(await writeMs(cluster, client)).toBeLessThan(20);
  });

  it("reset: a leader loses its followers at once, long before it would miss them", async () => {
    for (const kind of ["reset", "partition"] as const) {
      const cluster = await started();
      const leader = await leaderOf(cluster);
      const links = around(cluster, leader);
      await cluster.apply(kind === "reset" ? { kind, links } : { kind, cuts: links });
      await cluster.clock.sleep(400);
      expect((await cluster.roles()).get(leader)).toBe(kind === "reset" ? "none" : "leader");
    }
  });

  it("reset: no connection is made while it lasts", async () => {
    const cluster = await started();
    // The third will be elected, with the second; the first votes for it, too, as the second tells it to.
    const killed = await cluster.apply({ kind: "kill", servers: cluster.servers });
    const links: readonly Link[] = [
      ["server-1", "server-3"],
      ["server-3", "server-1"],
    ];
    const reset = await cluster.apply({ kind: "reset", links });
    await killed.undo();
    await cluster.clock.sleep(8_000);
    expect([...(await cluster.roles()).values()]).toEqual(["none", "follower", "leader"]);
    expect(server(cluster, "server-3").notes.filter((note) => /loses server-1/.test(note))).toEqual([]);
    await reset.undo();
    await cluster.awaitQuorum(20_000);
  });

  it("reset, one way: its sender learns of it, and the other end by silence only", async () => {
    const cluster = await started();
    const leader = await leaderOf(cluster);
    const follower = await followerOf(cluster);
    await cluster.apply({ kind: "reset", links: [[follower, leader]] });
    await cluster.clock.sleep(300);
    const roles = await cluster.roles();
    expect([roles.get(follower), roles.get(leader)]).toEqual(["none", "leader"]);
    expect(server(cluster, leader).notes.filter((note) => /loses server/.test(note))).toEqual([]);
    await cluster.clock.sleep(2_000);
    expect(
      server(cluster, leader).notes.filter((note) => /loses .*: no word from it/.test(note)),
    ).toHaveLength(1);
  });

  it("starve: a server takes its events one after the other, each late, and none is lost", async () => {
    const cluster = await started();
    const follower = await followerOf(cluster);
    const client = await connect(cluster, follower);
    const fault = await cluster.apply({ kind: "starve", servers: [follower], share: 0.0025 });
    const all = Promise.all(Array.from({ length: 10 }, () => writeMs(cluster, client)));
    expect(Math.max(...(await all))).toBeGreaterThan(100);
    await fault.undo();
    expect(await writeMs(cluster, client)).toBeLessThan(20);
  });

  for (const kind of ["disk-full", "disk-error"] as const) {
    it(`${kind}: a server ends when it has something to log, and is back when the disk is`, async () => {
      const cluster = await started();
      const follower = await followerOf(cluster);
      const fault = await cluster.apply(
        kind === "disk-full"
          ? { kind, servers: [follower] }
          : { kind, servers: [follower], operation: "fsync" },
      );
      await cluster.clock.sleep(2_000);
      expect((await cluster.roles()).get(follower)).toBe("follower");
      await write(cluster, "/a", "meanwhile");
      await cluster.clock.sleep(10);
      expect(server(cluster, follower).isUp).toBe(false);
      await fault.undo();
      await cluster.awaitQuorum(20_000);
      expect(await read(cluster, "/a", follower)).toBe("meanwhile");
    });
  }

  it("slow disk: a write waits for the fsync of a majority", async () => {
    const cluster = await started();
    const client = await connect(cluster, await leaderOf(cluster));
    const fault = await cluster.apply({ kind: "slow-disk", servers: cluster.servers, delayMs: 100 });
    expect(await writeMs(cluster, client)).toBeGreaterThan(200);
    await fault.undo();
    await cluster.clock.sleep(300);
    expect(await writeMs(cluster, client)).toBeLessThan(20);
  });

  for (const [defect, kind, kept] of [
    [undefined, "power-cut", true],
    ["unsynced-log", "kill", true],
    ["unsynced-log", "power-cut", false],
  ] as const) {
    it(`${kind}, ${defect ?? "no defect"}: an acknowledged write is kept: ${kept}`, async () => {
      const cluster = await started(defect === undefined ? {} : { defect });
      await write(cluster, "/a", "before");
      await cluster.clock.sleep(3_000);
      await write(cluster, "/a", "after");
      const fault = await cluster.apply({ kind, servers: cluster.servers });
      await fault.undo();
      await cluster.awaitQuorum(20_000);
      expect(await read(cluster, "/a", "server-1")).toBe(kept ? "after" : "before");
    });
  }

  it("power cut: nothing of a write in progress is on disk, where a kill may leave a part of it", async () => {
    const left: Record<string, Set<number>> = { kill: new Set(), "power-cut": new Set() };
    for (const kind of ["kill", "power-cut"] as const) {
      for (let seed = 1; seed <= 20; seed++) {
        const cluster = await started({ seed });
        await write(cluster, "/a", "before");
        await cluster.clock.sleep(100);
        const leader = server(cluster, await leaderOf(cluster));
        const clients = await Promise.all([1, 2, 3].map(() => connect(cluster, leader.name)));
        const logged = leader.zab.history.length;
        await cluster.apply({ kind: "slow-disk", servers: cluster.servers, delayMs: 500 });
        // The first is being written when the others come; then the others are.
        for (const client of clients) {
          void client.request({ op: "setData", path: "/a", data: "open", version: -1 });
        }
        await cluster.clock.sleep(700);
        await cluster.apply({ kind, servers: [leader.name] });
        left[kind]!.add(leader.zab.history.length - logged);
        await cluster.stop();
      }
    }
    expect(Math.max(...left["kill"]!)).toBeGreaterThan(Math.max(...left["power-cut"]!));
    expect(left["kill"]!.size).toBeGreaterThan(1);
    expect(left["power-cut"]!.size).toBe(1);
  });

  it("damage: a torn log has lost its last transaction, which comes from the leader again", async () => {
    const cluster = await started();
    await write(cluster, "/a", "last");
    await cluster.clock.sleep(100);
    const follower = server(cluster, await followerOf(cluster));
    const logged = follower.zab.history.length;
    const fault = await cluster.apply({ kind: "damage", servers: [follower.name], damage: "torn" });
    expect(follower.zab.history).toHaveLength(logged - 1);
    await cluster.awaitQuorum(20_000);
    await cluster.clock.sleep(5_000);
    expect(follower.zab.history).toHaveLength(logged);
    await fault.undo();
    expect(await read(cluster, "/a", follower.name)).toBe("last");
  });

  it("damage: a server with a flipped bit does not come up before it has its log again", async () => {
    const cluster = await started();
    const follower = server(cluster, await followerOf(cluster));
    const fault = await cluster.apply({ kind: "damage", servers: [follower.name], damage: "flipped" });
    await cluster.clock.sleep(10_000);
    expect(follower.isUp).toBe(false);
    await fault.undo();
    await cluster.awaitQuorum(20_000);
  });

  it("damage is refused where something else is wrong, or half of the voters would lose something", async () => {
    const cluster = await started();
    const follower = await followerOf(cluster);
    const torn = (servers: readonly ServerName[]): Fault => ({ kind: "damage", servers, damage: "torn" });
    await expect(cluster.apply(torn(cluster.servers.slice(0, 2)))).rejects.toThrow(/less than half/);
    const pause = await cluster.apply({ kind: "pause", servers: [follower] });
    await expect(cluster.apply(torn([follower]))).rejects.toThrow(/another fault/);
    await pause.undo();
    await cluster.awaitQuorum(20_000);
    await (await cluster.apply(torn([follower]))).undo();
    const alone = new EmbeddedCluster({ seed: 1, servers: 1 });
    expect(await alone.supports("damage")).toMatchObject({ supported: false });
  });

  it("clock: what a leader writes bears its false time, and no session ends for it", async () => {
    const cluster = await started();
    const client = await connect(cluster, await leaderOf(cluster));
    const mtime = async (): Promise<number> => {
      await write(cluster, "/clock", "");
      const outcome = await client.request({ op: "exists", path: "/clock" });
      return outcome.outcome === "answered" && outcome.answer.error === null
        ? (outcome.answer.result.stat?.mtime ?? 0)
        : 0;
    };
    const before = await mtime();
    const fault = await cluster.apply({ kind: "clock", servers: cluster.servers, offsetMs: 86_400_000 });
    expect(Math.round(((await mtime()) - before) / 86_400_000)).toBe(1);
    await fault.undo();
    expect((await mtime()) - before).toBeLessThan(1_000);
    expect(client.connected).toBe(true);
  });

  it("clock rate: a leader with a fast clock expires sessions early, one with a slow clock late", async () => {
    const livedMs: number[] = [];
    for (const rate of [0.5, 1, 1.3]) {
      const cluster = await started();
      const leader = await leaderOf(cluster);
      await cluster.apply({ kind: "clock-rate", servers: [leader], rate });
      const owner = await connect(cluster, leader);
      await owner.request({ op: "create", path: "/owned", data: "", mode: "ephemeral" });
      owner.disconnect();
      const from = cluster.clock.now();
      while ((await read(cluster, "/owned", leader)) !== null) await cluster.clock.sleep(20);
      expect(Number.isInteger(cluster.clock.now())).toBe(true);
      livedMs.push((cluster.clock.now() - from) / 1e6);
    }
    expect(Math.round((livedMs[0]! / livedMs[1]!) * 2) / 2).toBe(2);
    expect(livedMs[2]!).toBeLessThan(livedMs[1]! / 1.2);
  });

  it("rolling restart: every server begins anew, each when the one before serves again", async () => {
    const cluster = await started();
    const leader = await leaderOf(cluster);
    const servers = [...cluster.servers.filter((name) => name !== leader), leader];
    const lives = (): number[] => cluster.ensemble.servers.map(({ host }) => host.incarnation);
    const before = lives();
    const from = cluster.clock.now();
    await cluster.apply({ kind: "rolling-restart", servers });
    await cluster.awaitQuorum(20_000);
    expect(lives().map((life, i) => life - before[i]!)).toEqual([1, 1, 1]);
    const times = servers.map((name) => {
      const since = server(cluster, name).notes.filter((note) => Number(note.split(" ")[0]) > from / 1e9);
      const at = (words: RegExp): number => Number(since.find((note) => words.test(note))?.split(" ")[0]);
      return { killed: at(/is killed/), serves: at(/(follows|leads)/) };
    });
    expect(times[1]!.killed).toBeGreaterThanOrEqual(times[0]!.serves);
    expect(times[2]!.killed).toBeGreaterThanOrEqual(times[1]!.serves);
  });

  it("refuses what a fixed ensemble of one release cannot do, with the reason", async () => {
    const cluster = await started();
    expect(await cluster.supports("upgrade")).toMatchObject({ supported: false });
    const leave: Fault = { kind: "reconfig", leaving: ["server-1"], joining: [] };
    await expect(cluster.apply(leave)).rejects.toThrow(/fixed/);
    await expect(cluster.prepare(["kill", "upgrade"])).rejects.toBeInstanceOf(OperationError);
  });
});

async function started(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedCluster> {
  const cluster = new EmbeddedCluster({ seed: 1, ...options });
  await cluster.start();
  return cluster;
}

function server(cluster: EmbeddedCluster, name: ServerName): EmbeddedServer {
  return cluster.ensemble.servers.find((each) => each.name === name) as EmbeddedServer;
}

function around(cluster: EmbeddedCluster, name: ServerName): readonly Link[] {
  const others = cluster.servers.filter((other) => other !== name);
  return others.flatMap((other): readonly Link[] => [
    [name, other],
    [other, name],
  ]);
}

async function leaderOf(cluster: EmbeddedCluster): Promise<ServerName> {
  const roles = await cluster.roles();
  return cluster.servers.find((name) => roles.get(name) === "leader") as ServerName;
}

async function followerOf(cluster: EmbeddedCluster): Promise<ServerName> {
  const roles = await cluster.roles();
  return cluster.servers.find((name) => roles.get(name) === "follower") as ServerName;
}

async function connect(cluster: EmbeddedCluster, name: ServerName): Promise<Client> {
  const result = await cluster.connect({ server: name, sessionTimeoutMs: 4_000 });
  if (!result.connected) throw new Error(result.reason);
  return result.client;
}

async function write(cluster: EmbeddedCluster, path: string, data: string): Promise<void> {
  const client = await connect(cluster, await leaderOf(cluster));
  const created = await client.request({ op: "create", path, data, mode: "persistent" });
  if (created.outcome === "answered" && created.answer.error === "NodeExists") {
    await client.request({ op: "setData", path, data, version: -1 });
  }
  await client.close();
}

/** How long a write takes, in virtual ms. */
async function writeMs(cluster: EmbeddedCluster, client: Client): Promise<number> {
  const from = cluster.clock.now();
  const outcome = await client.request({ op: "create", path: "/w", data: "", mode: "persistent-sequential" });
  expect(outcome).toMatchObject({ outcome: "answered", answer: { error: null } });
  return (cluster.clock.now() - from) / 1e6;
}

/** What a server shows once it has caught up; null where there is no such znode. */
async function read(cluster: EmbeddedCluster, path: string, at: ServerName): Promise<string | null> {
  const client = await connect(cluster, at);
  await client.request({ op: "sync", path });
  const outcome = await client.request({ op: "getData", path });
  client.disconnect();
  return outcome.outcome === "answered" && outcome.answer.error === null
    ? (outcome.answer.result.data ?? null)
    : null;
}
