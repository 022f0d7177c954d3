import { opaque, type Model, type ModelDefinition, type Value } from "../specification/index.ts";
import { broadcasting } from "./broadcast.ts";
import { constantsOf } from "./constants.ts";
import { discovery } from "./discovery.ts";
import { election } from "./election.ts";
import { faults } from "./faults.ts";
import { describeMessage, type Message } from "./messages.ts";
import { invariants } from "./properties.ts";
import { redundantMessages } from "./redundant-messages.ts";
import { init, type Zab } from "./state.ts";
import { stepProperties } from "./step-properties.ts";
import { synchronization } from "./synchronization.ts";
import { zabVariants, type ZabVariant } from "./variants.ts";
import { recoverables, witnesses } from "./witnesses.ts";

/**
 * ZAB, ZooKeeper's atomic broadcast, at the level of the paper: Junqueira, Reed and Serafini, "Zab: High-performance
 * broadcast for primary-backup systems", DSN 2011. Actions, messages and invariants are those of the specification
 * Zab.tla by Huang, Ouyang and others (ZooKeeper's zookeeper-specifications/protocol-spec), state for state: TLC
 * counts the same.
 */
export const zabModel: ModelDefinition = {
  kind: "model",
  name: "zab",
  summary: "ZAB as in the paper: discovery, synchronization and broadcast above an oracle that elects",
  source: "apache/zookeeper, zookeeper-specifications/protocol-spec/Zab.tla; Junqueira et al., DSN 2011",
  parameters: {
    servers: { kind: "integer", summary: "servers", default: 3, minimum: 1, maximum: 7 },
    transactions: { kind: "integer", summary: "MaxTransactionNum", default: 2, minimum: 0, maximum: 10 },
    timeouts: { kind: "integer", summary: "MaxTimeoutFailures", default: 1, minimum: 0, maximum: 10 },
    restarts: { kind: "integer", summary: "MaxRestarts", default: 0, minimum: 0, maximum: 10 },
    epochs: { kind: "integer", summary: "MaxEpoch", default: 3, minimum: 1, maximum: 10 },
    separateBudgets: {
      kind: "flag",
      summary: "a restart needs only its own budget, not the timeouts' too",
      default: false,
    },
  },
  variants: zabVariants,
  build(parameters, variant) {
    const constants = constantsOf(parameters, variant);
    const declared = variant === undefined ? undefined : zabVariants[variant as ZabVariant];
    const checked = <P extends { readonly name: string }>(properties: readonly P[]): readonly P[] =>
      declared?.alone === true ? properties.filter(({ name }) => name === declared.property) : properties;
    const model: Model<Zab> = {
      name: "zab",
      parameters,
      ...(variant === undefined ? {} : { variant }),
      identities: [constants.servers],
      initial: [init(constants)],
      actions: [
        ...election(constants),
        ...faults(constants),
        ...discovery(constants),
        ...synchronization(constants),
        ...broadcasting(constants),
        ...redundantMessages(constants),
      ],
      invariants: checked(invariants(constants)),
      stepProperties: checked(stepProperties(constants)),
      witnesses: witnesses(constants),
      recoverable: checked(recoverables(constants)),
      ghosts: ["pc"],
      presentation: {
        channel: "msgs",
        message: (message: Value) => describeMessage(message as unknown as Message),
      },
    };
    return opaque(model);
  },
};
