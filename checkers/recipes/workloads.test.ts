import { describe, expect, test } from "vitest";
import { type Event, HistoryBuilder, type Json, settlingDraft, watchEventDraft } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { checkAccounts } from "./accounts.ts";
import { checkBarriers } from "./barriers.ts";
import { checkConfiguration } from "./configuration.ts";
import { checkFinalMembers } from "./final-members.ts";
import { ElectionRecorder, outcome } from "./for-tests.ts";
import { checkGuardReaders, checkGuardWriters } from "./guarded-locks.ts";
import { checkHerd } from "./herd.ts";
import { checkLocks } from "./locks.ts";
import { checkOwnEphemerals } from "./own-ephemerals.ts";
import { checkProgress } from "./progress.ts";

describe("what sessions prove", () => {
  const [first, second] = [{ session: "0x1" }, { session: "0x2" }];

  /** Process 0 has the lock, process 1 gets it, and then process 0's session shows life, or does not. */
  function taken(lives: boolean): Verdict[] {
    const r = new ElectionRecorder();
    const { builder } = r;
    for (const path of ["/a", "/b"]) r.create(0, path);
    builder.invoke("client-0", "acquire-write", "l").ok("client-0", "l", first);
    builder.invoke("client-1", "acquire-write", "l").ok("client-1", "l", second);
    if (lives) r.act(0, { op: "delete", path: "/a", version: -1 });
    r.act(1, { op: "delete", path: "/b", version: -1 });
    return checkLocks(builder.events);
  }

  test("who holds a lock after the last sign of life of its session is a zombie", () => {
    expect(outcome(taken(true), "mutual-exclusion")).toBe("violated");
    const verdicts = taken(false);
    expect(outcome(verdicts, "mutual-exclusion")).toBe("holds");
    expect(verdicts[0]?.counts?.["held beyond the last sign of life"]).toBe(2);
  });

  test("who is late to leave a barrier counts if its session was still alive", () => {
    const left = (lives: boolean): Verdict[] => {
      const r = new ElectionRecorder();
      r.create(0, "/a");
      r.builder.invoke("client-1", "leave", "b", second).ok("client-1");
      r.builder.invoke("client-0", "leave", "b", first).ok("client-0");
      if (lives) r.act(0, { op: "delete", path: "/a", version: -1 });
      return checkBarriers(r.builder.events);
    };
    expect(outcome(left(true), "double-barrier")).toBe("violated");
    expect(outcome(left(false), "double-barrier")).toBe("holds");
  });

  test("a guarded token that falls is found, and a change under a lock for reading", () => {
    const guard = "/l-guard";
    const history = (tokens: readonly number[], writes: boolean): readonly Event[] => {
      const r = new ElectionRecorder();
      for (const path of [guard, "/a"]) r.create(0, path);
      for (const token of tokens) r.act(1, { op: "setData", path: guard, data: String(token), version: -1 });
      r.builder.invoke("client-0", "acquire-read", "l").ok("client-0", "l", first);
      r.act(0, { op: "getData", path: guard });
      if (writes) r.act(1, { op: "setData", path: guard, data: "9", version: -1 });
      r.act(0, { op: "getData", path: guard });
      r.builder.invoke("client-0", "release-read", "l");
      r.act(0, { op: "delete", path: "/a", version: -1 });
      return r.builder.ok("client-0").events;
    };
    const writers = (tokens: readonly number[]): Verdict[] => [
      checkGuardWriters(history(tokens, false), (path) => path === guard),
    ];
    expect(outcome(writers([3, 3, 5]), "guard-writers")).toBe("holds");
    expect(outcome(writers([3, 5, 3]), "guard-writers")).toBe("violated");
    const readers = (writes: boolean): Verdict[] => [
      checkGuardReaders(history([], writes), (lock) => `/${lock}-guard`),
    ];
    expect(outcome(readers(false), "guard-readers")).toBe("holds");
    expect(outcome(readers(true), "guard-readers")).toBe("violated");
  });

  test("who waits when everybody has settled waits for ever", () => {
    const settled = (ends: boolean): Verdict[] => {
      const builder = new HistoryBuilder().invoke("client-0", "acquire").add(settlingDraft("settling"));
      if (ends) builder.info("client-0");
      return [checkProgress(builder.add(settlingDraft("settled")).events)];
    };
    expect(outcome(settled(true), "progress")).toBe("holds");
    expect(outcome(settled(false), "progress")).toBe("violated");
    expect(outcome([checkProgress([])], "progress")).toBe("vacuous");
  });

  test("a departure that wakes two sessions is a herd", () => {
    const woken = (...sessions: readonly string[]): Verdict[] => {
      const builder = new HistoryBuilder();
      const event = { type: "NodeDeleted", path: "/l/n-0000000001", zxid: 7 } as const;
      for (const session of sessions)
        builder.add(watchEventDraft(event, { session, server: "server-1", process: 1 }));
      return [checkHerd(builder.events, () => true)];
    };
    expect(outcome(woken("0x1"), "no-herd")).toBe("holds");
    expect(outcome(woken("0x1", "0x1"), "no-herd")).toBe("holds");
    expect(outcome(woken("0x1", "0x2"), "no-herd")).toBe("violated");
  });
});

