import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Event, Json, LoggedTransaction, ServerDisk } from "../../model/index.ts";
import { worst } from "../verdict.ts";
import { checkTransactionLogs } from "./check.ts";
import type { LogCheck } from "./findings.ts";
import { type Choose, DefectFreeEnsemble, disk, record, zxidOf } from "./for-tests.ts";
import { slowTwin } from "./slow-twin.ts";

function violatedChecks(disks: readonly ServerDisk[], history?: Event[]): string[] {
  return checkTransactionLogs(disks, history === undefined ? {} : { history })
    .filter(({ verdict }) => verdict === "violated")
    .map(({ name }) => name);
}

function detailOf(name: LogCheck, disks: readonly ServerDisk[]): string {
  return checkTransactionLogs(disks).find((verdict) => verdict.name === name)?.detail ?? "";
}

const three = (...logs: readonly (readonly LoggedTransaction[])[]): ServerDisk[] =>
  logs.map((log, index) => disk(`server-${index + 1}`, log));

/** Epoch and counter in one digit each. */
const at = (digits: number, data = ""): LoggedTransaction =>
  record(zxidOf(Math.floor(digits / 10), digits % 10), {
    body: { type: "setData", path: "/a", data, version: digits },
  });

/** Printed by its parameters. */
class Ensemble extends DefectFreeEnsemble {
  readonly [fc.toStringMethod]: () => string;

  constructor(parameters: { readonly size: number; readonly epochs: number; readonly seed: number }) {
    super(parameters.size, seeded(parameters.seed));
    this[fc.toStringMethod] = () => JSON.stringify(parameters);
    for (let epoch = 0; epoch < parameters.epochs; epoch += 1) this.epoch();
  }
}

const ensembles = fc
  .record({ size: fc.constantFrom(3, 5), epochs: fc.integer({ min: 1, max: 6 }), seed: fc.nat() })
  .map((parameters) => new Ensemble(parameters));

describe("checkTransactionLogs", () => {
  test("finds nothing on the disks of ensembles that follow Zab", () => {
    fc.assert(
      fc.property(ensembles, (ensemble) => {
        const broken = checkTransactionLogs(ensemble.disks()).filter(({ verdict }) => verdict === "violated");
        expect(broken.map(({ detail }) => detail)).toEqual([]);
      }),
      { numRuns: 1500 },
    );
  });

  test("says what its slow twin says, on disks that no ensemble would leave", () => {
    const zxids = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 4 }));
    const server = fc.record({
      records: fc.array(fc.record({ zxid: zxids, data: fc.constantFrom("x", "x", "x", "y") }), {
        maxLength: 8,
      }),
      sorted: fc.boolean(),
      snapshots: fc.array(zxids, { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(server, { minLength: 1, maxLength: 5 }), (servers) => {
        const disks = servers.map(({ records, sorted, snapshots }, index) => {
          const log = records.map(({ zxid: [epoch, counter], data }) => at(epoch * 10 + counter, data));
          if (sorted) log.sort((a, b) => a.transaction.header.zxid - b.transaction.header.zxid);
          return disk(`server-${index + 1}`, log, {
            snapshots: snapshots.map(([epoch, counter]) => zxidOf(epoch, counter)),
          });
        });
        const found = checkTransactionLogs(disks).flatMap(({ name, evidence }) =>
          name === "digests"
            ? []
            : violationsIn(evidence).map(({ server: on, zxid }) => `${name} ${on} ${Number(zxid)}`),
        );
        expect([...new Set(found)].sort()).toEqual(slowTwin(disks));
      }),
      { numRuns: 3000 },
    );
  });

  test("holds what cannot be compared for vacuous, and unknown where there are no logs", () => {
    const alone = checkTransactionLogs([disk("server-1", [at(11), at(12)])]);
    expect(worst(alone.map(({ verdict }) => verdict))).toBe("holds");
    expect(alone.find(({ name }) => name === "same-transaction")?.vacuous).toBe(true);
    expect(alone.find(({ name }) => name === "prefixes-agree")?.vacuous).toBe(true);
    const empty = checkTransactionLogs([disk("server-1", []), disk("server-2", [])]);
    expect(empty[0]).toMatchObject({ name: "logs-readable", verdict: "unknown" });
  });
});

