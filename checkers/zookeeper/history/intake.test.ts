import { describe, expect, test } from "vitest";
import { type Event, HistoryBuilder, type Json, sessionsProcess } from "../../../model/index.ts";
import { readHistory } from "./intake.ts";
import type { Step } from "./steps.ts";

const [first, second] = ["0x1", "0x2"];

/** A request of a process and its answer. */
function ask(
  builder: HistoryBuilder,
  process: number,
  f: string,
  connection: { readonly session: string; readonly server: string },
): void {
  builder.invoke(process, f, { path: "/a" }, connection);
  builder.ok(process, { path: "/a" }, { ...connection, zxid: 1 });
}

function lastOf(builder: HistoryBuilder): Step {
  return readHistory(builder.events).steps.at(-1) as Step;
}

describe("a read", () => {
  const here = { session: first, server: "server-1" };

  function syncedSince(...between: readonly ((builder: HistoryBuilder) => void)[]): number | undefined {
    const builder = new HistoryBuilder();
    ask(builder, 0, "sync", here);
    for (const each of between) each(builder);
    return lastOf(builder).syncedSince;
  }

  test("right after a sync of its connection is a synced one", () => {
    expect(syncedSince((builder) => ask(builder, 0, "getData", here))).toBe(0);
    expect(syncedSince((builder) => ask(builder, 0, "sync+exists", here))).toBe(2);
  });

  test("is none on another server, of another process or session, or after another request", () => {
    expect(
      syncedSince((builder) => ask(builder, 0, "getData", { ...here, server: "server-2" })),
    ).toBeUndefined();
    expect(syncedSince((builder) => ask(builder, 1, "getData", here))).toBeUndefined();
    expect(
      syncedSince((builder) => ask(builder, 0, "getData", { ...here, session: second })),
    ).toBeUndefined();
    const getData = (builder: HistoryBuilder): void => ask(builder, 0, "getData", here);
    expect(syncedSince(getData, getData)).toBeUndefined();
  });

  test("is none where the sync had not been answered", () => {
    const builder = new HistoryBuilder().invoke(0, "sync", { path: "/a" }, here);
    builder.invoke(1, "getData", { path: "/a" }, here).ok(0, { path: "/a" }, { ...here, zxid: 1 });
    expect(lastOf(builder).syncedSince).toBeUndefined();
  });
});

describe("a step", () => {
  const request = { path: "/a", data: "1", version: -1 };

  test("is rejected only by a server, which tells a zxid", () => {
    const build = (): HistoryBuilder => new HistoryBuilder().invoke(0, "setData", request);
    expect(lastOf(build().fail(0, request, { error: "BadVersion", zxid: 4 }))).toMatchObject({
      outcome: "rejected",
      error: "BadVersion",
      hasPosition: true,
    });
    expect(lastOf(build().fail(0, request, { error: "ConnectionLoss", zxid: 4 })).hasPosition).toBe(false);
    for (const evidence of [{ error: "BadVersion" }, { error: "no connection", zxid: 4 }, { zxid: 4 }])
      expect(lastOf(build().fail(0, request, evidence))).toMatchObject({
        outcome: "unsent",
        error: undefined,
      });
    expect(lastOf(build().info(0, request, { zxid: 4 })).outcome).toBe("unknown");
    expect(lastOf(build()).outcome).toBe("unknown");
  });

  test("has the whole request", () => {
    const acl = [{ permissions: 1, scheme: "world", id: "anyone" }];
    const created = { path: "/a", data: null, mode: "persistent-ttl" };
    const build = (f: string, value: Json): Step => lastOf(new HistoryBuilder().invoke(0, f, value));
    expect(build("create", { ...created, acl }).writeRequest).toMatchObject({
      op: "create",
      ...created,
      acl,
    });
    expect(build("create", { ...created, acl }).hasAcl).toBe(true);
    expect(build("create", { ...created, ttlMs: 5 }).writeRequest).toMatchObject({ ...created, ttlMs: 5 });
    expect(build("create", created).hasAcl).toBe(false);
    expect(build("setData", request).writeRequest).toEqual({ op: "setData", ...request });
    expect(build("delete", { path: "/a", version: 3 }).writeRequest).toEqual({
      op: "delete",
      path: "/a",
      version: 3,
    });
    expect(build("check", { path: "/a", version: 3 }).writeRequest).toEqual({
      op: "check",
      path: "/a",
      version: 3,
    });
    const setAcl = { path: "/a", acl, version: 2 };
    expect(build("setACL", setAcl).writeRequest).toEqual({ op: "setACL", ...setAcl });
    expect(() => build("setData", request).request).toThrow(
      "setData has all that it asks for in fields of its own",
    );
  });

  test("is of the session and server that the completion tells, where it tells them", () => {
    const asked = { session: first, server: "server-1" };
    const build = (): HistoryBuilder => new HistoryBuilder().invoke(0, "setData", request, asked);
    expect(lastOf(build().ok(0, request, { zxid: 1 }))).toMatchObject(asked);
    const told = { session: second, server: "server-2" };
    expect(lastOf(build().ok(0, request, { ...told, zxid: 1 }))).toMatchObject(told);
  });
});

test("answers that are not of the form of their operation are refused", () => {
  const refused: readonly (readonly [string, Json, Json, string])[] = [
    ["getData", { path: "/a" }, { data: 4 }, "expected data to be text or null"],
    ["getChildren", { path: "/a" }, { children: "b" }, "expected children to be a list of text"],
    ["exists", { path: "/a" }, { stat: { czxid: 1 } }, "expected stat to be whole"],
    ["create", { path: "/a", data: null, mode: "persistent" }, {}, "expected path to be text"],
    ["multi", { operations: [] }, {}, "expected results to be a list"],
  ];
  for (const [f, value, answer, message] of refused) {
    const { events } = new HistoryBuilder().invoke(0, f, value).ok(0, answer, { zxid: 1 });
    expect(() => readHistory(events)).toThrow(`event 1 (ok ${f} of 0): ${message}`);
  }
});

test("what is told of sessions beside their life is left aside", () => {
  const event: Event = {
    index: 0,
    time: 0,
    process: sessionsProcess,
    type: "info",
    f: "moved",
    value: { session: first, process: 0 },
  };
  expect(readHistory([event]).sessions).toEqual([]);
  expect(readHistory([{ ...event, f: "session-expired" }]).sessions).toMatchObject([{ index: 0 }]);
});
