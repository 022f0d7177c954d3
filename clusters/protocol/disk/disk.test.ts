import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, gzipSync } from "node:zlib";

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type {
  LogEnd,
  LoggedTransaction,
  SubTransactionBody,
  Transaction,
  TransactionBody,
  TreeDigest,
} from "../../../model/index.ts";
import { acls } from "../arbitraries.ts";
import { ProtocolError } from "../errors.ts";
import { JuteWriter } from "../jute-writer.ts";
import { adler32 } from "./adler32.ts";
import { bufferSource } from "./byte-source.ts";
import { type LogReaderOptions, readLog } from "./log-reader.ts";
import { logFile, logHeader, logRecord } from "./log-writer.ts";
import { readServerDisks } from "./read-server-disk.ts";
import { readSnapshot } from "./snapshot-reader.ts";
import { type Snapshot, snapshotFile } from "./snapshot-writer.ts";
import { unpackSnappyBlock, unpackSnappyStream } from "./snappy.ts";
import { readTransaction, writeTransaction } from "./transactions.ts";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const path = fc.string({ unit: "grapheme", maxLength: 8 }).map((name) => `/${name}`);
const data = fc.option(fc.string({ unit: "grapheme", maxLength: 20 }), { nil: null });
const zxids = fc.maxSafeNat();

const create = fc.record({ path, data, acl: acls, parentCversion: int32 });
const subBodies: fc.Arbitrary<SubTransactionBody> = fc.oneof(
  fc
    .tuple(create, fc.boolean())
    .map(([fields, ephemeral]) => ({ type: "create" as const, ...fields, ephemeral })),
  create.map((fields) => ({ type: "createContainer" as const, ...fields, ephemeral: false })),
  fc
    .tuple(create, fc.maxSafeNat())
    .map(([fields, ttlMs]) => ({ type: "createTTL" as const, ...fields, ephemeral: false, ttlMs })),
  fc.record({ type: fc.constantFrom("delete" as const, "deleteContainer" as const), path }),
  fc.record({ type: fc.constant("setData" as const), path, data, version: int32 }),
  fc.record({ type: fc.constant("check" as const), path, version: int32 }),
  fc
    .constantFrom("NoNode" as const, "BadVersion" as const)
    .map((error) => ({ type: "error" as const, error })),
);
const bodies: fc.Arbitrary<TransactionBody> = fc.oneof(
  subBodies,
  fc.record({ type: fc.constant("setACL" as const), path, acl: acls, version: int32 }),
  fc.record({ type: fc.constant("createSession" as const), timeoutMs: int32 }),
  fc.record({
    type: fc.constant("closeSession" as const),
    paths: fc.option(fc.array(path, { maxLength: 3 }), { nil: null }),
  }),
  fc.record({ type: fc.constant("multi" as const), transactions: fc.array(subBodies, { maxLength: 4 }) }),
  fc.record({ type: fc.constant("reconfig" as const), path, data, version: int32 }),
);
const transactions: fc.Arbitrary<Transaction> = fc.record({
  header: fc.record({
    session: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((id) => `0x${id.toString(16)}`),
    cxid: int32,
    zxid: zxids,
    timeMs: fc.maxSafeNat(),
  }),
  body: bodies,
});
const digests: fc.Arbitrary<TreeDigest | undefined> = fc.option(
  fc.record({
    version: fc.constant(2),
    value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((hash) => `0x${hash.toString(16)}`),
  }),
  { nil: undefined },
);

const setData = (zxid: number, text = "value"): Transaction => ({
  header: { session: "0x1000012ab340000", cxid: 3, zxid, timeMs: 1_700_000_000_000 },
  body: { type: "setData", path: "/a", data: text, version: 1 },
});

