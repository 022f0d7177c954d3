import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../../../model/index.ts";
import type { ServerName } from "../../fault.ts";
import { memberLine } from "../configuration.ts";
import { always, type Ensemble, type FaultEntry } from "./effect.ts";
import { restart, servingMsMax } from "./repair.ts";

/** How long one change of the membership may take. */
const changeMsMax = 20_000;
const pollMs = 100;
const askMs = 2_000;

/** Servers leave by reconfig, with their processes running on, and spare ones start and join; undone the other way round. */
export const reconfig: FaultEntry = {
  how: "requests of an administrator's session, and a spare server",
  mechanisms: [],
  needs: "spare",
  probe({ voters, releases }) {
    if (voters < 3) {
      return Promise.resolve(`an ensemble of ${voters} has nobody to lose: --servers 3 or more`);
    }
    const old = releases.find((release) => release?.startsWith("3.4.") === true);
    return old === undefined ? always() : Promise.resolve(`ZooKeeper ${old} has no reconfig`);
  },
  async refuse(fault, ensemble) {
    if (fault.kind !== "reconfig") return undefined;
    const other = ensemble.inForce().some(({ kind }) => kind === "reconfig");
    if (other) return "another change of the membership is in force";
    const left = ensemble.voters.length - fault.leaving.length;
    return left < 2 ? "two voters must be left" : undefined;
  },
  async strike(fault, ensemble) {
    if (fault.kind !== "reconfig") return;
    for (const server of fault.joining) await join(server, ensemble);
    for (const server of fault.leaving) await leave(server, ensemble);
  },
  async mend(fault, ensemble) {
    if (fault.kind !== "reconfig") return;
    for (const server of fault.leaving) await join(server, ensemble);
    for (const server of fault.joining) {
      await leave(server, ensemble);
      await ensemble.inTurn(() => ensemble.member(server).killServer());
    }
  },
};

async function join(server: ServerName, ensemble: Ensemble): Promise<void> {
  const member = ensemble.member(server);
  const { number, address } = member.plan;
  // It has to follow the leader before it can be added. One that was started again while it was removed has read that
  // it is none of the ensemble ("My id 1 not in the peer list"), and ended.
  if ((await ensemble.awaitServing(server, 0)) !== "serves") {
    await restart(server, ensemble, { revive: true, meanwhile: () => member.resetConfiguration() });
  }
  await ensemble.awaitServing(server, servingMsMax);
  await change(server, true, ensemble, {
    joining: memberLine(number, address, "participant"),
    leaving: null,
  });
}

async function leave(server: ServerName, ensemble: Ensemble): Promise<void> {
  const { number } = ensemble.member(server).plan;
  await change(server, false, ensemble, { joining: null, leaving: String(number) });
}

/**
 * Asks until the ensemble's configuration says so: the answer to a reconfig may be lost, as always when the leader
 * leaves. Throws OperationError where it never does.
 */
async function change(
  server: ServerName,
  isIn: boolean,
  ensemble: Ensemble,
  wanted: { readonly joining: string | null; readonly leaving: string | null },
): Promise<void> {
  const { number } = ensemble.member(server).plan;
  const deadline = performance.now() + changeMsMax;
  let last = "no server answered";
  while (performance.now() < deadline) {
    const members = await membersNow(server, ensemble);
    if (members?.has(number) === isIn) return;
    const request = { op: "reconfig", ...wanted, members: null, version: -1 } as const;
    const answer = await ensemble.ask(request, [server], askMs);
    if (answer !== undefined) last = answer.error ?? "it was granted";
    await sleep(pollMs);
  }
  throw new OperationError(
    "reconfig",
    `${server} could not be ${isIn ? "added to" : "removed from"} the ensemble within ${changeMsMax} ms: ${last}`,
    "did too many servers fail at the same time?",
  );
}

/** The numbers of the servers that the ensemble's configuration names. */
async function membersNow(server: ServerName, ensemble: Ensemble): Promise<ReadonlySet<number> | undefined> {
  const answer = await ensemble.ask({ op: "getData", path: "/zookeeper/config" }, [server], askMs);
  if (answer === undefined || answer.error !== null) return undefined;
  const text = answer.result.data ?? "";
  return new Set([...text.matchAll(/^server\.(\d+)=/gm)].map(([, number]) => Number(number)));
}
