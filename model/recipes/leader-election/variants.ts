import type { Variants } from "../recipe.ts";
import type { CandidateDecisions } from "./decisions.ts";
import {
  createsAgain,
  keepsGuid,
  keepsLeadership,
  leadsWhenNotified,
  mistaken,
  takesLeadershipBack,
  waitsForNobody,
  watchesLeader,
  watchesParent,
} from "./mistakes.ts";
import { inMemory, singleNode } from "./other-elections.ts";

/** Who checks the fencing token of a write: the resource, the client before it writes, or nobody. */
export type Guard = "resource" | "client" | "nobody";

interface Change {
  readonly candidate: (recipe: CandidateDecisions, path: string) => CandidateDecisions;
  /** The resource, where absent. */
  readonly guard?: Guard;
}

const unchanged: Change["candidate"] = (recipe) => recipe;

function deciding(decide: Parameters<typeof mistaken>[2]): Change["candidate"] {
  return (recipe, path) => mistaken(recipe, path, decide);
}

export const elections: Variants<Change> = {
  recipe: { summary: "the recipe", holds: true, change: { candidate: unchanged } },
  "no-protection": {
    summary: "a create whose reply was lost is repeated without looking for the first znode",
    holds: false,
    property: "SomebodyWillLead",
    source: "ZooKeeper FAQ, recoverable errors; Curator's protected create",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 1 },
    change: { candidate: deciding(createsAgain) },
  },
  "watch-leader": {
    summary: "everybody watches the lowest candidate: right, but its departure wakes them all",
    holds: false,
    property: "NoHerd",
    source: "ZooKeeper Recipes and Solutions, Leader Election: herd effect",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0 },
    change: { candidate: deciding(watchesLeader) },
  },
  "watch-parent": {
    summary: "everybody watches the list of candidates: right, but each departure wakes them all",
    holds: false,
    property: "NoHerd",
    source: "ZooKeeper Recipes and Solutions, Leader Election: herd effect",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0 },
    change: { candidate: deciding(watchesParent) },
  },
  "single-node": {
    summary: "one ephemeral znode, who creates it leads: right, but its departure wakes everybody",
    holds: false,
    property: "NoHerd",
    source: "Junqueira & Reed, ZooKeeper: Distributed Process Coordination, ch. 3",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0 },
    change: { candidate: (recipe, path) => singleNode(recipe, path, true) },
  },
  "lead-when-notified": {
    summary: "a candidate leads when its predecessor goes, without reading the candidates again",
    holds: false,
    property: "OneLeader",
    source: "ZooKeeper Recipes and Solutions, Leader Election, step 3 of the notification",
    parameters: { clients: 3, "sessions-expire": 1, "connection-losses": 0 },
    change: { candidate: deciding(leadsWhenNotified) },
  },
  "lost-wake-up": {
    summary: "a candidate waits for a predecessor that went before it could be watched",
    holds: false,
    property: "SomebodyWillLead",
    source: "ZooKeeper Recipes and Solutions, Locks, step 5: if exists returns null, go to step 2",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { candidate: deciding(waitsForNobody) },
  },
  "no-fencing": {
    summary: "the guarded resource takes writes under any token, also those of a zombie",
    holds: false,
    property: "OneMayWrite",
    source: "Hunt et al., USENIX ATC 2010; Burrows, OSDI 2006, §2.4 (sequencers)",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { candidate: unchanged, guard: "nobody" },
  },
  "asks-before-it-writes": {
    summary:
      "a leader asks whether it still leads and then writes: it stalls in between, and writes as a zombie",
    holds: false,
    property: "ZombieWritesRefused",
    alone: true,
    source: "Kleppmann, How to do distributed locking, 2016",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { candidate: unchanged, guard: "client" },
  },
  "guid-of-closing-session": {
    summary: "a protected create takes the znode of its own expired session for the new one",
    holds: false,
    property: "OnlyZombiesOverlap",
    source: "CURATOR-498",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 1 },
    change: { candidate: deciding(keepsGuid) },
  },
  "keeps-leadership": {
    summary: "a leader goes on leading across a disconnection that cost it its session",
    holds: false,
    property: "OnlyZombiesOverlap",
    source: "CURATOR-444, CURATOR-653, CURATOR-696",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { candidate: deciding(keepsLeadership) },
  },
  "takes-leadership-back": {
    summary: "with a new session a candidate finds its old znode on a server that lags, and leads with it",
    holds: false,
    property: "OnlyZombiesOverlap",
    source: "CURATOR-644, CURATOR-645",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { candidate: deciding(takesLeadershipBack) },
  },
  "lock-in-memory": {
    summary: "a lock in each process's own memory: a second process never sees it",
    holds: false,
    property: "OnlyZombiesOverlap",
    source: "tutorials that show leader election within one process",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0 },
    change: { candidate: inMemory },
  },
  "lock-kept-by-the-dead": {
    summary: "a lock in the memory that the candidates of one process share: a leader that died keeps it",
    holds: false,
    property: "SomebodyWillLead",
    source: "tutorials that show leader election within one process: heartbeats that nobody acts on",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { candidate: (recipe, path) => singleNode(recipe, path, false) },
  },
};
