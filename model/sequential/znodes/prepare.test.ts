import fc from "fast-check";
import { expect, test } from "vitest";
import type { SubRequest } from "./operations.ts";
import { RequestPreparation, type WriteRequest } from "./prepare.ts";
import { ZnodeTree } from "./tree.ts";

const path = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom("/a", "/a/c") },
  fc.constantFrom("/b", "/a/c/d", "/zookeeper", "/a/"),
);
const version = fc.constantFrom(-1, -1, -1, 0, 1);
const data = fc.constantFrom(null, "x", "ä");
const mode = fc.constantFrom(
  "persistent" as const,
  "persistent" as const,
  "persistent-sequential" as const,
  "ephemeral" as const,
  "container" as const,
  "persistent-ttl" as const,
);
const part: fc.Arbitrary<SubRequest> = fc.oneof(
  fc.record({ op: fc.constant("create" as const), path, data, mode, ttlMs: fc.constantFrom(0, 5) }),
  fc.record({ op: fc.constant("delete" as const), path, version }),
  fc.record({ op: fc.constant("setData" as const), path, data, version }),
  fc.record({ op: fc.constant("check" as const), path, version }),
);
const acl = [{ permissions: 31, scheme: "world", id: "anyone" }];
const request: fc.Arbitrary<WriteRequest> = fc.oneof(
  { weight: 4, arbitrary: part },
  fc.record({ op: fc.constant("multi" as const), operations: fc.array(part, { maxLength: 3 }) }),
  fc.record({ op: fc.constant("setACL" as const), path, acl: fc.constant(acl), version }),
  fc.constant({ op: "closeSession" as const }),
);

test("what is applied at once, unasked, gives the transactions and the tree of what is remembered and answered", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(request, fc.constantFrom("0xa", "0xb")), { minLength: 20, maxLength: 60 }),
      (requests) => {
        const options = { checkSessions: false, extendedTypes: true };
        const [asked, unasked] = [new ZnodeTree({ digests: true }), new ZnodeTree({ digests: true })];
        const remembers = new RequestPreparation(asked, options);
        const forgets = new RequestPreparation(unasked, { ...options, appliesAtOnce: true });
        requests.forEach(([write, session], i) => {
          const header = { session, cxid: i, zxid: i + 1, timeMs: i };
          const body = remembers.prepare(header, write);
          expect(forgets.prepare(header, write)).toEqual(body);
          asked.apply(header, body);
          remembers.applied(header.zxid);
          unasked.applyUnasked(header, body);
          expect(unasked.key()).toBe(asked.key());
          expect(unasked.digest).toBe(asked.digest);
          expect(unasked.lastProcessedZxid).toBe(asked.lastProcessedZxid);
        });
      },
    ),
    { numRuns: 150 },
  );
});
