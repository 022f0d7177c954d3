import { createServer, type AddressInfo, type Server } from "node:net";

import { afterEach, describe, expect, test } from "vitest";

import { askServer, parseMonitor, parseServerStatus } from "./four-letter-words.ts";

const srvr = `Zookeeper version: 3.9.5-de44a9b, built on 2026-03-02 18:25 UTC
Latency min/avg/max: 0/0.0/0
Received: 1
Sent: 0
Connections: 1
Outstanding: 0
Zxid: 0x100000002
Mode: leader
Node count: 5
Proposal sizes last/min/max: 48/48/48
`;

let server: Server | undefined;
afterEach(() => void server?.close());

async function listening(reply: (word: string) => Buffer | string | undefined): Promise<number> {
  const listener = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (word: Buffer) => {
      const answer = reply(word.toString());
      if (answer !== undefined) socket.end(answer);
    });
  });
  server = listener;
  await new Promise<void>((resolve) => {
    listener.listen(0, "127.0.0.1", resolve);
  });
  return (listener.address() as AddressInfo).port;
}

describe("four-letter words", () => {
  test("srvr gives the role, the zxid and the release", async () => {
    const port = await listening((word) => (word === "srvr" ? srvr : "?"));
    const reply = await askServer("srvr", { host: "127.0.0.1", port });
    expect(reply).toEqual({ answered: true, text: srvr });
    expect(parseServerStatus(srvr)).toEqual({ role: "leader", zxid: 0x1_0000_0002, release: "3.9.5" });
  });

  test("a server without a quorum has no role", () => {
    const text = "This ZooKeeper instance is not currently serving requests\n";
    expect(parseServerStatus(text)).toEqual({ role: "none", zxid: undefined, release: undefined });
  });

  test("mntr gives its values by name", () => {
    expect(parseMonitor("zk_server_state\tleader\nzk_znode_count\t5\nrubbish\n")).toEqual(
      new Map([
        ["zk_server_state", "leader"],
        ["zk_znode_count", "5"],
      ]),
    );
  });

  test("silence, an endless answer, an empty one and a closed port are reasons, not errors", async () => {
    const silent = await listening(() => undefined);
    expect(await askServer("ruok", { host: "127.0.0.1", port: silent, timeoutMs: 30 })).toEqual({
      answered: false,
      reason: "no full answer to ruok within 30 ms",
    });
    server?.close();
    expect(await askServer("ruok", { host: "127.0.0.1", port: silent })).toMatchObject({ answered: false });
    const endless = await listening(() => Buffer.alloc(5000, "x"));
    expect(await askServer("mntr", { host: "127.0.0.1", port: endless, replyBytesMax: 4096 })).toEqual({
      answered: false,
      reason: "the answer to mntr is longer than 4096 bytes",
    });
    server?.close();
    const empty = await listening(() => "");
    expect(await askServer("stat", { host: "127.0.0.1", port: empty })).toEqual({
      answered: false,
      reason: "an empty answer to stat",
    });
  });
});