function violationsIn(evidence: Json | undefined): { server: string; zxid: string }[] {
  const findings = (
    evidence as { findings?: { severity: string; server: string; zxid: string }[] } | undefined
  )?.findings;
  return (findings ?? []).filter(({ severity }) => severity === "violation");
}

describe("what is legal", () => {
  test.each<[string, ServerDisk[]]>([
    ["a server that is behind", three([at(11), at(12)], [at(11), at(12)], [at(11)])],
    [
      "a tail that only a server of an older epoch has",
      three([at(11), at(21)], [at(11), at(21)], [at(11), at(12), at(13)]),
    ],
    [
      "a gap that a snapshot covers",
      [
        disk("a", [at(11), at(12), at(13)]),
        disk("b", [at(11), at(12), at(13)]),
        disk("c", [at(11), at(13)], { snapshots: [0, zxidOf(1, 2)] }),
      ],
    ],
    [
      "an older divergent record below a snapshot",
      [
        disk("a", [at(11), at(21)]),
        disk("b", [at(11), at(21)]),
        disk("c", [at(11), at(12), at(21)], { snapshots: [zxidOf(2, 0)] }),
      ],
    ],
    [
      "other content below a snapshot",
      [
        disk("a", [at(11), at(12)]),
        disk("b", [at(11), at(12)]),
        disk("c", [at(11, "other"), at(12)], { snapshots: [zxidOf(1, 1)] }),
      ],
    ],
    ["a record written twice alike", three([at(11), at(12)], [at(11), at(12), at(12)], [at(11), at(12)])],
    [
      "logs that begin late, as their names say, without a snapshot",
      ["a", "b", "c"].map((name) => disk(name, [at(15), at(16)], { snapshots: [] })),
    ],
    [
      "a torn tail",
      [
        disk("a", [at(11)], { end: { kind: "torn", offset: 60, reason: "cut" } }),
        disk("b", [at(11), at(12)]),
        disk("c", [at(11), at(12)]),
      ],
    ],
  ])("%s", (_, disks) => {
    expect(violatedChecks(disks)).toEqual([]);
  });

  test("is told as a warning where it is worth knowing", () => {
    expect(detailOf("zxid-order", three([at(11), at(11)], [at(11)]))).toMatch(
      /warning: server-1 logged 0x100000001 twice, with the same content/,
    );
    const torn = disk("server-1", [at(11)], { end: { kind: "torn", offset: 60, reason: "cut" } });
    expect(detailOf("logs-readable", [torn])).toMatch(
      /warning: server-1: log.100000001 ends in a torn record at byte 60/,
    );
  });
});

