import fc from "fast-check";

import type {
  Acl,
  CreateRequest,
  ErrorCode,
  Stat,
  SubRequest,
  SubResult,
  ZnodeAnswer,
  ZnodeRequest,
} from "../../model/index.ts";
import { createFlags, errorNumbers } from "./codes.ts";

// Random requests and the answers that fit them, for tests.

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const zxid = fc.oneof(
  fc.constant(-1),
  fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  fc.integer({ min: 0, max: 99 }),
);
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const data = fc.option(text, { nil: null });
const path = text.map((name) => `/${name}`);
const strings = fc.array(text, { maxLength: 4 });
const hex64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => `0x${value.toString(16)}`);

export const acls: fc.Arbitrary<Acl[]> = fc.array(fc.record({ permissions: int32, scheme: text, id: text }), {
  maxLength: 3,
});

export const stats: fc.Arbitrary<Stat> = fc.record({
  czxid: zxid,
  mzxid: zxid,
  pzxid: zxid,
  ctime: fc.maxSafeInteger(),
  mtime: fc.maxSafeInteger(),
  version: int32,
  cversion: int32,
  aversion: int32,
  ephemeralOwner: hex64,
  dataLength: int32,
  numChildren: int32,
});

const creates: fc.Arbitrary<CreateRequest> = fc
  .record({
    op: fc.constant("create" as const),
    path,
    data,
    acl: acls,
    mode: fc.constantFrom(...(Object.keys(createFlags) as (keyof typeof createFlags)[])),
    ttlMs: fc.maxSafeNat(),
  })
  .map(({ ttlMs, ...create }) => (create.mode.endsWith("-ttl") ? { ...create, ttlMs } : create));

export const subRequests: fc.Arbitrary<SubRequest> = fc.oneof(
  creates,
  fc.record({ op: fc.constant("delete" as const), path, version: int32 }),
  fc.record({ op: fc.constant("setData" as const), path, data, version: int32 }),
  fc.record({ op: fc.constant("check" as const), path, version: int32 }),
);

export const requests: fc.Arbitrary<ZnodeRequest> = fc.oneof(
  subRequests,
  fc.record({ op: fc.constantFrom("exists", "getData", "getChildren"), path, watch: fc.boolean() }),
  fc.record({ op: fc.constantFrom("getACL", "sync"), path }),
  fc.record({ op: fc.constant("setACL" as const), path, acl: acls, version: int32 }),
  fc.record({ op: fc.constant("multi" as const), operations: fc.array(subRequests, { maxLength: 5 }) }),
  fc.record({
    op: fc.constant("addWatch" as const),
    path,
    mode: fc.constantFrom("persistent" as const, "persistent-recursive" as const),
  }),
  fc.record({
    op: fc.constant("removeWatches" as const),
    path,
    kind: fc.constantFrom("children" as const, "data" as const, "any" as const),
  }),
  fc.record({
    op: fc.constant("setWatches" as const),
    relativeZxid: zxid,
    data: strings,
    exists: strings,
    children: strings,
    persistent: strings,
    persistentRecursive: strings,
  }),
  fc.record({ op: fc.constant("addAuth" as const), scheme: text, auth: text }),
  fc.record({
    op: fc.constant("reconfig" as const),
    joining: data,
    leaving: data,
    members: data,
    version: fc.maxSafeInteger(),
  }),
  fc.constant({ op: "closeSession" as const }),
);

const errors = fc.constantFrom(...(Object.keys(errorNumbers) as ErrorCode[]));

function subResult(request: SubRequest): fc.Arbitrary<SubResult> {
  switch (request.op) {
    case "create":
      return fc.record({ op: fc.constant("create" as const), path, stat: stats });
    case "setData":
      return fc.record({ op: fc.constant("setData" as const), stat: stats });
    case "delete":
    case "check":
      return fc.constant({ op: request.op });
  }
}

function multiAnswers(operations: readonly SubRequest[]): fc.Arbitrary<ZnodeAnswer> {
  const results = fc.tuple(...operations.map(subResult));
  const succeeded = fc.record({
    error: fc.constant(null),
    zxid,
    result: fc.record({ results }),
  });
  if (operations.length === 0) return succeeded;
  const failed = fc
    .record({ culprit: fc.nat({ max: operations.length - 1 }), error: errors, zxid })
    .map(({ culprit, error, zxid: at }) => ({
      error,
      zxid: at,
      results: operations.map((_, index) => ({
        op: "error" as const,
        error:
          index < culprit ? ("ok" as const) : index === culprit ? error : ("RuntimeInconsistency" as const),
      })),
    }));
  return fc.oneof(succeeded, failed);
}

/** Answers that a server of the newest dialect could give to a request. */
export function answersTo(request: ZnodeRequest): fc.Arbitrary<ZnodeAnswer> {
  if (request.op === "multi") return multiAnswers(request.operations);
  const result = (() => {
    switch (request.op) {
      case "create":
        return fc.record({ path, stat: stats });
      case "sync":
        return fc.record({ path });
      case "exists":
      case "setData":
      case "setACL":
        return fc.record({ stat: stats });
      case "getData":
      case "reconfig":
        return fc.record({ data, stat: stats });
      case "getChildren":
        return fc.record({ children: strings, stat: stats });
      case "getACL":
        return fc.record({ acl: acls, stat: stats });
      default:
        return fc.constant({});
    }
  })();
  return fc.oneof(
    fc.record({ error: fc.constant(null), zxid, result }),
    fc.record({ error: errors, zxid }),
  ) as fc.Arbitrary<ZnodeAnswer>;
}
