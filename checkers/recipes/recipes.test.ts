import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { candidatesPath, type Event, guardPath, HistoryBuilder, type Json } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { checkBarriers } from "./barriers.ts";
import { type Candidacy, reignsOf } from "./candidates.ts";
import { checkQueue, checkUniqueIds } from "./collections.ts";
import { election, type ElectionRecorder, outcome } from "./for-tests.ts";
import { checkLeadership } from "./leadership.ts";
import { checkLocks } from "./locks.ts";
import { checkMembership } from "./membership.ts";
import { namedChecks } from "./named.ts";

describe("leadership", () => {
  const first = "a-candidate-0000000000";
  const second = "b-candidate-0000000001";

  function handOver(early: boolean): ElectionRecorder {
    const r = election();
    const one = r.create(1, `${candidatesPath}/a-candidate-`, "ephemeral-sequential");
    const two = r.create(2, `${candidatesPath}/b-candidate-`, "ephemeral-sequential");
    r.believe("lead", 1, first, one);
    r.act(1, { op: "setData", path: guardPath, data: `${one}`, version: -1 });
    if (!early) r.act(1, { op: "delete", path: `${candidatesPath}/${first}`, version: -1 });
    r.act(2, { op: "getChildren", path: candidatesPath });
    r.believe("lead", 2, second, two);
    r.act(2, { op: "setData", path: guardPath, data: `${one} ${two}`, version: -1 });
    r.believe("step", 1, first, one);
    return r;
  }

  test("a hand-over keeps the promises, and the older leader is told as a zombie", () => {
    const verdicts = checkLeadership(handOver(false).builder.events);
    for (const { verdict } of verdicts) expect(verdict).toBe("holds");
    expect(verdicts.find(({ name }) => name === "zombie-leaders")?.counts?.["zombies"]).toBe(1);
  });

  test("a leader that was not the lowest when it began to lead is found", () => {
    const verdicts = checkLeadership(handOver(true).builder.events);
    expect(outcome(verdicts, "leader-was-lowest")).toBe("violated");
  });

  test("a leader that had not seen its predecessor go is found", () => {
    const r = election();
    const one = r.create(1, `${candidatesPath}/a-candidate-`, "ephemeral-sequential");
    const two = r.create(2, `${candidatesPath}/b-candidate-`, "ephemeral-sequential");
    expect(one).toBeLessThan(two);
    r.act(1, { op: "delete", path: `${candidatesPath}/${first}`, version: -1 });
    r.believe("lead", 2, second, two);
    expect(outcome(checkLeadership(r.builder.events), "leader-was-lowest")).toBe("violated");
  });

  test("an older token after a newer one is found", () => {
    const r = handOver(false);
    r.act(1, { op: "setData", path: guardPath, data: "5", version: -1 });
    expect(outcome(checkLeadership(r.builder.events), "fencing-tokens")).toBe("violated");
  });

  test("a token list that falls, and one of nobody, are found", () => {
    for (const data of ["9 8", "999", "x"]) {
      const r = election();
      r.act(1, { op: "setData", path: guardPath, data, version: -1 });
      expect(outcome(checkLeadership(r.builder.events), "fencing-tokens")).toBe("violated");
    }
  });

  test("the sweep finds the same reigns as asking at every zxid", () => {
    const candidacies = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 12 })), { maxLength: 8 })
      .map((gaps) => {
        let zxid = 0;
        return gaps.map(([gap, life], sequence): Candidacy => {
          zxid += gap;
          return { path: `/${sequence}`, sequence, createdAt: zxid, exact: true, deletedAt: zxid + life };
        });
      });
    fc.assert(
      fc.property(candidacies, (all) => {
        const reigns = reignsOf(all);
        for (let zxid = 0; zxid < 60; zxid++) {
          const alive = all.filter(({ createdAt, deletedAt }) => createdAt <= zxid && zxid < deletedAt);
          const lowest = alive.reduce<Candidacy | undefined>(
            (least, each) => (least === undefined || each.sequence < least.sequence ? each : least),
            undefined,
          );
          const reigning = reigns.filter(({ from, until }) => from <= zxid && zxid < until);
          expect(reigning.map(({ candidacy }) => candidacy)).toEqual(lowest === undefined ? [] : [lowest]);
        }
      }),
    );
  });
});

