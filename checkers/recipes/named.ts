import type { Event } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { checkZookeeper } from "../zookeeper/check.ts";
import { checkBarriers } from "./barriers.ts";
import { checkQueue, checkUniqueIds } from "./collections.ts";
import { checkLeadership } from "./leadership.ts";
import { checkLocks } from "./locks.ts";
import { checkMembership } from "./membership.ts";

/** A way to judge a history that is more than one sequential specification, by the name that `--as` takes. */
export interface NamedCheck {
  readonly name: string;
  readonly summary: string;
  check(events: readonly Event[]): readonly Verdict[];
}

/** Beside these stand the specifications of `namedSpecifications`, which are judged by linearizability. */
export const namedChecks: readonly NamedCheck[] = [
  {
    name: "zookeeper",
    summary: "everything that ZooKeeper promises, by the zxids of its replies",
    check: checkZookeeper,
  },
  {
    name: "election",
    summary: "leader election by candidates, with fencing tokens; and everything of zookeeper",
    check: (events) => [...checkLeadership(events), ...checkZookeeper(events)],
  },
  {
    name: "lock",
    summary: "acquire and release, also -read and -write: mutual exclusion",
    check: checkLocks,
  },
  {
    name: "recipe-queue",
    summary: "enqueue, dequeue of distinct elements: none lost, none twice, in order",
    check: checkQueue,
  },
  { name: "barrier", summary: "enter and leave of double barriers", check: checkBarriers },
  { name: "membership", summary: "join, leave, members", check: checkMembership },
  { name: "ids", summary: "generate -> ids that are unique", check: (events) => checkUniqueIds(events) },
  {
    name: "increasing-ids",
    summary: "generate -> ids that are unique, later ones greater",
    check: (events) => checkUniqueIds(events, { increasing: true }),
  },
];
