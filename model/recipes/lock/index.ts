export {
  lockDecisions,
  modeOf as modeOfLock,
  type LockCommand,
  type LockDecisions,
  type LockMode,
  type LockState,
} from "./decisions.ts";
export { lockModel, readWriteLockModel } from "./model.ts";
export {
  locks as lockVariants,
  readWriteLocks as readWriteLockVariants,
  type LockChange,
} from "./variants.ts";
