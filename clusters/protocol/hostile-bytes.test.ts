import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { ConnectResult, RequestOutcome } from "../cluster.ts";
import { connectToServer } from "./connection.ts";
import { JuteWriter } from "./jute-writer.ts";
import { writeConnectResponse, writeReplyHeader, writeStat, writeWatchEvent } from "./records.ts";

// A server that says whatever a test tells it to, in whatever pieces.

let server: Server;
let script: { onConnect: readonly Buffer[]; onRequest: readonly Buffer[]; hangUp: boolean };

beforeAll(async () => {
  server = createServer({ noDelay: true }, (socket) => {
    const { onConnect, onRequest, hangUp } = script;
    let turn = 0;
    socket.on("error", () => {});
    socket.on("data", () => {
      turn += 1;
      if (turn === 1) void send(socket, onConnect, hangUp && onRequest.length === 0);
      if (turn === 2) void send(socket, onRequest, hangUp);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
});
afterAll(() => void server.close());

async function send(socket: Socket, pieces: readonly Buffer[], hangUp: boolean): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  if (hangUp) socket.end();
}

function connect(): Promise<ConnectResult> {
  return connectToServer({
    server: "server-1",
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    sessionTimeoutMs: 10_000,
    connectTimeoutMs: 250,
    requestTimeoutMs: 250,
    frameBytesMax: 4096,
  });
}

/** What a request comes to when the server says these bytes after a valid handshake. */
async function outcomeOf(bytes: readonly Buffer[], hangUp = false): Promise<RequestOutcome> {
  script = { onConnect: [handshake], onRequest: bytes, hangUp };
  const result = await connect();
  if (!result.connected) throw new Error(result.reason);
  const outcome = await result.client.request({ op: "getData", path: "/a" });
  result.client.disconnect();
  return outcome;
}

function frame(write: (writer: JuteWriter) => void): Buffer {
  const writer = new JuteWriter();
  writer.frame(write);
  return writer.take();
}

const handshake = frame((writer) =>
  writeConnectResponse(writer, {
    protocolVersion: 0,
    timeoutMs: 10_000,
    session: "0x1000012ab340000",
    password: "11".repeat(16),
    readOnly: false,
  }),
);

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

function reply(xid: number, body: (writer: JuteWriter) => void, error = 0): Buffer {
  return frame((writer) => {
    writeReplyHeader(writer, { xid, zxid: 2, error });
    body(writer);
  });
}

const good = reply(1, (writer) => {
  writer.string("value");
  writeStat(writer, stat);
});

const badLength = (length: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(length);
  return bytes;
};

describe("a connection to a hostile server", () => {
  test("takes a reply torn at every byte", async () => {
    for (let at = 0; at <= good.length; at += 1) {
      const outcome = await outcomeOf(
        [good.subarray(0, at), good.subarray(at)].filter((part) => part.length > 0),
      );
      expect(outcome).toMatchObject({ outcome: "answered", answer: { result: { data: "value", stat } } });
    }
  });

  test("takes a handshake torn at every byte", async () => {
    for (let at = 1; at < handshake.length; at += 1) {
      script = {
        onConnect: [handshake.subarray(0, at), handshake.subarray(at)],
        onRequest: [],
        hangUp: false,
      };
      const result = await connect();
      expect(result.connected).toBe(true);
      if (result.connected) result.client.disconnect();
    }
  });

  test.each<[string, Buffer, RegExp]>([
    ["a negative length", badLength(-5), /frame: expected a length from 0 to 4096 bytes, found -5/],
    [
      "a length beyond the limit",
      badLength(4097),
      /frame: expected a length from 0 to 4096 bytes, found 4097/,
    ],
    ["an empty frame", frame(() => {}), /xid: expected 4 bytes at byte 0, found 0 left/],
    ["a reply to nothing", reply(99, () => {}), /xid: expected 1, the oldest open request's, found 99/],
    ["an unknown special xid", reply(-7, () => {}), /xid: expected 1, the oldest open request's, found -7/],
    [
      "an answer to an authentication never asked for",
      reply(-4, () => {}),
      /xid: expected an event or a ping/,
    ],
    [
      "bytes behind the record",
      reply(1, (w) => (w.string("value"), writeStat(w, stat), w.i8(0))),
      /expected the end of the reply to getData at byte \d+, found 1 more bytes/,
    ],
    [
      "an error that does not exist",
      reply(1, () => {}, -9999),
      /err: expected 0 or the number of an error, found -9999/,
    ],
    [
      "an event that does not exist",
      reply(-1, (w) => (w.i32(42), w.i32(3), w.string("/a"))),
      /type: expected the number of a watch event, 1 to 7 at byte 16, found 42/,
    ],
    [
      "an event for a path that is no text",
      reply(-1, (w) => (w.i32(1), w.i32(3), w.buffer(Buffer.from([0xff])))),
      /path: expected UTF-8 text/,
    ],
    [
      "data that is no text",
      reply(1, (w) => (w.buffer(Buffer.from([0xff])), writeStat(w, stat))),
      /data: expected UTF-8 text/,
    ],
    ["half a record", reply(1, (w) => w.string("value")), /czxid: expected 8 bytes/],
    [
      "a zxid from nowhere",
      frame((w) => (w.i32(1), w.hex64("0x7fffffffffffffff"), w.i32(0))),
      /zxid: expected a zxid with an epoch below 2\^21/,
    ],
  ])("ends at %s and says what was expected", async (_, bytes, message) => {
    const outcome = await outcomeOf([bytes]);
    expect(outcome).toMatchObject({ outcome: "unknown", xid: 1 });
    expect(outcome.outcome === "unknown" && outcome.reason).toMatch(message);
    expect(outcome.outcome === "unknown" && outcome.reason).toMatch(/^server-1 broke the protocol: /);
  });

  test("takes back what it said nothing about when the server hangs up in the middle of a frame", async () => {
    expect(await outcomeOf([good.subarray(0, 20)], true)).toMatchObject({ outcome: "unknown" });
  });

  test("comes to an outcome whatever bytes follow the handshake", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 64 }), { minLength: 1, maxLength: 4 }),
        async (pieces) => {
          const outcome = await outcomeOf(
            pieces.map((piece) => Buffer.from(piece)),
            true,
          );
          expect(outcome.outcome).toBe("unknown");
        },
      ),
      { numRuns: 150 },
    );
  });

  test("comes to an outcome whatever is changed in a valid event and reply", async () => {
    const event = frame((writer) => {
      writeReplyHeader(writer, { xid: -1, zxid: 2, error: 0 });
      writeWatchEvent(writer, { type: "NodeCreated", path: "/a", zxid: 2 });
    });
    const valid = Buffer.concat([event, good]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat({ max: valid.length - 1 }), byte: fc.nat({ max: 255 }) }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.nat({ max: valid.length }),
        async (changes, cut) => {
          const bytes = Buffer.from(valid);
          for (const { at, byte } of changes) bytes[at] = byte;
          const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)].filter((part) => part.length > 0);
          const outcome = await outcomeOf(pieces, true);
          expect(["answered", "unknown"]).toContain(outcome.outcome);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("comes to a result whatever bytes answer the connect request", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), async (bytes) => {
        script = { onConnect: [Buffer.from(bytes)], onRequest: [], hangUp: true };
        const result = await connect();
        if (result.connected) result.client.disconnect();
        else expect(["closed", "expired"]).toContain(result.failure);
      }),
      { numRuns: 150 },
    );
  });
});
