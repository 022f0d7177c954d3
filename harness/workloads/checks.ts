import { checkLeadership, checkZookeeper } from "../../checkers/index.ts";
import { guardPath } from "../../model/index.ts";
import { plainVerdict } from "../verdicts.ts";
import { casLinearizable, writesLinearizable } from "./black-box.ts";
import type { WorkloadName } from "./names.ts";
import { casPrefix, initialValue, registerPrefix } from "./paths.ts";
import type { Check } from "./workload.ts";

/** ZooKeeper's promises by the zxids of its replies, several verdicts from one pass. */
const zookeeperPromises: Check = {
  name: "zookeeper",
  run: async (history) => checkZookeeper(history).map(plainVerdict),
};

/** One lowest candidate at each zxid, fencing tokens that rise, overlapping beliefs classified as zombies. */
const leadership: Check = {
  name: "leadership",
  run: async (history) => checkLeadership(history).map(plainVerdict),
};

/** How each workload's histories are judged, by its name; apart from the workloads, so that `check` starts at once. */
export const workloadChecks: { readonly [workload in WorkloadName]: readonly Check[] } = {
  register: [zookeeperPromises, writesLinearizable((path) => path.startsWith(registerPrefix))],
  "compare-and-set": [
    zookeeperPromises,
    writesLinearizable((path) => path.startsWith(casPrefix)),
    casLinearizable(initialValue),
  ],
  "leader-election": [leadership, zookeeperPromises, writesLinearizable((path) => path === guardPath)],
};
