import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { logFile, logRecord } from "../../clusters/index.ts";
import { encodeEvent, encodeHeader, type Event, type Transaction } from "../../model/index.ts";
import { main } from "../main.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "zabcheck-logs-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Judged {
  readonly code: number;
  readonly errors: string;
  readonly output: {
    verdict: string;
    checks: { name: string; verdict: string; detail: string }[];
    servers: string[];
  };
}

/** Runs the command with --json. */
async function checkLogs(...args: readonly string[]): Promise<Judged> {
  const written = { out: "", err: "" };
  const { stdout, stderr } = process;
  const [writeOut, writeError] = [stdout.write, stderr.write];
  stdout.write = (text) => ((written.out += String(text)), true);
  stderr.write = (text) => ((written.err += String(text)), true);
  try {
    const code = await main(["check-logs", "--json", ...args]);
    if (code === 70) throw new Error(written.err);
    return {
      code,
      errors: written.err,
      output: JSON.parse(written.out === "" ? "{}" : written.out) as Judged["output"],
    };
  } finally {
    stdout.write = writeOut;
    stderr.write = writeError;
    process.exitCode = 0;
  }
}

const setData = (counter: number, text = `value ${counter}`): Transaction => ({
  header: { session: "0x1000012ab340000", cxid: counter, zxid: 0x1_0000_0000 + counter, timeMs: counter },
  body: { type: "setData", path: "/a", data: text, version: counter },
});

function putServer(name: string, log: Buffer, file = "log.100000001"): void {
  mkdirSync(join(root, name, "version-2"), { recursive: true });
  writeFileSync(join(root, name, "version-2", file), log);
}

const whole = [1, 2, 3, 4].map((counter) => setData(counter));
const broken = ({ output }: Judged): string[] =>
  output.checks.filter(({ verdict }) => verdict === "violated").map(({ name }) => name);

describe("check-logs", () => {
  test("holds for three equal logs", async () => {
    for (const name of ["server-1", "server-2", "server-3"]) putServer(name, logFile(whole, 4096));
    const judged = await checkLogs(root);
    expect(judged.code).toBe(0);
    expect(judged.output).toMatchObject({ verdict: "holds", servers: ["server-1", "server-2", "server-3"] });
    expect(judged.errors).toMatch(/read as the disks of 3 servers, server-1, server-2, server-3/);
  });

  const without = (counter: number): Transaction[] => whole.filter(({ header }) => header.cxid !== counter);
  test.each<[string, string[], Buffer[]]>([
    [
      "a dropped record",
      ["prefixes-agree", "nothing-missing"],
      [logFile(whole), logFile(without(3)), logFile(whole)],
    ],
    [
      "swapped records",
      ["zxid-order"],
      [logFile(whole), logFile([setData(1), setData(3), setData(2), setData(4)]), logFile(whole)],
    ],
    [
      "changed content",
      ["same-transaction"],
      [logFile(whole), logFile([...without(4), setData(4, "other")]), logFile(whole)],
    ],
    [
      "a record torn in the middle of a majority",
      ["logs-readable"],
      [1, 2]
        .map(() => logFile([setData(1), logRecord(setData(2)).subarray(0, 50), setData(3), setData(4)]))
        .concat(logFile(whole)),
    ],
  ])("finds %s", async (_, checks, logs) => {
    logs.forEach((log, index) => putServer(`server-${index + 1}`, log));
    const judged = await checkLogs(root);
    expect(judged.code).toBe(1);
    expect(broken(judged)).toEqual(checks);
  });

  test("joins the logs with a history", async () => {
    putServer("server-1", logFile(whole));
    putServer("server-2", logFile(without(4)));
    putServer("server-3", logFile(without(4)));
    const value = { path: "/a", data: "value 4", version: -1 };
    const invocation: Event = { index: 0, time: 0, process: 0, type: "invoke", f: "setData", value };
    const evidence = { zxid: 0x1_0000_0004, session: "0x1000012ab340000", xid: 4 };
    const history = join(root, "history.jsonl");
    const record = (completion: Partial<Event>): void =>
      writeFileSync(
        history,
        [
          encodeHeader(),
          encodeEvent(invocation),
          encodeEvent({ ...invocation, index: 1, time: 1, ...completion }),
        ].join(""),
      );
    const servers = ["server-1", "server-2", "server-3"].map((name) => join(root, name));
    record({ type: "ok", ...evidence });
    const acknowledged = await checkLogs(...servers, "--history", history);
    expect(broken(acknowledged)).toEqual(["acknowledged-writes"]);
    record({ type: "info", session: evidence.session, xid: evidence.xid });
    const unanswered = await checkLogs(...servers, "--history", history);
    expect(unanswered.code).toBe(0);
    expect(unanswered.output.checks.at(-1)?.detail).toMatch(/^of 1 unanswered writes 1 happened/);
  });

  test("refuses bad input with one line", async () => {
    const judged = await checkLogs(join(root, "nowhere"));
    expect(judged.code).toBe(64);
    expect(judged.errors.trim().split("\n").at(-1)).toMatch(/^zabcheck: .*nowhere: cannot be read: ENOENT/);
    expect((await checkLogs()).code).toBe(64);
  });
});