describe("seeded defects", () => {
  const behind = (record: LoggedTransaction): ServerDisk["logs"][number]["end"] => ({
    kind: "torn",
    offset: 60,
    reason: "expected 0x42 at the end of the record, found 0x00",
    behind: { records: [record], more: false },
  });
  test.each<[string, LogCheck[], ServerDisk[], RegExp]>([
    [
      "a record that one server lost",
      ["prefixes-agree", "nothing-missing"],
      three([at(11), at(12), at(13)], [at(11), at(13)], [at(11), at(12), at(13)]),
      /server-2 lacks 0x100000002 .*which server-1 and server-3 logged, a quorum/,
    ],
    [
      "a record that one server lost, with later epochs only behind it",
      ["prefixes-agree", "nothing-missing"],
      three([at(11), at(12), at(21)], [at(11), at(21)], [at(11), at(12), at(21)]),
      /server-2 lacks 0x100000002/,
    ],
    [
      "a record of its leader that a server skipped, though no quorum logged it",
      ["nothing-missing"],
      three([at(11), at(12)], [at(11), at(13)], [at(11)]),
      /server-2 lacks 0x100000002 .*though it has later ones of epoch 1/,
    ],
    [
      "a record that nobody has",
      ["nothing-missing"],
      three([at(11), at(13)], [at(11), at(13)], [at(11), at(13)]),
      /server-1 lacks 0x100000002, which nobody logged/,
    ],
    [
      "an epoch that does not begin with its first transaction",
      ["nothing-missing"],
      three([at(11), at(22)], [at(11), at(22)]),
      /server-1 lacks 0x200000001, which nobody logged/,
    ],
    [
      "a transaction that was never committed and is kept",
      ["prefixes-agree", "nothing-kept"],
      three([at(11), at(12), at(21)], [at(11), at(21)], [at(11), at(21)]),
      /server-1 keeps 0x100000002 .*which no quorum logged and server-2 and server-3 went past in a later epoch/,
    ],
    [
      "kept by one and lost by another, where a snapshot hides which",
      ["prefixes-agree", "nothing-missing"],
      [
        disk("server-1", [at(11), at(12), at(21)]),
        disk("server-2", [at(11), at(21)]),
        disk("server-3", [at(22)], { snapshots: [zxidOf(2, 1)] }),
      ],
      /server-2 lacks 0x100000002 .*snapshots hide whether server-3 had it, too/,
    ],
    [
      "two transactions of one zxid",
      ["same-transaction"],
      three([at(11), at(12, "x")], [at(11), at(12, "x")], [at(11), at(12, "y")]),
      /0x100000002 is setData \/a .* on server-1 .*and with other content setData \/a .* on server-3/,
    ],
    [
      "two transactions of one zxid in one log",
      ["same-transaction"],
      three([at(11), at(12, "x"), at(12, "y")], [at(11), at(12, "x")]),
      /server-1 logged 0x100000002 twice with different content/,
    ],
    [
      "swapped records",
      ["zxid-order"],
      three([at(11), at(13), at(12)], [at(11), at(12), at(13)]),
      /server-1 logged 0x100000002 .*behind 0x100000003/,
    ],
    [
      "an old epoch's record behind a new epoch's",
      ["zxid-order"],
      three([at(11), at(21), at(12)], [at(11), at(12)], [at(11), at(12)]),
      /server-1 logged 0x100000002 .*behind 0x200000001 .*of a later epoch/,
    ],
    [
      "a log of an epoch that the server never entered",
      ["epochs"],
      [disk("server-1", [at(11), at(21)], { currentEpoch: 1, acceptedEpoch: 2 })],
      /currentEpoch is 1, below that of its newest transaction, 0x200000001/,
    ],
    [
      "an accepted epoch below the current one",
      ["epochs"],
      [disk("server-1", [at(11)], { currentEpoch: 2, acceptedEpoch: 1 })],
      /acceptedEpoch is 1, below currentEpoch, which is 2/,
    ],
    [
      "records behind a torn one",
      ["logs-readable"],
      [
        disk("server-1", [at(11)], { end: behind(at(13)) }),
        disk("server-2", [at(11)], { end: behind(at(13)) }),
        disk("server-3", [at(11), at(12), at(13)]),
      ],
      /server-1: log.100000001 has 1 whole record behind its end at byte 60.*the first lost is 0x100000003/,
    ],
    [
      "a damaged record",
      ["logs-readable"],
      [
        disk("server-1", [at(11)], {
          end: { kind: "damaged", offset: 60, reason: "expected the checksum 0x1" },
        }),
      ],
      /damaged at byte 60: expected the checksum 0x1; the server refuses to start from it/,
    ],
    [
      "digests that differ",
      ["digests"],
      three([record(zxidOf(1, 1), { digest: "0x1" })], [record(zxidOf(1, 1), { digest: "0x2" })]),
      /0x100000001 leaves the tree with digest 0x1 on server-1 .*and 0x2 on server-2/,
    ],
  ])("%s", (_, checks, disks, detail) => {
    expect(violatedChecks(disks)).toEqual(checks);
    expect(detailOf(checks.at(-1) as LogCheck, disks)).toMatch(detail);
  });

  test("each mutation of a defect-free ensemble's disks that changes what is agreed on is found", () => {
    const found = { missing: 0, order: 0, content: 0 };
    fc.assert(
      fc.property(ensembles, fc.nat(), (ensemble, pick) => {
        const disks = ensemble.disks();
        const index = pick % disks.length;
        const target = disks[index] as ServerDisk;
        const base = Math.max(...target.snapshots.map(({ zxid }) => zxid));
        const records = target.logs[0]?.records ?? [];
        const judge = (changed: LoggedTransaction[]): string[] =>
          violatedChecks(
            disks.map((each, at2) =>
              at2 === index
                ? { ...each, logs: [{ ...(each.logs[0] as ServerDisk["logs"][number]), records: changed }] }
                : each,
            ),
          );
        const zxids = records.map(({ transaction }) => transaction.header.zxid);
        const once = zxids.filter(
          (zxid) => zxids.filter((other) => other === zxid).length === 1 && zxid > base,
        );
        const victim = once[pick % Math.max(1, once.length)];
        if (victim === undefined) return;
        const at3 = zxids.indexOf(victim);
        if (victim < Math.max(...zxids) && (victim % 2 ** 32) + 1 === (zxids[at3 + 1] ?? 0) % 2 ** 32) {
          found.missing += 1;
          expect(judge(records.filter((_, position) => position !== at3))).toContain("nothing-missing");
          found.order += 1;
          const swapped = [...records];
          [swapped[at3], swapped[at3 + 1]] = [
            swapped[at3 + 1] as LoggedTransaction,
            swapped[at3] as LoggedTransaction,
          ];
          expect(judge(swapped)).toContain("zxid-order");
        }
        const others = disks.filter(
          (each, at4) =>
            at4 !== index &&
            Math.max(...each.snapshots.map(({ zxid }) => zxid)) < victim &&
            each.logs[0]?.records.some(({ transaction }) => transaction.header.zxid === victim),
        );
        if (others.length === 0) return;
        found.content += 1;
        expect(
          judge(records.map((each, position) => (position === at3 ? { ...each, content: "other" } : each))),
        ).toContain("same-transaction");
      }),
      { numRuns: 500 },
    );
    expect(Math.min(found.missing, found.order, found.content)).toBeGreaterThan(20);
  });

  test("a hole that no counter shows is found by the digests of the tree", () => {
    const records = Array.from({ length: 50 }, (_, seed) => new Ensemble({ size: 3, epochs: 8, seed }))
      .flatMap((ensemble) => ensemble.servers)
      .filter((server) => server.snapshots.length === 1)
      .map((server) => server.log)
      .find(
        (log) =>
          log.length > 3 && new Set(log).size === log.length && log[1]?.transaction.body.type === "create",
      );
    if (records === undefined) throw new Error("no server without snapshots logged enough");
    const whole = [disk("server-1", records), disk("server-2", records)];
    expect(violatedChecks(whole)).toEqual([]);
    const replayed = checkTransactionLogs(whole).find(({ name }) => name === "digests")?.counts?.["replayed"];
    expect(replayed).toBe(2 * records.length);
    const changed = records.map((each, index) =>
      index !== 1
        ? each
        : {
            ...each,
            transaction: { ...each.transaction, body: { type: "createSession" as const, timeoutMs: 1 } },
          },
    );
    expect(violatedChecks([disk("server-1", records), disk("server-2", changed)])).toContain("digests");
  });
});

