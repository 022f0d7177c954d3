import { expect, test } from "vitest";
import type { Finding } from "../../cluster.ts";
import type { Member } from "../member.ts";
import type { Ensemble } from "./effect.ts";
import { repairWhereRefused } from "./repair.ts";

/** A dead server of three whose last words are a known defect's; in its turn it runs where another fault was quicker. */
function ensembleOf(startedMeanwhile: boolean) {
  const did: string[] = [];
  const findings: Finding[] = [];
  let running = false;
  const member = {
    name: "server-2",
    log: async () => "The current epoch, 1, is older than the last zxid, 8589934807",
    state: async () => ({ running, paused: false }),
    emptyData: async () => did.push("emptied"),
    startServer: async () => did.push("started"),
  } as unknown as Member;
  const ensemble = {
    voters: ["server-1", "server-2", "server-3"],
    member: () => member,
    inForce: () => [{ kind: "kill", servers: ["server-2"] }],
    roles: async () => new Map([["server-1", "leader"]]),
    awaitServing: async () => "ended",
    found: (finding: Finding) => void findings.push(finding),
    inTurn: async <T>(work: () => Promise<T>) => {
      running = startedMeanwhile;
      return await work();
    },
  } as unknown as Ensemble;
  return { ensemble, did, findings };
}

test("a server that refuses to start for a known reason is given an empty disk", async () => {
  const { ensemble, did, findings } = ensembleOf(false);
  await repairWhereRefused("server-2", ensemble);
  expect(did).toEqual(["emptied"]);
  expect(findings[0]?.issue).toBe("ZOOKEEPER-1653");
  expect(findings[0]?.summary).toContain("Its data were emptied");
});

test("one that another fault has started meanwhile keeps its files", async () => {
  const { ensemble, did, findings } = ensembleOf(true);
  await repairWhereRefused("server-2", ensemble);
  expect(did).toEqual([]);
  expect(findings[0]?.summary).toContain("It was left as it is");
});
