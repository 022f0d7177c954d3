import { checkLeadership, checkZookeeper, linearizable, type Verdict } from "../../checkers/index.ts";
import { guardPath, isFinalRead, versionedRegister, type Event, type Json } from "../../model/index.ts";
import { plainVerdict } from "../verdicts.ts";
import type { Check } from "./workload.ts";

/** The checkers of the workloads' histories. */

/** How long a search may take before it says unknown. */
const searchMs = 60_000;

const registerFunctions: ReadonlySet<string> = new Set(["setData", "create", "delete"]);

/**
 * ZooKeeper promises linearizable writes; plain reads may be stale. So the black box is judged by its writes (their
 * answers tell versions and errors) and the final reads, each znode on its own; no zxid is believed.
 */
function writesLinearizable(isRegister: (path: string) => boolean): Check {
  const name = "writes-by-search";
  return {
    name,
    async run(history) {
      const own = asVersionedRegisters(history, isRegister);
      const found = linearizable(own, versionedRegister("absent"), { timeMs: searchMs });
      return { ...withOriginals(plainVerdict(found), history), name };
    },
  };
}

/**
 * The writes of some znodes as calls of versioned registers. A definite error is an answer (`ok` with `{error}`):
 * BadVersion tells about the znode. Of what was never sent nothing is left.
 */
function asVersionedRegisters(
  history: readonly Event[],
  isRegister: (path: string) => boolean,
): readonly Event[] {
  const open = new Set<number | string>();
  return history.flatMap((event): readonly Event[] => {
    if (event.type === "invoke") {
      const path = field(event.value, "path");
      const taken =
        typeof path === "string" &&
        isRegister(path) &&
        (registerFunctions.has(event.f) || (event.f === "sync+getData" && isFinalRead(event)));
      if (!taken) return [];
      open.add(event.process);
    } else if (!open.delete(event.process)) {
      return [];
    }
    const f = event.f === "sync+getData" ? "getData" : event.f;
    if (event.type !== "fail" || event.zxid === undefined) return [{ ...event, f }];
    return [{ ...event, f, type: "ok", value: { error: event.error ?? "unknown" } }];
  });
}

/** The verdict with the history's own events in place of those made for the checker. */
function withOriginals(verdict: Verdict, history: readonly Event[]): Verdict {
  if (verdict.violation === undefined) return verdict;
  const { events, earliest, summary } = verdict.violation;
  const original = (event: Event): Event => history[event.index] ?? event;
  return {
    ...verdict,
    violation: {
      summary,
      events: events.map(original),
      ...(earliest === undefined ? {} : { earliest: original(earliest) }),
    },
  };
}

function field(value: Json, name: string): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })[name]
    : undefined;
}

/** ZooKeeper's promises by the zxids of its replies, several verdicts from one pass. */
const zookeeperPromises: Check = {
  name: "zookeeper",
  run: async (history) => checkZookeeper(history).map(plainVerdict),
};

export const registerChecks: readonly Check[] = [
  zookeeperPromises,
  writesLinearizable((path) => path.startsWith("/zabcheck/register-")),
];

/** One lowest candidate at each zxid, fencing tokens that rise, overlapping beliefs classified as zombies. */
const leadership: Check = {
  name: "leadership",
  run: async (history) => checkLeadership(history).map(plainVerdict),
};

export const leaderElectionChecks: readonly Check[] = [
  leadership,
  zookeeperPromises,
  writesLinearizable((path) => path === guardPath),
];
