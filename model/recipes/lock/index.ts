export {
  lockDecisions,
  type LockCommand,
  type LockDecisions,
  type LockMode,
  type LockState,
} from "./decisions.ts";
export { lockModel, readWriteLockModel } from "./model.ts";