function readAll(
  bytes: Buffer,
  options: LogReaderOptions = {},
): { records: LoggedTransaction[]; end: LogEnd } {
  const reader = readLog(bufferSource(bytes), options);
  const records: LoggedTransaction[] = [];
  for (;;) {
    const next = reader.next();
    if (next.done === true) return { records, end: next.value };
    records.push(next.value);
  }
}

const zxidsOf = (records: readonly LoggedTransaction[]): number[] =>
  records.map(({ transaction }) => transaction.header.zxid);

describe("adler32", () => {
  test("is the one of RFC 1950, whatever the length", () => {
    expect(adler32(Buffer.from("Wikipedia"))).toBe(0x11e60398);
    const slow = (bytes: Uint8Array): number => {
      let [a, b] = [1, 0];
      for (const byte of bytes) {
        a = (a + byte) % 65_521;
        b = (b + a) % 65_521;
      }
      return b * 65_536 + a;
    };
    const long = Buffer.alloc(100_000, 0xff);
    expect(adler32(long)).toBe(slow(long));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 300 }), (bytes, cut) => {
        expect(adler32(bytes)).toBe(slow(bytes));
        expect(adler32(bytes.subarray(cut), adler32(bytes.subarray(0, cut)))).toBe(slow(bytes));
      }),
    );
  });
});

