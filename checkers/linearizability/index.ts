export { linearizable, linearizableOperations } from "./linearizable.ts";
export type { LinearizabilityOptions, LinearizabilityVerdict, ObjectVerdict } from "./linearizable.ts";
export type { Explanation, Linearization } from "./explanation.ts";
export { operationsOf, type Locate, type TimedOperation } from "./operations.ts";
export { confirmImpossible, refuteOrder, type VerifiedOperation } from "./verify.ts";
export { linearizableInParallel } from "./parallel.ts";
