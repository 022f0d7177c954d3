import fc from "fast-check";
import { expect, test } from "vitest";
import { FiniteSet } from "../../specification/index.ts";
import {
  latestFeatures,
  openAcl,
  RequestPreparation,
  ZnodeServer,
  type WatchEvent as ZnodeEvent,
  type WriteRequest as ZnodeWrite,
  type ZnodeAnswer,
} from "../../sequential/znodes/index.ts";
import type { ReadRequest, RecipeAnswer, RecipeWatchEvent, WriteRequest } from "./requests.ts";
import { apply, endOfSession, prepare, prepareMulti, read, treeOf, type Transaction } from "./tree.ts";
import { miss, setWatches, trigger, watchOf, type Watch } from "./watches.ts";

const sessions = ["0xa", "0xb"] as const;
type SessionId = (typeof sessions)[number];

/** The whole specification, as one server that applies at once what it prepares. */
class Whole {
  readonly events: (RecipeWatchEvent & { readonly to: string })[] = [];
  readonly #server = new ZnodeServer<string>({
    features: latestFeatures,
    deliver: (to, { type, path }: ZnodeEvent) =>
      this.events.push({ to, type: type as RecipeWatchEvent["type"], path }),
    identities: () => [],
  });
  readonly #leader = new RequestPreparation(this.#server.tree, {
    features: latestFeatures,
    extendedTypes: true,
  });
  #zxid = 0;

  constructor() {
    for (const session of sessions) {
      const header = this.#header(session);
      this.#server.apply(header, this.#leader.createSession(header, 4000));
    }
    this.write({ op: "create", path: "/a", data: "", ephemeral: false, sequential: false }, "0xa");
  }

  #header(session: string): { session: string; cxid: number; zxid: number; timeMs: number } {
    this.#zxid++;
    return { session, cxid: this.#zxid, zxid: this.#zxid, timeMs: 0 };
  }

  #apply(request: ZnodeWrite, session: string): ZnodeAnswer {
    const header = this.#header(session);
    const answer = this.#server.apply(header, this.#leader.prepare(header, request, []));
    this.#leader.applied(header.zxid);
    return answer;
  }

  write(request: WriteRequest, session: string): ZnodeAnswer {
    return this.#apply(znodeWrite(request), session);
  }

  multi(operations: readonly WriteRequest[], session: string): ZnodeAnswer {
    const writes = operations.map((each) => znodeWrite(each));
    return this.#apply({ op: "multi", operations: writes } as ZnodeWrite, session);
  }

  read({ op, path, watch }: ReadRequest, session: string): ZnodeAnswer {
    return this.#server.answer({ op, path, watch }, session);
  }

  endSession(session: string): void {
    this.#apply({ op: "closeSession" } as ZnodeWrite, session);
  }

  /** The connection is gone. Returns the zxid that its client has seen. */
  lose(session: string): number {
    this.#server.disconnect(session);
    return this.#zxid;
  }

  /** A new connection, whose client holds these watches and has seen this zxid. */
  connect(session: string, watches: Iterable<Watch>, relativeZxid: number): void {
    const held = [...watches];
    const paths = (kind: Watch["kind"]): string[] =>
      held.filter((watch) => watch.kind === kind).map(({ path }) => path);
    this.#server.answer(
      {
        op: "setWatches",
        relativeZxid,
        data: paths("data"),
        exists: paths("exists"),
        children: paths("children"),
        persistent: [],
        persistentRecursive: [],
      },
      session,
    );
  }
}

function znodeWrite(request: WriteRequest): ZnodeWrite {
  if (request.op !== "create") return request;
  const { path, data, ephemeral, sequential } = request;
  const mode = `${ephemeral ? "ephemeral" : "persistent"}${sequential ? "-sequential" : ""}` as "persistent";
  return { op: "create", path, data, mode, acl: openAcl };
}

/** The recipes' service, brought to the same form. */
class Small {
  readonly events: (RecipeWatchEvent & { readonly to: string })[] = [];
  tree = treeOf("/a");
  /** What each session's client has seen when it lost its connection. */
  readonly lost = new Map<string, number>();
  readonly #watches = new Map<string, FiniteSet<Watch>>();

  watches(session: string): FiniteSet<Watch> {
    return this.#watches.get(session) ?? new FiniteSet<Watch>();
  }

  connect(session: string): void {
    const { events, left } = setWatches(this.watches(session), this.tree);
    this.lost.delete(session);
    this.#watches.set(session, left);
    this.events.push(...events.map((event) => ({ to: session, ...event })));
  }

  #commit(transaction: Transaction): void {
    this.tree = apply(this.tree, transaction);
    for (const session of sessions) {
      if (this.lost.has(session)) {
        this.#watches.set(session, miss(this.watches(session), transaction));
        continue;
      }
      const { events, left } = trigger(this.watches(session), transaction);
      this.#watches.set(session, left);
      this.events.push(...events.map((event) => ({ to: session, ...event })));
    }
  }

  write(request: WriteRequest, session: string): RecipeAnswer {
    const { transaction, answer } = prepare(this.tree, request, session);
    this.#commit(transaction);
    return answer;
  }

  multi(operations: readonly WriteRequest[], session: string): RecipeAnswer {
    const { transaction, answer } = prepareMulti(this.tree, operations, session);
    this.#commit(transaction);
    return answer;
  }

  read(request: ReadRequest, session: string): RecipeAnswer {
    const watch = watchOf(request, this.tree);
    if (watch !== undefined) this.#watches.set(session, this.watches(session).with(watch));
    return read(this.tree, request);
  }

  endSession(session: string): void {
    this.#watches.set(session, new FiniteSet<Watch>());
    this.#commit(endOfSession(this.tree, session));
  }
}