describe("logged transactions", () => {
  test("come back as they were written, with their digest or without", () => {
    fc.assert(
      fc.property(transactions, digests, (transaction, digest) => {
        const writer = new JuteWriter();
        writeTransaction(writer, transaction, digest);
        const decoded = readTransaction(writer.take());
        expect(decoded.transaction).toEqual(transaction);
        expect(decoded.digest).toEqual(digest);
      }),
      { numRuns: 1000 },
    );
  });

  test("cut or changed give a transaction or a ProtocolError, nothing else", () => {
    fc.assert(
      fc.property(transactions, fc.nat(), fc.nat({ max: 255 }), (transaction, at, byte) => {
        const writer = new JuteWriter();
        writeTransaction(writer, transaction);
        const bytes = Buffer.from(writer.view());
        const changed = Buffer.from(bytes);
        changed[at % bytes.length] = byte;
        for (const candidate of [changed, bytes.subarray(0, at % bytes.length)]) {
          try {
            readTransaction(candidate);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("show data that is no text in base64", () => {
    const writer = new JuteWriter();
    writeTransaction(writer, setData(1, "abcd"));
    const bytes = writer.take();
    bytes[bytes.indexOf("abcd")] = 0xff;
    expect(readTransaction(bytes)).toMatchObject({
      binary: true,
      transaction: { body: { data: "base64,/2JjZA==" } },
    });
  });
});

describe("a transaction log", () => {
  const three = [setData(1), setData(2), setData(3)];

  test("is read to its preallocated end", () => {
    for (const padding of [0, 1, 11, 12, 200_000]) {
      const { records, end } = readAll(logFile(three, padding));
      expect(records.map(({ transaction }) => transaction)).toEqual(three);
      expect(end).toEqual({ kind: "clean", offset: logFile(three).length });
    }
  });

  test("has equal content for equal transactions only, whatever the digest", () => {
    const [one, other] = readAll(
      Buffer.concat([logFile([setData(1)]), logRecord(setData(1), { version: 2, value: "0x5" })]),
    ).records;
    expect(one?.content).toBe(other?.content);
    expect(other?.digest).toEqual({ version: 2, value: "0x5" });
    expect(readAll(logFile([setData(1, "other")])).records[0]?.content).not.toBe(one?.content);
  });

  test("cut at every byte, with and without padding, keeps what was whole and never more", () => {
    const whole = logFile(three);
    const starts = readAll(whole).records.map(({ offset }) => offset);
    for (let cut = 16; cut < whole.length; cut += 1) {
      const kept = starts.filter((_, index) => (starts[index + 1] ?? whole.length) <= cut).length;
      for (const bytes of [
        whole.subarray(0, cut),
        Buffer.concat([whole.subarray(0, cut), Buffer.alloc(500)]),
      ]) {
        const { records, end } = readAll(bytes);
        expect(zxidsOf(records)).toEqual([1, 2, 3].slice(0, kept));
        const into = cut - (starts[kept] ?? 0);
        // Of fewer than 12 bytes a server cannot tell whether there is a record.
        expect(end.kind === "clean" ? into < 12 : end.kind === "torn" && into > 0).toBe(true);
      }
    }
  });

  test("finds the whole records behind a torn one, and behind a hole of zeros", () => {
    const [first, , third] = three;
    if (first === undefined || third === undefined) throw new Error("three records");
    const torn = logFile([first, logRecord(setData(2)).subarray(0, 40), third, setData(4)], 100);
    const { records, end } = readAll(torn);
    expect(zxidsOf(records)).toEqual([1]);
    expect(end.kind).toBe("torn");
    expect(zxidsOf(end.behind?.records ?? [])).toEqual([3, 4]);
    for (const zeros of [12, 13, 500, 65_536, 200_001]) {
      const hole = readAll(logFile([first, Buffer.alloc(zeros), third]));
      expect(hole.end).toMatchObject({ kind: "clean", behind: { more: false } });
      expect(zxidsOf(hole.end.behind?.records ?? [])).toEqual([3]);
    }
  });

  test("tells damage from a torn tail", () => {
    const bytes = logFile(three);
    const second = readAll(bytes).records[1]?.offset ?? 0;
    bytes[second + 30] = (bytes[second + 30] ?? 0) ^ 1;
    const { records, end } = readAll(bytes);
    expect(zxidsOf(records)).toEqual([1]);
    expect(end).toMatchObject({
      kind: "damaged",
      offset: second,
      reason: expect.stringMatching(/expected the checksum 0x/),
    });
    expect(zxidsOf(end.behind?.records ?? [])).toEqual([3]);
  });

  test("a length beyond the limit, or below zero, tears it", () => {
    for (const length of [-1, 1000]) {
      const record = logRecord(setData(2));
      record.writeInt32BE(length, 8);
      const { end } = readAll(Buffer.concat([logFile([setData(1)]), record]), { recordBytesMax: 999 });
      expect(end).toMatchObject({ kind: "torn", reason: `expected a length from 0 to 999, found ${length}` });
    }
  });

  test("what is no log is refused", () => {
    for (const [bytes, message] of [
      [
        Buffer.from("hello, I am no log"),
        /expected a transaction log, which begins with "ZKLG", found bytes 68656c6c/,
      ],
      [Buffer.alloc(7), /expected a log's header of 16 bytes, found 7/],
      [Buffer.concat([Buffer.from("ZKLG"), Buffer.alloc(12)]), /expected a log of version 2, found 0/],
    ] as const) {
      expect(() => readAll(bytes)).toThrow(message);
    }
  });

  test("of random bytes, or with random changes, comes to an end in bounded work", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 80 }),
            fc.constant(new Uint8Array(60)),
            transactions.map((each) => logRecord(each)),
          ),
          { maxLength: 8 },
        ),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
        (parts, changes) => {
          const bytes = Buffer.concat([logHeader(), ...parts]);
          for (const [at, byte] of changes)
            if (bytes.length > 16) bytes[16 + (at % (bytes.length - 16))] = byte;
          const { records, end } = readAll(bytes);
          expect(["clean", "torn", "damaged"]).toContain(end.kind);
          for (const each of records) expect(each.offset).toBeLessThan(end.offset);
        },
      ),
      { numRuns: 500 },
    );
  });
});

const stat = {
  czxid: 5,
  mzxid: 6,
  pzxid: 7,
  ctime: 1,
  mtime: 2,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: "0x0",
  dataLength: 0,
  numChildren: 0,
};
const small: Snapshot = {
  sessions: new Map([["0x1000012ab340000", 4000]]),
  nodes: [
    { path: "", data: "", stat: { ...stat, czxid: 0, mzxid: 0, pzxid: 5 } },
    { path: "/a", data: "hé", stat },
    { path: "/a/b", data: null, stat },
  ],
  digest: { zxid: 7, version: 2, value: "0xabc" },
};

describe("a snapshot", () => {
  test("is read to its seals, with a digest and without", () => {
    const { digest, ...without } = small;
    expect(readSnapshot(snapshotFile(small))).toEqual({ sessions: 1, nodes: 3, newestZxid: 7, digest });
    expect(readSnapshot(snapshotFile(without))).toEqual({ sessions: 1, nodes: 3, newestZxid: 7 });
  });

  test("with any byte changed or missing is refused, or differs in nothing that is sealed", () => {
    const bytes = snapshotFile(small);
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x41;
      expect(() => readSnapshot(changed)).toThrow(ProtocolError);
      if (at !== firstSealEnd(bytes))
        expect(() => readSnapshot(bytes.subarray(0, at))).toThrow(ProtocolError);
    }
  });

  test("whose nodes have no parent is refused", () => {
    const orphan = { ...small, nodes: [small.nodes[0]!, { path: "/x/y", data: null, stat }] };
    expect(() => readSnapshot(snapshotFile(orphan))).toThrow(/expected the parent of "\/x\/y" before it/);
  });
});