/** Folders of three servers' disks each; not part of the project. */
const recorded = process.env["ZABCHECK_TRANSACTION_LOGS"] ?? "../shared/transaction-logs";

describe.skipIf(!existsSync(recorded))(
  `disks of real ensembles (in ${recorded}; set ZABCHECK_TRANSACTION_LOGS)`,
  () => {
    const verdicts: { readonly [name: string]: readonly [string, RegExp] } = {
      "3.4.11-2845": ["violated", /server-3 keeps 0x100000003/],
      "3.4.12-2845": ["holds", /^/],
      "3.8.4-4643": ["holds", /^/],
      "3.8.6-4394": ["holds", /warning: server-1 logged 0x100000003 twice, with the same content/],
      "3.8.6-4712": ["violated", /server-1 logged 0x100000003 .* behind 0x200000002/],
      "3.9.3-4712": ["holds", /^/],
      "3.9.3-4925": ["violated", /server-1 lacks 0x100000003/],
      "3.9.4-4925": ["holds", /^/],
      "3.9.5-4882": ["violated", /server-1 lacks 0x100000004/],
    };
    test.each(Object.entries(verdicts))("%s is as it was left", async (name, [verdict, detail]) => {
      const { output } = await checkLogs(join(recorded, name));
      expect(output.verdict).toBe(verdict);
      expect(output.servers).toHaveLength(3);
      expect(output.checks.map((check) => check.detail).join("\n")).toMatch(detail);
    });

    test("an acknowledged write that the disks alone do not miss is missed by the client's history (3.8.4-4643)", async () => {
      const invocation: Event = {
        index: 0,
        time: 0,
        process: 0,
        type: "invoke",
        f: "setData",
        value: { path: "/a", data: "T", version: -1 },
      };
      const completion: Event = {
        ...invocation,
        index: 1,
        time: 1,
        type: "ok",
        zxid: 0x1_0000_0003,
        session: "0x30000241e480000",
        xid: 2,
      };
      const history = join(root, "history.jsonl");
      writeFileSync(history, [encodeHeader(), encodeEvent(invocation), encodeEvent(completion)].join(""));
      const judged = await checkLogs(join(recorded, "3.8.4-4643"), "--history", history);
      expect(broken(judged)).toEqual(["acknowledged-writes"]);
      expect(judged.output.checks.find(({ name }) => name === "acknowledged-writes")?.detail).toMatch(
        /acknowledged as 0x100000003, is on server-3; a quorum is 2 of 3/,
      );
    });

    test("a hole in a real server's log shows in the digests of its tree, too", async () => {
      expect(broken(await checkLogs(join(recorded, "3.9.3-4925")))).toEqual(["nothing-missing", "digests"]);
      expect(broken(await checkLogs(join(recorded, "3.9.4-4925")))).toEqual([]);
    });
  },
);