type Call =
  | { readonly do: "write"; readonly session: SessionId; readonly request: WriteRequest }
  | { readonly do: "multi"; readonly session: SessionId; readonly requests: readonly WriteRequest[] }
  | { readonly do: "read"; readonly session: SessionId; readonly request: ReadRequest }
  | { readonly do: "lose" | "connect"; readonly session: SessionId };

const session = fc.constantFrom(...sessions);
const path = fc.constantFrom("/a", "/a/b", "/a/c", "/a/b/d", "/a/n0000000000", "/a/n0000000001");
const version = fc.constantFrom(-1, -1, 0, 1);
const write: fc.Arbitrary<WriteRequest> = fc.oneof(
  fc.record({
    op: fc.constant("create" as const),
    path: fc.constantFrom("/a/b", "/a/c", "/a/b/d", "/a/n"),
    data: fc.constantFrom("", "x"),
    ephemeral: fc.boolean(),
    sequential: fc.boolean(),
  }),
  fc.record({ op: fc.constant("delete" as const), path, version }),
  fc.record({ op: fc.constant("setData" as const), path, data: fc.constantFrom("x", "y"), version }),
);
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("write" as const), session, request: write }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("multi" as const),
      session,
      requests: fc.array(write, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom("lose" as const, "connect" as const, "connect" as const),
      session,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      session,
      request: fc.record({
        op: fc.constantFrom("exists" as const, "getData" as const, "getChildren" as const),
        path,
        watch: fc.constantFrom(true, true, false),
        sync: fc.constant(false),
      }),
    }),
  },
);

/** What both can say of an answer: a znode's path, data, version and children, or the error. */
function common(answer: RecipeAnswer | ZnodeAnswer, request: WriteRequest | ReadRequest): unknown {
  if (answer.error !== null) return answer.error;
  const whole = "result" in answer ? answer.result : undefined;
  const flat = "result" in answer ? undefined : answer;
  switch (request.op) {
    case "create":
      return whole?.path ?? flat?.path;
    case "delete":
      return "ok";
    case "setData":
    case "exists":
      return whole?.stat?.version ?? flat?.version;
    case "getData":
      return [whole?.data ?? flat?.data, whole?.stat?.version ?? flat?.version];
    case "getChildren":
      return (whole?.children ?? flat?.children ?? []).toSorted();
  }
}

test("the recipes' service answers and notifies as the whole specification does", () => {
  fc.assert(
    fc.property(fc.array(call, { minLength: 20, maxLength: 60 }), (calls) => {
      const small = new Small();
      const whole = new Whole();
      for (const one of calls) {
        const isLost = small.lost.has(one.session);
        if (isLost !== (one.do === "connect")) continue;
        switch (one.do) {
          case "lose":
            small.lost.set(one.session, whole.lose(one.session));
            break;
          case "connect":
            whole.connect(one.session, small.watches(one.session), small.lost.get(one.session) ?? 0);
            small.connect(one.session);
            break;
          case "write":
            // A child of an ephemeral znode is refused there, and nobody's recipe makes one.
            if (one.request.op === "create" && isBelowEphemeral(small, one.request.path)) continue;
            expect(common(small.write(one.request, one.session), one.request)).toEqual(
              common(whole.write(one.request, one.session), one.request),
            );
            break;
          case "multi":
            if (one.requests.some((each) => each.path.startsWith("/a/b/"))) continue;
            expect(small.multi(one.requests, one.session).error === null).toBe(
              whole.multi(one.requests, one.session).error === null,
            );
            break;
          case "read":
            expect(common(small.read(one.request, one.session), one.request)).toEqual(
              common(whole.read(one.request, one.session), one.request),
            );
            break;
        }
        for (const each of sessions) {
          // What is told on a new connection comes in an order that nothing promises.
          const order = one.do === "connect" ? sorted : (events: readonly RecipeWatchEvent[]) => events;
          expect(order(sentTo(small.events, each))).toEqual(order(sentTo(whole.events, each)));
        }
        small.events.length = whole.events.length = 0;
      }
      for (const each of small.lost.keys()) {
        whole.connect(each, small.watches(each), small.lost.get(each) ?? 0);
        small.connect(each);
      }
      whole.endSession("0xb");
      small.endSession("0xb");
      const list: ReadRequest = { op: "getChildren", path: "/a", watch: false, sync: false };
      expect(common(small.read(list, "0xa"), list)).toEqual(common(whole.read(list, "0xa"), list));
      // All that a session held goes in one transaction, in an order that nothing promises.
      expect(sorted(sentTo(small.events, "0xa"))).toEqual(sorted(sentTo(whole.events, "0xa")));
    }),
    { numRuns: 500 },
  );
});

function sorted(events: readonly RecipeWatchEvent[]): readonly string[] {
  return events.map(({ type, path }) => `${type} ${path}`).toSorted();
}

function sentTo(
  events: readonly (RecipeWatchEvent & { readonly to: string })[],
  session: string,
): readonly RecipeWatchEvent[] {
  return events.filter(({ to }) => to === session).map(({ type, path }) => ({ type, path }));
}

function isBelowEphemeral(small: Small, path: string): boolean {
  const parent = path.slice(0, path.lastIndexOf("/"));
  return small.tree.nodes.some((node) => node.path === parent && node.owner !== "");
}
