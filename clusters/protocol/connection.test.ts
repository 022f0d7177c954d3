import { createServer, type AddressInfo, type Server } from "node:net";

import { afterEach, describe, expect, test } from "vitest";

import type { ZnodeAnswer } from "../../model/index.ts";
import type { Client, ConnectResult } from "../cluster.ts";
import { connectToServer, type ConnectionOptions } from "./connection.ts";
import { FakeServer, type FakeServerOptions } from "./fake-server.ts";

const stat = {
  czxid: 1,
  mzxid: 2,
  pzxid: 1,
  ctime: 3,
  mtime: 4,
  version: 1,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: "0x0",
  dataLength: 5,
  numChildren: 0,
};

const answered = (data: string, zxid = 2): ZnodeAnswer => ({ error: null, zxid, result: { data, stat } });

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function fake(options: FakeServerOptions): Promise<FakeServer> {
  const server = await FakeServer.start(options);
  cleanups.push(() => server.stop());
  return server;
}

function connect(port: number, options: Partial<ConnectionOptions> = {}): Promise<ConnectResult> {
  return connectToServer({
    server: "server-1",
    host: "127.0.0.1",
    port,
    sessionTimeoutMs: 10_000,
    ...options,
  });
}

async function connected(port: number, options: Partial<ConnectionOptions> = {}): Promise<Client> {
  const result = await connect(port, options);
  if (!result.connected) throw new Error(result.reason);
  cleanups.push(() => result.client.disconnect());
  return result.client;
}

const getData = { op: "getData", path: "/a" } as const;