/** Without what follows, a file with a digest is one of an older server. */
function firstSealEnd(bytes: Buffer): number {
  return bytes.length - (8 + 4 + 8) - (8 + 5);
}

describe("Snappy", () => {
  const literal = (text: string): Buffer =>
    Buffer.concat([Buffer.from([(text.length - 1) << 2]), Buffer.from(text)]);

  test("unpacks literals and copies of each kind", () => {
    const copy1 = Buffer.from([((6 - 4) << 2) | 1, 3]);
    const copy2 = Buffer.from([((4 - 1) << 2) | 2, 3, 0]);
    const copy4 = Buffer.from([((2 - 1) << 2) | 3, 3, 0, 0, 0]);
    const long = Buffer.concat([Buffer.from([60 << 2, 69]), Buffer.alloc(70, "z")]);
    const block = Buffer.concat([
      Buffer.from([3 + 6 + 4 + 2 + 70]),
      literal("abc"),
      copy1,
      copy2,
      copy4,
      long,
    ]);
    expect(unpackSnappyBlock(block, 1000).toString()).toBe(`abcabcabcabcabc${"z".repeat(70)}`);
  });

  test("refuses what is cut, too long, or points before the beginning; never hangs", () => {
    expect(() => unpackSnappyBlock(Buffer.from([5, ((6 - 4) << 2) | 1, 3]), 100)).toThrow(
      /expected a copy from 1 to 0 bytes back/,
    );
    expect(() => unpackSnappyBlock(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), 100)).toThrow(
      /expected at most 100 unpacked bytes/,
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const unpack of [unpackSnappyBlock, unpackSnappyStream]) {
          try {
            expect(unpack(Buffer.from(bytes), 1000).length).toBeLessThanOrEqual(1000);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("unpacks a stream of snappy-java", () => {
    const block = Buffer.concat([Buffer.from([3]), literal("abc")]);
    expect(unpackSnappyStream(snappyStream([block, block]), 100).toString()).toBe("abcabc");
  });
});

function snappyStream(blocks: readonly Buffer[]): Buffer {
  const length = (block: Buffer): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(block.length);
    return bytes;
  };
  return Buffer.concat([
    Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
    ...blocks.flatMap((block) => [length(block), block]),
  ]);
}

describe("a server's directory", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "zabcheck-disk-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function put(name: string, content: Buffer | string): string {
    const file = join(root, name);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  test("gives logs, snapshots of each compression and epochs, wherever its version-2 folders lie", () => {
    const plain = snapshotFile(small);
    const literal = Buffer.concat([
      varint(plain.length),
      Buffer.from([(61 << 2) >>> 0, (plain.length - 1) & 0xff, (plain.length - 1) >> 8]),
      plain,
    ]);
    put("data/version-2/snapshot.0", plain);
    put("data/version-2/snapshot.100000003.gz", gzipSync(plain));
    put("data/version-2/snapshot.100000005.snappy", snappyStream([literal]));
    put("data/version-2/snapshot.100000006", plain.subarray(0, 50));
    put("data/version-2/currentEpoch", "1\n");
    put("data/version-2/acceptedEpoch", "2");
    put("datalog/version-2/log.100000004", logFile([setData(0x1_0000_0004)]));
    put("datalog/version-2/log.100000001", logFile([setData(0x1_0000_0001)], 64));
    put("datalog/version-2/log.100000009", "");
    put("datalog/version-2/notes.txt", "not ours");
    const [server, ...others] = readServerDisks([root]);
    expect(others).toEqual([]);
    expect(server?.logs.map(({ firstZxid, records }) => [firstZxid, zxidsOf(records)])).toEqual([
      [0x1_0000_0001, [0x1_0000_0001]],
      [0x1_0000_0004, [0x1_0000_0004]],
    ]);
    expect(server?.snapshots.map(({ zxid, nodes, invalid }) => [zxid, nodes, invalid === undefined])).toEqual(
      [
        [0, 3, true],
        [0x1_0000_0003, 3, true],
        [0x1_0000_0005, 3, true],
        [0x1_0000_0006, 0, false],
      ],
    );
    expect([server?.currentEpoch?.epoch, server?.acceptedEpoch?.epoch]).toEqual([1, 2]);
  });

  test("stands for several servers where each of its folders is one, and is refused where they are ensembles", () => {
    for (const ensemble of ["a", "b"]) {
      for (const server of [1, 2])
        put(`${ensemble}/server-${server}/version-2/log.100000001`, logFile([setData(1)]));
    }
    expect(readServerDisks([join(root, "a")]).map(({ name }) => name)).toEqual(["server-1", "server-2"]);
    expect(() => readServerDisks([root])).toThrow(
      /a: holds the disks of several servers, as log.100000001 is in it more than once/,
    );
    expect(() => readServerDisks([join(root, "a"), join(root, "a", "server-1")])).toThrow(/is given twice/);
    expect(
      readServerDisks([join(root, "a", "server-1"), join(root, "b", "server-1")]).map(({ name }) => name),
    ).toEqual(["a/server-1", "b/server-1"]);
  });

  test.each<[string, string, string | Buffer, RegExp]>([
    [
      "a directory without a version-2 folder",
      "data/log.1",
      "",
      /expected a server's data directory, found no version-2 folder in it/,
    ],
    [
      "a log that is none",
      "version-2/log.1",
      "hello hello hello",
      /log\.1: expected a transaction log, which begins with "ZKLG"/,
    ],
    [
      "an epoch that is no number",
      "version-2/currentEpoch",
      "one",
      /currentEpoch: expected an epoch, a decimal number, found "one"/,
    ],
  ])("%s is bad input, said in one line", (_, name, content, message) => {
    put(name, content);
    expect(() => readServerDisks([root])).toThrow(message);
    expect(() => readServerDisks([root])).toThrow(expect.objectContaining({ name: "InputError" }));
  });

  test("a directory that is not there is bad input", () => {
    expect(() => readServerDisks([join(root, "nowhere")])).toThrow(/cannot be read: ENOENT/);
  });
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

test("the checksum is Adler-32, not the CRC-32 that its name in ZooKeeper's source suggests", () => {
  const record = logRecord(setData(1));
  const payload = record.subarray(12, -1);
  expect(Number(record.readBigInt64BE(0))).toBe(adler32(payload));
  expect(Number(record.readBigInt64BE(0))).not.toBe(crc32(payload));
});
