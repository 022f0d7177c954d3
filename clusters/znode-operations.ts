import fc from "fast-check";
import {
  digestIdentity,
  type Acl,
  type CreateMode,
  type SubRequest,
  type ZnodeRequest,
} from "../model/index.ts";

/** For tests: what one of two clients does next. Paths are below the list's own root, "" for it itself. */
export type ClientStep =
  | { readonly do: "request"; readonly client: number; readonly request: ZnodeRequest }
  /** Loses the connection, resumes the session, and sets these watches again. */
  | {
      readonly do: "reconnect";
      readonly client: number;
      readonly behind: number;
      readonly paths: readonly string[];
    }
  /** Closes the session and opens another. */
  | { readonly do: "renew"; readonly client: number };

const names = ["/a", "/b", "/a/x", "/a/y", "/b/x", "/a/x/z"] as const;
/** Containers have no children here: the server would delete them by itself, at a time of its own. */
const path: fc.Arbitrary<string> = fc.constantFrom("", ...names, ...names);
const data: fc.Arbitrary<string | null> = fc.constantFrom(null, "", "x", "längerer Text €");
const version: fc.Arbitrary<number> = fc.constantFrom(-1, -1, 0, 1, 2);

const user = digestIdentity("u:p");
const acls: readonly (readonly Acl[])[] = [
  [{ permissions: 31, scheme: "world", id: "anyone" }],
  [{ permissions: 1, scheme: "world", id: "anyone" }],
  [{ permissions: 31, scheme: "digest", id: user.id }],
  [
    { permissions: 9, scheme: "world", id: "anyone" },
    { permissions: 31, scheme: "digest", id: user.id },
  ],
  [{ permissions: 31, scheme: "auth", id: "" }],
  [{ permissions: 31, scheme: "nonsense", id: "x" }],
  [],
];
const acl: fc.Arbitrary<readonly Acl[]> = fc.constantFrom(...acls);

const modes: fc.Arbitrary<CreateMode> = fc.constantFrom(
  "persistent",
  "persistent",
  "persistent",
  "persistent-sequential",
  "ephemeral",
  "ephemeral-sequential",
);

const create: fc.Arbitrary<SubRequest> = fc
  .record({ path, data, mode: modes, acl: fc.option(acl, { nil: undefined, freq: 8 }) })
  .map(({ acl: list, ...fields }) => ({
    op: "create",
    ...fields,
    ...(list === undefined ? {} : { acl: list }),
  }));
const special: fc.Arbitrary<SubRequest> = fc.constantFrom(
  { op: "create", path: "/c", data: "", mode: "container" },
  { op: "create", path: "/a/c", data: "", mode: "container" },
  { op: "create", path: "/t", data: "", mode: "persistent-ttl", ttlMs: 100_000_000 },
  { op: "create", path: "/t-", data: "", mode: "persistent-sequential-ttl", ttlMs: 1 << 30 },
  { op: "create", path: "/t", data: "", mode: "persistent-ttl", ttlMs: -1 },
  { op: "create", path: "/a/", data: "", mode: "persistent" },
  { op: "create", path: "/a//x", data: "", mode: "persistent" },
  { op: "create", path: "/a/../x", data: "", mode: "persistent" },
);
const remove: fc.Arbitrary<SubRequest> = fc.record({ op: fc.constant("delete" as const), path, version });
const setData: fc.Arbitrary<SubRequest> = fc.record({
  op: fc.constant("setData" as const),
  path,
  data,
  version,
});
const check: fc.Arbitrary<SubRequest> = fc.record({ op: fc.constant("check" as const), path, version });
const part: fc.Arbitrary<SubRequest> = fc.oneof(
  { weight: 4, arbitrary: create },
  { weight: 2, arbitrary: remove },
  { weight: 2, arbitrary: setData },
  { weight: 1, arbitrary: check },
);

const watch = fc.boolean();
const request: fc.Arbitrary<ZnodeRequest> = fc.oneof(
  { weight: 8, arbitrary: create },
  { weight: 1, arbitrary: special },
  { weight: 4, arbitrary: remove },
  { weight: 4, arbitrary: setData },
  { weight: 1, arbitrary: check },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("exists" as const), path, watch }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("getData" as const), path, watch }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("getChildren" as const), path, watch }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("getACL" as const), path }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("setACL" as const), path, acl, version }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("sync" as const), path }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("multi" as const),
      operations: fc.array(part, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("addWatch" as const),
      path,
      mode: fc.constantFrom("persistent" as const, "persistent-recursive" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("removeWatches" as const),
      path,
      kind: fc.constantFrom("data" as const, "children" as const, "any" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant<ZnodeRequest>({ op: "addAuth", scheme: "digest", auth: "u:p" }),
  },
);

const client = fc.nat(1);

/** Random lists of operations on one small tree by two clients. */
export const clientSteps: fc.Arbitrary<readonly ClientStep[]> = fc.array(
  fc.oneof(
    {
      weight: 40,
      arbitrary: fc.record({ do: fc.constant("request" as const), client, request }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("reconnect" as const),
        client,
        behind: fc.nat(8),
        paths: fc.uniqueArray(path, { maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("renew" as const), client }) },
  ),
  { minLength: 10, maxLength: 60, size: "max" },
);

/** The same request below a root. */
export function below(root: string, of: ZnodeRequest): ZnodeRequest {
  if (of.op === "multi") {
    return { ...of, operations: of.operations.map((each) => ({ ...each, path: root + each.path })) };
  }
  return "path" in of ? { ...of, path: root + of.path } : of;
}