describe("a connection", () => {
  test("answers requests in order and keeps the newest zxid that it has seen", async () => {
    let zxid = 10;
    const server = await fake({ onRequest: () => answered("value", zxid--) });
    const client = await connected(server.port);
    const outcomes = await Promise.all([client.request(getData), client.request(getData)]);
    expect(outcomes).toEqual([
      { outcome: "answered", answer: answered("value", 10), xid: 1 },
      { outcome: "answered", answer: answered("value", 9), xid: 2 },
    ]);
    expect(client.credentials.lastZxidSeen).toBe(10);
  });

  test("moves a session to another connection by its id and password", async () => {
    const server = await fake({ onRequest: () => answered("value", 7) });
    const first = await connected(server.port);
    await first.request(getData);
    first.disconnect();
    const second = await connected(server.port, { resume: first.credentials });
    expect(second.credentials).toEqual(first.credentials);
    expect(await second.request(getData)).toMatchObject({ outcome: "answered", xid: 2 });
    expect(server.connections[1]?.connectRequest).toMatchObject({
      lastZxidSeen: 7,
      session: first.credentials.session,
      password: first.credentials.password,
    });
  });

  test("tells an expired session, a server that lags behind, and one that is not there apart", async () => {
    const server = await fake({ onRequest: () => "silence", lastZxid: 5 });
    const client = await connected(server.port);
    const resume = client.credentials;
    expect(await connect(server.port, { resume: { ...resume, password: "00" } })).toMatchObject({
      failure: "expired",
    });
    expect(await connect(server.port, { resume: { ...resume, lastZxidSeen: 6 } })).toMatchObject({
      failure: "closed",
    });
    const { port } = server;
    await server.stop();
    expect(await connect(port)).toMatchObject({ failure: "refused" });
  });

  test("gives up a connect request that nobody answers", async () => {
    const server = await fake({ onRequest: () => "silence", ignores: "connect" });
    expect(await connect(server.port, { connectTimeoutMs: 30 })).toEqual({
      connected: false,
      failure: "timeout",
      reason: "no session within 30 ms",
    });
  });

  test("hands events over between the replies that came before and after them", async () => {
    const log: string[] = [];
    const server = await fake({
      onRequest: (request, connection) => {
        if (request.op !== "getData") return answered("", 1);
        connection.sendEvent({ type: "NodeDataChanged", path: request.path, zxid: 3 });
        return answered(request.path);
      },
    });
    const client = await connected(server.port, { onEvent: (event) => log.push(`event ${event.path}`) });
    const ask = async (path: string): Promise<void> => {
      // Further turns of the microtask queue, as callers of callers have.
      const outcome = await Promise.resolve().then(() => client.request({ op: "getData", path }));
      await Promise.resolve();
      log.push(`${outcome.outcome} ${path}`);
    };
    await Promise.all([ask("/1"), ask("/2"), ask("/3")]);
    expect(log).toEqual(["event /1", "answered /1", "event /2", "answered /2", "event /3", "answered /3"]);
  });

  test("hands over an event that came in one packet with the connect response", async () => {
    const server = await fake({ onRequest: () => "silence" });
    const events: string[] = [];
    const client = await connected(server.port, { onEvent: (event) => events.push(event.path) });
    server.connections[0]?.sendEvent({ type: "NodeDeleted", path: "/x", zxid: -1 });
    server.connections[0]?.flush();
    await expect.poll(() => events).toEqual(["/x"]);
    expect(client.connected).toBe(true);
  });

  test("says unknown of what was written and not answered, and unsent of what came after the end", async () => {
    const closed: string[] = [];
    const server = await fake({ onRequest: (request) => (request.op === "sync" ? "hang up" : "silence") });
    const client = await connected(server.port, { onClose: (reason) => closed.push(reason) });
    const outcomes = await Promise.all([client.request(getData), client.request({ op: "sync", path: "/" })]);
    expect(outcomes.map((outcome) => outcome.outcome)).toEqual(["unknown", "unknown"]);
    expect(await client.request(getData)).toMatchObject({ outcome: "unsent" });
    expect(closed).toHaveLength(1);
    expect(client.connected).toBe(false);
  });

  test("says unsent of a request that was taken back before a byte of it was written", async () => {
    const server = await fake({ onRequest: () => answered("value") });
    const client = await connected(server.port);
    const outcome = client.request(getData);
    client.disconnect();
    expect(await outcome).toEqual({ outcome: "unsent", reason: "disconnected by the client" });
  });

  test("says unsent of requests that wait behind a full socket", async () => {
    const server: Server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => {
        socket.pause();
        const response = Buffer.alloc(4 + 37);
        response.writeInt32BE(37);
        response.writeInt32BE(10_000, 8);
        response.writeInt32BE(1, 16);
        response.writeInt32BE(16, 20);
        socket.write(response);
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    cleanups.push(() => void server.close());
    const client = await connected((server.address() as AddressInfo).port);
    const large = { op: "setData", path: "/a", data: "x".repeat(1024 * 1024), version: -1 } as const;
    const outcomes = [];
    for (let count = 0; count < 8; count += 1) {
      outcomes.push(client.request(large));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    client.disconnect();
    const kinds = (await Promise.all(outcomes)).map((outcome) => outcome.outcome);
    expect(kinds[0]).toBe("unknown");
    expect(kinds.at(-1)).toBe("unsent");
    // Once one is unsent, so are all behind it.
    expect([...kinds].sort().reverse().join()).toBe([...kinds].sort((a, b) => (a < b ? 1 : -1)).join());
    expect(kinds.indexOf("unsent")).toBeGreaterThan(kinds.lastIndexOf("unknown"));
  });

  test("bounds the requests that may be open", async () => {
    const server = await fake({ onRequest: () => "silence" });
    const client = await connected(server.port, { openRequestsMax: 1 });
    void client.request(getData);
    expect(await client.request(getData)).toEqual({
      outcome: "unsent",
      reason: "1 requests are open already",
    });
  });

  test("ends when a reply is overdue: unknown, never a hang", async () => {
    const server = await fake({ onRequest: () => "silence" });
    const client = await connected(server.port, { requestTimeoutMs: 40 });
    expect(await client.request(getData)).toEqual({
      outcome: "unknown",
      reason: "no reply to getData (xid 1) within 40 ms",
      xid: 1,
    });
    expect(client.connected).toBe(false);
  });

  test("pings an idle server, and ends when it has been silent for two thirds of the session's timeout", async () => {
    const lively = await fake({ onRequest: () => "silence", sessionTimeoutMs: 90 });
    const client = await connected(lively.port);
    await expect.poll(() => lively.connections[0]?.pings, { timeout: 5_000 }).toBeGreaterThan(5);
    expect(client.connected).toBe(true);
    const dead = await fake({ onRequest: () => "silence", sessionTimeoutMs: 90, ignores: "pings" });
    const reasons: string[] = [];
    await connected(dead.port, { onClose: (reason) => reasons.push(reason) });
    await expect
      .poll(() => reasons, { timeout: 5_000 })
      .toEqual([expect.stringMatching(/nothing came from the server for \d+ ms/)]);
    expect(dead.connections[0]?.pings).toBeGreaterThan(0);
  });

  test("closes the session, then the connection", async () => {
    const server = await fake({ onRequest: () => ({ error: null, zxid: 9, result: {} }) });
    const reasons: string[] = [];
    const client = await connected(server.port, { onClose: (reason) => reasons.push(reason) });
    await client.close();
    await client.close();
    expect(server.connections[0]?.received.map(({ request }) => request?.op)).toEqual(["closeSession"]);
    expect(reasons).toEqual(["the session was closed"]);
  });

  test("answers authentication past the requests that are open", async () => {
    const server = await fake({
      onRequest: (request) => (request.op === "addAuth" ? { error: null, zxid: 0, result: {} } : "silence"),
    });
    const client = await connected(server.port);
    void client.request(getData);
    expect(await client.request({ op: "addAuth", scheme: "digest", auth: "user:password" })).toMatchObject({
      outcome: "answered",
      xid: -4,
    });
  });

  test("does not send what an older server does not understand", async () => {
    const server = await fake({ onRequest: () => "hang up" });
    const client = await connected(server.port, { dialect: "3.4" });
    expect(await client.request({ op: "addWatch", path: "/", mode: "persistent" })).toEqual({
      outcome: "unsent",
      reason: "ZooKeeper 3.4 has no addWatch",
    });
  });

  test("rejects a request that cannot be sent as it is, and goes on", async () => {
    const server = await fake({ onRequest: () => answered("value") });
    const client = await connected(server.port);
    await expect(client.request({ op: "getData", path: "/\udc00" })).rejects.toThrow(/surrogate/);
    await expect(client.request({ op: "delete", path: "/", version: 2 ** 40 })).rejects.toThrow(/32-bit/);
    expect(await client.request(getData)).toMatchObject({ outcome: "answered" });
  });
});
