import { describe, expect, test } from "vitest";
import { digestIdentity } from "./acl.ts";
import type { WatchEvent, ZnodeAnswer } from "./operations.ts";
import { RequestPreparation, type WriteRequest } from "./prepare.ts";
import { authenticate, expiredNodes, type LocalRequest, ZnodeServer } from "./server.ts";
import { serverFeatures } from "./server-version.ts";
import { byteLength } from "./tree.ts";

/** One server that applies at once what it prepares; connections are named as their sessions. */
class Standalone {
  readonly events: (WatchEvent & { to: string })[] = [];
  readonly identities = new Map<string, ReturnType<typeof digestIdentity>[]>();
  readonly server: ZnodeServer<string>;
  readonly leader: RequestPreparation;
  zxid = 0;
  timeMs = 1000;

  constructor(version = "3.9.5", extendedTypes = true) {
    const features = serverFeatures(version);
    this.server = new ZnodeServer<string>({
      features,
      deliver: (to, event) => this.events.push({ ...event, to }),
      identities: (session) => this.identities.get(session) ?? [],
    });
    this.leader = new RequestPreparation(this.server.tree, { features, extendedTypes });
    for (const session of ["0xa", "0xb"]) {
      const header = this.header(session);
      this.server.apply(header, this.leader.createSession(header, 4000));
    }
  }

  header(session: string): { session: string; cxid: number; zxid: number; timeMs: number } {
    this.zxid++;
    return { session, cxid: this.zxid, zxid: this.zxid, timeMs: this.timeMs };
  }

  write(request: WriteRequest, session = "0xa"): ZnodeAnswer {
    const header = this.header(session);
    const body = this.leader.prepare(header, request, this.identities.get(session));
    const answer = this.server.apply(header, body);
    this.leader.applied(header.zxid);
    return answer;
  }

  read(request: LocalRequest, session = "0xa"): ZnodeAnswer {
    return this.server.answer(request, session);
  }
}

function result(answer: ZnodeAnswer): NonNullable<Extract<ZnodeAnswer, { error: null }>["result"]> {
  if (answer.error !== null) throw new Error(`answered ${answer.error}`);
  return answer.result;
}

const create = (path: string, mode = "persistent", more = {}): WriteRequest =>
  ({ op: "create", path, data: "x", mode, ...more }) as WriteRequest;

