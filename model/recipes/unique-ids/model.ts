import {
  opaque,
  table,
  vacuous,
  vocabulary,
  type Model,
  type ModelDefinition,
  type Parameters,
  type PerClient,
} from "../../specification/index.ts";
import {
  changeOf,
  declared,
  exploration,
  followed,
  integer,
  serviceBounds,
  serviceOf,
  serviceParameters,
  type Variants,
} from "../recipe.ts";
import { clientsOf, serviceWords, treeOf, type Players, type ServiceState } from "../service/index.ts";
import { sequentialIds, versionIds, type TakerDecisions, type TakerState } from "./decisions.ts";
import { readThenWrite } from "./mistakes.ts";

interface Ids extends ServiceState<TakerState> {
  /** All that each client was given. */
  given: PerClient<readonly number[]>;
}

const parent = "/ids";
const counter = "/counter";
const { invariant, witness } = vocabulary<Ids>();

const variants: Variants<() => TakerDecisions> = {
  recipe: {
    summary: "ids from the names of sequential znodes",
    holds: true,
    change: () => sequentialIds(parent),
  },
  "counter-version": {
    summary: "ids from the versions of a counter",
    holds: true,
    change: () => versionIds(counter),
  },
  "read-then-write": {
    summary: "ids from a counter that is read and then written, whatever its version is by then",
    holds: false,
    property: "Unique",
    source: "a read and an unconditional write as one operation",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0 },
    change: () => readThenWrite(counter),
  },
};

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const { initial, actions } = serviceOf(parameters);
  const bounds = serviceBounds(parameters);
  const all = clientsOf(bounds, true);
  const decisions = changeOf(variants, variant)();
  const players: Players<TakerState> = {
    all,
    decisions: () => decisions,
    begins: { commands: ["generate"], times: Number(parameters["ids"]) },
    believes: () => false,
  };
  const model: Model<Ids> = {
    name: "unique-ids",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [{ ...initial(treeOf(parent, counter), players), given: table(all, () => []) }],
    actions: followed<TakerState, Ids>(actions(players, bounds), (next, client, before) => {
      const now = next.client[client];
      if (now.phase === "given" && before.phase === "taking")
        next.given[client] = [...next.given[client], now.id];
    }),
    invariants: [
      invariant("Unique", (now) => {
        const ids = all.members.flatMap((client) => now.given[client]);
        return ids.length < 2 ? vacuous : new Set(ids).size === ids.length;
      }),
    ],
    witnesses: [
      witness(
        "TwoClientsHaveIds",
        (now) => all.members.filter((client) => now.given[client].length > 0).length > 1,
      ),
    ],
    presentation: { step: serviceWords },
  };
  return opaque(model);
}

/** Ids that no two clients are given. */
export const uniqueIdsModel: ModelDefinition = {
  kind: "model",
  name: "unique-ids",
  summary: "unique ids from sequential znodes, or from the versions of a counter",
  source: "ZooKeeper Programmer's Guide, Sequence Nodes",
  parameters: {
    ...serviceParameters({ clients: 3, expiries: 1, losses: 1 }),
    ids: integer("how often each client asks", 2, 1, 9),
  },
  variants: declared(variants),
  exploration,
  build,
};