describe("locks", () => {
  /** All orders in which holders could have taken turns, one after the other or readers together. */
  function slowTwin(events: readonly Event[]): boolean {
    const held = new Map<number | string, boolean>();
    let ok = true;
    const certain = new Map<number | string, { shared: boolean; from: number; until: number }[]>();
    for (const event of events) {
      const shared = event.f.endsWith("-read");
      const mine = certain.get(event.process) ?? [];
      certain.set(event.process, mine);
      if (event.f.startsWith("acquire") && event.type === "ok") {
        mine.push({ shared, from: event.index, until: Infinity });
        held.set(event.process, true);
      } else if (event.f.startsWith("release") && event.type === "invoke") {
        const last = mine.at(-1);
        if (last !== undefined && last.until === Infinity) last.until = event.index;
      }
    }
    const all = [...certain].flatMap(([process, holds]) => holds.map((hold) => ({ process, ...hold })));
    for (const a of all) {
      for (const b of all) {
        if (a === b || (a.shared && b.shared)) continue;
        if (a.from < b.until && b.from < a.until) ok = false;
      }
    }
    return ok;
  }

  test("agrees with comparing every pair of holders", () => {
    const moves = fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 40 });
    fc.assert(
      fc.property(moves, (list) => {
        const builder = new HistoryBuilder();
        const state = new Map<number, { stage: number; kind: string }>();
        for (const [process, read] of list) {
          const at = state.get(process) ?? { stage: 0, kind: "" };
          const kind = at.stage === 0 ? (read ? "-read" : "-write") : at.kind;
          if (at.stage === 0) builder.invoke(process, `acquire${kind}`);
          else if (at.stage === 1) builder.ok(process);
          else if (at.stage === 2) builder.invoke(process, `release${kind}`);
          else builder.ok(process);
          state.set(process, { stage: (at.stage + 1) % 4, kind });
        }
        const [verdict] = checkLocks(builder.events);
        expect(verdict?.verdict).toBe(slowTwin(builder.events) ? "holds" : "violated");
      }),
      { numRuns: 500 },
    );
  });

  test("a lock that was lost is held until then only", () => {
    const two = (lost: boolean): Verdict[] => {
      const builder = new HistoryBuilder().invoke("a", "acquire").ok("a");
      if (lost) builder.add({ process: "a", type: "info", f: "lost", value: null });
      return checkLocks(builder.invoke("b", "acquire").ok("b").events);
    };
    expect(outcome(two(true), "mutual-exclusion")).toBe("holds");
    expect(outcome(two(false), "mutual-exclusion")).toBe("violated");
  });
});