describe("the end of groups and configurations", () => {
  const settling = settlingDraft("settling");

  test("a final list shows who is there, and nobody who was gone before", () => {
    const listed = (list: Json, before: "stays" | "leaves" | "gone"): Verdict[] => {
      const builder = new HistoryBuilder().invoke("client-0", "join", "a").ok("client-0");
      if (before === "leaves") builder.invoke("client-0", "leave", "a").ok("client-0");
      if (before === "gone") builder.add({ process: "client-0", type: "info", f: "gone", value: "a" });
      builder.add(settling).invoke("client-1", "catch-up").ok("client-1", list);
      return [checkFinalMembers(builder.events)];
    };
    expect(outcome(listed(["a"], "stays"), "final-members")).toBe("holds");
    expect(outcome(listed([], "stays"), "final-members")).toBe("violated");
    for (const before of ["leaves", "gone"] as const) {
      expect(outcome(listed([], before), "final-members")).toBe("holds");
      expect(outcome(listed(["a"], before), "final-members")).toBe("violated");
    }
  });

  test("a configuration that was not written, that runs back, or that is not the last, is found", () => {
    const seen = (version: number, number: number, last = 1): string[] => {
      const builder = new HistoryBuilder();
      for (const written of [0, 1]) builder.invoke("client-0", "write", written).ok("client-0");
      builder.invoke("client-1", "read").ok("client-1", { version, number });
      builder.invoke("client-1", "catch-up").ok("client-1", { version: 1, number: last });
      const verdicts = checkConfiguration(builder.events);
      return ["configuration-order", "configuration-last"].map((name) => outcome(verdicts, name));
    };
    expect(seen(0, 0)).toEqual(["holds", "holds"]);
    expect(seen(-1, -1)).toEqual(["holds", "holds"]);
    expect(seen(0, 7)).toEqual(["violated", "holds"]);
    expect(seen(2, 0)).toEqual(["violated", "holds"]);
    expect(seen(0, 0, 0)).toEqual(["holds", "violated"]);
  });
});

test("money that is made, lost or forged is found", () => {
  const options = { prefix: "/account-", initial: 100 };
  const [from, to] = ["/account-0", "/account-1"];
  const judged = (end: "ok" | "info", audit: readonly number[], final: number, forged = false): string[] => {
    const builder = new HistoryBuilder().invoke("client-0", "transfer", { from, to, amount: 5 });
    builder[end]("client-0").invoke("client-1", "audit", { accounts: 2 });
    builder.ok("client-1", { balances: audit }).invoke("client-1", "forge", { account: from });
    builder[forged ? "ok" : "fail"]("client-1");
    const read = { path: to, final: true };
    builder.invoke(9, "sync+getData", read).ok(9, { ...read, data: `${final}` });
    const verdicts = checkAccounts(builder.events, options);
    return ["audits", "forgeries", "final-balances"].map((name) => outcome(verdicts, name));
  };
  expect(judged("ok", [95, 105], 105)).toEqual(["holds", "holds", "holds"]);
  expect(judged("info", [100, 100], 100)).toEqual(["holds", "holds", "holds"]);
  expect(judged("info", [100, 105], 105)).toEqual(["violated", "holds", "holds"]);
  expect(judged("ok", [205, -5], 105)).toEqual(["violated", "holds", "holds"]);
  expect(judged("ok", [95, 105], 100)).toEqual(["holds", "holds", "violated"]);
  expect(judged("info", [95, 105], 110, true)).toEqual(["holds", "violated", "violated"]);
});

test("an ephemeral znode that its session does not find, or that outlives it, is found", () => {
  const one = { path: "/s/a", data: "", mode: "ephemeral" };
  const judged = (finds: boolean, left: readonly string[], deleted = false): string[] => {
    const session = { session: "0x1" };
    const builder = new HistoryBuilder().invoke(0, "create", one).ok(0, one, session);
    if (deleted) builder.invoke(0, "delete", { path: "/s/a", version: -1 }).info(0);
    builder.invoke(0, "exists", { path: "/s/a" });
    if (finds) builder.ok(0, { path: "/s/a" }, session);
    else builder.fail(0, { path: "/s/a" }, { ...session, error: "NoNode" });
    const read = { path: "/s", final: true };
    builder.invoke(9, "sync+getChildren", read).ok(9, { ...read, children: left });
    const verdicts = checkOwnEphemerals(builder.events, "/s");
    return ["own-ephemerals-stay", "ephemerals-go"].map((name) => outcome(verdicts, name));
  };
  expect(judged(true, [])).toEqual(["holds", "holds"]);
  expect(judged(false, [])).toEqual(["violated", "holds"]);
  expect(judged(false, [], true)).toEqual(["vacuous", "holds"]);
  expect(judged(true, ["a"])).toEqual(["holds", "violated"]);
});
