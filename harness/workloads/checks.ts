import {
  checkGuardReaders,
  checkGuardWriters,
  checkHerd,
  checkLeadership,
  checkLocks,
  checkAccounts,
  checkAppendLists,
  checkBarriers,
  checkOwnEphemerals,
  checkConfiguration,
  checkFinalMembers,
  checkMembership,
  checkQueue,
  checkQueueRemains,
  resolvedQueue,
  checkUniqueIds,
  checkProgress,
  checkZookeeper,
} from "../../checkers/index.ts";
import { type Json, guardPath, modeOfLock, nodeName } from "../../model/index.ts";
import { plainVerdict } from "../verdicts.ts";
import { casLinearizable, setLinearizable, withOriginals, writesLinearizable } from "./black-box.ts";
import type { WorkloadName } from "./names.ts";
import {
  accountPrefix,
  balanceAtFirst,
  sessionsPath,
  casPrefix,
  guardOfLock,
  initialValue,
  isGuardOfLock,
  listPrefix,
  queuePaths,
  setPath,
  registerPrefix,
} from "./paths.ts";
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

const progress: Check = { name: "progress", run: async (history) => checkProgress(history) };

const exclusion: Check = { name: "mutual-exclusion", run: async (history) => checkLocks(history) };

const guardWriters: Check = {
  name: "guard-writers",
  run: async (history) => checkGuardWriters(history, isGuardOfLock),
};

const guardReaders: Check = {
  name: "guard-readers",
  run: async (history) => checkGuardReaders(history, guardOfLock),
};

/** Nobody's departure wakes several, but for a writer's: several readers may follow. */
const noHerd: Check = {
  name: "no-herd",
  run: async (history) =>
    checkHerd(history, (path) => !path.includes("read-write-lock") || modeOfLock(nodeName(path)) === "read"),
};

/** Elements and their order; the final lists tell what became of operations without an answer. */
const queueElements: Check = {
  name: "queue",
  async run(history) {
    const resolved = resolvedQueue(history, queuePaths.queue);
    const events = resolved.map(({ event }, index) => ({ ...event, index }));
    const originals = resolved.map(({ origin }) => origin);
    return checkQueue(events).map((verdict) => withOriginals(plainVerdict(verdict), originals));
  },
};

const queueRemains: Check = {
  name: "queue-remains",
  run: async (history) => checkQueueRemains(history, queuePaths.queue),
};

/** Each source of ids for itself: the invocation names it. */
const uniqueIds: Check = {
  name: "unique-ids",
  async run(history) {
    const source = new Map<number | string, Json>();
    const own = history.filter(({ f }) => f === "generate");
    for (const { process, type, value } of own) if (type === "invoke") source.set(process, value);
    return ["names", "versions"].flatMap((name) =>
      checkUniqueIds(
        own.filter(({ process }) => source.get(process) === name),
        { increasing: true },
      ).map((verdict) => ({ ...verdict, name: `${verdict.name}-by-${name}` })),
    );
  },
};

const appendedLists: Check = { name: "append-list", run: async (history) => checkAppendLists(history) };

/** Lists that consumers had, and the one that they have in the end. */
const members: Check = {
  name: "membership",
  run: async (history) => [...checkMembership(history), checkFinalMembers(history)],
};

const configurationSeen: Check = {
  name: "configuration",
  run: async (history) => checkConfiguration(history),
};

const barriers: Check = { name: "double-barrier", run: async (history) => checkBarriers(history) };

const accounts: Check = {
  name: "accounts",
  run: async (history) => checkAccounts(history, { prefix: accountPrefix, initial: balanceAtFirst }),
};

const ownEphemerals: Check = {
  name: "own-ephemerals",
  run: async (history) => checkOwnEphemerals(history, sessionsPath),
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
  lock: [exclusion, guardWriters, noHerd, progress, zookeeperPromises],
  "read-write-lock": [exclusion, guardWriters, guardReaders, noHerd, progress, zookeeperPromises],
  queue: [queueElements, queueRemains, progress, zookeeperPromises],
  "sequential-ids": [uniqueIds, progress, zookeeperPromises],
  set: [setLinearizable(setPath), zookeeperPromises],
  membership: [members, progress, zookeeperPromises],
  "double-barrier": [barriers, progress, zookeeperPromises],
  multi: [accounts, zookeeperPromises],
  sessions: [ownEphemerals, progress, zookeeperPromises],
  configuration: [configurationSeen, progress, zookeeperPromises],
  "append-list": [
    appendedLists,
    zookeeperPromises,
    writesLinearizable((path) => path.startsWith(listPrefix)),
  ],
};