/** A small generator: the seed names the run (Numerical Recipes' linear congruential). */
function seeded(seed: number): Choose {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

describe("joined with a history", () => {
  const write = (type: Event["type"], index: number, evidence: Partial<Event> = {}): Event[] => [
    {
      index: 2 * index,
      time: 2 * index,
      process: index,
      type: "invoke",
      f: "setData",
      value: { path: "/a", data: "", version: -1 },
    },
    {
      index: 2 * index + 1,
      time: 2 * index + 1,
      process: index,
      type,
      f: "setData",
      value: null,
      ...evidence,
    },
  ];
  const ok = (index: number, digits: number, more: Partial<Event> = {}): Event[] =>
    write("ok", index, {
      zxid: zxidOf(Math.floor(digits / 10), digits % 10),
      session: "0x1",
      xid: zxidOf(Math.floor(digits / 10), digits % 10) % 1000,
      ...more,
    });

  test("acknowledged writes on a quorum hold", () => {
    const disks = three([at(11), at(12)], [at(11), at(12)], [at(11)]);
    const verdicts = checkTransactionLogs(disks, { history: [...ok(0, 11), ...ok(1, 12)] });
    expect(verdicts.find(({ name }) => name === "acknowledged-writes")).toMatchObject({
      verdict: "holds",
      detail: "2 of 2 acknowledged writes are on a quorum (2 of 3)",
      counts: { acknowledged: 2, logged: 2 },
    });
  });

  test.each<[string, string, ServerDisk[], Event[], RegExp]>([
    [
      "an acknowledged write on one server only",
      "acknowledged-writes",
      three([at(11), at(12)], [at(11)], [at(11)]),
      ok(0, 12),
      /setData of event 1, acknowledged as 0x100000002, is on server-1; a quorum is 2 of 3/,
    ],
    [
      "an acknowledged write on no server",
      "acknowledged-writes",
      three([at(11)], [at(11)], [at(11)]),
      ok(0, 12),
      /is on no server/,
    ],
    [
      "an acknowledged write that a server skipped",
      "acknowledged-writes",
      three([at(11), at(12), at(13)], [at(11), at(12), at(13)], [at(11), at(13)]),
      ok(0, 12),
      /was skipped by server-3/,
    ],
    [
      "another transaction than the acknowledged one",
      "acknowledged-writes",
      three([at(11)], [at(11)]),
      ok(0, 11, { xid: 999 }),
      /is setData \/a by request .* in the log/,
    ],
    [
      "a refused write that was logged",
      "failed-writes",
      three([at(11)], [at(11)]),
      write("fail", 0, { zxid: 1, session: "0x1", xid: zxidOf(1, 1) % 1000, error: "BadVersion" }),
      /was answered BadVersion, yet logged as 0x100000001/,
    ],
  ])("%s is found", (_, check, disks, history, detail) => {
    const verdict = checkTransactionLogs(disks, { history }).find(({ name }) => name === check);
    expect(verdict?.verdict).toBe("violated");
    expect(verdict?.detail).toMatch(detail);
    expect(verdict?.violation?.events.length).toBe(2);
  });

  test("an acknowledged write that nothing identifies is unknown, never a pass", () => {
    const verdicts = checkTransactionLogs(three([at(11)], [at(11)]), { history: write("ok", 0) });
    expect(verdicts.find(({ name }) => name === "acknowledged-writes")?.verdict).toBe("unknown");
  });

  test("unanswered writes are resolved by session and request", () => {
    const xid = (digits: number): number => zxidOf(Math.floor(digits / 10), digits % 10) % 1000;
    const history = [
      ...write("info", 0, { session: "0x1", xid: xid(11) }),
      ...write("info", 1, { session: "0x0001", xid: 999 }),
      ...write("info", 2),
    ];
    const verdict = checkTransactionLogs(three([at(11)], [at(11)]), { history }).at(-1);
    expect(verdict).toMatchObject({
      name: "unanswered-writes",
      verdict: "holds",
      counts: { unanswered: 3, happened: 1, neverLogged: 1, unresolved: 1 },
      evidence: {
        resolutions: [
          {
            event: 0,
            f: "setData",
            became: "happened",
            zxid: "0x100000001",
            servers: ["server-1", "server-2"],
          },
          { event: 2, f: "setData", became: "neverLogged" },
          { event: 4, f: "setData", became: "unresolved" },
        ],
      },
    });
  });

  test("what a defect-free ensemble acknowledged holds", () => {
    fc.assert(
      fc.property(ensembles, (ensemble) => {
        const logged = new Map(
          ensemble.servers.flatMap((server) =>
            server.log.map((each) => [each.transaction.header.zxid, each] as const),
          ),
        );
        const history = [...ensemble.committed].flatMap((zxid, index): Event[] => {
          const each = logged.get(zxid);
          const body = each?.transaction.body;
          if (each === undefined || body?.type !== "setData") return [];
          const { session, cxid } = each.transaction.header;
          const value = { path: body.path, data: body.data, version: -1 };
          return [
            { index: 2 * index, time: index, process: index, type: "invoke", f: "setData", value },
            {
              index: 2 * index + 1,
              time: index,
              process: index,
              type: "ok",
              f: "setData",
              value,
              zxid,
              session,
              xid: cxid,
            },
          ];
        });
        expect(violatedChecks(ensemble.disks(), history)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
