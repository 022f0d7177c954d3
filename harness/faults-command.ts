import type { Cluster, Support } from "../clusters/index.ts";
import { makeCluster } from "./clusters.ts";
import { print, printJson } from "./command-line.ts";
import type { FaultsFlags } from "./commands/faults.ts";
import type { FaultFamily } from "./faults/fault-family.ts";
import { families } from "./faults/index.ts";

/** A family, and whether an ensemble can do it. */
export interface Tried {
  readonly family: FaultFamily;
  readonly support: Support;
}

/** Finds out which families an ensemble can do; a family that makes no sense for so many servers it cannot. */
export async function tryFamilies(
  cluster: Cluster,
  chosen: readonly FaultFamily[],
): Promise<readonly Tried[]> {
  const voters = cluster.voters.length;
  const observers = cluster.servers.length - voters;
  return await Promise.all(
    chosen.map(async (family): Promise<Tried> => {
      const support = await cluster.supports(family.needs);
      if (!support.supported || family.plans(voters, observers) !== undefined) return { family, support };
      const reason = `it makes no sense for ${voters} ${voters === 1 ? "server" : "servers"}`;
      return { family, support: { supported: false, reason } };
    }),
  );
}

/** `zabcheck faults`. Throws InputError and OperationError as making the ensemble does. */
export async function faultsCommand(flags: FaultsFlags): Promise<void> {
  const names = families.map(({ name }) => name);
  const cluster = await makeCluster(flags, 0, () => undefined, names);
  try {
    const tried = await tryFamilies(cluster, families);
    if (flags.json === true) printJson({ cluster: cluster.version, faults: tried.map(jsonOf) });
    else for (const line of tried.flatMap(linesOf)) print(line);
  } finally {
    await cluster.stop();
  }
}

function jsonOf({ family, support }: Tried): object {
  return {
    name: family.name,
    summary: family.summary,
    supported: support.supported,
    ...(support.supported ? { how: support.how } : { reason: support.reason }),
  };
}

function linesOf({ family, support }: Tried): readonly string[] {
  return [
    `${family.name}: ${family.summary}`,
    support.supported ? `    works here: ${support.how}` : `    not here: ${support.reason}`,
  ];
}
