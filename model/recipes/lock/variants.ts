import type { Decisions } from "../decisions.ts";
import type { Variants } from "../recipe.ts";
import { lockDecisions, modeOf, recipeBlockers, type LockMode, type LockState } from "./decisions.ts";
import { fixedPath, waitsForNobody } from "./mistakes.ts";

/** The decisions of a variant's client, of the lock at a path. */
export type LockChange = (path: string) => Decisions<LockState>;

const both: readonly LockMode[] = ["read", "write"];

const lostWakeUp = {
  summary: "a client waits for a predecessor that went before it could be watched",
  holds: false,
  property: "SomebodyWillHold",
  source: "ZooKeeper Recipes and Solutions, Locks, step 5: if exists returns null, go to step 2",
  parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0, times: 1 },
} as const;

export const locks: Variants<LockChange> = {
  recipe: { summary: "the recipe", holds: true, change: (path) => lockDecisions(path) },
  "fixed-path": {
    summary: "released by deleting a fixed path: after an expired session that is the next holder's znode",
    holds: false,
    property: "Exclusion",
    source: "locks that are released without asking who owns them",
    parameters: { clients: 3, "sessions-expire": 1, "connection-losses": 0, times: 1 },
    change: (path) => fixedPath(path, false),
  },
  "fixed-path-never-held": {
    summary: "released by deleting a fixed path, also by a client that gave up waiting and never held it",
    holds: false,
    property: "Exclusion",
    source: "locks that are released in a finally block",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0, times: 1 },
    change: (path) => fixedPath(path, true),
  },
  "watch-all": {
    summary: "everybody watches all those before it: right, but each departure wakes all that wait",
    holds: false,
    property: "NoHerd",
    source: "ZooKeeper Recipes and Solutions, Locks: no herd effect",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0, times: 1 },
    change: (path) => lockDecisions(path, ["write"], (ahead) => ahead),
  },
  "lost-wake-up": { ...lostWakeUp, change: (path) => waitsForNobody(lockDecisions(path)) },
};

export const readWriteLocks: Variants<LockChange> = {
  recipe: { summary: "the recipe", holds: true, change: (path) => lockDecisions(path, both) },
  "readers-watch-all": {
    summary: "readers watch every predecessor, readers too: right, but a herd",
    holds: false,
    property: "NoHerd",
    source: "ZooKeeper Recipes and Solutions, Shared Locks: herd effect",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0, times: 1 },
    change: (path) =>
      lockDecisions(path, both, (ahead, mode) => {
        const blockers = recipeBlockers(ahead, mode);
        return blockers.length > 0 && mode === "read" ? ahead : blockers;
      }),
  },
  "writers-ignore-readers": {
    summary: "a writer waits for writers alone",
    holds: false,
    property: "Exclusion",
    source: "the reader's rule, used for writers too",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0, times: 1 },
    change: (path) =>
      lockDecisions(path, both, (ahead) => ahead.filter((node) => modeOf(node) === "write").slice(-1)),
  },
  "lost-wake-up": { ...lostWakeUp, change: (path) => waitsForNobody(lockDecisions(path, both)) },
};
