import {
  each,
  opaque,
  pairs,
  servers,
  zabModel,
  type Action,
  type Model,
  type ModelDefinition,
  type Zab,
} from "../../model/index.ts";
import { oneSided } from "./one-sided.ts";

const unlimited = Number.MAX_SAFE_INTEGER;
const replaced: readonly string[] = ["Timeout", "Restart", "FilterNonexistentMessage"];

/**
 * What the embedded ensemble refines, as a model to explore: Zab.tla with failures that each end of a connection
 * notices for itself. Its invariants are those of Zab.tla. `failures` bounds them: the loss of one connection takes
 * two (one at each end), the loss of a leader with its quorum three or more.
 */
export const oneSidedZab: ModelDefinition = {
  kind: "model",
  name: "zab-one-sided",
  summary: "ZAB as the embedded ensemble runs it: each end of a connection fails for itself",
  source: "Zab.tla with Timeout and Restart taken apart",
  parameters: {
    servers: { kind: "integer", summary: "servers", default: 2, minimum: 2, maximum: 5 },
    transactions: { kind: "integer", summary: "MaxTransactionNum", default: 1, minimum: 0, maximum: 10 },
    failures: { kind: "integer", summary: "failures of one end", default: 3, minimum: 0, maximum: 20 },
    epochs: { kind: "integer", summary: "MaxEpoch", default: 3, minimum: 1, maximum: 10 },
  },
  build(parameters) {
    const failuresMax = parameters["failures"] as number;
    const published = { ...parameters, timeouts: unlimited, restarts: unlimited, separateBudgets: true };
    const base = zabModel.build(published) as Model<Zab>;
    const set = servers(parameters["servers"] as number, { symmetric: true });
    const failures = oneSided.map((action): Action<Zab> => ({
      ...action,
      fault: true,
      parameters: action.name === "LeaderTimeout" ? pairs(set) : each(set),
      effect: (now, next, ...targets) => {
        next.nTimeout = now.nTimeout + 1;
        next.pc = [action.name, ...(targets as typeof set.members)];
        return action.effect(now, next, ...targets);
      },
    }));
    const model: Model<Zab> = {
      ...base,
      name: "zab-one-sided",
      parameters,
      actions: [...base.actions.filter(({ name }) => !replaced.includes(name)), ...failures],
      constraint: (now) => now.nTimeout <= failuresMax,
    };
    return opaque(model);
  },
};
