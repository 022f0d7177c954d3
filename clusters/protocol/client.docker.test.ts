import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { ServerDisk, WatchEvent, ZnodeAnswer, ZnodeRequest } from "../../model/index.ts";
import type { Client, ConnectOptions, ConnectResult } from "../cluster.ts";
import { createDockerCluster, type DockerCluster, dockerForTests } from "../docker/index.ts";
import { type Dialect, dialectOf } from "./codes.ts";
import { readServerDisks } from "./disk/index.ts";

// The wire client and the readers of the disk formats beside real servers, of the newest release and of the oldest.

const docker = await dockerForTests();
const releases = ["3.9.5", "3.4.14"] as const;

describe.skipIf(docker.reason !== undefined).each(releases)(
  docker.title("the wire client beside ZooKeeper %s"),
  (release) => {
    const dialect: Dialect = dialectOf(release);
    const newest = dialect === "3.6";
    let cluster: DockerCluster;
    let client: Client;
    const log: string[] = [];

    async function connect(options: Partial<ConnectOptions> = {}): Promise<ConnectResult> {
      return cluster.connect({ server: "server-1", sessionTimeoutMs: 4_000, ...options });
    }
    async function connected(options: Partial<ConnectOptions> = {}): Promise<Client> {
      const result = await connect(options);
      if (!result.connected) throw new Error(result.reason);
      return result.client;
    }
    async function ask(request: ZnodeRequest, from: Client = client): Promise<ZnodeAnswer> {
      const outcome = await from.request(request);
      if (outcome.outcome !== "answered")
        throw new Error(`${request.op}: ${outcome.outcome}, ${outcome.reason}`);
      return outcome.answer;
    }
    const told = (event: WatchEvent): void =>
      void log.push(`${event.type} ${event.path} ${event.zxid === -1 ? "-" : "zxid"}`);

    beforeAll(async () => {
      cluster = await createDockerCluster({
        release,
        servers: 1,
        jvmFlags: ["-Dzookeeper.extendedTypesEnabled=true"],
      });
      await cluster.start();
      client = await connected({ onEvent: told });
    }, 120_000);
    afterAll(async () => {
      client?.disconnect();
      await cluster?.stop();
    }, 60_000);

    test("creates nodes of every mode that the release has", async () => {
      expect(await ask({ op: "create", path: "/a", data: "hé", mode: "persistent" })).toMatchObject({
        error: null,
        result: { path: "/a" },
      });
      expect(await ask({ op: "create", path: "/a", data: null, mode: "persistent" })).toMatchObject({
        error: "NodeExists",
      });
      expect(
        await ask({ op: "create", path: "/a/e-", data: null, mode: "ephemeral-sequential" }),
      ).toMatchObject({ result: { path: "/a/e-0000000000" } });
      const container = { op: "create", path: "/c", data: null, mode: "container" } as const;
      const ttl = { op: "create", path: "/t", data: "", mode: "persistent-ttl", ttlMs: 100_000 } as const;
      if (!newest) {
        expect(await client.request(container)).toEqual({
          outcome: "unsent",
          reason: "ZooKeeper 3.4 has no container nodes",
        });
        return;
      }
      expect(await ask(container)).toMatchObject({
        result: { path: "/c", stat: { ephemeralOwner: "0x0" } },
      });
      expect(await ask(ttl)).toMatchObject({ result: { stat: { ephemeralOwner: "0x0" } } });
    });

    test("reads, writes, and keeps the zxid of every reply", async () => {
      const read = await ask({ op: "getData", path: "/a" });
      expect(read).toMatchObject({
        error: null,
        result: { data: "hé", stat: { version: 0, dataLength: 3, numChildren: 1 } },
      });
      const written = await ask({ op: "setData", path: "/a", data: "x", version: 0 });
      expect(written.zxid).toBe(read.zxid + 1);
      expect(written).toMatchObject({ result: { stat: { version: 1, mzxid: written.zxid } } });
      expect(await ask({ op: "setData", path: "/a", data: "y", version: 0 })).toMatchObject({
        error: "BadVersion",
        zxid: written.zxid + 1,
      });
      expect(client.credentials.lastZxidSeen).toBe(written.zxid + 1);
      expect(await ask({ op: "exists", path: "/none" })).toMatchObject({ error: "NoNode" });
      expect(await ask({ op: "getChildren", path: "/a" })).toMatchObject({
        result: { children: ["e-0000000000"] },
      });
      expect(await ask({ op: "sync", path: "/a" })).toMatchObject({ error: null, result: { path: "/a" } });
      expect(await ask({ op: "check", path: "/a", version: 1 })).toMatchObject({ error: null });
      expect(await ask({ op: "check", path: "/a", version: 7 })).toMatchObject({ error: "BadVersion" });
      expect(await ask({ op: "create", path: "no slash", data: null, mode: "persistent" })).toMatchObject({
        error: "BadArguments",
      });
    });

    test("multi is one step, or none with its culprit", async () => {
      const answer = await ask({
        op: "multi",
        operations: [
          { op: "create", path: "/m", data: "1", mode: "persistent" },
          { op: "setData", path: "/m", data: "2", version: 0 },
          { op: "check", path: "/m", version: 1 },
          { op: "delete", path: "/m", version: 1 },
        ],
      });
      expect(answer).toMatchObject({
        error: null,
        result: {
          results: [
            { op: "create", path: "/m" },
            { op: "setData", stat: { version: 1 } },
            { op: "check" },
            { op: "delete" },
          ],
        },
      });
      const failed = await ask({
        op: "multi",
        operations: [
          { op: "create", path: "/m", data: "1", mode: "persistent" },
          { op: "check", path: "/m", version: 1 },
          { op: "delete", path: "/m", version: -1 },
        ],
      });
      expect(failed).toEqual({
        error: "BadVersion",
        zxid: failed.zxid,
        results: [
          { op: "error", error: "ok" },
          { op: "error", error: "BadVersion" },
          { op: "error", error: "RuntimeInconsistency" },
        ],
      });
    });

    test("delivers events between the replies before and after them", async () => {
      log.length = 0;
      const note = (request: ZnodeRequest): Promise<void> =>
        ask(request).then(() => void log.push(request.op));
      await Promise.all([
        note({ op: "getData", path: "/a", watch: true }),
        note({ op: "getChildren", path: "/a", watch: true }),
        note({ op: "setData", path: "/a", data: "z", version: -1 }),
        note({ op: "getData", path: "/a" }),
        note({ op: "create", path: "/a/b", data: null, mode: "persistent" }),
      ]);
      const zxid = newest ? "zxid" : "-";
      expect(log).toEqual([
        "getData",
        "getChildren",
        `NodeDataChanged /a ${zxid}`,
        "setData",
        "getData",
        `NodeChildrenChanged /a ${zxid}`,
        "create",
      ]);
    });

    test("sets watches again: what happened meanwhile is told without a zxid", async () => {
      log.length = 0;
      const watches = {
        op: "setWatches",
        relativeZxid: 0,
        data: ["/a", "/none"],
        exists: ["/a"],
        children: ["/a"],
      } as const;
      expect(await ask({ ...watches, persistent: [], persistentRecursive: [] })).toMatchObject({
        error: null,
      });
      expect([...log].sort()).toEqual([
        "NodeChildrenChanged /a -",
        "NodeCreated /a -",
        "NodeDataChanged /a -",
        "NodeDeleted /none -",
      ]);
      if (!newest) return;
      log.length = 0;
      expect(await ask({ op: "addWatch", path: "/a", mode: "persistent-recursive" })).toMatchObject({
        error: null,
      });
      await ask({ op: "setData", path: "/a/b", data: "1", version: -1 });
      await ask({ op: "setData", path: "/a/b", data: "2", version: -1 });
      expect(log).toEqual(["NodeDataChanged /a/b zxid", "NodeDataChanged /a/b zxid"]);
      expect(await ask({ op: "removeWatches", path: "/a", kind: "any" })).toMatchObject({ error: null });
      expect(await ask({ op: "removeWatches", path: "/a", kind: "any" })).toMatchObject({
        error: "NoWatcher",
      });
      expect(
        await ask({
          ...watches,
          data: [],
          exists: [],
          children: [],
          persistent: ["/a"],
          persistentRecursive: ["/a"],
        }),
      ).toMatchObject({ error: null });
    });

    test("authenticates, and is refused without", async () => {
      await ask({ op: "create", path: "/secret", data: "s", mode: "persistent" });
      expect(await ask({ op: "addAuth", scheme: "digest", auth: "user:password" })).toMatchObject({
        error: null,
      });
      await ask({
        op: "setACL",
        path: "/secret",
        acl: [{ permissions: 31, scheme: "auth", id: "" }],
        version: -1,
      });
      const { result } = (await ask({ op: "getACL", path: "/secret" })) as Extract<
        ZnodeAnswer,
        { error: null }
      >;
      expect(result.acl).toEqual([
        { permissions: 31, scheme: "digest", id: expect.stringMatching(/^user:/) },
      ]);
      const other = await connected();
      expect(await ask({ op: "getData", path: "/secret" }, other)).toMatchObject({ error: "NoAuth" });
      await other.close();
    });

    test("stays alive by pings alone, longer than the session's timeout", async () => {
      const idle = await connected({ sessionTimeoutMs: 1_000 });
      await new Promise((resolve) => {
        setTimeout(resolve, 2 * idle.credentials.timeoutMs);
      });
      expect(await ask({ op: "exists", path: "/a" }, idle)).toMatchObject({ error: null });
      await idle.close();
    });

    test("moves its session, unless it was closed or the server lags behind", async () => {
      const first = await connected();
      await ask({ op: "create", path: "/mine", data: null, mode: "ephemeral" }, first);
      first.disconnect();
      const second = await connected({ resume: first.credentials });
      expect(second.credentials.session).toBe(first.credentials.session);
      expect(await ask({ op: "exists", path: "/mine" }, second)).toMatchObject({ error: null });
      const ahead = { ...second.credentials, lastZxidSeen: second.credentials.lastZxidSeen + 2 ** 40 };
      expect(await connect({ resume: ahead })).toMatchObject({ connected: false, failure: "closed" });
      await second.close();
      expect(await connect({ resume: second.credentials })).toMatchObject({
        connected: false,
        failure: "expired",
      });
      expect(await ask({ op: "exists", path: "/mine" })).toMatchObject({ error: "NoNode" });
    });

    test("finds its requests in the server's transaction log", async () => {
      const folder = mkdtempSync(join(tmpdir(), "zabcheck-client-"));
      try {
        const { session } = client.credentials;
        const outcome = await client.request({ op: "setData", path: "/a", data: "last", version: -1 });
        if (outcome.outcome !== "answered") throw new Error(outcome.reason);
        await cluster.collect(folder);
        const [disk] = readServerDisks([folder]) as [ServerDisk];
        const records = disk.logs.flatMap((file) => file.records);
        const last = records.find(({ transaction }) => transaction.header.zxid === outcome.answer.zxid);
        expect(last?.transaction).toMatchObject({
          header: { session, cxid: outcome.xid },
          body: { type: "setData", path: "/a", data: "last" },
        });
        expect(records.map(({ transaction }) => transaction.body.type)).toEqual(
          expect.arrayContaining([
            "createSession",
            "create",
            "setData",
            "multi",
            "error",
            "setACL",
            "closeSession",
          ]),
        );
        expect(disk.logs.every((file) => file.end.kind === "clean" && file.end.behind === undefined)).toBe(
          true,
        );
        expect(disk.snapshots.every((snapshot) => snapshot.invalid === undefined)).toBe(true);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }, 60_000);
  },
);