describe("queues, ids, barriers, membership", () => {
  function queueOf(...taken: Json[]): Event[] {
    const builder = new HistoryBuilder();
    for (const value of [1, 2]) builder.invoke(0, "enqueue", value).ok(0);
    for (const value of taken) builder.invoke(1, "dequeue").ok(1, value);
    return [...builder.events];
  }

  test("a queue gives each element once, in order, and loses none", () => {
    const good = checkQueue(queueOf(1, 2, null));
    expect([outcome(good, "queue-elements"), outcome(good, "queue-order")]).toEqual(["holds", "holds"]);
    expect(outcome(checkQueue(queueOf(1, 1)), "queue-elements")).toBe("violated");
    expect(outcome(checkQueue(queueOf(3)), "queue-elements")).toBe("violated");
    expect(outcome(checkQueue(queueOf(1, null)), "queue-elements")).toBe("violated");
    expect(outcome(checkQueue(queueOf(2, 1)), "queue-order")).toBe("violated");
  });

  test("ids are unique, and increase where that is asked for", () => {
    const ids = (...values: Json[]): Event[] => {
      const builder = new HistoryBuilder();
      for (const value of values) builder.invoke(0, "generate").ok(0, value);
      return [...builder.events];
    };
    expect(outcome(checkUniqueIds(ids(1, 2, 3)), "unique-ids")).toBe("holds");
    expect(outcome(checkUniqueIds(ids(1, 2, 1)), "unique-ids")).toBe("violated");
    expect(outcome(checkUniqueIds(ids("a-1", "a-3"), { increasing: true }), "increasing-ids")).toBe("holds");
    expect(outcome(checkUniqueIds(ids("a-3", "a-1"), { increasing: true }), "increasing-ids")).toBe(
      "violated",
    );
  });

  test("nobody is through a barrier before all are there", () => {
    const barrier = (early: boolean): Event[] => {
      const value = { barrier: "b", size: 2 };
      const builder = new HistoryBuilder().invoke(0, "enter", value);
      if (early) builder.ok(0);
      builder.invoke(1, "enter", value);
      if (!early) builder.ok(0);
      return [...builder.ok(1).events];
    };
    expect(outcome(checkBarriers(barrier(false)), "double-barrier")).toBe("holds");
    expect(outcome(checkBarriers(barrier(true)), "double-barrier")).toBe("violated");
  });

  test("a list of members holds nobody who never joined", () => {
    const members = (...list: Json[]): Event[] => [
      ...new HistoryBuilder().invoke(0, "join", "a").ok(0).invoke(1, "members").ok(1, list).events,
    ];
    expect(outcome(checkMembership(members("a")), "membership")).toBe("holds");
    expect(outcome(checkMembership(members("a", "b")), "membership")).toBe("violated");
    expect(checkMembership(members())[0]?.counts?.["members missing from stale lists"]).toBe(1);
  });

  test("a list of members holds nobody who was known to have left", () => {
    const members = (build: (builder: HistoryBuilder) => HistoryBuilder): string => {
      const joined = new HistoryBuilder().invoke(0, "join", "a").ok(0);
      return outcome(checkMembership(build(joined).events), "membership");
    };
    const list = (builder: HistoryBuilder, process: number, ...names: Json[]): HistoryBuilder =>
      builder.invoke(process, "members").ok(process, names);
    // To the session itself.
    expect(members((b) => list(b.invoke(0, "leave", "a").ok(0), 0, "a"))).toBe("violated");
    // To one that sees who joined after that.
    const later = (b: HistoryBuilder): HistoryBuilder =>
      b.invoke(0, "leave", "a").ok(0).invoke(0, "join", "b").ok(0);
    expect(members((b) => list(later(b), 1, "a", "b"))).toBe("violated");
    expect(members((b) => list(later(b), 1, "a"))).toBe("holds");
    // To one that saw it going.
    expect(members((b) => list(list(list(b, 1, "a"), 1), 1, "a"))).toBe("violated");
    expect(members((b) => list(list(b, 1, "a"), 1))).toBe("holds");
  });

  test("a lock that another process tells to be lost is held until then only", () => {
    const builder = new HistoryBuilder().invoke(1, "acquire").ok(1);
    builder.add({ process: "losses", type: "info", f: "lost", value: { process: 1 } });
    const { events } = builder.invoke(2, "acquire").ok(2);
    expect(outcome(checkLocks(events), "mutual-exclusion")).toBe("holds");
  });

  test("every check by name is vacuous on an empty history", () => {
    for (const { name, check } of namedChecks) {
      for (const verdict of check([])) {
        if (verdict.name === "queue-order") continue;
        expect([name, verdict.name, verdict.vacuous]).toEqual([name, verdict.name, true]);
      }
    }
  });
});
