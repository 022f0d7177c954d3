import {
  configurationModel,
  doubleBarrierModel,
  leaderElectionModel,
  lockModel,
  membershipModel,
  queueModel,
  readWriteLockModel,
  uniqueIdsModel,
  withProperties,
  type ModelDefinition,
  type Parameters,
} from "../../model/index.ts";
import { buildModel, explore } from "../exploration/index.ts";

export const recipes: readonly ModelDefinition[] = [
  leaderElectionModel,
  lockModel,
  readWriteLockModel,
  queueModel,
  doubleBarrierModel,
  configurationModel,
  membershipModel,
  uniqueIdsModel,
];

/** What is said of each property on its own, each explored to its end or its violation. */
export async function sayings(
  definition: ModelDefinition,
  variant: string | undefined,
  parameters: Parameters,
  symmetry = true,
): Promise<readonly string[]> {
  const model = buildModel(definition, { parameters, ...(variant === undefined ? {} : { variant }) });
  const properties = [
    ...(model.invariants ?? []),
    ...(model.stepProperties ?? []),
    ...(model.recoverable ?? []),
  ];
  const said: string[] = [];
  for (const { name } of properties) {
    const { verdicts } = await explore(
      withProperties(model, (each) => each === name),
      { symmetry, recoverability: true },
    );
    said.push(
      ...verdicts.map(({ verdict, vacuous }) => `${name}: ${vacuous === true ? "vacuous" : verdict}`),
    );
  }
  return said;
}