describe("znodes", () => {
  test("a fresh tree shows what a fresh server shows", () => {
    const zk = new Standalone();
    expect(result(zk.read({ op: "getData", path: "/" })).stat).toEqual({
      czxid: 0,
      mzxid: 0,
      pzxid: 0,
      ctime: 0,
      mtime: 0,
      version: 0,
      cversion: -1,
      aversion: 0,
      ephemeralOwner: "0x0",
      dataLength: 0,
      numChildren: 1,
    });
    expect(result(zk.read({ op: "getChildren", path: "/zookeeper" })).children).toEqual(["quota", "config"]);
  });

  test("a Stat counts changes of children, data and ACL", () => {
    const zk = new Standalone();
    zk.write(create("/a"));
    zk.timeMs = 2000;
    zk.write({ op: "setData", path: "/a", data: "häh", version: 0 });
    zk.write(create("/a/b"));
    zk.write(create("/a/c"));
    zk.write({ op: "delete", path: "/a/b", version: -1 });
    zk.write({
      op: "setACL",
      path: "/a",
      acl: [{ permissions: 31, scheme: "world", id: "anyone" }],
      version: 0,
    });
    expect(result(zk.read({ op: "exists", path: "/a" })).stat).toEqual({
      czxid: 3,
      mzxid: 4,
      pzxid: 7,
      ctime: 1000,
      mtime: 2000,
      version: 1,
      cversion: 3,
      aversion: 1,
      ephemeralOwner: "0x0",
      dataLength: 4,
      numChildren: 1,
    });
  });

  test("answers the errors that a server answers", () => {
    const zk = new Standalone();
    zk.write(create("/a"));
    zk.write(create("/e", "ephemeral"));
    const error = (request: WriteRequest): unknown => zk.write(request).error;
    expect(error(create("/a"))).toBe("NodeExists");
    expect(error(create("/x/y"))).toBe("NoNode");
    expect(error(create("/e/y"))).toBe("NoChildrenForEphemerals");
    expect(error(create("//y"))).toBe("BadArguments");
    expect(error(create("x"))).toBe("BadArguments");
    expect(error(create("/y", "persistent", { acl: [] }))).toBe("InvalidACL");
    expect(error(create("/y", "persistent-ttl", { ttlMs: 0 }))).toBe("BadArguments");
    expect(error({ op: "delete", path: "/", version: -1 })).toBe("BadArguments");
    expect(error({ op: "delete", path: "/a", version: 3 })).toBe("BadVersion");
    expect(error({ op: "setData", path: "/a", data: null, version: 3 })).toBe("BadVersion");
    expect(error({ op: "setData", path: "/nope", data: null, version: 3 })).toBe("NoNode");
    expect(error({ op: "check", path: "/a", version: 1 })).toBe("BadVersion");
    zk.write(create("/a/b"));
    expect(error({ op: "delete", path: "/a", version: -1 })).toBe("NotEmpty");
    expect(zk.read({ op: "getData", path: "/nope" }).error).toBe("NoNode");
    expect(zk.write(create("/z"), "0xdead").error).toBe("SessionExpired");
    expect(new Standalone("3.9.5", false).write(create("/t", "persistent-ttl", { ttlMs: 5 })).error).toBe(
      "Unimplemented",
    );
  });

  test("numbers sequential nodes by the creates of their parent, whatever was deleted", () => {
    const zk = new Standalone();
    zk.write(create("/q"));
    zk.write(create("/q/other"));
    expect(result(zk.write(create("/q/n-", "persistent-sequential"))).path).toBe("/q/n-0000000001");
    zk.write({ op: "delete", path: "/q/n-0000000001", version: -1 });
    expect(result(zk.write(create("/q/n-", "ephemeral-sequential"))).path).toBe("/q/n-0000000002");
  });

  test("a multi is all or nothing, and later sub-operations see earlier ones", () => {
    const zk = new Standalone();
    const good = zk.write({
      op: "multi",
      operations: [
        { op: "create", path: "/m", data: null, mode: "persistent" },
        { op: "create", path: "/m/s-", data: null, mode: "persistent-sequential" },
        { op: "setData", path: "/m", data: "1", version: 0 },
        { op: "check", path: "/m", version: 1 },
        { op: "delete", path: "/m/s-0000000000", version: -1 },
      ],
    });
    expect(result(good).results).toMatchObject([
      { op: "create", path: "/m" },
      { op: "create", path: "/m/s-0000000000" },
      { op: "setData", stat: { version: 1, numChildren: 1 } },
      { op: "check" },
      { op: "delete" },
    ]);
    const before = zk.server.tree.key();
    const bad = zk.write({
      op: "multi",
      operations: [
        { op: "create", path: "/m/t", data: null, mode: "persistent" },
        { op: "check", path: "/m", version: 7 },
        { op: "delete", path: "/m", version: -1 },
      ],
    });
    expect(bad).toMatchObject({
      error: "BadVersion",
      results: [
        { op: "error", error: "ok" },
        { op: "error", error: "BadVersion" },
        { op: "error", error: "RuntimeInconsistency" },
      ],
    });
    expect(zk.server.tree.key()).toBe(before);
    expect(zk.server.tree.lastProcessedZxid).toBe(4);
    expect(zk.write(create("/m/t")).error).toBeNull();
  });

  test("proposals see what is outstanding, a failed multi leaves no trace of it", () => {
    const zk = new Standalone();
    zk.write(create("/o"));
    const prepare = (request: WriteRequest): unknown => zk.leader.prepare(zk.header("0xa"), request);
    expect(prepare(create("/o/s-", "persistent-sequential"))).toMatchObject({ path: "/o/s-0000000000" });
    expect(prepare(create("/o/s-", "persistent-sequential"))).toMatchObject({ path: "/o/s-0000000001" });
    prepare({ op: "multi", operations: [create("/o/s-", "persistent-sequential"), create("/o")] as never });
    expect(prepare(create("/o/s-", "persistent-sequential"))).toMatchObject({ path: "/o/s-0000000002" });
    expect(prepare({ op: "delete", path: "/o", version: -1 })).toEqual({ type: "error", error: "NotEmpty" });
  });

  test("closing a session removes exactly its ephemeral nodes in one step", () => {
    const zk = new Standalone();
    zk.write(create("/p"));
    zk.write(create("/p/a", "ephemeral"));
    zk.write(create("/p/b", "ephemeral"), "0xb");
    const header = zk.header("0xa");
    const body = zk.leader.closeSession(header);
    expect(body).toEqual({ type: "closeSession", paths: ["/p/a"] });
    expect(zk.write(create("/p/late", "ephemeral")).error).toBe("SessionExpired");
    zk.server.apply(header, body);
    expect(result(zk.read({ op: "getChildren", path: "/p" })).children).toEqual(["b"]);
    expect(result(zk.read({ op: "exists", path: "/p/b" })).stat?.ephemeralOwner).toBe("0xb");
  });

  test("one-shot watches fire once, in ZooKeeper's order", () => {
    const zk = new Standalone();
    zk.write(create("/w"));
    zk.read({ op: "getData", path: "/w", watch: true });
    zk.read({ op: "getChildren", path: "/w", watch: true });
    zk.read({ op: "exists", path: "/w/c", watch: true });
    zk.write(create("/w/c"));
    zk.write(create("/w/d"));
    zk.write({ op: "delete", path: "/w/c", version: -1 });
    zk.write({ op: "delete", path: "/w/d", version: -1 });
    zk.write({ op: "delete", path: "/w", version: -1 });
    expect(zk.events.map(({ type, path, zxid }) => [type, path, zxid])).toEqual([
      ["NodeCreated", "/w/c", 4],
      ["NodeChildrenChanged", "/w", 4],
      ["NodeDeleted", "/w", 8],
    ]);
  });

  test("data and child watches of one connection report a deletion once", () => {
    const zk = new Standalone();
    zk.write(create("/w"));
    zk.read({ op: "getData", path: "/w", watch: true });
    zk.read({ op: "getChildren", path: "/w", watch: true });
    zk.read({ op: "getChildren", path: "/w", watch: true }, "0xb");
    zk.write({ op: "delete", path: "/w", version: -1 });
    expect(zk.events.map(({ type, to }) => [type, to])).toEqual([
      ["NodeDeleted", "0xa"],
      ["NodeDeleted", "0xb"],
    ]);
    expect(zk.server.watchCount).toBe(0);
  });

  test("recursive watches see the sub-tree without children events, persistent ones stay", () => {
    const zk = new Standalone();
    zk.write(create("/w"));
    zk.read({ op: "addWatch", path: "/w", mode: "persistent-recursive" });
    zk.read({ op: "addWatch", path: "/w", mode: "persistent" }, "0xb");
    zk.write(create("/w/c"));
    zk.write({ op: "setData", path: "/w/c", data: "1", version: -1 });
    zk.write({ op: "setData", path: "/w", data: "1", version: -1 });
    expect(zk.events.map(({ type, path, to }) => [to, type, path])).toEqual([
      ["0xa", "NodeCreated", "/w/c"],
      ["0xb", "NodeChildrenChanged", "/w"],
      ["0xa", "NodeDataChanged", "/w/c"],
      ["0xa", "NodeDataChanged", "/w"],
      ["0xb", "NodeDataChanged", "/w"],
    ]);
    expect(zk.read({ op: "removeWatches", path: "/w", kind: "any" }).error).toBeNull();
    expect(zk.read({ op: "removeWatches", path: "/w", kind: "any" }).error).toBe("NoWatcher");
  });

  test("before 3.9 a one-shot watch replaces a persistent one of the same path, and events have no zxid", () => {
    const zk = new Standalone("3.8.6");
    zk.write(create("/w"));
    zk.read({ op: "addWatch", path: "/w", mode: "persistent" });
    zk.read({ op: "getData", path: "/w", watch: true });
    zk.write({ op: "setData", path: "/w", data: "1", version: -1 });
    zk.write({ op: "setData", path: "/w", data: "2", version: -1 });
    expect(zk.events.map(({ type, zxid }) => [type, zxid])).toEqual([["NodeDataChanged", -1]]);
  });

  test("setWatches tells what was missed and registers the rest", () => {
    const zk = new Standalone();
    zk.write(create("/a"));
    zk.write(create("/b"));
    zk.write(create("/c"));
    zk.write({ op: "setData", path: "/b", data: "1", version: -1 });
    zk.write(create("/c/d"));
    zk.read({
      op: "setWatches",
      relativeZxid: 5,
      data: ["/a", "/b", "/gone"],
      exists: ["/a", "/later"],
      children: ["/a", "/c"],
      persistent: [],
      persistentRecursive: [],
    });
    expect(zk.events.map(({ type, path }) => [type, path])).toEqual([
      ["NodeDataChanged", "/b"],
      ["NodeDeleted", "/gone"],
      ["NodeCreated", "/a"],
      ["NodeChildrenChanged", "/c"],
    ]);
    expect(zk.server.watchCount).toBe(3);
  });

  test("ACLs: digest, auth, and events hidden from those who may not read", () => {
    const zk = new Standalone();
    expect(authenticate("digest", "super:test")?.id).toBe("super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
    const auth = [{ permissions: 31, scheme: "auth", id: "" }];
    expect(zk.write(create("/s", "persistent", { acl: auth })).error).toBe("InvalidACL");
    zk.identities.set("0xa", [digestIdentity("u:p")]);
    expect(zk.write(create("/s", "persistent", { acl: auth })).error).toBeNull();
    expect(zk.read({ op: "getData", path: "/s" }, "0xb").error).toBe("NoAuth");
    expect(zk.write({ op: "setData", path: "/s", data: null, version: -1 }, "0xb").error).toBe("NoAuth");
    expect(zk.write(create("/s/c"), "0xb").error).toBe("NoAuth");
    zk.read({ op: "addWatch", path: "/s", mode: "persistent" }, "0xb");
    expect(zk.write({ op: "setData", path: "/s", data: "1", version: -1 }).error).toBeNull();
    expect(zk.events).toEqual([]);
    const both = [
      { permissions: 1, scheme: "world", id: "anyone" },
      { permissions: 31, scheme: "digest", id: digestIdentity("u:p").id },
    ];
    zk.write({ op: "setACL", path: "/s", acl: both, version: 0 });
    expect(result(zk.read({ op: "getACL", path: "/s" }, "0xb")).acl?.[1]?.id).toBe("u:x");
  });

  test("containers go when they have had children, TTL nodes when their time is over", () => {
    const zk = new Standalone();
    zk.write(create("/c", "container"));
    zk.write(create("/t", "persistent-ttl", { ttlMs: 500 }));
    expect(expiredNodes(zk.server.tree, 1500)).toEqual([]);
    zk.write(create("/c/x"));
    zk.write({ op: "delete", path: "/c/x", version: -1 });
    expect(expiredNodes(zk.server.tree, 1501)).toEqual(["/c", "/t"]);
    const header = zk.header("0x0");
    zk.server.apply(header, zk.leader.deleteContainer(header, "/c"));
    expect(zk.read({ op: "exists", path: "/c" }).error).toBe("NoNode");
  });

  test("a copy equals its original and goes its own way", () => {
    const zk = new Standalone();
    zk.write(create("/a"));
    zk.write(create("/a/e", "ephemeral"));
    const copy = zk.server.tree.copy();
    expect(copy.key()).toBe(zk.server.tree.key());
    zk.write(create("/a/b"));
    expect(copy.node("/a/b")).toBeUndefined();
    expect([...copy.ephemeralsOf("0xa")]).toEqual(["/a/e"]);
    expect(copy.key()).not.toBe(zk.server.tree.key());
  });

  test("counts bytes as UTF-8 does", () => {
    for (const text of ["", "abc", "äöü", "€", "😀", "\ud800", "a\udc00b", "\ud800\ud800\udc00"]) {
      expect(byteLength(text)).toBe(Buffer.byteLength(text, "utf8"));
    }
    expect(byteLength(null)).toBe(0);
  });
});
