export { checkBarriers } from "./barriers.ts";
export { candidaciesBelow, reignsOf, type Candidacy, type Reign } from "./candidates.ts";
export { checkQueue, checkUniqueIds } from "./collections.ts";
export { checkLeadership, type Belief, type LeadershipOptions } from "./leadership.ts";
export { checkLocks } from "./locks.ts";
export { checkMembership } from "./membership.ts";
export { namedChecks, type NamedCheck } from "./named.ts";
export { checkProgress } from "./progress.ts";
